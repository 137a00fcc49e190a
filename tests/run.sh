#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh short | long | fuzz SECONDS: what `make check`, `check-long` and `fuzz` do.
#
# Builds every configuration, then runs one job a test program, JOBS at once, each with its
# own home and temporary folder, so that no test sees or touches its user's files. Test cases
# are counted from what a program prints ("ok ..." and "not ok ..." lines: cmocka's TAP output);
# a program that prints none counts as one. The last line is always "N passed, M failed".
# Logs stay in $BUILD/check/. A program may exit with 77 to be skipped (it says why).
set -u

BUILD=${BUILD:-build}
BIN=${BIN:-answerback}
JOBS=${JOBS:-2}
CLANG=${CLANG:-clang}
MAKE=${MAKE:-make}
MAKE_JOBS=${MAKE_JOBS-}
export BUILD

# ---- one job: run.sh --one "label<TAB>seconds<TAB>command" ------------------------

run_one() {
	local label limit command dir log rc started seconds passed failed skipped
	IFS=$'\t' read -r label limit command <<<"$1"
	dir=$BUILD/check/${label//[^A-Za-z0-9_.-]/_}
	log=$dir.log
	rm -rf "$dir" && mkdir -p "$dir/home" "$dir/tmp" || exit 1
	dir=$(cd "$dir" && pwd)
	started=$SECONDS
	env -u ANSWERBACK_MODEL -u ANSWERBACK_DATA_DIR -u ANSWERBACK_CONFIG -u XDG_CONFIG_HOME -u XDG_DATA_HOME -u XDG_STATE_HOME \
		HOME="$dir/home" TMPDIR="$dir/tmp" CMOCKA_MESSAGE_OUTPUT=TAP \
		UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=0:second_deadlock_stack=1 \
		timeout -k 10 "$limit" bash -c "$command" >"$log" 2>&1 </dev/null
	rc=$?
	# gcc 12's thread sanitizer cannot live with the address randomisation of new kernels
	if [ $rc != 0 ] && grep -q 'ThreadSanitizer: unexpected memory mapping' "$log"; then
		HOME="$dir/home" TMPDIR="$dir/tmp" CMOCKA_MESSAGE_OUTPUT=TAP \
			timeout -k 10 "$limit" setarch -R bash -c "$command" >"$log" 2>&1 </dev/null
		rc=$?
	fi
	seconds=$((SECONDS - started))
	passed=$(grep -a '^ok ' "$log" | grep -avc '# *SKIP')
	# cmocka 1.1.5 writes "not ok 4 # SKIP name" for a test that was skipped
	failed=$(grep -a '^not ok ' "$log" | grep -avc '# *SKIP')
	[ $rc = 0 ] && [ $((passed + failed)) = 0 ] && ! grep -aq 'ok .*# *SKIP' "$log" && passed=1
	[ $rc != 0 ] && [ $rc != 77 ] && [ "$failed" = 0 ] && failed=1
	echo "$passed $failed" >"$BUILD/check/results/${label//[^A-Za-z0-9_.-]/_}"
	if [ "$failed" != 0 ]; then
		[ $rc = 124 ] && echo "stopped after $limit s" >>"$log"
		printf 'FAILED  %s (%d passed, %d failed, exit %d); the end of %s:\n' \
			"$label" "$passed" "$failed" $rc "$log"
		grep -av '^ok ' "$log" | tail -n 30 | sed 's/^/        /'
	elif [ $rc = 77 ]; then
		printf 'skipped %s: %s\n' "$label" "$(tail -n 1 "$log")"
	else
		skipped=$(grep -aE '^(not )?ok .*# *SKIP' "$log" | sed 's/.*SKIP */, skipped /' | tr -d '\n')
		printf 'ok      %s (%d, %d s%s)\n' "$label" "$passed" $seconds "$skipped"
	fi
	rm -rf "$dir"
}

if [ "${1-}" = --one ]; then
	run_one "$2"
	exit 0
fi

# ---- all of them -------------------------------------------------------------------

mode=${1:-short}
rm -rf "$BUILD/check" && mkdir -p "$BUILD/check/results" || exit 1
list=$BUILD/check/jobs
: >"$list"
failed_builds=0

# build LABEL ARGUMENTS...: a configuration; what does not compile counts as one failure,
# and what did is tested all the same
build() {
	local label=$1 log=$BUILD/check/build-$1.log
	shift
	# shellcheck disable=SC2086
	if $MAKE $MAKE_JOBS -k "$@" >"$log" 2>&1; then
		grep -E 'warning:|WARNING' "$log"
		printf 'built   %s\n' "$label"
	else
		printf 'FAILED  build of %s; from %s:\n' "$label" "$log"
		grep -E 'error|warning:|undefined|multiple definition|missing' "$log" | grep -v ' returned 1 exit' | head -n 20 | sed 's/^/        /'
		failed_builds=$((failed_builds + 1))
	fi
}

# job LABEL SECONDS COMMAND
job() {
	printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$list"
}

# programs LABEL SECONDS CONFIG FILE.c...: those among them that there are
programs() {
	local label=$1 limit=$2 config=$3 f
	shift 3
	for f in "$@"; do
		[ -e "$f" ] && job "$label/$(basename "$f" .c)" "$limit" "$BUILD/$config/${f%.c}"
	done
}

have_fuzzer() {
	echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n); int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { (void)d; return n > 1u << 30; }' |
		$CLANG -x c -fsanitize=fuzzer,address,undefined - -o "$BUILD/check/probe" >/dev/null 2>&1
}

