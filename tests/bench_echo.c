/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_echo: from a key written to the terminal until its letter is on the screen, while nothing happens, while replies
 * stream, and while a training runs beside. Prints the median, the 99th percentile and the worst of each, in ms; and of the
 * program's thread that draws, the 99th percentile of the time it computed for a key and of the time it waited for a
 * processor, which is the machine's part. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common_screen.h"

enum { KEYS = 400, COLUMNS = 70 };

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The letter typed last stands before the cursor. */
static bool echoed(char c)
{
	VTermPos at;
	VTermScreenCell cell;

	vterm_state_get_cursorpos(vterm_obtain_state(screen.vt), &at);
	if (at.col < 3)
		return false;
	vterm_screen_get_cell(screen.cells, (VTermPos){ at.row, at.col - 1 }, &cell);
	return cell.chars[0] == (uint32_t)c;
}

/* ms that the drawing thread has run, and has waited to be run. */
static void times(double out[2])
{
	char path[64];
	FILE *f;
	unsigned long long run = 0, waited = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)screen.pid, (int)screen.pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%llu %llu", &run, &waited) != 2)
		run = waited = 0;
	if (f)
		fclose(f);
	out[0] = 1e-6 * (double)run;
	out[1] = 1e-6 * (double)waited;
}

/* One key after another, each a new letter, 20 ms apart; busy: asks for another reply as soon as there is none. */
static void measure(const char *what, bool replies)
{
	static double ms[KEYS], run[KEYS], waited[KEYS];
	int typed = 0;

	for (int i = 0; i < KEYS; i++) {
		const char c = (char)('a' + i % 26);
		double began, before[2], after[2];

		if (typed == 0 && replies) {
			screen_keys("Please tell me where my parcel is, what it costs to send it back, and when my money will be here?\r");
			screen_drain(60);
		}
		times(before);
		began = screen_now_us();
		screen_send(&c, 1);
		while (!echoed(c)) {
			struct pollfd p = { screen.fd, POLLIN, 0 };

			poll(&p, 1, 1000);
			if (!screen_drain(0) || screen_now_us() - began > 5e6) {
				fprintf(stderr, "bench_echo: a key was not echoed within 5 s\n");
				exit(1);
			}
		}
		ms[i] = (screen_now_us() - began) / 1000;
		times(after);
		run[i] = after[0] - before[0];
		waited[i] = after[1] - before[1];
		screen_drain(20);
		if (++typed == (replies ? 20 : COLUMNS)) {
			screen_keys("\025");
			screen_drain(20);
			typed = 0;
		}
	}
	screen_keys("\025");
	screen_drain(1500);
	qsort(ms, KEYS, sizeof(ms[0]), by_size);
	qsort(run, KEYS, sizeof(run[0]), by_size);
	qsort(waited, KEYS, sizeof(waited[0]), by_size);
	printf("key echo, %-16s median %6.2f  p99 %6.2f  worst %6.2f ms; p99 computing %5.2f, waiting for a processor %6.2f (%d keys)\n", what,
	       ms[KEYS / 2], ms[KEYS * 99 / 100], ms[KEYS - 1], run[KEYS * 99 / 100], waited[KEYS * 99 / 100], KEYS);
	fflush(stdout);
}

static void bench(void **state)
{
	const char *program = getenv("ANSWERBACK") ? getenv("ANSWERBACK") : "./answerback";
	char cmd[400], log[100];
	FILE *f;
	pid_t training;

	(void)state;
	screen_start(24, 80, "xterm-256color", "");
	screen_expect("model base");
	measure("nothing else", false);
	measure("a reply streams", true);
	/* what is learned from makes no difference to the keys: dialogues of a few words, a small model, idle priority as a retrain */
	snprintf(log, sizeof(log), "%s/corpus.jsonl", screen.home);
	f = fopen(log, "w");
	for (int i = 0; f && i < 2000; i++)
		fprintf(f, "{\"messages\": [{\"role\": \"user\", \"content\": \"where is parcel %d of mine, sent on day %d\"}, "
		        "{\"role\": \"assistant\", \"content\": \"parcel %d comes on day %d, at noon\"}]}\n", i, i % 31, i, i % 31 + 1);
	if (f)
		fclose(f);
	snprintf(cmd, sizeof(cmd), "HOME=%s exec nice -n 19 %s train --train %s --out %s/m.safetensors --minutes 5 --log %s/log >%s/out 2>&1",
	         screen.home, program, log, screen.home, screen.home, screen.home);
	training = fork();
	if (training == 0) {
		setpgid(0, 0);
		execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 600; i++) {      /* until it takes steps */
		char path[100];

		screen_drain(100);
		snprintf(path, sizeof(path), "%s/log", screen.home);
		f = fopen(path, "r");
		if (f) {
			const int c = getc(f);

			fclose(f);
			if (c != EOF)
				break;
		}
		if (waitpid(training, NULL, WNOHANG) == training) {
			fprintf(stderr, "bench_echo: the training ended at once: see %s/out\n", screen.home);
			training = -1;
			break;
		}
	}
	if (training > 0) {
		measure("a training runs", false);
		measure("both", true);
		kill(training, SIGKILL);
		waitpid(training, NULL, 0);
	}
	screen_quit();
}

int main(void)
{
	void *state = NULL;

	if (screen_fresh(&state) != 0)
		return 1;
	bench(&state);
	return screen_gone(&state) != 0;
}
