/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The server. A connection is one state machine on one bufferevent (plain or TLS):
 *
 *     HANDSHAKE --> IDLE --first byte--> RECEIVING --whole--> ANSWERING --http_reply--> WRITING --drained--> IDLE
 *      (TLS)                                 |                    |                      ^   |
 *                                            |                    +--> STREAMING --end --+   +--to close--> LINGERING
 *                                            +----- refused: the problem is written -----+
 *
 * Each state has a time limit, armed on entering and never pushed back by bytes that trickle in; when it ends the
 * connection does, unless it is WRITING and the peer has read some of the answer meanwhile. LINGERING reads what a refused client still sends, so that the refusal is not lost in a reset. CUT
 * frees the connection from the loop where the caller of http_stream_send must not see that happen.
 *
 * What the caller holds is an exchange, not the connection: either may end first. libevent's own evhttp is not used:
 * in 2.1 it answers bad requests with HTML pages, limits only inactivity and does not see a client leave before the
 * answer.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <event2/util.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "libvnet/base/http-parse.h"
#include "libvnet/base/http-private.h"
#include "libvnet/base/log.h"

enum state { HANDSHAKE, IDLE, RECEIVING, ANSWERING, STREAMING, WRITING, LINGERING, CUT, N_STATES };

/* What of the request comes next. */
enum step { HEAD, BODY, CHUNK_SIZE, CHUNK, CHUNK_END, TRAILER };

enum {
	REQUEST_MS = 10000,
	IDLE_MS = 60000,
	LINGER_MS = 2000,
	ACCEPT_AGAIN_MS = 100,
	STREAM_WAITING_MAX = 1 << 20,
	CHUNK_LINE_MAX = 1024,
	REFUSALS_LOGGED_A_MINUTE = 10,
};

struct http_exchange {
	struct http_request request;
	struct connection *conn; /* NULL: the client has gone */
	struct http_head *head;
	json_t *body;
	char *peer;
	void (*gone)(void *arg);
	void *gone_arg;
};

struct connection {
	TAILQ_ENTRY(connection) link;
	struct http_server *server;
	struct bufferevent *wire;
	SSL *ssl; /* NULL: Unix socket; owned by wire */
	struct event *timer;
	enum state state;
	char *peer;                     /* http_request.peer */
	char address[NI_MAXHOST + 16];  /* for the log */
	size_t n_unsent;                /* when the timer was armed */
	bool to_close;                  /* after the answer */
	bool ended;                     /* the peer sends no more */
	/* the request being received */
	enum step step;
	size_t n_scanned; /* of the head, without its end being found */
	size_t n_left;    /* of the body or chunk */
	size_t n_trailer;
	struct http_head *head;
	struct evbuffer *body;
	/* the request being answered */
	struct http_exchange *exchange;
	bool chunked; /* the stream */
};

struct listener {
	LIST_ENTRY(listener) link;
	struct http_server *server;
	struct evconnlistener *accepting;
	struct event *again;
	/* Unix socket */
	char *path;
	struct stat made;
	/* TLS */
	SSL_CTX *context;
	SSL_CTX *fresh;        /* while the files are read again */
	struct http_tls files; /* own strings */
};

struct http_server {
	struct event_base *loop;
	http_handle_fn *handle;
	void *arg;
	LIST_HEAD(, listener) listeners;
	TAILQ_HEAD(connections, connection) connections; /* the one longest in its state first */
	size_t n_connections;
	unsigned limit_ms[N_STATES]; /* 0: none */
	struct {
		time_t minute;
		unsigned n;
	} refusals;
};

#define BIT(state) (1u << (state))

static const struct {
	const char *name;
	unsigned next;
	unsigned limit_ms;
} states[N_STATES] = {
	[HANDSHAKE] = { "handshake", BIT(IDLE), REQUEST_MS },
	[IDLE] = { "idle", BIT(RECEIVING), IDLE_MS },
	[RECEIVING] = { "receiving", BIT(ANSWERING) | BIT(WRITING), REQUEST_MS },
	[ANSWERING] = { "answering", BIT(STREAMING) | BIT(WRITING), 0 },
	[STREAMING] = { "streaming", BIT(WRITING) | BIT(CUT), 0 },
	[WRITING] = { "writing", BIT(IDLE) | BIT(LINGERING), IDLE_MS },
	[LINGERING] = { "lingering", 0, LINGER_MS },
	[CUT] = { "cut", 0, 1 },
};

