/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: finds the command, reads its options, runs it. */
#include <stdlib.h>
#include <string.h>

#include "xebra/cli.h"

const char *argp_program_version = "xebra " VERSION;

static const struct command *const tables[] = { router_commands, other_commands };

enum { COMMON = 1000, SOCKET, HOST, CERT, KEY, CA, FORMAT, NO_PROGRESS };

static const struct argp_option common_options[] = {
	{ NULL, 0, NULL, 0, "Common options:", -2 },
	{ "socket", SOCKET, "PATH", 0, "socket of xebrad (default $XEBRA_SOCKET or " RUNDIR "/xebrad.sock)", -2 },
	{ "host", HOST, "URL", 0, "xebrad elsewhere: https://NAME:PORT, with --cert, --key and --ca", -2 },
	{ "cert", CERT, "FILE", 0, "own certificate (PEM)", -2 },
	{ "key", KEY, "FILE", 0, "own private key (PEM)", -2 },
	{ "ca", CA, "FILE", 0, "authority of xebrad's certificate (PEM)", -2 },
	{ "format", FORMAT, "table|json", 0, "how to print (default table)", -2 },
	{ "no-progress", NO_PROGRESS, NULL, 0, "no progress bar", -2 },
	{ 0 },
};

struct parse {
	const struct command *command; /* NULL: the options before the noun */
	struct invocation *in;
	char *url;
	int first; /* place of the noun */
};

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct invocation *in = parse->in;

	switch (key) {
	case SOCKET:
		free(parse->url);
		if (asprintf(&parse->url, "unix:%s", arg) > 0)
			in->target.url = parse->url;
		return 0;
	case HOST:
		in->target.url = arg;
		return 0;
	case CERT:
		in->target.cert_file = arg;
		return 0;
	case KEY:
		in->target.key_file = arg;
		return 0;
	case CA:
		in->target.ca_file = arg;
		return 0;
	case FORMAT:
		if (strcmp(arg, "table") != 0 && strcmp(arg, "json") != 0)
			argp_error(state, "--format: table or json is wanted, not '%s'", arg);
		in->json = strcmp(arg, "json") == 0;
		return 0;
	case NO_PROGRESS:
		in->progress = false;
		return 0;
	case ARGP_KEY_ARGS:
		if (parse->command)
			return ARGP_ERR_UNKNOWN;
		parse->first = state->next;
		state->next = state->argc;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp common = { common_options, parse_common, NULL, NULL, NULL, NULL, NULL };

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	struct invocation *in = parse->in;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = parse;
		return 0;
	case ARGP_KEY_ARGS:
		in->args = state->argv + state->next;
		in->n_args = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (in->n_args < parse->command->min_args)
			argp_error(state, "too few arguments");
		if (in->n_args > parse->command->max_args)
			argp_error(state, "'%s': too many arguments", in->args[parse->command->max_args]);
		return 0;
	default:
		if (key <= 0 || key >= (int)(sizeof in->values / sizeof *in->values))
			return ARGP_ERR_UNKNOWN;
		if (key != parse->command->repeatable)
			in->values[key] = arg ? arg : "";
		else if (in->n_more < sizeof in->more / sizeof *in->more)
			in->more[in->n_more++] = arg;
		else
			argp_error(state, "'%s': given too often", arg);
		return 0;
	}
}

static enum exit_code usage(FILE *out)
{
	fputs("Usage: xebra NOUN VERB [OPTION...] [ARGUMENT...]\n"
	      "Makes and drives virtual routers and virtual links on this host, through xebrad.\n\n", out);
	for (size_t t = 0; t < N_ELEMENTS(tables); t++)
		for (const struct command *c = tables[t]; c->noun; c++) {
			char words[64];
			snprintf(words, sizeof words, "%s%s%s %s", c->noun, *c->verb ? " " : "", c->verb, c->args_doc);
			fprintf(out, "  %-36s %.*s\n", words, (int)strcspn(c->doc, "\v\n"), c->doc);
		}
	fputs("\nxebra NOUN VERB --help tells more; so does man xebra.\n"
	      "Exit codes: 0 ok, 1 failure, 2 usage, 3 not found, 4 denied, 5 no capacity, 7 state conflict, 8 nobody answers,\n"
	      "9 timeout.\n", out);
	return out == stdout ? EXIT_OK : EXIT_USAGE;
}

/* A command without a verb fits whatever follows its noun. */
static const struct command *find_command(const char *noun, const char *verb)
{
	for (size_t t = 0; t < N_ELEMENTS(tables); t++)
		for (const struct command *c = tables[t]; c->noun; c++)
			if (strcmp(c->noun, noun) == 0 && (!*c->verb || (verb && strcmp(c->verb, verb) == 0)))
				return c;
	return NULL;
}

static enum exit_code no_such_command(const char *noun, const char *verb)
{
	fprintf(stderr, "xebra: '%s%s%s' is not a command; these are:\n\n", noun, verb ? " " : "", verb ? verb : "");
	return usage(stderr);
}

static enum exit_code run_command(struct parse *parse, int argc, char **argv)
{
	static const struct argp_option none[] = { { 0 } };
	const struct argp_child children[] = { { &common, 0, NULL, 0 }, { 0 } };
	const struct command *command = parse->command;
	const struct argp argp = { command->options ? command->options : none, parse_command, command->args_doc, command->doc,
				   children, NULL, NULL };
	int n_words = *command->verb ? 2 : 1;
	char name[64];

	snprintf(name, sizeof name, "xebra %s%s%s", command->noun, n_words == 2 ? " " : "", command->verb);
	argv[n_words - 1] = name; /* what argp prints as the program's name */
	argp_parse(&argp, argc - n_words + 1, argv + n_words - 1, 0, NULL, parse);
	return command->run(parse->in);
}

int main(int argc, char **argv)
{
	const char *socket = getenv("XEBRA_SOCKET");
	struct invocation in = {
		.colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
		.progress = isatty(STDERR_FILENO),
	};
	struct parse parse = { .in = &in };

	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
		return usage(argc < 2 ? stderr : stdout);
	if (asprintf(&parse.url, "unix:%s", socket ? socket : RUNDIR "/xebrad.sock") < 0)
		return EXIT_FAILED;
	in.target.url = parse.url;
	argp_err_exit_status = EXIT_USAGE;
	argp_parse(&common, argc, argv, ARGP_IN_ORDER | ARGP_NO_HELP, NULL, &parse);
	if (!parse.first)
		return usage(stderr);
	char **words = argv + parse.first;
	int n_words = argc - parse.first;
	parse.command = find_command(words[0], n_words > 1 ? words[1] : NULL);
	enum exit_code code = parse.command ? run_command(&parse, n_words, words) :
					      no_such_command(words[0], n_words > 1 ? words[1] : NULL);
	free(parse.url);
	return code;
}
