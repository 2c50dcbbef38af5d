/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/guest/guest-net.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#ifndef NETLINK_GET_STRICT_CHK
#define NETLINK_GET_STRICT_CHK 12
#endif

enum {
	REQUEST_SIZE = 1024,
	REPLY_SIZE = 32768, /* the kernel packs dumps into as much as is offered, up to this */
	READ_TRIES = 5,
	IFA_PROTO_ = 11, /* IFA_PROTO, younger than some headers */
};

struct guest_net {
	struct mnl_socket *ask, *news;
	struct event *readable;
	void (*changed)(void *arg);
	void *arg;
	unsigned sequence;
};

/* --- opening */

static void read_news(evutil_socket_t fd, short what, void *arg)
{
	struct guest_net *net = arg;
	char buffer[REPLY_SIZE];
	bool some = false;

	(void)what;
	/* ENOBUFS: more news than fitted; all is read anew anyway. */
	while (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		some = true;
	if (some)
		net->changed(net->arg);
}

static struct mnl_socket *open_socket(unsigned groups)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (socket && mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(socket);
		socket = NULL;
	}
	return socket;
}

int guest_net_open(struct event_base *loop, void (*changed)(void *arg), void *arg, struct guest_net **net_out,
		   struct problem *problem)
{
	AUTO(guest_net_close) struct guest_net *net = calloc(1, sizeof *net);

	if (!net)
		return problem_set(problem, -ENOMEM, "network: no memory");
	net->changed = changed;
	net->arg = arg;
	net->ask = open_socket(0);
	net->news = open_socket(RTMGRP_LINK);
	if (!net->ask || !net->news)
		return problem_set(problem, -errno, "network: no netlink socket: %s; is this kernel Linux with rtnetlink?",
				   strerror(errno));
	int on = 1; /* lets the kernel pick our routes out of BIRD's many; older kernels send them all */
	mnl_socket_setsockopt(net->ask, NETLINK_GET_STRICT_CHK, &on, sizeof on);
	net->readable = event_new(loop, mnl_socket_get_fd(net->news), EV_READ | EV_PERSIST, read_news, net);
	if (!net->readable || event_add(net->readable, NULL) < 0)
		return problem_set(problem, -ENOMEM, "network: no memory");
	*net_out = take(net);
	return 0;
}

void guest_net_close(struct guest_net *net)
{
	if (!net)
		return;
	if (net->readable)
		event_free(net->readable);
	if (net->ask)
		mnl_socket_close(net->ask);
	if (net->news)
		mnl_socket_close(net->news);
	free(net);
}

