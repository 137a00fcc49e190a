/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keys: the one table of what keys do. readline's bindings, the help screen, the man page and the
 * tests all come from it. */
#ifndef ANSWERBACK_UI_KEYS_H
#define ANSWERBACK_UI_KEYS_H

/* X(name, emacs and vi-insert sequences in readline's notation ("" none), letter after C-x and (vi) after a
 * comma (0 none), how help shows it, what it does) */
#define KEYS(X) \
	X(SEND, "\\C-m", 0, "Enter", "send what is typed") \
	X(NEWLINE, "\\C-j|\\e\\C-m|\\e\\C-j", 0, "C-j, M-Enter", "a new line in it") \
	X(ACCEPT, "\\C-f|\\e[C|\\eOC", 0, "Right, C-f", "take the grey text; else go right") \
	X(ACCEPT_END, "\\C-e|\\e[F|\\eOF|\\e[4~", 0, "End, C-e", "take the grey text; else to the end") \
	X(ACCEPT_WORD, "\\ef|\\e\\e[C|\\e[1;3C|\\e[1;5C", 0, "M-f, M-Right, C-Right", "take one word of it; else a word right") \
	X(TAB, "\\C-i", 0, "Tab", "take the grey text; else complete a /command") \
	X(TAKE_BACK, "\\C-_", 0, "C-_", "undo; takes accepted grey text back at once") \
	X(DISMISS, "\\C-g", 0, "C-g", "send the grey text away; leave a screen") \
	X(ANOTHER, "\\e/", 0, "M-/", "another grey text than this; one where none is shown") \
	X(GHOST, "\\es", 0, "M-s", "grey text on and off") \
	X(CUSTOMER, "", 'c', "C-x c", "assist: what is typed or pasted is the customer's") \
	X(SUGGEST, "\\eg", 'g', "M-g, C-x g", "suggest replies") \
	X(TAKE1, "", '1', "C-x 1", "take the first suggestion") \
	X(TAKE2, "", '2', "C-x 2", "take the second") \
	X(TAKE3, "", '3', "C-x 3", "take the third") \
	X(CANNED, "", 'k', "C-x k", "canned replies") \
	X(CASES, "", 'l', "C-x l", "list of open conversations") \
	X(NEXT, "", 'n', "C-x n", "next open conversation") \
	X(PREVIOUS, "", 'p', "C-x p", "previous one") \
	X(MENU, "", 'm', "C-x m", "menu of everything") \
	X(TRAINING, "", 't', "C-x t", "training") \
	X(REVIEW, "", 'r', "C-x r", "review what may be learned from") \
	X(HISTORY, "", 'b', "C-x b", "browse and search the history") \
	X(MODELS, "", 'v', "C-x v", "models: promote, roll back") \
	X(WHY, "", 'w', "C-x w", "why this reply?") \
	X(SETTINGS, "", 's', "C-x s", "settings") \
	X(DESK, "", 'd', "C-x d", "the writing desk") \
	X(HELP, "", 'h', "C-x h", "these keys") \
	X(UP, "\\e[A|\\eOA|\\C-p", 0, "Up, C-p", "what was typed before; up in a list") \
	X(DOWN, "\\e[B|\\eOB|\\C-n", 0, "Down, C-n", "what was typed after; down in a list") \
	X(PAGE_UP, "\\e[5~|\\ev", 0, "PgUp, M-v", "scroll back") \
	X(PAGE_DOWN, "\\e[6~|\\C-v", 0, "PgDn, C-v", "scroll forward") \
	X(EDITOR, "\\C-x\\C-e", 'e', "C-x e, C-x C-e", "write it in $EDITOR")

/* Keys that never reach readline. */
#define KEYS_FIXED(X) \
	X("C-c", "stop what runs, else put the line away; never quits") \
	X("C-d", "on an empty line: quit") \
	X("C-z", "suspend") \
	X("C-l", "redraw")

enum key_action {
#define X(name, seq, letter, shown, what) ACT_##name,
	KEYS(X)
#undef X
	ACT_ACTIONS
};

#endif
