#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# 100,000 conversations: imported within a minute of processor time, found, exported, and imported again from that to
# the same. What it took is printed; the bound is on processor time, since other work may share the machine.
set -u
program=${ANSWERBACK:-./answerback}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export ANSWERBACK_DATA_DIR=$tmp/data HOME=$tmp
unset ANSWERBACK_PRIVATE 2>/dev/null
passed=0 failed=0

check() {
	name=$1
	shift
	if "$@" >"$tmp/out" 2>&1; then
		passed=$((passed + 1))
		echo "ok - $name"
	else
		failed=$((failed + 1))
		echo "not ok - $name"
		sed 's/^/# /' "$tmp/out" | head -5
	fi
}

# words drawn as in a language: a few often, most seldom
awk 'BEGIN {
	srand(3)
	for (i = 0; i < 20000; i++) {
		w = ""
		for (k = 2 + int(rand() * 8); k > 0; k--)
			w = w sprintf("%c", 97 + int(rand() * 26))
		word[i] = w
	}
	for (i = 0; i < 100000; i++) {
		printf "{\"id\": \"c%d\", \"messages\": [", i
		n = 2 + 2 * int(rand() * 3)
		for (m = 0; m < n; m++) {
			printf "%s{\"role\": \"%s\", \"content\": \"", m ? ", " : "", m % 2 ? "assistant" : "user"
			for (k = 6 + int(rand() * 20); k > 0; k--)
				printf "%s ", word[int(20000 * rand() ^ 4)]
			printf "n%d.%d\"}", i, m
		}
		print "]}"
	}
}' >"$tmp/in.jsonl"

timed() {      # timed NAME COMMAND...: prints what it took; fails when the command does
	name=$1
	shift
	bash -c 'TIMEFORMAT="%R s, %U + %S s of processor"; time "$@" >"$0.out" 2>"$0.err"' "$tmp/run" "$@" 2>"$tmp/time"
	rc=$?
	echo "# $name: $(tail -n 1 "$tmp/time")"
	cat "$tmp/run.out"
	return $rc
}

timed "import of 100,000 conversations, $(wc -c <"$tmp/in.jsonl") bytes" "$program" import "$tmp/in.jsonl"
check "import: all of them" grep -q '100000 conversations with' "$tmp/run.out"
check "... within a minute of processor time" awk '{ exit !($3 + $5 < 60) }' "$tmp/time"
check "... a word is found" sh -c "'$program' search --json n4711.1 | grep -q c4711"
timed "the same file again" "$program" import "$tmp/in.jsonl"
check "again: nothing new" grep -q ' 0 conversations with 0 messages are new, 100000 were there already' "$tmp/run.out"
timed "export" "$program" export --out "$tmp/out.csv"
export ANSWERBACK_DATA_DIR=$tmp/back
timed "import of that, CSV" "$program" import "$tmp/out.csv"
check "CSV: all of them" grep -q '100000 conversations with' "$tmp/run.out"
"$program" export --out "$tmp/back.csv" 2>/dev/null
check "CSV: the same comes out" cmp "$tmp/out.csv" "$tmp/back.csv"
check "db: whole" "$program" db check

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
