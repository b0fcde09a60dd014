/* SPDX-License-Identifier: MIT */
/*
 * log: one line at a time to standard error, whole (one write). Under systemd each line carries its priority, so the
 * journal knows it. Nothing here ever sees a secret; what a peer or an application chose goes through log_escape()
 * first.
 */
#ifndef TLSHD_LOG_H
#define TLSHD_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* syslog's numbers: they are the journal's prefix */
enum log_level { LOG_LEVEL_ERR = 3, LOG_LEVEL_WARN = 4, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

/**
 * log_open() - once in each process, before its first line
 * @role: shown in each line: "supervisor", "worker", "signer"; borrowed for ever
 */
void log_open(const char *role);
void log_set_level(enum log_level level);
bool log_shows(enum log_level level);	/* to spare the work of a line that nobody sees */

void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_err(...)	log_line(LOG_LEVEL_ERR, __VA_ARGS__)
#define log_warn(...)	log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)	log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)	log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/**
 * log_escape() - make foreign text safe in a quoted value
 * @out: out: @cap bytes, always terminated; too long a text is cut
 *
 * What is not printable ASCII, the quote and the backslash become \xNN.
 * Return: @out.
 */
const char *log_escape(char *out, size_t cap, const char *in);

#endif
