# What needs the yes of someone else? Whatever a plan destroys or replaces.
package hatchet.destroy

approve contains {"count": 1, "by": [], "msg": message} if count(doomed) > 0

# A forgotten resource lives on, only unmanaged: worth a look, no reason to stop.
warn contains {"msg": msg, "address": change.address} if {
	some change in input.plan.resource_changes
	"forget" in change.change.actions
	msg := concat("", ["forgets ", change.address, ": it lives on, but is no longer managed here"])
}

# Reading a data source anew is listed in a plan as well, and touches nothing.
doomed contains change if {
	some change in input.plan.resource_changes
	"delete" in change.change.actions
	not is_data(change)
}

is_data(change) if change.mode == "data"

destroyed := {name(change) | some change in doomed; not "create" in change.change.actions}

replaced := {name(change) | some change in doomed; "create" in change.change.actions}

# A deposed object is what an earlier, half-failed replacement left behind; it shares its successor's address.
name(change) := concat("", [change.address, " (deposed ", change.deposed, ")"])

name(change) := change.address if not change.deposed

message := concat(" ", [verb, first]) if count(destroyed) + count(replaced) == 1

message := concat("", [concat(" and ", parts), ", the first: ", first]) if count(destroyed) + count(replaced) > 1

first := sort(destroyed | replaced)[0]

verb := "destroys" if count(replaced) == 0

verb := "replaces" if count(destroyed) == 0

parts := [part |
	some names in [["replaces", replaced], ["destroys", destroyed]]
	count(names[1]) > 0
	part := concat(" ", [names[0], resources(count(names[1]))])
]

resources(1) := "1 resource"

resources(n) := concat(" ", [format_int(n, 10), "resources"]) if n > 1
