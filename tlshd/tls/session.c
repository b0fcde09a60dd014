// SPDX-License-Identifier: MIT
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto.h"
#include "tls_conn.h"

#define LIFETIME_MAX	(7 * 24 * 3600)	/* seconds, 4.6.1 */
#define EARLY_DATA	42		/* the one extension that means something here, 4.2.10 */

/* ---- reading ---- */

static bool read_extensions(struct session_ticket *out, uint8_t *alert, struct cursor exts)
{
	uint64_t seen[65536 / 64] = { 0 };	/* the server picks the types, so no smaller set is cheap in the worst case */
	struct cursor data;
	uint16_t type;

	while (!cur_empty(&exts)) {
		if (!cur_u16(&exts, &type) || !cur_vec(&exts, &data, 2, 0, 65535))
			return false;
		if (seen[type / 64] >> (type % 64) & 1) {
			*alert = ALERT_ILLEGAL_PARAMETER;
			return false;
		}
		seen[type / 64] |= UINT64_C(1) << (type % 64);
		if (type == EARLY_DATA && (!cur_uint(&data, &out->max_early_data, 4) || !cur_empty(&data)))
			return false;
	}
	return true;
}

bool session_read_ticket(struct session_ticket *out, uint8_t *alert, struct cursor body)
{
	struct cursor exts;

	out->max_early_data = 0;
	*alert = ALERT_DECODE_ERROR;
	return cur_uint(&body, &out->lifetime_s, 4) && cur_uint(&body, &out->age_add, 4) &&
	       cur_vec(&body, &out->nonce, 1, 0, 255) && cur_vec(&body, &out->ticket, 2, 1, 65535) &&
	       cur_vec(&body, &exts, 2, 0, 65534) && cur_empty(&body) && read_extensions(out, alert, exts);
}

/* ---- keeping ---- */

void tls_resumption(const struct tls_conn *c, struct tls_resumption *r)
{
	if (c->state != TLS_DONE || c->params.role != TLS_CLIENT)
		abort();
	memset(r, 0, sizeof(*r));
	r->suite = c->suite->id;
	memcpy(r->secret, c->master.resumption, hash_len(c->suite->hash));
	r->alpn_len = c->alpn_len;
	if (c->alpn_len)
		memcpy(r->alpn, c->alpn, c->alpn_len);
	r->authenticated = c->authenticated;
	r->not_after = INT64_MAX;
	if (!c->peer_known)
		return;
	memcpy(r->leaf_sha256, c->peer.leaf_sha256, sizeof(r->leaf_sha256));
	r->not_after = c->peer.not_after;
}

static bool read_message(struct session_ticket *out, const uint8_t *msg, size_t len)
{
	struct cursor in = { msg, len }, body;
	uint8_t type, alert;

	return cur_u8(&in, &type) && type == HT_NEW_SESSION_TICKET && cur_vec(&in, &body, 3, 0, len) &&
	       cur_empty(&in) && session_read_ticket(out, &alert, body);
}

/* 4.6.1. Of the session, too, whose tickets could be renewed for ever. Seconds, 0 or less: it is over. */
static int64_t lifetime(const struct session_ticket *t, const struct tls_resumption *r, int64_t now)
{
	int64_t left = r->authenticated < now ? LIFETIME_MAX - (now - r->authenticated) : LIFETIME_MAX;

	return t->lifetime_s < left ? t->lifetime_s : left;
}

int tls_session_take(struct tls_session *out, const struct tls_resumption *r, const uint8_t *msg, size_t len,
		     int64_t now_ms)
{
	int64_t now = now_ms / 1000, lifetime_s;
	struct session_ticket t;

	if (!read_message(&t, msg, len))
		return -EBADMSG;
	if (t.ticket.len > TLS_TICKET_MAX)
		return -EMSGSIZE;
	lifetime_s = lifetime(&t, r, now);
	if (lifetime_s <= 0 || now > r->not_after)
		return -ESTALE;
	memset(out, 0, sizeof(*out));
	out->suite = r->suite;
	keys_ticket_psk(out->psk, suite_find(r->suite)->hash, r->secret, t.nonce.p, t.nonce.len);
	out->age_add = t.age_add;
	out->lifetime_s = (uint32_t)lifetime_s;
	out->max_early_data = t.max_early_data;
	out->received_ms = now_ms;
	out->authenticated = r->authenticated;
	out->not_after = r->not_after;
	memcpy(out->leaf_sha256, r->leaf_sha256, sizeof(out->leaf_sha256));
	out->alpn_len = r->alpn_len;
	memcpy(out->alpn, r->alpn, r->alpn_len);
	out->ticket_len = (uint16_t)t.ticket.len;
	memcpy(out->ticket, t.ticket.p, t.ticket.len);
	return 0;
}
