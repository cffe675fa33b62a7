#!/bin/sh
# The commands under valgrind, on the bundled recording: no use of what is not there, no definite leak.
# make memcheck calls it. (valgrind reads debug files inside the process: no sandbox.)
set -u
perfskew=${PERFSKEW:-./perfskew}
cd "${srcdir:-.}" || exit 99
command -v valgrind >/dev/null 2>&1 || { echo "no valgrind: left out"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
check() {
	if ! valgrind -q --vgdb=no --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
		--suppressions=tests/valgrind.supp "$perfskew" "$@" -q --no-sandbox --symfs /nonexistent >"$dir/out" 2>"$dir/err"; then
		echo "not ok $*"
		head -n 40 "$dir/err"
		status=1
	else
		echo "ok $*"
	fi
}
r=samples/recording
check info $r
check report -j2 $r
check flame $r -o "$dir/x.svg"
check flame $r --format png -o "$dir/x.png"
check convert -f pprof --repair $r -o "$dir/x.pb.gz"
check convert -f firefox $r
check diff $r/cpu.pb.gz "$dir/x.pb.gz"
check merge $r/cpu.pb.gz "$dir/x.pb.gz" -f folded
check skew $r
exit $status
