#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# explore.sh FAST SANITIZED -- [ARGS]: with ARGS, just FAST ARGS. Else some runs, each a test: the small bounds under sanitizers, the
# proof that faults are found, the full bounds with their table and, unless SMALL=1, the deep ones. Leaves "passed failed" in
# build/results/explore.txt.
set -u
fast=$1 sanitized=$2
shift 3
[ $# -gt 0 ] && exec "$fast" "$@"
mkdir -p build/results
passed=0 failed=0
run() {
	local name=$1
	shift
	if "$@" >"build/results/explore-$name.log"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "explore: $name FAILED:"
		cat "build/results/explore-$name.log"
	fi
}
run sanitized "$sanitized" --quick
run proof "$fast" --prove
run full "$fast"
[ "$failed" -eq 0 ] && if [ "${SMALL:-}" ]; then tail -n 1 build/results/explore-full.log; else cat build/results/explore-full.log; fi
if [ -z "${SMALL:-}" ]; then
	run deep "$fast" --deep
	[ "$failed" -eq 0 ] && cat build/results/explore-deep.log
fi
tail -n 1 build/results/explore-sanitized.log | sed 's/explore:/explore: under sanitizers:/'
grep -c 'found and repeated' build/results/explore-proof.log | sed 's/.*/explore: faults put in on purpose: & found and repeated/'
echo "$passed $failed" >build/results/explore.txt
[ "$failed" -eq 0 ]