# fuzz SECONDS: every fuzzer; finds are kept in $BUILD/fuzz/found/, inputs in $BUILD/fuzz/corpus/
fuzz() {
	local f name seeds
	if ! ls tests/fuzz_*.c >/dev/null 2>&1; then
		return
	elif ! have_fuzzer; then
		echo "skipped fuzzing: it needs the packages clang and libclang-rt-dev (make deps)"
		return
	fi
	build fuzz CONFIG=fuzz CC="$CLANG" fuzzers
	for f in tests/fuzz_*.c; do
		name=$(basename "$f" .c)
		mkdir -p "$BUILD/fuzz/corpus/$name" "$BUILD/fuzz/found"
		seeds=
		[ -d "tests/seeds/${name#fuzz_}" ] && seeds=tests/seeds/${name#fuzz_}
		job "fuzz/$name" $(($1 + 120)) "$BUILD/fuzz/tests/$name -max_total_time=$1 -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix=$BUILD/fuzz/found/$name- $BUILD/fuzz/corpus/$name $seeds"
	done
}

# scripts PATTERN SECONDS: shell tests, on the program as users get it
scripts() {
	local f
	for f in $1; do
		[ -e "$f" ] && job "$(basename "$f" .sh)" "$2" "ANSWERBACK=$(realpath -m "$BIN") sh $f"
	done
}

case $mode in
short)
	build release all tests
	build double CONFIG=double gradchecks
	build asan CONFIG=asan all tests
	build tsan CONFIG=tsan threaded
	if [ -n "${CHECK_CLANG-}" ]; then
		build clang CONFIG=clang CC="$CLANG" all tests
		build clang-double CONFIG=double BUILD="$BUILD/clang" CC="$CLANG" CFLAGS=-O0 gradchecks
	fi
	job lint 60 'sh tests/lint.sh'
	programs unit 300 release tests/test_*.c
	programs gradient 300 double tests/gradcheck_*.c
	programs asan 900 asan tests/test_*.c
	programs tsan 600 tsan tests/test_train*.c tests/test_thread*.c
	scripts 'tests/cli_*.sh' 300
	fuzz 10
	;;
long)
	build release all tests
	scripts 'tests/long_*.sh' 14400
	fuzz "${LONG_FUZZ_SECONDS:-600}"
	;;
fuzz)
	fuzz "${2:-60}"
	;;
*)
	echo "usage: run.sh short | long | fuzz SECONDS" >&2
	exit 2
	;;
esac

# bash, not sh: run_one reads tabs
xargs -a "$list" -r -d '\n' -n 1 -P "$JOBS" bash "$0" --one

passed=0 failed=$failed_builds
while IFS=$'\t' read -r label _; do
	result=$BUILD/check/results/${label//[^A-Za-z0-9_.-]/_}
	if read -r p f 2>/dev/null <"$result"; then
		passed=$((passed + p)) failed=$((failed + f))
	else
		failed=$((failed + 1))
	fi
done <"$list"
printf 'took %d s\n' "$SECONDS"
echo "$passed passed, $failed failed" | tee "$BUILD/check/summary"
[ "$failed" = 0 ]