static void arm(struct connection *conn)
{
	unsigned ms = conn->server->limit_ms[conn->state];
	struct timeval limit = { ms / 1000, ms % 1000 * 1000 };

	conn->n_unsent = evbuffer_get_length(bufferevent_get_output(conn->wire));
	if (ms)
		event_add(conn->timer, &limit);
	else
		event_del(conn->timer);
}

static void begin(struct connection *conn, enum state state)
{
	conn->state = state;
	TAILQ_INSERT_TAIL(&conn->server->connections, conn, link);
	arm(conn);
}

static void enter(struct connection *conn, enum state state)
{
	struct http_server *server = conn->server;

	if (!(states[conn->state].next & BIT(state))) {
		log_error("http: a connection went from %s to %s; it is cut", states[conn->state].name, states[state].name);
		state = CUT;
	}
	TAILQ_REMOVE(&server->connections, conn, link);
	begin(conn, state);
}

/* --- the end of a connection --- */

/* The exchange stays with the caller; it hears of the loss last, when nothing here is touched any more. */
static void free_connection(struct connection *conn)
{
	struct http_exchange *exchange = conn->exchange;

	if (conn->server) {
		TAILQ_REMOVE(&conn->server->connections, conn, link);
		conn->server->n_connections--;
	}
	if (conn->timer)
		event_free(conn->timer);
	if (conn->wire)
		bufferevent_free(conn->wire);
	if (conn->body)
		evbuffer_free(conn->body);
	free(conn->head);
	free(conn->peer);
	free(conn);
	if (!exchange)
		return;
	exchange->conn = NULL;
	if (exchange->gone)
		take(exchange->gone)(exchange->gone_arg);
}

/* All is written: the peer learns that nothing more comes, and what it still sends is read and dropped. */
static void linger(struct connection *conn)
{
	if (conn->ended) {
		free_connection(conn);
		return;
	}
	if (conn->ssl) {
		SSL_shutdown(conn->ssl);
		ERR_clear_error();
	}
	shutdown(bufferevent_getfd(conn->wire), SHUT_WR);
	enter(conn, LINGERING);
}

static void refuse_peer(struct connection *conn, const char *reason)
{
	struct http_server *server = conn->server;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (now.tv_sec / 60 != server->refusals.minute) {
		if (server->refusals.n > REFUSALS_LOGGED_A_MINUTE)
			log_warn("http: %u more peers were refused", server->refusals.n - REFUSALS_LOGGED_A_MINUTE);
		server->refusals.minute = now.tv_sec / 60;
		server->refusals.n = 0;
	}
	if (++server->refusals.n <= REFUSALS_LOGGED_A_MINUTE)
		log_warn("http: peer %s refused: %s", conn->address, reason);
	free_connection(conn);
}

static void on_limit(evutil_socket_t fd, short what, void *arg)
{
	struct connection *conn = arg;

	(void)fd;
	(void)what;
	if (conn->state == HANDSHAKE)
		refuse_peer(conn, "the TLS handshake takes too long");
	else if (conn->state == WRITING && evbuffer_get_length(bufferevent_get_output(conn->wire)) < conn->n_unsent)
		arm(conn);
	else
		free_connection(conn);
}

/* --- writing --- */

