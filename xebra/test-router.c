/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life cycle against a model of a hypervisor: whatever is asked, fails, ends by itself or is killed in between,
 * a router at rest has a domain exactly when its state says so.
 */
#include "xebra/router.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "libvnet/base/cleanup.h"

struct model {
	enum router_state state;
	enum router_action action; /* under way */
	bool domain, paused, ended, file;
};

/* What the hypervisor does for an action, if it succeeds. */
static void perform(struct model *m)
{
	switch (m->action) {
	case ROUTER_DO_CREATE:
		ck_assert_msg(!m->domain, "a second domain is made");
		m->domain = m->paused = true;
		m->ended = false;
		break;
	case ROUTER_DO_RESTORE:
		ck_assert(m->file);
		m->domain = m->paused = true;
		m->ended = false;
		break;
	case ROUTER_DO_UNPAUSE:
		ck_assert(m->domain);
		if (m->state == ROUTER_STARTING)
			m->file = false; /* the manager drops the past */
		m->paused = false;
		break;
	case ROUTER_DO_PAUSE:
		m->paused = true;
		break;
	case ROUTER_DO_DESTROY:
		m->domain = false;
		break;
	case ROUTER_DO_SAVE:
		m->file = true;
		m->domain = false;
		break;
	case ROUTER_DO_FORGET:
		m->file = false;
		break;
	case ROUTER_DO_SHUTDOWN:
	case ROUTER_DO_REBOOT:
	case ROUTER_DO_NOTHING:
		break;
	}
}

static bool waits_for_guest(enum router_state state)
{
	return state == ROUTER_STOPPING || state == ROUTER_REBOOTING;
}

static bool apply(struct model *m, enum router_event event)
{
	struct router_step step;

	if (!router_step(m->state, event, &step))
		return false;
	m->state = step.next;
	m->action = step.action;
	ck_assert_msg(m->action == ROUTER_DO_NOTHING || m->action == ROUTER_DO_FORGET || router_is_busy(m->state) ||
			      waits_for_guest(m->state),
		      "%s is at rest while its action is under way", router_state_name(m->state));
	return true;
}

/* Ends what is under way with success, step by step, until the router is at rest. */
static void run_to_rest(struct model *m)
{
	for (int steps = 0; steps < 20; steps++) {
		enum router_action done = m->action;
		perform(m);
		m->action = ROUTER_DO_NOTHING;
		if (waits_for_guest(m->state)) {
			m->ended = true;
			ck_assert(apply(m, ROUTER_OFF));
			continue;
		}
		if (!router_is_busy(m->state))
			return;
		ck_assert_msg(apply(m, ROUTER_OK), "%s does not take the end of action %d", router_state_name(m->state), done);
	}
	ck_abort_msg("never comes to rest");
}

static void check_rest(const struct model *m)
{
	ck_assert(!router_is_busy(m->state));
	ck_assert_msg(router_has_domain(m->state) == m->domain, "%s with%s a domain", router_state_name(m->state),
		      m->domain ? "" : "out");
	if (m->state == ROUTER_SAVED)
		ck_assert(m->file);
	if (m->state == ROUTER_PAUSED || m->state == ROUTER_RUNNING)
		ck_assert_int_eq(m->paused, m->state == ROUTER_PAUSED);
}

/* Which requests each state at rest takes: start restore stop kill reboot pause unpause save destroy */
static const struct {
	enum router_state state;
	const char *takes;
} requests[] = {
	{ ROUTER_STOPPED, "start destroy" },
	{ ROUTER_RUNNING, "stop kill reboot pause save destroy" },
	{ ROUTER_PAUSED, "start kill unpause destroy" },
	{ ROUTER_STOPPING, "stop kill destroy" },
	{ ROUTER_REBOOTING, "kill destroy" },
	{ ROUTER_FAILED, "start kill destroy" },
	{ ROUTER_CRASHED, "start kill destroy" },
	{ ROUTER_SAVED, "start restore kill destroy" },
	{ ROUTER_FORGOTTEN, "" },
};

