// SPDX-License-Identifier: MIT
/*
 * ct [branch|index]: whole handshakes under valgrind's memcheck, their secrets marked as hooks.c says. A branch or an address
 * that depends on one is an error of the test in which it comes. With an argument there is such a fault, and it must be seen.
 */
#include "tests/pair/pair.h"

#include "secret.h"

static unsigned int num_errors;

static int begin(void **state)
{
	(void)state;
	num_errors = VALGRIND_COUNT_ERRORS;
	return 0;
}

static void no_errors(void)
{
	unsigned int errors = VALGRIND_COUNT_ERRORS - num_errors;

	if (errors)
		fail_msg("%u branches or addresses depend on a secret: valgrind's report is above", errors);
}

static void run_and_publish(struct pair *p)
{
	pair_run(p);
	for (int role = 0; role < 2; role++)
		make_public(&p->side[role].c, sizeof(p->side[role].c));
}

static void start_pair(struct pair *p, const char *cert, uint16_t suite, uint16_t group)
{
	pair_init(p, cert);
	for (int role = 0; role < 2; role++) {
		struct tls_config *config = &p->side[role].config;

		config->suites[0] = suite;
		config->groups[0] = group;
		config->num_suites = config->num_groups = 1;
	}
}

static const uint16_t suites[] = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 };

static void open_each_suite(uint16_t group)
{
	static const char *const certs[] = { "ed25519", "p256" };
	struct pair p;

	assert_non_null(kem_find(group));
	for (size_t i = 0; i < NUM(suites); i++)
		for (size_t k = 0; k < NUM(certs); k++) {
			start_pair(&p, certs[k], suites[i], group);
			run_and_publish(&p);
			assert_open(&p);
			pair_free(&p);
			secret_hook_must_run();
		}
	no_errors();
}

static void a_handshake_over_x25519_depends_on_no_secret(void **state)
{
	(void)state;
	open_each_suite(0x001d);
}

static void a_handshake_over_p256_depends_on_no_secret(void **state)
{
	(void)state;
	open_each_suite(0x0017);
}

static void a_handshake_over_p384_depends_on_no_secret(void **state)
{
	(void)state;
	open_each_suite(0x0018);
}

static void a_retry_depends_on_no_secret(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++) {
		start_pair(&p, "ed25519", suites[i], 0x0017);
		p.side[TLS_CLIENT].config.groups[0] = 0x001d;
		p.side[TLS_CLIENT].config.groups[1] = 0x0017;
		p.side[TLS_CLIENT].config.num_groups = 2;
		run_and_publish(&p);
		assert_true(p.side[TLS_SERVER].c.retry);
		assert_open(&p);
		pair_free(&p);
		secret_hook_must_run();
	}
	no_errors();
}

static void a_client_certificate_depends_on_no_secret(void **state)
{
	struct pair p;

	(void)state;
	start_pair(&p, "ed25519", TLS_AES_128_GCM_SHA256, 0x001d);
	pair_client_auth(&p, TLS_CLIENT_AUTH_REQUEST, "ed25519");
	run_and_publish(&p);
	assert_open(&p);
	assert_int_equal(p.side[TLS_CLIENT].num_signed[TLS_SIGN_CERTIFICATE], 1);
	pair_free(&p);
	secret_hook_must_run();
	no_errors();
}

/* ---- pre-shared keys ---- */

static void spoil_binder(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	(void)p;
	if (from == TLS_CLIENT && bytes[0] == CT_HANDSHAKE)
		bytes[*len - 1] ^= 1;
}

/* A session is there, to be resumed. */
static void start_session(struct pair *p, uint16_t suite)
{
	start_pair(p, "ed25519", suite, 0x001d);
	pair_tickets(p);
	pair_run(p);
	assert_int_equal(pair_take_sessions(p), 1);
	pair_resume(p);
}

static void a_resumed_session_depends_on_no_secret(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++) {
		start_session(&p, suites[i]);
		run_and_publish(&p);
		assert_resumed(&p, true);
		pair_free(&p);
		secret_hook_must_run_psk(PSK_TICKET);
	}
	no_errors();
}

static void early_data_depends_on_no_secret(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++) {
		start_session(&p, suites[i]);
		pair_early(&p, "hello", 5);
		run_and_publish(&p);
		assert_resumed(&p, true);
		assert_early(&p, TLS_EARLY_ACCEPTED);
		pair_free(&p);
		secret_hook_must_run_psk(PSK_EARLY);
	}
	no_errors();
}

static void a_handshake_with_an_external_key_depends_on_no_secret(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++) {
		start_pair(&p, "ed25519", suites[i], 0x001d);
		pair_external(&p, "host", suites[i] == TLS_AES_256_GCM_SHA384 ? HASH_SHA384 : HASH_SHA256);
		for (int role = 0; role < 2; role++)
			make_secret(p.side[role].psk, sizeof(p.side[role].psk));
		run_and_publish(&p);
		assert_open(&p);
		pair_free(&p);
		secret_hook_must_run_psk(PSK_EXTERNAL);
	}
	no_errors();
}

static void a_wrong_binder_is_refused_by_its_verdict_alone(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++) {
		start_session(&p, suites[i]);
		p.tamper = spoil_binder;
		run_and_publish(&p);
		assert_refused(&p, TLS_SERVER, ALERT_DECRYPT_ERROR, "wrong binder");
		pair_free(&p);
	}
	no_errors();
}

static void a_ticket_that_does_not_open_is_passed_over_by_its_verdict_alone(void **state)
{
	struct pair p;

	(void)state;
	start_session(&p, TLS_AES_128_GCM_SHA256);
	p.sessions[0].ticket[p.sessions[0].ticket_len - 1] ^= 1;
	run_and_publish(&p);
	assert_resumed(&p, false);
	pair_free(&p);
	no_errors();
}

