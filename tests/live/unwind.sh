#!/bin/sh
# Unwinding of fresh recordings: at a root, and as libdw walks them; then the whole of perfskew with its
# tables and any number of workers beside `--unwinder libdw -j1`, stack by stack as text. Of 200 samples of C++ one may
# differ (a start without CFI); of Go's 1 % may end elsewhere, where libdw takes an exact pc for a return address or walks on
# from a system stack (runtime.gogo, runtime.nanotime1, systemstack on a system stack). Skips what this
# machine has no perf, no right or no Go for.
set -u
. "${srcdir:-.}/tests/live/again.sh"
agree=${AGREE:-./tests/agree}
srcdir=${srcdir:-.}
agree=$(cd "$(dirname "$agree")" && pwd)/$(basename "$agree")
perfskew=${PERFSKEW:-./perfskew}
perfskew=$(cd "$(dirname "$perfskew")" && pwd)/$(basename "$perfskew")
samples=$(cd "$srcdir/samples" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

for tool in go perf; do
	command -v $tool >/dev/null 2>&1 || { echo "skip: no $tool here"; exit 77; }
done
(cd "$samples" && GOFLAGS=-mod=mod go build -o "$dir/server" ./server) >"$dir/log" 2>&1 ||
	{ echo "skip: go does not build: $(tail -n 1 "$dir/log")"; exit 77; }
(cd "$samples" && CGO_ENABLED=1 go build -o "$dir/cgo" ./cgo) >"$dir/log" 2>&1 || echo "skip cgo: $(tail -n 1 "$dir/log")"

folded() { "$perfskew" convert -q -f folded --no-splice "$@"; }

# beside_libdw PERCENT FILE: fails where a larger share of the samples has another stack
beside_libdw() {
	folded --unwinder libdw -j1 "$2" >"$dir/libdw" && folded -j1 "$2" >"$dir/1" && folded -j5 "$2" >"$dir/5" || return 1
	cmp "$dir/1" "$dir/5" || return 1
	[ -s "$dir/1" ] || { echo "FAIL: no stacks"; return 1; }
	awk -v most="$1" '
		{n = $NF; sub(/ [0-9]+$/, ""); sum[FILENAME] += n}
		/runtime.nanotime1|runtime.walltime|__vdso_/ {next} # clocks: libdw walks on where Go has switched stacks
		/;runtime.cgocallback(;|$)/ {next} # up to Go 1.20 it returns to the first byte of a function, which libdw takes for a return address
		{stacks[$0] = 1; count[FILENAME, $0] = n}
		END {
			for (s in stacks) {
				d = count[ARGV[2], s] - count[ARGV[1], s]
				if (d > 0)
					more += d
				if (d < 0)
					less -= d
			}
			other = more > less ? more : less
			printf "beside libdw -j1: %d of %d samples with another stack\n", other, sum[ARGV[1]]
			exit !sum[ARGV[1]] || sum[ARGV[1]] != sum[ARGV[2]] || 100 * other > most * sum[ARGV[1]]
		}' "$dir/libdw" "$dir/1"
}

g++ -O2 -g -o "$dir/cplus" "$samples/cplus/main.cc" 2>"$dir/log" || echo "skip cplus: $(tail -n 1 "$dir/log")"
status=77
for program in cplus server cgo; do
	test -x "$dir/$program" || continue
	perf record -q -m 2048 -e cpu-clock -F 999 --call-graph dwarf,16384 -o "$dir/$program.data" -- \
		"$dir/$program" $([ $program = cplus ] || echo -seconds) 2 >"$dir/log" 2>&1
	if ! perf script -i "$dir/$program.data" -F comm 2>/dev/null | grep -q .; then
		echo "skip $program: perf may not record here (perf_event_paranoid, container)"
		continue
	fi
	test $status = 77 && status=0
	"$agree" -v -r 99 -a 99.5 "$dir/$program.data" || status=1
	most=1
	[ $program = cplus ] && most=0.5
	beside_libdw $most "$dir/$program.data" || { echo "FAIL: $program: not as libdw -j1 has it"; status=1; }
done
exit $status
