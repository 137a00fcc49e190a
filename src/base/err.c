/* SPDX-License-Identifier: GPL-3.0-or-later */
/* err: filling the one struct that a failure travels in. */
#include "err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Both go through a buffer of their own: the arguments may point into e->msg. */

int err_set(struct err *e, int code, const char *fmt, ...)
{
	char buf[sizeof e->msg];
	va_list ap;

	if (!e)
		return code;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	memcpy(e->msg, buf, strlen(buf) + 1);
	e->code = code;
	return code;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	char buf[sizeof e->msg];
	size_t used;
	va_list ap;

	if (!e)
		return ERR_NONE;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	used = strlen(buf);
	/* a message that no longer fits loses its end, never its beginning */
	used += (size_t)snprintf(buf + used, sizeof buf - used, ": ");
	if (used < sizeof buf)
		snprintf(buf + used, sizeof buf - used, "%.*s", (int)(sizeof buf - used - 1), e->msg);
	memcpy(e->msg, buf, strlen(buf) + 1);
	return e->code;
}
