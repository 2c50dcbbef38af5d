/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvnet/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int highest = LOG_INFO;

void log_level(int priority)
{
	highest = priority;
}

void log_line(int priority, const char *format, ...)
{
	char line[1024];
	va_list args;

	if (priority > highest)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof line, format, args);
	va_end(args);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' && *c != '\t')
			*c = ' ';
	if (getenv("JOURNAL_STREAM")) {
		fprintf(stderr, "<%d>%s\n", priority, line);
		return;
	}
	struct timespec now;
	struct tm tm;
	char stamp[32];
	clock_gettime(CLOCK_REALTIME, &now);
	strftime(stamp, sizeof stamp, "%H:%M:%S", gmtime_r(&now.tv_sec, &tm));
	fprintf(stderr, "%s.%03ld %s%s\n", stamp, now.tv_nsec / 1000000, priority <= LOG_ERR ? "error: " : "", line);
}
