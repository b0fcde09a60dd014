// SPDX-License-Identifier: MIT
/* Sessions and pre-shared keys: what a server takes, and what it lets be done with them. */
#include <errno.h>

#include "flight.h"
#include "tlshd/tls/ticket.h"

#define HOUR_MS (3600 * 1000LL)

/* ---- a ticket that comes back ---- */

/* A full handshake is over; the client is about to offer what it got. */
static void first(struct pair *p, size_t num_tickets)
{
	p->side[TLS_SERVER].config.num_tickets = (uint8_t)num_tickets;
	pair_run(p);
	assert_resumed(p, false);
	assert_int_equal(pair_take_sessions(p), num_tickets);
	pair_resume(p);
}

static void init(struct pair *p)
{
	pair_init(p, "p256");
	pair_tickets(p);
}

/* What the server sealed for session @i, changed; the keeper's own seal and open. */
static void edit(struct pair *p, size_t i, void (*change)(struct ticket *t))
{
	const struct tls_ticket_ops *ops = p->side[TLS_SERVER].params.tickets;
	struct tls_session *s = &p->sessions[i];
	uint8_t state[TLS_STATE_MAX];
	struct ticket t;
	uint64_t domain;
	size_t len = ops->open(&p->tickets, state, &domain, s->ticket, s->ticket_len);

	assert_true(ticket_decode(&t, state, len));
	change(&t);
	s->ticket_len = (uint16_t)ops->seal(&p->tickets, s->ticket, state, ticket_encode(state, &t));
}

static void a_session_goes_on_with_every_suite(void **state)
{
	static const uint16_t suites[] = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 };

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++) {
		struct tls_result before, r;
		struct pair p;

		init(&p);
		p.side[TLS_SERVER].config.suites[0] = suites[i];
		p.side[TLS_SERVER].config.num_suites = 1;
		first(&p, 1);
		pair_age(&p, 5000);
		pair_run(&p);
		assert_resumed(&p, true);
		tls_result(&p.side[TLS_SERVER].c, &r);
		assert_int_equal(r.auth, TLS_AUTH_NONE);
		assert_int_equal(r.sigscheme, 0);
		assert_null(r.peer_leaf_sha256);
		assert_int_equal(r.authenticated, p.side[TLS_SERVER].params.now_ms / 1000 - 5);
		assert_int_equal(p.side[TLS_SERVER].num_signed[TLS_SIGN_CERTIFICATE], 0);
		before = r;

		/* And its successor, which began when the first one did. */
		assert_int_equal(pair_take_sessions(&p), 1);
		pair_resume(&p);
		pair_age(&p, 5000);
		pair_run(&p);
		assert_resumed(&p, true);
		tls_result(&p.side[TLS_SERVER].c, &r);
		assert_int_equal(r.authenticated, before.authenticated);
		pair_free(&p);
	}
}

static void spoil_key(struct ticket *t)
{
	t->psk[0] ^= 1;
}

static void other_suite(struct ticket *t)
{
	t->suite = TLS_CHACHA20_POLY1305_SHA256;
}

static void issued_later(struct ticket *t)
{
	t->issued_ms++;
}

static void of_a_second(struct ticket *t)
{
	t->lifetime_s = 1;
}

static void begun_later(struct ticket *t)
{
	t->peer.authenticated++;
}

static void begun_before(struct ticket *t)
{
	t->peer.authenticated -= 3599;
}

static void begun_long_before(struct ticket *t)
{
	t->peer.authenticated -= 3600;
}

static void certificate_valid(struct ticket *t)
{
	t->peer.known = true;
	t->peer.not_after = t->peer.authenticated + 1;
}

static void certificate_expired(struct ticket *t)
{
	t->peer.known = true;
	t->peer.not_after = t->peer.authenticated;
}

static void other_scope(struct pair *p)
{
	p->side[TLS_SERVER].config.scope[31] ^= 1;
}

static void other_policy(struct pair *p)
{
	p->side[TLS_SERVER].config.policy[31] ^= 1;
}

static void require_certificate(struct pair *p)
{
	pair_client_auth(p, TLS_CLIENT_AUTH_REQUIRE, "client");
}

static void request_certificate(struct pair *p)
{
	pair_client_auth(p, TLS_CLIENT_AUTH_VERIFY, NULL);
}

static void server_at_end(struct pair *p)
{
	p->side[TLS_SERVER].params.now_ms += HOUR_MS - 1;
}

static void server_behind_end(struct pair *p)
{
	p->side[TLS_SERVER].params.now_ms += HOUR_MS;
}

static void a_second_later(struct pair *p)
{
	p->side[TLS_SERVER].params.now_ms += 1000;
}

static void nearly_a_second_later(struct pair *p)
{
	p->side[TLS_SERVER].params.now_ms += 999;
}

static void server_set_back(struct pair *p)
{
	p->side[TLS_SERVER].params.now_ms--;
}

static void shorter_lifetime(struct pair *p)
{
	p->side[TLS_SERVER].config.ticket_lifetime_s = 60;
	p->side[TLS_SERVER].params.now_ms += 60000;
}

static void key_gone(struct pair *p)
{
	p->tickets.no_open = true;
}

static void no_tickets(struct pair *p)
{
	p->side[TLS_SERVER].params.tickets = NULL;
}

static void no_modes(struct pair *p)
{
	p->side[TLS_SERVER].config.psk_modes = 0;
}

