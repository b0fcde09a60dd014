// SPDX-License-Identifier: MIT
/* post: messages after the handshake, RFC 8446 section 4.6, for those who read them. */
#include <errno.h>

#include "keys.h"
#include "proto.h"
#include "session.h"

/* 4.6.1. What is worth keeping is tls_session_take()'s to say. */
static bool ticket_ok(struct cursor body, enum tls_post *kind, uint8_t *alert)
{
	struct session_ticket ticket;

	(void)kind;
	return session_read_ticket(&ticket, alert, body);
}

/* 4.6.3. */
static bool key_update_ok(struct cursor body, enum tls_post *kind, uint8_t *alert)
{
	uint8_t request;

	*alert = ALERT_DECODE_ERROR;
	if (!cur_u8(&body, &request) || !cur_empty(&body))
		return false;
	*alert = ALERT_ILLEGAL_PARAMETER;
	if (request == 1)
		*kind = TLS_POST_KEY_UPDATE_REQUESTED;
	return request <= 1;
}

/* No client of ours offers post_handshake_auth, so no CertificateRequest may come. */
static const struct post {
	enum handshake_type type;
	enum tls_post kind;
	bool from[2];		/* by the sender's role */
	bool (*ok)(struct cursor body, enum tls_post *kind, uint8_t *alert);
} table[] = {
	{ HT_NEW_SESSION_TICKET, TLS_POST_TICKET, { [TLS_SERVER] = true }, ticket_ok },
	{ HT_KEY_UPDATE, TLS_POST_KEY_UPDATE, { true, true }, key_update_ok },
};

int tls_post_parse(enum tls_role role, enum tls_post *kind, uint8_t *alert, const uint8_t *msg, size_t len)
{
	enum tls_role sender = role == TLS_CLIENT ? TLS_SERVER : TLS_CLIENT;
	struct cursor in = { msg, len };
	uint32_t body_len;
	uint8_t type;

	*alert = ALERT_DECODE_ERROR;
	if (!cur_u8(&in, &type) || !cur_uint(&in, &body_len, 3) || body_len != in.len)
		return -EPROTO;
	*alert = ALERT_UNEXPECTED_MESSAGE;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (table[i].type != type || !table[i].from[sender])
			continue;
		*kind = table[i].kind;
		return table[i].ok(in, kind, alert) ? 0 : -EPROTO;
	}
	return -EPROTO;
}

void tls_next_keys(struct tls_keys *k, uint16_t suite)
{
	const struct suite *s = suite_find(suite);
	uint8_t secret[HASH_MAX];
	struct hmac_key h;

	hmac_key_init(&h, s->hash, k->secret, hash_len(s->hash));
	keys_expand(&h, secret, hash_len(s->hash), "traffic upd", NULL, 0);
	keys_traffic(k, s, secret);
	wipe(&h, sizeof(h));
	wipe(secret, sizeof(secret));
}
