/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvnet/base/http-parse.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* What is left to read. */
struct span {
	const uint8_t *at, *end;
};

static size_t length(struct span span)
{
	return span.end - span.at;
}

static bool is(struct span span, const char *text)
{
	return length(span) == strlen(text) && strncasecmp((const char *)span.at, text, length(span)) == 0;
}

/* Cuts `from` at the first `mark`, or takes all of it; false when nothing was left to cut from. */
static bool cut(struct span *from, uint8_t mark, struct span *first_out)
{
	if (!from->at)
		return false;
	const uint8_t *found = length(*from) ? memchr(from->at, mark, length(*from)) : NULL;
	*first_out = (struct span){ from->at, found ? found : from->end };
	from->at = found ? found + 1 : NULL;
	return true;
}

static struct span trim(struct span span)
{
	while (length(span) && (*span.at == ' ' || *span.at == '\t'))
		span.at++;
	while (length(span) && (span.end[-1] == ' ' || span.end[-1] == '\t'))
		span.end--;
	return span;
}

/* A line without its CRLF. */
static int take_line(struct span *from, struct span *line_out, struct problem *problem)
{
	if (!cut(from, '\n', line_out) || !length(*line_out) || line_out->end[-1] != '\r')
		return problem_set(problem, -EINVAL, "request: a header line does not end with CR LF");
	line_out->end--;
	return 0;
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX (and '+' if asked) to *text_io, which moves behind the NUL; never longer than the source and a NUL. */
static int decode(struct span from, bool plus, char **text_io, const char **decoded_out, struct problem *problem)
{
	char *to = *text_io;

	*decoded_out = to;
	for (; length(from); from.at++) {
		int c = *from.at;
		if (c == '%') {
			int high = length(from) > 2 ? hex(from.at[1]) : -1, low = length(from) > 2 ? hex(from.at[2]) : -1;
			if (high < 0 || low < 0)
				return problem_set(problem, -EINVAL, "request: %% without two hexadecimal digits in the address");
			c = high << 4 | low;
			from.at += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (!c)
			return problem_set(problem, -EINVAL, "request: %%00 in the address");
		*to++ = c;
	}
	*to++ = '\0';
	*text_io = to;
	return 0;
}

static int parse_part(struct http_head *head, struct span part, char **text_io, struct problem *problem)
{
	const char *decoded;
	int r = decode(part, false, text_io, &decoded, problem);

	if (r < 0)
		return r;
	if (strchr(decoded, '/') || !*decoded || strcmp(decoded, ".") == 0 || strcmp(decoded, "..") == 0)
		return problem_set(problem, -EINVAL, "request: a part of the path is empty, '.', '..' or has a '/' in it");
	if (head->n_parts == HTTP_PARTS_MAX)
		return problem_set(problem, -ENOENT, "request: no path has more than %d parts", HTTP_PARTS_MAX);
	head->parts[head->n_parts++] = decoded;
	return 0;
}

/* "/v1/routers/blue"; one '/' at the end is ignored. */
static int parse_path(struct http_head *head, struct span path, char **text_io, struct problem *problem)
{
	struct span part;
	int r = 0;

	if (!length(path) || *path.at++ != '/')
		return problem_set(problem, -EINVAL, "request: the path does not begin with '/'");
	while (r == 0 && length(path) && cut(&path, '/', &part))
		r = parse_part(head, part, text_io, problem);
	return r;
}

static int parse_query(struct http_head *head, struct span query, char **text_io, struct problem *problem)
{
	struct span value, key;
	int r = 0;

	while (r == 0 && cut(&query, '&', &value)) {
		if (!length(value))
			continue;
		if (head->n_query == HTTP_QUERY_MAX)
			return problem_set(problem, -EINVAL, "request: more than %d query parameters", HTTP_QUERY_MAX);
		cut(&value, '=', &key);
		r = decode(key, true, text_io, &head->query[head->n_query].key, problem);
		if (r == 0)
			r = decode(value.at ? value : (struct span){ key.end, key.end }, true, text_io,
				   &head->query[head->n_query].value, problem);
		head->n_query++;
	}
	return r;
}

static int parse_target(struct http_head *head, struct span target, struct problem *problem)
{
	char *text = head->text;
	struct span path;

	for (const uint8_t *c = target.at; c < target.end; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return problem_set(problem, -EINVAL, "request: a character of the address must be written as %%XX");
	cut(&target, '?', &path);
	int r = parse_path(head, path, &text, problem);
	return r < 0 ? r : parse_query(head, target, &text, problem);
}

static int parse_method(struct http_head *head, struct span method, struct problem *problem)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

	for (size_t i = 0; i < N_ELEMENTS(methods); i++)
		if (length(method) == strlen(methods[i]) && memcmp(method.at, methods[i], length(method)) == 0)
			head->method = methods[i];
	if (head->method)
		return 0;
	for (const uint8_t *c = method.at; c < method.end; c++)
		if (!isupper(*c))
			return problem_set(problem, -EINVAL, "request: this is not HTTP");
	return problem_set(problem, -ENOSYS, "request: the methods are GET, POST, PUT, PATCH and DELETE");
}

static int parse_request_line(struct http_head *head, struct span line, struct problem *problem)
{
	struct span method, target, version = line;

	if (!cut(&version, ' ', &method) || !length(method) || !cut(&version, ' ', &target) || !version.at)
		return problem_set(problem, -EINVAL, "request: this is not HTTP");
	head->old = is(version, "HTTP/1.0");
	if (!head->old && !is(version, "HTTP/1.1"))
		return problem_set(problem, -EINVAL, "request: use HTTP/1.1");
	head->keep_alive = !head->old;
	int r = parse_method(head, method, problem);
	return r < 0 ? r : parse_target(head, target, problem);
}

static int take_length(struct http_head *head, struct span value, struct problem *problem)
{
	if (head->sized || !length(value))
		return problem_set(problem, -EINVAL, "request: Content-Length must be given once");
	head->sized = true;
	for (; length(value); value.at++) {
		if (!isdigit(*value.at))
			return problem_set(problem, -EINVAL, "request: Content-Length is not a number");
		head->n_body = 10 * head->n_body + (*value.at - '0');
		if (head->n_body > HTTP_BODY_MAX)
			return problem_set(problem, -EMSGSIZE, "request: the body is larger than %d bytes", HTTP_BODY_MAX);
	}
	return 0;
}

static int take_coding(struct http_head *head, struct span value, struct problem *problem)
{
	if (head->chunked || !is(value, "chunked"))
		return problem_set(problem, -ENOTSUP, "request: the only Transfer-Encoding understood is chunked");
	head->chunked = true;
	return 0;
}

static int take_connection(struct http_head *head, struct span value, struct problem *problem)
{
	struct span option;

	(void)problem;
	while (cut(&value, ',', &option)) {
		option = trim(option);
		if (is(option, "close"))
			head->keep_alive = false;
		else if (is(option, "keep-alive"))
			head->keep_alive = true;
	}
	return 0;
}

static int take_expect(struct http_head *head, struct span value, struct problem *problem)
{
	(void)problem;
	head->expects_continue = !head->old && is(value, "100-continue");
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct http_head *head, struct span value, struct problem *problem);
} fields[] = {
	{ "Content-Length", take_length },
	{ "Transfer-Encoding", take_coding },
	{ "Connection", take_connection },
	{ "Expect", take_expect },
};

static int parse_field(struct http_head *head, struct span line, struct problem *problem)
{
	struct span value = line, name;

	cut(&value, ':', &name);
	if (!value.at || !length(name))
		return problem_set(problem, -EINVAL, "request: a header line has no name");
	for (const uint8_t *c = name.at; c < name.end; c++)
		if (*c <= ' ' || *c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", *c))
			return problem_set(problem, -EINVAL, "request: a bad character in the name of a header line");
	for (const uint8_t *c = value.at; c < value.end; c++)
		if ((*c < ' ' && *c != '\t') || *c == 0x7f)
			return problem_set(problem, -EINVAL, "request: a control character in a header line");
	for (size_t i = 0; i < N_ELEMENTS(fields); i++)
		if (is(name, fields[i].name))
			return fields[i].parse(head, trim(value), problem);
	return 0;
}

int http_parse_head(const uint8_t *buf, size_t size, struct http_head **head_out, struct problem *problem)
{
	struct span rest = { buf, buf + size }, line;
	AUTO(free) struct http_head *head = calloc(1, sizeof *head + size + HTTP_QUERY_MAX); /* keys without '=' */

	if (!head)
		return problem_set(problem, -ENOMEM, "request: no memory");
	int r = take_line(&rest, &line, problem);
	if (r == 0)
		r = parse_request_line(head, line, problem);
	while (r == 0 && (r = take_line(&rest, &line, problem)) == 0 && length(line))
		r = parse_field(head, line, problem);
	if (r == 0 && head->chunked && (head->sized || head->old))
		r = problem_set(problem, -EINVAL, "request: Transfer-Encoding does not go with Content-Length or HTTP/1.0");
	if (r < 0)
		return r;
	*head_out = take(head);
	return 0;
}

int http_parse_chunk_size(const uint8_t *buf, size_t size, size_t *n_bytes_out, struct problem *problem)
{
	struct span line = { buf, buf + size }, digits;
	size_t n = 0;

	cut(&line, ';', &digits);
	digits = trim(digits);
	if (!length(digits))
		return problem_set(problem, -EINVAL, "request: a chunk without a size");
	for (; length(digits); digits.at++) {
		int digit = hex(*digits.at);
		if (digit < 0)
			return problem_set(problem, -EINVAL, "request: the size of a chunk is not a hexadecimal number");
		n = n << 4 | digit;
		if (n > HTTP_BODY_MAX)
			return problem_set(problem, -EMSGSIZE, "request: the body is larger than %d bytes", HTTP_BODY_MAX);
	}
	*n_bytes_out = n;
	return 0;
}
