/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent inside a router: makes hostname, interfaces, addresses, routes and BIRD what the tree asks for, and reports.
 *
 *   xebra/generation changes --> look --> read nodes --> parse --> settle the network --> configure BIRD --> publish
 *   a link appears, changes -----------------------------------> settle the network ---------------------> publish
 *   every 5 s --------------------------------------------------------------------> poll BIRD -----------> report
 *
 * It runs in a Xen domain below init, or as process 1 of a network-namespace router. What it has applied is known from
 * the kernel and from BIRD, not remembered, so it may be killed at any time and started again.
 */
#include <argp.h>
#include <errno.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "config.h"
#include "libvnet/base/log.h"
#include "libvnet/base/tree.h"
#include "xebra/guest/bird.h"
#include "xebra/guest/guest-config.h"
#include "xebra/guest/guest-net.h"
#include "xebra/guest/guest-plan.h"
#include "xebra/guest/guest-report.h"

enum {
	REPORT_EVERY_S = 5,
	SETTLE_AFTER_MS = 50, /* links come in bursts */
	SETTLE_ROUNDS = 8,
	READ_TRIES = 5,
	NODES_MAX = 2048,
	GENERATION_SIZE = 32,
};

struct options {
	const char *tree, *run_dir, *bird;
	bool once, no_forwarding;
};

/* Where something can be wrong; the first that is goes to data/xebra/error. */
enum part { PART_CONFIG, PART_NETWORK, PART_BIRD, PART_N };

struct guest {
	struct options options;
	struct event_base *loop;
	struct tree *tree;
	struct tree_watch *watch;
	struct guest_net *net;
	struct bird *bird;
	struct event *settle_timer, *report_timer, *terminate, *interrupt, *child;

	struct guest_config *config; /* the last right one; NULL: none yet */
	char generation[GENERATION_SIZE]; /* of the last one looked at; "": none */
	bool applying, look_again, polling, stopping;
	struct problem problems[PART_N];
	char *published_error; /* to log each once */
	int exit_code;
};

/* --- what goes out: data/xebra/... */

static const struct problem *first_problem(const struct guest *guest)
{
	for (int part = 0; part < PART_N; part++)
		if (guest->problems[part].code)
			return &guest->problems[part];
	return NULL;
}

static void tree_put(struct guest *guest, const char *path, const char *value)
{
	int r = tree_write(guest->tree, path, value);

	if (r < 0)
		log_warn("tree: %s cannot be written: %s", path, strerror(-r));
}

/* One line of printable text. */
static void make_line(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = ' ';
}

static void publish(struct guest *guest)
{
	const struct problem *problem = first_problem(guest);

	if (problem) {
		char text[PROBLEM_TEXT_SIZE];
		snprintf(text, sizeof text, "%s", problem->text);
		make_line(text);
		tree_put(guest, "data/xebra/error", text);
		if (!guest->published_error || strcmp(guest->published_error, text) != 0)
			log_error("generation %s: %s", guest->generation, text);
		free(guest->published_error);
		guest->published_error = strdup(text);
		return;
	}
	free(take(guest->published_error));
	if (*guest->generation && !guest->applying)
		tree_put(guest, "data/xebra/applied", guest->generation);
	tree_remove(guest->tree, "data/xebra/error");
}

static uint64_t mem_available_kib(void)
{
	AUTO(fclose) FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	uint64_t kib = 0;

	while (file && fgets(line, sizeof line, file))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			break;
	return kib;
}

static void report(void *arg, const struct bird_status *status)
{
	struct guest *guest = arg;
	struct guest_actual actual = { .links = NULL };
	struct sysinfo info = { 0 };
	char text[GUEST_REPORT_SIZE];

	guest->polling = false;
	sysinfo(&info);
	struct guest_report now = {
		.uptime_s = (uint64_t)info.uptime,
		.mem_available_kib = mem_available_kib(),
		.bird_running = status->running,
		.protocols_up = status->protocols_up,
		.ospf_full = status->ospf_full,
	};
	int r = guest_net_read(guest->net, &actual);
	if (r < 0)
		log_warn("network: cannot be read: %s", strerror(-r));
	guest_report_format(&now, guest->config, &actual, text);
	guest_actual_clear(&actual);
	tree_put(guest, "data/xebra/report", text);
}

