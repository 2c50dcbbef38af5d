/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One table per object says what its keys are; parsing, printing, changing and --help are loops over it.
 */
#include "xebra/router-config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

enum kind { FIXED_TEXT, TEXT, NUMBER, BIG_NUMBER, FLAG, CHOICE, LIST, PORTS };

struct key {
	const char *name;
	enum kind kind;
	size_t offset, size; /* in the struct; size of a FIXED_TEXT with its NUL, longest TEXT or list item otherwise */
	unsigned long min, max, fallback;
	const char *const *choices;        /* CHOICE: NULL-ended, index = value */
	bool (*good)(const char *text);    /* of a text or of each item */
	const char *wanted;                /* what a good text looks like */
	bool required, at_run_time;
	const char *help;
};

enum { NO_HANDLE = UINT32_MAX >> 1, TEXT_SIZE = 1024, BIRD_SIZE = 65536, LIST_MAX = 256, MEMORY_MAX_MIB = 16 << 20 };

static const char *const kind_names[] = {
	[FIXED_TEXT] = "text", [TEXT] = "text",	  [NUMBER] = "number",	    [BIG_NUMBER] = "number",
	[FLAG] = "true or false", [CHOICE] = "word", [LIST] = "list of texts", [PORTS] = "list of objects",
};

/* --- what good texts are --- */

static bool only_has(const char *text, const char *allowed)
{
	return *text && strspn(text, allowed) == strlen(text);
}

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

bool router_name_is_good(const char *name)
{
	return strlen(name) < ROUTER_NAME_SIZE && only_has(name, ALPHANUMERIC "_.-") && isalnum((unsigned char)*name);
}

static bool interface_is_good(const char *name)
{
	return strlen(name) < PORT_NAME_SIZE && only_has(name, ALPHANUMERIC "_.-") && isalnum((unsigned char)*name);
}

static bool uuid_is_good(const char *uuid)
{
	static const char form[] = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";

	for (size_t i = 0; i < sizeof form; i++)
		if (form[i] == 'h' ? !isxdigit((unsigned char)uuid[i]) : uuid[i] != form[i])
			return false;
	return true;
}

bool mac_parse(const char *text, unsigned char mac[6])
{
	for (int i = 0; i < 6; i++, text += 3) {
		if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]))
			return false;
		if (text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = strtoul(text, NULL, 16);
	}
	return true;
}

static bool mac_is_good(const char *text)
{
	unsigned char mac[6];

	return mac_parse(text, mac) && !(mac[0] & 1) && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

static bool vf_is_good(const char *text)
{
	static const char form[] = "hhhh:hh:hh.o";

	if (strcmp(text, "auto") == 0)
		return true;
	for (size_t i = 0; i < sizeof form; i++) {
		char c = text[i];
		if (form[i] == 'h' ? !isxdigit((unsigned char)c) : form[i] == 'o' ? c < '0' || c > '7' : c != form[i])
			return false;
	}
	return true;
}

static bool address_is_good(const char *text, bool with_prefix)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char binary[16];
	size_t n = strcspn(text, "/");
	bool ipv6 = memchr(text, ':', n);

	if (n >= sizeof address || (text[n] == '/') != with_prefix)
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, address, binary) != 1)
		return false;
	const char *prefix = text + n + 1;
	return !with_prefix || (only_has(prefix, "0123456789") && strlen(prefix) <= 3 && atoi(prefix) <= (ipv6 ? 128 : 32));
}

static bool prefix_is_good(const char *text)
{
	return address_is_good(text, true);
}

/* "PREFIX via ADDRESS" or "PREFIX dev INTERFACE" */
static bool route_is_good(const char *text)
{
	char prefix[64], word[8], target[64], end;

	if (sscanf(text, "%63s %7s %63s %c", prefix, word, target, &end) != 3 || !prefix_is_good(prefix))
		return false;
	if (strcmp(word, "via") == 0)
		return address_is_good(target, false) && !strchr(prefix, ':') == !strchr(target, ':');
	return strcmp(word, "dev") == 0 && interface_is_good(target);
}

