#!/bin/sh
# How the program is built, seen on the program itself: position-independent, relocations read-only from the
# start, no memory both writable and executable, stack protector, checked library calls.
# Prints "ok NAME" and "not ok NAME: WHY"; skips builds for sanitizers, coverage and fuzzing.
set -u
export LC_ALL=C
perfskew=${PERFSKEW:-./perfskew}
command -v readelf >/dev/null 2>&1 || { echo "skip: no readelf"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
readelf -W --file-header "$perfskew" >"$dir/header"
readelf -W --program-headers "$perfskew" >"$dir/segments"
readelf -W --dynamic "$perfskew" >"$dir/dynamic"
readelf -W --dyn-syms "$perfskew" >"$dir/symbols"
if grep -q "__asan_init\|__gcov_\|__sanitizer_cov" "$dir/symbols" || readelf -W --syms "$perfskew" | grep -q "__gcov_init"; then
	echo "skip: a build for tests is not hardened"
	exit 77
fi
has() { # NAME PATTERN FILE
	if grep -Eq "$2" "$dir/$3"; then echo "ok $1"; else echo "not ok $1: no '$2' among the $3"; status=1; fi
}
hasnt() {
	if grep -Eq "$2" "$dir/$3"; then echo "not ok $1: $(grep -E "$2" "$dir/$3" | head -n 1)"; status=1; else echo "ok $1"; fi
}
has "position-independent" "Type: +DYN" header
has "loads as a program" "INTERP" segments
has "relocations are read-only" "GNU_RELRO" segments
has "all symbols bound at the start" "BIND_NOW|FLAGS_1.* NOW" dynamic
has "position-independent executable" "FLAGS_1.* PIE" dynamic
hasnt "no relocations of code" "TEXTREL" dynamic
hasnt "no search path for libraries" "R(UN)?PATH" dynamic
hasnt "stack without execution" "GNU_STACK.* RWE" segments
has "stack is marked" "GNU_STACK.* RW " segments
hasnt "nothing writable and executable" "LOAD .* RWE" segments
has "stack protector" "__stack_chk_fail" symbols
has "checked memcpy, snprintf, read" "__(memcpy|snprintf|vsnprintf|read|fprintf)_chk" symbols
# -fstack-clash-protection leaves no symbol: the flag is in the build
if grep -q "^HARD_CFLAGS *=.*-fstack-clash-protection" Makefile 2>/dev/null || ! [ -f Makefile ]; then
	echo "ok stack clash protection"
else
	echo "not ok stack clash protection: not among HARD_CFLAGS of the Makefile"
	status=1
fi
for flag in -fstack-protector-strong -D_FORTIFY_SOURCE=3 -fPIE; do
	if ! [ -f Makefile ] || grep -q "^HARD_CFLAGS *=.*$flag" Makefile; then echo "ok $flag"; else echo "not ok $flag: not in the Makefile"; status=1; fi
done
exit $status