/* Its Finished is made with another secret than its records. */
static enum hs spoil_finished(struct tls_conn *c)
{
	c->tx.keys.secret[31] ^= 1;
	return HS_NEXT;
}

/* Where the client sends its Finished. */
static size_t last_step(const struct pair *p)
{
	size_t at = 0;

	while (p->side[TLS_CLIENT].steps[at + 1])
		at++;
	return at;
}

static void a_wrong_finished_is_refused_by_its_verdict_alone(void **state)
{
	struct pair p;

	(void)state;
	for (int role = 0; role < 2; role++)
		for (size_t i = 0; i < NUM(suites); i++) {
			size_t at;

			start_pair(&p, "ed25519", suites[i], 0x001d);
			pair_steps(&p, (enum tls_role)role);
			if (role == TLS_SERVER)
				at = pair_step(&p, TLS_SERVER, auth_ask_signature);
			else
				at = last_step(&p);
			pair_insert(&p, (enum tls_role)role, at, spoil_finished);
			run_and_publish(&p);
			assert_refused(&p, !role, ALERT_DECRYPT_ERROR, "Finished does not verify");
			pair_free(&p);
		}
	no_errors();
}

/* The last byte of a flight is one of a tag. */
static void damage_last_byte(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	if (from == TLS_SERVER && p->side[TLS_SERVER].c.tx.flight_sent)
		bytes[*len - 1] ^= 1;
}

static void a_damaged_record_is_refused_by_its_verdict_alone(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++) {
		start_pair(&p, "ed25519", suites[i], 0x001d);
		p.tamper = damage_last_byte;
		run_and_publish(&p);
		assert_refused(&p, TLS_CLIENT, ALERT_BAD_RECORD_MAC, "does not decrypt");
		pair_free(&p);
	}
	no_errors();
}

static void keys_are_handed_over_and_wiped_unseen(void **state)
{
	static const uint8_t zeros[sizeof(struct tls_conn)];
	struct tls_traffic t;
	struct pair p;

	(void)state;
	start_pair(&p, "ed25519", TLS_AES_256_GCM_SHA384, 0x001d);
	pair_run(&p);
	for (int role = 0; role < 2; role++) {
		struct side *s = &p.side[role];

		assert_int_equal(s->want, TLS_DONE);
		tls_traffic(&s->c, &t);
		wipe(&t, sizeof(t));
		tls_take_rx(&s->c);
		tls_wipe(&s->c);
		assert_memory_equal(&s->c, zeros, sizeof(s->c));
		s->started = false;
	}
	pair_free(&p);
	no_errors();
}

/* Exporters, keys after a KeyUpdate, and what becomes of a ticket. */
static void what_follows_a_handshake_depends_on_no_secret(void **state)
{
	static const uint8_t ticket[] = "\x04\0\0\x14\0\0\x0e\x10\0\0\0\0\x01\0\0\x06ticket\0\0";
	uint8_t out[64];
	struct tls_resumption r;
	struct tls_session s;
	struct tls_traffic t;
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++) {
		struct tls_conn *c = &p.side[TLS_CLIENT].c;

		start_pair(&p, "ed25519", suites[i], 0x001d);
		p.side[TLS_CLIENT].config.psk_modes = TLS_PSK_DHE_KE;
		pair_run(&p);
		assert_int_equal(p.side[TLS_CLIENT].want, TLS_DONE);
		tls_traffic(c, &t);
		assert_int_equal(tls_export(&t, out, sizeof(out), "EXPORTER-test", 13, (const uint8_t *)"context", 7), 0);
		must_be_secret("exported keying material", out, sizeof(out));
		tls_next_keys(&t.tx, t.suite);
		must_be_secret("next key", t.tx.key, t.key_len);
		must_be_secret("next secret", t.tx.secret, t.hash_len);
		tls_resumption(c, &r);
		must_be_secret("resumption master secret", r.secret, t.hash_len);
		assert_int_equal(tls_session_take(&s, &r, ticket, sizeof(ticket) - 1, p.side[TLS_CLIENT].params.now_ms), 0);
		must_be_secret("session's key", s.psk, t.hash_len);
		pair_free(&p);
	}
	no_errors();
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

#define CLAIM(name) cmocka_unit_test_setup(name, begin)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CLAIM(a_handshake_over_x25519_depends_on_no_secret),
		CLAIM(a_handshake_over_p256_depends_on_no_secret),
		CLAIM(a_handshake_over_p384_depends_on_no_secret),
		CLAIM(a_retry_depends_on_no_secret),
		CLAIM(a_client_certificate_depends_on_no_secret),
		CLAIM(a_resumed_session_depends_on_no_secret),
		CLAIM(early_data_depends_on_no_secret),
		CLAIM(a_handshake_with_an_external_key_depends_on_no_secret),
		CLAIM(a_wrong_binder_is_refused_by_its_verdict_alone),
		CLAIM(a_ticket_that_does_not_open_is_passed_over_by_its_verdict_alone),
		CLAIM(a_wrong_finished_is_refused_by_its_verdict_alone),
		CLAIM(a_damaged_record_is_refused_by_its_verdict_alone),
		CLAIM(keys_are_handed_over_and_wiped_unseen),
		CLAIM(what_follows_a_handshake_depends_on_no_secret),
	};

	if (!RUNNING_ON_VALGRIND) {
		fputs("ct: nothing is checked without valgrind: make check-ct\n", stderr);
		return 2;
	}
	if (argc > 1)
		leak = strcmp(argv[1], "index") ? LEAK_BRANCH : LEAK_INDEX;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