static const char *phrase(int status)
{
	static const struct {
		int status;
		const char *phrase;
	} phrases[] = {
		{ 200, "OK" },		   { 201, "Created" },	      { 202, "Accepted" },	  { 204, "No Content" },
		{ 400, "Bad Request" },	   { 401, "Unauthorized" },   { 403, "Forbidden" },	  { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 409, "Conflict" },	      { 413, "Content Too Large" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" },	   { 504, "Gateway Timeout" }, { 507, "Insufficient Storage" },
	};

	for (size_t i = 0; i < N_ELEMENTS(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return status < 400 ? "OK" : "Error";
}

static void write_head(struct connection *conn, int status, const char *type)
{
	struct evbuffer *output = bufferevent_get_output(conn->wire);
	time_t now = time(NULL);
	struct tm tm;
	char date[40];

	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
	evbuffer_add_printf(output, "HTTP/1.1 %d %s\r\nDate: %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n%s%s", status,
			    phrase(status), date, type, conn->to_close ? "Connection: close\r\n" : "",
			    status == 405 ? "Allow: GET, POST, PUT, PATCH, DELETE\r\n" : "");
}

static void free_text(const void *text, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	free((void *)text);
}

static void write_reply(struct connection *conn, int status, const json_t *json)
{
	struct evbuffer *output = bufferevent_get_output(conn->wire);
	char *text = json_dumps(json, JSON_COMPACT);

	if (!text) {
		status = 500;
		text = strdup("{\"error\":{\"code\":\"EIO\",\"text\":\"the answer could not be written as JSON\"}}");
	}
	size_t size = text ? strlen(text) : 0;
	write_head(conn, status, "application/json");
	evbuffer_add_printf(output, "Content-Length: %zu\r\n\r\n", size);
	if (text && evbuffer_add_reference(output, text, size, free_text, NULL) < 0) {
		free(text);
		conn->to_close = true;
	}
	enter(conn, WRITING);
}

/* What a client sent, or a text cut in the middle of a character, may be no UTF-8; JSON must be. */
static json_t *text_of(const struct problem *problem)
{
	char text[PROBLEM_TEXT_SIZE];
	json_t *json = json_string(problem->text);

	if (json)
		return json;
	snprintf(text, sizeof text, "%s", problem->text);
	for (char *c = text; *c; c++)
		if (*c & 0x80)
			*c = '?';
	return json_string(text);
}

static json_t *json_of(const struct problem *problem)
{
	const char *code = strerrorname_np(-problem->code);

	return json_pack("{s:{s:s, s:o}}", "error", "code", code ? code : "EIO", "text", text_of(problem));
}

static int status_of(int code)
{
	return code == -ENOSYS ? 405 : problem_http_status(code);
}

static bool refuse(struct connection *conn, const struct problem *problem)
{
	AUTO(json_decref) json_t *json = json_of(problem);

	conn->to_close = true;
	write_reply(conn, status_of(problem->code), json);
	return false;
}

/* --- receiving: each step tells whether the next can be tried --- */

static void free_exchange(struct http_exchange *exchange)
{
	json_decref(exchange->body);
	free(exchange->head);
	free(exchange->peer);
	free(exchange);
}

DEFINE_AUTO(struct http_exchange *, free_exchange)

static int load_body(struct evbuffer *bytes, json_t **body_out, struct problem *problem)
{
	size_t size = evbuffer_get_length(bytes);
	json_error_t error;

	*body_out = size ? json_loadb((char *)evbuffer_pullup(bytes, -1), size, JSON_REJECT_DUPLICATES, &error) : json_object();
	if (!*body_out)
		return problem_set(problem, -EINVAL, "request: the body is not JSON: line %d: %s", error.line, error.text);
	if (!json_is_object(*body_out))
		return problem_set(problem, -EINVAL, "request: the body is JSON but not an object");
	return 0;
}

/* The request is whole. The handler may answer at once or close the server: nothing is touched after it. */
static bool hand_over(struct connection *conn)
{
	struct problem problem;
	AUTO(free_exchange) struct http_exchange *exchange = calloc(1, sizeof *exchange);

	if (!exchange || !(exchange->peer = strdup(conn->peer))) {
		problem_set(&problem, -ENOMEM, "request: no memory");
		return refuse(conn, &problem);
	}
	conn->to_close = !conn->head->keep_alive;
	int r = load_body(conn->body, &exchange->body, &problem);
	evbuffer_drain(conn->body, evbuffer_get_length(conn->body));
	if (r < 0) {
		AUTO(json_decref) json_t *json = json_of(&problem);
		write_reply(conn, status_of(r), json);
		return false;
	}
	exchange->conn = conn;
	exchange->head = take(conn->head);
	exchange->request = (struct http_request){
		.method = exchange->head->method,
		.n_parts = exchange->head->n_parts,
		.body = exchange->body,
		.peer = exchange->peer,
		.local = !conn->ssl,
		.exchange = exchange,
	};
	memcpy(exchange->request.parts, exchange->head->parts, sizeof exchange->request.parts);
	conn->exchange = take(exchange);
	enter(conn, ANSWERING);
	conn->server->handle(conn->server->arg, &conn->exchange->request);
	return false;
}

static bool step_head(struct connection *conn)
{
	struct evbuffer *input = bufferevent_get_input(conn->wire);
	struct problem problem = { .code = -EINVAL, .text = "request: the header is larger than 32 KiB" };
	struct evbuffer_ptr from;
	char start[2];

	while (!conn->n_scanned && evbuffer_copyout(input, start, 2) == 2 && start[0] == '\r' && start[1] == '\n')
		evbuffer_drain(input, 2);
	evbuffer_ptr_set(input, &from, conn->n_scanned > 3 ? conn->n_scanned - 3 : 0, EVBUFFER_PTR_SET);
	struct evbuffer_ptr end = evbuffer_search(input, "\r\n\r\n", 4, &from);
	if (end.pos > HTTP_HEAD_MAX - 4 || (end.pos < 0 && evbuffer_get_length(input) >= HTTP_HEAD_MAX))
		return refuse(conn, &problem);
	if (end.pos < 0) {
		conn->n_scanned = evbuffer_get_length(input);
		return false;
	}
	size_t size = end.pos + 4;
	int r = http_parse_head(evbuffer_pullup(input, size), size, &conn->head, &problem);
	if (r < 0)
		return refuse(conn, &problem);
	evbuffer_drain(input, size);
	if (conn->head->expects_continue && !evbuffer_get_length(input))
		evbuffer_add_printf(bufferevent_get_output(conn->wire), "HTTP/1.1 100 Continue\r\n\r\n");
	conn->n_left = conn->head->n_body;
	conn->step = conn->head->chunked ? CHUNK_SIZE : BODY;
	return true;
}

static void move_body(struct connection *conn)
{
	int n = evbuffer_remove_buffer(bufferevent_get_input(conn->wire), conn->body, conn->n_left);

	conn->n_left -= n > 0 ? n : 0;
}

static bool step_body(struct connection *conn)
{
	move_body(conn);
	return conn->n_left ? false : hand_over(conn);
}

/* A line of the chunked framing, freed with free(); NULL: not yet, or refused. */
static char *take_chunk_line(struct connection *conn, size_t *size_out)
{
	struct evbuffer *input = bufferevent_get_input(conn->wire);
	struct problem problem = { .code = -EINVAL, .text = "request: a line between chunks is too long" };
	char *line = evbuffer_readln(input, size_out, EVBUFFER_EOL_CRLF_STRICT);

	if (!line && evbuffer_get_length(input) > CHUNK_LINE_MAX)
		refuse(conn, &problem);
	return line;
}

static bool step_chunk_size(struct connection *conn)
{
	struct problem problem;
	size_t size, n;
	AUTO(free) char *line = take_chunk_line(conn, &size);

	if (!line)
		return false;
	int r = http_parse_chunk_size((uint8_t *)line, size, &n, &problem);
	if (r == 0 && evbuffer_get_length(conn->body) + n > HTTP_BODY_MAX)
		r = problem_set(&problem, -EMSGSIZE, "request: the body is larger than %d bytes", HTTP_BODY_MAX);
	if (r < 0)
		return refuse(conn, &problem);
	conn->n_left = n;
	conn->step = n ? CHUNK : TRAILER;
	return true;
}

static bool step_chunk(struct connection *conn)
{
	move_body(conn);
	if (conn->n_left)
		return false;
	conn->step = CHUNK_END;
	return true;
}

static bool step_chunk_end(struct connection *conn)
{
	struct problem problem = { .code = -EINVAL, .text = "request: a chunk is longer than its size says" };
	char end[2];

	if (evbuffer_get_length(bufferevent_get_input(conn->wire)) < sizeof end)
		return false;
	evbuffer_remove(bufferevent_get_input(conn->wire), end, sizeof end);
	if (end[0] != '\r' || end[1] != '\n')
		return refuse(conn, &problem);
	conn->step = CHUNK_SIZE;
	return true;
}

static bool step_trailer(struct connection *conn)
{
	struct problem problem = { .code = -EINVAL, .text = "request: the trailer is larger than 32 KiB" };
	size_t size;
	AUTO(free) char *line = take_chunk_line(conn, &size);

	if (!line)
		return false;
	if (!size)
		return hand_over(conn);
	conn->n_trailer += size + 2;
	return conn->n_trailer > HTTP_HEAD_MAX ? refuse(conn, &problem) : true;
}

static void receive(struct connection *conn)
{
	static bool (*const steps[])(struct connection *conn) = {
		[HEAD] = step_head,   [BODY] = step_body,	    [CHUNK_SIZE] = step_chunk_size,
		[CHUNK] = step_chunk, [CHUNK_END] = step_chunk_end, [TRAILER] = step_trailer,
	};

	if (conn->state == IDLE && evbuffer_get_length(bufferevent_get_input(conn->wire)) > 0) {
		conn->step = HEAD;
		conn->n_scanned = conn->n_trailer = 0;
		free(take(conn->head));
		enter(conn, RECEIVING);
	}
	if (conn->state == RECEIVING)
		while (steps[conn->step](conn))
			;
}

/* --- what the bufferevent reports --- */

static void on_readable(struct bufferevent *wire, void *arg)
{
	struct connection *conn = arg;

	if (conn->state == LINGERING || (conn->state == WRITING && conn->to_close))
		evbuffer_drain(bufferevent_get_input(wire), -1);
	else
		receive(conn);
}

static void on_drained(struct bufferevent *wire, void *arg)
{
	struct connection *conn = arg;

	if (conn->state != WRITING || evbuffer_get_length(bufferevent_get_output(wire)) > 0)
		return;
	if (conn->to_close) {
		linger(conn);
		return;
	}
	enter(conn, IDLE);
	receive(conn);
}

static void on_event(struct bufferevent *wire, short what, void *arg)
{
	struct connection *conn = arg;

	if (what & BEV_EVENT_CONNECTED) {
		conn->peer = http_tls_peer(conn->ssl);
		if (!conn->peer) {
			free_connection(conn);
			return;
		}
		enter(conn, IDLE);
		receive(conn);
	} else if (conn->state == HANDSHAKE) {
		refuse_peer(conn, http_tls_refusal(conn->ssl, bufferevent_get_openssl_error(wire)));
	} else if (what & BEV_EVENT_EOF && conn->state == WRITING && !conn->ssl) {
		conn->to_close = conn->ended = true; /* it may still read */
	} else {
		free_connection(conn);
	}
}

/* --- accepting --- */

/* At the cap, the connection longest idle goes; if none is idle, the one that has kept us waiting longest. */
static bool make_room(struct http_server *server)
{
	static const unsigned victims[] = { BIT(IDLE), BIT(HANDSHAKE) | BIT(RECEIVING) | BIT(LINGERING), BIT(WRITING) };
	struct connection *conn;

	if (server->n_connections < HTTP_CONNECTIONS_MAX)
		return true;
	for (size_t i = 0; i < N_ELEMENTS(victims); i++)
		TAILQ_FOREACH(conn, &server->connections, link)
			if (victims[i] & BIT(conn->state)) {
				free_connection(conn);
				return true;
			}
	return false;
}

static char *peer_of(int fd)
{
	struct ucred who;
	socklen_t size = sizeof who;
	char *peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 || asprintf(&peer, "uid=%u", who.uid) < 0)
		return NULL;
	return peer;
}

static struct bufferevent *make_wire(struct http_server *server, int fd, SSL *ssl)
{
	int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
	struct bufferevent *wire =
		ssl ? bufferevent_openssl_socket_new(server->loop, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, options) :
		      bufferevent_socket_new(server->loop, fd, options);

	if (!wire) {
		close(fd);
		return NULL;
	}
	if (ssl)
		bufferevent_openssl_set_allow_dirty_shutdown(wire, 1);
	bufferevent_setwatermark(wire, EV_READ, 0, 2 * HTTP_HEAD_MAX);
	return wire;
}

/* Takes over `fd` and `ssl`, also on failure. */
static int add_connection(struct http_server *server, int fd, SSL *ssl, const char *address)
{
	struct connection *conn = calloc(1, sizeof *conn);

	if (!conn) {
		close(fd);
		SSL_free(ssl);
		return -ENOMEM;
	}
	conn->ssl = ssl;
	snprintf(conn->address, sizeof conn->address, "%s", address);
	conn->peer = ssl ? NULL : peer_of(fd);
	conn->wire = make_wire(server, fd, ssl);
	conn->body = evbuffer_new();
	conn->timer = evtimer_new(server->loop, on_limit, conn);
	if ((!ssl && !conn->peer) || !conn->wire || !conn->body || !conn->timer) {
		free_connection(conn);
		return -ENOMEM;
	}
	conn->server = server;
	server->n_connections++;
	begin(conn, ssl ? HANDSHAKE : IDLE);
	bufferevent_setcb(conn->wire, on_readable, on_drained, on_event, conn);
	bufferevent_enable(conn->wire, EV_READ | EV_WRITE);
	return 0;
}

/* A peer that vanishes without a word is noticed within two minutes, also while it only listens to a stream. */
static void keep_alive(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, 60 },
		{ IPPROTO_TCP, TCP_KEEPINTVL, 20 },
		{ IPPROTO_TCP, TCP_KEEPCNT, 3 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
	};

	for (size_t i = 0; i < N_ELEMENTS(options); i++)
		setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value);
}

