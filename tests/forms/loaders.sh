#!/bin/sh
# convert's forms in the programs they are for: speedscope by its JSON schema and, with Chromium, by
# its own importer; the Firefox Profiler by its own command-line loader. They are npm's, in the
# folder FORMS_MODULES, where .ci/run puts them; skipped without.
set -u
perfskew=${PERFSKEW:-$PWD/perfskew}
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
modules=${FORMS_MODULES:-$PWD/tests/forms/modules}
cd "${srcdir:-.}" || exit 99
skip() {
  echo "skipped: $1"
  exit 77
}
command -v node >/dev/null || skip "no node"
[ -d "$modules/node_modules/ajv" ] || skip "no speedscope, ajv and profiler-cli in FORMS_MODULES (.ci/run fetches them)"
failed=0
check() { # NAME COMMAND...
  name=$1
  shift
  if "$@" >"$tmp/log" 2>&1; then echo "ok   $name"; else
    echo "FAIL $name"
    tail -5 "$tmp/log"
    failed=1
  fi
}
for input in samples/recording/perf.data samples/recording/cpu.pb.gz tests/golden/tiny.folded; do
  name=$(basename "$input")
  "$perfskew" convert -q -f speedscope -o "$tmp/$name.speedscope.json" "$input" || failed=1
  "$perfskew" convert -q -f firefox -o "$tmp/$name.firefox.json" "$input" || failed=1
  check "speedscope schema: $name" env NODE_PATH="$modules/node_modules" \
    node tests/forms/schema.js "$modules/node_modules/speedscope/dist/release/file-format-schema.json" \
    "$tmp/$name.speedscope.json"
done

# What the loader says of a profile: its threads with their CPU time, or the functions of the first. Its
# daemon is started by hand: `load` gives up after half a second, which a busy machine needs for less.
sessions=0
firefox() { # FILE TEXT COMMAND...
  file=$1 text=$2
  shift 2
  sessions=$((sessions + 1)) # each has its own daemon: one that is being ended still answers
  export PROFILER_CLI_SESSION_DIR="$tmp/session$sessions" HOME="$tmp"
  cli="node $modules/node_modules/@firefox-devtools/profiler-cli/dist/profiler-cli.js"
  mkdir -p "$PROFILER_CLI_SESSION_DIR"
  $cli --daemon "$file" --session "s$sessions" >"$tmp/daemon" 2>&1 &
  daemon=$!
  # asked too early, the loader takes the session for a dead one and removes it
  for try in $(seq 60); do
    [ ! -S "$PROFILER_CLI_SESSION_DIR/s$sessions.sock" ] || break
    sleep 1
  done
  timeout 60 $cli "$@" --session "s$sessions" >"$tmp/said" 2>&1
  kill $daemon
  wait $daemon 2>/dev/null
  cat "$tmp/said" "$tmp/daemon"
  grep -qF "$text" "$tmp/said"
}
check "firefox loader: threads" firefox "$tmp/perf.data.firefox.json" "8 threads across 1 processes" profile info
# the thread's 127 samples but the first, which has no time before it
check "firefox loader: CPU time" firefox "$tmp/perf.data.firefox.json" "server [tid 26608] - 1272.727ms" profile info
check "firefox loader: functions" firefox "$tmp/cpu.pb.gz.firefox.json" "runtime.asyncPreempt" thread functions

# speedscope's importer runs in its page only; the title is set when it has read the profile.
speedscope() { # FILE
  printf 'speedscope.loadFileFromBase64("x.speedscope.json", "%s")' "$(base64 -w0 "$1")" >"$tmp/load.js"
  timeout 90 "$chromium" --headless --no-sandbox --disable-gpu --user-data-dir="$tmp/chromium" \
    --virtual-time-budget=8000 --dump-dom \
    "file://$modules/node_modules/speedscope/dist/release/index.html#localProfilePath=$tmp/load.js" |
    grep -F "<title>$(basename "$1" .speedscope.json) - speedscope"
}
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$chromium" ]; then
  check "speedscope importer: perf.data" speedscope "$tmp/perf.data.speedscope.json"
  check "speedscope importer: cpu.pb.gz" speedscope "$tmp/cpu.pb.gz.speedscope.json"
else
  echo "skipped: speedscope importer: no Chromium"
fi
exit $failed
