/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes are sorted, so those of one object stand together: a run of nodes with the same first two components
 * becomes one row. Each kind has a table of its leaves; a leaf that is in no table belongs to a later version.
 */
#include "wanted.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "bpf/wire.h"

const uint16_t wanted_reserved_ports[] = {
	1194,                   /* OpenVPN */
	1701,                   /* L2TP */
	1812, 1813,             /* RADIUS */
	1900,                   /* SSDP */
	2049,                   /* NFS */
	2152,                   /* GTP-U */
	3478,                   /* STUN */
	3784, 3785, 4784, 6784, /* BFD */
	4341, 4342,             /* LISP */
	4500,                   /* IPsec NAT traversal */
	4754,                   /* GRE in UDP */
	4789, 4790, 8472,       /* VXLAN, VXLAN-GPE, VXLAN of older Linux */
	4791,                   /* RoCE v2 */
	5353, 5355,             /* mDNS, LLMNR */
	6081,                   /* Geneve */
	6635,                   /* MPLS in UDP */
	51820,                  /* WireGuard */
	0,
};

static const char *const kind_names[N_WANTED_KINDS] = { "uplink", "segment", "port" };

const char *wanted_kind_name(enum wanted_kind kind)
{
	return kind_names[kind];
}

const char *wanted_shown(char buffer[48], const char *text)
{
	size_t n = 0;

	for (; text[n] && n < 44; n++)
		buffer[n] = text[n] > ' ' && text[n] < 0x7f ? text[n] : text[n] == ' ' ? ' ' : '?';
	memcpy(buffer + n, text[n] ? "..." : "", text[n] ? 4 : 1);
	return buffer;
}

/* --- single values --- */

/* A decimal number without sign, or -EINVAL. */
static int parse_number(const char *text, unsigned long max, unsigned long *number_out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	if (errno || *end || number > max)
		return -EINVAL;
	*number_out = number;
	return 0;
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

int wanted_mac(const char *text, uint64_t *mac_out, struct problem *problem)
{
	uint64_t mac = 0;
	bool good = strlen(text) == 17;

	for (int i = 0; good && i < 17; i++) {
		int digit = hex_digit(text[i]);
		good = i % 3 == 2 ? text[i] == ':' : digit >= 0;
		if (i % 3 != 2)
			mac = mac << 4 | digit;
	}
	if (!good)
		return problem_set(problem, -EINVAL, "mac \"%s\" is no MAC address; write it as 00:16:3e:00:00:01", SHOWN(text));
	if (mac & WIRE_GROUP_BIT || mac == 0)
		return problem_set(problem, -EINVAL, "mac %s is a group address or zero; give one that a device can have", text);
	*mac_out = mac;
	return 0;
}

int wanted_address(const char *text, struct address *address_out, struct problem *problem)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET6, text, &v6) == 1)
		return problem_set(problem, -EINVAL, "%s: an IPv6 underlay is not carried yet; give an IPv4 address", text);
	if (inet_pton(AF_INET, text, &v4) != 1)
		return problem_set(problem, -EINVAL, "\"%s\" is no address; give one like 192.0.2.11", SHOWN(text));
	uint32_t host = ntohl(v4.s_addr);
	if (host >> 24 == 0 || host >> 24 == 127 || host >> 28 >= 0xe)
		return problem_set(problem, -EINVAL, "%s is no address of a host on the underlay; give its unicast address", text);
	*address_out = (struct address){ .word = { 0, 0, htonl(0xffff), v4.s_addr } };
	return 0;
}

static bool is_reserved(unsigned long port)
{
	for (const uint16_t *reserved = wanted_reserved_ports; *reserved; reserved++)
		if (port == *reserved)
			return true;
	return false;
}

static int parse_vn_id(void *object, const char *value, struct problem *problem)
{
	struct wanted_segment *segment = object;
	unsigned long port;

	if (parse_number(value, ULONG_MAX, &port) < 0)
		return problem_set(problem, -EINVAL, "port \"%s\" is no number; give one from %d to %d", SHOWN(value),
				   WIRE_SEGMENT_FIRST, WIRE_SEGMENT_LAST);
	if (port < WIRE_SEGMENT_FIRST || port > WIRE_SEGMENT_LAST)
		return problem_set(problem, -EINVAL, "port %lu is out of range; give one from %d to %d", port, WIRE_SEGMENT_FIRST,
				   WIRE_SEGMENT_LAST);
	if (is_reserved(port))
		return problem_set(problem, -EINVAL, "port %lu is reserved for another protocol; take one that is not", port);
	segment->vn_id = port;
	return 0;
}

