// SPDX-License-Identifier: MIT
/* A client with an external key: what its signer is asked, what is sent, and what the server must take. */
#include <errno.h>

#include "tls_offer.h"

static struct tls_external external = { .identity = (const uint8_t *)"\1nvme", .identity_len = 5 };

static enum tls_want start_external(struct tls_conn *c, enum hash_id hash, struct tls_out *out)
{
	set_up(4);
	external.hash = hash;
	drive_config.externals = &external;
	drive_config.num_externals = 1;
	drive_params.early = early;
	drive_params.early_len = sizeof(early);
	drive_params.role = TLS_CLIENT;
	*out = (struct tls_out){ .p = drive_tx, .cap = sizeof(drive_tx) };
	tls_init(c, &drive_params);
	tls_lend_rx(c, drive_rx);
	return tls_advance(c, out);
}

static const uint8_t *unhex_share(void)
{
	static uint8_t share[32];

	unhex(share, SHARE_X25519);
	return share;
}

static const uint8_t fake[HASH_MAX] = "what the signer says............................";

static void an_external_key_is_offered_alone_with_the_signers_binder(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		enum hash_id id = i ? HASH_SHA384 : HASH_SHA256;
		struct cursor binder, ext;
		struct transcript none;
		struct tls_sign_req req;
		uint8_t hash[HASH_MAX];
		struct tls_out out;
		struct tls_conn c;
		struct seen h;

		assert_int_equal(start_external(&c, id, &out), TLS_WANT_SIGN);
		assert_int_equal(out.len, 0);
		assert_int_equal(tls_advance(&c, &out), TLS_WANT_SIGN);
		tls_sign_request(&c, &req);
		assert_int_equal(req.op, TLS_SIGN_BINDER);
		assert_ptr_equal(req.external, &external);
		assert_int_equal(req.hash_len, hash_len(id));
		tls_sign_answer(&c, fake, hash_len(id));
		tls_set_now(&c, NOW_MS + 12345);	/* changes nothing: such a key has no age */
		assert_int_equal(tls_advance(&c, &out), TLS_WANT_RX);
		read_hello(&h, drive_tx);
		assert_int_equal(h.num, 1);
		assert_int_equal(h.id_lens[0], 5);
		assert_int_equal(h.ages[0], 0);
		transcript_init(&none);
		transcript_hash_with(&none, hash, id, h.raw.p, (size_t)(h.binders.p - 2 - h.raw.p));
		assert_memory_equal(req.hash, hash, hash_len(id));
		assert_true(cur_vec(&h.binders, &binder, 1, 32, 255) && cur_empty(&h.binders));
		assert_int_equal(binder.len, hash_len(id));
		assert_memory_equal(binder.p, fake, binder.len);
		assert_false(find_ext(h.exts, 13, &ext));
		assert_false(find_ext(h.exts, 42, &ext));
		assert_int_equal(out.len, RECORD_HEADER_LEN + h.raw.len);
		/* Only suites of its hash. */
		assert_memory_equal(h.raw.p + MSG_HEADER_LEN + 2 + RANDOM_LEN + 33, i ? "\0\2\x13\2" : "\0\4\x13\1\x13\3",
				    i ? 4 : 6);
		tls_wipe(&c);
	}
}

/* What is asked of the signer is built where it is to be sent. */
static void a_binder_waits_for_room(void **state)
{
	struct tls_out little = { .p = drive_tx, .cap = 200 }, enough = { .p = drive_tx, .cap = TLS_TX_CAP };
	struct tls_out out;
	struct tls_conn c;

	(void)state;
	start_external(&c, HASH_SHA256, &out);
	tls_wipe(&c);
	tls_init(&c, &drive_params);
	assert_int_equal(tls_advance(&c, &little), TLS_WANT_TX);
	assert_int_equal(tls_advance(&c, &enough), TLS_WANT_SIGN);
	tls_sign_answer(&c, fake, 32);
	little.len = 0;
	assert_int_equal(tls_advance(&c, &little), TLS_WANT_TX);
	assert_int_equal(tls_advance(&c, &enough), TLS_WANT_RX);
	assert_int_equal(enough.len, RECORD_HEADER_LEN + (drive_tx[3] << 8 | drive_tx[4]));
	tls_wipe(&c);
}

static void a_binder_is_asked_for_again_after_a_retry(void **state)
{
	uint8_t body[1024], hash[HASH_MAX], msg[MSG_HEADER_LEN + 1024] = { HT_SERVER_HELLO };
	struct answer a = plain_answer;
	struct transcript before;
	struct tls_sign_req req;
	struct tls_out out;
	struct cursor cookie;
	struct tls_conn c;
	struct seen h;
	size_t len;

	(void)state;
	start_external(&c, HASH_SHA256, &out);
	tls_sign_answer(&c, fake, 32);
	tls_advance(&c, &out);
	transcript_init(&before);
	transcript_pick(&before, HASH_SHA256);
	transcript_add(&before, drive_tx + RECORD_HEADER_LEN, out.len - RECORD_HEADER_LEN);
	transcript_retry(&before);
	a.random = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
	a.exts[0] = "002c0008" "0102030405060708";
	len = make_answer(&c, body, &a);
	store_be(msg + 1, 3, len);
	memcpy(msg + MSG_HEADER_LEN, body, len);
	transcript_add(&before, msg, MSG_HEADER_LEN + len);
	assert_int_equal(drive_message(&c, HT_SERVER_HELLO, body, len), TLS_WANT_SIGN);
	tls_sign_request(&c, &req);
	assert_int_equal(req.op, TLS_SIGN_BINDER);
	tls_sign_answer(&c, fake, 32);
	out = (struct tls_out){ .p = drive_tx, .cap = sizeof(drive_tx) };
	assert_int_equal(tls_advance(&c, &out), TLS_WANT_RX);
	read_hello(&h, drive_tx);
	assert_int_equal(h.num, 1);
	transcript_hash_with(&before, hash, HASH_SHA256, h.raw.p, (size_t)(h.binders.p - 2 - h.raw.p));
	assert_memory_equal(req.hash, hash, 32);
	assert_true(find_ext(h.exts, 44, &cookie));
	assert_memory_equal(cookie.p, "\0\10\1\2\3\4\5\6\7\10", 10);	/* not the signer's answer */
	tls_wipe(&c);
}

