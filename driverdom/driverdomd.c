/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driverdomd: makes the data plane what the tree says.
 *
 *    tree: generation, nodes --> wanted ----+
 *    tree: backend/vif       --> vif ports -+--> target --> changes --> BPF tables and programs
 *    rtnetlink: devices      --> links -----+       |
 *                                                   +--> reports, hotplug-status, next hops kept resolved
 *
 * Every event ends in refresh(), which goes through all of it in this order. The programs forward without this process:
 * when it ends, in whatever way, nothing stops, and the next one begins with what it finds.
 */
#include "config.h"

#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "array.h"
#include "dataplane.h"
#include "libvnet/base/log.h"
#include "libvnet/base/tree.h"
#include "links.h"
#include "neigh.h"
#include "report.h"
#include "vifs.h"

DEFINE_AUTO(struct event *, event_free)
DEFINE_AUTO(struct event_base *, event_base_free)

#define WANTED_ROOT "xebra/net"

enum { SETTLE_MS = 10, RETRY_S = 2 };

struct options {
	const char *tree;
	const char *pin_dir;
	const char *uplinks[TABLE_UPLINKS];
	size_t n_uplinks;
	bool clear;
};

struct daemon {
	struct options options;
	struct event_base *loop;
	struct tree *tree;
	struct tree_watch *wanted_watch, *vif_watch;
	struct links_watch *links;
	struct neigh *neigh;
	struct dataplane *dataplane;
	struct vifs *vifs;
	struct report *report;
	struct event *refresh, *terminate, *interrupt, *hangup;
	struct wanted *wanted;   /* NULL until there is a generation */
	char *generation;        /* that `wanted` is of */
	bool nodes_changed, vifs_changed, ready;
};

static void schedule(struct daemon *daemon)
{
	const struct timeval soon = { .tv_usec = SETTLE_MS * 1000 };

	if (!event_pending(daemon->refresh, EV_TIMEOUT, NULL))
		event_add(daemon->refresh, &soon);
}

/* --- reading what is wanted --- */

struct nodes {
	struct node *items;
	size_t n;
};

static void nodes_empty(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		free(nodes->items[i].path);
		free(nodes->items[i].value);
	}
	free(nodes->items);
}

static inline void auto_nodes(struct nodes *nodes)
{
	nodes_empty(nodes);
}

static int add_node(struct nodes *nodes, const char *path, char *value)
{
	struct node *node = ARRAY_ADD(nodes->items, nodes->n);

	if (!node)
		return -ENOMEM;
	node->path = strdup(path);
	node->value = value;
	return node->path ? 0 : -ENOMEM;
}

/* A node that is gone meanwhile, or has a name that no node can have (a file somebody left), is none. */
static int read_node(struct daemon *daemon, const char *path, struct nodes *nodes)
{
	AUTO(free) char *value = NULL;

	int r = tree_read(daemon->tree, PATH(WANTED_ROOT "/%s", path), &value);
	if (r < 0)
		return r == -ENOENT || r == -EISDIR || r == -EINVAL ? 0 : r;
	return add_node(nodes, path, take(value));
}

/* Calls `read_one` for every child of `path`, which is relative to xebra/net. */
static int read_children(struct daemon *daemon, const char *path, struct nodes *nodes,
			 int (*read_one)(struct daemon *daemon, const char *path, struct nodes *nodes))
{
	char **names;
	size_t n;

	int r = tree_list(daemon->tree, PATH(WANTED_ROOT "/%s", path), &names, &n);
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR || r == -EINVAL ? 0 : r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_one(daemon, PATH("%s/%s", path, names[i]), nodes);
	tree_names_free(names, n);
	return r;
}

static int read_object(struct daemon *daemon, const char *path, struct nodes *nodes)
{
	return read_children(daemon, path, nodes, read_node);
}

