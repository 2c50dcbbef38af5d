/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks paths and values once, for all backends, and keeps the list of watches. */
#include "libvnet/base/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "libvnet/base/tree-backend.h"

struct tree {
	const struct tree_backend *backend;
	void *self;
	struct tree_watch *watches;
};

static const struct tree_backend *const backends[] = {
	&tree_dir,
#ifdef HAVE_XL
	&tree_xs,
#endif
};

enum { NAME_SIZE_MAX = 64 };

static bool name_is_good(const char *name, size_t size)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@_.:-";

	return size > 0 && size <= NAME_SIZE_MAX && name[0] != '.' && strspn(name, allowed) >= size;
}

static bool path_is_good(const char *path)
{
	if (strlen(path) >= TREE_PATH_SIZE)
		return false;
	if (*path == '/')
		path++;
	for (;;) {
		size_t size = strcspn(path, "/");
		if (!name_is_good(path, size))
			return false;
		if (!path[size])
			return true;
		path += size + 1;
	}
}

int tree_open(const char *where, struct event_base *loop, struct tree **tree_out, struct problem *problem)
{
	for (size_t i = 0; i < N_ELEMENTS(backends); i++) {
		size_t n = strlen(backends[i]->scheme);
		if (strncmp(where, backends[i]->scheme, n) != 0)
			continue;
		AUTO(free) struct tree *tree = calloc(1, sizeof *tree);
		if (!tree)
			return problem_set(problem, -ENOMEM, "tree %s: no memory", where);
		tree->backend = backends[i];
		int r = tree->backend->open(where + n, loop, &tree->self, problem);
		if (r < 0)
			return r;
		*tree_out = take(tree);
		return 0;
	}
	return problem_set(problem, -EINVAL, "tree %s: not understood; give dir:/some/dir%s", where,
			   N_ELEMENTS(backends) > 1 ? " or xenstore:" : " (this build has no XenStore)");
}

void tree_close(struct tree *tree)
{
	if (!tree)
		return;
	while (tree->watches)
		tree_unwatch(tree->watches);
	tree->backend->close(tree->self);
	free(tree);
}

int tree_read(struct tree *tree, const char *path, char **value_out)
{
	return path_is_good(path) ? tree->backend->read(tree->self, path, value_out) : -EINVAL;
}

int tree_write(struct tree *tree, const char *path, const char *value)
{
	if (!path_is_good(path))
		return -EINVAL;
	if (strlen(value) > TREE_VALUE_SIZE)
		return -EMSGSIZE;
	return tree->backend->write(tree->self, path, value);
}

int tree_remove(struct tree *tree, const char *path)
{
	int r = path_is_good(path) ? tree->backend->remove(tree->self, path) : -EINVAL;

	return r == -ENOENT ? 0 : r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int tree_list(struct tree *tree, const char *path, char ***names_out, size_t *n_names_out)
{
	if (!path_is_good(path))
		return -EINVAL;
	int r = tree->backend->list(tree->self, path, names_out, n_names_out);
	if (r == 0 && *n_names_out > 1)
		qsort(*names_out, *n_names_out, sizeof **names_out, compare_names);
	return r;
}

void tree_names_free(char **names, size_t n_names)
{
	for (size_t i = 0; i < n_names; i++)
		free(names[i]);
	free(names);
}

int tree_share(struct tree *tree, const char *path, unsigned domid, enum tree_access access)
{
	return path_is_good(path) ? tree->backend->share(tree->self, path, domid, access) : -EINVAL;
}

int tree_watch(struct tree *tree, const char *path, tree_changed_fn *changed, void *arg, struct tree_watch **watch_out)
{
	if (path[0] != '@' && !path_is_good(path))
		return -EINVAL;
	AUTO(free) struct tree_watch *watch = calloc(1, sizeof *watch);
	AUTO(free) char *copy = strdup(path);
	if (!watch || !copy)
		return -ENOMEM;
	*watch = (struct tree_watch){ .tree = tree, .path = copy, .changed = changed, .arg = arg };
	int r = tree->backend->watch(tree->self, watch);
	if (r < 0)
		return r;
	watch->path = take(copy);
	watch->next = tree->watches;
	tree->watches = watch;
	*watch_out = take(watch);
	return 0;
}

void tree_unwatch(struct tree_watch *watch)
{
	if (!watch)
		return;
	struct tree_watch **link = &watch->tree->watches;
	while (*link != watch)
		link = &(*link)->next;
	*link = watch->next;
	watch->tree->backend->unwatch(watch->tree->self, watch);
	free(watch->path);
	free(watch);
}

const char *tree_path(char buffer[TREE_PATH_SIZE], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int n = vsnprintf(buffer, TREE_PATH_SIZE, format, args);
	va_end(args);
	if (n < 0 || n >= TREE_PATH_SIZE)
		buffer[0] = '\0';
	return buffer;
}
