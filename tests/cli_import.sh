#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# import and export from the command line: every format in, what is wrong is said with its line and the right exit code,
# the same file twice brings nothing new, out and in again gives the same.
set -u
program=${ANSWERBACK:-./answerback}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export ANSWERBACK_DATA_DIR=$tmp/data HOME=$tmp
unset ANSWERBACK_PRIVATE ANSWERBACK_MODEL ANSWERBACK_COMPANY 2>/dev/null
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
	"$@" >"$tmp/said" 2>&1 && grep -q -- "$pattern" "$tmp/said" || { cat "$tmp/said"; return 1; }
}

exits() {      # exits CODE PATTERN COMMAND...
	code=$1 pattern=$2
	shift 2
	"$@" >"$tmp/said" 2>&1
	[ $? -eq "$code" ] && grep -q -- "$pattern" "$tmp/said" || { cat "$tmp/said"; return 1; }
}

cat >"$tmp/a.csv" <<'END'
Ticket ID,Date,Sender,Message,Customer Name
1,2026-01-31 10:00,Customer,"Hi, my parcel
4471-229 is late",Anna Weber
2,2026-02-01 11:00,Customer,hello,Bob Stone
1,2026-01-31 10:05,Agent,"We ""looked"" into it",Anna Weber
2,2026-02-01 11:05,Agent
END
cat >"$tmp/b.txt" <<'END'
Customer: the umbrella leaks
Agent: we send a new one

Anna: who is this
END
printf '%s\n' '{"id": "j1", "messages": [{"role": "user", "content": "from jsonl"}, {"role": "assistant", "content": "yes"}]}' >"$tmp/c.jsonl"
cat >"$tmp/d" <<'END'
From anna@x.example Sat Jan 31 10:00:00 2026
From: Anna <anna@x.example>
To: help@shop.example
Subject: Kettle
Message-ID: <1@x.example>
Date: Sat, 31 Jan 2026 10:00:00 +0000
Content-Transfer-Encoding: quoted-printable

The kettle is br=C3=B6ken.

From help@shop.example Sat Jan 31 11:00:00 2026
From: help@shop.example
To: anna@x.example
Subject: Re: Kettle
In-Reply-To: <1@x.example>
Date: Sat, 31 Jan 2026 11:00:00 +0000

Sorry for that.

On Sat, Anna wrote:
> The kettle
END

check "export: nothing kept yet" exits 1 'nothing is kept yet' "$program" export
check "import: no file" exits 2 'which files' "$program" import
check "import: no such file" exits 1 'cannot open' "$program" import "$tmp/none.csv"
check "import: no such format" exits 2 "no format 'xml'" "$program" import --format xml "$tmp/a.csv"
check "import: CSV" says 'a.csv: csv, 2 conversations with 3 messages are new, 1 lines could not' "$program" import "$tmp/a.csv"
check "... the line is named" grep -q 'a.csv:6: 3 fields where the header has 5' "$tmp/said"
check "... found by its words" says 'Bob Stone' "$program" search --json hello
check "... its times kept" says '"origin":"imported"' "$program" search --json after:2026-02-01 before:2026-02-02 hello
check "import: twice brings nothing" says '0 conversations with 0 messages are new, 2 were there already' "$program" import "$tmp/a.csv"
check "import: transcript" says '1 conversations with 2 messages are new, 1 lines' "$program" import "$tmp/b.txt"
check "... who is it" grep -q "b.txt:4: who is 'Anna'? --agent" "$tmp/said"
check "import: chat JSONL by its fixed name" says '"conversations":1,"messages":2' "$program" import jsonl "$tmp/c.jsonl" --json
check "import: mbox wants to know who the agent is" exits 2 'agent ADDRESS or --agent DOMAIN; most are from' "$program" import "$tmp/d"
check "import: mbox, known by its content" says 'd: mbox, 1 conversations with 2 messages' "$program" import --agent shop.example --tag mail "$tmp/d"
check "... decoded, without the quoted mail" sh -c "'$program' export --tag mail | grep -q 'kettle is bröken.*\"Sorry for that.\"'"
check "import: strict keeps nothing of the file" sh -c "'$program' --data-dir '$tmp/strict' import --strict '$tmp/a.csv'; [ \$? = 1 ] && [ -z \"\$('$program' --data-dir '$tmp/strict' export)\" ]"
check "import: xz, and standard input" sh -c "xz -c '$tmp/a.csv' >'$tmp/a.csv.xz' && '$program' --data-dir '$tmp/xz' import '$tmp/a.csv.xz' | grep -q '2 conv' && '$program' --data-dir '$tmp/in' import - <'$tmp/a.csv.xz' | grep -q 'standard input: csv, 2 conv'"
check "import: private" exits 2 'private' "$program" --private import "$tmp/a.csv"
head -c 100000 /dev/urandom >"$tmp/noise"
for format in jsonl csv mbox transcript; do
	check "import: noise as $format ends by itself" sh -c "timeout 60 '$program' --data-dir '$tmp/noise-$format' import --format $format --agent x.y '$tmp/noise'; [ \$? -le 2 ]"
