/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bench_desk: from a key to what the writing desk shows of it, in large documents, through a real pseudo-terminal: the
 * processor's time of the thread that edits and draws, and the clock's until the first byte of the answer (which other programs on the
 * machine add to). Beside it the same in an empty document: that is the terminal's share. */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { KEYS = 200 };

static int fd;
static char schedstat[64];

/* ms on a processor, of the program's first thread (proc_pid_schedstat of Linux). */
static double worked(void)
{
	FILE *f = fopen(schedstat, "r");
	unsigned long long ns = 0;

	if (!f || fscanf(f, "%llu", &ns) != 1)
		exit(1);
	fclose(f);
	return 1e-6 * (double)ns;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1e3 * (double)ts.tv_sec + 1e-6 * (double)ts.tv_nsec;
}

/* Until nothing comes for `quiet` ms. */
static void settle(int quiet)
{
	char buf[65536];
	struct pollfd p = { fd, POLLIN, 0 };

	while (poll(&p, 1, quiet) > 0 && read(fd, buf, sizeof(buf)) > 0)
		;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Writes keys one at a time, and waits for the first byte that answers each. */
static void measure(const char *name, const char *place, const char *keys, size_t n)
{
	double ms[KEYS], work[KEYS];
	char buf[65536];
	struct pollfd p = { fd, POLLIN, 0 };

	if (write(fd, place, strlen(place)) < 0)
		exit(1);
	settle(600);
	for (size_t i = 0; i < KEYS; i++) {
		const char *key = keys + i % n;
		const double t = now(), c = worked();

		if (write(fd, key, 1) != 1 || poll(&p, 1, 5000) <= 0) {
			fprintf(stderr, "%s: no answer\n", name);
			exit(1);
		}
		ms[i] = now() - t;
		if (read(fd, buf, sizeof(buf)) < 0)
			exit(1);
		settle(10);
		work[i] = worked() - c;
	}
	qsort(ms, KEYS, sizeof(ms[0]), compare);
	qsort(work, KEYS, sizeof(work[0]), compare);
	printf("%-36s %8.2f %8.2f %8.2f   %8.2f %8.2f\n", name, work[KEYS / 2], work[KEYS * 99 / 100], work[KEYS - 1], ms[KEYS / 2],
	       ms[KEYS * 99 / 100]);
	fflush(stdout);
}

static void make(const char *path, size_t bytes, int lines)
{
	FILE *f = fopen(path, "w");

	for (size_t n = 0, i = 0; f && n < bytes; i++) {
		static const char *const words[] = { "parcel", "of", "the", "customer,", "whom", "we", "answer", "later." };

		n += (size_t)fprintf(f, "%s%s", words[(i * 7 + i / 5) % 8], lines && i % 60 == 59 ? "\n" : " ");
	}
	if (!f || fclose(f) != 0)
		exit(1);
}

static pid_t start(const char *file)
{
	const struct winsize ws = { .ws_row = 50, .ws_col = 120 };
	const char *program = getenv("ANSWERBACK") ? getenv("ANSWERBACK") : "./answerback";
	pid_t pid = forkpty(&fd, NULL, NULL, &ws);

	if (pid == 0) {
		setenv("TERM", "xterm-256color", 1);
		execl(program, program, "write", file, (char *)NULL);
		_exit(127);
	}
	settle(3000);
	snprintf(schedstat, sizeof(schedstat), "/proc/%d/task/%d/schedstat", (int)pid, (int)pid);
	return pid;
}

static void end(pid_t pid)
{
	if (write(fd, "\030n", 2) < 0)
		kill(pid, SIGKILL);
	settle(500);
	close(fd);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	char folder[] = "/tmp/answerback-bench-XXXXXX", path[80], data[80];
	static const char typing[] = "some words of a letter, ";
	pid_t pid;

	if (!mkdtemp(folder))
		return 1;
	snprintf(data, sizeof(data), "%s/data", folder);
	setenv("ANSWERBACK_DATA_DIR", data, 1);
	snprintf(path, sizeof(path), "%s/document", folder);
	printf("%-36s %8s %8s %8s   %8s %8s\n", "ms a key", "work", "99 %", "most", "clock", "99 %");
	pid = start(path);
	measure("empty document, typing", "", typing, 24);
	end(pid);
	make(path, 10000000, 1);
	pid = start(path);
	measure("10 MB, typing at the start", "", typing, 24);
	measure("10 MB, typing in the middle", "\033g20000\r", typing, 24);
	measure("10 MB, typing at the end", "\033/", typing, 24);
	measure("10 MB, Down from the start", "\033\\", "\016", 1);
	measure("10 MB, PgDn and PgUp in the middle", "\033g20000\r", "\026\031", 2);
	end(pid);
	make(path, 5000000, 0);
	pid = start(path);
	measure("5 MB in one line, at the start", "", typing, 24);
	measure("5 MB in one line, in the middle", "\033g1,2500000\r", typing, 24);
	measure("5 MB in one line, at the end", "\033/", typing, 24);
	measure("5 MB in one line, PgUp and PgDn", "", "\031\026", 2);
	end(pid);
	snprintf(path, sizeof(path), "rm -rf %s", folder);
	return system(path) == 0 ? 0 : 1;
}
