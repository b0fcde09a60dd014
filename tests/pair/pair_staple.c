// SPDX-License-Identifier: MIT
/* OCSP responses in Certificate messages, and verdicts kept between connections. */
#include <errno.h>

#include "pair.h"
#include "tlshd/tls/ext.h"
#include "tlshd/tls/staple.h"

static struct tls_result result(struct pair *p, enum tls_role role)
{
	struct tls_result r;

	tls_result(&p->side[role].c, &r);
	return r;
}

static char *staple;

/* Of the role's first identity; to be freed. */
static void give_staple(struct pair *p, enum tls_role role, const char *file)
{
	struct tls_identity *id = &p->side[role].identities[0];

	staple = read_cert(file, &id->ocsp_len);
	id->ocsp = (const uint8_t *)staple;
}

static void a_staple_comes_for_who_asks_and_is_judged(void **state)
{
	static const struct {
		const char *cert, *staple;
		bool asked, due;
		uint16_t alert;
		const char *words;
	} cases[] = {
		{ "p256", "p256.ocsp", true, false, TLS_ALERT_NONE, NULL },
		{ "p256", "p256.ocsp", true, true, TLS_ALERT_NONE, NULL },
		{ "p256", "p256.ocsp", false, true, TLS_ALERT_NONE, NULL },	/* who must have one asks for it */
		{ "p256", "responder.ocsp", true, true, TLS_ALERT_NONE, NULL },
		{ "p256", "revoked.ocsp", true, false, ALERT_CERTIFICATE_REVOKED, "was revoked on" },
		{ "p256", "revoked.ocsp", false, false, TLS_ALERT_NONE, NULL },	/* then it does not come */
		{ "p256", "another.ocsp", true, false, ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, "not about" },
		{ "p256", "trylater.ocsp", true, false, ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, "is none" },
		{ "p256", NULL, true, false, TLS_ALERT_NONE, NULL },
		{ "p256", NULL, true, true, ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, "must have" },
		{ "staple", NULL, false, false, TLS_ALERT_NONE, NULL },
		{ "staple", NULL, true, false, ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, "must have" },
		{ "staple", "staple.ocsp", true, false, TLS_ALERT_NONE, NULL },
	};
	static const size_t chunks[] = { 0, 1 };

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++)
		for (size_t k = 0; k < NUM(chunks); k++) {
			struct pair p;

			pair_init(&p, cases[i].cert);
			if (cases[i].staple)
				give_staple(&p, TLS_SERVER, cases[i].staple);
			p.side[TLS_CLIENT].config.ocsp = cases[i].asked;
			p.side[TLS_CLIENT].config.require_ocsp = cases[i].due;
			p.chunk = chunks[k];
			pair_run(&p);
			if (cases[i].alert == TLS_ALERT_NONE)
				assert_open(&p);
			else
				assert_refused(&p, TLS_CLIENT, cases[i].alert, cases[i].words);
			if (cases[i].alert != TLS_ALERT_NONE)
				assert_int_equal(result(&p, TLS_CLIENT).err, -EKEYREJECTED);
			free(staple);
			staple = NULL;
			pair_free(&p);
		}
}

/* Only as long as the message fits one record: a peer that needs it refuses, another does without. */
static void a_staple_that_does_not_fit_is_left_out(void **state)
{
	static uint8_t big[PLAINTEXT_MAX];

	(void)state;
	for (int over = 0; over < 2; over++) {
		struct pair p;
		struct tls_identity *id = &p.side[TLS_SERVER].identities[0];

		pair_init(&p, "p256");
		id->ocsp = big;
		id->ocsp_len = PLAINTEXT_MAX - MSG_HEADER_LEN - 4 - 8 - id->chain_len + (size_t)over;
		p.side[TLS_CLIENT].config.ocsp = true;
		pair_run(&p);
		if (over)
			assert_open(&p);
		else
			assert_refused(&p, TLS_CLIENT, ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, "is none");
		pair_free(&p);
	}
}

