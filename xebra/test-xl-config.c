/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/xl-config.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

static const struct xl_host able = { .hap = true, .iommu = true, .n_cpus = 4, .image_dir = "/images" };
static const struct xl_host plain = { .n_cpus = 4, .image_dir = "/images" };

#define IDENTITY "\"name\": \"blue.r1\", \"uuid\": \"01234567-89ab-4def-8123-456789abcdef\""

static struct router_config *parse(const char *members)
{
	AUTO(free) char *text = NULL;
	struct router_config *config = NULL;
	struct problem problem;

	ck_assert_int_gt(asprintf(&text, "{" IDENTITY "%s%s}", *members ? ", " : "", members), 0);
	AUTO(json_decref) json_t *json = json_loads(text, 0, NULL);
	ck_assert_msg(json, "the test's own JSON is wrong: %s", text);
	ck_assert_msg(router_config_parse(json, &config, &problem) == 0, "%s", problem.text);
	return config;
}

/* What libxl would keep and `xl list -l` would print. */
static json_t *fill(const char *members, const struct xl_host *host, struct problem *problem)
{
	AUTO(router_config_free) struct router_config *config = parse(members);
	libxl_domain_config out;
	json_t *json = NULL;

	libxl_domain_config_init(&out);
	problem->code = 0;
	int r = xl_config_fill(config, host, &out, problem);
	ck_assert_int_eq(r, problem->code);
	if (r == 0) {
		AUTO(free) char *text = libxl_domain_config_to_json(NULL, &out);
		ck_assert_ptr_nonnull(text);
		json = json_loads(text, 0, NULL);
		ck_assert_ptr_nonnull(json);
	}
	libxl_domain_config_dispose(&out);
	return json;
}

/* "b_info/vcpu_hard_affinity/0" in `json` */
static const json_t *at(const json_t *json, const char *path)
{
	AUTO(free) char *copy = strdup(path);
	char *rest = copy, *word;

	while (json && (word = strsep(&rest, "/")))
		json = json_is_array(json) ? json_array_get(json, atoi(word)) : json_object_get(json, word);
	return json;
}

struct row {
	const char *members;
	const struct xl_host *host;
	const char *path, *expected; /* expected NULL: is not there */
};

