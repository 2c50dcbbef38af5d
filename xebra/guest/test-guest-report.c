/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/guest/guest-report.h"

#include <check.h>
#include <jansson.h>
#include <string.h>

DEFINE_AUTO(json_t *, json_decref)

static struct guest_port ports[GUEST_PORTS_MAX];
static struct guest_link links[GUEST_PORTS_MAX];
static struct guest_config config = { .ports = ports };
static struct guest_actual actual = { .links = links };

/* n ports with long names and the largest counters; parsed by a JSON parser. */
static json_t *report_of(size_t n)
{
	static const struct guest_report report = { .uptime_s = 1234, .mem_available_kib = 50000, .bird_running = true,
						    .protocols_up = 3, .ospf_full = 2 };
	char text[GUEST_REPORT_SIZE];

	config.n_ports = actual.n_links = n;
	for (size_t i = 0; i < n; i++) {
		snprintf(ports[i].name, sizeof ports[i].name, "interface-%04u", (unsigned)i);
		ports[i].mac[5] = (uint8_t)(i + 1);
		links[i] = (struct guest_link){ .index = (unsigned)i + 2, .running = true };
		memcpy(links[i].mac, ports[i].mac, sizeof links[i].mac);
		links[i].rx_bytes = links[i].tx_bytes = links[i].rx_packets = links[i].rx_dropped = UINT64_MAX / 2;
	}
	memset(text, 'x', sizeof text);
	guest_report_format(&report, &config, &actual, text);
	ck_assert_uint_lt(strlen(text), GUEST_REPORT_SIZE);
	json_t *json = json_loads(text, 0, NULL);
	ck_assert_msg(json != NULL, "%s", text);
	return json;
}

START_TEST(small)
{
	AUTO(json_decref) json_t *json = report_of(1);
	const json_t *port = json_object_get(json_object_get(json, "if"), "interface-0000");

	ck_assert(json_is_true(json_object_get(port, "up")));
	ck_assert(json_integer_value(json_object_get(port, "rx_bytes")) == INT64_MAX);
	ck_assert(json_integer_value(json_object_get(json, "uptime_s")) == 1234);
	ck_assert(json_integer_value(json_object_get(json_object_get(json, "bird"), "ospf_full")) == 2);
	ck_assert_ptr_null(json_object_get(json, "if_omitted"));
}
END_TEST

START_TEST(no_interface_yet)
{
	char text[GUEST_REPORT_SIZE];

	json_decref(report_of(1));
	actual.n_links = 0;
	guest_report_format(&(struct guest_report){ .uptime_s = 1 }, &config, &actual, text);
	ck_assert_str_eq(text, "{\"uptime_s\":1,\"mem_available_kib\":0,\"if\":{\"interface-0000\":{\"up\":false}},"
			       "\"bird\":{\"running\":false,\"protocols_up\":0,\"ospf_full\":0}}");
	guest_report_format(&(struct guest_report){ .uptime_s = 1 }, NULL, &actual, text);
	ck_assert_str_eq(text, "{\"uptime_s\":1,\"mem_available_kib\":0,\"if\":{},"
			       "\"bird\":{\"running\":false,\"protocols_up\":0,\"ospf_full\":0}}");
}
END_TEST

START_TEST(any_number_of_ports)
{
	AUTO(json_decref) json_t *json = report_of((size_t)_i);
	size_t n = json_object_size(json_object_get(json, "if"));
	json_int_t omitted = json_integer_value(json_object_get(json, "if_omitted"));

	ck_assert_uint_eq(n + (size_t)omitted, (size_t)_i);
	ck_assert_uint_ge(n, (size_t)_i < 40 ? (size_t)_i : 40);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest-report");
	TCase *tests = tcase_create("all");

	tcase_add_test(tests, small);
	tcase_add_test(tests, no_interface_yet);
	tcase_add_loop_test(tests, any_number_of_ports, 0, GUEST_PORTS_MAX + 1);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
