#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What retraining is worth, with memory off: facts taught in three wordings each, then asked in those, in others, and look-alikes.
# Before, after full retraining, and after an adapter. A test of bounds, and the figures in the log.
#
# MINUTES (10) of each retraining; FACTS a file of facts (tests/facts/facts.jsonl).
set -u
program=${ANSWERBACK:-./answerback}
facts=${FACTS:-$(dirname "$0")/facts/facts.jsonl}
minutes=${MINUTES:-10}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp
unset ANSWERBACK_MODEL ANSWERBACK_COMPANY 2>/dev/null
failed=0

number() { sed -n "s/.*\"$2\": *\\([0-9.e-]*\\).*/\\1/p" "$1" | head -n 1; }

bound() {      # bound NAME VALUE '<=|>=' BOUND
	if awk "BEGIN { exit !($2 $3 $4) }"; then
		echo "ok - $1: $2 ($3 $4)"
	else
		echo "not ok - $1: $2 ($3 $4)"
		failed=1
	fi
}

measure() {      # measure NAME: of the version that serves
	"$program" eval --facts --json "$facts" >"$tmp/$1" || exit 1
	echo "# $1: taught $(number "$tmp/$1" taught), unseen $(number "$tmp/$1" unseen), leaked $(number "$tmp/$1" leaked)"
}

learn() {      # learn NAME OPTIONS...
	name=$1
	shift
	export ANSWERBACK_DATA_DIR=$tmp/data-$name
	"$program" eval --facts --taught "$tmp/taught.jsonl" "$facts" && "$program" teach --jsonl "$tmp/taught.jsonl" || exit 1
	"$program" retrain --minutes "$minutes" --json "$@" >"$tmp/$name-gate" 2>"$tmp/$name-log"
	echo "# retrain $name: exit $?, $(number "$tmp/$name-gate" steps) steps, $(number "$tmp/$name-gate" seconds) s"
	sed -n '/^ok /p; /^FAILED/p' "$tmp/$name-log" | sed 's/^/#   /'
	measure "$name"
}

export ANSWERBACK_DATA_DIR=$tmp/data-none
measure before
learn full
learn adapter --adapter
bound "full: base at most 1 % worse" "$(sed -n 's/.*base_bits *\([0-9.-]*\) .*/\1/p' "$tmp/full-log" | tail -n 1)" '<=' 0.01
bound "full: unseen wordings right" "$(number "$tmp/full" unseen)" '>=' 0.6
bound "full: leaked into look-alikes" "$(number "$tmp/full" leaked)" '<=' 0.03
exit $failed
