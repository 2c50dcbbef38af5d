/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/virt-worker.h"

#include <check.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>

static struct event_base *loop;
static struct virt_worker *worker;
static pthread_t main_thread;
static int n_run, n_end, order[8];

static void start(void)
{
	loop = event_base_new();
	main_thread = pthread_self();
	n_run = n_end = 0;
	ck_assert_int_eq(virt_worker_start(loop, &worker), 0);
}

static void stop(void)
{
	virt_worker_stop(worker);
	event_base_free(loop);
}

static void run(void *arg)
{
	sigset_t blocked;

	ck_assert(!pthread_equal(pthread_self(), main_thread));
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	ck_assert_int_eq(sigismember(&blocked, SIGCHLD), 1);
	order[n_run++] = *(int *)arg;
	usleep(20000);
}

static void end(void *arg)
{
	(void)arg;
	ck_assert(pthread_equal(pthread_self(), main_thread));
	n_end++;
}

static void run_and_post(void *arg)
{
	virt_worker_post(worker, end, arg);
}

START_TEST(in_order)
{
	int numbers[] = { 4, 2, 9 };

	for (size_t i = 0; i < N_ELEMENTS(numbers); i++)
		virt_worker_submit(worker, run, end, &numbers[i]);
	ck_assert_int_eq(n_end, 0);
	while (n_end < 3)
		event_base_loop(loop, EVLOOP_ONCE);
	for (size_t i = 0; i < N_ELEMENTS(numbers); i++)
		ck_assert_int_eq(order[i], numbers[i]);
}
END_TEST

START_TEST(posted_from_the_thread)
{
	virt_worker_submit(worker, run_and_post, end, NULL);
	while (n_end < 2)
		event_base_loop(loop, EVLOOP_ONCE);
}
END_TEST

START_TEST(stop_ends_everything)
{
	int numbers[] = { 1, 2, 3 };

	for (size_t i = 0; i < N_ELEMENTS(numbers); i++)
		virt_worker_submit(worker, run, end, &numbers[i]);
	virt_worker_stop(take(worker));
	ck_assert_int_eq(n_run, 3);
	ck_assert_int_eq(n_end, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("virt-worker");
	TCase *tests = tcase_create("virt-worker");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, start, stop);
	tcase_add_test(tests, in_order);
	tcase_add_test(tests, posted_from_the_thread);
	tcase_add_test(tests, stop_ends_everything);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
