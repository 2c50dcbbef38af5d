/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line of JSON a router writes about itself. Pure. What does not fit loses detail first (counters of packets), then
 * interfaces, and says how many ("if_omitted"), so that the line is valid JSON at any size.
 */
#ifndef XEBRA_GUEST_REPORT_H
#define XEBRA_GUEST_REPORT_H

#include "xebra/guest/guest-plan.h"

enum { GUEST_REPORT_SIZE = 2001 }; /* with the NUL */

struct guest_report {
	uint64_t uptime_s, mem_available_kib;
	bool bird_running;
	unsigned protocols_up, ospf_full;
};

/* Reports the ports of `config` (may be NULL) in their order; one that has no interface (yet) is {"up":false}. */
void guest_report_format(const struct guest_report *report, const struct guest_config *config,
			 const struct guest_actual *actual, char text[GUEST_REPORT_SIZE]);

#endif
