// SPDX-License-Identifier: MIT
/* Sessions of a client and a server engine: what is carried from one connection to the next, and what is not. */
#include "pair.h"

static void init(struct pair *p, const char *cert)
{
	pair_init(p, cert);
	pair_tickets(p);
}

static void run(struct pair *p)
{
	pair_run(p);
	assert_open(p);
}

/* A full handshake, after which the client has @num sessions to offer. */
static void prepare(struct pair *p, uint8_t num)
{
	p->side[TLS_SERVER].config.num_tickets = num;
	run(p);
	assert_resumed(p, false);
	assert_int_equal(pair_take_sessions(p), num);
	pair_resume(p);
}

/* ---- what is carried on ---- */

static void a_resumed_session_says_who_the_server_is(void **state)
{
	struct tls_result full, r;
	uint8_t leaf[32];
	struct pair p;

	(void)state;
	init(&p, "p256");
	pair_alpn(&p, TLS_CLIENT, "\2h2");
	pair_alpn(&p, TLS_SERVER, "\2h2");
	run(&p);
	tls_result(&p.side[TLS_CLIENT].c, &full);
	assert_true(full.authenticated == p.side[TLS_CLIENT].params.now_ms / 1000);
	memcpy(leaf, full.peer_leaf_sha256, 32);
	assert_int_equal(pair_take_sessions(&p), 1);
	/* Each by the ticket of the one before; what the first has found out stays. */
	for (int i = 0; i < 3; i++) {
		pair_resume(&p);
		pair_age(&p, 60000);
		pair_run(&p);
		assert_resumed(&p, true);
		tls_result(&p.side[TLS_CLIENT].c, &r);
		assert_int_equal(r.auth, TLS_AUTH_CERTIFICATE);
		assert_true(r.authenticated == full.authenticated);
		assert_memory_equal(r.peer_leaf_sha256, leaf, 32);
		assert_int_equal(r.sigscheme, 0);
		assert_int_equal(p.side[TLS_SERVER].num_signed[TLS_SIGN_CERTIFICATE], 0);
		assert_int_equal(pair_take_sessions(&p), 1);
		assert_true(p.sessions[0].authenticated == full.authenticated);
		assert_memory_equal(p.sessions[0].leaf_sha256, leaf, 32);
		assert_int_equal(p.sessions[0].alpn_len, 2);
	}
	pair_free(&p);
}

static void every_ticket_of_a_server_is_a_session(void **state)
{
	struct tls_session sessions[TLS_TICKETS_MAX];
	struct pair p;

	(void)state;
	init(&p, "p256");
	prepare(&p, TLS_TICKETS_MAX);
	memcpy(sessions, p.sessions, sizeof(sessions));
	for (size_t i = 0; i < TLS_TICKETS_MAX; i++) {
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(sessions[i].psk, sessions[k].psk, 32);
		pair_again(&p);
		p.offered[0] = &sessions[i];
		p.side[TLS_CLIENT].params.num_sessions = 1;
		pair_run(&p);
		assert_resumed(&p, true);
	}
	pair_free(&p);
}

/* The server knows no more than one of those offered, wherever it is. */
static void any_session_offered_may_be_chosen(void **state)
{
	struct pair p;

	(void)state;
	for (size_t good = 0; good < TLS_SESSIONS_MAX; good++) {
		struct tls_result r;

		init(&p, "p256");
		prepare(&p, TLS_SESSIONS_MAX);
		for (size_t i = 0; i < TLS_SESSIONS_MAX; i++)
			if (i != good)
				p.sessions[TLS_SESSIONS_MAX - 1 - i].ticket[20] ^= 1;
		pair_early(&p, "GET /", 5);
		pair_run(&p);
		assert_resumed(&p, true);
		assert_int_equal(p.side[TLS_CLIENT].c.tx.keys.seq, 0);
		tls_result(&p.side[TLS_CLIENT].c, &r);
		assert_int_equal(r.early, good ? TLS_EARLY_REJECTED : TLS_EARLY_ACCEPTED);
		pair_free(&p);
	}
}

static void a_full_handshake_follows_where_no_session_is_known(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	init(&p, "p256");
	prepare(&p, 2);
	p.tickets.no_open = true;
	pair_age(&p, 5000);
	pair_early(&p, "GET /", 5);
	pair_run(&p);
	assert_resumed(&p, false);
	assert_early(&p, TLS_EARLY_REJECTED);
	tls_result(&p.side[TLS_CLIENT].c, &r);
	assert_true(r.authenticated == p.side[TLS_CLIENT].params.now_ms / 1000);
	assert_true(r.sigscheme != 0);
	pair_free(&p);
}

