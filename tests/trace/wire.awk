# The figures of `go tool trace -d=wire`, as figures.c prints them: lines of arguments are indented.
/^[A-Z]/ { types[$1]++ }
END {
	for (t in types)
		printf "wire %s %d\n", t, types[t]
}
