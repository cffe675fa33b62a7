#!/bin/sh
# perfskew record, live: skips what this machine has no perf, no right or no Go for.
# Prints "ok NAME", "not ok NAME: WHY" and "skip NAME: WHY"; exits 1 when one was not ok.
set -u
. "${srcdir:-.}/tests/live/again.sh"
perfskew=${PERFSKEW:-./perfskew}
srcdir=${srcdir:-.}
samples=$srcdir/samples
dir=$(mktemp -d)
server=
trap 'test -z "$server" || kill "$server" 2>/dev/null; rm -rf "$dir"' EXIT
status=0

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; status=1; }
skip() { echo "skip $1: $2"; }
expect() { # NAME WANTED-EXIT COMMAND...
	name=$1 wanted=$2
	shift 2
	"$@" >"$dir/out" 2>&1
	got=$?
	if [ $got = "$wanted" ]; then
		ok "$name"
	else
		not_ok "$name" "exit $got instead of $wanted: $(tail -n 1 "$dir/out")"
	fi
}
has() { # NAME FILE...
	name=$1
	shift
	for f; do
		test -s "$f" || { not_ok "$name" "$f is not there"; return; }
	done
	ok "$name"
}

expect "no folder named" 2 "$perfskew" record -- true
expect "neither process nor command" 2 "$perfskew" record -o "$dir/x"
expect "both process and command" 2 "$perfskew" record -o "$dir/x" -p 1 -- true
expect "trace without an address" 2 "$perfskew" record -o "$dir/x" --trace -- true
expect "stack size" 2 "$perfskew" record -o "$dir/x" --stack-size 65536 -- true
expect "command that is not there" 3 "$perfskew" record -o "$dir/x" -- "$dir/nothing"
test ! -d "$dir/x" && ok "no folder left behind" || not_ok "no folder left behind" "it is there"

if ! command -v perf >/dev/null 2>&1; then
	expect "perf is missing" 3 "$perfskew" record -o "$dir/x" -- true
	skip "recording" "no perf here"
	exit $status
fi
# perf can say it recorded and have nothing (no /sys).
perf record -q -e cpu-clock:u -F 999 -o "$dir/try.data" -- sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done' \
	>/dev/null 2>&1
if [ -z "$(perf script -i "$dir/try.data" -F comm 2>/dev/null | head -n 1)" ]; then
	skip "recording" "perf may not record here (perf_event_paranoid, container)"
	exit $status
fi

expect "probe of what is no Go program" 3 "$perfskew" record -o "$dir/x" --goroutines -- true
grep -q 'is no Go program' "$dir/out" && ok "says so" || not_ok "says so" "$(cat "$dir/out")"
expect "process that is not there" 3 "$perfskew" record -o "$dir/x" -p 2000000000
case $(uname -m) in
x86_64) program=$samples/recording/bin/server ;;
*) program= ;;
esac
if [ -n "$program" ]; then
	expect "a command and its profile" 0 "$perfskew" record -o "$dir/a" --pprof "$dir/cpu" -- \
		"$program" -seconds 1 -cpuprofile "$dir/cpu"
	has "recording and profile are there" "$dir/a/perf.data" "$dir/a/cpu.pb.gz"
	expect "the folder is taken" 5 "$perfskew" record -o "$dir/a" -- true
	expect "report of the folder" 0 "$perfskew" report "$dir/a"
	grep -q 'main\.handleZip\|encoding/json\|compress/flate' "$dir/out" &&
		ok "functions of the program" || not_ok "functions of the program" "none in the report"
	expect "an old profile is not taken" 4 sh -c "
		touch -d '1 hour ago' '$dir/cpu' &&
		'$perfskew' record -o '$dir/old' --pprof '$dir/cpu' -d 1 -- '$program' -seconds 5"
	has "the recording is kept" "$dir/old/perf.data"

	"$program" -seconds 60 2>/dev/null &
	server=$!
	"$perfskew" record -q -o "$dir/b" -p $server 2>"$dir/err" &
	recorder=$!
	sleep 2
	kill -INT $recorder
	wait $recorder
	got=$?
	if [ $got = 0 ]; then ok "interrupted"; else not_ok "interrupted" "exit $got: $(cat "$dir/err")"; fi
	expect "what was recorded is whole" 0 "$perfskew" info "$dir/b"
	"$perfskew" record -q --goroutines -o "$dir/probed" -p $server 2>"$dir/err" &
	recorder=$!
	sleep 2
	kill -INT $recorder
	wait $recorder
	case $? in
	0)
		events=$(cat /sys/kernel/tracing/uprobe_events /sys/kernel/debug/tracing/uprobe_events 2>/dev/null)
		case $events in
		*perfskew/gogo_$recorder*) not_ok "interrupted with a probe" "it is left behind" ;;
		*) ok "interrupted with a probe" ;;
		esac ;;
	*) skip "interrupted with a probe" "$(tail -n 1 "$dir/err")" ;;
	esac
	kill $server
	server=
