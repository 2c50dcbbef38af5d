/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "libvnet/base/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libvnet/base/cleanup.h"

/* The first row of a status or exit code is the one chosen when translating back. */
static const struct {
	int code;
	int http;
	enum exit_code exit;
} rows[] = {
	{ 0, 200, EXIT_OK },
	{ -EIO, 500, EXIT_FAILED },
	{ -EINVAL, 400, EXIT_USAGE },
	{ -ENOENT, 404, EXIT_NOT_FOUND },
	{ -EACCES, 403, EXIT_DENIED },
	{ -EPERM, 401, EXIT_DENIED },
	{ -EEXIST, 409, EXIT_CONFLICT },
	{ -EBUSY, 409, EXIT_CONFLICT },
	{ -EMSGSIZE, 413, EXIT_USAGE },
	{ -ENOTSUP, 501, EXIT_FAILED },
	{ -ENOSPC, 507, EXIT_NO_CAPACITY },
	{ -ENOMEM, 507, EXIT_NO_CAPACITY },
	{ -EHOSTUNREACH, 502, EXIT_UNREACHABLE },
	{ -ECONNREFUSED, 502, EXIT_UNREACHABLE },
	{ -ETIMEDOUT, 504, EXIT_TIMED_OUT },
};

int problem_set(struct problem *problem, int code, const char *format, ...)
{
	va_list args;

	if (!problem)
		return code;
	problem->code = code;
	va_start(args, format);
	vsnprintf(problem->text, sizeof problem->text, format, args);
	va_end(args);
	return code;
}

int problem_prefix(struct problem *problem, const char *format, ...)
{
	char old[PROBLEM_TEXT_SIZE];
	va_list args;

	if (!problem)
		return 0;
	memcpy(old, problem->text, sizeof old);
	va_start(args, format);
	int n = vsnprintf(problem->text, sizeof problem->text, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof problem->text)
		snprintf(problem->text + n, sizeof problem->text - n, ": %s", old);
	return problem->code;
}

int problem_http_status(int code)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (rows[i].code == code)
			return rows[i].http;
	return 500;
}

int problem_code_of_http(int status)
{
	if (status >= 200 && status < 300)
		return 0;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (rows[i].http == status)
			return rows[i].code;
	return -EIO;
}

enum exit_code problem_exit_code(int code)
{
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (rows[i].code == code)
			return rows[i].exit;
	return EXIT_FAILED;
}