/* Sends and takes replies until the acknowledgement or the end of a dump. */
static int ask(struct guest_net *net, struct nlmsghdr *request, mnl_cb_t row, void *arg)
{
	char buffer[REPLY_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	unsigned port = mnl_socket_get_portid(net->ask);

	request->nlmsg_seq = ++net->sequence;
	if (mnl_socket_sendto(net->ask, request, request->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		ssize_t n = mnl_socket_recvfrom(net->ask, buffer, sizeof buffer);
		if (n < 0)
			return -errno;
		if (((struct nlmsghdr *)buffer)->nlmsg_seq != net->sequence)
			continue; /* the rest of a listing that was broken off */
		int r = mnl_cb_run(buffer, (size_t)n, net->sequence, port, row, arg);
		if (r < 0)
			return -errno;
		if (r == MNL_CB_STOP)
			return 0;
	}
}

static void *request_put(char buffer[REQUEST_SIZE], int type, int flags, size_t header_size, struct nlmsghdr **message_out)
{
	*message_out = mnl_nlmsg_put_header(buffer);
	(*message_out)->nlmsg_type = (uint16_t)type;
	(*message_out)->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	return mnl_nlmsg_put_extra_header(*message_out, header_size);
}

/* --- reading */

/* Room for one more element of an array that doubles; NULL: no memory. */
static void *grow(void *array, size_t n, size_t size)
{
	bool full = n == 0 || (n >= 8 && (n & (n - 1)) == 0);

	return full ? realloc(array, (n < 8 ? 8 : 2 * n) * size) : array;
}

#define GROW(array, n)                                          \
	({                                                      \
		void *grown_ = grow((array), (n), sizeof *(array)); \
		if (grown_)                                     \
			(array) = grown_;                       \
		grown_ ? &(array)[(n)++] : NULL;                \
	})

static bool kind_is(const struct nlattr *kind, const char *name)
{
	return kind && strcmp(mnl_attr_get_str(kind), name) == 0;
}

static bool is_stacked(struct nlattr *const attrs[], unsigned index)
{
	static const char *const masters[] = { "bridge", "bond", "team", "vrf" };
	const struct nlattr *info = attrs[IFLA_LINKINFO], *kind = NULL, *one;

	if (info)
		mnl_attr_for_each_nested(one, info)
			if (mnl_attr_get_type(one) == IFLA_INFO_KIND)
				kind = one;
	for (size_t i = 0; i < N_ELEMENTS(masters); i++)
		if (kind_is(kind, masters[i]))
			return true;
	if (kind_is(kind, "veth") || attrs[IFLA_LINK_NETNSID] || !attrs[IFLA_LINK])
		return false;
	uint32_t below = mnl_attr_get_u32(attrs[IFLA_LINK]);
	return below != 0 && below != index;
}

struct attrs {
	struct nlattr **at;
	unsigned max;
};

static int take_attr(const struct nlattr *attr, void *arg)
{
	struct attrs *attrs = arg;

	if (mnl_attr_get_type(attr) <= attrs->max)
		attrs->at[mnl_attr_get_type(attr)] = (struct nlattr *)attr;
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *message, void *arg)
{
	struct guest_actual *actual = arg;
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct nlattr *attrs[IFLA_MAX + 1] = { NULL };

	mnl_attr_parse(message, sizeof *header, take_attr, &(struct attrs){ attrs, IFLA_MAX });
	if (!attrs[IFLA_IFNAME])
		return MNL_CB_OK;
	struct guest_link *link = GROW(actual->links, actual->n_links);
	if (!link)
		return MNL_CB_ERROR;
	*link = (struct guest_link){
		.index = (unsigned)header->ifi_index,
		.up = header->ifi_flags & IFF_UP,
		.running = (header->ifi_flags & IFF_UP) && (header->ifi_flags & IFF_RUNNING),
		.loopback = header->ifi_flags & IFF_LOOPBACK,
		.stacked = is_stacked(attrs, (unsigned)header->ifi_index),
		.mtu = attrs[IFLA_MTU] ? mnl_attr_get_u32(attrs[IFLA_MTU]) : 0,
	};
	snprintf(link->name, sizeof link->name, "%s", mnl_attr_get_str(attrs[IFLA_IFNAME]));
	if (attrs[IFLA_ADDRESS] && mnl_attr_get_payload_len(attrs[IFLA_ADDRESS]) == GUEST_MAC_SIZE)
		memcpy(link->mac, mnl_attr_get_payload(attrs[IFLA_ADDRESS]), GUEST_MAC_SIZE);
	if (attrs[IFLA_STATS64]) {
		struct rtnl_link_stats64 stats = { 0 };
		size_t size = mnl_attr_get_payload_len(attrs[IFLA_STATS64]);
		memcpy(&stats, mnl_attr_get_payload(attrs[IFLA_STATS64]), size < sizeof stats ? size : sizeof stats);
		link->rx_bytes = stats.rx_bytes;
		link->tx_bytes = stats.tx_bytes;
		link->rx_packets = stats.rx_packets;
		link->tx_packets = stats.tx_packets;
		link->rx_dropped = stats.rx_dropped;
	}
	return MNL_CB_OK;
}

static bool take_bytes(const struct nlattr *attr, int family, unsigned prefix, struct address *address)
{
	*address = (struct address){ .family = family, .prefix = prefix };
	if (!attr) /* a default route has no destination */
		return prefix == 0;
	if (mnl_attr_get_payload_len(attr) != address_size(address))
		return false;
	memcpy(address->bytes, mnl_attr_get_payload(attr), address_size(address));
	return true;
}

static int take_address(const struct nlmsghdr *message, void *arg)
{
	struct guest_actual *actual = arg;
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct nlattr *attrs[IFA_PROTO_ + 1] = { NULL };
	struct guest_link_address there = { .link = header->ifa_index };

	mnl_attr_parse(message, sizeof *header, take_attr, &(struct attrs){ attrs, IFA_PROTO_ });
	const struct nlattr *local = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	if (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)
		return MNL_CB_OK;
	if (!local || !take_bytes(local, header->ifa_family, header->ifa_prefixlen, &there.address))
		return MNL_CB_OK;
	there.ours = attrs[IFA_PROTO_] && mnl_attr_get_u8(attrs[IFA_PROTO_]) == GUEST_PROTOCOL;
	struct guest_link_address *slot = GROW(actual->addresses, actual->n_addresses);
	if (!slot)
		return MNL_CB_ERROR;
	*slot = there;
	return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *message, void *arg)
{
	struct guest_actual *actual = arg;
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct nlattr *attrs[RTA_MAX + 1] = { NULL };
	struct guest_link_route there = { .has_gateway = false };

	mnl_attr_parse(message, sizeof *header, take_attr, &(struct attrs){ attrs, RTA_MAX });
	if (header->rtm_protocol != GUEST_PROTOCOL || header->rtm_table != RT_TABLE_MAIN || !attrs[RTA_OIF] ||
	    !take_bytes(attrs[RTA_DST], header->rtm_family, header->rtm_dst_len, &there.to))
		return MNL_CB_OK;
	there.link = mnl_attr_get_u32(attrs[RTA_OIF]);
	there.has_gateway = attrs[RTA_GATEWAY] && take_bytes(attrs[RTA_GATEWAY], header->rtm_family,
							     8 * (unsigned)address_size(&there.to), &there.gateway);
	struct guest_link_route *slot = GROW(actual->routes, actual->n_routes);
	if (!slot)
		return MNL_CB_ERROR;
	*slot = there;
	return MNL_CB_OK;
}

static int read_links(struct guest_net *net, struct guest_actual *actual)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *message;
	struct ifinfomsg *header = request_put(buffer, RTM_GETLINK, NLM_F_DUMP, sizeof *header, &message);

	header->ifi_family = AF_UNSPEC;
	return ask(net, message, take_link, actual);
}

static int read_addresses(struct guest_net *net, struct guest_actual *actual)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *message;
	struct ifaddrmsg *header = request_put(buffer, RTM_GETADDR, NLM_F_DUMP, sizeof *header, &message);

	header->ifa_family = AF_UNSPEC;
	return ask(net, message, take_address, actual);
}

