#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# lint.sh [FOLDER]: the layering rules of the sources, and what every file has to carry.
#
#     base  <-  model  <-  src  <-  ui        "<-" reads "is used by"
#
# Prints each line that breaks a rule, and the rule; exit 1 when there was one. FOLDER
# (default: here) lets its own test (tests/cli_lint.sh) show it broken trees.
set -u
cd "${1:-.}" || exit 2

# Sources of the folders among these that exist.
sources() {
	for d in "$@"; do
		[ -d "$d" ] && find "$d" -type f -name '*.[ch]'
	done | sort
}

# rule TEXT EXTENDED-REGEX FILES: no line of the files may match
rule() {
	text=$1 pattern=$2
	shift 2
	grep -nE "$pattern" /dev/null "$@" | sed "s|\$|    <- $text|"
}

# own_headers FOLDER MAY...: what FOLDER includes by bare name (the compiler looks in src/ and
# model/) has to be in FOLDER or in one of MAY
own_headers() {
	folder=$1
	# shellcheck disable=SC2046
	grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]+"' /dev/null $(sources "$folder") |
		sed 's/:.*"\(.*\)"/ \1/' | while read -r f h; do
		[ ! -e "${f%/*}/$h" ] || continue
		for d in "$@"; do
			[ ! -e "$d/$h" ] || continue 2
		done
		for d in src model ui; do
			[ ! -e "$d/$h" ] || echo "$f: \"$h\"    <- $folder/ may not include headers of $d/"
		done
	done
}

include='^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]'

# No name of ours has a space in it, so that lists of files may be split.
# shellcheck disable=SC2046
layers() {
	rule 'only model/kernels*.c may include cblas.h' "${include}([^\">]*/)?(cblas|f77blas|openblas_config)\\.h" \
		$(sources model src ui data tests | grep -v '^model/kernels[^/]*\.c$')
	rule 'only model/kernels*.c may call OpenBLAS' '(cblas|openblas)_[a-z0-9_]+\(' \
		$(sources model src ui | grep -v '^model/kernels[^/]*\.c$')
	rule 'only src/store* may see sqlite3.h' "${include}sqlite3" \
		$(sources model src ui data | grep -v -e '^src/store[^/]*\.c$' -e '^src/store_private\.h$')
	rule 'only ui/ may see curses' "${include}([^\">]*/)?n?curses" $(sources model src data)
	rule 'only ui/input*.c may see readline' "${include}readline/" \
		$(sources model src ui data | grep -v '^ui/input[^/]*\.c$')
	rule 'model/ includes nothing of src/ but src/base/' '^[[:space:]]*#[[:space:]]*include.*src/' \
		$(sources model) | grep -vE 'include[[:space:]]*"\.\./src/base/[a-z0-9_]+\.h"'
	rule 'only ui/ and src/main.c may include ui/' "${include}(\\.\\./)*ui/" \
		$(sources model src | grep -v -e '^src/main\.c$' -e '^src/cmd_chat\.c$' -e '^src/cmd_write\.c$')
	rule 'src/base/ stands alone' "${include}(\\.\\./|model/|ui/|src/[^b])" $(sources src/base)
	rule 'ui/ never includes the store' "${include}([^\">]*/)?store[^/]*\\.h" $(sources ui)
	rule 'ui/ never includes the model' "${include}([^\">]*/)?model/" $(sources ui)
	own_headers src/base src
	own_headers model
	own_headers ui src
}

files() {
	# shellcheck disable=SC2046
	awk 'FNR == 1 && !/^\/\* SPDX-License-Identifier: GPL-3\.0-or-later \*\// {
		print FILENAME ":1:    <- the first line must be /* SPDX-License-Identifier: GPL-3.0-or-later */" }
	FNR == 801 { print FILENAME ":801:    <- a file over 800 lines is two" }' \
		/dev/null $(sources model src ui data tests)
	for f in Makefile .ci/run $(find tests data -name '*.sh' 2>/dev/null); do
		[ ! -e "$f" ] || head -n 2 "$f" | grep -q 'SPDX-License-Identifier: GPL-3\.0-or-later' ||
			echo "$f:    <- the SPDX line is missing"
	done
	# What was meant for one machine only. The brackets keep this file from finding itself.
	if [ -e .git ]; then
		git ls-files -z --cached --others --exclude-standard
	else
		find . -type f ! -path './build/*' ! -path ./answerback -print0
	fi | xargs -0 -r grep -nIE '/[w]ork/|/[r]oot/|/[h]ome/[a-z]+/' 2>/dev/null | cut -c 1-200 |
		sed 's/$/    <- a path of one machine/'
}

broken=$(layers; files)
[ -z "$broken" ] && exit 0
echo "$broken"
exit 1
