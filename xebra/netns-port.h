/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ports of a container router: a veth pair whose host side is vif<id>.<handle>, in a bridge, or on a segment; the
 * latter is told to driverdomd through the tree, which answers there.
 *
 * Order of calls: netns_port_check, netns_port_make, netns_port_announce, then netns_port_answer whenever the answers
 * change, until it is not PORT_SILENT. netns_port_remove undoes it all, netns_ports_remove for a whole router.
 */
#ifndef XEBRA_NETNS_PORT_H
#define XEBRA_NETNS_PORT_H

#include <net/if.h>

#include "libvnet/base/tree.h"
#include "xebra/pid1.h"
#include "xebra/router-config.h"

#define NETNS_ANSWERS "/local/domain/0/data/xebra/net/port"

enum port_answer { PORT_SILENT, PORT_ACTIVE, PORT_REFUSED };

/* -ENOTSUP: a container cannot have such a port. */
int netns_port_check(const struct router_port *port, struct problem *problem);
/* Makes the devices; the router's side is down. What an earlier attempt left of this port is removed before. */
int netns_port_make(struct tree *tree, unsigned id, const struct pid1 *pid1, const struct router_port *port,
		    struct problem *problem);
/* A port on a bridge needs no announcement and is active at once. */
int netns_port_announce(struct tree *tree, unsigned id, const struct router_port *port, struct problem *problem);
/* PORT_REFUSED: `problem` says why. */
enum port_answer netns_port_answer(struct tree *tree, const char *ifname, struct problem *problem);
/* Nothing passes the segments' ports of a paused router: freezing its processes does not stop its network stack. */
int netns_ports_pause(struct tree *tree, unsigned id, bool paused);
int netns_port_remove(struct tree *tree, unsigned id, unsigned handle);
int netns_ports_remove(struct tree *tree, unsigned id);
/* Whether devices or announcements of a router `id` exist. */
bool netns_ports_exist(struct tree *tree, unsigned id);

void netns_port_ifname(char ifname[IF_NAMESIZE], unsigned id, unsigned handle);

#endif
