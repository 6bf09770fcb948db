# SPDX-License-Identifier: GPL-3.0-only
# iotrace and profile-scenario. `make help` lists the targets.

VERSION := 0.1.0
O       ?= build
PREFIX  ?= /usr/local
ARCH    := $(shell uname -m)
V       ?= 0
ifeq ($(origin CC),default)
CC := $(or $(shell for c in gcc cc clang; do command -v $$c >/dev/null && echo $$c && break; done),gcc)
endif
ifneq ($(word 2,$(O)),)
$(error O="$(O)": make cannot have a space in O; a checkout may lie in a path with spaces)
endif

ifeq ($(V),0)
Q   := @
say  = @printf '  %-8s %s\n' '$(1)' '$(2)'
else
Q   :=
say  = @:
endif

# ---- flags: CPPFLAGS, CFLAGS, LDFLAGS and LDLIBS are the user's alone; ALL_* is what is used ----
# $(call once,NAME,COMMAND): NAME asks the shell when first needed (what deps installs is there), once
once  = $(eval $(1) := $(shell $(2)))$($(1))
quote = '$(subst ','\'',$(1))'

# Where pkg-config does not know a library, or is missing: its name.
LIBRARY    := libseccomp=seccomp jansson=jansson libmd=md libdw=dw libelf=elf libzstd=zstd zydis=Zydis
# Those of profile-scenario alone: what a load says, exports, history.
OWN_LIBRARY := libpcre2-8=pcre2-8 libprotobuf-c=protobuf-c zlib=z sqlite3=sqlite3 libpq=pq
PKG_CONFIG ?= pkg-config
PKG_CFLAGS  = $(call once,PKG_CFLAGS,for l in $(LIBRARY) $(OWN_LIBRARY); do \
	$(PKG_CONFIG) --cflags $${l%=*} 2>/dev/null; done)
