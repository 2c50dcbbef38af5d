/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The head of a saved router: lines of text, filled up with newlines to XL_SAVE_HEAD_SIZE bytes; libxl's stream (version
 * 2) follows. `head FILE` shows it.
 *
 *     xebra saved router 1
 *     uuid=...
 *     name=...
 *     type=pv|pvh
 */
#ifndef XEBRA_XL_SAVE_H
#define XEBRA_XL_SAVE_H

#include <stdint.h>

#include "xebra/router-config.h"

enum { XL_SAVE_HEAD_SIZE = 512 };

void xl_save_head(const char *uuid, const char *name, enum router_type type, char head[XL_SAVE_HEAD_SIZE]);
/* Checks that the head is `uuid`'s. *type_out: PV or PVH, which a restore must repeat. -EINVAL says why not. */
int xl_save_check(const uint8_t *head, size_t size, const char *uuid, enum router_type *type_out,
		  struct problem *problem);

#endif
