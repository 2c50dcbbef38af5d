/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What net-tree.c leaves in a tree on a directory. */
#include "xebra/net-tree.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <string.h>

static struct event_base *loop;
static struct tree *tree;
static char where[64];

static void setup(void)
{
	char dir[] = "/tmp/test-net-tree-XXXXXX";
	struct problem problem;

	loop = event_base_new();
	snprintf(where, sizeof where, "dir:%s", mkdtemp(dir));
	ck_assert_msg(tree_open(where, loop, &tree, &problem) == 0, "%s", problem.text);
}

static void teardown(void)
{
	ck_assert_int_eq(tree_remove(tree, "/local"), 0);
	tree_close(tree);
	event_base_free(loop);
	ck_assert_int_eq(rmdir(where + 4), 0);
}

/* `value` NULL: there is no such node. */
static void check_node(const char *path, const char *value)
{
	AUTO(free) char *found = NULL;
	int r = tree_read(tree, path, &found);

	if (value)
		ck_assert_msg(r == 0 && strcmp(found, value) == 0, "%s: '%s' (%d), not '%s'", path, found ? found : "", r,
			      value);
	else
		ck_assert_msg(r == -ENOENT, "%s: is there (%d)", path, r);
}

#define TEXTS(...)                                                             \
	{                                                                      \
		.texts = (char *[]){ __VA_ARGS__ }, .n = N_ELEMENTS(((char *[]){ __VA_ARGS__ })) \
	}

START_TEST(segments)
{
	struct segment segment = {
		.name = "blue.l1", .port = 34001, .peers = TEXTS("192.0.2.1", "2001:db8::1"), .mtu = 1400
	};

	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(net_tree_segment(tree, 3, &segment), 0);
		check_node("/local/domain/3/xebra/net/segment/blue.l1/port", "34001");
		check_node("/local/domain/3/xebra/net/segment/blue.l1/peers", "192.0.2.1 2001:db8::1");
		check_node("/local/domain/3/xebra/net/segment/blue.l1/mtu", "1400");
		check_node("/local/domain/3/xebra/net/segment/blue.l1/state", "up");
		check_node("/local/domain/3/xebra/net/generation", again ? "2" : "1");
	}
	segment.mtu = 0;
	segment.peers.n = 0;
	segment.down = true;
	ck_assert_int_eq(net_tree_segment(tree, 3, &segment), 0);
	check_node("/local/domain/3/xebra/net/segment/blue.l1/mtu", NULL);
	check_node("/local/domain/3/xebra/net/segment/blue.l1/peers", NULL);
	check_node("/local/domain/3/xebra/net/segment/blue.l1/state", "down");
	ck_assert_int_eq(net_tree_segment_remove(tree, 3, "blue.l1"), 0);
	check_node("/local/domain/3/xebra/net/segment/blue.l1/port", NULL);
	check_node("/local/domain/3/xebra/net/generation", "4");
	strcpy(segment.name, "../up");
	ck_assert_int_eq(net_tree_segment(tree, 3, &segment), -EINVAL);
	check_node("/local/domain/3/xebra/net/generation", "4");
}
END_TEST

START_TEST(ports_and_uplinks)
{
	ck_assert_int_eq(net_tree_uplink(tree, 0, "eth0", "192.0.2.7/24"), 0);
	ck_assert_int_eq(net_tree_port(tree, 0, "vif7.0", "blue.l1", "00:16:3e:00:00:01"), 0);
	check_node("/local/domain/0/xebra/net/uplink/eth0", "192.0.2.7/24");
	check_node("/local/domain/0/xebra/net/port/vif7.0/segment", "blue.l1");
	check_node("/local/domain/0/xebra/net/port/vif7.0/mac", "00:16:3e:00:00:01");
	check_node("/local/domain/0/xebra/net/generation", "2");
	ck_assert_int_eq(net_tree_port_remove(tree, 0, "vif7.0"), 0);
	ck_assert_int_eq(net_tree_port_remove(tree, 0, "vif7.0"), 0);
	ck_assert_int_eq(net_tree_uplink(tree, 0, "eth0", NULL), 0);
	check_node("/local/domain/0/xebra/net/port/vif7.0/mac", NULL);
	check_node("/local/domain/0/xebra/net/uplink/eth0", NULL);
	check_node("/local/domain/0/xebra/net/generation", "5");
}
END_TEST

#define GUEST "/local/domain/5/xebra/"

