#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Completion as a program: the server of lines, eval --completion and --writers, n-grams, and the worked
# examples for editors, with a tiny model trained here.
set -u
root=$PWD
ab=${ANSWERBACK:-./answerback}
case $ab in /*) ;; *) ab=$PWD/$ab ;; esac
unset ANSWERBACK_MODEL ANSWERBACK_COMPANY
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
failed=0

ok() { echo "ok - $1"; }
bad() { echo "not ok - $1"; failed=1; }
must() { name=$1; shift; if "$@"; then ok "$name"; else bad "$name"; fi; }
refused() {
	name=$1 want=$2 words=$3; shift 3
	"$@" >out 2>err; got=$?
	if [ $got = "$want" ] && grep -q -- "$words" err; then ok "$name"
	else bad "$name (exit $got, said: $(head -c 300 err))"; fi
}

i=0
while [ $i -lt 40 ]; do
	echo '{"source":"s'$((i % 2))'","messages":[{"role":"user","content":"Where is my order 4471-'$i'?"},{"role":"assistant","content":"Thank you, I am looking for order 4471-'$i' now."},{"role":"user","content":"thanks"},{"role":"assistant","content":"You are welcome. Goodbye."}]}'
	i=$((i + 1))
done >train.jsonl
head -6 train.jsonl >valid.jsonl
"$ab" train --train train.jsonl --out m.safetensors --vocab 460 --set embed=24 --set turn_hidden=16 --set encoder_hidden=24 \
	--set decoder_hidden=32 --set attention=24 --steps 450 --lr 0.01 --batch 300 --seed 3 2>err || bad train

# ---- n-grams beside the model ----
must "ngrams" "$ab" ngrams --model m.safetensors --keep 1 --keep-pairs 1 --out m.ngram train.jsonl 2>err
must "... says what it counted" grep -q 'm.ngram: .* pieces' err
refused "ngrams: no file" 2 "--out" "$ab" ngrams --model m.safetensors train.jsonl
refused "ngrams: nothing to count" 1 "no conversation" "$ab" ngrams --model m.safetensors --out x.ngram /dev/null
refused "ngrams: cannot be written" 1 "cannot be written" "$ab" ngrams --model m.safetensors --out /nonexistent/x train.jsonl
head -c 500 m.ngram >cut && cp m.safetensors other.safetensors && cp cut other.ngram
must "broken n-grams do no harm" sh -c '"$0" complete --model other.safetensors "Thank y" >/dev/null' "$ab"

# ---- one ----
must "complete" test "$("$ab" complete --model m.safetensors -n 1 "Thank y")" = "ou, I am looking for"
"$ab" complete --model m.safetensors --json "Thank y" >one.json
must "... as JSON" grep -q '^{"completions": \[{"text": "ou, I am looking for", "score": .*, "confidence": .*\], "show": [a-z]*, "ms": ' one.json
must "... level off shows nothing" sh -c '"$0" complete --model m.safetensors --level off --json "Thank y" | grep -q "\"show\": false"' "$ab"
printf 'Thank y' | "$ab" complete --model m.safetensors -n 1 - >dash
must "... from standard input" grep -qx "ou, I am looking for" dash
"$ab" complete --model m.safetensors "$(printf 'Thank \360\237\230')" >out
must "half an emoji: no completion" test $? = 3 -a ! -s out
refused "an unknown level" 2 "level" "$ab" complete --model m.safetensors --level loud x
refused "an unknown role" 2 "no role" "$ab" complete --model m.safetensors --role bob x
refused "lines and a prefix" 2 "requests" "$ab" complete --model m.safetensors --stdin-lines x
awk 'BEGIN { for (i = 0; i < 20000; i++) printf "word "; printf "Thank y" }' >long
"$ab" complete --model m.safetensors -n 1 - <long >out 2>err
must "100,000 characters" test $? = 0 -o $? = 3

# ---- lines ----
context='[{"role":"user","content":"Where is my order 8812-377?"}]'
{
	echo '{"prefix":"Thank y","role":"assistant","messages":[]}'
	echo '{"prefix":"I am looking for order 88","role":"assistant","messages":'"$context"',"id":"a1"}'
	echo '{"prefix":"Thank you, I am looking for order 4471","messages":'"$context"'}'
	echo 'nonsense'
	echo '{"prefix":"a \ud83d"}'
	echo '{"prefix":4}'
	echo '[]'
	echo '{"prefix":"x","role":"bob"}'
	echo '{"prefix":"x","messages":[{"role":"user"}]}'
	echo '{"prefix":"x","messages":{}}'
	echo '{"prefix":"x\u0000y"}'
	echo
	echo '{"prefix":"Thank y","messages":null}'
} | "$ab" complete --model m.safetensors --stdin-lines >lines; got=$?
must "lines: exit 0" test $got = 0
must "lines: an answer each" test "$(wc -l <lines)" = 12
line() { sed -n "$1p" lines; }
must "lines: the first answers" sh -c 'echo "$0" | grep -q "\"text\": \"ou, I am"' "$(line 1)"
must "lines: a code of the conversation is finished, the id comes back" sh -c 'echo "$0" | grep -q "\"text\": \"12-377.*\"id\": \"a1\""' "$(line 2)"
must "lines: a code nobody said is not" sh -c '! echo "$0" | grep -q "\"text\": \"-"' "$(line 3)"
n=4
while [ $n -le 10 ]; do
	must "lines: wrong request $n is told so" sh -c 'echo "$0" | grep -q "^{\"completions\": \[\], .*\"error\": \"line $1: "' "$(line $n)" $n
	n=$((n + 1))
done
must "lines: and the server goes on" test "$(line 12 | cut -d, -f1-3)" = "$(line 1 | cut -d, -f1-3)"
# an answer comes at once, not when the input ends
mkfifo in
"$ab" complete --model m.safetensors --stdin-lines <in >answers & server=$!
exec 3>in
echo '{"prefix":"Thank y"}' >&3
tries=0
while [ ! -s answers ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
must "lines: answered at once" grep -q completions answers
exec 3>&-
must "lines: ends with its input" wait $server

# ---- measuring ----
"$ab" eval --model m.safetensors --completion --json valid.jsonl >c1.json
keys='"em1": .*"em2": .*"em3": .*"em4": .*"em5": .*"em1_midword": .*"precision_at_25": .*"precision_at_40": .*"keystrokes_saved": .*"typing_effort_saved": .*"trigger_rate": .*"match_rate": '
must "eval --completion has its keys" grep -q "$keys.*\"counts\": .*\"ngram\": {$keys.*\"counts\"" c1.json
"$ab" eval --model m.safetensors --completion --json --threads 1 valid.jsonl | sed 's/"ms_[a-z0-9]*": [0-9.]*//g' >c2.json
sed -i 's/"ms_[a-z0-9]*": [0-9.]*//g' c1.json
must "... the same again, on one thread" cmp -s c1.json c2.json
"$ab" eval --model m.safetensors --completion --json --limit 2 --text train.jsonl valid.jsonl >c3.json
must "... with training text, prefixes were seen" grep -q '"unseen": {"boundaries": 0,' c3.json
must "... learned by heart saves keys" sh -c 'awk -F"keystrokes_saved\": " "{ exit !(\$2 + 0 > 0.5) }" c1.json'
refused "... an unknown level" 2 "level" "$ab" eval --model m.safetensors --completion --level loud valid.jsonl
refused "... no turn of that role" 1 "no turn" sh -c 'echo "{\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}" | exec "$0" eval --model m.safetensors --completion -' "$ab"
must "... fits constants" "$ab" eval --model m.safetensors --completion --fit fit.h valid.jsonl 2>err
must "... as C" sh -c 'grep -q "ghost_weights_model = {" fit.h && grep -q "ghost_mix = {" fit.h && ! grep -qi nan fit.h'
refused "eval --writers: too little text" 1 "500\\|words" "$ab" eval --model m.safetensors --writers valid.jsonl
i=0
while [ $i -lt 30 ]; do sed "s/Thank you/Kindly bear with me/" train.jsonl; i=$((i + 10)); done >w.jsonl
must "eval --writers" sh -c '"$0" eval --model m.safetensors --writers --json w.jsonl >w.json && grep -q "\"n\": 2" w.json' "$ab"
must "... learning helps" sh -c 'awk -F"perplexity_fall\": " "{ exit !(\$2 + 0 > 0.15) }" w.json'

