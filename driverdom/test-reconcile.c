/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes are applied to tables in memory one by one, and after each of them the tables are looked at as a program
 * would: nobody who was and stays a member of a segment may be missed, nobody else may be reached.
 */
#include "reconcile.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "array.h"

enum { N_SEGMENTS = 4, N_PORTS = 6, N_PEERS = 4, N_NAMES = 6, VN_ID = 5000, IFINDEX = 10 };

static struct tables tables;
static char names[TABLE_SEGMENTS][SEGMENT_NAME_SIZE];
static const char *holders[TABLE_SEGMENTS];

static void setup(void)
{
	tables.uplinks = calloc(TABLE_UPLINKS, sizeof *tables.uplinks);
	tables.hosts = calloc(TABLE_HOSTS, sizeof *tables.hosts);
	tables.ports = calloc(TABLE_PORTS, sizeof *tables.ports);
	tables.segments = calloc(TABLE_SEGMENTS, sizeof *tables.segments);
	memset(holders, 0, sizeof holders);
}

static void teardown(void)
{
	free(tables.uplinks);
	free(tables.hosts);
	free(tables.ports);
	free(tables.segments);
}

/* --- wishes, and targets made of them --- */

struct wish {
	int name_of[N_SEGMENTS];    /* index of a name, -1: no segment with VN_ID + i */
	int segment_of[N_PORTS];    /* -1: no such port */
	bool peer[N_SEGMENTS][N_PEERS];
	bool down[N_SEGMENTS];
};

static struct address peer_address(int i)
{
	return (struct address){ .word = { 0, 0, 0xffff0000, 0xc0000200 + i } };
}

struct built {
	struct target target;
	struct target_segment segments[N_SEGMENTS];
	struct target_port ports[N_PORTS];
	struct address peers[N_SEGMENTS][N_PEERS];
};

static void build(const struct wish *wish, struct built *built)
{
	memset(built, 0, sizeof *built);
	built->target.segments = built->segments;
	built->target.ports = built->ports;
	for (int s = 0; s < N_SEGMENTS; s++) {
		if (wish->name_of[s] < 0)
			continue;
		struct target_segment *segment = &built->segments[built->target.n_segments++];
		sprintf(segment->name, "name%d", wish->name_of[s]);
		segment->vn_id = VN_ID + s;
		segment->mtu = 1458;
		segment->down = wish->down[s];
		segment->peers = built->peers[s];
		for (int p = 0; p < N_PEERS; p++)
			if (wish->peer[s][p])
				built->peers[s][segment->n_peers++] = peer_address(p);
		for (int p = 0; p < N_PORTS; p++) {
			if (wish->segment_of[p] != s)
				continue;
			segment->n_ports++;
			built->ports[built->target.n_ports++] =
				(struct target_port){ .ifindex = IFINDEX + p, .vn_id = VN_ID + s, .guard = PORT_PINNED | (p + 1) };
		}
	}
}

/* --- the tables as a program sees them --- */

/* The name of the segment whose frames reach the port from a port of it, or -1. */
static bool reaches_port(int s, int p)
{
	const struct segment_entry *segment = &tables.segments[VN_ID + s];
	const struct segment_list *list = &segment->lists[segment_list_index(segment->head)];

	for (unsigned i = 0; segment->head & SEGMENT_USED && i < segment_n_ports(segment->head); i++) {
		uint64_t where = tables.ports[list->ports[i]].where;
		if (where && port_ifindex(where) == (uint32_t)(IFINDEX + p) && port_segment(where) == VN_ID + s)
			return true;
	}
	return false;
}

static bool reaches_peer(int s, int p)
{
	const struct segment_entry *segment = &tables.segments[VN_ID + s];
	const struct segment_list *list = &segment->lists[segment_list_index(segment->head)];
	struct address address = peer_address(p);

	for (unsigned i = 0; segment->head & SEGMENT_USED && i < segment_n_peers(segment->head); i++) {
		const struct host_entry *host = &tables.hosts[list->peers[i]];
		if (host->flags & HOST_USED && memcmp(&host->address, &address, sizeof address) == 0)
			return true;
	}
	return false;
}

static bool is_member(const struct wish *wish, int s, int p)
{
	return wish->name_of[s] >= 0 && wish->segment_of[p] == s;
}

