/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libxlutil parses; it has no way to list the keys, so a small scan of the (then known to be good) text finds them and
 * their lines. A table says where each goes.
 */
#include "xebra/router-xlcfg.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <libxlutil.h>
#include <string.h>

DEFINE_AUTO(XLU_Config *, xlu_cfg_destroy)

enum xl_kind { XL_TEXT, XL_NUMBER, XL_FLAG, XL_LIST, XL_LIST_OR_TEXT, XL_VIFS, XL_FILE };

static const struct {
	const char *xl, *ours;
	enum xl_kind kind;
} xl_keys[] = {
	{ "name", "name", XL_TEXT },	   { "uuid", "uuid", XL_TEXT },
	{ "type", "type", XL_TEXT },	   { "kernel", "kernel", XL_TEXT },
	{ "ramdisk", "ramdisk", XL_TEXT }, { "cmdline", "cmdline", XL_TEXT },
	{ "extra", "cmdline", XL_TEXT },   { "memory", "memory", XL_NUMBER },
	{ "vcpus", "vcpus", XL_NUMBER },   { "cpus", "cpus", XL_LIST_OR_TEXT },
	{ "pool", "pool", XL_TEXT },	   { "cpu_weight", "weight", XL_NUMBER },
	{ "cap", "cap", XL_NUMBER },	   { "on_poweroff", "on_poweroff", XL_TEXT },
	{ "on_reboot", "on_reboot", XL_TEXT }, { "on_crash", "on_crash", XL_TEXT },
	{ "driver_domain", "driver_domain", XL_FLAG }, { "disk", "disks", XL_LIST },
	{ "vif", "ports", XL_VIFS },	   { "image", "image", XL_TEXT },
	{ "hostname", "hostname", XL_TEXT }, { "loopback", "loopback", XL_LIST },
	{ "routes", "routes", XL_LIST },   { "routing", "routing", XL_TEXT },
	{ "bird", "bird", XL_FILE },
};

enum { BIRD_FILE_SIZE = 65536 };

struct source {
	const char *text;
	size_t size;
	const char *filename;
	XLU_Config *cfg;
	FILE *report; /* what libxlutil complains */
	char **complaint;
};

/* --- the scan: keys at the top level --- */

struct scan {
	const char *at, *end;
	int line;
};

/* Moves past white space, comments, strings and brackets to the next key ("IDENT ="). */
static bool next_key(struct scan *scan, const char **key_out, size_t *size_out, int *line_out)
{
	int depth = 0;

	while (scan->at < scan->end) {
		char c = *scan->at;
		if (c == '\n') {
			scan->line++;
		} else if (c == '#') {
			while (scan->at + 1 < scan->end && scan->at[1] != '\n')
				scan->at++;
		} else if (c == '"' || c == '\'') {
			for (scan->at++; scan->at < scan->end && *scan->at != c && *scan->at != '\n'; scan->at++)
				if (*scan->at == '\\')
					scan->at++;
		} else if (c == '[') {
			depth++;
		} else if (c == ']') {
			depth--;
		} else if (depth == 0 && (isalpha((unsigned char)c) || c == '_')) {
			const char *key = scan->at;
			while (scan->at < scan->end && (isalnum((unsigned char)*scan->at) || *scan->at == '_'))
				scan->at++;
			const char *after = scan->at;
			while (after < scan->end && (*after == ' ' || *after == '\t'))
				after++;
			if (after < scan->end && (*after == '=' || *after == '+')) {
				*key_out = key;
				*size_out = scan->at - key;
				*line_out = scan->line;
				return true;
			}
			continue;
		}
		scan->at++;
	}
	return false;
}

int router_xlcfg_line(const char *text, size_t size, const char *key)
{
	struct scan scan = { text, text + size, 1 };
	const char *found;
	size_t n;
	int line;

	if (!key || !*key)
		return -1;
	while (next_key(&scan, &found, &n, &line))
		if (n == strlen(key) && memcmp(found, key, n) == 0)
			return line;
	return 0;
}

static int refuse(const struct source *source, const char *key, struct problem *problem)
{
	int line = router_xlcfg_line(source->text, source->size, key);

	return line > 0 ? problem_prefix(problem, "%s:%d", source->filename, line) :
			  problem_prefix(problem, "%s", source->filename);
}

/* What libxlutil printed, without its "FILE:" prefix repeated and without line ends. */
static int refuse_with_complaint(const struct source *source, const char *key, struct problem *problem)
{
	fflush(source->report);
	char *text = *source->complaint;
	text[strcspn(text, "\n")] = '\0';
	if (!*text) {
		problem_set(problem, -EINVAL, "%s: not of the right kind", key);
		return refuse(source, key, problem);
	}
	return problem_set(problem, -EINVAL, "%s", text);
}

/* --- values --- */

