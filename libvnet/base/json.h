/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef XEBRA_BASE_JSON_H
#define XEBRA_BASE_JSON_H

#include <jansson.h>

#include "libvnet/base/cleanup.h"

DEFINE_AUTO(json_t *, json_decref)

/* The text at `key`, or "" */
static inline const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

#endif
