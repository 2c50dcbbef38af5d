/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replies as BIRD 2.0.12 gave them. */
#include "xebra/guest/bird-reply.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct bird_reply reply;

static enum bird_reply_state feed(const char *text, size_t *used_out)
{
	return bird_reply_feed(&reply, (const uint8_t *)text, strlen(text), used_out);
}

static const char protocols[] = "2002-Name       Proto      Table      State  Since         Info\n"
				"1002-device1    Device     ---        up     15:00:45.095  \n"
				" kernel1    Kernel     master4    up     15:00:45.095  \n"
				" o4         OSPF       master4    down   15:00:45.095  \n"
				" o6         OSPF       master6    up     15:00:45.095  Alone\n"
				"0000 \n";

START_TEST(protocols_at_once)
{
	size_t used;

	bird_reply_start(&reply);
	ck_assert_int_eq(feed(protocols, &used), BIRD_REPLY_END);
	ck_assert_uint_eq(used, strlen(protocols));
	ck_assert_uint_eq(reply.protocols_up, 3);
	ck_assert(!bird_reply_refused(&reply));
}
END_TEST

START_TEST(protocols_byte_by_byte)
{
	size_t used;

	bird_reply_start(&reply);
	for (size_t i = 0; protocols[i]; i++) {
		enum bird_reply_state state = bird_reply_feed(&reply, (const uint8_t *)&protocols[i], 1, &used);
		ck_assert_int_eq(state, protocols[i + 1] ? BIRD_REPLY_MORE : BIRD_REPLY_END);
	}
	ck_assert_uint_eq(reply.protocols_up, 3);
}
END_TEST

START_TEST(neighbors)
{
	size_t used;

	bird_reply_start(&reply);
	ck_assert_int_eq(feed("1013-o4:\n"
			      " Router ID   \tPri\t     State     \tDTime\tInterface  Router IP\n"
			      " 10.255.0.2  \t  1\tFull/PtP  \t4.123\te0         10.1.0.2\n"
			      " 10.255.0.3  \t  1\tExStart/PtP\t4.123\te1         10.2.0.2\n"
			      " \n o6:\n"
			      " Router ID   \tPri\t     State     \tDTime\tInterface  Router IP\n"
			      " 10.255.0.2  \t  1\tFull/DR   \t4.123\te0         fe80::1\n"
			      "0000 \n",
			      &used),
			 BIRD_REPLY_END);
	ck_assert_uint_eq(reply.ospf_full, 2);
}
END_TEST

START_TEST(a_refused_configuration)
{
	size_t used;

	bird_reply_start(&reply);
	ck_assert_int_eq(feed("0002-Reading configuration from /tmp/bad.conf\n"
			      "8002 /tmp/bad.conf:1:30 syntax error, unexpected CF_SYM_UNDEFINED\n",
			      &used),
			 BIRD_REPLY_END);
	ck_assert(bird_reply_refused(&reply));
	ck_assert_str_eq(reply.error, "/tmp/bad.conf:1:30 syntax error, unexpected CF_SYM_UNDEFINED");
}
END_TEST

START_TEST(what_follows_is_left)
{
	size_t used;

	bird_reply_start(&reply);
	ck_assert_int_eq(feed("0001 BIRD 2.0.12 ready.\n0003 Reconfigured\n", &used), BIRD_REPLY_END);
	ck_assert_uint_eq(used, strlen("0001 BIRD 2.0.12 ready.\n"));
	ck_assert_uint_eq(reply.code, BIRD_WELCOME);
}
END_TEST

START_TEST(garbage)
{
	static const char *const texts[] = { "HTTP/1.1 400\n", "\n", "12\n", "0003+x\n", "000a-x\n" };
	size_t used;

	bird_reply_start(&reply);
	ck_assert_int_eq(feed(texts[_i], &used), BIRD_REPLY_GARBLED);
}
END_TEST

START_TEST(long_lines_are_cut)
{
	char line[4 * BIRD_LINE_SIZE];
	size_t used;

	memset(line, 'x', sizeof line);
	memcpy(line, "8002 ", 5);
	memcpy(line + sizeof line - 2, "\n", 2);
	bird_reply_start(&reply);
	ck_assert_int_eq(feed(line, &used), BIRD_REPLY_END);
	ck_assert_uint_eq(strlen(reply.error), BIRD_ERROR_SIZE - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bird-reply");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, protocols_at_once);
	tcase_add_test(tests, protocols_byte_by_byte);
	tcase_add_test(tests, neighbors);
	tcase_add_test(tests, a_refused_configuration);
	tcase_add_test(tests, what_follows_is_left);
	tcase_add_loop_test(tests, garbage, 0, 5);
	tcase_add_test(tests, long_lines_are_cut);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
