/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree on XenStore (libxenstore). The token of each xenstored watch is the address of our struct in text; events
 * are looked up among the live watches, so one that was just removed is not called.
 *
 * XenStore's names have no '.' and no ':' (xenstored answers EINVAL), ours do (blue.l1, vif3.0): they are written @d and
 * @c there, and '@' is @a.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <event2/event.h>
#include <xenstore.h>

#include "libvnet/base/tree-backend.h"

struct tree_xs {
	struct xs_handle *xs;
	struct event *readable;
	struct token *tokens;
};

struct token {
	char text[24];
	struct tree_watch *watch;
	struct token *next;
};

static const struct {
	char ours, xs;
} escapes[] = { { '.', 'd' }, { ':', 'c' }, { '@', 'a' } };

enum { XS_PATH_SIZE = 2 * TREE_PATH_SIZE };

static const char *encode(const char *path, char xs_path[XS_PATH_SIZE])
{
	char *at = xs_path;

	for (; *path; path++) {
		size_t i = 0;
		while (i < N_ELEMENTS(escapes) && escapes[i].ours != *path)
			i++;
		if (i < N_ELEMENTS(escapes)) {
			*at++ = '@';
			*at++ = escapes[i].xs;
		} else {
			*at++ = *path;
		}
	}
	*at = '\0';
	return xs_path;
}

#define XS_PATH(path) encode(path, (char[XS_PATH_SIZE]){ "" })

