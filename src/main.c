/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main: what the whole process needs set up, then the command line. */
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../model/kernels.h"
#include "commands.h"

/* A bare machine has no LANG, and then no program may write anything but ASCII. Numbers
 * keep their point whatever the language: they are read and written as JSON. */
static void main_set_locale(void)
{
	const char *ctype = setlocale(LC_ALL, "") ? setlocale(LC_CTYPE, NULL) : NULL;

	if (!ctype || strcmp(ctype, "C") == 0 || strcmp(ctype, "POSIX") == 0)
		setlocale(LC_CTYPE, "C.UTF-8");
	setlocale(LC_NUMERIC, "C");
}

static void main_interrupted(int sig)
{
	(void)sig;
	_exit(CLI_INTERRUPTED);
}

/* C-c: the exit code of the manual, for callers that are no shell too; not when the caller
 * asked for it to be ignored (nohup, a script's background job). Pipes: whoever started us
 * may have left SIGPIPE ignored, and a closed pipe would become an error message. */
static void main_set_signals(void)
{
	struct sigaction now, sa = { .sa_handler = main_interrupted };

	if (sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
		sigaction(SIGINT, &sa, NULL);
	signal(SIGPIPE, SIG_DFL);
}

/* A file opened as descriptor 0, 1 or 2 would receive what is meant for the terminal. */
static void main_fill_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

int main(int argc, char **argv)
{
	main_fill_descriptors();
	main_set_locale();
	main_set_signals();
	kernels_init();
	return cli_main(commands, argc, argv);
}
