/* SPDX-License-Identifier: MIT */
/* transcript: the running Transcript-Hash, RFC 8446 section 4.4.1. Both hashes run until the suite picks one. */
#ifndef TLSHD_TLS_TRANSCRIPT_H
#define TLSHD_TLS_TRANSCRIPT_H

#include "../crypto/crypto.h"
#include "proto.h"

struct transcript {
	struct hash sha256, sha384;
	bool picked;
	enum hash_id id;
};

static inline void transcript_init(struct transcript *t)
{
	t->picked = false;
	hash_init(&t->sha256, HASH_SHA256);
	hash_init(&t->sha384, HASH_SHA384);
}

static inline void transcript_pick(struct transcript *t, enum hash_id id)
{
	t->picked = true;
	t->id = id;
}

/* The hash that runs with @id; to go on from it with what is not in the transcript, or not yet, copy it. */
static inline const struct hash *transcript_running(const struct transcript *t, enum hash_id id)
{
	return id == HASH_SHA384 ? &t->sha384 : &t->sha256;
}

/* 4.4.1: at a HelloRetryRequest the first ClientHello, all that there is, becomes a message_hash. Only once picked. */
static inline void transcript_retry(struct transcript *t)
{
	struct hash *h = t->id == HASH_SHA384 ? &t->sha384 : &t->sha256;
	uint8_t msg[4 + HASH_MAX] = { HT_MESSAGE_HASH, 0, 0, (uint8_t)hash_len(t->id) };

	hash_final(h, msg + 4);
	hash_init(h, t->id);
	hash_update(h, msg, 4 + hash_len(t->id));
}

/* @p: whole messages with their headers */
static inline void transcript_add(struct transcript *t, const void *p, size_t len)
{
	if (!t->picked || t->id == HASH_SHA256)
		hash_update(&t->sha256, p, len);
	if (!t->picked || t->id == HASH_SHA384)
		hash_update(&t->sha384, p, len);
}

/* Of what was added so far, only once picked: hash_len(@t->id) bytes. */
static inline void transcript_hash(const struct transcript *t, uint8_t *out)
{
	hash_final(transcript_running(t, t->id), out);
}

/*
 * Of what was added so far and of @p, which is not added: for binders, the MAC of what stands before them in their own
 * message (4.2.11.2). @id: either one while none is picked.
 */
static inline void transcript_hash_with(const struct transcript *t, uint8_t *out, enum hash_id id, const void *p,
					size_t len)
{
	struct hash h = *transcript_running(t, id);

	if (len)
		hash_update(&h, p, len);
	hash_final(&h, out);
}

#endif
