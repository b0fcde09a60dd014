/* SPDX-License-Identifier: MIT */
/* What the daemon's tests share: configurations written on the spot, loaded as the supervisor loads them. */
#ifndef DAEMON_UTIL_H
#define DAEMON_UTIL_H

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tlshd/config.h"
#include "tlshd/identity.h"
#include "tlshd/image.h"

#define CONF "tlshd.conf"	/* the tests run in a folder of their own */

static char certs[PATH_MAX];	/* absolute: a configuration takes nothing else */

static inline void util_enter(void)
{
	char dir[] = "/tmp/tlshd-unit-XXXXXX";

	if (!realpath(CERTS, certs) || chdir(certs) || system("chmod 600 *.key") || !mkdtemp(dir) || chdir(dir)) {
		perror("test folder");
		exit(1);
	}
}

static inline void util_leave(void)
{
	char cwd[PATH_MAX];

	unlink(CONF);
	if (getcwd(cwd, sizeof(cwd)))
		rmdir(cwd);
}

static inline void util_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

/* @text with the folder of the certificates for each %C; to be freed */
static inline char *util_expand(const char *text)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	for (; *text; text++) {
		if (text[0] == '%' && text[1] == 'C') {
			fputs(certs, f);
			text++;
		} else {
			fputc(*text, f);
		}
	}
	fclose(f);
	return out;
}

/* Everything that a supervisor has made of a configuration. */
struct util_setup {
	struct report report;
	char *said;		/* all complaints */
	size_t said_len;
	struct config *config;
	struct identities ids;
	int rc;
};

/* Load @text; @rc and @said tell how it went. */
static inline void util_load(struct util_setup *s, const char *text)
{
	memset(s, 0, sizeof(*s));
	util_write(CONF, text);
	s->report.file = CONF;
	s->report.out = open_memstream(&s->said, &s->said_len);
	assert_non_null(s->report.out);
	s->rc = config_load(&s->config, &s->report);
	if (!s->rc)
		s->rc = identities_load(&s->ids, s->config, &s->report, time(NULL));
	fclose(s->report.out);
}

static inline void util_unload(struct util_setup *s)
{
	identities_free(&s->ids);
	config_free(s->config);
	free(s->said);
	memset(s, 0, sizeof(*s));
}

#endif
