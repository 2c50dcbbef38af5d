/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each registration is one libevent event. What libevent says is only a hint: poll(2) tells libxl the exact bits, also
 * POLLPRI, POLLHUP and POLLERR that libevent does not report by themselves.
 *
 * libxl polls plain files as well (the file of a save) and poll calls them always ready; epoll refuses them. Such a
 * registration is a timer of zero length that is armed again before each call.
 *
 * A timeout that fires is told through libxl_osevent_afterpoll and not libxl_osevent_occurred_timeout, which (Xen 4.17 to
 * 4.20) forgets to take it out of its operation's list of things to abort: libxl_ao_abort would then end it a second time,
 * in freed memory. afterpoll ends it properly, which includes asking us to hurry it (timeout_modify, time 0) as for
 * every timeout that libxl gives up; the hurried one then fires and occurred_timeout only frees what libxl kept of it.
 */
#include "xebra/xl-loop.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <sys/queue.h>
#include <sys/stat.h>

#include "libvnet/base/cleanup.h"

DEFINE_AUTO(struct event *, event_free)

struct registration {
	LIST_ENTRY(registration) all;
	struct xl_loop *loop;
	struct event *event;
	void *for_libxl;
	int fd;
	short events; /* POLL* */
	bool always_ready; /* of a file descriptor */
	bool hurried;      /* of a timeout: libxl is done with it */
};
static void registration_free(struct registration *registration);
DEFINE_AUTO(struct registration *, registration_free)

struct xl_loop {
	libxl_ctx *ctx;
	struct event_base *base;
	struct event *sigchld;
	LIST_HEAD(, registration) registrations;
};

static const struct timeval at_once, soon = { .tv_usec = 2000 };

static struct registration *registration_new(struct xl_loop *loop, void *for_libxl)
{
	struct registration *registration = calloc(1, sizeof *registration);

	if (!registration)
		return NULL;
	registration->loop = loop;
	registration->for_libxl = for_libxl;
	registration->fd = -1;
	LIST_INSERT_HEAD(&loop->registrations, registration, all);
	return registration;
}

static void registration_free(struct registration *registration)
{
	LIST_REMOVE(registration, all);
	if (registration->event)
		event_free(registration->event);
	free(registration);
}

/* --- file descriptors --- */

static void fd_may_be_ready(evutil_socket_t fd, short what, void *arg)
{
	struct registration *registration = arg;
	struct pollfd now = { .fd = registration->fd, .events = registration->events };

	(void)fd;
	(void)what;
	if (registration->always_ready)
		event_add(registration->event, &at_once);
	if (poll(&now, 1, 0) == 1) /* libxl may deregister within this call: nothing follows it */
		libxl_osevent_occurred_fd(registration->loop->ctx, registration->for_libxl, now.fd, now.events, now.revents);
}

static int fd_arm(struct registration *registration, short events)
{
	short what = EV_PERSIST;

	if (events & (POLLIN | POLLPRI))
		what |= EV_READ;
	if (events & POLLOUT)
		what |= EV_WRITE;
	int fd = registration->always_ready ? -1 : registration->fd;
	AUTO(event_free) struct event *event =
		event_new(registration->loop->base, fd, fd < 0 ? 0 : what, fd_may_be_ready, registration);

	if (!event)
		return ENOMEM;
	if (registration->event)
		event_del(registration->event);
	if (events && event_add(event, registration->always_ready ? &at_once : NULL) < 0) {
		if (registration->event && registration->events)
			event_add(registration->event, registration->always_ready ? &at_once : NULL);
		return ERROR_OSEVENT_REG_FAIL;
	}
	if (registration->event)
		event_free(registration->event);
	registration->event = take(event);
	registration->events = events;
	return 0;
}

static int fd_register(void *user, int fd, void **registration_out, short events, void *for_libxl)
{
	AUTO(registration_free) struct registration *registration = registration_new(user, for_libxl);
	struct stat about;

	if (!registration)
		return ENOMEM;
	registration->fd = fd;
	registration->always_ready = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
	int r = fd_arm(registration, events);
	if (r == 0)
		*registration_out = take(registration);
	return r;
}

static int fd_modify(void *user, int fd, void **registration, short events)
{
	(void)user;
	(void)fd;
	return fd_arm(*registration, events);
}

static void fd_deregister(void *user, int fd, void *registration)
{
	(void)user;
	(void)fd;
	registration_free(registration);
}

