/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The contract of http.h: the server runs in a child (so that a sanitizer's report there fails the test by its exit
 * code), the test is its client, on a Unix socket and on loopback. Paths of the server:
 *
 *     /echo...  what arrived           /later?ms=  the same, later        /hold  answered by /release
 *     /stats    counts                 /stream?n=  events                 /flood events without end
 *     /reload   http_reload_tls        /close      http_close from inside the handler
 */
#include "libvnet/base/http.h"

#include <check.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "libvnet/base/http-private.h"

enum { REQUEST_MS = 600, IDLE_MS = 1200, HELD_MAX = 16 };

/* --- the server in the child --- */

static struct {
	struct event_base *loop;
	struct http_server *server;
	struct http_request *held[HELD_MAX];
	size_t n_held, n_gone;
} child;

struct later {
	struct event *timer;
	struct http_request *request;
	long left;
};

static json_t *echo(const struct http_request *request)
{
	json_t *parts = json_array();

	for (size_t i = 0; i < request->n_parts; i++)
		json_array_append_new(parts, json_string(request->parts[i]));
	return json_pack("{s:s, s:o, s:O, s:s, s:b, s:s}", "method", request->method, "parts", parts, "body", request->body, "peer",
			 request->peer, "local", request->local, "q", http_query(request, "q") ? http_query(request, "q") : "");
}

static void on_gone(void *arg)
{
	(void)arg;
	child.n_gone++;
}

static void end_later(struct later *later)
{
	event_free(later->timer);
	free(later);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	struct later *later = arg;

	(void)fd;
	(void)what;
	http_reply(later->request, 200, echo(later->request));
	end_later(later);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct later *later = arg;

	(void)fd;
	(void)what;
	if (http_gone(later->request) || later->left-- == 0) {
		http_stream_end(later->request);
		end_later(later);
		return;
	}
	http_stream_send(later->request, "tick", json_pack("{s:i, s:s}", "left", (int)later->left, "text", "two\nlines"));
	event_add(later->timer, &(struct timeval){ .tv_usec = 5000 });
}

static void on_flood(evutil_socket_t fd, short what, void *arg)
{
	struct later *later = arg;
	char big[4096];

	(void)fd;
	(void)what;
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	for (int i = 0; i < 32; i++)
		http_stream_send(later->request, NULL, json_pack("{s:s}", "text", big));
	if (child.n_gone) {
		http_stream_end(later->request);
		end_later(later);
		return;
	}
	event_add(later->timer, &(struct timeval){ .tv_usec = 1000 });
}

static void do_later(struct http_request *request, event_callback_fn then, long ms, long left)
{
	struct later *later = calloc(1, sizeof *later);

	*later = (struct later){ evtimer_new(child.loop, then, later), request, left };
	event_add(later->timer, &(struct timeval){ .tv_usec = ms * 1000 });
}

static void release(void)
{
	while (child.n_held) {
		struct http_request *held = child.held[--child.n_held];
		http_reply(held, 200, echo(held));
	}
}

static void handle(void *arg, struct http_request *request)
{
	struct problem problem = { .code = -ENOENT, .text = "there is no such path \xff" };
	const char *what = request->n_parts ? request->parts[0] : "";
	long n = 0;

	(void)arg;
	if (strcmp(what, "echo") == 0) {
		http_reply(request, 200, echo(request));
	} else if (strcmp(what, "later") == 0) {
		if (http_query_number(request, "ms", 0, 900, 100, &n, &problem) < 0)
			http_reply_problem(request, &problem);
		else
			do_later(request, on_later, n, 0);
	} else if (strcmp(what, "hold") == 0) {
		http_on_gone(request, on_gone, NULL);
		child.held[child.n_held++] = request;
	} else if (strcmp(what, "release") == 0) {
		release();
		http_reply(request, 200, json_object());
	} else if (strcmp(what, "stats") == 0) {
		http_reply(request, 200, json_pack("{s:i, s:i}", "held", (int)child.n_held, "gone", (int)child.n_gone));
	} else if (strcmp(what, "stream") == 0) {
		http_query_number(request, "n", 0, 1000, 3, &n, NULL);
		http_stream_begin(request);
		http_on_gone(request, on_gone, NULL);
		do_later(request, on_event, 5, n);
	} else if (strcmp(what, "flood") == 0) {
		http_on_gone(request, on_gone, NULL);
		http_stream_begin(request);
		do_later(request, on_flood, 1, 0);
	} else if (strcmp(what, "big") == 0) {
		char *text = calloc(1, (4 << 20) + 1);
		memset(text, 'b', 4 << 20);
		http_reply(request, 200, json_pack("{s:s}", "text", text));
		free(text);
	} else if (strcmp(what, "reload") == 0) {
		if (http_reload_tls(child.server, &problem) < 0)
			http_reply_problem(request, &problem);
		else
			http_reply(request, 200, json_object());
	} else if (strcmp(what, "close") == 0) {
		http_reply(request, 200, json_object());
		http_close(take(child.server));
		event_base_loopbreak(child.loop);
	} else {
		http_reply_problem(request, &problem);
	}
}

static void on_term(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(child.loop);
}

/* --- the fixture --- */

static char dir[] = "/tmp/test-http-XXXXXX";
static char socket_path[64], url[80], log_path[64];
static struct http_target local;
static pid_t server_pid;
static unsigned tls_port;
static char tls_address[32];

static const char *file(const char *name)
{
	static char paths[8][128];
	static unsigned next;

	snprintf(paths[next % 8], sizeof paths[0], "%s/%s", dir, name);
	return paths[next++ % 8];
}

