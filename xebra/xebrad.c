/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon: options, the loop, and the parts joined. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <ini.h>
#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "libvnet/base/http.h"
#include "libvnet/base/log.h"
#include "xebra/api.h"
#include "xebra/manager.h"

DEFINE_AUTO(struct event_base *, event_base_free)
DEFINE_AUTO(struct event *, event_free)

const char *argp_program_version = "xebrad " VERSION;

static const struct domain_ops *const drivers[] = {
#ifdef HAVE_XL
	&domain_xl,
#endif
#ifdef HAVE_VIRT_DRIVER
	&domain_virt,
#endif
	&domain_netns,
};

enum { UPLINKS_MAX = 16 };

struct settings {
	const char *config, *driver, *tree, *state_dir, *run_dir, *image_dir, *socket, *uri;
	const char *listen;
	struct http_tls tls;
	const char *uplinks[UPLINKS_MAX + 1];
	bool debug;
};

/* One row gives the option, its place and its line in the configuration file. */
static const struct {
	const char *name;
	int key;
	const char *arg, *doc;
	size_t offset;
} rows[] = {
	{ "driver", 'd', "xl|netns|virt", "hypervisor driver (default xl)", offsetof(struct settings, driver) },
	{ "tree", 't', "WHERE", "xenstore: or dir:DIR (default xenstore: with xl, else dir:RUN-DIR/tree)", offsetof(struct settings, tree) },
	{ "state-dir", 'S', "DIR", "what must not be lost (default " LOCALSTATEDIR "/lib/xebra)", offsetof(struct settings, state_dir) },
	{ "run-dir", 'r', "DIR", "what may be lost at boot (default " RUNDIR ")", offsetof(struct settings, run_dir) },
	{ "image-dir", 'i', "DIR", "router images (default STATE-DIR/images)", offsetof(struct settings, image_dir) },
	{ "socket", 's', "PATH", "Unix socket of the API (default RUN-DIR/xebrad.sock)", offsetof(struct settings, socket) },
	{ "uri", 'u', "URI", "libvirt URI, for driver virt", offsetof(struct settings, uri) },
	{ "listen", 'l', "ADDRESS:PORT", "HTTPS with mutual TLS; needs cert, key and ca", offsetof(struct settings, listen) },
	{ "cert", 'C', "FILE", "certificate chain (PEM)", offsetof(struct settings, tls.cert_file) },
	{ "key", 'K', "FILE", "private key (PEM)", offsetof(struct settings, tls.key_file) },
	{ "ca", 'A', "FILE", "authorities of those who may ask (PEM)", offsetof(struct settings, tls.ca_file) },
	{ "crl", 'R', "FILE", "their revocation lists (PEM)", offsetof(struct settings, tls.crl_file) },
};

static int add_uplink(struct settings *settings, const char *value)
{
	size_t n = 0;

	while (settings->uplinks[n])
		n++;
	if (n == UPLINKS_MAX)
		return -ENOSPC;
	settings->uplinks[n] = value;
	return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct settings *settings = state->input;

	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (rows[i].key == key) {
			*(const char **)((char *)settings + rows[i].offset) = arg;
			return 0;
		}
	switch (key) {
	case 'c':
		settings->config = arg;
		return 0;
	case 'U':
		if (add_uplink(settings, arg) < 0)
			argp_error(state, "--uplink: at most %d", UPLINKS_MAX);
		return 0;
	case 'v':
		settings->debug = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s': xebrad takes options only", arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* "name = value"; what the command line gave stays. */
static int config_line(void *arg, const char *section, const char *name, const char *value)
{
	struct settings *settings = arg;

	if (strcmp(section, "uplink") == 0) {
		char *text;
		return asprintf(&text, "%s=%s", name, value) > 0 && add_uplink(settings, text) == 0;
	}
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (!*section && strcmp(rows[i].name, name) == 0) {
			const char **place = (const char **)((char *)settings + rows[i].offset);
			*place = *place ? *place : strdup(value);
			return 1;
		}
	return 0;
}

static int read_config(struct settings *settings, struct problem *problem)
{
	const char *file = settings->config ? settings->config : SYSCONFDIR "/xebra/xebrad.conf";

	if (!settings->config && access(file, F_OK) != 0)
		return 0;
	int line = ini_parse(file, config_line, settings);
	if (line < 0)
		return problem_set(problem, -EINVAL, "%s: %s", file, strerror(errno));
	if (line > 0)
		return problem_set(problem, -EINVAL, "%s:%d: not understood; see man xebrad", file, line);
	return 0;
}

static const char *joined(const char *before, const char *dir, const char *rest)
{
	char *path;

	return asprintf(&path, "%s%s%s", before, dir, rest) > 0 ? path : NULL;
}

static const struct domain_ops *settle_settings(struct settings *settings, struct problem *problem)
{
	const char *driver = settings->driver ? settings->driver : drivers[0]->name;

	settings->state_dir = settings->state_dir ? settings->state_dir : LOCALSTATEDIR "/lib/xebra";
	settings->run_dir = settings->run_dir ? settings->run_dir : RUNDIR;
	if (!settings->image_dir)
		settings->image_dir = joined("", settings->state_dir, "/images");
	if (!settings->socket)
		settings->socket = joined("", settings->run_dir, "/xebrad.sock");
	if (!settings->tree && strcmp(driver, "xl") == 0)
		settings->tree = "xenstore:";
	if (!settings->tree)
		settings->tree = joined("dir:", settings->run_dir, "/tree");
	if (settings->listen && (!settings->tls.cert_file || !settings->tls.key_file || !settings->tls.ca_file)) {
		problem_set(problem, -EINVAL, "listen: cert, key and ca are wanted with it");
		return NULL;
	}
	for (size_t i = 0; i < N_ELEMENTS(drivers); i++)
		if (strcmp(drivers[i]->name, driver) == 0)
			return drivers[i];
	problem_set(problem, -EINVAL, "driver: '%s' is not one of this build's drivers", driver);
	return NULL;
}

static void stop(evutil_socket_t signal_number, short what, void *loop)
{
	(void)what;
	log_info("xebrad: stops on signal %d; routers run on", (int)signal_number);
	event_base_loopbreak(loop);
}

static void reload(evutil_socket_t signal_number, short what, void *server)
{
	struct problem problem;

	(void)signal_number;
	(void)what;
	if (http_reload_tls(server, &problem) < 0)
		log_error("xebrad: %s", problem.text);
}

static void notify(const char *state)
{
#ifdef HAVE_SYSTEMD
	sd_notify(0, state);
#else
	(void)state;
#endif
}

#ifdef HAVE_SYSTEMD
static void feed_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	notify("WATCHDOG=1");
}
#endif

/* Without the loop's cached clock: libxl builds a domain inside a callback, which takes seconds on a slow host, and
 * whatever limit was armed after that would count from before it. */
static struct event_base *make_loop(void)
{
	struct event_config *config = event_config_new();
	struct event_base *loop = NULL;

	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_NO_CACHE_TIME) == 0)
		loop = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return loop;
}

