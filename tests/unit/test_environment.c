/* SPDX-License-Identifier: GPL-3.0-only */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/runner/environment.h"

static char dir[] = "/tmp/test_environment.XXXXXX"; /* the working directory of every test */

static int enter_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int remove_dir(void **state)
{
	cleanup_free char *command = mem_printf("rm -rf %s", dir);

	(void)state;
	return chdir("/") == 0 ? system(command) : -1; /* NOLINT(cert-env33-c) */
}

static void put(const char *path, const char *text)
{
	assert_int_equal(file_write(path, text, strlen(text), NULL), 0);
}

/* ---- sha256 ---- */

static void sha256(void **state)
{
	/* FIPS 180-4 examples. */
	static const struct {
		const char *text, *sum;
	} cases[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	};
	cleanup_free char *million = mem_calloc(1000001, 1);
	char buf[65];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put("f", cases[i].text);
		assert_int_equal(sha256_file("f", buf), 0);
		assert_string_equal(buf, cases[i].sum);
	}
	memset(million, 'a', 1000000);
	put("f", million);
	assert_int_equal(sha256_file("f", buf), 0);
	assert_string_equal(
		buf, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");

	assert_int_equal(sha256_file("none", buf), -ENOENT);
	assert_int_equal(sha256_file(".", buf), -EINVAL);
	assert_int_equal(mkfifo("fifo", 0666), 0);
	assert_int_equal(sha256_file("fifo", buf), -EINVAL); /* must not wait */
	assert_int_equal(sha256_file("/dev/zero", buf), -EINVAL);
}

/* ---- build-id ---- */

/* An ELF file with one PT_NOTE segment: another note first, then the build-id 00 01 02 .. 13. */
struct elf_file {
	unsigned char bytes[512];
	size_t len;
};

static void append_note(struct elf_file *f, uint32_t type, uint32_t id_bytes, size_t align)
{
	Elf64_Nhdr n = {.n_namesz = 4, .n_descsz = id_bytes, .n_type = type};

	memcpy(f->bytes + f->len, &n, sizeof(n));
	memcpy(f->bytes + f->len + sizeof(n), "GNU", 4);
	for (uint32_t i = 0; i < id_bytes; i++)
		f->bytes[f->len + sizeof(n) + 4 + i] = (unsigned char)i;
	f->len += (sizeof(n) + 4 + id_bytes + align - 1) / align * align;
}

static void append_notes(struct elf_file *f, size_t align)
{
	append_note(f, NT_GNU_ABI_TAG, align == 8 ? 12 : 13, align);
	append_note(f, NT_GNU_BUILD_ID, 20, align);
}

static struct elf_file elf64(size_t align)
{
	struct elf_file f = {.len = sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr)};
	Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(e),
		.e_phnum = 2,
		.e_phentsize = sizeof(Elf64_Phdr)};
	Elf64_Phdr p[2] = {
		{.p_type = PT_LOAD}, {.p_type = PT_NOTE, .p_offset = f.len, .p_align = align}};

	append_notes(&f, align);
	p[1].p_filesz = f.len - p[1].p_offset;
	memcpy(f.bytes, &e, sizeof(e));
	memcpy(f.bytes + sizeof(e), p, sizeof(p));
	return f;
}

static struct elf_file elf32(void)
{
	struct elf_file f = {.len = sizeof(Elf32_Ehdr) + 2 * sizeof(Elf32_Phdr)};
	Elf32_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(e),
		.e_phnum = 2,
		.e_phentsize = sizeof(Elf32_Phdr)};
	Elf32_Phdr p[2] = {{.p_type = PT_LOAD},
		{.p_type = PT_NOTE, .p_offset = (uint32_t)f.len, .p_align = 4}};

	append_notes(&f, 4);
	p[1].p_filesz = (uint32_t)f.len - p[1].p_offset;
	memcpy(f.bytes, &e, sizeof(e));
	memcpy(f.bytes + sizeof(e), p, sizeof(p));
	return f;
}

/* The build-id of a file with these bytes; static storage. */
static const char *id_of(const void *p, size_t n)
{
	static char id[200];
	struct res_result *r = result_new();
	const char *found;

	assert_int_equal(file_write("elf", p, n, NULL), 0);
	found = environment_build_id(r, "elf");
	strncpy(id, found ? found : "", sizeof(id) - 1);
	result_free(r);
	return found ? id : NULL;
}