static void sessions_of_both_hashes_go_through_a_retry(void **state)
{
	static const uint16_t suites[] = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 };
	struct tls_session sessions[2];
	struct pair p;

	(void)state;
	init(&p, "p256");
	for (size_t i = 0; i < 2; i++) {
		for (int role = 0; role < 2; role++)
			p.side[role].config.suites[0] = suites[i];
		run(&p);
		pair_take_sessions(&p);
		sessions[i] = p.sessions[0];
		pair_again(&p);
		p.offered[i] = &sessions[i];
	}
	p.side[TLS_CLIENT].params.sessions = p.offered;
	p.side[TLS_CLIENT].params.num_sessions = 2;
	for (int role = 0; role < 2; role++)
		p.side[role].config.suites[0] = suites[0], p.side[role].config.suites[1] = suites[1];
	p.side[TLS_SERVER].config.groups[0] = 0x0017;
	p.side[TLS_SERVER].config.num_groups = 1;
	for (size_t i = 0; i < 2; i++) {
		struct tls_result r;

		p.side[TLS_SERVER].config.suites[0] = suites[i];
		p.side[TLS_SERVER].config.num_suites = 1;
		pair_again(&p);
		pair_run(&p);
		assert_resumed(&p, true);
		assert_true(p.side[TLS_CLIENT].c.retry);
		tls_result(&p.side[TLS_CLIENT].c, &r);
		assert_int_equal(r.suite, suites[i]);
	}
	pair_free(&p);
}

/* ---- early data ---- */

static uint8_t data[PLAINTEXT_MAX + 1];

static void early_data_up_to_the_limit_arrives(void **state)
{
	static const size_t lens[] = { 1, 2, 511, 512, 513, 4000, PLAINTEXT_MAX - 1, PLAINTEXT_MAX };
	struct pair p;

	(void)state;
	rand_bytes(data, sizeof(data));
	for (size_t i = 0; i < NUM(lens); i++)
		for (size_t cap = 1500; cap <= TLS_TX_CAP; cap += cap < 1600 ? 7 : 5000) {
			init(&p, "p256");
			prepare(&p, 1);
			p.side[TLS_CLIENT].tx_cap = cap;
			pair_early(&p, data, lens[i]);
			pair_run(&p);
			assert_resumed(&p, true);
			assert_early(&p, TLS_EARLY_ACCEPTED);
			pair_free(&p);
		}
}

static void more_than_the_limit_is_not_offered(void **state)
{
	struct pair p;

	(void)state;
	init(&p, "p256");
	prepare(&p, 1);
	pair_early(&p, data, PLAINTEXT_MAX + 1);
	pair_run(&p);
	assert_resumed(&p, true);
	assert_early(&p, TLS_EARLY_NONE);
	pair_free(&p);
}

/* An answer that is there before all is sent waits. */
static void early_data_is_all_sent_before_the_answer_is_read(void **state)
{
	struct pair p;

	(void)state;
	for (int no_early = 0; no_early < 2; no_early++) {
		init(&p, "p256");
		prepare(&p, 1);
		p.side[TLS_CLIENT].tx_cap = 1500;
		p.tickets.no_early = no_early;
		pair_early(&p, data, PLAINTEXT_MAX);
		pair_run(&p);
		assert_resumed(&p, true);
		assert_early(&p, no_early ? TLS_EARLY_REJECTED : TLS_EARLY_ACCEPTED);
		pair_free(&p);
	}
}

/* EncryptedExtensions is about to say so. */
static enum hs claim_early(struct tls_conn *c)
{
	c->early_data.state = TLS_EARLY_ACCEPTED;
	return HS_NEXT;
}

enum { SERVER_EXTENSIONS = 11 };	/* in server_steps */
enum { CLIENT_HELLO_ANSWERED = 11, CLIENT_EXTENSIONS = 13, CLIENT_FINISHED = 18 };	/* in client_steps, as it receives */

static struct cursor answered;	/* the extensions of EncryptedExtensions, of which no pointer is followed */

static enum hs note_extensions(struct tls_conn *c)
{
	struct msg m;
	enum hs rc = rx_message(c, &m);

	if (!rc && (!cur_vec(&m.body, &answered, 2, 0, 65535) || m.type != HT_ENCRYPTED_EXTENSIONS))
		fail_msg("another message (%u)", m.type);
	return rc;
}

static void a_server_name_is_acknowledged_unless_a_session_brings_it(void **state)
{
	struct pair p;

	(void)state;
	init(&p, "p256");
	for (int resumed = 0; resumed < 2; resumed++) {
		pair_steps(&p, TLS_CLIENT);
		pair_insert(&p, TLS_CLIENT, CLIENT_EXTENSIONS, note_extensions);
		pair_run(&p);
		assert_resumed(&p, resumed);
		assert_int_equal(answered.len, resumed ? 0 : 4);
		pair_take_sessions(&p);
		pair_resume(&p);
	}
	pair_free(&p);
}

