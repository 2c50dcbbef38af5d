/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/veth.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <string.h>

#include "libvnet/base/cleanup.h"

DEFINE_AUTO(struct mnl_socket *, mnl_socket_close)
DEFINE_AUTO(struct if_nameindex *, if_freenameindex)

enum { REQUEST_SIZE = 1024, ANSWER_SIZE = 32768, FOUND_MAX = 256 };

static struct nlmsghdr *request(char buffer[REQUEST_SIZE], int type, int flags, unsigned ifindex)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(header, sizeof *info);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = 1;
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = ifindex;
	return header;
}

/* Sends the request and hands its answers to `answer` until the kernel says that it is done. */
static int talk(const struct nlmsghdr *header, mnl_cb_t answer, void *arg)
{
	AUTO(mnl_socket_close) struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	AUTO(free) char *buffer = malloc(ANSWER_SIZE);
	int r = MNL_CB_OK;

	if (!buffer)
		return -ENOMEM;
	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (r > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(socket, buffer, ANSWER_SIZE);
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buffer, n, 1, mnl_socket_get_portid(socket), answer, arg);
	}
	return r < 0 ? -errno : 0;
}

/* --- making --- */

static int make_pair(const struct veth *veth)
{
	static const unsigned char host_mac[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff }; /* no bridge takes this one */
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = request(buffer, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, 0);

	mnl_attr_put_strz(header, IFLA_IFNAME, veth->host_name);
	mnl_attr_put(header, IFLA_ADDRESS, sizeof host_mac, host_mac);
	mnl_attr_put_u32(header, IFLA_MTU, veth->mtu);
	struct nlattr *info = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "veth");
	struct nlattr *data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	struct nlattr *peer = mnl_attr_nest_start(header, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(header, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(header, IFLA_IFNAME, veth->name);
	mnl_attr_put(header, IFLA_ADDRESS, 6, veth->mac);
	mnl_attr_put_u32(header, IFLA_MTU, veth->mtu);
	mnl_attr_put_u32(header, IFLA_NET_NS_FD, veth->netns_fd);
	mnl_attr_nest_end(header, peer);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, info);
	return talk(header, NULL, NULL);
}

static void silence_ipv6(const char *name)
{
	char path[128];

	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	AUTO(close) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) < 0) /* without IPv6 there is nothing to silence */
		return;
}

static int bring_up(const struct veth *veth)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *header = request(buffer, RTM_NEWLINK, NLM_F_ACK, if_nametoindex(veth->host_name));
	struct ifinfomsg *info = mnl_nlmsg_get_payload(header);

	info->ifi_flags = info->ifi_change = IFF_UP;
	if (veth->bridge)
		mnl_attr_put_u32(header, IFLA_MASTER, if_nametoindex(veth->bridge));
	return talk(header, NULL, NULL);
}

int veth_make(const struct veth *veth, struct problem *problem)
{
	if (veth->bridge && !if_nametoindex(veth->bridge))
		return problem_set(problem, -ENOENT, "bridge %s: does not exist; make it (ip link add name %s type bridge) "
						     "or name another", veth->bridge, veth->bridge);
	int r = make_pair(veth);
	if (r == -EEXIST)
		return problem_set(problem, r, "network device %s or, in the router, %s: exists already; choose another "
					       "port name or remove it", veth->host_name, veth->name);
	if (r < 0)
		return problem_set(problem, r, "network device %s: cannot be made: %s; is the module veth there?",
				   veth->host_name, strerror(-r));
	silence_ipv6(veth->host_name);
	r = bring_up(veth);
	if (r == 0)
		return 0;
	veth_remove(veth->host_name, true);
	if (veth->bridge)
		return problem_set(problem, r, "network device %s: cannot join %s: %s; is that one a bridge?",
				   veth->host_name, veth->bridge, strerror(-r));
	return problem_set(problem, r, "network device %s: does not come up: %s", veth->host_name, strerror(-r));
}

/* --- removing --- */

struct found {
	const char *name;
	size_t compared; /* how many bytes of it count */
	unsigned ifindex[FOUND_MAX];
	size_t n;
};

static bool is_veth(const struct nlattr *info)
{
	const struct nlattr *attribute;

	mnl_attr_for_each_nested(attribute, info)
		if (mnl_attr_get_type(attribute) == IFLA_INFO_KIND)
			return strcmp(mnl_attr_get_str(attribute), "veth") == 0;
	return false;
}

static int find_pair(const struct nlmsghdr *header, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	struct found *found = arg;
	const struct nlattr *attribute;
	bool named = false, veth = false;

	mnl_attr_for_each(attribute, header, sizeof *info) {
		if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
			named = strncmp(mnl_attr_get_str(attribute), found->name, found->compared) == 0;
		else if (mnl_attr_get_type(attribute) == IFLA_LINKINFO)
			veth = is_veth(attribute);
	}
	if (named && veth && found->n < FOUND_MAX)
		found->ifindex[found->n++] = info->ifi_index;
	return MNL_CB_OK;
}

int veth_remove(const char *name, bool whole)
{
	struct found found = { .name = name, .compared = strlen(name) + whole };
	char buffer[REQUEST_SIZE];
	int r = talk(request(buffer, RTM_GETLINK, NLM_F_DUMP, 0), find_pair, &found);

	for (size_t i = 0; i < found.n; i++) {
		int removed = talk(request(buffer, RTM_DELLINK, NLM_F_ACK, found.ifindex[i]), NULL, NULL);
		if (removed < 0 && removed != -ENODEV)
			r = removed;
	}
	return r;
}

bool veth_taken(const char *prefix)
{
	AUTO(if_freenameindex) struct if_nameindex *names = if_nameindex();

	for (struct if_nameindex *name = names; name && name->if_index; name++)
		if (strncmp(name->if_name, prefix, strlen(prefix)) == 0)
			return true;
	return false;
}
