// SPDX-License-Identifier: MIT
/* Who proves what to whom: client certificates, and which identity and scheme are used. */
#include <errno.h>

#include "pair.h"

static struct tls_result result(struct pair *p, enum tls_role role)
{
	struct tls_result r;

	tls_result(&p->side[role].c, &r);
	return r;
}

/* ---- client certificates ---- */

#define NOTHING TLS_ALERT_NONE

/* What a server does with no certificate, with a good one, and with one that it would not accept. */
static void each_mode_judges_the_clients_certificate(void **state)
{
	static const struct {
		enum tls_client_auth mode;
		const char *cert;
		uint16_t alert;
		bool authenticated;
		const char *subject, *words;
	} cases[] = {
		{ TLS_CLIENT_AUTH_NONE, NULL, NOTHING, false, "" },
		{ TLS_CLIENT_AUTH_NONE, "client", NOTHING, false, "" },
		{ TLS_CLIENT_AUTH_REQUEST, NULL, NOTHING, false, "" },
		{ TLS_CLIENT_AUTH_REQUEST, "client", NOTHING, false, "CN=client" },
		{ TLS_CLIENT_AUTH_REQUEST, "p256", NOTHING, false, "CN=localhost" },
		{ TLS_CLIENT_AUTH_REQUEST, "untrusted", NOTHING, false, "CN=localhost" },
		{ TLS_CLIENT_AUTH_REQUEST, "expired", NOTHING, false, "CN=www.example.org" },
		{ TLS_CLIENT_AUTH_REQUEST, "self", NOTHING, false, "CN=localhost" },
		{ TLS_CLIENT_AUTH_VERIFY, NULL, NOTHING, false, "" },
		{ TLS_CLIENT_AUTH_VERIFY, "client", NOTHING, true, "CN=client" },
		{ TLS_CLIENT_AUTH_VERIFY, "p256", ALERT_UNSUPPORTED_CERTIFICATE, false, "", "not meant for this side" },
		{ TLS_CLIENT_AUTH_VERIFY, "untrusted", ALERT_UNKNOWN_CA, false, "", "not trusted" },
		{ TLS_CLIENT_AUTH_REQUIRE, NULL, ALERT_CERTIFICATE_REQUIRED, false, "", "no certificate" },
		{ TLS_CLIENT_AUTH_REQUIRE, "client", NOTHING, true, "CN=client" },
		{ TLS_CLIENT_AUTH_REQUIRE, "self", ALERT_UNKNOWN_CA, false, "", "self-signed" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct tls_result server;
		struct pair p;

		pair_init(&p, "p256");
		pair_client_auth(&p, cases[i].mode, cases[i].cert);
		pair_run(&p);
		if (cases[i].alert == NOTHING)
			assert_open(&p);
		else
			assert_refused(&p, TLS_SERVER, cases[i].alert, cases[i].words);
		server = result(&p, TLS_SERVER);
		assert_int_equal(server.auth, cases[i].authenticated ? TLS_AUTH_CERTIFICATE : TLS_AUTH_NONE);
		assert_string_equal(server.peer_subject, cases[i].subject);
		assert_int_equal(server.peer_leaf_sha256 != NULL, cases[i].subject[0] != 0);
		if (cases[i].alert != NOTHING)
			assert_int_equal(server.err, -EKEYREJECTED);
		pair_free(&p);
	}
}

static void every_kind_of_key_proves_a_client_however_bytes_arrive(void **state)
{
	static const struct { const char *cert; uint16_t scheme; } keys[] = {
		{ "p256", SIG_ECDSA_P256_SHA256 }, { "p384", SIG_ECDSA_P384_SHA384 }, { "ed25519", SIG_ED25519 },
		{ "rsa2048", SIG_RSA_PSS_RSAE_SHA256 }, { "pss2048", SIG_RSA_PSS_PSS_SHA256 },
	};
	static const size_t chunks[] = { 0, 1, 999 };

	(void)state;
	for (size_t i = 0; i < NUM(keys); i++)
		for (size_t k = 0; k < NUM(chunks); k++) {
			struct pair p;

			pair_init(&p, "ed25519");
			pair_client_auth(&p, TLS_CLIENT_AUTH_REQUEST, keys[i].cert);
			p.chunk = chunks[k];
			pair_run(&p);
			assert_open(&p);
			assert_int_equal(result(&p, TLS_SERVER).sigscheme, keys[i].scheme);
			assert_int_equal(result(&p, TLS_CLIENT).sigscheme, SIG_ED25519);
			pair_free(&p);
		}
}

/* The certificate is the client's, the key another's: also where it authenticates nobody. */
static void a_client_without_its_key_is_refused(void **state)
{
	(void)state;
	for (int mode = TLS_CLIENT_AUTH_REQUEST; mode <= TLS_CLIENT_AUTH_REQUIRE; mode++) {
		struct pair p;
		struct side *s = &p.side[TLS_CLIENT];

		pair_init(&p, "p256");
		pair_client_auth(&p, (enum tls_client_auth)mode, "client");
		pair_add_identity(&p, TLS_CLIENT, "p256");
		s->config.num_identities = 1;
		sig_key_free(s->keys[0]);
		s->keys[0] = s->keys[1];
		s->keys[1] = NULL;
		pair_run(&p);
		assert_refused(&p, TLS_SERVER, ALERT_DECRYPT_ERROR, "wrong signature");
		assert_int_equal(result(&p, TLS_SERVER).auth, TLS_AUTH_NONE);
		pair_free(&p);
	}
}

static void a_clients_signer_that_fails_is_an_internal_error(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
	p.side[TLS_CLIENT].bad_signer = true;
	pair_run(&p);
	assert_refused(&p, TLS_CLIENT, ALERT_INTERNAL_ERROR, "signer");
	pair_free(&p);
}

static void the_suite_and_a_retry_make_no_difference(void **state)
{
	static const uint16_t suites[] = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 };

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++)
		for (int retry = 0; retry < 2; retry++) {
			struct pair p;

			pair_init(&p, "p256");
			pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
			p.side[TLS_SERVER].config.suites[0] = suites[i];
			p.side[TLS_SERVER].config.num_suites = 1;
			if (retry) {
				p.side[TLS_SERVER].config.groups[0] = 0x0017;
				p.side[TLS_SERVER].config.num_groups = 1;
			}
			pair_run(&p);
			assert_open(&p);
			assert_int_equal(result(&p, TLS_SERVER).auth, TLS_AUTH_CERTIFICATE);
			pair_free(&p);
		}
}

