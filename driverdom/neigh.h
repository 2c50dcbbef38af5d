/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keeps the next hop of every peer resolved, so that no frame waits for ARP: the kernel manages the neighbour entry
 * (NTF_EXT_MANAGED, Linux 5.16) even while driverdomd is not running; on older kernels asking again every
 * NEIGH_REFRESH_S does.
 * Order of calls: neigh_open, neigh_want whenever the peers change, neigh_close.
 */
#ifndef XEBRA_NEIGH_H
#define XEBRA_NEIGH_H

#include <stddef.h>

#include "bpf/tables.h"
#include "libvnet/base/cleanup.h"
#include "libvnet/base/problem.h"

enum { NEIGH_REFRESH_S = 10 };

struct event_base;
struct neigh;

int neigh_open(struct event_base *loop, struct neigh **neigh_out, struct problem *problem);
/* Replaces the list of peers; next hops that none of them has any more are forgotten. */
int neigh_want(struct neigh *neigh, const struct address *peers, size_t n_peers);
void neigh_close(struct neigh *neigh);
DEFINE_AUTO(struct neigh *, neigh_close)

#endif