/* --uplink: those of the options and no others; the address of one comes from the tree if it is there. */
static int choose_uplinks(const struct options *options, struct nodes *nodes)
{
	size_t n = 0;
	int r = 0;

	if (!options->n_uplinks)
		return 0;
	bool there[TABLE_UPLINKS] = { false };
	for (size_t i = 0; i < nodes->n; i++) {
		struct node *node = &nodes->items[i];
		bool keep = strncmp(node->path, "uplink/", 7) != 0;
		for (size_t j = 0; !keep && j < options->n_uplinks; j++)
			keep = there[j] = strcmp(node->path + 7, options->uplinks[j]) == 0;
		if (keep) {
			nodes->items[n++] = *node;
			continue;
		}
		free(node->path);
		free(node->value);
	}
	nodes->n = n;
	for (size_t j = 0; r == 0 && j < options->n_uplinks; j++)
		if (!there[j])
			r = add_node(nodes, PATH("uplink/%s", options->uplinks[j]), strdup("auto"));
	return r;
}

static int read_wanted(struct daemon *daemon)
{
	AUTO(nodes) struct nodes nodes = { .n = 0 };
	struct wanted *wanted;

	int r = read_children(daemon, "uplink", &nodes, read_node);
	if (r == 0)
		r = read_children(daemon, "segment", &nodes, read_object);
	if (r == 0)
		r = read_children(daemon, "port", &nodes, read_object);
	if (r == 0)
		r = choose_uplinks(&daemon->options, &nodes);
	if (r == 0)
		r = wanted_parse(nodes.items, nodes.n, dataplane_holders(daemon->dataplane), &wanted);
	if (r < 0)
		return r;
	wanted_free(daemon->wanted);
	daemon->wanted = wanted;
	return 0;
}

/* Reads everything again if the generation is another one than that of what is known. */
static int read_generation(struct daemon *daemon)
{
	AUTO(free) char *generation = NULL;

	daemon->nodes_changed = false;
	int r = tree_read(daemon->tree, WANTED_ROOT "/generation", &generation);
	if (r == -ENOENT)
		return 0;
	if (r < 0 || (daemon->generation && strcmp(daemon->generation, generation) == 0))
		return r;
	r = read_wanted(daemon);
	if (r < 0)
		return r;
	free(daemon->generation);
	daemon->generation = take(generation);
	return 0;
}

/* --- applying --- */

static void prepare_uplinks(struct daemon *daemon, const struct target *target)
{
	const struct links *links = links_now(daemon->links);

	for (size_t i = 0; i < target->n_uplinks; i++) {
		const struct target_uplink *uplink = &target->uplinks[i];
		const struct link *link = links_at(links, uplink->ifindex);
		char text[128];
		int r = links_prepare_uplink(daemon->links, link, &uplink->address, uplink->prefix_length);
		if (r < 0)
			log_warn("uplink %s: %s is not brought up: %s", uplink->name, link->name, strerror(-r));
		r = links_fix_offloads(link, text);
		if (r < 0)
			log_warn("uplink %s: offloads of %s are not changed: %s", uplink->name, link->name, strerror(-r));
		else if (*text && !daemon->ready)
			log_info("uplink %s: %s: %s", uplink->name, link->name, text);
	}
	int r = target->n_uplinks ? links_allow_lookup(daemon->links) : 0;
	if (r < 0)
		log_warn("lo: forwarding is not switched on: %s; no frame finds its way to a peer", strerror(-r));
}

/* Which object a change that failed belongs to. */
static struct status *status_of(const struct target *target, const struct change *change)
{
	switch (change->kind) {
	case CHANGE_SET_PORT: {
		const struct target_port *port = target_port(target, port_ifindex(change->port.where));
		return port ? target_status(target, WANTED_PORT, port->ifname) : NULL;
	}
	case CHANGE_SET_SEGMENT:
		return target_status(target, WANTED_SEGMENT, change->segment.name);
	case CHANGE_SET_UPLINK:
		for (size_t i = 0; i < target->n_uplinks; i++)
			if (target->uplinks[i].ifindex == change->uplink.ifindex)
				return target_status(target, WANTED_UPLINK, target->uplinks[i].name);
		return NULL;
	default:
		return NULL;
	}
}

