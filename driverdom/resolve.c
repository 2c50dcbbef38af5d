/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *    wanted uplinks  --+-- device by name or MAC, its address ------------> target uplinks
 *    wanted segments --+-- own addresses are no peers, default MTU -------> target segments   (by VN ID)
 *    wanted ports    --+-- device by name, segment by name, MAC not twice-> target ports      (by VN ID)
 *
 * Whatever comes through leaves an "active ..." status, whatever does not an "error: ...", or "waiting: ..." if all that
 * is missing is its network device.
 */
#include "resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "bpf/wire.h"

/* --- devices --- */

const struct link *links_named(const struct links *links, const char *name)
{
	for (size_t i = 0; i < links->n; i++)
		if (strcmp(links->items[i].name, name) == 0)
			return &links->items[i];
	return NULL;
}

const struct link *links_with_mac(const struct links *links, uint64_t mac)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->items[i].mac == mac)
			return &links->items[i];
	return NULL;
}

const struct link *links_at(const struct links *links, uint32_t ifindex)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->items[i].ifindex == ifindex)
			return &links->items[i];
	return NULL;
}

/* --- statuses --- */

static struct status *add_status(struct target *target, enum wanted_kind kind, const char *name)
{
	struct status *status = ARRAY_ADD(target->statuses, target->n_statuses);

	if (!status)
		return NULL;
	status->kind = kind;
	snprintf(status->name, sizeof status->name, "%s", name);
	return status;
}

/* How a status begins, followed for all but active ones by kind and name of the object. */
static const char *const beginnings[] = {
	[STATUS_ACTIVE] = "active ",
	[STATUS_WAITING] = "waiting: ",
	[STATUS_REFUSED] = "error: ",
};

static int __attribute__((format(printf, 5, 6)))
say(struct target *target, enum wanted_kind kind, const char *name, enum status_state state, const char *format, ...)
{
	struct status *status = add_status(target, kind, name);
	va_list args;

	if (!status)
		return -ENOMEM;
	status->state = state;
	int n = snprintf(status->text, sizeof status->text, "%s", beginnings[state]);
	if (state != STATUS_ACTIVE)
		n += snprintf(status->text + n, sizeof status->text - n, "%s %s: ", wanted_kind_name(kind), name);
	va_start(args, format);
	vsnprintf(status->text + n, sizeof status->text - n, format, args);
	va_end(args);
	return 0;
}

void status_fail(struct status *status, const char *text)
{
	status->state = STATUS_REFUSED;
	snprintf(status->text, sizeof status->text, "error: %.*s", PROBLEM_TEXT_SIZE - 8, text);
}

static int copy_refusals(struct target *target, const struct wanted *wanted)
{
	for (size_t i = 0; i < wanted->n_refusals; i++) {
		struct status *status = add_status(target, wanted->refusals[i].kind, wanted->refusals[i].name);
		if (!status)
			return -ENOMEM;
		status_fail(status, wanted->refusals[i].text);
	}
	return 0;
}

struct status *target_status(const struct target *target, enum wanted_kind kind, const char *name)
{
	for (size_t i = 0; i < target->n_statuses; i++)
		if (target->statuses[i].kind == kind && strcmp(target->statuses[i].name, name) == 0)
			return &target->statuses[i];
	return NULL;
}

struct target_port *target_port(const struct target *target, uint32_t ifindex)
{
	for (size_t i = 0; i < target->n_ports; i++)
		if (target->ports[i].ifindex == ifindex)
			return &target->ports[i];
	return NULL;
}

/* --- uplinks --- */

static bool is_zero(const struct address *address)
{
	return !address->word[3];
}

static bool has_address(const struct link *link, const struct address *address)
{
	for (size_t i = 0; i < link->n_addresses; i++)
		if (memcmp(&link->addresses[i], address, sizeof *address) == 0)
			return true;
	return false;
}

#define ADDRESS_TEXT(address) \
	inet_ntop(AF_INET, &(address)->word[3], (char[INET_ADDRSTRLEN]){ "" }, INET_ADDRSTRLEN)