else
	skip "recording a program" "the bundled one is for x86-64"
fi

# One stream of records a CPU, each by a thread of its own.
if [ -n "$program" ] && perf record -q --threads -e cpu-clock -F 499 --call-graph dwarf,8192 -o "$dir/threads" -- \
	"$program" -seconds 1 >"$dir/out" 2>&1; then
	wanted=$(perf report -D -i "$dir/threads" 2>/dev/null | grep -c 'PERF_RECORD_SAMPLE(')
	got=$("$perfskew" info -q --format json "$dir/threads" | sed -n 's/^  "samples":\([0-9]*\).*/\1/p')
	if [ "$wanted" -gt 100 ] && [ "$got" = "$wanted" ]; then
		ok "perf record --threads: $got samples"
	else
		not_ok "perf record --threads" "$got samples, perf has $wanted"
	fi
else
	skip "perf record --threads" "$(tail -n 1 "$dir/out")"
fi

go=$(command -v go || ls /usr/local/go/bin/go 2>/dev/null)
if [ -z "$go" ]; then
	skip "fetching from the endpoints" "no Go here"
	exit $status
fi
mkdir "$dir/src" && cp -r "$samples/go.mod" "$samples/internal" "$samples/server" "$dir/src"
if ! (cd "$dir/src" && GOFLAGS='' GOTOOLCHAIN=local CGO_ENABLED=0 "$go" build -o "$dir/server" ./server) >"$dir/out" 2>&1; then
	skip "fetching from the endpoints" "the server does not build: $(tail -n 1 "$dir/out")"
	exit $status
fi
"$dir/server" -seconds 120 2>"$dir/listening" &
server=$!
for i in 1 2 3 4 5 6 7 8 9 10; do
	url=$(sed -n 's/^listening on //p' "$dir/listening")
	test -z "$url" || break
	sleep 0.3
done
case $("$go" env GOVERSION) in
go1.1?|go1.1?.*|go1.2[01]|go1.2[01].*)
	skip "profile and trace of a process" "$("$go" env GOVERSION) has no execution trace v2" ;;
*)
	expect "profile and trace of a process" 0 "$perfskew" record -o "$dir/c" -d 1 --trace --pprof "$url" -p $server
	has "all three are there" "$dir/c/perf.data" "$dir/c/cpu.pb.gz" "$dir/c/trace.out"
	# of a second's samples one or two may miss it; tests/live/goroutines.sh has more of them
	"$perfskew" info -q "$dir/c" | awk '/have their goid/ { print; found = $2 + 0 >= 98 } END { exit !found }' >"$dir/out" &&
		ok "the folder's trace is used:$(cat "$dir/out")" || not_ok "the folder's trace is used" "$(cat "$dir/out")"
	"$perfskew" skew -q "$dir/c" | grep -q "^pprof's samples beside perf's" &&
		ok "pprof's samples are paired" || not_ok "pprof's samples are paired" "skew says nothing of it" ;;
esac
expect "nothing there to fetch" 4 "$perfskew" record -o "$dir/d" -d 1 --pprof "${url%/debug*}/order" -p $server
grep -q '404' "$dir/out" && ok "says why" || not_ok "says why" "$(cat "$dir/out")"
has "the recording is kept without it" "$dir/d/perf.data"
expect "a page that is no profile" 4 "$perfskew" record -o "$dir/f" -d 1 --trace --pprof "${url%/debug*}/zip" -p $server

"$perfskew" record -o "$dir/e" -d 60 --pprof "$url" -p $server 2>"$dir/err" &
recorder=$!
sleep 3
kill -INT $recorder
wait $recorder
got=$?
if [ $got = 0 ]; then ok "interrupted while fetching"; else not_ok "interrupted while fetching" "exit $got: $(cat "$dir/err")"; fi
has "the profile that was cut short" "$dir/e/perf.data" "$dir/e/cpu.pb.gz"
exit $status
