/* SPDX-License-Identifier: GPL-3.0-only */
/* What the facts of the target mean, and what to do about them. Pure. */
#include "common/doctor/doctor.h"
#include "common/doctor/doctor_parts.h"

#include <errno.h>
#include <string.h>

#define PLURAL(n) (unsigned long long)(n), (n) == 1 ? "" : "s"

/* The target's file can be executed and was read as an ELF file. */
static int is_readable_program(const struct doctor_facts *f)
{
	return f->target_path && !f->target.code && f->target.is_elf;
}

static void judge_bad_target(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const char *path = f->target_path;

	switch (f->target.code) {
	case -EPERM:
		doctor_say(v, DOCTOR_WARN,
			"%s can be executed but not read: nothing more can be told", path);
		doctor_fix(v, "sudo chmod +r %s", path);
		break;
	case -ENOENT:
	case -ENOTDIR:
		doctor_say(v, f->target_build ? DOCTOR_WARN : DOCTOR_FAIL, "%s is not there", path);
		doctor_fix(v, "%s",
			f->target_build ? f->target_build
					: "build it, or name another one: --binary PATH");
		break;
	case -EISDIR:
		doctor_say(v, DOCTOR_FAIL, "%s is not a file", path);
		doctor_fix(v, "name a program: --binary PATH");
		break;
	case -EACCES:
		doctor_say(v, DOCTOR_FAIL, "%s is not an executable file", path);
		doctor_fix(v, "chmod +x %s", path);
		break;
	default:
		doctor_say(v, DOCTOR_WARN, "%s cannot be looked at: %s", path,
			strerror(-f->target.code));
		doctor_fix(v, "check that it is a whole file: readelf -h %s", path);
	}
}

void judge_target(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const struct doctor_target *t = &f->target;

	if (!f->target_path)
		return;
	if (t->code) {
		judge_bad_target(f, v);
	} else if (t->is_script) {
		doctor_say(v, DOCTOR_WARN, "%s is a script: its interpreter is what is profiled",
			f->target_path);
		doctor_fix(v, "name the program itself: --binary PATH");
	} else if (!t->is_elf) {
		doctor_say(v, DOCTOR_FAIL, "%s is neither an ELF program nor a script",
			f->target_path);
		doctor_fix(v, "build it, or name another one: --binary PATH");
	} else if (t->foreign) {
		doctor_say(
			v, DOCTOR_FAIL, "%s is a program for another kind of CPU", f->target_path);
		doctor_fix(v, "build it for %s", f->machine ? f->machine : "this machine");
	} else {
		doctor_say(v, DOCTOR_OK, "%s, %s-bit", f->target_path, t->is_32bit ? "32" : "64");
	}
}

void judge_target_symbols(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const struct doctor_target *t = &f->target;

	if (!is_readable_program(f))
		return;
	if (t->has_debug_info) {
		doctor_say(
			v, DOCTOR_OK, "debug information, %llu function%s", PLURAL(t->functions));
	} else if (t->has_separate_debug_info) {
		doctor_say(v, DOCTOR_OK, "separate debug information in /usr/lib/debug");
	} else if (t->functions) {
		doctor_say(v, DOCTOR_WARN,
			"%llu function%s by name, but no debug information: no lines, no inlined "
			"functions",
			PLURAL(t->functions));
		doctor_fix(v, "build with -g (Rust: CARGO_PROFILE_RELEASE_DEBUG=true)");
	} else {
		doctor_say(
			v, DOCTOR_WARN, "stripped: profiles show addresses where names should be");
		doctor_fix(v, "build with -g and without -s or strip (Rust: "
			      "CARGO_PROFILE_RELEASE_DEBUG=true CARGO_PROFILE_RELEASE_STRIP=none; "
			      "Debian packages: NAME-dbgsym)");
	}
}