/* Between `old` and `new`; `done`: it is `new` exactly. */
static void look(const struct wish *old, const struct wish *new, bool done)
{
	for (int s = 0; s < N_SEGMENTS; s++) {
		bool same = old->name_of[s] == new->name_of[s];
		for (int p = 0; p < N_PORTS; p++) {
			bool before = is_member(old, s, p), after = is_member(new, s, p), is = reaches_port(s, p);
			ck_assert_msg(!done || is == after, "segment %d: port %d is %s", s, p, is ? "reached" : "missed");
			ck_assert_msg(!(same && before && after) || is, "segment %d: port %d is missed meanwhile", s, p);
			ck_assert_msg(!is || before || after, "segment %d: port %d is reached meanwhile", s, p);
		}
		for (int p = 0; p < N_PEERS; p++) {
			bool before = old->name_of[s] >= 0 && old->peer[s][p], after = new->name_of[s] >= 0 && new->peer[s][p];
			bool is = reaches_peer(s, p);
			ck_assert_msg(!done || is == after, "segment %d: peer %d is %s", s, p, is ? "reached" : "missed");
			ck_assert_msg(!(same && before && after) || is, "segment %d: peer %d is missed meanwhile", s, p);
			ck_assert_msg(!is || before || after, "segment %d: peer %d is reached meanwhile", s, p);
		}
	}
}

/* A VN ID that changes hands is empty, with no port on it, while a grace period passes. */
static bool grace_seen[N_SEGMENTS];

static void note_handover(const struct change *change)
{
	for (int s = 0; s < N_SEGMENTS; s++) {
		bool on_it = false;
		for (int slot = 0; slot < TABLE_PORTS; slot++)
			on_it |= tables.ports[slot].where && port_segment(tables.ports[slot].where) == VN_ID + s;
		bool empty = !(tables.segments[VN_ID + s].head & SEGMENT_USED) && !on_it;
		grace_seen[s] |= empty && change->kind == CHANGE_GRACE;
	}
}

/* --- applying, as dataplane.c does --- */

static void apply(const struct change *change)
{
	struct segment_entry *segment = &tables.segments[change->kind == CHANGE_SET_SEGMENT || change->kind == CHANGE_CLEAR_SEGMENT ? change->slot : 0];
	unsigned other = !segment_list_index(segment->head);

	switch (change->kind) {
	case CHANGE_SET_UPLINK:
		tables.uplinks[change->slot] = change->uplink;
		break;
	case CHANGE_SET_HOST:
		ck_assert(!(tables.hosts[change->slot].flags & HOST_USED));
		tables.hosts[change->slot] = change->host;
		break;
	case CHANGE_SET_PORT:
		tables.ports[change->slot] = change->port;
		break;
	case CHANGE_SET_SEGMENT:
		segment->lists[other] = *change->members;
		segment->head = change->segment.head | segment_head(0, other, 0, 0, 0);
		snprintf(names[change->slot], sizeof names[0], "%s", change->segment.name);
		holders[change->slot] = names[change->slot];
		break;
	case CHANGE_CLEAR_SEGMENT:
		segment->head &= segment_head(0, 1, 0, 0, 0);
		holders[change->slot] = NULL;
		break;
	case CHANGE_CLEAR_PORT:
		tables.ports[change->slot].where = tables.ports[change->slot].guard = 0;
		break;
	case CHANGE_CLEAR_UPLINK:
		memset(&tables.uplinks[change->slot], 0, sizeof *tables.uplinks);
		break;
	case CHANGE_CLEAR_HOST:
		tables.hosts[change->slot].flags = 0;
		break;
	case CHANGE_GRACE:
		break;
	}
}

static size_t go(const struct wish *old, const struct wish *new)
{
	AUTO(changes_free) struct changes *changes = NULL;
	struct problem problem = { .text = "" };
	struct built built;

	build(new, &built);
	ck_assert_int_eq(reconcile(&tables, &built.target, holders, &changes, &problem), 0);
	memset(grace_seen, 0, sizeof grace_seen);
	for (size_t i = 0; i < changes->n; i++) {
		apply(&changes->items[i]);
		look(old, new, false);
		note_handover(&changes->items[i]);
	}
	look(old, new, true);
	for (int s = 0; s < N_SEGMENTS; s++)
		ck_assert_msg(old->name_of[s] < 0 || new->name_of[s] < 0 || old->name_of[s] == new->name_of[s] || grace_seen[s],
			      "segment %d passed on without a grace period", s);
	size_t n = changes->n;
	ck_assert_msg(n == 0 || changes->items[n - 1].kind == CHANGE_GRACE || changes->items[n - 1].kind <= CHANGE_SET_PORT,
		      "something was cleared and no grace period follows");
	return n;
}

static const struct wish nothing = { .name_of = { -1, -1, -1, -1 }, .segment_of = { -1, -1, -1, -1, -1, -1 } };

/* --- tests --- */

START_TEST(what_is_so_needs_no_change)
{
	struct wish wish = nothing;

	wish.name_of[0] = 0;
	wish.segment_of[0] = wish.segment_of[1] = 0;
	wish.peer[0][0] = true;
	ck_assert_uint_eq(go(&nothing, &wish), 4); /* a host, a segment, two ports */
	ck_assert_uint_eq(go(&wish, &wish), 0);
	ck_assert_uint_eq(go(&wish, &nothing), 5); /* cleared, and a grace period */
	ck_assert_uint_eq(go(&nothing, &nothing), 0);
}
END_TEST

