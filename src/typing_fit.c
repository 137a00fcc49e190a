/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "typing_private.h"

int typing_fit(struct model *m, const struct corpus *c, const struct typing_opts *o, const char *path,
               struct err *e)
{
	(void)m;
	(void)c;
	(void)o;
	(void)path;
	return err_set(e, ERR_USAGE, "not yet");
}
