/* SPDX-License-Identifier: MIT */
/* What the tests of tlshd/crypto share: bytes from hex, whole files, and what cmocka wants included before it. */
#ifndef CRYPTO_UTIL_H
#define CRYPTO_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tlshd/crypto/crypto.h"

#define NUM(array) (sizeof(array) / sizeof(*(array)))

/* Bytes of @hex into @out, which must be large enough; returns how many. */
static inline size_t unhex(uint8_t *out, const char *hex)
{
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len; i++) {
		unsigned int byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
	return len;
}

static inline void assert_hex(const uint8_t *got, const char *hex)
{
	uint8_t want[1024];
	size_t len = unhex(want, hex);

	assert_memory_equal(got, want, len);
}

/* A test certificate or key by its file name, NUL-terminated, on the heap. */
static inline char *read_cert(const char *file, size_t *len)
{
	char path[512], *text = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", CERTS, file);
	f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be read", path);
	text = calloc(1, 65536);
	assert_non_null(text);
	*len = fread(text, 1, 65535, f);
	fclose(f);
	return text;
}

#endif
