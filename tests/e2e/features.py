#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Features of the kernel that the recorder must know or leave alone: a program that uses one runs as
it does without a tracer, its calls are counted, and the result says why they were stopped.

The targets rec_feature check themselves; what they print is compared with the same run untraced.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorder import ALL, LIBRARY, MODES, check_ways, compiled, need_recorder, own_counts, returned
from tap import BUILD, Skip, check, eq, main, need_tool, only_from, test

only_from(__name__)


def reasons(r):
    return " | ".join(u["reason"] for u in r.json["tracer"]["unpatched_sites"])


def as_native(t, args, variant="", modes=MODES, trace="%io,%memory", own=True, reason=None,
              patched=False):
    """Same output and status as untraced, in every mode; own: the program counts its writes; patched: the
    reason is given only where code was changed."""
    command = [t.target("rec_feature", variant)] + args
    native = t.run(command)
    if native.status == 77:
        raise Skip(native.err.strip())
    eq(native.status, 0, "status untraced: %s" % native)
    for mode, options in modes:
        r = t.iotrace(["--mode=" + mode, "--trace=" + trace, *options], command)
        if own:
            eq(returned(r.json, "write"), own_counts(r.out)["write"], "writes, --mode=%s %s" % (mode, options))
        else:
            eq(r.out, native.out, "output, --mode=%s %s" % (mode, options))
        check_ways(r)
        if reason and mode == "auto" and not (patched and options):
            check(reason in reasons(r), "no '%s' in the reasons: %s" % (reason, reasons(r)))


def add(args, variants=ALL, **how):
    for variant in variants:
        def body(t, variant=variant):
            need_recorder(t)
            as_native(t, args.split(), variant, **how)
        test(body, "rec_feature%s %s%s" % (variant and "-" + variant, args, ", " + how["trace"] if "trace" in how else ""))


add("no_tsc", reason="PR_SET_TSC")
# The loader of glibc reads the counter itself, and so ends.
add("no_tsc_exec", ("static", "musl", "musl-static"), reason="PR_SET_TSC")
for trace in ("%io,%memory", "all"):
    add("dispatch_library", trace=trace, reason="USER_DISPATCH")
    add("dispatch_refused", trace=trace, reason="USER_DISPATCH")
add("dispatch_refused", ("m32",))
add("steps", own=False, reason="interrupted at each instruction", patched=True)
add("steps 0", own=False)
add("frames", own=False, trace="all")
for trace in ("%io,%memory", "write", "all"):
    add("holes", trace=trace)
    add("reached", trace=trace)
    add("replaced", trace=trace, reason="maps memory of its own")
    add("replaced 0 1", trace=trace, reason="maps memory of its own")
    add("replaced 1", trace=trace)

# ---- code that goes, and other code in its place ----

# Where the library's code was, patched, the program puts code of its own: a trap, a loop.
REPLACER = r"""#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
static unsigned char *spin;
static volatile int traps, wrong, seen;
static void trap(int n) { traps++; }
static void tick(int n, siginfo_t *i, void *c)
{
	greg_t *g = ((ucontext_t *)c)->uc_mcontext.gregs;
	unsigned char *ip = (unsigned char *)g[REG_RIP];
	if (seen || !spin || (ip >= spin + 2 + 4096 || ip < spin - 4096))
		return; /* not there yet, or on its way out */
	wrong += ip != spin;
	seen = 1;
	*(unsigned short *)spin = 0xc390; /* nop, ret */
	g[REG_RIP] = (greg_t)spin;
}
int main(int argc, char **argv)
{
	struct sigaction sa = {.sa_sigaction = tick, .sa_flags = SA_SIGINFO};
	struct itimerval every = {{0, 500}, {0, 500}};
	int fd = open("/dev/null", O_WRONLY);
	void *lib = dlopen(argv[1], RTLD_NOW);
	long (*fn)(int) = (long (*)(int))dlsym(lib, "fn");
	for (int k = 0; k < 40; k++)
		if (fn(fd) < 0)
			return 1;
	unsigned char *page = (unsigned char *)((unsigned long)fn & -4096UL), *site = (unsigned char *)fn;
	dlclose(lib);
	if (mmap(page, 4096, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != page)
		return 2;
	signal(SIGTRAP, trap);
	for (int k = 0; k < 128; k++) {
		memcpy(site + k, "\xcc\xc3", 2);
		((void (*)(void))(site + k))();
	}
	sigaction(SIGALRM, &sa, 0);
	setitimer(ITIMER_REAL, &every, 0);
	for (int k = 0; k < 128; k++) {
		seen = 0;
		memcpy(site + k, "\xeb\xfe", 2);
		spin = site + k;
		((void (*)(void))spin)();
		spin = 0;
	}
	setitimer(ITIMER_REAL, &(struct itimerval){0}, 0);
	printf("traps=%d wrong=%d\n", traps, wrong);
	return 0;
}
"""


