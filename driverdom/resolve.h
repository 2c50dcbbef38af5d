/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From names to numbers: what is wanted, the ports of vifs, and the network devices that exist make the target of the
 * data plane, and a status for each object that somebody asked for. Pure.
 * Order of calls: resolve, read the target, target_free.
 */
#ifndef XEBRA_RESOLVE_H
#define XEBRA_RESOLVE_H

#include "links.h"
#include "wanted.h"

struct target_uplink {
	char name[SEGMENT_NAME_SIZE]; /* in the tree */
	uint32_t ifindex;
	struct address address;
	unsigned prefix_length;
};

struct target_port {
	char ifname[IFNAMSIZ];
	uint32_t ifindex;
	uint16_t vn_id;
	uint16_t mtu;
	uint64_t guard;
};

struct target_segment {
	char name[SEGMENT_NAME_SIZE];
	uint16_t vn_id;
	uint16_t mtu;
	bool down;
	const struct address *peers; /* of `wanted` */
	size_t n_peers;
	size_t n_ports;
};

enum status_state { STATUS_ACTIVE, STATUS_WAITING /* for its network device */, STATUS_REFUSED };

struct status {
	enum wanted_kind kind;
	char name[SEGMENT_NAME_SIZE];
	enum status_state state;
	char text[PROBLEM_TEXT_SIZE]; /* "active ports=2 peers=1", "waiting: ..." or "error: ..." */
};

struct target {
	struct target_uplink *uplinks;
	size_t n_uplinks;
	struct target_segment *segments; /* ascending VN ID */
	size_t n_segments;
	struct target_port *ports; /* ascending VN ID */
	size_t n_ports;
	struct status *statuses;
	size_t n_statuses;
};

/* `vif_ports`: those of back ends, in addition to wanted->ports. The target refers to `wanted`. 0 or -ENOMEM. */
int resolve(const struct wanted *wanted, const struct wanted_port *vif_ports, size_t n_vif_ports,
	    const struct links *links, struct target **target_out);
void target_free(struct target *target);
DEFINE_AUTO(struct target *, target_free)

/* NULL: no such object was asked for. */
struct status *target_status(const struct target *target, enum wanted_kind kind, const char *name);
struct target_port *target_port(const struct target *target, uint32_t ifindex);
void status_fail(struct status *status, const char *text);

#endif