static void early_data_cannot_be_accepted_after_a_retry_or_without_its_session(void **state)
{
	struct pair p;

	(void)state;
	for (int retry = 0; retry < 2; retry++) {
		init(&p, "p256");
		prepare(&p, 1);
		p.side[TLS_SERVER].config.groups[0] = retry ? 0x0017 : 0x001d;
		p.side[TLS_SERVER].config.num_groups = 1;
		p.tickets.no_open = !retry;
		pair_early(&p, "GET /", 5);
		pair_steps(&p, TLS_SERVER);
		pair_insert(&p, TLS_SERVER, SERVER_EXTENSIONS, claim_early);
		pair_run(&p);
		assert_refused(&p, TLS_CLIENT, retry ? ALERT_UNSUPPORTED_EXTENSION : ALERT_ILLEGAL_PARAMETER, NULL);
		pair_free(&p);
	}
}

static enum hs fail_now(struct tls_conn *c)
{
	return hs_refuse(c, ALERT_INTERNAL_ERROR, "the test wants it");
}

static void alert_can_be_read(struct pair *p, size_t at)
{
	struct tls_result r;

	pair_early(p, "GET /", 5);
	pair_steps(p, TLS_CLIENT);
	pair_insert(p, TLS_CLIENT, at, fail_now);
	pair_run(p);
	tls_result(&p->side[TLS_SERVER].c, &r);
	if (r.alert_received != ALERT_INTERNAL_ERROR)
		fail_msg("in front of step %zu: server got %u, \"%s\"", at, r.alert_received, r.reason);
	pair_free(p);
}

/* Whatever keys the client has then, they are those that the server reads by, once the client can know. */
static void an_alert_behind_early_data_can_be_read(void **state)
{
	static const size_t from[] = { CLIENT_EXTENSIONS + 2, CLIENT_EXTENSIONS + 2, CLIENT_EXTENSIONS };
	enum { ACCEPTED, REJECTED, LOST };
	struct pair p;

	(void)state;
	for (int what = ACCEPTED; what <= LOST; what++)
		for (size_t at = from[what]; client_steps[at - 1]; at++) {
			init(&p, "p256");
			prepare(&p, 1);
			p.tickets.no_early = what == REJECTED;
			p.tickets.no_open = what == LOST;
			if (client_steps[at])	/* behind the last the connection is open */
				alert_can_be_read(&p, at);
			else
				pair_free(&p);
		}
}

/* The first client Finished has other keys than the last early data, and both other ones than the application. */
static void keys_change_where_early_data_ends(void **state)
{
	struct pair p;

	(void)state;
	for (int no_ccs = 0; no_ccs < 2; no_ccs++)
		for (size_t chunk = 0; chunk < 2; chunk++) {
			init(&p, "p256");
			p.side[TLS_CLIENT].config.no_ccs = no_ccs;
			prepare(&p, 1);
			p.chunk = chunk;
			pair_early(&p, data, 3000);
			pair_run(&p);
			assert_resumed(&p, true);
			assert_early(&p, TLS_EARLY_ACCEPTED);
			pair_free(&p);
		}
}

/* ---- external keys ---- */

static void an_external_key_opens_and_names_nobody(void **state)
{
	static const uint8_t modes[] = { TLS_PSK_DHE_KE, TLS_PSK_KE, TLS_PSK_DHE_KE | TLS_PSK_KE };

	(void)state;
	for (size_t i = 0; i < NUM(modes); i++)
		for (int retry = 0; retry < 2; retry++)
			for (int hash = HASH_SHA256; hash <= HASH_SHA384; hash++) {
				struct tls_resumption resumption;
				struct tls_result r;
				struct pair p;

				pair_init(&p, "p256");
				pair_external(&p, "nqn.2014-08.org.example:host", (enum hash_id)hash);
				for (int role = 0; role < 2; role++)
					p.side[role].config.psk_modes = modes[i];
				p.side[TLS_CLIENT].config.anchors = NULL;
				p.side[TLS_SERVER].config.groups[0] = retry ? 0x0017 : 0x001d;
				p.side[TLS_SERVER].config.num_groups = 1;
				run(&p);
				tls_result(&p.side[TLS_CLIENT].c, &r);
				assert_int_equal(r.auth, TLS_AUTH_PSK);
				assert_false(r.resumed);
				assert_null(r.peer_leaf_sha256);
				assert_string_equal(r.peer_subject, "");
				tls_resumption(&p.side[TLS_CLIENT].c, &resumption);
				assert_true(resumption.not_after == INT64_MAX);
				assert_int_equal(p.side[TLS_CLIENT].num_signed[TLS_SIGN_BINDER], 1 + p.side[TLS_CLIENT].c.retry);
				assert_int_equal(p.side[TLS_CLIENT].num_signed[TLS_SIGN_HANDSHAKE_SECRET], 1);
				pair_free(&p);
			}
}