/* --- timeouts --- */

static void tell_timeouts(libxl_ctx *ctx)
{
	struct timeval now;

	gettimeofday(&now, NULL); /* libxl's clock */
	libxl_osevent_afterpoll(ctx, 0, NULL, now);
}

static void timeout_fired(evutil_socket_t fd, short what, void *arg)
{
	struct registration *registration = arg;
	void *for_libxl = registration->for_libxl;
	libxl_ctx *ctx = registration->loop->ctx;

	(void)fd;
	(void)what;
	if (!registration->hurried) {
		evtimer_add(registration->event, &soon); /* if libxl's clock says that it is too early */
		tell_timeouts(ctx);
		return;
	}
	registration_free(registration);
	libxl_osevent_occurred_timeout(ctx, for_libxl);
}

static int timeout_register(void *user, void **registration_out, struct timeval when, void *for_libxl)
{
	struct xl_loop *loop = user;
	AUTO(registration_free) struct registration *registration = registration_new(loop, for_libxl);
	struct timeval now, wait = at_once;

	if (!registration)
		return ENOMEM;
	registration->event = evtimer_new(loop->base, timeout_fired, registration);
	/* libxl may have built a domain for many seconds since the loop looked at its clock: without a new look the wait
	 * would count from then, and be over before it begins. */
	event_base_update_cache_time(loop->base);
	gettimeofday(&now, NULL); /* libxl's clock */
	if (timercmp(&when, &now, >))
		timersub(&when, &now, &wait);
	if (!registration->event || evtimer_add(registration->event, &wait) < 0)
		return ENOMEM;
	*registration_out = take(registration);
	return 0;
}

static int timeout_modify(void *user, void **registration, struct timeval when)
{
	struct registration *given_up = *registration;

	(void)user;
	(void)when; /* always 0 */
	given_up->hurried = true;
	return evtimer_add(given_up->event, &at_once) < 0 ? ERROR_OSEVENT_REG_FAIL : 0;
}

static void timeout_deregister(void *user, void *registration)
{
	(void)user;
	registration_free(registration);
}

/* --- children, and the whole --- */

static void child_ended(evutil_socket_t signal_number, short what, void *arg)
{
	(void)signal_number;
	(void)what;
	libxl_childproc_sigchld_occurred(((struct xl_loop *)arg)->ctx);
}

int xl_loop_join(libxl_ctx *ctx, struct event_base *base, struct xl_loop **loop_out)
{
	static const libxl_osevent_hooks hooks = {
		.fd_register = fd_register,
		.fd_modify = fd_modify,
		.fd_deregister = fd_deregister,
		.timeout_register = timeout_register,
		.timeout_modify = timeout_modify,
		.timeout_deregister = timeout_deregister,
	};
	static const libxl_childproc_hooks children = { .chldowner = libxl_sigchld_owner_mainloop };
	struct xl_loop *loop = calloc(1, sizeof *loop);

	if (!loop)
		return -ENOMEM;
	*loop = (struct xl_loop){ .ctx = ctx, .base = base };
	loop->sigchld = evsignal_new(base, SIGCHLD, child_ended, loop);
	if (!loop->sigchld || evsignal_add(loop->sigchld, NULL) < 0) {
		xl_loop_leave(loop);
		return -ENOMEM;
	}
	libxl_osevent_register_hooks(ctx, &hooks, loop);
	libxl_childproc_setmode(ctx, &children, loop);
	*loop_out = loop;
	return 0;
}

void xl_loop_pump(struct xl_loop *loop, int ms)
{
	struct pollfd fds[256];
	int n = N_ELEMENTS(fds);
	struct timeval now;

	gettimeofday(&now, NULL);
	if (libxl_osevent_beforepoll(loop->ctx, &n, fds, &ms, now) != 0)
		n = 0;
	poll(fds, n, ms);
	gettimeofday(&now, NULL);
	libxl_osevent_afterpoll(loop->ctx, n, fds, now);
	libxl_childproc_sigchld_occurred(loop->ctx);
}

void xl_loop_leave(struct xl_loop *loop)
{
	struct registration *registration;

	if (!loop)
		return;
	while ((registration = LIST_FIRST(&loop->registrations)))
		registration_free(registration);
	if (loop->sigchld)
		event_free(loop->sigchld);
	free(loop);
}
