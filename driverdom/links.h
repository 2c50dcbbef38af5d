/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network devices of this namespace and what driverdomd does to them, through rtnetlink.
 * Order of calls: links_open (reads all of them), links_now whenever they are asked for, links_close.
 */
#ifndef XEBRA_LINKS_H
#define XEBRA_LINKS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/tables.h"
#include "libvnet/base/cleanup.h"
#include "libvnet/base/problem.h"

enum { LINK_ADDRESSES_MAX = 8 };

struct link {
	uint32_t ifindex;
	char name[IFNAMSIZ];
	char kind[16]; /* "veth", "vlan", ... ; "" for hardware */
	uint64_t mac;  /* wire_mac */
	unsigned mtu;
	bool up;
	struct address addresses[LINK_ADDRESSES_MAX]; /* IPv4, in the kernel's order */
	size_t n_addresses;
};

struct links {
	struct link *items;
	size_t n;
};

const struct link *links_named(const struct links *links, const char *name);
const struct link *links_with_mac(const struct links *links, uint64_t mac);
const struct link *links_at(const struct links *links, uint32_t ifindex);

struct event_base;
struct links_watch;

/* `changed` is called from the loop after devices or addresses changed; several changes may be one call. */
int links_open(struct event_base *loop, void (*changed)(void *arg), void *arg, struct links_watch **watch_out,
	       struct problem *problem);
const struct links *links_now(const struct links_watch *watch);
void links_close(struct links_watch *watch);
DEFINE_AUTO(struct links_watch *, links_close)

/* Up, with this MTU if the device can have it, and without IPv6 of the host's own: what it would send goes to the guest
 * behind. */
int links_prepare_port(struct links_watch *watch, const struct link *link, unsigned mtu);
/* Down: what is behind it reaches nothing of this host. A device that is gone is no error. */
int links_stop(struct links_watch *watch, uint32_t ifindex);
/* Up; `address` with prefix_length given to it if that is not 0. */
int links_prepare_uplink(struct links_watch *watch, const struct link *link, const struct address *address,
			 unsigned prefix_length);
/* Offloads of the uplink that do not work for encapsulated frames are switched off; what and why in text_out or "". */
int links_fix_offloads(const struct link *link, char text_out[128]);
/* Lets bpf_fib_lookup take lo for the input device, as packets of this host are routed. */
int links_allow_lookup(struct links_watch *watch);

#endif
