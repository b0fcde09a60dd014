// SPDX-License-Identifier: MIT
/*
 * Chains that were verified, by all that the verdict was made of: who meets the same server again pays for parsing and
 * path building once. A verdict stands until a certificate of its path expires; what can change before that (anchors,
 * revocation lists) is a part of the key, and a staple is judged anew each time.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "x509_impl.h"

#define ENTRIES 64	/* some 20 KiB each, for the two certificates as libcrypto keeps them */

/* @used: of struct x509_cache's clock; 0: empty */
struct entry {
	uint8_t key[X509_CACHE_KEY_LEN];
	uint64_t used;
	struct x509_peer peer;
	struct x509_path path;
};

struct x509_cache {
	uint64_t clock;
	struct entry v[ENTRIES];
};

struct x509_cache *x509_cache_new(void)
{
	return calloc(1, sizeof(struct x509_cache));
}

static void drop(struct entry *e)
{
	x509_peer_free(&e->peer);
	x509_path_free(&e->path);
	memset(e, 0, sizeof(*e));
}

void x509_cache_free(struct x509_cache *c)
{
	for (size_t i = 0; c && i < ENTRIES; i++)
		drop(&c->v[i]);
	free(c);
}

/* With its length, so that no two lists of parts are the same bytes. */
static void add_part(struct hash *h, const void *p, size_t len)
{
	uint64_t n = len;

	hash_update(h, &n, sizeof(n));
	if (len)
		hash_update(h, p, len);
}

void x509_cache_key(uint8_t *key, const struct x509_ask *ask)
{
	struct hash h;

	hash_init(&h, HASH_SHA256);
	add_part(&h, x509_anchors_digest(ask->anchors), 32);
	add_part(&h, &ask->generation, sizeof(ask->generation));
	add_part(&h, &ask->purpose, sizeof(ask->purpose));
	add_part(&h, ask->name, ask->name ? strlen(ask->name) + 1 : 0);	/* no name is another than an empty one */
	for (size_t i = 0; i < ask->num; i++)
		add_part(&h, ask->chain[i].p, ask->chain[i].len);
	hash_final(&h, key);
}

static void copy(struct x509_peer *to, struct x509_path *to_path, const struct x509_peer *from,
		 const struct x509_path *from_path)
{
	*to = *from;
	*to_path = *from_path;
	X509_up_ref(to_path->leaf);
	X509_up_ref(to_path->issuer);
	if (to->pub.pkey)
		EVP_PKEY_up_ref(to->pub.pkey);
}

bool x509_cache_find(struct x509_cache *c, const uint8_t *key, int64_t now, struct x509_peer *out,
		     struct x509_path *path)
{
	for (size_t i = 0; i < ENTRIES; i++) {
		struct entry *e = &c->v[i];

		if (!e->used || memcmp(e->key, key, sizeof(e->key)))
			continue;
		if (now < e->path.from || now >= e->path.until) {
			drop(e);
			return false;
		}
		e->used = ++c->clock;
		copy(out, path, &e->peer, &e->path);
		return true;
	}
	return false;
}

void x509_cache_add(struct x509_cache *c, const uint8_t *key, const struct x509_peer *peer, const struct x509_path *path)
{
	struct entry *e = &c->v[0];

	for (size_t i = 1; i < ENTRIES; i++)
		if (c->v[i].used < e->used)
			e = &c->v[i];
	drop(e);
	memcpy(e->key, key, sizeof(e->key));
	e->used = ++c->clock;
	copy(&e->peer, &e->path, peer, path);
}