/* In place; what encode cannot have made stays as it is. */
static void decode(char *name)
{
	char *to = name;

	for (const char *from = name; *from; from++) {
		size_t i = 0;
		while (*from == '@' && i < N_ELEMENTS(escapes) && escapes[i].xs != from[1])
			i++;
		if (*from == '@' && i < N_ELEMENTS(escapes)) {
			*to++ = escapes[i].ours;
			from++;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static void read_events(evutil_socket_t fd, short what, void *arg)
{
	struct tree_xs *self = arg;
	char **event;

	(void)fd;
	(void)what;
	while ((event = xs_check_watch(self->xs))) {
		struct token *token = self->tokens;
		while (token && strcmp(token->text, event[XS_WATCH_TOKEN]) != 0)
			token = token->next;
		decode(event[XS_WATCH_PATH]);
		if (token)
			token->watch->changed(token->watch->arg, event[XS_WATCH_PATH]);
		free(event);
	}
}

static void xs_tree_close(void *arg)
{
	struct tree_xs *self = arg;

	if (self->readable)
		event_free(self->readable);
	if (self->xs)
		xs_close(self->xs);
	free(self);
}

static int xs_tree_open(const char *where, struct event_base *loop, void **self_out, struct problem *problem)
{
	if (*where)
		return problem_set(problem, -EINVAL, "tree xenstore:%s: nothing may follow the colon", where);
	struct tree_xs *self = calloc(1, sizeof *self);
	if (!self)
		return problem_set(problem, -ENOMEM, "tree xenstore: no memory");
	self->xs = xs_open(0);
	if (!self->xs) {
		problem_set(problem, -errno, "tree xenstore: %s; is this a Xen domain and does xenstored run?",
			    strerror(errno));
		xs_tree_close(self);
		return problem ? problem->code : -EIO;
	}
	self->readable = event_new(loop, xs_fileno(self->xs), EV_READ | EV_PERSIST, read_events, self);
	if (!self->readable || event_add(self->readable, NULL) < 0) {
		xs_tree_close(self);
		return problem_set(problem, -ENOMEM, "tree xenstore: no memory");
	}
	*self_out = self;
	return 0;
}

static int xs_tree_read(void *arg, const char *path, char **value_out)
{
	struct tree_xs *self = arg;
	unsigned n;
	char *value = xs_read(self->xs, XBT_NULL, XS_PATH(path), &n);

	if (!value)
		return -errno;
	*value_out = value; /* libxenstore ends it with a NUL beyond n */
	return 0;
}

static int xs_tree_write(void *arg, const char *path, const char *value)
{
	struct tree_xs *self = arg;

	return xs_write(self->xs, XBT_NULL, XS_PATH(path), value, strlen(value)) ? 0 : -errno;
}

static int xs_tree_remove(void *arg, const char *path)
{
	struct tree_xs *self = arg;

	return xs_rm(self->xs, XBT_NULL, XS_PATH(path)) ? 0 : -errno;
}

static int xs_tree_list(void *arg, const char *path, char ***names_out, size_t *n_names_out)
{
	struct tree_xs *self = arg;
	unsigned n;
	AUTO(free) char **block = xs_directory(self->xs, XBT_NULL, XS_PATH(path), &n); /* one block: pointers and strings */

	if (!block)
		return -errno;
	char **names = calloc(n + 1, sizeof *names);
	if (!names)
		return -ENOMEM;
	for (unsigned i = 0; i < n; i++) {
		names[i] = strdup(block[i]);
		if (!names[i]) {
			tree_names_free(names, i);
			return -ENOMEM;
		}
		decode(names[i]);
	}
	*names_out = names;
	*n_names_out = n;
	return 0;
}

/* The owner stays whoever it is (entry 0); what the others get is `access`. */
static int xs_tree_share(void *arg, const char *path, unsigned domid, enum tree_access access)
{
	static const unsigned perms_of[] = {
		[TREE_NONE] = XS_PERM_NONE, [TREE_READ] = XS_PERM_READ, [TREE_WRITE] = XS_PERM_READ | XS_PERM_WRITE,
	};
	struct tree_xs *self = arg;
	const char *xs_path = XS_PATH(path);
	unsigned n;

	AUTO(free) struct xs_permissions *old = xs_get_permissions(self->xs, XBT_NULL, xs_path, &n);
	if (!old) {
		if (errno != ENOENT || !xs_mkdir(self->xs, XBT_NULL, xs_path))
			return -errno;
		old = xs_get_permissions(self->xs, XBT_NULL, xs_path, &n);
		if (!old)
			return -errno;
	}
	struct xs_permissions perms[] = { { .id = old[0].id, .perms = XS_PERM_NONE },
					  { .id = domid, .perms = perms_of[access] } };
	return xs_set_permissions(self->xs, XBT_NULL, xs_path, perms, N_ELEMENTS(perms)) ? 0 : -errno;
}

/* "@releaseDomain" and the like are no paths. */
static const char *watch_path(const char *path, char xs_path[XS_PATH_SIZE])
{
	return *path == '@' ? path : encode(path, xs_path);
}

static int xs_tree_watch(void *arg, struct tree_watch *watch)
{
	char xs_path[XS_PATH_SIZE];
	struct tree_xs *self = arg;
	struct token *token = calloc(1, sizeof *token);

	if (!token)
		return -ENOMEM;
	snprintf(token->text, sizeof token->text, "%p", (void *)token);
	token->watch = watch;
	if (!xs_watch(self->xs, watch_path(watch->path, xs_path), token->text)) {
		int r = -errno;
		free(token);
		return r;
	}
	token->next = self->tokens;
	self->tokens = token;
	watch->data = token;
	return 0;
}

static void xs_tree_unwatch(void *arg, struct tree_watch *watch)
{
	struct tree_xs *self = arg;
	struct token *token = watch->data;
	struct token **link = &self->tokens;
	char xs_path[XS_PATH_SIZE];

	xs_unwatch(self->xs, watch_path(watch->path, xs_path), token->text);
	while (*link != token)
		link = &(*link)->next;
	*link = token->next;
	free(token);
}

const struct tree_backend tree_xs = {
	.scheme = "xenstore:",
	.open = xs_tree_open,
	.close = xs_tree_close,
	.read = xs_tree_read,
	.write = xs_tree_write,
	.remove = xs_tree_remove,
	.list = xs_tree_list,
	.share = xs_tree_share,
	.watch = xs_tree_watch,
	.unwatch = xs_tree_unwatch,
};
