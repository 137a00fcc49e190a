#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# cli_program.sh: the program as the system sees it: exit codes, streams, pipes, locale,
# folders. ANSWERBACK names the program.
set -u
A=${ANSWERBACK:-./answerback}
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
failed=0

# is NAME COMMAND...: one test case
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

# exits CODE COMMAND...
exits() {
	want=$1
	shift
	"$@" >"$T/out" 2>"$T/err" </dev/null
	got=$?
	[ $got = "$want" ] || { echo "# exit $got, not $want: $*"; return 1; }
}

one_line() {
	[ "$(wc -l <"$1")" = 1 ]
}

is '--help: exit 0' exits 0 "$A" --help
is '... on stdout alone' test -s "$T/out" -a ! -s "$T/err"
is '--version: exit 0' exits 0 "$A" --version
is 'an unknown command: exit 2' exits 2 "$A" bogus
is '... one line on stderr, none on stdout' one_line "$T/err"
is '... nothing on stdout' test ! -s "$T/out"
is 'an unknown option: exit 2' exits 2 "$A" doctor --bogus
is 'every command has --help' sh -c '
	"$1" --help | sed -n "/^commands:/,/^\$/s/^  \([a-z][a-z-]*\) .*/\1/p" | {
		n=0
		while read -r c; do
			n=$((n + 1))
			"$1" "$c" --help </dev/null | grep -q "^usage: answerback $c" || { echo "# $c"; exit 1; }
		done
		[ $n -gt 0 ]
	}' sh "$A"
[ -w /dev/full ] && is 'a full disk: exit 1' sh -c '"$1" --help >/dev/full 2>"$2"; [ $? = 1 ]' sh "$A" "$T/err"
is 'a closed pipe: quiet' sh -c '
	mkfifo "$2/fifo"
	{ sleep 0.3; "$1" --help; } 2>"$2/err" >"$2/fifo" & : <"$2/fifo"
	wait
	[ ! -s "$2/err" ]' sh "$A" "$T"
is 'closed standard streams' sh -c '"$1" --version <&- >&- 2>&-; [ $? -le 1 ]' sh "$A"

is 'doctor: exit 0' exits 0 "$A" doctor
is '... says the version' grep -q 'version: ' "$T/out"
is '... and the kernels' grep -q 'kernels: ' "$T/out"
is 'doctor --json: one line' sh -c '"$1" doctor --json | wc -l | grep -qx 1' sh "$A"
is 'doctor: UTF-8 without a locale' sh -c 'env -i "$1" doctor | grep -q "charset: UTF-8"' sh "$A"
is 'doctor: UTF-8 with an unknown locale' sh -c 'LC_ALL=xx_XX "$1" doctor | grep -q "charset: UTF-8"' sh "$A"
is 'doctor: a plain processor' sh -c 'ANSWERBACK_CPU=plain "$1" doctor | grep -q "kernels: plain"' sh "$A"
is 'doctor: makes no folders' sh -c 'HOME=$2/home "$1" doctor >/dev/null; [ ! -e "$2/home" ]' sh "$A" "$T"
is 'doctor: a folder of the home starts with ~' sh -c 'HOME=$2/home "$1" doctor | grep -q "path: ~/.config/answerback"' sh "$A" "$T"
is 'doctor: names a model that is not there' sh -c '"$1" doctor --model /nonexistent | grep -q "problem: .*/nonexistent"' sh "$A"
printf 'no model at all' >"$T/bad"
is 'doctor: says what is wrong with a model' sh -c '"$1" doctor --model "$2/bad" | grep -q "problem: "' sh "$A" "$T"
exit $failed
