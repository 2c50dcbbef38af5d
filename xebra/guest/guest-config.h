/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a router shall be: the nodes below xebra/ in its tree, checked and turned into numbers. Pure.
 *
 *     struct guest_node nodes[] = { { "if/e0/mac", "00:16:3e:00:00:01" }, { "if/e0/addr", "10.1.0.1/30" } };
 *     guest_config_parse(nodes, 2, &config, &problem) -> guest_plan(config, ...) -> guest_config_free(config)
 *
 * Nodes that are not known are passed over, so that an older agent can live with a newer manager. What is known and
 * wrong is refused as a whole, and the problem names the node and the reason.
 */
#ifndef XEBRA_GUEST_CONFIG_H
#define XEBRA_GUEST_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libvnet/base/cleanup.h"
#include "libvnet/base/problem.h"

enum {
	GUEST_PORTS_MAX = 64,
	GUEST_ADDRESSES_MAX = 32, /* of one port */
	GUEST_ROUTES_MAX = 512,
	GUEST_BIRD_CHUNKS_MAX = 512,
	GUEST_HOSTNAME_SIZE = 64,
	GUEST_MAC_SIZE = 6,
	ADDRESS_TEXT_SIZE = 64, /* "2001:db8::1/64" */
};

/* An address with its prefix length, or a prefix; bytes in network order, the unused ones 0. */
struct address {
	int family; /* AF_INET or AF_INET6 */
	unsigned prefix;
	uint8_t bytes[16];
};

struct guest_port {
	char name[IF_NAMESIZE];
	uint8_t mac[GUEST_MAC_SIZE];
	unsigned mtu; /* 0: as it is */
	struct address addresses[GUEST_ADDRESSES_MAX];
	size_t n_addresses;
};

struct guest_route {
	struct address to;
	bool has_gateway;
	bool onlink; /* the gateway is in none of the port's networks, but `dev` was given */
	struct address gateway;
	char dev[IF_NAMESIZE]; /* always filled: given, or the port in whose network the gateway is */
};

struct guest_config {
	char hostname[GUEST_HOSTNAME_SIZE]; /* "": as it is */
	struct guest_port loopback;         /* name "lo"; only its addresses count */
	struct guest_port *ports;
	size_t n_ports;
	struct guest_route *routes;
	size_t n_routes;
	char *bird; /* NULL: BIRD shall not run */
};

struct guest_node {
	const char *path; /* below xebra/ */
	const char *value;
};

/* -EINVAL: the text names node, reason, remedy. -E2BIG: above a limit of this header. -ENOMEM. */
int guest_config_parse(const struct guest_node *nodes, size_t n_nodes, struct guest_config **config_out,
		       struct problem *problem);
void guest_config_free(struct guest_config *config);
DEFINE_AUTO(struct guest_config *, guest_config_free)

size_t address_size(const struct address *address); /* 4 or 16 */
bool address_equal(const struct address *a, const struct address *b);
bool address_covers(const struct address *network, const struct address *address);
const char *address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE]);
#define ADDRESS_TEXT(address) address_text(address, (char[ADDRESS_TEXT_SIZE]){ "" })

#endif
