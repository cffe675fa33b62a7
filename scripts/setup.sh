# Sourced by demo.sh, check.sh and .ci/run: install what is missing, build, count tests.
# The caller stands in the top folder and has set -eu.

say() { printf '== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Whether clang has libFuzzer.
can_fuzz() {
	command -v clang >/dev/null 2>&1 || return 1
	printf '#include <stddef.h>\n#include <stdint.h>\nint LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);\nint LLVMFuzzerTestOneInput(const uint8_t *p, size_t n) { (void)p; return n > 99; }\n' |
		clang -x c -fsanitize=fuzzer,address -o /dev/null - >/dev/null 2>&1
}

# setup_missing need|want|ci COLUMN: the packages (column 3 Debian, 4 Fedora) of what is not there.
setup_missing() {
	while read -r kind test debian fedora; do
		test "$kind" = "$1" || continue
		case $test in
		cmd:*) command -v "${test#cmd:}" >/dev/null 2>&1 && continue ;;
		pc:*) pkg-config --exists "${test#pc:}" 2>/dev/null && continue ;;
		run:*) "${test#run:}" && continue ;;
		esac
		if [ "$2" = debian ]; then echo "$debian"; else echo "$fedora"; fi
	done <scripts/packages
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		die "needs root to run: $*"
	fi
}

setup_system() {
	if command -v apt-get >/dev/null 2>&1; then
		system=debian
		install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"
	elif command -v dnf >/dev/null 2>&1; then
		system=fedora
		install="dnf install -y --setopt=install_weak_deps=False"
	else
		system=other
	fi
}

# setup_wanted want|ci: one package after the other, so that one that is not to be had costs the tests that use it alone.
setup_wanted() {
	for package in $(setup_missing "$1" $system); do
		as_root $install "$package" </dev/null || say "no $package: the tests that use it will skip"
	done
}

# Installs what is missing. Does nothing, and needs neither root nor network, when all is there.
setup_packages() {
	setup_system
	needed=$(setup_missing need $system)
	test -n "$needed" || return 0
	test $system != other ||
		die "neither apt nor dnf here; needed are (names as in Fedora):" $needed
	say "installing" $needed
	test $system != debian || as_root apt-get update -q
	as_root $install $needed
	setup_wanted want
	needed=$(setup_missing need $system)
	test -z "$needed" || die "still missing after the installation:" $needed
}

# What the slower checks use beside that, as far as it is to be had.
setup_ci() {
	setup_packages
	test $system != other && test -n "$(setup_missing ci $system)" || return 0
	say "installing" $(setup_missing ci $system)
	test $system != debian || as_root apt-get update -q || say "the list of packages is not new"
	setup_wanted ci
}

# setup_npm DIR PACKAGE...: npm's packages in DIR, where they are not there yet. Tests that use them skip without.
setup_npm() {
	dir=$1
	shift
	test ! -f "$dir/complete" || return 0
	mkdir -p "$dir"
	if timeout 400 npm install --prefix "$dir" --no-audit --no-fund --force --ignore-scripts "$@" >"$dir/log" 2>&1 </dev/null; then
		: >"$dir/complete"
	else
		say "npm cannot fetch $*: $(tail -n 1 "$dir/log")"
	fi
}

# setup_build DIR CONFIGURE-OPTION...: configures when that has changed, and builds.
setup_build() {
	dir=$1
	shift
	if [ ! -x configure ] || [ configure.ac -nt configure ] || [ Makefile.am -nt Makefile.in ]; then
		say "autoreconf"
		./autogen.sh >/dev/null 2>&1 || ./autogen.sh
	fi
	mkdir -p "$dir"
	if [ ! -f "$dir/Makefile" ] || [ "$(cat "$dir/configured-as" 2>/dev/null)" != "$*" ]; then
		say "configure $*"
		(cd "$dir" && "$OLDPWD/configure" -q "$@")
		printf '%s\n' "$*" >"$dir/configured-as"
	fi
	say "make in $dir"
	make -s -C "$dir" -j"$(nproc)"
}

# setup_count DIR...: adds the results of `make check` there to $passed and $failed. A CUnit program
# and a script that prints "ok" and "not ok" count by their tests, any other test as one. One that
# was not passed as a whole, say because it crashed, counts at least one failure.
passed=0 failed=0
setup_count() {
	counts=$(find "$@" -name '*.trs' | LC_ALL=C sort | while read -r trs; do
		awk -v trs="$trs" -v log_file="${trs%.trs}.log" '
			FILENAME == trs && /^:global-test-result:/ { result = $2 }
			FILENAME != trs && /^ *tests +[0-9]/ { cunit = 1; ran += $3; ok += $4; bad += $5 }
			FILENAME != trs && /^ok / { ok_lines++ }
			FILENAME != trs && /^not ok / { bad_lines++ }
			END {
				if (!cunit) { ok = ok_lines + 0; bad = bad_lines + 0 }
				if (!ok && !bad && (result == "PASS" || result == "XFAIL")) ok = 1
				if (!bad && result != "PASS" && result != "XFAIL" && result != "SKIP") bad = 1
				print ok, bad
			}' "$trs" "${trs%.trs}.log"
	done | awk '{ ok += $1; bad += $2 } END { print ok + 0, bad + 0 }')
	passed=$((passed + ${counts% *}))
	failed=$((failed + ${counts#* }))
}

# setup_failures DIR...: what failed in `make check` there, once more and short, for the end of a log.
setup_failures() {
	find "$@" -name '*.trs' | LC_ALL=C sort | while read -r trs; do
		grep -Eq '^:global-test-result: (PASS|XFAIL|SKIP)' "$trs" && continue
		say "failed: ${trs%.trs}"
		grep -E '^ *(not ok|FAIL|[0-9]+\. )|ERROR: |runtime error: ' "${trs%.trs}.log" | head -n 20
		tail -n 5 "${trs%.trs}.log"
	done
}
