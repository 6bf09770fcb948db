/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/file.h"
#include "heap/folded.h"

static void stacks(void **state)
{
	static const char text[] = "main (t.c);make (t.c); 600\n"
				   "main (t.c);other;make (t.c); 200\n"
				   "0x7f12; 150\n"
				   "small (x y.c) 50\n"
				   "no number; x\nnonumber\n12; 99999999999999999999999\n";
	char path[] = "/tmp/test_heap_folded.XXXXXX";
	struct res_memory *r = result_make(&schema_memory);
	struct folded f = {0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(file_write(path, text, strlen(text), NULL), 0);
	assert_int_equal(folded_read(path, &f, NULL), 0);
	unlink(path);
	assert_int_equal(f.total, 1000);
	assert_int_equal(f.len, 4);
	assert_int_equal(f.unread, 3);
	folded_sites(&f, r);
	assert_int_equal(r->sites.len, 2);
	assert_string_equal(r->sites.at[0].function, "make");
	assert_string_equal(r->sites.at[0].place, "t.c");
	assert_int_equal(r->sites.at[0].bytes, 800);
	assert_string_equal(r->sites.at[1].function, "0x7f12");
	assert_null(r->sites.at[1].place);
	assert_int_equal(folded_read("/none", &f, NULL), -ENOENT);
	folded_release(&f);
	result_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(stacks)};

	return cmocka_run_group_tests_name("heap_folded", tests, NULL, NULL);
}