static void only_without_dhe(struct pair *p)
{
	p->side[TLS_SERVER].config.psk_modes = TLS_PSK_KE;
}

static void tampered(struct pair *p)
{
	p->sessions[0].ticket[p->sessions[0].ticket_len - 1] ^= 1;
}

static void cut_short(struct pair *p)
{
	p->sessions[0].ticket_len = 1;
}

static void other_hash(struct pair *p)
{
	p->side[TLS_SERVER].config.suites[0] = TLS_AES_256_GCM_SHA384;
	p->side[TLS_SERVER].config.num_suites = 1;
}

static void same_hash(struct pair *p)
{
	p->side[TLS_SERVER].config.suites[0] = TLS_CHACHA20_POLY1305_SHA256;
	p->side[TLS_SERVER].config.num_suites = 1;
}

static void other_name(struct pair *p)
{
	p->side[TLS_CLIENT].params.server_name = NULL;
}

static void other_protocol(struct pair *p)
{
	pair_alpn(p, TLS_CLIENT, "\x02h2");
	pair_alpn(p, TLS_SERVER, "\x02h2");
}

static void a_ticket_is_taken_only_where_it_was_given(void **state)
{
	static const struct {
		const char *what;
		bool resumed;
		void (*edit)(struct ticket *t);
		void (*change)(struct pair *p);
	} cases[] = {
		{ "as it is", true },
		{ "another profile or host", false, NULL, other_scope },
		{ "another policy, as after a CA was removed", false, NULL, other_policy },
		{ "certificates are required now", false, NULL, require_certificate },
		{ "certificates are asked for now, under the same policy", true, NULL, request_certificate },
		{ "its last millisecond", true, of_a_second, nearly_a_second_later },
		{ "expired", false, of_a_second, a_second_later },
		{ "the last millisecond of all", true, NULL, server_at_end },
		{ "all is over", false, NULL, server_behind_end },
		{ "from the future", false, issued_later, NULL },
		{ "the server's clock was set back", false, NULL, server_set_back },
		{ "a session from the future", false, begun_later, NULL },
		{ "the session's last second", true, begun_before, NULL },
		{ "the session is over", false, begun_long_before, NULL },
		{ "sessions have a shorter life now", false, NULL, shorter_lifetime },
		{ "the client's certificate is valid", true, certificate_valid, NULL },
		{ "the client's certificate has expired", false, certificate_expired, NULL },
		{ "its key is gone", false, NULL, key_gone },
		{ "tampered with", false, NULL, tampered },
		{ "cut short", false, NULL, cut_short },
		{ "no tickets any more", false, NULL, no_tickets },
		{ "no pre-shared keys any more", false, NULL, no_modes },
		{ "no mode in common", false, NULL, only_without_dhe },
		{ "a suite of another hash", false, NULL, other_hash },
		{ "another suite of the same hash", true, NULL, same_hash },
		{ "another name, which is the scope's matter", true, NULL, other_name },
		{ "another protocol, which is early data's matter", true, NULL, other_protocol },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct pair p;

		print_message("# %s\n", cases[i].what);
		init(&p);
		first(&p, 1);
		if (cases[i].edit)
			edit(&p, 0, cases[i].edit);
		if (cases[i].change)
			cases[i].change(&p);
		pair_run(&p);
		assert_resumed(&p, cases[i].resumed);
		pair_free(&p);
	}
}

static void a_ticket_of_another_format_is_none(void **state)
{
	const struct ticket zero = { .suite = TLS_AES_128_GCM_SHA256 };
	uint8_t bytes[TLS_STATE_MAX];
	struct ticket t = zero;
	size_t len;

	(void)state;
	t.peer.known = true;
	len = ticket_encode(bytes, &t);
	assert_true(ticket_decode(&t, bytes, len));
	for (size_t n = 0; n < len; n++)
		assert_false(ticket_decode(&t, bytes, n));
	assert_false(ticket_decode(&t, bytes, len + 1));
	bytes[0]++;
	assert_false(ticket_decode(&t, bytes, len));
	bytes[0]--;
	bytes[2] = 0x55;		/* no suite of ours */
	assert_false(ticket_decode(&t, bytes, len));
	t = zero;
	t.suite = TLS_AES_256_GCM_SHA384;
	t.peer.known = true;
	assert_true(ticket_encode(bytes, &t) <= TLS_STATE_MAX);
}

/* ---- which of several ---- */

static void the_first_that_can_be_used_is_chosen(void **state)
{
	struct pair p;

	(void)state;
	for (size_t good = 0; good < 4; good++) {
		init(&p);
		first(&p, 4);
		for (size_t i = 0; i < good; i++)	/* the newest comes first */
			p.sessions[3 - i].ticket[0] ^= 1;
		pair_run(&p);
		assert_resumed(&p, true);
		assert_int_equal(p.tickets.num_opens, good + 1);
		pair_free(&p);
	}
}

static void only_the_binder_of_the_chosen_one_is_checked(void **state)
{
	struct pair p;

	(void)state;
	init(&p);
	first(&p, 2);
	edit(&p, 0, spoil_key);		/* offered second */
	pair_run(&p);
	assert_resumed(&p, true);
	pair_free(&p);

	init(&p);
	first(&p, 2);
	edit(&p, 1, spoil_key);
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_DECRYPT_ERROR, "wrong binder");
	pair_free(&p);
}