static int add_peer(struct wanted_segment *segment, const char *text, struct problem *problem)
{
	struct address address;

	int r = wanted_address(text, &address, problem);
	if (r < 0)
		return problem_prefix(problem, "peers");
	for (size_t i = 0; i < segment->n_peers; i++)
		if (memcmp(&segment->peers[i], &address, sizeof address) == 0)
			return problem_set(problem, -EINVAL, "peers: %s is listed twice; list it once", text);
	if (segment->n_peers == SEGMENT_PEERS_MAX)
		return problem_set(problem, -EINVAL, "peers: more than %d; split the segment", SEGMENT_PEERS_MAX);
	struct address *peer = ARRAY_ADD(segment->peers, segment->n_peers);
	if (!peer)
		return -ENOMEM;
	*peer = address;
	return 0;
}

static int parse_peers(void *object, const char *value, struct problem *problem)
{
	AUTO(free) char *text = strdup(value);
	char *rest = text;

	if (!text)
		return -ENOMEM;
	for (char *word; (word = strsep(&rest, " \t\n"));) {
		if (!*word)
			continue;
		int r = add_peer(object, word, problem);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_mtu(void *object, const char *value, struct problem *problem)
{
	enum { SMALLEST = 68 /* RFC 791 */, LARGEST = 65535 - WIRE_OUTER };
	struct wanted_segment *segment = object;
	unsigned long mtu;

	if (parse_number(value, LARGEST, &mtu) < 0 || mtu < SMALLEST)
		return problem_set(problem, -EINVAL, "mtu \"%s\": give a number from %d to %d, or remove the node", SHOWN(value),
				   SMALLEST, LARGEST);
	segment->mtu = mtu;
	return 0;
}

static int parse_up_or_down(const char *value, bool *down_out, struct problem *problem)
{
	if (strcmp(value, "up") != 0 && strcmp(value, "down") != 0)
		return problem_set(problem, -EINVAL, "state \"%s\": write up or down", SHOWN(value));
	*down_out = strcmp(value, "down") == 0;
	return 0;
}

static int parse_state(void *object, const char *value, struct problem *problem)
{
	return parse_up_or_down(value, &((struct wanted_segment *)object)->down, problem);
}

static int parse_port_state(void *object, const char *value, struct problem *problem)
{
	return parse_up_or_down(value, &((struct wanted_port *)object)->down, problem);
}

static int parse_port_segment(void *object, const char *value, struct problem *problem)
{
	struct wanted_port *port = object;

	if (!*value || strlen(value) >= sizeof port->segment)
		return problem_set(problem, -EINVAL, "segment \"%s\" cannot be a segment's name; name one of segment/",
				   SHOWN(value));
	strcpy(port->segment, value);
	return 0;
}

static int parse_port_mac(void *object, const char *value, struct problem *problem)
{
	struct wanted_port *port = object;
	uint64_t mac;

	int r = wanted_mac(value, &mac, problem);
	if (r == 0)
		port->guard = PORT_PINNED | mac;
	return r;
}

/* "addr" or "addr/len"; "auto" leaves both zero. */
static int parse_uplink_address(struct wanted_uplink *uplink, char *text, struct problem *problem)
{
	char *slash = strchr(text, '/');
	unsigned long length = 0;

	if (strcmp(text, "auto") == 0)
		return 0;
	if (slash) {
		*slash = '\0';
		if (parse_number(slash + 1, 32, &length) < 0 || length == 0)
			return problem_set(problem, -EINVAL, "prefix length \"%s\": give a number from 1 to 32", SHOWN(slash + 1));
	}
	uplink->prefix_length = length;
	return wanted_address(text, &uplink->address, problem);
}

/* "192.0.2.11", "192.0.2.11/24", "auto", "", or words "mac=... addr=..." */
static int parse_uplink(void *object, const char *value, struct problem *problem)
{
	struct wanted_uplink *uplink = object;
	AUTO(free) char *text = strdup(value);
	char *rest = text;
	int r = 0;

	if (!text)
		return -ENOMEM;
	for (char *word; r == 0 && (word = strsep(&rest, " \t\n"));) {
		if (strncmp(word, "mac=", 4) == 0)
			r = wanted_mac(word + 4, &uplink->mac, problem);
		else if (*word)
			r = parse_uplink_address(uplink, strncmp(word, "addr=", 5) == 0 ? word + 5 : word, problem);
	}
	return r;
}

/* --- rows --- */

typedef int leaf_parser(void *object, const char *value, struct problem *problem);

static const struct leaf {
	enum wanted_kind kind;
	const char *name; /* "": the value of the object's own node */
	leaf_parser *parse;
} leaves[] = {
	{ WANTED_UPLINK, "", parse_uplink },
	{ WANTED_SEGMENT, "port", parse_vn_id },
	{ WANTED_SEGMENT, "peers", parse_peers },
	{ WANTED_SEGMENT, "mtu", parse_mtu },
	{ WANTED_SEGMENT, "state", parse_state },
	{ WANTED_PORT, "segment", parse_port_segment },
	{ WANTED_PORT, "mac", parse_port_mac },
	{ WANTED_PORT, "state", parse_port_state },
};

/* The nodes of one object: those in [first, end) of the sorted array. */
struct run {
	enum wanted_kind kind;
	char name[SEGMENT_NAME_SIZE];
	const struct node *first, *end;
	size_t prefix; /* length of "kind/name" */
};

static int parse_leaves(const struct run *run, void *object, struct problem *problem)
{
	int r = 0;

	for (const struct node *node = run->first; r == 0 && node < run->end; node++) {
		const char *leaf = node->path + run->prefix;
		leaf += *leaf == '/';
		for (size_t i = 0; r == 0 && i < N_ELEMENTS(leaves); i++)
			if (leaves[i].kind == run->kind && strcmp(leaves[i].name, leaf) == 0)
				r = leaves[i].parse(object, node->value, problem);
	}
	return r;
}

static int refuse(struct wanted *wanted, enum wanted_kind kind, const char *name, struct problem *problem)
{
	struct refusal *refusal = ARRAY_ADD(wanted->refusals, wanted->n_refusals);

	if (!refusal)
		return -ENOMEM;
	problem_prefix(problem, "%s %s", wanted_kind_name(kind), name);
	refusal->kind = kind;
	snprintf(refusal->name, sizeof refusal->name, "%s", name);
	memcpy(refusal->text, problem->text, sizeof refusal->text);
	return 0;
}

static int check_ifname(const char *name, struct problem *problem)
{
	if (strlen(name) >= IFNAMSIZ)
		return problem_set(problem, -EINVAL, "no network device has a name longer than %d characters", IFNAMSIZ - 1);
	return 0;
}

static int take_uplink(struct wanted *wanted, const struct run *run, struct problem *problem)
{
	struct wanted_uplink uplink = { .mac = 0 };

	strcpy(uplink.name, run->name);
	int r = parse_leaves(run, &uplink, problem);
	if (r == 0 && !uplink.mac)
		r = check_ifname(uplink.name, problem);
	if (r == 0 && wanted->n_uplinks == TABLE_UPLINKS)
		r = problem_set(problem, -EINVAL, "more than %d uplinks; remove one", TABLE_UPLINKS);
	if (r < 0)
		return r;
	struct wanted_uplink *row = ARRAY_ADD(wanted->uplinks, wanted->n_uplinks);
	if (!row)
		return -ENOMEM;
	*row = uplink;
	return 0;
}

static int take_segment(struct wanted *wanted, const struct run *run, struct problem *problem)
{
	struct wanted_segment segment = { .vn_id = 0 };

	strcpy(segment.name, run->name);
	int r = parse_leaves(run, &segment, problem);
	if (r == 0 && !segment.vn_id)
		r = problem_set(problem, -EINVAL, "it has no port; write segment/%s/port", run->name);
	struct wanted_segment *row = r == 0 ? ARRAY_ADD(wanted->segments, wanted->n_segments) : NULL;
	if (!row) {
		free(segment.peers);
		return r ? r : -ENOMEM;
	}
	*row = segment;
	return 0;
}

static int take_port(struct wanted *wanted, const struct run *run, struct problem *problem)
{
	struct wanted_port port = { .guard = 0 };

	int r = check_ifname(run->name, problem);
	if (r == 0)
		r = parse_leaves(run, &port, problem);
	if (r == 0 && !*port.segment)
		r = problem_set(problem, -EINVAL, "it has no segment; write port/%s/segment", run->name);
	if (r < 0)
		return r;
	struct wanted_port *row = ARRAY_ADD(wanted->ports, wanted->n_ports);
	if (!row)
		return -ENOMEM;
	memcpy(port.ifname, run->name, strlen(run->name) + 1);
	*row = port;
	return 0;
}

static int take_run(struct wanted *wanted, const struct run *run)
{
	static int (*const take_row[N_WANTED_KINDS])(struct wanted *, const struct run *, struct problem *) = {
		take_uplink, take_segment, take_port
	};
	struct problem problem = { .code = 0 };

	int r = take_row[run->kind](wanted, run, &problem);
	return r == 0 || r == -ENOMEM ? r : refuse(wanted, run->kind, run->name, &problem);
}

/* The tree has no other names; what did not come from a tree must not get further with one. */
static bool name_is_good(const char *name, size_t size)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@_.:-";

	return size > 0 && size < SEGMENT_NAME_SIZE && strspn(name, allowed) >= size;
}

/* Splits "kind/name" or "kind/name/leaf". */
static bool begins_run(const char *path, struct run *run)
{
	for (enum wanted_kind kind = 0; kind < N_WANTED_KINDS; kind++) {
		size_t n_kind = strlen(kind_names[kind]);
		if (strncmp(path, kind_names[kind], n_kind) != 0 || path[n_kind] != '/')
			continue;
		const char *name = path + n_kind + 1;
		size_t n_name = strcspn(name, "/");
		if (!name_is_good(name, n_name))
			return false;
		run->kind = kind;
		memcpy(run->name, name, n_name);
		run->name[n_name] = '\0';
		run->prefix = n_kind + 1 + n_name;
		return true;
	}
	return false;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

static bool same_run(const struct run *run, const struct node *node)
{
	return strncmp(run->first->path, node->path, run->prefix) == 0 &&
	       (node->path[run->prefix] == '/' || !node->path[run->prefix]);
}

static int take_runs(struct wanted *wanted, struct node *nodes, size_t n_nodes)
{
	const struct node *end = ARRAY_END(nodes, n_nodes);
	int r = 0;

	if (n_nodes)
		qsort(nodes, n_nodes, sizeof *nodes, by_path);
	for (const struct node *node = nodes; r == 0 && node < end;) {
		struct run run = { .first = node };
		if (!begins_run(node->path, &run)) {
			node++;
			continue;
		}
		while (node < end && same_run(&run, node))
			node++;
		run.end = node;
		r = take_run(wanted, &run);
	}
	return r;
}

/* --- one VN ID, one segment --- */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct wanted_segment *)a)->name, ((const struct wanted_segment *)b)->name);
}

