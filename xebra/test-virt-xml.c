/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/virt-xml.h"

#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

static const struct virt_host kvm = { .type = "kvm", .arch = "x86_64", .image_dir = "/images" };
static const struct virt_host xen = { .type = "xen", .arch = "x86_64", .image_dir = "/images" };

static struct router_config *parse(const char *members)
{
	AUTO(free) char *text = NULL;
	struct router_config *config = NULL;
	struct problem problem;

	ck_assert_int_gt(asprintf(&text,
				  "{\"name\": \"blue.r1\", \"uuid\": \"01234567-89ab-4def-8123-456789abcdef\"%s%s}",
				  *members ? ", " : "", members),
			 0);
	AUTO(json_decref) json_t *json = json_loads(text, 0, NULL);
	ck_assert_msg(json, "the test's own JSON is wrong: %s", text);
	ck_assert_msg(router_config_parse(json, &config, &problem) == 0, "%s", problem.text);
	return config;
}

static const struct row {
	const char *members;
	const struct virt_host *host;
	const char *expected; /* somewhere in the document; after '!': nowhere */
} rows[] = {
	{ "", &kvm, "<domain type='kvm'><name>blue.r1</name><uuid>01234567-89ab-4def-8123-456789abcdef</uuid>" },
	{ "\"memory\": 200", &kvm, "<memory unit='MiB'>200</memory>" },
	{ "\"vcpus\": 3", &kvm, "<vcpu>3</vcpu>" },
	{ "\"vcpus\": 2, \"cpus\": \"0-3,^2\"", &kvm, "<vcpu placement='static' cpuset='0-3,^2'>2</vcpu>" },
	{ "\"cpus\": \"all\"", &kvm, "<vcpu>1</vcpu>" },
	{ "\"weight\": 512", &kvm, "<shares>2048</shares>" },
	{ "\"cap\": 50", &kvm, "<period>100000</period><quota>50000</quota>" },
	{ "\"cap\": 100, \"vcpus\": 2", &kvm, "<quota>50000</quota>" },
	{ "", &kvm, "!<quota>" },
	{ "", &kvm, "<os><type arch='x86_64'>hvm</type>" },
	{ "", &xen, "<os><type arch='x86_64'>linux</type>" },
	{ "", &kvm, "<kernel>/images/router/kernel</kernel>" },
	{ "", &kvm, "<initrd>/images/router/initramfs</initrd>" },
	{ "\"kernel\": \"/boot/k\"", &kvm, "<kernel>/boot/k</kernel>" },
	{ "\"kernel\": \"/boot/k\"", &kvm, "!<initrd>" },
	{ "", &kvm, "<cmdline>console=ttyS0 quiet</cmdline>" },
	{ "", &xen, "<cmdline>console=hvc0 quiet</cmdline>" },
	{ "\"cmdline\": \"a=<'&\\\">\"", &kvm, "<cmdline>a=&lt;&apos;&amp;&quot;&gt;</cmdline>" },
	{ "", &kvm, "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</on_crash>" },
	{ "\"on_reboot\": \"destroy\"", &kvm, "<on_reboot>destroy</on_reboot>" },
	{ "\"on_poweroff\": \"restart\"", &kvm, "<on_poweroff>destroy</on_poweroff>" },
	{ "\"ports\": [{\"segment\": \"blue.l1\", \"mac\": \"00:16:3e:00:00:0a\", \"handle\": 7}]", &kvm,
	  "<interface type='ethernet'><target dev='xr01234567.7'/><mac address='00:16:3e:00:00:0a'/><model type='virtio'/>"
	  "</interface>" },
	{ "\"ports\": [{\"bridge\": \"br0\", \"mtu\": 1400}]", &xen,
	  "<interface type='bridge'><source bridge='br0'/><target dev='xr01234567.0'/>" },
	{ "\"ports\": [{\"bridge\": \"br0\", \"mtu\": 1400}]", &kvm, "<mtu size='1400'/>" },
	{ "\"ports\": [{\"bridge\": \"br0\"}]", &xen, "<model type='netfront'/>" },
	{ "\"ports\": [{\"bridge\": \"br0\", \"rate\": 8192000}]", &kvm, "<outbound average='1000'/>" },
	{ "\"ports\": [{\"bridge\": \"br0\", \"rate\": 1}]", &kvm, "<outbound average='1'/>" },
	{ "", &kvm, "<console type='pty'><target type='serial'/></console>" },
	{ "", &xen, "<console type='pty'><target type='xen'/></console>" },
};

START_TEST(document)
{
	const struct row *row = &rows[_i];
	AUTO(router_config_free) struct router_config *config = parse(row->members);
	AUTO(free) char *xml = NULL;
	struct problem problem;
	bool absent = *row->expected == '!';

	ck_assert_msg(virt_xml(config, row->host, &xml, &problem) == 0, "%s", problem.text);
	ck_assert_msg(!strstr(xml, row->expected + absent) == absent, "{%s}: %s in %s", row->members, row->expected, xml);
}
END_TEST

static const char *const refused[] = {
	"\"driver_domain\": true",
	"\"disks\": [\"/d.img,raw,xvda,w\"]",
	"\"ports\": [{\"segment\": \"l1\", \"backend\": \"net\"}]",
	"\"ports\": [{\"vf\": \"0000:01:10.0\"}]",
};

START_TEST(not_for_libvirt)
{
	AUTO(router_config_free) struct router_config *config = parse(refused[_i]);
	char *xml = NULL;
	struct problem problem;

	ck_assert_int_eq(virt_xml(config, &kvm, &xml, &problem), -ENOTSUP);
	ck_assert_ptr_null(xml);
	ck_assert_msg(strstr(problem.text, "blue.r1: ") == problem.text, "%s", problem.text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("virt-xml");
	TCase *tests = tcase_create("virt-xml");

	suite_add_tcase(suite, tests);
	tcase_add_loop_test(tests, document, 0, N_ELEMENTS(rows));
	tcase_add_loop_test(tests, not_for_libvirt, 0, N_ELEMENTS(refused));
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
