/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any notification about a device or an address makes the whole list be read again: a list that is always read as a
 * whole cannot drift from the truth, and lost notifications do no harm.
 */
#include "links.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <event2/event.h>

#include "array.h"
#include "bpf/wire.h"
#include "netlink.h"

DEFINE_AUTO(struct event *, event_free)

struct links_watch {
	struct links links;
	struct mnl_socket *requests;
	struct mnl_socket *notes;
	struct event *readable;
	struct event *settle; /* soon after the last notification */
	void (*changed)(void *arg);
	void *arg;
};

enum { SETTLE_MS = 20 };

/* --- reading --- */

static int take_kind(const struct nlattr *attr, void *arg)
{
	struct link *link = arg;

	if (mnl_attr_get_type(attr) == IFLA_INFO_KIND)
		snprintf(link->kind, sizeof link->kind, "%s", mnl_attr_get_str(attr));
	return MNL_CB_OK;
}

static int take_link_attr(const struct nlattr *attr, void *arg)
{
	struct link *link = arg;

	switch (mnl_attr_get_type(attr)) {
	case IFLA_IFNAME:
		snprintf(link->name, sizeof link->name, "%s", mnl_attr_get_str(attr));
		break;
	case IFLA_ADDRESS:
		if (mnl_attr_get_payload_len(attr) == ETH_ALEN)
			link->mac = wire_mac(mnl_attr_get_payload(attr));
		break;
	case IFLA_MTU:
		link->mtu = mnl_attr_get_u32(attr);
		break;
	case IFLA_LINKINFO:
		mnl_attr_parse_nested(attr, take_kind, link);
		break;
	}
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *message, void *arg)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(message);
	struct links *links = arg;
	struct link *link = ARRAY_ADD(links->items, links->n);

	if (!link)
		return MNL_CB_ERROR;
	link->ifindex = info->ifi_index;
	link->up = info->ifi_flags & IFF_UP;
	mnl_attr_parse(message, sizeof *info, take_link_attr, link);
	return MNL_CB_OK;
}

static int take_local_address(const struct nlattr *attr, void *arg)
{
	struct address *address = arg;

	if (mnl_attr_get_type(attr) == IFA_LOCAL && mnl_attr_get_payload_len(attr) == sizeof(uint32_t))
		*address = (struct address){ .word = { 0, 0, htonl(0xffff), mnl_attr_get_u32(attr) } };
	return MNL_CB_OK;
}

static int take_address(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	struct link *link = (struct link *)links_at(arg, info->ifa_index);
	struct address address = { .word = { 0 } };

	mnl_attr_parse(message, sizeof *info, take_local_address, &address);
	if (link && address.word[3] && link->n_addresses < LINK_ADDRESSES_MAX)
		link->addresses[link->n_addresses++] = address;
	return MNL_CB_OK;
}

static int read_links(struct links_watch *watch)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct links links = { .n = 0 };

	struct nlmsghdr *request = netlink_request(buffer, RTM_GETLINK, NLM_F_DUMP);
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	int r = netlink_talk(watch->requests, request, take_link, &links);
	if (r == 0) {
		request = netlink_request(buffer, RTM_GETADDR, NLM_F_DUMP);
		struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(request, sizeof *info);
		info->ifa_family = AF_INET;
		r = netlink_talk(watch->requests, request, take_address, &links);
	}
	if (r < 0) {
		free(links.items);
		return r;
	}
	free(watch->links.items);
	watch->links = links;
	return 0;
}

/* --- watching --- */

static int ignore(const struct nlmsghdr *message, void *arg)
{
	(void)message;
	(void)arg;
	return MNL_CB_OK;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct links_watch *watch = arg;
	const struct timeval soon = { .tv_usec = SETTLE_MS * 1000 };

	(void)fd;
	(void)what;
	netlink_drain(watch->notes, ignore, NULL);
	if (!event_pending(watch->settle, EV_TIMEOUT, NULL))
		event_add(watch->settle, &soon);
}

static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct links_watch *watch = arg;
	const struct timeval later = { .tv_sec = 1 };

	(void)fd;
	(void)what;
	if (read_links(watch) < 0)
		event_add(watch->settle, &later);
	else
		watch->changed(watch->arg);
}

int links_open(struct event_base *loop, void (*changed)(void *arg), void *arg, struct links_watch **watch_out,
	       struct problem *problem)
{
	const unsigned groups = 1 << (RTNLGRP_LINK - 1) | 1 << (RTNLGRP_IPV4_IFADDR - 1);
	AUTO(links_close) struct links_watch *watch = calloc(1, sizeof *watch);

