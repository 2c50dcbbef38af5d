/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes, and who acts on which generation:
 *
 *     /local/domain/<driver domain>/xebra/net/         driverdomd
 *         uplink/<name>                                value as given
 *         segment/<name>/{port,peers,mtu,state}        peers: outer addresses joined by spaces; state: up, down
 *         port/<ifname>/{segment,mac,state}
 *         generation
 *     /local/domain/<id>/xebra/                        xebra-guest; the guest may read it
 *         hostname  loopback                           loopback: prefixes joined by spaces
 *         if/<port>/{mac,mtu,addr}                     addr: prefixes joined by spaces
 *         route/<n>  bird/<n>                          n = 0, 1, ... without a gap; bird: the text is their concatenation
 *         generation
 *
 * What is not set (mtu 0, no address, no peer) has no node. Nodes are written over, stale ones removed, the
 * generation goes up last; a reader that sees a half-written state sees another generation soon.
 */
#include "xebra/net-tree.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

enum { BIRD_CHUNK_SIZE = 2048 };

/* Writes `value`, or removes the node if there is none. */
static int put(struct tree *tree, const char *path, const char *value)
{
	return value && *value ? tree_write(tree, path, value) : tree_remove(tree, path);
}

static int put_number(struct tree *tree, const char *path, unsigned number)
{
	char text[16] = "";

	if (number)
		snprintf(text, sizeof text, "%u", number);
	return put(tree, path, text);
}

static int put_list(struct tree *tree, const char *path, const struct text_list *list)
{
	AUTO(free) char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i++)
		fprintf(out, "%s%s", i ? " " : "", list->texts[i]);
	if (fclose(out) != 0)
		return -ENOMEM;
	return put(tree, path, text);
}

static int bump(struct tree *tree, const char *path)
{
	AUTO(free) char *old = NULL;
	char text[24];
	int r = tree_read(tree, path, &old);

	if (r < 0 && r != -ENOENT)
		return r;
	snprintf(text, sizeof text, "%llu", (old ? strtoull(old, NULL, 10) : 0) + 1);
	return tree_write(tree, path, text);
}

/* --- driver domain --- */

#define NET_PATH(driver_domain, ...) net_path((char[TREE_PATH_SIZE]){ "" }, driver_domain, __VA_ARGS__)

static const char *net_path(char buffer[TREE_PATH_SIZE], unsigned driver_domain, const char *kind, const char *name,
			    const char *leaf)
{
	return tree_path(buffer, "/local/domain/%u/xebra/net/%s%s%s%s%s", driver_domain, kind, name ? "/" : "",
			 name ? name : "", leaf ? "/" : "", leaf ? leaf : "");
}

/* Ends a change of the driver domain's nodes that went as `r` says. */
static int net_changed(struct tree *tree, unsigned driver_domain, int r)
{
	return r < 0 ? r : bump(tree, NET_PATH(driver_domain, "generation", NULL, NULL));
}

int net_tree_segment(struct tree *tree, unsigned driver_domain, const struct segment *segment)
{
	const char *name = segment->name;

	int r = put_number(tree, NET_PATH(driver_domain, "segment", name, "port"), segment->port);
	if (r == 0)
		r = put_list(tree, NET_PATH(driver_domain, "segment", name, "peers"), &segment->peers);
	if (r == 0)
		r = put_number(tree, NET_PATH(driver_domain, "segment", name, "mtu"), segment->mtu);
	if (r == 0)
		r = put(tree, NET_PATH(driver_domain, "segment", name, "state"), segment->down ? "down" : "up");
	return net_changed(tree, driver_domain, r);
}

int net_tree_segment_remove(struct tree *tree, unsigned driver_domain, const char *name)
{
	return net_changed(tree, driver_domain, tree_remove(tree, NET_PATH(driver_domain, "segment", name, NULL)));
}

int net_tree_uplink(struct tree *tree, unsigned driver_domain, const char *name, const char *value)
{
	return net_changed(tree, driver_domain, put(tree, NET_PATH(driver_domain, "uplink", name, NULL), value));
}

int net_tree_port(struct tree *tree, unsigned driver_domain, const char *ifname, const char *segment, const char *mac)
{
	int r = put(tree, NET_PATH(driver_domain, "port", ifname, "segment"), segment);

	if (r == 0)
		r = put(tree, NET_PATH(driver_domain, "port", ifname, "mac"), mac);
	return net_changed(tree, driver_domain, r);
}

