/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Joins libxl to a libevent loop: its file descriptors, its timeouts and its child processes (hotplug scripts, save
 * helper). Order: libxl_ctx_alloc, xl_loop_join before any other libxl call, ..., libxl_ctx_free, xl_loop_leave.
 *
 * SIGCHLD belongs to the main loop (libxl_sigchld_owner_mainloop): xebrad has children of its own, libevent lets any
 * number of its parts watch one signal, and told of a SIGCHLD libxl reaps only its own pids. In exchange nobody in the
 * process may reap with waitpid(-1). The other modes install libxl's own handler over libevent's, or reap everybody.
 */
#ifndef XEBRA_XL_LOOP_H
#define XEBRA_XL_LOOP_H

#include "xebra/xl-api.h"

struct event_base;
struct xl_loop;

/* -ENOMEM. */
int xl_loop_join(libxl_ctx *ctx, struct event_base *base, struct xl_loop **loop_out);
/* Lets libxl alone do its work, without the loop, for at most `ms`. To end its operations before libxl_ctx_free. */
void xl_loop_pump(struct xl_loop *loop, int ms);
/* After libxl_ctx_free (or instead of it): forgets all registrations, among them timeouts libxl has given up. */
void xl_loop_leave(struct xl_loop *loop);

#endif
