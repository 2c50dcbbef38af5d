/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two passes: the nodes in their order fill ports, routes and chunks of BIRD's configuration; then `finish` checks what
 * spans nodes: every port has a MAC address of its own, every gateway is in reach, the chunks are put together.
 */
#include "xebra/guest/guest-config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

enum { MTU_MIN = 68, MTU_MAX = 65535 };

struct chunk {
	unsigned number;
	const char *text;
};

struct parsing {
	struct guest_config *config;
	struct chunk chunks[GUEST_BIRD_CHUNKS_MAX];
	size_t n_chunks;
	struct problem *problem;
};

/* --- addresses */

size_t address_size(const struct address *address)
{
	return address->family == AF_INET ? 4 : 16;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->family == b->family && a->prefix == b->prefix && memcmp(a->bytes, b->bytes, address_size(a)) == 0;
}

/* The first `prefix` bits of `bytes`, the others 0. */
static struct address address_network(const struct address *address)
{
	struct address network = *address;

	for (size_t i = 0; i < sizeof network.bytes; i++) {
		unsigned kept = address->prefix > 8 * i ? address->prefix - 8 * i : 0;
		network.bytes[i] &= kept >= 8 ? 0xff : (uint8_t)(0xff00 >> kept);
	}
	return network;
}

bool address_covers(const struct address *network, const struct address *address)
{
	struct address there = *address;

	if (network->family != address->family)
		return false;
	there.prefix = network->prefix;
	there = address_network(&there);
	struct address here = address_network(network);
	return address_equal(&here, &there);
}

const char *address_text(const struct address *address, char text[ADDRESS_TEXT_SIZE])
{
	char bare[INET6_ADDRSTRLEN];

	if (!inet_ntop(address->family, address->bytes, bare, sizeof bare))
		return "?";
	snprintf(text, ADDRESS_TEXT_SIZE, "%s/%u", bare, address->prefix);
	return text;
}

/* Digits only, without leading zeros. */
static bool parse_number(const char *text, unsigned max, unsigned *number_out)
{
	unsigned number = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text) || number > (max - (unsigned)(*text - '0')) / 10)
			return false;
		number = 10 * number + (unsigned)(*text - '0');
	}
	*number_out = number;
	return true;
}