START_TEST(each_state_takes_what_it_should)
{
	static const struct {
		enum router_event event;
		const char *word;
	} words[] = { { ROUTER_START, "start" },     { ROUTER_RESTORE, "restore" }, { ROUTER_STOP, "stop" },
		      { ROUTER_KILL, "kill" },	     { ROUTER_REBOOT, "reboot" },   { ROUTER_PAUSE, "pause" },
		      { ROUTER_UNPAUSE, "unpause" }, { ROUTER_SAVE, "save" },	    { ROUTER_DESTROY, "destroy" } };
	struct router_step step;

	for (size_t i = 0; i < N_ELEMENTS(requests); i++)
		for (size_t e = 0; e < N_ELEMENTS(words); e++) {
			char padded[128], word[32];
			snprintf(padded, sizeof padded, " %s ", requests[i].takes);
			snprintf(word, sizeof word, " %s ", words[e].word);
			bool wanted = strstr(padded, word);
			ck_assert_msg(router_step(requests[i].state, words[e].event, &step) == wanted, "%s in %s",
				      words[e].word, router_state_name(requests[i].state));
		}
	for (enum router_state s = 0; s < ROUTER_N_STATES; s++) /* busy ones take none, and both ends */
		for (enum router_event e = ROUTER_START; router_is_busy(s) && e <= ROUTER_DESTROY; e++) {
			ck_assert(!router_step(s, e, &step));
			ck_assert_msg(router_step(s, ROUTER_OK, &step) && router_step(s, ROUTER_FAIL, &step), "%s",
				      router_state_name(s));
		}
}
END_TEST

START_TEST(every_request_comes_to_rest)
{
	struct model m = { 0 };

	srandom(1);
	for (int i = 0; i < 200000; i++) {
		enum router_event event = random() % ROUTER_N_EVENTS;
		if (event == ROUTER_OK || event == ROUTER_FAIL)
			continue;
		if (event == ROUTER_GONE || event == ROUTER_OFF || event == ROUTER_REBOOTED || event == ROUTER_PRESERVE) {
			if (!m.domain) /* the hypervisor says nothing of domains that are not */
				continue;
			m.domain = event != ROUTER_GONE;
			m.ended = true;
			m.paused = m.state == ROUTER_PAUSED;
		}
		if (!apply(&m, event))
			continue;
		run_to_rest(&m);
		check_rest(&m);
		if (m.state == ROUTER_FORGOTTEN)
			m = (struct model){ 0 };
	}
}
END_TEST