static void serve(bool with_tls, int ready)
{
	struct problem problem = { 0 };
	const struct http_tls tls = { file("server.pem"), file("server.key"), file("ca.pem"), file("crl.pem") };

	freopen(log_path, "a", stderr);
	setvbuf(stderr, NULL, _IONBF, 0);
	child.loop = event_base_new();
	int r = http_open(child.loop, handle, NULL, &child.server, &problem);
	http_limits(child.server, REQUEST_MS, IDLE_MS);
	if (r == 0)
		r = http_listen_unix(child.server, socket_path, 0600, &problem);
	if (r == 0 && with_tls)
		r = http_listen_tls(child.server, tls_address, &tls, &problem);
	if (r < 0)
		fprintf(stderr, "%s\n", problem.text);
	signal(SIGTERM, SIG_IGN); /* what event_free restores */
	struct event *term = evsignal_new(child.loop, SIGTERM, on_term, NULL);
	event_add(term, NULL);
	if (r < 0 || write(ready, "", 1) != 1)
		_exit(99);
	event_base_dispatch(child.loop);
	http_close(child.server);
	child.server = NULL;
	release(); /* answers owed go nowhere */
	event_free(term);
	event_base_loop(child.loop, EVLOOP_NONBLOCK);
	event_base_free(child.loop);
	exit(child.n_held ? 98 : 0);
}

/* A port that was free a moment ago. */
static void choose_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	AUTO(close) int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	tls_port = ntohs(address.sin_port);
	snprintf(tls_address, sizeof tls_address, "127.0.0.1:%u", tls_port);
}

static void start(bool with_tls)
{
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	snprintf(log_path, sizeof log_path, "%s/log", dir);
	choose_port();
	server_pid = fork();
	if (server_pid == 0)
		serve(with_tls, ready[1]);
	close(ready[1]);
	ck_assert_msg(read(ready[0], &byte, 1) == 1, "the server did not start");
	close(ready[0]);
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	signal(SIGPIPE, SIG_IGN);
	snprintf(socket_path, sizeof socket_path, "%s/sock", dir);
	snprintf(url, sizeof url, "unix:%s", socket_path);
	local = (struct http_target){ .url = url, .timeout_s = 10 };
}

static void setup_unix(void)
{
	setup();
	start(false);
}

/* Also proves what each test's server must: it ends well, without leaks, and takes its socket file along. */
static void finish(void)
{
	struct stat found;
	int status;

	kill(server_pid, SIGTERM);
	ck_assert_int_eq(waitpid(server_pid, &status, 0), server_pid);
	if (status) {
		char command[128];
		snprintf(command, sizeof command, "cat %s", log_path);
		(void)!system(command);
	}
	ck_assert_msg(status == 0, "the server ended with status %x", status);
	ck_assert_int_eq(stat(socket_path, &found), -1);
}

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static void teardown(void)
{
	finish();
	clean();
}

/* --- a client of bytes --- */

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, socket_path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void put(int fd, const char *text)
{
	for (size_t size = strlen(text); size;) {
		ssize_t n = send(fd, text, size, MSG_NOSIGNAL);
		if (n <= 0)
			return; /* the server may refuse before all is sent */
		text += n;
		size -= n;
	}
}

/* Reads until `text` has come or, if NULL, the peer closes. */
static const char *get_until(int fd, const char *text)
{
	static char reply[256 << 10];
	size_t size = 0;

	for (;;) {
		struct pollfd ready = { fd, POLLIN, 0 };
		ck_assert_msg(poll(&ready, 1, 5000) == 1, "no answer within 5 s, after '%.*s'", (int)size, reply);
		ssize_t n = recv(fd, reply + size, sizeof reply - 1 - size, 0);
		size += n > 0 ? n : 0;
		reply[size] = '\0';
		bool found = text && strstr(reply, text);
		ck_assert_msg(n > 0 || !text || found, "the connection ended without '%s', after '%s'", text, reply);
		if (n <= 0 || found)
			return reply;
	}
}

/* One connection, one request; the status, and the whole in *reply_out. */
static int ask_bytes(const char *request, const char **reply_out)
{
	int fd = dial();

	put(fd, request);
	const char *reply = get_until(fd, "}");
	close(fd);
	if (reply_out)
		*reply_out = reply;
	return strncmp(reply, "HTTP/1.1 ", 9) == 0 ? atoi(reply + 9) : -1;
}

static void expect_refused(const char *request, int status, const char *text)
{
	const char *reply;
	int got = ask_bytes(request, &reply);

	ck_assert_msg(got == status, "'%.60s' was answered %d, not %d: %s", request, got, status, reply);
	const char *body = strstr(reply, "\r\n\r\n");
	AUTO(json_decref) json_t *json = json_loads(body + 4, 0, NULL);
	ck_assert_msg(strstr(json_text(json_object_get(json, "error"), "text"), text) != NULL, "'%.60s' was answered %s", request,
		      reply);
	ck_assert_int_eq(*json_text(json_object_get(json, "error"), "code"), 'E');
}

static json_t *call(const char *method, const char *path, const json_t *body)
{
	struct problem problem = { 0 };
	json_t *reply = NULL;

	ck_assert_msg(http_call(&local, method, path, body, &reply, &problem) == 0, "%s %s: %s", method, path, problem.text);
	return reply;
}

static void wait_for_stat(const char *name, int value)
{
	for (long end = now_ms() + 3000; now_ms() < end; usleep(10000)) {
		AUTO(json_decref) json_t *stats = call("GET", "/stats", NULL);
		if (json_integer_value(json_object_get(stats, name)) == value)
			return;
	}
	ck_abort_msg("%s did not become %d", name, value);
}

