// SPDX-License-Identifier: MIT
#include "psk_server.h"

#include "keylog.h"
#include "ticket.h"

/* Identities looked at; each may cost an AEAD. A client has no use for more: it drops a ticket with its use (C.4). */
#define IDENTITIES_MAX	8

/* ---- the extensions ---- */

static enum hs malformed(struct tls_conn *c, const char *what)
{
	return hs_refuse(c, ALERT_DECODE_ERROR, "malformed %s", what);
}

/* 4.2.9. */
static enum hs read_modes(struct tls_conn *c, const struct ext_block *exts)
{
	static const uint8_t bits[] = { TLS_PSK_KE, TLS_PSK_DHE_KE };
	struct cursor data = exts->data[EXT_PSK_KEY_EXCHANGE_MODES], list;
	uint8_t mode, modes = 0;

	if (!ext_has(exts, EXT_PSK_KEY_EXCHANGE_MODES))
		return HS_NEXT;
	if (!cur_vec(&data, &list, 1, 1, 255) || !cur_empty(&data))
		return malformed(c, "psk_key_exchange_modes");
	while (cur_u8(&list, &mode))
		if (mode < sizeof(bits))
			modes |= bits[mode];
	c->psk_modes = modes & c->params.config->psk_modes;
	return HS_NEXT;
}

/* Without forward secrecy only if there is no other way; with it only if there is a key share. */
static uint8_t choose_mode(const struct tls_conn *c, const struct ext_block *exts)
{
	if (c->psk_modes & TLS_PSK_DHE_KE)
		return ext_has(exts, EXT_KEY_SHARE) ? TLS_PSK_DHE_KE : 0;
	return c->psk_modes;
}

/* 4.2.11. A binder of a wrong length does not verify; only that of the key which is taken is looked at. */
static enum hs read_psks(struct tls_conn *c, struct psk_offer *out, struct cursor data)
{
	struct cursor identities, binders, x;
	size_t num_identities = 0, num_binders = 0;
	uint32_t age;

	if (!cur_vec(&data, &out->identities, 2, 7, 65535))
		return malformed(c, "pre_shared_key");
	out->truncated.len = (size_t)(data.p - out->truncated.p);
	if (!cur_vec(&data, &out->binders, 2, 1, 65535) || !cur_empty(&data))
		return malformed(c, "pre_shared_key");
	for (identities = out->identities; !cur_empty(&identities); num_identities++)
		if (!cur_vec(&identities, &x, 2, 1, 65535) || !cur_uint(&identities, &age, 4))
			return malformed(c, "pre_shared_key");
	for (binders = out->binders; !cur_empty(&binders); num_binders++)
		if (!cur_vec(&binders, &x, 1, 0, 255))
			return malformed(c, "pre_shared_key");
	if (num_identities != num_binders)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "%zu pre-shared keys with %zu binders", num_identities,
				 num_binders);
	return HS_NEXT;
}

enum hs psk_read_offer(struct tls_conn *c, struct psk_offer *out, const struct ext_block *exts, struct cursor hello)
{
	*out = (struct psk_offer){ .truncated = hello, .body_len = hello.len };
	out->early = ext_has(exts, EXT_EARLY_DATA);
	if (out->early && !cur_empty(&exts->data[EXT_EARLY_DATA]))
		return malformed(c, "early_data");
	if (read_modes(c, exts))
		return HS_FAILED;
	out->mode = choose_mode(c, exts);
	return ext_has(exts, EXT_PRE_SHARED_KEY) ? read_psks(c, out, exts->data[EXT_PRE_SHARED_KEY]) : HS_NEXT;
}

/* ---- choosing ---- */

static bool take_external(struct tls_conn *c, struct cursor identity, enum hash_id hash)
{
	const struct tls_config *config = c->params.config;

	for (size_t i = 0; i < config->num_externals; i++) {
		const struct tls_external *x = &config->externals[i];

		if (x->hash != hash || x->identity_len != identity.len || memcmp(x->identity, identity.p, identity.len))
			continue;
		c->psk.external = x;
		return true;
	}
	return false;
}

/*
 * 4.2.10: all that must be as it was when the ticket was given; whether it is the first time is asked last. Through a
 * retry there is none: a second ClientHello does not come with it.
 */
static bool may_be_early(const struct tls_conn *c, const struct psk_offer *offer, const struct suite *suite,
			 const struct ticket *t)
{
	const struct tls_config *config = c->params.config;
	uint8_t names[32];

	ticket_names(c, names);
	return offer->early && c->params.accept_early && c->params.tickets->early && config->ticket_early_data &&
	       config->client_auth == TLS_CLIENT_AUTH_NONE && c->psk.selected == 0 && t->suite == suite->id &&
	       !memcmp(t->names, names, sizeof(names));
}

static void keep_ticket(struct tls_conn *c, const struct psk_offer *offer, const struct suite *suite,
			const struct ticket *t, uint32_t obfuscated_age)
{
	c->psk.peer = t->peer;
	memcpy(c->psk.secret, t->psk, hash_len(suite->hash));
	c->early_data.limit = may_be_early(c, offer, suite, t) ? t->max_early_data : 0;
	c->early_data.skew_ms = (int64_t)(uint32_t)(obfuscated_age - t->age_add) - (c->params.now_ms - t->issued_ms);
}

static bool take_ticket(struct tls_conn *c, const struct psk_offer *offer, const struct suite *suite,
			struct cursor identity, uint32_t obfuscated_age)
{
	const struct tls_ticket_ops *ops = c->params.tickets;
	uint8_t state[TLS_STATE_MAX];
	struct ticket t;
	bool ok = false;
	size_t len;