static const struct row rows[] = {
	{ "", &plain, "c_info/name", "\"blue.r1\"" },
	{ "", &plain, "c_info/uuid", "\"01234567-89ab-4def-8123-456789abcdef\"" },
	{ "", &plain, "c_info/type", "\"pv\"" },
	{ "", &able, "c_info/type", "\"pvh\"" },
	{ "\"type\": \"pv\"", &able, "c_info/type", "\"pv\"" },
	{ "\"type\": \"pvh\"", &plain, "c_info/type", "\"pvh\"" },
	{ "\"driver_domain\": true", &able, "c_info/type", "\"pv\"" },
	{ "\"driver_domain\": true", &able, "c_info/driver_domain", "\"True\"" },
	{ "\"driver_domain\": true", &able, "c_info/passthrough", "\"enabled\"" },
	{ "\"driver_domain\": true", &plain, "c_info/passthrough", NULL },
	{ "\"pool\": \"fast\"", &plain, "c_info/pool_name", "\"fast\"" },
	{ "", &able, "b_info/type.pvh", "{}" },
	{ "", &plain, "b_info/type.pv", "{}" },
	{ "\"memory\": 200", &plain, "b_info/max_memkb", "204800" },
	{ "\"memory\": 200", &plain, "b_info/target_memkb", "204800" },
	{ "", &plain, "b_info/claim_mode", "\"True\"" },
	{ "", &plain, "b_info/kernel", "\"/images/router/kernel\"" },
	{ "", &plain, "b_info/ramdisk", "\"/images/router/initramfs\"" },
	{ "\"image\": \"switch\"", &plain, "b_info/kernel", "\"/images/switch/kernel\"" },
	{ "\"kernel\": \"/boot/k\"", &plain, "b_info/kernel", "\"/boot/k\"" },
	{ "\"kernel\": \"/boot/k\"", &plain, "b_info/ramdisk", NULL },
	{ "\"ramdisk\": \"/boot/i\"", &plain, "b_info/kernel", "\"/images/router/kernel\"" },
	{ "\"ramdisk\": \"/boot/i\"", &plain, "b_info/ramdisk", "\"/boot/i\"" },
	{ "\"kernel\": \"/boot/k\", \"ramdisk\": \"/boot/i\"", &plain, "b_info/ramdisk", "\"/boot/i\"" },
	{ "", &plain, "b_info/cmdline", "\"console=hvc0 quiet\"" },
	{ "\"cmdline\": \"console=hvc0 single\"", &plain, "b_info/cmdline", "\"console=hvc0 single\"" },
	{ "\"vcpus\": 3", &plain, "b_info/max_vcpus", "3" },
	{ "\"vcpus\": 3", &plain, "b_info/avail_vcpus", "[0, 1, 2]" },
	{ "\"weight\": 512", &plain, "b_info/sched_params/weight", "512" },
	{ "\"cap\": 50", &plain, "b_info/sched_params/cap", "50" },
	{ "", &plain, "b_info/vcpu_hard_affinity", NULL },
	{ "", &plain, "b_info/numa_placement", NULL },
	{ "\"vcpus\": 2, \"cpus\": \"0-1,3\"", &plain, "b_info/vcpu_hard_affinity/0", "[0, 1, 3]" },
	{ "\"vcpus\": 2, \"cpus\": \"0-1,3\"", &plain, "b_info/vcpu_hard_affinity/1", "[0, 1, 3]" },
	{ "\"cpus\": \"all\"", &plain, "b_info/vcpu_hard_affinity/0", "[0, 1, 2, 3]" },
	{ "\"cpus\": \"2\"", &plain, "b_info/numa_placement", "\"False\"" },
	{ "\"on_poweroff\": \"restart\"", &plain, "on_poweroff", "\"restart\"" },
	{ "\"on_reboot\": \"destroy\"", &plain, "on_reboot", NULL /* libxl's own default */ },
	{ "\"on_crash\": \"preserve\"", &plain, "on_crash", "\"preserve\"" },
	{ "\"on_crash\": \"preserve\"", &plain, "on_watchdog", "\"preserve\"" },
	{ "\"disks\": [\"phy:/dev/vg/r1,xvda,w\", \"vdev=xvdb,format=raw,target=/d.img\"]", &plain, "disks/0/pdev_path",
	  "\"/dev/vg/r1\"" },
	{ "\"disks\": [\"phy:/dev/vg/r1,xvda,w\", \"vdev=xvdb,format=raw,target=/d.img\"]", &plain, "disks/1/vdev",
	  "\"xvdb\"" },
	{ "\"disks\": [\"script=block-oios,vdev=xvda,backend=store,target=r1\"]", &plain, "disks/0/backend_domname",
	  "\"store\"" },

#define SEGMENT "\"ports\": [{\"segment\": \"blue.l1\", \"backend\": \"net\", \"mac\": \"00:16:3e:00:00:0a\", " \
		"\"mtu\": 1400, \"rate\": 8000000, \"handle\": 7}, {\"bridge\": \"br0\"}]"
	{ SEGMENT, &plain, "nics/0/bridge", "\"blue.l1\"" },
	{ SEGMENT, &plain, "nics/0/script", "\"vif-xebra\"" },
	{ SEGMENT, &plain, "nics/0/backend_domname", "\"net\"" },
	{ SEGMENT, &plain, "nics/0/devid", "7" },
	{ SEGMENT, &plain, "nics/0/mac", "\"00:16:3e:00:00:0a\"" },
	{ SEGMENT, &plain, "nics/0/mtu", "1400" },
	{ SEGMENT, &plain, "nics/0/rate_bytes_per_interval", "50000" },
	{ SEGMENT, &plain, "nics/0/rate_interval_usecs", "50000" },
	{ SEGMENT, &plain, "nics/1/bridge", "\"br0\"" },
	{ SEGMENT, &plain, "nics/1/script", NULL },
	{ SEGMENT, &plain, "nics/1/backend_domname", NULL },
	{ SEGMENT, &plain, "nics/1/rate_bytes_per_interval", NULL },
	{ SEGMENT, &plain, "pcidevs", NULL },
	{ "\"ports\": [{\"bridge\": \"br0\", \"rate\": 1}]", &plain, "nics/0/rate_bytes_per_interval", "1" },

#define VF "\"ports\": [{\"segment\": \"blue.l1\"}, {\"vf\": \"0000:01:10.2\"}, {\"segment\": \"blue.l2\"}]"
	{ VF, &able, "c_info/type", "\"pv\"" },
	{ VF, &able, "pcidevs/0/bus", "1" },
	{ VF, &able, "pcidevs/0/dev", "16" },
	{ VF, &able, "pcidevs/0/func", "2" },
	{ VF, &able, "pcidevs/1", NULL },
	{ VF, &able, "nics/1/devid", "2" },
	{ VF, &able, "nics/1/bridge", "\"blue.l2\"" },
	{ VF, &able, "b_info/type.pv/e820_host", "\"True\"" },
	{ SEGMENT, &able, "b_info/type.pv/e820_host", NULL },
};

START_TEST(mapping)
{
	const struct row *row = &rows[_i];
	struct problem problem;
	AUTO(json_decref) json_t *json = fill(row->members, row->host, &problem);

	ck_assert_msg(json, "%s: %s", row->members, problem.text);
	const json_t *found = at(json, row->path);
	AUTO(free) char *text = found ? json_dumps(found, JSON_ENCODE_ANY) : NULL;
	if (row->expected && (!text || strcmp(text, row->expected) != 0))
		ck_abort_msg("{%s} %s: %s, expected %s", row->members, row->path, text, row->expected);
	if (!row->expected && text)
		ck_abort_msg("{%s} %s: %s, expected nothing", row->members, row->path, text);
}
END_TEST

