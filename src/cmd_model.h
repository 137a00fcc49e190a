/* SPDX-License-Identifier: GPL-3.0-or-later */
/* cmd_model: what the parts of `answerback model` share. Operands: a->operands[0] is the verb. Exit codes are returned. */
#ifndef ANSWERBACK_CMD_MODEL_H
#define ANSWERBACK_CMD_MODEL_H

#include <jansson.h>

#include "cli.h"
#include "registry.h"

json_t *cmd_model_json(const char *text);         /* an object, {} when text is none */

/* Into the store's audit trail; what cannot be written there is said. Private: nothing. */
void cmd_model_audit(const char *what, const char *version);
int cmd_model_blend(struct cli_args *a);
int cmd_model_versions(struct cli_args *a);       /* list, promote, rollback, merge, remove */
int cmd_model_compare(struct cli_args *a);        /* the same messages through two models */
int cmd_model_diff(struct cli_args *a);           /* lineage, scores, how far their weights lie apart */

#endif
