/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink requests, one at a time and answered before the call returns, and a socket for its notifications.
 */
#ifndef XEBRA_NETLINK_H
#define XEBRA_NETLINK_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>

#include "libvnet/base/cleanup.h"

DEFINE_AUTO(struct mnl_socket *, mnl_socket_close)

/* groups: bits 1 << (RTNLGRP_... - 1), or 0 for a socket for requests. */
int netlink_open(unsigned groups, struct mnl_socket **socket_out);

/* Begins a request in `buffer` of NETLINK_REQUEST_SIZE bytes; attributes follow by mnl_attr_put... */
enum { NETLINK_REQUEST_SIZE = 1024, NETLINK_ANSWER_SIZE = 32768 };
struct nlmsghdr *netlink_request(void *buffer, uint16_t type, uint16_t flags);

/* Sends the request and waits for the answer: `each` (may be NULL) is called for every message of it. 0 or -errno. */
int netlink_talk(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t each, void *arg);

/* Calls `each` for every notification waiting. False: some were lost, read everything again. */
bool netlink_drain(struct mnl_socket *socket, mnl_cb_t each, void *arg);

#endif
