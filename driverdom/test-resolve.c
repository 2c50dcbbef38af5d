/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resolve.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#define ADDRESS(text) { .word = { 0, 0, htonl(0xffff), inet_addr(text) } }
#define NODES(...) (struct node[]){ __VA_ARGS__ }, sizeof((struct node[]){ __VA_ARGS__ }) / sizeof(struct node)

static struct wanted *wanted;
static struct target *target;
static struct link devices[6];
static struct links links;

static void setup(void)
{
	memcpy(devices,
	       (struct link[6]){
		       { .ifindex = 2, .name = "eth0", .mtu = 1500, .n_addresses = 2 },
		       { .ifindex = 3, .name = "eth1", .mtu = 9000, .mac = 0x00163e000001ULL },
		       { .ifindex = 7, .name = "vif3.0" },
		       { .ifindex = 8, .name = "vif4.0" },
		       { .ifindex = 9, .name = "vif5.0" },
	       },
	       sizeof devices);
	devices[0].addresses[0] = (struct address)ADDRESS("192.0.2.11");
	devices[0].addresses[1] = (struct address)ADDRESS("198.51.100.11");
	links = (struct links){ devices, 5 };
}

static void teardown(void)
{
	target_free(target);
	wanted_free(wanted);
	target = NULL;
	wanted = NULL;
}

static void make(struct node *nodes, size_t n, const struct wanted_port *vif_ports, size_t n_vif_ports)
{
	teardown();
	ck_assert_int_eq(wanted_parse(nodes, n, NULL, &wanted), 0);
	ck_assert_int_eq(resolve(wanted, vif_ports, n_vif_ports, &links, &target), 0);
}

static void check_status(enum wanted_kind kind, const char *name, const char *text)
{
	const struct status *status = target_status(target, kind, name);

	ck_assert_ptr_nonnull(status);
	ck_assert_str_eq(status->text, text);
}

START_TEST(all_of_it)
{
	const struct wanted_port vif = { .ifname = "vif3.0", .segment = "blue", .guard = PORT_PINNED | 1 };

	make(NODES({ "uplink/eth0", "auto" }, { "segment/blue/port", "5001" }, { "segment/blue/peers", "192.0.2.12" },
		   { "segment/red/port", "5000" }, { "segment/red/state", "down" }, { "port/vif4.0/segment", "red" }),
	     &vif, 1);
	ck_assert_uint_eq(target->n_ports, 2);
	ck_assert_uint_eq(target->segments[0].vn_id, 5000);
	ck_assert_uint_eq(target->ports[1].ifindex, 7);
	ck_assert_uint_eq(target->ports[1].guard, PORT_PINNED | 1);
	ck_assert_uint_eq(target->ports[1].mtu, 1458);
	check_status(WANTED_UPLINK, "eth0", "active addr=192.0.2.11 mode=tc");
	check_status(WANTED_SEGMENT, "blue", "active ports=1 peers=1");
	check_status(WANTED_SEGMENT, "red", "active ports=1 peers=0 state=down");
	check_status(WANTED_PORT, "vif3.0", "active segment=blue");
}
END_TEST

START_TEST(uplinks)
{
	make(NODES({ "uplink/eth0", "198.51.100.11" }, { "uplink/vf0", "mac=00:16:3e:00:00:01 addr=203.0.113.1/24" },
		   { "uplink/eth9", "" }, { "segment/blue/port", "5001" }, { "port/vif3.0/segment", "blue" }),
	     NULL, 0);
	check_status(WANTED_UPLINK, "eth0", "active addr=198.51.100.11 mode=tc");
	check_status(WANTED_UPLINK, "vf0", "active addr=203.0.113.1 mode=tc dev=eth1");
	check_status(WANTED_UPLINK, "eth9", "waiting: uplink eth9: no network device of this name; it is taken when it appears");
	ck_assert_int_eq(target_status(target, WANTED_UPLINK, "eth9")->state, STATUS_WAITING);
	ck_assert_uint_eq(target->uplinks[1].ifindex, 3);
	ck_assert_uint_eq(target->ports[0].mtu, 1458); /* of the smaller uplink */
	make(NODES({ "uplink/eth0", "192.0.2.99" }, { "uplink/eth1", "" }), NULL, 0);
	check_status(WANTED_UPLINK, "eth0",
		     "error: uplink eth0: 192.0.2.99 is no address of eth0; add it there, or write it as 192.0.2.99/LENGTH to have it added");
	check_status(WANTED_UPLINK, "eth1",
		     "error: uplink eth1: eth1 has no IPv4 address; give it one or write it as ADDRESS/LENGTH");
	ck_assert_uint_eq(target->n_uplinks, 0);
}
END_TEST

START_TEST(refuses_what_cannot_be)
{
	const struct wanted_port vif = { .ifname = "vif5.0", .segment = "blue", .guard = PORT_PINNED | 0x00163e000001ULL };

	make(NODES({ "uplink/eth0", "" }, { "segment/blue/port", "5001" }, { "segment/self/port", "5002" },
		   { "segment/self/peers", "192.0.2.12 192.0.2.11" }, { "port/vif3.0/segment", "blue" },
		   { "port/vif3.0/mac", "00:16:3e:00:00:01" }, { "port/vif4.0/segment", "self" }, { "port/eth0/segment", "blue" },
		   { "port/eth7/segment", "blue" }, { "port/eth8/segment", "green" }),
	     &vif, 1);
	check_status(WANTED_SEGMENT, "self",
		     "error: segment self: peers: 192.0.2.11 is this host itself; list only the other hosts of the segment");
	check_status(WANTED_PORT, "vif4.0", "error: port vif4.0: segment self is unknown or refused; write or repair segment/self");
	check_status(WANTED_PORT, "eth0", "error: port eth0: it is an uplink; a device cannot be both");
	check_status(WANTED_PORT, "eth7", "waiting: port eth7: no network device of this name; it is attached when it appears");
	ck_assert_int_eq(target_status(target, WANTED_PORT, "eth7")->state, STATUS_WAITING);
	ck_assert_int_eq(target_status(target, WANTED_PORT, "eth8")->state, STATUS_REFUSED);
	check_status(WANTED_PORT, "vif5.0", "error: port vif5.0: its mac is pinned to vif3.0 on segment blue already; give it another");
	check_status(WANTED_SEGMENT, "blue", "active ports=1 peers=0");
	ck_assert_uint_eq(target->n_ports, 1);
}
END_TEST

START_TEST(the_same_mac_on_two_segments_is_right)
{
	make(NODES({ "segment/blue/port", "5001" }, { "segment/red/port", "5002" }, { "port/vif3.0/segment", "blue" },
		   { "port/vif3.0/mac", "00:16:3e:00:00:01" }, { "port/vif4.0/segment", "red" },
		   { "port/vif4.0/mac", "00:16:3e:00:00:01" }),
	     NULL, 0);
	ck_assert_uint_eq(target->n_ports, 2);
	ck_assert_uint_eq(target->ports[0].mtu, 1500); /* no uplink */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resolve");
	TCase *tcase = tcase_create("resolve");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, all_of_it);
	tcase_add_test(tcase, uplinks);
	tcase_add_test(tcase, refuses_what_cannot_be);
	tcase_add_test(tcase, the_same_mac_on_two_segments_is_right);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
