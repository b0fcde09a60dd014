/* SPDX-License-Identifier: MIT */
/*
 * keys: the key schedule of RFC 8446 section 7. Three stages, each made only from the one before, which it wipes: a
 * wrong order does not compile, and no secret outlives its use. Traffic secrets leave a stage by becoming struct
 * tls_keys of a direction.
 */
#ifndef TLSHD_TLS_KEYS_H
#define TLSHD_TLS_KEYS_H

#include "tls.h"

/* What a cipher suite is, RFC 8446 B.4. */
struct suite {
	uint16_t id;
	enum hash_id hash;
	enum aead_id aead;
};

const struct suite *suite_find(uint16_t id);	/* NULL: not supported */

/* Stage one: the Early Secret. */
struct keys_early {
	enum hash_id hash;
	uint8_t secret[HASH_MAX];
};

/* Stage two: the Handshake Secret and its traffic secrets. */
struct keys_handshake {
	enum hash_id hash;
	uint8_t secret[HASH_MAX], client[HASH_MAX], server[HASH_MAX];
};

/* Stage three: the Master Secret, and what comes of it at the server's Finished; @resumption at the client's. */
struct keys_master {
	enum hash_id hash;
	uint8_t secret[HASH_MAX], client[HASH_MAX], server[HASH_MAX], exporter[HASH_MAX], resumption[HASH_MAX];
};

/**
 * keys_early_init() - the first stage
 * @e: out
 * @psk: hash_len(@hash) bytes or of an external key's length; NULL: none, which counts as zeros
 *
 * RFC 8446 section 7.1.
 */
void keys_early_init(struct keys_early *e, enum hash_id hash, const uint8_t *psk, size_t psk_len);

/**
 * keys_binder() - the MAC by which a ClientHello proves a pre-shared key
 * @out: hash_len() bytes
 * @external: the key was agreed on outside TLS
 * @transcript: Transcript-Hash(Truncate(ClientHello)), behind what a HelloRetryRequest left
 *
 * RFC 8446 sections 7.1, labels "ext binder", "res binder", and 4.2.11.2.
 */
void keys_binder(uint8_t *out, const struct keys_early *e, bool external, const uint8_t *transcript);

/**
 * keys_early_traffic() - the secret of early data's record protection
 * @out: hash_len() bytes
 * @transcript: Transcript-Hash(ClientHello)
 *
 * RFC 8446 section 7.1, label "c e traffic".
 */
void keys_early_traffic(uint8_t *out, const struct keys_early *e, const uint8_t *transcript);

/**
 * keys_handshake_secret() - the Handshake Secret alone, of an external key: what its holder gives out
 * @out: hash_len() bytes
 * @early: in; wiped
 * @dhe_len: 0: no (EC)DHE, which counts as zeros
 */
void keys_handshake_secret(uint8_t *out, struct keys_early *early, const uint8_t *dhe, size_t dhe_len);

/**
 * keys_handshake_given() - the handshake stage from a Handshake Secret that another made
 * @secret: hash_len(@hash) bytes; borrowed, the caller wipes it
 */
void keys_handshake_given(struct keys_handshake *hs, enum hash_id hash, const uint8_t *secret, const uint8_t *transcript);

/**
 * keys_handshake_from() - step from the early to the handshake stage
 * @hs: out
 * @early: in; wiped
 * @dhe: shared secret, @dhe_len bytes; 0: none, which counts as zeros; borrowed, the caller wipes it
 * @transcript: Transcript-Hash(ClientHello..ServerHello)
 *
 * RFC 8446 section 7.1, labels "derived", "c hs traffic", "s hs traffic". The group has refused an all-zero secret
 * (7.4.2).
 */
void keys_handshake_from(struct keys_handshake *hs, struct keys_early *early, const uint8_t *dhe, size_t dhe_len,
			 const uint8_t *transcript);

/**
 * keys_master_from() - step from the handshake to the master stage
 * @m: out
 * @hs: in; wiped: who still needs a handshake traffic secret has it in its struct tls_keys
 * @transcript: Transcript-Hash(ClientHello..server Finished)
 *
 * RFC 8446 section 7.1, labels "derived", "c ap traffic", "s ap traffic", "exp master".
 */
void keys_master_from(struct keys_master *m, struct keys_handshake *hs, const uint8_t *transcript);

/**
 * keys_resumption() - the master stage's last secret: resumption_master_secret
 * @m: in and out; the Master Secret is wiped
 * @transcript: Transcript-Hash(ClientHello..client Finished)
 *
 * RFC 8446 section 7.1, label "res master".
 */
void keys_resumption(struct keys_master *m, const uint8_t *transcript);

/**
 * keys_ticket_psk() - the key of one ticket
 * @out: hash_len(@hash) bytes
 * @secret: resumption_master_secret
 * @nonce: ticket_nonce, at most 255 bytes
 *
 * RFC 8446 section 4.6.1, label "resumption".
 */
void keys_ticket_psk(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *nonce, size_t nonce_len);

/**
 * keys_traffic() - a direction's record protection from its traffic secret
 * @out: out: key, iv, sequence number 0 and a copy of @secret
 *
 * RFC 8446 section 7.3.
 */
void keys_traffic(struct tls_keys *out, const struct suite *s, const uint8_t *secret);

/**
 * keys_finished() - verify_data
 * @out: hash_len(@hash) bytes
 * @secret: the sender's traffic secret
 * @transcript: up to but not including the Finished
 *
 * RFC 8446 section 4.4.4.
 */
void keys_finished(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *transcript);

/**
 * keys_export() - exporter
 * @out: @len bytes, at most 255 * hash_len(@hash)
 * @secret: exporter_master_secret
 *
 * RFC 8446 section 7.5.
 */
void keys_export(uint8_t *out, size_t len, enum hash_id hash, const uint8_t *secret, const char *label,
		 size_t label_len, const uint8_t *context, size_t context_len);

/**
 * keys_expand() - HKDF-Expand-Label, for one block of the hash
 * @out: @len bytes, at most hash_len(@k's hash)
 * @label: without "tls13 "
 *
 * RFC 8446 section 7.1.
 */
void keys_expand(const struct hmac_key *k, uint8_t *out, size_t len, const char *label, const uint8_t *context,
		 size_t context_len);

#endif
