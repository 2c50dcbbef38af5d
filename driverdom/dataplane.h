/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BPF programs and their tables: the one module that calls libbpf.
 * Order of calls: dataplane_open (adopts the tables that are pinned, or makes them), dataplane_apply as often as there
 * are changes, dataplane_close. Closing leaves everything forwarding; dataplane_clear is what ends that.
 */
#ifndef XEBRA_DATAPLANE_H
#define XEBRA_DATAPLANE_H

#include "reconcile.h"

struct dataplane;

/* Absolute directory on a BPF file system, mounted there if it is none. NULL: nothing is pinned (tests). */
int dataplane_open(const char *pin_dir, struct dataplane **dataplane_out, struct problem *problem);
void dataplane_close(struct dataplane *dataplane);
DEFINE_AUTO(struct dataplane *, dataplane_close)

const struct tables *dataplane_tables(const struct dataplane *dataplane);
/* holder_of[VN ID]: name of the segment that is in the tables, or NULL. */
const char *const *dataplane_holders(const struct dataplane *dataplane);

/* One change. Those of one batch in their order, after dataplane_begin. */
void dataplane_begin(struct dataplane *dataplane);
int dataplane_apply(struct dataplane *dataplane, const struct change *change, struct problem *problem);

/* Puts the programs of this process on every port and uplink of the tables, in place of those of an earlier one. */
int dataplane_adopt(struct dataplane *dataplane);

/* Takes programs off every port and uplink and removes the pins. `stop` is called for each port before. */
void dataplane_clear(struct dataplane *dataplane, void (*stop)(void *arg, uint32_t ifindex), void *arg);

/* File descriptors of the programs, for BPF_PROG_TEST_RUN, and of the counters. */
int dataplane_out_fd(const struct dataplane *dataplane);
int dataplane_in_fd(const struct dataplane *dataplane);
int dataplane_stats_fd(const struct dataplane *dataplane);

/* Reading what is pinned, without programs (varp). -ENOENT: nothing is. Every array is mapped read-only. */
struct pinned;
int pinned_open(const char *pin_dir, struct pinned **pinned_out, struct problem *problem);
void pinned_close(struct pinned *pinned);
DEFINE_AUTO(struct pinned *, pinned_close)
const struct tables *pinned_tables(const struct pinned *pinned);
/* -ENOENT: no such segment (0: what belongs to none). Counters are summed over CPUs. */
int pinned_name(const struct pinned *pinned, uint32_t vn_id, char name_out[SEGMENT_NAME_SIZE]);
int pinned_stats(const struct pinned *pinned, uint32_t vn_id, struct segment_stats *stats_out);

/* Sums the per-CPU counters of `vn_id` in the map behind `stats_fd`. */
int stats_read(int stats_fd, uint32_t vn_id, struct segment_stats *stats_out);

#endif
