/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contract of tree.h, on a directory; with XEBRA_TEST_TREE=xenstore: (and a xenstored) on XenStore. */
#include "libvnet/base/tree.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <string.h>

static struct event_base *loop;
static struct tree *tree;
static char where[64];

static void setup(void)
{
	const char *given = getenv("XEBRA_TEST_TREE");
	struct problem problem = { 0 };
	char dir[] = "/tmp/test-tree-XXXXXX";

	loop = event_base_new();
	if (given)
		snprintf(where, sizeof where, "%s", given);
	else
		snprintf(where, sizeof where, "dir:%s", mkdtemp(dir));
	ck_assert_msg(tree_open(where, loop, &tree, &problem) == 0, "%s", problem.text);
	ck_assert_int_eq(tree_remove(tree, "/xebra-test"), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(tree_remove(tree, "/xebra-test"), 0);
	tree_close(tree);
	event_base_free(loop);
	if (strncmp(where, "dir:", 4) == 0)
		rmdir(where + 4);
}

START_TEST(values)
{
	AUTO(free) char *value = NULL;

	ck_assert_int_eq(tree_read(tree, "/xebra-test/a/b", &value), -ENOENT);
	ck_assert_int_eq(tree_write(tree, "/xebra-test/a/b", "one"), 0);
	ck_assert_int_eq(tree_write(tree, "/xebra-test/a/b", "two\nlines"), 0);
	ck_assert_int_eq(tree_read(tree, "/xebra-test/a/b", &value), 0);
	ck_assert_str_eq(value, "two\nlines");
	ck_assert_int_eq(tree_remove(tree, "/xebra-test/a"), 0);
	ck_assert_int_eq(tree_remove(tree, "/xebra-test/a"), 0);
	free(take(value));
	ck_assert_int_eq(tree_read(tree, "/xebra-test/a/b", &value), -ENOENT);
}
END_TEST

START_TEST(names_of_all_letters)
{
	static const char *const names[] = { "blue.l1", "vif3.0", "a:b", "a@d", "@", "fd00::1" };
	char **listed;
	size_t n;

	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		AUTO(free) char *value = NULL;
		ck_assert_msg(tree_write(tree, PATH("/xebra-test/n/%s", names[i]), names[i]) == 0, "%s", names[i]);
		ck_assert_int_eq(tree_read(tree, PATH("/xebra-test/n/%s", names[i]), &value), 0);
		ck_assert_str_eq(value, names[i]);
	}
	ck_assert_int_eq(tree_list(tree, "/xebra-test/n", &listed, &n), 0);
	ck_assert_uint_eq(n, N_ELEMENTS(names));
	for (size_t i = 0; i < n; i++) {
		AUTO(free) char *value = NULL;
		ck_assert_int_eq(tree_read(tree, PATH("/xebra-test/n/%s", listed[i]), &value), 0);
		ck_assert_str_eq(value, listed[i]);
	}
	tree_names_free(listed, n);
}
END_TEST

START_TEST(refusals)
{
	static const char *const bad[] = { "", "/", "a//b", "a/", "a/../b", ".hidden", "a/b c", "a/\x01" };
	char big[TREE_VALUE_SIZE + 2];
	char *value;

	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		ck_assert_msg(tree_read(tree, bad[i], &value) == -EINVAL, "'%s' was taken", bad[i]);
		ck_assert_int_eq(tree_write(tree, bad[i], "x"), -EINVAL);
		ck_assert_int_eq(tree_remove(tree, bad[i]), -EINVAL);
	}
	memset(big, 'x', sizeof big);
	big[sizeof big - 1] = '\0';
	ck_assert_int_eq(tree_write(tree, "/xebra-test/big", big), -EMSGSIZE);
	big[TREE_VALUE_SIZE] = '\0';
	ck_assert_int_eq(tree_write(tree, "/xebra-test/big", big), 0);
	ck_assert_str_eq(PATH("%s%s", big, big), "");
}
END_TEST

START_TEST(listing)
{
	char **names;
	size_t n;

	ck_assert_int_eq(tree_list(tree, "/xebra-test/l", &names, &n), -ENOENT);
	ck_assert_int_eq(tree_write(tree, "/xebra-test/l/b", "1"), 0);
	ck_assert_int_eq(tree_write(tree, "/xebra-test/l/a/deep", "1"), 0);
	ck_assert_int_eq(tree_write(tree, "/xebra-test/l/c", "1"), 0);
	ck_assert_int_eq(tree_list(tree, "/xebra-test/l", &names, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(names[0], "a");
	ck_assert_str_eq(names[1], "b");
	ck_assert_str_eq(names[2], "c");
	tree_names_free(names, n);
}
END_TEST

static void count(void *arg, const char *path)
{
	(void)path;
	++*(int *)arg;
	event_base_loopbreak(loop);
}

static void wait_for_change(int *changes)
{
	int before = *changes;
	struct timeval limit = { .tv_sec = 5 };

	event_base_loopexit(loop, &limit);
	while (*changes == before && !event_base_got_exit(loop))
		event_base_loop(loop, EVLOOP_ONCE);
	ck_assert_msg(*changes > before, "no change was reported");
}

START_TEST(watches)
{
	struct tree_watch *watch, *other;
	int changes = 0, others = 0;

	ck_assert_int_eq(tree_write(tree, "/xebra-test/w/old", "1"), 0);
	ck_assert_int_eq(tree_watch(tree, "/xebra-test/w", count, &changes, &watch), 0);
	ck_assert_int_eq(changes, 0); /* never from inside the call */
	wait_for_change(&changes);
	ck_assert_int_eq(tree_watch(tree, "/xebra-test/o", count, &others, &other), 0);
	wait_for_change(&others);

	ck_assert_int_eq(tree_write(tree, "/xebra-test/w/new/deep/er", "1"), 0);
	wait_for_change(&changes);
	ck_assert_int_eq(tree_write(tree, "/xebra-test/w/new/deep/er", "2"), 0);
	wait_for_change(&changes);
	ck_assert_int_eq(tree_remove(tree, "/xebra-test/w/new"), 0);
	wait_for_change(&changes);
	ck_assert_int_eq(others, 1);
	tree_unwatch(watch);
	tree_unwatch(other);
}
END_TEST

START_TEST(opening)
{
	struct problem problem;
	struct tree *none;

	ck_assert_int_eq(tree_open("ftp:x", loop, &none, &problem), -EINVAL);
	ck_assert_ptr_nonnull(strstr(problem.text, "ftp:x"));
	ck_assert_int_eq(tree_open("dir:relative", loop, &none, &problem), -EINVAL);
	ck_assert_int_eq(tree_open("dir:/proc/none/such", loop, &none, &problem), -ENOENT);
	ck_assert_int_eq(tree_open("xenstore:more", loop, &none, &problem), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tree");
	TCase *tests = tcase_create("contract");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, values);
	tcase_add_test(tests, names_of_all_letters);
	tcase_add_test(tests, refusals);
	tcase_add_test(tests, listing);
	tcase_add_test(tests, watches);
	tcase_add_test(tests, opening);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
