/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the manager wants of this host's data plane: the nodes below xebra/net (table in README.md) as tables. Pure.
 * An object with a bad node is refused as a whole, with a text that names it, the reason and the remedy; the others
 * are taken. Order of calls: wanted_parse, read the tables, wanted_free.
 *
 * Whether a named segment, device or address exists is not asked here: see resolve.h.
 */
#ifndef XEBRA_WANTED_H
#define XEBRA_WANTED_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/tables.h"
#include "libvnet/base/cleanup.h"
#include "libvnet/base/problem.h"

/* One node of the tree; the path is relative to xebra/net: "segment/blue.l1/port". */
struct node {
	char *path;
	char *value;
};

enum wanted_kind { WANTED_UPLINK, WANTED_SEGMENT, WANTED_PORT, N_WANTED_KINDS };

/* "uplink", "segment", "port": the folder of the kind in the tree. */
const char *wanted_kind_name(enum wanted_kind kind);

struct wanted_uplink {
	char name[SEGMENT_NAME_SIZE];
	uint64_t mac;             /* wire_mac of the device; 0: the device is called `name` */
	struct address address;   /* all zero: the first one of the device */
	unsigned prefix_length;   /* the address is given to the device; 0: it must be there */
};

struct wanted_segment {
	char name[SEGMENT_NAME_SIZE];
	uint16_t vn_id;
	uint16_t mtu; /* 0: as large as the uplinks carry */
	bool down;
	struct address *peers;
	size_t n_peers;
};

struct wanted_port {
	char ifname[IFNAMSIZ];
	char segment[SEGMENT_NAME_SIZE];
	uint64_t guard; /* as in struct port_entry */
	bool down;      /* not attached */
};

struct refusal {
	enum wanted_kind kind;
	char name[SEGMENT_NAME_SIZE];
	char text[PROBLEM_TEXT_SIZE];
};

struct wanted {
	struct wanted_uplink *uplinks;
	size_t n_uplinks;
	struct wanted_segment *segments; /* in strcmp order of their names */
	size_t n_segments;
	struct wanted_port *ports;
	size_t n_ports;
	struct refusal *refusals;
	size_t n_refusals;
};

/*
 * Sorts `nodes` and makes the tables from them. Of two segments with one port (VN ID) the one that has it already
 * keeps it: holder_of[VN ID] is its name or NULL (`holder_of` itself may be NULL); else the first by name. -ENOMEM.
 */
int wanted_parse(struct node *nodes, size_t n_nodes, const char *const *holder_of, struct wanted **wanted_out);
void wanted_free(struct wanted *wanted);
DEFINE_AUTO(struct wanted *, wanted_free)

/* Bisects the segments; NULL: no such. */
const struct wanted_segment *wanted_segment(const struct wanted *wanted, const char *name);

/* Parsers of single values, shared with what reads backend nodes. 0 or -EINVAL with the problem's text. */
int wanted_mac(const char *text, uint64_t *mac_out, struct problem *problem);
int wanted_address(const char *text, struct address *address_out, struct problem *problem);

/* A text of unknown origin as it may stand in a message: printable, cut, in a buffer of the enclosing block. */
#define SHOWN(text) wanted_shown((char[48]){ "" }, text)
const char *wanted_shown(char buffer[48], const char *text);

/* UDP ports that no segment may take, since an underlay may carry them for itself; ends with 0. */
extern const uint16_t wanted_reserved_ports[];

#endif