static int read_routes(struct guest_net *net, struct guest_actual *actual, int family)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *message;
	struct rtmsg *header = request_put(buffer, RTM_GETROUTE, NLM_F_DUMP, sizeof *header, &message);

	header->rtm_family = (unsigned char)family;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_protocol = GUEST_PROTOCOL;
	int r = ask(net, message, take_route, actual);
	return r == -ENOENT ? 0 : r; /* the table has never been used */
}

int guest_net_read(struct guest_net *net, struct guest_actual *actual_out)
{
	int r = -EINTR;

	/* -EINTR: something changed while the kernel was listing. */
	for (int i = 0; r == -EINTR && i < READ_TRIES; i++) {
		guest_actual_clear(actual_out);
		r = read_links(net, actual_out);
		r = r < 0 ? r : read_addresses(net, actual_out);
		r = r < 0 ? r : read_routes(net, actual_out, AF_INET);
		r = r < 0 ? r : read_routes(net, actual_out, AF_INET6);
	}
	return r;
}

/* --- doing */

static int do_link(struct guest_net *net, const struct guest_action *action)
{
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *message;
	struct ifinfomsg *header = request_put(buffer, RTM_NEWLINK, NLM_F_ACK, sizeof *header, &message);

	header->ifi_family = AF_UNSPEC;
	header->ifi_index = (int)action->link;
	if (action->kind == GUEST_LINK_UP || action->kind == GUEST_LINK_DOWN) {
		header->ifi_change = IFF_UP;
		header->ifi_flags = action->kind == GUEST_LINK_UP ? IFF_UP : 0;
	}
	if (action->kind == GUEST_LINK_RENAME)
		mnl_attr_put_strz(message, IFLA_IFNAME, action->name);
	if (action->kind == GUEST_LINK_MTU)
		mnl_attr_put_u32(message, IFLA_MTU, action->mtu);
	return ask(net, message, NULL, NULL);
}

static bool is_link_local(const struct address *address)
{
	return address->family == AF_INET6 && address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80;
}

