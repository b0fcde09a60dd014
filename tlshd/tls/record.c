// SPDX-License-Identifier: MIT
#include "record.h"

#include <stdlib.h>

#include "build.h"

void record_header(uint8_t *out, enum content_type type, uint16_t version, size_t len)
{
	out[0] = (uint8_t)type;
	store_be(out + 1, 2, version);
	store_be(out + 3, 2, len);
}

/* RFC 8446 5.3. */
static void make_nonce(uint8_t *nonce, const struct tls_keys *k)
{
	store_be(nonce, AEAD_NONCE_LEN, k->seq);
	for (size_t i = 0; i < AEAD_NONCE_LEN; i++)
		nonce[i] ^= k->iv[i];
}

size_t record_seal(uint8_t *rec, enum content_type type, size_t len, enum aead_id aead, struct tls_keys *k)
{
	uint8_t *content = rec + RECORD_HEADER_LEN;
	uint8_t nonce[AEAD_NONCE_LEN];

	if (len > PLAINTEXT_MAX || k->seq == UINT64_MAX)
		abort();
	record_header(rec, CT_APPLICATION_DATA, VERSION_LEGACY, len + 1 + AEAD_TAG_LEN);
	content[len] = (uint8_t)type;
	make_nonce(nonce, k);
	aead_seal(aead, content, content, len + 1, rec, RECORD_HEADER_LEN, k->key, nonce);
	k->seq++;
	return len + RECORD_OVERHEAD;
}

enum record_fault record_open(uint8_t *rec, size_t len, uint8_t *type, size_t *content_len, enum aead_id aead,
			      struct tls_keys *k)
{
	uint8_t *content = rec + RECORD_HEADER_LEN;
	uint8_t nonce[AEAD_NONCE_LEN];
	size_t n;

	if (k->seq == UINT64_MAX)
		abort();
	make_nonce(nonce, k);
	if (aead_open(aead, content, content, len - RECORD_HEADER_LEN, rec, RECORD_HEADER_LEN, k->key, nonce))
		return RECORD_BAD_MAC;
	k->seq++;
	n = len - RECORD_HEADER_LEN - AEAD_TAG_LEN;
	if (n > PLAINTEXT_MAX + 1)
		return RECORD_TOO_LONG;
	while (n && !content[n - 1])
		n--;
	if (!n)
		return RECORD_NO_TYPE;
	*type = content[n - 1];
	*content_len = n - 1;
	return RECORD_OK;
}