static void on_accept(struct evconnlistener *accepting, evutil_socket_t fd, struct sockaddr *address, int size, void *arg)
{
	struct listener *listener = arg;
	char host[NI_MAXHOST] = "?", port[16] = "?", text[NI_MAXHOST + 16];
	SSL *ssl = NULL;

	(void)accepting;
	if (!make_room(listener->server)) {
		close(fd);
		return;
	}
	if (listener->context) {
		ssl = SSL_new(listener->context);
		if (!ssl) {
			close(fd);
			return;
		}
		keep_alive(fd);
		getnameinfo(address, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
	}
	snprintf(text, sizeof text, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	add_connection(listener->server, fd, ssl, text);
}

/* Out of files or memory: instead of asking again at once, it waits for some to be free. */
static void on_accept_error(struct evconnlistener *accepting, void *arg)
{
	struct listener *listener = arg;
	int error = EVUTIL_SOCKET_ERROR();

	log_warn("http: no connection can be accepted: %s; trying again", strerror(error));
	evconnlistener_disable(accepting);
	event_add(listener->again, &(struct timeval){ .tv_usec = ACCEPT_AGAIN_MS * 1000 });
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(((struct listener *)arg)->accepting);
}

/* --- listeners --- */

static void free_files(struct http_tls *files)
{
	free((char *)files->cert_file);
	free((char *)files->key_file);
	free((char *)files->ca_file);
	free((char *)files->crl_file);
}

static void free_listener(struct listener *listener)
{
	struct stat now;

	if (listener->accepting)
		evconnlistener_free(listener->accepting);
	if (listener->again)
		event_free(listener->again);
	if (listener->path && listener->made.st_ino && lstat(listener->path, &now) == 0 &&
	    now.st_ino == listener->made.st_ino && now.st_dev == listener->made.st_dev)
		unlink(listener->path);
	SSL_CTX_free(listener->context);
	free_files(&listener->files);
	free(listener->path);
	free(listener);
}

DEFINE_AUTO(struct listener *, free_listener)

/* Takes over the bound socket `*fd_io` and, when it succeeds, the listener. */
static int start_listener(struct http_server *server, struct listener **listener_io, int *fd_io, const char *name,
			  struct problem *problem)
{
	struct listener *listener = *listener_io;

	listener->server = server;
	if (listen(*fd_io, 128) < 0)
		return problem_set(problem, -errno, "%s: cannot listen: %s", name, strerror(errno));
	listener->again = evtimer_new(server->loop, on_again, listener);
	listener->accepting = evconnlistener_new(server->loop, on_accept, listener,
						 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, *fd_io);
	if (listener->accepting)
		*fd_io = -1;
	if (!listener->again || !listener->accepting)
		return problem_set(problem, -ENOMEM, "%s: no memory", name);
	evconnlistener_set_error_cb(listener->accepting, on_accept_error);
	LIST_INSERT_HEAD(&server->listeners, listener, link);
	*listener_io = NULL;
	return 0;
}

/* A socket file that nobody serves is what a daemon that was killed leaves behind. */
static int clear_stale(const struct sockaddr_un *address, struct problem *problem)
{
	const char *path = address->sun_path;
	struct stat found;

	if (lstat(path, &found) < 0)
		return errno == ENOENT ? 0 : problem_set(problem, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISSOCK(found.st_mode))
		return problem_set(problem, -EEXIST, "%s: is there and is no socket; remove it or choose another path", path);
	AUTO(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return problem_set(problem, -errno, "%s: no socket: %s", path, strerror(errno));
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno != ECONNREFUSED)
		return problem_set(problem, -EADDRINUSE, "%s: another daemon answers there; stop it or choose another path", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return problem_set(problem, -errno, "%s: is stale and cannot be removed: %s", path, strerror(errno));
	return 0;
}

int http_listen_unix(struct http_server *server, const char *path, unsigned mode, struct problem *problem)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (!*path || strlen(path) >= sizeof address.sun_path)
		return problem_set(problem, -ENAMETOOLONG, "%s: a socket's path has 1 to %zu characters", path,
				   sizeof address.sun_path - 1);
	strcpy(address.sun_path, path);
	int r = clear_stale(&address, problem);
	if (r < 0)
		return r;
	AUTO(free_listener) struct listener *listener = calloc(1, sizeof *listener);
	AUTO(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (!listener || fd < 0 || !(listener->path = strdup(path)))
		return problem_set(problem, fd < 0 ? -errno : -ENOMEM, "%s: no socket: %s", path, strerror(fd < 0 ? errno : ENOMEM));
	/* Linux makes the file with the mode of the socket less the umask, so it is at no time open to more than `mode`. */
	if (fchmod(fd, mode) < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    lstat(path, &listener->made) < 0 || chmod(path, mode) < 0)
		return problem_set(problem, -errno, "%s: the socket cannot be made: %s", path, strerror(errno));
	return start_listener(server, &listener, &fd, path, problem);
}

static int copy_files(struct http_tls *copy, const struct http_tls *files)
{
	const struct {
		const char *from, **to;
	} names[] = {
		{ files->cert_file, &copy->cert_file },
		{ files->key_file, &copy->key_file },
		{ files->ca_file, &copy->ca_file },
		{ files->crl_file, &copy->crl_file },
	};

	for (size_t i = 0; i < N_ELEMENTS(names); i++)
		if (names[i].from && !(*names[i].to = strdup(names[i].from)))
			return -ENOMEM;
	return 0;
}

int http_listen_tls(struct http_server *server, const char *address, const struct http_tls *tls, struct problem *problem)
{
	struct sockaddr_storage parsed;
	int size = sizeof parsed, on = 1;

	if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&parsed, &size) < 0 || !strrchr(address, ':'))
		return problem_set(problem, -EINVAL, "%s: write ADDRESS:PORT with numbers, as 0.0.0.0:8443 or [::]:8443", address);
	AUTO(free_listener) struct listener *listener = calloc(1, sizeof *listener);
	if (!listener || copy_files(&listener->files, tls) < 0)
		return problem_set(problem, -ENOMEM, "%s: no memory", address);
	int r = http_tls_context(tls, &listener->context, problem);
	if (r < 0)
		return problem_prefix(problem, "%s", address);
	AUTO(close) int fd = socket(parsed.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&parsed, size) < 0)
		return problem_set(problem, -errno, "%s: cannot be bound: %s", address, strerror(errno));
	return start_listener(server, &listener, &fd, address, problem);
}