/* --- requests --- */

START_TEST(requests)
{
	static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "name", "blue");
	char uid[32];

	snprintf(uid, sizeof uid, "uid=%u", getuid());
	for (size_t i = 0; i < N_ELEMENTS(methods); i++) {
		AUTO(json_decref) json_t *reply = call(methods[i], "/echo/b%20l%c3%bc%25/r.1/?x&q=a+b%26c&y=%31", body);
		ck_assert_str_eq(json_text(reply, "method"), methods[i]);
		ck_assert_str_eq(json_string_value(json_array_get(json_object_get(reply, "parts"), 1)), "b l\xc3\xbc%");
		ck_assert_uint_eq(json_array_size(json_object_get(reply, "parts")), 3);
		ck_assert_int_eq(json_equal(json_object_get(reply, "body"), body), 1);
		ck_assert_str_eq(json_text(reply, "peer"), uid);
		ck_assert(json_is_true(json_object_get(reply, "local")));
		ck_assert_str_eq(json_text(reply, "q"), "a b&c");
	}
	AUTO(json_decref) json_t *empty = call("GET", "/echo", NULL);
	ck_assert(json_is_object(json_object_get(empty, "body")));
	AUTO(json_decref) json_t *big = call("GET", "/big", NULL);
	ck_assert_uint_eq(strlen(json_text(big, "text")), 4 << 20);
}
END_TEST

START_TEST(problems)
{
	struct problem problem = { 0 };

	ck_assert_int_eq(http_call(&local, "GET", "/none", NULL, NULL, &problem), -ENOENT);
	ck_assert_str_eq(problem.text, "there is no such path ?");
	ck_assert_int_eq(http_call(&local, "GET", "/later?ms=901", NULL, NULL, &problem), -EINVAL);
	ck_assert_str_eq(problem.text, "ms=901: give a number from 0 to 900");
	ck_assert_int_eq(http_call(&local, "GET", "/later?ms=", NULL, NULL, &problem), -EINVAL);
	local.timeout_s = 1;
	ck_assert_int_eq(http_call(&local, "GET", "/hold", NULL, NULL, &problem), -ETIMEDOUT);
	wait_for_stat("gone", 1);
}
END_TEST

START_TEST(nobody)
{
	struct problem problem = { 0 };

	setup();
	ck_assert_int_eq(http_call(&local, "GET", "/", NULL, NULL, &problem), -EHOSTUNREACH);
	ck_assert_ptr_nonnull(strstr(problem.text, socket_path));
	ck_assert_ptr_nonnull(strstr(problem.text, "is the daemon running?"));
	local.url = "ftp:x";
	ck_assert_int_eq(http_call(&local, "GET", "/", NULL, NULL, &problem), -EINVAL);
	clean();
}
END_TEST

