/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The client side of http.h on libcurl: one handle a call, proxies and redirections off. */
#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "libvnet/base/http.h"

DEFINE_AUTO(struct curl_slist *, curl_slist_free_all)

enum { REPLY_MAX = 64 << 20, EVENT_MAX = 4 << 20 };

struct text {
	char *bytes;
	size_t size, room;
};

struct call {
	CURL *curl;
	const struct http_target *target;
	const char *socket; /* path of the Unix socket, or NULL */
	char error[CURL_ERROR_SIZE];
	struct text reply; /* what is not an event */
	/* http_follow */
	bool (*event)(void *arg, const char *name, const json_t *json);
	void *arg;
	struct text line, data;
	char name[64];
	bool enough, too_long;
};

static void free_call(struct call *call)
{
	if (call->curl)
		curl_easy_cleanup(call->curl);
	free(call->reply.bytes);
	free(call->line.bytes);
	free(call->data.bytes);
}

static inline void auto_free_call(struct call *call)
{
	free_call(call);
}

static bool append(struct text *text, const char *bytes, size_t n_bytes, size_t max)
{
	size_t size = text->size + n_bytes;

	if (size > max)
		return false;
	if (size >= text->room) {
		char *more = realloc(text->bytes, 2 * size + 64);
		if (!more)
			return false;
		text->bytes = more;
		text->room = 2 * size + 64;
	}
	memcpy(text->bytes + text->size, bytes, n_bytes);
	text->size = size;
	text->bytes[text->size] = '\0';
	return true;
}

static const char *name_of(const struct call *call)
{
	return call->socket ? call->socket : call->target->url;
}

/* --- server-sent events (WHATWG HTML, section 9.2) --- */

static bool end_event(struct call *call)
{
	AUTO(json_decref) json_t *json =
		call->data.size ? json_loadb(call->data.bytes, call->data.size, JSON_DECODE_ANY, NULL) : NULL;

	if (json && !call->event(call->arg, *call->name ? call->name : "message", json))
		call->enough = true;
	*call->name = '\0';
	call->data.size = 0;
	return !call->enough;
}

static bool take_line(struct call *call, const char *line)
{
	if (!*line)
		return end_event(call);
	const char *colon = strchr(line, ':');
	if (!colon)
		return true;
	const char *value = colon[1] == ' ' ? colon + 2 : colon + 1;
	if (strncmp(line, "event:", 6) == 0)
		snprintf(call->name, sizeof call->name, "%s", value);
	else if (strncmp(line, "data:", 5) == 0)
		return append(&call->data, value, strlen(value), EVENT_MAX) || !(call->too_long = true);
	return true;
}

static bool take_events(struct call *call, const char *bytes, size_t n_bytes)
{
	for (const char *end; (end = memchr(bytes, '\n', n_bytes)); n_bytes -= end + 1 - bytes, bytes = end + 1) {
		if (!append(&call->line, bytes, end - bytes, EVENT_MAX))
			return !(call->too_long = true);
		if (call->line.size && call->line.bytes[call->line.size - 1] == '\r')
			call->line.bytes[--call->line.size] = '\0';
		call->line.size = 0;
		if (!take_line(call, call->line.bytes))
			return false;
	}
	return append(&call->line, bytes, n_bytes, EVENT_MAX) || !(call->too_long = true);
}

/* --- one exchange --- */

static size_t on_bytes(char *bytes, size_t one, size_t n_bytes, void *arg)
{
	struct call *call = arg;
	long status = 0;

	(void)one;
	curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
	bool taken = call->event && status == 200 ? take_events(call, bytes, n_bytes) :
						    append(&call->reply, bytes, n_bytes, REPLY_MAX) ||
							    !(call->too_long = true);
	return taken ? n_bytes : 0;
}

static int start(struct call *call, const struct http_target *target, const char *path, struct problem *problem)
{
	char url[4096];
	bool tls = strncmp(target->url, "https://", 8) == 0;

	if (!tls && strncmp(target->url, "unix:", 5) != 0)
		return problem_set(problem, -EINVAL, "%s: give unix:/path/of/socket or https://host:port", target->url);
	*call = (struct call){ .target = target, .socket = tls ? NULL : target->url + 5, .curl = curl_easy_init() };
	if (!call->curl)
		return problem_set(problem, -ENOMEM, "%s: no memory", target->url);
	size_t length = tls ? strcspn(target->url + 8, "/") + 8 : 0;
	if (snprintf(url, sizeof url, "%.*s%s", tls ? (int)length : 16, tls ? target->url : "http://localhost", path) >=
	    (int)sizeof url)
		return problem_set(problem, -EINVAL, "%s: the path is too long", target->url);
	CURL *curl = call->curl;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->socket);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, target->timeout_s);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, call->error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(curl, CURLOPT_CAINFO, target->ca_file);
	curl_easy_setopt(curl, CURLOPT_SSLCERT, target->cert_file);
	curl_easy_setopt(curl, CURLOPT_SSLKEY, target->key_file);
	return 0;
}

