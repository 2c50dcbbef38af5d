/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's network as guest-plan sees it: reading it, doing one action, hearing that links changed (rtnetlink through
 * libmnl; man 7 rtnetlink). Addresses and routes made here carry GUEST_PROTOCOL, which is how they are known again, even
 * by the next life of the agent (IFA_PROTO needs Linux 5.18; before that old addresses are not removed).
 *
 *     guest_net_open -> guest_net_read, guest_net_do, ... -> guest_net_close
 */
#ifndef XEBRA_GUEST_NET_H
#define XEBRA_GUEST_NET_H

#include "xebra/guest/guest-plan.h"

enum { GUEST_PROTOCOL = 120 }; /* not given to anybody in iproute2's rt_protos */

struct event_base;
struct guest_net;

/* `changed` is called from the loop when links appeared, vanished or changed; some of those are our own doing. */
int guest_net_open(struct event_base *loop, void (*changed)(void *arg), void *arg, struct guest_net **net_out,
		   struct problem *problem);
void guest_net_close(struct guest_net *net);
DEFINE_AUTO(struct guest_net *, guest_net_close)

/* Fills an empty `actual_out`; the caller clears it with guest_actual_clear, also after an error. 0 or -errno. */
int guest_net_read(struct guest_net *net, struct guest_actual *actual_out);

/* 0 or the kernel's -errno. That it is done already (-EEXIST of a removed thing and the like) counts as done. */
int guest_net_do(struct guest_net *net, const struct guest_action *action);

/* Forwarding on (if asked for), reverse path filter loose, no router advertisements, no waiting for duplicate address
 * detection. For all interfaces to come, and for `port` if not NULL. Writes only what differs. */
int guest_net_settings(const char *port, bool forwarding, struct problem *problem);

#endif
