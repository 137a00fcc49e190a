#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# cli_config.sh: settings from the shell, completions, what make install puts where, and doctor on settings that are wrong.
# ANSWERBACK names the program.
set -u
A=$(realpath "${ANSWERBACK:-./answerback}")
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
unset ANSWERBACK_CONFIG ANSWERBACK_COMPANY ANSWERBACK_GHOST ANSWERBACK_PRIVATE ANSWERBACK_MODEL ANSWERBACK_DATA_DIR XDG_CONFIG_HOME
export HOME="$T/home"
C=$HOME/.config/answerback/config.ini
mkdir "$HOME"
failed=0

# is NAME COMMAND...: one test case
is() {
	name=$1
	shift
	if "$@"; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$T/out" "$T/err" 2>/dev/null | head -20
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

out() {
	grep -qF -- "$1" "$T/out"
}

err() {
	grep -qF -- "$1" "$T/err"
}

silent() {
	[ ! -s "$T/err" ]
}

file_is() {
	printf "$1" | cmp -s - "$C"
}

# ---- get, set, list, path, check ----

is 'path: exit 0' exits 0 "$A" config path
is '... the file by XDG' out "$C"
is '... which is not made by looking' test ! -e "$HOME/.config"
is 'set' exits 0 "$A" config set ghost shy
is '... says where' err "$C"
is '... made for the user alone' test "$(stat -c %a "$C")$(stat -c %a "$HOME/.config/answerback")" = 600700
is 'get' exits 0 "$A" config get ghost
is '... prints the value alone' test "$(cat "$T/out")" = shy -a ! -s "$T/err"
is 'set a wrong value: exit 2' exits 2 "$A" config set ghost loud
is '... says what is allowed' err "ghost: it is off, shy, normal or eager, not 'loud'"
is 'set an unknown name: exit 1' exits 1 "$A" config set gohst shy
is '... names the nearest' err 'ghost is the nearest'
printf '# mine\r\n\ncompany=A\n\n; last words\n' >"$C"
is 'set keeps all else' exits 0 "$A" config set company 'Br\303\244u; & S\303\266hne'
is '... comments, order, blank lines' file_is '# mine\r\n\ncompany=Br\\303\\244u; & S\\303\\266hne\n\n; last words\n'
is 'unset' exits 0 "$A" config unset company
is '... takes its line out' file_is '# mine\r\n\n\n; last words\n'
"$A" config set company 'The Kettle Shop' 2>/dev/null
is 'list: exit 0' exits 0 "$A" config list
is '... value and where from' grep -q '^company  *The Kettle Shop  *config.ini:5 ' "$T/out"
is '... all of them' test "$(wc -l <"$T/out")" -ge 20
is 'list --json' exits 0 "$A" config list --json
is '... one object a line' out '{"name": "company", "value": "The Kettle Shop", "origin": "config.ini:5", "default": "", "help": '
is '... typed' sh -c 'grep -q "\"private\", \"value\": false," "$1" && grep -q "\"keep_models\", \"value\": 10," "$1" && grep -q "\"inbox\", \"value\": null," "$1"' sh "$T/out"
is 'get --json' exits 0 "$A" config get company --json
is '... one object' test "$(grep -c '^{"name": "company", .*}$' "$T/out")" = 1
is 'a verb there is not: exit 2' exits 2 "$A" config frob
is 'set without a value: exit 2' exits 2 "$A" config set company
is 'get of two: exit 2' exits 2 "$A" config get company ghost
is 'check of a right file: exit 0' exits 0 "$A" config check
is '... says so' out "$C: 1 settings in it"

# ---- precedence ----

is 'environment before file' exits 0 env ANSWERBACK_COMPANY=Other "$A" config get company --json
is '... named as where from' out '"value": "Other", "origin": "ANSWERBACK_COMPANY"'
is 'flag before environment' exits 0 env ANSWERBACK_COMPANY=Other "$A" config get company --json --setting company=Flag
is '... named as where from' out '"value": "Flag", "origin": "--setting"'
is '--setting before the command' exits 0 "$A" --setting=keep_models=7 config get keep_models
is '... counts' out 7
is '--color' exits 0 "$A" --color=never config get color --json
is '... is a flag' out '"value": "never", "origin": "--color"'
is '--color of another kind: exit 2' exits 2 "$A" --color=blue config list
is '--setting of no name: exit 2' exits 2 "$A" --setting company config list
is 'set says when something comes first' exits 0 env ANSWERBACK_GHOST=off "$A" config set ghost eager
is '... what' err 'but ANSWERBACK_GHOST comes first: off'
printf 'company = Elsewhere\n' >"$T/e.ini"
is '--config' exits 0 "$A" --config "$T/e.ini" config get company
is '... is the file read' out Elsewhere
is 'ANSWERBACK_CONFIG' exits 0 env ANSWERBACK_CONFIG="$T/e.ini" "$A" config get company
is '... is the file read' out Elsewhere
is '--config of a file that is not there: exit 1' exits 1 "$A" redact --config "$T/none.ini" x
is '... names it' err "$T/none.ini"
is '... but set makes it' exits 0 "$A" --config "$T/new/n.ini" config set ghost shy
is '... there' test -s "$T/new/n.ini"
is 'XDG_CONFIG_HOME' exits 0 env XDG_CONFIG_HOME="$T/xdg" "$A" config path
is '... holds it' out "$T/xdg/answerback/config.ini"

# ---- a setting does what it says ----

printf 'company = Kettle Shop\n' >"$C"
exits 0 "$A" redact 'Welcome to Kettle Shop'
cp "$T/out" "$T/flag"
is 'a command reads the settings' exits 0 "$A" redact 'Thank you'
mkdir -p "$T/d"
printf 'data_dir = ~/kept\n' >"$C"
is 'data_dir' exits 0 "$A" teach 'Are you open on Sundays?' 'No, Monday to Saturday.'
is '... is where things are kept' test -s "$HOME/kept/answerback.db"
is '... nowhere else' test ! -e "$HOME/.local/share"

is 'golden: a file that is not there keeps retrain from running: exit 1' exits 1 "$A" retrain --setting golden=/none.jsonl
is '... which' err 'the golden messages /none.jsonl (--setting) cannot be read: No such file'
"$A" complete -n 1 'Your parcel has been ' 2>/dev/null | cut -d ' ' -f 1 >"$T/words"
is 'unwanted_words: what would be proposed' test -s "$T/words"
is '... is not' exits 0 "$A" complete -n 8 --setting unwanted_words="$T/words" 'Your parcel has been '
is '... but others are' sh -c 'test -s "$1" && ! grep -qwf "$2" "$1"' sh "$T/out" "$T/words"
is '... a list that is not there: exit 1' exits 1 "$A" complete --setting unwanted_words=/none "Your "
is '... which' err '/none (--setting)'

# ---- a file that is wrong ----

printf '# c\nghost = loud\n' >"$C"
is 'a bad value: exit 1' exits 1 "$A" redact x
is '... one line, with file and line' err "$C:2: ghost: it is off, shy, normal or eager, not 'loud'"
is '... and no more' test "$(wc -l <"$T/err")" = 1
is 'check: exit 1' exits 1 "$A" config check
is '... the same line' err "$C:2: ghost: "
is 'check --json: exit 1' exits 1 "$A" config check --json
is '... line and text' out '"problems": [{"line": 2, "warning": false, "text": '
is '--help all the same' exits 0 "$A" redact --help
is 'set mends it' exits 0 "$A" config set ghost shy
is '... the line' file_is '# c\nghost = shy\n'
printf 'gohst = shy\n' >"$C"
is 'an unknown name: goes on' exits 0 "$A" redact x
is '... warns with the nearest' err "config.ini:1: not used: there is no setting 'gohst'; ghost is the nearest"
is '... check: exit 0' exits 0 "$A" config check
printf 'golden = ~/none.jsonl\n' >"$C"
is 'check: a file that is not there: exit 1' exits 1 "$A" config check
is '... which' err "golden (config.ini:1): cannot read $HOME/none.jsonl"
rm "$C"
is 'a wrong variable: exit 2' exits 2 env ANSWERBACK_PRIVATE=perhaps "$A" redact x
is '... which' err 'ANSWERBACK_PRIVATE in the environment: it is yes or no'
is 'private as before: 1' exits 0 env ANSWERBACK_PRIVATE=1 "$A" config get private
is '... is yes' out yes

# ---- doctor ----

unset ANSWERBACK_CPU
printf 'company = Kettle Shop\ngolden = ~/none.jsonl\nghost = shy\n' >"$C"
is 'doctor' exits 0 "$A" doctor --setting threads=2
is '... the file' out 'path: ~/.config/answerback/config.ini'
is '... a setting and where from' sh -c 'tr -d "\n" <"$1" | grep -q "ghost: *value: shy *from: config.ini:3"' sh "$T/out"
is '... of a flag too' sh -c 'tr -d "\n" <"$1" | grep -q "threads: *value: 2 *from: --setting"' sh "$T/out"
is '... none that is as by default' sh -c '! grep -q "enter_sends" "$1"' sh "$T/out"
is '... no words of the person' sh -c '! grep -q Kettle "$1"' sh "$T/out"
is '... a file that is not there, and what to do' out 'golden: cannot read ~/none.jsonl: No such file or directory; make it, or answerback config unset golden'
is '... the version that serves' out 'version: base'
printf 'ghost = loud\nwordsalone\n' >"$C"
is 'doctor on wrong settings: exit 0' exits 0 "$A" doctor --json
is '... each as a problem' sh -c 'grep -q "\"problems\": \[\".*config.ini:1: ghost: it is .*config.ini:2: .wordsalone. is no setting" "$1"' sh "$T/out"
rm "$C"
is 'doctor: nothing is wrong here' exits 0 env LANG=C.UTF-8 "$A" doctor
is '... and it says so' out 'problems: none'
is '... the store, its version' sh -c '"$1" teach --data-dir "$2/s" hello there 2>/dev/null && "$1" doctor --data-dir "$2/s" | tr -d "\n" | grep -Eq "store: *path: $2/s/answerback.db *exists: true *bytes: [0-9]+ *version: [0-9]"' sh "$A" "$T"
is '... a store for all to read' sh -c 'chmod 755 "$2/s" && chmod 644 "$2/s/answerback.db" && "$1" doctor --data-dir "$2/s" >"$2/out" && grep -q "chmod 700 it" "$2/out" && grep -q "chmod 600 it" "$2/out"' sh "$A" "$T"
is '... a store that is none' sh -c 'echo "no database, but long enough to be looked at by whoever opens it" >"$2/s/answerback.db"; "$1" doctor --data-dir "$2/s" | sed -n "/^problems/,\$p" | grep -q "  - .*answerback.db"' sh "$A" "$T"
is '... a version that is gone' sh -c 'mkdir -p "$2/m/models" && echo v7 >"$2/m/models/current" && "$1" doctor --data-dir "$2/m" | grep -q "  - .*v7.*answerback model promote"' sh "$A" "$T"
is '... plain kernels' sh -c 'ANSWERBACK_CPU=plain "$1" doctor | grep -q "  - the plain kernels are slow: unset ANSWERBACK_CPU"' sh "$A"

# ---- completions ----

for s in bash zsh fish; do
	is "completions $s" exits 0 "$A" completions $s
	cp "$T/out" "$T/c.$s"
	is '... without a word of complaint' silent
	if command -v $s >/dev/null; then
		is "... $s can read them" $s -n "$T/c.$s"
	fi
done
is 'completions of no shell: exit 2' exits 2 "$A" completions tcsh

# offers WORDS... -- EXPECTED...: what bash offers after these words (the last one is being typed)
cat >"$T/offers" <<'EOF'
source "$1"
shift
COMP_WORDS=() COMP_CWORD=-1
while [ "$1" != -- ]; do
	COMP_WORDS+=("$1")
	((COMP_CWORD++))
	shift
done
shift
_answerback
for want; do
	case $want in
	!*) [[ " ${COMPREPLY[*]} " == *" ${want#!} "* ]] && { echo "# offered: $want"; exit 1; } ;;
	*) [[ " ${COMPREPLY[*]} " == *" $want "* ]] || { echo "# not offered: $want but: ${COMPREPLY[*]}"; exit 1; } ;;
	esac