	if (!watch)
		return problem_set(problem, -ENOMEM, "network devices: no memory");
	watch->changed = changed;
	watch->arg = arg;
	int r = netlink_open(0, &watch->requests);
	if (r == 0)
		r = netlink_open(groups, &watch->notes);
	if (r == 0)
		r = read_links(watch);
	if (r < 0)
		return problem_set(problem, r, "network devices: rtnetlink does not answer: %s", strerror(-r));
	watch->readable = event_new(loop, mnl_socket_get_fd(watch->notes), EV_READ | EV_PERSIST, on_readable, watch);
	watch->settle = event_new(loop, -1, 0, on_settled, watch);
	if (!watch->readable || !watch->settle || event_add(watch->readable, NULL) < 0)
		return problem_set(problem, -ENOMEM, "network devices: no memory");
	*watch_out = take(watch);
	return 0;
}

const struct links *links_now(const struct links_watch *watch)
{
	return &watch->links;
}

void links_close(struct links_watch *watch)
{
	if (!watch)
		return;
	auto_event_free(&watch->readable);
	auto_event_free(&watch->settle);
	auto_mnl_socket_close(&watch->requests);
	auto_mnl_socket_close(&watch->notes);
	free(watch->links.items);
	free(watch);
}

/* --- changing --- */

static int set_link(struct links_watch *watch, uint32_t ifindex, bool up, unsigned mtu)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_request(buffer, RTM_NEWLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof *info);

	info->ifi_index = ifindex;
	info->ifi_flags = up ? IFF_UP : 0;
	info->ifi_change = IFF_UP;
	if (mtu)
		mnl_attr_put_u32(request, IFLA_MTU, mtu);
	return netlink_talk(watch->requests, request, NULL, NULL);
}

/* A host without IPv6, or with an unwritable /proc/sys, is left as it is. */
static void silence_ipv6(const struct link *link)
{
	char path[64 + IFNAMSIZ];

	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", link->name);
	AUTO(close) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) < 0)
		return;
}

int links_prepare_port(struct links_watch *watch, const struct link *link, unsigned mtu)
{
	silence_ipv6(link);
	if (link->mtu != mtu && set_link(watch, link->ifindex, true, mtu) == 0)
		return 0;
	return set_link(watch, link->ifindex, true, 0);
}

int links_stop(struct links_watch *watch, uint32_t ifindex)
{
	int r = set_link(watch, ifindex, false, 0);

	return r == -ENODEV ? 0 : r;
}

