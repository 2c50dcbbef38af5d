/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What xebrad writes for driverdomd and for routers (the tables of nodes are in driverdom/README.md and
 * xebra/guest/README.md). Every function ends by bumping the `generation` that the reader acts on.
 */
#ifndef XEBRA_NET_TREE_H
#define XEBRA_NET_TREE_H

#include "libvnet/base/tree.h"
#include "xebra/router-config.h"

struct segment {
	char name[ROUTER_NAME_SIZE];
	unsigned port;          /* UDP port, the VN ID */
	struct text_list peers; /* outer addresses of the other hosts */
	unsigned mtu;           /* inner; 0: default */
	bool down;              /* a cut link */
	char backend[ROUTER_NAME_SIZE]; /* driver domain; "" = Dom0 */
};

/* /local/domain/<driver domain>/xebra/net/... 0 or -errno of tree.h. */
int net_tree_segment(struct tree *tree, unsigned driver_domain, const struct segment *segment);
int net_tree_segment_remove(struct tree *tree, unsigned driver_domain, const char *name);
int net_tree_uplink(struct tree *tree, unsigned driver_domain, const char *name, const char *value);
/* An explicit port, for a netdev that no back end in the tree describes (netns routers). */
int net_tree_port(struct tree *tree, unsigned driver_domain, const char *ifname, const char *segment, const char *mac);
/* A port that is down is not attached: nothing passes. */
int net_tree_port_state(struct tree *tree, unsigned driver_domain, const char *ifname, bool down);
int net_tree_port_remove(struct tree *tree, unsigned driver_domain, const char *ifname);

/* /local/domain/<id>/xebra/...: all a router's guest agent needs; replaces what was there. */
int net_tree_guest(struct tree *tree, unsigned id, const struct router_config *config);

#endif
