#!/bin/sh
# Every fault of an input, an output, memory and the machine, with its exit code and message.
# Prints "ok NAME", "not ok NAME: WHY" and "skip NAME: WHY"; exits 1 when one was not ok.
set -u
perfskew=${PERFSKEW:-$PWD/perfskew}
here=$(cd "${srcdir:-.}" && pwd)
tools=$PWD/tests/faults
tiny=$here/tests/golden/tiny.folded
bundled=$here/samples/recording
dir=$(mktemp -d)
mounted=
trap 'test -z "$mounted" || umount "$mounted" 2>/dev/null; rm -rf "$dir"' EXIT
status=0
export LC_ALL=C
umask 022 # another user reads here, too
unset DEBUGINFOD_URLS

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; status=1; }
skip() { echo "skip $1: $2"; }
# expect NAME CODE MESSAGE COMMAND...: the exit code, and a basic regular expression of a line on standard error,
# "" for none, "any"
expect() {
	name=$1 wanted=$2 message=$3
	shift 3
	"$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	if [ $got != "$wanted" ]; then
		not_ok "$name" "exit $got instead of $wanted: $(tail -n 1 "$dir/err")"
	elif [ "$message" = any ]; then
		ok "$name"
	elif [ -n "$message" ] && ! grep -q -e "$message" "$dir/err"; then
		not_ok "$name" "no '$message' in: $(head -n 3 "$dir/err")"
	elif [ -z "$message" ] && [ -s "$dir/err" ]; then
		not_ok "$name" "says $(head -n 1 "$dir/err")"
	else
		ok "$name"
	fi
}
says() { if grep -q -e "$2" "$dir/out"; then ok "$1"; else not_ok "$1" "no '$2' in the output"; fi; }
absent() { if ls "$2"* >/dev/null 2>&1; then not_ok "$1" "$(ls "$2"*) is there"; else ok "$1"; fi; }
untouched() { # NAME FILE: holds "old", and nothing lies beside it
	if [ "$(cat "$2" 2>/dev/null)" = old ] && [ "$(ls "$2"* | wc -l)" = 1 ]; then ok "$1"; else not_ok "$1" "$(ls -l "$2"*)"; fi
}
make() { "$tools/recording" "$@" || not_ok "make $1" "failed"; }
sanitized() { nm "$perfskew" 2>/dev/null | grep -q __asan_init; }

# --- inputs ---------------------------------------------------------------------------------------
make plain "$dir/plain"
make pipe "$dir/pipe"
"$tools/cuts" "$dir/plain" "$dir/pipe" || status=1
for size in 0 1 50 104 3000 400000; do
	head -c $size "$bundled/perf.data" >"$dir/cut"
	case $size in
	[01]) expect "cut at $size" 3 "$dir/cut: " "$perfskew" report "$dir/cut" ;;
	50 | 104) expect "cut at $size" 3 "$dir/cut: .*offset\|$dir/cut: .*attribute\|$dir/cut: .*short" "$perfskew" report "$dir/cut" ;;
	3000) expect "cut at $size" 3 "$dir/cut: no sample could be read" "$perfskew" report "$dir/cut" ;;
	*) expect "cut at $size" 4 "$dir/cut: file is cut short, at offset 0x" "$perfskew" info "$dir/cut" ;;
	esac
