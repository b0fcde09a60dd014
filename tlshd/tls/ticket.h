/* SPDX-License-Identifier: MIT */
/*
 * ticket: what a server seals into a NewSessionTicket, RFC 8446 section 4.6.1, and whether it takes one that comes back.
 * The sealing is the caller's, struct tls_ticket_ops.
 */
#ifndef TLSHD_TLS_TICKET_H
#define TLSHD_TLS_TICKET_H

#include "hs.h"

/**
 * struct ticket - its content; holds a secret: wipe it
 * @suite: of the session; any of the same hash may resume it
 * @lifetime_s: from @issued_ms on
 * @scope, @policy: of the configuration then
 * @names: digest of server_name and application protocol, which bind early data only
 */
struct ticket {
	uint16_t suite;
	uint8_t psk[HASH_MAX];
	uint32_t age_add, lifetime_s, max_early_data;
	int64_t issued_ms;
	struct session_peer peer;
	uint8_t scope[32], policy[32], names[32];
};

/* Return: the length, at most TLS_STATE_MAX. */
size_t ticket_encode(uint8_t *out, const struct ticket *t);

/* Return: false if it is not what ticket_encode() made; @t is zero then. */
bool ticket_decode(struct ticket *t, const uint8_t *state, size_t len);

/* May its session go on here and now? Design: a resumption never bypasses a policy. */
bool ticket_usable(const struct tls_conn *c, const struct ticket *t);

/* Digest of server_name and application protocol: 32 bytes. */
void ticket_names(const struct tls_conn *c, uint8_t *out);

/* A step: behind our Finished, unless a client certificate is asked for; then behind the client's. */
hs_step ticket_send_all;

#endif
