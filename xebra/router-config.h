/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a router shall be. One canonical form, a JSON object, is what the API takes, the store keeps and `show` prints;
 * a file in xl.cfg dialect is translated to it (router-xlcfg.h). router_config_parse is the only validator and
 * fills the struct that the hypervisor drivers read.
 *
 *     {"name": "blue.r1", "image": "router", "memory": 128, "vcpus": 1, "hostname": "r1",
 *      "loopback": ["10.255.0.1/32"], "routing": "ospf",
 *      "ports": [{"name": "e0", "segment": "blue.l1", "addresses": ["10.0.1.1/30"]}]}
 */
#ifndef XEBRA_ROUTER_CONFIG_H
#define XEBRA_ROUTER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "libvnet/base/json.h"
#include "libvnet/base/problem.h"

enum {
	ROUTER_NAME_SIZE = 64, /* with the NUL; [A-Za-z0-9][A-Za-z0-9_.-]* */
	PORT_NAME_SIZE = 16,   /* an interface name (IFNAMSIZ) */
	UUID_TEXT_SIZE = 37,
	MAC_TEXT_SIZE = 18,
	BDF_TEXT_SIZE = 13, /* 0000:01:10.0 */
	ROUTER_PORTS_MAX = 64,
};

enum router_type { ROUTER_AUTO, ROUTER_PV, ROUTER_PVH }; /* auto: PVH where the host has HAP and the router no VF */
enum router_end { END_DESTROY, END_RESTART, END_PRESERVE };
enum port_kind { PORT_SEGMENT, PORT_VF, PORT_BRIDGE };

struct text_list {
	char **texts;
	size_t n;
};

struct router_port {
	enum port_kind kind;
	char name[PORT_NAME_SIZE];       /* inside the router: e0, e1, ... unless given */
	char segment[ROUTER_NAME_SIZE];  /* PORT_SEGMENT */
	char bridge[PORT_NAME_SIZE];     /* PORT_BRIDGE */
	char vf[BDF_TEXT_SIZE];          /* PORT_VF: BDF, or "auto" until the manager has chosen one */
	char backend[ROUTER_NAME_SIZE];  /* domain that runs the back end; "" = Dom0 */
	char mac[MAC_TEXT_SIZE];         /* lower case; made from the UUID and the index unless given */
	unsigned handle;                 /* device number (vif handle) for life; the smallest free one unless given */
	unsigned mtu;                    /* 0: as the segment says */
	unsigned long rate_bps;          /* guest to back end, 0: no limit */
	struct text_list addresses;      /* "10.0.1.1/30", "fd00::1/64" */
};

struct router_config {
	char name[ROUTER_NAME_SIZE];
	char uuid[UUID_TEXT_SIZE];
	enum router_type type;
	bool driver_domain;
	char image[ROUTER_NAME_SIZE]; /* profile below the image directory; kernel and ramdisk then come from it */
	char *kernel, *ramdisk, *cmdline;
	unsigned memory_mib, vcpus;
	unsigned weight, cap_percent; /* credit2; cap 0: none; 100 = one CPU */
	char *cpus;                   /* "0-1,3", "all" */
	char pool[ROUTER_NAME_SIZE];  /* CPU pool; "" = default */
	enum router_end on_poweroff, on_reboot, on_crash;
	struct text_list disks; /* xl disk specifications */
	char *hostname;
	struct text_list loopback, routes; /* "10.255.0.1/32"; "0.0.0.0/0 via 10.0.1.2" */
	char *routing;                     /* "", "ospf": a BIRD configuration is made; else `bird` */
	char *bird;                        /* BIRD configuration text */
	struct router_port *ports;
	size_t n_ports;
};

/* Checks `json` and fills defaults (uuid, MACs, port names). -EINVAL: the text names the key, the reason, the remedy.
 * `config_out` is to be freed with router_config_free. */
int router_config_parse(const json_t *json, struct router_config **config_out, struct problem *problem);
void router_config_free(struct router_config *config);
DEFINE_AUTO(struct router_config *, router_config_free)

/* The canonical object: every key, defaults included. */
json_t *router_config_json(const struct router_config *config);

/* A copy of `json` with the keys of `changes` replaced. -EINVAL: a key that cannot be changed at run time. */
int router_config_change(const json_t *json, const json_t *changes, json_t **json_out, struct problem *problem);

/* BIRD text for routing = "ospf": OSPFv2 and OSPFv3 on every port, loopbacks as stubs. "" if there is nothing to run. */
char *router_config_bird(const struct router_config *config);

/* One row of the key table, for --help and man pages. */
struct config_key {
	const char *name, *kind, *help;
	bool at_run_time;
};
const struct config_key *router_config_keys(size_t *n_out);

bool router_name_is_good(const char *name);
bool mac_parse(const char *text, unsigned char mac[6]);

#endif
