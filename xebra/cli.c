/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/cli.h"

#include <errno.h>
#include <libsmartcols.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

enum exit_code fail(const struct problem *problem)
{
	fprintf(stderr, "xebra: %s\n", problem->text);
	return problem_exit_code(problem->code);
}

enum exit_code call(const struct invocation *in, const char *method, const char *path, const json_t *body,
		    json_t **reply_out)
{
	struct problem problem = { 0 };

	return http_call(&in->target, method, path, body, reply_out, &problem) < 0 ? fail(&problem) : EXIT_OK;
}

enum exit_code call_and_show(struct invocation *in, const char *method, const char *path, const json_t *body)
{
	AUTO(json_decref) json_t *reply = NULL;
	enum exit_code code = call(in, method, path, body, &reply);

	if (code == EXIT_OK && in->json)
		print_json(reply);
	return code;
}

/* --- several at once --- */

struct crowd {
	struct invocation *in;
	enum exit_code (*one)(struct invocation *in, const char *arg);
	const char *doing;
	pthread_mutex_t lock;
	size_t n_done;
};

struct member {
	struct crowd *crowd;
	const char *arg;
	pthread_t thread;
	bool started;
	enum exit_code code;
};

static void show_progress(struct crowd *crowd)
{
	enum { WIDTH = 30 };
	size_t n = crowd->in->n_args, filled = crowd->n_done * WIDTH / n;

	if (!crowd->in->progress || n < 2)
		return;
	fprintf(stderr, "\r%s [%.*s%*s] %zu/%zu%s", crowd->doing, (int)filled, "##############################",
		(int)(WIDTH - filled), "", crowd->n_done, n, crowd->n_done == n ? "\n" : "");
}

static void *run_member(void *arg)
{
	struct member *member = arg;
	struct crowd *crowd = member->crowd;

	member->code = crowd->one(crowd->in, member->arg);
	pthread_mutex_lock(&crowd->lock);
	crowd->n_done++;
	show_progress(crowd);
	pthread_mutex_unlock(&crowd->lock);
	return NULL;
}

enum exit_code for_each_arg(struct invocation *in, const char *doing,
			    enum exit_code (*one)(struct invocation *in, const char *arg))
{
	struct crowd crowd = { .in = in, .one = one, .doing = doing, .lock = PTHREAD_MUTEX_INITIALIZER };
	AUTO(free) struct member *members = calloc(in->n_args, sizeof *members);
	enum exit_code worst = EXIT_OK;

	show_progress(&crowd);
	for (size_t i = 0; i < in->n_args; i++) {
		members[i] = (struct member){ .crowd = &crowd, .arg = in->args[i] };
		members[i].started = pthread_create(&members[i].thread, NULL, run_member, &members[i]) == 0;
		if (!members[i].started)
			run_member(&members[i]);
	}
	for (size_t i = 0; i < in->n_args; i++) {
		if (members[i].started)
			pthread_join(members[i].thread, NULL);
		worst = members[i].code > worst ? members[i].code : worst;
	}
	return worst;
}

/* --- words into JSON --- */

static json_t *value_of(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);

	return json ? json : json_string(text);
}

static bool wants_list(const char *key)
{
	static const char *const lists[] = { "loopback", "routes", "disks", "addresses", "peers" };

	for (size_t i = 0; i < N_ELEMENTS(lists); i++)
		if (strcmp(lists[i], key) == 0)
			return true;
	return false;
}

static json_t *list_of(const char *text)
{
	AUTO(free) char *copy = strdup(text);
	json_t *list = json_array();
	char *rest = copy;

	for (char *item; *text && (item = strsep(&rest, ","));)
		json_array_append_new(list, json_string(item));
	return list;
}

int assign(json_t *object, const char *text, struct problem *problem)
{
	static const char *const texts[] = { "name", "mac", "segment", "bridge", "vf", "cpus", "hostname", "pool", "image" };
	const char *equals = strchr(text, '=');
	char key[64];

	if (!equals || equals == text || equals - text >= (long)sizeof key)
		return problem_set(problem, -EINVAL, "'%s': KEY=VALUE is wanted", text);
	snprintf(key, sizeof key, "%.*s", (int)(equals - text), text);
	if (strcmp(key, "ip") == 0)
		strcpy(key, "addresses");
	bool is_text = false;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++)
		is_text |= strcmp(texts[i], key) == 0;
	json_t *value = wants_list(key) ? list_of(equals + 1) : is_text ? json_string(equals + 1) : value_of(equals + 1);
	return value && json_object_set_new(object, key, value) == 0 ?
		       0 : problem_set(problem, -EINVAL, "%s: the value is not UTF-8 text", key);
}

/* --- printing --- */

void print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

char *cell(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	int n = vasprintf(&text, format, args);
	va_end(args);
	return n < 0 ? NULL : text;
}

static const char *colour_of(const char *text)
{
	static const struct {
		const char *text, *colour;
	} colours[] = { { "running", "green" }, { "up", "green" }, { "failed", "red" }, { "crashed", "red" }, { "down", "red" },
			{ "paused", "yellow" }, { "saved", "yellow" }, { "stopped", "darkgray" } };

	for (size_t i = 0; text && i < N_ELEMENTS(colours); i++)
		if (strcmp(colours[i].text, text) == 0)
			return colours[i].colour;
	return NULL;
}

enum exit_code print_table(const struct invocation *in, const json_t *rows, const struct column *columns)
{
	struct libscols_table *table;
	const json_t *row;
	size_t i;

	if (in->json) {
		print_json(rows);
		return EXIT_OK;
	}
	table = scols_new_table();
	scols_table_enable_colors(table, in->colours);
	for (i = 0; columns[i].name; i++)
		scols_table_new_column(table, columns[i].name, 0.1, columns[i].right ? SCOLS_FL_RIGHT : 0);
	json_array_foreach(rows, i, row) {
		struct libscols_line *line = scols_table_new_line(table, NULL);
		for (size_t c = 0; columns[c].name; c++) {
			char *text = columns[c].get(row);
			const char *colour = in->colours ? colour_of(text) : NULL;
			if (colour)
				scols_cell_set_color(scols_line_get_cell(line, c), colour);
			scols_line_refer_data(line, c, text);
		}
	}
	scols_print_table(table);
	scols_unref_table(table);
	return EXIT_OK;
}
