/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/router.h"

#include <stddef.h>
#include <string.h>

#include "libvnet/base/cleanup.h"

static const struct {
	const char *name;
	bool busy, domain;
} states[ROUTER_N_STATES] = {
	[ROUTER_STOPPED] = { "stopped", false, false },
	[ROUTER_BUILDING] = { "building", true, false },
	[ROUTER_STARTING] = { "starting", true, false },
	[ROUTER_RUNNING] = { "running", false, true },
	[ROUTER_PAUSING] = { "pausing", true, false },
	[ROUTER_PAUSED] = { "paused", false, true },
	[ROUTER_UNPAUSING] = { "unpausing", true, false },
	[ROUTER_STOPPING] = { "stopping", false, true },
	[ROUTER_REBOOTING] = { "rebooting", false, true },
	[ROUTER_KILLING] = { "killing", true, false },
	[ROUTER_REBUILDING] = { "rebuilding", true, false },
	[ROUTER_FAILING] = { "failing", true, false },
	[ROUTER_FAILED] = { "failed", false, false },
	[ROUTER_CRASHED] = { "crashed", false, true },
	[ROUTER_SAVING] = { "saving", true, false },
	[ROUTER_SAVED] = { "saved", false, false },
	[ROUTER_RESTORING] = { "restoring", true, false },
	[ROUTER_REMOVING] = { "removing", true, false },
	[ROUTER_FORGOTTEN] = { "forgotten", false, false },
};

static const char *const events[ROUTER_N_EVENTS] = {
	[ROUTER_START] = "start",     [ROUTER_RESTORE] = "restore", [ROUTER_STOP] = "stop",	  [ROUTER_KILL] = "stop --force",
	[ROUTER_REBOOT] = "reboot",   [ROUTER_PAUSE] = "pause",	  [ROUTER_UNPAUSE] = "unpause",
	[ROUTER_SAVE] = "save",	      [ROUTER_DESTROY] = "destroy", [ROUTER_OK] = "ok",
	[ROUTER_FAIL] = "fail",	      [ROUTER_OFF] = "poweroff",  [ROUTER_REBOOTED] = "rebooted",
	[ROUTER_PRESERVE] = "preserve", [ROUTER_GONE] = "gone",
};

