/* SPDX-License-Identifier: MIT */
/* ext: extension blocks, RFC 8446 section 4.2. The walk judges types, places and duplicates; data is the steps'. */
#ifndef TLSHD_TLS_EXT_H
#define TLSHD_TLS_EXT_H

#include "hs.h"

/* Those that are recognized; ext.c has their numbers and places. */
enum ext {
	EXT_SERVER_NAME,
	EXT_MAX_FRAGMENT_LENGTH,
	EXT_STATUS_REQUEST,
	EXT_SUPPORTED_GROUPS,
	EXT_SIGNATURE_ALGORITHMS,
	EXT_USE_SRTP,
	EXT_HEARTBEAT,
	EXT_ALPN,
	EXT_SIGNED_CERTIFICATE_TIMESTAMP,
	EXT_CLIENT_CERTIFICATE_TYPE,
	EXT_SERVER_CERTIFICATE_TYPE,
	EXT_PADDING,
	EXT_RECORD_SIZE_LIMIT,
	EXT_PRE_SHARED_KEY,
	EXT_EARLY_DATA,
	EXT_SUPPORTED_VERSIONS,
	EXT_COOKIE,
	EXT_PSK_KEY_EXCHANGE_MODES,
	EXT_CERTIFICATE_AUTHORITIES,
	EXT_OID_FILTERS,
	EXT_POST_HANDSHAKE_AUTH,
	EXT_SIGNATURE_ALGORITHMS_CERT,
	EXT_KEY_SHARE,
	EXT_NUM
};

/* The messages that carry a block, as in the table of 4.2. */
enum ext_place {
	IN_CLIENT_HELLO = 1 << 0,
	IN_SERVER_HELLO = 1 << 1,
	IN_HELLO_RETRY_REQUEST = 1 << 2,
	IN_ENCRYPTED_EXTENSIONS = 1 << 3,
	IN_CERTIFICATE = 1 << 4,
	IN_CERTIFICATE_REQUEST = 1 << 5,
};

struct ext_block {
	uint32_t present;	/* bit per enum ext */
	struct cursor data[EXT_NUM];
};

static inline bool ext_has(const struct ext_block *b, enum ext e)
{
	return b->present >> e & 1;
}

/**
 * ext_parse() - read a block with its length
 * @out: out: the data of those recognized; those unknown are skipped
 * @body: in and out: of the message
 *
 * Refused: a block that does not parse, an unknown type twice (decode_error); a recognized type twice or in the wrong
 * message, pre_shared_key not last in ClientHello (illegal_parameter); in a response a type that was not asked for
 * (unsupported_extension). Return: HS_NEXT or HS_FAILED.
 */
enum hs ext_parse(struct tls_conn *c, struct ext_block *out, struct cursor *body, enum ext_place place);

/* Does a block with its length have @e? True also of one that does not parse: ext_parse() judges it. */
bool ext_offered(struct cursor block, enum ext e);

/* Adds to @h what no second ClientHello may change of a block that parsed, in whatever order, 4.1.2. */
void ext_hash_lasting(struct hash *h, struct cursor block);

/* Begin an extension of ours that the peer may answer, or one that is itself an answer; put_end() ends it. */
struct vec ext_begin(struct tls_conn *c, struct build *b, enum ext e);
struct vec ext_begin_answer(struct build *b, enum ext e);

#endif
