/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What to do so that the kernel's network becomes what the configuration asks for. Pure.
 *
 *     guest_net_read(net, &actual) -> guest_plan(config, &actual, &plan) -> guest_net_do(net, each action) -> again,
 *
 * until the plan is empty. Renaming changes what the rest refers to, so a plan that renames does nothing else. Only
 * addresses and routes that carry our mark (`ours`) are ever removed: what the kernel or a person put there stays.
 */
#ifndef XEBRA_GUEST_PLAN_H
#define XEBRA_GUEST_PLAN_H

#include "xebra/guest/guest-config.h"

struct guest_link {
	unsigned index;
	char name[IF_NAMESIZE];
	uint8_t mac[GUEST_MAC_SIZE];
	unsigned mtu;
	bool up;       /* by the administrator */
	bool running;  /* and it has a carrier */
	bool loopback;
	bool stacked;  /* made upon other links (VLAN, bridge): may share their MAC address, is never a port */
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets, rx_dropped;
};

struct guest_link_address {
	unsigned link;
	struct address address;
	bool ours;
};

struct guest_link_route { /* ours only */
	unsigned link;
	struct address to;
	bool has_gateway;
	struct address gateway;
};

struct guest_actual {
	struct guest_link *links;
	struct guest_link_address *addresses;
	struct guest_link_route *routes;
	size_t n_links, n_addresses, n_routes;
};

enum guest_action_kind {
	GUEST_LINK_DOWN,
	GUEST_LINK_RENAME, /* name */
	GUEST_LINK_MTU,    /* mtu */
	GUEST_ROUTE_REMOVE,
	GUEST_ADDRESS_REMOVE,
	GUEST_LINK_UP,
	GUEST_ADDRESS_ADD,
	GUEST_ROUTE_ADD, /* onlink */
};

struct guest_action {
	enum guest_action_kind kind;
	unsigned link;            /* its index */
	char link_name[IF_NAMESIZE]; /* at the time of the plan, for messages */
	char name[IF_NAMESIZE];
	unsigned mtu;
	struct address address; /* or the route's destination */
	bool has_gateway, onlink;
	struct address gateway;
};

struct guest_plan {
	struct guest_action *actions; /* in the order in which they are to be done */
	size_t n_actions, room;
};

/* Fills an empty plan. -ENOMEM. Ports whose interface is not there (yet) and what depends on them are passed over. */
int guest_plan(const struct guest_config *config, const struct guest_actual *actual, struct guest_plan *plan_out);
void guest_plan_clear(struct guest_plan *plan);
void guest_actual_clear(struct guest_actual *actual);

/* The interface that is (or is to become) this port; NULL: not there. */
const struct guest_link *guest_link_of_port(const struct guest_actual *actual, const struct guest_port *port);

enum { GUEST_ACTION_TEXT_SIZE = 256 };
/* "e0: address 10.1.0.1/30 cannot be added" */
const char *guest_action_text(const struct guest_action *action, char text[GUEST_ACTION_TEXT_SIZE]);

#endif
