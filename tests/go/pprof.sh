#!/bin/sh
# Go's own tools as judges: what `go tool pprof -top` makes of a profile is what `report` makes of it, to the
# last sample, self and cumulative, of Go's own profile and of one that `convert` wrote; the compiler's reader of
# profiles (go tool preprofile, as go build -pgo calls it) takes that. Skips without Go.
set -u
perfskew=${PERFSKEW:-./perfskew}
src=${srcdir:-.}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

PATH=$PATH:/usr/local/go/bin
command -v go >/dev/null 2>&1 || { echo "skip: no Go here"; exit 77; }
export GOFLAGS= GOTOOLCHAIN=local GOPROXY=off
go tool pprof -h >"$dir/log" 2>&1
grep -q nodecount "$dir/log" || { echo "skip: no go tool pprof here: $(head -n 1 "$dir/log")"; exit 77; }

# "SELF CUM NAME" per function, sorted. Functions of one name in several binaries are one.
by_pprof() { # FILE TYPE
	go tool pprof -top -nodecount=1000000 -nodefraction=0 -edgefraction=0 -symbolize=none -sample_index="$2" "$1" 2>"$dir/err" |
		awk 'on { self = $1; cum = $4; $1 = $2 = $3 = $4 = $5 = ""; sub(/^ +/, ""); sub(/ \(inline\)$/, ""); sub(/ \(partial-inline\)$/, "")
			print self, cum, $0 }
			/ flat .*cum%/ { on = 1 }' | LC_ALL=C sort
}
by_report() {
	"$perfskew" report -q --format json --type "$2" "$1" | awk '
		function value() { sub(/^[^:]*:/, ""); sub(/,$/, ""); return $0 }
		/"functions":/ { on = 1 }
		on && /"name":/ { name = value(); gsub(/^"|"$/, "", name) }
		on && /"self":/ { self[name] += value() }
		on && /"cum":/ { cum[name] += value() }
		END { for (n in cum) print self[n], cum[n], n }' | LC_ALL=C sort
}
same() { # NAME FILE TYPE
	by_pprof "$2" "$3" >"$dir/want"
	by_report "$2" "$3" >"$dir/have"
	n=$(wc -l <"$dir/want")
	if [ "$n" -gt 100 ] && cmp -s "$dir/want" "$dir/have"; then
		echo "ok $1: $n functions"
	else
		echo "not ok $1: $n functions, differ in"
		diff "$dir/want" "$dir/have" | head -n 6
		status=1
	fi
}

same "Go's own profile" "$src/samples/recording/cpu.pb.gz" samples
"$perfskew" convert -q --symfs /nonexistent -f pprof -o "$dir/perf.pb.gz" "$src/samples/recording" || status=1
same "a recording's" "$dir/perf.pb.gz" samples
"$perfskew" merge -q -o "$dir/both.pb.gz" "$src/samples/recording/cpu.pb.gz" "$src/samples/recording/cpu.pb.gz" || status=1
same "merged" "$dir/both.pb.gz" samples
# what this version of Go has no such tool for is skipped
if go tool preprofile -h 2>&1 | grep -q -- '-i'; then
	if go tool preprofile -i "$dir/perf.pb.gz" -o "$dir/pre" >"$dir/log" 2>&1 && [ "$(wc -l <"$dir/pre")" -gt 100 ]; then
		echo "ok the compiler takes it: $(($(wc -l <"$dir/pre") / 3)) calls"
	else
		echo "not ok the compiler takes it: $(tail -n 1 "$dir/log")"
		status=1
	fi
fi
exit $status
