/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * varp: shows what the data plane does, from the tables it works with and from what driverdomd says in the tree.
 *
 *    varp show KIND --> view: columns, and a filler that walks the pinned tables --> libsmartcols: table or JSON
 *
 * It needs the tables only; without a tree the STATUS column is empty, without a running driverdomd it is its last word.
 */
#include "config.h"

#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <event2/event.h>
#include <libsmartcols.h>

#include "dataplane.h"
#include "libvnet/base/tree.h"
#include "report.h"

DEFINE_AUTO(struct event_base *, event_base_free)
DEFINE_AUTO(struct libscols_table *, scols_unref_table)

struct options {
	const char *pin_dir;
	const char *tree;
	const char *kind;
	const char *name; /* of the object, or NULL for all */
	bool json;
};

struct show {
	const struct options *options;
	const struct pinned *pinned;
	const struct tables *tables;
	struct tree *tree; /* NULL: none is reached */
	struct libscols_table *table;
	size_t n_rows;
};

struct column {
	const char *name;
	bool number;
};

enum { COLUMNS_MAX = 6 };

struct view {
	const char *kind;
	enum wanted_kind reports; /* whose refused objects follow; N_WANTED_KINDS: none */
	struct column columns[COLUMNS_MAX + 1];
	void (*fill)(struct show *show);
};

/* --- cells --- */

static struct libscols_line *row(struct show *show)
{
	show->n_rows++;
	return scols_table_new_line(show->table, NULL);
}

static void __attribute__((format(printf, 3, 4))) cell(struct libscols_line *line, size_t column, const char *format, ...)
{
	AUTO(free) char *text = NULL;
	va_list args;

	va_start(args, format);
	if (line && vasprintf(&text, format, args) >= 0)
		scols_line_set_data(line, column, text);
	va_end(args);
}

#define NAME_OF(show, vn_id) name_of(show, vn_id, (char[SEGMENT_NAME_SIZE]){ "" })
static const char *name_of(const struct show *show, uint32_t vn_id, char buffer[SEGMENT_NAME_SIZE])
{
	if (pinned_name(show->pinned, vn_id, buffer) < 0)
		snprintf(buffer, SEGMENT_NAME_SIZE, "%u", vn_id);
	return buffer;
}

#define DEVICE(ifindex) device(ifindex, (char[IF_NAMESIZE]){ "" })
static const char *device(uint32_t ifindex, char buffer[IF_NAMESIZE])
{
	if (!if_indextoname(ifindex, buffer))
		snprintf(buffer, IF_NAMESIZE, "#%u", ifindex);
	return buffer;
}

#define ADDRESS(address) inet_ntop(AF_INET, &(address)->word[3], (char[INET_ADDRSTRLEN]){ "" }, INET_ADDRSTRLEN)

static bool is_asked_for(const struct show *show, const char *name)
{
	return !show->options->name || strcmp(show->options->name, name) == 0;
}

static void report_cell(struct show *show, struct libscols_line *line, size_t column, enum wanted_kind kind, const char *name)
{
	AUTO(free) char *text = NULL;

	if (show->tree && tree_read(show->tree, PATH(REPORT_ROOT "/%s/%s", wanted_kind_name(kind), name), &text) == 0)
		cell(line, column, "%s", text);
}

/* --- views --- */

static bool is_used(const struct show *show, uint32_t vn_id)
{
	return show->tables->segments[vn_id].head & SEGMENT_USED;
}

static void fill_segments(struct show *show)
{
	for (uint32_t vn_id = 0; vn_id < TABLE_SEGMENTS; vn_id++) {
		uint64_t head = show->tables->segments[vn_id].head;
		const char *name = is_used(show, vn_id) ? NAME_OF(show, vn_id) : NULL;
		if (!name || !is_asked_for(show, name))
			continue;
		struct libscols_line *line = row(show);
		cell(line, 0, "%s", name);
		cell(line, 1, "%u", vn_id);
		cell(line, 2, "%s", segment_flags(head) & SEGMENT_DOWN ? "down" : "up");
		cell(line, 3, "%u", segment_mtu(head));
		cell(line, 4, "%u", segment_n_ports(head));
		cell(line, 5, "%u", segment_n_peers(head));
	}
}

