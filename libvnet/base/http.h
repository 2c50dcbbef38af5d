/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An HTTP/1.1 server of JSON objects on Unix sockets and on TLS 1.3 with mutual authentication, on a libevent loop.
 *
 * Order: http_open, http_listen_* as often as needed, run the loop; each request comes to `handle`, which answers by
 * exactly one of http_reply, http_reply_problem or http_stream_begin ... http_stream_end, now or later. When the
 * client goes away first, `request` stays valid until it has been answered; answers then go nowhere (http_gone). A
 * client that ends its sending side while it waits counts as gone.
 *
 * Limits: header 32 KiB (else 400), body HTTP_BODY_MAX (else 413), a request must have arrived whole within 10 s of
 * its first byte (absolute; else the connection is closed), at most HTTP_CONNECTIONS_MAX connections (the one that
 * has waited longest idle goes), idle connections end after 60 s. Bodies must be JSON objects or empty (else 400).
 */
#ifndef XEBRA_BASE_HTTP_H
#define XEBRA_BASE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "libvnet/base/json.h"
#include "libvnet/base/problem.h"

enum { HTTP_BODY_MAX = 1 << 20, HTTP_CONNECTIONS_MAX = 512, HTTP_PARTS_MAX = 8 };

struct event_base;
struct http_server;

struct http_request {
	const char *method;                /* "GET", ... */
	const char *parts[HTTP_PARTS_MAX]; /* path components, decoded: "v1", "routers", "blue.r1"; unused ones NULL */
	size_t n_parts;
	json_t *body;                      /* an object, {} if there was no body; borrowed */
	const char *peer;                  /* who asks: "uid=0" (SO_PEERCRED) or the certificate's subject (RFC 2253) */
	bool local;                        /* on a Unix socket */
	/* private */
	struct http_exchange *exchange;
};

typedef void http_handle_fn(void *arg, struct http_request *request);

int http_open(struct event_base *loop, http_handle_fn *handle, void *arg, struct http_server **server_out,
	      struct problem *problem);
/* Answers still owed are dropped, as if the clients had gone: `gone` is called, and answering still frees the request.
 * Also from inside `handle`. */
void http_close(struct http_server *server);
DEFINE_AUTO(struct http_server *, http_close)

/* A stale socket file is replaced; one on which somebody answers is not (-EADDRINUSE). mode as for chmod. */
int http_listen_unix(struct http_server *server, const char *path, unsigned mode, struct problem *problem);

/* `address` "0.0.0.0:8443" or "[::]:8443". PEM files. Peers need a certificate with EKU clientAuth of one of the CAs in
 * `ca_file`; revoked ones (`crl_file`, may be NULL) are refused. TLS 1.3 only. */
struct http_tls {
	const char *cert_file, *key_file, *ca_file, *crl_file;
};
int http_listen_tls(struct http_server *server, const char *address, const struct http_tls *tls,
		    struct problem *problem);
/* Reads the files again, for new connections; on failure the old ones stay in use. */
int http_reload_tls(struct http_server *server, struct problem *problem);

/* Value of ?key= or NULL. Valid as long as the request. */
const char *http_query(const struct http_request *request, const char *key);
/* `key` as a number in [min, max], `fallback` if absent; -EINVAL as a problem that names the key. */
int http_query_number(const struct http_request *request, const char *key, long min, long max, long fallback,
		      long *value_out, struct problem *problem);

/* The client has gone; answering is still required. `gone` (may be NULL) is called once when that happens; not when it
 * has happened before http_on_gone. */
bool http_gone(const struct http_request *request);
void http_on_gone(struct http_request *request, void (*gone)(void *arg), void *arg);

/* Takes over `json` (an object or array). */
void http_reply(struct http_request *request, int status, json_t *json);
/* {"error": {"code": "ENOENT", "text": "..."}} with the status of problem_http_status. */
void http_reply_problem(struct http_request *request, const struct problem *problem);

/* A stream of server-sent events (text/event-stream): one "data: JSON" each. Takes over `json`. A client that does not
 * read (more than 1 MiB waiting) is cut off. */
void http_stream_begin(struct http_request *request);
void http_stream_send(struct http_request *request, const char *event, json_t *json);
void http_stream_end(struct http_request *request);

/* --- the client side, for command-line programs (libcurl), blocking --- */

struct http_target {
	const char *url;         /* "unix:/run/xebra/xebrad.sock" or "https://host:8443" */
	const char *cert_file, *key_file, *ca_file; /* https */
	long timeout_s;          /* whole exchange; 0: none */
};
/* `body` may be NULL. The reply's JSON, or its problem with the code that the status stands for; -EHOSTUNREACH with the
 * reason and a remedy when nobody answers. In libhttpclient.la, which daemons do not link. */
int http_call(const struct http_target *target, const char *method, const char *path, const json_t *body,
	      json_t **reply_out, struct problem *problem);
/* Calls `event` for each server-sent event until it returns false or the stream ends. */
int http_follow(const struct http_target *target, const char *path,
		bool (*event)(void *arg, const char *name, const json_t *json), void *arg, struct problem *problem);

#endif
