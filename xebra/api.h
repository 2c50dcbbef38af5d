/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The REST face of the manager; README.md has the table of paths. Order: api_new, give api_handle to http_open and
 * api_event to manager_open, api_set_manager once both are open.
 */
#ifndef XEBRA_API_H
#define XEBRA_API_H

#include "libvnet/base/http.h"
#include "xebra/manager.h"

struct api;

struct api *api_new(void);
void api_free(struct api *api);
DEFINE_AUTO(struct api *, api_free)
void api_set_manager(struct api *api, struct manager *manager);

/* http_handle_fn and manager_options.event, with the api as arg. */
void api_handle(void *api, struct http_request *request);
void api_event(void *api, const json_t *event);

#endif
