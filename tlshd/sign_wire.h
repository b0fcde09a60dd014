/* SPDX-License-Identifier: MIT */
/*
 * sign_wire: what passes between a worker thread and the signer, over a SOCK_SEQPACKET socketpair of the two. A packet
 * is an array of 1 to SIGN_BATCH questions or answers. It never holds a key, and of what
 * a peer chose only a hash.
 */
#ifndef TLSHD_SIGN_WIRE_H
#define TLSHD_SIGN_WIRE_H

#include "crypto/crypto.h"

#define SIGN_BATCH	16

/**
 * struct sign_ask - sign a CertificateVerify
 * @slot, @slot_generation: the worker's, echoed: whose answer this is, and of which life of the slot
 * @config: generation of the configuration that @key_id belongs to
 * @hash: Transcript-Hash(Handshake Context, Certificate), @hash_len bytes, the rest zero
 */
struct sign_ask {
	uint32_t slot, slot_generation;
	uint32_t config, key_id;
	uint16_t scheme;
	uint8_t hash_len, zero[5];
	uint8_t hash[HASH_MAX];
};

/* @len 0: refused. The rest of @sig is zero. */
struct sign_answer {
	uint32_t slot, slot_generation;
	uint16_t len;
	uint8_t zero[6];
	uint8_t sig[SIG_MAX];
};

#endif
