/* SPDX-License-Identifier: MIT */
/*
 * sessions: what clients keep of the tickets that servers sent them, for all threads of the worker. A session is known
 * by a key that says for whom it may be used and what its server was verified by; it leaves the store when it is
 * offered, so none is offered twice. All memory is taken at once and touched as it fills.
 */
#ifndef TLSHD_SESSIONS_H
#define TLSHD_SESSIONS_H

#include "tls/tls.h"

struct sessions;

/**
 * struct sessions_key - whose session it is
 * @digest: of all that two connections must have in common to share one
 * @uid: who pays for the place
 */
struct sessions_key {
	uint8_t digest[32];
	uint32_t uid;
};

/* What a blob holds. */
struct sessions_blob {
	struct sessions_key key;
	struct tls_resumption resumption;
};

/**
 * sessions_open() - an empty store
 * @num: sessions in all; @num_user: of one user. When there are more, the oldest goes
 *
 * Return: 0 or -ENOMEM.
 */
int sessions_open(struct sessions **out, uint32_t num, uint32_t num_user) __attribute__((warn_unused_result));
void sessions_close(struct sessions *s);	/* none may be taken; NULL is fine */
size_t sessions_bound(uint32_t num);		/* bytes that @num sessions take at most */

/**
 * sessions_seal() - what of a connection must come back with its tickets, under a key that nobody else has
 * @blob: SESSIONS_BLOB_LEN bytes
 */
#define SESSIONS_BLOB_LEN (24 + sizeof(struct sessions_blob) + 16)
void sessions_seal(const struct sessions *s, uint8_t *blob, const struct sessions_key *key,
		   const struct tls_resumption *r);

/**
 * sessions_add() - a ticket came
 * @blob: as sealed
 * @msg: NewSessionTicket with its header
 * @now_ms: since the epoch
 *
 * Return: 0; -EBADMSG the blob was sealed by another store, or the message is malformed; -EMSGSIZE, -ESTALE as
 * tls_session_take() says.
 */
int sessions_add(struct sessions *s, const uint8_t *blob, size_t blob_len, const uint8_t *msg, size_t len,
		 int64_t now_ms) __attribute__((warn_unused_result));

/**
 * sessions_take() - the newest session that this connection may offer
 * @alpn: what it offers, in wire form: a session of another protocol is passed over
 *
 * Return: NULL: there is none; else the caller's alone until sessions_drop().
 */
const struct tls_session *sessions_take(struct sessions *s, const struct sessions_key *key, int64_t now_ms,
					const uint8_t *alpn, size_t alpn_len);
void sessions_drop(struct sessions *s, const struct tls_session *session);	/* wipes it; NULL is fine */

#endif
