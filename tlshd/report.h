/* SPDX-License-Identifier: MIT */
/* report: what is wrong with a configuration, every error of it, each with file and line. */
#ifndef TLSHD_REPORT_H
#define TLSHD_REPORT_H

#include <stdarg.h>
#include <stdio.h>

/**
 * struct report - where complaints go
 * @out: one line each, "FILE:LINE: text"; a warning says so
 * @errors: how many lines forbid to start
 */
struct report {
	FILE *out;
	const char *file;
	unsigned errors, warnings;
};

void report_verror(struct report *r, int line, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
void report_error(struct report *r, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void report_warning(struct report *r, int line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
