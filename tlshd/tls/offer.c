// SPDX-License-Identifier: MIT
#include "offer.h"

#include "ext.h"

static const struct tls_session *session(const struct tls_conn *c, size_t i)
{
	return c->params.sessions[c->psk.offered[i]];
}

static enum hash_id session_hash(const struct tls_session *s)
{
	return suite_find(s->suite)->hash;
}

const struct tls_session *offer_first(const struct tls_conn *c)
{
	return c->psk.num_offered ? session(c, 0) : NULL;
}

bool offer_fits_suite(const struct tls_conn *c, const struct suite *suite)
{
	return !c->psk.external || c->psk.external->hash == suite->hash;
}

/* ---- choosing ---- */

static bool has_hash(const struct tls_config *config, enum hash_id hash)
{
	for (size_t i = 0; i < config->num_suites; i++)
		if (suite_find(config->suites[i])->hash == hash)
			return true;
	return false;
}

/*
 * 4.6.1. A session that no certificate began authenticates nobody here; one whose certificate has expired nobody any
 * more. A clock that was set back makes an age that no server believes.
 */
static bool usable(const struct tls_conn *c, const struct tls_session *s)
{
	int64_t age_ms = c->params.now_ms - s->received_ms;

	return s->ticket_len && s->ticket_len <= TLS_TICKET_MAX && suite_find(s->suite) &&
	       has_hash(c->params.config, session_hash(s)) && age_ms >= 0 && age_ms < s->lifetime_s * INT64_C(1000) &&
	       s->not_after != INT64_MAX && c->params.now_ms / 1000 <= s->not_after;
}

static bool offers_suite(const struct tls_config *config, uint16_t suite)
{
	for (size_t i = 0; i < config->num_suites; i++)
		if (config->suites[i] == suite)
			return true;
	return false;
}

static bool offers_alpn(const struct tls_conn *c, const struct tls_session *s)
{
	struct cursor list = { c->params.alpn, c->params.alpn_len }, name;

	if (!s->alpn_len)
		return cur_empty(&list);
	while (cur_vec(&list, &name, 1, 1, 255))
		if (name.len == s->alpn_len && !memcmp(name.p, s->alpn, name.len))
			return true;
	return false;
}

/* 4.2.10: it is sent as the session would have it, so the handshake must be able to come out so. */
static bool early_data_fits(const struct tls_conn *c)
{
	const struct tls_session *s = offer_first(c);

	return s && c->params.early_len && c->params.early_len <= s->max_early_data &&
	       offers_suite(c->params.config, s->suite) && offers_alpn(c, s);
}

void offer_choose(struct tls_conn *c)
{
	const struct tls_config *config = c->params.config;

	if (config->num_externals) {
		c->psk.external = &config->externals[0];
		c->psk.hash = c->psk.external->hash;
		return;
	}
	for (size_t i = 0; config->psk_modes && i < c->params.num_sessions; i++)
		if (usable(c, c->params.sessions[i]))
			c->psk.offered[c->psk.num_offered++] = (uint8_t)i;
	if (early_data_fits(c))
		c->early_data.state = TLS_EARLY_OFFERED;
}

void offer_choose_again(struct tls_conn *c)
{
	size_t num = c->psk.num_offered;

	c->psk.num_offered = 0;
	for (size_t i = 0; i < num; i++)
		if (session_hash(session(c, i)) == c->suite->hash && usable(c, session(c, i)))
			c->psk.offered[c->psk.num_offered++] = c->psk.offered[i];
	if (c->early_data.state == TLS_EARLY_OFFERED)
		c->early_data.state = TLS_EARLY_REJECTED;
}

/* ---- ClientHello ---- */

static size_t num_keys(const struct tls_conn *c)
{
	return c->psk.external ? 1 : c->psk.num_offered;
}

static enum hash_id key_hash(const struct tls_conn *c, size_t i)
{
	return c->psk.external ? c->psk.hash : session_hash(session(c, i));
}

static size_t binders_len(const struct tls_conn *c)
{
	size_t len = 2;

	for (size_t i = 0; i < num_keys(c); i++)
		len += 1 + hash_len(key_hash(c, i));
	return len;
}

size_t offer_room(const struct tls_conn *c)
{
	size_t len = 4 + 2 + binders_len(c);

	if (!num_keys(c))
		return 0;
	if (c->psk.external)
		return len + 2 + c->psk.external->identity_len + 4;
	for (size_t i = 0; i < c->psk.num_offered; i++)
		len += 2 + session(c, i)->ticket_len + 4;
	return len;
}

/* 4.2.9. Also what asks for tickets. */
void offer_put_modes(struct tls_conn *c, struct build *b)
{
	uint8_t modes = c->params.config->psk_modes;
	struct vec ext, list;

	if (!modes)
		return;
	ext = ext_begin(c, b, EXT_PSK_KEY_EXCHANGE_MODES);
	list = put_vec(b, 1);
	if (modes & TLS_PSK_DHE_KE)
		put_u8(b, PSK_DHE_KE);
	if (modes & TLS_PSK_KE)
		put_u8(b, PSK_KE);
	put_end(b, list);
	put_end(b, ext);
}