/* ---- how it proves itself ---- */

static void retry(struct pair *p)
{
	p->side[TLS_SERVER].config.groups[0] = 0x0017;
	p->side[TLS_SERVER].config.num_groups = 1;
}

/* The last byte of ClientHello number @arg, which is one of its binder. */
static void spoil_binder(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	size_t at = 0;

	if (from == TLS_SERVER)
		return;
	while (bytes[at] == CT_CHANGE_CIPHER_SPEC)
		at += 6;
	if (at < *len && bytes[at] == CT_HANDSHAKE && p->count++ == p->arg)
		bytes[at + 4 + (size_t)(bytes[at + 3] << 8 | bytes[at + 4])] ^= 1;
}

static void a_wrong_binder_is_refused(void **state)
{
	struct pair p;

	(void)state;
	init(&p);
	first(&p, 1);
	p.tamper = spoil_binder;
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_DECRYPT_ERROR, "wrong binder");
	pair_free(&p);
}

static void after_a_retry_the_second_binder_counts(void **state)
{
	struct pair p;

	(void)state;
	init(&p);
	first(&p, 1);
	retry(&p);
	pair_run(&p);
	assert_resumed(&p, true);
	assert_true(p.side[TLS_SERVER].c.retry);
	pair_free(&p);
	for (size_t hello = 0; hello < 2; hello++) {	/* the first is in the hash of the second's */
		init(&p);
		first(&p, 1);
		retry(&p);
		p.tamper = spoil_binder;
		p.arg = hello;
		p.count = 0;
		pair_run(&p);
		assert_refused(&p, TLS_SERVER, ALERT_DECRYPT_ERROR, "wrong binder");
		pair_free(&p);
	}
}

static void without_dhe_only_if_both_want_nothing_else(void **state)
{
	static const struct {
		uint8_t client, server;
		uint16_t group;
	} cases[] = {
		{ TLS_PSK_KE, TLS_PSK_KE, 0 },
		{ TLS_PSK_KE, TLS_PSK_KE | TLS_PSK_DHE_KE, 0 },
		{ TLS_PSK_KE | TLS_PSK_DHE_KE, TLS_PSK_KE, 0 },
		{ TLS_PSK_KE | TLS_PSK_DHE_KE, TLS_PSK_KE | TLS_PSK_DHE_KE, 0x001d },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct tls_result r;
		struct pair p;

		init(&p);
		p.side[TLS_CLIENT].config.psk_modes = cases[i].client;
		p.side[TLS_SERVER].config.psk_modes = cases[i].server;
		first(&p, 1);
		pair_run(&p);
		assert_resumed(&p, true);
		tls_result(&p.side[TLS_SERVER].c, &r);
		assert_int_equal(r.group, cases[i].group);
		pair_free(&p);
	}
}

/* ---- tickets that go out ---- */

static void tickets_go_out_behind_the_flight_they_hang_on(void **state)
{
	struct pair p;

	(void)state;
	for (size_t num = 0; num <= TLS_TICKETS_MAX; num++)
		for (int ask = 0; ask < 2; ask++) {
			struct tls_traffic t;

			init(&p);
			if (ask)
				pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
			p.side[TLS_SERVER].config.num_tickets = (uint8_t)num;
			pair_run(&p);
			assert_resumed(&p, false);
			tls_traffic(&p.side[TLS_SERVER].c, &t);
			assert_int_equal(t.tx.seq, num);
			assert_int_equal(pair_take_sessions(&p), num);
			for (size_t i = 0; i < num; i++) {
				assert_int_equal(p.sessions[i].max_early_data, ask ? 0 : PLAINTEXT_MAX);
				for (size_t k = 0; k < i; k++) {
					assert_memory_not_equal(p.sessions[i].psk, p.sessions[k].psk, 32);
					assert_int_not_equal(p.sessions[i].age_add, p.sessions[k].age_add);
				}
			}
			for (size_t i = 0; i < num; i++) {
				pair_resume(&p);
				p.offered[0] = &p.sessions[i];
				p.side[TLS_CLIENT].params.num_sessions = 1;
				p.side[TLS_SERVER].config.num_tickets = 0;
				pair_run(&p);
				assert_resumed(&p, true);
			}
			pair_free(&p);
		}
}

static void a_resumed_client_is_who_it_was(void **state)
{
	struct tls_result r;
	uint8_t leaf[32];
	struct pair p;

	(void)state;
	init(&p);
	pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
	p.side[TLS_SERVER].config.num_tickets = 1;
	pair_run(&p);
	assert_resumed(&p, false);
	tls_result(&p.side[TLS_SERVER].c, &r);
	memcpy(leaf, r.peer_leaf_sha256, sizeof(leaf));
	for (int i = 0; i < 2; i++) {		/* and so with the ticket of a resumed one */
		assert_int_equal(pair_take_sessions(&p), 1);
		pair_resume(&p);
		pair_age(&p, 1000);
		pair_run(&p);
		assert_resumed(&p, true);
		tls_result(&p.side[TLS_SERVER].c, &r);
		assert_int_equal(r.auth, TLS_AUTH_CERTIFICATE);
		assert_memory_equal(r.peer_leaf_sha256, leaf, sizeof(leaf));
		assert_int_equal(r.authenticated, p.side[TLS_SERVER].params.now_ms / 1000 - 1 - i);
	}
	pair_free(&p);
}