static void apply_change(struct daemon *daemon, const struct target *target, const struct change *change)
{
	struct problem problem = { .code = 0 };

	if (change->kind == CHANGE_CLEAR_PORT)
		links_stop(daemon->links, port_ifindex(dataplane_tables(daemon->dataplane)->ports[change->slot].where));
	if (dataplane_apply(daemon->dataplane, change, &problem) == 0)
		return;
	struct status *status = status_of(target, change);
	if (status)
		status_fail(status, problem.text);
	else
		log_error("%s", problem.text);
}

/* Programs are attached by now: a port comes up with its guard in place. */
static void prepare_ports(struct daemon *daemon, const struct target *target)
{
	const struct links *links = links_now(daemon->links);

	for (size_t i = 0; i < target->n_ports; i++) {
		const struct target_port *port = &target->ports[i];
		const struct link *link = links_at(links, port->ifindex);
		struct status *status = target_status(target, WANTED_PORT, port->ifname);
		if ((link->up && link->mtu == port->mtu) || !status || status->state != STATUS_ACTIVE)
			continue;
		int r = links_prepare_port(daemon->links, link, port->mtu);
		char text[PROBLEM_TEXT_SIZE];
		snprintf(text, sizeof text, "port %s: it cannot be brought up: %s", port->ifname, strerror(-r));
		if (r < 0)
			status_fail(status, text);
	}
}

static int want_neighbours(struct daemon *daemon, const struct target *target)
{
	AUTO(free) struct address *peers = NULL;
	const struct tables *tables = dataplane_tables(daemon->dataplane);
	size_t n = 0;

	(void)target;
	for (size_t slot = 0; slot < TABLE_HOSTS; slot++) {
		if (!(tables->hosts[slot].flags & HOST_USED))
			continue;
		struct address *peer = ARRAY_ADD(peers, n);
		if (!peer)
			return -ENOMEM;
		*peer = tables->hosts[slot].address;
	}
	return neigh_want(daemon->neigh, peers, n);
}

static int apply(struct daemon *daemon, struct target *target)
{
	AUTO(changes_free) struct changes *changes = NULL;
	struct problem problem = { .code = 0 };

	prepare_uplinks(daemon, target);
	int r = reconcile(dataplane_tables(daemon->dataplane), target, dataplane_holders(daemon->dataplane), &changes, &problem);
	if (r < 0) {
		log_error("%s", problem.text);
		return r;
	}
	if (changes->n)
		dataplane_begin(daemon->dataplane);
	for (size_t i = 0; i < changes->n; i++)
		apply_change(daemon, target, &changes->items[i]);
	prepare_ports(daemon, target);
	return want_neighbours(daemon, target);
}

static void tell_ready(struct daemon *daemon)
{
	tree_write(daemon->tree, REPORT_ROOT "/applied", daemon->generation);
	if (daemon->ready)
		return;
	daemon->ready = true;
	tree_write(daemon->tree, REPORT_ROOT "/state", "ready");
#ifdef HAVE_SYSTEMD
	sd_notify(0, "READY=1");
#endif
}

static int refresh(struct daemon *daemon)
{
	AUTO(target_free) struct target *target = NULL;
	size_t n_ports;
	int r = daemon->nodes_changed ? read_generation(daemon) : 0;

	if (r == 0 && daemon->vifs_changed)
		r = vifs_read(daemon->vifs);
	if (r < 0) {
		log_error("tree %s: it is not read: %s; trying again", daemon->options.tree, strerror(-r));
		return r;
	}
	daemon->vifs_changed = false;
	if (!daemon->wanted)
		return 0; /* what is in the tables goes on */
	const struct wanted_port *ports = vifs_ports(daemon->vifs, &n_ports);
	r = resolve(daemon->wanted, ports, n_ports, links_now(daemon->links), &target);
	if (r == 0)
		r = apply(daemon, target);
	if (r == 0)
		r = report_write(daemon->report, target);
	if (r < 0) {
		log_error("data plane: not all is applied: %s; trying again", strerror(-r));
		return r;
	}
	if (vifs_step(daemon->vifs, target))
		schedule(daemon);
	tell_ready(daemon);
	return 0;
}

