# The figures of `go tool trace -d=parsed` (internal/trace/event.go, Event.String), as figures.c prints them.
# Times are sums of nanoseconds of CLOCK_MONOTONIC: below 2^53 for three months of uptime.
function field(name,   i, n) {
	n = length(name)
	for (i = 1; i <= NF; i++)
		if (substr($i, 1, n) == name)
			return substr($i, n + 1)
	return ""
}
function move(g, to, time) {
	if (state[g] != "" && state[g] != "NotExist")
		spent[g, state[g]] += time - since[g]
	state[g] = to
	since[g] = time
}
/^M=/ {
	kinds[$4]++
	time = field("Time=") + 0
	if ($4 == "Sync") {
		if (!synced++)
			begin = time
	} else {
		last = time
	}
	g = field("GoID=")
	if ($4 == "StateTransition" && g != "") {
		i = 0
		while ($(++i) !~ /^GoID=/)
			;
		split($(i + 1), change, "->")
		known[g] = 1
		if (change[1] == "Undetermined") {
			state[g] = change[2]
			since[g] = begin
			move(g, change[2], time)
		} else if (change[1] != change[2]) {
			if (change[1] == "Runnable" && change[2] == "Running")
				starts[g]++
			if (change[1] == "NotExist" && change[2] != "Syscall") {
				created[g] = time
				parent[g] = $3 == "G=-1" ? 0 : substr($3, 3)
			} else if (change[1] == "NotExist") {
				if (!created[g])
					created[g] = time
				ended[g] = 0
			}
			if (change[2] == "NotExist")
				ended[g] = time
			move(g, change[2], time)
		}
	}
}
END {
	for (k in kinds)
		printf "kind %s %d\n", k, kinds[k]
	for (g in known) {
		move(g, state[g], last)
		printf "goroutine %s parent %.0f created %.0f ended %.0f starts %d running %.0f syscall %.0f runnable %.0f waiting %.0f\n", \
			g, parent[g], created[g], ended[g], starts[g], spent[g, "Running"], spent[g, "Syscall"], \
			spent[g, "Runnable"], spent[g, "Waiting"]
	}
}
