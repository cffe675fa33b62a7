#!/bin/sh
# Samples charged to goroutines without an execution trace, with the trace of the same run as judge: an HTTP server,
# channels, allocation, cgo. And known counts: two goroutines of one function, and thousands that live shortly.
# Prints the figures; skips what this machine has no perf, no right or no Go for.
set -u
. "${srcdir:-.}/tests/live/again.sh"
perfskew=${PERFSKEW:-./perfskew}
srcdir=${srcdir:-.}
samples=$(cd "$srcdir/samples" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

for tool in go perf; do
	command -v $tool >/dev/null 2>&1 || { echo "skip: no $tool here"; exit 77; }
done
for program in server goroutines cgo; do
	cgo=0
	test $program != cgo || cgo=1
	(cd "$samples" && CGO_ENABLED=$cgo GOFLAGS=-mod=mod go build -o "$dir/$program" ./$program) >"$dir/log" 2>&1 ||
		echo "skip $program: go does not build: $(tail -n 1 "$dir/log")"
done
test -x "$dir/goroutines" || exit 77
case $(go env GOVERSION) in
go1.1?|go1.1?.*|go1.2[01]|go1.2[01].*) echo "skip: $(go env GOVERSION) has no execution trace v2 to judge by"; exit 77 ;;
esac
perf record -q -e cpu-clock -o "$dir/try" -- "$dir/goroutines" -mode spin -seconds 0.2 >"$dir/log" 2>&1
perf script -i "$dir/try" -F comm 2>/dev/null | grep -q . ||
	{ echo "skip: perf may not record here (perf_event_paranoid, container)"; exit 77; }

record() { # NAME PROGRAM OPTION...
	name=$1 program=$2
	shift 2
	perf record -q -k mono -m 1024 -e cpu-clock -F 999 --call-graph dwarf,16384 -o "$dir/$name.data" -- \
		"$dir/$program" "$@" -trace "$dir/$name.trace" >"$dir/$name.log" 2>&1
}

