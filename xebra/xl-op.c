/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/xl-op.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <time.h>

#include "libvnet/base/log.h"
#include "xebra/xl-tune.h"

enum { CLOSE_SECONDS = 90, PUMP_MS = 100 };

struct watch {
	LIST_ENTRY(watch) all;
	libxl_evgen_domain_death *evgen;
	uint32_t id;
	char uuid[UUID_TEXT_SIZE];
	bool told_shutdown, told_gone;
};

/* What happened, until the loop tells it. */
struct event_note {
	STAILQ_ENTRY(event_note) next;
	uint32_t id;
	enum domain_event event;
};

/* libxl ends the process when it has no memory for such small things; so do we. */
static void *zalloc(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

void xl_uuid_text(const libxl_uuid *uuid, char text[UUID_TEXT_SIZE])
{
	snprintf(text, UUID_TEXT_SIZE, LIBXL_UUID_FMT, LIBXL_UUID_BYTES((*uuid)));
}

static void wake(struct xl *xl)
{
	event_active(xl->wake, 0, 0);
}

/* --- operations --- */

struct op *op_new(struct xl *xl, uint32_t id, const char *name, domain_done_fn *done, void *arg)
{
	struct op *op = zalloc(sizeof *op);

	op->xl = xl;
	op->id = id;
	op->done = done;
	op->arg = arg;
	op->fd = -1;
	libxl_domain_config_init(&op->config);
	libxl_device_nic_init(&op->nic);
	libxl_device_pci_init(&op->pci);
	libxl_bitmap_init(&op->cpus);
	AUTO(free) char *found = name ? NULL : libxl_domid_to_name(xl->ctx, id);
	if (name || found)
		snprintf(op->name, sizeof op->name, "%s", name ? name : found);
	else
		snprintf(op->name, sizeof op->name, "domain %u", id);
	op->mark = xl_log_mark(xl->log);
	TAILQ_INSERT_TAIL(&xl->running, op, in_running);
	return op;
}

static void queue(struct op *op, int error)
{
	op->error = error;
	op->is_queued = true;
	TAILQ_INSERT_TAIL(&op->xl->queued, op, in_queue);
	wake(op->xl);
}

static void call_ended(libxl_ctx *ctx, int error, void *arg)
{
	(void)ctx;
	queue(arg, error);
}

const libxl_asyncop_how *op_how(struct op *op, const char *step, op_step_fn *next)
{
	op->step = step;
	op->next = next;
	op->mark = xl_log_mark(op->xl->log);
	op->how = (libxl_asyncop_how){ .callback = call_ended, .u.for_callback = op };
	return &op->how;
}

void op_started(struct op *op, int error)
{
	if (error) /* then libxl does not call back */
		queue(op, error);
}

int op_failed(struct op *op)
{
	if (op->error && !op->problem.code)
		xl_problem(&op->problem, op->xl->log, op->mark, op->id, op->name, op->step, op->error);
	return op->error ? op->problem.code : 0;
}

void op_end(struct op *op)
{
	TAILQ_REMOVE(&op->xl->running, op, in_running);
	op->done(op->arg, op->id, &op->problem);
	libxl_domain_config_dispose(&op->config);
	libxl_device_nic_dispose(&op->nic);
	libxl_device_pci_dispose(&op->pci);
	libxl_bitmap_dispose(&op->cpus);
	xl_tuning_free(op->before);
	if (op->fd >= 0)
		close(op->fd);
	free(op->file);
	free(op->part);
	free(op);
}

void op_end_later(struct op *op)
{
	op->next = op_end;
	queue(op, 0);
}

/* --- events --- */

static struct watch *find_watch(struct xl *xl, uint32_t id)
{
	struct watch *watch;

	LIST_FOREACH(watch, &xl->watches, all)
		if (watch->id == id)
			return watch;
	return NULL;
}

static void note(struct xl *xl, uint32_t id, enum domain_event event)
{
	struct event_note *new_note = zalloc(sizeof *new_note);

	new_note->id = id;
	new_note->event = event;
	STAILQ_INSERT_TAIL(&xl->notes, new_note, next);
	wake(xl);
}

static void note_shutdown(struct xl *xl, uint32_t id, libxl_shutdown_reason reason)
{
	switch (reason) {
	case LIBXL_SHUTDOWN_REASON_SUSPEND: /* a save or a migration, ours or xl's */
		return;
	case LIBXL_SHUTDOWN_REASON_POWEROFF:
		note(xl, id, DOMAIN_POWEROFF);
		return;
	case LIBXL_SHUTDOWN_REASON_REBOOT:
	case LIBXL_SHUTDOWN_REASON_SOFT_RESET:
		note(xl, id, DOMAIN_REBOOT);
		return;
	case LIBXL_SHUTDOWN_REASON_CRASH:
	case LIBXL_SHUTDOWN_REASON_WATCHDOG:
	case LIBXL_SHUTDOWN_REASON_UNKNOWN:
		note(xl, id, DOMAIN_CRASH);
		return;
	}
}

static void event_occurs(void *user, libxl_event *event)
{
	struct xl *xl = user;

	if (event->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN)
		note_shutdown(xl, event->domid, event->u.domain_shutdown.shutdown_reason);
	else if (event->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH)
		note(xl, event->domid, DOMAIN_GONE);
	libxl_event_free(xl->ctx, event);
}

static void disaster(void *user, libxl_event_type type, const char *message, int error)
{
	struct xl *xl = user;

	xl->broken = true;
	log_error("libxl has lost events of type %d: %s: %s; restart xebrad, routers run on", (int)type, message,
		  strerror(error));
}

/* libxl looks at a domain when the first watch of all is made and when any domain ends, so what has happened before
 * must be asked for. */
static void note_the_past(struct xl *xl, uint32_t id, const libxl_dominfo *info, int error)
{
	if (error == ERROR_DOMAIN_NOTFOUND || (error == 0 && info->dying))
		note(xl, id, DOMAIN_GONE);
	else if (error == 0 && info->shutdown)
		note_shutdown(xl, id, info->shutdown_reason);
}

int xl_watch(struct xl *xl, uint32_t id)
{
	libxl_dominfo info;
	struct watch *watch = zalloc(sizeof *watch);

	int error = libxl_evenable_domain_death(xl->ctx, id, 0, &watch->evgen);
	if (error) {
		free(watch);
		return error;
	}
	watch->id = id;
	LIST_INSERT_HEAD(&xl->watches, watch, all);
	libxl_dominfo_init(&info);
	error = libxl_domain_info(xl->ctx, &info, id);
	if (error == 0)
		xl_uuid_text(&info.uuid, watch->uuid);
	note_the_past(xl, id, &info, error);
	libxl_dominfo_dispose(&info);
	return 0;
}

void xl_unwatch(struct xl *xl, uint32_t id)
{
	struct watch *watch = find_watch(xl, id);

	if (!watch)
		return;
	libxl_evdisable_domain_death(xl->ctx, watch->evgen);
	LIST_REMOVE(watch, all);
	free(watch);
}

/* Each only once, and only while it is watched: what the manager itself destroyed is not news. */
static void tell(struct xl *xl, uint32_t id, enum domain_event event)
{
	struct watch *watch = find_watch(xl, id);
	bool *told = !watch ? NULL : event == DOMAIN_GONE ? &watch->told_gone : &watch->told_shutdown;
	char uuid[UUID_TEXT_SIZE];

	if (!told || *told)
		return;
	*told = true;
	memcpy(uuid, watch->uuid, sizeof uuid);
	if (event == DOMAIN_GONE)
		xl_unwatch(xl, id);
	xl->env.event(xl->env.arg, id, uuid, event);
}

/* --- the queues --- */

static void run_queues(evutil_socket_t fd, short what, void *arg)
{
	struct xl *xl = arg;
	struct event_note *told;
	struct op *op;

	(void)fd;
	(void)what;
	while ((op = TAILQ_FIRST(&xl->queued))) {
		TAILQ_REMOVE(&xl->queued, op, in_queue);
		op->is_queued = false;
		op->next(op);
	}
	while (!xl->closing && (told = STAILQ_FIRST(&xl->notes))) {
		STAILQ_REMOVE_HEAD(&xl->notes, next);
		tell(xl, told->id, told->event);
		free(told);
	}
}

int xl_events_start(struct xl *xl)
{
	static const libxl_event_hooks hooks = {
		.event_occurs_mask = LIBXL_EVENTMASK_ALL,
		.event_occurs = event_occurs,
		.disaster = disaster,
	};

	TAILQ_INIT(&xl->running);
	TAILQ_INIT(&xl->queued);
	LIST_INIT(&xl->watches);
	STAILQ_INIT(&xl->notes);
	xl->wake = event_new(xl->env.loop, -1, 0, run_queues, xl);
	if (!xl->wake)
		return -ENOMEM;
	libxl_event_register_callbacks(xl->ctx, &hooks, xl);
	return 0;
}

static void break_off(struct xl *xl)
{
	struct op *op;

	TAILQ_FOREACH(op, &xl->running, in_running)
		if (!op->is_queued)
			libxl_ao_abort(xl->ctx, &op->how);
}

bool xl_events_stop(struct xl *xl)
{
	time_t deadline = time(NULL) + CLOSE_SECONDS;
	struct event_note *left;

	xl->closing = true;
	break_off(xl);
	run_queues(-1, 0, xl);
	while (!TAILQ_EMPTY(&xl->running) && time(NULL) < deadline) {
		xl_loop_pump(xl->loop, PUMP_MS);
		run_queues(-1, 0, xl);
	}
	while (!LIST_EMPTY(&xl->watches))
		xl_unwatch(xl, LIST_FIRST(&xl->watches)->id);
	while ((left = STAILQ_FIRST(&xl->notes))) {
		STAILQ_REMOVE_HEAD(&xl->notes, next);
		free(left);
	}
	event_free(xl->wake);
	xl->wake = NULL;
	return TAILQ_EMPTY(&xl->running);
}
