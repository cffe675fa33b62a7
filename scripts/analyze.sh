#!/bin/sh
# gcc's analyser and cppcheck over all sources; make analyze calls it in the build folder. What is not
# installed is said and left out. Exits 1 when something was found.
set -u
cd "$srcdir" || exit 99
build=$OLDPWD
found=$(mktemp)
trap 'rm -f "$found"' EXIT
status=0
# flags with -I. and -Isrc mean the build folder
if $CC -fanalyzer -x c -S -o /dev/null /dev/null 2>/dev/null; then
	echo "== $CC -fanalyzer"
	top=$PWD
	(cd "$build" && ls "$top"/src/*.c "$top"/src/*/*.c "$top"/render/*.c |
		xargs -P "$(nproc)" -n 4 sh -c 'for f; do '"$CC $CPPFLAGS $CFLAGS"' -I"'"$top"'/src" -I"'"$top"'/render" -O2 -fanalyzer -Wno-error -S -o /dev/null "$f"; done' sh) >"$found" 2>&1
	if grep -q "warning:\|error:" "$found"; then cat "$found"; status=1; fi
else
	echo "no -fanalyzer in $CC: left out"
fi
if command -v cppcheck >/dev/null 2>&1; then
	echo "== cppcheck"
	cppcheck -q --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppress=missingIncludeSystem -j"$(nproc)" -Isrc -Irender src render || status=1
else
	echo "no cppcheck: left out"
fi
exit $status