static int explain(const struct call *call, CURLcode result, struct problem *problem)
{
	const char *reason = *call->error ? call->error : curl_easy_strerror(result);
	long error = 0;

	curl_easy_getinfo(call->curl, CURLINFO_OS_ERRNO, &error);
	switch (result) {
	case CURLE_OUT_OF_MEMORY:
		return problem_set(problem, -ENOMEM, "%s: no memory", name_of(call));
	case CURLE_OPERATION_TIMEDOUT:
		return problem_set(problem, -ETIMEDOUT, "%s: no answer within %ld s: the request may still be carried out",
				   name_of(call), call->target->timeout_s);
	case CURLE_WRITE_ERROR:
		return problem_set(problem, -EMSGSIZE, "%s: the answer is too large", name_of(call));
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return problem_set(problem, -EINVAL, "%s: %s: check the files of certificate, key and CA", name_of(call), reason);
	case CURLE_PEER_FAILED_VERIFICATION:
		return problem_set(problem, -EHOSTUNREACH, "%s: is not whom it claims to be: %s: check the file of CAs",
				   name_of(call), reason);
	case CURLE_COULDNT_CONNECT:
		if (error == EACCES || error == EPERM)
			return problem_set(problem, -EACCES, "%s: you may not connect: become root or a member of its group",
					   name_of(call));
		return problem_set(problem, -EHOSTUNREACH, "nobody answers on %s: %s: is the daemon running?", name_of(call),
				   error ? strerror(error) : reason);
	default:
		return problem_set(problem, -EHOSTUNREACH, "no answer from %s: %s: is the daemon running, and are you known to it?",
				   name_of(call), reason);
	}
}

/* The problem that a reply with an error status carries. */
static int refusal(const struct call *call, long status, const json_t *reply, struct problem *problem)
{
	const char *text = json_text(json_object_get(reply, "error"), "text");
	int code = problem_code_of_http(status);

	if (*text)
		return problem_set(problem, code, "%s", text);
	return problem_set(problem, code, "%s: answered with status %ld and no reason", name_of(call), status);
}

static int perform(struct call *call, const char *method, const char *body, json_t **reply_out, struct problem *problem)
{
	AUTO(curl_slist_free_all) struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
	long status = 0;

	if (body) {
		curl_easy_setopt(call->curl, CURLOPT_POSTFIELDS, body);
		curl_slist_append(headers, "Content-Type: application/json");
	}
	curl_easy_setopt(call->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(call->curl, CURLOPT_CUSTOMREQUEST, method);
	CURLcode result = curl_easy_perform(call->curl);
	if (call->enough)
		return 0;
	if (result != CURLE_OK)
		return explain(call, result, problem);
	curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &status);
	AUTO(json_decref) json_t *reply = call->reply.size ? json_loadb(call->reply.bytes, call->reply.size, 0, NULL) :
							    json_object();
	if (status < 200 || status > 299)
		return refusal(call, status, reply, problem);
	if (!reply)
		return problem_set(problem, -EIO, "%s: the answer is not JSON: is it the right daemon?", name_of(call));
	if (reply_out)
		*reply_out = take(reply);
	return 0;
}

int http_call(const struct http_target *target, const char *method, const char *path, const json_t *body,
	      json_t **reply_out, struct problem *problem)
{
	AUTO(free_call) struct call call = { 0 };
	AUTO(free) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

	if (body && !text)
		return problem_set(problem, -EINVAL, "%s %s: the request cannot be written as JSON", method, path);
	int r = start(&call, target, path, problem);
	return r < 0 ? r : perform(&call, method, text, reply_out, problem);
}

int http_follow(const struct http_target *target, const char *path,
		bool (*event)(void *arg, const char *name, const json_t *json), void *arg, struct problem *problem)
{
	AUTO(free_call) struct call call = { 0 };
	int r = start(&call, target, path, problem);

	if (r < 0)
		return r;
	call.event = event;
	call.arg = arg;
	return perform(&call, "GET", NULL, NULL, problem);
}
