// SPDX-License-Identifier: MIT
#include "ticket.h"

#include "ext.h"

#define TICKET_FORMAT	1		/* changes with any change of what is encoded: older tickets are gone then */
#define NONCE_LEN	1
#define NEW_SESSION_TICKET_MAX (4 + 4 + 1 + NONCE_LEN + 2 + TLS_STATE_MAX + TLS_SEAL_MAX + 2 + 8)

/* ---- the content ---- */

static void put_u64(struct build *b, uint64_t v)
{
	store_be(put_space(b, 8), 8, v);
}

size_t ticket_encode(uint8_t *out, const struct ticket *t)
{
	struct build b = { .p = out, .cap = TLS_STATE_MAX };

	put_u8(&b, TICKET_FORMAT);
	put_u16(&b, t->suite);
	put_bytes(&b, t->psk, hash_len(suite_find(t->suite)->hash));
	put_uint(&b, 4, t->age_add);
	put_uint(&b, 4, t->lifetime_s);
	put_uint(&b, 4, t->max_early_data);
	put_u64(&b, (uint64_t)t->issued_ms);
	put_bytes(&b, t->scope, sizeof(t->scope));
	put_bytes(&b, t->policy, sizeof(t->policy));
	put_bytes(&b, t->names, sizeof(t->names));
	put_u64(&b, (uint64_t)t->peer.authenticated);
	put_u8(&b, t->peer.auth == TLS_AUTH_CERTIFICATE);
	put_u8(&b, t->peer.known);
	if (t->peer.known) {
		put_u64(&b, (uint64_t)t->peer.not_after);
		put_bytes(&b, t->peer.leaf_sha256, sizeof(t->peer.leaf_sha256));
	}
	return b.len;
}

static bool read_time(struct cursor *in, int64_t *out)
{
	uint32_t high, low;

	if (!cur_uint(in, &high, 4) || !cur_uint(in, &low, 4))
		return false;
	*out = (int64_t)((uint64_t)high << 32 | low);
	return *out >= 0;
}

static bool read_into(struct cursor *in, uint8_t *out, size_t len)
{
	const uint8_t *p;

	if (!cur_bytes(in, &p, len))
		return false;
	memcpy(out, p, len);
	return true;
}

static bool read_peer(struct cursor *in, struct session_peer *peer)
{
	uint8_t auth, known;

	if (!read_time(in, &peer->authenticated) || !cur_u8(in, &auth) || !cur_u8(in, &known) ||
	    auth > 1 || known > 1)
		return false;
	peer->auth = auth ? TLS_AUTH_CERTIFICATE : TLS_AUTH_NONE;
	peer->known = known;
	return !known || (read_time(in, &peer->not_after) &&
			  read_into(in, peer->leaf_sha256, sizeof(peer->leaf_sha256)));
}

static bool read_fields(struct cursor *in, struct ticket *t)
{
	const struct suite *suite;
	uint8_t format;

	if (!cur_u8(in, &format) || format != TICKET_FORMAT || !cur_u16(in, &t->suite))
		return false;
	suite = suite_find(t->suite);
	return suite && read_into(in, t->psk, hash_len(suite->hash)) && cur_uint(in, &t->age_add, 4) &&
	       cur_uint(in, &t->lifetime_s, 4) && cur_uint(in, &t->max_early_data, 4) &&
	       read_time(in, &t->issued_ms) && read_into(in, t->scope, sizeof(t->scope)) &&
	       read_into(in, t->policy, sizeof(t->policy)) && read_into(in, t->names, sizeof(t->names)) &&
	       read_peer(in, &t->peer) && cur_empty(in);
}

bool ticket_decode(struct ticket *t, const uint8_t *state, size_t len)
{
	struct cursor in = { state, len };

	memset(t, 0, sizeof(*t));
	if (read_fields(&in, t))
		return true;
	wipe(t, sizeof(*t));
	return false;
}

/* ---- one that comes back ---- */

/* Neither may lie in the future: a clock that was set back could make a ticket live for ever. */
static bool in_time(const struct tls_conn *c, const struct ticket *t)
{
	int64_t now_ms = c->params.now_ms, now = now_ms / 1000;

	return t->issued_ms <= now_ms && now_ms - t->issued_ms < t->lifetime_s * INT64_C(1000) &&
	       t->peer.authenticated <= now && now - t->peer.authenticated < c->params.config->ticket_lifetime_s &&
	       (!t->peer.known || now < t->peer.not_after);
}

bool ticket_usable(const struct tls_conn *c, const struct ticket *t)
{
	const struct tls_config *config = c->params.config;

	return equal_ct(t->scope, config->scope, sizeof(t->scope)) &&
	       equal_ct(t->policy, config->policy, sizeof(t->policy)) && in_time(c, t) &&
	       (config->client_auth != TLS_CLIENT_AUTH_REQUIRE || t->peer.auth == TLS_AUTH_CERTIFICATE);
}

void ticket_names(const struct tls_conn *c, uint8_t *out)
{
	struct hash h;

	hash_init(&h, HASH_SHA256);
	hash_update(&h, c->server_name, strlen(c->server_name) + 1);
	if (c->alpn_len)
		hash_update(&h, c->alpn, c->alpn_len);
	hash_final(&h, out);
}

/* ---- new ones ---- */

