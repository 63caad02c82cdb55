# Does `protect` match addresses as people mean them?
package hatchet.protect_test

import data.hatchet.protect

denied(pattern, address) if {
	changes := [{"address": address, "mode": "managed", "change": {"actions": ["delete"]}}]
	denials := protect.deny with input as {"plan": {"resource_changes": changes}, "config": {"protect": [pattern]}}
	denials == {{"address": address, "msg": sprintf("destroys %s, which is protected by %s", [address, pattern])}}
}

spared(pattern, address) if {
	changes := [{"address": address, "mode": "managed", "change": {"actions": ["delete"]}}]
	denials := protect.deny with input as {"plan": {"resource_changes": changes}, "config": {"protect": [pattern]}}
	denials == set()
}

test_a_star_is_any_name_in_one_segment if {
	denied("aws_db_instance.*", "aws_db_instance.main")
	denied("aws_*.main", "aws_db_instance.main")
	denied("aws_db_instance.ma*n", "aws_db_instance.main")
	spared("aws_db_instance.*", "aws_db_instance_role.main")
	spared("aws_db_instance.*", "module.prod.aws_db_instance.main")
	spared("*", "aws_db_instance.main")
	spared("module.*.aws_s3_bucket.b", "module.a.module.b.aws_s3_bucket.b")
}

test_a_plain_address_means_itself_and_its_instances if {
	denied("aws_db_instance.main", "aws_db_instance.main")
	denied("aws_db_instance.main", "aws_db_instance.main[0]")
	denied("aws_db_instance.main", `aws_db_instance.main["a.b"]`)
	spared("aws_db_instance.main", "aws_db_instance.main2")
	spared("aws_db_instance.main", "aws_db_instance.mai")
}

test_two_stars_are_any_number_of_segments if {
	denied("module.prod.**", "module.prod.aws_db_instance.main")
	denied("module.prod.**", "module.prod.module.db.aws_db_instance.main[0]")
	denied("**", `module.a["x.y"].aws_db_instance.main["[0]"]`)
	denied("**.aws_db_instance.*", "aws_db_instance.main")
	denied("**.aws_db_instance.*", "module.a.module.b.aws_db_instance.main")
	denied("module.prod.**.aws_db_instance.*", "module.prod.aws_db_instance.main")
	denied("module.prod.**.aws_db_instance.*", "module.prod.module.db.aws_db_instance.main")
	spared("module.prod.**", "module.production.aws_db_instance.main")
	spared("module.prod.**", "module.dev.aws_db_instance.main")
}

test_modules_without_an_index_mean_every_instance if {
	denied("module.prod.**", `module.prod["eu.west"].aws_db_instance.main`)
	denied("module.prod.aws_db_instance.*", "module.prod[3].aws_db_instance.main")
}

test_a_pattern_of_modules_means_what_is_in_them if {
	denied("module.prod", "module.prod.aws_db_instance.main")
	denied("module.*", "module.prod.module.db.aws_db_instance.main")
	denied(`module.prod["eu"]`, `module.prod["eu"].aws_db_instance.main`)
	spared("module.prod", "module.dev.module.prod.aws_db_instance.main")
}

test_an_index_admits_only_what_it_says if {
	denied("aws_db_instance.main[0]", "aws_db_instance.main[0]")
	spared("aws_db_instance.main[0]", "aws_db_instance.main[1]")
	spared("aws_db_instance.main[0]", "aws_db_instance.main")
	denied("aws_db_instance.main[*]", `aws_db_instance.main["a]b"]`)
	denied("aws_db_instance.main[*]", "aws_db_instance.main[7]")
	spared("aws_db_instance.main[*]", "aws_db_instance.main")
	denied(`aws_db_instance.main["a.b"]`, `aws_db_instance.main["a.b"]`)
	spared(`aws_db_instance.main["a.b"]`, `aws_db_instance.main["axb"]`)
	denied(`aws_db_instance.main["eu-*"]`, `aws_db_instance.main["eu-west.1"]`)
	denied(`aws_db_instance.main["eu-*"]`, `aws_db_instance.main["eu-\"x\""]`)
	spared(`aws_db_instance.main["eu-*"]`, `aws_db_instance.main["us-west.1"]`)
	spared(`module.a["*"].aws_s3_bucket.b`, `module.a["x"].module.c["y"].aws_s3_bucket.b`)
}

test_dots_and_brackets_in_keys_end_no_segment if {
	spared("module.a.b.c", `module.a["x"].module.b.c`)
	denied("module.*.aws_s3_bucket.b", `module.a["].x.y["].aws_s3_bucket.b`)
	spared("module.a.aws_s3_bucket.b", `module.z["module.a.aws_s3_bucket.b"].aws_s3_bucket.c`)
}

test_a_pattern_is_no_regular_expression if {
	spared("aws_db_instance.(a|main)", "aws_db_instance.main")
	spared("aws_db_instance.m?in", "aws_db_instance.main")
	denied(`a.b["(x|y)+$"]`, `a.b["(x|y)+$"]`)
}

test_a_replacement_is_denied_and_a_change_is_not if {
	given := [
		{"address": "a.replaced", "change": {"actions": ["delete", "create"]}},
		{"address": "a.replaced_later", "change": {"actions": ["create", "delete"]}},
		{"address": "a.updated", "change": {"actions": ["update"]}},
		{"address": "a.created", "change": {"actions": ["create"]}},
		{"address": "a.forgotten", "change": {"actions": ["forget"]}},
		{"address": "a.kept", "change": {"actions": ["no-op"]}},
	]
	denials := protect.deny with input as {"plan": {"resource_changes": given}, "config": {"protect": ["a.*"]}}
	denials == {
		{"address": "a.replaced", "msg": "replaces a.replaced, which is protected by a.*"},
		{"address": "a.replaced_later", "msg": "replaces a.replaced_later, which is protected by a.*"},
	}
}

test_a_move_does_not_lift_protection if {
	given := [{"address": "a.new", "previous_address": "a.old", "change": {"actions": ["delete", "create"]}}]
	denials := protect.deny with input as {"plan": {"resource_changes": given}, "config": {"protect": ["a.old"]}}
	denials == {{"address": "a.new", "msg": "replaces a.new, which is protected by a.old"}}
}

test_a_pattern_that_cannot_be_read_denies if {
	broken := [`a.b["c`, "a..b", ".a.b", "a.b.", "a.b[0]x", "a.b[0][1]", "a.b]", ""]
	every pattern in broken {
		denials := protect.deny with input as {"plan": {}, "config": {"protect": [pattern]}}
		denials == {sprintf("protect: %s is no pattern of resource addresses", [pattern])}
	}
}

test_no_list_at_all_denies if {
	count(protect.deny) == 1 with input as {"plan": {}, "config": {}}
	count(protect.deny) == 1 with input as {"plan": {}, "config": {"protect": "a.*"}}
	count(protect.deny) == 0 with input as {"plan": {}, "config": {"protect": []}}
}