static bool cpus_are_good(const char *text)
{
	return strcmp(text, "all") == 0 || only_has(text, "0123456789,-^");
}

static bool routing_is_good(const char *text)
{
	return !*text || strcmp(text, "ospf") == 0;
}

static bool path_is_good(const char *text)
{
	return *text == '/';
}

static bool line_is_good(const char *text)
{
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return false;
	return *text;
}

/* --- the tables --- */

static const char *const type_names[] = { "auto", "pv", "pvh", NULL };
static const char *const end_names[] = { "destroy", "restart", "preserve", NULL };

#define AT(member) offsetof(struct router_config, member), sizeof(((struct router_config *)0)->member)
#define OF(member) offsetof(struct router_config, member)

static const struct key config_keys[] = {
	{ "name", FIXED_TEXT, AT(name), .good = router_name_is_good, .required = true,
	  .wanted = "letters, digits, '_', '.', '-', at most 63", .help = "name of the router and of its domain" },
	{ "uuid", FIXED_TEXT, AT(uuid), .good = uuid_is_good, .wanted = "8-4-4-4-12 hexadecimal digits",
	  .help = "identity that survives restarts; made if not given" },
	{ "type", CHOICE, OF(type), .choices = type_names, .help = "pv, pvh, or auto: pvh where the host can and no VF is used" },
	{ "driver_domain", FLAG, OF(driver_domain), .help = "the domain runs back ends for others" },
	{ "image", FIXED_TEXT, AT(image), .good = router_name_is_good, .wanted = "the name of an image",
	  .help = "image to boot (xebra image list); default router" },
	{ "kernel", TEXT, OF(kernel), TEXT_SIZE, .good = path_is_good, .wanted = "an absolute path",
	  .help = "kernel file instead of the image's" },
	{ "ramdisk", TEXT, OF(ramdisk), TEXT_SIZE, .good = path_is_good, .wanted = "an absolute path",
	  .help = "initramfs file instead of the image's" },
	{ "cmdline", TEXT, OF(cmdline), TEXT_SIZE, .good = line_is_good, .wanted = "one line",
	  .help = "kernel command line" },
	{ "memory", NUMBER, OF(memory_mib), .min = 32, .max = MEMORY_MAX_MIB, .fallback = 128, .at_run_time = true,
	  .help = "MiB" },
	{ "vcpus", NUMBER, OF(vcpus), .min = 1, .max = 128, .fallback = 1, .at_run_time = true, .help = "virtual CPUs" },
	{ "weight", NUMBER, OF(weight), .min = 1, .max = 65535, .fallback = 256, .at_run_time = true,
	  .help = "share of CPU time among routers (credit2)" },
	{ "cap", NUMBER, OF(cap_percent), .max = 12800, .at_run_time = true,
	  .help = "most CPU time, per cent of one CPU; 0: no limit" },
	{ "cpus", TEXT, OF(cpus), TEXT_SIZE, .good = cpus_are_good, .wanted = "like 0-1,3 or all", .at_run_time = true,
	  .help = "physical CPUs it may run on" },
	{ "pool", FIXED_TEXT, AT(pool), .good = router_name_is_good, .wanted = "the name of a CPU pool",
	  .at_run_time = true, .help = "CPU pool" },
	{ "on_poweroff", CHOICE, OF(on_poweroff), .choices = end_names, .help = "destroy, restart or preserve" },
	{ "on_reboot", CHOICE, OF(on_reboot), .choices = end_names, .fallback = END_RESTART, .help = "likewise; default restart" },
	{ "on_crash", CHOICE, OF(on_crash), .choices = end_names, .fallback = END_RESTART, .help = "likewise; default restart" },
	{ "disks", LIST, OF(disks), TEXT_SIZE, .good = line_is_good, .wanted = "an xl disk specification",
	  .help = "disks, as in xl.cfg" },
	{ "hostname", TEXT, OF(hostname), 64, .good = router_name_is_good, .wanted = "letters, digits, '.', '-'",
	  .at_run_time = true, .help = "host name inside; default: the last part of the name" },
	{ "loopback", LIST, OF(loopback), TEXT_SIZE, .good = prefix_is_good, .wanted = "ADDRESS/PREFIX",
	  .at_run_time = true, .help = "addresses of the loopback interface" },
	{ "routes", LIST, OF(routes), TEXT_SIZE, .good = route_is_good,
	  .wanted = "'PREFIX via ADDRESS' or 'PREFIX dev INTERFACE'", .at_run_time = true, .help = "static routes" },
	{ "routing", TEXT, OF(routing), 16, .good = routing_is_good, .wanted = "ospf, or empty", .at_run_time = true,
	  .help = "ospf: OSPFv2 and OSPFv3 on every port" },
	{ "bird", TEXT, OF(bird), BIRD_SIZE, .at_run_time = true, .help = "BIRD configuration (a file's path in a .cfg)" },
	{ "ports", PORTS, OF(ports), .help = "network ports (vif in a .cfg)" },
};