int net_tree_port_state(struct tree *tree, unsigned driver_domain, const char *ifname, bool down)
{
	return net_changed(tree, driver_domain, put(tree, NET_PATH(driver_domain, "port", ifname, "state"), down ? "down" : ""));
}

int net_tree_port_remove(struct tree *tree, unsigned driver_domain, const char *ifname)
{
	return net_changed(tree, driver_domain, tree_remove(tree, NET_PATH(driver_domain, "port", ifname, NULL)));
}

/* --- guest --- */

/* Removes the children of `path` that are not wanted. */
static int remove_stale(struct tree *tree, const char *path, bool (*wanted)(const char *name, const void *arg),
			const void *arg)
{
	char **names;
	size_t n;
	int r = tree_list(tree, path, &names, &n);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < n && r == 0; i++)
		if (!wanted(names[i], arg))
			r = tree_remove(tree, PATH("%s/%s", path, names[i]));
	tree_names_free(names, n);
	return r;
}

static bool is_a_port(const char *name, const void *arg)
{
	const struct router_config *config = arg;

	for (size_t i = 0; i < config->n_ports; i++)
		if (strcmp(config->ports[i].name, name) == 0)
			return true;
	return false;
}

static bool is_below(const char *name, const void *arg)
{
	char *end;

	return strtoul(name, &end, 10) < *(const size_t *)arg && !*end;
}

static int put_ports(struct tree *tree, const char *top, const struct router_config *config)
{
	int r = 0;

	for (size_t i = 0; i < config->n_ports && r == 0; i++) {
		const struct router_port *port = &config->ports[i];
		const char *below = PATH("%s/if/%s", top, port->name);
		r = put(tree, PATH("%s/mac", below), port->mac);
		if (r == 0)
			r = put_number(tree, PATH("%s/mtu", below), port->mtu);
		if (r == 0)
			r = put_list(tree, PATH("%s/addr", below), &port->addresses);
	}
	return r < 0 ? r : remove_stale(tree, PATH("%s/if", top), is_a_port, config);
}

static int put_routes(struct tree *tree, const char *top, const struct text_list *routes)
{
	int r = 0;

	for (size_t i = 0; i < routes->n && r == 0; i++)
		r = put(tree, PATH("%s/route/%zu", top, i), routes->texts[i]);
	return r < 0 ? r : remove_stale(tree, PATH("%s/route", top), is_below, &routes->n);
}

/* How much of `text` goes into the next chunk. A line end begins a chunk and never ends one: a tree may drop a line end
 * that ends a value (tree.h: a person may have written it). Only an unbroken run of them is cut through. */
static size_t chunk_size(const char *text, size_t size)
{
	if (size <= BIRD_CHUNK_SIZE)
		return size;
	for (size_t n = BIRD_CHUNK_SIZE; n > 0; n--)
		if (text[n] == '\n' && text[n - 1] != '\n')
			return n;
	for (size_t n = BIRD_CHUNK_SIZE; n > 0; n--)
		if (text[n - 1] != '\n')
			return n;
	return BIRD_CHUNK_SIZE;
}

static int put_bird(struct tree *tree, const char *top, const struct router_config *config)
{
	AUTO(free) char *text = router_config_bird(config);
	char chunk[BIRD_CHUNK_SIZE + 1];
	size_t n = 0, size;
	int r = 0;

	if (!text)
		return -ENOMEM;
	for (const char *at = text; *at && r == 0; at += size) {
		size = chunk_size(at, strlen(at));
		memcpy(chunk, at, size);
		chunk[size] = '\0';
		r = put(tree, PATH("%s/bird/%zu", top, n++), chunk);
	}
	return r < 0 ? r : remove_stale(tree, PATH("%s/bird", top), is_below, &n);
}

int net_tree_guest(struct tree *tree, unsigned id, const struct router_config *config)
{
	const char *top = PATH("/local/domain/%u/xebra", id);

	int r = tree_share(tree, top, id, TREE_READ);
	if (r == 0)
		r = put(tree, PATH("%s/hostname", top), config->hostname ? config->hostname : config->name);
	if (r == 0)
		r = put_list(tree, PATH("%s/loopback", top), &config->loopback);
	if (r == 0)
		r = put_ports(tree, top, config);
	if (r == 0)
		r = put_routes(tree, top, &config->routes);
	if (r == 0)
		r = put_bird(tree, top, config);
	return r < 0 ? r : bump(tree, PATH("%s/generation", top));
}
