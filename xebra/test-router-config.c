/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/router-config.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static struct router_config *parse(const char *text, struct problem *problem)
{
	AUTO(json_decref) json_t *json = json_loads(text, JSON_ALLOW_NUL, NULL);
	struct router_config *config = NULL;

	ck_assert_msg(json, "the test's own JSON is wrong: %s", text);
	problem->code = 0;
	int r = router_config_parse(json, &config, problem);
	ck_assert_int_eq(r, problem->code);
	ck_assert_int_eq(r == 0, config != NULL);
	return config;
}

START_TEST(defaults)
{
	struct problem problem;
	AUTO(router_config_free) struct router_config *config = parse(
		"{\"name\": \"blue.r1\", \"ports\": [{\"segment\": \"blue.l1\"}, {\"bridge\": \"br0\", \"name\": \"lan\"}]}", &problem);

	ck_assert_msg(config, "%s", problem.text);
	ck_assert_str_eq(config->image, "router");
	ck_assert_str_eq(config->hostname, "r1");
	ck_assert_uint_eq(config->memory_mib, 128);
	ck_assert_uint_eq(config->weight, 256);
	ck_assert_int_eq(config->on_reboot, END_RESTART);
	ck_assert_int_eq(config->on_poweroff, END_DESTROY);
	ck_assert_str_eq(config->ports[0].name, "e0");
	ck_assert_int_eq(config->ports[1].kind, PORT_BRIDGE);
	ck_assert_int_eq(strncmp(config->ports[0].mac, "00:16:3e:", 9), 0);
	ck_assert_str_ne(config->ports[0].mac, config->ports[1].mac);
	ck_assert_uint_eq(strlen(config->uuid), 36);
}
END_TEST

START_TEST(canonical_form_is_stable)
{
	struct problem problem;
	AUTO(router_config_free) struct router_config *config = parse(
		"{\"name\": \"r\", \"cap\": 50, \"cpus\": \"0-1\", \"routes\": [\"0.0.0.0/0 via 10.0.0.1\"], \"ports\": "
		"[{\"vf\": \"auto\", \"rate\": 5000000000, \"addresses\": [\"10.0.0.2/24\", \"fd00::1/64\"]}]}", &problem);
	ck_assert_msg(config, "%s", problem.text);
	AUTO(json_decref) json_t *first = router_config_json(config);
	AUTO(router_config_free) struct router_config *again = NULL;
	ck_assert_msg(router_config_parse(first, &again, &problem) == 0, "%s", problem.text);
	AUTO(json_decref) json_t *second = router_config_json(again);
	ck_assert(json_equal(first, second));
	ck_assert_uint_eq(again->ports[0].rate_bps, 5000000000UL);
	ck_assert_str_eq(again->ports[0].addresses.texts[1], "fd00::1/64");
}
END_TEST

START_TEST(handles)
{
	struct problem problem;
	AUTO(router_config_free) struct router_config *config = parse(
		"{\"name\": \"r\", \"ports\": [{\"segment\": \"a\"}, {\"segment\": \"b\", \"handle\": 0}, {\"segment\": \"c\"}]}", &problem);

	ck_assert_msg(config, "%s", problem.text);
	ck_assert_uint_eq(config->ports[0].handle, 1);
	ck_assert_str_eq(config->ports[0].name, "e1");
	ck_assert_uint_eq(config->ports[1].handle, 0);
	ck_assert_uint_eq(config->ports[2].handle, 2);
}
END_TEST

