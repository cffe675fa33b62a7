# Sourced first by the tests that record: a recording may miss a bound by chance (a busy machine, events lost), so a
# test has failed when three runs in a row have. What a run that is repeated printed stands behind "again: ".
if [ -z "${LIVE_RUN-}" ]; then
	again_log=$(mktemp) || exit 99
	trap 'rm -f "$again_log"' EXIT
	for LIVE_RUN in 1 2 3; do
		export LIVE_RUN
		sh "$0" "$@" >"$again_log" 2>&1
		again_status=$?
		if [ $again_status = 0 ] || [ $again_status = 77 ] || [ $LIVE_RUN = 3 ]; then
			cat "$again_log"
			exit $again_status
		fi
		sed 's/^/again: /' "$again_log"
	done
fi