static void build_id(void **state)
{
	static const char id[] = "000102030405060708090a0b0c0d0e0f10111213";
	const struct elf_file files[] = {elf64(4), elf64(8), elf32()};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *found = id_of(files[i].bytes, files[i].len);

		assert_non_null(found);
		assert_string_equal(found, id);
		/* Cut off anywhere before the end of the id there is none, and no harm. */
		for (size_t len = 0; len < files[i].len - 4; len++)
			assert_null(id_of(files[i].bytes, len));
	}
	assert_null(id_of("#!/bin/sh\n", 10));
	assert_null(environment_build_id(NULL, "none"));
}

/* A segment that ends anywhere in its notes, or an id of any length: never read beyond the end. */
static void cut_notes(void **state)
{
	const struct elf_file whole = elf64(4);
	const size_t header = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
	size_t notes = whole.len - (header + sizeof(Elf64_Phdr));

	(void)state;
	for (uint64_t bytes = 0; bytes < notes; bytes++) {
		struct elf_file f = whole;

		memcpy(f.bytes + header + offsetof(Elf64_Phdr, p_filesz), &bytes, sizeof(bytes));
		assert_null(id_of(f.bytes, f.len));
	}
	for (uint32_t bytes = 21; bytes < 100; bytes++) {
		struct elf_file f = whole;

		memcpy(f.bytes + f.len - 36 + offsetof(Elf64_Nhdr, n_descsz), &bytes,
			sizeof(bytes));
		assert_null(id_of(f.bytes, f.len));
	}
}

/* Every byte replaced by the nastiest values: any answer, but no crash and no hang. */
static void hostile_elf(void **state)
{
	static const unsigned char values[] = {0, 1, 0x7f, 0x80, 0xff};
	const struct elf_file files[] = {elf64(4), elf32()};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		for (size_t at = 0; at < files[i].len; at++) {
			struct elf_file f = files[i];

			f.bytes[at] = values[at % sizeof(values)];
			id_of(f.bytes, f.len);
			memset(f.bytes + at, 0xff, at + 4 < f.len ? 4 : f.len - at);
			id_of(f.bytes, f.len);
		}
	}
}

/* ---- git ---- */

#define ID_A "0123456789012345678901234567890123456789"
#define ID_B "abcdefabcdefabcdefabcdefabcdefabcdefabcd"
#define ID_C "abcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcdefabcd" /* SHA-256 */

/* The commit of a directory, as the environment tells it; static storage. */
static const char *commit_in(const char *path)
{
	static char commit[100];
	struct res_result *r = result_new();
	const char *found;

	assert_int_equal(chdir(path), 0);
	environment_capture(r, NULL);
	found = r->environment->git_commit;
	strncpy(commit, found ? found : "", sizeof(commit) - 1);
	result_free(r);
	assert_int_equal(chdir(dir), 0);
	return found ? commit : NULL;
}

static void expect_commit(const char *path, const char *id)
{
	const char *found = commit_in(path);

	if (!id) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found, id);
}

