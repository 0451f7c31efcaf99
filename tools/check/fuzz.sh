#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fuzz.sh SECONDS BINARY...: shares the time among libFuzzer targets. Silent but for one line per target; a crash shows the report and
# the input's place. Begins with the inputs of ktests/fuzz/corpus/TARGET.hex; what is found is kept in build/fuzz/corpus/TARGET so that
# the next run goes on where this one stopped.
# fuzz.sh --renew BINARY...: makes ktests/fuzz/corpus anew, the fewest and shortest inputs that reach what both reach.
set -u
passed=0 failed=0
seconds=$1; shift
mkdir -p build/results
[ $# -gt 0 ] || { echo "fuzz: no target" >&2; failed=1; }
for b in "$@"; do
	name=${b##*/}
	found=build/fuzz/corpus/$name
	seeds=build/fuzz/seeds/$name
	kept=ktests/fuzz/corpus/$name.hex
	log=build/results/$name.log
	mkdir -p "$found"
	tools/check/corpus.py unpack "$kept" "$seeds" || exit 1
	if [ "$seconds" = --renew ]; then
		rm -rf "$found.new" && mkdir "$found.new"
		"$b" -merge=1 -max_len=600 -rss_limit_mb=4096 "$found.new" "$seeds" "$found" >"$log" 2>&1 || { tail -n 30 "$log"; exit 1; }
		tools/check/corpus.py pack "$found.new" "$kept" || exit 1
		echo "fuzz: $name: $(wc -l <"$kept") inputs"
		continue
	fi
	share=$((seconds / $#))
	if "$b" -max_total_time=$((share > 0 ? share : 1)) -rss_limit_mb=4096 -timeout=60 -print_final_stats=1 \
		-artifact_prefix="build/fuzz/crash-$name-" "$found" "$seeds" >"$log" 2>&1; then
		passed=$((passed + 1))
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "fuzz: $name: $runs inputs, $(ls "$seeds" | wc -l) to begin with, $(ls "$found" | wc -l) found"
	else
		failed=$((failed + 1))
		echo "fuzz: $name FAILED:"
		tail -n 60 "$log"
	fi
done
[ "$seconds" = --renew ] && exit 0
echo "fuzz: $passed passed, $failed failed"
echo "$passed $failed" >build/results/fuzz.txt
[ "$failed" -eq 0 ]
