#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# gtest.sh STAGE BINARY... -- [ARGS]: runs GoogleTest programs, shows only what failed, and leaves "passed failed" of all of them in
# build/results/STAGE.txt and what became of each test in build/results/PROGRAM.xml. A program that dies before its summary counts as
# one failure; which tests exist is not known here.
set -u
stage=$1; shift
binaries=()
while [ "$1" != -- ]; do binaries+=("$1"); shift; done
shift
mkdir -p build/results
log=build/results/$stage.log
passed=0 failed=0
for b in "${binaries[@]}"; do
	rm -f "build/results/${b##*/}.xml"
	"$b" --gtest_brief=1 --gtest_output="xml:build/results/${b##*/}.xml" "$@" >"$log" 2>&1
	status=$?
	p=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$log")
	f=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$log")
	[ $status -ne 0 ] && [ "${f:-0}" -eq 0 ] && f=1
	[ $status -ne 0 ] && cat "$log"
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-0}))
done
echo "$stage: $passed passed, $failed failed"
echo "$passed $failed" >"build/results/$stage.txt"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
