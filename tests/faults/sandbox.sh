#!/bin/sh
# What a command may do while it reads: what is in force is said, and what is not needed is refused.
# Prints "ok NAME", "not ok NAME: WHY" and "skip NAME: WHY"; exits 1 when one was not ok.
set -u
perfskew=${PERFSKEW:-$PWD/perfskew}
here=$(cd "${srcdir:-.}" && pwd)
tools=$PWD/tests/faults
tiny=$here/tests/golden/tiny.folded
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
export LC_ALL=C
unset DEBUGINFOD_URLS

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1: $2"; status=1; }
skip() { echo "skip $1: $2"; }
finds() { # NAME PATTERN FILE
	if grep -q -e "$2" "$3"; then ok "$1"; else not_ok "$1" "no '$2' in $(head -n 5 "$3")"; fi
}

"$perfskew" report -v "$tiny" >/dev/null 2>"$dir/err"
finds "-v says what is in force" "^perfskew: sandbox: " "$dir/err"
"$perfskew" report -v --no-sandbox "$tiny" >/dev/null 2>"$dir/none"
finds "--no-sandbox says so" "^perfskew: sandbox: none (--no-sandbox)" "$dir/none"
"$perfskew" report "$tiny" >"$dir/a" 2>/dev/null
"$perfskew" report --no-sandbox "$tiny" >"$dir/b" 2>/dev/null
if cmp -s "$dir/a" "$dir/b"; then ok "the same output without"; else not_ok "the same output without" "it differs"; fi

# A binary where only the recording says: found through the broker, with its names.
mkdir "$dir/hidden"
cp "$perfskew" "$dir/hidden/program"
"$tools/recording" plain "$dir/recorded" "$dir/hidden/program"
"$perfskew" info "$dir/recorded" >"$dir/out" 2>&1
finds "binaries are found anywhere" "verified .*hidden/program$\|mismatch .*hidden/program" "$dir/out"
# What is no binary is not opened, whatever the recording says, though the user might.
echo "root:x:0:0" >"$dir/hidden/secret"
"$tools/recording" plain "$dir/recorded" "$dir/hidden/secret"
"$perfskew" info -v "$dir/recorded" >"$dir/out" 2>"$dir/err"
if grep -q "Landlock [0-9]" "$dir/err"; then
	finds "other files are refused" "missing .*secret: Permission denied" "$dir/out"
else
	skip "other files are refused" "no Landlock here"
fi

# The process that opens files is killed: no result without the names it would have found.
if grep -q "Landlock [0-9]" "$dir/err" && command -v ps >/dev/null 2>&1; then
	"$tools/recording" plain "$dir/recorded" "$dir/hidden/program"
	mkfifo "$dir/slow"
	"$perfskew" report "$dir/slow" -o "$dir/unfinished" 2>"$dir/err" &
	job=$!
	exec 3>"$dir/slow"
	opener=
	for i in 1 2 3 4 5 6 7 8 9 10; do
		opener=$(ps -o pid= --ppid $job | tr -d ' ')
		test -z "$opener" || break
		sleep 0.2
	done
	sleep 0.3
	kill -KILL $opener
	cat "$dir/recorded" >&3
	exec 3>&-
	wait $job
	got=$?
	if [ $got = 6 ] && [ ! -e "$dir/unfinished" ]; then ok "the opening process is killed"; else not_ok "the opening process is killed" "exit $got: $(cat "$dir/err")"; fi
else
	skip "the opening process is killed" "no Landlock or no ps here"
fi

# Under strace: all that is opened and called behind the rules.
if command -v strace >/dev/null 2>&1 && strace -f -o "$dir/trace" "$perfskew" flame --format png "$tiny" -o "$dir/x.png" 2>/dev/null &&
	! nm "$perfskew" 2>/dev/null | grep -q __asan_init; then
	if grep -q "landlock_restrict_self.* = 0" "$dir/trace"; then ok "Landlock before the input"; else skip "Landlock before the input" "no Landlock here"; fi
	awk '/seccomp\(SECCOMP_SET_MODE_FILTER.*= 0/ { f = NR } /openat.*tiny\.folded.*O_RDONLY\|O_NOCTTY/ && !o { o = NR } END { exit !(f && o && f < o) }' "$dir/trace" &&
		ok "seccomp before the input" || skip "seccomp before the input" "no seccomp here"
	if sed -n '/SECCOMP_SET_MODE_FILTER.*= 0/,$p' "$dir/trace" | grep -E '(execve|socket|connect|fork)\(' >"$dir/bad"; then
		not_ok "no program and no socket after it" "$(head -n 1 "$dir/bad")"
	else
		ok "no program and no socket after it"
	fi
else
	skip "the order of things" "no strace, or a build with sanitizers"
fi

# Every way in and out under the rules.
bundled=$here/samples/recording
way() { # NAME COMMAND...
	name=$1
	shift
	if "$@" >"$dir/out" 2>"$dir/err" && [ ! -s "$dir/err" ]; then ok "$name"; else not_ok "$name" "$(head -n 2 "$dir/err")"; fi
}
cp -r "$bundled" "$dir/folder"
ln -s "$dir/folder" "$dir/linked"
mkdir "$dir/links" && ln -s "$dir/folder/perf.data" "$dir/folder/cpu.pb.gz" "$dir/folder/bin" "$dir/folder/kallsyms" "$dir/links"
mkdir "$dir/out.d"
way "a folder" "$perfskew" report -q "$dir/folder"
way "a link to a folder" "$perfskew" report -q "$dir/linked"
way "a folder of links" "$perfskew" skew -q "$dir/links"
way "standard input" sh -c "'$perfskew' report -q --binary '$dir/folder/bin' - <'$dir/folder/perf.data'"
way "a pipe" sh -c "cat '$dir/folder/perf.data' | '$perfskew' report -q --binary '$dir/folder/bin' -"
way "--binary elsewhere" "$perfskew" report -q --symfs /nonexistent --binary "$dir/folder/bin" "$dir/folder/perf.data"
way "--kallsyms elsewhere" "$perfskew" report -q --kallsyms "$dir/folder/kallsyms" "$dir/folder/perf.data"
way "output in another folder" "$perfskew" flame -q "$tiny" -o "$dir/out.d/x.svg"
way "output here" sh -c "cd '$dir/out.d' && '$perfskew' flame -q '$tiny' -o y.pdf"
way "output to a device" "$perfskew" flame -q --format svg "$tiny" -o /dev/null
way "output and summary" "$perfskew" check -q "$dir/folder" --max-lost 0 -f json -o "$dir/out.d/c.json" --summary "$dir/s.md"
way "merge of a folder" "$perfskew" merge -q "$dir/folder" "$dir/links/perf.data" -o "$dir/out.d/m.pb.gz"
way "baseline" "$perfskew" check -q "$dir/folder" --baseline "$dir/links" --max-growth 90%
way "PNG in the system's fonts" "$perfskew" flame -q "$tiny" -o "$dir/out.d/x.png"
exit $status
