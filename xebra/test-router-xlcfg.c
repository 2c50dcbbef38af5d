/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/router-xlcfg.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static json_t *parse(const char *text, struct problem *problem)
{
	json_t *json = NULL;

	problem->code = 0;
	int r = router_xlcfg_parse(text, strlen(text), "r1.cfg", &json, problem);
	ck_assert_int_eq(r == 0, json != NULL);
	return json;
}

START_TEST(whole)
{
	struct problem problem;
	AUTO(json_decref) json_t *json = parse("# a comment with name = \"x\"\n"
					       "name = \"blue.r1\"\n"
					       "memory = 160; vcpus = 2\n"
					       "cpu_weight=512\n"
					       "cpus = [\"0\", \"2-3\"]\n"
					       "extra = \"console=hvc0 a=b\"\n"
					       "driver_domain = 1\n"
					       "loopback = [ '10.255.0.1/32',\n  'fd00::1/128' ]\n"
					       "vif = [ 'segment=blue.l1,ip=10.0.1.1/30,ip=fd00:1::1/64,mtu=1400,rate=10Mb/s',\n"
					       "        'script=vif-xebra,bridge=blue.l2,backend=netdd', 'vf=auto,name=u0' ]\n",
					       &problem);
	const json_t *ports = json_object_get(json, "ports");

	ck_assert_msg(json, "%s", problem.text);
	ck_assert_str_eq(json_text(json, "name"), "blue.r1");
	ck_assert_int_eq(json_integer_value(json_object_get(json, "vcpus")), 2);
	ck_assert_int_eq(json_integer_value(json_object_get(json, "weight")), 512);
	ck_assert_str_eq(json_text(json, "cpus"), "0,2-3");
	ck_assert_str_eq(json_text(json, "cmdline"), "console=hvc0 a=b");
	ck_assert(json_is_true(json_object_get(json, "driver_domain")));
	ck_assert_uint_eq(json_array_size(json_object_get(json, "loopback")), 2);
	ck_assert_uint_eq(json_array_size(ports), 3);
	ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(ports, 0), "rate")), 10000000);
	ck_assert_uint_eq(json_array_size(json_object_get(json_array_get(ports, 0), "addresses")), 2);
	ck_assert_str_eq(json_text(json_array_get(ports, 1), "segment"), "blue.l2");
	ck_assert_str_eq(json_text(json_array_get(ports, 2), "vf"), "auto");
}
END_TEST

static const struct {
	const char *text, *named;
} refusals[] = {
	{ "name = \"r\"\nmemory = \"lots\"\n", "r1.cfg:2:" },
	{ "name = \"r\"\nmemory = 1\n", "r1.cfg:2: memory: a number from 32" },
	{ "name = \"r\"\n\n# x\nvnc = 1\n", "r1.cfg:4: vnc: not a key of routers" },
	{ "name = \"r\"\ncpu_weight = 0\n", "r1.cfg:2: cpu_weight: a number" },
	{ "name = \"r\"\nvif = ['segment=a,color=1']\n", "r1.cfg:2: vif[0]: color: no such key" },
	{ "name = \"r\"\nvif = ['segment=a', 'mac=00:16:3e:00:00:01']\n", "r1.cfg:2: vif[1].segment" },
	{ "name = \"r\"\nvif = ['segment']\n", "r1.cfg:2: vif[0]: 'segment': KEY=VALUE" },
	{ "name = \"r\"\nvif = ['segment=a,mtu=big']\n", "r1.cfg:2: vif[0].mtu" },
	{ "name = \"r\"\nvif = ['segment=a,rate=fast']\n", "r1.cfg:2: vif[0]: rate" },
	{ "name = \"r\"\nvif = 'segment=a'\n", "r1.cfg:2" },
	{ "name = \"r\"\nvif = [['a']]\n", "r1.cfg:2: vif: item 0" },
	{ "name = \"r\"\nbird = \"/nonexistent/bird.conf\"\n", "r1.cfg:2: bird: /nonexistent/bird.conf" },
	{ "memory = 128\n", "r1.cfg: name: is missing" },
	{ "name = \"r\nmemory = 128\n", "r1.cfg:1" },
	{ "name \"r\"\n", "r1.cfg:1" },
	{ "", "r1.cfg: name: is missing" },
};

START_TEST(refused)
{
	struct problem problem;
	AUTO(json_decref) json_t *json = parse(refusals[_i].text, &problem);

	ck_assert_msg(!json, "taken: %s", refusals[_i].text);
	ck_assert_int_eq(problem.code, -EINVAL);
	ck_assert_msg(strstr(problem.text, refusals[_i].named), "'%s' does not say '%s'", problem.text, refusals[_i].named);
}
END_TEST

START_TEST(lines)
{
	static const char text[] = "a = 1\nb = [ 'c = 2',\n 'd' ]\n# e = 1\nf = \"g\\\" h = 1\"\ni=2\n";

	ck_assert_int_eq(router_xlcfg_line(text, strlen(text), "a"), 1);
	ck_assert_int_eq(router_xlcfg_line(text, strlen(text), "b"), 2);
	ck_assert_int_eq(router_xlcfg_line(text, strlen(text), "c"), 0);
	ck_assert_int_eq(router_xlcfg_line(text, strlen(text), "e"), 0);
	ck_assert_int_eq(router_xlcfg_line(text, strlen(text), "h"), 0);
	ck_assert_int_eq(router_xlcfg_line(text, strlen(text), "i"), 6);
	ck_assert_int_eq(router_xlcfg_line(text, strlen(text), NULL), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("router-xlcfg");
	TCase *tests = tcase_create("xlcfg");
	SRunner *runner = srunner_create(suite);

	tcase_add_test(tests, whole);
	tcase_add_loop_test(tests, refused, 0, N_ELEMENTS(refusals));
	tcase_add_test(tests, lines);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