/* ---- a client's ---- */

static bool unasked;

/* As the engine's own, which does not ask for a staple: what a server that does would send. */
static enum hs request_with_staple(struct tls_conn *c)
{
	struct build b;
	struct vec exts, ext, list;
	enum hs rc = hs_begin(c, &b, HT_CERTIFICATE_REQUEST, 64);

	if (rc)
		return rc;
	put_u8(&b, 0);
	exts = put_vec(&b, 2);
	ext = ext_begin(c, &b, EXT_SIGNATURE_ALGORITHMS);
	list = put_vec(&b, 2);
	put_u16(&b, SIG_ECDSA_P256_SHA256);
	put_end(&b, list);
	put_end(&b, ext);
	ext = unasked ? ext_begin_answer(&b, EXT_STATUS_REQUEST) : ext_begin(c, &b, EXT_STATUS_REQUEST);
	put_end(&b, ext);
	put_end(&b, exts);
	hs_send(c, &b);
	c->cert_requested = true;
	return HS_NEXT;
}

static size_t request_step(struct pair *p)
{
	return pair_step(p, TLS_SERVER, auth_send_certificate) - 1;
}

static void who_has_no_certificate_has_no_staple(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_client_auth(&p, TLS_CLIENT_AUTH_VERIFY, NULL);
	pair_steps(&p, TLS_SERVER);
	p.side[TLS_SERVER].steps[request_step(&p)] = request_with_staple;
	unasked = false;
	pair_run(&p);
	assert_open(&p);
	pair_free(&p);
	/* Nor does who has a key instead ask for one. */
	pair_init(&p, "p256");
	pair_external(&p, "key", HASH_SHA256);
	p.side[TLS_CLIENT].config.ocsp = p.side[TLS_CLIENT].config.require_ocsp = true;
	pair_run(&p);
	assert_open(&p);
	assert_false(p.side[TLS_SERVER].c.staple_wanted);
	pair_free(&p);
}

static void a_client_staples_for_a_server_that_asks(void **state)
{
	static const struct { const char *staple; uint16_t alert; const char *words; } cases[] = {
		{ "client.ocsp", TLS_ALERT_NONE, NULL },
		{ "revoked.ocsp", ALERT_BAD_CERTIFICATE_STATUS_RESPONSE, "not about" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct pair p;

		pair_init(&p, "p256");
		pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
		give_staple(&p, TLS_CLIENT, cases[i].staple);
		pair_steps(&p, TLS_SERVER);
		p.side[TLS_SERVER].steps[request_step(&p)] = request_with_staple;
		unasked = false;
		pair_run(&p);
		if (cases[i].alert == TLS_ALERT_NONE)
			assert_open(&p);
		else
			assert_refused(&p, TLS_SERVER, cases[i].alert, cases[i].words);
		free(staple);
		staple = NULL;
		pair_free(&p);
	}
}

/* The server, as far as it knows, has not asked. */
static void a_staple_that_was_not_asked_for_is_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
	give_staple(&p, TLS_CLIENT, "client.ocsp");
	pair_steps(&p, TLS_SERVER);
	p.side[TLS_SERVER].steps[request_step(&p)] = request_with_staple;
	unasked = true;
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_UNSUPPORTED_EXTENSION, "extension 5");
	free(staple);
	staple = NULL;
	pair_free(&p);
}

/* ---- form ---- */

static struct tls_conn *fresh(struct pair *p, enum tls_role role)
{
	pair_init(p, "p256");
	tls_init(&p->side[role].c, &p->side[role].params);
	p->side[role].started = true;
	return &p->side[role].c;
}

