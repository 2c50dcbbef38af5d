/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bytes of a client, as they come, against the whole server over a socket pair. The first byte says in how many pieces
 * they arrive; the handler answers at once, streams, or leaves the answer owed until the client has gone.
 *
 * With libFuzzer (configure --enable-fuzzers CC=clang): fuzz-http CORPUS. Else each file of a directory is run once.
 */
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "libvnet/base/http-private.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static struct http_request *owed;

static void handle(void *arg, struct http_request *request)
{
	const char *what = request->n_parts ? request->parts[0] : "";

	(void)arg;
	if (*what == 'h' && !owed) {
		owed = request;
	} else if (*what == 's') {
		http_stream_begin(request);
		http_stream_send(request, "event", json_pack("{s:O}", "body", request->body));
		http_stream_end(request);
	} else {
		const char *query = http_query(request, "q");
		struct problem problem;
		problem_set(&problem, -EINVAL, "%s %s", what, query ? query : "");
		http_reply_problem(request, &problem);
	}
}

static void send_piece(struct event_base *loop, int fd, const uint8_t *bytes, size_t size)
{
	char reply[65536];

	for (size_t sent = 0; sent < size;) {
		ssize_t n = send(fd, bytes + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			return;
		sent += n > 0 ? n : 0;
		event_base_loop(loop, EVLOOP_NONBLOCK);
		while (recv(fd, reply, sizeof reply, MSG_DONTWAIT) > 0)
			;
		if (n < 0)
			return; /* it waits for the owed answer */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct event_base *loop = event_base_new();
	struct http_server *server;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 || http_open(loop, handle, NULL, &server, NULL) < 0 ||
	    http_adopt(server, pair[0]) < 0)
		abort();
	size_t n_pieces = size ? bytes[0] % 8 + 1 : 1;
	for (size_t i = 0; i < n_pieces && size; i++) {
		size_t from = 1 + (size - 1) * i / n_pieces, to = 1 + (size - 1) * (i + 1) / n_pieces;
		send_piece(loop, pair[1], bytes + from, to - from);
	}
	close(pair[1]);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	if (owed)
		http_reply(take(owed), 200, json_object());
	event_base_loop(loop, EVLOOP_NONBLOCK);
	http_close(server);
	event_base_loop(loop, EVLOOP_NONBLOCK);
	event_base_free(loop);
	return 0;
}

#ifndef FUZZING
static int run_file(const char *path)
{
	static uint8_t bytes[1 << 20];
	AUTO(fclose) FILE *from = fopen(path, "r");

	if (!from)
		return -errno;
	LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof bytes, from));
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : CORPUS;
	DIR *dir = opendir(name);
	int n_files = 0;

	if (!dir) {
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
		return EXIT_FAILED;
	}
	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[PATH_MAX];
		snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
		if (entry->d_name[0] != '.' && run_file(path) == 0)
			n_files++;
	}
	closedir(dir);
	printf("%d inputs\n", n_files);
	return n_files ? EXIT_OK : EXIT_FAILED;
}
#endif
