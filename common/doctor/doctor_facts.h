/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef DOCTOR_FACTS_H
#define DOCTOR_FACTS_H

#include <limits.h>
#include <stdint.h>

#include "common/base/mem.h"

/* What the doctor finds, and how bad a thing is. */
enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };

/* What happened when something was tried. */
struct doctor_trial {
	int code;      /* 0: it worked; else a negative errno, -ETIMEDOUT when it hung */
	int signal;    /* the signal that ended the child which tried it, 0: none */
	char step[32]; /* the call that failed */
};

struct doctor_tool {
	const char *path;    /* NULL: not there */
	const char *version; /* first line of its --version; NULL: it has none */
	int broken;          /* it is there and failed */
	const char *said;    /* by one that failed: its first line, or NULL */
};

enum doctor_yes { DOCTOR_NO, DOCTOR_YES, DOCTOR_UNKNOWN };

/* What the compilers wrote of themselves into a program (DW_AT_producer). */
struct doctor_units {
	uint64_t all;                    /* compile units, those of assembler left out */
	uint64_t optimized, unoptimized; /* the others don't say */
	uint64_t with_fp, without_fp;    /* frame pointers; the others don't say */
	char first_unoptimized[128];     /* name of a source file, for the message */
	char producer[128];              /* of the first unit */
};

/* The target's file. A flat struct: it is filled by a child, as a damaged file may end that. */
struct doctor_target {
	int code;                       /* 0, or negative errno: cannot be read or executed */
	int is_elf, is_script, foreign; /* foreign: of another kind of CPU */
	int is_32bit, is_static;
	uint64_t functions; /* in its symbol tables, those for the dynamic linker left out */
	int has_debug_info, has_separate_debug_info, has_unwind_info;
	int has_asan, has_lsan, has_other_sanitizer;
	int is_setuid, has_file_capabilities;
	int is_go, calls_mmap, calls_malloc, has_malloc; /* has: defines one */
	char allocator[32]; /* a function of one that is not called malloc; empty: none */
	struct doctor_units units;
};

/* Of integers that the system may not have. */
#define DOCTOR_ABSENT INT_MIN

struct doctor_facts {
	struct arena arena; /* holds the strings */
	const char *kernel, *machine;
	const char *container;   /* docker, podman, .. or NULL */
	int is_wsl, is_filtered; /* filtered: a seccomp filter is on this process */
	struct doctor_trial ptrace, seccomp, cycles, cpu_clock, massif;
	struct doctor_trial attach_io, attach_cpu; /* to a process of ours that is no descendant */
	int ptrace_scope, perf_event_paranoid;
	int cap_sys_ptrace, cap_perfmon, cap_sys_admin, is_root;
	struct doctor_tool iotrace, perf, valgrind, ms_print, renderer;
	const char *massif_said; /* the first line that valgrind wrote when it failed, or NULL */
	const char *governor;    /* NULL: the kernel does not scale the frequency */
	int boost;               /* 1 on, 0 off */
	int is_intel_pstate;
	double load;
	uint64_t cores;
	const char *clocksource;
	uint64_t clock_read_ns;
	const char *output_dir;
	int output_code; /* 0: it can be written to */
	uint64_t output_free_bytes;
	const char *catalogue;       /* its path, NULL: there is none */
	const char *catalogue_error; /* NULL: it can be read */
	const char *target_path;     /* as named; NULL: none was */
	const char *target_build;    /* the catalogue's build command or NULL */
	struct doctor_target target;
};

#endif