START_TEST(guest)
{
	struct router_port ports[] = {
		{ .name = "e0", .mac = "00:16:3e:00:00:01", .mtu = 1400, .addresses = TEXTS("10.0.1.1/30", "fd00::1/64") },
		{ .name = "e1", .mac = "00:16:3e:00:00:02" },
	};
	struct router_config config = {
		.name = "blue.r1", .hostname = (char *)"r1", .loopback = TEXTS("10.255.0.1/32"), .bird = (char *)"log all;\n",
		.routes = TEXTS("0.0.0.0/0 via 10.0.1.2", "10.1.0.0/16 dev e1"), .ports = ports, .n_ports = 2,
	};

	for (int again = 0; again < 2; again++) {
		ck_assert_int_eq(net_tree_guest(tree, 5, &config), 0);
		check_node(GUEST "hostname", "r1");
		check_node(GUEST "loopback", "10.255.0.1/32");
		check_node(GUEST "if/e0/mac", "00:16:3e:00:00:01");
		check_node(GUEST "if/e0/mtu", "1400");
		check_node(GUEST "if/e0/addr", "10.0.1.1/30 fd00::1/64");
		check_node(GUEST "if/e1/mac", "00:16:3e:00:00:02");
		check_node(GUEST "if/e1/mtu", NULL);
		check_node(GUEST "if/e1/addr", NULL);
		check_node(GUEST "route/0", "0.0.0.0/0 via 10.0.1.2");
		check_node(GUEST "route/1", "10.1.0.0/16 dev e1");
		check_node(GUEST "bird/0", "log all;");
		check_node(GUEST "generation", again ? "2" : "1");
	}

	ports[0] = ports[1];
	config.n_ports = 1;
	config.routes.n = 1;
	config.loopback.n = 0;
	config.bird = config.hostname = NULL;
	ck_assert_int_eq(net_tree_guest(tree, 5, &config), 0);
	check_node(GUEST "hostname", "blue.r1");
	check_node(GUEST "loopback", NULL);
	check_node(GUEST "if/e0/mac", NULL);
	check_node(GUEST "if/e1/mac", "00:16:3e:00:00:02");
	check_node(GUEST "route/0", "0.0.0.0/0 via 10.0.1.2");
	check_node(GUEST "route/1", NULL);
	check_node(GUEST "bird/0", NULL);
	check_node(GUEST "generation", "3");
}
END_TEST

enum { TEXT_SIZE = 9000 };

/* Lines of `n` characters; empty lines where n is 0. */
static void fill_lines(char text[TEXT_SIZE + 1], size_t n)
{
	for (size_t i = 0; i < TEXT_SIZE; i++)
		text[i] = i % (n + 1) == n ? '\n' : 'a' + i % 26;
	text[TEXT_SIZE - 1] = '.';
	text[TEXT_SIZE] = '\0';
}

/* Reads the chunks as a guest does; returns how many there are. */
static size_t join_chunks(char joined[TEXT_SIZE + 1])
{
	size_t n = 0;

	joined[0] = '\0';
	for (;; n++) {
		AUTO(free) char *chunk = NULL;
		if (tree_read(tree, PATH(GUEST "bird/%zu", n), &chunk) < 0)
			return n;
		ck_assert_uint_le(strlen(chunk), 2048);
		ck_assert_uint_le(strlen(joined) + strlen(chunk), TEXT_SIZE);
		strcat(joined, chunk);
	}
}

START_TEST(bird_chunks)
{
	static const size_t lengths[] = { 40, 2047, 2048, 2049, 3000, TEXT_SIZE };
	char text[TEXT_SIZE + 1], joined[TEXT_SIZE + 1];
	struct router_config config = { .name = "r1", .bird = text };

	for (size_t i = 0; i < N_ELEMENTS(lengths); i++) {
		fill_lines(text, lengths[i]);
		ck_assert_int_eq(net_tree_guest(tree, 5, &config), 0);
		ck_assert_uint_ge(join_chunks(joined), 5);
		ck_assert_msg(strcmp(joined, text) == 0, "lines of %zu", lengths[i]);
	}

	fill_lines(text, 40); /* short lines are cut at their ends, also where blank lines follow */
	memset(text + 2030, '\n', 30);
	ck_assert_int_eq(net_tree_guest(tree, 5, &config), 0);
	join_chunks(joined);
	ck_assert_str_eq(joined, text);
	for (size_t n = 1; n < 5; n++) {
		AUTO(free) char *chunk = NULL;
		ck_assert_int_eq(tree_read(tree, PATH(GUEST "bird/%zu", n), &chunk), 0);
		ck_assert_int_eq(chunk[0], '\n');
	}

	text[100] = '\0';
	ck_assert_int_eq(net_tree_guest(tree, 5, &config), 0);
	ck_assert_uint_eq(join_chunks(joined), 1);
	memset(text, '\n', TEXT_SIZE); /* nothing to keep, but it ends */
	ck_assert_int_eq(net_tree_guest(tree, 5, &config), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net-tree");
	TCase *tests = tcase_create("nodes");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, segments);
	tcase_add_test(tests, ports_and_uplinks);
	tcase_add_test(tests, guest);
	tcase_add_test(tests, bird_chunks);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
