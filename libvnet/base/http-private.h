/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What http.c shares with http-tls.c, its tests and its fuzz target. */
#ifndef XEBRA_BASE_HTTP_PRIVATE_H
#define XEBRA_BASE_HTTP_PRIVATE_H

#include <openssl/ssl.h>

#include "libvnet/base/http.h"

/* --- http-tls.c --- */

DEFINE_AUTO(SSL_CTX *, SSL_CTX_free)

/* What http_listen_tls promises of its peers, from the files as they are now. */
int http_tls_context(const struct http_tls *files, SSL_CTX **context_out, struct problem *problem);
/* Subject of the peer's certificate (RFC 2253) as a new string; NULL without memory. */
char *http_tls_peer(SSL *ssl);
/* Why the handshake failed; `error` as of bufferevent_get_openssl_error. */
const char *http_tls_refusal(SSL *ssl, unsigned long error);

/* --- http.c, for tests --- */

/* Instead of 10 s and 60 s. */
void http_limits(struct http_server *server, unsigned request_ms, unsigned idle_ms);
/* Takes over a connected socket as if it had been accepted on a Unix socket. */
int http_adopt(struct http_server *server, int fd);

#endif
