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

echo "1..$((passed + failed))"
[ $failed = 0 ]
