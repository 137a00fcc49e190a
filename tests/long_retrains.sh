#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ROUNDS (10) retrainings in a row, new facts each time, memory off: do the first facts hold, does the base, does anything leak?
#
# MINUTES (10) of each retraining; FACTS a file of facts (tests/facts/facts.jsonl), dealt out evenly over the rounds.
set -u
program=${ANSWERBACK:-./answerback}
facts=${FACTS:-$(dirname "$0")/facts/facts.jsonl}
minutes=${MINUTES:-10}
rounds=${ROUNDS:-10}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp ANSWERBACK_DATA_DIR=$tmp/data
unset ANSWERBACK_MODEL ANSWERBACK_COMPANY 2>/dev/null
failed=0

number() { sed -n "s/.*\"$2\": *\\([0-9.e-]*\\).*/\\1/p" "$1" | head -n 1; }

all=$(grep -c . "$facts")
each=$(((all + rounds - 1) / rounds))
for round in $(seq 1 "$rounds"); do
	sed -n "$(((round - 1) * each + 1)),$((round * each))p" "$facts" >"$tmp/new"
	[ -s "$tmp/new" ] || break
	cat "$tmp/new" >>"$tmp/so-far"
	[ "$round" -eq 1 ] && cp "$tmp/new" "$tmp/first"
	"$program" eval --facts --taught "$tmp/taught.jsonl" "$tmp/new" && "$program" teach --jsonl "$tmp/taught.jsonl" 2>/dev/null || exit 1
	"$program" retrain --minutes "$minutes" --json >"$tmp/gate" 2>"$tmp/log"
	code=$?
	for which in first so-far; do
		"$program" eval --facts --json "$tmp/$which" >"$tmp/$which.json" || exit 1
	done
	base=$(sed -n 's/.*base_bits *\([0-9.-]*\) .*/\1/p' "$tmp/log" | tail -n 1)
	echo "# round $round: exit $code, base ${base:-none}; first facts: taught $(number "$tmp/first.json" taught), unseen $(number "$tmp/first.json" unseen);" \
		"all: taught $(number "$tmp/so-far.json" taught), unseen $(number "$tmp/so-far.json" unseen), leaked $(number "$tmp/so-far.json" leaked)"
done

bound() {
	if awk "BEGIN { exit !($2 $3 $4) }"; then
		echo "ok - $1: $2 ($3 $4)"
	else
		echo "not ok - $1: $2 ($3 $4)"
		failed=1
	fi
}
bound "the first facts still hold, unseen wordings" "$(number "$tmp/first.json" unseen)" '>=' 0.6
bound "all facts, unseen wordings" "$(number "$tmp/so-far.json" unseen)" '>=' 0.6
bound "leaked into look-alikes" "$(number "$tmp/so-far.json" leaked)" '<=' 0.03
bound "the base, counted from the shipped model" "${base:-1}" '<=' 0.01
exit $failed