START_TEST(keep_alive)
{
	int fd = dial();

	for (int i = 0; i < 3; i++) {
		put(fd, "GET /echo/one HTTP/1.1\r\nHost: x\r\n\r\n");
		ck_assert_ptr_nonnull(strstr(get_until(fd, "\"q\":\"\"}"), "one"));
	}
	put(fd, "GET /later/two HTTP/1.1\r\n\r\n\r\nGET /echo/three HTTP/1.1\r\n\r\nGET /echo/four HTTP/1.1\r\nConnection: close\r\n\r\n");
	const char *reply = get_until(fd, NULL); /* in order, then closed */
	ck_assert(strstr(reply, "two") && strstr(reply, "two") < strstr(reply, "three"));
	ck_assert(strstr(reply, "three") < strstr(reply, "four"));
	close(fd);

	fd = dial();
	put(fd, "GET /echo/old HTTP/1.0\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(get_until(fd, NULL), "Connection: close"));
	close(fd);

	fd = dial(); /* a client that says it is done sending may still read */
	put(fd, "GET /big HTTP/1.1\r\n\r\n");
	shutdown(fd, SHUT_WR);
	size_t n_bytes = 0;
	for (ssize_t n; (n = recv(fd, (char[65536]){ 0 }, 65536, 0)) > 0;)
		n_bytes += n;
	ck_assert_uint_gt(n_bytes, 4 << 20);
	close(fd);
}
END_TEST

START_TEST(bodies)
{
	const char *reply;

	ck_assert_int_eq(ask_bytes("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
				   "5;x=y\r\n{\"a\":\r\nA\r\n\"chunks\" }\r\n0\r\nTrailer: x\r\n\r\n",
				   &reply), 200);
	ck_assert_ptr_nonnull(strstr(reply, "{\"a\":\"chunks\"}"));
	expect_refused("POST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400, "not JSON");
	expect_refused("POST /echo HTTP/1.1\r\nContent-Length: 2\r\n\r\n[]", 400, "not an object");
	expect_refused("POST /echo HTTP/1.1\r\nContent-Length: 13\r\n\r\n{\"a\":1,\"a\":1}", 400, "duplicate");
	expect_refused("POST /echo HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", 413, "larger");
	expect_refused("POST /echo HTTP/1.1\r\nContent-Length: 99999999999999999999999999\r\n\r\n", 413, "larger");
	expect_refused("POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "not a number");
	expect_refused("POST /echo HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "once");
	expect_refused("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", 400, "does not go with");
	expect_refused("POST /echo HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "chunked");
	expect_refused("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400, "hexadecimal");
	expect_refused("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}}\r\n", 400, "longer");
	expect_refused("POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", 413, "larger");
	int fd = dial();
	put(fd, "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	ck_assert_str_eq(get_until(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
	put(fd, "{}");
	get_until(fd, "200 OK");
	close(fd);
}
END_TEST

/* The refusal must arrive although the client is still sending. */
START_TEST(too_large)
{
	enum { CHUNK = 60000 };
	AUTO(json_decref) json_t *body = json_object();
	AUTO(free) char *text = calloc(1, 4 * HTTP_BODY_MAX);
	struct problem problem = { 0 };
	char chunk[CHUNK + 16];

	memset(text, 'x', 4 * HTTP_BODY_MAX - 1);
	json_object_set_new(body, "text", json_string(text));
	ck_assert_int_eq(http_call(&local, "POST", "/echo", body, NULL, &problem), -EMSGSIZE);
	ck_assert_ptr_nonnull(strstr(problem.text, "larger than 1048576"));
	text[HTTP_BODY_MAX - 11] = '\0'; /* with {"text":""}: exactly the limit */
	json_object_set_new(body, "text", json_string(text));
	ck_assert_msg(http_call(&local, "POST", "/echo", body, NULL, &problem) == 0, "%s", problem.text);

	int fd = dial();
	snprintf(chunk, sizeof chunk, "%x\r\n", CHUNK);
	put(fd, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
	text[CHUNK] = '\0';
	for (int i = 0; i < HTTP_BODY_MAX / CHUNK + 1; i++) {
		put(fd, chunk);
		put(fd, text);
		put(fd, "\r\n");
	}
	ck_assert_ptr_nonnull(strstr(get_until(fd, "}}"), "HTTP/1.1 413"));
	close(fd);
}
END_TEST

START_TEST(heads)
{
	char big[40000];

	expect_refused("HEAD /echo HTTP/1.1\r\n\r\n", 405, "methods");
	expect_refused("TRACE /echo HTTP/1.1\r\n\r\n", 405, "methods");
	expect_refused("get /echo HTTP/1.1\r\n\r\n", 400, "not HTTP");
	expect_refused("\x16\x03\x01 is TLS\r\n\r\n", 400, "HTTP/1.1");
	expect_refused("GET /echo HTTP/2.0\r\n\r\n", 400, "HTTP/1.1");
	expect_refused("GET  HTTP/1.1\r\n\r\n", 400, "begin with");
	expect_refused("GET http://x/echo HTTP/1.1\r\n\r\n", 400, "begin with");
	expect_refused("GET /echo%2Fx HTTP/1.1\r\n\r\n", 400, "part of the path");
	expect_refused("GET /echo/%2e%2e/x HTTP/1.1\r\n\r\n", 400, "part of the path");
	expect_refused("GET /echo//x HTTP/1.1\r\n\r\n", 400, "part of the path");
	expect_refused("GET /echo/%00 HTTP/1.1\r\n\r\n", 400, "%00");
	expect_refused("GET /echo/%4 HTTP/1.1\r\n\r\n", 400, "hexadecimal");
	expect_refused("GET /echo/\xc3 HTTP/1.1\r\n\r\n", 400, "%XX");
	expect_refused("GET /echo?q=%00 HTTP/1.1\r\n\r\n", 400, "%00");
	expect_refused("GET /1/2/3/4/5/6/7/8/9 HTTP/1.1\r\n\r\n", 404, "8 parts");
	expect_refused("GET /echo?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q HTTP/1.1\r\n\r\n", 400, "query parameters");
	expect_refused("GET /echo HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400, "name");
	expect_refused("GET /echo HTTP/1.1\r\nA : b\r\n\r\n", 400, "name");
	expect_refused("GET /echo HTTP/1.1\r\nA: b\nB: c\r\n\r\n", 400, "CR LF");
	expect_refused("GET /echo HTTP/1.1\r\nA: b\x01\r\n\r\n", 400, "control");
	ck_assert_int_eq(ask_bytes("GET /echo?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p HTTP/1.1\r\n\r\n", NULL), 200);
	ck_assert_int_eq(ask_bytes("GET /echo/2/3/4/5/6/7/8 HTTP/1.1\r\n\r\n", NULL), 200);

	memset(big, 'x', sizeof big);
	memcpy(big, "GET /echo HTTP/1.1\r\nA: ", 23);
	strcpy(big + sizeof big - 5, "\r\n\r\n");
	expect_refused(big, 400, "32 KiB");
	strcpy(big + 32768 - 4, "\r\n\r\n");
	ck_assert_int_eq(ask_bytes(big, NULL), 200);
	big[32768 - 4] = 'x';
	big[32768] = '\0';
	expect_refused(big, 400, "32 KiB"); /* no end in sight */
}
END_TEST

/* --- answers that come later, clients that do not wait --- */

START_TEST(later)
{
	int one = dial(), two = dial();

	put(one, "GET /later/one?ms=300 HTTP/1.1\r\n\r\n");
	put(two, "GET /later/two?ms=100 HTTP/1.1\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(get_until(two, "\"q\""), "two"));
	ck_assert_int_eq(poll(&(struct pollfd){ one, POLLIN, 0 }, 1, 0), 0);
	ck_assert_ptr_nonnull(strstr(get_until(one, "\"q\""), "one"));
	close(one);
	close(two);
}
END_TEST

START_TEST(client_gone)
{
	int one = dial(), two = dial(), three = dial();

	put(one, "GET /hold HTTP/1.1\r\n\r\n");
	put(two, "GET /hold HTTP/1.1\r\n\r\n");
	put(three, "GET /later?ms=100 HTTP/1.1\r\n\r\n");
	wait_for_stat("held", 2);
	close(three);
	close(one);
	wait_for_stat("gone", 1);
	json_decref(call("GET", "/release", NULL));
	ck_assert_ptr_nonnull(strstr(get_until(two, "\"q\""), "200 OK"));
	usleep(150000); /* the answer to `three` */
	wait_for_stat("held", 0);
	wait_for_stat("gone", 1);
	close(two);
}
END_TEST

START_TEST(answers_owed)
{
	for (int i = 0; i < 3; i++)
		put(dial(), "GET /hold HTTP/1.1\r\n\r\n");
	wait_for_stat("held", 3);
}
END_TEST

START_TEST(close_in_handler)
{
	int fd = dial();

	put(fd, "GET /close HTTP/1.1\r\n\r\nGET /echo HTTP/1.1\r\n\r\n");
	get_until(fd, NULL);
	close(fd);
}
END_TEST

/* An answer that is being read is not idling, one that is not ends. */
START_TEST(slow_reader)
{
	char bytes[65536];
	int fd = dial(), deaf = dial();
	size_t n_bytes = 0;
	ssize_t n;

	put(fd, "GET /big HTTP/1.1\r\nConnection: close\r\n\r\n");
	put(deaf, "GET /big HTTP/1.1\r\nConnection: close\r\n\r\n");
	for (long start_ms = now_ms(); (n = recv(fd, bytes, sizeof bytes, 0)) > 0;) {
		n_bytes += n;
		if (now_ms() - start_ms < 2 * IDLE_MS)
			usleep(IDLE_MS * 1000 / 6);
	}
	ck_assert_uint_gt(n_bytes, 4 << 20);
	for (n_bytes = 0; (n = recv(deaf, bytes, sizeof bytes, 0)) > 0;)
		n_bytes += n;
	ck_assert_uint_lt(n_bytes, 4 << 20);
	close(fd);
	close(deaf);
}
END_TEST

/* --- streams --- */

struct seen {
	int n, stop_at;
};

static bool see(void *arg, const char *name, const json_t *json)
{
	struct seen *seen = arg;

	ck_assert_str_eq(name, "tick");
	ck_assert_str_eq(json_text(json, "text"), "two\nlines");
	return ++seen->n != seen->stop_at;
}

START_TEST(streams)
{
	struct problem problem = { 0 };
	struct seen all = { 0 }, some = { .stop_at = 2 };

	ck_assert_msg(http_follow(&local, "/stream?n=7", see, &all, &problem) == 0, "%s", problem.text);
	ck_assert_int_eq(all.n, 7);
	ck_assert_msg(http_follow(&local, "/stream?n=900", see, &some, &problem) == 0, "%s", problem.text);
	ck_assert_int_eq(some.n, 2);
	wait_for_stat("gone", 1);
	ck_assert_int_eq(http_follow(&local, "/none", see, &some, &problem), -ENOENT);

	int fd = dial(); /* the connection serves on after a stream */
	put(fd, "GET /stream?n=1 HTTP/1.1\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(get_until(fd, "\r\n0\r\n\r\n"), "text/event-stream"));
	put(fd, "GET /stream?n=0 HTTP/1.1\r\n\r\n");
	get_until(fd, "0\r\n\r\n");
	put(fd, "GET /echo HTTP/1.1\r\n\r\n");
	get_until(fd, "200 OK");
	close(fd);
	fd = dial();
	long start_ms = now_ms(); /* HTTP/1.0: ends with the connection */
	put(fd, "GET /stream?n=0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	ck_assert_ptr_null(strstr(get_until(fd, NULL), "chunked"));
	ck_assert_int_lt(now_ms() - start_ms, IDLE_MS / 2);
	close(fd);
}
END_TEST

START_TEST(reader_too_slow)
{
	int fd = dial();

	put(fd, "GET /flood HTTP/1.1\r\n\r\n");
	wait_for_stat("gone", 1);
	close(fd);
}
END_TEST

/* --- limits --- */

/* A byte every 50 ms keeps the connection busy but does not push back its end. */
static long life_of_trickle(int fd)
{
	long start_ms = now_ms();

	while (now_ms() - start_ms < 5000) {
		struct pollfd ready = { fd, POLLIN, 0 };
		if (poll(&ready, 1, 50) == 1)
			break;
		if (send(fd, "x", 1, MSG_NOSIGNAL) < 0)
			break;
	}
	close(fd);
	return now_ms() - start_ms;
}

START_TEST(slow_sender)
{
	static const char *const starts[] = { "GET /echo", "POST /echo HTTP/1.1\r\nContent-Length: 9999\r\n\r\n",
					      "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1000\r\n" };

	for (size_t i = 0; i < N_ELEMENTS(starts); i++) {
		int fd = dial();
		put(fd, starts[i]);
		long ms = life_of_trickle(fd);
		ck_assert_msg(ms >= REQUEST_MS - 50 && ms < REQUEST_MS + 400, "closed after %ld ms", ms);
	}
}
END_TEST

START_TEST(idle)
{
	int fd = dial();
	long start_ms = now_ms();

	put(fd, "GET /echo HTTP/1.1\r\n\r\n");
	get_until(fd, NULL);
	long ms = now_ms() - start_ms;
	ck_assert_msg(ms >= IDLE_MS - 50 && ms < IDLE_MS + 400, "closed after %ld ms", ms);
	close(fd);
	fd = dial(); /* but waiting for the answer is not idling */
	put(fd, "GET /hold HTTP/1.1\r\n\r\n");
	usleep((IDLE_MS + 200) * 1000);
	json_decref(call("GET", "/release", NULL));
	get_until(fd, "200 OK");
	close(fd);
}
END_TEST

START_TEST(crowd)
{
	static int slow[HTTP_CONNECTIONS_MAX + 30];
	int first = dial();

	for (size_t i = 0; i < 200; i++) {
		slow[i] = dial();
		put(slow[i], "POST /ec");
	}
	json_decref(call("GET", "/echo", NULL));
	for (size_t i = 200; i < N_ELEMENTS(slow); i++) {
		slow[i] = dial();
		if (i % 2)
			put(slow[i], "POST /ec");
		if (i % 16 == 0)
			json_decref(call("GET", "/echo", NULL));
	}
	json_decref(call("GET", "/echo", NULL));
	ck_assert_int_eq(poll(&(struct pollfd){ first, POLLIN, 0 }, 1, 0), 1); /* the longest idle went */
	ck_assert_str_eq(get_until(first, NULL), "");
	for (size_t i = 0; i < N_ELEMENTS(slow); i++)
		close(slow[i]);
}
END_TEST

/* --- the socket file --- */

START_TEST(socket_file)
{
	struct event_base *loop = event_base_new();
	AUTO(http_close) struct http_server *server = NULL;
	struct problem problem = { 0 };
	struct stat made;

	setup();
	ck_assert_int_eq(http_open(loop, handle, NULL, &server, &problem), 0);
	ck_assert_int_eq(http_listen_unix(server, "", 0600, &problem), -ENAMETOOLONG);
	ck_assert_int_eq(http_listen_unix(server, file("no/such"), 0600, &problem), -ENOENT);
	ck_assert_int_eq(http_listen_unix(server, dir, 0600, &problem), -EEXIST);
	ck_assert_ptr_nonnull(strstr(problem.text, "no socket"));

	AUTO(close) int stale = socket(AF_UNIX, SOCK_STREAM, 0); /* bound, but nobody listens */
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, socket_path);
	ck_assert_int_eq(bind(stale, (struct sockaddr *)&address, sizeof address), 0);
	umask(0077);
	ck_assert_msg(http_listen_unix(server, socket_path, 0660, &problem) == 0, "%s", problem.text);
	ck_assert_int_eq(stat(socket_path, &made), 0);
	ck_assert_uint_eq(made.st_mode & 07777, 0660);
	ck_assert_int_eq(http_listen_unix(server, socket_path, 0660, &problem), -EADDRINUSE);
	ck_assert_int_eq(stat(socket_path, &made), 0);

	/* whoever took the path meanwhile keeps it */
	unlink(socket_path);
	ck_assert_int_eq(close(open(socket_path, O_CREAT | O_WRONLY, 0600)), 0);
	http_close(take(server));
	ck_assert_int_eq(stat(socket_path, &made), 0);
	event_base_free(loop);
	clean();
}
END_TEST

/* --- TLS --- */

DEFINE_AUTO(EVP_PKEY *, EVP_PKEY_free)
DEFINE_AUTO(X509 *, X509_free)

struct certificate {
	const char *name, *issuer, *usage, *also;
	long serial, from_s, until_s;
};

static void write_pem(const char *name, const char *suffix, X509 *cert, EVP_PKEY *key, X509_CRL *crl)
{
	char path[64];

	snprintf(path, sizeof path, "%s%s", name, suffix);
	AUTO(fclose) FILE *to = fopen(file(path), "w");
	ck_assert_ptr_nonnull(to);
	ck_assert(cert ? PEM_write_X509(to, cert) : key ? PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) :
							  PEM_write_X509_CRL(to, crl));
}

static X509 *read_cert(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "%s.pem", name);
	AUTO(fclose) FILE *from = fopen(file(path), "r");
	return PEM_read_X509(from, NULL, NULL, NULL);
}

static EVP_PKEY *read_key(const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "%s.key", name);
	AUTO(fclose) FILE *from = fopen(file(path), "r");
	return PEM_read_PrivateKey(from, NULL, NULL, NULL);
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	if (!value)
		return;
	X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ck_assert_ptr_nonnull(extension);
	X509_add_ext(cert, extension, -1);
	X509_EXTENSION_free(extension);
}

/* Signed by `issuer`, or by itself: then a CA. */
static void make_certificate(const struct certificate *what)
{
	AUTO(EVP_PKEY_free) EVP_PKEY *key = EVP_EC_gen("P-256");
	AUTO(X509_free) X509 *cert = X509_new();
	AUTO(X509_free) X509 *issuer = what->issuer ? read_cert(what->issuer) : NULL;
	AUTO(EVP_PKEY_free) EVP_PKEY *signer = what->issuer ? read_key(what->issuer) : NULL;

	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), what->serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), what->from_s);
	X509_gmtime_adj(X509_getm_notAfter(cert), what->until_s);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "O", MBSTRING_ASC, (const unsigned char *)"lab", -1, -1, 0);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)what->name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert));
	X509_set_pubkey(cert, key);
	extend(cert, cert, NID_subject_key_identifier, "hash");
	extend(cert, issuer, NID_basic_constraints, issuer ? NULL : "critical,CA:TRUE");
	extend(cert, issuer, NID_key_usage, issuer ? NULL : "critical,keyCertSign,cRLSign");
	extend(cert, issuer, NID_ext_key_usage, what->usage);
	extend(cert, issuer, NID_subject_alt_name, what->also);
	ck_assert_int_gt(X509_sign(cert, signer ? signer : key, EVP_sha256()), 0);
	write_pem(what->name, ".pem", cert, NULL, NULL);
	write_pem(what->name, ".key", NULL, key, NULL);
}

