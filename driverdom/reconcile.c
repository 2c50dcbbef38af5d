/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots. Hosts and ports keep the slot they have; new ones take free slots, lowest first. Which slot belongs to which
 * address or ifindex is found by bisection of a sorted list of places, so that tens of thousands of segments are
 * compared in milliseconds.
 *
 * Order. What is new is made known before what refers to it; what is old goes after the last reference to it:
 *
 *     uplinks, hosts, segments, ports set -> segments, ports, uplinks, hosts cleared -> grace
 *
 * A VN ID that passes from one segment to another would show programs a mixture of both. It is cleared first, with the
 * ports on it, and a grace period passes before the new segment is set.
 */
#include "reconcile.h"

#include <errno.h>
#include <string.h>

#include "array.h"
#include "bpf/wire.h"

enum { NO_SLOT = UINT32_MAX };

/* Where an address or an ifindex is, or will be, in its table. */
struct host_place {
	struct address address;
	uint32_t slot;
};

struct port_place {
	uint32_t ifindex;
	uint32_t slot;
	const struct target_port *port;
};

struct plan {
	const struct tables *present;
	const struct target *target;
	struct changes *changes;
	struct problem *problem;
	struct host_place *hosts; /* sorted */
	size_t n_hosts;
	struct port_place *ports; /* sorted */
	size_t n_ports;
	uint32_t next_host, next_port; /* no slot below is free */
	bool passes[TABLE_SEGMENTS];   /* VN IDs that another segment takes over now */
	bool cleared;                  /* something that programs may still read */
};

static struct change *add(struct plan *plan, enum change_kind kind, uint32_t slot)
{
	struct change *change = ARRAY_ADD(plan->changes->items, plan->changes->n);

	if (!change)
		return NULL;
	change->kind = kind;
	change->slot = slot;
	plan->cleared |= kind >= CHANGE_CLEAR_SEGMENT && kind < CHANGE_GRACE;
	return change;
}

static int add_plain(struct plan *plan, enum change_kind kind, uint32_t slot)
{
	return add(plan, kind, slot) ? 0 : -ENOMEM;
}

static int add_grace(struct plan *plan)
{
	if (!plan->cleared)
		return 0;
	plan->cleared = false;
	return add_plain(plan, CHANGE_GRACE, 0);
}

/* --- places --- */

static int hosts_by_address(const void *a, const void *b)
{
	return memcmp(&((const struct host_place *)a)->address, &((const struct host_place *)b)->address, sizeof(struct address));
}

static struct host_place *host_place(const struct plan *plan, const struct address *address)
{
	struct host_place key = { .address = *address };

	return plan->n_hosts ? bsearch(&key, plan->hosts, plan->n_hosts, sizeof key, hosts_by_address) : NULL;
}

static int place_hosts(struct plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->target->n_segments; i++)
		for (size_t j = 0; j < plan->target->segments[i].n_peers; j++) {
			struct host_place *place = ARRAY_ADD(plan->hosts, plan->n_hosts);
			if (!place)
				return -ENOMEM;
			place->address = plan->target->segments[i].peers[j];
			place->slot = NO_SLOT;
		}
	if (!plan->n_hosts)
		return 0;
	qsort(plan->hosts, plan->n_hosts, sizeof *plan->hosts, hosts_by_address);
	for (size_t i = 0; i < plan->n_hosts; i++)
		if (i == 0 || hosts_by_address(&plan->hosts[n - 1], &plan->hosts[i]) != 0)
			plan->hosts[n++] = plan->hosts[i];
	plan->n_hosts = n;
	for (uint32_t slot = 0; slot < TABLE_HOSTS; slot++) {
		const struct host_entry *host = &plan->present->hosts[slot];
		struct host_place *place = host->flags & HOST_USED ? host_place(plan, &host->address) : NULL;
		if (place && place->slot == NO_SLOT)
			place->slot = slot;
	}
	return 0;
}

