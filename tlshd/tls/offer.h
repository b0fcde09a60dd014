/* SPDX-License-Identifier: MIT */
/* offer: the pre-shared keys and the early data that a client offers, and what the server takes of it. */
#ifndef TLSHD_TLS_OFFER_H
#define TLSHD_TLS_OFFER_H

#include "hs.h"

/* Bytes of pre_shared_key at most: binders may be of SHA-384. */
#define OFFER_MAX (4 + 2 + 2 + TLS_SESSIONS_MAX * (2 + TLS_TICKET_MAX + 4 + 1 + HASH_MAX))

/**
 * offer_choose() - what the first ClientHello offers: c->psk and c->early_data
 *
 * An external key alone; else those of params.sessions that can still be used, the first of them with early data if it
 * allows as much.
 */
void offer_choose(struct tls_conn *c);

/* After a HelloRetryRequest: no early data, only keys of the suite's hash. */
void offer_choose_again(struct tls_conn *c);

size_t offer_room(const struct tls_conn *c);	/* bytes that pre_shared_key takes */

/* Extensions of ClientHello; offer_put_keys() is the last, its binders are still to be filled in. */
void offer_put_modes(struct tls_conn *c, struct build *b);
void offer_put_early_data(struct tls_conn *c, struct build *b);
void offer_put_keys(struct tls_conn *c, struct build *b);

/**
 * offer_hash() - what the signer makes an external key's binder of
 * @b: a ClientHello, all but its binders: c->psk.binder_hash is there then
 */
void offer_hash(struct tls_conn *c, const struct build *b);

/* Fill in the binders of a ClientHello; that of an external key is the signer's answer. 4.2.11.2. */
void offer_bind(struct tls_conn *c, struct build *b);

/* May this suite of ours be offered? An external key, which is offered alone, has one hash. */
bool offer_fits_suite(const struct tls_conn *c, const struct suite *suite);

const struct tls_session *offer_first(const struct tls_conn *c);	/* the one that early data goes with; NULL: none */

/**
 * offer_take_key() - pre_shared_key of ServerHello, after the suite is chosen
 * Return: HS_NEXT with c->psk.chosen; HS_FAILED.
 */
enum hs offer_take_key(struct tls_conn *c, struct cursor data);

/**
 * offer_take_early_data() - early_data of EncryptedExtensions, after the application protocol is chosen
 * Return: HS_NEXT: it is accepted; HS_FAILED.
 */
enum hs offer_take_early_data(struct tls_conn *c, struct cursor data);

/* At the server's Finished: who it is. It has the key that was chosen, so what was verified once holds still. */
void offer_believe(struct tls_conn *c);

#endif
