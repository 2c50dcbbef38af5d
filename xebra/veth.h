/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * veth pairs between this network namespace and a router's, over rtnetlink. Every call is whole when it returns.
 */
#ifndef XEBRA_VETH_H
#define XEBRA_VETH_H

#include <stdbool.h>

#include "libvnet/base/problem.h"

struct veth {
	const char *host_name; /* in this namespace; comes up */
	const char *bridge;    /* gets the host side; NULL: none */
	int netns_fd;          /* of the router's network namespace */
	const char *name;      /* in the router; stays down */
	const unsigned char *mac; /* of the router's side, 6 bytes */
	unsigned mtu;
};

/* The host side neither speaks IPv6 by itself nor lends a bridge its MAC address. */
int veth_make(const struct veth *veth, struct problem *problem);
/* Removes the pair of this host name, or (not `whole`) those whose names begin with it; other kinds of devices are left
 * alone. None is no error. */
int veth_remove(const char *name, bool whole);
/* Whether a device of any kind has a name that begins with `prefix`. */
bool veth_taken(const char *prefix);

#endif
