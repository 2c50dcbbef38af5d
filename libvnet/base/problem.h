/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What went wrong, for a program (code) and for a person (text). A function that can fail in ways a person must
 * understand takes a trailing `struct problem *problem`, fills it and returns its code:
 *
 *     return problem_set(problem, -EEXIST, "router %s: the name is taken; choose another or destroy it first", name);
 *
 * The text names the object, the reason and the remedy, without a final full stop.
 */
#ifndef XEBRA_BASE_PROBLEM_H
#define XEBRA_BASE_PROBLEM_H

#include <stdbool.h>

enum { PROBLEM_TEXT_SIZE = 512 };

struct problem {
	int code; /* 0 or -errno */
	char text[PROBLEM_TEXT_SIZE];
};

/* Sets code and text (cut at PROBLEM_TEXT_SIZE) and returns code. `problem` may be NULL. */
int problem_set(struct problem *problem, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " (formatted) before the text; returns problem->code. */
int problem_prefix(struct problem *problem, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Exit codes of every command-line program. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_DENIED = 4,
	EXIT_NO_CAPACITY = 5,
	EXIT_POSTPONED = 6,
	EXIT_CONFLICT = 7,
	EXIT_UNREACHABLE = 8,
	EXIT_TIMED_OUT = 9,
};

/* One table joins the three languages: -errno, HTTP status, exit code. Unknown values map to -EIO / 500 / 1. */
int problem_http_status(int code);
int problem_code_of_http(int status);
enum exit_code problem_exit_code(int code);

#endif