done
exit 0
EOF
offers() {
	(cd "$T" && bash "$T/offers" "$T/c.bash" "$@")
}
is 'complete uses the function' sh -c 'bash -c "source \"$1\"; complete -p answerback" sh "$1" | grep -q "_answerback answerback"' sh "$T/c.bash"
is 'commands' offers answerback '' -- reply train config help
is 'commands by letter' offers answerback re -- reply retrain redact '!train'
is 'after an option of every command' offers answerback --data-dir /x re -- reply
is 'options of a command' offers answerback train --t -- --train --threads '!--valid'
is 'options of every command' offers answerback train --c -- --config --color --contrast
is 'options of plain answerback' offers answerback --a -- --assist --ascii --as '!--accept'
is 'verbs' offers answerback model '' -- list promote rollback verify
is 'settings' offers answerback config set '' -- ghost company '!list'
is 'values of a setting' offers answerback config set ghost '' -- off shy normal eager '!yes'
is 'values of an option' offers answerback complete --level '' -- off shy
is 'values after =' offers answerback --color = a -- auto always '!never'
is 'settings of a flag' offers answerback --setting co -- company= color=
: >"$T/some.jsonl"
is 'files' offers answerback eval so -- some.jsonl
is 'files of an option' offers answerback train --valid so -- some.jsonl
is 'no files where a number goes' offers answerback train --threads so -- '!some.jsonl'
is 'commands for help' offers answerback help re -- reply
is 'every option of every command' sh -c '
	"$1" --help | sed -n "/^commands:/,/^\$/s/^  \([a-z][a-z-]*\) .*/\1/p" | while read -r c; do
		"$1" "$c" --help | sed -n "s/^  ...,* *--\([a-z0-9-]*\).*/\1/p" | while read -r o; do
			bash "$2/offers" "$2/c.bash" answerback "$c" "--$o" -- "--$o" || exit 1
			for s in zsh fish; do grep -q -e "-l $o " -e "--$o\[" -e "--$o=" "$2/c.$s" || [ "$o" = help ] || { echo "# $s: $c --$o"; exit 1; }; done
		done || exit 1
	done' sh "$A" "$T"
exit $failed
