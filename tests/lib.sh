# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For test scripts: results as lines "ok - text" and "not ok - text", clean-up, waiting for events.
#
#     . "$(dirname "$0")/../lib.sh"
#     defer ip netns delete x
#     check "the name is taken" fails_with 7 xebra router create r1.cfg
#     finish
#
# Exit code 0: all ok; 1: something is not; 77 (skip): this machine cannot answer.

n_ok=0 n_not_ok=0

ok() { n_ok=$((n_ok + 1)); echo "ok - $*"; }
not_ok() { n_not_ok=$((n_not_ok + 1)); echo "not ok - $*"; }
skip() { echo "# skipped: $*"; exit 77; }

# check TEXT COMMAND...: ok if COMMAND succeeds; else its output says why not
check() {
	local code=0
	"${@:2}" >"$output" 2>&1 || code=$?
	[ $code != 0 ] || { ok "$1"; return; }
	not_ok "$1"
	(echo "exit $code: ${*:2}"; cat "$output") | sed 's/^/#   /'
}

# refuses CODE TEXT COMMAND...: COMMAND ends with CODE and its standard error holds TEXT
refuses() {
	local code=0 said
	said=$("${@:3}" 2>&1 >/dev/null) || code=$?
	echo "exit $code: $said"
	[ "$code" = "$1" ] && case $said in *"$2"*) ;; *) return 1 ;; esac
}

# fails COMMAND...: COMMAND does not succeed
fails() { ! "$@"; }

finish() {
	echo "1..$((n_ok + n_not_ok))"
	[ "$n_not_ok" = 0 ] && [ "$n_ok" -gt 0 ]
	exit
}

# --- clean-up, last in first out ---
deferred=()
defer() { deferred=("$(printf '%q ' "$@")" "${deferred[@]}"); }
run_deferred() { local d; for d in "${deferred[@]}"; do eval "$d" >/dev/null 2>&1; done; }
trap run_deferred EXIT
output=$(mktemp)
defer rm -f "$output"

# wait_until SECONDS COMMAND...: as soon as COMMAND succeeds; fails after SECONDS
wait_until() {
	local end=$((SECONDS + $1)); shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { "$@"; return 1; }
		sleep 0.1
	done
}
