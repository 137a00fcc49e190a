#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# First messages of shops, banks, telecom, travel, software and small talk: how many are answered to the point? Each line of
# tests/first_messages.txt is a message and what a reply to the point matches (an extended regular expression): a net with
# wide meshes, for comparing one model with another, not for judging a reply.
#
# SHOW=1 prints what went through; ARGS are options of `answerback reply`.
set -u
program=${ANSWERBACK:-./answerback}
list=$(dirname "$0")/first_messages.txt
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export HOME=$tmp ANSWERBACK_DATA_DIR=$tmp/data

cut -d '|' -f 1 "$list" >"$tmp/messages"
# shellcheck disable=SC2086
"$program" reply ${ARGS:-} - <"$tmp/messages" >"$tmp/replies" || [ $? -eq 3 ] || exit 1
all=0 right=0
while IFS= read -r line && IFS= read -r reply <&3; do
	all=$((all + 1))
	if printf '%s\n' "$reply" | grep -Eiq -- "${line#*|}"; then
		right=$((right + 1))
	elif [ -n "${SHOW:-}" ]; then
		printf '%s\n    %s\n' "${line%%|*}" "$reply"
	fi
done <"$list" 3<"$tmp/replies"
echo "# $right of $all first messages answered to the point"
if [ "$right" -ge "${LEAST:-95}" ]; then
	echo "ok - first messages: $right of $all (>= ${LEAST:-95})"
else
	echo "not ok - first messages: $right of $all (>= ${LEAST:-95})"
	exit 1
fi
