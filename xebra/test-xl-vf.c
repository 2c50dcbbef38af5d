/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sysfs of our own: two PFs, three VFs. */
#include "xebra/xl-vf.h"

#include <check.h>
#include <errno.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>

static char sysfs[64];

static void put_dir(const char *path)
{
	char full[512];

	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] && path[i] != '/')
			continue;
		snprintf(full, sizeof full, "%s/%.*s", sysfs, (int)i, path);
		ck_assert(mkdir(full, 0700) == 0 || errno == EEXIST);
	}
}

static void put_link(const char *path, const char *target)
{
	char full[512];

	snprintf(full, sizeof full, "%s/%s", sysfs, path);
	ck_assert_int_eq(symlink(target, full), 0);
}

#define DEVICES "bus/pci/devices/"
#define PF0 DEVICES "0000:01:00.0"
#define PF1 DEVICES "0000:02:00.0"
#define VF0 DEVICES "0000:01:10.0"
#define VF1 DEVICES "0000:01:10.2"
#define VF2 DEVICES "0000:02:10.0"

static void make(void)
{
	static const char *const dirs[] = { PF0 "/net/eth7", PF1, VF0, VF1, VF2, "bus/pci/drivers/igbvf", "bus/pci/drivers/pciback" };

	strcpy(sysfs, "/tmp/test-xl-vf.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(sysfs));
	for (size_t i = 0; i < N_ELEMENTS(dirs); i++)
		put_dir(dirs[i]);
	put_link(VF1 "/physfn", "../0000:01:00.0");
	put_link(VF0 "/physfn", "../0000:01:00.0");
	put_link(VF2 "/physfn", "../0000:02:00.0");
	put_link(PF0 "/virtfn0", "../0000:01:10.0");
	put_link(PF0 "/virtfn1", "../0000:01:10.2");
	put_link(PF1 "/virtfn0", "../0000:02:10.0");
	put_link(VF0 "/driver", "../../drivers/igbvf");
	put_link(VF1 "/driver", "../../drivers/pciback");
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *ftw)
{
	(void)about;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void clean(void)
{
	nftw(sysfs, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

START_TEST(listed)
{
	AUTO(free) struct xl_vf *vfs = NULL;
	size_t n;

	ck_assert_int_eq(xl_vf_list(sysfs, &vfs, &n), 0);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(vfs[0].bdf, "0000:01:10.0");
	ck_assert_str_eq(vfs[0].pf, "eth7");
	ck_assert_str_eq(vfs[0].pf_bdf, "0000:01:00.0");
	ck_assert_str_eq(vfs[0].driver, "igbvf");
	ck_assert_uint_eq(vfs[0].index, 0);
	ck_assert_str_eq(vfs[1].bdf, "0000:01:10.2");
	ck_assert_str_eq(vfs[1].driver, "pciback");
	ck_assert_uint_eq(vfs[1].index, 1);
	ck_assert_str_eq(vfs[2].bdf, "0000:02:10.0");
	ck_assert_str_eq(vfs[2].pf, "");
	ck_assert_str_eq(vfs[2].driver, "");
}
END_TEST

START_TEST(found)
{
	struct xl_vf vf;

	ck_assert_int_eq(xl_vf_find(sysfs, "0000:01:10.2", &vf), 0);
	ck_assert_uint_eq(vf.index, 1);
	ck_assert_int_eq(xl_vf_find(sysfs, "0000:01:00.0", &vf), -ENOENT); /* a PF */
	ck_assert_int_eq(xl_vf_find(sysfs, "0000:09:00.0", &vf), -ENOENT);
	ck_assert_int_eq(xl_vf_find(sysfs, "../x", &vf), -ENOENT);
	ck_assert_int_eq(xl_vf_find(sysfs, "", &vf), -ENOENT);
}
END_TEST

START_TEST(no_pci)
{
	AUTO(free) struct xl_vf *vfs = NULL;
	size_t n = 7;

	ck_assert_int_eq(xl_vf_list("/nonexistent", &vfs, &n), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(mac_refused)
{
	struct xl_vf vf = { .bdf = "0000:01:10.0", .pf_bdf = "0000:01:00.0" };
	struct problem problem;

	ck_assert_int_eq(xl_vf_set_mac(&vf, "00:16:3e:00:00:01", &problem), -ENODEV);
	ck_assert_ptr_nonnull(strstr(problem.text, "0000:01:00.0"));
	strcpy(vf.pf, "lo");
	ck_assert_int_eq(xl_vf_set_mac(&vf, "00:16:3e:00:00", &problem), -EINVAL);
	ck_assert_int_lt(xl_vf_set_mac(&vf, "00:16:3e:00:00:01", &problem), 0); /* lo has no VFs, or we are not root */
	ck_assert_ptr_nonnull(strstr(problem.text, "interface lo"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("xl-vf");
	TCase *tests = tcase_create("xl-vf");

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, make, clean);
	tcase_add_test(tests, listed);
	tcase_add_test(tests, found);
	tcase_add_test(tests, no_pci);
	tcase_add_test(tests, mac_refused);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
