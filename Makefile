# SPDX-License-Identifier: GPL-3.0-only
# iotrace and profile-scenario. `make help` lists the targets.

VERSION := 0.1.0
O       ?= build
PREFIX  ?= /usr/local
CC      ?= gcc
ARCH    := $(shell uname -m)
V       ?= 0

ifeq ($(V),0)
Q   := @
say  = @printf '  %-8s %s\n' '$(1)' '$(2)'
else
Q   :=
say  = @:
endif

# ---- flags ----
PKGS     := libseccomp jansson libmd libdw libelf libzstd
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wvla
OPT      ?= -O2 -g
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -DIOTRACE_VERSION='"$(VERSION)"'
CFLAGS   += -std=gnu17 $(OPT) $(WARN) -fno-omit-frame-pointer -pthread
# Each program needs only what it uses: libdw takes time to load.
LDLIBS    = -Wl,--as-needed $(shell pkg-config --libs $(PKGS)) -lZydis -lm
ifneq ($(CI)$(WERROR),)
CFLAGS   += -Werror
endif
ifneq ($(SAN),)
CFLAGS   += -fsanitize=$(SAN) -fno-sanitize-recover=undefined
LDFLAGS  += -fsanitize=$(SAN)
endif
ifneq ($(COVERAGE),)
CFLAGS   += --coverage -O0
LDFLAGS  += --coverage
endif

# ---- sources: a folder is a room; a new file is found by itself ----
COMMON_SRC := $(filter-out common/cli/%,$(wildcard common/*/*.c))
CLI_SRC    := $(wildcard common/cli/*.c)
TRACER_SRC := $(filter-out tracer/main.c tracer/backend.c,$(wildcard tracer/*.c tracer/*/*.c)) \
	$(wildcard tracer/arch/$(ARCH)/*.c tracer/arch/$(ARCH)/*.S)
BACKENDS   := $(wildcard tracer/backend.c cpu/backend.c mem/backend.c)
PROFILE_SRC := $(filter-out $(BACKENDS),$(wildcard cpu/*.c mem/*.c))
UNIT_SRC   := $(wildcard tests/unit/test_*.c)

obj         = $(patsubst %.S,$(O)/obj/%.o,$(patsubst %.c,$(O)/obj/%.o,$(1)))
LIBCOMMON  := $(O)/libcommon.a
LIBTRACER  := $(O)/libtracer.a
LIBPROFILE := $(O)/libprofile.a
BIN        := $(O)/bin/iotrace $(O)/bin/profile-scenario
UNIT_BIN   := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(UNIT_SRC))

.PHONY: all help deps demo check unit e2e bench soak install clean fmt fmt-check tidy targets
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:

all: deps
	$(Q)$(MAKE) --no-print-directory $(BIN)

help:
	@echo 'make            build $(O)/bin/iotrace and $(O)/bin/profile-scenario'
	@echo 'make demo       build, profile the bundled demo program, show its batches'
	@echo 'make check      build and run every test (installs what the tests need)'
	@echo 'make unit, e2e  one kind of test only'
	@echo 'make fuzz       every parser and decoder on hostile input for FUZZ_MINUTES (60)'
	@echo 'make gate       all that CI runs: check, check-san, tidy, fuzz, the matrix'
	@echo 'make soak       the recorder'"'"'s races for SOAK_MINUTES (60)'
	@echo 'make bench      measure the cost of tracing, as ratios of one interleaved run'
	@echo 'make install    into $$(DESTDIR)$$(PREFIX), PREFIX=$(PREFIX)'
	@echo 'make fmt, tidy  clang-format in place; clang-tidy'
	@echo 'make clean      remove $(O)/'
	@echo 'variables: V=1 (show commands) O=DIR SAN=address,undefined COVERAGE=1 WERROR=1'

deps:
	$(Q).ci/deps build

$(O)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(O)/obj/%.o: %.S
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# Runs inside the targets: it must need nothing from outside, and leave alone what they use.
# clang makes no calls of loops where it is freestanding, and does not know gcc's word for that.
$(O)/obj/tracer/arch/$(ARCH)/measure.o: CFLAGS := -std=gnu17 -O2 $(WARN) -fPIC -ffreestanding \
	-fno-stack-protector -fcf-protection=none -fno-jump-tables -fomit-frame-pointer \
	$(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns) -mgeneral-regs-only

$(LIBCOMMON): $(call obj,$(COMMON_SRC))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(LIBTRACER): $(call obj,$(TRACER_SRC))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(LIBPROFILE): $(call obj,$(PROFILE_SRC))
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(O)/bin/iotrace: $(call obj,tracer/main.c) $(LIBTRACER) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(O)/bin/profile-scenario: $(call obj,$(CLI_SRC) $(BACKENDS)) $(LIBPROFILE) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(O)/tests/unit/%: $(O)/obj/tests/unit/%.o $(LIBTRACER) $(LIBPROFILE) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

include tests/tests.mk

install: all
	install -D -m 755 $(O)/bin/iotrace $(DESTDIR)$(PREFIX)/bin/iotrace
	install -D -m 755 $(O)/bin/profile-scenario $(DESTDIR)$(PREFIX)/bin/profile-scenario
	for m in docs/man/*.1; do install -D -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man1/$${m##*/}; done
	for c in iotrace profile-scenario; do install -D -m 644 docs/completion/$$c.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$c; done

clean:
	rm -rf $(O)

FMT_SRC = $(shell git ls-files '*.c' '*.h')
fmt:
	clang-format -i $(FMT_SRC)
fmt-check:
	clang-format --dry-run -Werror $(FMT_SRC)
tidy:
	clang-tidy --quiet $(COMMON_SRC) $(CLI_SRC) $(TRACER_SRC) $(BACKENDS) $(PROFILE_SRC) -- $(CPPFLAGS) -std=gnu17

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)
