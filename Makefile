# SPDX-License-Identifier: GPL-3.0-or-later
# Answerback: build, test, install. `make help` lists the targets.
#
# Nothing here asks pkg-config, the compiler or the machine for anything while the file is
# read: `make deps run` reads it on a machine that has neither yet. What depends on them is
# expanded in recipes, once (`lazily`, below), after the `libs` check.

VERSION = 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
SHAREDIR ?= $(PREFIX)/share/answerback
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d

BUILD ?= build
CONFIG ?= release
OUT = $(BUILD)/$(CONFIG)
CORES := $(shell nproc 2>/dev/null || echo 2)
JOBS ?= $(CORES)
FUZZ_SECONDS ?= 60
CLANG ?= clang
PKG_CONFIG ?= pkg-config
INSTALL ?= install

# The program of the usual build lies at the top, all else out of the way.
BIN ?= $(if $(filter build/release,$(OUT)),answerback,$(OUT)/answerback)

# ---- what is built from what ------------------------------------------------

BASE_SRC = $(wildcard src/base/*.c)
MODEL_SRC = $(wildcard model/*.c)
APP_SRC = $(filter-out src/main.c,$(wildcard src/*.c)) $(wildcard ui/*.c)
TEST_SRC = $(wildcard tests/test_*.c)
THREADED_SRC = $(wildcard tests/test_train*.c tests/test_thread*.c)
GRADCHECK_SRC = $(wildcard tests/gradcheck_*.c)
FUZZ_SRC = $(wildcard tests/fuzz_*.c)
BENCH_SRC = $(wildcard tests/bench*.c)
COMMON_SRC = $(wildcard tests/common_*.c)
CORPUS_SRC = $(wildcard data/corpus_*.c)
# the encoder's tool writes texts from the same templates
ENCODER_SRC = $(wildcard data/encoder_*.c) data/corpus_text.c data/corpus_codes.c data/corpus_names.c
ANSWER_SRC = data/answer_main.c

objects = $(patsubst %.c,$(OUT)/%.o,$(1))
programs = $(patsubst %.c,$(OUT)/%,$(1))

# usable without the rest: only model/ and src/base/ are in it
MODEL_LIB = $(if $(filter release,$(CONFIG)),$(BUILD),$(OUT))/libanswerback-model.a
APP_LIB = $(OUT)/libanswerback-app.a
LIBS_ALL = $(APP_LIB) $(MODEL_LIB)

# ---- flags --------------------------------------------------------------------

WARNINGS = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS ?= -O2 -g

CONFIG_release =
CONFIG_debug = -O0 -g3
CONFIG_clang = -O0
CONFIG_asan = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined
CONFIG_tsan = -O1 -g -fsanitize=thread
CONFIG_double = -DANSWERBACK_DOUBLE
CONFIG_fuzz = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined

PACKAGES = openblas ncursesw readline sqlite3 jansson inih libutf8proc liblzma
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell $(PKG_CONFIG) --cflags $(PACKAGES)))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell $(PKG_CONFIG) --libs $(PACKAGES)))$(PKG_LIBS)
TEST_CFLAGS = $(eval TEST_CFLAGS := $$(shell $(PKG_CONFIG) --cflags cmocka vterm))$(TEST_CFLAGS)
TEST_LIBS = $(eval TEST_LIBS := $$(shell $(PKG_CONFIG) --libs cmocka vterm))$(TEST_LIBS)
MACHINE = $(eval MACHINE := $$(shell $(CC) -dumpmachine))$(MACHINE)

# No compiler may fuse a product and a sum that the source keeps apart: bits are compared.
ALL_CFLAGS = -std=c11 -ffp-contract=off -D_GNU_SOURCE -DANSWERBACK_VERSION='"$(VERSION)"' -Isrc -Imodel -I. \
	$(WARNINGS) $(if $(WERROR),-Werror) -pthread $(PKG_CFLAGS) $(CFLAGS) $(CONFIG_$(CONFIG))
ALL_LDFLAGS = $(filter -fsanitize=%,$(CONFIG_$(CONFIG))) -pthread -Wl,--as-needed $(LDFLAGS)
ALL_LIBS = $(PKG_LIBS) -lm

# Only the vector kernels may use more than the machine's base line.
x86 = $(if $(filter x86_64%,$(MACHINE)),$(1))
extra_flags = $(EXTRA_$(basename $(notdir $@)))
EXTRA_kernels_avx2 = $(call x86,-mavx2 -mfma)
EXTRA_kernels_avx512 = $(call x86,-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mfma)
EXTRA_paths = -DANSWERBACK_SHAREDIR='"$(SHAREDIR)"'
EXTRA_cmd_doctor = -DANSWERBACK_CFLAGS='"$(strip $(CFLAGS) $(CONFIG_$(CONFIG)))"'

ifeq ($(V),1)
Q =
say = :
else
Q = @
say = printf '  %-5s %s\n'
MAKEFLAGS += --no-print-directory
endif

# All cores, unless make was told otherwise (a -j of the command line wins).
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(CORES)
endif

# ---- targets ------------------------------------------------------------------

.PHONY: all run deps libs check check-long debug asan tsan bench fuzz model corpus encoder lint install \
	uninstall dist clean help tests threaded gradchecks fuzzers FORCE
.DELETE_ON_ERROR:
.SUFFIXES:

all: $(BIN)                ## build ./answerback (the default)

run: $(BIN)                ## build and start it (ARGS='...' are passed on)
	@$(abspath $(BIN)) $(ARGS)

debug:                     ## build/debug/answerback, without optimisation
	@+$(MAKE) CONFIG=debug all
asan:                      ## build/asan/answerback, with address and undefined-behaviour sanitizers
	@+$(MAKE) CONFIG=asan all
tsan:                      ## build/tsan/answerback, with the thread sanitizer
	@+$(MAKE) CONFIG=tsan all

check:                     ## all tests of a quarter of an hour: units, sanitizers, gradients, short fuzzing, lint
	@+$(RUN_TESTS) short
check-long:                ## long fuzzing and tests/long_*.sh
	@+$(RUN_TESTS) long

RUN_TESTS = MAKE='$(MAKE)' BUILD='$(BUILD)' BIN='$(BIN)' JOBS='$(JOBS)' CLANG='$(CLANG)' \
	MAKE_JOBS='$(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(JOBS))' bash tests/run.sh

fuzz:                      ## every fuzzer for FUZZ_SECONDS (60) each; needs clang
	@+$(RUN_TESTS) fuzz $(FUZZ_SECONDS)

lint:                      ## the layering rules, licences, file lengths
	@sh tests/lint.sh

bench: $(BIN) $(call programs,$(BENCH_SRC))    ## speed, beside this machine's own ceilings (ARGS=--long: more of it)
	@$(OUT)/tests/bench --program $(abspath $(BIN)) --json $(BUILD)/bench.json $(ARGS)
	@ANSWERBACK=$(abspath $(BIN)) $(OUT)/tests/bench_echo

corpus: $(BUILD)/corpus    ## the tool that makes training data from corpora

model: all corpus $(BUILD)/answer  ## train the shipped model from CORPUS=folder (hours)
	@if [ -z "$(CORPUS)" ]; then echo 'make model: say where the corpora are: make model CORPUS=folder' >&2; exit 2; fi
	sh data/model.sh "$(CORPUS)"

encoder: all $(BUILD)/encoder  ## train the memory's encoder from CORPUS=folder (half an hour)
	@if [ -z "$(CORPUS)" ]; then echo 'make encoder: say where the corpora are: make encoder CORPUS=folder' >&2; exit 2; fi
	sh data/encoder.sh "$(CORPUS)"

help:                      ## this list
	@echo 'make [target] [V=1] [WERROR=1] [CC=clang] [PREFIX=/usr/local] [DESTDIR=]'
	@sed -n 's/^\([a-z-]*\):[^#=]*## \(.*\)/\1\t\2/p' Makefile | expand -t 14 | sed 's/^/  /'

clean:                     ## remove what was built
	$(Q)rm -rf $(BUILD) answerback

# ---- packages -------------------------------------------------------------------

# To build and run; then what only the tests want (clang is for the fuzzers).
DEPS = gcc libc6-dev make pkg-config libopenblas-pthread-dev libncurses-dev libreadline-dev \
	libsqlite3-dev libjansson-dev libinih-dev libutf8proc-dev liblzma-dev libcmocka-dev libvterm-dev xz-utils
DEPS_CHECK = clang libclang-rt-dev
# `make deps run` does not fetch a second compiler; `make deps`, `make deps check` do.
DEPS_WANTED = $(DEPS) $(if $(filter-out deps run all answerback install,$(or $(filter-out deps,$(MAKECMDGOALS)),check)),$(DEPS_CHECK))

deps:                      ## install the Debian packages needed (as root or through sudo)
	@BUILD='$(BUILD)' sh tests/deps.sh $(DEPS_WANTED)

# Whatever else is asked for waits for the packages, with -j too.
AFTER_DEPS = $(filter deps,$(MAKECMDGOALS))
$(filter-out deps clean help libs,$(MAKECMDGOALS)): | $(AFTER_DEPS)

# pkg-config's name of a library, and Debian's name of its package
LIBRARIES = openblas:libopenblas-pthread-dev ncursesw:libncurses-dev readline:libreadline-dev \
	sqlite3:libsqlite3-dev jansson:libjansson-dev inih:libinih-dev libutf8proc:libutf8proc-dev \
	liblzma:liblzma-dev $(if $(filter tests threaded gradchecks,$(MAKECMDGOALS)),cmocka:libcmocka-dev vterm:libvterm-dev)

libs: | $(AFTER_DEPS)
	@command -v $(firstword $(CC)) >/dev/null || { echo "answerback: no C compiler ($(CC)): install the package gcc, or run: make deps" >&2; exit 1; }
	@command -v $(PKG_CONFIG) >/dev/null || { echo "answerback: $(PKG_CONFIG) is missing: install the package pkg-config, or run: make deps" >&2; exit 1; }
	@missing=; for l in $(LIBRARIES); do \
		$(PKG_CONFIG) --exists "$${l%%:*}" || { missing=1; \
		echo "answerback: the library $${l%%:*} is missing: install the package $${l##*:}, or run: make deps" >&2; }; \
	done; [ -z "$$missing" ]

.PHONY: libs-test
libs-test: libs
	@$(PKG_CONFIG) --exists cmocka || { echo "answerback: the library cmocka is missing: install the package libcmocka-dev, or run: make deps" >&2; exit 1; }

# ---- rules ------------------------------------------------------------------------

# Changed flags or another compiler rebuild everything; another PREFIX, one file.
$(OUT)/flags: FORCE | libs
	@mkdir -p $(@D)
	@printf '%s\n' $(quoted_flags) | cmp -s - $@ || printf '%s\n' $(quoted_flags) >$@
quoted_flags = '$(subst ','\'',$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(ALL_LIBS))'
$(OUT)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(SHAREDIR)' | cmp -s - $@ || echo '$(SHAREDIR)' >$@
$(OUT)/src/paths.o: $(OUT)/prefix

$(OUT)/%.o: %.c $(OUT)/flags | libs
	@mkdir -p $(@D)
	@$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) $(extra_flags) -MMD -MP -c -o $@ $<

$(MODEL_LIB): $(call objects,$(MODEL_SRC) $(BASE_SRC))
$(APP_LIB): $(call objects,$(APP_SRC))
# Made anew each time: a file that is gone must not live on in the archive.
$(MODEL_LIB) $(APP_LIB):
	@$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

link = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@

$(BIN): $(OUT)/src/main.o $(LIBS_ALL)
	@$(say) LD $@
	$(Q)$(link) $^ $(ALL_LIBS)

$(call objects,$(TEST_SRC) $(GRADCHECK_SRC) $(COMMON_SRC)): | libs-test

# A test is linked with those tests/common_*.c whose headers it includes.
$(call programs,$(TEST_SRC)): $(OUT)/%: $(OUT)/%.o $(call objects,$(COMMON_SRC)) $(LIBS_ALL)
	@$(say) LD $@
	$(Q)$(link) $< $(commons) $(LIBS_ALL) $(TEST_LIBS) $(ALL_LIBS)
commons = $(filter $(shell sed -n 's|.*include "\(common_[a-z0-9_]*\)\.h".*|$(OUT)/tests/\1.o|p' $*.c),$^)

# In double precision there are only the model and what it stands on.
$(call programs,$(GRADCHECK_SRC)): $(OUT)/%: $(OUT)/%.o $(OUT)/tests/common_model.o $(MODEL_LIB)
	@$(say) LD $@
	$(Q)$(link) $^ $(TEST_LIBS) $(ALL_LIBS)

$(call programs,$(FUZZ_SRC)): $(OUT)/%: $(OUT)/%.o $(LIBS_ALL)
	@$(say) LD $@
	$(Q)$(link) -fsanitize=fuzzer $^ $(ALL_LIBS)

$(BUILD)/corpus: $(call objects,$(CORPUS_SRC)) $(LIBS_ALL)
	@$(say) LD $@
	$(Q)$(link) $^ $(ALL_LIBS)

$(BUILD)/encoder: $(call objects,$(ENCODER_SRC)) $(LIBS_ALL)
	@$(say) LD $@
	$(Q)$(link) $^ $(ALL_LIBS)

$(BUILD)/answer: $(call objects,$(ANSWER_SRC)) $(LIBS_ALL)
	@$(say) LD $@
	$(Q)$(link) $^ $(ALL_LIBS)

# The parts of the bench are tests/common_bench*.c; the bench of the screen has its harness and libvterm.
$(OUT)/tests/bench: $(call objects,$(wildcard tests/common_bench*.c))
$(OUT)/tests/bench_echo: $(OUT)/tests/common_screen.o
$(OUT)/tests/bench_echo: BENCH_LIBS = $(TEST_LIBS)
$(call programs,$(BENCH_SRC)): $(OUT)/%: $(OUT)/%.o $(LIBS_ALL)
	@$(say) LD $@
	$(Q)$(link) $(filter %.o,$^) $(LIBS_ALL) $(BENCH_LIBS) $(ALL_LIBS)

tests: $(call programs,$(TEST_SRC))
threaded: $(call programs,$(THREADED_SRC))
# Two configurations on their own terms: each target makes itself right.
ifeq ($(CONFIG),double)
gradchecks: $(call programs,$(GRADCHECK_SRC))
else
gradchecks:
	@+$(MAKE) CONFIG=double gradchecks
endif
ifeq ($(CONFIG),fuzz)
fuzzers: $(call programs,$(FUZZ_SRC))
else
fuzzers:
	@+$(MAKE) CONFIG=fuzz CC=$(CLANG) fuzzers
endif

ALL_OBJECTS = $(call objects,$(BASE_SRC) $(MODEL_SRC) $(APP_SRC) src/main.c $(TEST_SRC) \
	$(GRADCHECK_SRC) $(FUZZ_SRC) $(COMMON_SRC) $(CORPUS_SRC) $(ENCODER_SRC) $(ANSWER_SRC) $(BENCH_SRC))
.SECONDARY: $(ALL_OBJECTS)
-include $(wildcard $(ALL_OBJECTS:.o=.d))

# ---- install and release ------------------------------------------------------------

install: $(BIN)            ## program, man pages, completions, model, under $(DESTDIR)$(PREFIX)
	$(Q)$(INSTALL) -d "$(DESTDIR)$(BINDIR)" "$(DESTDIR)$(SHAREDIR)"
	$(Q)$(INSTALL) -m 755 $(BIN) "$(DESTDIR)$(BINDIR)/answerback"
	$(Q)for f in $(wildcard man/*.[1-9]); do \
		$(INSTALL) -d "$(DESTDIR)$(MANDIR)/man$${f##*.}" && \
		$(INSTALL) -m 644 "$$f" "$(DESTDIR)$(MANDIR)/man$${f##*.}/" || exit 1; done
	$(Q)for f in $(wildcard data/model.safetensors data/model.ngram data/encoder.safetensors data/answer.safetensors data/gate.jsonl data/canned.jsonl); do \
		$(INSTALL) -m 644 "$$f" "$(DESTDIR)$(SHAREDIR)/" || exit 1; done
	$(Q)$(INSTALL) -d "$(DESTDIR)$(SHAREDIR)/wordings"
	$(Q)$(INSTALL) -m 644 data/wordings/ask.jsonl data/wordings/words.jsonl "$(DESTDIR)$(SHAREDIR)/wordings/"
	$(Q)$(INSTALL) -d "$(DESTDIR)$(SHAREDIR)/examples"
	$(Q)$(INSTALL) -m 644 data/examples/answerback.vim "$(DESTDIR)$(SHAREDIR)/examples/"
	$(Q)$(INSTALL) -m 755 data/examples/answerback-mail "$(DESTDIR)$(SHAREDIR)/examples/"
	$(Q)$(INSTALL) -d "$(DESTDIR)$(BASHDIR)" "$(DESTDIR)$(ZSHDIR)" "$(DESTDIR)$(FISHDIR)"
	$(Q)for c in "bash $(BASHDIR)/answerback" "zsh $(ZSHDIR)/_answerback" "fish $(FISHDIR)/answerback.fish"; do \
		"$(abspath $(BIN))" completions "$${c%% *}" >"$(OUT)/completions" && \
		$(INSTALL) -m 644 "$(OUT)/completions" "$(DESTDIR)$${c#* }" || exit 1; done

uninstall:                 ## take that away again
	$(Q)rm -f "$(DESTDIR)$(BINDIR)/answerback" "$(DESTDIR)$(BASHDIR)/answerback" "$(DESTDIR)$(ZSHDIR)/_answerback" \
		"$(DESTDIR)$(FISHDIR)/answerback.fish"
	$(Q)for f in $(notdir $(wildcard man/*.[1-9])); do rm -f "$(DESTDIR)$(MANDIR)/man$${f##*.}/$$f"; done
	$(Q)rm -rf "$(DESTDIR)$(SHAREDIR)"

dist:                      ## answerback-VERSION.tar.xz of what is committed
	$(Q)git rev-parse -q --verify HEAD >/dev/null 2>&1 || { echo 'make dist: only from a git checkout with a commit' >&2; exit 1; }
	$(Q)git archive --prefix=answerback-$(VERSION)/ HEAD | xz -9 >answerback-$(VERSION).tar.xz
	@echo answerback-$(VERSION).tar.xz