static void a_certificate_that_was_only_asked_for_makes_nobody_known(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	init(&p);
	pair_client_auth(&p, TLS_CLIENT_AUTH_REQUEST, "client");
	first(&p, 1);
	pair_run(&p);
	assert_resumed(&p, true);
	tls_result(&p.side[TLS_SERVER].c, &r);
	assert_int_equal(r.auth, TLS_AUTH_NONE);
	assert_non_null(r.peer_leaf_sha256);
	p.side[TLS_SERVER].config.client_auth = TLS_CLIENT_AUTH_REQUIRE;	/* the digest, had it been left the same */
	pair_resume(&p);
	pair_run(&p);
	assert_resumed(&p, false);
	pair_free(&p);
}

static uint32_t lifetime(struct pair *p)
{
	assert_int_equal(pair_take_sessions(p), 1);
	return p->sessions[0].lifetime_s;
}

static void a_ticket_lives_no_longer_than_its_session(void **state)
{
	struct pair p;

	(void)state;
	init(&p);
	pair_run(&p);
	assert_int_equal(lifetime(&p), 3600);
	pair_resume(&p);
	pair_age(&p, 1000 * 1000);
	pair_run(&p);
	assert_resumed(&p, true);
	assert_int_equal(lifetime(&p), 2600);
	pair_resume(&p);
	pair_age(&p, 2599 * 1000);
	pair_run(&p);
	assert_resumed(&p, true);
	assert_int_equal(lifetime(&p), 1);
	pair_free(&p);

	/* Nor than the certificate that began it. */
	init(&p);
	first(&p, 1);
	edit(&p, 0, certificate_valid);
	pair_run(&p);
	assert_resumed(&p, true);
	assert_int_equal(lifetime(&p), 1);
	pair_free(&p);
}

static void no_ticket_for_who_has_no_use_for_it(void **state)
{
	struct pair p;

	(void)state;
	for (int i = 0; i < 6; i++) {
		init(&p);
		if (i == 0)
			p.side[TLS_CLIENT].config.psk_modes = 0;
		else if (i == 1)
			p.side[TLS_SERVER].config.psk_modes = 0;
		else if (i == 2)
			p.side[TLS_CLIENT].config.psk_modes = TLS_PSK_KE;
		else if (i == 3)
			p.side[TLS_SERVER].params.tickets = NULL;
		else if (i == 4)
			p.side[TLS_SERVER].config.ticket_lifetime_s = 0;
		else
			p.tickets.no_seal = true;
		pair_run(&p);
		assert_resumed(&p, false);
		assert_int_equal(pair_take_sessions(&p), 0);
		pair_free(&p);
	}
}

static void a_small_output_buffer_only_takes_more_turns(void **state)
{
	struct pair p;

	(void)state;
	for (size_t cap = 1900; cap < 3000; cap += 7)
		for (int ask = 0; ask < 2; ask++) {
			init(&p);
			if (ask)
				pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
			p.side[TLS_SERVER].tx_cap = cap;
			first(&p, 4);
			pair_run(&p);
			assert_resumed(&p, true);
			assert_int_equal(p.tickets.num_seals, 8);
			pair_free(&p);
		}
}

/* ---- external keys ---- */

static void an_external_key_opens_with_both_hashes(void **state)
{
	(void)state;
	for (int certificates = 0; certificates < 2; certificates++)
		for (int hash = 0; hash < 2; hash++)
			for (int mode = TLS_PSK_DHE_KE; mode <= TLS_PSK_KE; mode++)
				for (int again = 0; again < 2; again++) {
					struct tls_result r;
					struct pair p;

					init(&p);
					pair_external(&p, "nqn.2014-08.org.example:host", (enum hash_id)hash);
					p.side[TLS_CLIENT].config.psk_modes = p.side[TLS_SERVER].config.psk_modes = (uint8_t)mode;
					if (!certificates)
						p.side[TLS_SERVER].config.num_identities = 0;
					else if (hash == HASH_SHA384)
						p.side[TLS_SERVER].config.suites[0] = TLS_AES_256_GCM_SHA384;
					if (again)
						retry(&p);
					pair_run(&p);
					assert_open(&p);
					for (int role = 0; role < 2; role++) {
						tls_result(&p.side[role].c, &r);
						assert_int_equal(r.auth, TLS_AUTH_PSK);
						assert_false(r.resumed);
						assert_int_equal(r.suite, hash ? TLS_AES_256_GCM_SHA384 : TLS_AES_128_GCM_SHA256);
						assert_int_equal(r.group, mode == TLS_PSK_KE ? 0 : again ? 0x0017 : 0x001d);
						assert_int_equal(p.side[role].num_signed[TLS_SIGN_CERTIFICATE], 0);
					}
					assert_int_equal(p.tickets.num_seals, 0);
					p.side[TLS_SERVER].config.num_identities = (uint8_t)certificates;
					pair_free(&p);
				}
}

static void a_wrong_external_key_is_refused(void **state)
{
	struct pair p;

	(void)state;
	init(&p);
	pair_external(&p, "host", HASH_SHA256);
	p.side[TLS_SERVER].psk[7] ^= 1;
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_DECRYPT_ERROR, "wrong binder");
	assert_int_equal(p.side[TLS_SERVER].num_signed[TLS_SIGN_HANDSHAKE_SECRET], 0);
	pair_free(&p);
}

