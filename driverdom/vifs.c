/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *    backend/vif/7/0/script = /etc/xen/scripts/vif-xebra     ours by its basename
 *                   bridge = blue.l1                          the segment
 *                   mac, vifname                              the guard; the netdev, else vif7.0
 *                   online, state                             the toolstack's and netback's wishes
 *                   hotplug-status, hotplug-error             our answer: netback waits for it
 */
#include "vifs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "libvnet/base/log.h"
#include "vif.h"

#define BACKEND "backend/vif"

struct vif {
	char node[TREE_PATH_SIZE]; /* "backend/vif/7/0" */
	enum vif_state state;
	struct wanted_port port;
	bool seen;
	bool online;
	int backend_state;
	bool told;
	char bad[PROBLEM_TEXT_SIZE]; /* why its node cannot be a port; "" if it can */
};

struct vifs {
	struct tree *tree;
	bool agent;
	struct vif *items;
	size_t n;
	struct wanted_port *ports;
	size_t n_ports;
};

int vifs_open(struct tree *tree, bool agent, struct vifs **vifs_out)
{
	struct vifs *vifs = calloc(1, sizeof *vifs);

	if (!vifs)
		return -ENOMEM;
	vifs->tree = tree;
	vifs->agent = agent;
	*vifs_out = vifs;
	return 0;
}

void vifs_close(struct vifs *vifs)
{
	if (!vifs)
		return;
	free(vifs->items);
	free(vifs->ports);
	free(vifs);
}

/* --- reading a node --- */

/* The value of `leaf` of the node, "" if there is none. */
static const char *leaf_of(struct vifs *vifs, const char *node, const char *leaf, char buffer[TREE_VALUE_SIZE])
{
	AUTO(free) char *value = NULL;

	*buffer = '\0';
	if (tree_read(vifs->tree, PATH("%s/%s", node, leaf), &value) == 0)
		snprintf(buffer, TREE_VALUE_SIZE, "%s", value);
	return buffer;
}

#define LEAF(vifs, node, leaf) leaf_of(vifs, node, leaf, (char[TREE_VALUE_SIZE]){ "" })

static bool is_ours(struct vifs *vifs, const char *node)
{
	const char *script = LEAF(vifs, node, "script"), *slash = strrchr(script, '/');

	return strcmp(slash ? slash + 1 : script, "vif-xebra") == 0;
}

static void read_port(struct vifs *vifs, struct vif *vif, const char *domid, const char *handle)
{
	const char *segment = LEAF(vifs, vif->node, "bridge"), *mac_text = LEAF(vifs, vif->node, "mac");
	const char *name = LEAF(vifs, vif->node, "vifname");
	struct wanted_port *port = &vif->port;
	struct problem problem = { .text = "" };
	uint64_t mac = 0;
	char usual[64];

	memset(port, 0, sizeof *port);
	snprintf(usual, sizeof usual, "vif%.16s.%.16s", domid, handle);
	if (!*name)
		name = usual;
	if (strlen(name) >= sizeof port->ifname)
		problem_set(&problem, -EINVAL, "vif name %s is longer than %zu characters; shorten vifname", SHOWN(name),
			    sizeof port->ifname - 1);
	else if (!*segment || strlen(segment) >= sizeof port->segment)
		problem_set(&problem, -EINVAL, "vif %s names no segment; write bridge=SEGMENT in its configuration", name);
	else if (*mac_text && wanted_mac(mac_text, &mac, &problem) < 0)
		problem_prefix(&problem, "vif %s", name);
	memcpy(vif->bad, problem.text, sizeof vif->bad);
	if (*vif->bad)
		return;
	strcpy(port->ifname, name);
	strcpy(port->segment, segment);
	port->guard = mac ? PORT_PINNED | mac : 0;
}

static struct vif *vif_at(struct vifs *vifs, const char *node)
{
	for (size_t i = 0; i < vifs->n; i++)
		if (strcmp(vifs->items[i].node, node) == 0)
			return &vifs->items[i];
	struct vif *vif = ARRAY_ADD(vifs->items, vifs->n);
	if (vif)
		snprintf(vif->node, sizeof vif->node, "%s", node);
	return vif;
}

static int read_vif(struct vifs *vifs, const char *domid, const char *handle)
{
	const char *node = PATH(BACKEND "/%s/%s", domid, handle);

	if (!is_ours(vifs, node))
		return 0;
	struct vif *vif = vif_at(vifs, node);
	if (!vif)
		return -ENOMEM;
	vif->seen = true;
	vif->online = strcmp(LEAF(vifs, node, "online"), "1") == 0;
	vif->backend_state = atoi(LEAF(vifs, node, "state"));
	vif->told = strcmp(LEAF(vifs, node, "hotplug-status"), "connected") == 0;
	read_port(vifs, vif, domid, handle);
	return 0;
}