static void fill_ports(struct show *show)
{
	for (uint32_t slot = 0; slot < TABLE_PORTS; slot++) {
		uint64_t where = show->tables->ports[slot].where, guard = show->tables->ports[slot].guard;
		const char *name = DEVICE(port_ifindex(where));
		if (!where || !is_asked_for(show, name))
			continue;
		struct libscols_line *line = row(show);
		cell(line, 0, "%s", name);
		cell(line, 1, "%s", NAME_OF(show, port_segment(where)));
		if (guard & PORT_PINNED)
			cell(line, 2, "%02x:%02x:%02x:%02x:%02x:%02x", (int)(guard >> 40 & 0xff), (int)(guard >> 32 & 0xff),
			     (int)(guard >> 24 & 0xff), (int)(guard >> 16 & 0xff), (int)(guard >> 8 & 0xff), (int)(guard & 0xff));
		report_cell(show, line, 3, WANTED_PORT, name);
	}
}

static void fill_peers(struct show *show)
{
	for (uint32_t vn_id = 0; vn_id < TABLE_SEGMENTS; vn_id++) {
		const struct segment_entry *segment = &show->tables->segments[vn_id];
		const struct segment_list *list = &segment->lists[segment_list_index(segment->head)];
		const char *name = is_used(show, vn_id) ? NAME_OF(show, vn_id) : NULL;
		if (!name || !is_asked_for(show, name))
			continue;
		for (unsigned i = 0; i < segment_n_peers(segment->head) && i < SEGMENT_PEERS_MAX; i++) {
			struct libscols_line *line = row(show);
			cell(line, 0, "%s", name);
			cell(line, 1, "%s", ADDRESS(&show->tables->hosts[list->peers[i] % TABLE_HOSTS].address));
		}
	}
}

static void fill_uplinks(struct show *show)
{
	for (uint32_t slot = 0; slot < TABLE_UPLINKS; slot++) {
		const struct uplink_entry *uplink = &show->tables->uplinks[slot];
		const char *name = DEVICE(uplink->ifindex);
		if (!(uplink->flags & UPLINK_USED) || !is_asked_for(show, name))
			continue;
		struct libscols_line *line = row(show);
		cell(line, 0, "%s", name);
		cell(line, 1, "%s", ADDRESS(&uplink->address));
		report_cell(show, line, 2, WANTED_UPLINK, name);
	}
}

static const struct {
	const char *name;
	const char *meaning;
} drops[N_DROPS] = {
#define DROP_ROW(id, name, meaning) [DROP_##id] = { name, meaning },
	DROPS(DROP_ROW)
#undef DROP_ROW
};

enum { STATS_COLUMNS = 5 /* before those of the drops */ };

/* For people: the reasons that occurred. For programs: a column each. */
static void drop_cells(struct show *show, struct libscols_line *line, const struct segment_stats *stats)
{
	char text[1024] = "";
	size_t n = 0;

	for (size_t why = 0; why < N_DROPS; why++) {
		if (show->options->json)
			cell(line, STATS_COLUMNS + why, "%" PRIu64, (uint64_t)stats->dropped[why]);
		else if (stats->dropped[why] && n < sizeof text)
			n += snprintf(text + n, sizeof text - n, "%s%s=%" PRIu64, n ? " " : "", drops[why].name,
				      (uint64_t)stats->dropped[why]);
	}
	if (!show->options->json)
		cell(line, STATS_COLUMNS, "%s", text);
}