static void make_crl(long revoked_serial)
{
	AUTO(X509_free) X509 *ca = read_cert("ca");
	AUTO(EVP_PKEY_free) EVP_PKEY *key = read_key("ca");
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *revoked = X509_REVOKED_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ASN1_TIME *time = ASN1_TIME_set(NULL, 0);

	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca));
	X509_gmtime_adj(time, -60);
	X509_CRL_set1_lastUpdate(crl, time);
	X509_REVOKED_set_revocationDate(revoked, time);
	X509_gmtime_adj(time, 3600);
	X509_CRL_set1_nextUpdate(crl, time);
	ASN1_INTEGER_set(serial, revoked_serial);
	X509_REVOKED_set_serialNumber(revoked, serial);
	X509_CRL_add0_revoked(crl, revoked);
	X509_CRL_sign(crl, key, EVP_sha256());
	write_pem("crl", ".pem", NULL, NULL, crl);
	X509_CRL_free(crl);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(time);
}

static void setup_tls(void)
{
	static const struct certificate certificates[] = {
		{ "ca", NULL, NULL, NULL, 1, -60, 3600 },
		{ "other", NULL, NULL, NULL, 1, -60, 3600 },
		{ "server", "ca", "serverAuth", "IP:127.0.0.1", 2, -60, 3600 },
		{ "good", "ca", "clientAuth", NULL, 3, -60, 3600 },
		{ "revoked", "ca", "clientAuth", NULL, 4, -60, 3600 },
		{ "expired", "ca", "clientAuth", NULL, 5, -3600, -60 },
		{ "serverlike", "ca", "serverAuth", NULL, 6, -60, 3600 },
		{ "useless", "ca", NULL, NULL, 7, -60, 3600 },
		{ "foreign", "other", "clientAuth", NULL, 3, -60, 3600 },
	};

	setup();
	for (size_t i = 0; i < N_ELEMENTS(certificates); i++)
		make_certificate(&certificates[i]);
	make_crl(4);
	start(true);
}

