/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libxl's interface as of Xen 4.14, the newest that both Xen 4.17 and 4.20 offer by name: every operation that takes
 * time takes a libxl_asyncop_how.
 */
#ifndef XEBRA_XL_API_H
#define XEBRA_XL_API_H

#define LIBXL_API_VERSION 0x041400
#include <libxl.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <libxlutil.h>

#endif
