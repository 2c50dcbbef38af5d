/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *    peers wanted --+
 *    route changed -+--> for each peer: route -> (device, next hop) -> RTM_NEWNEIGH managed, use
 *    neighbour gone-+        then: next hops no longer among them -> RTM_DELNEIGH
 *    every 10 s ----+
 */
#include "neigh.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <string.h>

#include <event2/event.h>

#include "array.h"
#include "netlink.h"

DEFINE_AUTO(struct event *, event_free)

struct next_hop {
	uint32_t ifindex;
	uint32_t address; /* network order */
};

struct neigh {
	struct mnl_socket *requests;
	struct mnl_socket *notes;
	struct event *readable;
	struct event *refresh;
	struct address *peers;
	size_t n_peers;
	struct next_hop *hops; /* those asked for */
	size_t n_hops;
};

enum { SETTLE_MS = 50 };

static void schedule(struct neigh *neigh, int ms)
{
	const struct timeval delay = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(neigh->refresh, &delay);
}

static int take_route_attr(const struct nlattr *attr, void *arg)
{
	struct next_hop *hop = arg;

	if (mnl_attr_get_type(attr) == RTA_OIF)
		hop->ifindex = mnl_attr_get_u32(attr);
	else if (mnl_attr_get_type(attr) == RTA_GATEWAY)
		hop->address = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *message, void *arg)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type == RTM_NEWROUTE && route->rtm_type == RTN_UNICAST)
		mnl_attr_parse(message, sizeof *route, take_route_attr, arg);
	return MNL_CB_OK;
}

static int find_hop(struct neigh *neigh, const struct address *peer, struct next_hop *hop_out)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_request(buffer, RTM_GETROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(request, sizeof *route);

	route->rtm_family = AF_INET;
	route->rtm_dst_len = 32;
	mnl_attr_put_u32(request, RTA_DST, peer->word[3]);
	*hop_out = (struct next_hop){ .address = peer->word[3] };
	int r = netlink_talk(neigh->requests, request, take_route, hop_out);
	return r < 0 ? r : hop_out->ifindex ? 0 : -EHOSTUNREACH;
}

static int neighbour(struct neigh *neigh, uint16_t type, uint16_t flags, const struct next_hop *hop, bool managed)
{
	char buffer[NETLINK_REQUEST_SIZE];
	struct nlmsghdr *request = netlink_request(buffer, type, flags);
	struct ndmsg *entry = mnl_nlmsg_put_extra_header(request, sizeof *entry);

	entry->ndm_family = AF_INET;
	entry->ndm_ifindex = hop->ifindex;
	if (managed)
		entry->ndm_flags = NTF_USE;
	mnl_attr_put_u32(request, NDA_DST, hop->address);
	if (managed)
		mnl_attr_put_u32(request, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return netlink_talk(neigh->requests, request, NULL, NULL);
}

static bool has_hop(const struct next_hop *hops, size_t n_hops, const struct next_hop *hop)
{
	for (size_t i = 0; i < n_hops; i++)
		if (hops[i].ifindex == hop->ifindex && hops[i].address == hop->address)
			return true;
	return false;
}

static int refresh(struct neigh *neigh)
{
	AUTO(free) struct next_hop *hops = NULL;
	size_t n_hops = 0;

	for (size_t i = 0; i < neigh->n_peers; i++) {
		struct next_hop hop;
		if (find_hop(neigh, &neigh->peers[i], &hop) < 0 || has_hop(hops, n_hops, &hop))
			continue;
		struct next_hop *row = ARRAY_ADD(hops, n_hops);
		if (!row)
			return -ENOMEM;
		*row = hop;
		neighbour(neigh, RTM_NEWNEIGH, NLM_F_CREATE, &hop, true);
	}
	for (size_t i = 0; i < neigh->n_hops; i++)
		if (!has_hop(hops, n_hops, &neigh->hops[i]))
			neighbour(neigh, RTM_DELNEIGH, 0, &neigh->hops[i], false);
	free(neigh->hops);
	neigh->hops = take(hops);
	neigh->n_hops = n_hops;
	return 0;
}

static void on_refresh(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	refresh(arg);
	schedule(arg, NEIGH_REFRESH_S * 1000);
}

/* Own requests are notified as well, as RTM_NEWNEIGH: only what takes something away matters. */
static int look(const struct nlmsghdr *message, void *arg)
{
	bool *matters = arg;

	*matters |= message->nlmsg_type != RTM_NEWNEIGH;
	return MNL_CB_OK;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct neigh *neigh = arg;
	bool matters = false;

	(void)fd;
	(void)what;
	if (!netlink_drain(neigh->notes, look, &matters) || matters)
		schedule(neigh, SETTLE_MS);
}

int neigh_open(struct event_base *loop, struct neigh **neigh_out, struct problem *problem)
{
	const unsigned groups = 1 << (RTNLGRP_NEIGH - 1) | 1 << (RTNLGRP_IPV4_ROUTE - 1);
	AUTO(neigh_close) struct neigh *neigh = calloc(1, sizeof *neigh);

	if (!neigh)
		return problem_set(problem, -ENOMEM, "neighbours: no memory");
	int r = netlink_open(0, &neigh->requests);
	if (r == 0)
		r = netlink_open(groups, &neigh->notes);
	if (r < 0)
		return problem_set(problem, r, "neighbours: rtnetlink does not answer: %s", strerror(-r));
	neigh->readable = event_new(loop, mnl_socket_get_fd(neigh->notes), EV_READ | EV_PERSIST, on_readable, neigh);
	neigh->refresh = event_new(loop, -1, 0, on_refresh, neigh);
	if (!neigh->readable || !neigh->refresh || event_add(neigh->readable, NULL) < 0)
		return problem_set(problem, -ENOMEM, "neighbours: no memory");
	schedule(neigh, NEIGH_REFRESH_S * 1000);
	*neigh_out = take(neigh);
	return 0;
}

int neigh_want(struct neigh *neigh, const struct address *peers, size_t n_peers)
{
	AUTO(free) struct address *copy = NULL;

	if (n_peers == neigh->n_peers && (!n_peers || memcmp(peers, neigh->peers, n_peers * sizeof *peers) == 0))
		return 0;
	if (n_peers) {
		copy = malloc(n_peers * sizeof *copy);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, peers, n_peers * sizeof *copy);
	}
	free(neigh->peers);
	neigh->peers = take(copy);
	neigh->n_peers = n_peers;
	return refresh(neigh);
}

void neigh_close(struct neigh *neigh)
{
	if (!neigh)
		return;
	auto_event_free(&neigh->readable);
	auto_event_free(&neigh->refresh);
	auto_mnl_socket_close(&neigh->requests);
	auto_mnl_socket_close(&neigh->notes);
	free(neigh->peers);
	free(neigh->hops);
	free(neigh);
}