PKG_LIBS    = $(call once,PKG_LIBS,for l in $(LIBRARY); do \
	$(PKG_CONFIG) --libs $${l%=*} 2>/dev/null || echo -l$${l#*=}; done)
OWN_LIBS    = $(call once,OWN_LIBS,for l in $(OWN_LIBRARY); do \
	$(PKG_CONFIG) --libs $${l%=*} 2>/dev/null || echo -l$${l#*=}; done)
IS_CLANG    = $(call once,IS_CLANG,$(CC) --version 2>/dev/null | grep -o -m1 clang)

WARN  := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla
OPT   ?= -O2
ERROR := $(if $(CI)$(WERROR),-Werror)
INSTRUMENT :=
ifneq ($(SAN),)
INSTRUMENT += -fsanitize=$(SAN) -fno-sanitize-recover=undefined
endif
ifneq ($(COVERAGE),)
INSTRUMENT += --coverage -O0
endif

# Needs the optimiser; a sanitizer sees more without it; the user's or distribution's own goes before.
OPT_LEVEL     = $(lastword -O0 $(filter -O%,$(CC) $(OPT) $(INSTRUMENT) $(CFLAGS)))
FORTIFY_LEVEL = $(call once,FORTIFY_LEVEL,$(CC) -E -O2 -Werror -U_FORTIFY_SOURCE \
	-D_FORTIFY_SOURCE=3 -include features.h -x c /dev/null >/dev/null 2>&1 && echo 3 || echo 2)
FORTIFY       = $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE \
	$(if $(filter -O0,$(OPT_LEVEL))$(SAN),,-D_FORTIFY_SOURCE=$(FORTIFY_LEVEL)))
# The same bytes wherever the checkout lies (gcov wants to find its files).
PREFIX_MAP   := $(if $(COVERAGE),,$(call quote,-ffile-prefix-map=$(CURDIR)=.))

ALL_CPPFLAGS = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -I$(O)/gen -DIOTRACE_VERSION='"$(VERSION)"' $(FORTIFY) \
	$(if $(STATIC),-DIOTRACE_STATIC) $(PKG_CFLAGS) $(CPPFLAGS)
ALL_CFLAGS   = $(OPT) -g $(WARN) $(ERROR) -fno-omit-frame-pointer -fPIE -fstack-protector-strong \
	$(INSTRUMENT) $(CFLAGS) -std=gnu17 -pthread
ALL_LDFLAGS  = $(if $(STATIC),-static-pie,-pie) -Wl,-z,relro,-z,now $(LDFLAGS)
# Each program needs only what it uses: libdw takes time to load.
ALL_LDLIBS   = -Wl,--as-needed $(PKG_LIBS) $(if $(STATIC),$(STATIC_LIBS)) -lm $(LDLIBS)
# What libdw's and libelf's archives need in turn differs from release to release: whichever is there.
STATIC_LIBS  = $(foreach l,zstd lzma bz2 z,$(if $(filter /%,$(shell $(CC) -print-file-name=lib$(l).a)),-l$(l)))

# Runs inside the targets: it must need nothing from outside, and leave alone what they use.
# None of the above, none of the user's.
STUB_CFLAGS  = -std=gnu17 -O2 $(WARN) $(ERROR) -fPIC -ffreestanding -fno-stack-protector \
	-fcf-protection=none -fno-jump-tables -fomit-frame-pointer -mgeneral-regs-only \
	-fno-sanitize=all -fno-lto $(if $(IS_CLANG),-fno-builtin,-fno-tree-loop-distribute-patterns)

# ---- sources: a folder is a room; a new file is found by itself ----
# A backend is a folder with a backend.c.
BACKENDS   := $(wildcard */backend.c)
ROOM       := common tests $(BACKENDS:/backend.c=)
COMMON_SRC := $(filter-out common/cli/%,$(wildcard common/*/*.c))
CLI_SRC    := $(wildcard common/cli/*.c)
TRACER_SRC := $(filter-out tracer/main.c tracer/alone.c tracer/backend.c,$(wildcard tracer/*.c tracer/*/*.c)) \
	$(wildcard tracer/arch/$(ARCH)/*.c tracer/arch/$(ARCH)/*.S)
PROFILE_SRC := $(filter-out $(BACKENDS) tracer/%,$(wildcard $(BACKENDS:backend.c=*.c)))
UNIT_SRC   := $(wildcard tests/unit/test_*.c)

obj         = $(patsubst %.S,$(O)/obj/%.o,$(patsubst %.c,$(O)/obj/%.o,$(1)))
LIBCOMMON  := $(O)/libcommon.a
LIBTRACER  := $(O)/libtracer.a
LIBPROFILE := $(O)/libprofile.a
PROGRAM    := iotrace profile-scenario
BIN        := $(PROGRAM:%=$(O)/bin/%)
MANUAL     := $(patsubst docs/man/%,$(O)/man/%,$(wildcard docs/man/*.1))
UNIT_BIN   := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(UNIT_SRC))

# For a make of many files: as many at a time as there are CPUs, where nobody has said how many.
PARALLEL = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$$(nproc))

.PHONY: all help deps demo check check-load unit e2e bench soak repro install uninstall clean fmt fmt-check tidy \
	tidy-all targets force deb dist static
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: deps
	$(Q)$(MAKE) --no-print-directory $(BIN) $(MANUAL)

help:
	@echo 'make            build $(O)/bin/iotrace and $(O)/bin/profile-scenario'
	@echo 'make demo       build, profile the bundled demo program, show its batches'
	@echo 'make check      build and run every test (installs what the tests need)'
	@echo 'make check-load every test ROUNDS times (20) beside busy loops: for tests that fail now and then'
	@echo 'make unit, e2e  one kind of test only'
	@echo 'make matrix     demo and check on fresh machines, CELLS=WORD chooses; matrix-here: compilers and -O levels here'
	@echo 'make fuzz       every parser and decoder on hostile input for FUZZ_MINUTES (60)'
	@echo 'make gate       all that CI runs: check, check-san, tidy, fuzz, the matrix'
	@echo 'make soak       the recorder'"'"'s races for SOAK_MINUTES (60)'
	@echo 'make bench      measure the cost of tracing, as ratios of one interleaved run'
	@echo 'make repro      build in two folders: the same bytes?'
	@echo 'make install    into $$(DESTDIR)$$(PREFIX), PREFIX=$(PREFIX); make uninstall'
	@echo 'make deb        a Debian package in $(O)/deb; make dist: $(O)/iotrace-$(VERSION).tar.xz'
	@echo 'make static     $(O)/iotrace-static, one file that needs no library; make packages: all three, tried in fresh roots'
	@echo 'make fmt, tidy  clang-format in place; clang-tidy of what has changed'
	@echo 'make clean      remove $(O)/'
	@echo 'variables: V=1 (show commands) O=DIR CC=clang OPT=-O2 CFLAGS= CPPFLAGS= LDFLAGS= LDLIBS='
	@echo '           SAN=address,undefined COVERAGE=1 WERROR=1 NO_DEPS=1 (no look at packages)'

# $(DEPS) build|static|unit|e2e|check
DEPS = $(if $(NO_DEPS),: NO_DEPS,CC=$(call quote,$(CC)) \
	FLAGS=$(call quote,$(PKG_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(filter -L%,$(PKG_LIBS))) \
	.ci/deps)
deps:
	$(Q)$(DEPS) build

# Other flags make everything anew. Only a change of its text changes its time.
BUILD_FLAGS = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(ALL_LDLIBS) $(OWN_LIBS) $(STUB_CFLAGS) \
	$(TARGET_OPT)
$(O)/flags: force
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(BUILD_FLAGS)) | cmp -s - $@ || printf '%s\n' $(call quote,$(BUILD_FLAGS)) >$@

# A source that goes is in no archive any more. Only a change of the list changes its time.
$(O)/sources: force
	@mkdir -p $(@D)
	@printf '%s\n' $(COMMON_SRC) $(TRACER_SRC) $(PROFILE_SRC) | cmp -s - $@ || \
		printf '%s\n' $(COMMON_SRC) $(TRACER_SRC) $(PROFILE_SRC) >$@

$(O)/obj/%.o: %.c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(PREFIX_MAP) -MMD -MP -c -o $@ $<

$(O)/obj/%.o: %.S $(O)/flags
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(PREFIX_MAP) -MMD -MP -c -o $@ $<

$(O)/obj/tracer/arch/$(ARCH)/measure.o: ALL_CPPFLAGS = -I.
$(O)/obj/tracer/arch/$(ARCH)/measure.o: ALL_CFLAGS = $(STUB_CFLAGS)

# ---- pprof's format, by protobuf-c's compiler ----
PROFILE_PB := $(O)/gen/profile.pb-c
$(PROFILE_PB).c: common/export/profile.proto
	@mkdir -p $(@D)
	$(call say,PROTO,$<)
	$(Q)protoc-c --proto_path=$(<D) --c_out=$(@D) $(<F)
$(PROFILE_PB).h: $(PROFILE_PB).c ;
$(O)/obj/gen/profile.pb-c.o: $(PROFILE_PB).c $(O)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -w $(PREFIX_MAP) -MMD -MP -c -o $@ $<
$(O)/obj/common/export/pprof.o: $(PROFILE_PB).h

$(LIBCOMMON): $(call obj,$(COMMON_SRC)) $(O)/obj/gen/profile.pb-c.o $(O)/sources
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)

$(LIBTRACER): $(call obj,$(TRACER_SRC)) $(O)/sources
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)

$(LIBPROFILE): $(call obj,$(PROFILE_SRC)) $(O)/sources
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)

$(O)/bin/iotrace: $(call obj,tracer/main.c $(if $(STATIC),tracer/alone.c)) $(LIBTRACER) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(PREFIX_MAP) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LDLIBS)

$(O)/bin/profile-scenario: $(call obj,$(CLI_SRC) $(BACKENDS)) $(LIBPROFILE) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(PREFIX_MAP) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LDLIBS) $(OWN_LIBS)

$(O)/tests/unit/%: $(O)/obj/tests/unit/%.o $(LIBTRACER) $(LIBPROFILE) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(PREFIX_MAP) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LDLIBS) $(OWN_LIBS) -lcmocka

include tests/tests.mk

$(O)/man/%.1: docs/man/%.1 Makefile
	@mkdir -p $(@D)
	$(Q)sed 's/@VERSION@/$(VERSION)/' $< >$@

# ---- install: one list for both ways ----
DEST       := $(DESTDIR)$(PREFIX)
COMPLETION := share/bash-completion/completions
COMPLETION_ZSH  := share/zsh/vendor-completions
COMPLETION_FISH := share/fish/vendor_completions.d
DOC        := $(wildcard docs/*.md docs/*.json)
EXAMPLE    := $(wildcard docs/examples/*)

install: all
	for p in $(PROGRAM); do install -D -m 755 $(O)/bin/$$p "$(DEST)/bin/$$p" || exit 1; done
	for m in $(MANUAL); do install -D -m 644 $$m "$(DEST)/share/man/man1/$${m##*/}" || exit 1; done
	for p in $(PROGRAM); do \
		install -D -m 644 docs/completion/$$p.bash "$(DEST)/$(COMPLETION)/$$p" && \
		install -D -m 644 docs/completion/zsh "$(DEST)/$(COMPLETION_ZSH)/_$$p" && \
		install -D -m 644 docs/completion/fish "$(DEST)/$(COMPLETION_FISH)/$$p.fish" || exit 1; done
	install -d "$(DEST)/share/doc/iotrace/examples"
	install -m 644 $(DOC) "$(DEST)/share/doc/iotrace"
	install -m 644 $(EXAMPLE) "$(DEST)/share/doc/iotrace/examples"

uninstall:
	for p in $(PROGRAM); do rm -f "$(DEST)/bin/$$p" "$(DEST)/$(COMPLETION)/$$p" \
		"$(DEST)/$(COMPLETION_ZSH)/_$$p" "$(DEST)/$(COMPLETION_FISH)/$$p.fish" || exit 1; done
	for m in $(MANUAL); do rm -f "$(DEST)/share/man/man1/$${m##*/}" || exit 1; done
	for d in $(DOC:docs/%=%) $(EXAMPLE:docs/%=%); do rm -f "$(DEST)/share/doc/iotrace/$$d" || exit 1; done
	for d in share/doc/iotrace/examples share/doc/iotrace share/man/man1 \
		$(foreach d,$(COMPLETION) $(COMPLETION_ZSH) $(COMPLETION_FISH),$(d) $(dir $(d))); do \
		rmdir "$(DEST)/$$d" 2>/dev/null || :; done

# ---- packages: docs/INSTALL.md ----
DEB = $(O)/deb
deb: all
	$(Q)rm -rf $(DEB)
	$(Q)$(MAKE) -s --no-print-directory -o all install DESTDIR=$(DEB)/tree PREFIX=/usr
	$(Q)packaging/deb $(DEB) $(VERSION)

# Of what is committed, with the time of the commit.
DIST_XZ := -9
dist:
	$(Q)mkdir -p $(O)
	$(Q)git archive --prefix=iotrace-$(VERSION)/ -o $(O)/iotrace-$(VERSION).tar HEAD
	$(Q)xz $(DIST_XZ) -T1 -f $(O)/iotrace-$(VERSION).tar
	@echo $(O)/iotrace-$(VERSION).tar.xz

# A build of its own, by libraries' archives; Debian has none of Zydis.
ZYDIS_DIR = $(O)/static/zydis
static:
	$(Q)$(DEPS) static
	$(Q)CC=$(call quote,$(CC)) packaging/zydis $(ZYDIS_DIR)
	$(Q)$(MAKE) --no-print-directory NO_DEPS=1 STATIC=1 O=$(O)/static PKG_CONFIG='$(PKG_CONFIG) --static' \
		CPPFLAGS=$(call quote,-I$(ZYDIS_DIR)/include -DZYDIS_STATIC_BUILD $(CPPFLAGS)) \
		LDFLAGS=$(call quote,-L$(ZYDIS_DIR) $(LDFLAGS)) $(O)/static/bin/iotrace
	$(Q)strip -o $(O)/iotrace-static $(O)/static/bin/iotrace
	@echo $(O)/iotrace-static

clean:
	rm -rf $(O)

# ---- format and clang-tidy ----
FMT_SRC = $(shell find $(ROOM) -name '*.[ch]')
fmt:
	clang-format -i $(FMT_SRC)
fmt-check:
	clang-format --dry-run -Werror $(FMT_SRC)

# A file that is clean is looked at again when its object is older than it: its headers have changed.
CLANG_TIDY ?= clang-tidy
TIDY := $(patsubst %.c,$(O)/tidy/%.ok,$(filter %.c,$(COMMON_SRC) $(CLI_SRC) $(TRACER_SRC) tracer/main.c tracer/alone.c \
	$(BACKENDS) $(PROFILE_SRC)))
tidy: deps
	$(Q)if command -v $(CLANG_TIDY) >/dev/null; \
		then $(MAKE) --no-print-directory $(PARALLEL) tidy-all; \
		else echo '  SKIP     clang-tidy: $(CLANG_TIDY) is missing'; fi
tidy-all: $(TIDY)
$(O)/tidy/%.ok: $(O)/obj/%.o .clang-tidy
	@mkdir -p $(@D)
	$(call say,TIDY,$*.c)
	$(Q)$(CLANG_TIDY) --quiet $*.c -- $(ALL_CPPFLAGS) -std=gnu17 2>$@.log || { cat $@.log; exit 1; }
	@rm -f $@.log; touch $@

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