static const struct {
	enum router_state state;
	enum router_event event;
	struct router_step step;
} edges[] = {
	{ ROUTER_STOPPED, ROUTER_START, { ROUTER_BUILDING, ROUTER_DO_CREATE } },
	{ ROUTER_STOPPED, ROUTER_DESTROY, { ROUTER_FORGOTTEN, ROUTER_DO_FORGET } },

	{ ROUTER_BUILDING, ROUTER_OK, { ROUTER_STARTING, ROUTER_DO_UNPAUSE } },
	{ ROUTER_BUILDING, ROUTER_FAIL, { ROUTER_FAILED, ROUTER_DO_NOTHING } },

	{ ROUTER_STARTING, ROUTER_OK, { ROUTER_RUNNING, ROUTER_DO_NOTHING } },
	{ ROUTER_STARTING, ROUTER_FAIL, { ROUTER_FAILING, ROUTER_DO_DESTROY } },

	{ ROUTER_RUNNING, ROUTER_STOP, { ROUTER_STOPPING, ROUTER_DO_SHUTDOWN } },
	{ ROUTER_RUNNING, ROUTER_REBOOT, { ROUTER_REBOOTING, ROUTER_DO_REBOOT } },
	{ ROUTER_RUNNING, ROUTER_KILL, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_RUNNING, ROUTER_PAUSE, { ROUTER_PAUSING, ROUTER_DO_PAUSE } },
	{ ROUTER_RUNNING, ROUTER_SAVE, { ROUTER_SAVING, ROUTER_DO_SAVE } },
	{ ROUTER_RUNNING, ROUTER_DESTROY, { ROUTER_REMOVING, ROUTER_DO_DESTROY } },
	{ ROUTER_RUNNING, ROUTER_OFF, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_RUNNING, ROUTER_REBOOTED, { ROUTER_REBUILDING, ROUTER_DO_DESTROY } },
	{ ROUTER_RUNNING, ROUTER_PRESERVE, { ROUTER_CRASHED, ROUTER_DO_NOTHING } },
	{ ROUTER_RUNNING, ROUTER_GONE, { ROUTER_STOPPED, ROUTER_DO_NOTHING } },

	{ ROUTER_PAUSING, ROUTER_OK, { ROUTER_PAUSED, ROUTER_DO_NOTHING } },
	{ ROUTER_PAUSING, ROUTER_FAIL, { ROUTER_RUNNING, ROUTER_DO_NOTHING } },
	{ ROUTER_PAUSED, ROUTER_UNPAUSE, { ROUTER_UNPAUSING, ROUTER_DO_UNPAUSE } },
	{ ROUTER_PAUSED, ROUTER_START, { ROUTER_UNPAUSING, ROUTER_DO_UNPAUSE } },
	{ ROUTER_PAUSED, ROUTER_KILL, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_PAUSED, ROUTER_DESTROY, { ROUTER_REMOVING, ROUTER_DO_DESTROY } },
	{ ROUTER_PAUSED, ROUTER_OFF, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_PAUSED, ROUTER_REBOOTED, { ROUTER_REBUILDING, ROUTER_DO_DESTROY } },
	{ ROUTER_PAUSED, ROUTER_PRESERVE, { ROUTER_CRASHED, ROUTER_DO_NOTHING } },
	{ ROUTER_PAUSED, ROUTER_GONE, { ROUTER_STOPPED, ROUTER_DO_NOTHING } },
	{ ROUTER_UNPAUSING, ROUTER_OK, { ROUTER_RUNNING, ROUTER_DO_NOTHING } },
	{ ROUTER_UNPAUSING, ROUTER_FAIL, { ROUTER_PAUSED, ROUTER_DO_NOTHING } },

	/* the guest may take its time, or not listen: it can be asked again, killed or destroyed meanwhile */
	{ ROUTER_STOPPING, ROUTER_FAIL, { ROUTER_RUNNING, ROUTER_DO_NOTHING } },
	{ ROUTER_STOPPING, ROUTER_STOP, { ROUTER_STOPPING, ROUTER_DO_SHUTDOWN } },
	{ ROUTER_STOPPING, ROUTER_KILL, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_STOPPING, ROUTER_DESTROY, { ROUTER_REMOVING, ROUTER_DO_DESTROY } },
	{ ROUTER_STOPPING, ROUTER_OFF, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_STOPPING, ROUTER_REBOOTED, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_STOPPING, ROUTER_PRESERVE, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_STOPPING, ROUTER_GONE, { ROUTER_STOPPED, ROUTER_DO_NOTHING } },
	{ ROUTER_REBOOTING, ROUTER_FAIL, { ROUTER_RUNNING, ROUTER_DO_NOTHING } },
	{ ROUTER_REBOOTING, ROUTER_KILL, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_REBOOTING, ROUTER_DESTROY, { ROUTER_REMOVING, ROUTER_DO_DESTROY } },
	{ ROUTER_REBOOTING, ROUTER_OFF, { ROUTER_REBUILDING, ROUTER_DO_DESTROY } },
	{ ROUTER_REBOOTING, ROUTER_REBOOTED, { ROUTER_REBUILDING, ROUTER_DO_DESTROY } },
	{ ROUTER_REBOOTING, ROUTER_PRESERVE, { ROUTER_REBUILDING, ROUTER_DO_DESTROY } },
	{ ROUTER_REBOOTING, ROUTER_GONE, { ROUTER_BUILDING, ROUTER_DO_CREATE } },

	{ ROUTER_KILLING, ROUTER_OK, { ROUTER_STOPPED, ROUTER_DO_NOTHING } },
	{ ROUTER_KILLING, ROUTER_FAIL, { ROUTER_FAILED, ROUTER_DO_NOTHING } },
	{ ROUTER_REBUILDING, ROUTER_OK, { ROUTER_BUILDING, ROUTER_DO_CREATE } },
	{ ROUTER_REBUILDING, ROUTER_FAIL, { ROUTER_FAILED, ROUTER_DO_NOTHING } },
	{ ROUTER_FAILING, ROUTER_OK, { ROUTER_FAILED, ROUTER_DO_NOTHING } },
	{ ROUTER_FAILING, ROUTER_FAIL, { ROUTER_FAILED, ROUTER_DO_NOTHING } },

	/* what failed may have left a domain: that one goes first */
	{ ROUTER_FAILED, ROUTER_START, { ROUTER_REBUILDING, ROUTER_DO_DESTROY } },
	{ ROUTER_FAILED, ROUTER_KILL, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_FAILED, ROUTER_DESTROY, { ROUTER_REMOVING, ROUTER_DO_DESTROY } },
	{ ROUTER_CRASHED, ROUTER_START, { ROUTER_REBUILDING, ROUTER_DO_DESTROY } },
	{ ROUTER_CRASHED, ROUTER_KILL, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_CRASHED, ROUTER_DESTROY, { ROUTER_REMOVING, ROUTER_DO_DESTROY } },
	{ ROUTER_CRASHED, ROUTER_GONE, { ROUTER_STOPPED, ROUTER_DO_NOTHING } },

	{ ROUTER_SAVING, ROUTER_OK, { ROUTER_SAVED, ROUTER_DO_NOTHING } },
	{ ROUTER_SAVING, ROUTER_FAIL, { ROUTER_RUNNING, ROUTER_DO_NOTHING } },
	{ ROUTER_SAVED, ROUTER_START, { ROUTER_RESTORING, ROUTER_DO_RESTORE } },
	{ ROUTER_SAVED, ROUTER_RESTORE, { ROUTER_RESTORING, ROUTER_DO_RESTORE } },
	{ ROUTER_SAVED, ROUTER_KILL, { ROUTER_KILLING, ROUTER_DO_DESTROY } },
	{ ROUTER_SAVED, ROUTER_DESTROY, { ROUTER_REMOVING, ROUTER_DO_DESTROY } },
	{ ROUTER_RESTORING, ROUTER_OK, { ROUTER_STARTING, ROUTER_DO_UNPAUSE } },
	{ ROUTER_RESTORING, ROUTER_FAIL, { ROUTER_SAVED, ROUTER_DO_NOTHING } },

	{ ROUTER_REMOVING, ROUTER_OK, { ROUTER_FORGOTTEN, ROUTER_DO_FORGET } },
	{ ROUTER_REMOVING, ROUTER_FAIL, { ROUTER_FAILED, ROUTER_DO_NOTHING } },
};