done

printf '%s\n' '{"id": "j1", "messages": [{"role": "user", "content": "from jsonl"}, {"role": "assistant", "content": "yes"}, {"role": "user", "content": "good"}]}' >"$tmp/c.jsonl"
check "import: one that has gone on gets what is new" says '0 conversations with 0 messages are new, 1 have gone on by 1 messages' "$program" import "$tmp/c.jsonl"

check "export: JSONL" sh -c "[ \$('$program' export jsonl | wc -l) = 5 ]"
check "export: one of them" says 'Anna Weber' "$program" export jsonl --conversation 1
check "export: one that is not there" exits 1 'no conversation 99' "$program" export 99
check "export: no number" exits 2 "'x' is no number" "$program" export jsonl x
check "export: IDs or filters" exits 2 'not both' "$program" export 1 --tag mail
check "export: by day" sh -c "[ \$('$program' export --after 2026-02-01 --before 2026-02-02 | wc -l) = 1 ]"
check "export: by customer" sh -c "[ \$('$program' export --customer weber | wc -l) = 1 ]"
check "export: no date" exits 2 'is no date' "$program" export --after soon
check "export: Markdown for people" says '^- Customer: Anna Weber' "$program" export markdown 1
check "export: placeholders" sh -c "'$program' export --redact 1 | grep -q 'my parcel.*order_1' && ! '$program' export --redact 1 2>/dev/null | grep -qE 'Weber|4471'"
check "export: to a file, format by its name" says '5 conversations' "$program" export --out "$tmp/all.csv"
check "... for its owner alone" sh -c "[ \$(stat -c %a '$tmp/all.csv') = 600 ]"
check "export: where nothing can be written" exits 1 'cannot be written' "$program" export --out "$tmp/none/all.csv"
check "out and in: CSV" sh -c "'$program' --data-dir '$tmp/back' import '$tmp/all.csv' && '$program' --data-dir '$tmp/back' export >'$tmp/1' && '$program' export >'$tmp/2' && cmp '$tmp/1' '$tmp/2'"
check "out and in: JSONL" sh -c "'$program' --data-dir '$tmp/back2' import '$tmp/2' && '$program' --data-dir '$tmp/back2' export csv >'$tmp/3' && cmp '$tmp/3' '$tmp/all.csv'"
check "out and in where it came from: nothing new" says '0 conversations with 0 messages are new, 5 were' "$program" import "$tmp/all.csv"
[ -w /dev/full ] && check "export: a full disk" sh -c "'$program' export >/dev/full 2>'$tmp/said'; [ \$? = 1 ]"
check "db: whole" says whole "$program" db check

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
