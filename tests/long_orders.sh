#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# long_orders.sh [N]: N (1,000) made-up conversations in which the customer names an order or tracking number (a
# third of them two numbers) and asks where it is or for the money back. Of the replies that name a number at least 90 %
# must name the right one, and no reply may hold a number that was never said.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
bin=${BIN:-$here/answerback}
[ -x "$bin" ] || bin=$here/answerback
n=${1:-1000}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT

# One line a conversation: right number, other number (or -), first message, second message (or -).
awk -v n="$n" -v seed="${SEED:-7}" '
function pick(list,   v, k) { k = split(list, v, "|"); return v[int(rand() * k) + 1] }
function digits(k,   s) { s = int(rand() * 9) + 1; while (length(s) < k) s = s int(rand() * 10); return s }
function number(   f) {
	f = int(rand() * 6)
	if (f == 0) return digits(6)
	if (f == 1) return digits(4) "-" digits(2)
	if (f == 2) return digits(3) "-" digits(7) "-" digits(7)
	if (f == 3) return "ORD-" digits(5)
	if (f == 4) return digits(8)
	return "AB" digits(7)
}
BEGIN {
	srand(seed)
	for (i = 0; i < n; i++) {
		a = number(); b = number(); kind = i % 6
		ask = pick("where is my order %|I want a refund for order %|order % has not arrived yet|what is the status of order %?|please refund order %, it came broken|Hi, can you check order % for me? It is a week late|my order number is %, when will it be delivered?|still waiting for order %|I returned order % and want my money back|track order % please")
		if (kind < 4) { sub(/%/, a, ask); print a "\t-\t" ask "\t-"; continue }
		if (kind == 4) {
			first = pick("hello, thanks for sorting out order % last week|I got order % today, all fine with that one")
			then = pick("but where is order %?|now I need a refund for order %|the other one, order %, is missing")
			sub(/%/, b, first); sub(/%/, a, then)
			print a "\t" b "\t" first "\t" then
			continue
		}
		first = pick("my order is late|I want my money back|hi, where is my parcel")
		then = pick("the order number is %|%|order %|its %")
		sub(/%/, a, then)
		print a "\t-\t" first "\t" then
	}
}' >"$tmp/cases"

awk -F '\t' '{ print $3; if ($4 != "-") print $4; print "" }' "$tmp/cases" >"$tmp/in"
ANSWERBACK_DATA_DIR=$tmp/data ANSWERBACK_PRIVATE=1 "$bin" --plain <"$tmp/in" >"$tmp/out" 2>"$tmp/err" || {
	cat "$tmp/err"
	exit 1
}
awk -F '\t' 'NR == FNR { reply[NR] = $0; next } { k++; if ($4 != "-") k++; print $0 "\t" reply[k] }' \
	<(grep -v '^$' "$tmp/out") "$tmp/cases" >"$tmp/judged"
[ "$(grep -vc '^$' "$tmp/out")" = "$(grep -vc '^$' "$tmp/in")" ] || { echo "replies and messages do not match"; exit 1; }
awk -F '\t' -v keep="${KEEP:-}" '
function has(text, x,   p, c, d) {
	while ((p = index(text, x)) > 0) {
		c = p > 1 ? substr(text, p - 1, 1) : " "; d = substr(text, p + length(x), 1)
		if (c !~ /[A-Za-z0-9-]/ && d !~ /[A-Za-z0-9]/) return 1
		text = substr(text, p + length(x))
	}
	return 0
}
{
	right = has($5, $1); wrong = $2 != "-" && has($5, $2)
	rest = $5
	while ((p = index(rest, $1)) > 0) rest = substr(rest, 1, p - 1) " " substr(rest, p + length($1))
	if ($2 != "-") while ((p = index(rest, $2)) > 0) rest = substr(rest, 1, p - 1) " " substr(rest, p + length($2))
	changed = rest ~ /[0-9][0-9][0-9]/
	if (right || wrong || changed) { named++; if (right && !wrong && !changed) good++ }
	if (changed) { bad++; print "a number nobody said: " $0 }
	else if (keep != "" && !right) print "not named or wrong: " $0
}
END {
	printf "%d conversations: %d replies name a number, %d of them the right one (%.1f %%); %d hold a number nobody said\n",
		NR, named, good, named ? 100 * good / named : 0, bad
	exit !(named >= NR / 4 && good >= 0.9 * named && bad == 0)
}' "$tmp/judged"