static void report_soon(struct guest *guest)
{
	if (guest->polling || guest->stopping)
		return;
	guest->polling = true;
	bird_poll(guest->bird, report, guest);
}

static void report_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	report_soon(arg);
}

/* --- the network */

static int do_plan(struct guest *guest, const struct guest_plan *plan, struct problem *problem)
{
	for (size_t i = 0; i < plan->n_actions; i++) {
		const struct guest_action *action = &plan->actions[i];
		int r = guest_net_do(guest->net, action);
		/* The interface may have gone meanwhile: the news of it follow. The first failure is told. */
		if (r < 0 && r != -ENODEV && problem->code == 0)
			problem_set(problem, r, "%s: %s; it is tried again when a link changes",
				    guest_action_text(action, (char[GUEST_ACTION_TEXT_SIZE]){ "" }), strerror(-r));
	}
	return problem->code;
}

static int settings_of_ports(struct guest *guest, const struct guest_actual *actual, struct problem *problem)
{
	int r = guest_net_settings(NULL, !guest->options.no_forwarding, problem);

	for (size_t i = 0; r == 0 && i < guest->config->n_ports; i++) {
		const struct guest_link *link = guest_link_of_port(actual, &guest->config->ports[i]);
		if (link)
			r = guest_net_settings(link->name, !guest->options.no_forwarding, problem);
	}
	return r;
}

/* Reads, plans, does, until nothing is left to do. */
static int settle(struct guest *guest, struct problem *problem)
{
	size_t n_left = 1;

	for (int round = 0; n_left > 0 && round < SETTLE_ROUNDS; round++) {
		struct guest_actual actual = { .links = NULL };
		struct guest_plan plan = { .actions = NULL };
		int r = guest_net_read(guest->net, &actual);
		if (r < 0)
			problem_set(problem, r, "network: cannot be read: %s", strerror(-r));
		if (r == 0)
			r = settings_of_ports(guest, &actual, problem);
		if (r == 0 && guest_plan(guest->config, &actual, &plan) < 0)
			r = problem_set(problem, -ENOMEM, "network: no memory for a plan");
		if (r == 0)
			r = do_plan(guest, &plan, problem);
		n_left = plan.n_actions;
		guest_plan_clear(&plan);
		guest_actual_clear(&actual);
		if (r < 0)
			return r;
	}
	return n_left == 0 ? 0 : problem_set(problem, -EBUSY, "network: somebody else keeps changing it; find out who");
}

static void settle_network(struct guest *guest)
{
	guest->problems[PART_NETWORK] = (struct problem){ .code = 0 };
	if (guest->config)
		settle(guest, &guest->problems[PART_NETWORK]);
}

static void settle_timer(evutil_socket_t fd, short what, void *arg)
{
	struct guest *guest = arg;
	int before = guest->problems[PART_NETWORK].code;

	(void)fd;
	(void)what;
	if (!guest->config || guest->applying || guest->stopping)
		return;
	settle_network(guest);
	if (before || guest->problems[PART_NETWORK].code)
		publish(guest);
	report_soon(guest);
}

static void links_changed(void *arg)
{
	struct guest *guest = arg;

	if (!evtimer_pending(guest->settle_timer, NULL))
		evtimer_add(guest->settle_timer, &(struct timeval){ .tv_usec = SETTLE_AFTER_MS * 1000 });
}

/* --- reading the tree */

struct nodes {
	struct guest_node *at;
	size_t n;
};

static void nodes_free(struct nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		free((char *)nodes->at[i].path);
		free((char *)nodes->at[i].value);
	}
	free(nodes->at);
}

