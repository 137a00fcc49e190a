/* SPDX-License-Identifier: GPL-3.0-or-later */
/* paths: where things lie (XDG Base Directory Specification 0.8). Folders of ours are made
 * with mode 0700 when asked for; one that exists keeps its mode. Paths that are handed out
 * belong to the caller.
 *
 *     config  $XDG_CONFIG_HOME/answerback, else ~/.config/answerback
 *     data    --data-dir, else the setting data_dir, else $XDG_DATA_HOME/answerback,
 *             else ~/.local/share/answerback
 *     state   FOLDER/state when the data folder was set by hand, else
 *             $XDG_STATE_HOME/answerback, else ~/.local/state/answerback
 */
#ifndef ANSWERBACK_PATHS_H
#define ANSWERBACK_PATHS_H

#include <stdbool.h>

#include "base/err.h"

enum paths_kind { PATHS_CONFIG, PATHS_DATA, PATHS_STATE };

/* data_dir is --data-dir's value or NULL. With `create` the folder exists afterwards.
 * ERR_NOTFOUND: there is no home; ERR_IO: it could not be made. */
int paths_folder(enum paths_kind kind, const char *data_dir, bool create, char **out, struct err *e);

/* The model file to use: `given` (--model's value or NULL), else the setting model, else
 * data/model.safetensors beside the program, else the installed one. A file that was named
 * but cannot be read is an error, never a reason to take another. */
int paths_model(const char *given, char **out, struct err *e);

/* A file that ships with the program: data/NAME beside it, else the installed one. ERR_NOTFOUND. */
int paths_shipped(const char *name, char **out, struct err *e);

/* Make a folder and those above it, new ones with mode 0700. */
int paths_make(const char *folder, struct err *e);

#endif