static int read_domain(struct vifs *vifs, const char *domid)
{
	char **handles;
	size_t n;

	int r = tree_list(vifs->tree, PATH(BACKEND "/%s", domid), &handles, &n);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_vif(vifs, domid, handles[i]);
	tree_names_free(handles, n);
	return r;
}

static void forget_unseen(struct vifs *vifs)
{
	size_t n = 0;

	for (size_t i = 0; i < vifs->n; i++)
		if (vifs->items[i].seen)
			vifs->items[n++] = vifs->items[i];
		else
			log_info("vif %s: gone", vifs->items[i].node);
	vifs->n = n;
}

int vifs_read(struct vifs *vifs)
{
	char **domids = NULL;
	size_t n = 0;

	int r = tree_list(vifs->tree, BACKEND, &domids, &n);
	if (r < 0 && r != -ENOENT)
		return r;
	for (size_t i = 0; i < vifs->n; i++)
		vifs->items[i].seen = false;
	r = 0;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_domain(vifs, domids[i]);
	tree_names_free(domids, n);
	if (r == 0)
		forget_unseen(vifs);
	return r;
}

const struct wanted_port *vifs_ports(const struct vifs *vifs_const, size_t *n_out)
{
	struct vifs *vifs = (struct vifs *)vifs_const;

	free(vifs->ports);
	vifs->ports = NULL;
	vifs->n_ports = 0;
	for (size_t i = 0; i < vifs->n; i++) {
		if (*vifs->items[i].bad || vifs->items[i].state == VIF_CLOSED)
			continue;
		struct wanted_port *port = ARRAY_ADD(vifs->ports, vifs->n_ports);
		if (port)
			*port = vifs->items[i].port;
	}
	*n_out = vifs->n_ports;
	return vifs->ports;
}

/* --- answering --- */

static void write_leaf(struct vifs *vifs, const struct vif *vif, const char *leaf, const char *value)
{
	int r = tree_write(vifs->tree, PATH("%s/%s", vif->node, leaf), value);

	if (r < 0)
		log_warn("vif %s: %s is not written: %s", vif->node, leaf, strerror(-r));
}

static void remove_if_empty(struct vifs *vifs, const char *path)
{
	char **names;
	size_t n;

	if (tree_list(vifs->tree, path, &names, &n) < 0)
		return;
	tree_names_free(names, n);
	if (n == 0)
		tree_remove(vifs->tree, path);
}

static void remove_node(struct vifs *vifs, const struct vif *vif)
{
	char parent[TREE_PATH_SIZE];

	int r = tree_remove(vifs->tree, vif->node);
	if (r < 0)
		log_warn("vif %s: its node is not removed: %s", vif->node, strerror(-r));
	snprintf(parent, sizeof parent, "%s", vif->node);
	*strrchr(parent, '/') = '\0';
	remove_if_empty(vifs, parent);
}

static void act(struct vifs *vifs, struct vif *vif, enum vif_action action, const char *text)
{
	switch (action) {
	case VIF_NOTHING:
		return;
	case VIF_SAY_CONNECTED:
		tree_remove(vifs->tree, PATH("%s/hotplug-error", vif->node));
		write_leaf(vifs, vif, "hotplug-status", "connected");
		break;
	case VIF_SAY_ERROR:
		write_leaf(vifs, vif, "hotplug-error", text);
		write_leaf(vifs, vif, "hotplug-status", "error");
		break;
	case VIF_REMOVE:
		remove_node(vifs, vif);
		break;
	}
	log_info("vif %s: %s%s%s", vif->node, vif_state_name(vif->state), *text ? ": " : "", text);
}

static enum vif_port port_of(const struct vif *vif, const struct target *target, const char **text_out)
{
	const struct status *status = target_status(target, WANTED_PORT, vif->port.ifname);

	*text_out = vif->bad;
	if (*vif->bad)
		return VIF_PORT_REFUSED;
	if (!status || status->state == STATUS_WAITING)
		return VIF_PORT_WAITING;
	*text_out = status->text;
	return status->state == STATUS_ACTIVE ? VIF_PORT_ACTIVE : VIF_PORT_REFUSED;
}

bool vifs_step(struct vifs *vifs, const struct target *target)
{
	bool changed = false;

	for (size_t i = 0; i < vifs->n; i++) {
		struct vif *vif = &vifs->items[i];
		const char *text;
		struct vif_facts facts = {
			.port = port_of(vif, target, &text),
			.agent = vifs->agent,
			.online = vif->online,
			.backend_state = vif->backend_state,
			.told = vif->told,
		};
		enum vif_action action = vif_step(&vif->state, &facts);
		changed |= action == VIF_REMOVE;
		vif->told |= action == VIF_SAY_CONNECTED;
		act(vifs, vif, action, text);
	}
	return changed;
}
