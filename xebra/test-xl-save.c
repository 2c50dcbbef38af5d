/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/xl-save.h"

#include <check.h>
#include <errno.h>
#include <string.h>

#define UUID "01234567-89ab-4def-8123-456789abcdef"
#define OTHER "11234567-89ab-4def-8123-456789abcdef"

static int check(const char *head, size_t size, const char *uuid, enum router_type *type_out, struct problem *problem)
{
	problem->code = 0;
	int r = xl_save_check((const uint8_t *)head, size, uuid, type_out, problem);
	ck_assert_int_eq(r, problem->code);
	return r;
}

START_TEST(round_trip)
{
	static const enum router_type types[] = { ROUTER_PV, ROUTER_PVH };
	char head[XL_SAVE_HEAD_SIZE];
	struct problem problem;
	enum router_type type;

	xl_save_head(UUID, "blue.r1", types[_i], head);
	ck_assert_int_eq(check(head, sizeof head, UUID, &type, &problem), 0);
	ck_assert_int_eq(type, types[_i]);
	ck_assert_int_eq(head[sizeof head - 1], '\n');
}
END_TEST

START_TEST(longest)
{
	char head[XL_SAVE_HEAD_SIZE], name[ROUTER_NAME_SIZE];
	struct problem problem;
	enum router_type type;

	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	xl_save_head(UUID, name, ROUTER_PVH, head);
	ck_assert_int_eq(check(head, sizeof head, UUID, &type, &problem), 0);
}
END_TEST

START_TEST(another_router)
{
	char head[XL_SAVE_HEAD_SIZE];
	struct problem problem;
	enum router_type type;

	xl_save_head(OTHER, "blue.r2", ROUTER_PV, head);
	ck_assert_int_eq(check(head, sizeof head, UUID, &type, &problem), -EINVAL);
	ck_assert_ptr_nonnull(strstr(problem.text, "blue.r2"));
}
END_TEST

/* Cut anywhere, or any byte of the text changed: refused or read the same, never beyond its end. */
START_TEST(damaged)
{
	char head[XL_SAVE_HEAD_SIZE];
	struct problem problem;
	enum router_type type;
	int n_refused = 0;

	for (size_t size = 0; size < sizeof head; size++) {
		xl_save_head(UUID, "r", ROUTER_PV, head);
		AUTO(free) char *cut = malloc(size + 1);
		memcpy(cut, head, size);
		ck_assert_int_eq(check(cut, size, UUID, &type, &problem), -EINVAL);
	}
	for (size_t i = 0; i < sizeof head; i++) {
		xl_save_head(UUID, "r", ROUTER_PV, head);
		head[i] ^= 0x80;
		n_refused += check(head, sizeof head, UUID, &type, &problem) == -EINVAL;
	}
	ck_assert_int_ge(n_refused, 60);
	memset(head, 'x', sizeof head);
	ck_assert_int_eq(check(head, sizeof head, UUID, &type, &problem), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xl-save");
	TCase *tests = tcase_create("xl-save");

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, round_trip, 0, 2);
	tcase_add_test(tests, longest);
	tcase_add_test(tests, another_router);
	tcase_add_test(tests, damaged);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
