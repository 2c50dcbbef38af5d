/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of /proc/PID/stat, and that a process is told from another with the same number. */
#include "xebra/pid1.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "libvnet/base/cleanup.h"

START_TEST(parsing)
{
	struct pid1_stat stat;

	/* A name may hold blanks and brackets. */
	ck_assert_int_eq(pid1_parse("42 (a) R 1) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 7 8 20 0 1 0 987654321 1024 33 1844", &stat),
			 0);
	ck_assert_int_eq(stat.state, 'S');
	ck_assert_uint_eq(stat.cpu_ticks, 200);
	ck_assert_uint_eq(stat.start, 987654321);
	ck_assert_uint_eq(stat.rss_pages, 33);
	ck_assert_int_eq(pid1_parse("", &stat), -EINVAL);
	ck_assert_int_eq(pid1_parse("42 (sh", &stat), -EINVAL);
	ck_assert_int_eq(pid1_parse("42 (sh) S 1 42 42", &stat), -EINVAL);
}
END_TEST

START_TEST(identity)
{
	struct pid1_stat stat;
	AUTO(close) int pidfd = -1;
	int none = -1;

	ck_assert_int_eq(pid1_stat(getpid(), &stat), 0);
	struct pid1 self = { .pid = getpid(), .start = stat.start }, other = { .pid = getpid(), .start = stat.start + 1 };
	ck_assert_int_eq(pid1_find(&self, &pidfd), 0);
	ck_assert_int_ge(pidfd, 0);
	ck_assert_int_eq(pid1_find(&other, &none), -ESRCH);
	ck_assert_int_eq(pid1_find(&(struct pid1){ 0 }, &none), -ESRCH);

	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	siginfo_t info;
	ck_assert_int_eq(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0); /* a zombie now */
	ck_assert_int_eq(pid1_stat(pid, &stat), 0);
	struct pid1 ended = { .pid = pid, .start = stat.start };
	ck_assert_int_eq(pid1_find(&ended, &none), -ESRCH);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(pid1_find(&ended, &none), -ESRCH);
	ck_assert_int_eq(none, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pid1");
	TCase *tests = tcase_create("identity");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, parsing);
	tcase_add_test(tests, identity);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