/* Seconds, 0 or less: it would be dead already. */
static int64_t lifetime(const struct tls_conn *c)
{
	int64_t now = c->params.now_ms / 1000;
	int64_t left = c->params.config->ticket_lifetime_s - (now - c->authenticated);

	if (now < c->authenticated)
		return 0;	/* a clock that was set back would have it live too long */
	if (c->peer_known && left > c->peer.not_after - now)
		left = c->peer.not_after - now;
	return left;
}

/* RFC 8446 4.6.1: the client's Finished is known before it comes, and so is what resumption hangs on. */
static void add_client_finished(const struct tls_conn *c, struct hash *h)
{
	static const uint8_t end_of_early_data[MSG_HEADER_LEN] = { HT_END_OF_EARLY_DATA };
	bool early = c->early_data.state == TLS_EARLY_ACCEPTED;
	size_t len = hash_len(c->suite->hash);
	uint8_t msg[MSG_HEADER_LEN + HASH_MAX] = { HT_FINISHED, 0, 0, (uint8_t)len }, hash[HASH_MAX];

	if (early)
		hash_update(h, end_of_early_data, sizeof(end_of_early_data));
	hash_final(h, hash);
	keys_finished(msg + MSG_HEADER_LEN, c->suite->hash, early ? c->early_data.after : c->rx.keys.secret, hash);
	hash_update(h, msg, MSG_HEADER_LEN + len);
	wipe(msg, sizeof(msg));
}

static void start_resumption(struct tls_conn *c)
{
	struct hash h = *transcript_running(&c->transcript, c->suite->hash);
	uint8_t hash[HASH_MAX];

	if (!c->rx.finished)
		add_client_finished(c, &h);
	hash_final(&h, hash);
	keys_resumption(&c->master, hash);
}

static void fill(const struct tls_conn *c, struct ticket *t, const uint8_t *nonce)
{
	const struct tls_config *config = c->params.config;

	*t = (struct ticket){
		.suite = c->suite->id,
		.lifetime_s = (uint32_t)lifetime(c),
		.max_early_data = config->client_auth == TLS_CLIENT_AUTH_NONE ? config->ticket_early_data : 0,
		.issued_ms = c->params.now_ms,
		.peer = { c->auth, c->peer_known, c->authenticated, c->peer.not_after },
	};
	rand_bytes((uint8_t *)&t->age_add, sizeof(t->age_add));
	keys_ticket_psk(t->psk, c->suite->hash, c->master.resumption, nonce, NONCE_LEN);
	memcpy(t->peer.leaf_sha256, c->peer.leaf_sha256, sizeof(t->peer.leaf_sha256));
	memcpy(t->scope, config->scope, sizeof(t->scope));
	memcpy(t->policy, config->policy, sizeof(t->policy));
	ticket_names(c, t->names);
}

static void put_ticket(struct tls_conn *c, struct build *b, const struct ticket *t, const uint8_t *nonce,
		       const uint8_t *sealed, size_t len)
{
	struct vec v, ext;

	put_uint(b, 4, t->lifetime_s);
	put_uint(b, 4, t->age_add);
	v = put_vec(b, 1);
	put_bytes(b, nonce, NONCE_LEN);
	put_end(b, v);
	v = put_vec(b, 2);
	put_bytes(b, sealed, len);
	put_end(b, v);
	v = put_vec(b, 2);
	if (t->max_early_data) {
		ext = ext_begin(c, b, EXT_EARLY_DATA);
		put_uint(b, 4, t->max_early_data);
		put_end(b, ext);
	}
	put_end(b, v);
}

/* Return: HS_NEXT, also if there can be no ticket now; HS_WANT_TX nothing has changed. */
static enum hs send_one(struct tls_conn *c)
{
	uint8_t state[TLS_STATE_MAX], sealed[TLS_STATE_MAX + TLS_SEAL_MAX], nonce[NONCE_LEN] = { c->num_tickets };
	struct ticket t;
	struct build b;
	size_t len;
	enum hs rc = hs_begin(c, &b, HT_NEW_SESSION_TICKET, NEW_SESSION_TICKET_MAX);

	if (rc)
		return rc;
	if (!c->num_tickets)
		start_resumption(c);
	fill(c, &t, nonce);
	len = c->params.tickets->seal(c->params.tickets_arg, sealed, state, ticket_encode(state, &t));
	if (len) {
		put_ticket(c, &b, &t, nonce, sealed, len);
		hs_send_post(c, &b);
	}
	c->num_tickets++;
	wipe(&t, sizeof(t));
	wipe(state, sizeof(state));
	return HS_NEXT;
}

/* Those of an external key have no use for one: their key is at hand, and its identity would be gone. */
static bool due(const struct tls_conn *c)
{
	bool certificate_due = c->params.config->client_auth != TLS_CLIENT_AUTH_NONE && !c->psk.chosen;

	return c->params.tickets && c->psk_modes && !c->psk.external && lifetime(c) > 0 &&
	       (!certificate_due || c->rx.finished);
}

enum hs ticket_send_all(struct tls_conn *c)
{
	if (!due(c))
		return HS_NEXT;
	while (c->num_tickets < c->params.config->num_tickets) {
		enum hs rc = send_one(c);

		if (rc)
			return rc;
	}
	wipe(c->master.resumption, sizeof(c->master.resumption));
	return HS_NEXT;
}