done
make size0 "$dir/size0"
expect "data size 0" 4 "recorder was killed: data size 0 in the header" "$perfskew" info "$dir/size0"
says "data size 0: all samples are there" "samples  *80$"
expect "data size 0, strict" 4 "recorder was killed" "$perfskew" flame --strict "$dir/size0" -o "$dir/strict.svg"
absent "strict leaves nothing" "$dir/strict.svg"
expect "pipe that breaks" 4 "standard input: .*, at offset 0x" sh -c "head -c 1000 '$dir/pipe' | '$perfskew' info -"
expect "pipe of a file that breaks" 4 "standard input: file is cut short" sh -c "head -c 400000 '$bundled/perf.data' | '$perfskew' info -"
make lost "$dir/lost"
expect "lost events" 0 "" "$perfskew" info "$dir/lost"
says "lost events are shown, and their sum does not turn over" "^lost  *18,446,744,073,709,551,61"
make disorder "$dir/disorder"
expect "order broken beyond the round" 0 "" "$perfskew" info "$dir/disorder"
says "late samples are counted" "^late  *3$"
make backwards "$dir/backwards"
expect "clock that runs backwards" 0 "" "$perfskew" info "$dir/backwards"
says "its samples count" "^samples  *30$"
make none "$dir/none"
expect "no samples: info" 0 "" "$perfskew" info "$dir/none"
expect "no samples: report" 3 "$dir/none: no samples" "$perfskew" report "$dir/none"
expect "no samples: flame" 3 "$dir/none: no samples" "$perfskew" flame "$dir/none" -o "$dir/none.svg"
absent "no samples: no picture" "$dir/none.svg"
make one "$dir/one"
expect "one sample: flame" 0 "" "$perfskew" flame -q "$dir/one" -o "$dir/one.svg"
expect "one sample: report" 0 "" "$perfskew" report -q "$dir/one"
expect "one sample: diff" 0 "" "$perfskew" diff -q "$dir/one" "$dir/one"
name=$(head -c 1000000 /dev/zero | tr '\0' n)
printf 'main;%s 3\nmain;%sx 1\n' "$name" "$name" >"$dir/long.folded"
for form in report flame "convert -f folded" "convert -f pprof -o $dir/long.pb" "convert -f speedscope" "report --format json"; do
	expect "names of a megabyte: $form" 0 "" "$perfskew" $form "$dir/long.folded"
done
expect "names of a megabyte: back" 0 "" "$perfskew" convert -f folded "$dir/long.pb"
if cmp -s "$dir/out" "$dir/long.folded"; then ok "names of a megabyte are whole"; else not_ok "names of a megabyte are whole" "they are not"; fi
expect "names of a megabyte: png" 0 "" "$perfskew" flame "$dir/long.folded" -o "$dir/long.png"
make plain "$dir/long" "/$(head -c 60000 /dev/zero | tr '\0' n)"
expect "paths of 60,000 bytes" 0 "" "$perfskew" report -q "$dir/long"
expect "missing input" 3 "$dir/nothing: No such file or directory" "$perfskew" info "$dir/nothing"
ln -s loop "$dir/loop"
expect "input in a loop of links" 3 "$dir/loop: Too many levels of symbolic links" "$perfskew" info "$dir/loop"
expect "input that is a folder" 3 "a folder without a recording" "$perfskew" info "$dir"

# --- binaries --------------------------------------------------------------------------------------
missing() { # NAME PATH WHY: the run goes on, in time, and the reason is shown
	make plain "$dir/dso" "$2"
	expect "binary: $1" 0 any timeout 20 "$perfskew" info "$dir/dso"
	says "binary: $1: why" "$3"
}
mkfifo "$dir/fifo"
mkdir "$dir/folder"
: >"$dir/empty"
echo text >"$dir/text"
printf '\177ELF\002\001\001' >"$dir/stub"
missing "not there" "$dir/nowhere" "missing .*nowhere: not found"
missing "FIFO" "$dir/fifo" "missing .*fifo: not a regular file"
missing "folder" "$dir/folder" "missing .*folder: not a regular file"
missing "device" /dev/zero "missing .*/dev/zero\|no file"
missing "loop of links" "$dir/loop" "missing "
missing "socket of the kernel" /proc/self/ns/net "missing "
missing "empty" "$dir/empty" "missing .*empty: "
missing "text" "$dir/text" "missing .*text: "
missing "ELF that ends at once" "$dir/stub" "missing .*stub: "
missing "endless /proc file" /proc/kmsg "missing .*"
cp "$bundled/perf.data" "$dir/alone.data"
mkdir "$dir/other" && cp "$perfskew" "$dir/other/server"
expect "binary: replaced" 0 "" "$perfskew" info --symfs /nonexistent --binary "$dir/other" "$dir/alone.data"
says "binary: replaced: said" "mismatch .*server is another build"
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null 2>&1; then
	as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
	chmod 711 "$dir"
	chmod 644 "$dir"/*.folded "$dir/plain"
	if as_nobody "$perfskew" --version >/dev/null 2>&1 && as_nobody test -r "$dir/plain"; then
		cp "$bundled/bin/server" "$dir/locked"
		chmod 000 "$dir/locked"
		make plain "$dir/dso" "$dir/locked"
		chmod 644 "$dir/dso"
		expect "binary: unreadable" 0 "" as_nobody "$perfskew" info "$dir/dso"
		says "binary: unreadable: why" "locked: Permission denied"
		cp "$dir/plain" "$dir/locked.data"
		chmod 000 "$dir/locked.data"
		expect "unreadable input" 3 "locked.data: Permission denied" as_nobody "$perfskew" info "$dir/locked.data"
		mkdir -m 755 "$dir/readonly"
		echo old >"$dir/readonly/x.svg"
		expect "folder that may not be written" 5 "readonly/y.svg: .*Permission denied" \
			as_nobody "$perfskew" flame "$dir/long.folded" -o "$dir/readonly/y.svg"
		expect "file that may not be written" 5 "readonly/x.svg: .*Permission denied" \
			as_nobody "$perfskew" flame "$dir/long.folded" -o "$dir/readonly/x.svg"
		untouched "its content stays" "$dir/readonly/x.svg"
	else
		skip "rights of others" "nobody cannot run $perfskew or read $dir"
	fi
else
	skip "rights of others" "needs root and setpriv"
fi

# --- outputs ---------------------------------------------------------------------------------------
for command in "report $tiny" "info $bundled" "flame $tiny" "convert -f folded $tiny" "convert -f pprof $tiny" \
	"convert -f speedscope $tiny" "convert -f firefox $tiny" "diff $tiny $tiny" "merge $tiny" "report --format json $tiny" \
	"flame --format png $tiny" "flame --format pdf $tiny" "check --max-lost 0 -f json $bundled" "skew --format json $bundled"; do
	set -- $command
	what=$(echo "$command" | sed 's|/[^ ]*/||g')
	expect "full device: $what" 5 "perfskew: /dev/full: " "$perfskew" "$@" -q -o /dev/full
	expect "full standard output: $what" 5 "perfskew: standard output: " sh -c 'exec "$@" -q -o - >/dev/full' sh "$perfskew" "$@"
	echo old >"$dir/x"
	expect "ulimit -f: $what" 0 "perfskew: $dir/x: .*File too large" \
		sh -c '{ (ulimit -f 0; exec "$@") 2>&1; echo "exit $?"; } | cat >&2' sh "$perfskew" "$@" -q -o "$dir/x"
	if grep -q "^exit 5$" "$dir/err"; then ok "ulimit -f: $what: exit code"; else not_ok "ulimit -f: $what: exit code" "$(tail -n 1 "$dir/err")"; fi
	untouched "ulimit -f: $what: the old file stays" "$dir/x"