static void small_output_buffers_only_take_more_turns(void **state)
{
	(void)state;
	for (size_t cap = 1100; cap < 1900; cap += 7) {
		struct pair p;

		pair_init(&p, "p256");
		pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
		p.side[TLS_SERVER].config.name_authorities = true;
		p.side[TLS_SERVER].tx_cap = cap + 100;
		p.side[TLS_CLIENT].tx_cap = cap;
		pair_run(&p);
		assert_open(&p);
		pair_free(&p);
	}
}

static void the_clients_leaf_is_told_by_its_hash(void **state)
{
	struct tls_result r;
	uint8_t digest[HASH_MAX];
	const uint8_t *chain;
	struct hash h;
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_client_auth(&p, TLS_CLIENT_AUTH_REQUEST, "self");
	pair_run(&p);
	assert_open(&p);
	chain = p.side[TLS_CLIENT].chains[0];
	hash_init(&h, HASH_SHA256);
	hash_update(&h, chain + 3, (size_t)(chain[0] << 16 | chain[1] << 8 | chain[2]));
	hash_final(&h, digest);
	r = result(&p, TLS_SERVER);
	assert_memory_equal(r.peer_leaf_sha256, digest, 32);
	pair_free(&p);
}

/* ---- which one ---- */

static void schemes_of(struct pair *p, enum tls_role role, uint16_t a, uint16_t b)
{
	p->side[role].config.schemes[0] = a;
	p->side[role].config.schemes[1] = b;
	p->side[role].config.num_schemes = b ? 2 : 1;
}

static const struct tls_identity *used(struct pair *p, enum tls_role role)
{
	return p->side[role].c.identity;
}

