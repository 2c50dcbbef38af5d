/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans are compared as text, one line for an action; `carry_out` is a kernel of twenty lines. */
#include "xebra/guest/guest-plan.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>

static struct guest_config *config;
static struct guest_link links[8];
static struct guest_link_address addresses[16];
static struct guest_link_route routes[16];
static struct guest_actual actual;

static void setup(void)
{
	static const struct guest_node nodes[] = {
		{ "if/e0/mac", "00:16:3e:00:00:01" }, { "if/e0/addr", "10.1.0.1/30 fd00::1/64" }, { "if/e0/mtu", "1458" },
		{ "if/e1/mac", "00:16:3e:00:00:02" }, { "if/e1/addr", "10.2.0.1/24" },
		{ "loopback", "10.255.0.1/32" },      { "route/0", "0.0.0.0/0 via 10.1.0.2" },
	};
	struct problem problem = { 0 };

	ck_assert_msg(guest_config_parse(nodes, N_ELEMENTS(nodes), &config, &problem) == 0, "%s", problem.text);
	links[0] = (struct guest_link){ .index = 1, .name = "lo", .up = true, .loopback = true };
	actual = (struct guest_actual){ .links = links, .addresses = addresses, .routes = routes, .n_links = 1 };
}

static void teardown(void)
{
	guest_config_free(config);
}

static void put_link(unsigned index, const char *name, uint8_t last_of_mac, bool up, unsigned mtu)
{
	struct guest_link *link = &links[actual.n_links++];

	*link = (struct guest_link){ .index = index, .mac = { 0, 0x16, 0x3e, 0, 0, last_of_mac }, .up = up, .mtu = mtu };
	snprintf(link->name, sizeof link->name, "%s", name);
}

static void put_address(unsigned link, const char *text, unsigned prefix, bool ours)
{
	struct guest_link_address *there = &addresses[actual.n_addresses++];

	*there = (struct guest_link_address){ .link = link, .ours = ours };
	there->address.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	there->address.prefix = prefix;
	ck_assert_int_eq(inet_pton(there->address.family, text, there->address.bytes), 1);
}

static void ck_plan(const char *expected)
{
	static const char *const names[] = { "down", "rename", "mtu", "-route", "-address", "up", "+address", "+route" };
	struct guest_plan plan = { .actions = NULL };
	char text[1024] = "", *at = text;

	ck_assert_int_eq(guest_plan(config, &actual, &plan), 0);
	for (size_t i = 0; i < plan.n_actions; i++) {
		const struct guest_action *action = &plan.actions[i];
		at += sprintf(at, "%u %s", action->link, names[action->kind]);
		if (action->kind == GUEST_LINK_RENAME)
			at += sprintf(at, " %s", action->name);
		if (action->kind == GUEST_LINK_MTU)
			at += sprintf(at, " %u", action->mtu);
		if (action->address.family)
			at += sprintf(at, " %s", ADDRESS_TEXT(&action->address));
		at += sprintf(at, "\n");
	}
	guest_plan_clear(&plan);
	ck_assert_str_eq(text, expected);
}

START_TEST(renames_come_alone)
{
	put_link(2, "eth0", 1, true, 1500);
	ck_plan("2 down\n2 rename e0\n");
	strcpy(links[1].name, "e0");
	links[1].up = false;
	ck_plan("1 +address 10.255.0.1/32\n"
		"2 mtu 1458\n2 up\n2 +address 10.1.0.1/30\n2 +address fd00::1/64\n"
		"2 +route 0.0.0.0/0\n");
}
END_TEST

START_TEST(nothing_left_to_do)
{
	put_link(2, "e0", 1, true, 1458);
	put_address(1, "127.0.0.1", 8, false);
	put_address(1, "10.255.0.1", 32, true);
	put_address(2, "10.1.0.1", 30, true);
	put_address(2, "fd00::1", 64, false); /* somebody else's will do */
	put_address(2, "fe80::1", 64, false);
	routes[actual.n_routes++] = (struct guest_link_route){
		.link = 2, .to = config->routes[0].to, .has_gateway = true, .gateway = config->routes[0].gateway
	};
	ck_plan("");
}
END_TEST

START_TEST(only_ours_is_removed)
{
	put_link(2, "e0", 1, true, 1458);
	put_link(3, "mgmt", 9, true, 1500);
	put_address(1, "10.255.0.1", 32, true);
	put_address(2, "10.1.0.1", 30, true);
	put_address(2, "fd00::1", 64, true);
	put_address(2, "10.1.0.1", 24, true);    /* same address, old prefix */
	put_address(2, "198.51.100.1", 24, false);
	put_address(3, "10.77.0.1", 24, true);  /* was a port once */
	routes[actual.n_routes++] = (struct guest_link_route){ .link = 2, .to = config->routes[0].to };
	ck_plan("2 -route 0.0.0.0/0\n2 -address 10.1.0.1/24\n3 -address 10.77.0.1/24\n2 +route 0.0.0.0/0\n");
}
END_TEST

START_TEST(names_are_swapped_through_a_third)
{
	put_link(2, "e1", 1, true, 1458);
	put_link(3, "e0", 2, false, 1500);
	/* Round one frees both names, the next gives them. */
	ck_plan("3 rename was3\n2 down\n2 rename was2\n");
	strcpy(links[1].name, "was2");
	strcpy(links[2].name, "was3");
	links[1].up = false;
	ck_plan("2 rename e0\n3 rename e1\n");
}
END_TEST

START_TEST(stacked_links_are_no_ports)
{
	put_link(2, "eth0.5", 1, true, 1458);
	links[1].stacked = true;
	put_link(3, "eth0", 1, false, 1458);
	ck_plan("3 rename e0\n");
}
END_TEST

START_TEST(action_texts)
{
	struct guest_action action = { .kind = GUEST_ADDRESS_ADD, .link_name = "e0" };

	action.address = config->loopback.addresses[0];
	ck_assert_str_eq(guest_action_text(&action, (char[GUEST_ACTION_TEXT_SIZE]){ "" }),
			 "e0: address 10.255.0.1/32 cannot be added");
	action = (struct guest_action){ .kind = GUEST_LINK_UP, .link_name = "e0" };
	ck_assert_str_eq(guest_action_text(&action, (char[GUEST_ACTION_TEXT_SIZE]){ "" }), "e0: cannot be set up");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-plan");
	TCase *tests = tcase_create("all");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, renames_come_alone);
	tcase_add_test(tests, nothing_left_to_do);
	tcase_add_test(tests, only_ours_is_removed);
	tcase_add_test(tests, names_are_swapped_through_a_third);
	tcase_add_test(tests, stacked_links_are_no_ports);
	tcase_add_test(tests, action_texts);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
