/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration bus between Dom0, driver domains and routers: a tree of small text nodes with watches.
 *
 *     "xenstore:"     XenStore; a relative path is below the caller's own /local/domain/<domid>
 *     "dir:/some/dir" files below /some/dir, with inotify; both "/a/b" and "a/b" are /some/dir/a/b
 *
 * Order of calls: tree_open, then any of the others, tree_close last (it ends remaining watches). A node holds either
 * a value or children, never both. Path components match [A-Za-z0-9@_.:-]{1,64} and do not begin with '.'; values
 * are text of at most TREE_VALUE_SIZE bytes (XenStore's payload limit with room for the path). Whoever needs several
 * nodes to change together writes a `generation` node last and its reader acts on that one.
 *
 * Everything read from a tree may have been written by a guest: callers check it.
 */
#ifndef XEBRA_BASE_TREE_H
#define XEBRA_BASE_TREE_H

#include <stddef.h>

#include "libvnet/base/cleanup.h"
#include "libvnet/base/problem.h"

enum { TREE_VALUE_SIZE = 3072, TREE_PATH_SIZE = 512 };

struct event_base;
struct tree;
struct tree_watch;

/* What another domain may do at and below a node. The owner of the tree may always do everything. */
enum tree_access { TREE_NONE, TREE_READ, TREE_WRITE };

/* -EINVAL: `where` is not understood. Otherwise why the store cannot be reached. `loop` carries the watches. */
int tree_open(const char *where, struct event_base *loop, struct tree **tree_out, struct problem *problem);
void tree_close(struct tree *tree);
DEFINE_AUTO(struct tree *, tree_close)

/* The value as a new string. -ENOENT: no such node; -EINVAL: bad path; -EISDIR: it has children. */
int tree_read(struct tree *tree, const char *path, char **value_out);
/* Makes missing parents. -EINVAL: bad path; -EMSGSIZE: value too long; -ENOSPC: quota or disk full; -EACCES. */
int tree_write(struct tree *tree, const char *path, const char *value);
/* Removes the node and all below it; no node is no error. */
int tree_remove(struct tree *tree, const char *path);
/* Names of the children in strcmp order, freed with tree_names_free. -ENOENT: no such node. */
int tree_list(struct tree *tree, const char *path, char ***names_out, size_t *n_names_out);
void tree_names_free(char **names, size_t n_names);
/* Lets domain `domid` read (and write) at and below `path`, which is made if missing. Nothing on a dir tree. */
int tree_share(struct tree *tree, const char *path, unsigned domid, enum tree_access access);

/* Called from the loop, once soon after tree_watch and then after every change at or below the watched path. Several
 * changes may be reported as one: read again what you care for. `path` is a hint: one of the nodes that changed. */
typedef void tree_changed_fn(void *arg, const char *path);
/* Watches a node that holds (or will hold) children; a dir tree makes it if it is missing. */
int tree_watch(struct tree *tree, const char *path, tree_changed_fn *changed, void *arg, struct tree_watch **watch_out);
void tree_unwatch(struct tree_watch *watch);
DEFINE_AUTO(struct tree_watch *, tree_unwatch)

/* printf of a path into a buffer of the enclosing block: tree_write(t, PATH("xebra/if/%s/mtu", name), "1500").
 * A path that does not fit becomes "", which every call refuses with -EINVAL. */
#define PATH(...) tree_path((char[TREE_PATH_SIZE]){ "" }, __VA_ARGS__)
const char *tree_path(char buffer[TREE_PATH_SIZE], const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
