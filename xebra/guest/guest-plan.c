/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/guest/guest-plan.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

struct planning {
	const struct guest_config *config;
	const struct guest_actual *actual;
	struct guest_plan *plan;
	bool no_memory;
};

static struct guest_action *add(struct planning *p, enum guest_action_kind kind, const struct guest_link *link)
{
	static struct guest_action nowhere;
	struct guest_plan *plan = p->plan;

	if (plan->n_actions == plan->room) {
		size_t room = 2 * plan->room + 16;
		struct guest_action *more = realloc(plan->actions, room * sizeof *more);
		if (!more) {
			p->no_memory = true;
			return &nowhere;
		}
		plan->actions = more;
		plan->room = room;
	}
	struct guest_action *action = &plan->actions[plan->n_actions++];
	*action = (struct guest_action){ .kind = kind, .link = link->index };
	memcpy(action->link_name, link->name, sizeof action->link_name);
	return action;
}

static const struct guest_link *link_indexed(const struct guest_actual *actual, unsigned index)
{
	for (size_t i = 0; i < actual->n_links; i++)
		if (actual->links[i].index == index)
			return &actual->links[i];
	return NULL;
}

static const struct guest_link *link_named(const struct guest_actual *actual, const char *name)
{
	for (size_t i = 0; i < actual->n_links; i++)
		if (strcmp(actual->links[i].name, name) == 0)
			return &actual->links[i];
	return NULL;
}

static const struct guest_link *link_loopback(const struct guest_actual *actual)
{
	for (size_t i = 0; i < actual->n_links; i++)
		if (actual->links[i].loopback)
			return &actual->links[i];
	return NULL;
}

/* Of several with the MAC address, the one that has the name already, else the oldest. */
const struct guest_link *guest_link_of_port(const struct guest_actual *actual, const struct guest_port *port)
{
	const struct guest_link *best = NULL;

	for (size_t i = 0; i < actual->n_links; i++) {
		const struct guest_link *link = &actual->links[i];
		if (link->stacked || link->loopback || memcmp(link->mac, port->mac, sizeof port->mac) != 0)
			continue;
		if (strcmp(link->name, port->name) == 0)
			return link;
		if (!best || link->index < best->index)
			best = link;
	}
	return best;
}

/* --- steps; each adds the actions of one kind for everything */

static void rename_link(struct planning *p, const struct guest_link *link, const char *name)
{
	if (link->up) /* kernels before 6.2 rename only what is down */
		add(p, GUEST_LINK_DOWN, link);
	struct guest_action *action = add(p, GUEST_LINK_RENAME, link);
	snprintf(action->name, sizeof action->name, "%s", name);
}

/* Who sits on a name that a port shall have moves to "was<index>" first, and gets its own name in the next round. */
static void plan_names(struct planning *p)
{
	for (size_t i = 0; i < p->config->n_ports; i++) {
		const struct guest_port *port = &p->config->ports[i];
		const struct guest_link *link = guest_link_of_port(p->actual, port);
		const struct guest_link *squatter = link_named(p->actual, port->name);
		if (!link || link == squatter)
			continue;
		if (squatter) {
			char aside[IF_NAMESIZE];
			snprintf(aside, sizeof aside, "was%u", squatter->index);
			rename_link(p, squatter, aside);
		} else {
			rename_link(p, link, port->name);
		}
	}
}

static bool config_has_address(const struct guest_port *port, const struct address *address)
{
	for (size_t i = 0; i < port->n_addresses; i++)
		if (address_equal(&port->addresses[i], address))
			return true;
	return false;
}

/* The part of the configuration that is for this link; NULL: none. */
static const struct guest_port *port_of_link(const struct planning *p, const struct guest_link *link)
{
	if (link->loopback)
		return &p->config->loopback;
	for (size_t i = 0; i < p->config->n_ports; i++)
		if (guest_link_of_port(p->actual, &p->config->ports[i]) == link)
			return &p->config->ports[i];
	return NULL;
}

static void plan_address_removals(struct planning *p)
{
	for (size_t i = 0; i < p->actual->n_addresses; i++) {
		const struct guest_link_address *there = &p->actual->addresses[i];
		const struct guest_link *link = link_indexed(p->actual, there->link);
		if (!there->ours || !link)
			continue;
		const struct guest_port *port = port_of_link(p, link);
		if (!port || !config_has_address(port, &there->address))
			add(p, GUEST_ADDRESS_REMOVE, link)->address = there->address;
	}
}

static bool actual_has_address(const struct guest_actual *actual, unsigned link, const struct address *address)
{
	for (size_t i = 0; i < actual->n_addresses; i++)
		if (actual->addresses[i].link == link && address_equal(&actual->addresses[i].address, address))
			return true;
	return false;
}

static void plan_addresses_of(struct planning *p, const struct guest_port *port, const struct guest_link *link)
{
	for (size_t i = 0; i < port->n_addresses; i++)
		if (!actual_has_address(p->actual, link->index, &port->addresses[i]))
			add(p, GUEST_ADDRESS_ADD, link)->address = port->addresses[i];
}