#undef AT
#undef OF
#define AT(member) offsetof(struct router_port, member), sizeof(((struct router_port *)0)->member)
#define OF(member) offsetof(struct router_port, member)

static const struct key port_keys[] = {
	{ "name", FIXED_TEXT, AT(name), .good = interface_is_good, .wanted = "an interface name, at most 15 characters",
	  .help = "name inside the router; default e0, e1, ..." },
	{ "segment", FIXED_TEXT, AT(segment), .good = router_name_is_good, .wanted = "the name of a segment",
	  .help = "virtual link or LAN" },
	{ "bridge", FIXED_TEXT, AT(bridge), .good = interface_is_good, .wanted = "the name of a bridge",
	  .help = "Linux bridge instead of a segment" },
	{ "vf", FIXED_TEXT, AT(vf), .good = vf_is_good, .wanted = "auto, or DDDD:BB:DD.F", .help = "SR-IOV VF instead" },
	{ "backend", FIXED_TEXT, AT(backend), .good = router_name_is_good, .wanted = "the name of a driver domain",
	  .help = "driver domain that runs the back end; default: where the segment is" },
	{ "mac", FIXED_TEXT, AT(mac), .good = mac_is_good, .wanted = "a unicast MAC address", .help = "MAC address" },
	{ "handle", NUMBER, OF(handle), .max = ROUTER_PORTS_MAX, .fallback = NO_HANDLE,
	  .help = "device number; default: the smallest free" },
	{ "mtu", NUMBER, OF(mtu), .max = 9216, .help = "MTU" },
	{ "rate", BIG_NUMBER, OF(rate_bps), .max = 1000UL * 1000 * 1000 * 1000, .help = "bit/s it may send; 0: no limit" },
	{ "addresses", LIST, OF(addresses), 64, .good = prefix_is_good, .wanted = "ADDRESS/PREFIX",
	  .help = "IP addresses (ip=... in a .cfg)" },
};

/* --- parsing --- */

static void list_free(struct text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->texts[i]);
	free(list->texts);
}

static void free_object(const struct key *keys, size_t n_keys, char *object)
{
	for (size_t i = 0; i < n_keys; i++) {
		if (keys[i].kind == TEXT)
			free(*(char **)(object + keys[i].offset));
		else if (keys[i].kind == LIST)
			list_free((struct text_list *)(object + keys[i].offset));
	}
}

void router_config_free(struct router_config *config)
{
	for (size_t i = 0; config && i < config->n_ports; i++)
		free_object(port_keys, N_ELEMENTS(port_keys), (char *)&config->ports[i]);
	if (config) {
		free(config->ports);
		free_object(config_keys, N_ELEMENTS(config_keys), (char *)config);
	}
	free(config);
}

