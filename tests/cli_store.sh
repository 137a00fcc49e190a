#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# What is kept, from the command line: forgetting. On the shipped model.
set -u
program=${ANSWERBACK:-./answerback}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export ANSWERBACK_DATA_DIR=$tmp/data HOME=$tmp
unset ANSWERBACK_PRIVATE ANSWERBACK_MODEL ANSWERBACK_COMPANY ANSWERBACK_RETENTION_DAYS 2>/dev/null
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
	"$@" >"$tmp/said" 2>&1 </dev/null && grep -q -- "$pattern" "$tmp/said" || { cat "$tmp/said"; return 1; }
}

exits() {      # exits CODE PATTERN COMMAND...
	code=$1 pattern=$2
	shift 2
	"$@" >"$tmp/said" 2>&1 </dev/null
	[ $? -eq "$code" ] && grep -q -- "$pattern" "$tmp/said" || { cat "$tmp/said"; return 1; }
}

nowhere() { ! grep -rail -- "$1" "$ANSWERBACK_DATA_DIR"; }
somewhere() { grep -rail -- "$1" "$ANSWERBACK_DATA_DIR"; }

# ---- forget ----

printf 'my zanzibarium suitcase is lost\nit is blue\n\nhello there\n' | "$program" >"$tmp/replies" 2>&1
printf 'where is the Okapistan parcel\n' | "$program" >/dev/null 2>&1
check "forget: a wrong word" exits 2 'say conversation ID' "$program" forget everything
check "forget: no number" exits 2 'no conversation' "$program" forget conversation x
check "forget: no such conversation" exits 1 'no conversation 99' "$program" forget --yes conversation 99
check "forget: nobody to ask" exits 2 'nobody is there' "$program" forget phrase zanzibarium
check "forget: too short" exits 2 'too short' "$program" forget --yes phrase ' e '
check "... and nothing was changed" says zanzibarium "$program" search zanzibarium
check "backup in the folder" says backup "$program" backup
check "backup elsewhere" says copy.db "$program" backup "$tmp/copy.db"
mkdir -p "$tmp/data/state"
printf 'zanzibarium\nother line\n' >"$tmp/data/state/line_history"
check "it is in several files" somewhere zanzibarium
check "forget: a phrase, in any case" says '"copies":2' "$program" forget --yes --json phrase 'ZANZIBARIUM Suitcase'
check "... leaves it where more of it is a line alone" says zanzibarium cat "$tmp/data/state/line_history"
check "forget: the word alone" says 'forgotten' "$program" forget --yes phrase zanzibarium
check "... is nowhere" nowhere zanzibarium
check "... nor in the copy elsewhere" sh -c "! grep -qai zanzibarium '$tmp/copy.db'"
check "... other lines stay" says 'other line' cat "$tmp/data/state/line_history"
check "... other messages stay" says 'it is' "$program" search blue
check "... the copy elsewhere is whole" says restored "$program" restore "$tmp/copy.db"
check "db: check" says whole "$program" db check
check "a file of one's own is named" sh -c "echo 'the okapistan' >'$tmp/data/mine.txt'; '$program' forget --yes phrase okapistan >'$tmp/said' 2>&1; [ \$? = 1 ] && grep -q 'not clean: .*mine.txt' '$tmp/said'"
rm -f "$tmp/data/mine.txt"
check "... and the rest is clean" nowhere okapistan
check "forget: a conversation" sh -c "id=\$('$program' search --json 'blue' | sed 's/.*\"conversation\":\\([0-9]*\\).*/\\1/' | head -1); '$program' forget --yes conversation \$id && ! '$program' search blue 2>/dev/null | grep -q blue"
check "restore and forget wait for nobody who writes back" sh -c "
	mkfifo '$tmp/in'
	'$program' <'$tmp/in' >'$tmp/answers' 2>/dev/null & pid=\$!
	exec 9>'$tmp/in'; echo 'good morning' >&9
	while ! [ -s '$tmp/answers' ]; do sleep 0.1; done
	'$program' forget --yes phrase morning 2>&1 | grep -q 'close it' && '$program' restore '$tmp/copy.db' 2>&1 | grep -q 'close it'; rc=\$?
	exec 9>&-; wait \$pid; exit \$rc"

# ---- canned ----

