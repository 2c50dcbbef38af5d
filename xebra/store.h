/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What xebrad must not forget: JSON objects by (kind, name) in SQLite, WAL, synchronous=FULL; when a call returns 0 the
 * change survives a kill and a power cut. Only one process has it open (an exclusive lock held for life).
 */
#ifndef XEBRA_STORE_H
#define XEBRA_STORE_H

#include "libvnet/base/json.h"
#include "libvnet/base/problem.h"

struct store;

/* Makes the file (0600) if missing. -EBUSY: another process has it; -EINVAL: not ours, or of a newer version. */
int store_open(const char *file, struct store **store_out, struct problem *problem);
void store_close(struct store *store);
DEFINE_AUTO(struct store *, store_close)

int store_put(struct store *store, const char *kind, const char *name, const json_t *object, struct problem *problem);
/* No such object is no error. */
int store_remove(struct store *store, const char *kind, const char *name, struct problem *problem);
/* An object {name: object, ...} of all of a kind. */
int store_all(struct store *store, const char *kind, json_t **objects_out, struct problem *problem);

#endif
