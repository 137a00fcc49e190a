#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# cli_install.sh: what make install puts where, that it works there, and that uninstall takes it away. ANSWERBACK names the
# program, which is installed as it is: other tests are running it.
set -u
A=$(realpath "${ANSWERBACK:-./answerback}")
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
unset ANSWERBACK_CONFIG ANSWERBACK_MODEL ANSWERBACK_DATA_DIR XDG_CONFIG_HOME XDG_DATA_HOME XDG_STATE_HOME MAKEFLAGS MAKELEVEL
export HOME="$T/home"
failed=0

# is NAME COMMAND...: one test case
is() {
	name=$1
	shift
	if "$@" >"$T/out" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$T/out" | head -20
		failed=1
	fi
}

make_it() {
	make -j1 -o "$A" BIN="$A" DESTDIR="$T/dest dir" "$@"
}
U="$T/dest dir/usr/local"

mkdir "$HOME"
before=$(stat -c %Y "$A")
is 'install into a folder with a blank' make_it install
is '... builds nothing' test "$(stat -c %Y "$A")" = "$before"
is '... the program' "$U/bin/answerback" --version
for f in man/*.[1-9]; do
	is "... $f" cmp "$f" "$U/share/man/man${f##*.}/${f##*/}"
done
is '... completion of bash' bash -c 'source "$1"; complete -p answerback' sh "$U/share/bash-completion/completions/answerback"
is '... of zsh' grep -q '^#compdef answerback' "$U/share/zsh/site-functions/_answerback"
is '... of fish' grep -q '^complete -c answerback' "$U/share/fish/vendor_completions.d/answerback.fish"
is '... the lists that a retraining makes questions of' cmp data/wordings/ask.jsonl "$U/share/answerback/wordings/ask.jsonl"
is '... the model, which the program finds' sh -c '"$1/bin/answerback" doctor --json | grep -qF "\"path\": \"$1/bin/../share/answerback/model.safetensors\""' sh "$U"
is '... readable by all' sh -c '[ -z "$(find "$1" -type f ! -perm -444)" ]' sh "$U"
is '... an answer, from anywhere' sh -c 'cd / && "$1/bin/answerback" reply --private --beam 1 --max-tokens 4 hello >/dev/null; [ $? = 0 ] || [ $? = 3 ]' sh "$U"
is 'uninstall' make_it uninstall
is '... leaves no file' sh -c '[ -z "$(find "$1" ! -type d)" ]' sh "$T/dest dir"
exit $failed
