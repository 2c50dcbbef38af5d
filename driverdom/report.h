/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What driverdomd says about each object that somebody asked for: data/xebra/net/<kind>/<name> in its own tree.
 * Order of calls: report_open (reads what an earlier life said), report_write whenever the statuses change,
 * report_close. Only what differs is written, what is not asked for any more is removed.
 */
#ifndef XEBRA_REPORT_H
#define XEBRA_REPORT_H

#include "libvnet/base/tree.h"
#include "resolve.h"

#define REPORT_ROOT "data/xebra/net"

struct report;

int report_open(struct tree *tree, struct report **report_out);
int report_write(struct report *report, const struct target *target);
void report_close(struct report *report);
DEFINE_AUTO(struct report *, report_close)

#endif
