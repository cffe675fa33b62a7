#!/bin/sh
# The forms of check, and of report and skew over many recordings, as their readers take them: JUnit against a schema with its counts, JSON and
# github-action-benchmark's array parsed; also with names that try to get out of their place.
set -u
perfskew=${PERFSKEW:-./perfskew}
src=$(cd "${srcdir:-.}" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

ok() { echo "ok $1"; }
not_ok() { echo "not ok $1"; status=1; }

name='a"<b>&|`]]>'"'"'c'
cp "$src/samples/recording/perf.data" "$dir/$name.data"
cp "$src/samples/recording/cpu.pb.gz" "$dir/$name.pb.gz"
echo nonsense >"$dir/broken.data"
check() {
	"$perfskew" check -q --symfs /nonexistent "$dir/$name.data" "$dir/broken.data" --max-skew 10% --max-skew preemption_capture_excess=18% \
		--max-truncated 99% --max-lost 0 --max-runtime-share 50% -f "$1" 2>/dev/null
}

check junit >"$dir/junit.xml"
if command -v xmllint >/dev/null 2>&1; then
	if xmllint --noout --relaxng "$src/tests/forms/junit.rng" "$dir/junit.xml" 2>"$dir/err"; then
		ok "junit: schema"
	else
		not_ok "junit: schema: $(head -n 3 "$dir/err")"
	fi
	count() { xmllint --xpath "$1" "$dir/junit.xml" 2>/dev/null; }
	for pair in tests:testcase failures:testcase/failure errors:testcase/error skipped:testcase/skipped; do
		said=$(count "string(//testsuite/@${pair%:*})")
		there=$(count "count(//${pair#*:})")
		if [ "$said" = "$there" ] && [ "$said" -gt 0 ]; then ok "junit: $said ${pair%:*}"; else not_ok "junit: ${pair%:*} is $said, there are $there"; fi
	done
	if [ "$(count 'string((//testcase[failure]/@classname)[1])')" = "$name" ]; then ok "junit: name"; else not_ok "junit: name"; fi
else
	echo "skip junit: no xmllint"
fi

parse() { # FILE PYTHON-EXPRESSION-OF-d JAVASCRIPT-EXPRESSION-OF-d
	if command -v python3 >/dev/null 2>&1; then
		python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$1" "$2"
	else
		node -e 'const d = JSON.parse(require("fs").readFileSync(process.argv[1]))
process.exit(eval(process.argv[2]) ? 0 : 1)' "$1" "$3"
	fi
}
if command -v python3 >/dev/null 2>&1 || command -v node >/dev/null 2>&1; then
	check json >"$dir/json"
	check github >"$dir/github"
	parse "$dir/json" 'd["exceeded"] == sum(r["status"] == "exceeded" for r in d["results"]) and len(d["errors"]) == 1' \
		'd.exceeded == d.results.filter(r => r.status == "exceeded").length && d.errors.length == 1' &&
		ok "json: counts" || not_ok "json: counts"
	parse "$dir/github" 'len(d) > 3 and all(isinstance(r["value"], (int, float)) and isinstance(r["name"], str) and r["unit"] == "%" for r in d)' \
		'd.length > 3 && d.every(r => typeof r.value == "number" && typeof r.name == "string" && r.unit == "%")' &&
		ok "github: an array of names, units and values" || not_ok "github: an array of names, units and values"
	parse "$dir/github" 'len(set(r["name"] for r in d)) == len(d)' 'new Set(d.map(r => r.name)).size == d.length' &&
		ok "github: every series its name" || not_ok "github: every series its name"
else
	echo "skip json: neither python3 nor node"
fi

check markdown >"$dir/markdown"
# every row of the table has the five cells of its head
awk -F'[|]' '/^\|/ { n++; if (NF != 7) bad++ } END { exit !(n > 3 && !bad) }' "$dir/markdown" && ok "markdown: cells" || not_ok "markdown: cells"
check text >"$dir/text"
[ "$(wc -l <"$dir/text")" -ge 2 ] && ! grep -qv ': max-.*; allowed ' "$dir/text" && ok "text: a line a violation" || not_ok "text: a line a violation"

# many recordings, one of them with a name that tries to get out of its place, one broken
many() {
	"$perfskew" "$@" -q --symfs /nonexistent "$src/samples/recording" "$dir/$name.data" "$dir/broken.data" 2>/dev/null
	[ $? = 4 ] || not_ok "many: exit code of $*"
}
for command in report skew; do
	many $command -f markdown >"$dir/markdown"
	awk -F'[|]' '/^\|/ { n++; cells = n == 1 ? NF : cells; if (NF != cells) bad++ } END { exit !(n == 4 && !bad) }' "$dir/markdown" &&
		ok "many: $command: cells of markdown" || not_ok "many: $command: cells of markdown"
	many $command -f html >"$dir/html"
	if command -v xmllint >/dev/null 2>&1; then
		# one row and one picture a recording; nothing that runs, nothing that is fetched
		page() { xmllint --html --nowarning --xpath "$1" "$dir/html" 2>/dev/null; }
		[ "$(page 'count(//tbody/tr)')" = 2 ] && [ "$(page 'count(//tbody/tr//*[name() = "svg"]/*[name() = "path"]) > 5')" = true ] &&
			[ "$(page 'count(//script|//@style|//@src|//@onload|//a|//iframe|//img)')" = 0 ] &&
			ok "many: $command: page" || not_ok "many: $command: page"
		[ "$(page 'string((//tbody/tr/th/text())[2])')" = "$name" ] || [ "$(page 'string((//tbody/tr/th/text())[1])')" = "$name" ] &&
			ok "many: $command: name" || not_ok "many: $command: name"
	fi
	if command -v python3 >/dev/null 2>&1 || command -v node >/dev/null 2>&1; then
		many $command -f json >"$dir/json"
		parse "$dir/json" 'len(d["errors"]) == 1 and d["read"] == 2 == len(d["recordings"]) and d["recordings"][0]["worst"]["share"] >= d["recordings"][1]["worst"]["share"] > 0' \
			'd.errors.length == 1 && d.read == 2 && d.recordings.length == 2 && d.recordings[0].worst.share >= d.recordings[1].worst.share && d.recordings[1].worst.share > 0' &&
			ok "many: $command: json" || not_ok "many: $command: json"
	fi
done
exit $status
