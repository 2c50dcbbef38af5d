/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/guest/guest-config.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static struct problem problem;

/* Parses up to 8 nodes given as path, value, path, value, ..., NULL. */
static int parse(const char *const *words, struct guest_config **config_out)
{
	struct guest_node nodes[8];
	size_t n = 0;

	for (; words[2 * n]; n++)
		nodes[n] = (struct guest_node){ words[2 * n], words[2 * n + 1] };
	problem = (struct problem){ .code = 0 };
	return guest_config_parse(nodes, n, config_out, &problem);
}

#define PARSE(config_out, ...) parse((const char *const[]){ __VA_ARGS__, NULL }, (config_out))
#define E0 "if/e0/mac", "00:16:3e:00:00:01"

START_TEST(a_whole_router)
{
	AUTO(guest_config_free) struct guest_config *config = NULL;

	int r = PARSE(&config, "hostname", "r1", "if/e0/addr", " 10.1.0.1/30\tfd00::1/64 10.1.0.1/30", E0, "if/e0/mtu", "1458",
		      "loopback", "10.255.0.1/32 fd00:ff::1/128", "route/0", "0.0.0.0/0 via 10.1.0.2", "bird/10", "b;", "bird/9",
		      "a;");
	ck_assert_msg(r == 0, "%s", problem.text);
	ck_assert_str_eq(config->hostname, "r1");
	ck_assert_uint_eq(config->n_ports, 1);
	ck_assert_str_eq(config->ports[0].name, "e0");
	ck_assert_mem_eq(config->ports[0].mac, "\x00\x16\x3e\x00\x00\x01", 6);
	ck_assert_uint_eq(config->ports[0].mtu, 1458);
	ck_assert_uint_eq(config->ports[0].n_addresses, 2);
	ck_assert_str_eq(ADDRESS_TEXT(&config->ports[0].addresses[0]), "10.1.0.1/30");
	ck_assert_str_eq(ADDRESS_TEXT(&config->ports[0].addresses[1]), "fd00::1/64");
	ck_assert_uint_eq(config->loopback.n_addresses, 2);
	ck_assert_uint_eq(config->n_routes, 1);
	ck_assert_str_eq(config->routes[0].dev, "e0");
	ck_assert(!config->routes[0].onlink);
	ck_assert_str_eq(config->bird, "a;b;");
}
END_TEST

START_TEST(nothing_is_a_router_too)
{
	AUTO(guest_config_free) struct guest_config *config = NULL;

	ck_assert_int_eq(guest_config_parse(NULL, 0, &config, &problem), 0);
	ck_assert_ptr_null(config->bird);
	ck_assert_uint_eq(config->n_ports, 0);
}
END_TEST

START_TEST(unknown_nodes_are_passed_over)
{
	AUTO(guest_config_free) struct guest_config *config = NULL;

	ck_assert_int_eq(PARSE(&config, "future", "x", "if/e0/colour", "red", E0, "sysctl/a", "1"), 0);
	ck_assert_uint_eq(config->n_ports, 1);
}
END_TEST

static const struct {
	const char *path, *value, *says;
} refused[] = {
	{ "hostname", "a b", "hostname" },
	{ "hostname", "-r1", "hostname" },
	{ "hostname", "0123456789012345678901234567890123456789012345678901234567890123", "hostname" },
	{ "if/lo/mac", "00:16:3e:00:00:02", "if/lo" },
	{ "if/all/mac", "00:16:3e:00:00:02", "if/all" },
	{ "if//mac", "00:16:3e:00:00:02", "no interface name" },
	{ "if/../mac", "00:16:3e:00:00:02", "no interface name" },
	{ "if/e%d/mac", "00:16:3e:00:00:02", "no interface name" },
	{ "if/sixteen-letters-/mac", "00:16:3e:00:00:02", "no interface name" },
	{ "if/e1/mac", "00:16:3e:00:00:01", "e0 has the same" },
	{ "if/e1/mac", "01:16:3e:00:00:02", "if/e1/mac" },
	{ "if/e1/mac", "00:00:00:00:00:00", "if/e1/mac" },
	{ "if/e1/mac", "00:16:3e:00:00:0g", "if/e1/mac" },
	{ "if/e1/mac", "00:16:3e:00:00:02:", "if/e1/mac" },
	{ "if/e1/mtu", "1500", "if/e1/mac: it is missing" },
	{ "if/e0/mtu", "67", "if/e0/mtu" },
	{ "if/e0/mtu", "65536", "if/e0/mtu" },
	{ "if/e0/mtu", "1500 ", "if/e0/mtu" },
	{ "if/e0/mtu", "99999999999999999999", "if/e0/mtu" },
	{ "if/e0/addr", "10.1.0.1", "10.1.0.1' is no address" },
	{ "if/e0/addr", "10.1.0.1/33", "is no address" },
	{ "if/e0/addr", "10.1.0.1/03", "is no address" },
	{ "if/e0/addr", "fd00::1/129", "is no address" },
	{ "if/e0/addr", "10.1.0.1/30,10.1.0.2/30", "is no address" },
	{ "if/e0/addr", "224.0.0.5/32", "multicast" },
	{ "if/e0/addr", "ff02::5/64", "multicast" },
	{ "if/e0/addr", "127.0.0.1/8", "loopback" },
	{ "if/e0/addr", "::1/128", "loopback" },
	{ "if/e0/addr", "0.0.0.0/0", "unspecified" },
	{ "if/e0/addr", "255.255.255.255/32", "reserved" },
	{ "loopback", "x", "loopback: 'x' is no address" },
	{ "route/0", "", "does not begin with a network" },
	{ "route/0", "10.9.0.0/16", "leads nowhere" },
	{ "route/0", "10.9.0.1/16 dev e0", "beyond the prefix" },
	{ "route/0", "10.9.0.0/16 dev e7", "no interface e7" },
	{ "route/0", "10.9.0.0/16 via 10.7.0.1", "in no interface's network" },
	{ "route/0", "10.9.0.0/16 via fd00::1", "same family" },
	{ "route/0", "10.9.0.0/16 via 10.1.0.2/30", "same family" },
	{ "route/0", "10.9.0.0/16 via", "a word is missing" },
	{ "route/0", "10.9.0.0/16 dev e0 dev e0", "does not belong" },
	{ "route/0", "10.9.0.0/16 blackhole now", "does not belong" },
	{ "bird/x", "", "bird/x" },
	{ "bird/01", "", "bird/01" },
};