static int ports_by_ifindex(const void *a, const void *b)
{
	const struct port_place *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static struct port_place *port_place(const struct plan *plan, uint32_t ifindex)
{
	struct port_place key = { .ifindex = ifindex };

	return plan->n_ports ? bsearch(&key, plan->ports, plan->n_ports, sizeof key, ports_by_ifindex) : NULL;
}

static int place_ports(struct plan *plan)
{
	for (size_t i = 0; i < plan->target->n_ports; i++) {
		struct port_place *place = ARRAY_ADD(plan->ports, plan->n_ports);
		if (!place)
			return -ENOMEM;
		place->ifindex = plan->target->ports[i].ifindex;
		place->port = &plan->target->ports[i];
		place->slot = NO_SLOT;
	}
	if (plan->n_ports)
		qsort(plan->ports, plan->n_ports, sizeof *plan->ports, ports_by_ifindex);
	for (uint32_t slot = 0; slot < TABLE_PORTS; slot++) {
		uint64_t where = plan->present->ports[slot].where;
		struct port_place *place = where ? port_place(plan, port_ifindex(where)) : NULL;
		if (place && place->slot == NO_SLOT && !plan->passes[port_segment(where)])
			place->slot = slot;
	}
	return 0;
}

/* --- VN IDs that change hands --- */

static int clear_passed(struct plan *plan, const char *const *holder_of)
{
	int r = 0;

	for (size_t i = 0; r == 0 && holder_of && i < plan->target->n_segments; i++) {
		const struct target_segment *segment = &plan->target->segments[i];
		const char *holder = holder_of[segment->vn_id];
		if (!(plan->present->segments[segment->vn_id].head & SEGMENT_USED) || !holder ||
		    strcmp(holder, segment->name) == 0)
			continue;
		plan->passes[segment->vn_id] = true;
		r = add_plain(plan, CHANGE_CLEAR_SEGMENT, segment->vn_id);
	}
	for (uint32_t slot = 0; r == 0 && slot < TABLE_PORTS; slot++) {
		uint64_t where = plan->present->ports[slot].where;
		if (where && plan->passes[port_segment(where)])
			r = add_plain(plan, CHANGE_CLEAR_PORT, slot);
	}
	return r == 0 ? add_grace(plan) : r;
}

/* --- set --- */

static int set_uplinks(struct plan *plan)
{
	bool taken[TABLE_UPLINKS] = { false };

	for (uint32_t slot = 0; slot < TABLE_UPLINKS; slot++)
		taken[slot] = plan->present->uplinks[slot].flags & UPLINK_USED;
	for (size_t i = 0; i < plan->target->n_uplinks; i++) {
		const struct target_uplink *uplink = &plan->target->uplinks[i];
		struct uplink_entry entry = { .ifindex = uplink->ifindex, .flags = UPLINK_USED, .address = uplink->address };
		uint32_t slot = 0;
		while (slot < TABLE_UPLINKS && (!taken[slot] || plan->present->uplinks[slot].ifindex != uplink->ifindex))
			slot++;
		if (slot < TABLE_UPLINKS && memcmp(&plan->present->uplinks[slot], &entry, sizeof entry) == 0)
			continue;
		if (slot == TABLE_UPLINKS)
			for (slot = 0; slot < TABLE_UPLINKS && taken[slot];)
				slot++;
		if (slot == TABLE_UPLINKS)
			return problem_set(plan->problem, -ENOSPC, "uplinks: %d are in use; remove one before adding another",
					   TABLE_UPLINKS);
		taken[slot] = true;
		struct change *change = add(plan, CHANGE_SET_UPLINK, slot);
		if (!change)
			return -ENOMEM;
		change->uplink = entry;
	}
	return 0;
}

static int set_hosts(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_hosts; i++) {
		struct host_place *place = &plan->hosts[i];
		if (place->slot != NO_SLOT)
			continue;
		while (plan->next_host < TABLE_HOSTS && plan->present->hosts[plan->next_host].flags & HOST_USED)
			plan->next_host++;
		if (plan->next_host == TABLE_HOSTS)
			return problem_set(plan->problem, -ENOSPC, "peers: %d other hosts are known, the most there can be; remove some",
					   TABLE_HOSTS);
		place->slot = plan->next_host++;
		struct change *change = add(plan, CHANGE_SET_HOST, place->slot);
		if (!change)
			return -ENOMEM;
		change->host = (struct host_entry){ .address = place->address, .flags = HOST_USED };
	}
	return 0;
}

