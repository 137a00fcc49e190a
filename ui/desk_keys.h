/* SPDX-License-Identifier: GPL-3.0-or-later */
/* desk_keys: the one table of the writing desk's keys: what is bound, and what its help shows. */
#ifndef ANSWERBACK_UI_DESK_KEYS_H
#define ANSWERBACK_UI_DESK_KEYS_H

/* X(name, sequences (readline's notation, " " between them), how help shows it, what it does) */
#define DESK_KEYS(X) \
	X(WRITE, "\\C-o", "C-o", "write out, under this name or another") \
	X(SAVE, "\\C-s", "C-s", "save under the name it has") \
	X(EXIT, "\\C-x", "C-x", "exit; asks when something is not saved") \
	X(READ, "\\C-r \\e[2~", "C-r, Insert", "put a file in here") \
	X(EDITOR, "\\C-t", "C-t", "go on in $EDITOR, and come back") \
	X(SEARCH, "\\C-w", "C-w", "search") \
	X(NEXT_MATCH, "\\ew \\e[1;3B", "M-w", "next match") \
	X(LAST_MATCH, "\\eq \\e[1;3A", "M-q", "the match before") \
	X(REPLACE, "\\er \\C-\\", "M-r, C-\\", "search and replace") \
	X(GO_TO, "\\eg \\C-_", "M-g, C-_", "go to a line, or to LINE,COLUMN") \
	X(POSITION, "\\C-c \\ed", "C-c, M-d", "where the cursor is; words and characters") \
	X(UNDO, "\\eu", "M-u", "undo") \
	X(REDO, "\\ee", "M-e", "redo") \
	X(CUT, "\\C-k", "C-k", "cut the line, or what is marked") \
	X(PASTE, "\\C-u", "C-u", "paste what was cut") \
	X(COPY, "\\e^ \\e6", "M-^, M-6", "copy the line, or what is marked") \
	X(MARK, "\\ea \\C-^", "M-a, C-^", "begin or end marking") \
	X(ACCEPT, "\\e[C \\eOC \\C-f", "Right, C-f", "take the grey text; else one character right") \
	X(ACCEPT_END, "\\C-e \\e[F \\eOF \\e[4~ \\e[8~", "End, C-e", "take the grey text; else to the end of the row, of the line") \
	X(ACCEPT_WORD, "\\ef \\e[1;5C \\e[1;3C \\e\\e[C \\eOc", "M-f, M-Right, C-Right", "take one word of it; else one word right") \
	X(TAB, "\\C-i", "Tab", "take the grey text; else a tab") \
	X(DISMISS, "\\C-g \\eOP \\e[11~", "C-g", "send the grey text away; else these keys") \
	X(GHOST, "\\es", "M-s", "grey text on and off") \
	X(LEFT, "\\e[D \\eOD \\C-b", "Left, C-b", "one character left") \
	X(WORD_LEFT, "\\eb \\e[1;5D \\e[1;3D \\e\\e[D \\eOd", "M-b, M-Left, C-Left", "one word left") \
	X(HOME, "\\C-a \\e[H \\eOH \\e[1~ \\e[7~", "Home, C-a", "to the beginning of the row, of the line") \
	X(UP, "\\e[A \\eOA \\C-p", "Up, C-p", "one row up") \
	X(DOWN, "\\e[B \\eOB \\C-n", "Down, C-n", "one row down") \
	X(PAGE_UP, "\\C-y \\e[5~", "PgUp, C-y", "one page up") \
	X(PAGE_DOWN, "\\C-v \\e[6~", "PgDn, C-v", "one page down") \
	X(FIRST, "\\e\\\\ \\e[1;5H \\e[7^", "M-\\, C-Home", "to the beginning of the document") \
	X(LAST, "\\e/ \\e[1;5F \\e[8^", "M-/, C-End", "to its end") \
	X(ERASE, "\\C-h \\C-?", "Backspace", "erase the character before the cursor") \
	X(DELETE, "\\C-d \\e[3~", "Delete, C-d", "erase the one under it") \
	X(ERASE_WORD, "\\e\\C-h \\e\\C-?", "M-Backspace", "erase the word before it") \
	X(DELETE_WORD, "\\e[3;5~ \\e[3;3~", "C-Delete", "erase the word after it") \
	X(ENTER, "\\C-m \\C-j", "Enter", "a new line") \
	X(REDRAW, "\\C-l", "C-l", "redraw") \
	X(SUSPEND, "\\C-z", "C-z", "suspend")

enum desk_action {
#define X(name, seq, shown, what) DESK_##name,
	DESK_KEYS(X)
#undef X
	DESK_ACTIONS
};

#endif
