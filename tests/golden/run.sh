#!/bin/sh
# Golden tests of the command line: each NAME.args holds one command line (run by the shell in the
# source directory, $perfskew being the program), NAME.out what it prints: standard output, standard
# error and the exit code. With "update" as argument the .out files are written anew.
set -u
perfskew=${PERFSKEW:-$PWD/perfskew}
cd "${srcdir:-.}" || exit 99
all=$(mktemp -d) || exit 99
trap 'rm -rf "$all"' EXIT
tmp=$all/case # of each case, empty at its start
passed=0 failed=0
HOME=$all # perf's cache of binaries is this machine's
unset DEBUGINFOD_URLS NO_COLOR
export perfskew tmp HOME
for args in tests/golden/*.args; do
  name=${args%.args}
  rm -rf "$tmp" && mkdir "$tmp" || exit 99
  sh -c "$(cat "$args")" >"$all/out" 2>"$all/err"
  code=$?
  { sed "s|$tmp|TMP|g" "$all/out"; sed "s|$tmp|TMP|g; s/^/stderr: /" "$all/err"; echo "exit $code"; } >"$all/all"
  if [ "${1:-}" = update ]; then
    cp "$all/all" "$name.out"
  elif cmp -s "$all/all" "$name.out"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $name"
    diff "$name.out" "$all/all" | head -20
  fi
done
[ "${1:-}" = update ] && exit 0
echo "$passed passed, $failed failed"
[ $failed = 0 ]
