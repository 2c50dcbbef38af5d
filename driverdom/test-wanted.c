/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wanted.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

#define NODES(...) (struct node[]){ __VA_ARGS__ }, sizeof((struct node[]){ __VA_ARGS__ }) / sizeof(struct node)

static struct wanted *wanted;

static void parse_held(struct node *nodes, size_t n, const char *const *holder_of)
{
	wanted_free(wanted);
	wanted = NULL;
	ck_assert_int_eq(wanted_parse(nodes, n, holder_of, &wanted), 0);
}

static void parse(struct node *nodes, size_t n)
{
	parse_held(nodes, n, NULL);
}

static void teardown(void)
{
	wanted_free(wanted);
	wanted = NULL;
}

static const char *address_text(const struct address *address)
{
	static char text[INET_ADDRSTRLEN];

	return inet_ntop(AF_INET, &address->word[3], text, sizeof text);
}

START_TEST(takes_a_segment)
{
	parse(NODES({ "segment/blue.l1/state", "down" }, { "segment/blue.l1/port", "5001" }, { "segment/blue.l1/mtu", "1400" },
		    { "segment/blue.l1/peers", " 192.0.2.12  192.0.2.13\n" }));
	ck_assert_uint_eq(wanted->n_refusals, 0);
	ck_assert_uint_eq(wanted->n_segments, 1);
	const struct wanted_segment *segment = wanted_segment(wanted, "blue.l1");
	ck_assert_ptr_nonnull(segment);
	ck_assert_uint_eq(segment->vn_id, 5001);
	ck_assert_uint_eq(segment->mtu, 1400);
	ck_assert(segment->down);
	ck_assert_uint_eq(segment->n_peers, 2);
	ck_assert_str_eq(address_text(&segment->peers[1]), "192.0.2.13");
	ck_assert_ptr_null(wanted_segment(wanted, "blue.l2"));
}
END_TEST

START_TEST(keeps_names_apart_that_sort_between)
{
	parse(NODES({ "segment/a/port", "5001" }, { "segment/a.b/port", "5002" }, { "segment/a-b/port", "5003" },
		    { "segment/a/state", "down" }, { "segment/a.b/state", "up" }));
	ck_assert_uint_eq(wanted->n_segments, 3);
	ck_assert(wanted_segment(wanted, "a")->down);
	ck_assert(!wanted_segment(wanted, "a.b")->down);
	ck_assert_uint_eq(wanted_segment(wanted, "a-b")->vn_id, 5003);
}
END_TEST

START_TEST(takes_ports_and_uplinks)
{
	parse(NODES({ "port/vif3.0/segment", "blue.l1" }, { "port/vif3.0/mac", "00:16:3E:00:00:0a" }, { "uplink/eth0", "" },
		    { "uplink/eth1", "192.0.2.11/24" }, { "uplink/vf0", "mac=00:16:3e:00:00:01 addr=192.0.2.12" },
		    { "generation", "7" }));
	ck_assert_uint_eq(wanted->n_refusals, 0);
	ck_assert_uint_eq(wanted->n_ports, 1);
	ck_assert_str_eq(wanted->ports[0].segment, "blue.l1");
	ck_assert_uint_eq(wanted->ports[0].guard, PORT_PINNED | 0x00163e00000aULL);
	ck_assert_uint_eq(wanted->n_uplinks, 3);
	ck_assert_uint_eq(wanted->uplinks[0].address.word[3], 0);
	ck_assert_uint_eq(wanted->uplinks[1].prefix_length, 24);
	ck_assert_uint_eq(wanted->uplinks[2].mac, 0x00163e000001ULL);
	ck_assert_str_eq(address_text(&wanted->uplinks[2].address), "192.0.2.12");
}
END_TEST

/* Each bad node refuses its object with this text, and no other. */
static const struct bad {
	struct node node;
	const char *text;
} bad_nodes[] = {
	{ { "segment/x/port", "" }, "segment x: port \"\" is no number" },
	{ { "segment/x/port", "50o1" }, "segment x: port \"50o1\" is no number" },
	{ { "segment/x/port", "-5001" }, "is no number" },
	{ { "segment/x/port", " 5001" }, "is no number" },
	{ { "segment/x/port", "1023" }, "port 1023 is out of range; give one from 1024 to 65535" },
	{ { "segment/x/port", "65536" }, "port 65536 is out of range" },
	{ { "segment/x/port", "99999999999999999999999" }, "is no number" },
	{ { "segment/x/port", "4789" }, "port 4789 is reserved for another protocol" },
	{ { "segment/x/mtu", "67" }, "mtu \"67\": give a number from 68" },
	{ { "segment/x/mtu", "65535" }, "mtu \"65535\"" },
	{ { "segment/x/state", "" }, "state \"\": write up or down" },
	{ { "segment/x/peers", "192.0.2.1 192.0.2.1" }, "peers: 192.0.2.1 is listed twice" },
	{ { "segment/x/peers", "192.0.2" }, "peers: \"192.0.2\" is no address" },
	{ { "segment/x/peers", "2001:db8::1" }, "IPv6 underlay is not carried yet" },
	{ { "segment/x/peers", "224.0.0.1" }, "no address of a host" },
	{ { "segment/x/peers", "127.0.0.1" }, "no address of a host" },
	{ { "segment/x/peers", "0.0.0.0" }, "no address of a host" },
	{ { "segment/x/peers", "evil\n\x1b[31mred" }, "peers: \"evil\" is no address" },
	{ { "port/x/segment", "" }, "port x: segment \"\" cannot be" },
	{ { "port/x/mac", "00:16:3e:00:00" }, "mac \"00:16:3e:00:00\" is no MAC address" },
	{ { "port/x/mac", "00:16:3e:00:00:0g" }, "is no MAC address" },
	{ { "port/x/mac", "00-16-3e-00-00-01" }, "is no MAC address" },
	{ { "port/x/mac", "01:00:5e:00:00:01" }, "is a group address or zero" },
	{ { "port/x/mac", "00:00:00:00:00:00" }, "is a group address or zero" },
	{ { "port/sixteen-letters1/mac", "00:16:3e:00:00:01" }, "longer than 15" },
	{ { "uplink/x", "192.0.2.1/33" }, "uplink x: prefix length \"33\"" },
	{ { "uplink/x", "192.0.2.1/0" }, "prefix length" },
	{ { "uplink/x", "mac=00" }, "mac \"00\" is no MAC address" },
	{ { "uplink/x", "hello" }, "\"hello\" is no address" },
};

