/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Life of a router, pure: given the state and what happened, the next state and what to do now.
 *
 *              START                 OK                    OK
 *   stopped ----------> building ---------> starting ----------> running <--> pausing / unpausing <--> paused
 *      ^  ^                | FAIL              | FAIL            | | | |
 *      |  |                v                   v                 | | | +-- SAVE --> saving --> saved -- START --> restoring
 *      |  |             failed <----------- failing              | | +---- REBOOTED, START anew --> rebuilding --> building
 *      |  +--- killing <------------------------ KILL, OFF ------+ +------ STOP --> stopping (waits for OFF or REBOOTED)
 *      +------ (gone by other hands: GONE) <---------------------+
 *   any with or without a domain -- DESTROY --> removing -- OK --> forgotten
 *
 * The manager stores the new state before it starts the action, so that after a kill at any point router_recover,
 * given what the hypervisor still has, continues.
 */
#ifndef XEBRA_ROUTER_H
#define XEBRA_ROUTER_H

#include <stdbool.h>

enum router_state {
	ROUTER_STOPPED, /* no domain */
	ROUTER_BUILDING,
	ROUTER_STARTING, /* built, its tree written, being unpaused */
	ROUTER_RUNNING,
	ROUTER_PAUSING,
	ROUTER_PAUSED,
	ROUTER_UNPAUSING,
	ROUTER_STOPPING,   /* asked to shut down */
	ROUTER_REBOOTING,  /* asked to reboot */
	ROUTER_KILLING,    /* being destroyed, then stopped */
	ROUTER_REBUILDING, /* being destroyed, then built anew */
	ROUTER_FAILING,    /* being destroyed, then failed */
	ROUTER_FAILED,     /* no domain; the message says why */
	ROUTER_CRASHED,    /* its domain is preserved for a look */
	ROUTER_SAVING,
	ROUTER_SAVED, /* no domain, a file */
	ROUTER_RESTORING,
	ROUTER_REMOVING, /* being destroyed, then forgotten */
	ROUTER_FORGOTTEN,
	ROUTER_N_STATES
};

enum router_event {
	/* asked by a user */
	ROUTER_START, /* restores a saved one */
	ROUTER_RESTORE,
	ROUTER_STOP,
	ROUTER_KILL,
	ROUTER_REBOOT,
	ROUTER_PAUSE,
	ROUTER_UNPAUSE,
	ROUTER_SAVE,
	ROUTER_DESTROY,
	/* the action's end */
	ROUTER_OK,
	ROUTER_FAIL,
	/* from the hypervisor, after the router's on_poweroff, on_reboot, on_crash were looked up */
	ROUTER_OFF,      /* to be destroyed */
	ROUTER_REBOOTED, /* to be built anew */
	ROUTER_PRESERVE, /* to be left as it is */
	ROUTER_GONE,     /* the domain no longer exists */
	ROUTER_N_EVENTS
};

enum router_action {
	ROUTER_DO_NOTHING,
	ROUTER_DO_CREATE,
	ROUTER_DO_UNPAUSE,
	ROUTER_DO_PAUSE,
	ROUTER_DO_SHUTDOWN,
	ROUTER_DO_REBOOT,
	ROUTER_DO_DESTROY, /* of a domain that may not exist */
	ROUTER_DO_SAVE,
	ROUTER_DO_RESTORE,
	ROUTER_DO_FORGET,
};

struct router_step {
	enum router_state next;
	enum router_action action;
};

/* false: the event does not fit the state (a user is told so; a late event of the hypervisor is ignored). */
bool router_step(enum router_state state, enum router_event event, struct router_step *step_out);

/* What the hypervisor and the disk still have when the manager starts again. */
struct router_found {
	bool domain, paused, ended; /* ended: it has shut down or crashed and waits to be destroyed */
	bool file;                  /* a whole saved state */
	bool rebooted;              /* the host has booted since */
};
struct router_step router_recover(enum router_state state, const struct router_found *found);

bool router_has_domain(enum router_state state); /* in a state at rest: running, paused, crashed */
bool router_is_busy(enum router_state state);    /* an action is under way */
const char *router_state_name(enum router_state state);
/* -1: no such state */
int router_state_of_name(const char *name);
/* "start", "pause", ... for messages */
const char *router_event_name(enum router_event event);

#endif
