/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct {
	struct wire_outer outer;
	struct wire_ethernet inner;
} frame;

static struct wire wire;

static void setup(void)
{
	memset(&frame, 0, sizeof frame);
	wire_write(&frame.outer, inet_addr("192.0.2.11"), inet_addr("192.0.2.12"), 5001, 0xdeadbeef, 100);
}

/* The checksum was worked out by hand. */
START_TEST(writes_every_byte)
{
	static const __u8 expected[WIRE_IPV4 + WIRE_UDP] = {
		0x45, 0, 0, 100, 0xe0, 0x42, 0x40, 0, 64, 17, 0xd6, 0x2e, 192, 0, 2, 11, 192, 0, 2, 12,
		0xe0, 0x42, 0x13, 0x89, 0, 80, 0, 0,
	};

	ck_assert_mem_eq(&frame.outer.ip, expected, sizeof expected);
	ck_assert_uint_eq(sizeof frame, WIRE_HEAD);
}
END_TEST

/* The checksum as in RFC 1071, section 4.1, for many headers: a carry out of the carry is rare. */
START_TEST(sums_as_the_rfc_says)
{
	for (__u32 i = 0; i < 200000; i++) {
		struct wire_ipv4 ip = {
			.version_ihl = WIRE_VERSION_IHL, .length = i, .id = 0xfffe, .fragment = 0xfffd, .ttl = 255, .protocol = 255,
			.src = i * 2654435761U, .dst = i * 40503U,
		};
		unsigned long sum = 0;
		for (int word = 0; word < WIRE_IPV4 / 2; word++)
			sum += ((const __u16 *)(const void *)&ip)[word];
		while (sum >> 16)
			sum = (sum & 0xffff) + (sum >> 16);
		ck_assert_uint_eq(wire_ipv4_sum(&ip), (__u16)~sum);
	}
}
END_TEST

START_TEST(reads_what_it_writes)
{
	ck_assert_int_eq(wire_parse(&frame, &wire), WIRE_FRAME);
	ck_assert_uint_eq(wire.src, inet_addr("192.0.2.11"));
	ck_assert_uint_eq(wire.dst, inet_addr("192.0.2.12"));
	ck_assert_uint_eq(wire.segment, 5001);
	ck_assert_uint_eq(wire.ip_length, 100);
}
END_TEST

START_TEST(flow_ports_stay_in_their_range)
{
	for (__u64 flow = 0; flow <= 0xffffffff; flow += 0xfffff) {
		wire_write(&frame.outer, 1, 2, 5001, flow, 100);
		ck_assert_uint_ge(ntohs(frame.outer.udp.src), 49152);
	}
}
END_TEST

static void sum_again(void)
{
	frame.outer.ip.sum = 0;
	frame.outer.ip.sum = wire_ipv4_sum(&frame.outer.ip);
}

/* Any other header is not ours, whatever else is right. */
START_TEST(leaves_others_alone)
{
	static const struct {
		size_t offset;
		__u8 value;
		bool valid_sum;
	} others[] = {
		{ 12, 0x86, true },  /* not IPv4 */
		{ 14, 0x46, true },  /* options */
		{ 14, 0x65, true },  /* version 6 */
		{ 23, 6, true },     /* TCP */
		{ 21, 1, true },     /* a later fragment */
		{ 26, 1, false },    /* a flipped bit */
	};
	((__u8 *)&frame)[others[_i].offset] = others[_i].value;
	if (others[_i].valid_sum)
		sum_again();
	ck_assert_int_eq(wire_parse(&frame, &wire), WIRE_OTHER);
}
END_TEST

START_TEST(knows_a_first_fragment)
{
	frame.outer.ip.fragment = htons(0x2000);
	sum_again();
	ck_assert_int_eq(wire_parse(&frame, &wire), WIRE_FRAGMENT);
	ck_assert_uint_eq(wire.segment, 5001);
}
END_TEST

START_TEST(macs_are_numbers)
{
	ck_assert(wire_mac((const __u8[]){ 0x00, 0x16, 0x3e, 0xff, 0x80, 0x01 }) == 0x00163eff8001ULL);
	ck_assert(wire_mac((const __u8[]){ 0x33, 0x33, 0, 0, 0, 1 }) & WIRE_GROUP_BIT);
	ck_assert(!(wire_mac((const __u8[]){ 0x02, 0xff, 0xff, 0xff, 0xff, 0xff }) & WIRE_GROUP_BIT));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tcase = tcase_create("wire");
	SRunner *runner = srunner_create(suite);

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, writes_every_byte);
	tcase_add_test(tcase, sums_as_the_rfc_says);
	tcase_add_test(tcase, reads_what_it_writes);
	tcase_add_test(tcase, flow_ports_stay_in_their_range);
	tcase_add_loop_test(tcase, leaves_others_alone, 0, 6);
	tcase_add_test(tcase, knows_a_first_fragment);
	tcase_add_test(tcase, macs_are_numbers);
	srunner_run_all(runner, CK_ENV);
	int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