done
expect "folder that is not there" 5 "/nonexistent/x.svg: .*No such file" "$perfskew" flame "$tiny" -o /nonexistent/x.svg
expect "output that is a folder" 5 "$dir/folder: .*Is a directory" "$perfskew" flame --format svg "$tiny" -o "$dir/folder"
expect "picture too large" 6 "larger than" "$perfskew" flame "$tiny" --width 40000 -o "$dir/large.png"
absent "picture too large: none" "$dir/large.png"
cp "$tiny" "$dir/itself.folded"
"$perfskew" convert -f folded "$tiny" >"$dir/want"
expect "output that is its own input" 0 "" "$perfskew" convert -f folded "$dir/itself.folded" -o "$dir/itself.folded"
if cmp -s "$dir/want" "$dir/itself.folded"; then ok "and it is right"; else not_ok "and it is right" "it is not"; fi
cp "$bundled/perf.data" "$dir/itself.data"
expect "recording that becomes a profile" 0 "" "$perfskew" convert -q -f pprof --symfs /nonexistent "$dir/itself.data" -o "$dir/itself.data"
expect "the profile is read" 0 "" "$perfskew" report "$dir/itself.data"
ln -s itself.folded "$dir/link.folded"
expect "output through a link" 0 "" "$perfskew" convert -f folded "$tiny" -o "$dir/link.folded"
if [ -L "$dir/link.folded" ] && [ ! -L "$dir/itself.folded" ]; then ok "the link stays"; else not_ok "the link stays" "it does not"; fi

mkdir "$dir/small"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=64k,nr_inodes=20 none "$dir/small" 2>/dev/null; then
	mounted=$dir/small
	head -c 60000 /dev/zero >"$dir/small/filler"
	echo old >"$dir/small/x"
	for command in "flame $tiny" "info --format json $bundled" "convert -f speedscope $bundled" "flame --format pdf $bundled" \
		"skew --format json $bundled"; do
		what=$(echo "$command" | sed 's|/[^ ]*/||g')
		expect "full file system: $what" 5 "$dir/small/x: .*No space left" "$perfskew" $command -q --symfs /nonexistent -o "$dir/small/x"
		untouched "full file system: $what: the old file stays" "$dir/small/x"
	done
	mount -o remount,ro "$dir/small"
	expect "read-only file system" 5 "$dir/small/x: .*Read-only file system" "$perfskew" flame --format svg "$tiny" -o "$dir/small/x"
	umount "$dir/small" && mounted=