static int send_tls(const char *who, const json_t *body, json_t **reply_out, struct problem *problem)
{
	char where[64], cert[32], key[32];
	struct http_target target = { .url = where, .ca_file = file("ca.pem"), .timeout_s = 5 };

	snprintf(where, sizeof where, "https://127.0.0.1:%u", tls_port);
	snprintf(cert, sizeof cert, "%s.pem", who);
	snprintf(key, sizeof key, "%s.key", who);
	if (*who) {
		target.cert_file = file(cert);
		target.key_file = file(key);
	}
	return http_call(&target, body ? "POST" : "GET", "/echo", body, reply_out, problem);
}

static int call_tls(const char *who, json_t **reply_out, struct problem *problem)
{
	return send_tls(who, NULL, reply_out, problem);
}

static bool logged(const char *text)
{
	static char log[65536];
	AUTO(fclose) FILE *from = fopen(log_path, "r");

	log[fread(log, 1, sizeof log - 1, from)] = '\0';
	return strstr(log, text) != NULL;
}

static void wait_for_log(const char *text)
{
	for (long end = now_ms() + 2000; now_ms() < end; usleep(10000))
		if (logged(text))
			return;
	ck_abort_msg("'%s' was not logged", text);
}

static void expect_good(void)
{
	AUTO(json_decref) json_t *reply = NULL;
	struct problem problem = { 0 };

	ck_assert_msg(call_tls("good", &reply, &problem) == 0, "%s", problem.text);
	ck_assert_str_eq(json_text(reply, "peer"), "CN=good,O=lab");
	ck_assert(json_is_false(json_object_get(reply, "local")));
}

