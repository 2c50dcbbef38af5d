/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xebra/xl-log.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "libvnet/base/log.h"
#include "xebra/xl-api.h"

enum { LINES = 32, LINE_SIZE = 240, REASONS_MAX = 3 };

struct line {
	unsigned id; /* XL_LOG_ANY_DOMAIN: names none */
	char text[LINE_SIZE];
};

struct xl_log {
	xentoollog_logger logger; /* first: libxl hands it back */
	unsigned long n;          /* lines ever kept; line i is in lines[i % LINES] */
	struct line lines[LINES];
};

/* "libxl_create.c:1268:domcreate_launch_dm: Domain 3:unable to ..." -> "unable to ..." and 3 */
static const char *without_place(const char *text, unsigned *id_out)
{
	const char *c = strstr(text, ".c:");
	unsigned id;
	int n = 0;

	if (c && (size_t)(c - text) == strcspn(text, " .") && isdigit((unsigned char)c[3])) {
		c += 3 + strspn(c + 3, "0123456789");
		if (*c == ':' && (c = strstr(c, ": ")))
			text = c + 2;
	}
	*id_out = XL_LOG_ANY_DOMAIN;
	if (sscanf(text, "Domain %u:%n", &id, &n) == 1 && n > 0) {
		*id_out = id;
		text += n;
	}
	return text + strspn(text, " ");
}

static void trim(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(" \n.:", text[n - 1]))
		text[--n] = '\0';
}

static void keep(struct xl_log *log, const char *message, int error)
{
	struct line *line = &log->lines[log->n % LINES];
	const char *text = without_place(message, &line->id);

	if (error > 0)
		snprintf(line->text, sizeof line->text, "%s: %s", text, strerror(error));
	else
		snprintf(line->text, sizeof line->text, "%s", text);
	trim(line->text);
	log->n++;
}

static void vmessage(struct xentoollog_logger *logger, xentoollog_level level, int error, const char *context,
		     const char *format, va_list arguments)
{
	char message[1024];

	if (level < XTL_WARN)
		return;
	vsnprintf(message, sizeof message, format, arguments);
	log_debug("libxl: %s: %s: %s%s%s", xtl_level_to_string(level), context ? context : "", message,
		  error > 0 ? ": " : "", error > 0 ? strerror(error) : "");
	if (level >= XTL_ERROR)
		keep((struct xl_log *)logger, message, error);
}

static void destroy(struct xentoollog_logger *logger)
{
	(void)logger; /* xl_log_free does it */
}

struct xl_log *xl_log_new(void)
{
	struct xl_log *log = calloc(1, sizeof *log);

	if (log)
		log->logger = (xentoollog_logger){ .vmessage = vmessage, .destroy = destroy };
	return log;
}

void xl_log_free(struct xl_log *log)
{
	free(log);
}

xentoollog_logger *xl_log_logger(struct xl_log *log)
{
	return &log->logger;
}

unsigned long xl_log_mark(const struct xl_log *log)
{
	return log->n;
}

static const struct meaning {
	int error, code;
	const char *what, *remedy; /* `what` when nothing was logged */
} meanings[] = {
	{ ERROR_NOMEM, -ENOMEM, "no memory", "destroy a router or lower memory" },
	{ ERROR_INVAL, -EINVAL, "refused as invalid", NULL },
	{ ERROR_GUEST_TIMEDOUT, -ETIMEDOUT, "the guest did not answer in time", "see its console" },
	{ ERROR_TIMEDOUT, -ETIMEDOUT, "no answer in time", "see whether its back ends run" },
	{ ERROR_NOPARAVIRT, -ENOTSUP, "the guest does not listen", "destroy it instead" },
	{ ERROR_NI, -ENOTSUP, "not implemented by this Xen", NULL },
	{ ERROR_FEATURE_REMOVED, -ENOTSUP, "not in this Xen any more", NULL },
	{ ERROR_NOT_READY, -EAGAIN, "not ready", "try again" },
	{ ERROR_LOCK_FAIL, -EBUSY, "its record is locked", "try again" },
	{ ERROR_DEVICE_EXISTS, -EEXIST, "the device exists", NULL },
	{ ERROR_DOMAIN_NOTFOUND, -ENOENT, "no such domain", NULL },
	{ ERROR_DOMAIN_DESTROYED, -ENOENT, "the domain was destroyed meanwhile", NULL },
	{ ERROR_NOTFOUND, -ENOENT, "not found", NULL },
	{ ERROR_ABORTED, -ECANCELED, "broken off, as xebrad is closing", NULL },
	{ ERROR_JSON_CONFIG_EMPTY, -ENOENT, "libxl holds no record of it", "destroy it" },
};

static const struct meaning *meaning_of(int error)
{
	static const struct meaning other = { ERROR_FAIL, -EIO, "failed; run xebrad with --debug and try again", NULL };

	for (size_t i = 0; i < N_ELEMENTS(meanings); i++)
		if (meanings[i].error == error)
			return &meanings[i];
	return &other;
}

int xl_code(int error)
{
	return error > 0 ? -error : error == 0 ? 0 : meaning_of(error)->code;
}

/* The first lines: the cause comes before its consequences. */
static void reasons(const struct xl_log *log, unsigned long mark, unsigned id, char *text, size_t size)
{
	unsigned n = 0;

	if (log->n - mark > LINES)
		mark = log->n - LINES;
	*text = '\0';
	for (; mark < log->n && n < REASONS_MAX; mark++) {
		const struct line *line = &log->lines[mark % LINES];
		bool ours = line->id == XL_LOG_ANY_DOMAIN || id == XL_LOG_ANY_DOMAIN || line->id == id;

		if (!ours || !*line->text || strstr(text, line->text))
			continue;
		size_t used = strlen(text);
		snprintf(text + used, size - used, "%s%s", n++ ? "; " : "", line->text);
	}
}

/* libxl calls a lack of memory or disk space ERROR_FAIL: only its log knows. */
static int lack_of(const char *text)
{
	if (strcasestr(text, "cannot allocate memory") || strcasestr(text, "out of memory"))
		return ERROR_NOMEM;
	return strcasestr(text, "no space left") ? ENOSPC : 0;
}

int xl_problem(struct problem *problem, const struct xl_log *log, unsigned long mark, unsigned id, const char *name,
	       const char *step, int error)
{
	char text[400];
	int lack = 0;

	reasons(log, mark, id, text, sizeof text);
	if (error == ERROR_ABORTED)
		*text = '\0'; /* they tell what was cut short, not why */
	if (error == ERROR_FAIL)
		lack = lack_of(text);
	if (lack)
		error = lack;
	if (error > 0)
		return problem_set(problem, -error, "%s: %s: %s", name, step, *text ? text : strerror(error));

	const struct meaning *meaning = meaning_of(error);
	return problem_set(problem, meaning->code, "%s: %s: %s%s%s", name, step, *text ? text : meaning->what,
			   meaning->remedy ? "; " : "", meaning->remedy ? meaning->remedy : "");
}