/* Where each request and each end leads when all goes well. */
static const struct {
	enum router_state from;
	enum router_event event;
	enum router_state rest;
} arrivals[] = {
	{ ROUTER_STOPPED, ROUTER_START, ROUTER_RUNNING },	{ ROUTER_STOPPED, ROUTER_DESTROY, ROUTER_FORGOTTEN },
	{ ROUTER_RUNNING, ROUTER_STOP, ROUTER_STOPPED },	{ ROUTER_RUNNING, ROUTER_REBOOT, ROUTER_RUNNING },
	{ ROUTER_RUNNING, ROUTER_KILL, ROUTER_STOPPED },	{ ROUTER_RUNNING, ROUTER_PAUSE, ROUTER_PAUSED },
	{ ROUTER_RUNNING, ROUTER_SAVE, ROUTER_SAVED },		{ ROUTER_RUNNING, ROUTER_DESTROY, ROUTER_FORGOTTEN },
	{ ROUTER_RUNNING, ROUTER_OFF, ROUTER_STOPPED },		{ ROUTER_RUNNING, ROUTER_REBOOTED, ROUTER_RUNNING },
	{ ROUTER_RUNNING, ROUTER_PRESERVE, ROUTER_CRASHED },	{ ROUTER_RUNNING, ROUTER_GONE, ROUTER_STOPPED },
	{ ROUTER_PAUSED, ROUTER_UNPAUSE, ROUTER_RUNNING },	{ ROUTER_PAUSED, ROUTER_START, ROUTER_RUNNING },
	{ ROUTER_PAUSED, ROUTER_KILL, ROUTER_STOPPED },		{ ROUTER_PAUSED, ROUTER_DESTROY, ROUTER_FORGOTTEN },
	{ ROUTER_PAUSED, ROUTER_OFF, ROUTER_STOPPED },		{ ROUTER_PAUSED, ROUTER_REBOOTED, ROUTER_RUNNING },
	{ ROUTER_PAUSED, ROUTER_PRESERVE, ROUTER_CRASHED },	{ ROUTER_PAUSED, ROUTER_GONE, ROUTER_STOPPED },
	{ ROUTER_STOPPING, ROUTER_STOP, ROUTER_STOPPED },	{ ROUTER_STOPPING, ROUTER_KILL, ROUTER_STOPPED },
	{ ROUTER_STOPPING, ROUTER_DESTROY, ROUTER_FORGOTTEN },	{ ROUTER_STOPPING, ROUTER_OFF, ROUTER_STOPPED },
	{ ROUTER_STOPPING, ROUTER_REBOOTED, ROUTER_STOPPED },	{ ROUTER_STOPPING, ROUTER_PRESERVE, ROUTER_STOPPED },
	{ ROUTER_STOPPING, ROUTER_GONE, ROUTER_STOPPED },	{ ROUTER_REBOOTING, ROUTER_KILL, ROUTER_STOPPED },
	{ ROUTER_REBOOTING, ROUTER_DESTROY, ROUTER_FORGOTTEN }, { ROUTER_REBOOTING, ROUTER_OFF, ROUTER_RUNNING },
	{ ROUTER_REBOOTING, ROUTER_REBOOTED, ROUTER_RUNNING },	{ ROUTER_REBOOTING, ROUTER_PRESERVE, ROUTER_RUNNING },
	{ ROUTER_REBOOTING, ROUTER_GONE, ROUTER_RUNNING },	{ ROUTER_FAILED, ROUTER_START, ROUTER_RUNNING },
	{ ROUTER_FAILED, ROUTER_KILL, ROUTER_STOPPED },		{ ROUTER_FAILED, ROUTER_DESTROY, ROUTER_FORGOTTEN },
	{ ROUTER_CRASHED, ROUTER_START, ROUTER_RUNNING },	{ ROUTER_CRASHED, ROUTER_KILL, ROUTER_STOPPED },
	{ ROUTER_CRASHED, ROUTER_DESTROY, ROUTER_FORGOTTEN },	{ ROUTER_CRASHED, ROUTER_GONE, ROUTER_STOPPED },
	{ ROUTER_SAVED, ROUTER_START, ROUTER_RUNNING },		{ ROUTER_SAVED, ROUTER_RESTORE, ROUTER_RUNNING },
	{ ROUTER_SAVED, ROUTER_KILL, ROUTER_STOPPED },		{ ROUTER_SAVED, ROUTER_DESTROY, ROUTER_FORGOTTEN },
	/* the ends of what is under way */
	{ ROUTER_FAILING, ROUTER_OK, ROUTER_FAILED },		{ ROUTER_BUILDING, ROUTER_FAIL, ROUTER_FAILED },
	{ ROUTER_STARTING, ROUTER_FAIL, ROUTER_FAILED },	{ ROUTER_PAUSING, ROUTER_FAIL, ROUTER_RUNNING },
	{ ROUTER_UNPAUSING, ROUTER_FAIL, ROUTER_PAUSED },	{ ROUTER_STOPPING, ROUTER_FAIL, ROUTER_RUNNING },
	{ ROUTER_REBOOTING, ROUTER_FAIL, ROUTER_RUNNING },	{ ROUTER_KILLING, ROUTER_FAIL, ROUTER_FAILED },
	{ ROUTER_REBUILDING, ROUTER_FAIL, ROUTER_FAILED },	{ ROUTER_FAILING, ROUTER_FAIL, ROUTER_FAILED },
	{ ROUTER_SAVING, ROUTER_FAIL, ROUTER_RUNNING },		{ ROUTER_RESTORING, ROUTER_FAIL, ROUTER_SAVED },
	{ ROUTER_REMOVING, ROUTER_FAIL, ROUTER_FAILED },
};

START_TEST(where_each_leads)
{
	enum router_state from = arrivals[_i].from;
	enum router_event event = arrivals[_i].event;
	struct model m = { .state = from,
			   .domain = event != ROUTER_GONE && from != ROUTER_STOPPED && from != ROUTER_SAVED && from != ROUTER_BUILDING &&
				     from != ROUTER_RESTORING && !(from == ROUTER_FAILING && event == ROUTER_OK),
			   .paused = from == ROUTER_PAUSED || from == ROUTER_UNPAUSING || from == ROUTER_STARTING,
			   .file = from == ROUTER_SAVED || from == ROUTER_RESTORING };

	ck_assert_msg(apply(&m, event), "%s in %s", router_event_name(event), router_state_name(from));
	if (event == ROUTER_STOP || event == ROUTER_REBOOT)
		ck_assert(waits_for_guest(m.state));
	run_to_rest(&m);
	ck_assert_msg(m.state == arrivals[_i].rest, "%s in %s ends in %s", router_event_name(event), router_state_name(from),
		      router_state_name(m.state));
	if (m.state != ROUTER_FAILED)
		check_rest(&m);
}
END_TEST

/* A failed action leaves things as they were before it; only a destroy that fails leaves a domain in `failed`. */
START_TEST(failures_come_to_rest)
{
	struct model m = { 0 };

	srandom(2);
	for (int i = 0; i < 200000; i++) {
		enum router_event event = random() % (ROUTER_DESTROY + 1);
		if (!apply(&m, event))
			continue;
		while (router_is_busy(m.state) || waits_for_guest(m.state)) {
			bool fails = random() % 3 == 0;
			if (!fails)
				perform(&m);
			m.action = ROUTER_DO_NOTHING;
			if (waits_for_guest(m.state) && !fails)
				ck_assert(apply(&m, ROUTER_OFF));
			else
				ck_assert(apply(&m, fails ? ROUTER_FAIL : ROUTER_OK));
		}
		perform(&m);
		m.action = ROUTER_DO_NOTHING;
		if (m.state != ROUTER_FAILED)
			check_rest(&m);
		if (m.state == ROUTER_FORGOTTEN)
			m = (struct model){ 0 };
	}
}
END_TEST

