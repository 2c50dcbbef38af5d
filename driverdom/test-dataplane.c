/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BPF programs, frame by frame (BPF_PROG_TEST_RUN), in a network namespace of the test's own:
 *
 *    port 3 "p0", pinned MAC 02:..:01 --+                       neighbour 02:aa:00:00:00:02
 *    port 5 "p1", pinned MAC 02:..:02 --+-- segment 5001 --- uplink "u0" 192.0.2.11 --- peer 192.0.2.12
 *                    segment 5002: no port, the same peer
 *
 * Exits with 77 where there are no rights, no BPF or no namespaces. What clones do is seen in test-driverdom-netns.
 */
#include "dataplane.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <check.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/wire.h"

enum { BLUE = 5001, LONELY = 5002, SKIPPED = 77, FRAME_MAX = 2048 };

static struct dataplane *dataplane;
static unsigned p0, p1, u0;

static const uint8_t host_mac[6] = { 0x02, 0xaa, 0, 0, 0, 1 }, peer_mac[6] = { 0x02, 0xaa, 0, 0, 0, 2 };

static struct address address_of(const char *text)
{
	return (struct address){ .word = { 0, 0, htonl(0xffff), inet_addr(text) } };
}

/* --- the tables --- */

static void apply(struct change change)
{
	struct problem problem = { .text = "" };

	ck_assert_msg(dataplane_apply(dataplane, &change, &problem) == 0, "%s", problem.text);
}

static void set_segment(uint32_t vn_id, uint8_t flags, uint8_t n_ports, uint8_t n_peers)
{
	struct segment_list members = { .ports = { 0, 1 }, .peers = { 0 } };
	struct change change = { .kind = CHANGE_SET_SEGMENT, .slot = vn_id, .members = &members };

	change.segment.name = vn_id == BLUE ? "blue" : "lonely";
	change.segment.head = segment_head(SEGMENT_USED | flags, 0, n_ports, n_peers, 1458);
	apply(change);
}

static void set_port(uint32_t slot, uint32_t ifindex, uint16_t vn_id, uint64_t mac)
{
	struct port_entry entry = { .where = port_where(ifindex, vn_id), .guard = PORT_PINNED | mac };

	apply((struct change){ .kind = CHANGE_SET_PORT, .slot = slot, .port = entry });
}

static void setup(void)
{
	struct problem problem;

	ck_assert_msg(dataplane_open(NULL, &dataplane, &problem) == 0, "%s", problem.text);
	p0 = if_nametoindex("p0");
	p1 = if_nametoindex("p1");
	u0 = if_nametoindex("u0");
	apply((struct change){ .kind = CHANGE_SET_UPLINK, .slot = 0,
			       .uplink = { .ifindex = u0, .flags = UPLINK_USED, .address = address_of("192.0.2.11") } });
	apply((struct change){ .kind = CHANGE_SET_HOST, .slot = 0,
			       .host = { .address = address_of("192.0.2.12"), .flags = HOST_USED } });
	set_port(0, p0, BLUE, 0x020000000001);
	set_port(1, p1, BLUE, 0x020000000002);
	set_segment(BLUE, 0, 2, 1);
	set_segment(LONELY, 0, 0, 1);
}

static void teardown(void)
{
	dataplane_close(dataplane);
}

/* --- running --- */

struct result {
	int verdict;
	uint8_t frame[FRAME_MAX];
	uint32_t size;
};

static struct result run(int program_fd, unsigned ifindex, const void *frame, size_t size)
{
	struct __sk_buff context = { .ifindex = ifindex };
	struct result result = { .size = 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = size, .data_out = result.frame,
		    .data_size_out = sizeof result.frame, .ctx_in = &context, .ctx_size_in = sizeof context);

	int r = bpf_prog_test_run_opts(program_fd, &options);
	ck_assert_msg(r == 0, "BPF_PROG_TEST_RUN: %s", strerror(-r));
	result.verdict = options.retval;
	result.size = options.data_size_out;
	return result;
}

static uint64_t drops(uint32_t vn_id, enum drop why)
{
	struct segment_stats stats;

	ck_assert_int_eq(stats_read(dataplane_stats_fd(dataplane), vn_id, &stats), 0);
	return stats.dropped[why];
}

static void check_drop(int program_fd, unsigned ifindex, const void *frame, size_t size, uint32_t vn_id, enum drop why)
{
	uint64_t before = drops(vn_id, why);

	ck_assert_int_eq(run(program_fd, ifindex, frame, size).verdict, TC_ACT_SHOT);
	ck_assert_uint_eq(drops(vn_id, why), before + 1);
}