static const struct refusal {
	const char *members;
	const struct xl_host *host;
	int code;
	const char *word; /* in the text, beside the router's name */
} refusals[] = {
	{ "\"cpus\": \"9\"", &plain, -EINVAL, "CPU 9" },
	{ "\"disks\": [\"nonsense\"]", &plain, -EINVAL, "nonsense" },
	{ "\"ports\": [{\"vf\": \"auto\"}]", &able, -EINVAL, "'auto' is not a VF" },
	{ "\"ports\": [{\"vf\": \"0000:01:10.0\"}]", &plain, -ENOTSUP, "IOMMU" },
	{ "\"type\": \"pvh\", \"ports\": [{\"vf\": \"0000:01:10.0\"}]", &able, -EINVAL, "PVH" },
};

START_TEST(refused)
{
	const struct refusal *row = &refusals[_i];
	struct problem problem;
	AUTO(json_decref) json_t *json = fill(row->members, row->host, &problem);

	ck_assert_ptr_null(json);
	ck_assert_int_eq(problem.code, row->code);
	ck_assert_msg(strstr(problem.text, row->word) && strstr(problem.text, "blue.r1: ") == problem.text, "%s",
		      problem.text);
}
END_TEST

static const struct cpus {
	const char *text;
	unsigned n_cpus;
	const char *expected; /* one digit per CPU; NULL: refused */
} cpus[] = {
	{ "all", 4, "1111" },	  { "0", 4, "1000" },	      { "0-1,3", 4, "1101" },	{ "3,0", 4, "1001" },
	{ "^2", 4, "1101" },	  { "all,^0-1", 4, "0011" },  { "0-3,^1,1", 4, "1111" }, { "0-9", 10, "1111111111" },
	{ "^0,^1", 4, "0011" },	  { "8", 9, "000000001" },    { "", 4, NULL },		{ "4", 4, NULL },
	{ "0-4", 4, NULL },	  { "2-1", 4, NULL },	      { "0,", 4, NULL },	{ ",0", 4, NULL },
	{ "0-", 4, NULL },	  { "-1", 4, NULL },	      { "0,^0", 4, NULL },	{ "^all", 4, NULL },
	{ "^", 4, NULL },	  { "0 1", 4, NULL },	      { "allx", 4, NULL },	{ "99999999999999999999", 4, NULL },
	{ "0-^1", 4, NULL },
};

START_TEST(cpu_lists)
{
	const struct cpus *row = &cpus[_i];
	struct problem problem = { .code = 0 };
	libxl_bitmap map;

	libxl_bitmap_init(&map);
	int r = xl_config_cpus(row->text, row->n_cpus, &map, &problem);
	ck_assert_msg(r == (row->expected ? 0 : -EINVAL), "'%s': %d: %s", row->text, r, problem.text);
	ck_assert_int_eq(r, problem.code);
	for (unsigned i = 0; row->expected && i < row->n_cpus; i++)
		ck_assert_msg(libxl_bitmap_test(&map, i) == (row->expected[i] == '1'), "'%s': CPU %u", row->text, i);
	libxl_bitmap_dispose(&map);
}
END_TEST

static const struct pci {
	const char *bdf;
	int r, domain, bus, device, function;
} pcis[] = {
	{ "01:10.0", 0, 0, 1, 16, 0 },
	{ "0000:01:10.7", 0, 0, 1, 16, 7 },
	{ "00ff:ff:1f.1", 0, 255, 255, 31, 1 },
	{ "auto", -EINVAL, 0, 0, 0, 0 },
	{ "", -EINVAL, 0, 0, 0, 0 },
	{ "01:10", -EINVAL, 0, 0, 0, 0 },
	{ "01:10.8", -EINVAL, 0, 0, 0, 0 },
	{ "01:20.0", -EINVAL, 0, 0, 0, 0 },
	{ "0000:01:10.0x", -EINVAL, 0, 0, 0, 0 },
	{ "0000:01:10.0,permissive=1", -EINVAL, 0, 0, 0, 0 },
};

START_TEST(addresses_of_devices)
{
	const struct pci *row = &pcis[_i];
	libxl_device_pci pci;

	libxl_device_pci_init(&pci);
	ck_assert_msg(xl_config_pci(row->bdf, &pci) == row->r, "'%s'", row->bdf);
	if (row->r == 0) {
		ck_assert_int_eq(pci.domain, row->domain);
		ck_assert_int_eq(pci.bus, row->bus);
		ck_assert_int_eq(pci.dev, row->device);
		ck_assert_int_eq(pci.func, row->function);
	}
	libxl_device_pci_dispose(&pci);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xl-config");
	TCase *tests = tcase_create("xl-config");

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, mapping, 0, N_ELEMENTS(rows));
	tcase_add_loop_test(tests, refused, 0, N_ELEMENTS(refusals));
	tcase_add_loop_test(tests, cpu_lists, 0, N_ELEMENTS(cpus));
	tcase_add_loop_test(tests, addresses_of_devices, 0, N_ELEMENTS(pcis));
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
