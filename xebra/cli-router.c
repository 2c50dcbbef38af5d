/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xebra router ... and xebra port ... */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "xebra/cli.h"
#include "xebra/router-config.h"
#ifdef HAVE_XL
#include "xebra/router-xlcfg.h"
#endif

enum { MANY = 10000, FILE_SIZE_MAX = 1 << 18 };

static const char *path_of(char path[512], const char *name, const char *rest)
{
	snprintf(path, 512, "/v1/routers/%s%s", name, rest);
	return path;
}

#define ROUTER(name, rest) path_of((char[512]){ "" }, name, rest)

/* --- create --- */

static int read_text(const char *file, char **text_out, size_t *size_out, struct problem *problem)
{
	AUTO(free) char *text = malloc(FILE_SIZE_MAX + 1);
	AUTO(fclose) FILE *in = strcmp(file, "-") == 0 ? fdopen(dup(STDIN_FILENO), "r") : fopen(file, "re");
	struct stat status;

	if (!in || (fstat(fileno(in), &status) == 0 && S_ISDIR(status.st_mode)))
		return problem_set(problem, in ? -EISDIR : -errno, "%s: %s", file, strerror(in ? EISDIR : errno));
	size_t n = fread(text, 1, FILE_SIZE_MAX + 1, in);
	if (n > FILE_SIZE_MAX)
		return problem_set(problem, -EINVAL, "%s: longer than %d bytes; this is no router file", file, FILE_SIZE_MAX);
	text[n] = '\0';
	*text_out = take(text);
	*size_out = n;
	return 0;
}

/* A router file: JSON if it begins with '{', else xl.cfg. */
static int read_router(const char *file, json_t **json_out, struct problem *problem)
{
	AUTO(free) char *text = NULL;
	json_error_t error;
	size_t size = 0;

	int r = read_text(file, &text, &size, problem);
	if (r < 0)
		return r;
	if (text[strspn(text, " \t\r\n")] != '{')
#ifdef HAVE_XL
		return router_xlcfg_parse(text, size, file, json_out, problem);
#else
		return problem_set(problem, -ENOTSUP, "%s: this build reads JSON only (it was configured with --disable-xl)", file);
#endif
	*json_out = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!*json_out)
		return problem_set(problem, -EINVAL, "%s:%d: %s", file, error.line, error.text);
	AUTO(router_config_free) struct router_config *config = NULL;
	r = router_config_parse(*json_out, &config, problem);
	if (r < 0) {
		json_decref(*json_out);
		*json_out = NULL;
		return problem_prefix(problem, "%s", file);
	}
	return 0;
}

static int assign_all(const struct invocation *in, json_t *object, size_t from, struct problem *problem)
{
	int r = 0;

	for (size_t i = 0; i < in->n_more && r == 0; i++)
		r = assign(object, in->more[i], problem);
	for (size_t i = from; from && i < in->n_args && r == 0; i++)
		r = assign(object, in->args[i], problem);
	return r;
}

static enum exit_code wait_ready(struct invocation *in, const char *name, const char *limit, const char *full)
{
	char path[512];

	snprintf(path, sizeof path, "/v1/routers/%s/ready?limit=%s&full=%s", name, limit && *limit ? limit : "120", full ? full : "0");
	return call_and_show(in, "GET", path, NULL);
}

static enum exit_code create_one(struct invocation *in, const char *file)
{
	AUTO(json_decref) json_t *json = NULL;
	AUTO(json_decref) json_t *reply = NULL;
	struct problem problem = { 0 };

	if (read_router(file, &json, &problem) < 0 || assign_all(in, json, 0, &problem) < 0)
		return fail(&problem);
	enum exit_code code = call(in, "POST", in->values['n'] ? "/v1/routers?stopped=1" : "/v1/routers", json, &reply);
	if (code == EXIT_OK && in->values['w'])
		code = wait_ready(in, json_text(json, "name"), in->values['w'], NULL);
	else if (code == EXIT_OK && in->json)
		print_json(reply);
	return code;
}

static enum exit_code create(struct invocation *in)
{
	return for_each_arg(in, "creating", create_one);
}

/* --- commands on routers --- */

static enum exit_code send_verb(struct invocation *in, const char *name, const char *rest)
{
	return call_and_show(in, "POST", ROUTER(name, rest), NULL);
}

