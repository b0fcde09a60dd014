// SPDX-License-Identifier: MIT
/* Tickets: where a server takes one, and which it gives. */
#include "pair.h"
#include "tlshd/tls/ticket.h"

#define HOUR_MS (3600 * 1000LL)

static void init(struct pair *p)
{
	pair_init(p, "p256");
	pair_tickets(p);
}

/* ---- a ticket that comes back ---- */

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
		pair_first(&p, 1);
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
		pair_first(&p, 1);
		if (cases[i].edit)
			pair_edit_ticket(&p, 0, cases[i].edit);
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
	bytes[len - 41]++;		/* 2 for a truth value */
	assert_false(ticket_decode(&t, bytes, len));
	bytes[len - 41]--;
	bytes[len - 40] |= 0x80;	/* a time before 1970 */
	assert_false(ticket_decode(&t, bytes, len));
	bytes[len - 40] &= 0x7f;
	assert_true(ticket_decode(&t, bytes, len));
	bytes[2] = 0x55;		/* no suite of ours */
	assert_false(ticket_decode(&t, bytes, len));
	t = zero;
	t.suite = TLS_AES_256_GCM_SHA384;
	t.peer.known = true;
	assert_true(ticket_encode(bytes, &t) <= TLS_STATE_MAX);
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
	pair_first(&p, 1);
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

static void set_clock_back(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	struct side *server = &p->side[TLS_SERVER];

	(void)bytes, (void)len;
	if (from == TLS_SERVER)
		tls_set_now(&server->c, server->params.now_ms - (int64_t)p->arg * 1000);
}

/* Its session would seem to begin later, and so live longer than it may. */
static void a_clock_that_is_set_back_gives_no_ticket(void **state)
{
	static const size_t back_s[] = { 0, 1, 14 * 24 * 3600, 40UL * 365 * 24 * 3600 };

	(void)state;
	for (size_t i = 0; i < NUM(back_s); i++) {
		struct pair p;

		init(&p);
		pair_client_auth(&p, TLS_CLIENT_AUTH_VERIFY, NULL);	/* tickets wait for the client's Finished */
		p.tamper = set_clock_back;
		p.arg = back_s[i];
		pair_run(&p);
		assert_open(&p);
		assert_int_equal(p.tickets.num_seals, back_s[i] == 0);
		pair_free(&p);
	}
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
	pair_first(&p, 1);
	pair_edit_ticket(&p, 0, certificate_valid);
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
	for (size_t cap = 1250; cap < 2200; cap += 7)
		for (int ask = 0; ask < 2; ask++) {
			init(&p);
			if (ask)
				pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
			p.side[TLS_SERVER].tx_cap = cap;
			pair_first(&p, 4);
			pair_run(&p);
			assert_resumed(&p, true);
			assert_int_equal(p.tickets.num_seals, 8);
			pair_free(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_goes_on_with_every_suite),
		cmocka_unit_test(a_ticket_is_taken_only_where_it_was_given),
		cmocka_unit_test(a_ticket_of_another_format_is_none),
		cmocka_unit_test(a_clock_that_is_set_back_gives_no_ticket),
		cmocka_unit_test(tickets_go_out_behind_the_flight_they_hang_on),
		cmocka_unit_test(a_resumed_client_is_who_it_was),
		cmocka_unit_test(a_certificate_that_was_only_asked_for_makes_nobody_known),
		cmocka_unit_test(a_ticket_lives_no_longer_than_its_session),
		cmocka_unit_test(no_ticket_for_who_has_no_use_for_it),
		cmocka_unit_test(a_small_output_buffer_only_takes_more_turns),
	};

	return pair_main(tests, NUM(tests));
}