START_TEST(tls_peers)
{
	static const struct {
		const char *who, *reason;
	} refused[] = {
		{ "", "peer did not return a certificate" },
		{ "foreign", "unable to get local issuer certificate" },
		{ "expired", "certificate has expired" },
		{ "revoked", "certificate revoked" },
		{ "serverlike", "unsuitable certificate purpose" },
		{ "useless", "unsuitable certificate purpose" },
	};

	expect_good();
	for (size_t i = 0; i < N_ELEMENTS(refused); i++) {
		struct problem problem = { 0 };
		ck_assert_msg(call_tls(refused[i].who, NULL, &problem) == -EHOSTUNREACH, "'%s' was let in", refused[i].who);
		wait_for_log(refused[i].reason);
		expect_good();
	}
	wait_for_log("http: peer 127.0.0.1:");
	ck_assert_int_eq(truncate(log_path, 0), 0);
	for (int i = 0; i < 20; i++)
		call_tls("", NULL, NULL);
	ck_assert_int_eq(truncate(log_path, 0), 0); /* more than ten: counted only */
	call_tls("", NULL, NULL);
	expect_good();
	ck_assert(!logged("refused: "));
}
END_TEST

static int dial_tcp(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(tls_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

/* Versions up to `version` are offered; the one agreed on, or 0. */
static int agree(int version)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int fd = dial_tcp(), agreed = 0;

	SSL_CTX_set_max_proto_version(context, version);
	SSL_CTX_use_certificate_file(context, file("good.pem"), SSL_FILETYPE_PEM);
	SSL_CTX_use_PrivateKey_file(context, file("good.key"), SSL_FILETYPE_PEM);
	SSL *ssl = SSL_new(context);
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) == 1)
		agreed = SSL_version(ssl);
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	return agreed;
}

START_TEST(tls_version)
{
	ck_assert_int_eq(agree(TLS1_3_VERSION), TLS1_3_VERSION);
	ck_assert_int_eq(agree(TLS1_2_VERSION), 0);
	wait_for_log("unsupported protocol");
}
END_TEST

