// SPDX-License-Identifier: MIT
#include "tests/bogo/exporter.h"

#include <string.h>

static void hash_of(uint8_t *out, enum hash_id id, const void *p, size_t len)
{
	struct hash h;

	hash_init(&h, id);
	hash_update(&h, p, len);
	hash_final(&h, out);
}

/* HKDF-Expand of any length, with the info of RFC 8446 7.1's HKDF-Expand-Label. */
static void expand(uint8_t *out, size_t len, const struct hmac_key *k, const uint8_t *context)
{
	static const char label[] = "tls13 exporter";
	const size_t n = hash_len(k->inner.id);
	const uint8_t head[] = { (uint8_t)(len >> 8), (uint8_t)len, sizeof(label) - 1 }, middle = (uint8_t)n;
	uint8_t block[HASH_MAX], counter = 0;

	for (size_t at = 0; at < len; at += n) {
		const struct iov parts[] = {
			{ block, counter ? n : 0 }, { head, sizeof(head) }, { label, sizeof(label) - 1 },
			{ &middle, 1 }, { context, n }, { &counter, 1 },
		};

		counter++;
		hmac_with(k, block, parts, sizeof(parts) / sizeof(*parts));
		memcpy(out + at, block, len - at < n ? len - at : n);
	}
	wipe(block, sizeof(block));
}

void exporter_derive(uint8_t *out, size_t len, const struct tls_traffic *t, const char *label, const char *context)
{
	enum hash_id id = suite_find(t->suite)->hash;
	uint8_t secret[HASH_MAX], hash[HASH_MAX];
	struct hmac_key k;

	hmac_key_init(&k, id, t->exporter_secret, t->hash_len);
	hash_of(hash, id, "", 0);
	keys_expand(&k, secret, t->hash_len, label, hash, t->hash_len);
	hmac_key_init(&k, id, secret, t->hash_len);
	hash_of(hash, id, context, strlen(context));
	expand(out, len, &k, hash);
	wipe(&k, sizeof(k));
	wipe(secret, sizeof(secret));
}
