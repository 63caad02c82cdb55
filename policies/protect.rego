# What may no plan destroy or replace? Whatever `protect` in hatchet.yaml lists.
package hatchet.protect

deny contains {"msg": msg, "address": change.address} if {
	some change in input.plan.resource_changes
	"delete" in change.change.actions
	some address in addresses(change)
	some pattern, expression in expressions
	regex.match(expression, address)
	msg := concat("", [verb(change), " ", change.address, ", which is protected by ", pattern])
}

# A pattern that cannot be read protects nothing; nobody would notice before it is too late.
deny contains concat("", ["protect: ", pattern, " is no pattern of resource addresses"]) if {
	some pattern in input.config.protect
	not is_readable(pattern)
}

deny contains "the list of protected addresses did not reach this policy" if not is_configured

is_configured if is_array(input.config.protect)

is_readable(pattern) if {
	pattern != ""
	concat(".", segments(pattern)) == pattern
}

# A resource cannot leave its protection by being moved in the same plan.
addresses(change) := {change.address, object.get(change, "previous_address", change.address)}

verb(change) := "replaces" if "create" in change.change.actions

verb(change) := "destroys" if not "create" in change.change.actions

# An address is made of segments between dots. A segment may end in an index, whose text may hold dots itself.
index := `\[(?:"(?:[^"\\]|\\.)*"|[^"\[\]]*)\]`

segment := concat("", [`[^.\[\]]+(?:`, index, `)?`])

segments(text) := [match[0] | some match in regex.find_all_string_submatch_n(segment, text, -1)]

# The regular expression of each pattern: `*` is any text within a segment, `**` any number of whole segments.
expressions := {pattern: expression |
	some pattern in input.config.protect
	is_readable(pattern)
	expression := concat("", ["^", concat("", links(completed(segments(pattern)))), "$"])
}

# A pattern that names only modules means everything in them.
completed(wanted) := array.concat(wanted, ["**"]) if names_modules(wanted)

completed(wanted) := wanted if not names_modules(wanted)

names_modules(wanted) if {
	count(wanted) % 2 == 0
	every i in numbers.range(0, (count(wanted) / 2) - 1) { wanted[i * 2] == "module" }
}

links(wanted) := [link(wanted[i], i == (count(wanted) - 1)) | some i in numbers.range(0, count(wanted) - 1)]

link("**", false) := concat("", ["(?:", segment, `\.)*`])

link("**", true) := concat("", [segment, `(?:\.`, segment, ")*"])

link(wanted, false) := concat("", [within(wanted), `\.`]) if wanted != "**"

link(wanted, true) := within(wanted) if wanted != "**"

# Without an index a segment means every instance; with one, only those that the index admits.
within(wanted) := concat("", [literal(wanted, `[^.\[\]]*`), "(?:", index, ")?"]) if not contains(wanted, "[")

within(wanted) := concat("", [literal(name, `[^.\[\]]*`), indexed(substring(wanted, count(name), -1))]) if {
	name := split(wanted, "[")[0]
	contains(wanted, "[")
}

indexed("[*]") := index

indexed(key) := literal(key, `(?:[^"\\]|\\.)*`) if startswith(key, `["`)

indexed(key) := literal(key, `[^"\[\]]*`) if {
	not startswith(key, `["`)
	key != "[*]"
}

# `text` as a regular expression that matches it literally, but for `*`.
literal(text, star) := strings.replace_n(
	{
		"*": star,
		`\`: `\\`,
		".": `\.`,
		"+": `\+`,
		"?": `\?`,
		"(": `\(`,
		")": `\)`,
		"[": `\[`,
		"]": `\]`,
		"{": `\{`,
		"}": `\}`,
		"^": `\^`,
		"$": `\$`,
		"|": `\|`,
	},
	text,
)
