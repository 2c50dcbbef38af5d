/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree on a directory: a node with children is a directory, a node with a value a file, replaced by rename so a
 * reader sees the old value or the new one. A watch has one inotify instance and follows every directory below it:
 * a directory that appears is watched first and reported after, so nothing written into it meanwhile is missed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <event2/event.h>

#include "libvnet/base/tree-backend.h"

DEFINE_AUTO(DIR *, closedir)

struct tree_dir {
	char *root;
	struct event_base *loop;
};

struct dir_watch {
	char *top;
	int fd;
	struct event *readable;
	struct tree_watch *watch;
};

enum { CHANGES = IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE };

static const char *file_of(const struct tree_dir *self, const char *path, char file[PATH_MAX])
{
	snprintf(file, PATH_MAX, "%s/%s", self->root, *path == '/' ? path + 1 : path);
	return file;
}

#define FILE_OF(self, path) file_of(self, path, (char[PATH_MAX]){ "" })

/* Makes the directories above `file` (and `file` itself if whole). -ENOTDIR: a value stands in the way. */
static int make_dirs(const char *file, bool whole)
{
	char part[PATH_MAX];

	snprintf(part, sizeof part, "%s", file);
	for (char *c = part + 1;; c++) {
		if (*c != '/' && *c)
			continue;
		bool last = !*c;
		if (last && !whole)
			return 0;
		*c = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (last)
			return 0;
		*c = '/';
	}
}

static int dir_open(const char *where, struct event_base *loop, void **self_out, struct problem *problem)
{
	if (*where != '/')
		return problem_set(problem, -EINVAL, "tree dir:%s: give an absolute directory", where);
	AUTO(free) struct tree_dir *self = calloc(1, sizeof *self);
	AUTO(free) char *root = strdup(where);
	if (!self || !root)
		return problem_set(problem, -ENOMEM, "tree dir:%s: no memory", where);
	int r = make_dirs(root, true);
	if (r < 0)
		return problem_set(problem, r, "tree dir:%s: cannot be made: %s", where, strerror(-r));
	*self = (struct tree_dir){ .root = take(root), .loop = loop };
	*self_out = take(self);
	return 0;
}

static void dir_close(void *arg)
{
	struct tree_dir *self = arg;

	free(self->root);
	free(self);
}