/* --- frames --- */

struct frame {
	const char *what;
	uint16_t type;
	uint8_t payload[80];
	size_t size; /* of the payload */
};

static const struct frame frames[] = {
	{ "ARP", ETH_P_ARP, { 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2 }, 28 },
	{ "IPv4", ETH_P_IP,
	  { 0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0x66, 0xcb, 10, 0, 0, 1, 10, 0, 0, 2, 0x10, 0, 0x20, 0, 0, 12, 0, 0, 'd', 'a', 't', 'a' },
	  32 },
	{ "IPv6", ETH_P_IPV6,
	  { 0x60, 0, 0, 0, 0, 12, 17, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	    0, 2, 0x10, 0, 0x20, 0, 0, 12, 0, 0, 'd', 'a', 't', 'a' },
	  52 },
	{ "experimental", 0x88b5, { "twenty bytes at least" }, 21 },
};

/* Inner frame of port p0 (or for it) in `buffer`; returns its size. */
static size_t inner_frame(uint8_t *buffer, const struct frame *frame, uint64_t dst, uint64_t src)
{
	for (int i = 0; i < 6; i++) {
		buffer[i] = dst >> (40 - 8 * i);
		buffer[6 + i] = src >> (40 - 8 * i);
	}
	buffer[12] = frame->type >> 8;
	buffer[13] = frame->type & 0xff;
	memcpy(buffer + 14, frame->payload, frame->size);
	return 14 + frame->size;
}