# The numbers of info's "without_trace": samples with an identity, exact and inferred ones, and how many of each are right.
judged() { # NAME
	"$perfskew" info -q --format json --trace "$dir/$1.trace" "$dir/$1.data" | awk '
		/"trace":\{/ { in_trace = 1 }
		/"dsos":/ { in_trace = 0 }
		!in_trace { next }
		/:\{/ { split($0, part, "\""); row = part[2] == "without_trace" || part[2] == "trace" ? "" : part[2] }
		/:[0-9]/ { split($0, part, "\""); value = $0; gsub(/[^0-9]/, "", value); n[row part[2]] = value }
		END {
			exact = n["registersamples"] + n["mcallsamples"] + n["asmcgocallsamples"] + n["argumentsamples"]
			right = n["registerright"] + n["mcallright"] + n["asmcgocallright"] + n["argumentright"]
			inferred = n["stacksamples"] + n["reusedsamples"]
			print n["judged"] + 0, exact + inferred, exact, right, inferred, n["stackright"] + n["reusedright"],
				n["charged"] + 0, n["samples"] + 0
		}'
}

# At least so many percent of what: 0 of 0 is all of it. A few hundred samples may miss it by chance: three standard
# deviations of counting are allowed, and the figures printed.
least() { # PERCENT PART WHOLE
	awk -v p="$1" -v a="$2" -v b="$3" 'BEGIN { exit !(b == 0 || 100 * a >= p * b - 3 * sqrt(p * (100 - p) * b)) }'
}

printf '%-12s %8s %10s %8s %8s %8s %8s %10s\n' program ran identity exact right inferred right "with trace"
judge() { # NAME
	set -- "$1" $(judged "$1")
	test $# = 9 && test "$2" -ge 50 || { echo "FAIL $1: ${2:-no} samples judged: $(tail -n 1 "$dir/$1.log")"; status=1; return; }
	echo "$@" | awk '{ printf "%-12s %8d %8.2f %% %8d %6.2f %% %8d %6.2f %% %8.2f %%\n", $1, $2, 100 * $3 / $2, $4,
		$4 ? 100 * $5 / $4 : 100, $6, $6 ? 100 * $7 / $6 : 100, $9 ? 100 * $8 / $9 : 0 }'
	least 97 "$3" "$2" && least 99.5 "$5" "$4" && least 90 "$7" "$6" && least 99.9 "$8" "$9" ||
		{ echo "FAIL $1: 97 % with an identity, 99.5 % of the exact and 90 % of the inferred ones right, 99.9 % with the trace are wanted"; status=1; }
}

test -x "$dir/server" && record server server -seconds 3 && judge server
record channels goroutines -mode pingpong -seconds 2 && judge channels
record allocation goroutines -mode alloc -seconds 2 && judge allocation
test -x "$dir/cgo" && record cgo cgo -seconds 2 && judge cgo

# Two goroutines of one function, of which one works three times what the other does: two, and their shares.
record twins goroutines -mode twins -seconds 2
"$perfskew" report -q --by goroutine=id "$dir/twins.data" >"$dir/out"
shares=$("$perfskew" convert -q -f folded --by goroutine=id --focus '^main[.]burn$' "$dir/twins.data" |
	awk '{ n = $NF; split($0, part, ";"); sum[part[1]] += n } END { for (g in sum) print sum[g] }' | sort -rn | head -n 2 | tr '\n' ' ')
measured=$(sed -n 's/^twin(1) \([0-9]*\) ms, twin(3) \([0-9]*\) ms/\1 \2/p' "$dir/twins.log")
echo "twins: samples $shares; the program's own milliseconds: $measured"
echo "$shares $measured" | awk '{ exit !(NF == 4 && $1 + $2 > 50 && $1 > 1.2 * $2) }' ||
	{ echo "FAIL twins: not told apart"; status=1; }

# Their labels, of Go's own profile of the same run.
record labelled goroutines -mode twins -seconds 2 -cpuprofile "$dir/labelled.pb.gz"
labels=$("$perfskew" report -q --by goroutine --pprof "$dir/labelled.pb.gz" "$dir/labelled.data" |
	sed -n 's/.*goroutine main[.]twins[.]func\([12]\)[.0-9]*, labels share=\([13]\) \([0-9]*\) %.*/func\1 share=\2 \3/p' | sort | tr '\n' ' ')
echo "labels: $labels"
echo "$labels" | awk '{ exit !(NF == 6 && $2 == "share=1" && $5 == "share=3" && $3 >= 90 && $6 >= 90) }' ||
	{ echo "FAIL labels: not those of the profile"; status=1; }

# Many that live shortly: neither one nor more than samples met. Those of one function that follow each other on one g
# with no end seen in between look alike to samples: how many are told apart hangs on how g structs go round.
record short goroutines -mode short -seconds 3 -count 10000 -n 8 -micros 200
ran=$(sed -n 's/^shortEven \([0-9]*\) shortOdd \([0-9]*\)/\1 \2/p' "$dir/short.log" | awk '{ print $1 + $2 }')
seen=$("$perfskew" info -q --format json --trace "$dir/short.trace" "$dir/short.data" | awk '/"trace":\{/ { t = 1 }
	t && /"(goroutines|split)":[0-9]/ { gsub(/[^0-9]/, ""); printf "%s ", $0 }')
alone=$("$perfskew" info -q --format json "$dir/short.data" | sed -n '/"goroutines":/,$s/.*"distinct":\([0-9]*\).*/\1/p')
echo "short: $ran ran; samples met (and took for several): $seen; without the trace told apart: $alone"
echo "$ran $seen $alone" | awk '{ exit !(NF == 4 && $4 >= 20 && $4 < $2 + 30 && $3 * 50 < $2) }' ||
	{ echo "FAIL short: merged or split"; status=1; }

# The same with every switch recorded by a probe, and the trace as judge: each sample's goroutine, by goid.
by_goid() { # OPTION...
	"$perfskew" convert -q -f folded --by goroutine=id "$@" "$dir/probed/perf.data" |
		awk '{ n = $NF; sub(/;.*/, ""); if ($1 == "goroutine" && $NF ~ /^[0-9]+$/) sum[$NF] += n } END { for (g in sum) print g, sum[g] }'
}
"$perfskew" record -q -F 999 --goroutines -o "$dir/probed" -- \
	"$dir/goroutines" -mode short -seconds 2 -count 10000 -n 8 -micros 200 -trace "$dir/probed.trace" >"$dir/probed.log" 2>&1
case $? in
0)
	by_goid >"$dir/by_probe"
	by_goid --trace "$dir/probed.trace" >"$dir/by_trace"
	set -- $(awk 'NR == FNR { probe[$1] = $2; next } { all += $2; same += probe[$1] < $2 ? probe[$1] : $2; n++ } END { print same + 0, all + 0, n + 0 }' \
		"$dir/by_probe" "$dir/by_trace")
	echo "probe: $1 of $2 samples of $3 goroutines are of the goid that the trace has"
	[ "$2" -gt 100 ] && least 98 "$1" "$2" || { echo "FAIL probe: 98 % are wanted"; status=1; }
	left=$(cat /sys/kernel/tracing/uprobe_events /sys/kernel/debug/tracing/uprobe_events 2>/dev/null | grep -c "perfskew/gogo_")
	[ "$left" = 0 ] || { echo "FAIL probe: $left probes are left behind"; status=1; } ;;
*) echo "skip probe: $(tail -n 1 "$dir/probed.log")" ;;
esac

# Time off the CPU, by the program's own clock: a thread in a system call, and goroutines that wait by the trace.
"$perfskew" record -q --off-cpu -o "$dir/waits" -- "$dir/goroutines" -mode wait -seconds 2 -trace "$dir/waits.trace" >"$dir/waits.log" 2>&1
case $? in
0)
	# ms of FUNCTION that KIND has, in FILE
	off() { "$perfskew" convert -q -f folded --off-cpu "$3" | awk -v f=";$1;" -v k="[$2]" 'index($0, f) && index($0, k) { s += $NF } END { printf "%d\n", s / 1e6 }'; }
	own() { sed -n "s/^waited: .*$1 \([0-9]*\).*/\1/p" "$dir/waits.log"; }
	near() { # NAME MS OWN
		echo "waits: $1 $2 ms, by the program's own clock $3"
		awk -v a="$2" -v b="$3" 'BEGIN { exit !(b > 500 && a > 0.9 * b && a < 1.02 * b + 20) }' || { echo "FAIL waits: $1"; status=1; }
	}
	"$perfskew" convert -q -f folded --off-cpu "$dir/waits.trace" | sed 's/^/;/' >"$dir/waits.folded"
	near "in a system call" "$(off main.waitSyscall 'system call' "$dir/waits")" "$(own syscall)"
	for kind in "Sleep sleep sleep" "Channel channel chan receive" "Mutex mutex sync" "Network network network"; do
		set -- $kind
		name=$1 word=$2
		shift 2
		near "$word" "$(awk -v f=";main.wait$name;" -v k="[$*]" 'index($0, f) && index($0, k) { s += $NF } END { printf "%d", s / 1e6 }' "$dir/waits.folded")" \
			"$(own $word)"
	done ;;
*) echo "skip waits: $(tail -n 1 "$dir/waits.log")" ;;
esac
exit $status