static void stats_row(struct show *show, uint32_t vn_id, const char *name)
{
	struct segment_stats stats;

	if (!is_asked_for(show, name) || pinned_stats(show->pinned, vn_id, &stats) < 0)
		return;
	struct libscols_line *line = row(show);
	cell(line, 0, "%s", name);
	cell(line, 1, "%" PRIu64, (uint64_t)stats.tx_packets);
	cell(line, 2, "%" PRIu64, (uint64_t)stats.tx_bytes);
	cell(line, 3, "%" PRIu64, (uint64_t)stats.rx_packets);
	cell(line, 4, "%" PRIu64, (uint64_t)stats.rx_bytes);
	drop_cells(show, line, &stats);
}

static void fill_stats(struct show *show)
{
	if (show->options->json)
		for (size_t why = 0; why < N_DROPS; why++) {
			struct libscols_column *column = scols_table_new_column(show->table, drops[why].name, 0, 0);
			scols_column_set_json_type(column, SCOLS_JSON_NUMBER);
		}
	else
		scols_table_new_column(show->table, "DROPPED", 0, SCOLS_FL_WRAP);
	for (uint32_t vn_id = 0; vn_id < TABLE_SEGMENTS; vn_id++)
		if (is_used(show, vn_id))
			stats_row(show, vn_id, NAME_OF(show, vn_id));
	stats_row(show, 0, "-");
}

static const struct view views[] = {
	{ "segment", WANTED_SEGMENT,
	  { { "SEGMENT", false }, { "VN-ID", true }, { "STATE", false }, { "MTU", true }, { "PORTS", true }, { "PEERS", true } },
	  fill_segments },
	{ "port", WANTED_PORT, { { "PORT", false }, { "SEGMENT", false }, { "MAC", false }, { "STATUS", false } }, fill_ports },
	{ "peer", N_WANTED_KINDS, { { "SEGMENT", false }, { "PEER", false } }, fill_peers },
	{ "uplink", WANTED_UPLINK, { { "UPLINK", false }, { "ADDRESS", false }, { "STATUS", false } }, fill_uplinks },
	{ "stats", N_WANTED_KINDS,
	  { { "SEGMENT", false }, { "TX-PACKETS", true }, { "TX-BYTES", true }, { "RX-PACKETS", true }, { "RX-BYTES", true } },
	  fill_stats },
};

static const struct view *view_of(const char *kind)
{
	for (size_t i = 0; i < N_ELEMENTS(views); i++)
		if (strcmp(views[i].kind, kind) == 0)
			return &views[i];
	return NULL;
}

/* --- showing --- */