/* RFC 9257 4.1: a key is for one role and one hash, so what a client says of it is nothing that it takes as a server. */
static void an_unknown_external_key_is_passed_over(void **state)
{
	static const struct tls_external other[] = {
		{ (const uint8_t *)"hos", 3, HASH_SHA256, 1 },
		{ (const uint8_t *)"Host", 4, HASH_SHA256, 1 },
		{ (const uint8_t *)"host1", 5, HASH_SHA256, 1 },
		{ (const uint8_t *)"host", 4, HASH_SHA384, 1 },
	};
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(other); i++) {
		init(&p);
		pair_external(&p, "host", HASH_SHA256);
		p.side[TLS_CLIENT].config.num_suites = 1;	/* of its hash */
		p.side[TLS_SERVER].config.externals = &other[i];
		p.side[TLS_SERVER].config.num_identities = 0;
		pair_run(&p);
		assert_refused(&p, TLS_SERVER, ALERT_HANDSHAKE_FAILURE, "no pre-shared key of ours");

		/* With a certificate it would be a full handshake, for which a client that has but a key asks nothing. */
		p.side[TLS_SERVER].config.num_identities = 1;
		pair_again(&p);
		pair_run(&p);
		assert_refused(&p, TLS_SERVER, ALERT_MISSING_EXTENSION, "signature_algorithms");
		pair_free(&p);
	}
}

static void nothing_but_a_key_needs_one_from_every_client(void **state)
{
	struct pair p;

	(void)state;
	for (int again = 0; again < 2; again++) {
		init(&p);
		pair_external(&p, "host", HASH_SHA256);
		p.side[TLS_SERVER].config.num_identities = 0;
		p.side[TLS_CLIENT].config.num_externals = 0;
		if (again)
			retry(&p);
		pair_run(&p);
		assert_refused(&p, TLS_SERVER, ALERT_HANDSHAKE_FAILURE, "no pre-shared key of ours");
		p.side[TLS_SERVER].config.num_identities = 1;
		pair_free(&p);
	}
}

static void a_signer_without_an_answer_is_an_internal_error(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	init(&p);
	pair_external(&p, "host", HASH_SHA256);
	p.side[TLS_SERVER].bad_signer = true;
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_INTERNAL_ERROR, "the signer gave no answer");
	tls_result(&p.side[TLS_SERVER].c, &r);
	assert_int_equal(r.err, -EIO);
	pair_free(&p);
}

/* ---- early data ---- */

static uint8_t early[2 * PLAINTEXT_MAX];

static void nothing(struct pair *p)
{
	(void)p;
}

static void not_accepted(struct pair *p)
{
	p->side[TLS_SERVER].params.accept_early = false;
}

static void not_offered(struct pair *p)
{
	p->side[TLS_SERVER].config.ticket_early_data = 0;
}

static void seen_before(struct pair *p)
{
	p->tickets.no_early = true;
}

static void no_replay_table(struct pair *p)
{
	static struct tls_ticket_ops ops;

	ops = *p->side[TLS_SERVER].params.tickets;
	ops.early = NULL;
	p->side[TLS_SERVER].params.tickets = &ops;
}

static void second_ticket(struct pair *p)
{
	p->sessions[1].ticket[0] ^= 1;	/* offered first */
}

static void allow_none(struct ticket *t)
{
	t->max_early_data = 0;
}

static void none_allowed(struct pair *p)
{
	edit(p, 0, allow_none);
	edit(p, 1, allow_none);
}

static void of_another_suite(struct pair *p)
{
	edit(p, 0, other_suite);
	edit(p, 1, other_suite);
}

static void early_data_is_taken_only_where_all_is_as_it_was(void **state)
{
	static const struct {
		const char *what;
		enum tls_early state;
		void (*change)(struct pair *p);
		size_t num_asked;
	} cases[] = {
		{ "as it is", TLS_EARLY_ACCEPTED, nothing, 1 },
		{ "not wanted", TLS_EARLY_REJECTED, not_accepted, 0 },
		{ "tickets offer it no more", TLS_EARLY_REJECTED, not_offered, 0 },
		{ "seen before", TLS_EARLY_REJECTED, seen_before, 1 },
		{ "nobody to say whether it was", TLS_EARLY_REJECTED, no_replay_table, 0 },
		{ "the ticket allows none", TLS_EARLY_REJECTED, none_allowed, 0 },
		{ "the second identity", TLS_EARLY_REJECTED, second_ticket, 0 },
		{ "no identity", TLS_EARLY_REJECTED, key_gone, 0 },
		{ "another suite", TLS_EARLY_REJECTED, same_hash, 0 },
		{ "a session of another suite", TLS_EARLY_REJECTED, of_another_suite, 0 },
		{ "another name", TLS_EARLY_REJECTED, other_name, 0 },
		{ "client certificates are asked for", TLS_EARLY_REJECTED, request_certificate, 0 },
		{ "a retry", TLS_EARLY_REJECTED, retry, 0 },
	};
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++)
		for (size_t chunk = 0; chunk < 8; chunk += 7) {
			print_message("# %s\n", cases[i].what);
			init(&p);
			first(&p, 2);
			pair_early(&p, early, 1000);
			p.chunk = chunk;
			cases[i].change(&p);
			pair_run(&p);
			assert_open(&p);
			assert_early(&p, cases[i].state);
			assert_int_equal(p.tickets.num_earlies, cases[i].num_asked);
			pair_free(&p);
		}
}

