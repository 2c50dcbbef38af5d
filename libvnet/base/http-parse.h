/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The bytes of an HTTP/1.1 request (RFC 9112), taken strictly: CRLF line ends, no folded header lines, one framing of
 * the body. Pure; http.c feeds it from the network. Codes: -EINVAL bad request, -ENOENT no such path, -EMSGSIZE body
 * too large, -ENOTSUP transfer coding, -ENOSYS method.
 */
#ifndef XEBRA_BASE_HTTP_PARSE_H
#define XEBRA_BASE_HTTP_PARSE_H

#include <stdint.h>

#include "libvnet/base/http.h"

enum { HTTP_HEAD_MAX = 32 << 10, HTTP_QUERY_MAX = 16 };

struct http_head {
	const char *method;
	const char *parts[HTTP_PARTS_MAX]; /* into text */
	size_t n_parts;
	struct {
		const char *key, *value;
	} query[HTTP_QUERY_MAX]; /* into text */
	size_t n_query;
	size_t n_body; /* bytes that follow, unless chunked */
	bool chunked, keep_alive, expects_continue;
	bool old; /* HTTP/1.0: understands no chunks */
	/* private */
	bool sized;
	char text[]; /* what has been decoded, each part with its NUL */
};

/* `buf` ends with the empty line. The head is freed with free(). */
int http_parse_head(const uint8_t *buf, size_t size, struct http_head **head_out, struct problem *problem);

/* The line before a chunk, without CRLF: hexadecimal size, then perhaps ";extension". -EMSGSIZE above HTTP_BODY_MAX. */
int http_parse_chunk_size(const uint8_t *buf, size_t size, size_t *n_bytes_out, struct problem *problem);

#endif
