/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Operations and events of domain-xl.c, so that nothing is called from inside libxl.
 *
 * An operation is a chain of libxl calls. Each is started with the step that follows it; libxl's completion, which may
 * come from inside the call, only queues the operation, and the loop then runs the step:
 *
 *     op_started(op, libxl_domain_destroy(xl->ctx, id, op_how(op, "libxl_domain_destroy", destroyed)));
 *     ...
 *     static void destroyed(struct op *op)
 *     {
 *             op_failed(op);          // sets op->problem if the call ended in an error
 *             op_end(op);             // done(), once, from the loop
 *     }
 *
 * A refusal before the first call goes the same way: op_end_later.
 */
#ifndef XEBRA_XL_OP_H
#define XEBRA_XL_OP_H

#include <sys/queue.h>

#include "xebra/domain.h"
#include "xebra/xl-api.h"
#include "xebra/xl-config.h"
#include "xebra/xl-log.h"
#include "xebra/xl-loop.h"

struct op;
struct watch;
typedef void op_step_fn(struct op *op);

struct xl {
	struct domain_env env;
	struct xl_log *log;
	libxl_ctx *ctx;
	struct xl_loop *loop;
	struct xl_host host;
	bool broken;  /* libxl has lost events and says so */
	bool closing; /* every new operation is refused */
	/* private to xl-op.c */
	struct event *wake;
	TAILQ_HEAD(, op) running, queued;
	LIST_HEAD(, watch) watches;
	STAILQ_HEAD(, event_note) notes;
};

struct op {
	struct xl *xl;
	uint32_t id; /* XL_LOG_ANY_DOMAIN until there is a domain; libxl writes it in a create */
	char name[ROUTER_NAME_SIZE + 32]; /* what a problem is about */
	int error; /* how the last call ended */
	struct problem problem;
	/* libxl uses these until the operation ends */
	libxl_domain_config config;
	libxl_device_nic nic;
	libxl_device_pci pci;
	libxl_bitmap cpus;
	/* for the steps */
	enum port_kind kind;
	unsigned handle; /* of the port */
	int fd;
	char *file, *part;
	struct tuning *before;
	unsigned applied;
	/* private to xl-op.c */
	TAILQ_ENTRY(op) in_running, in_queue;
	bool is_queued;
	libxl_asyncop_how how;
	const char *step;
	unsigned long mark;
	op_step_fn *next;
	domain_done_fn *done;
	void *arg;
};

/* `name` NULL: asks libxl for the domain's. */
struct op *op_new(struct xl *xl, uint32_t id, const char *name, domain_done_fn *done, void *arg);
const libxl_asyncop_how *op_how(struct op *op, const char *step, op_step_fn *next);
void op_started(struct op *op, int error);
/* 0, or the code of op->problem, which it sets unless it is set. */
int op_failed(struct op *op);
void op_end(struct op *op);
/* For op->problem set (or clear) outside the loop. */
void op_end_later(struct op *op);

/* Tells the manager once of a domain's shutdown and once of its end. Restart it for a domain that was suspended. */
int xl_watch(struct xl *xl, uint32_t id);
void xl_unwatch(struct xl *xl, uint32_t id);

/* The queue, the events and the disasters of a context. */
int xl_events_start(struct xl *xl);
/* Breaks off what runs, waits for it, drops the events. false: something would not end; the context must be kept. */
bool xl_events_stop(struct xl *xl);

void xl_uuid_text(const libxl_uuid *uuid, char text[UUID_TEXT_SIZE]);

#endif
