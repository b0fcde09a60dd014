// SPDX-License-Identifier: MIT
#include "keys.h"

#include <stdlib.h>
#include <string.h>

#include "build.h"

static const struct suite suites[] = {
	{ TLS_AES_128_GCM_SHA256, HASH_SHA256, AEAD_AES_128_GCM },
	{ TLS_AES_256_GCM_SHA384, HASH_SHA384, AEAD_AES_256_GCM },
	{ TLS_CHACHA20_POLY1305_SHA256, HASH_SHA256, AEAD_CHACHA20_POLY1305 },
};

const struct suite *suite_find(uint16_t id)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++)
		if (suites[i].id == id)
			return &suites[i];
	return NULL;
}

void keys_expand(const struct hmac_key *k, uint8_t *out, size_t len, const char *label, const uint8_t *context,
		 size_t context_len)
{
	static const char prefix[] = "tls13 ";
	const size_t label_len = strlen(label);
	uint8_t block[HASH_MAX];
	uint8_t head[3] = { (uint8_t)(len >> 8), (uint8_t)len, (uint8_t)(sizeof(prefix) - 1 + label_len) };
	uint8_t middle = (uint8_t)context_len, counter = 1;
	const struct iov parts[] = {
		{ head, sizeof(head) }, { prefix, sizeof(prefix) - 1 }, { label, label_len },
		{ &middle, 1 }, { context, context_len }, { &counter, 1 },
	};

	if (len > hash_len(k->inner.id) || context_len > HASH_MAX)
		abort();
	hmac_with(k, block, parts, sizeof(parts) / sizeof(*parts));
	memcpy(out, block, len);
	wipe(block, sizeof(block));
}

/* Derive-Secret, RFC 8446 7.1, of a transcript hash that is already there. */
static void derive(const struct hmac_key *k, uint8_t *out, const char *label, const uint8_t *transcript)
{
	size_t len = hash_len(k->inner.id);

	keys_expand(k, out, len, label, transcript, len);
}

/* HKDF-Extract, RFC 5869 2.2: the salt is HMAC's key. */
static void extract(enum hash_id hash, uint8_t *out, const uint8_t *salt, const uint8_t *ikm, size_t ikm_len)
{
	const struct iov part = { ikm, ikm_len };

	hmac(hash, out, salt, hash_len(hash), &part, 1);
}

/* The salt of the next stage: Derive-Secret(., "derived", ""). */
static void derive_salt(const struct hmac_key *k, uint8_t *out)
{
	struct hash empty;
	uint8_t none[HASH_MAX];

	hash_init(&empty, k->inner.id);
	hash_final(&empty, none);
	derive(k, out, "derived", none);
}

void keys_early_init(struct keys_early *e, enum hash_id hash, const uint8_t *psk, size_t psk_len)
{
	static const uint8_t zeros[HASH_MAX];

	e->hash = hash;
	extract(hash, e->secret, zeros, psk ? psk : zeros, psk ? psk_len : hash_len(hash));
}

void keys_handshake_from(struct keys_handshake *hs, struct keys_early *early, const uint8_t *dhe, size_t dhe_len,
			 const uint8_t *transcript)
{
	struct hmac_key k;
	uint8_t salt[HASH_MAX];

	hs->hash = early->hash;
	hmac_key_init(&k, early->hash, early->secret, hash_len(early->hash));
	derive_salt(&k, salt);
	extract(hs->hash, hs->secret, salt, dhe, dhe_len);
	hmac_key_init(&k, hs->hash, hs->secret, hash_len(hs->hash));
	derive(&k, hs->client, "c hs traffic", transcript);
	derive(&k, hs->server, "s hs traffic", transcript);
	wipe(&k, sizeof(k));
	wipe(salt, sizeof(salt));
	wipe(early, sizeof(*early));
}

void keys_master_from(struct keys_master *m, struct keys_handshake *hs, const uint8_t *transcript)
{
	static const uint8_t zeros[HASH_MAX];
	struct hmac_key k;
	uint8_t salt[HASH_MAX];

	m->hash = hs->hash;
	hmac_key_init(&k, hs->hash, hs->secret, hash_len(hs->hash));
	derive_salt(&k, salt);
	extract(m->hash, m->secret, salt, zeros, hash_len(m->hash));
	hmac_key_init(&k, m->hash, m->secret, hash_len(m->hash));
	derive(&k, m->client, "c ap traffic", transcript);
	derive(&k, m->server, "s ap traffic", transcript);
	derive(&k, m->exporter, "exp master", transcript);
	wipe(&k, sizeof(k));
	wipe(salt, sizeof(salt));
	wipe(hs, sizeof(*hs));
}

void keys_traffic(struct tls_keys *out, const struct suite *s, const uint8_t *secret)
{
	struct hmac_key k;

	memset(out, 0, sizeof(*out));
	hmac_key_init(&k, s->hash, secret, hash_len(s->hash));
	keys_expand(&k, out->key, aead_key_len(s->aead), "key", NULL, 0);
	keys_expand(&k, out->iv, AEAD_NONCE_LEN, "iv", NULL, 0);
	memcpy(out->secret, secret, hash_len(s->hash));
	wipe(&k, sizeof(k));
}

void keys_finished(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *transcript)
{
	const struct iov part = { transcript, hash_len(hash) };
	struct hmac_key k;
	uint8_t key[HASH_MAX];

	hmac_key_init(&k, hash, secret, hash_len(hash));
	keys_expand(&k, key, hash_len(hash), "finished", NULL, 0);
	hmac(hash, out, key, hash_len(hash), &part, 1);
	wipe(&k, sizeof(k));
	wipe(key, sizeof(key));
}