void judge_target_optimization(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const struct doctor_units *u = &f->target.units;

	if (!is_readable_program(f))
		return;
	if (u->unoptimized) {
		doctor_say(v, DOCTOR_WARN,
			"%llu of %llu compile unit%s built without optimization (%s)",
			(unsigned long long)u->unoptimized, (unsigned long long)u->all,
			u->all == 1 ? "" : "s",
			*u->first_unoptimized ? u->first_unoptimized : u->producer);
		doctor_fix(v, "build with -O2 -g (Rust: cargo build --release)");
	} else if (u->optimized) {
		doctor_say(v, DOCTOR_OK, "%llu of %llu compile unit%s with optimization",
			(unsigned long long)u->optimized, (unsigned long long)u->all,
			u->all == 1 ? "" : "s");
	} else if (strstr(f->target_path, "target/debug/")) {
		doctor_say(
			v, DOCTOR_WARN, "in target/debug: probably a build without optimization");
		doctor_fix(v, "cargo build --release, and --binary target/release/...");
	} else {
		doctor_say(v, DOCTOR_OK, "not known: %s",
			u->all ? "its compiler does not record the level" : "no debug information");
	}
}

void judge_target_frame_pointers(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const struct doctor_target *t = &f->target;

	if (!is_readable_program(f))
		return;
	if (t->units.without_fp || !t->has_unwind_info) {
		doctor_say(v, DOCTOR_WARN, "%s",
			t->has_unwind_info
				? "built without frame pointers: stacks need --call-graph dwarf, "
				  "the default"
				: "no unwind information (.eh_frame): stacks by --call-graph dwarf "
				  "end early");
		doctor_fix(v, "build with -fno-omit-frame-pointer "
			      "(Rust: RUSTFLAGS=-Cforce-frame-pointers=yes) for --call-graph fp");
	} else if (t->units.with_fp) {
		doctor_say(v, DOCTOR_OK, "built with frame pointers");
	} else {
		doctor_say(v, DOCTOR_OK, "not known; --call-graph dwarf, the default, needs none");
	}
}

void judge_target_sanitizer(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const struct doctor_target *t = &f->target;

	if (!is_readable_program(f))
		return;
	if (t->has_asan || t->has_lsan) {
		doctor_say(v, DOCTOR_WARN,
			"%s is linked in: LeakSanitizer fails under ptrace (io), %s under "
			"valgrind, and "
			"times are not those of a release",
			t->has_asan ? "AddressSanitizer" : "LeakSanitizer",
			t->has_asan ? "the program" : "it too");
		doctor_fix(v, "build without -fsanitize=...; for io alone: "
			      "ASAN_OPTIONS=detect_leaks=0 LSAN_OPTIONS=detect_leaks=0");
	} else if (t->has_other_sanitizer) {
		doctor_say(v, DOCTOR_WARN,
			"a sanitizer is linked in: times are not those of a release");
		doctor_fix(v, "build without -fsanitize=...");
	} else {
		doctor_say(v, DOCTOR_OK, "none");
	}
}

const char *doctor_unseen_by_massif(const struct doctor_target *t)
{
	if (t->is_go)
		return "it is a Go program, whose runtime has an allocator of its own";
	if (t->is_elf && t->is_static)
		return "it is static, and massif can put its malloc only into dynamically linked "
		       "programs";
	if (*t->allocator && !t->has_malloc)
		return "it has an allocator of its own, which is not called malloc";
	if (t->calls_mmap && !t->calls_malloc && !t->has_malloc)
		return "it calls mmap and no malloc";
	return NULL;
}

void judge_target_linking(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const char *why = doctor_unseen_by_massif(&f->target);

	if (!is_readable_program(f))
		return;
	if (!why) {
		doctor_say(v, DOCTOR_OK, "dynamic: massif can replace malloc");
		return;
	}
	doctor_say(v, DOCTOR_WARN, "massif would not see what it allocates: %s", why);
	doctor_fix(v, "for type memory use --pages-as-heap%s",
		f->target.is_static && !f->target.is_go ? ", or link it dynamically" : "");
}

void judge_target_privileges(const struct doctor_facts *f, struct doctor_verdict *v)
{
	const struct doctor_target *t = &f->target;

	if (!f->target_path || t->code)
		return;
	if (!t->is_setuid && !t->has_file_capabilities) {
		doctor_say(v, DOCTOR_OK, "none beyond those of its user");
	} else if (f->is_root) {
		doctor_say(v, DOCTOR_OK, "set-user-ID or file capabilities, and this is root");
	} else {
		doctor_say(v, DOCTOR_WARN,
			"%s: a traced program does not get them, and fails or behaves differently",
			t->is_setuid ? "set-user-ID or set-group-ID" : "file capabilities");
		doctor_fix(v, "profile it as root: sudo profile-scenario ...");
	}
}
