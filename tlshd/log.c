// SPDX-License-Identifier: MIT
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_LEN 1024

static const char *role = "tlshd";
static enum log_level shown = LOG_LEVEL_INFO;
static bool journal;

/* JOURNAL_STREAM names the journal's socket; it may be inherited by a process whose stderr goes elsewhere. */
static bool stderr_is_journal(void)
{
	const char *env = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return env && sscanf(env, "%llu:%llu", &dev, &ino) == 2 && !fstat(STDERR_FILENO, &st) &&
	       st.st_dev == dev && st.st_ino == ino;
}

void log_open(const char *name)
{
	role = name;
	journal = stderr_is_journal();
}

void log_set_level(enum log_level level)
{
	shown = level;
}

bool log_shows(enum log_level level)
{
	return level <= shown;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const words[] = { [LOG_LEVEL_ERR] = "error", [LOG_LEVEL_WARN] = "warning",
					     [LOG_LEVEL_INFO] = "info", [LOG_LEVEL_DEBUG] = "debug" };
	char line[LINE_MAX_LEN], prefix[32];
	size_t len;
	va_list ap;
	int n;

	if (!log_shows(level))
		return;
	snprintf(prefix, sizeof(prefix), journal ? "<%d>" : "tlshd: ", level);
	n = snprintf(line, sizeof(line), "%s%s: %s: ", prefix, role, words[level]);
	len = (size_t)n;
	va_start(ap, fmt);
	n = vsnprintf(line + len, sizeof(line) - len - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	len += (size_t)n < sizeof(line) - len - 1 ? (size_t)n : sizeof(line) - len - 2;
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return;		/* nobody to tell */
}

const char *log_escape(char *out, size_t cap, const char *in)
{
	size_t at = 0;

	for (; *in; in++) {
		unsigned char c = (unsigned char)*in;
		bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

		if (at + (plain ? 1 : 4) >= cap)
			break;
		if (plain)
			out[at++] = (char)c;
		else
			at += (size_t)snprintf(out + at, cap - at, "\\x%02x", c);
	}
	out[at] = '\0';
	return out;
}
