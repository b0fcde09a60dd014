/* SPDX-License-Identifier: MIT */
/* ClientHello and ServerHello made by hand, right but for what a test changes. */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

#include "tls_drive.h"

#define SHARE_P256 "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" \
		   "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

#define GROUPS	"0004001d0017"
#define SCHEMES	"0010040305030807080408050806080a0401"
#define VERSIONS "020304"
/* With a one-byte identity, of a key that nobody has. */
#define PSK(identity) "002900070001" identity "00000000" "002120" SHARE_X25519
#define KEY_SHARE "0024001d0020" SHARE_X25519

struct hello {
	uint16_t version;
	const char *session_id, *suites, *compressions;
	const char *exts[80];	/* "TTTT" "data": type and data in hex; NULL ends */
};

static const struct hello plain_hello = {
	.version = 0x0303, .session_id = "", .suites = "130113021303", .compressions = "00",
	.exts = { "000a" GROUPS, "000d" SCHEMES, "002b" VERSIONS, "0033" KEY_SHARE },
};

static inline void put_hex(struct build *b, const char *hex)
{
	unhex(put_space(b, strlen(hex) / 2), hex);
}

static inline void put_hello(struct build *b, const struct hello *h)
{
	struct vec v;

	put_u16(b, h->version);
	memset(put_space(b, RANDOM_LEN), 0x55, RANDOM_LEN);
	v = put_vec(b, 1);
	put_hex(b, h->session_id);
	put_end(b, v);
	v = put_vec(b, 2);
	put_hex(b, h->suites);
	put_end(b, v);
	v = put_vec(b, 1);
	put_hex(b, h->compressions);
	put_end(b, v);
	v = put_vec(b, 2);
	for (size_t i = 0; i < NUM(h->exts) && h->exts[i]; i++) {
		char type[5] = { 0 };
		struct vec e;

		memcpy(type, h->exts[i], 4);
		put_hex(b, type);
		e = put_vec(b, 2);
		put_hex(b, h->exts[i] + 4);
		put_end(b, e);
	}
	put_end(b, v);
}

/* The plain hello with an extension put in the place of the one of its type, or added; without data it is left out. */
static inline void set_ext(struct hello *h, const char *ext)
{
	size_t i = 0, k;

	while (h->exts[i] && memcmp(h->exts[i], ext, 4))
		i++;
	if (ext[4] == '-')
		for (k = i; h->exts[k]; k++)
			h->exts[k] = h->exts[k + 1];
	else
		h->exts[i] = ext;
}

/* ---- ServerHello ---- */

struct answer {
	uint16_t version, suite;
	const char *random;
	bool other_session_id;
	uint8_t compression;
	const char *exts[8];
};

#define SERVER_SHARE "001d0020" SHARE_X25519
static const struct answer plain_answer = {
	.version = 0x0303, .suite = TLS_AES_128_GCM_SHA256, .random = SHARE_X25519,
	.exts = { "0033" SERVER_SHARE, "002b0304" },
};

static inline size_t make_answer(const struct tls_conn *c, uint8_t *body, const struct answer *a)
{
	struct build b = { .p = body, .cap = 1024 };
	struct vec v;

	put_u16(&b, a->version);
	put_hex(&b, a->random);
	v = put_vec(&b, 1);
	put_bytes(&b, c->session_id, c->session_id_len);
	if (a->other_session_id)
		b.p[b.len - 1] ^= 1;
	put_end(&b, v);
	put_u16(&b, a->suite);
	put_u8(&b, a->compression);
	v = put_vec(&b, 2);
	for (size_t i = 0; i < NUM(a->exts) && a->exts[i]; i++) {
		char type[5] = { 0 };
		struct vec e;

		memcpy(type, a->exts[i], 4);
		put_hex(&b, type);
		e = put_vec(&b, 2);
		put_hex(&b, a->exts[i] + 4);
		put_end(&b, e);
	}
	put_end(&b, v);
	return b.len;
}

#endif
