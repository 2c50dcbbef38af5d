/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tree.c asks of a backend. Paths and values have been checked; semantics are those of tree.h; all required. */
#ifndef XEBRA_BASE_TREE_BACKEND_H
#define XEBRA_BASE_TREE_BACKEND_H

#include "libvnet/base/tree.h"

struct tree_backend {
	const char *scheme; /* "dir:" */
	int (*open)(const char *where, struct event_base *loop, void **self_out, struct problem *problem);
	void (*close)(void *self);
	int (*read)(void *self, const char *path, char **value_out);
	int (*write)(void *self, const char *path, const char *value);
	int (*remove)(void *self, const char *path);
	int (*list)(void *self, const char *path, char ***names_out, size_t *n_names_out); /* any order */
	int (*share)(void *self, const char *path, unsigned domid, enum tree_access access);
	int (*watch)(void *self, struct tree_watch *watch);
	void (*unwatch)(void *self, struct tree_watch *watch);
};

/* Backends keep what they need in `data`, and report by changed(arg, path), only from the loop. */
struct tree_watch {
	struct tree *tree;
	char *path;
	tree_changed_fn *changed;
	void *arg;
	void *data;
	struct tree_watch *next; /* all watches of the tree */
};

extern const struct tree_backend tree_dir, tree_xs;

#endif