/* Adds xebra/<path> if it is there. */
static int read_node(struct guest *guest, struct nodes *nodes, const char *path)
{
	AUTO(free) char *value = NULL;
	int r = tree_read(guest->tree, PATH("xebra/%s", path), &value);

	if (r == -ENOENT || r == -EISDIR)
		return 0;
	if (r < 0)
		return problem_set(&guest->problems[PART_CONFIG], r, "tree: xebra/%s cannot be read: %s", path, strerror(-r));
	if (nodes->n == NODES_MAX)
		return problem_set(&guest->problems[PART_CONFIG], -E2BIG, "tree: xebra/ has more than %d nodes; remove some",
				   NODES_MAX);
	char *copy = strdup(path);
	if (!copy)
		return problem_set(&guest->problems[PART_CONFIG], -ENOMEM, "tree: no memory");
	nodes->at[nodes->n++] = (struct guest_node){ .path = copy, .value = take(value) };
	return 0;
}

/* Adds <dir>/<each child><suffix>. */
static int read_children(struct guest *guest, struct nodes *nodes, const char *dir, const char *suffix)
{
	char **names = NULL;
	size_t n = 0;
	int r = tree_list(guest->tree, PATH("xebra/%s", dir), &names, &n);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return problem_set(&guest->problems[PART_CONFIG], r, "tree: xebra/%s cannot be listed: %s", dir, strerror(-r));
	for (size_t i = 0; r == 0 && i < n; i++)
		r = read_node(guest, nodes, PATH("%s/%s%s", dir, names[i], suffix));
	tree_names_free(names, n);
	return r;
}

static int read_nodes(struct guest *guest, struct nodes *nodes)
{
	static const struct {
		const char *path, *suffix; /* suffix NULL: one node, else of every child */
	} wanted[] = { { "hostname", NULL }, { "loopback", NULL }, { "if", "/mac" }, { "if", "/mtu" },
		       { "if", "/addr" },    { "route", "" },	   { "bird", "" } };
	int r = 0;

	nodes->at = calloc(NODES_MAX, sizeof *nodes->at);
	if (!nodes->at)
		return problem_set(&guest->problems[PART_CONFIG], -ENOMEM, "tree: no memory");
	for (size_t i = 0; r == 0 && i < N_ELEMENTS(wanted); i++)
		r = wanted[i].suffix ? read_children(guest, nodes, wanted[i].path, wanted[i].suffix)
				     : read_node(guest, nodes, wanted[i].path);
	return r;
}

/* "": there is none. */
static int read_generation(struct guest *guest, char generation[GENERATION_SIZE])
{
	AUTO(free) char *value = NULL;
	int r = tree_read(guest->tree, "xebra/generation", &value);

	generation[0] = '\0';
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	snprintf(generation, GENERATION_SIZE, "%s", value);
	make_line(generation);
	return 0;
}

/* A configuration read while its generation stayed the same. */
static int read_config(struct guest *guest, struct guest_config **config_out)
{
	struct problem *problem = &guest->problems[PART_CONFIG];

	for (int i = 0; i < READ_TRIES; i++) {
		struct nodes nodes = { .at = NULL };
		char after[GENERATION_SIZE];
		*problem = (struct problem){ .code = 0 };
		int r = read_nodes(guest, &nodes);
		if (r == 0)
			r = guest_config_parse(nodes.at, nodes.n, config_out, problem);
		nodes_free(&nodes);
		if (read_generation(guest, after) == 0 && strcmp(after, guest->generation) == 0)
			return r;
		if (r == 0)
			guest_config_free(take(*config_out));
		memcpy(guest->generation, after, sizeof after);
	}
	return problem_set(problem, -EBUSY, "tree: xebra/generation keeps changing; write it last and once");
}

/* --- applying */

static void look(struct guest *guest);

