/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/xl-vf.h"

#include <dirent.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

DEFINE_AUTO(DIR *, closedir)
DEFINE_AUTO(struct mnl_socket *, mnl_socket_close)

enum { DIR_SIZE = 256, LINK_SIZE = DIR_SIZE + 300 };

/* Last component of the symbolic link DIR/NAME, "" if there is none. */
static void link_name(const char *dir, const char *name, char *out, size_t size)
{
	char path[LINK_SIZE], target[PATH_MAX];

	*out = '\0';
	snprintf(path, sizeof path, "%s/%s", dir, name);
	ssize_t n = readlink(path, target, sizeof target - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	const char *slash = strrchr(target, '/');
	snprintf(out, size, "%s", slash ? slash + 1 : target);
}

/* The first entry of DIR/physfn/net. */
static void find_netdev(const char *dir, char *out, size_t size)
{
	char path[LINK_SIZE];
	struct dirent *entry;

	*out = '\0';
	snprintf(path, sizeof path, "%s/physfn/net", dir);
	AUTO(closedir) DIR *net = opendir(path);
	while (net && !*out && (entry = readdir(net)))
		if (*entry->d_name != '.')
			snprintf(out, size, "%s", entry->d_name);
}

/* DIR/physfn/virtfnN that leads back to the VF. */
static void find_index(const char *dir, struct xl_vf *vf)
{
	char path[LINK_SIZE], back[BDF_TEXT_SIZE];
	struct dirent *entry;
	unsigned index;

	snprintf(path, sizeof path, "%s/physfn", dir);
	AUTO(closedir) DIR *pf = opendir(path);
	while (pf && (entry = readdir(pf))) {
		if (sscanf(entry->d_name, "virtfn%u", &index) != 1)
			continue;
		link_name(path, entry->d_name, back, sizeof back);
		if (strcmp(back, vf->bdf) == 0)
			vf->index = index;
	}
}

int xl_vf_find(const char *sysfs, const char *bdf, struct xl_vf *vf_out)
{
	char dir[DIR_SIZE];
	struct xl_vf vf = { .index = 0 };

	if (strlen(bdf) >= sizeof vf.bdf || strchr(bdf, '/'))
		return -ENOENT;
	strcpy(vf.bdf, bdf);
	snprintf(dir, sizeof dir, "%s/bus/pci/devices/%s", sysfs, bdf);
	link_name(dir, "physfn", vf.pf_bdf, sizeof vf.pf_bdf);
	if (!*vf.pf_bdf)
		return -ENOENT;
	link_name(dir, "driver", vf.driver, sizeof vf.driver);
	find_netdev(dir, vf.pf, sizeof vf.pf);
	find_index(dir, &vf);
	*vf_out = vf;
	return 0;
}

static int by_bdf(const void *a, const void *b)
{
	return strcmp(((const struct xl_vf *)a)->bdf, ((const struct xl_vf *)b)->bdf);
}

int xl_vf_list(const char *sysfs, struct xl_vf **vfs_out, size_t *n_out)
{
	char path[DIR_SIZE];
	AUTO(free) struct xl_vf *vfs = malloc(sizeof *vfs);
	struct dirent *entry;
	size_t n = 0;

	if (!vfs)
		return -ENOMEM;
	snprintf(path, sizeof path, "%s/bus/pci/devices", sysfs);
	AUTO(closedir) DIR *devices = opendir(path);
	while (devices && (entry = readdir(devices))) {
		if (xl_vf_find(sysfs, entry->d_name, &vfs[n]) < 0)
			continue;
		struct xl_vf *more = realloc(vfs, (++n + 1) * sizeof *more);
		if (!more)
			return -ENOMEM;
		vfs = more;
	}
	qsort(vfs, n, sizeof *vfs, by_bdf);
	*vfs_out = take(vfs);
	*n_out = n;
	return 0;
}

/* --- MAC address --- */

static int netlink_talk(struct nlmsghdr *message)
{
	char answer[8192];
	AUTO(mnl_socket_close) struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;
	ssize_t n = mnl_socket_recvfrom(socket, answer, sizeof answer);
	if (n < 0 || mnl_cb_run(answer, n, message->nlmsg_seq, mnl_socket_get_portid(socket), NULL, NULL) < 0)
		return -errno;
	return 0;
}

int xl_vf_set_mac(const struct xl_vf *vf, const char *mac, struct problem *problem)
{
	char buffer[1024];
	struct ifla_vf_mac want = { .vf = vf->index };
	unsigned index = *vf->pf ? if_nametoindex(vf->pf) : 0;

	if (!index)
		return problem_set(problem, -ENODEV, "VF %s: its physical function %s has no network interface; load its driver",
				   vf->bdf, vf->pf_bdf);
	if (mac && !mac_parse(mac, want.mac))
		return problem_set(problem, -EINVAL, "VF %s: '%.32s' is not a MAC address", vf->bdf, mac);

	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = RTM_SETLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	message->nlmsg_seq = time(NULL);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(message, sizeof *link);
	link->ifi_family = AF_UNSPEC;
	link->ifi_index = index;
	struct nlattr *list = mnl_attr_nest_start(message, IFLA_VFINFO_LIST);
	struct nlattr *info = mnl_attr_nest_start(message, IFLA_VF_INFO);
	mnl_attr_put(message, IFLA_VF_MAC, sizeof want, &want);
	mnl_attr_nest_end(message, info);
	mnl_attr_nest_end(message, list);

	int r = netlink_talk(message);
	if (r < 0)
		return problem_set(problem, r, "VF %s: interface %s does not give it the MAC address %s: %s", vf->bdf, vf->pf,
				   mac ? mac : "of its own choice", strerror(-r));
	return 0;
}
