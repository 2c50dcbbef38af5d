/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vif.h"

#include <assert.h>

static const char *const names[N_VIF_STATES] = { "waiting", "connected", "refused", "closed" };

static const bool allowed[N_VIF_STATES][N_VIF_STATES] = {
	[VIF_WAITING] = { [VIF_CONNECTED] = true, [VIF_REFUSED] = true, [VIF_CLOSED] = true },
	[VIF_CONNECTED] = { [VIF_WAITING] = true, [VIF_REFUSED] = true, [VIF_CLOSED] = true },
	[VIF_REFUSED] = { [VIF_WAITING] = true, [VIF_CONNECTED] = true, [VIF_CLOSED] = true },
};

const char *vif_state_name(enum vif_state state)
{
	return names[state];
}

static enum vif_action enter(enum vif_state *state, enum vif_state next, enum vif_action action)
{
	assert(allowed[*state][next]);
	*state = next;
	return action;
}

enum vif_action vif_step(enum vif_state *state, const struct vif_facts *facts)
{
	if (*state == VIF_CLOSED)
		return VIF_NOTHING;
	if (facts->agent && !facts->online && facts->backend_state == XENBUS_CLOSED)
		return enter(state, VIF_CLOSED, VIF_REMOVE);
	switch (facts->port) {
	case VIF_PORT_ACTIVE:
		if (*state != VIF_CONNECTED)
			return enter(state, VIF_CONNECTED, VIF_SAY_CONNECTED);
		/* Some kernels take the node away once it has served; a frontend that connects again needs it again. */
		return facts->told || facts->backend_state == XENBUS_CONNECTED ? VIF_NOTHING : VIF_SAY_CONNECTED;
	case VIF_PORT_REFUSED:
		return *state == VIF_REFUSED ? VIF_NOTHING : enter(state, VIF_REFUSED, VIF_SAY_ERROR);
	case VIF_PORT_WAITING:
		return *state == VIF_WAITING ? VIF_NOTHING : enter(state, VIF_WAITING, VIF_NOTHING);
	}
	return VIF_NOTHING;
}