void offer_put_early_data(struct tls_conn *c, struct build *b)
{
	if (c->early_data.state == TLS_EARLY_OFFERED)
		put_end(b, ext_begin(c, b, EXT_EARLY_DATA));
}

static void put_identity(struct build *b, const uint8_t *identity, size_t len, uint32_t age)
{
	struct vec v = put_vec(b, 2);

	put_bytes(b, identity, len);
	put_end(b, v);
	put_uint(b, 4, age);
}

/* 4.2.11.1: modulo 2^32. */
static uint32_t obfuscated_age(const struct tls_conn *c, const struct tls_session *s)
{
	return (uint32_t)(c->params.now_ms - s->received_ms) + s->age_add;
}

void offer_put_keys(struct tls_conn *c, struct build *b)
{
	struct vec ext, list;

	if (!num_keys(c))
		return;
	ext = ext_begin(c, b, EXT_PRE_SHARED_KEY);
	list = put_vec(b, 2);
	if (c->psk.external)
		put_identity(b, c->psk.external->identity, c->psk.external->identity_len, 0);
	for (size_t i = 0; i < c->psk.num_offered; i++) {
		const struct tls_session *s = session(c, i);

		put_identity(b, s->ticket, s->ticket_len, obfuscated_age(c, s));
	}
	put_end(b, list);
	list = put_vec(b, 2);
	for (size_t i = 0; i < num_keys(c); i++) {
		size_t len = hash_len(key_hash(c, i));

		put_u8(b, (uint8_t)len);
		memset(put_space(b, len), 0, len);
	}
	put_end(b, list);
	put_end(b, ext);
}

/* Transcript-Hash of the messages so far and Truncate(@b), whose length fields count the binders. */
static void hash_truncated(const struct tls_conn *c, uint8_t *out, enum hash_id hash, const struct build *b)
{
	transcript_hash_with(&c->transcript, out, hash, b->p, b->len - binders_len(c));
}

void offer_hash(struct tls_conn *c, const struct build *b)
{
	hash_truncated(c, c->psk.binder_hash, c->psk.hash, b);
}

void offer_bind(struct tls_conn *c, struct build *b)
{
	uint8_t *out = b->p + b->len - binders_len(c) + 2, hash[HASH_MAX];
	struct keys_early early;

	if (c->psk.external) {
		memcpy(out + 1, c->psk.secret, hash_len(c->psk.hash));
		wipe(c->psk.secret, sizeof(c->psk.secret));
	}
	for (size_t i = 0; i < c->psk.num_offered; i++) {
		enum hash_id id = session_hash(session(c, i));

		if (!i || id != session_hash(session(c, i - 1)))
			hash_truncated(c, hash, id, b);
		keys_early_init(&early, id, session(c, i)->psk, hash_len(id));
		keys_binder(out + 1, &early, false, hash);
		out += 1 + hash_len(id);
	}
	wipe(&early, sizeof(early));
}

/* ---- the server's choice ---- */

enum hs offer_take_key(struct tls_conn *c, struct cursor data)
{
	uint16_t i;

	if (!cur_u16(&data, &i) || !cur_empty(&data))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed pre_shared_key");
	if (i >= num_keys(c))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose pre-shared key %u of %zu", i, num_keys(c));
	if (key_hash(c, i) != c->suite->hash)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose a pre-shared key of another hash than suite 0x%04x",
				 c->suite->id);
	c->psk.chosen = true;
	c->psk.selected = i;
	if (c->psk.external)
		return HS_NEXT;
	c->psk.session = session(c, i);
	c->psk.hash = c->suite->hash;
	memcpy(c->psk.secret, c->psk.session->psk, hash_len(c->psk.hash));
	return HS_NEXT;
}

enum hs offer_take_early_data(struct tls_conn *c, struct cursor data)
{
	const struct tls_session *s = offer_first(c);

	if (!cur_empty(&data))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed early_data");
	if (!c->psk.chosen || c->psk.selected)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server accepts early data of a key that it did not choose");
	if (c->suite->id != s->suite)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server accepts early data under another suite");
	if (c->alpn_len != s->alpn_len || (s->alpn_len && memcmp(c->alpn, s->alpn, s->alpn_len)))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server accepts early data for another application protocol");
	c->early_data.state = TLS_EARLY_ACCEPTED;
	return HS_NEXT;
}

void offer_believe(struct tls_conn *c)
{
	const struct tls_session *s = c->psk.session;

	if (!c->psk.chosen)
		return;
	c->auth = s ? TLS_AUTH_CERTIFICATE : TLS_AUTH_PSK;
	c->authenticated = s ? s->authenticated : c->params.now_ms / 1000;
	if (!s)
		return;
	c->resumed = c->peer_known = true;
	c->peer.not_after = s->not_after;
	memcpy(c->peer.leaf_sha256, s->leaf_sha256, sizeof(c->peer.leaf_sha256));
}