START_TEST(refusals)
{
	struct guest_config *config = NULL;
	int r = PARSE(&config, E0, "if/e0/addr", "10.1.0.1/30", refused[_i].path, refused[_i].value);

	ck_assert_int_eq(r, -EINVAL);
	ck_assert_int_eq(problem.code, -EINVAL);
	ck_assert_msg(strstr(problem.text, refused[_i].says), "%s: %s", refused[_i].path, problem.text);
	ck_assert_ptr_null(config);
}
END_TEST

START_TEST(a_gateway_off_the_network_needs_dev)
{
	AUTO(guest_config_free) struct guest_config *config = NULL;

	ck_assert_int_eq(PARSE(&config, E0, "route/0", "10.9.0.0/16 via 10.7.0.1 dev e0"), 0);
	ck_assert(config->routes[0].onlink);
}
END_TEST

/* limit + 1 nodes of a kind are refused. */
static void too_many(const char *format, const char *value, size_t limit)
{
	AUTO(free) struct guest_node *nodes = calloc(limit + 1, sizeof *nodes);
	struct guest_config *config = NULL;

	for (size_t i = 0; i <= limit; i++) {
		char *path;
		ck_assert_int_gt(asprintf(&path, format, i), 0);
		nodes[i] = (struct guest_node){ path, value };
	}
	ck_assert_int_eq(guest_config_parse(nodes, limit + 1, &config, &problem), -E2BIG);
	for (size_t i = 0; i <= limit; i++)
		free((char *)nodes[i].path);
}

START_TEST(limits)
{
	char addresses[4096] = "";
	struct guest_config *config = NULL;

	too_many("if/e%zu/mac", "00:16:3e:00:00:01", GUEST_PORTS_MAX);
	too_many("route/%zu", "10.9.0.0/16 dev e0", GUEST_ROUTES_MAX);
	too_many("bird/%zu", "", GUEST_BIRD_CHUNKS_MAX);
	for (int i = 0; i <= GUEST_ADDRESSES_MAX; i++)
		sprintf(addresses + strlen(addresses), "10.0.%d.1/24 ", i);
	ck_assert_int_eq(PARSE(&config, E0, "if/e0/addr", addresses), -E2BIG);
}
END_TEST

START_TEST(covering)
{
	static const struct {
		const char *network;
		uint8_t address[4];
		bool covers;
	} rows[] = {
		{ "10.1.0.1/30", { 10, 1, 0, 2 }, true },   { "10.1.0.1/30", { 10, 1, 0, 4 }, false },
		{ "10.1.0.1/32", { 10, 1, 0, 2 }, false },  { "10.1.0.1/1", { 127, 0, 0, 1 }, true },
		{ "10.1.128.1/17", { 10, 1, 127, 1 }, false }, { "10.1.0.1/31", { 10, 1, 0, 0 }, true },
	};

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		AUTO(guest_config_free) struct guest_config *config = NULL;
		struct address address = { .family = AF_INET, .prefix = 32 };
		memcpy(address.bytes, rows[i].address, 4);
		ck_assert_int_eq(PARSE(&config, "loopback", rows[i].network), 0);
		ck_assert_msg(address_covers(&config->loopback.addresses[0], &address) == rows[i].covers, "%s", rows[i].network);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-config");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, a_whole_router);
	tcase_add_test(tests, nothing_is_a_router_too);
	tcase_add_test(tests, unknown_nodes_are_passed_over);
	tcase_add_loop_test(tests, refusals, 0, N_ELEMENTS(refused));
	tcase_add_test(tests, a_gateway_off_the_network_needs_dev);
	tcase_add_test(tests, limits);
	tcase_add_test(tests, covering);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
