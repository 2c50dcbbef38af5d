/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A segment: one virtual link or LAN on this host, as an object of the API.
 *
 *     {"name": "blue.l1", "port": 40961, "peers": ["192.0.2.12"], "mtu": 1458, "state": "up", "backend": "netdd"}
 */
#ifndef XEBRA_SEGMENT_H
#define XEBRA_SEGMENT_H

#include "xebra/net-tree.h"

enum { SEGMENT_MTU = 1458 }; /* 1500 less Ethernet, IPv4 and UDP headers */

/* -EINVAL names key, reason, remedy. Free with segment_free. */
int segment_parse(const json_t *json, struct segment **segment_out, struct problem *problem);
void segment_free(struct segment *segment);
DEFINE_AUTO(struct segment *, segment_free)
json_t *segment_json(const struct segment *segment);

#endif