static void early_data_of_another_protocol_is_rejected(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	init(&p);
	for (int role = 0; role < 2; role++)
		pair_alpn(&p, (enum tls_role)role, "\x02h2\x08http/1.1");
	first(&p, 1);
	pair_early(&p, early, 10);
	pair_run(&p);
	assert_early(&p, TLS_EARLY_ACCEPTED);
	pair_resume(&p);
	pair_alpn(&p, TLS_SERVER, "\x08http/1.1");
	pair_run(&p);
	assert_resumed(&p, true);
	assert_early(&p, TLS_EARLY_REJECTED);
	tls_result(&p.side[TLS_SERVER].c, &r);
	assert_int_equal(r.alpn_len, 8);
	pair_free(&p);
}

/* Its key hangs on EndOfEarlyData, too. */
static void a_ticket_given_behind_early_data_is_as_good(void **state)
{
	struct pair p;

	(void)state;
	for (int accepted = 0; accepted < 2; accepted++) {
		init(&p);
		first(&p, 1);
		pair_early(&p, early, 10);
		p.tickets.no_early = !accepted;
		for (int i = 0; i < 3; i++) {
			pair_run(&p);
			assert_resumed(&p, true);
			assert_early(&p, accepted ? TLS_EARLY_ACCEPTED : TLS_EARLY_REJECTED);
			assert_int_equal(pair_take_sessions(&p), 1);
			pair_resume(&p);
		}
		pair_free(&p);
	}
}

static uint8_t recorded[STREAM_MAX];
static size_t recorded_len;

/* The client's first output of one connection is that of the next. */
static void replay(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	if (from == TLS_SERVER || p->count++)
		return;
	if (recorded_len) {
		memcpy(bytes, recorded, recorded_len);
		*len = recorded_len;
	}
	recorded_len = *len;
	memcpy(recorded, bytes, *len);
}

static void early_data_that_is_replayed_is_rejected(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	init(&p);
	first(&p, 1);
	pair_early(&p, early, 10);
	p.tamper = replay;
	p.reads = PAIR_FLIGHTS;
	recorded_len = 0;
	for (int again = 0; again < 2; again++) {
		p.count = 0;
		pair_run(&p);
		tls_result(&p.side[TLS_SERVER].c, &r);
		assert_true(r.resumed);
		assert_int_equal(r.early, again ? TLS_EARLY_REJECTED : TLS_EARLY_ACCEPTED);
		assert_int_equal(r.early_bytes, again ? 0 : 10);
		assert_int_equal(p.tickets.num_earlies, again + 1);
		pair_resume(&p);
	}
	pair_free(&p);
}

static void the_age_is_told_as_the_client_sees_it(void **state)
{
	static const int64_t ahead[] = { 0, 5, -5, 3000 };
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(ahead); i++) {
		init(&p);
		first(&p, 1);
		pair_age(&p, 60000);
		p.side[TLS_CLIENT].params.now_ms += ahead[i];
		pair_early(&p, early, 10);
		pair_run(&p);
		assert_early(&p, TLS_EARLY_ACCEPTED);
		assert_int_equal(p.tickets.skew_ms, ahead[i]);
		pair_free(&p);
	}
}

static uint32_t limit;

static void set_limit(struct ticket *t)
{
	t->max_early_data = limit;
}

static void early_data_may_reach_its_limit_and_not_pass_it(void **state)
{
	static const size_t limits[] = { 1, 1000, PLAINTEXT_MAX, PLAINTEXT_MAX + 1 };
	struct tls_result r;
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(limits); i++)
		for (size_t over = 0; over < 2; over++) {
			init(&p);
			p.side[TLS_SERVER].config.ticket_early_data = sizeof(early);
			first(&p, 1);
			limit = (uint32_t)limits[i];
			edit(&p, 0, set_limit);
			pair_early(&p, early, limits[i] + over);
			pair_run(&p);
			if (!over) {
				assert_resumed(&p, true);
				assert_early(&p, TLS_EARLY_ACCEPTED);
			} else {
				assert_refused(&p, TLS_SERVER, ALERT_UNEXPECTED_MESSAGE, "bytes of early data");
				tls_result(&p.side[TLS_SERVER].c, &r);
				assert_true(r.early_bytes <= limits[i]);
			}
			pair_free(&p);
		}
}

/* ---- records around early data ---- */

static struct flight flight;

/* The place of the first part under key @epoch: 1 is early data's, 2 Finished's. */
static size_t place(uint8_t epoch)
{
	size_t i = 0;

	while (flight.parts[i].epoch != epoch)
		assert_true(++i < flight.num);
	return i;
}

/* At most four bytes of early data, all zero, in front of part @i. */
static void insert_early(size_t i, size_t len, uint8_t epoch)
{
	flight_insert(&flight, i, 0, early, 0, epoch);
	flight.parts[i].type = CT_APPLICATION_DATA;
	flight.parts[i].len = len;
}

static void as_many_empty_ones(void)
{
	for (size_t i = 0; i < EARLY_EMPTY_MAX; i++)
		insert_early(place(1), 0, 1);
}

static void one_more_empty_one(void)
{
	as_many_empty_ones();
	insert_early(place(1), 0, 1);
}

