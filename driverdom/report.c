/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "array.h"
#include "libvnet/base/log.h"

struct said {
	enum wanted_kind kind;
	char name[SEGMENT_NAME_SIZE];
	char text[PROBLEM_TEXT_SIZE];
};

struct report {
	struct tree *tree;
	struct said *said; /* sorted by kind and name */
	size_t n_said;
};

static int by_object(const void *a, const void *b)
{
	const struct said *x = a, *y = b;

	return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

static int add(struct said **said, size_t *n, enum wanted_kind kind, const char *name, const char *text)
{
	struct said *row = ARRAY_ADD(*said, *n);

	if (!row)
		return -ENOMEM;
	row->kind = kind;
	snprintf(row->name, sizeof row->name, "%s", name);
	snprintf(row->text, sizeof row->text, "%s", text);
	return 0;
}

static const char *node_of(char buffer[TREE_PATH_SIZE], enum wanted_kind kind, const char *name)
{
	return tree_path(buffer, REPORT_ROOT "/%s/%s", wanted_kind_name(kind), name);
}

#define NODE_OF(kind, name) node_of((char[TREE_PATH_SIZE]){ "" }, kind, name)

static int read_kind(struct report *report, enum wanted_kind kind)
{
	char **names;
	size_t n;

	int r = tree_list(report->tree, PATH(REPORT_ROOT "/%s", wanted_kind_name(kind)), &names, &n);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; r == 0 && i < n; i++) {
		AUTO(free) char *text = NULL;
		if (tree_read(report->tree, NODE_OF(kind, names[i]), &text) == 0)
			r = add(&report->said, &report->n_said, kind, names[i], text);
	}
	tree_names_free(names, n);
	return r;
}

int report_open(struct tree *tree, struct report **report_out)
{
	AUTO(report_close) struct report *report = calloc(1, sizeof *report);
	int r = report ? 0 : -ENOMEM;

	if (r == 0)
		report->tree = tree;
	for (enum wanted_kind kind = 0; r == 0 && kind < N_WANTED_KINDS; kind++)
		r = read_kind(report, kind);
	if (r < 0)
		return r;
	if (report->n_said)
		qsort(report->said, report->n_said, sizeof *report->said, by_object);
	*report_out = take(report);
	return 0;
}

static void write_row(struct report *report, const struct said *row)
{
	int r = tree_write(report->tree, NODE_OF(row->kind, row->name), row->text);

	if (r < 0)
		log_warn("%s %s: its report is not written: %s", wanted_kind_name(row->kind), row->name, strerror(-r));
	const char *reason = strchr(row->text, ':');
	if (strncmp(row->text, "active", 6) != 0 && reason)
		log_warn("%s", reason + 2);
	else
		log_info("%s %s: %s", wanted_kind_name(row->kind), row->name, row->text);
}

/* Both lists are sorted: walks them side by side. */
static void write_differences(struct report *report, const struct said *rows, size_t n_rows)
{
	const struct said *old = report->said, *old_end = ARRAY_END(old, report->n_said), *row = rows,
			  *end = ARRAY_END(rows, n_rows);

	while (old < old_end || row < end) {
		int order = old == old_end ? 1 : row == end ? -1 : by_object(old, row);
		if (order < 0)
			tree_remove(report->tree, NODE_OF(old->kind, old->name));
		else if (order > 0 || strcmp(old->text, row->text) != 0)
			write_row(report, row);
		old += order <= 0;
		row += order >= 0;
	}
}

/* An object with two statuses (refused, and asked for by somebody else as well) keeps the first. */
static size_t remove_doubles(struct said *rows, size_t n_rows)
{
	size_t n = 0;

	for (size_t i = 0; i < n_rows; i++)
		if (n == 0 || by_object(&rows[n - 1], &rows[i]) != 0)
			rows[n++] = rows[i];
	return n;
}

int report_write(struct report *report, const struct target *target)
{
	struct said *rows = NULL;
	size_t n_rows = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < target->n_statuses; i++) {
		const struct status *status = &target->statuses[i];
		r = add(&rows, &n_rows, status->kind, status->name, status->text);
	}
	if (r < 0) {
		free(rows);
		return r;
	}
	if (n_rows)
		qsort(rows, n_rows, sizeof *rows, by_object);
	n_rows = remove_doubles(rows, n_rows);
	write_differences(report, rows, n_rows);
	free(report->said);
	report->said = rows;
	report->n_said = n_rows;
	return 0;
}

void report_close(struct report *report)
{
	if (!report)
		return;
	free(report->said);
	free(report);
}
