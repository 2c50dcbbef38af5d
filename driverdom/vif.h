/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of one vif as its backend node tells it (xen/include/public/io/netif.h, xenbus.h). Pure.
 *
 *                 the port is active            online=0 and Closed, and nobody
 *     +---------+ ------------------> +-----------+  else takes the node away
 *     | waiting |                     | connected | ---------+
 *     +---------+ <------------------ +-----------+          v
 *        |   ^      the port is lost        |           +--------+
 *        v   | repaired                     | refused   | closed |
 *     +---------+ <-------------------------+           +--------+
 *     | refused | ------------------------------------------^
 *     +---------+
 */
#ifndef XEBRA_VIF_H
#define XEBRA_VIF_H

#include <stdbool.h>

enum vif_state { VIF_WAITING, VIF_CONNECTED, VIF_REFUSED, VIF_CLOSED, N_VIF_STATES };

/* Backend states of xenbus.h that matter here. */
enum { XENBUS_CONNECTED = 4, XENBUS_CLOSED = 6 };

enum vif_port { VIF_PORT_WAITING, VIF_PORT_ACTIVE, VIF_PORT_REFUSED };

struct vif_facts {
	enum vif_port port;
	bool agent;         /* this domain has no libxl: the node is for driverdomd to remove */
	bool online;        /* node `online` */
	int backend_state;  /* node `state` */
	bool told;          /* node `hotplug-status` is "connected" */
};

enum vif_action {
	VIF_NOTHING,
	VIF_SAY_CONNECTED, /* write hotplug-status */
	VIF_SAY_ERROR,     /* write hotplug-error, then hotplug-status */
	VIF_REMOVE,        /* remove the node; its port is none any more */
};

/* `state` begins as VIF_WAITING; the action is to be done before the next step. */
enum vif_action vif_step(enum vif_state *state, const struct vif_facts *facts);
const char *vif_state_name(enum vif_state state);

#endif