bool router_step(enum router_state state, enum router_event event, struct router_step *step_out)
{
	for (size_t i = 0; i < N_ELEMENTS(edges); i++)
		if (edges[i].state == state && edges[i].event == event) {
			*step_out = edges[i].step;
			return true;
		}
	return false;
}

/* At rest with a domain: what became of it while nobody looked. */
static struct router_step recover_domain(enum router_state state, const struct router_found *found)
{
	if (found->domain && found->ended)
		return state == ROUTER_STOPPING ? (struct router_step){ ROUTER_KILLING, ROUTER_DO_DESTROY } :
		       state == ROUTER_CRASHED  ? (struct router_step){ ROUTER_CRASHED, ROUTER_DO_NOTHING } :
						  (struct router_step){ ROUTER_REBUILDING, ROUTER_DO_DESTROY };
	if (found->domain) {
		if (state == ROUTER_STOPPING || state == ROUTER_REBOOTING)
			return (struct router_step){ state, state == ROUTER_STOPPING ? ROUTER_DO_SHUTDOWN : ROUTER_DO_REBOOT };
		return (struct router_step){ found->paused ? ROUTER_PAUSED : ROUTER_RUNNING, ROUTER_DO_NOTHING };
	}
	if (state == ROUTER_REBOOTING || (found->rebooted && (state == ROUTER_RUNNING || state == ROUTER_PAUSED)))
		return (struct router_step){ ROUTER_BUILDING, ROUTER_DO_CREATE };
	return (struct router_step){ ROUTER_STOPPED, ROUTER_DO_NOTHING };
}

struct router_step router_recover(enum router_state state, const struct router_found *found)
{
	switch (state) {
	case ROUTER_RUNNING:
	case ROUTER_PAUSED:
	case ROUTER_STOPPING:
	case ROUTER_REBOOTING:
	case ROUTER_CRASHED:
		return recover_domain(state, found);
	case ROUTER_PAUSING:
		return recover_domain(ROUTER_RUNNING, found);
	case ROUTER_UNPAUSING:
		return found->domain && !found->ended ? (struct router_step){ ROUTER_UNPAUSING, ROUTER_DO_UNPAUSE } :
							recover_domain(ROUTER_RUNNING, found);
	case ROUTER_STARTING: /* whole, but perhaps paused */
		return found->domain ? (struct router_step){ ROUTER_STARTING, ROUTER_DO_UNPAUSE } :
				       (struct router_step){ ROUTER_BUILDING, ROUTER_DO_CREATE };
	case ROUTER_BUILDING: /* half made */
	case ROUTER_REBUILDING:
		return (struct router_step){ ROUTER_REBUILDING, ROUTER_DO_DESTROY };
	case ROUTER_SAVING:
		if (found->file) /* written; at most the destruction was left */
			return (struct router_step){ ROUTER_SAVING, ROUTER_DO_DESTROY };
		return found->domain ? (struct router_step){ ROUTER_UNPAUSING, ROUTER_DO_UNPAUSE } :
				       recover_domain(ROUTER_RUNNING, found);
	case ROUTER_RESTORING: /* half made: again from the file, if it is still there */
		return found->file ? (struct router_step){ ROUTER_RESTORING, ROUTER_DO_RESTORE } :
				     (struct router_step){ ROUTER_REBUILDING, ROUTER_DO_DESTROY };
	case ROUTER_KILLING:
	case ROUTER_FAILING:
	case ROUTER_REMOVING:
		return (struct router_step){ state, ROUTER_DO_DESTROY };
	case ROUTER_FORGOTTEN:
		return (struct router_step){ state, ROUTER_DO_FORGET };
	case ROUTER_SAVED:
		return (struct router_step){ found->file ? ROUTER_SAVED : ROUTER_STOPPED, ROUTER_DO_NOTHING };
	case ROUTER_STOPPED:
	case ROUTER_FAILED:
	case ROUTER_N_STATES:
		break;
	}
	return (struct router_step){ state, ROUTER_DO_NOTHING };
}

bool router_has_domain(enum router_state state)
{
	return states[state].domain;
}

bool router_is_busy(enum router_state state)
{
	return states[state].busy;
}

const char *router_state_name(enum router_state state)
{
	return states[state].name;
}

int router_state_of_name(const char *name)
{
	for (int i = 0; i < ROUTER_N_STATES; i++)
		if (strcmp(states[i].name, name) == 0)
			return i;
	return -1;
}

const char *router_event_name(enum router_event event)
{
	return events[event];
}