/* --- events --- */

static void on_refresh(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval later = { .tv_sec = RETRY_S };
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	if (refresh(daemon) < 0) {
		daemon->nodes_changed = daemon->vifs_changed = true;
		event_add(daemon->refresh, &later);
	}
}

static void on_wanted(void *arg, const char *path)
{
	struct daemon *daemon = arg;

	(void)path;
	daemon->nodes_changed = true;
	schedule(daemon);
}

static void on_vif(void *arg, const char *path)
{
	struct daemon *daemon = arg;

	(void)path;
	daemon->vifs_changed = true;
	schedule(daemon);
}

static void on_links(void *arg)
{
	schedule(arg);
}

static void on_hangup(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	free(take(daemon->generation));
	daemon->nodes_changed = daemon->vifs_changed = true;
	schedule(daemon);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *daemon = arg;

	(void)fd;
	(void)what;
	event_base_loopbreak(daemon->loop);
}

/* --- life --- */

/* A driver domain has a number that is not 0, and no libxl of its own. */
static bool is_agent(struct daemon *daemon)
{
	AUTO(free) char *domid = NULL;

	return tree_read(daemon->tree, "domid", &domid) == 0 && atoi(domid) != 0;
}

static int watch_signals(struct daemon *daemon)
{
	daemon->terminate = evsignal_new(daemon->loop, SIGTERM, on_end, daemon);
	daemon->interrupt = evsignal_new(daemon->loop, SIGINT, on_end, daemon);
	daemon->hangup = evsignal_new(daemon->loop, SIGHUP, on_hangup, daemon);
	daemon->refresh = event_new(daemon->loop, -1, 0, on_refresh, daemon);
	if (!daemon->terminate || !daemon->interrupt || !daemon->hangup || !daemon->refresh)
		return -ENOMEM;
	event_add(daemon->terminate, NULL);
	event_add(daemon->interrupt, NULL);
	event_add(daemon->hangup, NULL);
	return 0;
}

/* In the order in which it happens: nothing is touched before all that is needed is there. */
static int start(struct daemon *daemon, struct problem *problem)
{
	int r = watch_signals(daemon);
	if (r < 0)
		return problem_set(problem, r, "driverdomd: no memory");
	r = tree_open(daemon->options.tree, daemon->loop, &daemon->tree, problem);
	if (r == 0)
		r = links_open(daemon->loop, on_links, daemon, &daemon->links, problem);
	if (r == 0)
		r = neigh_open(daemon->loop, &daemon->neigh, problem);
	if (r == 0)
		r = dataplane_open(daemon->options.pin_dir, &daemon->dataplane, problem);
	if (r < 0)
		return r;
	dataplane_adopt(daemon->dataplane);
	r = report_open(daemon->tree, &daemon->report);
	if (r == 0)
		r = vifs_open(daemon->tree, is_agent(daemon), &daemon->vifs);
	if (r == 0)
		r = tree_watch(daemon->tree, WANTED_ROOT, on_wanted, daemon, &daemon->wanted_watch);
	if (r == 0)
		r = tree_watch(daemon->tree, "backend/vif", on_vif, daemon, &daemon->vif_watch);
	if (r < 0)
		return problem_set(problem, r, "tree %s: %s; is it this domain's own?", daemon->options.tree, strerror(-r));
	daemon->nodes_changed = daemon->vifs_changed = true;
	schedule(daemon);
	return 0;
}

