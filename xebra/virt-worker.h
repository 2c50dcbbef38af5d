/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One thread for calls that block, and the way back into the loop.
 *
 *     loop:    virt_worker_submit(worker, run, end, arg)    run(arg) in the thread, in the order of submission,
 *                                                           then end(arg) in the loop
 *     anyone:  virt_worker_post(worker, end, arg)           end(arg) in the loop
 *
 * The thread has all signals blocked. virt_worker_stop lets what was submitted finish, runs every end, and joins.
 */
#ifndef XEBRA_VIRT_WORKER_H
#define XEBRA_VIRT_WORKER_H

#include "libvnet/base/cleanup.h"

struct event_base;
struct virt_worker;
typedef void virt_worker_fn(void *arg);

/* -errno. */
int virt_worker_start(struct event_base *loop, struct virt_worker **worker_out);
void virt_worker_submit(struct virt_worker *worker, virt_worker_fn *run, virt_worker_fn *end, void *arg);
void virt_worker_post(struct virt_worker *worker, virt_worker_fn *end, void *arg);
void virt_worker_stop(struct virt_worker *worker);

#endif