static void finish_once(struct guest *guest)
{
	const struct problem *problem = first_problem(guest);

	if (!guest->options.once)
		return;
	guest->exit_code = problem ? (int)problem_exit_code(problem->code) : EXIT_OK;
	event_base_loopbreak(guest->loop);
}

static void applied(void *arg, const struct problem *problem)
{
	struct guest *guest = arg;

	if (guest->stopping)
		return;
	guest->problems[PART_BIRD] = *problem;
	guest->applying = false;
	publish(guest);
	if (!first_problem(guest))
		log_info("generation %s: applied", guest->generation);
	report_soon(guest);
	finish_once(guest);
	if (take(guest->look_again))
		look(guest);
}

/* The name is the machine's; on a dir tree it is this router's own only if we are its process 1. */
static void set_hostname(struct guest *guest)
{
	const char *wanted = guest->config->hostname;
	struct utsname now;
	bool ours = strncmp(guest->options.tree, "dir:", 4) != 0 || getpid() == 1;

	if (!*wanted || !ours || (uname(&now) == 0 && strcmp(now.nodename, wanted) == 0))
		return;
	if (sethostname(wanted, strlen(wanted)) < 0)
		log_warn("hostname %s: cannot be set: %s", wanted, strerror(errno));
}

static void apply(struct guest *guest)
{
	struct guest_config *config;

	if (read_config(guest, &config) < 0) {
		publish(guest);
		report_soon(guest);
		finish_once(guest);
		return;
	}
	guest_config_free(guest->config);
	guest->config = config;
	guest->applying = true;
	set_hostname(guest);
	settle_network(guest);
	bird_configure(guest->bird, config->bird, applied, guest);
}

/* After a migration our paths mean another domain's tree: what we wrote is not in it, and its generations need not
 * continue ours. */
static bool tree_is_another(struct guest *guest)
{
	AUTO(free) char *value = NULL;

	return tree_read(guest->tree, "data/xebra/applied", &value) == -ENOENT;
}

/* Applies the generation in the tree if it is not the one we have. */
static void look(struct guest *guest)
{
	char generation[GENERATION_SIZE];
	int r = read_generation(guest, generation);

	if (guest->stopping)
		return;
	if (guest->applying) {
		guest->look_again = true;
		return;
	}
	if (r < 0) {
		log_error("tree: xebra/generation cannot be read: %s", strerror(-r));
	} else if (!*generation) {
		if (guest->options.once) {
			log_error("tree %s: it has no xebra/generation; nothing to apply", guest->options.tree);
			guest->exit_code = EXIT_NOT_FOUND;
			event_base_loopbreak(guest->loop);
		}
	} else if (strcmp(generation, guest->generation) != 0 || tree_is_another(guest)) {
		memcpy(guest->generation, generation, sizeof generation);
		apply(guest);
		return;
	} else {
		publish(guest);
	}
	report_soon(guest);
}

static void tree_changed(void *arg, const char *path)
{
	(void)path;
	look(arg);
}

/* --- processes and signals */

static void child_ended(evutil_socket_t fd, short what, void *arg)
{
	struct guest *guest = arg;
	pid_t pid;
	int status;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		bird_child_ended(guest->bird, pid, status);
}

static void bird_stopped(void *arg, const struct problem *problem)
{
	struct guest *guest = arg;

	(void)problem;
	event_base_loopbreak(guest->loop);
}

static void terminate(evutil_socket_t fd, short what, void *arg)
{
	struct guest *guest = arg;

	(void)what;
	if (guest->stopping)
		return;
	log_info("signal %d: stopping", (int)fd);
	guest->stopping = true;
	bird_stop(guest->bird, bird_stopped, guest);
}

/* --- start */