static int read_file(const struct source *source, const char *path, json_t **json_out, struct problem *problem)
{
	char full[4096], data[BIRD_FILE_SIZE + 1];
	AUTO(free) char *dir = strdup(source->filename);

	snprintf(full, sizeof full, *path == '/' ? "%.0s%s" : "%s/%s", dirname(dir), path);
	AUTO(fclose) FILE *file = fopen(full, "re");
	if (!file)
		return problem_set(problem, -EINVAL, "bird: %s: %s", full, strerror(errno));
	size_t n = fread(data, 1, sizeof data, file);
	if (n > BIRD_FILE_SIZE)
		return problem_set(problem, -EINVAL, "bird: %s: longer than %d bytes", full, BIRD_FILE_SIZE);
	*json_out = json_stringn(data, n);
	return *json_out ? 0 : problem_set(problem, -EINVAL, "bird: %s: not UTF-8 text", full);
}

/* One "k=v,k=v" of the vif list. */
static int parse_vif(const char *text, size_t index, json_t **json_out, struct problem *problem)
{
	static const char *const texts[] = { "mac", "bridge", "backend", "segment", "vf", "name" };
	AUTO(json_decref) json_t *port = json_object();
	AUTO(json_decref) json_t *addresses = json_array();
	AUTO(free) char *copy = strdup(text);
	char *rest = copy;

	for (char *item; (item = strsep(&rest, ","));) {
		while (*item == ' ')
			item++;
		char *value = strchr(item, '=');
		if (!value)
			return problem_set(problem, -EINVAL, "vif[%zu]: '%s': KEY=VALUE is wanted", index, item);
		*value++ = '\0';
		size_t i = 0;
		while (i < N_ELEMENTS(texts) && strcmp(texts[i], item) != 0)
			i++;
		if (i < N_ELEMENTS(texts)) {
			json_object_set_new(port, item, json_string(value));
		} else if (strcmp(item, "ip") == 0) {
			json_array_append_new(addresses, json_string(value));
		} else if (strcmp(item, "mtu") == 0) {
			char *end;
			unsigned long mtu = strtoul(value, &end, 10);
			json_object_set_new(port, "mtu", *value && !*end ? json_integer(mtu) : json_string(value));
		} else if (strcmp(item, "rate") == 0) {
			char unit[8] = "", end;
			unsigned long n = 0;
			/* as in xl: 10Mb/s, 100Kb/s, 1Gb/s (bits) or MB/s (bytes) */
			if (sscanf(value, "%lu%7[KMGBb/s]%c", &n, unit, &end) < 1 || !strchr("KMGBb", unit[0]))
				return problem_set(problem, -EINVAL, "vif[%zu]: rate: like 10Mb/s or 1GB/s is wanted", index);
			unsigned long scale = unit[0] == 'K' ? 1000 : unit[0] == 'M' ? 1000000 : unit[0] == 'G' ? 1000000000 : 1;
			json_object_set_new(port, "rate", json_integer(n * scale * (strchr(unit, 'B') ? 8 : 1)));
		} else if (strcmp(item, "script") == 0) {
			if (strcmp(value, "vif-xebra") != 0)
				return problem_set(problem, -EINVAL, "vif[%zu]: script: only vif-xebra is known; for a bridge give bridge=NAME alone", index);
		} else {
			return problem_set(problem, -EINVAL, "vif[%zu]: %s: no such key; known: mac bridge backend rate segment vf name ip mtu", index, item);
		}
	}
	if (json_array_size(addresses))
		json_object_set(port, "addresses", addresses);
	/* `script=vif-xebra,bridge=SEGMENT` is how a plain xl guest says it */
	if (strstr(text, "script=vif-xebra") && json_object_get(port, "bridge")) {
		json_object_set(port, "segment", json_object_get(port, "bridge"));
		json_object_del(port, "bridge");
	}
	*json_out = take(port);
	return 0;
}

static int get_list(const struct source *source, const char *key, bool vifs, json_t **json_out,
		    struct problem *problem)
{
	AUTO(json_decref) json_t *array = json_array();
	XLU_ConfigList *list;
	int n;

	if (xlu_cfg_get_list(source->cfg, key, &list, &n, 0) != 0)
		return refuse_with_complaint(source, key, problem);
	for (int i = 0; i < n; i++) {
		const char *text = xlu_cfg_get_listitem(list, i);
		json_t *item = NULL;
		if (!text)
			return problem_set(problem, -EINVAL, "%s: item %d is not a text", key, i);
		int r = vifs ? parse_vif(text, i, &item, problem) : 0;
		if (r < 0)
			return r;
		json_array_append_new(array, vifs ? item : json_string(text));
	}
	*json_out = take(array);
	return 0;
}

