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

/* The certificates of a PEM file in DER, @num of them. The result holds their bytes: free it. */
static inline uint8_t *read_ders(const char *file, struct der *certs, size_t max, size_t *num)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len, at = 0;
	char *pem = read_cert(file, &len), *p = pem;
	uint8_t *ders = malloc(len);

	for (*num = 0; *num < max && (p = strstr(p, begin)); ++*num) {
		unsigned int bits = 0, num_bits = 0;

		certs[*num].p = ders + at;
		for (p += strlen(begin); *p != '-'; p++) {
			const char *digit = strchr(alphabet, *p);

			if (!digit)
				continue;
			bits = bits << 6 | (unsigned int)(digit - alphabet);
			num_bits += 6;
			if (num_bits >= 8)
				ders[at++] = (uint8_t)(bits >> (num_bits -= 8));
		}
		certs[*num].len = (size_t)(ders + at - certs[*num].p);
	}
	free(pem);
	return ders;
}

#endif