	len = ops ? ops->open(c->params.tickets_arg, state, &c->early_data.domain, identity.p, identity.len) : 0;
	if (!len)
		return false;
	if (ticket_decode(&t, state, len) && suite_find(t.suite)->hash == suite->hash && ticket_usable(c, &t)) {
		keep_ticket(c, offer, suite, &t, obfuscated_age);
		ok = true;
	}
	wipe(&t, sizeof(t));
	wipe(state, sizeof(state));
	return ok;
}

/* 4.2.11.2: the binder, and the hash that it is the MAC of. */
static void keep_binder(struct tls_conn *c, const struct psk_offer *offer, enum hash_id hash)
{
	struct hash h = *transcript_running(&c->transcript, hash);
	struct cursor binders = offer->binders, binder = { 0 };
	uint8_t header[MSG_HEADER_LEN] = { HT_CLIENT_HELLO };

	for (size_t i = 0; i <= c->psk.selected; i++)
		if (!cur_vec(&binders, &binder, 1, 0, 255))
			abort();	/* there are as many as identities */
	c->psk.binder_len = (uint8_t)binder.len;
	memcpy(c->psk.binder, binder.p, binder.len < HASH_MAX ? binder.len : HASH_MAX);
	store_be(header + 1, 3, offer->body_len);
	hash_update(&h, header, sizeof(header));
	hash_update(&h, offer->truncated.p, offer->truncated.len);
	hash_final(&h, c->psk.binder_hash);
}

bool psk_choose(struct tls_conn *c, const struct psk_offer *offer, const struct suite *suite)
{
	struct cursor identities = offer->identities, identity;
	uint32_t age;

	if (c->psk.chosen)	/* of a first ClientHello */
		wipe(&c->psk, sizeof(c->psk));
	c->psk.selected = 0;
	c->early_data.limit = 0;
	if (!offer->mode)
		return false;
	for (; c->psk.selected < IDENTITIES_MAX; c->psk.selected++) {
		if (!cur_vec(&identities, &identity, 2, 1, 65535) || !cur_uint(&identities, &age, 4))
			return false;
		if (!take_external(c, identity, suite->hash) && !take_ticket(c, offer, suite, identity, age))
			continue;
		c->psk.hash = suite->hash;
		c->psk.chosen = true;
		keep_binder(c, offer, suite->hash);
		return true;
	}
	return false;
}

/* ---- steps ---- */

enum hs psk_ask_binder(struct tls_conn *c)
{
	return c->psk.external ? hs_ask(c, TLS_SIGN_BINDER) : HS_NEXT;
}

/* What the ticket says of the client is so now. */
static void resume(struct tls_conn *c)
{
	const struct session_peer *peer = &c->psk.peer;

	c->resumed = true;
	c->auth = peer->auth;
	c->authenticated = peer->authenticated;
	c->peer_known = peer->known;
	c->peer.not_after = peer->not_after;
	memcpy(c->peer.leaf_sha256, peer->leaf_sha256, sizeof(c->peer.leaf_sha256));
}

enum hs psk_check_binder(struct tls_conn *c)
{
	size_t len = hash_len(c->psk.hash);
	uint8_t expected[HASH_MAX];
	bool equal;

	if (!c->psk.chosen)
		return HS_NEXT;
	if (c->psk.external) {
		memcpy(expected, c->psk.secret, len);
	} else {
		keys_early_init(&c->early, c->psk.hash, c->psk.secret, len);
		keys_binder(expected, &c->early, false, c->psk.binder_hash);
	}
	equal = c->psk.binder_len == len && equal_ct(expected, c->psk.binder, len);
	wipe(expected, sizeof(expected));
	wipe(c->psk.secret, sizeof(c->psk.secret));
	if (!equal)
		return hs_refuse(c, ALERT_DECRYPT_ERROR, "client does not have the pre-shared key: wrong binder");
	if (c->psk.external)
		c->auth = TLS_AUTH_PSK;
	else
		resume(c);
	return HS_NEXT;
}

static bool accept_early(struct tls_conn *c)
{
	const struct tls_early_offer offer = {
		.binder = c->psk.binder, .binder_len = c->psk.binder_len,
		.skew_ms = c->early_data.skew_ms, .domain = c->early_data.domain,
	};

	return c->early_data.limit && c->params.tickets->early(c->params.tickets_arg, &offer);
}

enum hs psk_decide_early_data(struct tls_conn *c)
{
	uint8_t hash[HASH_MAX], secret[HASH_MAX];

	if (c->early_data.state != TLS_EARLY_OFFERED)
		return HS_NEXT;
	if (!accept_early(c)) {
		c->early_data.state = TLS_EARLY_REJECTED;
		return HS_NEXT;
	}
	c->early_data.state = TLS_EARLY_ACCEPTED;
	transcript_hash(&c->transcript, hash);
	keys_early_traffic(secret, &c->early, hash);
	keylog_secret(c, "CLIENT_EARLY_TRAFFIC_SECRET", secret, hash_len(c->suite->hash));
	hs_rx_keys(c, secret);
	c->rx.skipping = false;
	c->rx.early = true;
	wipe(secret, sizeof(secret));
	return HS_NEXT;
}

enum hs psk_ask_handshake_secret(struct tls_conn *c)
{
	return c->psk.external ? hs_ask(c, TLS_SIGN_HANDSHAKE_SECRET) : HS_NEXT;
}