static void each_side_is_given_what_it_accepts(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_add_identity(&p, TLS_SERVER, "ed25519");
	pair_client_auth(&p, TLS_CLIENT_AUTH_REQUEST, "p384");
	pair_add_identity(&p, TLS_CLIENT, "rsa3072");
	schemes_of(&p, TLS_CLIENT, SIG_ED25519, SIG_ECDSA_P384_SHA384);
	schemes_of(&p, TLS_SERVER, SIG_RSA_PSS_RSAE_SHA512, SIG_ECDSA_P256_SHA256);
	pair_run(&p);
	assert_open(&p);
	/* Its chain is signed with ecdsa_secp256r1_sha256, which this client does not name: sent nevertheless. */
	assert_ptr_equal(used(&p, TLS_SERVER), &p.side[TLS_SERVER].identities[1]);
	assert_int_equal(result(&p, TLS_CLIENT).sigscheme, SIG_ED25519);
	assert_ptr_equal(used(&p, TLS_CLIENT), &p.side[TLS_CLIENT].identities[1]);
	assert_int_equal(result(&p, TLS_SERVER).sigscheme, SIG_RSA_PSS_RSAE_SHA512);
	pair_free(&p);
}

static void a_client_without_a_fitting_certificate_sends_none(void **state)
{
	struct pair p;

	(void)state;
	for (int mode = TLS_CLIENT_AUTH_VERIFY; mode <= TLS_CLIENT_AUTH_REQUIRE; mode++) {
		pair_init(&p, "p256");
		pair_client_auth(&p, (enum tls_client_auth)mode, "client");
		schemes_of(&p, TLS_SERVER, SIG_ED25519, 0);
		pair_run(&p);
		if (mode == TLS_CLIENT_AUTH_REQUIRE)
			assert_refused(&p, TLS_SERVER, ALERT_CERTIFICATE_REQUIRED, NULL);
		else
			assert_open(&p);
		assert_int_equal(result(&p, TLS_SERVER).auth, TLS_AUTH_NONE);
		assert_int_equal(p.side[TLS_CLIENT].num_signed[TLS_SIGN_CERTIFICATE], 0);
		pair_free(&p);
	}
}

static void a_server_that_names_its_authorities_gets_one_of_them(void **state)
{
	struct pair p;

	(void)state;
	for (int named = 0; named < 2; named++) {
		pair_init(&p, "p256");
		pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "untrusted");
		pair_add_identity(&p, TLS_CLIENT, "client");
		p.side[TLS_SERVER].config.name_authorities = named;
		pair_run(&p);
		if (named)
			assert_open(&p);
		else
			assert_refused(&p, TLS_SERVER, ALERT_UNKNOWN_CA, "Other Root");
		assert_ptr_equal(used(&p, TLS_CLIENT), &p.side[TLS_CLIENT].identities[named]);
		pair_free(&p);
	}
}

/* Once its hello is out, it accepts one scheme only: the other side does not know, and signs with another. */
static enum hs accept_one_alone(struct tls_conn *c)
{
	struct tls_config *config = (struct tls_config *)c->params.config;

	config->schemes[0] = SIG_ED25519;
	config->num_schemes = 1;
	return HS_NEXT;
}

static void a_signature_of_a_scheme_not_offered_is_refused(void **state)
{
	(void)state;
	for (int role = 0; role < 2; role++) {
		struct pair p;

		pair_init(&p, "p256");
		pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
		pair_steps(&p, (enum tls_role)role);
		pair_insert(&p, (enum tls_role)role, role == TLS_SERVER ? pair_step(&p, role, auth_send_certificate) : 3,
			    accept_one_alone);
		pair_run(&p);
		assert_refused(&p, (enum tls_role)role, ALERT_ILLEGAL_PARAMETER, "not offered");
		assert_int_equal(result(&p, (enum tls_role)role).auth, TLS_AUTH_NONE);
		pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_mode_judges_the_clients_certificate),
		cmocka_unit_test(every_kind_of_key_proves_a_client_however_bytes_arrive),
		cmocka_unit_test(a_client_without_its_key_is_refused),
		cmocka_unit_test(a_clients_signer_that_fails_is_an_internal_error),
		cmocka_unit_test(the_suite_and_a_retry_make_no_difference),
		cmocka_unit_test(small_output_buffers_only_take_more_turns),
		cmocka_unit_test(the_clients_leaf_is_told_by_its_hash),
		cmocka_unit_test(each_side_is_given_what_it_accepts),
		cmocka_unit_test(a_client_without_a_fitting_certificate_sends_none),
		cmocka_unit_test(a_server_that_names_its_authorities_gets_one_of_them),
		cmocka_unit_test(a_signature_of_a_scheme_not_offered_is_refused),
	};

	return pair_main(tests, NUM(tests));
}