static const char *check_text(const struct key *key, const json_t *json, const char *where, struct problem *problem)
{
	const char *text = json_string_value(json);

	if (!text) {
		problem_set(problem, -EINVAL, "%s%s: a text is wanted", where, key->name);
		return NULL;
	}
	if (json_string_length(json) != strlen(text) || strlen(text) >= key->size) {
		problem_set(problem, -EINVAL, "%s%s: longer than %zu characters, or it holds a NUL", where, key->name,
			    key->size - 1);
		return NULL;
	}
	if (*text && key->good && !key->good(text)) {
		problem_set(problem, -EINVAL, "%s%s: '%.64s' is not good; wanted: %s", where, key->name, text, key->wanted);
		return NULL;
	}
	return text;
}

static int parse_list(const struct key *key, const json_t *json, struct text_list *list, const char *where,
		      struct problem *problem)
{
	size_t n = json_array_size(json);

	if (!json_is_array(json) || n > LIST_MAX)
		return problem_set(problem, -EINVAL, "%s%s: a list of at most %d texts is wanted", where, key->name, LIST_MAX);
	list->texts = calloc(n + 1, sizeof *list->texts);
	if (!list->texts)
		return problem_set(problem, -ENOMEM, "%s%s: no memory", where, key->name);
	for (size_t i = 0; i < n; i++) {
		const char *text = check_text(key, json_array_get(json, i), where, problem);
		if (text && !*text)
			return problem_set(problem, -EINVAL, "%s%s: item %zu is empty; wanted: %s", where, key->name, i,
					   key->wanted);
		if (!text)
			return problem->code;
		list->texts[list->n++] = strdup(text);
	}
	return 0;
}

static int parse_number(const struct key *key, const json_t *json, unsigned long *value_out, const char *where,
			struct problem *problem)
{
	json_int_t value = json_integer_value(json);

	if (!json_is_integer(json) || value < (json_int_t)key->min || value > (json_int_t)key->max)
		return problem_set(problem, -EINVAL, "%s%s: a number from %lu to %lu is wanted", where, key->name, key->min,
				   key->max);
	*value_out = value;
	return 0;
}

static int parse_choice(const struct key *key, const json_t *json, unsigned *value_out, const char *where,
			struct problem *problem)
{
	const char *text = json_string_value(json);
	char all[128] = "";

	for (unsigned i = 0; key->choices[i]; i++) {
		if (text && strcmp(text, key->choices[i]) == 0) {
			*value_out = i;
			return 0;
		}
		snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", key->choices[i]);
	}
	return problem_set(problem, -EINVAL, "%s%s: one of %s is wanted", where, key->name, all);
}

static int parse_value(const struct key *key, const json_t *json, char *object, const char *where,
		       struct problem *problem)
{
	void *at = object + key->offset;
	unsigned long number = 0;
	const char *text;
	int r;

	switch (key->kind) {
	case FIXED_TEXT:
	case TEXT:
		text = check_text(key, json, where, problem);
		if (!text)
			return problem->code;
		if (key->kind == FIXED_TEXT)
			strcpy(at, text);
		else
			*(char **)at = strdup(text);
		return 0;
	case NUMBER:
	case BIG_NUMBER:
		r = parse_number(key, json, &number, where, problem);
		if (r == 0 && key->kind == NUMBER)
			*(unsigned *)at = number;
		else if (r == 0)
			*(unsigned long *)at = number;
		return r;
	case FLAG:
		if (!json_is_boolean(json))
			return problem_set(problem, -EINVAL, "%s%s: true or false is wanted", where, key->name);
		*(bool *)at = json_is_true(json);
		return 0;
	case CHOICE:
		return parse_choice(key, json, at, where, problem);
	case LIST:
		return parse_list(key, json, at, where, problem);
	case PORTS:
		return 0; /* parse_ports */
	}
	return 0;
}

static int parse_object(const struct key *keys, size_t n_keys, const json_t *json, char *object, const char *where,
			struct problem *problem)
{
	const char *name;
	json_t *value;
	size_t i;

