/* SPDX-License-Identifier: MIT */
/* psk_server: which of a client's pre-shared keys a server takes, and what it lets it do: RFC 8446 4.2.9 to 4.2.11. */
#ifndef TLSHD_TLS_PSK_SERVER_H
#define TLSHD_TLS_PSK_SERVER_H

#include "ext.h"

/**
 * struct psk_offer - what a ClientHello says of pre-shared keys
 * @identities, @binders: contents of the two lists, as many in one as in the other; empty without pre_shared_key
 * @truncated: the ClientHello's body up to the binders
 * @body_len: and all of its length
 * @mode: TLS_PSK_...: the one to be used; 0: no key can be
 * @early: it comes with early data
 */
struct psk_offer {
	struct cursor identities, binders, truncated;
	size_t body_len;
	uint8_t mode;
	bool early;
};

/**
 * psk_read_offer() - psk_key_exchange_modes, pre_shared_key and early_data
 * @out: out
 * @hello: body of the ClientHello
 *
 * Return: HS_NEXT or HS_FAILED: malformed (decode_error), not a binder for each identity (illegal_parameter).
 */
enum hs psk_read_offer(struct tls_conn *c, struct psk_offer *out, const struct ext_block *exts, struct cursor hello);

/**
 * psk_choose() - the first key that can be used with @suite, as c->psk
 *
 * server_name and application protocol are known by then. Return: is there one?
 */
bool psk_choose(struct tls_conn *c, const struct psk_offer *offer, const struct suite *suite);

/* Steps; each goes on at once where there is nothing to be done. */
hs_step psk_ask_binder;			/* of an external key */
hs_step psk_check_binder;		/* with it the client is who the key says */
hs_step psk_decide_early_data;
hs_step psk_ask_handshake_secret;	/* of an external key */

#endif
