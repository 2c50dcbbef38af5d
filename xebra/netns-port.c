/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/netns-port.h"

#include <errno.h>
#include <string.h>

#include "xebra/net-tree.h"
#include "xebra/veth.h"

#define ANNOUNCEMENTS "/local/domain/0/xebra/net/port"

enum { MTU_DEFAULT = 1500, MTU_MAX = 65535 };

void netns_port_ifname(char ifname[IF_NAMESIZE], unsigned id, unsigned handle)
{
	snprintf(ifname, IF_NAMESIZE, "vif%u.%u", id, handle);
}

int netns_port_check(const struct router_port *port, struct problem *problem)
{
	if (port->kind == PORT_VF)
		return problem_set(problem, -ENOTSUP, "port %s: a container router cannot have a VF; give it a segment or a "
						      "bridge, or run the router on Xen", port->name);
	if (*port->backend && strcmp(port->backend, "Dom0") != 0 && strcmp(port->backend, "0") != 0)
		return problem_set(problem, -ENOTSUP, "port %s: back end %s: container routers have theirs on this host; "
						      "leave out the backend", port->name, port->backend);
	return 0;
}

/* As the port says, or else its segment. */
static unsigned find_mtu(struct tree *tree, const struct router_port *port)
{
	AUTO(free) char *text = NULL;

	if (port->mtu)
		return port->mtu;
	if (port->kind != PORT_SEGMENT ||
	    tree_read(tree, PATH("/local/domain/0/xebra/net/segment/%s/mtu", port->segment), &text) < 0)
		return MTU_DEFAULT;
	unsigned long mtu = strtoul(text, NULL, 10);
	return mtu && mtu <= MTU_MAX ? mtu : MTU_DEFAULT;
}

int netns_port_make(struct tree *tree, unsigned id, const struct pid1 *pid1, const struct router_port *port,
		    struct problem *problem)
{
	char ifname[IF_NAMESIZE];
	unsigned char mac[6];

	netns_port_ifname(ifname, id, port->handle);
	if (!mac_parse(port->mac, mac))
		return problem_set(problem, -EINVAL, "port %s: MAC address '%s' is none", port->name, port->mac);
	int r = netns_port_remove(tree, id, port->handle);
	if (r < 0)
		return problem_set(problem, r, "port %s: %s of an earlier port cannot be removed: %s", port->name, ifname,
				   strerror(-r));
	AUTO(close) int netns_fd = pid1_netns(pid1);
	if (netns_fd < 0)
		return problem_set(problem, netns_fd, "port %s: the router's network namespace: %s", port->name,
				   strerror(-netns_fd));
	r = veth_make(&(struct veth){ .host_name = ifname,
				      .bridge = port->kind == PORT_BRIDGE ? port->bridge : NULL,
				      .netns_fd = netns_fd,
				      .name = port->name,
				      .mac = mac,
				      .mtu = find_mtu(tree, port) },
		      problem);
	return r < 0 ? problem_prefix(problem, "port %s", port->name) : 0;
}

int netns_port_announce(struct tree *tree, unsigned id, const struct router_port *port, struct problem *problem)
{
	char ifname[IF_NAMESIZE];

	if (port->kind != PORT_SEGMENT)
		return 0;
	netns_port_ifname(ifname, id, port->handle);
	int r = net_tree_port(tree, 0, ifname, port->segment, port->mac);
	if (r < 0)
		return problem_set(problem, r, "port %s: cannot be told to driverdomd: %s", port->name, strerror(-r));
	return 0;
}

enum port_answer netns_port_answer(struct tree *tree, const char *ifname, struct problem *problem)
{
	static const char active[] = "active", error[] = "error: ";
	AUTO(free) char *answer = NULL;

	if (tree_read(tree, PATH(NETNS_ANSWERS "/%s", ifname), &answer) < 0)
		return PORT_SILENT;
	if (strncmp(answer, active, strlen(active)) == 0)
		return PORT_ACTIVE;
	if (strncmp(answer, error, strlen("error")) != 0)
		return PORT_SILENT;
	const char *why = strncmp(answer, error, strlen(error)) == 0 ? answer + strlen(error) : answer;
	problem_set(problem, -EIO, "driverdomd: %s", why);
	return PORT_REFUSED;
}

/* Calls `act` for the children of `path` whose names begin with `prefix`, until it returns something. */
static int for_each(struct tree *tree, const char *path, const char *prefix, int (*act)(struct tree *, const char *))
{
	char **names;
	size_t n;
	int r = tree_list(tree, path, &names, &n);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < n && r == 0; i++)
		if (strncmp(names[i], prefix, strlen(prefix)) == 0)
			r = act(tree, names[i]);
	tree_names_free(names, n);
	return r;
}

static int remove_announcement(struct tree *tree, const char *ifname)
{
	return net_tree_port_remove(tree, 0, ifname);
}

static int remove_answer(struct tree *tree, const char *ifname)
{
	return tree_remove(tree, PATH(NETNS_ANSWERS "/%s", ifname));
}

int netns_port_remove(struct tree *tree, unsigned id, unsigned handle)
{
	char ifname[IF_NAMESIZE], **names;
	size_t n;

	netns_port_ifname(ifname, id, handle);
	int r = tree_list(tree, PATH(ANNOUNCEMENTS "/%s", ifname), &names, &n);
	if (r == 0) {
		tree_names_free(names, n);
		r = remove_announcement(tree, ifname);
	}
	if (r == 0 || r == -ENOENT)
		r = veth_remove(ifname, true);
	return r < 0 ? r : remove_answer(tree, ifname);
}

static void own_prefix(char prefix[IF_NAMESIZE], unsigned id)
{
	snprintf(prefix, IF_NAMESIZE, "vif%u.", id);
}

static int put_down(struct tree *tree, const char *ifname)
{
	return net_tree_port_state(tree, 0, ifname, true);
}

static int put_up(struct tree *tree, const char *ifname)
{
	return net_tree_port_state(tree, 0, ifname, false);
}

int netns_ports_pause(struct tree *tree, unsigned id, bool paused)
{
	char prefix[IF_NAMESIZE];

	own_prefix(prefix, id);
	return for_each(tree, ANNOUNCEMENTS, prefix, paused ? put_down : put_up);
}

int netns_ports_remove(struct tree *tree, unsigned id)
{
	char prefix[IF_NAMESIZE];

	own_prefix(prefix, id);
	int r = for_each(tree, ANNOUNCEMENTS, prefix, remove_announcement);
	int removed = veth_remove(prefix, false);
	int forgotten = for_each(tree, NETNS_ANSWERS, prefix, remove_answer);
	return r < 0 ? r : removed < 0 ? removed : forgotten;
}

static int found(struct tree *tree, const char *ifname)
{
	(void)tree;
	(void)ifname;
	return 1;
}

bool netns_ports_exist(struct tree *tree, unsigned id)
{
	char prefix[IF_NAMESIZE];

	own_prefix(prefix, id);
	return veth_taken(prefix) || for_each(tree, ANNOUNCEMENTS, prefix, found) > 0;
}