else
	skip "full and read-only file systems" "may not mount one"
fi

# Each call in turn: nothing half is left, whatever fails.
inject() { # KIND ERRNO MESSAGE COMMAND...
	kind=$1 error=$2 message=$3
	shift 3
	rm -f "$dir/x"*
	"$tools/inject" "$kind" 0 0 "$@" -o "$dir/x" >/dev/null 2>"$dir/err"
	code=$?
	if [ $code = 77 ]; then skip "$kind fails" "no seccomp_unotify here"; return; fi
	calls=$(tail -n 1 "$dir/err")
	n=1
	bad=
	while [ $n -le "$calls" ]; do
		echo old >"$dir/x"
		"$tools/inject" "$kind" $n "$error" "$@" -o "$dir/x" >/dev/null 2>"$dir/err"
		code=$?
		if [ $code != 5 ] || ! grep -q "$dir/x: .*$message" "$dir/err" || [ "$(cat "$dir/x")" != old ] || [ "$(ls "$dir/x"* | wc -l)" != 1 ]; then
			bad="$bad $n (exit $code: $(head -n 1 "$dir/err"))"
		fi
		# every call of a small output, some of a large one
		if [ "$calls" -gt 20 ]; then n=$((n + calls / 10)); else n=$((n + 1)); fi
	done
	if [ -n "$bad" ] || [ "$calls" = 0 ]; then not_ok "$kind fails: $*" "of $calls calls:$bad"; else ok "$kind fails at each of $calls: $(echo "$*" | sed 's|/[^ ]*/||g')"; fi
}
export ASAN_OPTIONS="${ASAN_OPTIONS:-}"
for command in "flame --format svg $tiny" "convert -f pprof $tiny" "flame --format png $tiny"; do
	inject write 28 "No space left" "$perfskew" $command
	inject fsync 5 "Input/output error" "$perfskew" $command
	inject rename 5 "Input/output error" "$perfskew" $command
	inject create 28 "No space left" "$perfskew" $command
done
inject write 28 "No space left" "$perfskew" convert -q -f firefox --symfs /nonexistent "$bundled"