static void end_with_content(void)
{
	size_t i = place(1);

	flight_remove(&flight, i);
	flight_insert(&flight, i, HT_END_OF_EARLY_DATA, early, 1, 1);
}

static void end_twice(void)
{
	flight_insert(&flight, place(1) + 1, HT_END_OF_EARLY_DATA, early, 0, 1);
}

static void end_twice_under_the_next_key(void)
{
	flight_insert(&flight, place(1) + 1, HT_END_OF_EARLY_DATA, early, 0, 2);
}

static void no_end(void)
{
	flight_remove(&flight, place(1));
}

static void end_under_the_next_key(void)
{
	flight.parts[place(1)].epoch = 2;
}

static void finished_under_the_same_key(void)
{
	flight.parts[place(2)].epoch = 1;
}

static void finished_instead(void)
{
	flight_remove(&flight, place(1));
	flight.parts[place(2)].epoch = 1;
}

static void data_behind_the_end(void)
{
	insert_early(place(2), 1, 2);
}

static void data_before_the_end(void)
{
	insert_early(place(1), 4, 1);
}

static void data_within_the_end(void)
{
	size_t i = place(1);

	flight_insert(&flight, i + 1, 0, early, 0, 1);
	flight.parts[i + 1] = flight.parts[i];
	flight.parts[i].len = 2;
	flight.parts[i + 1].at += 2;
	flight.parts[i + 1].len -= 2;
	insert_early(i + 1, 1, 1);
}

/* What a client sends after its hello, and after the server's flight. */
enum { DATA = 1, END = 2 };

static const struct around {
	const char *what;
	size_t when;
	void (*change)(void);
	bool joined;		/* what goes under one key, in one record */
	uint16_t alert;
} arounds[] = {
	{ "as many empty records as may be", DATA, as_many_empty_ones, false, TLS_ALERT_NONE },
	{ "one more", DATA, one_more_empty_one, false, ALERT_UNEXPECTED_MESSAGE },
	{ "data right before its end", END, data_before_the_end, false, TLS_ALERT_NONE },
	{ "data within EndOfEarlyData", END, data_within_the_end, false, ALERT_UNEXPECTED_MESSAGE },
	{ "data behind it", END, data_behind_the_end, false, ALERT_UNEXPECTED_MESSAGE },
	{ "EndOfEarlyData with content", END, end_with_content, false, ALERT_DECODE_ERROR },
	{ "two of it", END, end_twice, false, ALERT_BAD_RECORD_MAC },
	{ "two of it in one record", END, end_twice, true, ALERT_UNEXPECTED_MESSAGE },
	{ "another under the next key", END, end_twice_under_the_next_key, false, ALERT_UNEXPECTED_MESSAGE },
	{ "none", END, no_end, false, ALERT_BAD_RECORD_MAC },
	{ "Finished instead", END, finished_instead, false, ALERT_UNEXPECTED_MESSAGE },
	{ "Finished in its record", END, finished_under_the_same_key, true, ALERT_UNEXPECTED_MESSAGE },
	{ "under the next key", END, end_under_the_next_key, false, ALERT_BAD_RECORD_MAC },
};
static const struct around *around;

static void change_flight(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	if (from == TLS_SERVER)
		return;
	flight_take(&flight, from, bytes, *len);
	if (++p->count == around->when)
		around->change();
	flight_put(&flight, from, bytes, len, around->joined ? PLAINTEXT_MAX : 0, 0);
}

static void each_wrong_end_of_early_data_gets_its_alert(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(arounds); i++) {
		print_message("# %s\n", arounds[i].what);
		init(&p);
		first(&p, 1);
		pair_early(&p, early, 10);
		around = &arounds[i];
		p.count = 0;
		p.tamper = change_flight;
		flight_watch(&p);
		pair_run(&p);
		if (arounds[i].alert == TLS_ALERT_NONE)
			assert_resumed(&p, true);
		else
			assert_refused(&p, TLS_SERVER, arounds[i].alert, NULL);
		pair_free(&p);
	}
}

static void pad(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	(void)p;
	if (from == TLS_SERVER)
		return;
	flight_take(&flight, from, bytes, *len);
	flight_put(&flight, from, bytes, len, 0, 1000);
}

static void padding_does_not_count_as_early_data(void **state)
{
	struct pair p;

	(void)state;
	init(&p);
	first(&p, 1);
	limit = 10;
	edit(&p, 0, set_limit);
	pair_early(&p, early, 10);
	p.tamper = pad;
	flight_watch(&p);
	pair_run(&p);
	assert_early(&p, TLS_EARLY_ACCEPTED);
	pair_free(&p);
}

/* Early data, its end, Finished and what is the kernel's, all in one read. */
static void send_late(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	if (from == TLS_SERVER)
		return;
	flight_take(&flight, from, bytes, *len);
	if (++p->count == DATA)
		flight_remove(&flight, place(1));
	else
		for (size_t i = 0; i < p->arg; i++)
			insert_early(place(1), 2, 1);
	flight_put(&flight, from, bytes, len, 0, 0);
	if (p->count == DATA)
		return;
	memset(bytes + *len, CT_APPLICATION_DATA, 100);
	*len += 100;
}

