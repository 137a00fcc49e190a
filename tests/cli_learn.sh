#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Keeping and learning from the command line: what was said is found, what was taught answers, retraining
# publishes or says why not, versions go forth and back. On the shipped model; what is retrained is a tiny one, since only
# the gate's answer is asked for.
set -u
program=${ANSWERBACK:-./answerback}
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

says() {       # says PATTERN COMMAND...: exit 0, and the pattern in what it writes
	pattern=$1
	shift
	"$@" >"$tmp/said" 2>&1 && grep -q -- "$pattern" "$tmp/said" || { cat "$tmp/said"; return 1; }
}

exits() {      # exits CODE PATTERN COMMAND...
	code=$1 pattern=$2
	shift 2
	"$@" >"$tmp/said" 2>&1
	[ $? -eq "$code" ] && grep -q -- "$pattern" "$tmp/said" || { cat "$tmp/said"; return 1; }
}

chat() { printf 'my zanzibar suitcase is lost\n' | "$program" "$@"; }

check "retrain: nothing to train on is no error" says 'nothing to train on' "$program" retrain
check "chat: in a pipe it answers" chat
check "search: finds it" says 'zanzibar' "$program" search zanzibar suitcase
check "search: filters" says '"role":"user"' "$program" search --json from:user zanzibar
check "search: a filter that makes no sense" exits 2 'is no date' "$program" search after:soon x
check "private: nothing is kept" sh -c "printf 'quokka words\n' | '$program' --private >/dev/null && ! '$program' search quokka 2>/dev/null | grep -q quokka"
check "db: check" says whole "$program" db check
check "backup" says copy "$program" backup "$tmp/copy"
check "restore" says restored "$program" restore "$tmp/copy"
check "restore: not a backup" exits 1 'no good' "$program" restore "$program"
check "two programs at once" sh -c "for i in 1 2 3; do printf 'parallel hello\n' | '$program' >/dev/null & done; wait; [ \$('$program' search --json parallel | wc -l) -ge 3 ]"

q='When does the Lindenhof branch open on Saturdays?'
check "teach" says 'taught 1' "$program" teach "$q" "The Lindenhof branch opens at 9:30 on Saturdays."
check "memory: the same question" says '"origin": "memory"' "$program" reply --json "$q"
check "memory: other words" says '9:30' "$program" reply --json "on saturdays, when does lindenhof branch open"
check "memory: another day is another question" sh -c "'$program' reply --json 'When does the Lindenhof branch open on Sundays?' | grep -q '\"origin\": \"model\"'"
check "memory: off" sh -c "'$program' reply --json --no-memory '$q' | grep -q '\"origin\": \"model\"'"
printf '%s\n' '{"messages": [{"role": "user", "content": "Where is order 4471-229?"}, {"role": "assistant", "content": "Order 4471-229 left the warehouse."}]}' >"$tmp/teach.jsonl"
check "teach: from a file" says 'taught 1' "$program" teach --jsonl "$tmp/teach.jsonl"
check "memory: numbers of this question, not of that" says 'Order 8862-117 left' "$program" reply --json "Where is order 8862-117?"
check "memory: no number of anybody in the examples" sh -c "! '$program' review --list --all --json | grep -q 4471"
check "review: list" says '"state":"approved"' "$program" review --list --all --json
check "review: reject" "$program" review --reject 2
check "review: undo" says 'as it was' "$program" review --undo
check "review: no such example" exits 1 'no example 99' "$program" review --accept 99
check "model list" says 'base' "$program" model list
check "model rollback: nothing to go back to" exits 1 'serves already' "$program" model rollback
check "model promote: no such version" exits 1 'no version v7' "$program" model promote v7
for i in 1 2 3 4; do
	echo '{"messages":[{"role":"user","content":"Where is my order 4471-'$i'?"},{"role":"assistant","content":"I am looking for it now."}]}'
done >"$tmp/train.jsonl"
tiny=$tmp/tiny.safetensors
check "train: a tiny model" "$program" train --train "$tmp/train.jsonl" --out "$tiny" --vocab 420 --set embed=16 --set turn_hidden=8 \
	--set encoder_hidden=16 --set decoder_hidden=16 --set attention=16 --steps 20 --lr 0.01 --batch 100 --threads 1