/* Slots for new ports. */
static int allot_ports(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_ports; i++) {
		struct port_place *place = &plan->ports[i];
		if (place->slot != NO_SLOT)
			continue;
		while (plan->next_port < TABLE_PORTS && plan->present->ports[plan->next_port].where)
			plan->next_port++;
		if (plan->next_port == TABLE_PORTS)
			return problem_set(plan->problem, -ENOSPC, "ports: %d are in use; remove some before adding others", TABLE_PORTS);
		place->slot = plan->next_port++;
	}
	return 0;
}

static int by_slot(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* *port: the first target port that is not of an earlier segment; moves behind those of this one. */
static void fill_segment(const struct plan *plan, const struct target_segment *segment, const struct target_port **port,
			 struct change *change)
{
	const struct target_port *end = ARRAY_END(plan->target->ports, plan->target->n_ports);
	uint16_t *ports = change->members->ports, *peers = change->members->peers;
	size_t n_ports = 0, n_peers = 0;

	for (; *port < end && (*port)->vn_id == segment->vn_id; ++*port)
		ports[n_ports++] = port_place(plan, (*port)->ifindex)->slot;
	for (size_t i = 0; i < segment->n_peers; i++)
		peers[n_peers++] = host_place(plan, &segment->peers[i])->slot;
	qsort(ports, n_ports, sizeof *ports, by_slot);
	qsort(peers, n_peers, sizeof *peers, by_slot);
	change->segment.name = segment->name;
	change->segment.head = segment_head(SEGMENT_USED | (segment->down ? SEGMENT_DOWN : 0), 0, n_ports, n_peers, segment->mtu);
}

static bool same_segment(const struct segment_entry *entry, const struct change *change)
{
	unsigned in_force = segment_list_index(entry->head);

	return (entry->head & ~segment_head(0, 1, 0, 0, 0)) == change->segment.head &&
	       memcmp(&entry->lists[in_force], change->members, sizeof *change->members) == 0;
}

static int set_segments(struct plan *plan)
{
	const struct target_port *port = plan->target->ports;

	for (size_t i = 0; i < plan->target->n_segments; i++) {
		const struct target_segment *segment = &plan->target->segments[i];
		struct segment_list members = { .ports = { 0 } };
		struct change filled = { .kind = CHANGE_SET_SEGMENT, .slot = segment->vn_id, .members = &members };
		fill_segment(plan, segment, &port, &filled);
		if (!plan->passes[segment->vn_id] && same_segment(&plan->present->segments[segment->vn_id], &filled))
			continue;
		struct change *change = add(plan, CHANGE_SET_SEGMENT, segment->vn_id);
		if (!change)
			return -ENOMEM;
		*change = filled;
		change->members = malloc(sizeof members);
		if (!change->members)
			return -ENOMEM;
		*change->members = members;
	}
	return 0;
}

static int set_ports(struct plan *plan)
{
	for (size_t i = 0; i < plan->n_ports; i++) {
		const struct port_place *place = &plan->ports[i];
		struct port_entry entry = {
			.where = port_where(place->ifindex, place->port->vn_id),
			.guard = place->port->guard,
		};
		if (memcmp(&plan->present->ports[place->slot], &entry, sizeof entry) == 0)
			continue;
		struct change *change = add(plan, CHANGE_SET_PORT, place->slot);
		if (!change)
			return -ENOMEM;
		change->port = entry;
	}
	return 0;
}

/* --- clear --- */

static int clear_segments(struct plan *plan)
{
	const struct target_segment *segment = plan->target->segments, *end = ARRAY_END(segment, plan->target->n_segments);
	int r = 0;

	for (uint32_t vn_id = 0; r == 0 && vn_id < TABLE_SEGMENTS; vn_id++) {
		bool wanted = segment < end && segment->vn_id == vn_id;
		if (wanted)
			segment++;
		if (!wanted && plan->present->segments[vn_id].head & SEGMENT_USED)
			r = add_plain(plan, CHANGE_CLEAR_SEGMENT, vn_id);
	}
	return r;
}

static int clear_ports(struct plan *plan)
{
	int r = 0;

	for (uint32_t slot = 0; r == 0 && slot < TABLE_PORTS; slot++) {
		uint64_t where = plan->present->ports[slot].where;
		if (!where || plan->passes[port_segment(where)])
			continue;
		const struct port_place *place = port_place(plan, port_ifindex(where));
		if (!place || place->slot != slot)
			r = add_plain(plan, CHANGE_CLEAR_PORT, slot);
	}
	return r;
}

static bool uplink_wanted(const struct target *target, uint32_t ifindex)
{
	for (size_t i = 0; i < target->n_uplinks; i++)
		if (target->uplinks[i].ifindex == ifindex)
			return true;
	return false;
}

static int clear_uplinks_and_hosts(struct plan *plan)
{
	int r = 0;

	for (uint32_t slot = 0; r == 0 && slot < TABLE_UPLINKS; slot++) {
		const struct uplink_entry *uplink = &plan->present->uplinks[slot];
		if (uplink->flags & UPLINK_USED && !uplink_wanted(plan->target, uplink->ifindex))
			r = add_plain(plan, CHANGE_CLEAR_UPLINK, slot);
	}
	for (uint32_t slot = 0; r == 0 && slot < TABLE_HOSTS; slot++) {
		const struct host_entry *host = &plan->present->hosts[slot];
		const struct host_place *place = host->flags & HOST_USED ? host_place(plan, &host->address) : NULL;
		if (host->flags & HOST_USED && (!place || place->slot != slot))
			r = add_plain(plan, CHANGE_CLEAR_HOST, slot);
	}
	return r;
}

/* --- all of it --- */

static void plan_free(struct plan *plan)
{
	free(plan->hosts);
	free(plan->ports);
	free(plan);
}
DEFINE_AUTO(struct plan *, plan_free)

int reconcile(const struct tables *present, const struct target *target, const char *const *holder_of,
	      struct changes **changes_out, struct problem *problem)
{
	AUTO(changes_free) struct changes *changes = calloc(1, sizeof *changes);
	AUTO(plan_free) struct plan *plan = calloc(1, sizeof *plan);
	int r = changes && plan ? 0 : -ENOMEM;

	if (r < 0)
		return problem_set(problem, r, "no memory to compare the tables");
	plan->present = present;
	plan->target = target;
	plan->changes = changes;
	plan->problem = problem;
	r = clear_passed(plan, holder_of);
	static int (*const steps[])(struct plan *) = {
		place_hosts, place_ports, set_uplinks, set_hosts, allot_ports, set_segments, set_ports,
		clear_segments, clear_ports, clear_uplinks_and_hosts, add_grace,
	};
	for (size_t i = 0; r == 0 && i < N_ELEMENTS(steps); i++)
		r = steps[i](plan);
	if (r == -ENOMEM)
		return problem_set(problem, r, "no memory to compare the tables");
	if (r == 0)
		*changes_out = take(changes);
	return r;
}

void changes_free(struct changes *changes)
{
	if (!changes)
		return;
	for (size_t i = 0; i < changes->n; i++)
		free(changes->items[i].members);
	free(changes->items);
	free(changes);
}