@test(timeout=120)
def other_code_at_patched_addresses(t):
    need_recorder(t)
    text = LIBRARY.replace("NAME", "fn").replace("BYTES", "3").replace("BEFORE", "")
    text += "long other(long x) { return x; }\n"
    program = compiled(t, "replacer", REPLACER, "-ldl", "-w")
    # Padding behind the function; the instruction before the call.
    for k, source in enumerate((text, text.replace('"syscall"', '"mov $1, %%eax; syscall"'))):
        library = compiled(t, "lib%d.so" % k, source, "-shared", "-fPIC", "-falign-functions=%d" % (64, 1)[k])
        other_code(t, program, library)


def other_code(t, program, library):
    eq(t.run([program, library]).out, "traps=128 wrong=0\n", "untraced")
    for mode, options in MODES:
        r = t.iotrace(["--mode=" + mode, "--trace=%io", "--timeout=20", *options], [program, library])
        eq(r.out, "traps=128 wrong=0\n", "output, --mode=%s %s" % (mode, options))
        check_ways(r)
        if mode == "auto" and not options:
            check(r.json["tracer"]["calls_recorded_in_process"] > 140, "the library was patched")


# ---- tracers inside ----

IOTRACE, PROFILE = (os.path.join(BUILD, "bin", name) for name in ("iotrace", "profile-scenario"))
SENTENCE = "a tracer cannot run under another one"


def add_inside(name, status, said, command):
    def body(t):
        for mode, options in MODES:
            r = t.iotrace(["--mode=" + mode, *options], command(t), status=None)
            eq(r.status, status, "status, --mode=%s %s: %s" % (mode, options, r))
            check(said in r.err, "says '%s': %s" % (said, r))
    test(body, name)


add_inside("iotrace inside iotrace", 125, SENTENCE,
           lambda t: [IOTRACE, "-q", "--json", t.path("inner.json"), "/bin/true"])
add_inside("iotrace --mode=ptrace inside iotrace", 125, SENTENCE,
           lambda t: [IOTRACE, "-q", "--mode=ptrace", "--json", t.path("inner.json"), "/bin/true"])
add_inside("profile-scenario inside iotrace", 125, SENTENCE,
           lambda t: [PROFILE, "run", "--scenario", "x", "--type", "io", "--binary", "/bin/true",
                      "--output-dir", t.path("results")])
add_inside("strace inside iotrace", 1, "PTRACE_TRACEME",
           lambda t: [need_tool("strace"), "-f", "-o", "/dev/null", "/bin/true"])
add_inside("gdb inside iotrace", 1, "ptrace: Operation not permitted",
           lambda t: [need_tool("gdb"), "-nx", "-batch", "-ex", "run", "/bin/true"])


@test
def iotrace_inside_strace(t):
    r = t.run([need_tool("strace"), "-f", "-o", "/dev/null", IOTRACE, "-q", "--json", t.path("inner.json"), "/bin/true"])
    eq(r.status, 125, "status")
    check(SENTENCE in r.err, "says so: %s" % r)


main()