# ---- worked examples ----
if [ -d "$root/data/examples" ]; then
	printf 'To: a@example.com\nSubject: Re: order\n\n> Where is my order 8812-377?\n\nThank you, I "am" looking for order 88' >draft
	ANSWERBACK_MODEL=m.safetensors ANSWERBACK="$ab" "$root/data/examples/answerback-mail" draft >mail
	must "mail composer: the last line goes on" grep -q '^Thank you, I "am" looking for order 8812-377' mail
	must "... the rest is as it was" sh -c 'head -5 draft >a; head -5 mail | cmp -s - a'
	ANSWERBACK_MODEL=m.safetensors ANSWERBACK="$ab" "$root/data/examples/answerback-mail" -i draft
	must "... in place" cmp -s mail draft
	if command -v vim >/dev/null && vim --version | grep -q '+job'; then
		printf '> Where is my order 8812-377?\nThank y' >reply
		ANSWERBACK_MODEL=m.safetensors timeout 20 vim -u NONE -N -es reply -c "let g:answerback_command = ['$ab']" \
			-c "source $root/data/examples/answerback.vim" -c 'call cursor(2, 99)' -c 'set virtualedit=onemore' \
			-c 'call cursor(2, 8)' -c 'let ways = AnswerbackAsk()' -c "call writefile(ways, 'ways')" -c 'qa!' </dev/null >/dev/null 2>&1
		must "vim: asks the server" grep -q '^ou, I am looking' ways
	else
		echo "# no vim with jobs here: its example is not tried"
	fi
fi

[ $failed = 0 ]