static int dir_read(void *arg, const char *path, char **value_out)
{
	char value[TREE_VALUE_SIZE + 1];
	AUTO(close) int fd = open(FILE_OF((struct tree_dir *)arg, path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	ssize_t n = read(fd, value, sizeof value);
	if (n < 0)
		return -errno;
	if ((size_t)n > TREE_VALUE_SIZE)
		return -EMSGSIZE;
	value[n] = '\0';
	if (n > 0 && value[n - 1] == '\n') /* a person may have written it with echo */
		value[n - 1] = '\0';
	*value_out = strdup(value);
	return *value_out ? 0 : -ENOMEM;
}

static int write_all(int fd, const char *value)
{
	size_t size = strlen(value);

	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, value + done, size - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? n : 0;
	}
	return 0;
}

static int dir_write(void *arg, const char *path, const char *value)
{
	const char *file = FILE_OF((struct tree_dir *)arg, path);
	char draft[PATH_MAX];
	int slash = strrchr(file, '/') - file;

	int r = make_dirs(file, false);
	if (r < 0)
		return r;
	if (snprintf(draft, sizeof draft, "%.*s/.draft-XXXXXX", slash, file) >= (int)sizeof draft)
		return -ENAMETOOLONG;
	AUTO(close) int fd = mkostemp(draft, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fchmod(fd, 0644) < 0 ? -errno : write_all(fd, value);
	if (r == 0 && rename(draft, file) < 0)
		r = -errno;
	if (r < 0)
		unlink(draft);
	return r;
}

static int remove_below(int parent, const char *name)
{
	if (unlinkat(parent, name, 0) == 0)
		return 0;
	if (errno != EISDIR)
		return -errno;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO(closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int r = remove_below(fd, entry->d_name);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int dir_remove(void *arg, const char *path)
{
	return remove_below(AT_FDCWD, FILE_OF((struct tree_dir *)arg, path));
}

static int dir_list(void *arg, const char *path, char ***names_out, size_t *n_names_out)
{
	AUTO(closedir) DIR *dir = opendir(FILE_OF((struct tree_dir *)arg, path));
	AUTO(free) char **names = NULL;
	size_t n = 0, room = 0;

	if (!dir)
		return -errno;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		if (n == room) {
			char **more = realloc(names, (room = 2 * room + 8) * sizeof *more);
			if (!more)
				break;
			names = more;
		}
		names[n] = strdup(entry->d_name);
		if (!names[n])
			break;
		n++;
	}
	*names_out = take(names);
	*n_names_out = n;
	return 0;
}

static int dir_share(void *arg, const char *path, unsigned domid, enum tree_access access)
{
	(void)domid;
	(void)access;
	return make_dirs(FILE_OF((struct tree_dir *)arg, path), true);
}

/* Watches `file` and every directory below it; adding one twice is harmless. */
static void follow(struct dir_watch *data, const char *file)
{
	if (inotify_add_watch(data->fd, file, CHANGES | IN_ONLYDIR | IN_DONT_FOLLOW) < 0)
		return;
	AUTO(closedir) DIR *dir = opendir(file);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char below[PATH_MAX];
		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
			continue;
		if (snprintf(below, sizeof below, "%s/%s", file, entry->d_name) < (int)sizeof below)
			follow(data, below);
	}
}

/* Reads all that is queued; one report for the batch. The kernel does not say in which directory of ours a new one
 * appeared (only a watch number), so the whole is followed again: trees are small and rarely grow. */
static void read_changes(evutil_socket_t fd, short what, void *arg)
{
	struct dir_watch *data = arg;
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool grown = false, changed = what & EV_TIMEOUT;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof buffer)) > 0)
		for (char *at = buffer; at < buffer + n;) {
			const struct inotify_event *event = (void *)at;
			at += sizeof *event + event->len;
			grown |= (event->mask & (IN_ISDIR | IN_Q_OVERFLOW)) != 0;
			changed |= !event->len || event->name[0] != '.';
		}
	if (grown)
		follow(data, data->top);
	if (changed)
		data->watch->changed(data->watch->arg, data->watch->path);
}

static void free_watch(struct dir_watch *data)
{
	if (data->readable)
		event_free(data->readable);
	if (data->fd >= 0)
		close(data->fd);
	free(data->top);
	free(data);
}

static int dir_watch(void *arg, struct tree_watch *watch)
{
	struct tree_dir *self = arg;
	const char *top = FILE_OF(self, watch->path);
	int r = make_dirs(top, true);

	if (r < 0)
		return r;
	struct dir_watch *data = calloc(1, sizeof *data);
	if (!data)
		return -ENOMEM;
	*data = (struct dir_watch){ .top = strdup(top), .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .watch = watch };
	if (data->fd >= 0 && data->top) {
		follow(data, data->top);
		data->readable = event_new(self->loop, data->fd, EV_READ | EV_PERSIST, read_changes, data);
	}
	if (!data->readable || event_add(data->readable, NULL) < 0) {
		r = data->fd < 0 ? -errno : -ENOMEM;
		free_watch(data);
		return r;
	}
	watch->data = data;
	event_active(data->readable, EV_TIMEOUT, 0);
	return 0;
}

static void dir_unwatch(void *arg, struct tree_watch *watch)
{
	(void)arg;
	free_watch(watch->data);
}

const struct tree_backend tree_dir = {
	.scheme = "dir:",
	.open = dir_open,
	.close = dir_close,
	.read = dir_read,
	.write = dir_write,
	.remove = dir_remove,
	.list = dir_list,
	.share = dir_share,
	.watch = dir_watch,
	.unwatch = dir_unwatch,
};