/* Of one that the server does not know, or knows as another. */
static void a_client_with_an_external_key_takes_nothing_else(void **state)
{
	struct pair p;

	(void)state;
	for (int other = 0; other < 2; other++) {
		pair_init(&p, "p256");
		pair_external(&p, "nqn.2014-08.org.example:host", HASH_SHA256);
		if (other)
			p.side[TLS_SERVER].psk[0] ^= 1;
		else
			p.side[TLS_SERVER].external.identity_len--;
		pair_run(&p);
		assert_int_equal(p.side[TLS_CLIENT].want, TLS_FAILED);
		assert_int_equal(p.side[TLS_SERVER].want, TLS_FAILED);
		pair_free(&p);
	}
}

/* ---- no secret stays but those that are needed ---- */

static bool holds(const struct tls_conn *c, const uint8_t *secret)
{
	return memmem(c, sizeof(*c), secret, 32) != NULL;
}

static uint8_t early_secret[HASH_MAX], after_secret[HASH_MAX];

static enum hs note_early(struct tls_conn *c)
{
	assert_true(c->tx.protected);
	memcpy(early_secret, c->tx.keys.secret, sizeof(early_secret));
	return HS_NEXT;
}

static enum hs note_and_fail(struct tls_conn *c)
{
	memcpy(after_secret, c->early_data.after, sizeof(after_secret));
	return fail_now(c);
}

static void only_the_resumption_secret_stays_and_only_until_the_end(void **state)
{
	static const size_t where[] = { 0, CLIENT_HELLO_ANSWERED, CLIENT_FINISHED + 2 };
	static const uint8_t zeros[sizeof(struct tls_conn)];

	(void)state;
	for (size_t i = 0; i < NUM(where); i++) {
		bool fail = where[i];
		struct tls_resumption r;
		struct tls_conn *client;
		struct pair p;

		init(&p, "p256");
		p.side[TLS_CLIENT].config.num_suites = 1;
		prepare(&p, 1);
		client = &p.side[TLS_CLIENT].c;
		pair_early(&p, data, 100);
		pair_steps(&p, TLS_CLIENT);
		pair_insert(&p, TLS_CLIENT, 5, note_early);
		if (fail)
			pair_insert(&p, TLS_CLIENT, where[i] + 1, note_and_fail);
		pair_run(&p);
		assert_int_equal(p.side[TLS_CLIENT].want, fail ? TLS_FAILED : TLS_DONE);
		assert_false(holds(client, p.sessions[0].psk));
		assert_false(holds(client, early_secret));
		if (fail) {
			assert_memory_equal(&client->master, zeros, sizeof(client->master));
			assert_true(i == 1 || memcmp(after_secret, zeros, 32));
			assert_true(i == 1 || !holds(client, after_secret));
		} else {
			tls_resumption(client, &r);
			assert_true(holds(client, r.secret));
			assert_false(holds(&p.side[TLS_SERVER].c, r.secret));
		}
		tls_wipe(client);
		assert_memory_equal(client, zeros, sizeof(*client));
		pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_resumed_session_says_who_the_server_is),
		cmocka_unit_test(every_ticket_of_a_server_is_a_session),
		cmocka_unit_test(any_session_offered_may_be_chosen),
		cmocka_unit_test(a_full_handshake_follows_where_no_session_is_known),
		cmocka_unit_test(sessions_of_both_hashes_go_through_a_retry),
		cmocka_unit_test(early_data_up_to_the_limit_arrives),
		cmocka_unit_test(more_than_the_limit_is_not_offered),
		cmocka_unit_test(early_data_is_all_sent_before_the_answer_is_read),
		cmocka_unit_test(a_server_name_is_acknowledged_unless_a_session_brings_it),
		cmocka_unit_test(early_data_cannot_be_accepted_after_a_retry_or_without_its_session),
		cmocka_unit_test(an_alert_behind_early_data_can_be_read),
		cmocka_unit_test(keys_change_where_early_data_ends),
		cmocka_unit_test(an_external_key_opens_and_names_nobody),
		cmocka_unit_test(a_client_with_an_external_key_takes_nothing_else),
		cmocka_unit_test(only_the_resumption_secret_stays_and_only_until_the_end),
	};

	return pair_main(tests, NUM(tests));
}
