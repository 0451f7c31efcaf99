#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fuzz.sh SECONDS BINARY...: shares the time among libFuzzer targets. Silent but for one line per target; a crash shows the report and
# the input's place. The corpus of each target is kept in build/fuzz/corpus/TARGET so that the next run goes on where this one stopped.
set -u
seconds=$1; shift
mkdir -p build/results
passed=0 failed=0
[ $# -gt 0 ] || { echo "fuzz: no target" >&2; failed=1; }
for b in "$@"; do
	name=${b##*/}
	corpus=build/fuzz/corpus/$name
	mkdir -p "$corpus"
	share=$((seconds / $#))
	if "$b" -max_total_time=$((share > 0 ? share : 1)) -rss_limit_mb=4096 -timeout=20 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/crash-$name-" "$corpus" >"build/results/$name.log" 2>&1; then
		passed=$((passed + 1))
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/results/$name.log")
		echo "fuzz: $name: $runs inputs, $(ls "$corpus" | wc -l) kept"
	else
		failed=$((failed + 1))
		echo "fuzz: $name FAILED:"
		tail -n 60 "build/results/$name.log"
	fi
done
echo "fuzz: $passed passed, $failed failed"
echo "$passed $failed" >build/results/fuzz.txt
[ "$failed" -eq 0 ]