# --- signals -----------------------------------------------------------------------------------------
# Held up in the middle of its work by a stream that does not end; its output is begun when the stream ends.
interrupted() { # NAME SIGNAL CODE
	mkdir "$dir/signal"
	mkfifo "$dir/signal/in"
	(exec 3>"$dir/signal/in"; cat "$tiny" >&3; sleep 5) &
	feeder=$!
	"$perfskew" flame --format svg "$dir/signal/in" -o "$dir/signal/x.svg" 2>"$dir/err" &
	job=$!
	sleep 0.3
	kill -"$2" $job
	wait $job 2>/dev/null
	got=$?
	kill $feeder 2>/dev/null
	wait $feeder 2>/dev/null
	rm -f "$dir/signal/in"
	if [ $got != "$3" ]; then
		not_ok "$1" "exit $got"
	elif [ -s "$dir/err" ] || [ "$(ls "$dir/signal")" ]; then
		not_ok "$1" "left $(ls "$dir/signal"), said $(head -n 1 "$dir/err")"
	else
		ok "$1"
	fi
	rm -rf "$dir/signal"
}
interrupted "SIGTERM while it reads" TERM 143
interrupted "SIGHUP while it reads" HUP 129
# Held up while it writes: standard output is a pipe that nobody reads, behind --output FIFO.
mkfifo "$dir/unread"
sleep 5 <"$dir/unread" &
reader=$!
"$perfskew" convert -f speedscope --symfs /nonexistent "$bundled" >"$dir/unread" 2>"$dir/err" &
job=$!
sleep 1
kill -TERM $job
wait $job 2>/dev/null
got=$?
kill $reader 2>/dev/null
if [ $got = 143 ] && [ ! -s "$dir/err" ]; then ok "SIGTERM while it writes"; else not_ok "SIGTERM while it writes" "exit $got, $(cat "$dir/err")"; fi
for sig in "INT 2" "TERM 15" "HUP 1"; do
	for form in svg png pdf; do
		rm -f "$dir/x"*
		"$tools/inject" write 1 s${sig#* } "$perfskew" flame --format $form "$tiny" -o "$dir/x" >/dev/null 2>"$dir/err"
		got=$?
		if [ $got = 77 ]; then skip "SIG${sig% *} in the middle of $form" "no seccomp_unotify here"; continue; fi
		if [ $got = $((128 + ${sig#* })) ] && ! ls "$dir/x"* >/dev/null 2>&1 && [ "$(grep -c . "$dir/err")" = 1 ]; then
			ok "SIG${sig% *} in the middle of $form"
		else
			not_ok "SIG${sig% *} in the middle of $form" "exit $got, $(ls "$dir/x"*), $(head -n 1 "$dir/err")"
		fi
	done
done
expect "SIGPIPE is quiet" 0 "^141$" sh -c "('$perfskew' convert -f speedscope --symfs /nonexistent '$bundled'; echo \$? >&2) | head -c 10"

# --- what reaches a terminal ----------------------------------------------------------------------------
# An escape sequence, a bell, DEL, U+009B (as much as ESC [) and a byte that is no UTF-8, in every name.
evil=$(printf 'e\033]0;x\007v\177\302\23331mi\377l')
printf 'main;%s;%s 30\nmain;b 5\n' "$evil" "$evil" >"$dir/$evil.folded"
printf 'main;%s;b 3\nmain;%sb 50\n' "$evil" "$evil" >"$dir/other.folded"
"$perfskew" convert -f pprof "$dir/$evil.folded" -o "$dir/$evil.pb.gz"
make plain "$dir/$evil.data" "/$evil"
clean() { # NAME COMMAND...: nothing below a blank but newline and tabulator, no DEL, no C1
	name=$1
	shift
	"$@" >"$dir/out" 2>"$dir/err" </dev/null
	cat "$dir/err" >>"$dir/out"
	if [ "$(tr -d '\n\t\040-\176\200-\377' <"$dir/out" | wc -c)" != 0 ] || grep -q "$(printf '\302[\200-\237]')" "$dir/out"; then
		not_ok "no control bytes: $name" "$(grep -a -m 1 "$(printf '[\001-\010\013-\037\177]\|\302[\200-\237]')" "$dir/out" | od -c | head -n 5)"
	elif ! [ -s "$dir/out" ]; then
		not_ok "no control bytes: $name" "no output at all"
	else
		ok "no control bytes: $name"
	fi
}
for f in "$dir/$evil.folded" "$dir/$evil.pb.gz" "$dir/$evil.data"; do
	clean report "$perfskew" report "$f"
	clean "report, an error" "$perfskew" report --focus "(" "$f"
	clean info "$perfskew" info -v "$f"
	clean check "$perfskew" check "$f" --max-growth 1% --baseline "$dir/other.folded"
	clean "check -f markdown" "$perfskew" check -f markdown "$f" --max-growth 1% --baseline "$dir/other.folded"
	clean "check -f junit" "$perfskew" check -f junit "$f" --max-growth 1% --baseline "$dir/other.folded"
	clean "diff" "$perfskew" diff "$f" "$dir/other.folded"
	clean "diff -f markdown" "$perfskew" diff --format markdown "$f" "$dir/other.folded"
	clean "merge, refused" "$perfskew" merge -f folded -o "$dir/merged" "$f" "$bundled/cpu.pb.gz" "$dir/$evil-not-there"
	clean "skew, refused" "$perfskew" skew "$f" "$f"
	clean "progress" "$perfskew" report --strict --event "$evil" --pid "$evil" "$f"
done
if command -v script >/dev/null 2>&1; then
	for form in "report --color never" "convert -f folded" "convert -f speedscope" "convert -f firefox" "report --format json" "merge -f folded"; do
		cp "$dir/$evil.folded" "$dir/evil.folded"
		script -qec "stty -onlcr; $perfskew $form -q $dir/evil.folded" /dev/null </dev/null >"$dir/tty" 2>&1
		clean "$form, on a terminal" cat "$dir/tty"
	done
else
	skip "no control bytes on a terminal" "no script(1)"
fi

# --- memory and time ---------------------------------------------------------------------------------
if sanitized; then
	skip "memory that runs out" "the sanitizers have their own allocator"
else
	fails() { # STEP COMMAND...: with each allocation of a run as the last one
		step=$1
		shift
		rm -f "$dir/x"*
		env LD_PRELOAD="$tools/failmalloc.so" FAIL_AT=0 FAIL_COUNT="$dir/count" "$@" -o "$dir/x" >/dev/null 2>&1
		mv "$dir/x" "$dir/whole"
		calls=$(cat "$dir/count")
		n=1 bad= hit=0
		while [ $n -le "$calls" ]; do
			env LD_PRELOAD="$tools/failmalloc.so" FAIL_AT=$n "$@" -o "$dir/x" >/dev/null 2>"$dir/err"
			code=$?
			# what the loader and the constructors ask for comes before there is anyone to ask
			if [ $code = 0 ] && cmp -s "$dir/x" "$dir/whole"; then
				:
			elif [ $code = 6 ] && grep -q "out of memory" "$dir/err" &&
				{ ! ls "$dir/x"* >/dev/null 2>&1 || cmp -s "$dir/x" "$dir/whole"; }; then
				hit=$((hit + 1))
			else
				bad="$bad $n (exit $code: $(head -n 1 "$dir/err"))"
			fi
			rm -f "$dir/x"*
			n=$((n + step))
		done
		what=$(echo "$*" | sed 's|/[^ ]*/||g')
		if [ -n "$bad" ] || [ "$hit" -lt $((calls / step / 2)) ]; then
			not_ok "allocations fail: $what" "$hit of $calls hit;$(echo "$bad" | cut -c1-300)"
		else
			ok "allocations fail, 1 in $step of $calls: $what"
		fi
	}
	printf 'a;b;c 3\na;d 2\n' >"$dir/few.folded"
	fails 1 "$perfskew" convert --no-sandbox -f folded "$dir/few.folded"
	fails 1 "$perfskew" convert --no-sandbox -f pprof "$dir/few.folded"
	fails 101 "$perfskew" convert -f folded "$dir/few.folded"
	fails 5 "$perfskew" report --no-sandbox --format json "$dir/few.folded"
	fails 3 "$perfskew" flame --no-sandbox --format svg "$dir/few.folded"
	fails 499 "$perfskew" flame --no-sandbox --format png "$dir/few.folded"
	fails 499 "$perfskew" report --no-sandbox -j2 --symfs /nonexistent "$bundled"
	# from what the loader cannot do with to what is enough
	hit=0 bad=
	for kb in 10000 20000 30000 40000 50000 60000 70000 80000 90000 100000 150000 200000 400000; do
		rm -f "$dir/x"*
		sh -c 'ulimit -v $1; shift; exec "$@"' sh $kb "$perfskew" flame -q -j1 "$bundled" -o "$dir/x.svg" >"$dir/out" 2>"$dir/err"
		code=$?
		case $code in
		0) [ -s "$dir/x.svg" ] || bad="$bad $kb (exit 0 without output)" ;;
		6) hit=$((hit + 1)); ls "$dir/x"* >/dev/null 2>&1 && bad="$bad $kb (output left)" ;;
		127 | 126) grep -q "shared librar\|annot" "$dir/err" || bad="$bad $kb ($(head -n 1 "$dir/err"))" ;;
		*) bad="$bad $kb (exit $code: $(head -n 1 "$dir/err"))" ;;
		esac
	done
	if [ -n "$bad" ] || [ $hit = 0 ]; then not_ok "ulimit -v" "$hit hit;$bad"; else ok "ulimit -v: exit 6 at $hit of 13 sizes, nothing left behind"; fi
	rm -f "$dir/x"*
	expect "--max-memory" 6 "out of memory that is allowed, --max-memory 16M" "$perfskew" flame --max-memory 16M --symfs /nonexistent "$bundled" -o "$dir/x.svg"
	absent "--max-memory: no output" "$dir/x.svg"
	expect "--max-memory that is enough" 0 "" "$perfskew" report --max-memory 1G "$tiny"
fi
expect "--max-memory of no size" 2 "--max-memory: 'much' is no size" "$perfskew" report --max-memory much "$tiny"
awk 'BEGIN { for (i = 0; i < 200000; i++) print "a" i % 977 ";b" i % 1999 ";c" i ";d" i * 7 " 1" }' >"$dir/much.folded"
set -- "$dir/much.folded" "$dir/much.folded" "$dir/much.folded" "$dir/much.folded" "$dir/much.folded" "$dir/much.folded"
expect "--max-cpu" 6 "the CPU time that --max-cpu allows is used up" "$perfskew" merge --max-cpu 1 -o "$dir/x.folded" "$@" "$@" "$@"
absent "--max-cpu: no output" "$dir/x.folded"
exit $status
