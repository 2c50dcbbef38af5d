/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/xl-log.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#include "xebra/xl-api.h"

struct said {
	xentoollog_level level;
	int error;
	const char *context, *text;
};

static const struct row {
	int error;
	unsigned id;
	struct said said[5];
	int code;
	const char *text;
} rows[] = {
	{ ERROR_NOMEM, 3, { { 0, 0, NULL, NULL } }, -ENOMEM, "r: step: no memory; destroy a router or lower memory" },
	{ ERROR_DOMAIN_NOTFOUND, 3, { { 0, 0, NULL, NULL } }, -ENOENT, "r: step: no such domain" },
	{ ERROR_GUEST_TIMEDOUT, 3, { { 0, 0, NULL, NULL } }, -ETIMEDOUT,
	  "r: step: the guest did not answer in time; see its console" },
	{ ENOMEM, 3, { { 0, 0, NULL, NULL } }, -ENOMEM, "r: step: Cannot allocate memory" },
	/* place and domain are taken off, the errno is put behind */
	{ ERROR_INVAL, 3, { { XTL_ERROR, -1, "libxl", "libxl_create.c:70:f: Domain 3:Illegal pool specified: x" } }, -EINVAL,
	  "r: step: Illegal pool specified: x" },
	{ ERROR_INVAL, 3, { { XTL_ERROR, ENOENT, "libxl", "libxl_x.c:7:f: cannot open /k" } }, -EINVAL,
	  "r: step: cannot open /k: No such file or directory" },
	{ ERROR_INVAL, 3, { { XTL_ERROR, -1, "xc", "panic: xc_dom_core.c:1: xc_dom_find_loader: no loader found\n" } },
	  -EINVAL, "r: step: panic: xc_dom_core.c:1: xc_dom_find_loader: no loader found" },
	/* warnings, empty lines, repetitions and other domains do not count; causes come first */
	{ ERROR_INVAL, 3,
	  { { XTL_WARN, -1, "libxl", "odd" },
	    { XTL_ERROR, -1, "libxl", "libxl_a.c:1:f: Domain 4:theirs" },
	    { XTL_ERROR, -1, "libxl", "libxl_a.c:1:f: Domain 3:cause" },
	    { XTL_ERROR, -1, "libxl", "libxl_a.c:2:g: cause" },
	    { XTL_ERROR, -1, "libxl", "libxl_a.c:3:h: consequence" } },
	  -EINVAL, "r: step: cause; consequence" },
	/* an operation without a domain takes all */
	{ ERROR_INVAL, XL_LOG_ANY_DOMAIN, { { XTL_ERROR, -1, "libxl", "libxl_a.c:1:f: Domain 4:new" } }, -EINVAL,
	  "r: step: new" },
	{ ERROR_ABORTED, 3, { { XTL_ERROR, -1, "libxl", "libxl_a.c:1:f: Domain 3:killing a script" } }, -ECANCELED,
	  "r: step: broken off, as xebrad is closing" },
	/* what libxl does not tell apart */
	{ ERROR_FAIL, 3, { { XTL_ERROR, -1, "xc", "xc_dom_boot_mem_init: can't allocate low memory: Out of memory" } },
	  -ENOMEM,
	  "r: step: xc_dom_boot_mem_init: can't allocate low memory: Out of memory; destroy a router or lower memory" },
	{ ERROR_FAIL, 3, { { XTL_ERROR, ENOSPC, "libxl", "libxl_a.c:1:f: write" } }, -ENOSPC,
	  "r: step: write: No space left on device" },
	{ ERROR_FAIL, 3, { { 0, 0, NULL, NULL } }, -EIO, "r: step: failed; run xebrad with --debug and try again" },
	{ -999, 3, { { 0, 0, NULL, NULL } }, -EIO, "r: step: failed; run xebrad with --debug and try again" },
};

START_TEST(why)
{
	const struct row *row = &rows[_i];
	AUTO(xl_log_free) struct xl_log *log = xl_log_new();
	xentoollog_logger *logger = xl_log_logger(log);
	struct problem problem;

	xtl_log(logger, XTL_ERROR, -1, "libxl", "before the operation");
	unsigned long mark = xl_log_mark(log);
	for (size_t i = 0; i < N_ELEMENTS(row->said) && row->said[i].text; i++)
		xtl_log(logger, row->said[i].level, row->said[i].error, row->said[i].context, "%s", row->said[i].text);
	ck_assert_int_eq(xl_problem(&problem, log, mark, row->id, "r", "step", row->error), row->code);
	ck_assert_int_eq(problem.code, row->code);
	ck_assert_str_eq(problem.text, row->text);
}
END_TEST

/* Only the last lines are kept, and a line of any length is cut. */
START_TEST(floods)
{
	AUTO(xl_log_free) struct xl_log *log = xl_log_new();
	char longest[2000];
	struct problem problem;

	memset(longest, 'x', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	unsigned long mark = xl_log_mark(log);
	for (int i = 0; i < 1000; i++)
		xtl_log(xl_log_logger(log), XTL_ERROR, -1, "libxl", "line %d", i);
	for (int i = 0; i < 3; i++)
		xtl_log(xl_log_logger(log), XTL_CRITICAL, -1, "libxl", "%d %s", i, longest);
	xl_problem(&problem, log, mark, 1, "r", "step", ERROR_FAIL);
	ck_assert_msg(strstr(problem.text, "r: step: line 971; line 972; line 973") == problem.text, "%s", problem.text);
	xl_problem(&problem, log, xl_log_mark(log) - 3, 1, "r", "step", ERROR_FAIL);
	ck_assert_msg(strncmp(problem.text, "r: step: 0 xxx", 14) == 0, "%s", problem.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xl-log");
	TCase *tests = tcase_create("xl-log");

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, why, 0, N_ELEMENTS(rows));
	tcase_add_test(tests, floods);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
