/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes -> nodes -> configuration -> plan -> texts. Each line of the input is "path value"; a backslash in a value stands
 * for a newline. Without libFuzzer (FUZZ_MAIN) the program runs the files of the corpus; so it does in `make check`.
 */
#include <dirent.h>
#include <stdint.h>
#include <string.h>

#include "xebra/guest/guest-plan.h"
#include "xebra/guest/guest-report.h"

enum { LINES_MAX = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *buf, size_t size);

static void use(const struct guest_config *config)
{
	struct guest_link links[] = { { .index = 1, .name = "lo", .loopback = true },
				      { .index = 2, .name = "eth0", .mac = { 0, 0x16, 0x3e, 0, 0, 1 } },
				      { .index = 3, .name = "e0", .mac = { 0, 0x16, 0x3e, 0, 0, 2 } } };
	struct guest_actual actual = { .links = links, .n_links = N_ELEMENTS(links) };
	struct guest_plan plan = { .actions = NULL };
	char text[GUEST_REPORT_SIZE];

	guest_plan(config, &actual, &plan);
	for (size_t i = 0; i < plan.n_actions; i++)
		guest_action_text(&plan.actions[i], (char[GUEST_ACTION_TEXT_SIZE]){ "" });
	guest_plan_clear(&plan);
	guest_report_format(&(struct guest_report){ .uptime_s = 1 }, config, &actual, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *buf, size_t size)
{
	AUTO(free) char *text = malloc(size + 1);
	AUTO(free) struct guest_node *nodes = calloc(LINES_MAX, sizeof *nodes);
	AUTO(guest_config_free) struct guest_config *config = NULL;
	struct problem problem = { 0 };
	size_t n = 0;
	char *rest, *line;

	if (!text || !nodes)
		return 0;
	memcpy(text, buf, size);
	text[size] = '\0';
	for (line = strtok_r(text, "\n", &rest); line && n < LINES_MAX; line = strtok_r(NULL, "\n", &rest)) {
		char *value = strchr(line, ' ');
		if (value)
			*value++ = '\0';
		for (char *c = value; c && (c = strchr(c, '\\'));)
			*c = '\n';
		nodes[n++] = (struct guest_node){ line, value ? value : "" };
	}
	if (guest_config_parse(nodes, n, &config, &problem) == 0)
		use(config);
	else if (!problem.text[0])
		abort(); /* refused without a word */
	return 0;
}

#ifdef FUZZ_MAIN
DEFINE_AUTO(DIR *, closedir)

static int run_file(const char *path)
{
	AUTO(fclose) FILE *file = fopen(path, "re");
	uint8_t bytes[65536];

	if (!file)
		return -1;
	LLVMFuzzerTestOneInput(bytes, fread(bytes, 1, sizeof bytes, file));
	return 0;
}

/* Every file of the directory CORPUS. */
int main(void)
{
	AUTO(closedir) DIR *dir = opendir(CORPUS);
	int n = 0;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", CORPUS, entry->d_name);
		if (entry->d_name[0] != '.' && run_file(path) == 0)
			n++;
	}
	printf("%d files\n", n);
	return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
#endif