/* cpus = "0-3" or ["0", "2"] */
static int get_joined(const struct source *source, const char *key, json_t **json_out, struct problem *problem)
{
	AUTO(json_decref) json_t *list = NULL;
	const char *text;
	char joined[1024] = "";

	if (xlu_cfg_get_string(source->cfg, key, &text, 1) == 0) {
		*json_out = json_string(text);
		return 0;
	}
	int r = get_list(source, key, false, &list, problem);
	if (r < 0)
		return r;
	for (size_t i = 0; i < json_array_size(list); i++)
		snprintf(joined + strlen(joined), sizeof joined - strlen(joined), "%s%s", i ? "," : "",
			 json_string_value(json_array_get(list, i)));
	*json_out = json_string(joined);
	return 0;
}

static int get_value(const struct source *source, const char *key, enum xl_kind kind, json_t **json_out,
		     struct problem *problem)
{
	const char *text;
	long number;

	switch (kind) {
	case XL_TEXT:
	case XL_FILE:
		if (xlu_cfg_get_string(source->cfg, key, &text, 0) != 0)
			return refuse_with_complaint(source, key, problem);
		if (kind == XL_FILE)
			return read_file(source, text, json_out, problem);
		*json_out = json_string(text);
		return *json_out ? 0 : problem_set(problem, -EINVAL, "%s: not UTF-8 text", key);
	case XL_NUMBER:
	case XL_FLAG:
		if (xlu_cfg_get_long(source->cfg, key, &number, 0) != 0)
			return refuse_with_complaint(source, key, problem);
		*json_out = kind == XL_FLAG ? json_boolean(number) : json_integer(number);
		return 0;
	case XL_LIST:
		return get_list(source, key, false, json_out, problem);
	case XL_VIFS:
		return get_list(source, key, true, json_out, problem);
	case XL_LIST_OR_TEXT:
		return get_joined(source, key, json_out, problem);
	}
	return -EINVAL;
}

static int translate_all(const struct source *source, json_t *json, struct problem *problem)
{
	struct scan scan = { source->text, source->text + source->size, 1 };
	const char *found;
	size_t n;
	int line;

	while (next_key(&scan, &found, &n, &line)) {
		char key[64] = "";
		json_t *value = NULL;
		size_t i = 0;
		snprintf(key, sizeof key, "%.*s", (int)n, found);
		while (i < N_ELEMENTS(xl_keys) && strcmp(xl_keys[i].xl, key) != 0)
			i++;
		if (i == N_ELEMENTS(xl_keys))
			return problem_set(problem, -EINVAL,
					   "%s:%d: %s: not a key of routers; remove it (xebra router create --help lists the keys)",
					   source->filename, line, key);
		int r = get_value(source, key, xl_keys[i].kind, &value, problem);
		if (r < 0)
			return strstr(problem->text, source->filename) ? r : refuse(source, key, problem);
		json_object_set_new(json, xl_keys[i].ours, value);
	}
	return 0;
}

/* A refusal of router_config_parse names our key ("weight: ...", "ports[1].mac: ..."); say xl's and its line. */
static int refuse_parsed(const struct source *source, struct problem *problem)
{
	size_t n = strcspn(problem->text, ":[");

	for (size_t i = 0; i < N_ELEMENTS(xl_keys); i++) {
		const char *ours = xl_keys[i].ours;
		if (strlen(ours) == n && memcmp(ours, problem->text, n) == 0 &&
		    router_xlcfg_line(source->text, source->size, xl_keys[i].xl) > 0) {
			char rest[PROBLEM_TEXT_SIZE];
			memcpy(rest, problem->text, sizeof rest);
			problem_set(problem, problem->code, "%s%s", xl_keys[i].xl, rest + n);
			return refuse(source, xl_keys[i].xl, problem);
		}
	}
	return refuse(source, NULL, problem);
}

int router_xlcfg_parse(const char *text, size_t size, const char *filename, json_t **json_out,
		       struct problem *problem)
{
	AUTO(free) char *complaint = NULL;
	size_t complaint_size;
	AUTO(fclose) FILE *report = open_memstream(&complaint, &complaint_size);
	AUTO(xlu_cfg_destroy) XLU_Config *cfg = report ? xlu_cfg_init(report, filename) : NULL;
	AUTO(json_decref) json_t *json = json_object();
	AUTO(router_config_free) struct router_config *config = NULL;
	struct source source = { text, size, filename, cfg, report, &complaint };

	if (!cfg || !json)
		return problem_set(problem, -ENOMEM, "%s: no memory", filename);
	if (memchr(text, '\0', size))
		return problem_set(problem, -EINVAL, "%s: holds a NUL byte; a text file is wanted", filename);
	fflush(report);
	if (xlu_cfg_readdata(cfg, text, size) != 0)
		return refuse_with_complaint(&source, "", problem);
	int r = translate_all(&source, json, problem);
	if (r < 0)
		return r;
	if (router_config_parse(json, &config, problem) < 0)
		return refuse_parsed(&source, problem);
	*json_out = take(json);
	return 0;
}