START_TEST(refuses_what_is_bad)
{
	const struct bad *bad = &bad_nodes[_i];

	parse(NODES({ "segment/good/port", "5001" }, { "segment/x/port", "5002" }, { "port/x/segment", "good" }, bad->node));
	ck_assert_msg(wanted->n_refusals == 1, "%s=%s was taken", bad->node.path, bad->node.value);
	ck_assert_msg(strstr(wanted->refusals[0].text, bad->text), "%s=%s: %s", bad->node.path, bad->node.value,
		      wanted->refusals[0].text);
	ck_assert_ptr_nonnull(wanted_segment(wanted, "good"));
}
END_TEST

START_TEST(refuses_what_is_not_whole)
{
	parse(NODES({ "segment/x/peers", "" }, { "port/eth1/mac", "00:16:3e:00:00:01" }));
	ck_assert_uint_eq(wanted->n_refusals, 2);
	ck_assert_str_eq(wanted->refusals[0].text, "port eth1: it has no segment; write port/eth1/segment");
	ck_assert_str_eq(wanted->refusals[1].text, "segment x: it has no port; write segment/x/port");
}
END_TEST

START_TEST(shows_no_control_characters)
{
	parse(NODES({ "segment/x/state", "\x1b[31m" }));
	ck_assert_ptr_nonnull(strstr(wanted->refusals[0].text, "\"?[31m\""));
}
END_TEST

START_TEST(one_port_one_segment)
{
	parse(NODES({ "segment/b/port", "5001" }, { "segment/a/port", "5001" }, { "segment/c/port", "5002" }));
	ck_assert_uint_eq(wanted->n_segments, 2);
	ck_assert_ptr_nonnull(wanted_segment(wanted, "a"));
	ck_assert_str_eq(wanted->refusals[0].text, "segment b: port 5001 belongs to segment a; give one of them another port");
}
END_TEST

START_TEST(who_has_a_port_keeps_it)
{
	static const char *holder_of[TABLE_SEGMENTS] = { [5001] = "b" };

	parse_held(NODES({ "segment/b/port", "5001" }, { "segment/a/port", "5001" }), holder_of);
	ck_assert_ptr_nonnull(wanted_segment(wanted, "b"));
	ck_assert_str_eq(wanted->refusals[0].name, "a");
	parse_held(NODES({ "segment/b/port", "5002" }, { "segment/a/port", "5001" }), holder_of);
	ck_assert_uint_eq(wanted->n_refusals, 0);
}
END_TEST

START_TEST(peers_have_a_limit)
{
	char peers[SEGMENT_PEERS_MAX * 16 + 32] = "";

	for (int i = 1; i <= SEGMENT_PEERS_MAX; i++)
		sprintf(peers + strlen(peers), "192.0.2.%d ", i);
	parse(NODES({ "segment/x/port", "5001" }, { "segment/x/peers", peers }));
	ck_assert_uint_eq(wanted->segments[0].n_peers, SEGMENT_PEERS_MAX);
	strcat(peers, "192.0.3.1");
	parse(NODES({ "segment/x/port", "5001" }, { "segment/x/peers", peers }));
	ck_assert_ptr_nonnull(strstr(wanted->refusals[0].text, "peers: more than 32"));
}
END_TEST

START_TEST(nothing_is_wanted)
{
	parse(NULL, 0);
	ck_assert_uint_eq(wanted->n_segments + wanted->n_ports + wanted->n_uplinks + wanted->n_refusals, 0);
	parse(NODES({ "segment/\033[31m/port", "5001" }, { "segment/a b/port", "5001" }, { "segment//port", "5001" }));
	ck_assert_uint_eq(wanted->n_segments + wanted->n_refusals, 0);
	parse(NODES({ "segment", "" }, { "segment/", "" }, { "other/x", "" }, { "", "" }));
	ck_assert_uint_eq(wanted->n_segments + wanted->n_ports + wanted->n_uplinks + wanted->n_refusals, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wanted");
	TCase *tcase = tcase_create("wanted");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, takes_a_segment);
	tcase_add_test(tcase, keeps_names_apart_that_sort_between);
	tcase_add_test(tcase, takes_ports_and_uplinks);
	tcase_add_loop_test(tcase, refuses_what_is_bad, 0, N_ELEMENTS(bad_nodes));
	tcase_add_test(tcase, refuses_what_is_not_whole);
	tcase_add_test(tcase, shows_no_control_characters);
	tcase_add_test(tcase, one_port_one_segment);
	tcase_add_test(tcase, who_has_a_port_keeps_it);
	tcase_add_test(tcase, peers_have_a_limit);
	tcase_add_test(tcase, nothing_is_wanted);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