static int resolve_uplink(struct target *target, const struct wanted_uplink *wanted, const struct links *links)
{
	const struct link *link = wanted->mac ? links_with_mac(links, wanted->mac) : links_named(links, wanted->name);
	struct address address = wanted->address;

	if (!link)
		return say(target, WANTED_UPLINK, wanted->name, STATUS_WAITING, "no network device of this %s; it is taken when it appears",
			   wanted->mac ? "MAC address" : "name");
	if (is_zero(&address) && link->n_addresses == 0)
		return say(target, WANTED_UPLINK, wanted->name, STATUS_REFUSED, "%s has no IPv4 address; give it one or write it as ADDRESS/LENGTH",
			   link->name);
	if (is_zero(&address))
		address = link->addresses[0];
	else if (!wanted->prefix_length && !has_address(link, &address))
		return say(target, WANTED_UPLINK, wanted->name, STATUS_REFUSED,
			   "%s is no address of %s; add it there, or write it as %s/LENGTH to have it added", ADDRESS_TEXT(&address),
			   link->name, ADDRESS_TEXT(&address));
	struct target_uplink *uplink = ARRAY_ADD(target->uplinks, target->n_uplinks);
	if (!uplink)
		return -ENOMEM;
	snprintf(uplink->name, sizeof uplink->name, "%s", wanted->name);
	uplink->ifindex = link->ifindex;
	uplink->address = address;
	uplink->prefix_length = wanted->prefix_length;
	if (wanted->mac)
		return say(target, WANTED_UPLINK, wanted->name, STATUS_ACTIVE, "addr=%s mode=tc dev=%s", ADDRESS_TEXT(&address), link->name);
	return say(target, WANTED_UPLINK, wanted->name, STATUS_ACTIVE, "addr=%s mode=tc", ADDRESS_TEXT(&address));
}

/* --- segments --- */

static const struct address *own_peer(const struct target *target, const struct wanted_segment *segment)
{
	for (size_t i = 0; i < segment->n_peers; i++)
		for (size_t j = 0; j < target->n_uplinks; j++)
			if (memcmp(&segment->peers[i], &target->uplinks[j].address, sizeof(struct address)) == 0)
				return &segment->peers[i];
	return NULL;
}

/* The largest inner packet that every uplink carries. */
static uint16_t default_mtu(const struct target *target, const struct links *links)
{
	enum { ETHERNET = 1500, LARGEST = 65535 - WIRE_OUTER };
	unsigned mtu = ETHERNET;

	for (size_t i = 0; i < target->n_uplinks; i++) {
		const struct link *link = links_at(links, target->uplinks[i].ifindex);
		unsigned carried = link->mtu > WIRE_OUTER ? link->mtu - WIRE_OUTER : 0;
		if (i == 0 || carried < mtu)
			mtu = carried;
	}
	return mtu > LARGEST ? LARGEST : mtu;
}

static int resolve_segment(struct target *target, const struct wanted_segment *wanted, uint16_t mtu)
{
	const struct address *own = own_peer(target, wanted);

	if (own)
		return say(target, WANTED_SEGMENT, wanted->name, STATUS_REFUSED,
			   "peers: %s is this host itself; list only the other hosts of the segment", ADDRESS_TEXT(own));
	struct target_segment *segment = ARRAY_ADD(target->segments, target->n_segments);
	if (!segment)
		return -ENOMEM;
	memcpy(segment->name, wanted->name, sizeof segment->name);
	segment->vn_id = wanted->vn_id;
	segment->mtu = wanted->mtu ? wanted->mtu : mtu;
	segment->down = wanted->down;
	segment->peers = wanted->peers;
	segment->n_peers = wanted->n_peers;
	return 0;
}

static int segments_by_id(const void *a, const void *b)
{
	return ((const struct target_segment *)a)->vn_id - ((const struct target_segment *)b)->vn_id;
}

static struct target_segment *segment_with_id(const struct target *target, uint16_t vn_id)
{
	struct target_segment key = { .vn_id = vn_id };

	if (!target->n_segments)
		return NULL;
	return bsearch(&key, target->segments, target->n_segments, sizeof key, segments_by_id);
}

static int say_segments(struct target *target)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < target->n_segments; i++) {
		const struct target_segment *segment = &target->segments[i];
		r = say(target, WANTED_SEGMENT, segment->name, STATUS_ACTIVE, "ports=%zu peers=%zu%s", segment->n_ports, segment->n_peers,
			segment->down ? " state=down" : "");
	}
	return r;
}

/* --- ports --- */

static bool is_uplink(const struct target *target, uint32_t ifindex)
{
	for (size_t i = 0; i < target->n_uplinks; i++)
		if (target->uplinks[i].ifindex == ifindex)
			return true;
	return false;
}

static const struct target_port *same_mac(const struct target *target, uint16_t vn_id, uint64_t guard)
{
	for (size_t i = 0; guard && i < target->n_ports; i++)
		if (target->ports[i].vn_id == vn_id && target->ports[i].guard == guard)
			return &target->ports[i];
	return NULL;
}

