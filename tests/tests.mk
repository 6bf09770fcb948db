# SPDX-License-Identifier: GPL-3.0-only
# Included by the Makefile: how targets and tests are built and run.

# ---- targets: one program a theme, in every variant whose compiler is there ----
TARGET_SRC  := $(wildcard tests/targets/*.c)
TARGET_NAME := $(TARGET_SRC:tests/targets/%.c=%)
TARGET_HDR  := $(wildcard tests/targets/*.h)
# Programs of known truth (tests/e2e/truths.py), in the one variant that is there always.
TRUTH_NAME  := $(patsubst tests/truths/%.c,%,$(wildcard tests/truths/*.c))
# None of the user's flags and no sanitizer: what a target calls is counted.
TARGET_O    ?= -O1
TARGET_OPT  := -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(TARGET_O) -g $(WARN) $(ERROR) -pthread

# $(call can_cc,COMPILER FLAGS): not empty where it makes a program, and has headers of C and kernel
can_cc = $(shell t=$$(mktemp -d) && echo 'int main(void){return 0;}' >$$t/t.c && \
	$(1) -include stdio.h -include linux/types.h -o $$t/t $$t/t.c >/dev/null 2>&1 && echo yes; rm -rf "$$t")

TARGET_VARIANTS := m32 static musl musl-static
TARGET_CC             := $(CC)
TARGET_CC_m32         := $(CC) -m32
TARGET_CC_static      := $(CC) -static
# musl-gcc has no kernel headers of its own
MACHINE                = $(call once,MACHINE,musl-gcc -dumpmachine 2>/dev/null)
MUSL_KERNEL_HEADERS    = -idirafter /usr/include -idirafter /usr/include/$(MACHINE)
TARGET_CC_musl         = musl-gcc -Wno-sign-conversion $(MUSL_KERNEL_HEADERS)
TARGET_CC_musl-static  = $(TARGET_CC_musl) -static

.PHONY: targets-all everything
targets: deps
	$(Q)$(MAKE) --no-print-directory targets-all

# A make of its own: only this goal tries the compilers of the variants.
ifneq ($(filter targets-all,$(MAKECMDGOALS)),)
TARGET_HAVE := $(foreach v,$(TARGET_VARIANTS),$(if $(call can_cc,$(TARGET_CC_$(v))),$(v)))
TARGET_MISS := $(filter-out $(TARGET_HAVE),$(TARGET_VARIANTS))
targets-all: $(TARGET_NAME:%=$(O)/targets/%) $(TRUTH_NAME:%=$(O)/truths/%) \
		$(foreach v,$(TARGET_HAVE),$(TARGET_NAME:%=$(O)/targets/%-$(v)))
	$(if $(TARGET_MISS),@echo '  SKIP     target variants without a compiler: $(TARGET_MISS)')
endif

# $(call target_rule,SUFFIX,NAME OF ITS COMPILER)
define target_rule
$(O)/targets/%$(1): tests/targets/%.c $(TARGET_HDR) $(O)/flags
	@mkdir -p $$(@D)
	$$(call say,TARGET,$$(@F))
	$$(Q)$$($(2)) $$(TARGET_OPT) -o $$@ $$<
endef
$(foreach v,$(TARGET_VARIANTS),$(eval $(call target_rule,-$(v),TARGET_CC_$(v))))
$(eval $(call target_rule,,TARGET_CC))

$(O)/truths/%: tests/truths/%.c $(TARGET_HDR) $(O)/flags
	@mkdir -p $(@D)
	$(call say,TRUTH,$(@F))
	$(Q)$(TARGET_CC) $(TARGET_OPT) -Itests/targets -o $@ $<

# ---- fuzzing: a harness is a file tests/fuzz/fuzz_NAME.c, its inputs are tests/fuzz/corpus/NAME/ ----
FUZZ_NAME   := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_LIBS    = $(LIBTRACER) $(LIBPROFILE) $(LIBCOMMON)
# Each on its own corpus, without a fuzzer: an ordinary test.
FUZZ_REPLAY := $(FUZZ_NAME:%=$(O)/tests/fuzz/%)

$(O)/tests/fuzz/%: $(O)/obj/tests/fuzz/%.o $(O)/obj/tests/fuzz/replay.o $(FUZZ_LIBS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LDLIBS) $(OWN_LIBS)

# It reads pprof's format back.
$(O)/obj/tests/fuzz/fuzz_export.o: $(PROFILE_PB).h

# With libFuzzer: everything once more by clang, in a folder of its own. What runs inside targets is
# never run here.
FUZZ_MINUTES ?= 60
FUZZ_CC      ?= clang
FUZZ_SAN     := address,undefined,float-cast-overflow
FUZZ_FLAGS    = O=$(O)/fuzz CC=$(FUZZ_CC) WARN= SAN=fuzzer-no-link,$(FUZZ_SAN) \
	OPT='-O1 -g -fno-sanitize-recover=all'

.PHONY: fuzz fuzz-build fuzz-all
$(O)/fuzzers/%: $(O)/obj/tests/fuzz/%.o $(FUZZ_LIBS)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(ALL_LDLIBS) $(OWN_LIBS)

fuzz-all: $(FUZZ_NAME:%=$(O)/fuzzers/%)

fuzz-build:
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) $(FUZZ_FLAGS) fuzz-all

fuzz: deps
	$(Q)$(DEPS) fuzz
	$(if $(call can_cc,$(FUZZ_CC) -fsanitize=$(FUZZ_SAN)),$(Q)$(MAKE) --no-print-directory fuzz-build)
	$(Q)tests/fuzz/run $(O)/fuzz $(FUZZ_MINUTES) $(FUZZ_NAME)

# ---- tests: all through tests/run, whose last line is the count ----
E2E_TEST       := $(filter-out tests/e2e/fdrows.py tests/e2e/tap.py tests/e2e/stracelog.py,$(wildcard tests/e2e/*.py))
STRUCTURE_TEST := $(wildcard tests/structure/*.py)
# The longest first, so that none of them is the last and alone; of the others the order is all the same.
LONG := recorder cpu attach as_nobody exact memory inprocess recorder_loop attach_scenario truths compare packages \
	history doctor harm live runner
ALL_TEST       := $(foreach l,$(LONG),$(filter tests/e2e/$(l).py,$(E2E_TEST))) $(STRUCTURE_TEST) \
	$(filter-out $(LONG:%=tests/e2e/%.py),$(E2E_TEST))

check:
	$(Q)$(DEPS) check
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) $(BIN) $(MANUAL) targets-all $(UNIT_BIN) $(FUZZ_REPLAY)
	$(Q)BUILD=$(O) tests/run $(ALL_TEST) $(UNIT_BIN) $(FUZZ_REPLAY)

# The same ROUNDS times beside four busy loops: what fails only now and then fails here.
ROUNDS ?= 20
check-load:
	$(Q)$(DEPS) check
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) $(BIN) $(MANUAL) targets-all $(UNIT_BIN) $(FUZZ_REPLAY)
	$(Q)BUILD=$(O) tests/under_load $(ROUNDS) tests/run $(ALL_TEST) $(UNIT_BIN) $(FUZZ_REPLAY)

unit:
	$(Q)$(DEPS) unit
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) $(UNIT_BIN) $(FUZZ_REPLAY)
	$(Q)BUILD=$(O) tests/run $(UNIT_BIN) $(FUZZ_REPLAY)

e2e:
	$(Q)$(DEPS) e2e
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) $(BIN) $(MANUAL) targets-all
	$(Q)BUILD=$(O) tests/run $(ALL_TEST)

repro: deps
	+$(Q)tests/repro $(O)

# Targets that another build by the same compiler has (TARGETS=DIR) are not made again: they are what is traced, and
# have none of the flags of what traces.
TARGETS ?=
OWN_TARGETS = $(if $(TARGETS),,targets-all)
LINK_TARGETS = $(if $(TARGETS),$(Q)mkdir -p $(O) && rm -rf $(O)/targets && ln -sr $(TARGETS) $(O)/targets)

# Little time, most of what a compiler or an -O level could break.
quick:
	$(Q)$(DEPS) unit
	$(LINK_TARGETS)
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) $(BIN) $(OWN_TARGETS) $(UNIT_BIN)
	$(Q)BUILD=$(O) tests/run tests/e2e/recorder.py $(UNIT_BIN)

# Fresh machines; see tests/matrix. CELLS='WORD...' chooses.
.PHONY: quick matrix matrix-here
matrix:
	$(Q)tests/matrix $(CELLS)
matrix-here:
	$(Q)O=$(O) tests/matrix --here $(CELLS)

# The tarball, the package and the static program: what is in them, and that they are made and run in fresh roots.
.PHONY: packages
packages: deps
	$(Q)$(MAKE) --no-print-directory deb static
	$(Q)$(MAKE) --no-print-directory dist
	$(Q)$(MAKE) --no-print-directory targets-all
	$(Q)BUILD=$(O) tests/run tests/e2e/packages.py
	$(Q)tests/packages $(O)

# The unit tests and the programs with sanitizers; never what runs inside the targets.
.PHONY: san check-san gate
check-san: deps
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) targets-all
	$(Q)$(MAKE) --no-print-directory $(PARALLEL) O=$(O)/san SAN=address,undefined WARN= TARGETS=$(O)/targets san
san: $(BIN) $(UNIT_BIN) $(FUZZ_REPLAY)
	$(LINK_TARGETS)
	$(Q)BUILD=$(O) TEST_TIMEOUT=800 tests/run tests/e2e/recorder.py tests/e2e/exact.py $(UNIT_BIN) $(FUZZ_REPLAY)

gate:
	$(Q)$(DEPS) gate
	$(Q)BUILD=$(O) tests/gate

# ---- demo and benchmarks ----
DEMO := $(O)/demo/demo

demo: all
	$(Q)$(MAKE) -s --no-print-directory $(O)/targets/demo
	@mkdir -p $(dir $(DEMO))
	@echo; echo '$$ $(O)/bin/iotrace -o $(DEMO) $(O)/targets/demo'
	$(Q)$(O)/bin/iotrace -o $(DEMO) $(O)/targets/demo
	@echo; sed '/^LATENCY/,$$d' $(DEMO)-summary.txt
	@echo 'files: $(DEMO)-summary.txt  $(DEMO)-detail.txt  $(DEMO).json'

BENCH_BIN := $(patsubst tests/bench/%.c,$(O)/bench/%,$(wildcard tests/bench/bench_*.c))

$(O)/bench/%: $(O)/obj/tests/bench/%.o $(LIBTRACER) $(LIBPROFILE) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(PREFIX_MAP) $(ALL_LDFLAGS) -o $@ $^ $(ALL_LDLIBS) $(OWN_LIBS)

bench:
	$(Q)$(DEPS) e2e
	$(Q)$(MAKE) --no-print-directory $(BIN) targets-all $(BENCH_BIN)
	$(Q)for b in $(BENCH_BIN); do $$b || exit 1; done
	$(Q)BUILD=$(O) tests/bench/bench.py
	$(Q)BUILD=$(O) tests/bench/bench_recorder.py
	$(Q)BUILD=$(O) tests/bench/bench_predict.py
	$(Q)BUILD=$(O) tests/bench/bench_results.py
	$(Q)BUILD=$(O) tests/bench/bench_compare.py
	$(Q)BUILD=$(O) tests/bench/bench_merge.py
	$(Q)BUILD=$(O) tests/bench/bench_history.py

soak:
	$(Q)$(DEPS) e2e
	$(Q)$(MAKE) --no-print-directory $(BIN) targets-all
	$(Q)BUILD=$(O) tests/soak.py

# Everything that a compiler must take.
everything: $(BIN) $(UNIT_BIN) $(BENCH_BIN)
	$(Q)$(MAKE) --no-print-directory targets-all