/* First all files are read, then all listeners changed: a failure changes none. */
int http_reload_tls(struct http_server *server, struct problem *problem)
{
	struct listener *listener;
	int r = 0;

	LIST_FOREACH(listener, &server->listeners, link)
		if (listener->context && r == 0)
			r = http_tls_context(&listener->files, &listener->fresh, problem);
	LIST_FOREACH(listener, &server->listeners, link) {
		AUTO(SSL_CTX_free) SSL_CTX *unused = take(listener->fresh);
		if (!unused || r < 0)
			continue;
		SSL_CTX *old = listener->context;
		listener->context = unused;
		unused = old;
	}
	return r;
}

/* --- the server --- */

int http_open(struct event_base *loop, http_handle_fn *handle, void *arg, struct http_server **server_out,
	      struct problem *problem)
{
	struct http_server *server = calloc(1, sizeof *server);

	if (!server)
		return problem_set(problem, -ENOMEM, "http: no memory");
	*server = (struct http_server){ .loop = loop, .handle = handle, .arg = arg };
	LIST_INIT(&server->listeners);
	TAILQ_INIT(&server->connections);
	for (size_t i = 0; i < N_STATES; i++)
		server->limit_ms[i] = states[i].limit_ms;
	signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
	*server_out = server;
	return 0;
}