check "canned: those of the program, without a database" sh -c "[ \$(ANSWERBACK_DATA_DIR='$tmp/none' '$program' canned list | wc -l) -gt 20 ] && [ ! -e '$tmp/none' ]"
check "canned: set" "$program" canned set mine 'About order {order}, {name}: {not a field} done.'
check "canned: show is exact" says '^About order {order}, {name}: {not a field} done.$' "$program" canned show mine
check "canned: fields" says '"fields":\["order","name"\]' "$program" canned show --json mine
check "canned: list marks own ones" says '^mine *\* About' "$program" canned list
check "canned: own ones alone" sh -c "[ \$('$program' canned list --own --json | wc -l) = 1 ]"
check "canned: one of the program's is replaced" sh -c "'$program' canned set thanks 'Thanks to you.' && '$program' canned show thanks | grep -qx 'Thanks to you.'"
check "canned: remove brings it back" sh -c "'$program' canned remove thanks && ! '$program' canned show thanks | grep -q 'to you'"
check "canned: the program's stay" exits 2 'comes with the program' "$program" canned remove thanks
check "canned: none of that name" exits 1 'there is no canned reply' "$program" canned show nonesuch
check "canned: nothing to remove" exits 1 'there is no canned reply' "$program" canned remove nonesuch
check "canned: a name is one word" exits 2 'is no name' "$program" canned set 'two words' x
check "canned: a text has words" exits 2 'no words' "$program" canned set empty ' '
printf '%s\n' '{"name": "one", "text": "1"}' '' '{"name": "two", "text": "2"}' >"$tmp/canned.jsonl"
check "canned: import" says '2 canned' "$program" canned import "$tmp/canned.jsonl"
printf '%s\n' '{"name": "three", "text": "3"}' '{"name": "four"}' >"$tmp/canned.jsonl"
check "canned: a wrong line is named" exits 1 'canned.jsonl:2' "$program" canned import "$tmp/canned.jsonl"
check "... and nothing of the file is taken" exits 1 'no canned' "$program" canned show three
check "canned: no such file" exits 1 'cannot be read' "$program" canned import "$tmp/nonesuch"
check "canned: standard input" sh -c "echo '{\"name\": \"five\", \"text\": \"5\"}' | '$program' canned import - && '$program' canned show five | grep -qx 5"

# ---- stats, retention ----

check "stats: by week and model" sh -c "'$program' stats --json | grep -c '\"of\": \"\(all\|week\|model\)\"' | grep -qx 3"
check "stats: adds up" sh -c "'$program' stats --json | grep '\"of\": \"all\"' | grep -q '\"origins\": {\"model\": [1-9]'"
check "stats: as text" says '^week of' "$program" stats
check "stats: nothing kept yet" sh -c "ANSWERBACK_DATA_DIR='$tmp/none' '$program' stats 2>&1 | grep -q 'nothing is kept yet'"
check "stats: no operands" exits 2 'options only' "$program" stats everything
check "retention: no number" sh -c "ANSWERBACK_RETENTION_DAYS=soon '$program' </dev/null 2>'$tmp/said'; [ \$? = 2 ] && grep -q RETENTION_DAYS '$tmp/said'"

# ---- db ----

check "db: check, of nothing" sh -c "ANSWERBACK_DATA_DIR='$tmp/none' '$program' db check 2>&1 | grep -q 'nothing is kept yet' && [ ! -e '$tmp/none' ]"
check "db: check as JSON" says '"whole":true' "$program" db check --json
check "db: vacuum says sizes" says 'MB, before' "$program" db vacuum
check "db: migrate, nothing to do" says 'already' "$program" db migrate
check "db: something else" exits 2 'say check' "$program" db explode
"$program" teach 'How high is the tower?' 'Ninety metres.' 2>/dev/null
check "db: audit" says 'approved *example 1: taught' "$program" db audit
check "db: audit as JSON" says '"what":"restored"' "$program" db audit --json
cp "$tmp/data/answerback.db" "$tmp/whole.db"
dd if=/dev/urandom of="$tmp/data/answerback.db" bs=4096 seek=2 count=8 conv=notrunc 2>/dev/null
check "db: check of a damaged file" exits 1 'damaged' "$program" db check
check "restore puts a copy in its place" says restored "$program" restore "$tmp/whole.db"
check "... whole" says 'whole' "$program" db check
# the version is a number of four bytes, 60 bytes into the file
printf '\000\000\000\143' | dd of="$tmp/data/answerback.db" bs=1 seek=60 conv=notrunc 2>/dev/null
for c in "search x" "db check" "db vacuum" "db migrate" "stats" "forget --yes phrase word" "canned list" "backup"; do
	# shellcheck disable=SC2086
	check "newer version: $c" exits 1 'newer answerback' "$program" $c
done

echo "1..$((passed + failed))"
[ $failed = 0 ]