static int do_address(struct guest_net *net, const struct guest_action *action)
{
	bool adding = action->kind == GUEST_ADDRESS_ADD;
	const struct address *address = &action->address;
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *message;
	struct ifaddrmsg *header = request_put(buffer, adding ? RTM_NEWADDR : RTM_DELADDR,
					       NLM_F_ACK | (adding ? NLM_F_CREATE | NLM_F_EXCL : 0), sizeof *header, &message);

	header->ifa_family = (unsigned char)address->family;
	header->ifa_prefixlen = (unsigned char)address->prefix;
	header->ifa_index = action->link;
	header->ifa_scope = is_link_local(address) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	header->ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0;
	mnl_attr_put(message, IFA_LOCAL, address_size(address), address->bytes);
	mnl_attr_put(message, IFA_ADDRESS, address_size(address), address->bytes);
	if (adding)
		mnl_attr_put_u8(message, IFA_PROTO_, GUEST_PROTOCOL);
	return ask(net, message, NULL, NULL);
}

static int do_route(struct guest_net *net, const struct guest_action *action)
{
	bool adding = action->kind == GUEST_ROUTE_ADD;
	const struct address *to = &action->address;
	char buffer[REQUEST_SIZE];
	struct nlmsghdr *message;
	struct rtmsg *header = request_put(buffer, adding ? RTM_NEWROUTE : RTM_DELROUTE,
					   NLM_F_ACK | (adding ? NLM_F_CREATE | NLM_F_EXCL : 0), sizeof *header, &message);

	header->rtm_family = (unsigned char)to->family;
	header->rtm_dst_len = (unsigned char)to->prefix;
	header->rtm_table = RT_TABLE_MAIN;
	header->rtm_protocol = GUEST_PROTOCOL;
	header->rtm_type = RTN_UNICAST;
	header->rtm_scope = action->has_gateway || to->family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	header->rtm_flags = action->onlink ? RTNH_F_ONLINK : 0;
	mnl_attr_put(message, RTA_DST, address_size(to), to->bytes);
	mnl_attr_put_u32(message, RTA_OIF, action->link);
	if (action->has_gateway)
		mnl_attr_put(message, RTA_GATEWAY, address_size(&action->gateway), action->gateway.bytes);
	return ask(net, message, NULL, NULL);
}

int guest_net_do(struct guest_net *net, const struct guest_action *action)
{
	int r;

	switch (action->kind) {
	case GUEST_ADDRESS_ADD:
	case GUEST_ADDRESS_REMOVE:
		r = do_address(net, action);
		break;
	case GUEST_ROUTE_ADD:
	case GUEST_ROUTE_REMOVE:
		r = do_route(net, action);
		break;
	default:
		return do_link(net, action);
	}
	if (action->kind == GUEST_ADDRESS_ADD && r == -EEXIST)
		return 0;
	if (action->kind == GUEST_ADDRESS_REMOVE && r == -EADDRNOTAVAIL)
		return 0;
	if (action->kind == GUEST_ROUTE_REMOVE && r == -ESRCH)
		return 0;
	return r;
}

/* --- settings */

struct setting {
	const char *family, *name;
	char value;
	bool for_all, for_port, is_forwarding;
};

/* Writing `forwarding` resets others, so it comes first. A port's own value is needed where the kernel takes the larger
 * of it and of `all`. */
static const struct setting settings[] = {
	{ "ipv4", "forwarding", '1', true, false, true },
	{ "ipv6", "forwarding", '1', true, false, true },
	{ "ipv4", "rp_filter", '2', true, true, false },
	{ "ipv4", "promote_secondaries", '1', true, false, false },
	{ "ipv6", "accept_ra", '0', true, true, false },
	{ "ipv6", "accept_dad", '0', true, true, false },
	{ "ipv6", "keep_addr_on_down", '1', true, false, false },
};

static int set(const struct setting *setting, const char *whose, struct problem *problem)
{
	char path[128], now[16] = "";

	snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/%s", setting->family, whose, setting->name);
	AUTO(close) int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) /* no IPv6, or the interface has gone */
		return 0;
	if (fd < 0 && errno == EROFS)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, now, sizeof now - 1) >= 1 && now[0] == setting->value)
		return 0;
	if (fd < 0 || pwrite(fd, &setting->value, 1, 0) != 1)
		return problem_set(problem, -errno, "setting %s: cannot be %c: %s; give the router a writable /proc/sys", path,
				   setting->value, strerror(errno));
	return 0;
}

int guest_net_settings(const char *port, bool forwarding, struct problem *problem)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < N_ELEMENTS(settings); i++) {
		const struct setting *setting = &settings[i];
		if (setting->is_forwarding && !forwarding)
			continue;
		if (!port) {
			r = set(setting, "all", problem);
			r = r < 0 ? r : set(setting, "default", problem);
		} else if (setting->for_port) {
			r = set(setting, port, problem);
		}
	}
	return r;
}