void http_close(struct http_server *server)
{
	struct listener *listener;
	struct connection *conn;

	if (!server)
		return;
	while ((listener = LIST_FIRST(&server->listeners))) {
		LIST_REMOVE(listener, link);
		free_listener(listener);
	}
	while ((conn = TAILQ_FIRST(&server->connections)))
		free_connection(conn);
	free(server);
}

void http_limits(struct http_server *server, unsigned request_ms, unsigned idle_ms)
{
	server->limit_ms[HANDSHAKE] = server->limit_ms[RECEIVING] = request_ms;
	server->limit_ms[IDLE] = server->limit_ms[WRITING] = idle_ms;
}

int http_adopt(struct http_server *server, int fd)
{
	evutil_make_socket_nonblocking(fd);
	return add_connection(server, fd, NULL, "socket");
}

/* --- what handlers call --- */

const char *http_query(const struct http_request *request, const char *key)
{
	const struct http_head *head = request->exchange->head;

	for (size_t i = 0; i < head->n_query; i++)
		if (strcmp(head->query[i].key, key) == 0)
			return head->query[i].value;
	return NULL;
}

int http_query_number(const struct http_request *request, const char *key, long min, long max, long fallback,
		      long *value_out, struct problem *problem)
{
	const char *text = http_query(request, key);
	char *end;

	if (!text) {
		*value_out = fallback;
		return 0;
	}
	errno = 0;
	long value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < min || value > max)
		return problem_set(problem, -EINVAL, "%s=%s: give a number from %ld to %ld", key, text, min, max);
	*value_out = value;
	return 0;
}