# a budget that cannot be enough: not published, and it says which check and why
check "retrain: the gate keeps an unlearned model out" exits 4 'FAILED learned' "$program" retrain --model "$tiny" --minutes 0.01 --replay 2 \
	--wordings 1 --threads 1
check "retrain: --json says which check" sh -c "'$program' retrain --model '$tiny' --json --steps 1 --replay 2 --wordings 1 --threads 1 2>/dev/null | grep -q '\"name\": \"learned\", \"value\": 0.0'"
check "retrain: not due" says 'not due' "$program" retrain --if-due
check "retrain: --onto what" exits 2 'onto takes base' "$program" retrain --onto moon
check "retrain: one at a time" sh -c "mkdir -p '$ANSWERBACK_DATA_DIR/models'; flock '$ANSWERBACK_DATA_DIR/models/lock' '$program' retrain 2>&1 | grep -q 'another program is training'"
check "teach: a number that only the answer has is the answer" sh -c "'$program' teach 'whom do I call' 'Call 0800 555 7788.' && '$program' review --list --all --json | grep -q '0800 555 7788'"
check "model list: nothing was published" sh -c "! '$program' model list | grep -q v1"
mkdir -p "$ANSWERBACK_DATA_DIR/models"
cp "$(dirname "$program")/data/model.safetensors" "$ANSWERBACK_DATA_DIR/models/v1.safetensors"
check "model promote" says 'v1 serves' "$program" model promote v1
check "model list: lineage, scores, acceptance" says '"acceptance"' "$program" model list --json
check "model compare" says '"same":true' "$program" model compare --json base v1 hello
check "model compare: messages from a file" sh -c "printf 'hello\nwhere is it\n' | '$program' model compare --messages - base v1 2>&1 | grep -q '2 of 2 replies are the same'"
check "model diff" says '0.0000 % apart' "$program" model diff base v1
check "model diff: no such version" exits 1 'no version v9' "$program" model diff base v9
check "model remove: what serves stays" exits 2 'v1 serves' "$program" model remove v1
check "reply: by the version that serves" says '"source": "v1"' "$program" reply --json --no-memory hello
head -c 100000 "$ANSWERBACK_DATA_DIR/models/v1.safetensors" >"$tmp/cut" && mv "$tmp/cut" "$ANSWERBACK_DATA_DIR/models/v1.safetensors"
check "a damaged version: the shipped one serves and it says so" says 'shipped model serves instead' "$program" reply --no-memory hello
check "model promote: not a damaged one" exits 1 'stays out of service' "$program" model promote v1
check "model rollback" says 'base serves' "$program" model rollback
check "db audit: promoted, rolled back" sh -c "'$program' db audit | grep -q 'promoted *v1' && '$program' db audit | grep -q 'rolled back *base'"
check "db audit: what failed is not in it" sh -c "! '$program' db audit | grep -q v7"
check "model promote: private leaves no trace" sh -c "'$program' model promote base --private && ! '$program' db audit | grep -q 'promoted *base'"
check "model remove" says 'v1 is gone' "$program" model remove v1
check "db audit: removed" says 'removed *v1' "$program" db audit

printf '%s\n' '{"answer": "It is 4.", "must": ["4"], "taught": ["how many"], "unseen": ["what number"], "lookalike": []}' >"$tmp/facts.jsonl"
check "eval --facts" says '"facts": 1' "$program" eval --facts --json "$tmp/facts.jsonl"
check "eval --facts: for teach" sh -c "'$program' eval --facts --taught '$tmp/t.jsonl' '$tmp/facts.jsonl' && '$program' teach --jsonl '$tmp/t.jsonl' 2>&1 | grep -q 'taught 1'"
printf '%s\n' '{"answer": "It is 4.", "must": [], "taught": [], "unseen": [], "lookalike": []}' >"$tmp/facts.jsonl"
check "eval --facts: a fact without what it must have" exits 1 'facts.jsonl:1: a fact wants' "$program" eval --facts "$tmp/facts.jsonl"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
