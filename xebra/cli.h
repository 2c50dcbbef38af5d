/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the commands of `xebra` share: one row describes a command (its words, arguments, options, help), from which
 * parsing and --help come; tables and colours; calling xebrad.
 */
#ifndef XEBRA_CLI_H
#define XEBRA_CLI_H

#include <argp.h>
#include <stdbool.h>

#include "libvnet/base/http.h"

struct invocation {
	struct http_target target;
	bool json, colours, progress;
	const char *values[128]; /* of options, by key; "" for one without argument */
	const char *more[64];    /* arguments of the repeatable option, in order */
	size_t n_more;
	char **args;
	size_t n_args;
};

struct command {
	const char *noun, *verb, *args_doc, *doc;
	const struct argp_option *options; /* keys below 128; may be NULL */
	int repeatable;                    /* key of the option that may be given more than once, 0: none */
	size_t min_args, max_args;
	enum exit_code (*run)(struct invocation *in);
};

extern const struct command router_commands[], other_commands[]; /* ended by a row without noun */

/* Prints "xebra: TEXT" and returns the exit code. */
enum exit_code fail(const struct problem *problem);
/* http_call; on failure prints and returns the exit code, else EXIT_OK. */
enum exit_code call(const struct invocation *in, const char *method, const char *path, const json_t *body,
		    json_t **reply_out);
/* The same, then prints the reply as JSON if --format json. */
enum exit_code call_and_show(struct invocation *in, const char *method, const char *path, const json_t *body);

/* Runs `one` for every argument at once (a thread each), with a progress bar on a terminal; the highest exit code. */
enum exit_code for_each_arg(struct invocation *in, const char *doing,
			    enum exit_code (*one)(struct invocation *in, const char *arg));

/* "k=v" -> object[k] = v; numbers, true, false become such, "a,b" a list where the key asks for one. -EINVAL. */
int assign(json_t *object, const char *text, struct problem *problem);

/* A table: print_table(in, array, columns) prints rows, or the array as JSON. `get` returns a malloc'ed cell. */
struct column {
	const char *name;
	bool right;
	char *(*get)(const json_t *row);
};
enum exit_code print_table(const struct invocation *in, const json_t *rows, const struct column *columns);
void print_json(const json_t *json);
char *cell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
