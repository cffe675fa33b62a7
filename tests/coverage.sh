#!/bin/sh
# What the suite reaches of what reads foreign bytes: lines, and branches taken at least once, file by file. Needs a build
# with --enable-coverage in which `make check` has run; make coverage does both.
set -eu
build=${1:-.}
cd "$build"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
top=$PWD
find . -name 'libperfskew_a-*.gcda' -o -path './src/*.gcda' -o -path './render/*.gcda' | while read -r data; do
	(cd "$tmp" && gcov -b -c -o "$top/$(dirname "$data")" "$top/$data" 2>/dev/null) || true
done | awk -v reads='^src/(base/(cursor|gzip|json)|perfdata/|process/(buildid|demangle|dwarf|elf|goelf|gotab|minidebug|module|symbol|symtab|queue|history|timeline)|unwind/(cfi|code|go|fp)|profile/(pprof|folded)|trace/|cmd/limits)' '
	/^File / {
		name = $0
		gsub(/^File .|.$/, "", name)
		sub(/^.*\/src\//, "src/", name)
		next
	}
	/^Lines executed:/ { split($0, p, /[:%]| of /); l[name] = p[4] + 0; lx[name] = p[2] * p[4] / 100 }
	/^Taken at least once:/ { split($0, p, /[:%]| of /); b[name] = p[4] + 0; bx[name] = p[2] * p[4] / 100 }
	END {
		printf "%-32s %7s %7s %9s\n", "file", "lines", "%", "branches %"
		for (f in l)
			if (f ~ reads && f ~ /\.c$/)
				print f, l[f], lx[f], b[f] + 0, bx[f] + 0 | "LC_ALL=C sort"
	}' | awk 'NR == 1 { print; next }
	{
		printf "%-32s %7d %7.1f %9.1f\n", $1, $2, 100 * $3 / $2, $4 ? 100 * $5 / $4 : 100
		dir = $1
		sub(/\/[^\/]*$/, "", dir)
		L[dir] += $2; LX[dir] += $3; B[dir] += $4; BX[dir] += $5; n += $2; nx += $3; m += $4; mx += $5
	}
	END {
		for (d in L) printf "%-32s %7d %7.1f %9.1f\n", d "/", L[d], 100 * LX[d] / L[d], 100 * BX[d] / B[d]
		printf "%-32s %7d %7.1f %9.1f\n", "all that reads foreign bytes", n, 100 * nx / n, 100 * mx / m
	}'
