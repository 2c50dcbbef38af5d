/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The test is libxl: it calls the hooks that xl-loop.c registers and has the functions that xl-loop.c calls.
 */
#include "xebra/xl-loop.h"

#include <check.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>

#include "libvnet/base/cleanup.h"

static const libxl_osevent_hooks *hooks;
static const libxl_childproc_hooks *children;
static void *user;
static struct event_base *base;
static struct xl_loop *loop;

/* What libxl was told. */
static void *told; /* for_libxl of the last event */
static short told_events, told_revents;
static int n_fd, n_timeout, n_sigchld, n_released;
/* One timeout at a time, as libxl keeps it: told by afterpoll when due, then hurried, then released. */
static struct {
	bool is_set;
	struct timeval when;
	void *registration;
} timeout;
static void *deregister_in_call; /* a registration that "libxl" gives up from inside */
static int deregister_fd;

void libxl_osevent_register_hooks(libxl_ctx *ctx, const libxl_osevent_hooks *new_hooks, void *new_user)
{
	(void)ctx;
	hooks = new_hooks;
	user = new_user;
}

void libxl_childproc_setmode(libxl_ctx *ctx, const libxl_childproc_hooks *mode, void *new_user)
{
	(void)ctx;
	(void)new_user;
	children = mode;
}

void libxl_osevent_occurred_fd(libxl_ctx *ctx, void *for_libxl, int fd, short events, short revents)
{
	(void)ctx;
	(void)fd;
	n_fd++;
	told = for_libxl;
	told_events = events;
	told_revents = revents;
	if (deregister_in_call)
		hooks->fd_deregister(user, deregister_fd, take(deregister_in_call));
}

static void give_up_timeout(void)
{
	timeout.is_set = false;
	ck_assert_int_eq(hooks->timeout_modify(user, &timeout.registration, (struct timeval){ 0, 0 }), 0);
}

void libxl_osevent_occurred_timeout(libxl_ctx *ctx, void *for_libxl)
{
	(void)ctx;
	ck_assert_msg(!timeout.is_set, "this call does not deregister it in libxl");
	ck_assert_ptr_eq(for_libxl, &timeout);
	n_released++;
}

void libxl_childproc_sigchld_occurred(libxl_ctx *ctx)
{
	(void)ctx;
	n_sigchld++;
}

int libxl_osevent_beforepoll(libxl_ctx *ctx, int *n_fds, struct pollfd *fds, int *ms, struct timeval now)
{
	(void)ctx;
	(void)fds;
	(void)now;
	*n_fds = 0;
	*ms = 0;
	return 0;
}

void libxl_osevent_afterpoll(libxl_ctx *ctx, int n_fds, const struct pollfd *fds, struct timeval now)
{
	(void)ctx;
	(void)n_fds;
	(void)fds;
	if (!timeout.is_set || timercmp(&timeout.when, &now, >))
		return;
	give_up_timeout();
	n_timeout++;
}

static void join(void)
{
	base = event_base_new();
	ck_assert_int_eq(xl_loop_join(NULL, base, &loop), 0);
	n_fd = n_timeout = n_sigchld = n_released = 0;
	timeout.is_set = false;
}