/* Says why this port cannot be, if so; *refused_out tells. */
static int refuse_port(struct target *target, const struct wanted_port *port, const struct link *link,
		       const struct target_segment *segment, bool *refused_out)
{
	const struct target_port *twin = segment ? same_mac(target, segment->vn_id, port->guard) : NULL;
	const char *name = port->ifname;

	*refused_out = true;
	if (port->down)
		return say(target, WANTED_PORT, name, STATUS_WAITING, "it is down; it is attached when its state is up");
	if (!segment)
		return say(target, WANTED_PORT, name, STATUS_REFUSED, "segment %s is unknown or refused; write or repair segment/%s",
			   SHOWN(port->segment), SHOWN(port->segment));
	if (!link)
		return say(target, WANTED_PORT, name, STATUS_WAITING, "no network device of this name; it is attached when it appears");
	if (is_uplink(target, link->ifindex))
		return say(target, WANTED_PORT, name, STATUS_REFUSED, "it is an uplink; a device cannot be both");
	if (target_port(target, link->ifindex))
		return say(target, WANTED_PORT, name, STATUS_REFUSED, "it is a port already; name it once");
	if (twin)
		return say(target, WANTED_PORT, name, STATUS_REFUSED, "its mac is pinned to %s on segment %s already; give it another",
			   twin->ifname, segment->name);
	if (segment->n_ports == SEGMENT_PORTS_MAX)
		return say(target, WANTED_PORT, name, STATUS_REFUSED, "segment %s has %d ports on this host, the most there can be; use another",
			   segment->name, SEGMENT_PORTS_MAX);
	if (target->n_ports == TABLE_PORTS)
		return say(target, WANTED_PORT, name, STATUS_REFUSED, "this host has %d ports, the most there can be; use another host",
			   TABLE_PORTS);
	*refused_out = false;
	return 0;
}

static int resolve_port(struct target *target, const struct wanted *wanted, const struct wanted_port *port,
			const struct links *links)
{
	const struct wanted_segment *named = wanted_segment(wanted, port->segment);
	struct target_segment *segment = named ? segment_with_id(target, named->vn_id) : NULL;
	const struct link *link = links_named(links, port->ifname);
	bool refused;

	int r = refuse_port(target, port, link, segment, &refused);
	if (r < 0 || refused)
		return r;
	struct target_port *row = ARRAY_ADD(target->ports, target->n_ports);
	if (!row)
		return -ENOMEM;
	memcpy(row->ifname, port->ifname, sizeof row->ifname);
	row->ifindex = link->ifindex;
	row->vn_id = segment->vn_id;
	row->mtu = segment->mtu;
	row->guard = port->guard;
	segment->n_ports++;
	return say(target, WANTED_PORT, port->ifname, STATUS_ACTIVE, "segment=%s", segment->name);
}

static int ports_by_id(const void *a, const void *b)
{
	return ((const struct target_port *)a)->vn_id - ((const struct target_port *)b)->vn_id;
}

int resolve(const struct wanted *wanted, const struct wanted_port *vif_ports, size_t n_vif_ports,
	    const struct links *links, struct target **target_out)
{
	AUTO(target_free) struct target *target = calloc(1, sizeof *target);
	int r = target ? copy_refusals(target, wanted) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < wanted->n_uplinks; i++)
		r = resolve_uplink(target, &wanted->uplinks[i], links);
	uint16_t mtu = r == 0 ? default_mtu(target, links) : 0;
	for (size_t i = 0; r == 0 && i < wanted->n_segments; i++)
		r = resolve_segment(target, &wanted->segments[i], mtu);
	if (r == 0 && target->n_segments)
		qsort(target->segments, target->n_segments, sizeof *target->segments, segments_by_id);
	for (size_t i = 0; r == 0 && i < wanted->n_ports; i++)
		r = resolve_port(target, wanted, &wanted->ports[i], links);
	for (size_t i = 0; r == 0 && i < n_vif_ports; i++)
		r = resolve_port(target, wanted, &vif_ports[i], links);
	if (r == 0)
		r = say_segments(target);
	if (r < 0)
		return r;
	if (target->n_ports)
		qsort(target->ports, target->n_ports, sizeof *target->ports, ports_by_id);
	*target_out = take(target);
	return 0;
}

void target_free(struct target *target)
{
	if (!target)
		return;
	free(target->uplinks);
	free(target->segments);
	free(target->ports);
	free(target->statuses);
	free(target);
}
