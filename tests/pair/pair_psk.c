// SPDX-License-Identifier: MIT
/* Pre-shared keys: which a server chooses, how a client proves to have it, and those agreed on outside TLS. */
#include <errno.h>

#include "pair.h"
#include "tlshd/tls/ticket.h"

static void init(struct pair *p)
{
	pair_init(p, "p256");
	pair_tickets(p);
}

/* ---- which of several ---- */

static void the_first_that_can_be_used_is_chosen(void **state)
{
	struct pair p;

	(void)state;
	for (size_t good = 0; good < 4; good++) {
		init(&p);
		pair_first(&p, 4);
		for (size_t i = 0; i < good; i++)	/* the newest comes first */
			p.sessions[3 - i].ticket[0] ^= 1;
		pair_run(&p);
		assert_resumed(&p, true);
		assert_int_equal(p.tickets.num_opens, good + 1);
		pair_free(&p);
	}
}

static void spoil_key(struct ticket *t)
{
	t->psk[0] ^= 1;
}

static void only_the_binder_of_the_chosen_one_is_checked(void **state)
{
	struct pair p;

	(void)state;
	init(&p);
	pair_first(&p, 2);
	pair_edit_ticket(&p, 0, spoil_key);		/* offered second */
	pair_run(&p);
	assert_resumed(&p, true);
	pair_free(&p);

	init(&p);
	pair_first(&p, 2);
	pair_edit_ticket(&p, 1, spoil_key);
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
	pair_first(&p, 1);
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
	pair_first(&p, 1);
	retry(&p);
	pair_run(&p);
	assert_resumed(&p, true);
	assert_true(p.side[TLS_SERVER].c.retry);
	pair_free(&p);
	for (size_t hello = 0; hello < 2; hello++) {	/* the first is in the hash of the second's */
		init(&p);
		pair_first(&p, 1);
		retry(&p);
		p.tamper = spoil_binder;
		p.arg = hello;
		p.count = 0;
		pair_run(&p);
		assert_refused(&p, TLS_SERVER, ALERT_DECRYPT_ERROR, "wrong binder");
		pair_free(&p);
	}
}

static void lose_key(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	(void)bytes, (void)len;
	p->tickets.no_open = p->tickets.no_open || from == TLS_SERVER;
}

static void after_a_retry_the_second_choice_counts(void **state)
{
	struct pair p;

	(void)state;
	for (int early = 0; early < 2; early++) {
		init(&p);
		pair_first(&p, 1);
		retry(&p);
		if (early)
			pair_early(&p, "early", 5);
		p.tamper = lose_key;
		pair_run(&p);
		assert_resumed(&p, false);
		assert_early(&p, early ? TLS_EARLY_REJECTED : TLS_EARLY_NONE);
		assert_int_equal(p.tickets.num_earlies, 0);
		pair_free(&p);
	}

	/* There was a certificate when the ticket was given. */
	init(&p);
	pair_first(&p, 1);
	retry(&p);
	p.side[TLS_SERVER].config.num_identities = 0;
	p.side[TLS_SERVER].config.externals = &p.side[TLS_SERVER].external;
	p.side[TLS_SERVER].config.num_externals = 1;
	p.tamper = lose_key;
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_HANDSHAKE_FAILURE, "no pre-shared key of ours");
	p.side[TLS_SERVER].config.num_identities = 1;	/* to be freed */
	pair_free(&p);
}

static void find_key(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	(void)bytes, (void)len;
	p->tickets.no_open = p->tickets.no_open && from != TLS_SERVER;
}

static void a_key_found_after_a_retry_needs_no_share(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	init(&p);
	p.side[TLS_CLIENT].config.psk_modes = p.side[TLS_SERVER].config.psk_modes = TLS_PSK_KE;
	pair_first(&p, 1);
	retry(&p);
	p.tickets.no_open = true;
	p.tamper = find_key;
	pair_run(&p);
	assert_resumed(&p, true);
	assert_true(p.side[TLS_SERVER].c.retry);
	tls_result(&p.side[TLS_SERVER].c, &r);
	assert_int_equal(r.group, 0);
	pair_free(&p);
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
		pair_first(&p, 1);
		pair_run(&p);
		assert_resumed(&p, true);
		tls_result(&p.side[TLS_SERVER].c, &r);
		assert_int_equal(r.group, cases[i].group);
		pair_free(&p);
	}
}

/* ---- external keys ---- */

static void open_with_external(bool certificates, enum hash_id hash, uint8_t mode, bool again)
{
	struct pair p;

	init(&p);
	pair_external(&p, "nqn.2014-08.org.example:host", hash);
	p.side[TLS_CLIENT].config.psk_modes = p.side[TLS_SERVER].config.psk_modes = mode;
	if (hash == HASH_SHA384)
		p.side[TLS_SERVER].config.suites[0] = TLS_AES_256_GCM_SHA384;
	if (!certificates)
		p.side[TLS_SERVER].config.num_identities = 0;
	if (again)
		retry(&p);
	pair_run(&p);
	assert_open(&p);
	for (int role = 0; role < 2; role++) {
		struct tls_result r;

		tls_result(&p.side[role].c, &r);
		assert_int_equal(r.auth, TLS_AUTH_PSK);
		assert_false(r.resumed);
		assert_int_equal(r.suite, hash == HASH_SHA384 ? TLS_AES_256_GCM_SHA384 : TLS_AES_128_GCM_SHA256);
		assert_int_equal(r.group, mode == TLS_PSK_KE ? 0 : again ? 0x0017 : 0x001d);
		assert_int_equal(p.side[role].num_signed[TLS_SIGN_CERTIFICATE], 0);
	}
	assert_int_equal(p.tickets.num_seals, 0);
	p.side[TLS_SERVER].config.num_identities = 1;	/* to be freed */
	pair_free(&p);
}

static void an_external_key_opens_with_both_hashes(void **state)
{
	(void)state;
	for (int certificates = 0; certificates < 2; certificates++)
		for (int hash = 0; hash < 2; hash++)
			for (uint8_t mode = TLS_PSK_DHE_KE; mode <= TLS_PSK_KE; mode++)
				for (int again = 0; again < 2; again++)
					open_with_external(certificates, (enum hash_id)hash, mode, again);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_can_be_used_is_chosen),
		cmocka_unit_test(only_the_binder_of_the_chosen_one_is_checked),
		cmocka_unit_test(a_wrong_binder_is_refused),
		cmocka_unit_test(after_a_retry_the_second_binder_counts),
		cmocka_unit_test(after_a_retry_the_second_choice_counts),
		cmocka_unit_test(a_key_found_after_a_retry_needs_no_share),
		cmocka_unit_test(without_dhe_only_if_both_want_nothing_else),
		cmocka_unit_test(an_external_key_opens_with_both_hashes),
		cmocka_unit_test(a_wrong_external_key_is_refused),
		cmocka_unit_test(an_unknown_external_key_is_passed_over),
		cmocka_unit_test(nothing_but_a_key_needs_one_from_every_client),
		cmocka_unit_test(a_signer_without_an_answer_is_an_internal_error),
	};

	return pair_main(tests, NUM(tests));
}