static int refuse_second(struct wanted *wanted, struct wanted_segment *segment, const struct wanted_segment *first)
{
	struct problem problem;

	problem_set(&problem, -EEXIST, "port %u belongs to segment %s; give one of them another port", segment->vn_id,
		    first->name);
	int r = refuse(wanted, WANTED_SEGMENT, segment->name, &problem);
	free(segment->peers);
	segment->peers = NULL;
	segment->vn_id = 0;
	return r;
}

static void remove_refused_segments(struct wanted *wanted)
{
	size_t n = 0;

	for (size_t i = 0; i < wanted->n_segments; i++)
		if (wanted->segments[i].vn_id)
			wanted->segments[n++] = wanted->segments[i];
	if (n < wanted->n_segments)
		memset(wanted->segments + n, 0, (wanted->n_segments - n) * sizeof *wanted->segments);
	wanted->n_segments = n;
}

static int settle_vn_ids(struct wanted *wanted, const char *const *holder_of)
{
	AUTO(free) struct wanted_segment **owner = calloc(TABLE_SEGMENTS, sizeof(struct wanted_segment *));
	int r = owner ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && holder_of && i < wanted->n_segments; i++) {
		struct wanted_segment *segment = &wanted->segments[i];
		const char *holder = holder_of[segment->vn_id];
		if (holder && strcmp(holder, segment->name) == 0)
			owner[segment->vn_id] = segment;
	}
	for (size_t i = 0; r == 0 && i < wanted->n_segments; i++) {
		struct wanted_segment *segment = &wanted->segments[i], **first = &owner[segment->vn_id];
		if (!*first)
			*first = segment;
		else if (*first != segment)
			r = refuse_second(wanted, segment, *first);
	}
	if (r == 0)
		remove_refused_segments(wanted);
	return r;
}

