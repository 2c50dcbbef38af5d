/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Router configurations from anybody: JSON if the text begins with '{', else xl.cfg. What is taken must print to a
 * form that is taken again and prints the same. */
#include <stdint.h>
#include <string.h>

#include "xebra/router-config.h"
#ifdef HAVE_XL
#include "xebra/router-xlcfg.h"
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* The parser of Xen 4.17's libxlutil forgets what it had read when a list ends in a syntax error. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libxlutil";
}

static void check(const json_t *json)
{
	AUTO(router_config_free) struct router_config *config = NULL;
	AUTO(router_config_free) struct router_config *again = NULL;
	struct problem problem;

	if (router_config_parse(json, &config, &problem) < 0)
		return;
	AUTO(json_decref) json_t *first = router_config_json(config);
	if (router_config_parse(first, &again, &problem) < 0)
		abort();
	AUTO(json_decref) json_t *second = router_config_json(again);
	if (!json_equal(first, second))
		abort();
	AUTO(free) char *bird = router_config_bird(config);
	if (!bird)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(json_decref) json_t *json = NULL;

	if (size > 0 && data[0] == '{') {
		json = json_loadb((const char *)data, size, 0, NULL);
		if (json)
			check(json);
		return 0;
	}
#ifdef HAVE_XL
	struct problem problem;
	AUTO(free) char *text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	if (router_xlcfg_parse(text, size, "fuzz.cfg", &json, &problem) == 0)
		check(json);
#endif
	return 0;
}