bool http_gone(const struct http_request *request)
{
	return !request->exchange->conn || request->exchange->conn->state == CUT;
}

void http_on_gone(struct http_request *request, void (*gone)(void *arg), void *arg)
{
	request->exchange->gone = gone;
	request->exchange->gone_arg = arg;
}

/* The exchange ends; its connection, if there still is one to write to. */
static struct connection *finish(struct http_request *request)
{
	struct http_exchange *exchange = request->exchange;
	struct connection *conn = exchange->conn;
	bool alive = !http_gone(request);

	if (conn)
		conn->exchange = NULL;
	free_exchange(exchange);
	return alive ? conn : NULL;
}

void http_reply(struct http_request *request, int status, json_t *json)
{
	AUTO(json_decref) json_t *own = json;
	struct connection *conn = finish(request);

	if (conn)
		write_reply(conn, status, own);
}

void http_reply_problem(struct http_request *request, const struct problem *problem)
{
	http_reply(request, status_of(problem->code), json_of(problem));
}

void http_stream_begin(struct http_request *request)
{
	struct connection *conn = request->exchange->conn;

	if (http_gone(request))
		return;
	conn->chunked = !request->exchange->head->old;
	conn->to_close |= !conn->chunked;
	write_head(conn, 200, "text/event-stream");
	evbuffer_add_printf(bufferevent_get_output(conn->wire), "%s\r\n", conn->chunked ? "Transfer-Encoding: chunked\r\n" : "");
	enter(conn, STREAMING);
}