	for (i = 0; i < n_keys; i++)
		if (keys[i].kind == NUMBER || keys[i].kind == CHOICE)
			*(unsigned *)(object + keys[i].offset) = keys[i].fallback;
	json_object_foreach((json_t *)json, name, value) {
		for (i = 0; i < n_keys && strcmp(keys[i].name, name) != 0; i++)
			;
		if (i == n_keys)
			return problem_set(problem, -EINVAL, "%s%s: no such key; see xebra router create --help", where, name);
		int r = json_is_null(value) ? 0 : parse_value(&keys[i], value, object, where, problem);
		if (r < 0)
			return r;
	}
	for (i = 0; i < n_keys; i++)
		if (keys[i].required && !*(object + keys[i].offset))
			return problem_set(problem, -EINVAL, "%s%s: is missing", where, keys[i].name);
	return 0;
}

static void make_uuid(char uuid[UUID_TEXT_SIZE])
{
	uint8_t b[16];

	if (getrandom(b, sizeof b, 0) != sizeof b)
		abort(); /* cannot happen for 16 bytes once the kernel has booted */
	b[6] = (b[6] & 0x0f) | 0x40; /* RFC 4122, version 4 */
	b[8] = (b[8] & 0x3f) | 0x80;
	snprintf(uuid, UUID_TEXT_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
		 b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

/* 00:16:3e is Xen's; the rest is FNV-1a of UUID and port name: the same on every start. */
static void make_mac(char mac[MAC_TEXT_SIZE], const char *uuid, const char *port)
{
	uint32_t hash = 2166136261u;

	for (const char *c = uuid; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	for (const char *c = port; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	hash ^= hash >> 24;
	snprintf(mac, MAC_TEXT_SIZE, "00:16:3e:%02x:%02x:%02x", hash >> 16 & 0x7f, hash >> 8 & 0xff, hash & 0xff);
}

static bool handle_is_used(const struct router_config *config, unsigned handle)
{
	for (size_t i = 0; i < config->n_ports; i++)
		if (config->ports[i].handle == handle)
			return true;
	return false;
}

static unsigned free_handle(const struct router_config *config)
{
	unsigned handle = 0;

	while (handle_is_used(config, handle))
		handle++;
	return handle;
}

static int finish_port(struct router_config *config, size_t i, const char *where, struct problem *problem)
{
	struct router_port *port = &config->ports[i];
	int n_kinds = !!*port->segment + !!*port->bridge + !!*port->vf;

	if (n_kinds != 1)
		return problem_set(problem, -EINVAL, "%ssegment: give exactly one of segment, bridge and vf", where);
	port->kind = *port->segment ? PORT_SEGMENT : *port->bridge ? PORT_BRIDGE : PORT_VF;
	if (port->mtu && port->mtu < 68)
		return problem_set(problem, -EINVAL, "%smtu: at least 68 is wanted", where);
	if (port->handle == NO_HANDLE)
		port->handle = free_handle(config);
	if (!*port->name)
		snprintf(port->name, sizeof port->name, "e%u", port->handle);
	if (!*port->mac)
		make_mac(port->mac, config->uuid, port->name);
	for (char *c = port->mac; *c; c++)
		*c = tolower((unsigned char)*c);
	for (size_t j = 0; j < i; j++) {
		if (config->ports[j].handle == port->handle)
			return problem_set(problem, -EINVAL, "%shandle: %u is the handle of port %zu too", where, port->handle, j);
		if (strcmp(config->ports[j].name, port->name) == 0)
			return problem_set(problem, -EINVAL, "%sname: '%s' is the name of port %zu too", where, port->name, j);
		if (strcmp(config->ports[j].mac, port->mac) == 0)
			return problem_set(problem, -EINVAL, "%smac: %s is the address of port %zu too", where, port->mac, j);
	}
	return 0;
}

static int parse_ports(struct router_config *config, const json_t *json, struct problem *problem)
{
	size_t n = json_array_size(json);

	if (!json)
		return 0;
	if (!json_is_array(json) || n > ROUTER_PORTS_MAX)
		return problem_set(problem, -EINVAL, "ports: a list of at most %d objects is wanted", ROUTER_PORTS_MAX);
	config->ports = calloc(n + 1, sizeof *config->ports);
	if (!config->ports)
		return problem_set(problem, -ENOMEM, "ports: no memory");
	for (size_t i = 0; i < n; i++) {
		const json_t *port = json_array_get(json, i);
		char where[32];
		snprintf(where, sizeof where, "ports[%zu].", i);
		if (!json_is_object(port))
			return problem_set(problem, -EINVAL, "ports[%zu]: an object is wanted", i);
		config->n_ports = i + 1;
		int r = parse_object(port_keys, N_ELEMENTS(port_keys), port, (char *)&config->ports[i], where, problem);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < n; i++) { /* after all: what is given goes before what is chosen */
		char where[32];
		snprintf(where, sizeof where, "ports[%zu].", i);
		int r = finish_port(config, i, where, problem);
		if (r < 0)
			return r;
	}
	return 0;
}

int router_config_parse(const json_t *json, struct router_config **config_out, struct problem *problem)
{
	struct problem unwanted;

	problem = problem ? problem : &unwanted;
	if (!json_is_object(json))
		return problem_set(problem, -EINVAL, "router: an object is wanted");
	AUTO(router_config_free) struct router_config *config = calloc(1, sizeof *config);
	if (!config)
		return problem_set(problem, -ENOMEM, "router: no memory");
	int r = parse_object(config_keys, N_ELEMENTS(config_keys), json, (char *)config, "", problem);
	if (r < 0)
		return r;
	if (!*config->uuid)
		make_uuid(config->uuid);
	if (!*config->image)
		strcpy(config->image, "router");
	if (!config->hostname || !*config->hostname) {
		const char *dot = strrchr(config->name, '.');
		free(config->hostname);
		config->hostname = strdup(dot && dot[1] ? dot + 1 : config->name);
	}
	r = parse_ports(config, json_object_get(json, "ports"), problem);
	if (r < 0)
		return r;
	if (config->routing && *config->routing && config->bird && *config->bird)
		return problem_set(problem, -EINVAL, "routing: give either routing or bird, not both");
	*config_out = take(config);
	return 0;
}

/* --- printing, changing --- */

static json_t *list_json(const struct text_list *list)
{
	json_t *json = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(json, json_string(list->texts[i]));
	return json;
}

static json_t *value_json(const struct key *key, const char *object)
{
	const void *at = object + key->offset;
	const char *text;

	switch (key->kind) {
	case FIXED_TEXT:
		return json_string(at);
	case TEXT:
		text = *(char *const *)at;
		return json_string(text ? text : "");
	case NUMBER:
		return json_integer(*(const unsigned *)at);
	case BIG_NUMBER:
		return json_integer(*(const unsigned long *)at);
	case FLAG:
		return json_boolean(*(const bool *)at);
	case CHOICE:
		return json_string(key->choices[*(const unsigned *)at]);
	case LIST:
		return list_json(at);
	case PORTS:
		break;
	}
	return json_array();
}

static json_t *object_json(const struct key *keys, size_t n_keys, const void *object)
{
	json_t *json = json_object();

	for (size_t i = 0; i < n_keys; i++)
		json_object_set_new(json, keys[i].name, value_json(&keys[i], object));
	return json;
}

json_t *router_config_json(const struct router_config *config)
{
	json_t *json = object_json(config_keys, N_ELEMENTS(config_keys), config);
	json_t *ports = json_object_get(json, "ports");

	for (size_t i = 0; i < config->n_ports; i++)
		json_array_append_new(ports, object_json(port_keys, N_ELEMENTS(port_keys), &config->ports[i]));
	return json;
}

int router_config_change(const json_t *json, const json_t *changes, json_t **json_out, struct problem *problem)
{
	AUTO(json_decref) json_t *copy = json_deep_copy(json);
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)changes, name, value) {
		size_t i = 0;
		while (i < N_ELEMENTS(config_keys) && strcmp(config_keys[i].name, name) != 0)
			i++;
		if (i == N_ELEMENTS(config_keys))
			return problem_set(problem, -EINVAL, "%s: no such key; see xebra router set --help", name);
		if (!config_keys[i].at_run_time)
			return problem_set(problem, -EINVAL, "%s: cannot be changed; destroy the router and create it anew", name);
		json_object_set(copy, name, value);
	}
	*json_out = take(copy);
	return 0;
}

const struct config_key *router_config_keys(size_t *n_out)
{
	static struct config_key rows[N_ELEMENTS(config_keys)];

	for (size_t i = 0; i < N_ELEMENTS(config_keys); i++)
		rows[i] = (struct config_key){ config_keys[i].name, kind_names[config_keys[i].kind], config_keys[i].help,
					       config_keys[i].at_run_time };
	*n_out = N_ELEMENTS(config_keys);
	return rows;
}

/* --- BIRD --- */

/* The IPv4 address before the slash of the first one in the list. */
static bool first_ipv4(const struct text_list *list, char address[INET_ADDRSTRLEN])
{
	for (size_t i = 0; i < list->n; i++)
		if (!strchr(list->texts[i], ':')) {
			snprintf(address, INET_ADDRSTRLEN, "%.*s", (int)strcspn(list->texts[i], "/"), list->texts[i]);
			return true;
		}
	return false;
}

static void write_router_id(FILE *out, const struct router_config *config)
{
	char address[INET_ADDRSTRLEN];
	bool found = first_ipv4(&config->loopback, address);
	uint32_t id;

	for (size_t i = 0; !found && i < config->n_ports; i++)
		found = first_ipv4(&config->ports[i].addresses, address);
	if (!found) { /* IPv6 only: any number that the others do not have */
		sscanf(config->uuid, "%8x", &id);
		id |= 1;
		snprintf(address, sizeof address, "%u.%u.%u.%u", id >> 24, id >> 16 & 0xff, id >> 8 & 0xff, id & 0xff);
	}
	fprintf(out, "router id %s;\n", address);
}

static bool is_two_ended(const struct router_port *port)
{
	for (size_t i = 0; i < port->addresses.n; i++) {
		const char *text = port->addresses.texts[i];
		int prefix = atoi(strchr(text, '/') + 1);
		if (strchr(text, ':') ? prefix >= 126 && prefix < 128 : prefix == 30 || prefix == 31)
			return true;
	}
	return false;
}

/* Loopbacks are stub networks by name: OSPFv3 does not run on an interface without a link-local address. */
static void write_ospf(FILE *out, const struct router_config *config, const char *version, const char *family)
{
	bool ipv6 = strcmp(family, "ipv6") == 0;

	fprintf(out, "protocol kernel { %s { export all; }; }\nprotocol ospf %s {\n\t%s { import all; };\n\tarea 0 {\n", family,
		version, family);
	for (size_t i = 0; i < config->loopback.n; i++)
		if (!strchr(config->loopback.texts[i], ':') == !ipv6)
			fprintf(out, "\t\tstubnet %s;\n", config->loopback.texts[i]);
	for (size_t i = 0; i < config->n_ports; i++)
		if (config->ports[i].kind != PORT_BRIDGE)
			fprintf(out, "\t\tinterface \"%s\" { type %s; hello 2; dead 8; };\n", config->ports[i].name,
				is_two_ended(&config->ports[i]) ? "ptp" : "broadcast");
	fputs("\t};\n}\n", out);
}

char *router_config_bird(const struct router_config *config)
{
	char *text = NULL;
	size_t size;

	if (config->bird && *config->bird)
		return strdup(config->bird);
	if (!config->routing || strcmp(config->routing, "ospf") != 0)
		return strdup("");
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	write_router_id(out, config);
	fputs("protocol device { scan time 5; }\n", out);
	write_ospf(out, config, "v2", "ipv4");
	write_ospf(out, config, "v3", "ipv6");
	fclose(out);
	return text;
}
