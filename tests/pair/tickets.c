// SPDX-License-Identifier: MIT
/* Sessions: a keeper of tickets for the server, and what a client makes of those that came. */
#include "pair.h"
#include "tlshd/tls/record.h"
#include "tlshd/tls/ticket.h"

/* ---- the keeper: AES-256-GCM under one key, the nonce in front ---- */

static const uint8_t key[AEAD_KEY_MAX] = "the tests' ticket key";
#define DOMAIN 0x7e57

static size_t seal(void *arg, uint8_t *out, const uint8_t *state, size_t len)
{
	struct pair_tickets *t = arg;

	t->num_seals++;
	assert_true(len > 0 && len <= TLS_STATE_MAX);
	if (t->no_seal)
		return 0;
	rand_bytes(out, AEAD_NONCE_LEN);
	aead_seal(AEAD_AES_256_GCM, out + AEAD_NONCE_LEN, state, len, NULL, 0, key, out);
	return AEAD_NONCE_LEN + len + AEAD_TAG_LEN;
}

static size_t open_ticket(void *arg, uint8_t *state, uint64_t *domain, const uint8_t *ticket, size_t len)
{
	struct pair_tickets *t = arg;

	t->num_opens++;
	if (t->no_open || len < AEAD_NONCE_LEN + AEAD_TAG_LEN || len > AEAD_NONCE_LEN + TLS_STATE_MAX + AEAD_TAG_LEN ||
	    aead_open(AEAD_AES_256_GCM, state, ticket + AEAD_NONCE_LEN, len - AEAD_NONCE_LEN, NULL, 0, key, ticket))
		return 0;
	*domain = DOMAIN;
	t->state_len = len - AEAD_NONCE_LEN - AEAD_TAG_LEN;
	memcpy(t->state, state, t->state_len);
	return t->state_len;
}

/* A binder once, of the last that came. */
static bool early(void *arg, const struct tls_early_offer *offer)
{
	struct pair_tickets *t = arg;

	t->num_earlies++;
	t->skew_ms = offer->skew_ms;
	assert_true(offer->domain == DOMAIN);
	assert_true(offer->binder_len == 32 || offer->binder_len == 48);
	for (size_t i = 0; i < NUM(t->binders); i++)
		if (!memcmp(t->binders[i], offer->binder, offer->binder_len))
			return false;
	memcpy(t->binders[t->num_binders++ % NUM(t->binders)], offer->binder, offer->binder_len);
	return !t->no_early;
}

void pair_tickets(struct pair *p)
{
	static const struct tls_ticket_ops ops = { .seal = seal, .open = open_ticket, .early = early };
	struct side *server = &p->side[TLS_SERVER];

	server->params.tickets = &ops;
	server->params.tickets_arg = &p->tickets;
	server->config.num_tickets = 1;
	server->config.ticket_lifetime_s = 3600;
	server->config.ticket_early_data = PLAINTEXT_MAX;
	for (int role = 0; role < 2; role++)
		p->side[role].config.psk_modes = TLS_PSK_DHE_KE;
}

/* ---- the client's side ---- */

/* Of all records together: whole NewSessionTicket messages. */
static void take_tickets(struct pair *p, const struct tls_resumption *r, const uint8_t *at, size_t len)
{
	while (len) {
		size_t n;
		enum tls_post kind;
		uint8_t alert;

		assert_true(len >= MSG_HEADER_LEN);
		n = MSG_HEADER_LEN + ((size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3]);
		assert_true(n <= len && p->num_sessions < NUM(p->sessions));
		assert_int_equal(tls_post_parse(TLS_CLIENT, &kind, &alert, at, n), 0);
		assert_int_equal(kind, TLS_POST_TICKET);
		assert_int_equal(tls_session_take(&p->sessions[p->num_sessions++], r, at, n,
						  p->side[TLS_CLIENT].params.now_ms), 0);
		at += n;
		len -= n;
	}
}

size_t pair_take_sessions(struct pair *p)
{
	static uint8_t content[STREAM_MAX];
	struct side *s = &p->side[TLS_CLIENT];
	struct tls_traffic client, server;
	size_t content_len = 0;
	struct tls_resumption r;
	enum aead_id aead;

	tls_resumption(&s->c, &r);
	tls_traffic(&s->c, &client);
	aead = suite_find(client.suite)->aead;
	tls_traffic(&p->side[TLS_SERVER].c, &server);
	p->num_sessions = 0;
	while (s->in_at < s->in_len) {
		uint8_t *rec = s->in + s->in_at, type;
		size_t len = RECORD_HEADER_LEN + (size_t)(rec[3] << 8 | rec[4]), n;

		assert_true(len <= s->in_len - s->in_at);
		assert_int_equal(record_open(rec, len, &type, &n, aead, &client.rx), RECORD_OK);
		assert_int_equal(type, CT_HANDSHAKE);
		memcpy(content + content_len, rec + RECORD_HEADER_LEN, n);
		content_len += n;
		s->in_at += len;
	}
	take_tickets(p, &r, content, content_len);
	assert_true(client.rx.seq == server.tx.seq);
	wipe(&r, sizeof(r));
	wipe(&client, sizeof(client));
	wipe(&server, sizeof(server));
	return p->num_sessions;
}

void pair_resume(struct pair *p)
{
	struct tls_params *client = &p->side[TLS_CLIENT].params;

	pair_again(p);
	for (size_t i = 0; i < p->num_sessions; i++)
		p->offered[i] = &p->sessions[p->num_sessions - 1 - i];
	client->sessions = p->offered;
	client->num_sessions = p->num_sessions;
}

void pair_first(struct pair *p, size_t num)
{
	p->side[TLS_SERVER].config.num_tickets = (uint8_t)num;
	pair_run(p);
	assert_resumed(p, false);
	assert_int_equal(pair_take_sessions(p), num);
	pair_resume(p);
}

void pair_edit_ticket(struct pair *p, size_t i, void (*change)(struct ticket *t))
{
	struct tls_session *s = &p->sessions[i];
	uint8_t state[TLS_STATE_MAX];
	struct ticket t;
	uint64_t domain;
	size_t len = open_ticket(&p->tickets, state, &domain, s->ticket, s->ticket_len);

	assert_true(ticket_decode(&t, state, len));
	change(&t);
	s->ticket_len = (uint16_t)seal(&p->tickets, s->ticket, state, ticket_encode(state, &t));
}

void pair_early(struct pair *p, const void *data, size_t len)
{
	p->side[TLS_CLIENT].params.early = data;
	p->side[TLS_CLIENT].params.early_len = len;
	p->side[TLS_SERVER].params.accept_early = true;
}

void pair_age(struct pair *p, int64_t ms)
{
	for (int role = 0; role < 2; role++)
		p->side[role].params.now_ms += ms;
}

void assert_resumed(struct pair *p, bool resumed)
{
	struct tls_result r;

	assert_open(p);
	for (int role = 0; role < 2; role++) {
		tls_result(&p->side[role].c, &r);
		assert_int_equal(r.resumed, resumed);
	}
}

void assert_early(struct pair *p, enum tls_early state)
{
	const struct tls_params *client = &p->side[TLS_CLIENT].params;
	const struct side *server = &p->side[TLS_SERVER];
	struct tls_result r;

	for (int role = 0; role < 2; role++) {
		tls_result(&p->side[role].c, &r);
		assert_int_equal(r.early, state);
	}
	assert_int_equal(r.early_bytes, server->early_len);
	assert_int_equal(server->early_len, state == TLS_EARLY_ACCEPTED ? client->early_len : 0);
	assert_memory_equal(server->early, client->early, server->early_len);
}