static void what_follows_finished_stays_behind_early_data_too(void **state)
{
	static const size_t chunks[] = { 0, 1, 30, 300 };
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(chunks); i++) {
		struct side *s = &p.side[TLS_SERVER];

		init(&p);
		first(&p, 1);
		pair_early(&p, early, 10);
		p.arg = 5;
		p.count = 0;
		p.chunk = chunks[i];
		p.tamper = send_late;
		flight_watch(&p);
		pair_run(&p);
		assert_early(&p, TLS_EARLY_ACCEPTED);
		assert_int_equal(s->in_len - s->in_at, 100);
		assert_int_equal(s->in[s->in_at], CT_APPLICATION_DATA);
		pair_free(&p);
	}
}

/* ---- no secret stays ---- */

static struct { uint8_t p[HASH_MAX]; size_t len; } secrets[400];
static size_t num_secrets;

static void note(const uint8_t *p, size_t len)
{
	static const uint8_t zeros[HASH_MAX];

	if (!memcmp(p, zeros, len))
		return;
	assert_true(num_secrets < NUM(secrets));
	memcpy(secrets[num_secrets].p, p, len);
	secrets[num_secrets++].len = len;
}

/* After each step of the server: all that is there and must not be there in the end. */
static enum hs note_all(struct tls_conn *c)
{
	note(c->psk.secret, 32);
	note(c->psk.binder, 32);
	note(c->early.secret, 32);
	note(c->early_data.after, 32);
	note(c->handshake.secret, 32);
	note(c->handshake.client, 32);
	note(c->master.secret, 32);
	note(c->master.resumption, 32);
	return HS_NEXT;
}

/* EndOfEarlyData does not decrypt. */
static void damage_end(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	(void)len;
	if (from == TLS_CLIENT && ++p->count == END)
		bytes[RECORD_HEADER_LEN] ^= 1;
}

static void no_secret_of_a_session_is_left(void **state)
{
	(void)state;
	for (int fails = 0; fails < 2; fails++) {
		hs_step *own[NUM(((struct side *)0)->steps)];
		struct side *s;
		struct pair p;

		init(&p);
		first(&p, 1);
		pair_early(&p, early, 10);
		s = &p.side[TLS_SERVER];
		pair_steps(&p, TLS_SERVER);
		memcpy(own, s->steps, sizeof(own));
		for (size_t i = 0; own[i]; i++) {
			s->steps[2 * i] = own[i];
			s->steps[2 * i + 1] = note_all;
			s->steps[2 * i + 2] = NULL;
		}
		num_secrets = 0;
		p.reads = PAIR_FLIGHTS;
		p.count = 0;
		p.tamper = fails ? damage_end : NULL;
		pair_run(&p);
		if (fails)
			assert_refused(&p, TLS_SERVER, ALERT_BAD_RECORD_MAC, NULL);
		else
			assert_early(&p, TLS_EARLY_ACCEPTED);
		assert_true(num_secrets > 20);
		for (size_t i = 0; i < num_secrets; i++)
			assert_null(memmem(&s->c, sizeof(s->c), secrets[i].p, secrets[i].len));
		pair_free(&p);
	}
}

static int start(void **state)
{
	(void)state;
	return crypto_init() || crypto_thread_init();
}

static int stop(void **state)
{
	(void)state;
	x509_anchors_free(pair_anchors());
	crypto_thread_exit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_goes_on_with_every_suite),
		cmocka_unit_test(a_ticket_is_taken_only_where_it_was_given),
		cmocka_unit_test(a_ticket_of_another_format_is_none),
		cmocka_unit_test(the_first_that_can_be_used_is_chosen),
		cmocka_unit_test(only_the_binder_of_the_chosen_one_is_checked),
		cmocka_unit_test(a_wrong_binder_is_refused),
		cmocka_unit_test(after_a_retry_the_second_binder_counts),
		cmocka_unit_test(without_dhe_only_if_both_want_nothing_else),
		cmocka_unit_test(tickets_go_out_behind_the_flight_they_hang_on),
		cmocka_unit_test(a_resumed_client_is_who_it_was),
		cmocka_unit_test(a_certificate_that_was_only_asked_for_makes_nobody_known),
		cmocka_unit_test(a_ticket_lives_no_longer_than_its_session),
		cmocka_unit_test(no_ticket_for_who_has_no_use_for_it),
		cmocka_unit_test(a_small_output_buffer_only_takes_more_turns),
		cmocka_unit_test(an_external_key_opens_with_both_hashes),
		cmocka_unit_test(a_wrong_external_key_is_refused),
		cmocka_unit_test(an_unknown_external_key_is_passed_over),
		cmocka_unit_test(nothing_but_a_key_needs_one_from_every_client),
		cmocka_unit_test(a_signer_without_an_answer_is_an_internal_error),
		cmocka_unit_test(early_data_is_taken_only_where_all_is_as_it_was),
		cmocka_unit_test(early_data_of_another_protocol_is_rejected),
		cmocka_unit_test(a_ticket_given_behind_early_data_is_as_good),
		cmocka_unit_test(early_data_that_is_replayed_is_rejected),
		cmocka_unit_test(the_age_is_told_as_the_client_sees_it),
		cmocka_unit_test(early_data_may_reach_its_limit_and_not_pass_it),
		cmocka_unit_test(each_wrong_end_of_early_data_gets_its_alert),
		cmocka_unit_test(padding_does_not_count_as_early_data),
		cmocka_unit_test(what_follows_finished_stays_behind_early_data_too),
		cmocka_unit_test(no_secret_of_a_session_is_left),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