#define VERB(verb)                                                                 \
	static enum exit_code verb##_one(struct invocation *in, const char *name)  \
	{                                                                          \
		return send_verb(in, name, "/" #verb);                             \
	}                                                                          \
	static enum exit_code verb##_all(struct invocation *in)                    \
	{                                                                          \
		return for_each_arg(in, #verb, verb##_one);                        \
	}

VERB(start)
VERB(pause)
VERB(unpause)
VERB(save)
VERB(restore)

static enum exit_code stop_one(struct invocation *in, const char *name)
{
	char rest[64];

	snprintf(rest, sizeof rest, "/stop?limit=%s%s", in->values['t'] ? in->values['t'] : "60", in->values['f'] ? "&force=1" : "");
	return send_verb(in, name, rest);
}

static enum exit_code stop(struct invocation *in)
{
	return for_each_arg(in, "stopping", stop_one);
}

static enum exit_code reboot_one(struct invocation *in, const char *name)
{
	char rest[64];

	snprintf(rest, sizeof rest, "/reboot?limit=%s", in->values['t'] ? in->values['t'] : "60");
	return send_verb(in, name, rest);
}

static enum exit_code reboot(struct invocation *in)
{
	return for_each_arg(in, "rebooting", reboot_one);
}

static enum exit_code destroy_one(struct invocation *in, const char *name)
{
	return call_and_show(in, "DELETE", ROUTER(name, ""), NULL);
}

static enum exit_code destroy(struct invocation *in)
{
	return for_each_arg(in, "destroying", destroy_one);
}

static enum exit_code clone_router(struct invocation *in)
{
	AUTO(json_decref) json_t *changes = json_object();
	struct problem problem = { 0 };

	if (assign_all(in, changes, 0, &problem) < 0)
		return fail(&problem);
	AUTO(json_decref) json_t *body = json_pack("{s:s, s:O}", "name", in->args[1], "changes", changes);
	return call_and_show(in, "POST", ROUTER(in->args[0], in->values['n'] ? "/clone?stopped=1" : "/clone"), body);
}

static enum exit_code set_router(struct invocation *in)
{
	AUTO(json_decref) json_t *changes = json_object();
	struct problem problem = { 0 };

	if (assign_all(in, changes, 1, &problem) < 0)
		return fail(&problem);
	return call_and_show(in, "PATCH", ROUTER(in->args[0], ""), changes);
}

static enum exit_code wait_one(struct invocation *in, const char *name)
{
	return wait_ready(in, name, in->values['t'], in->values['o']);
}

static enum exit_code wait_routers(struct invocation *in)
{
	return for_each_arg(in, "waiting", wait_one);
}

static enum exit_code console(struct invocation *in)
{
	AUTO(json_decref) json_t *reply = NULL;
	enum exit_code code = call(in, "GET", ROUTER(in->args[0], "/console"), NULL, &reply);
	const json_t *list = json_object_get(reply, "argv");
	const char *argv[32] = { NULL };

	if (code != EXIT_OK || in->json) {
		if (reply)
			print_json(reply);
		return code;
	}
	for (size_t i = 0; i < json_array_size(list) && i + 1 < N_ELEMENTS(argv); i++)
		argv[i] = json_string_value(json_array_get(list, i));
	if (argv[0])
		execvp(argv[0], (char *const *)argv);
	fprintf(stderr, "xebra: %s: %s; the console is reached on the router's own host only\n", argv[0] ? argv[0] : "console",
		strerror(errno));
	return EXIT_FAILED;
}

/* --- list, show --- */

static char *get_name(const json_t *row)
{
	return cell("%s", json_text(row, "name"));
}

static char *get_state(const json_t *row)
{
	return cell("%s", json_text(row, "state"));
}

static char *get_id(const json_t *row)
{
	json_int_t id = json_integer_value(json_object_get(row, "id"));

	return id ? cell("%lld", (long long)id) : cell("-");
}

static char *get_vcpus(const json_t *row)
{
	return cell("%lld", (long long)json_integer_value(json_object_get(json_object_get(row, "config"), "vcpus")));
}

static char *get_memory(const json_t *row)
{
	return cell("%lld", (long long)json_integer_value(json_object_get(json_object_get(row, "config"), "memory")));
}

static char *get_cpu_time(const json_t *row)
{
	return cell("%.1f", json_number_value(json_object_get(json_object_get(row, "usage"), "cpu_time_s")));
}

static char *get_ports(const json_t *row)
{
	return cell("%zu", json_array_size(json_object_get(json_object_get(row, "config"), "ports")));
}

static char *get_ospf(const json_t *row)
{
	const json_t *report = json_object_get(json_object_get(row, "guest"), "report");
	const json_t *full = json_object_get(json_object_get(report, "bird"), "ospf_full");

	return full ? cell("%lld", (long long)json_integer_value(full)) : cell("-");
}

static char *get_message(const json_t *row)
{
	const char *error = json_text(json_object_get(row, "guest"), "error");

	return cell("%s", *error ? error : json_text(row, "message"));
}

static const struct column router_columns[] = {
	{ "NAME", false, get_name },	 { "STATE", false, get_state }, { "ID", true, get_id },
	{ "VCPUS", true, get_vcpus },	 { "MIB", true, get_memory },	{ "CPU-S", true, get_cpu_time },
	{ "PORTS", true, get_ports },	 { "OSPF", true, get_ospf },	{ "MESSAGE", false, get_message },
	{ NULL, false, NULL },
};

static enum exit_code list(struct invocation *in)
{
	AUTO(json_decref) json_t *reply = NULL;
	enum exit_code code = call(in, "GET", "/v1/routers", NULL, &reply);

	return code == EXIT_OK ? print_table(in, reply, router_columns) : code;
}

static char *get_attached_to(const json_t *port)
{
	static const char *const kinds[] = { "segment", "bridge", "vf" };

	for (size_t i = 0; i < N_ELEMENTS(kinds); i++)
		if (*json_text(port, kinds[i]))
			return cell("%s %s", kinds[i], json_text(port, kinds[i]));
	return cell("-");
}

static char *get_backend(const json_t *port)
{
	const char *backend = json_text(port, "backend");

	return cell("%s", *backend ? backend : "-");
}

static char *get_mac(const json_t *port)
{
	return cell("%s", json_text(port, "mac"));
}

static char *get_addresses(const json_t *port)
{
	char text[512] = "";
	json_t *address;
	size_t i;

	json_array_foreach(json_object_get(port, "addresses"), i, address)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", json_string_value(address));
	return cell("%s", text);
}

static const struct column port_columns[] = {
	{ "PORT", false, get_name }, { "ATTACHED TO", false, get_attached_to }, { "BACKEND", false, get_backend },
	{ "MAC", false, get_mac },   { "ADDRESSES", false, get_addresses },	{ NULL, false, NULL },
};

static enum exit_code show(struct invocation *in)
{
	AUTO(json_decref) json_t *reply = NULL;
	AUTO(json_decref) json_t *rows = json_array();
	enum exit_code code = call(in, "GET", ROUTER(in->args[0], ""), NULL, &reply);

	if (code != EXIT_OK || in->json) {
		if (code == EXIT_OK)
			print_json(reply);
		return code;
	}
	json_array_append(rows, reply);
	print_table(in, rows, router_columns);
	putchar('\n');
	const json_t *ports = json_object_get(reply, "ports");
	return print_table(in, ports ? ports : json_object_get(json_object_get(reply, "config"), "ports"), port_columns);
}

/* --- ports --- */

static enum exit_code attach(struct invocation *in)
{
	AUTO(json_decref) json_t *port = json_object();
	struct problem problem = { 0 };

	if (assign_all(in, port, 1, &problem) < 0)
		return fail(&problem);
	return call_and_show(in, "POST", ROUTER(in->args[0], "/ports"), port);
}

static const char *port_path(const struct invocation *in, char path[512])
{
	snprintf(path, 512, "/v1/routers/%s/ports/%s", in->args[0], in->args[1]);
	return path;
}

static enum exit_code detach(struct invocation *in)
{
	char path[512];

	return call_and_show(in, "DELETE", port_path(in, path), NULL);
}

static enum exit_code set_port(struct invocation *in)
{
	AUTO(json_decref) json_t *changes = json_object();
	struct problem problem = { 0 };
	char path[512];

	if (assign_all(in, changes, 2, &problem) < 0)
		return fail(&problem);
	return call_and_show(in, "PATCH", port_path(in, path), changes);
}

/* --- the table --- */

static const struct argp_option create_options[] = {
	{ "set", 's', "KEY=VALUE", 0, "another value for a key of the file; repeatable", 0 },
	{ "no-start", 'n', NULL, 0, "only define it", 0 },
	{ "wait", 'w', "SECONDS", OPTION_ARG_OPTIONAL, "until the guest has applied its configuration (default 120)", 0 },
	{ 0 },
};
static const struct argp_option stop_options[] = {
	{ "force", 'f', NULL, 0, "do not ask the guest", 0 },
	{ "timeout", 't', "SECONDS", 0, "how long the guest may take (default 60)", 0 },
	{ 0 },
};
static const struct argp_option reboot_options[] = {
	{ "timeout", 't', "SECONDS", 0, "how long the guest may take (default 60)", 0 },
	{ 0 },
};
static const struct argp_option wait_options[] = {
	{ "ospf", 'o', "N", 0, "also until N OSPF neighbours are in state Full", 0 },
	{ "timeout", 't', "SECONDS", 0, "default 120", 0 },
	{ 0 },
};

#define CREATE_DOC                                                                                       \
	"Create routers from files, all at once, and start them.\v"                                      \
	"A FILE is in xl.cfg dialect, or JSON if it begins with '{'; '-' is standard input. Keys of a "  \
	"router: name, image, memory, vcpus, hostname, loopback, routing, bird, ... (man 5 xebra-router " \
	"has them all). A port: vif = [\"segment=SEGMENT,ip=ADDRESS/PREFIX,...\"]. When a router cannot " \
	"be built nothing of it is left."

const struct command router_commands[] = {
	{ "router", "create", "FILE...", CREATE_DOC, create_options, 's', 1, MANY, create },
	{ "router", "list", "", "List the routers.", NULL, 0, 0, 0, list },
	{ "router", "show", "NAME", "Show a router and its ports.", NULL, 0, 1, 1, show },
	{ "router", "start", "NAME...", "Start routers; a saved one is restored.", NULL, 0, 1, MANY, start_all },
	{ "router", "stop", "NAME...", "Shut routers down; their definitions stay.", stop_options, 0, 1, MANY, stop },
	{ "router", "pause", "NAME...", "Let routers stand still.", NULL, 0, 1, MANY, pause_all },
	{ "router", "unpause", "NAME...", "Let paused routers go on.", NULL, 0, 1, MANY, unpause_all },
	{ "router", "reboot", "NAME...", "Reboot routers.", reboot_options, 0, 1, MANY, reboot },
	{ "router", "save", "NAME...", "Save running routers to disk.", NULL, 0, 1, MANY, save_all },
	{ "router", "restore", "NAME...", "Let saved routers go on.", NULL, 0, 1, MANY, restore_all },
	{ "router", "clone", "NAME NEW-NAME", "Create a router like another.", create_options, 's', 2, 2, clone_router },
	{ "router", "set", "NAME KEY=VALUE...",
	  "Change a router while it runs.\vKeys: vcpus, memory, weight, cap, cpus, pool, hostname, loopback, routes, routing, bird.",
	  NULL, 0, 2, MANY, set_router },
	{ "router", "wait", "NAME...", "Wait until guests have applied their configuration.", wait_options, 0, 1, MANY, wait_routers },
	{ "router", "console", "NAME", "Open the console.", NULL, 0, 1, 1, console },
	{ "router", "destroy", "NAME...", "End routers at once and forget them.", NULL, 0, 1, MANY, destroy },
	{ "port", "attach", "ROUTER KEY=VALUE...",
	  "Give a router a port.\vKeys: segment, bridge or vf (one of them), name, mac, mtu, ip (or addresses), backend, rate.", NULL, 0, 2,
	  MANY, attach },
	{ "port", "set", "ROUTER PORT KEY=VALUE...", "Change a port: addresses (ip), mtu.", NULL, 0, 3, MANY, set_port },
	{ "port", "detach", "ROUTER PORT", "Take a port away.", NULL, 0, 2, 2, detach },
	{ 0 },
};
