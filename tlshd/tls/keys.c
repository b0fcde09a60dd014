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

/* HkdfLabel, RFC 8446 7.1: the parts that stand before and behind the label. */
struct label {
	uint8_t head[3];
	uint8_t context_len;
	const char *name;
	size_t name_len;
	const uint8_t *context;
};

static const char prefix[] = "tls13 ";

static struct label make_label(size_t len, const char *name, size_t name_len, const uint8_t *context,
			       size_t context_len)
{
	if (name_len > 255 - (sizeof(prefix) - 1) || context_len > 255)
		abort();
	return (struct label){
		{ (uint8_t)(len >> 8), (uint8_t)len, (uint8_t)(sizeof(prefix) - 1 + name_len) },
		(uint8_t)context_len, name, name_len, context,
	};
}

/* One block of HKDF-Expand, RFC 5869 2.3, behind @before, the block before it. */
static void expand_block(const struct hmac_key *k, uint8_t *block, const struct label *l, const uint8_t *before,
			 size_t before_len, uint8_t counter)
{
	const struct iov parts[] = {
		{ before, before_len }, { l->head, sizeof(l->head) }, { prefix, sizeof(prefix) - 1 },
		{ l->name, l->name_len }, { &l->context_len, 1 }, { l->context, l->context_len }, { &counter, 1 },
	};

	hmac_with(k, block, parts, sizeof(parts) / sizeof(*parts));
}

void keys_expand(const struct hmac_key *k, uint8_t *out, size_t len, const char *label, const uint8_t *context,
		 size_t context_len)
{
	struct label l = make_label(len, label, strlen(label), context, context_len);
	uint8_t block[HASH_MAX];

	if (len > hash_len(k->inner.id))
		abort();
	expand_block(k, block, &l, NULL, 0, 1);
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

static void hash_of(uint8_t *out, enum hash_id hash, const void *p, size_t len)
{
	struct hash h;

	hash_init(&h, hash);
	if (len)
		hash_update(&h, p, len);
	hash_final(&h, out);
}

/* Derive-Secret of no messages. */
static void derive_of_none(const struct hmac_key *k, uint8_t *out, const char *label)
{
	uint8_t none[HASH_MAX];

	hash_of(none, k->inner.id, NULL, 0);
	derive(k, out, label, none);
}

void keys_early_init(struct keys_early *e, enum hash_id hash, const uint8_t *psk, size_t psk_len)
{
	static const uint8_t zeros[HASH_MAX];

	e->hash = hash;
	extract(hash, e->secret, zeros, psk ? psk : zeros, psk ? psk_len : hash_len(hash));
}

void keys_binder(uint8_t *out, const struct keys_early *e, bool external, const uint8_t *transcript)
{
	struct hmac_key k;
	uint8_t key[HASH_MAX];

	hmac_key_init(&k, e->hash, e->secret, hash_len(e->hash));
	derive_of_none(&k, key, external ? "ext binder" : "res binder");
	keys_finished(out, e->hash, key, transcript);
	wipe(&k, sizeof(k));
	wipe(key, sizeof(key));
}

void keys_early_traffic(uint8_t *out, const struct keys_early *e, const uint8_t *transcript)
{
	struct hmac_key k;

	hmac_key_init(&k, e->hash, e->secret, hash_len(e->hash));
	derive(&k, out, "c e traffic", transcript);
	wipe(&k, sizeof(k));
}

void keys_handshake_secret(uint8_t *out, struct keys_early *early, const uint8_t *dhe, size_t dhe_len)
{
	static const uint8_t zeros[HASH_MAX];
	struct hmac_key k;
	uint8_t salt[HASH_MAX];

	hmac_key_init(&k, early->hash, early->secret, hash_len(early->hash));
	derive_of_none(&k, salt, "derived");
	extract(early->hash, out, salt, dhe_len ? dhe : zeros, dhe_len ? dhe_len : hash_len(early->hash));
	wipe(&k, sizeof(k));
	wipe(salt, sizeof(salt));
	wipe(early, sizeof(*early));
}

void keys_handshake_given(struct keys_handshake *hs, enum hash_id hash, const uint8_t *secret, const uint8_t *transcript)
{
	struct hmac_key k;

	hs->hash = hash;
	memmove(hs->secret, secret, hash_len(hash));	/* keys_handshake_from() has it there already */
	hmac_key_init(&k, hash, hs->secret, hash_len(hash));
	derive(&k, hs->client, "c hs traffic", transcript);
	derive(&k, hs->server, "s hs traffic", transcript);
	wipe(&k, sizeof(k));
}

void keys_handshake_from(struct keys_handshake *hs, struct keys_early *early, const uint8_t *dhe, size_t dhe_len,
			 const uint8_t *transcript)
{
	enum hash_id hash = early->hash;

	keys_handshake_secret(hs->secret, early, dhe, dhe_len);
	keys_handshake_given(hs, hash, hs->secret, transcript);
}

void keys_master_from(struct keys_master *m, struct keys_handshake *hs, const uint8_t *transcript)
{
	static const uint8_t zeros[HASH_MAX];
	struct hmac_key k;
	uint8_t salt[HASH_MAX];

	m->hash = hs->hash;
	hmac_key_init(&k, hs->hash, hs->secret, hash_len(hs->hash));
	derive_of_none(&k, salt, "derived");
	extract(m->hash, m->secret, salt, zeros, hash_len(m->hash));
	hmac_key_init(&k, m->hash, m->secret, hash_len(m->hash));
	derive(&k, m->client, "c ap traffic", transcript);
	derive(&k, m->server, "s ap traffic", transcript);
	derive(&k, m->exporter, "exp master", transcript);
	wipe(&k, sizeof(k));
	wipe(salt, sizeof(salt));
	wipe(hs, sizeof(*hs));
}

void keys_resumption(struct keys_master *m, const uint8_t *transcript)
{
	struct hmac_key k;

	hmac_key_init(&k, m->hash, m->secret, hash_len(m->hash));
	derive(&k, m->resumption, "res master", transcript);
	wipe(&k, sizeof(k));
	wipe(m->secret, sizeof(m->secret));
}

void keys_ticket_psk(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *nonce, size_t nonce_len)
{
	struct hmac_key k;

	hmac_key_init(&k, hash, secret, hash_len(hash));
	keys_expand(&k, out, hash_len(hash), "resumption", nonce, nonce_len);
	wipe(&k, sizeof(k));
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

void keys_export(uint8_t *out, size_t len, enum hash_id hash, const uint8_t *secret, const char *label,
		 size_t label_len, const uint8_t *context, size_t context_len)
{
	const size_t n = hash_len(hash);
	uint8_t digest[HASH_MAX], derived[HASH_MAX], block[HASH_MAX];
	struct label l = make_label(n, label, label_len, digest, n);
	struct hmac_key k;

	if (len > 255 * n)
		abort();
	hmac_key_init(&k, hash, secret, n);
	hash_of(digest, hash, NULL, 0);
	expand_block(&k, derived, &l, NULL, 0, 1);
	hmac_key_init(&k, hash, derived, n);
	hash_of(digest, hash, context, context_len);
	l = make_label(len, "exporter", strlen("exporter"), digest, n);
	for (size_t at = 0; at < len; at += n) {
		expand_block(&k, block, &l, block, at ? n : 0, (uint8_t)(at / n + 1));
		memcpy(out + at, block, len - at < n ? len - at : n);
	}
	wipe(&k, sizeof(k));
	wipe(derived, sizeof(derived));
	wipe(block, sizeof(block));
}
