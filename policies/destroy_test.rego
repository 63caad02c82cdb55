# Does `destroy` ask for exactly what it should, in words that name it?
package hatchet.destroy_test

import data.hatchet.destroy

change(address, actions) := {"address": address, "mode": "managed", "change": {"actions": actions}}

asked(changes) := {rule.msg | some rule in destroy.approve with input as {"plan": {"resource_changes": changes}}}

test_a_replacement_is_named if {
	asked([change("aws_db_instance.main", ["delete", "create"])]) == {"replaces aws_db_instance.main"}
}

test_create_before_destroy_is_a_replacement if {
	asked([change("aws_db_instance.main", ["create", "delete"])]) == {"replaces aws_db_instance.main"}
}

test_a_destruction_is_named if {
	asked([change("aws_s3_bucket.b", ["delete"])]) == {"destroys aws_s3_bucket.b"}
}

test_many_are_counted_and_the_first_is_named if {
	changes := [change("c.c", ["delete"]), change("a.a", ["delete"]), change("b.b", ["delete"])]
	asked(changes) == {"destroys 3 resources, the first: a.a"}
}

test_replacements_and_destructions_are_told_apart if {
	changes := [change("c.c", ["delete"]), change("b.b", ["create", "delete"]), change("a.a", ["delete"])]
	asked(changes) == {"replaces 1 resource and destroys 2 resources, the first: a.a"}
}

test_a_deposed_object_counts_beside_its_successor if {
	deposed := object.union(change("a.a", ["delete"]), {"deposed": "0c9a1b2d"})
	asked([deposed]) == {"destroys a.a (deposed 0c9a1b2d)"}
	asked([deposed, change("a.a", ["update"])]) == {"destroys a.a (deposed 0c9a1b2d)"}
	asked([deposed, change("a.a", ["delete"])]) == {"destroys 2 resources, the first: a.a"}
}

test_a_change_without_a_mode_counts if {
	asked([{"address": "a.a", "change": {"actions": ["delete"]}}]) == {"destroys a.a"}
}

test_one_yes_by_anyone_with_write if {
	rules := destroy.approve with input as {"plan": {"resource_changes": [change("a.a", ["delete"])]}}
	rules == {{"count": 1, "by": [], "msg": "destroys a.a"}}
}

test_nothing_is_asked_for_what_stays if {
	kept := [["no-op"], ["create"], ["update"], ["read"], ["forget"], ["create", "forget"]]
	every actions in kept { asked([change("a.a", actions)]) == set() }
}

test_data_is_never_destroyed if {
	asked([object.union(change("data.a.a", ["delete"]), {"mode": "data"})]) == set()
}

test_a_plan_without_changes_asks_nothing if {
	count(destroy.approve) == 0 with input as {"plan": {"format_version": "1.2"}}
}

test_a_forgotten_resource_is_mentioned if {
	warnings := destroy.warn with input as {"plan": {"resource_changes": [change("a.a", ["forget"])]}}
	warnings == {{"address": "a.a", "msg": "forgets a.a: it lives on, but is no longer managed here"}}
}
