#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The memory from the command line: a handful of facts, each taught once, come back in other words; questions that only
# look alike do not get their answers; vectors are kept and made again. On the shipped model and encoder.
set -u
program=${ANSWERBACK:-./answerback}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export ANSWERBACK_DATA_DIR=$tmp/data HOME=$tmp
unset ANSWERBACK_PRIVATE ANSWERBACK_MODEL ANSWERBACK_COMPANY 2>/dev/null
passed=0 failed=0

check() {      # check NAME COMMAND...
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

# remembered TEXT PATTERN: answered from memory, with the pattern in it and the example's number
remembered() {
	"$program" reply --json "$1" >"$tmp/said" 2>&1
	grep -q '"origin": "memory"' "$tmp/said" && grep -q '"source": "example [0-9]' "$tmp/said" && grep -q -- "$2" "$tmp/said" ||
		{ cat "$tmp/said"; return 1; }
}

# silent TEXT: the model answered
silent() {
	"$program" reply --json "$1" >"$tmp/said" 2>&1
	grep -q '"origin": "model"' "$tmp/said" || { cat "$tmp/said"; return 1; }
}

teach() { "$program" teach "$1" "$2" 2>&1 | grep -q 'taught 1'; }

check "nothing taught, nothing remembered" silent 'What is the restocking fee for drones?'
check "teach 1" teach 'What is the restocking fee for drones?' 'The restocking fee for drones is 12 percent.'
check "teach 2" teach 'Until when is the Larch Street counter open on Fridays?' 'On Fridays Larch Street closes at 19:30.'
check "teach 3" teach 'Who repairs Tamarin guitars?' 'Tamarin guitars are repaired by Moll and Son.'
check "teach 4" teach 'How much data is in the Wren tariff?' 'The Wren tariff has 22 gigabytes.'
check "teach 5" teach 'Where is order 4471-229?' 'Order 4471-229 left the warehouse.'

check "the same question" remembered 'What is the restocking fee for drones?' '12 percent'
check "without case and marks" remembered 'what is the restocking fee for drones' '12 percent'
check "other words 1" remembered 'how much is the restocking charge on a drone' '12 percent'
check "other words 2" remembered 'hi, who can fix my Tamarin guitar please' 'Moll and Son'
check "other words 3" remembered 'when does the Larch Street counter close on Fridays' '19:30'
check "other words 4" remembered 'how many gigabytes do I get with the Wren tariff' '22 gigabytes'
check "a typing error" remembered 'how much data is in teh Wren tarif' '22 gigabytes'
check "another thing" silent 'What is the restocking fee for cameras?'
check "another question" silent 'How far can drones fly?'
check "another day" silent 'Until when is the Larch Street counter open on Sundays?'
check "another name" silent 'How much data is in the Heron tariff?'
check "memory off" sh -c "'$program' reply --json --no-memory 'Who repairs Tamarin guitars?' | grep -q '\"origin\": \"model\"'"
check "the question's own number in the answer" remembered 'Where is order 8862-117?' 'Order 8862-117 left'
check "a number nobody said: silent" silent 'Where is my order?'
check "the latest teaching wins" sh -c "'$program' teach 'Who repairs Tamarin guitars?' 'Now it is Ostler.' 2>/dev/null && '$program' reply --json 'Who repairs Tamarin guitars?' | grep -q Ostler"

check "many at once" sh -c "[ \"\$(printf 'Who repairs Tamarin guitars?\nHow far can drones fly?\n' | '$program' reply --json - | sed 's/.*\"origin\": \"\([a-z]*\)\".*/\1/' | tr '\n' ' ')\" = 'memory model ' ]"
check "doctor names the encoder" sh -c "'$program' doctor | grep -q 'version: e1-'"

# ---- measuring ----
printf '%s\n' '{"question": "Who repairs Tamarin guitars?", "answer": "Moll.", "rewordings": ["who fixes Tamarin guitars"], "lookalikes": ["Who sells Tamarin guitars?"]}' \
	'{"question": "What does the Wren tariff cost?", "answer": "9 a month.", "rewordings": [], "lookalikes": []}' >"$tmp/facts.jsonl"
check "eval --memory" sh -c "'$program' eval --memory --json '$tmp/facts.jsonl' | grep -q '\"exact\":1.0.*\"facts\":2,\"asked\":4,\"curve\":'"
check "eval --memory: words alone" sh -c "'$program' eval --memory --encoder none '$tmp/facts.jsonl' | grep -q '^at the bar in use'"
printf '%s\n' '{"question": "x"}' >"$tmp/bad.jsonl"
check "eval --memory: not a fact" sh -c "'$program' eval --memory '$tmp/bad.jsonl' 2>&1 | grep -q 'bad.jsonl:1: wants'"
check "eval --memory: no such file" sh -c "! '$program' eval --memory '$tmp/none.jsonl' 2>/dev/null"
check "eval --memory: not an encoder" sh -c "! '$program' eval --memory --encoder '$tmp/facts.jsonl' '$tmp/facts.jsonl' 2>/dev/null"

# ---- the promise: facts that nothing was tuned on ----
at_bar() { sed 's/,"facts":.*//; s/[{}"]//g' "$tmp/figures" | tr ',' '\n' | sed -n "s/^$1://p"; }
held_out() { # FILE LEAST-REWORDINGS
	"$program" eval --memory --json "$here/$1" >"$tmp/figures"
	check "$1: exact questions all" awk "BEGIN { exit !($(at_bar exact) >= 1) }"
	check "$1: rewordings" awk "BEGIN { exit !($(at_bar rewordings) >= $2) }"
	check "$1: look-alikes" awk "BEGIN { exit !($(at_bar lookalikes) <= 0.03) }"
}
held_out facts_held_out.jsonl 0.79
held_out facts_held_out_2.jsonl 0.60

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