static void leave(void)
{
	xl_loop_leave(loop);
	event_base_free(base);
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void set_timeout(long us)
{
	struct timeval now, more = { .tv_usec = us };

	gettimeofday(&now, NULL);
	timeradd(&now, &more, &timeout.when);
	timeout.is_set = true;
	timeout.registration = NULL;
	ck_assert_int_eq(hooks->timeout_register(user, &timeout.registration, timeout.when, &timeout), 0);
}

START_TEST(readiness_is_exact)
{
	int tag, ends[2];
	void *registration = NULL;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(hooks->fd_register(user, ends[0], &registration, POLLIN, &tag), 0);
	turn();
	ck_assert_int_eq(n_fd, 0);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	turn();
	turn();
	ck_assert_int_eq(n_fd, 2); /* level */
	ck_assert_ptr_eq(told, &tag);
	ck_assert_int_eq(told_events, POLLIN);
	ck_assert_int_eq(told_revents, POLLIN);
	close(ends[1]);
	turn();
	ck_assert_int_eq(told_revents, POLLIN | POLLHUP);
	hooks->fd_deregister(user, ends[0], registration);
	turn();
	ck_assert_int_eq(n_fd, 3);
	close(ends[0]);
}
END_TEST

START_TEST(modified)
{
	int ends[2];
	void *registration = NULL;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(hooks->fd_register(user, ends[1], &registration, 0, NULL), 0);
	turn();
	ck_assert_int_eq(n_fd, 0);
	ck_assert_int_eq(hooks->fd_modify(user, ends[1], &registration, POLLOUT), 0);
	turn();
	ck_assert_int_eq(n_fd, 1);
	ck_assert_int_eq(told_revents, POLLOUT);
	ck_assert_int_eq(hooks->fd_modify(user, ends[1], &registration, 0), 0);
	turn();
	ck_assert_int_eq(n_fd, 1);
	hooks->fd_deregister(user, ends[1], registration);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* epoll refuses plain files, which libxl polls when it saves. */
START_TEST(plain_file_is_always_ready)
{
	char name[] = "/tmp/test-xl-loop.XXXXXX";
	int fd = mkstemp(name);
	void *registration = NULL;

	ck_assert_int_ge(fd, 0);
	unlink(name);
	ck_assert_int_eq(hooks->fd_register(user, fd, &registration, POLLOUT, NULL), 0);
	for (int i = 1; i <= 3; i++) {
		turn();
		ck_assert_int_eq(n_fd, i);
		ck_assert_int_eq(told_revents, POLLOUT);
	}
	ck_assert_int_eq(hooks->fd_modify(user, fd, &registration, 0), 0);
	turn();
	ck_assert_int_eq(n_fd, 3);
	ck_assert_int_eq(hooks->fd_modify(user, fd, &registration, POLLIN), 0);
	turn();
	ck_assert_int_eq(n_fd, 4);
	deregister_in_call = registration;
	deregister_fd = fd;
	turn();
	turn();
	ck_assert_int_eq(n_fd, 5);
	close(fd);
}
END_TEST

START_TEST(given_up_inside_the_call)
{
	int ends[2];
	void *registration = NULL;

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(hooks->fd_register(user, ends[1], &registration, POLLOUT, NULL), 0);
	deregister_in_call = registration;
	deregister_fd = ends[1];
	turn();
	turn();
	ck_assert_int_eq(n_fd, 1);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(two_registrations_of_one_fd)
{
	int ends[2];
	void *one = NULL, *two = NULL;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(hooks->fd_register(user, ends[0], &one, POLLIN, NULL), 0);
	ck_assert_int_eq(hooks->fd_register(user, ends[0], &two, POLLOUT, NULL), 0);
	turn();
	ck_assert_int_eq(n_fd, 1);
	hooks->fd_deregister(user, ends[0], two);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	turn();
	ck_assert_int_eq(n_fd, 2);
	ck_assert_int_eq(told_revents, POLLIN);
	hooks->fd_deregister(user, ends[0], one);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(refused_fd)
{
	void *registration = NULL;

	ck_assert_int_ne(hooks->fd_register(user, 999, &registration, POLLIN, NULL), 0);
	turn();
	ck_assert_int_eq(n_fd, 0);
}
END_TEST

START_TEST(timeouts)
{
	static const long waits_us[] = { -1000, 0, 20000 };

	for (size_t i = 0; i < N_ELEMENTS(waits_us); i++) {
		set_timeout(waits_us[i]);
		for (int ms = 0; ms < 100; ms++) {
			turn();
			usleep(1000);
		}
		ck_assert_int_eq(n_timeout, i + 1);
		ck_assert_int_eq(n_released, i + 1);
	}
	set_timeout(900000);
	turn();
	ck_assert_int_eq(n_timeout, 3);
}
END_TEST

/* The two clocks differ: what fires too early for libxl fires again. */
START_TEST(early_timeout)
{
	set_timeout(1000);
	timeout.when.tv_sec += 1;
	timeout.when.tv_usec = 0;
	for (int ms = 0; ms < 1200 && !n_timeout; ms++) {
		turn();
		usleep(1000);
	}
	ck_assert_int_eq(n_timeout, 1);
}
END_TEST

/* libxl does not deregister a timeout but hurries it, even when it has left the loop by then. */
START_TEST(hurried_timeout)
{
	set_timeout(900000);
	turn();
	ck_assert_int_eq(n_released, 0);
	give_up_timeout();
	turn();
	turn();
	ck_assert_int_eq(n_timeout, 0);
	ck_assert_int_eq(n_released, 1);
	set_timeout(900000);
	give_up_timeout();
	xl_loop_leave(take(loop));
	turn();
	ck_assert_int_eq(n_released, 1);
}
END_TEST

static void count(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	++*(int *)arg;
}

START_TEST(sigchld_is_shared)
{
	int n_others = 0;
	struct event *other = evsignal_new(base, SIGCHLD, count, &n_others);

	event_add(other, NULL);
	ck_assert_int_eq(children->chldowner, libxl_sigchld_owner_mainloop);
	if (fork() == 0)
		_exit(0);
	for (int i = 0; i < 100 && !n_sigchld; i++) {
		usleep(10000);
		turn();
	}
	ck_assert_int_eq(n_sigchld, 1);
	ck_assert_int_eq(n_others, 1);
	xl_loop_pump(loop, 0);
	ck_assert_int_eq(n_sigchld, 2);
	event_free(other);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xl-loop");
	TCase *tests = tcase_create("xl-loop");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, join, leave);
	tcase_add_test(tests, readiness_is_exact);
	tcase_add_test(tests, modified);
	tcase_add_test(tests, plain_file_is_always_ready);
	tcase_add_test(tests, given_up_inside_the_call);
	tcase_add_test(tests, two_registrations_of_one_fd);
	tcase_add_test(tests, refused_fd);
	tcase_add_test(tests, timeouts);
	tcase_add_test(tests, early_timeout);
	tcase_add_test(tests, hurried_timeout);
	tcase_add_test(tests, sigchld_is_shared);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