static int serve(struct settings *settings, const struct domain_ops *driver, struct problem *problem)
{
	AUTO(event_base_free) struct event_base *loop = make_loop();
	AUTO(api_free) struct api *api = api_new();
	AUTO(http_close) struct http_server *server = NULL;
	AUTO(manager_close) struct manager *manager = NULL;
	const struct manager_options options = {
		.loop = loop,
		.driver = driver,
		.tree_where = settings->tree,
		.state_dir = settings->state_dir,
		.run_dir = settings->run_dir,
		.image_dir = settings->image_dir,
		.uri = settings->uri,
		.uplinks = settings->uplinks,
		.event = api_event,
		.arg = api,
	};

	if (!loop || !api)
		return problem_set(problem, -ENOMEM, "xebrad: no memory");
	AUTO(event_free) struct event *on_term = evsignal_new(loop, SIGTERM, stop, loop);
	AUTO(event_free) struct event *on_int = evsignal_new(loop, SIGINT, stop, loop);
	event_add(on_term, NULL);
	event_add(on_int, NULL);
	int r = manager_open(&options, &manager, problem);
	if (r == 0)
		r = http_open(loop, api_handle, api, &server, problem);
	if (r < 0)
		return r;
	api_set_manager(api, manager);
	AUTO(event_free) struct event *on_hup = evsignal_new(loop, SIGHUP, reload, server);
	event_add(on_hup, NULL);
	r = http_listen_unix(server, settings->socket, 0600, problem);
	if (r == 0 && settings->listen)
		r = http_listen_tls(server, settings->listen, &settings->tls, problem);
	if (r < 0)
		return r;
#ifdef HAVE_SYSTEMD
	uint64_t interval_us;
	AUTO(event_free) struct event *watchdog = NULL;
	if (sd_watchdog_enabled(0, &interval_us) > 0) {
		struct timeval half = { .tv_sec = interval_us / 2000000, .tv_usec = interval_us / 2 % 1000000 };
		watchdog = event_new(loop, -1, EV_PERSIST, feed_watchdog, NULL);
		event_add(watchdog, &half);
	}
#endif
	log_info("xebrad: driver %s, ready on %s", driver->name, settings->socket);
	notify("READY=1");
	event_base_dispatch(loop);
	notify("STOPPING=1");
	return 0;
}

int main(int argc, char **argv)
{
	struct argp_option options[N_ELEMENTS(rows) + 4] = { 0 };
	static struct settings settings; /* its strings live as long as the process */
	struct problem problem = { 0 };
	size_t n = 0;

	options[n++] = (struct argp_option){ "config", 'c', "FILE", 0, "default " SYSCONFDIR "/xebra/xebrad.conf", 0 };
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		options[n++] = (struct argp_option){ rows[i].name, rows[i].key, rows[i].arg, 0, rows[i].doc, 0 };
	options[n++] = (struct argp_option){ "uplink", 'U', "IF=ADDRESS", 0, "an uplink of the back ends in this domain; repeatable", 0 };
	options[n++] = (struct argp_option){ "debug", 'v', NULL, 0, "log more", 0 };
	const struct argp argp = { options, parse_option, NULL,
				   "Makes and drives the routers of this host.\vEvery long option but --config and --debug can stand in "
				   "the configuration file as 'option = value'; uplinks stand in a section [uplink] as 'IF = ADDRESS'.",
				   NULL, NULL, NULL };

	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &settings);
	if (settings.debug)
		log_level(LOG_DEBUG);
	signal(SIGPIPE, SIG_IGN);
	const struct domain_ops *driver = NULL;
	if (read_config(&settings, &problem) == 0)
		driver = settle_settings(&settings, &problem);
	if (!driver || serve(&settings, driver, &problem) < 0) {
		log_error("xebrad: %s", problem.text);
		return problem_exit_code(problem.code);
	}
	return EXIT_OK;
}