/* what is given, and what the message must name */
static const struct {
	const char *json, *named;
} refusals[] = {
	{ "[]", "router: an object" },
	{ "{}", "name: is missing" },
	{ "{\"name\": 7}", "name: a text" },
	{ "{\"name\": \"a b\"}", "name: 'a b'" },
	{ "{\"name\": \"-a\"}", "name: '-a'" },
	{ "{\"name\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", "name: longer" },
	{ "{\"name\": \"a\\u0000b\"}", "name" },
	{ "{\"name\": \"r\", \"colour\": 1}", "colour: no such key" },
	{ "{\"name\": \"r\", \"uuid\": \"1234\"}", "uuid" },
	{ "{\"name\": \"r\", \"memory\": 1}", "memory: a number from 32" },
	{ "{\"name\": \"r\", \"memory\": -1}", "memory" },
	{ "{\"name\": \"r\", \"memory\": \"128\"}", "memory" },
	{ "{\"name\": \"r\", \"memory\": 99999999999999}", "memory" },
	{ "{\"name\": \"r\", \"vcpus\": 0}", "vcpus" },
	{ "{\"name\": \"r\", \"type\": \"hvm\"}", "type: one of auto, pv, pvh" },
	{ "{\"name\": \"r\", \"driver_domain\": 1}", "driver_domain: true or false" },
	{ "{\"name\": \"r\", \"kernel\": \"vmlinux\"}", "kernel" },
	{ "{\"name\": \"r\", \"cmdline\": \"a\\nb\"}", "cmdline" },
	{ "{\"name\": \"r\", \"cpus\": \"one\"}", "cpus" },
	{ "{\"name\": \"r\", \"loopback\": \"10.0.0.1/32\"}", "loopback: a list" },
	{ "{\"name\": \"r\", \"loopback\": [\"10.0.0.1\"]}", "loopback: '10.0.0.1'" },
	{ "{\"name\": \"r\", \"loopback\": [\"10.0.0.1/33\"]}", "loopback" },
	{ "{\"name\": \"r\", \"loopback\": [\"10.0.0.1/\"]}", "loopback" },
	{ "{\"name\": \"r\", \"loopback\": [\"fd00::1/129\"]}", "loopback" },
	{ "{\"name\": \"r\", \"loopback\": [\"\"]}", "loopback: item 0 is empty" },
	{ "{\"name\": \"r\", \"routes\": [\"10.0.0.0/8\"]}", "routes" },
	{ "{\"name\": \"r\", \"routes\": [\"10.0.0.0/8 via fd00::1\"]}", "routes" },
	{ "{\"name\": \"r\", \"routes\": [\"10.0.0.0/8 via 10.0.0.1 x\"]}", "routes" },
	{ "{\"name\": \"r\", \"routing\": \"rip\"}", "routing" },
	{ "{\"name\": \"r\", \"routing\": \"ospf\", \"bird\": \"x\"}", "routing: give either" },
	{ "{\"name\": \"r\", \"ports\": {}}", "ports: a list" },
	{ "{\"name\": \"r\", \"ports\": [7]}", "ports[0]: an object" },
	{ "{\"name\": \"r\", \"ports\": [{}]}", "ports[0].segment: give exactly one" },
	{ "{\"name\": \"r\", \"ports\": [{\"segment\": \"a\", \"bridge\": \"b\"}]}", "ports[0].segment: give exactly one" },
	{ "{\"name\": \"r\", \"ports\": [{\"segment\": \"a\", \"name\": \"interface-too-long\"}]}", "ports[0].name" },
	{ "{\"name\": \"r\", \"ports\": [{\"segment\": \"a\", \"mac\": \"01:00:00:00:00:01\"}]}", "ports[0].mac" },
	{ "{\"name\": \"r\", \"ports\": [{\"segment\": \"a\", \"mac\": \"00:00:00:00:00:00\"}]}", "ports[0].mac" },
	{ "{\"name\": \"r\", \"ports\": [{\"segment\": \"a\", \"mac\": \"00:16:3e:00:00\"}]}", "ports[0].mac" },
	{ "{\"name\": \"r\", \"ports\": [{\"vf\": \"01:10.0\"}]}", "ports[0].vf" },
	{ "{\"name\": \"r\", \"ports\": [{\"segment\": \"a\", \"mtu\": 20}]}", "ports[0].mtu" },
	{ "{\"name\": \"r\", \"ports\": [{\"segment\": \"a\", \"name\": \"x\"}, {\"segment\": \"b\", \"name\": \"x\"}]}",
	  "ports[1].name: 'x' is the name of port 0" },
	{ "{\"name\": \"r\", \"ports\": [{\"segment\": \"a\", \"handle\": 3}, {\"segment\": \"b\", \"handle\": 3}]}",
	  "ports[1].handle" },
	{ "{\"name\": \"r\", \"ports\": [{\"segment\": \"a\", \"mac\": \"00:16:3E:00:00:01\"}, {\"segment\": \"b\", \"mac\": "
	  "\"00:16:3e:00:00:01\"}]}", "ports[1].mac" },
};

