/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compares what the tables hold with what they should hold and lists the changes, in an order in which no frame is
 * lost that is carried before and after, and none reaches a segment it is not of. Pure.
 * Order of calls: reconcile, apply the changes one by one, changes_free.
 */
#ifndef XEBRA_RECONCILE_H
#define XEBRA_RECONCILE_H

#include "resolve.h"

/* The arrays as mapped; each has TABLE_... entries. */
struct tables {
	struct about_entry *about;
	struct uplink_entry *uplinks;
	struct host_entry *hosts;
	struct port_entry *ports;
	struct segment_entry *segments;
};

enum change_kind {
	CHANGE_SET_UPLINK,    /* new, or its address changed; then attach to it */
	CHANGE_SET_HOST,      /* new in a free slot */
	CHANGE_SET_SEGMENT,   /* new or different; slots that it names are set already or will be */
	CHANGE_SET_PORT,      /* new, or its segment or guard changed; then attach to it */
	CHANGE_CLEAR_SEGMENT, /* its VN ID is no segment's any more */
	CHANGE_CLEAR_PORT,    /* detach, then free the slot */
	CHANGE_CLEAR_UPLINK,
	CHANGE_CLEAR_HOST,
	CHANGE_GRACE, /* wait until no program still reads what was there before */
};

struct change {
	enum change_kind kind;
	uint32_t slot; /* of uplink, host, port; VN ID of a segment */
	union {
		struct uplink_entry uplink;
		struct host_entry host;
		struct port_entry port;
		struct {
			const char *name;
			uint64_t head; /* its list index is for the one who applies it */
		} segment;
	};
	struct segment_list *members; /* of the segment; owned */
};

struct changes {
	struct change *items;
	size_t n;
};

/*
 * holder_of[VN ID]: name of the segment that has it in `present`, or NULL. The changes refer to `target`.
 * -ENOMEM; -ENOSPC: a table is full (nothing is to be changed then); `problem` says which.
 */
int reconcile(const struct tables *present, const struct target *target, const char *const *holder_of,
	      struct changes **changes_out, struct problem *problem);
void changes_free(struct changes *changes);
DEFINE_AUTO(struct changes *, changes_free)

#endif