static void plan_loopback(struct planning *p)
{
	const struct guest_link *link = link_loopback(p->actual);

	if (!link)
		return;
	if (!link->up)
		add(p, GUEST_LINK_UP, link);
	plan_addresses_of(p, &p->config->loopback, link);
}

static void plan_ports(struct planning *p)
{
	for (size_t i = 0; i < p->config->n_ports; i++) {
		const struct guest_port *port = &p->config->ports[i];
		const struct guest_link *link = guest_link_of_port(p->actual, port);
		if (!link)
			continue;
		if (port->mtu && port->mtu != link->mtu)
			add(p, GUEST_LINK_MTU, link)->mtu = port->mtu;
		if (!link->up)
			add(p, GUEST_LINK_UP, link);
		plan_addresses_of(p, port, link);
	}
}

static bool route_same(const struct guest_link_route *there, const struct guest_route *route, unsigned link)
{
	return there->link == link && address_equal(&there->to, &route->to) && there->has_gateway == route->has_gateway &&
	       (!route->has_gateway || address_equal(&there->gateway, &route->gateway));
}

static const struct guest_link *link_of_route(const struct planning *p, const struct guest_route *route)
{
	for (size_t i = 0; i < p->config->n_ports; i++)
		if (strcmp(p->config->ports[i].name, route->dev) == 0)
			return guest_link_of_port(p->actual, &p->config->ports[i]);
	return NULL;
}

static void plan_route_removals(struct planning *p)
{
	for (size_t i = 0; i < p->actual->n_routes; i++) {
		const struct guest_link_route *there = &p->actual->routes[i];
		const struct guest_link *link = link_indexed(p->actual, there->link);
		bool wanted = false;
		for (size_t j = 0; j < p->config->n_routes && !wanted; j++) {
			const struct guest_link *its = link_of_route(p, &p->config->routes[j]);
			wanted = its && route_same(there, &p->config->routes[j], its->index);
		}
		if (wanted || !link)
			continue;
		struct guest_action *action = add(p, GUEST_ROUTE_REMOVE, link);
		action->address = there->to;
		action->has_gateway = there->has_gateway;
		action->gateway = there->gateway;
	}
}

static void plan_routes(struct planning *p)
{
	for (size_t i = 0; i < p->config->n_routes; i++) {
		const struct guest_route *route = &p->config->routes[i];
		const struct guest_link *link = link_of_route(p, route);
		bool there = !link;
		for (size_t j = 0; j < p->actual->n_routes && !there; j++)
			there = route_same(&p->actual->routes[j], route, link->index);
		if (there)
			continue;
		struct guest_action *action = add(p, GUEST_ROUTE_ADD, link);
		action->address = route->to;
		action->has_gateway = route->has_gateway;
		action->onlink = route->onlink;
		action->gateway = route->gateway;
	}
}

int guest_plan(const struct guest_config *config, const struct guest_actual *actual, struct guest_plan *plan_out)
{
	struct planning p = { .config = config, .actual = actual, .plan = plan_out };

	plan_names(&p);
	if (plan_out->n_actions == 0) {
		plan_route_removals(&p);
		plan_address_removals(&p);
		plan_loopback(&p);
		plan_ports(&p);
		plan_routes(&p);
	}
	return p.no_memory ? -ENOMEM : 0;
}

void guest_plan_clear(struct guest_plan *plan)
{
	free(plan->actions);
	*plan = (struct guest_plan){ .actions = NULL };
}

void guest_actual_clear(struct guest_actual *actual)
{
	free(actual->links);
	free(actual->addresses);
	free(actual->routes);
	*actual = (struct guest_actual){ .links = NULL };
}

const char *guest_action_text(const struct guest_action *action, char text[GUEST_ACTION_TEXT_SIZE])
{
	static const struct {
		const char *object;
		const char *failed;
	} words[] = {
		[GUEST_LINK_DOWN] = { "", "cannot be set down" },
		[GUEST_LINK_RENAME] = { "name ", "cannot be given" },
		[GUEST_LINK_MTU] = { "MTU ", "cannot be set" },
		[GUEST_ROUTE_REMOVE] = { "route ", "cannot be removed" },
		[GUEST_ADDRESS_REMOVE] = { "address ", "cannot be removed" },
		[GUEST_LINK_UP] = { "", "cannot be set up" },
		[GUEST_ADDRESS_ADD] = { "address ", "cannot be added" },
		[GUEST_ROUTE_ADD] = { "route ", "cannot be added" },
	};
	char object[ADDRESS_TEXT_SIZE] = "";

	if (action->kind == GUEST_LINK_RENAME)
		snprintf(object, sizeof object, "%s ", action->name);
	else if (action->kind == GUEST_LINK_MTU)
		snprintf(object, sizeof object, "%u ", action->mtu);
	else if (action->address.family)
		snprintf(object, sizeof object, "%s ", ADDRESS_TEXT(&action->address));
	snprintf(text, GUEST_ACTION_TEXT_SIZE, "%s: %s%s%s", action->link_name, words[action->kind].object, object,
		 words[action->kind].failed);
	return text;
}