int links_prepare_uplink(struct links_watch *watch, const struct link *link, const struct address *address,
			 unsigned prefix_length)
{
	char buffer[NETLINK_REQUEST_SIZE];

	int r = link->up ? 0 : set_link(watch, link->ifindex, true, 0);
	if (r < 0 || !prefix_length)
		return r;
	struct nlmsghdr *request = netlink_request(buffer, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(request, sizeof *info);
	info->ifa_family = AF_INET;
	info->ifa_prefixlen = prefix_length;
	info->ifa_index = link->ifindex;
	mnl_attr_put_u32(request, IFA_LOCAL, address->word[3]);
	mnl_attr_put_u32(request, IFA_ADDRESS, address->word[3]);
	r = netlink_talk(watch->requests, request, NULL, NULL);
	return r == -EEXIST ? 0 : r;
}

int links_allow_lookup(struct links_watch *watch)
{
	enum { IFINDEX_LOOPBACK = 1, DEVCONF_FORWARDING = 1 /* IPV4_DEVCONF_FORWARDING of linux/ip.h */ };
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_request(buffer, RTM_SETLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(request, sizeof *info);

	info->ifi_index = IFINDEX_LOOPBACK;
	struct nlattr *families = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	struct nlattr *ipv4 = mnl_attr_nest_start(request, AF_INET);
	struct nlattr *settings = mnl_attr_nest_start(request, IFLA_INET_CONF);
	mnl_attr_put_u32(request, DEVCONF_FORWARDING, 1);
	mnl_attr_nest_end(request, settings);
	mnl_attr_nest_end(request, ipv4);
	mnl_attr_nest_end(request, families);
	return netlink_talk(watch->requests, request, NULL, NULL);
}

/* --- offloads --- */

/*
 * veth hands a frame that its sender has not segmented to the other end as it is, encapsulation marks and all, and
 * nothing takes the marks off again when the frame is stripped: a router that forwards it could not send it. So a veth
 * uplink segments before it sends.
 *
 * QEMU's igb card (seen with 10.0) takes the headers from the frame instead of from the descriptor: it fills in the
 * outer UDP checksum and leaves the inner TCP checksum undone, which the receiver then refuses. The real card does right.
 */
enum { ANY_MAKER = 0, QEMU = 0x1af4 /* PCI subsystem vendor of emulated cards */ };

static const struct fix {
	const char *driver;
	unsigned maker;
	const char *features[4]; /* to be switched off */
	const char *why;
} fixes[] = {
	{ "veth", ANY_MAKER, { "tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation" }, "veth passes tunnel marks on" },
	{ "igb", QEMU, { "tx-checksum-ip-generic" }, "QEMU's igb does the outer checksum instead of the inner" },
	{ "igbvf", QEMU, { "tx-checksum-ip-generic" }, "QEMU's igb does the outer checksum instead of the inner" },
};

/* 0: no PCI device. By its address: /sys/class/net shows the devices of another namespace perhaps. */
static unsigned maker_of(const struct ethtool_drvinfo *info)
{
	char path[64 + sizeof info->bus_info];
	unsigned vendor = 0;

	snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/subsystem_vendor", info->bus_info);
	AUTO(fclose) FILE *file = fopen(path, "re");
	if (!file || fscanf(file, "%x", &vendor) != 1)
		return 0;
	return vendor;
}

static int ethtool(int fd, const struct link *link, void *command)
{
	struct ifreq request = { .ifr_data = command };

	memcpy(request.ifr_name, link->name, sizeof request.ifr_name);
	return ioctl(fd, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

static const struct fix *fix_for(int fd, const struct link *link)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	if (ethtool(fd, link, &info) < 0)
		return NULL;
	for (size_t i = 0; i < N_ELEMENTS(fixes); i++)
		if (strcmp(info.driver, fixes[i].driver) == 0 && (fixes[i].maker == ANY_MAKER || fixes[i].maker == maker_of(&info)))
			return &fixes[i];
	return NULL;
}

/* The names of all features, ETH_GSTRING_LEN bytes each. */
static int feature_names(int fd, const struct link *link, struct ethtool_gstrings **names_out)
{
	AUTO(free) struct ethtool_sset_info *count = calloc(1, sizeof *count + sizeof count->data[0]);

	if (!count)
		return -ENOMEM;
	count->cmd = ETHTOOL_GSSET_INFO;
	count->sset_mask = 1ULL << ETH_SS_FEATURES;
	int r = ethtool(fd, link, count);
	if (r < 0)
		return r;
	AUTO(free) struct ethtool_gstrings *names = calloc(1, sizeof *names + (size_t)count->data[0] * ETH_GSTRING_LEN);
	if (!names)
		return -ENOMEM;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = count->data[0];
	r = ethtool(fd, link, names);
	if (r == 0)
		*names_out = take(names);
	return r;
}

static bool to_fix(const struct fix *fix, const char *feature)
{
	for (size_t i = 0; i < N_ELEMENTS(fix->features) && fix->features[i]; i++)
		if (strncmp(fix->features[i], feature, ETH_GSTRING_LEN) == 0)
			return true;
	return false;
}

int links_fix_offloads(const struct link *link, char text_out[128])
{
	AUTO(close) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	AUTO(free) struct ethtool_gstrings *names = NULL;

	*text_out = '\0';
	const struct fix *fix = fd >= 0 ? fix_for(fd, link) : NULL;
	if (!fix)
		return 0;
	int r = feature_names(fd, link, &names);
	if (r < 0)
		return r;
	size_t n_blocks = (names->len + 31) / 32;
	AUTO(free) struct ethtool_sfeatures *set = calloc(1, sizeof *set + n_blocks * sizeof *set->features);
	if (!set)
		return -ENOMEM;
	set->cmd = ETHTOOL_SFEATURES;
	set->size = n_blocks;
	for (size_t i = 0; i < names->len; i++)
		if (to_fix(fix, (const char *)names->data + i * ETH_GSTRING_LEN))
			set->features[i / 32].valid |= 1U << i % 32;
	r = ethtool(fd, link, set);
	if (r == 0)
		snprintf(text_out, 128, "%s off: %s", fix->features[0], fix->why);
	return r;
}
