/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Log lines of the daemons, on standard error: "router blue/r1: link e0 down", object first, no time stamp (journald
 * adds it) unless standard error is a terminal or a plain file. Under systemd (JOURNAL_STREAM) each line carries its
 * syslog priority as "<N>". Libraries never call this: they return errors.
 */
#ifndef XEBRA_BASE_LOG_H
#define XEBRA_BASE_LOG_H

#include <syslog.h>

/* Lines above this priority (default LOG_INFO) are dropped. */
void log_level(int priority);
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
