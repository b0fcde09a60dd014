/* SPDX-License-Identifier: MIT */
/*
 * RFC 8448's traces, byte for byte: both roles run all their own steps. Random numbers and private keys are the RFC's;
 * so are the messages whose extensions or certificates are not ours, put in the place of our own as these are sent. The
 * certificates, most of them RSA-1024, are believed; the signatures of their keys are verified.
 */
#ifndef TLS_RFC8448_H
#define TLS_RFC8448_H

#include "crypto_util.h"
#include "tlshd/tls/hs.h"
#include "tlshd/tls/record.h"

/**
 * struct trace - one role's side of a trace, in hex
 * @random: random numbers, X25519 and P-256 private keys, in the order in which the role draws them
 * @sends: messages that take the place of its own of the same type, in their order; NULL ends
 */
struct trace {
	const char *random;
	const char *sends[6];
};

extern const struct tls_config rfc_client, rfc_server;	/* X25519 and P-256, no compatibility mode, nothing else on */

/**
 * rfc_begin() - a connection of one role, with the trace's numbers and messages from now on
 * @params: its role and, if any of it matters, the rest
 */
void rfc_begin(struct tls_conn *c, const struct trace *t, const struct tls_params *params);
void rfc_end(struct tls_conn *c);	/* all of the trace has been used */

void rfc_give(struct tls_conn *c, const char *records);

/* Advances past signatures; what is sent must be exactly @records, joined up to a NULL. */
void rfc_expect(struct tls_conn *c, enum tls_want want, ...) __attribute__((sentinel));

/* A record as @k opens or seals it; @content NULL: any. */
void rfc_opens(const char *record, struct tls_keys *k, uint8_t type, const char *content);
void rfc_seals(const char *record, struct tls_keys *k, enum content_type type, const char *content);

int rfc_start(void **state);
int rfc_stop(void **state);

/* What is said after each handshake. */
#define RFC_CLOSE "0100"
static const char rfc_data[] __attribute__((unused)) =
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031";

#endif