int wanted_parse(struct node *nodes, size_t n_nodes, const char *const *holder_of, struct wanted **wanted_out)
{
	AUTO(wanted_free) struct wanted *wanted = calloc(1, sizeof *wanted);

	if (!wanted)
		return -ENOMEM;
	int r = take_runs(wanted, nodes, n_nodes);
	if (r < 0)
		return r;
	if (wanted->n_segments) {
		qsort(wanted->segments, wanted->n_segments, sizeof *wanted->segments, by_name);
		r = settle_vn_ids(wanted, holder_of);
	}
	if (r == 0)
		*wanted_out = take(wanted);
	return r;
}

const struct wanted_segment *wanted_segment(const struct wanted *wanted, const char *name)
{
	struct wanted_segment key = { .vn_id = 0 };

	if (strlen(name) >= sizeof key.name || !wanted->n_segments)
		return NULL;
	strcpy(key.name, name);
	return bsearch(&key, wanted->segments, wanted->n_segments, sizeof key, by_name);
}

void wanted_free(struct wanted *wanted)
{
	if (!wanted)
		return;
	for (size_t i = 0; i < wanted->n_segments; i++)
		free(wanted->segments[i].peers);
	free(wanted->uplinks);
	free(wanted->segments);
	free(wanted->ports);
	free(wanted->refusals);
	free(wanted);
}
