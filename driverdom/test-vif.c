/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vif.h"

#include <check.h>
#include <stdlib.h>

/* A life as a sequence of facts; in each the action and the state that must follow. */
struct moment {
	struct vif_facts facts;
	enum vif_action action;
	enum vif_state state;
};

#define FACTS(port_, online_, state_, told_) \
	{ .port = VIF_PORT_##port_, .agent = true, .online = online_, .backend_state = state_, .told = told_ }

static void live(const struct moment *moments, size_t n)
{
	enum vif_state state = VIF_WAITING;

	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(vif_step(&state, &moments[i].facts) == moments[i].action, "moment %zu: wrong action", i);
		ck_assert_msg(state == moments[i].state, "moment %zu: %s", i, vif_state_name(state));
	}
}

#define LIVE(...) live((struct moment[]){ __VA_ARGS__ }, sizeof((struct moment[]){ __VA_ARGS__ }) / sizeof(struct moment))

START_TEST(comes_and_goes)
{
	LIVE({ FACTS(WAITING, true, 1, false), VIF_NOTHING, VIF_WAITING },
	     { FACTS(ACTIVE, true, 2, false), VIF_SAY_CONNECTED, VIF_CONNECTED },
	     { FACTS(ACTIVE, true, 2, true), VIF_NOTHING, VIF_CONNECTED },
	     { FACTS(ACTIVE, true, 4, true), VIF_NOTHING, VIF_CONNECTED },
	     { FACTS(ACTIVE, false, 5, true), VIF_NOTHING, VIF_CONNECTED },
	     { FACTS(ACTIVE, false, 6, true), VIF_REMOVE, VIF_CLOSED },
	     { FACTS(WAITING, false, 6, true), VIF_NOTHING, VIF_CLOSED });
}
END_TEST

START_TEST(refused_and_repaired)
{
	LIVE({ FACTS(REFUSED, true, 2, false), VIF_SAY_ERROR, VIF_REFUSED },
	     { FACTS(REFUSED, true, 2, false), VIF_NOTHING, VIF_REFUSED },
	     { FACTS(ACTIVE, true, 2, false), VIF_SAY_CONNECTED, VIF_CONNECTED },
	     { FACTS(REFUSED, true, 4, true), VIF_SAY_ERROR, VIF_REFUSED },
	     { FACTS(WAITING, true, 4, false), VIF_NOTHING, VIF_WAITING },
	     { FACTS(REFUSED, false, 6, false), VIF_REMOVE, VIF_CLOSED });
}
END_TEST

START_TEST(a_frontend_connects_again)
{
	LIVE({ FACTS(ACTIVE, true, 2, false), VIF_SAY_CONNECTED, VIF_CONNECTED },
	     { FACTS(ACTIVE, true, 4, false), VIF_NOTHING, VIF_CONNECTED }, /* the kernel has taken the node away */
	     { FACTS(ACTIVE, true, 6, false), VIF_SAY_CONNECTED, VIF_CONNECTED },
	     { FACTS(ACTIVE, true, 2, true), VIF_NOTHING, VIF_CONNECTED });
}
END_TEST

START_TEST(libxl_removes_its_own_nodes)
{
	struct moment moments[] = {
		{ FACTS(ACTIVE, true, 2, false), VIF_SAY_CONNECTED, VIF_CONNECTED },
		{ FACTS(ACTIVE, false, 6, true), VIF_NOTHING, VIF_CONNECTED },
	};

	moments[0].facts.agent = moments[1].facts.agent = false;
	live(moments, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vif");
	TCase *tcase = tcase_create("vif");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, comes_and_goes);
	tcase_add_test(tcase, refused_and_repaired);
	tcase_add_test(tcase, a_frontend_connects_again);
	tcase_add_test(tcase, libxl_removes_its_own_nodes);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
