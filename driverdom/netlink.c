/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink.h"

#include <errno.h>
#include <fcntl.h>

int netlink_open(unsigned groups, struct mnl_socket **socket_out)
{
	AUTO(mnl_socket_close) struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!socket || mnl_socket_bind(socket, groups, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	if (groups && fcntl(mnl_socket_get_fd(socket), F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	*socket_out = take(socket);
	return 0;
}

struct nlmsghdr *netlink_request(void *buffer, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	return request;
}

int netlink_talk(struct mnl_socket *socket, struct nlmsghdr *request, mnl_cb_t each, void *arg)
{
	static unsigned sequence;
	char answer[NETLINK_ANSWER_SIZE];
	bool is_dump = (request->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;

	request->nlmsg_seq = ++sequence;
	if (!is_dump)
		request->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0)
		return -errno;
	for (int r = MNL_CB_OK; r > MNL_CB_STOP;) {
		ssize_t n = mnl_socket_recvfrom(socket, answer, sizeof answer);
		if (n < 0)
			return -errno;
		r = mnl_cb_run(answer, n, request->nlmsg_seq, mnl_socket_get_portid(socket), each, arg);
		if (r < 0)
			return -errno;
	}
	return 0;
}

bool netlink_drain(struct mnl_socket *socket, mnl_cb_t each, void *arg)
{
	char notes[NETLINK_ANSWER_SIZE];

	for (;;) {
		ssize_t n = mnl_socket_recvfrom(socket, notes, sizeof notes);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		mnl_cb_run(notes, n, 0, 0, each, arg);
	}
}