/* Killed in any state with anything left by the hypervisor: recovery comes to rest, and the rest is true. */
START_TEST(recovery)
{
	for (enum router_state s = 0; s < ROUTER_N_STATES; s++)
		for (int bits = 0; bits < 32; bits++) {
			struct router_found found = { bits & 1, bits & 2, bits & 4, bits & 8, bits & 16 };
			if (!found.domain && (found.paused || found.ended))
				continue;
			if (found.domain && (s == ROUTER_STOPPED || s == ROUTER_SAVED || s == ROUTER_FORGOTTEN || s == ROUTER_FAILED))
				continue; /* stored only after the domain was gone */
			if (found.domain && s == ROUTER_STARTING && found.ended)
				continue; /* told again by the hypervisor */
			if (found.domain && s == ROUTER_CRASHED && !found.ended)
				continue;
			struct model m = { .domain = found.domain, .paused = found.paused, .ended = found.ended, .file = found.file };
			struct router_step step = router_recover(s, &found);
			m.state = step.next;
			m.action = step.action;
			run_to_rest(&m);
			check_rest(&m);
		}
}
END_TEST

START_TEST(what_recovery_wants)
{
	static const struct {
		enum router_state state;
		struct router_found found;
		enum router_state rest;
	} cases[] = {
		{ ROUTER_RUNNING, { .domain = true }, ROUTER_RUNNING },
		{ ROUTER_RUNNING, { .domain = true, .paused = true }, ROUTER_PAUSED },
		{ ROUTER_RUNNING, { .domain = false }, ROUTER_STOPPED },
		{ ROUTER_RUNNING, { .rebooted = true }, ROUTER_RUNNING },
		{ ROUTER_STOPPED, { .rebooted = true }, ROUTER_STOPPED },
		{ ROUTER_BUILDING, { .domain = true, .paused = true }, ROUTER_RUNNING },
		{ ROUTER_BUILDING, { .domain = false }, ROUTER_RUNNING },
		{ ROUTER_STARTING, { .domain = true, .paused = true }, ROUTER_RUNNING },
		{ ROUTER_SAVING, { .domain = true }, ROUTER_RUNNING },
		{ ROUTER_SAVING, { .domain = true, .file = true }, ROUTER_SAVED },
		{ ROUTER_SAVING, { .file = true }, ROUTER_SAVED },
		{ ROUTER_RESTORING, { .domain = true, .paused = true, .file = true }, ROUTER_RUNNING },
		{ ROUTER_RESTORING, { .file = true }, ROUTER_RUNNING },
		{ ROUTER_REMOVING, { .domain = true }, ROUTER_FORGOTTEN },
		{ ROUTER_KILLING, { .domain = true }, ROUTER_STOPPED },
		{ ROUTER_STOPPING, { .domain = true, .ended = true }, ROUTER_STOPPED },
	};
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		const struct router_found *found = &cases[i].found;
		struct model m = { .domain = found->domain, .paused = found->paused, .ended = found->ended, .file = found->file };
		struct router_step step = router_recover(cases[i].state, found);
		m.state = step.next;
		m.action = step.action;
		run_to_rest(&m);
		ck_assert_msg(m.state == cases[i].rest, "case %zu: %s came to rest as %s", i, router_state_name(cases[i].state),
			      router_state_name(m.state));
	}
}
END_TEST

START_TEST(names)
{
	for (enum router_state s = 0; s < ROUTER_N_STATES; s++)
		ck_assert_int_eq(router_state_of_name(router_state_name(s)), s);
	ck_assert_int_eq(router_state_of_name("nonsense"), -1);
	for (enum router_event e = 0; e < ROUTER_N_EVENTS; e++)
		ck_assert_ptr_nonnull(router_event_name(e));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("router");
	TCase *tests = tcase_create("life");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, each_state_takes_what_it_should);
	tcase_add_test(tests, every_request_comes_to_rest);
	tcase_add_loop_test(tests, where_each_leads, 0, N_ELEMENTS(arrivals));
	tcase_add_test(tests, failures_come_to_rest);
	tcase_add_test(tests, recovery);
	tcase_add_test(tests, what_recovery_wants);
	tcase_add_test(tests, names);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