void http_stream_send(struct http_request *request, const char *event, json_t *json)
{
	AUTO(json_decref) json_t *own = json;
	struct connection *conn = request->exchange->conn;

	if (http_gone(request))
		return;
	struct evbuffer *output = bufferevent_get_output(conn->wire);
	AUTO(free) char *text = json_dumps(own, JSON_COMPACT);
	AUTO(free) char *lines = NULL;
	int size = text ? asprintf(&lines, "%s%s%sdata: %s\n\n", event ? "event: " : "", event ? event : "", event ? "\n" : "",
				   text) : -1;
	if (size < 0 || evbuffer_get_length(output) + size > STREAM_WAITING_MAX) {
		enter(conn, CUT);
		return;
	}
	if (conn->chunked)
		evbuffer_add_printf(output, "%x\r\n", size);
	evbuffer_add(output, lines, size);
	if (conn->chunked)
		evbuffer_add(output, "\r\n", 2);
}

void http_stream_end(struct http_request *request)
{
	struct connection *conn = finish(request);

	if (!conn)
		return;
	if (conn->chunked)
		evbuffer_add_printf(bufferevent_get_output(conn->wire), "0\r\n\r\n");
	enter(conn, WRITING);
	bufferevent_trigger(conn->wire, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS); /* all may have been drained before */
}