static void requests_and_staples_are_well_formed(void **state)
{
	enum { REQUEST, STAPLE };
	static const struct { enum tls_role role; int what; const char *hex; bool ok; size_t wanted; } cases[] = {
		{ TLS_SERVER, REQUEST, "0100000000", true, 1 },
		{ TLS_SERVER, REQUEST, "0100040002abcd0000", true, 1 },
		{ TLS_SERVER, REQUEST, "01000000020500", true, 1 },
		{ TLS_SERVER, REQUEST, "02", true, 0 },		/* a type that we do not know */
		{ TLS_SERVER, REQUEST, "", false, 0 },
		{ TLS_SERVER, REQUEST, "01", false, 0 },
		{ TLS_SERVER, REQUEST, "010000", false, 0 },
		{ TLS_SERVER, REQUEST, "010000000000", false, 0 },
		{ TLS_SERVER, REQUEST, "01000200000000", false, 0 },	/* an empty responder id */
		{ TLS_SERVER, REQUEST, "01000300020000", false, 0 },
		{ TLS_CLIENT, REQUEST, "", true, 1 },
		{ TLS_CLIENT, REQUEST, "0100000000", false, 0 },
		{ TLS_CLIENT, STAPLE, "0100000130", true, 1 },
		{ TLS_CLIENT, STAPLE, "", false, 0 },
		{ TLS_CLIENT, STAPLE, "01000000", false, 0 },
		{ TLS_CLIENT, STAPLE, "0200000130", false, 0 },
		{ TLS_CLIENT, STAPLE, "0100000230", false, 0 },
		{ TLS_CLIENT, STAPLE, "010000013000", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		uint8_t data[16];
		struct ext_block exts = {
			.present = UINT32_C(1) << EXT_STATUS_REQUEST,
			.data[EXT_STATUS_REQUEST] = { data, unhex(data, cases[i].hex) },
		};
		struct pair p;
		struct tls_conn *c = fresh(&p, cases[i].role);
		struct der der = { 0 };
		enum hs rc = cases[i].what == REQUEST ? staple_take_request(c, &exts) : staple_take(c, &exts, &der);

		if (rc != (cases[i].ok ? HS_NEXT : HS_FAILED) ||
		    c->alert_sent != (cases[i].ok ? TLS_ALERT_NONE : ALERT_DECODE_ERROR))
			fail_msg("%zu: \"%s\": %d, alert %u", i, cases[i].hex, rc, c->alert_sent);
		if (cases[i].ok)
			assert_int_equal(cases[i].what == REQUEST ? c->staple_wanted : der.len, cases[i].wanted);
		pair_free(&p);
	}
}

/* ---- the cache ---- */

static void a_cache_serves_connections_of_both_roles(void **state)
{
	struct x509_cache *caches[2] = { x509_cache_new(), x509_cache_new() };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct pair p;

		pair_init(&p, "rsa2048");
		pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
		for (int role = 0; role < 2; role++)
			p.side[role].params.chains = caches[role];
		pair_run(&p);
		assert_open(&p);
		assert_string_equal(result(&p, TLS_CLIENT).peer_subject, "CN=localhost");
		assert_string_equal(result(&p, TLS_SERVER).peer_subject, "CN=client");
		pair_free(&p);
		/* What is known by another name is not known by this one. */
		pair_init(&p, "rsa2048");
		pair_name(&p, "db1.example.org");
		p.side[TLS_CLIENT].params.chains = caches[TLS_CLIENT];
		pair_run(&p);
		assert_refused(&p, TLS_CLIENT, ALERT_BAD_CERTIFICATE, "not valid for db1.example.org");
		pair_free(&p);
	}
	x509_cache_free(caches[0]);
	x509_cache_free(caches[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_staple_comes_for_who_asks_and_is_judged),
		cmocka_unit_test(a_staple_that_does_not_fit_is_left_out),
		cmocka_unit_test(who_has_no_certificate_has_no_staple),
		cmocka_unit_test(a_client_staples_for_a_server_that_asks),
		cmocka_unit_test(a_staple_that_was_not_asked_for_is_refused),
		cmocka_unit_test(requests_and_staples_are_well_formed),
		cmocka_unit_test(a_cache_serves_connections_of_both_roles),
	};

	return pair_main(tests, NUM(tests));
}