/* Without a '/' the prefix is the whole address; the caller says whether it must be there. */
static bool parse_address(const char *text, bool with_prefix, struct address *address_out)
{
	char bare[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t size = slash ? (size_t)(slash - text) : strlen(text);
	struct address address = { .family = memchr(text, ':', size) ? AF_INET6 : AF_INET };

	if (with_prefix != (slash != NULL) || size >= sizeof bare)
		return false;
	memcpy(bare, text, size);
	bare[size] = '\0';
	if (inet_pton(address.family, bare, address.bytes) != 1)
		return false;
	unsigned bits = 8 * address_size(&address);
	address.prefix = bits;
	if (slash && (!parse_number(slash + 1, bits, &address.prefix) || address.prefix > bits))
		return false;
	*address_out = address;
	return true;
}

/* NULL, or why no interface can have this address. */
static const char *address_unusable(const struct address *address)
{
	static const uint8_t zero[16], one[16] = { [15] = 1 };
	const uint8_t *b = address->bytes;

	if (memcmp(b, zero, address_size(address)) == 0)
		return "it is the unspecified address";
	if (address->family == AF_INET && b[0] == 0)
		return "it belongs to no host (0.0.0.0/8)";
	if (address->family == AF_INET ? b[0] == 127 : memcmp(b, one, 16) == 0)
		return "loopback addresses are the kernel's own";
	if (address->family == AF_INET ? b[0] >= 240 : false)
		return "it is a reserved or broadcast address";
	if (address->family == AF_INET ? b[0] >= 224 : b[0] == 0xff)
		return "it is a multicast address";
	return NULL;
}

/* --- words of a value */

/* Copies the next word (no blanks) and returns true; false at the end. -E2BIG is the caller's: `word` is cut. */
static bool next_word(const char **at, char word[ADDRESS_TEXT_SIZE])
{
	*at += strspn(*at, " \t\n");
	size_t size = strcspn(*at, " \t\n");
	if (size == 0)
		return false;
	size_t kept = size < ADDRESS_TEXT_SIZE ? size : ADDRESS_TEXT_SIZE - 1;
	memcpy(word, *at, kept);
	word[kept] = '\0';
	for (size_t i = 0; i < kept; i++) /* it may be quoted in a message */
		if (!isprint((unsigned char)word[i]))
			word[i] = '?';
	*at += size;
	return true;
}

/* --- one parser per node */

static int parse_hostname(struct parsing *p, const char *value)
{
	size_t size = strlen(value);

	if (size >= GUEST_HOSTNAME_SIZE || strspn(value, LETTERS_AND_DIGITS "-.") != size || *value == '-' || *value == '.')
		return problem_set(p->problem, -EINVAL,
				   "hostname: it is no host name; give up to %d letters, digits, dots and dashes",
				   GUEST_HOSTNAME_SIZE - 1);
	memcpy(p->config->hostname, value, size + 1);
	return 0;
}

static int parse_addresses(struct parsing *p, const char *node, struct guest_port *port, const char *value)
{
	char word[ADDRESS_TEXT_SIZE];

	port->n_addresses = 0;
	while (next_word(&value, word)) {
		struct address address;
		bool known = false;
		if (!parse_address(word, true, &address))
			return problem_set(p->problem, -EINVAL, "%s: '%s' is no address; write it as 10.1.0.1/30 or fd00::1/64",
					   node, word);
		const char *why = address_unusable(&address);
		if (why)
			return problem_set(p->problem, -EINVAL, "%s: %s cannot be used: %s; choose another", node, word, why);
		for (size_t i = 0; i < port->n_addresses; i++)
			known |= address_equal(&port->addresses[i], &address);
		if (known)
			continue;
		if (port->n_addresses == GUEST_ADDRESSES_MAX)
			return problem_set(p->problem, -E2BIG, "%s: more than %d addresses; remove some", node,
					   GUEST_ADDRESSES_MAX);
		port->addresses[port->n_addresses++] = address;
	}
	return 0;
}

static int parse_mac(struct parsing *p, struct guest_port *port, const char *value)
{
	static const uint8_t zero[GUEST_MAC_SIZE];
	uint8_t mac[GUEST_MAC_SIZE];
	bool good = strlen(value) == 3 * GUEST_MAC_SIZE - 1;

	for (size_t i = 0; good && i < GUEST_MAC_SIZE; i++) {
		const char *digits = value + 3 * i;
		char end = i + 1 < GUEST_MAC_SIZE ? ':' : '\0';
		good = isxdigit((unsigned char)digits[0]) && isxdigit((unsigned char)digits[1]) && digits[2] == end;
		if (good)
			mac[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	if (!good || (mac[0] & 1) || memcmp(mac, zero, sizeof mac) == 0)
		return problem_set(p->problem, -EINVAL,
				   "if/%s/mac: it is no MAC address of a station; write it as 00:16:3e:00:00:01", port->name);
	memcpy(port->mac, mac, sizeof mac);
	return 0;
}

static int parse_mtu(struct parsing *p, struct guest_port *port, const char *value)
{
	unsigned mtu;

	if (!parse_number(value, MTU_MAX, &mtu) || mtu < MTU_MIN)
		return problem_set(p->problem, -EINVAL, "if/%s/mtu: it is no number from %d to %d; correct it", port->name,
				   MTU_MIN, MTU_MAX);
	port->mtu = mtu;
	return 0;
}

static bool port_name_is_good(const char *name)
{
	static const char *const taken[] = { "lo", "all", "default" }; /* the last two are directories of settings */

	for (size_t i = 0; i < N_ELEMENTS(taken); i++)
		if (strcmp(name, taken[i]) == 0)
			return false;
	return strspn(name, LETTERS_AND_DIGITS "_.-") == strlen(name) && isalnum((unsigned char)name[0]);
}

static struct guest_port *port_named(const struct guest_config *config, const char *name)
{
	for (size_t i = 0; i < config->n_ports; i++)
		if (strcmp(config->ports[i].name, name) == 0)
			return &config->ports[i];
	return NULL;
}

/* `rest` is "e0/mac". */
static int parse_port(struct parsing *p, const char *rest, const char *value)
{
	struct guest_config *config = p->config;
	size_t size = strcspn(rest, "/");
	const char *key = rest[size] ? rest + size + 1 : "";
	char name[IF_NAMESIZE] = "";
	char node[IF_NAMESIZE + sizeof "if//addr"];

	if (size < sizeof name)
		memcpy(name, rest, size);
	if (!port_name_is_good(name))
		return problem_set(p->problem, -EINVAL,
				   "if/%.*s: it is no interface name; use up to %d letters, digits, '_', '.', '-', not lo",
				   (int)(size < 32 ? size : 32), rest, IF_NAMESIZE - 1);
	struct guest_port *port = port_named(config, name);
	if (!port) {
		if (config->n_ports == GUEST_PORTS_MAX)
			return problem_set(p->problem, -E2BIG, "if/%s: more than %d interfaces; remove some", name,
					   GUEST_PORTS_MAX);
		port = &config->ports[config->n_ports++];
		memcpy(port->name, name, sizeof name);
	}
	snprintf(node, sizeof node, "if/%s/addr", name);
	return strcmp(key, "mac") == 0	? parse_mac(p, port, value)
	       : strcmp(key, "mtu") == 0	? parse_mtu(p, port, value)
	       : strcmp(key, "addr") == 0 ? parse_addresses(p, node, port, value)
					  : 0;
}

static int bad_route(struct parsing *p, const char *number, const char *why)
{
	return problem_set(p->problem, -EINVAL,
			   "route/%.32s: %s; write it as '10.9.0.0/16 via 10.1.0.2', '10.9.0.0/16 dev e0' or both", number, why);
}

static int parse_route(struct parsing *p, const char *number, const char *value)
{
	struct guest_config *config = p->config;
	struct guest_route route = { .has_gateway = false };
	char word[ADDRESS_TEXT_SIZE], what[ADDRESS_TEXT_SIZE];

	if (!next_word(&value, word) || !parse_address(word, true, &route.to))
		return bad_route(p, number, "it does not begin with a network");
	struct address network = address_network(&route.to);
	if (!address_equal(&network, &route.to))
		return bad_route(p, number, "its network has bits set beyond the prefix");
	while (next_word(&value, what)) {
		if (!next_word(&value, word))
			return bad_route(p, number, "a word is missing at its end");
		if (strcmp(what, "via") == 0 && !route.has_gateway) {
			if (!parse_address(word, false, &route.gateway) || route.gateway.family != route.to.family ||
			    address_unusable(&route.gateway))
				return bad_route(p, number, "its gateway is no address of a host in the same family");
			route.has_gateway = true;
		} else if (strcmp(what, "dev") == 0 && !*route.dev && strlen(word) < sizeof route.dev) {
			memcpy(route.dev, word, strlen(word) + 1);
		} else {
			return bad_route(p, number, "it has a word that does not belong there");
		}
	}
	if (!route.has_gateway && !*route.dev)
		return bad_route(p, number, "it leads nowhere");
	if (config->n_routes == GUEST_ROUTES_MAX)
		return problem_set(p->problem, -E2BIG, "route/%.32s: more than %d routes; leave them to BIRD", number,
				   GUEST_ROUTES_MAX);
	config->routes[config->n_routes++] = route;
	return 0;
}

static int parse_bird(struct parsing *p, const char *number, const char *value)
{
	struct chunk chunk = { .text = value };

	if (!parse_number(number, 1000000, &chunk.number))
		return problem_set(p->problem, -EINVAL, "bird/%.32s: the name of a chunk is a number without leading zeros; rename it",
				   number);
	if (p->n_chunks == GUEST_BIRD_CHUNKS_MAX)
		return problem_set(p->problem, -E2BIG, "bird/%.32s: more than %d chunks; use larger ones", number,
				   GUEST_BIRD_CHUNKS_MAX);
	p->chunks[p->n_chunks++] = chunk;
	return 0;
}

static int parse_node(struct parsing *p, const struct guest_node *node)
{
	static const struct {
		const char *prefix;
		int (*parse)(struct parsing *p, const char *rest, const char *value);
	} kinds[] = { { "if/", parse_port }, { "route/", parse_route }, { "bird/", parse_bird } };

	if (strcmp(node->path, "hostname") == 0)
		return parse_hostname(p, node->value);
	if (strcmp(node->path, "loopback") == 0)
		return parse_addresses(p, "loopback", &p->config->loopback, node->value);
	for (size_t i = 0; i < N_ELEMENTS(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);
		if (strncmp(node->path, kinds[i].prefix, n) == 0)
			return kinds[i].parse(p, node->path + n, node->value);
	}
	return 0;
}

/* --- what spans nodes */

static int check_ports(struct parsing *p)
{
	static const uint8_t none[GUEST_MAC_SIZE];
	const struct guest_config *config = p->config;

	for (size_t i = 0; i < config->n_ports; i++) {
		const struct guest_port *port = &config->ports[i];
		if (memcmp(port->mac, none, sizeof none) == 0)
			return problem_set(p->problem, -EINVAL, "if/%s/mac: it is missing; write the interface's MAC address",
					   port->name);
		for (size_t j = 0; j < i; j++)
			if (memcmp(port->mac, config->ports[j].mac, sizeof port->mac) == 0)
				return problem_set(p->problem, -EINVAL, "if/%s/mac: %s has the same; choose another", port->name,
						   config->ports[j].name);
	}
	return 0;
}

static bool port_reaches(const struct guest_port *port, const struct address *gateway)
{
	for (size_t i = 0; i < port->n_addresses; i++)
		if (address_covers(&port->addresses[i], gateway))
			return true;
	return false;
}

static int check_route(struct parsing *p, struct guest_route *route)
{
	const struct guest_config *config = p->config;

	if (*route->dev) {
		const struct guest_port *port = port_named(config, route->dev);
		if (!port)
			return problem_set(p->problem, -EINVAL, "route %s: there is no interface %s; correct dev",
					   ADDRESS_TEXT(&route->to), port_name_is_good(route->dev) ? route->dev : "of that name");
		route->onlink = route->has_gateway && !port_reaches(port, &route->gateway);
		return 0;
	}
	for (size_t i = 0; i < config->n_ports; i++)
		if (port_reaches(&config->ports[i], &route->gateway)) {
			memcpy(route->dev, config->ports[i].name, sizeof route->dev);
			return 0;
		}
	return problem_set(p->problem, -EINVAL, "route %s: its gateway is in no interface's network; correct it or add dev",
			   ADDRESS_TEXT(&route->to));
}

static int compare_chunks(const void *a, const void *b)
{
	const struct chunk *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

static int join_bird(struct parsing *p)
{
	size_t size = 1;

	if (p->n_chunks == 0)
		return 0;
	qsort(p->chunks, p->n_chunks, sizeof *p->chunks, compare_chunks);
	for (size_t i = 0; i < p->n_chunks; i++)
		size += strlen(p->chunks[i].text);
	char *at = p->config->bird = malloc(size);
	if (!at)
		return problem_set(p->problem, -ENOMEM, "bird: no memory for its configuration");
	*at = '\0';
	for (size_t i = 0; i < p->n_chunks; i++)
		at = stpcpy(at, p->chunks[i].text);
	return 0;
}

static int finish(struct parsing *p)
{
	int r = check_ports(p);

	for (size_t i = 0; r == 0 && i < p->config->n_routes; i++)
		r = check_route(p, &p->config->routes[i]);
	return r < 0 ? r : join_bird(p);
}

int guest_config_parse(const struct guest_node *nodes, size_t n_nodes, struct guest_config **config_out,
		       struct problem *problem)
{
	AUTO(guest_config_free) struct guest_config *config = calloc(1, sizeof *config);
	AUTO(free) struct parsing *p = calloc(1, sizeof *p);

	if (config) {
		config->ports = calloc(GUEST_PORTS_MAX, sizeof *config->ports);
		config->routes = calloc(GUEST_ROUTES_MAX, sizeof *config->routes);
		strcpy(config->loopback.name, "lo");
	}
	if (!config || !p || !config->ports || !config->routes)
		return problem_set(problem, -ENOMEM, "configuration: no memory");
	p->config = config;
	p->problem = problem;
	for (size_t i = 0; i < n_nodes; i++) {
		int r = parse_node(p, &nodes[i]);
		if (r < 0)
			return r;
	}
	int r = finish(p);
	if (r < 0)
		return r;
	*config_out = take(config);
	return 0;
}

void guest_config_free(struct guest_config *config)
{
	if (!config)
		return;
	free(config->ports);
	free(config->routes);
	free(config->bird);
	free(config);
}
