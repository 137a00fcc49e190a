#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# cli_write.sh: the writing desk where there is no screen, and completion of documents without it.
set -u
ab=${ANSWERBACK:-./answerback}
case $ab in /*) ;; *) ab=$PWD/$ab ;; esac
unset ANSWERBACK_MODEL ANSWERBACK_COMPANY
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
HOME=$dir
export HOME
failed=0

# is NAME COMMAND...
is() {
	name=$1
	shift
	if "$@"; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		failed=1
	fi
}

# refused EXIT-CODE WORDS COMMAND...
refused() {
	want=$1 words=$2
	shift 2
	"$@" >out 2>err </dev/null
	got=$?
	[ $got = "$want" ] && grep -q -- "$words" err && [ "$(wc -l <err)" = 1 ] && [ ! -s out ] ||
		{ echo "# exit $got, said: $(head -c 300 err)"; return 1; }
}

is 'no terminal: says so, and what works' refused 1 'answerback complete' "$ab" write letter.txt
is 'nothing is made' test ! -e letter.txt -a ! -e .local
is 'two files: wrong usage' refused 2 'one file' "$ab" write a b
is 'write --help' sh -c '"$1" write --help | grep -q "usage: answerback write"' sh "$ab"

i=0
while [ $i -lt 40 ]; do
	echo '{"messages":[{"role":"document","content":"The first page tells of a parcel."},{"role":"document","content":"The second page tells of a letter."}]}'
	echo '{"messages":[{"role":"user","content":"Where is my order 4471-'$i'?"},{"role":"assistant","content":"I am looking for order 4471-'$i' now."}]}'
	i=$((i + 1))
done >train.jsonl
is 'a model with a role for documents' "$ab" train --train train.jsonl --tags user,assistant,document --out m.safetensors \
	--vocab 460 --set embed=24 --set turn_hidden=16 --set encoder_hidden=24 --set decoder_hidden=32 --set attention=24 \
	--steps 150 --lr 0.01 --batch 300 --seed 3 2>err
is 'completes a document' sh -c '"$1" complete --model m.safetensors --role document "The first page tells of a par" | head -n 1 | grep -q "^cel"' sh "$ab"
echo '{"messages":[{"role":"document","content":"The first page tells of a parcel."}]}' >context.jsonl
is 'with what stands before' sh -c '"$1" complete --json --model m.safetensors --role document --context context.jsonl "The second page tells of a let" | grep -q "\"text\": \"ter"' sh "$ab"
printf '%s\n' '{"prefix":"The second page tells of a let","role":"document","messages":[{"role":"document","content":"The first page tells of a parcel."}]}' >lines
is 'and as a server' sh -c '"$1" complete --stdin-lines --model m.safetensors <lines | grep -q "\"text\": \"ter"' sh "$ab"
exit $failed
