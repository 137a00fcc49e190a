#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The commands around a model, end to end: train a tiny one on made-up text (two other role names
# too), answer, complete, evaluate, resume after C-c, and meet bad input.
set -u
ab=${ANSWERBACK:-./answerback}
case $ab in /*) ;; *) ab=$PWD/$ab ;; esac
unset ANSWERBACK_MODEL ANSWERBACK_COMPANY
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

ok() { echo "ok - $1"; }
bad() { echo "not ok - $1"; failed=1; }
# say NAME, then a command that must succeed
must() { name=$1; shift; if "$@"; then ok "$name"; else bad "$name"; fi; }
# NAME WANTED-EXIT-CODE WORDS-ON-STDERR command...
refused() {
	name=$1 want=$2 words=$3; shift 3
	"$@" >out 2>err; got=$?
	if [ $got = "$want" ] && grep -q -- "$words" err && [ "$(grep -c '^answerback' err)" -ge 1 ]; then ok "$name"
	else bad "$name (exit $got, said: $(head -c 300 err))"; fi
}

i=0
while [ $i -lt 40 ]; do
	echo '{"messages":[{"role":"user","content":"Where is my order 4471-'$i'?"},{"role":"assistant","content":"Thank you, I am looking for order 4471-'$i' now."},{"role":"user","content":"thanks"},{"role":"assistant","content":"You are welcome. Goodbye."}]}'
	i=$((i + 1))
done >train.jsonl
head -5 train.jsonl >valid.jsonl
small="--vocab 460 --set embed=24 --set turn_hidden=16 --set encoder_hidden=24 --set decoder_hidden=32 --set attention=24"

# shellcheck disable=SC2086
must train "$ab" train --train train.jsonl --valid valid.jsonl --out m.safetensors $small --steps 150 --lr 0.01 \
	--batch 300 --seed 3 --log run.jsonl 2>err
must "log is JSON lines" grep -q '"event":"eval".*"bits_per_char"' run.jsonl
must verify sh -c '"$0" model verify m.safetensors >/dev/null' "$ab"
"$ab" reply --model m.safetensors --json "Where is my order 881-7762?" >r.json
must "the order number comes back right" grep -q '881-7762' r.json
must "reply has its keys" grep -q '"reply": .*"score": .*"confidence": .*"tokens": .*"ms": ' r.json
"$ab" complete --model m.safetensors --json --context valid.jsonl --role user "tha" >c.json
must "completion from mid-word" grep -q '"text": "nks"' c.json

# a message of a megabyte takes neither minutes nor gigabytes
{ yes 'where is the parcel that I sent' | head -n 40000 | tr '\n' ' '; echo 'Where is my order 881-7762?'; } >huge
(ulimit -v 700000; exec "$ab" reply --model m.safetensors - <huge >huge.out 2>err)
must "a megabyte is answered" test "$?" -le 3
{ printf '{"messages":[{"role":"user","content":"'; tr -d '\n' <huge; printf '"},{"role":"assistant","content":"'; tr -d '\n' <huge; echo '"}]}'; } >huge.jsonl
(ulimit -v 3000000; exec "$ab" eval --model m.safetensors --json --likelihood huge.jsonl >e.json 2>err)
must "a megabyte is evaluated" grep -q '"bits_per_char": [0-9]' e.json
must "what is left out is said" grep -q 'its first 16000 are judged' err

printf 'Where is my order 1-55512?\nthanks\n\nthanks\n' | ANSWERBACK_MODEL=m.safetensors "$ab" >lines
must "a pipe gives a line a line" test "$(wc -l <lines)" = 3
"$ab" eval --model m.safetensors --json --limit 3 --per-turn turns.jsonl valid.jsonl >e.json
must "eval has its keys" grep -q '"bits_per_char": .*"context_gain": .*"em1": .*"counts"' e.json
must "eval writes every turn" test "$(wc -l <turns.jsonl)" = 12

# between two models: 0 is the first, 1 the second; others' sizes are refused
# shellcheck disable=SC2086
"$ab" train --train train.jsonl --out on.safetensors --init m.safetensors --steps 5 --batch 300 2>/dev/null
for p in 0 1; do "$ab" model blend m.safetensors on.safetensors --part $p --valid valid.jsonl --out b$p.safetensors; done
must "blend: what it scores is in the file" sh -c '"$0" model info b1.safetensors | grep -q held_out_bits_per_char' "$ab"
says() { "$ab" eval --likelihood --json --model "$1" valid.jsonl; }
must "blend: none of the way" test "$(says b0.safetensors)" = "$(says m.safetensors)"
must "blend: all of the way" test "$(says b1.safetensors)" = "$(says on.safetensors)"
must "blend: they differ" test "$(says b0.safetensors)" != "$(says b1.safetensors)"
# shellcheck disable=SC2086
"$ab" train --train train.jsonl --out other.safetensors $small --set embed=16 --steps 1 --batch 300 2>/dev/null
refused "blend: other sizes" 2 "differ in their sizes" "$ab" model blend m.safetensors other.safetensors --out x.safetensors
refused "blend: where to" 2 "out FILE" "$ab" model blend m.safetensors on.safetensors

# the same seed, twice, and with another number of threads: the same file
# shellcheck disable=SC2086
for t in 1 2; do
	"$ab" train --train train.jsonl --out s$t.safetensors $small --steps 12 --batch 300 --threads $t 2>/dev/null
done
must "threads do not matter" cmp -s s1.safetensors s2.safetensors

# a disk that is full while a checkpoint and while the model is written: said clearly, and what was there stays
# shellcheck disable=SC2086
"$ab" train --train train.jsonl --out full.safetensors $small --steps 10 --batch 300 2>/dev/null
cp full.safetensors full.before
# shellcheck disable=SC2086
timeout -s INT 1 "$ab" train --train train.jsonl --out full.safetensors $small --steps 100000 --batch 300 2>/dev/null
cp full.safetensors.checkpoint checkpoint.before
# shellcheck disable=SC2086
(trap '' XFSZ; ulimit -f 40; exec "$ab" train --train train.jsonl --out full.safetensors $small --minutes 0.02 --batch 300 \
	--checkpoint-minutes 0.001 >out 2>err)
got=$?
must "a full disk is an error" test $got = 1
must "a checkpoint that failed is said" grep -q 'checkpoint' err
must "and why" grep -qi 'large\|space' err
must "the old checkpoint survives a full disk" cmp -s full.safetensors.checkpoint checkpoint.before
must "so does the old model" cmp -s full.safetensors full.before
must "no half file stays behind" test -z "$(find . -name '*.tmp*')"

printf '%s\n' '{"en":"good morning","fr":"bonjour"}' '{"en":"good night","fr":"bonne nuit"}' >pairs.jsonl
# shellcheck disable=SC2086
must "any two roles" "$ab" train --train pairs.jsonl --tags en,fr --out p.safetensors $small --steps 100 --lr 0.01 --batch 50 2>err
must "answers as the second" test "$("$ab" reply --model p.safetensors "good night")" = "bonne nuit"

head -c 3000 m.safetensors >cut.safetensors
refused "a truncated model" 1 cut.safetensors "$ab" reply --model cut.safetensors hi
echo hello >text.safetensors
refused "a file that is no model" 1 text.safetensors "$ab" reply --model text.safetensors hi
refused "no such model" 1 nothing.safetensors "$ab" reply --model nothing.safetensors hi
: >empty.jsonl
refused "nothing to train on" 1 "nothing to train on" "$ab" train --train empty.jsonl --out x.safetensors
refused "no such training file" 1 missing.jsonl "$ab" train --train missing.jsonl --out x.safetensors
refused "an output that cannot be written" 1 "cannot be written" "$ab" train --train train.jsonl --out /nonexistent/x.safetensors
refused "strict stops at a bad line" 1 "bad.jsonl:2" sh -c 'printf "%s\n%s\n" "$(head -1 train.jsonl)" "{oops" >bad.jsonl; exec "$0" train --strict --train bad.jsonl --out x.safetensors' "$ab"
refused "no message" 2 "reply" "$ab" reply --model m.safetensors
refused "an unknown role" 2 "no role" "$ab" reply --model m.safetensors --as nobody hi

[ $failed = 0 ]