static void a_server_must_take_the_external_key(void **state)
{
	static const struct { const char *what, *psk; uint16_t suite, alert; int err; } cases[] = {
		{ "not taken", NULL, 0x1301, ALERT_HANDSHAKE_FAILURE, -EKEYREJECTED },
		{ "another one", "00290001", 0x1301, ALERT_ILLEGAL_PARAMETER, -EPROTO },
		{ "a suite of another hash", "00290000", 0x1302, ALERT_ILLEGAL_PARAMETER, -EPROTO },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct answer a = plain_answer;
		uint8_t body[1024];
		struct tls_out out;
		struct tls_conn c;
		size_t len;

		start_external(&c, HASH_SHA256, &out);
		tls_sign_answer(&c, fake, 32);
		tls_advance(&c, &out);
		a.suite = cases[i].suite;
		a.exts[2] = cases[i].psk;
		len = make_answer(&c, body, &a);
		drive_message(&c, HT_SERVER_HELLO, body, len);
		drive_refused(&c, cases[i].what, cases[i].alert);
		assert_int_equal(c.err, cases[i].err);
		tls_wipe(&c);
	}
}

static void a_signer_without_an_answer_ends_it(void **state)
{
	static const size_t lens[] = { 0, 31, 33, 48 };

	(void)state;
	for (size_t i = 0; i < NUM(lens); i++) {
		struct tls_out out;
		struct tls_conn c;

		start_external(&c, HASH_SHA256, &out);
		tls_sign_answer(&c, fake, lens[i]);
		assert_int_equal(tls_advance(&c, &out), TLS_FAILED);
		drive_refused(&c, "no binder", ALERT_INTERNAL_ERROR);
		assert_int_equal(c.err, -EIO);
		tls_wipe(&c);
	}
}

/* The signer makes the Handshake Secret, of which the rest follows: 7.1. */
static void the_handshake_secret_is_the_signers(void **state)
{
	static const char *const shares[] = { "0033" SERVER_SHARE, "002b0304" };	/* with (EC)DHE, without */

	(void)state;
	for (size_t i = 0; i < NUM(shares); i++) {
		for (int fail = 0; fail < 2; fail++) {
			struct answer a = plain_answer;
			struct keys_handshake expected;
			uint8_t body[1024], dhe[KEM_SECRET_MAX], hash[HASH_MAX];
			struct tls_sign_req req;
			struct tls_out out;
			struct tls_conn c;
			size_t len;

			start_external(&c, HASH_SHA256, &out);
			drive_config.psk_modes = TLS_PSK_DHE_KE | TLS_PSK_KE;
			tls_sign_answer(&c, fake, 32);
			tls_advance(&c, &out);
			a.exts[0] = shares[i];
			a.exts[1] = i ? "00290000" : "002b0304";
			a.exts[2] = i ? NULL : "00290000";
			assert_int_equal(c.shares[0].kem->decaps(dhe, c.shares[0].priv, unhex_share()), 0);
			len = make_answer(&c, body, &a);
			assert_int_equal(drive_message(&c, HT_SERVER_HELLO, body, len), TLS_WANT_SIGN);
			tls_sign_request(&c, &req);
			assert_int_equal(req.op, TLS_SIGN_HANDSHAKE_SECRET);
			assert_ptr_equal(req.external, &external);
			assert_int_equal(req.dhe_len, i ? 0 : 32);
			assert_memory_equal(req.dhe, dhe, req.dhe_len);
			tls_sign_answer(&c, fake, fail ? 0 : 32);
			assert_int_equal(drive_feed(&c, "", 0, &len), fail ? TLS_FAILED : TLS_WANT_RX);
			if (fail) {
				drive_refused(&c, "no secret", ALERT_INTERNAL_ERROR);
			} else {
				transcript_hash(&c.transcript, hash);
				keys_handshake_given(&expected, HASH_SHA256, fake, hash);
				assert_memory_equal(c.rx.keys.secret, expected.server, 32);
				assert_memory_equal(c.tx.keys.secret, expected.client, 32);
			}
			tls_wipe(&c);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_external_key_is_offered_alone_with_the_signers_binder, tear_down),
		cmocka_unit_test_teardown(a_binder_waits_for_room, tear_down),
		cmocka_unit_test_teardown(a_binder_is_asked_for_again_after_a_retry, tear_down),
		cmocka_unit_test_teardown(a_server_must_take_the_external_key, tear_down),
		cmocka_unit_test_teardown(a_signer_without_an_answer_ends_it, tear_down),
		cmocka_unit_test_teardown(the_handshake_secret_is_the_signers, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