/* What was asked for and is refused, or waits, is in no table: it is told on standard error. */
static void tell_refused(struct show *show, enum wanted_kind kind)
{
	char **names;
	size_t n;

	if (!show->tree || kind == N_WANTED_KINDS ||
	    tree_list(show->tree, PATH(REPORT_ROOT "/%s", wanted_kind_name(kind)), &names, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		AUTO(free) char *text = NULL;
		if (!is_asked_for(show, names[i]) ||
		    tree_read(show->tree, PATH(REPORT_ROOT "/%s/%s", wanted_kind_name(kind), names[i]), &text) < 0 ||
		    strncmp(text, "active", 6) == 0)
			continue;
		fprintf(stderr, "varp: %s\n", text);
		show->n_rows += show->options->name != NULL;
	}
	tree_names_free(names, n);
}

static int make_table(struct show *show, const struct view *view)
{
	show->table = scols_new_table();
	if (!show->table)
		return -ENOMEM;
	scols_table_set_name(show->table, view->kind);
	scols_table_enable_json(show->table, show->options->json);
	for (const struct column *column = view->columns; column->name; column++) {
		struct libscols_column *made = scols_table_new_column(show->table, column->name, 0, column->number ? SCOLS_FL_RIGHT : 0);
		if (!made)
			return -ENOMEM;
		scols_column_set_json_type(made, column->number ? SCOLS_JSON_NUMBER : SCOLS_JSON_STRING);
	}
	return 0;
}

static int show_view(const struct options *options, struct problem *problem)
{
	AUTO(event_base_free) struct event_base *loop = event_base_new();
	AUTO(pinned_close) struct pinned *pinned = NULL;
	AUTO(tree_close) struct tree *tree = NULL;
	AUTO(scols_unref_table) struct libscols_table *table = NULL;
	const struct view *view = view_of(options->kind);

	if (!loop)
		return problem_set(problem, -ENOMEM, "varp: no memory");
	int r = pinned_open(options->pin_dir, &pinned, problem);
	if (r < 0)
		return r;
	tree_open(options->tree, loop, &tree, NULL);
	struct show show = { .options = options, .pinned = pinned, .tables = pinned_tables(pinned), .tree = tree };
	r = make_table(&show, view);
	table = show.table;
	if (r < 0)
		return problem_set(problem, r, "varp: no memory");
	view->fill(&show);
	scols_print_table(table);
	tell_refused(&show, view->reports);
	if (options->name && !show.n_rows)
		return problem_set(problem, -ENOENT, "%s %s: there is none on this host; varp show %s lists all", options->kind,
				   options->name, options->kind);
	return 0;
}

/* --- command line --- */

const char *argp_program_version = "varp (xebra) " PACKAGE_VERSION;

static const struct argp_option option_rows[] = {
	{ "format", 'f', "table|json", 0, "How to print (default table)", 0 },
	{ "pin", 'p', "DIR", 0, "Where driverdomd keeps its tables (default /sys/fs/bpf/xebra)", 0 },
	{ "tree", 't', "WHERE", 0, "Where driverdomd reports: xenstore: (default), or dir:DIRECTORY", 0 },
	{ 0 },
};

static void take_argument(struct options *options, unsigned n, char *arg, struct argp_state *state)
{
	if (n == 0 && strcmp(arg, "show") != 0)
		argp_error(state, "%s: the only command is show", arg);
	if (n == 1 && !view_of(arg))
		argp_error(state, "%s: show segment, port, peer, uplink or stats", arg);
	if (n == 1)
		options->kind = arg;
	if (n == 2)
		options->name = arg;
	if (n > 2)
		argp_error(state, "%s: one argument too many", arg);
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case 'f':
		options->json = strcmp(arg, "json") == 0;
		if (!options->json && strcmp(arg, "table") != 0)
			argp_error(state, "--format %s: write table or json", arg);
		return 0;
	case 'p':
		options->pin_dir = arg;
		return 0;
	case 't':
		options->tree = arg;
		return 0;
	case ARGP_KEY_ARG:
		take_argument(options, state->arg_num, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (!options->kind)
			argp_error(state, "say what to show: varp show segment, port, peer, uplink or stats");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The reasons for drops stand at the end of --help, from the same table. */
static char *help_filter(int key, const char *text, void *input)
{
	char *all = NULL;
	size_t size;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	FILE *out = open_memstream(&all, &size);
	if (!out)
		return (char *)text;
	fprintf(out, "%s\n\nWhy frames are dropped (varp show stats):\n", text);
	for (size_t why = 0; why < N_DROPS; why++)
		fprintf(out, "  %-13s %s\n", drops[why].name, drops[why].meaning);
	fclose(out);
	return all;
}

static const struct argp parser = {
	.options = option_rows,
	.parser = parse_option,
	.args_doc = "show segment|port|peer|uplink|stats [NAME]",
	.doc = "Shows the segments that this host carries, their ports and peers, and what became of their frames."
	       "\vExamples:\n"
	       "  varp show segment\n"
	       "  varp show port vif3.0\n"
	       "  varp show stats blue.l1 --format json",
	.help_filter = help_filter,
};

int main(int argc, char **argv)
{
	struct options options = { .pin_dir = "/sys/fs/bpf/xebra", .tree = "xenstore:" };
	struct problem problem = { .code = 0 };

	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&parser, argc, argv, 0, NULL, &options) != 0)
		return EXIT_USAGE;
	int r = show_view(&options, &problem);
	if (r < 0)
		fprintf(stderr, "varp: %s\n", problem.text);
	return r == 0 ? EXIT_OK : (int)problem_exit_code(r);
}
