// SPDX-License-Identifier: MIT
#include "keylog.h"

#include <stdio.h>

#define LABEL_MAX 31

static void put_hex(char *out, const uint8_t *p, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[p[i] >> 4];
		*out++ = digits[p[i] & 15];
	}
	*out = 0;
}

/* The client's random tells connections apart, in dumps as here. */
void keylog_secret(const struct tls_conn *c, const char *label, const uint8_t *secret, size_t len)
{
	char random[2 * RANDOM_LEN + 1], hex[2 * HASH_MAX + 1];
	char line[LABEL_MAX + 1 + sizeof(random) + sizeof(hex)];	/* each behind a space, or in front of the NUL */

	if (!c->params.keylog)
		return;
	put_hex(random, c->random, RANDOM_LEN);
	put_hex(hex, secret, len);
	snprintf(line, sizeof(line), "%s %s %s", label, random, hex);
	c->params.keylog(c->params.keylog_arg, line);
	wipe(hex, sizeof(hex));
	wipe(line, sizeof(line));
}