static const struct argp_option option_table[] = {
	{ "tree", 't', "WHERE", 0, "The router's tree: xenstore: (default), or dir:/some/dir", 0 },
	{ "run-dir", 'r', "DIR", 0, "For BIRD's configuration and control socket (default " RUNDIR ")", 0 },
	{ "bird", 'b', "PATH", 0, "The BIRD 2 daemon (default /usr/sbin/bird)", 0 },
	{ "once", 'o', NULL, 0, "Apply what is in the tree and exit; BIRD is left running", 0 },
	{ "no-forwarding", 'n', NULL, 0, "Leave IP forwarding as it is (driver domains)", 0 },
	{ 0 },
};

static error_t take_option(int key, char *value, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 't':
		options->tree = value;
		return 0;
	case 'r':
		options->run_dir = value;
		return 0;
	case 'b':
		options->bird = value;
		return 0;
	case 'o':
		options->once = true;
		return 0;
	case 'n':
		options->no_forwarding = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const char *argp_program_version = "xebra-guest (xebra) " PACKAGE_VERSION;

static int start_events(struct guest *guest)
{
	guest->settle_timer = evtimer_new(guest->loop, settle_timer, guest);
	guest->report_timer = event_new(guest->loop, -1, EV_PERSIST, report_timer, guest);
	guest->terminate = evsignal_new(guest->loop, SIGTERM, terminate, guest);
	guest->interrupt = evsignal_new(guest->loop, SIGINT, terminate, guest);
	guest->child = evsignal_new(guest->loop, SIGCHLD, child_ended, guest);
	if (!guest->settle_timer || !guest->report_timer || !guest->terminate || !guest->interrupt || !guest->child)
		return -ENOMEM;
	event_add(guest->terminate, NULL);
	event_add(guest->interrupt, NULL);
	event_add(guest->child, NULL);
	return event_add(guest->report_timer, &(struct timeval){ .tv_sec = REPORT_EVERY_S }) < 0 ? -ENOMEM : 0;
}

static int start(struct guest *guest, struct problem *problem)
{
	const struct options *options = &guest->options;

	guest->loop = event_base_new();
	if (!guest->loop)
		return problem_set(problem, -ENOMEM, "xebra-guest: no event loop");
	int r = tree_open(options->tree, guest->loop, &guest->tree, problem);
	if (r == 0)
		r = guest_net_open(guest->loop, links_changed, guest, &guest->net, problem);
	if (r == 0)
		r = bird_open(guest->loop, options->bird, options->run_dir, &guest->bird, problem);
	if (r == 0)
		r = guest_net_settings(NULL, !options->no_forwarding, problem);
	if (r == 0 && start_events(guest) < 0)
		r = problem_set(problem, -ENOMEM, "xebra-guest: no memory");
	if (r < 0)
		return r;
	r = tree_watch(guest->tree, "xebra", tree_changed, guest, &guest->watch);
	return r < 0 ? problem_set(problem, r, "tree: xebra cannot be watched: %s", strerror(-r)) : 0;
}

static void stop(struct guest *guest)
{
	struct event *events[] = { guest->settle_timer, guest->report_timer, guest->terminate, guest->interrupt, guest->child };

	for (size_t i = 0; i < N_ELEMENTS(events); i++)
		if (events[i])
			event_free(events[i]);
	bird_close(guest->bird);
	guest_net_close(guest->net);
	tree_close(guest->tree);
	if (guest->loop)
		event_base_free(guest->loop);
	guest_config_free(guest->config);
	free(guest->published_error);
}

int main(int argc, char **argv)
{
	static const struct argp argp = { .options = option_table, .parser = take_option,
					  .doc = "Agent inside a router: applies the configuration it finds in its tree." };
	struct guest guest = { .options = { .tree = "xenstore:", .run_dir = RUNDIR, .bird = "/usr/sbin/bird" } };
	struct problem problem = { 0 };

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &guest.options);
	signal(SIGPIPE, SIG_IGN);
	if (start(&guest, &problem) < 0) {
		log_error("%s", problem.text);
		guest.exit_code = (int)problem_exit_code(problem.code);
	} else {
		event_base_dispatch(guest.loop);
	}
	stop(&guest);
	return guest.exit_code;
}