START_TEST(refused)
{
	struct problem problem;
	AUTO(router_config_free) struct router_config *config = parse(refusals[_i].json, &problem);

	ck_assert_msg(!config, "%s was taken", refusals[_i].json);
	ck_assert_int_eq(problem.code, -EINVAL);
	ck_assert_msg(strstr(problem.text, refusals[_i].named), "'%s' does not name '%s'", problem.text, refusals[_i].named);
}
END_TEST

START_TEST(changing)
{
	AUTO(json_decref) json_t *old = json_pack("{s:s, s:i}", "name", "r", "memory", 128);
	AUTO(json_decref) json_t *good = json_pack("{s:i, s:i}", "memory", 256, "weight", 512);
	AUTO(json_decref) json_t *fixed = json_pack("{s:s}", "name", "q");
	AUTO(json_decref) json_t *unknown = json_pack("{s:s}", "colour", "q");
	AUTO(json_decref) json_t *changed = NULL;
	struct problem problem;

	ck_assert_int_eq(router_config_change(old, good, &changed, &problem), 0);
	ck_assert_int_eq(json_integer_value(json_object_get(changed, "memory")), 256);
	ck_assert_int_eq(json_integer_value(json_object_get(old, "memory")), 128);
	json_t *none = NULL;
	ck_assert_int_eq(router_config_change(old, fixed, &none, &problem), -EINVAL);
	ck_assert_ptr_nonnull(strstr(problem.text, "name: cannot be changed"));
	ck_assert_int_eq(router_config_change(old, unknown, &none, &problem), -EINVAL);
	ck_assert_ptr_nonnull(strstr(problem.text, "colour: no such key"));
}
END_TEST

START_TEST(ospf)
{
	struct problem problem;
	AUTO(router_config_free) struct router_config *config = parse(
		"{\"name\": \"r\", \"routing\": \"ospf\", \"loopback\": [\"fd00::1/128\", \"10.255.0.1/32\"], \"ports\": "
		"[{\"segment\": \"a\", \"addresses\": [\"10.0.1.1/30\"]}, {\"segment\": \"b\", \"addresses\": [\"10.0.2.1/24\"]}]}",
		&problem);
	ck_assert_msg(config, "%s", problem.text);
	AUTO(free) char *text = router_config_bird(config);
	ck_assert_ptr_nonnull(strstr(text, "router id 10.255.0.1;"));
	ck_assert_ptr_nonnull(strstr(text, "interface \"e0\" { type ptp;"));
	ck_assert_ptr_nonnull(strstr(text, "interface \"e1\" { type broadcast;"));
	const char *v3 = strstr(text, "ospf v3");
	ck_assert_ptr_nonnull(v3);
	ck_assert_ptr_nonnull(strstr(v3, "stubnet fd00::1/128;"));
	ck_assert_ptr_null(strstr(v3, "stubnet 10.255.0.1/32;"));
	ck_assert_ptr_nonnull(strstr(text, "stubnet 10.255.0.1/32;"));
	AUTO(router_config_free) struct router_config *plain = parse("{\"name\": \"r\", \"bird\": \"# mine\"}", &problem);
	AUTO(free) char *mine = router_config_bird(plain);
	ck_assert_str_eq(mine, "# mine");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("router-config");
	TCase *tests = tcase_create("config");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, defaults);
	tcase_add_test(tests, canonical_form_is_stable);
	tcase_add_test(tests, handles);
	tcase_add_loop_test(tests, refused, 0, N_ELEMENTS(refusals));
	tcase_add_test(tests, changing);
	tcase_add_test(tests, ospf);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