/* The checksum once more, so that a fault of the program's is no fault of the expectation. */
static uint16_t sum_of(const uint8_t *header, size_t size)
{
	unsigned long sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += header[i] << 8 | header[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static size_t outer_frame(uint8_t *buffer, const uint8_t *dst_mac, const uint8_t *src_mac, const char *src, const char *dst,
			  uint16_t flow_port, uint16_t vn_id, const uint8_t *inner, size_t inner_size)
{
	size_t ip_length = 28 + inner_size;
	uint8_t header[42] = {
		[12] = 0x08, 0x00, 0x45, 0, ip_length >> 8, ip_length & 0xff, flow_port >> 8, flow_port & 0xff, 0x40, 0, 64, 17,
		[34] = flow_port >> 8, flow_port & 0xff, vn_id >> 8, vn_id & 0xff, (ip_length - 20) >> 8, (ip_length - 20) & 0xff,
	};
	uint32_t addresses[2] = { inet_addr(src), inet_addr(dst) };

	memcpy(header, dst_mac, 6);
	memcpy(header + 6, src_mac, 6);
	memcpy(header + 26, addresses, 8);
	uint16_t sum = sum_of(header + 14, 20);
	header[24] = sum >> 8;
	header[25] = sum & 0xff;
	memcpy(buffer, header, sizeof header);
	memcpy(buffer + sizeof header, inner, inner_size);
	return sizeof header + inner_size;
}

static size_t from_peer(uint8_t *buffer, const char *src, uint16_t vn_id, const uint8_t *inner, size_t inner_size)
{
	return outer_frame(buffer, host_mac, peer_mac, src, "192.0.2.11", 50000, vn_id, inner, inner_size);
}

/* --- guest to underlay --- */

START_TEST(wraps)
{
	const struct frame *frame = &frames[_i];
	uint8_t inner[256], expected[512];

	size_t size = inner_frame(inner, frame, 0x020000000007, 0x020000000001); /* nobody's here: the peer may know */
	struct result result = run(dataplane_out_fd(dataplane), p0, inner, size);
	ck_assert_int_eq(result.verdict, TC_ACT_REDIRECT);
	uint16_t flow_port = result.frame[34] << 8 | result.frame[35];
	ck_assert_uint_ge(flow_port, 49152);
	size = outer_frame(expected, peer_mac, host_mac, "192.0.2.11", "192.0.2.12", flow_port, BLUE, inner, size);
	ck_assert_uint_eq(result.size, size);
	ck_assert_mem_eq(result.frame, expected, size);
}
END_TEST

START_TEST(pads_what_is_too_short)
{
	uint8_t inner[60] = { 0 }, expected[512];

	inner_frame(inner, &frames[3], 0xffffffffffff, 0x020000000001);
	memset(inner + 20, 0, 40);
	set_segment(BLUE, 0, 1, 1);
	struct result result = run(dataplane_out_fd(dataplane), p0, inner, 20);
	size_t size = outer_frame(expected, peer_mac, host_mac, "192.0.2.11", "192.0.2.12",
				  result.frame[34] << 8 | result.frame[35], BLUE, inner, 60);
	ck_assert_uint_eq(result.size, size);
	ck_assert_mem_eq(result.frame, expected, size);
}
END_TEST

START_TEST(one_flow_one_port)
{
	uint8_t inner[256];
	size_t size = inner_frame(inner, &frames[1], 0x020000000007, 0x020000000001);
	struct result first = run(dataplane_out_fd(dataplane), p0, inner, size), second;
	int n_others = 0;

	second = run(dataplane_out_fd(dataplane), p0, inner, size);
	ck_assert_mem_eq(first.frame + 34, second.frame + 34, 2);
	for (int i = 0; i < 8; i++) {
		inner[35] = i; /* UDP source port */
		second = run(dataplane_out_fd(dataplane), p0, inner, size);
		n_others += memcmp(first.frame + 34, second.frame + 34, 2) != 0;
	}
	ck_assert_int_ge(n_others, 6);
}
END_TEST

START_TEST(stays_on_the_host)
{
	uint8_t inner[256];
	size_t size = inner_frame(inner, &frames[1], 0x020000000002, 0x020000000001); /* p1's MAC */
	struct result result = run(dataplane_out_fd(dataplane), p0, inner, size);

	ck_assert_int_eq(result.verdict, TC_ACT_REDIRECT);
	ck_assert_uint_eq(result.size, size);
	ck_assert_mem_eq(result.frame, inner, size);
}
END_TEST

/* A change never writes the list that programs are reading. */
START_TEST(lists_take_turns)
{
	const struct segment_entry *segment = &dataplane_tables(dataplane)->segments[BLUE];

	for (int i = 0; i < 3; i++) {
		unsigned in_force = segment_list_index(segment->head);
		struct segment_list before = segment->lists[in_force];
		set_segment(BLUE, 0, i, 1);
		ck_assert_uint_ne(segment_list_index(segment->head), in_force);
		ck_assert_mem_eq(&segment->lists[in_force], &before, sizeof before);
		ck_assert_uint_eq(segment_n_ports(segment->head), i);
	}
}
END_TEST

/* A slot in a segment's list counts only while the port in it says that it is on that segment, as during a change. */
START_TEST(asks_the_port_itself)
{
	uint8_t inner[256];
	size_t size = inner_frame(inner, &frames[1], 0x020000000002, 0x020000000001); /* p1's MAC */

	set_port(1, p1, LONELY, 0x020000000002);
	ck_assert_uint_eq(run(dataplane_out_fd(dataplane), p0, inner, size).size, size + WIRE_OUTER); /* to the peer */
}
END_TEST

/* Only p0 itself has this MAC address: the frame goes to the peer, not back. */
START_TEST(never_back_to_its_sender)
{
	uint8_t inner[256];
	size_t size = inner_frame(inner, &frames[1], 0x020000000001, 0x020000000001);

	ck_assert_uint_eq(run(dataplane_out_fd(dataplane), p0, inner, size).size, size + WIRE_OUTER);
}
END_TEST

START_TEST(drops_at_a_port)
{
	uint8_t inner[FRAME_MAX] = { 0 };
	int out = dataplane_out_fd(dataplane);

	size_t size = inner_frame(inner, &frames[1], 0x020000000007, 0x020000000009);
	check_drop(out, p0, inner, size, BLUE, DROP_FORGED_MAC);
	inner_frame(inner, &frames[1], 0x020000000007, 0x030000000001);
	check_drop(out, p0, inner, size, BLUE, DROP_FORGED_MAC);
	inner_frame(inner, &frames[1], 0x020000000007, 0x020000000001);
	check_drop(out, u0, inner, size, 0, DROP_NO_PORT);
	check_drop(out, p0, inner, 1600, BLUE, DROP_TOO_BIG);
	set_segment(BLUE, SEGMENT_DOWN, 2, 1);
	check_drop(out, p0, inner, size, BLUE, DROP_LINK_DOWN);
	set_segment(BLUE, 0, 1, 0);
	check_drop(out, p0, inner, size, BLUE, DROP_NOWHERE);
	apply((struct change){ .kind = CHANGE_CLEAR_SEGMENT, .slot = BLUE });
	check_drop(out, p0, inner, size, 0, DROP_NO_SEGMENT);
	apply((struct change){ .kind = CHANGE_CLEAR_PORT, .slot = 0 });
	check_drop(out, p0, inner, size, 0, DROP_NO_PORT);
}
END_TEST

START_TEST(drops_without_a_way)
{
	uint8_t inner[256];
	size_t size = inner_frame(inner, &frames[1], 0x020000000007, 0x020000000001);
	int out = dataplane_out_fd(dataplane);
	struct change host = { .kind = CHANGE_SET_HOST, .slot = 0 };

	host.host = (struct host_entry){ .address = address_of("192.0.2.77"), .flags = HOST_USED };
	apply(host);
	check_drop(out, p0, inner, size, BLUE, DROP_NO_NEIGHBOUR);
	host.host.address = address_of("203.0.113.1");
	apply(host);
	check_drop(out, p0, inner, size, BLUE, DROP_NO_ROUTE);
	host.host.address = address_of("192.0.2.12");
	apply(host);
	apply((struct change){ .kind = CHANGE_CLEAR_UPLINK, .slot = 0 });
	check_drop(out, p0, inner, size, BLUE, DROP_NO_UPLINK);
}
END_TEST

/* --- underlay to guest --- */

START_TEST(strips)
{
	uint8_t inner[256], outer[512];
	size_t size = inner_frame(inner, &frames[_i], 0x020000000001, 0x020000000007);
	size_t outer_size = from_peer(outer, "192.0.2.12", BLUE, inner, size);
	struct result result = run(dataplane_in_fd(dataplane), u0, outer, outer_size);

	ck_assert_int_eq(result.verdict, TC_ACT_REDIRECT);
	ck_assert_uint_eq(result.size, size);
	ck_assert_mem_eq(result.frame, inner, size);
}
END_TEST

static uint8_t *resum(uint8_t *outer)
{
	outer[24] = outer[25] = 0;
	uint16_t sum = sum_of(outer + 14, 20);
	outer[24] = sum >> 8;
	outer[25] = sum & 0xff;
	return outer;
}

START_TEST(drops_from_the_underlay)
{
	uint8_t inner[256], outer[512];
	int in = dataplane_in_fd(dataplane);
	size_t size = inner_frame(inner, &frames[1], 0x020000000001, 0x020000000007);

	size_t outer_size = from_peer(outer, "192.0.2.13", BLUE, inner, size);
	check_drop(in, u0, outer, outer_size, BLUE, DROP_NOT_A_PEER);
	from_peer(outer, "192.0.2.12", LONELY, inner, size);
	check_drop(in, u0, outer, outer_size, LONELY, DROP_NOT_HERE);
	from_peer(outer, "192.0.2.12", BLUE, inner, size);
	check_drop(in, u0, outer, outer_size - 1, BLUE, DROP_SHORT);
	outer[17] = 41;
	check_drop(in, u0, resum(outer), outer_size, BLUE, DROP_SHORT);
	from_peer(outer, "192.0.2.12", BLUE, inner, size);
	outer[20] = 0x20;
	check_drop(in, u0, resum(outer), outer_size, BLUE, DROP_FRAGMENT);
	inner_frame(inner, &frames[1], 0x020000000007, 0x020000000008);
	from_peer(outer, "192.0.2.12", BLUE, inner, size);
	check_drop(in, u0, outer, outer_size, BLUE, DROP_NOT_HERE);
	set_segment(BLUE, SEGMENT_DOWN, 2, 1);
	check_drop(in, u0, outer, outer_size, BLUE, DROP_LINK_DOWN);
}
END_TEST

/* Each is what a peer sends but for one thing, and goes to the host's stack byte by byte as it came. */
START_TEST(leaves_the_rest_to_the_host)
{
	static const struct {
		size_t offset;
		uint8_t value;
		bool valid_sum;
	} others[] = {
		{ 33, 12, true },     /* for another address */
		{ 36, 0x14, true },   /* another UDP port */
		{ 23, 6, true },      /* TCP */
		{ 12, 0x86, true },   /* not IPv4 */
		{ 14, 0x46, true },   /* options */
		{ 21, 1, true },      /* a later fragment */
		{ 24, 0, false },     /* a wrong checksum */
	};
	uint8_t inner[256], outer[512];
	size_t size = inner_frame(inner, &frames[1], 0x020000000001, 0x020000000007);
	size_t outer_size = from_peer(outer, "192.0.2.12", BLUE, inner, size);

	outer[others[_i].offset] = others[_i].value;
	if (others[_i].valid_sum)
		resum(outer);
	struct result result = run(dataplane_in_fd(dataplane), u0, outer, outer_size);
	ck_assert_int_eq(result.verdict, TC_ACT_OK);
	ck_assert_uint_eq(result.size, outer_size);
	ck_assert_mem_eq(result.frame, outer, outer_size);
}
END_TEST

/* However a frame is cut (the kernel wants an IP header whole to run a test), it goes to the host or is dropped. */
START_TEST(survives_every_length)
{
	uint8_t inner[256], outer[512];
	size_t size = inner_frame(inner, &frames[2], 0x020000000001, 0x020000000007);
	size_t outer_size = from_peer(outer, "192.0.2.12", BLUE, inner, size);

	for (size_t n = 14 + 20; n < outer_size; n++)
		ck_assert_int_ne(run(dataplane_in_fd(dataplane), u0, outer, n).verdict, TC_ACT_REDIRECT);
	for (size_t n = 14 + 40; n < size; n++)
		ck_assert_int_ge(run(dataplane_out_fd(dataplane), p0, inner, n).verdict, TC_ACT_OK);
}
END_TEST

START_TEST(counts)
{
	uint8_t inner[256], outer[512];
	struct segment_stats stats;
	size_t size = inner_frame(inner, &frames[1], 0x020000000007, 0x020000000001);

	run(dataplane_out_fd(dataplane), p0, inner, size);
	run(dataplane_out_fd(dataplane), p0, inner, size);
	inner_frame(inner, &frames[1], 0x020000000001, 0x020000000007);
	run(dataplane_in_fd(dataplane), u0, outer, from_peer(outer, "192.0.2.12", BLUE, inner, size));
	ck_assert_int_eq(stats_read(dataplane_stats_fd(dataplane), BLUE, &stats), 0);
	ck_assert_uint_eq(stats.tx_packets, 2);
	ck_assert_uint_eq(stats.tx_bytes, 2 * size);
	ck_assert_uint_eq(stats.rx_packets, 1);
	ck_assert_uint_eq(stats.rx_bytes, size);
}
END_TEST

/* --- the namespace --- */

static void make_namespace(void)
{
	static const char *const commands[] = {
		"ip link set lo up",
		"ip link add u0 address 02:aa:00:00:00:01 type veth peer name u1",
		"ip link add p0 type veth peer name q0",
		"ip link add p1 type veth peer name q1",
		"for i in u0 u1 p0 q0 p1 q1; do ip link set $i up; done",
		"ip addr add 192.0.2.11/24 dev u0",
		"ip neigh add 192.0.2.12 lladdr 02:aa:00:00:00:02 dev u0",
		"echo 1 > /proc/sys/net/ipv4/conf/lo/forwarding",
	};
	struct problem problem = { .text = "" };

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0) {
		fprintf(stderr, "SKIP: needs root and network namespaces\n");
		exit(SKIPPED);
	}
	for (size_t i = 0; i < N_ELEMENTS(commands); i++)
		if (system(commands[i]) != 0) {
			fprintf(stderr, "SKIP: %s: failed\n", commands[i]);
			exit(SKIPPED);
		}
	int r = dataplane_open(NULL, &dataplane, &problem);
	if (r == -EPERM || r == -ENOSYS) {
		fprintf(stderr, "SKIP: %s\n", problem.text);
		exit(SKIPPED);
	}
	if (r == 0)
		dataplane_close(dataplane);
}

int main(void)
{
	make_namespace();
	Suite *suite = suite_create("dataplane");
	TCase *tcase = tcase_create("dataplane");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, wraps, 0, N_ELEMENTS(frames));
	tcase_add_test(tcase, pads_what_is_too_short);
	tcase_add_test(tcase, one_flow_one_port);
	tcase_add_test(tcase, stays_on_the_host);
	tcase_add_test(tcase, lists_take_turns);
	tcase_add_test(tcase, asks_the_port_itself);
	tcase_add_test(tcase, never_back_to_its_sender);
	tcase_add_test(tcase, drops_at_a_port);
	tcase_add_test(tcase, drops_without_a_way);
	tcase_add_loop_test(tcase, strips, 0, N_ELEMENTS(frames));
	tcase_add_test(tcase, drops_from_the_underlay);
	tcase_add_loop_test(tcase, leaves_the_rest_to_the_host, 0, 7);
	tcase_add_test(tcase, survives_every_length);
	tcase_add_test(tcase, counts);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