/* A peer that says nothing, or slowly, does not get past the handshake's limit, nor does plain HTTP. */
START_TEST(tls_slow)
{
	int silent = dial_tcp(), plain = dial_tcp();
	long start_ms = now_ms();

	put(plain, "GET /echo HTTP/1.1\r\n\r\n");
	ck_assert_ptr_null(strstr(get_until(plain, NULL), "200 OK"));
	ck_assert_str_eq(get_until(silent, NULL), "");
	long ms = now_ms() - start_ms;
	ck_assert_msg(ms >= REQUEST_MS - 50 && ms < REQUEST_MS + 400, "closed after %ld ms", ms);
	wait_for_log("takes too long");
	int trickle = dial_tcp();
	put(trickle, "\x16\x03\x01\x40");
	ck_assert_int_lt(life_of_trickle(trickle), REQUEST_MS + 400);
	expect_good();
	close(silent);
	close(plain);
}
END_TEST

/* Closing on a client that still sends would reset the connection and lose the refusal. */
START_TEST(tls_too_large)
{
	AUTO(free) char *text = calloc(1, 4 * HTTP_BODY_MAX);
	struct problem problem = { 0 };

	memset(text, 'x', 4 * HTTP_BODY_MAX - 1);
	AUTO(json_decref) json_t *body = json_pack("{s:s}", "text", text);
	for (int i = 0; i < 5; i++)
		ck_assert_msg(send_tls("good", body, NULL, &problem) == -EMSGSIZE, "%s", problem.text);
	text[HTTP_BODY_MAX / 2] = '\0';
	json_object_set_new(body, "text", json_string(text));
	ck_assert_msg(send_tls("good", body, NULL, &problem) == 0, "%s", problem.text);
}
END_TEST

START_TEST(tls_reload)
{
	struct problem problem = { 0 };

	make_crl(3);
	expect_good(); /* not yet */
	json_decref(call("GET", "/reload", NULL));
	ck_assert_int_eq(call_tls("good", NULL, &problem), -EHOSTUNREACH);
	ck_assert_int_eq(call_tls("revoked", NULL, &problem), 0);
	make_crl(4);
	json_decref(call("GET", "/reload", NULL));
	expect_good();
	unlink(file("crl.pem"));
	ck_assert_int_eq(http_call(&local, "GET", "/reload", NULL, NULL, &problem), -ENOENT);
	ck_assert_ptr_nonnull(strstr(problem.text, "crl.pem"));
	expect_good(); /* with the old ones */
	ck_assert_int_eq(call_tls("revoked", NULL, &problem), -EHOSTUNREACH);
}
END_TEST

START_TEST(tls_files)
{
	struct event_base *loop = event_base_new();
	AUTO(http_close) struct http_server *server = NULL;
	struct problem problem = { 0 };
	struct http_tls tls = { file("server.pem"), file("good.key"), file("ca.pem"), NULL };

	ck_assert_int_eq(http_open(loop, handle, NULL, &server, &problem), 0);
	ck_assert_int_eq(http_listen_tls(server, "127.0.0.1:1", &tls, &problem), -EINVAL);
	ck_assert_ptr_nonnull(strstr(problem.text, "private key"));
	tls.key_file = file("server.key");
	tls.ca_file = file("none.pem");
	ck_assert_int_eq(http_listen_tls(server, "127.0.0.1:1", &tls, &problem), -ENOENT);
	tls.ca_file = file("ca.pem");
	ck_assert_int_eq(http_listen_tls(server, "localhost:8443", &tls, &problem), -EINVAL);
	ck_assert_int_eq(http_listen_tls(server, "127.0.0.1", &tls, &problem), -EINVAL);
	ck_assert_int_eq(http_listen_tls(server, tls_address, &tls, &problem), -EADDRINUSE);
	http_close(take(server));
	event_base_free(loop);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http");
	TCase *unix_socket = tcase_create("unix"), *alone = tcase_create("alone"), *tls = tcase_create("tls");
	SRunner *runner = srunner_create(suite);

	tcase_add_checked_fixture(unix_socket, setup_unix, teardown);
	tcase_add_test(unix_socket, requests);
	tcase_add_test(unix_socket, problems);
	tcase_add_test(unix_socket, keep_alive);
	tcase_add_test(unix_socket, bodies);
	tcase_add_test(unix_socket, too_large);
	tcase_add_test(unix_socket, heads);
	tcase_add_test(unix_socket, later);
	tcase_add_test(unix_socket, client_gone);
	tcase_add_test(unix_socket, slow_reader);
	tcase_add_test(unix_socket, answers_owed);
	tcase_add_test(unix_socket, close_in_handler);
	tcase_add_test(unix_socket, streams);
	tcase_add_test(unix_socket, reader_too_slow);
	tcase_add_test(unix_socket, slow_sender);
	tcase_add_test(unix_socket, idle);
	tcase_add_test(unix_socket, crowd);
	tcase_set_timeout(unix_socket, 30);
	tcase_add_test(alone, nobody);
	tcase_add_test(alone, socket_file);
	tcase_add_checked_fixture(tls, setup_tls, teardown);
	tcase_add_test(tls, tls_peers);
	tcase_add_test(tls, tls_version);
	tcase_add_test(tls, tls_slow);
	tcase_add_test(tls, tls_too_large);
	tcase_add_test(tls, tls_reload);
	tcase_add_test(tls, tls_files);
	tcase_set_timeout(tls, 30);
	suite_add_tcase(suite, unix_socket);
	suite_add_tcase(suite, alone);
	suite_add_tcase(suite, tls);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