static void stop(struct daemon *daemon)
{
	auto_tree_unwatch(&daemon->wanted_watch);
	auto_tree_unwatch(&daemon->vif_watch);
	auto_vifs_close(&daemon->vifs);
	auto_report_close(&daemon->report);
	auto_dataplane_close(&daemon->dataplane);
	auto_neigh_close(&daemon->neigh);
	auto_links_close(&daemon->links);
	auto_tree_close(&daemon->tree);
	auto_event_free(&daemon->refresh);
	auto_event_free(&daemon->terminate);
	auto_event_free(&daemon->interrupt);
	auto_event_free(&daemon->hangup);
	auto_event_base_free(&daemon->loop);
	wanted_free(daemon->wanted);
	free(daemon->generation);
}

static void stop_port(void *arg, uint32_t ifindex)
{
	links_stop(arg, ifindex);
}

static void ignore_links(void *arg)
{
	(void)arg;
}

/* --clear: ports go down, programs and tables go away. */
static int clear(struct daemon *daemon, struct problem *problem)
{
	int r = links_open(daemon->loop, ignore_links, NULL, &daemon->links, problem);

	if (r == 0)
		r = dataplane_open(daemon->options.pin_dir, &daemon->dataplane, problem);
	if (r == 0)
		dataplane_clear(daemon->dataplane, stop_port, daemon->links);
	return r;
}

/* --- command line --- */

const char *argp_program_version = "driverdomd (xebra) " PACKAGE_VERSION;

enum { OPTION_CLEAR = 256 };

static const struct argp_option option_rows[] = {
	{ "tree", 't', "WHERE", 0, "Own part of the configuration tree: xenstore: (default), or dir:DIRECTORY", 0 },
	{ "uplink", 'u', "IF", 0, "Carry segments over IF and no other device (repeatable; default: those of the tree)", 0 },
	{ "pin", 'p', "DIR", 0, "Keep the BPF tables in DIR (default /sys/fs/bpf/xebra); one for each network namespace", 0 },
	{ "clear", OPTION_CLEAR, NULL, 0, "Take the ports down, detach the programs, remove the tables, and exit", 0 },
	{ "debug", 'd', NULL, 0, "Log more", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 't':
		options->tree = arg;
		return 0;
	case 'u':
		if (options->n_uplinks == TABLE_UPLINKS)
			argp_error(state, "more than %d times --uplink", TABLE_UPLINKS);
		options->uplinks[options->n_uplinks++] = arg;
		return 0;
	case 'p':
		if (*arg != '/')
			argp_error(state, "--pin %s: give an absolute directory", arg);
		options->pin_dir = arg;
		return 0;
	case OPTION_CLEAR:
		options->clear = true;
		return 0;
	case 'd':
		log_level(LOG_DEBUG);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "%s: there are no arguments, only options", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = option_rows,
	.parser = parse_option,
	.doc = "Carries virtual links and LANs between the vifs of this domain (or ports of this network namespace) and other "
	       "hosts, as MAC-in-UDP, with BPF programs that go on when driverdomd does not run."
	       "\vWhat it is to do stands in the tree below xebra/net, what became of it below data/xebra/net: see driverdomd(8).",
};

int main(int argc, char **argv)
{
	struct daemon daemon = { .options = { .tree = "xenstore:", .pin_dir = "/sys/fs/bpf/xebra" } };
	struct problem problem = { .code = 0 };

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&parser, argc, argv, 0, NULL, &daemon.options) != 0)
		return EXIT_USAGE;
	signal(SIGPIPE, SIG_IGN);
	daemon.loop = event_base_new();
	int r = daemon.loop ? 0 : problem_set(&problem, -ENOMEM, "driverdomd: no memory");
	if (r == 0)
		r = daemon.options.clear ? clear(&daemon, &problem) : start(&daemon, &problem);
	if (r == 0 && !daemon.options.clear)
		event_base_dispatch(daemon.loop);
	if (r < 0)
		log_error("%s", problem.text);
	stop(&daemon);
	return r == 0 ? EXIT_OK : (int)problem_exit_code(r);
}