START_TEST(order_does_not_matter)
{
	struct wish wish = nothing;
	struct built built;
	struct changes *changes;

	wish.name_of[0] = 0;
	wish.segment_of[0] = wish.segment_of[1] = wish.segment_of[2] = 0;
	wish.peer[0][0] = wish.peer[0][1] = true;
	go(&nothing, &wish);
	build(&wish, &built);
	struct target_port port = built.ports[0];
	struct address peer = built.peers[0][0];
	built.ports[0] = built.ports[2];
	built.ports[2] = port;
	built.peers[0][0] = built.peers[0][1];
	built.peers[0][1] = peer;
	ck_assert_int_eq(reconcile(&tables, &built.target, holders, &changes, NULL), 0);
	ck_assert_uint_eq(changes->n, 0);
	changes_free(changes);
}
END_TEST

START_TEST(slots_stay)
{
	struct wish one = nothing, two;

	one.name_of[0] = one.name_of[1] = 0;
	one.segment_of[3] = 0;
	two = one;
	two.segment_of[0] = 0;
	two.segment_of[5] = 0;
	go(&nothing, &one);
	ck_assert_uint_eq(port_ifindex(tables.ports[0].where), IFINDEX + 3);
	go(&one, &two);
	ck_assert_uint_eq(port_ifindex(tables.ports[0].where), IFINDEX + 3);
	ck_assert_uint_eq(port_ifindex(tables.ports[1].where), IFINDEX + 0);
	go(&two, &one);
	ck_assert_uint_eq(port_ifindex(tables.ports[0].where), IFINDEX + 3);
	ck_assert_uint_eq(tables.ports[1].where, 0);
}
END_TEST

START_TEST(uplinks_come_and_go)
{
	struct target_uplink uplink = { .ifindex = 2, .address = peer_address(9) };
	struct target target = { .uplinks = &uplink, .n_uplinks = 1 };
	struct changes *changes;

	ck_assert_int_eq(reconcile(&tables, &target, NULL, &changes, NULL), 0);
	ck_assert_uint_eq(changes->n, 1);
	apply(&changes->items[0]);
	changes_free(changes);
	ck_assert_int_eq(reconcile(&tables, &target, NULL, &changes, NULL), 0);
	ck_assert_uint_eq(changes->n, 0);
	changes_free(changes);
	uplink.ifindex = 5; /* the device was replaced */
	ck_assert_int_eq(reconcile(&tables, &target, NULL, &changes, NULL), 0);
	ck_assert_int_eq(changes->items[0].kind, CHANGE_SET_UPLINK);
	ck_assert_uint_eq(changes->items[0].slot, 1);
	ck_assert_int_eq(changes->items[1].kind, CHANGE_CLEAR_UPLINK);
	ck_assert_uint_eq(changes->items[1].slot, 0);
	changes_free(changes);
}
END_TEST

START_TEST(tables_have_an_end)
{
	struct target_port *ports = calloc(TABLE_PORTS + 1, sizeof *ports);
	struct target target = { .ports = ports, .n_ports = TABLE_PORTS + 1 };
	struct changes *changes = NULL;
	struct problem problem;

	for (int i = 0; i <= TABLE_PORTS; i++)
		ports[i] = (struct target_port){ .ifindex = IFINDEX + i, .vn_id = VN_ID };
	ck_assert_int_eq(reconcile(&tables, &target, NULL, &changes, &problem), -ENOSPC);
	ck_assert_ptr_null(changes);
	ck_assert_str_eq(problem.text, "ports: 4096 are in use; remove some before adding others");
	free(ports);
}
END_TEST

static unsigned random_below(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static void change_a_little(struct wish *wish, unsigned *seed)
{
	for (unsigned i = random_below(seed, 4) + 1; i > 0; i--) {
		int s = random_below(seed, N_SEGMENTS), p = random_below(seed, N_PORTS);
		switch (random_below(seed, 4)) {
		case 0:
			wish->name_of[s] = (int)random_below(seed, N_NAMES + 1) - 1;
			break;
		case 1:
			wish->segment_of[p] = (int)random_below(seed, N_SEGMENTS + 1) - 1;
			break;
		case 2:
			wish->peer[s][p % N_PEERS] = !wish->peer[s][p % N_PEERS];
			break;
		case 3:
			wish->down[s] = !wish->down[s];
			break;
		}
	}
}

/* A history of forty changes for each seed. */
START_TEST(whatever_changes)
{
	struct wish old = nothing, new;
	unsigned seed = _i;

	for (int i = 0; i < 40; i++) {
		new = old;
		change_a_little(&new, &seed);
		go(&old, &new);
		old = new;
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reconcile");
	TCase *tcase = tcase_create("reconcile");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, what_is_so_needs_no_change);
	tcase_add_test(tcase, order_does_not_matter);
	tcase_add_test(tcase, slots_stay);
	tcase_add_test(tcase, uplinks_come_and_go);
	tcase_add_test(tcase, tables_have_an_end);
	tcase_add_loop_test(tcase, whatever_changes, 0, 25);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