static void git_commit(void **state)
{
	static const struct {
		const char *head, *loose, *packed, *id;
	} cases[] = {
		{ID_A "\n", NULL, NULL, ID_A},
		{ID_C "\n", NULL, NULL, ID_C},
		{"ref: refs/heads/main\n", ID_A "\n", ID_B " refs/heads/main\n", ID_A},
		{"ref: refs/heads/main\n", NULL,
			"# pack-refs with: peeled fully-peeled sorted\n" ID_A
			" refs/heads/main2\n" ID_B " refs/heads/main\n^" ID_A "\n",
			ID_B},
		{"ref: refs/heads/main\n", NULL, ID_B " refs/heads/mai", NULL},
		{"ref: refs/heads/main\n", NULL, NULL, NULL}, /* no commit yet */
		{"ref: refs/heads/main\n", "ref: refs/heads/main\n", NULL, NULL}, /* goes round */
		{"ref: ../../secret\n", NULL, NULL, NULL},
		{"ref: refs/../../secret\n", NULL, NULL, NULL},
		{"0123\n", NULL, NULL, NULL},
		{"", NULL, NULL, NULL},
	};

	(void)state;
	assert_int_equal(file_mkdirs("repo/.git/refs/heads", NULL), 0);
	put("secret", ID_A "\n");
	put("repo/secret", ID_A "\n");
	assert_int_equal(file_mkdirs("repo/src/deep", NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put("repo/.git/HEAD", cases[i].head);
		unlink("repo/.git/refs/heads/main");
		unlink("repo/.git/packed-refs");
		if (cases[i].loose)
			put("repo/.git/refs/heads/main", cases[i].loose);
		if (cases[i].packed)
			put("repo/.git/packed-refs", cases[i].packed);
		expect_commit("repo/src/deep", cases[i].id);
	}
}

/* A worktree: .git is a file, the refs are those of the main repository, HEAD is its own. */
static void git_worktree(void **state)
{
	cleanup_free char *absolute = mem_printf("gitdir: %s/main/.git/worktrees/w\n", dir);

	(void)state;
	assert_int_equal(file_mkdirs("main/.git/worktrees/w", NULL), 0);
	assert_int_equal(file_mkdirs("main/.git/refs/heads", NULL), 0);
	assert_int_equal(file_mkdirs("w/sub", NULL), 0);
	put("main/.git/HEAD", ID_A "\n");
	put("main/.git/refs/heads/topic", ID_B "\n");
	put("main/.git/worktrees/w/HEAD", "ref: refs/heads/topic\n");
	put("main/.git/worktrees/w/commondir", "../..\n");
	put("w/.git", absolute);
	expect_commit("w/sub", ID_B);
	put("w/.git", "gitdir: ../main/.git/worktrees/w\n");
	expect_commit("w/sub", ID_B);
	put("w/.git", "something else\n");
	expect_commit("w/sub", NULL);
}

static int run(const char *command)
{
	return system(command); /* NOLINT(cert-env33-c): fixed commands */
}

static int dirty_here(void)
{
	struct res_result *r = result_new();
	int dirty;

	environment_capture(r, NULL);
	dirty = r->environment->git_dirty;
	result_free(r);
	return dirty;
}

static void git_dirty(void **state)
{
	cleanup_free char *path = mem_strdup(getenv("PATH"));

	(void)state;
	if (run("git --version >/dev/null 2>&1") != 0)
		skip();
	assert_int_equal(run("mkdir real && cd real && git init -q && echo 1 >f && git add f && "
			     "git -c user.name=t -c user.email=t@t commit -qm t"),
		0);
	assert_int_equal(chdir("real"), 0);
	assert_int_equal(dirty_here(), 0);
	put("untracked", "");
	assert_int_equal(dirty_here(), 0);
	put("f", "2\n");
	assert_int_equal(dirty_here(), 1);

	/* Without git, or with one that fails or hangs, nothing is said. */
	assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
	assert_int_equal(dirty_here(), -1);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(file_mkdirs("fake", NULL), 0);
	put("fake/git", "#!/bin/sh\nexit 128\n");
	assert_int_equal(chmod("fake/git", 0755), 0);
	assert_int_equal(setenv("PATH", "../fake", 1), 0);
	assert_int_equal(chdir("real"), 0);
	assert_int_equal(dirty_here(), -1);
	put("../fake/git", "#!/bin/sh\nexec /bin/sleep 100\n");
	assert_int_equal(chmod("../fake/git", 0755), 0);
	assert_int_equal(dirty_here(), -1);
	assert_int_equal(setenv("PATH", path, 1), 0);
	assert_int_equal(chdir(dir), 0);
}

/* ---- the whole ---- */

static void capture(void **state)
{
	struct res_result *r = result_new();
	const struct res_environment *e;

	(void)state;
	put("program", "abc");
	environment_capture(r, "program");
	e = r->environment;
	assert_true(e->kernel && *e->kernel && !strchr(e->kernel, '\n'));
	assert_true(e->machine && *e->machine);
	assert_true(e->cores >= 1 && e->cores != U64_NONE);
	assert_true(e->memory_bytes > 1 << 20 && e->memory_bytes != U64_NONE);
	assert_true(e->uid == getuid());
	assert_string_equal(e->cwd, dir);
	assert_string_equal(e->target_path, "program");
	assert_string_equal(e->target_sha256,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_null(e->target_build_id);
	if (e->cpu)
		assert_true(*e->cpu && !strchr(e->cpu, '\n') && e->cpu[0] != ' ');
	if (e->clocksource)
		assert_null(strchr(e->clocksource, '\n'));
	if (e->os)
		assert_null(strchr(e->os, '"'));
	result_free(r);
}

static void missing_target(void **state)
{
	struct res_result *r = result_new();

	(void)state;
	environment_capture(r, "/nonexistent");
	assert_string_equal(r->environment->target_path, "/nonexistent");
	assert_null(r->environment->target_sha256);
	assert_null(r->environment->target_build_id);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256),
		cmocka_unit_test(build_id),
		cmocka_unit_test(cut_notes),
		cmocka_unit_test(hostile_elf),
		cmocka_unit_test(git_commit),
		cmocka_unit_test(git_worktree),
		cmocka_unit_test(git_dirty),
		cmocka_unit_test(capture),
		cmocka_unit_test(missing_target),
	};

	return cmocka_run_group_tests(tests, enter_dir, remove_dir);
}
