// SPDX-License-Identifier: MIT
/* Which record may come when, and what each limit does: RFC 8446 sections 5 and 6. */
#include <errno.h>

#include "tls_drive.h"

static const char hello_head[] = "0303" SHARE_X25519 "00" "0006130113021303" "0100";
static const char hello_exts[] = "000a0006" "0004001d0017" "000d0004" "00020403" "002b0003" "020304"
				 "00330026" "0024001d0020" SHARE_X25519;
static const char early_ext[] = "002a0000";

static size_t make_hello(uint8_t *body, bool early)
{
	size_t len = unhex(body, hello_head), at = len;

	len += 2;
	len += unhex(body + len, hello_exts);
	if (early)
		len += unhex(body + len, early_ext);
	store_be(body + at, 2, len - at - 2);
	return len;
}

/* A server that has sent its flight and waits for the client's Finished. */
static void server_with_keys(struct tls_conn *c, bool early)
{
	struct tls_out out = { .p = drive_tx, .cap = sizeof(drive_tx) };
	uint8_t body[512];

	drive_start(c, TLS_SERVER);
	assert_int_equal(drive_message(c, HT_CLIENT_HELLO, body, make_hello(body, early)), TLS_WANT_SIGN);
	tls_sign_answer(c, body, 64);
	assert_int_equal(tls_advance(c, &out), TLS_WANT_RX);
}

/* A protected record of the client with this inner plaintext: content, type, padding. */
static enum tls_want feed_inner(struct tls_conn *c, const uint8_t *inner, size_t len)
{
	static uint8_t rec[TLS_RECORD_MAX + 512];
	uint8_t nonce[AEAD_NONCE_LEN];
	size_t sent;

	record_header(rec, CT_APPLICATION_DATA, VERSION_LEGACY, len + AEAD_TAG_LEN);
	memcpy(nonce, c->rx.keys.iv, sizeof(nonce));
	nonce[11] ^= (uint8_t)c->rx.keys.seq;
	aead_seal(c->suite->aead, rec + RECORD_HEADER_LEN, inner, len, rec, RECORD_HEADER_LEN, c->rx.keys.key, nonce);
	return drive_feed(c, rec, RECORD_HEADER_LEN + len + AEAD_TAG_LEN, &sent);
}

static size_t make_finished(const struct tls_conn *c, uint8_t *inner)
{
	uint8_t hash[HASH_MAX];

	memcpy(inner, "\x14\0\0\x20", 4);
	transcript_hash(&c->transcript, hash);
	keys_finished(inner + 4, c->suite->hash, c->rx.keys.secret, hash);
	inner[36] = CT_HANDSHAKE;
	return 37;
}

static void what_is_no_tls_is_said_to_be_none(void **state)
{
	static const char *const junk[] = { "GET / HTTP/1.1\r\n", "\x80\x2e\x01\x03\x01", "\n", "SSH-2.0-x\r\n" };
	struct tls_conn c;
	size_t sent;

	(void)state;
	for (size_t i = 0; i < NUM(junk); i++) {
		drive_start(&c, TLS_SERVER);
		drive_feed(&c, junk[i], strlen(junk[i]), &sent);
		assert_int_equal(sent, RECORD_HEADER_LEN + 2);
		assert_memory_equal(drive_tx, "\x15\x03\x03\x00\x02\x02\x0a", sent);
		drive_refused(&c, junk[i], ALERT_UNEXPECTED_MESSAGE);
		assert_non_null(strstr(c.reason, "does not speak TLS"));
		tls_wipe(&c);
	}
	/* The first byte is enough. */
	drive_start(&c, TLS_CLIENT);
	drive_feed(&c, "H", 1, &sent);
	drive_refused(&c, "a byte", ALERT_UNEXPECTED_MESSAGE);
	tls_wipe(&c);
}

static void each_wrong_plain_record_gets_its_alert(void **state)
{
	static const struct { const char *what; enum tls_role role; const char *hex; uint16_t alert; } cases[] = {
		{ "handshake over the limit", TLS_SERVER, "1603034001", ALERT_RECORD_OVERFLOW },
		{ "change_cipher_spec over the limit", TLS_CLIENT, "140303ffff", ALERT_RECORD_OVERFLOW },
		{ "handshake without content", TLS_SERVER, "1603030000", ALERT_UNEXPECTED_MESSAGE },
		{ "alert without content", TLS_SERVER, "1503030000", ALERT_UNEXPECTED_MESSAGE },
		{ "half an alert", TLS_SERVER, "150303000102", ALERT_DECODE_ERROR },
		{ "two alerts", TLS_SERVER, "150303000402280228", ALERT_DECODE_ERROR },
		{ "application data before keys", TLS_SERVER, "17", ALERT_UNEXPECTED_MESSAGE },
		{ "application data before keys", TLS_CLIENT, "17", ALERT_UNEXPECTED_MESSAGE },
		{ "change_cipher_spec before ClientHello", TLS_SERVER, "140303000101", ALERT_UNEXPECTED_MESSAGE },
		{ "change_cipher_spec inside ClientHello", TLS_SERVER, "16030300020100" "140303000101",
		  ALERT_UNEXPECTED_MESSAGE },
		{ "change_cipher_spec of 2", TLS_CLIENT, "140303000102", ALERT_UNEXPECTED_MESSAGE },
		{ "change_cipher_spec of two bytes", TLS_CLIENT, "14030300020101", ALERT_UNEXPECTED_MESSAGE },
		{ "change_cipher_spec without content", TLS_CLIENT, "1403030000", ALERT_UNEXPECTED_MESSAGE },
		{ "heartbeat", TLS_CLIENT, "18", ALERT_UNEXPECTED_MESSAGE },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		uint8_t bytes[64];
		struct tls_conn c;
		size_t sent;

		drive_start(&c, cases[i].role);
		drive_feed(&c, bytes, unhex(bytes, cases[i].hex), &sent);
		drive_refused(&c, cases[i].what, cases[i].alert);
		tls_wipe(&c);
	}
}

static void a_record_version_is_ignored(void **state)
{
	static const uint16_t versions[] = { 0x0000, 0x0300, 0x0301, 0x0303, 0x0304, 0xffff };
	uint8_t rec[512];

	(void)state;
	for (size_t i = 0; i < NUM(versions); i++) {
		size_t len = make_hello(rec + 9, false), sent;
		struct tls_conn c;

		record_header(rec, CT_HANDSHAKE, versions[i], len + 4);
		rec[5] = HT_CLIENT_HELLO;
		store_be(rec + 6, 3, len);
		drive_start(&c, TLS_SERVER);
		assert_int_equal(drive_feed(&c, rec, len + 9, &sent), TLS_WANT_SIGN);
		tls_wipe(&c);
	}
}

static void change_cipher_spec_is_dropped_32_times(void **state)
{
	struct tls_conn c;

	(void)state;
	for (int role = 0; role < 2; role++) {
		if (role == TLS_SERVER)
			server_with_keys(&c, false);
		else
			drive_start(&c, TLS_CLIENT);
		for (int i = 0; i < CCS_MAX; i++)
			assert_int_equal(drive_record(&c, CT_CHANGE_CIPHER_SPEC, "\1", 1), TLS_WANT_RX);
		drive_record(&c, CT_CHANGE_CIPHER_SPEC, "\1", 1);
		drive_refused(&c, "the 33rd", ALERT_UNEXPECTED_MESSAGE);
		tls_wipe(&c);
	}
}

static void alerts_end_the_handshake_whatever_their_level(void **state)
{
	static const struct { const char *bytes; int err; uint16_t answer; const char *reason; } cases[] = {
		{ "\x02\x28", -EPROTO, TLS_ALERT_NONE, "peer sent alert handshake_failure (40)" },
		{ "\x01\x28", -EPROTO, ALERT_DECODE_ERROR, "peer sent alert handshake_failure (40)" },
		{ "\x07\x30", -EPROTO, ALERT_ILLEGAL_PARAMETER, "peer sent alert unknown_ca (48)" },
		{ "\x01\xc8", -EPROTO, ALERT_DECODE_ERROR, "peer sent alert of an unknown kind (200)" },
		{ "\x01\0", -ECONNRESET, TLS_ALERT_NONE, "peer closed the connection during the handshake" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct tls_conn c;
		struct tls_result r;

		drive_start(&c, TLS_CLIENT);
		assert_int_equal(drive_record(&c, CT_ALERT, cases[i].bytes, 2), TLS_FAILED);
		tls_result(&c, &r);
		assert_int_equal(r.err, cases[i].err);
		assert_string_equal(r.reason, cases[i].reason);
		assert_int_equal(r.alert_received, (uint8_t)cases[i].bytes[1]);
		assert_int_equal(r.alert_sent, cases[i].answer);
		tls_wipe(&c);
	}
}

static void user_canceled_is_followed_by_its_end(void **state)
{
	struct tls_conn c;

	(void)state;
	drive_start(&c, TLS_CLIENT);
	assert_int_equal(drive_record(&c, CT_ALERT, "\x01\x5a", 2), TLS_WANT_RX);
	assert_int_equal(drive_record(&c, CT_ALERT, "\x01\0", 2), TLS_FAILED);
	assert_int_equal(c.err, -ECONNRESET);
	tls_wipe(&c);
	drive_start(&c, TLS_CLIENT);
	for (int i = 0; i < USER_CANCELED_MAX; i++)
		assert_int_equal(drive_record(&c, CT_ALERT, "\x01\x5a", 2), TLS_WANT_RX);
	assert_int_equal(drive_record(&c, CT_ALERT, "\x01\x5a", 2), TLS_FAILED);
	tls_wipe(&c);
}

static void each_wrong_protected_record_gets_its_alert(void **state)
{
	static uint8_t big[TLS_RECORD_MAX + 512];
	static const struct { const char *what; const char *inner; uint16_t alert; } cases[] = {
		{ "change_cipher_spec", "0114", ALERT_UNEXPECTED_MESSAGE },
		{ "application data", "616217", ALERT_UNEXPECTED_MESSAGE },
		{ "an unknown type", "616299", ALERT_UNEXPECTED_MESSAGE },
		{ "only padding", "0000000000", ALERT_UNEXPECTED_MESSAGE },
		{ "nothing", "", ALERT_UNEXPECTED_MESSAGE },
		{ "handshake without content", "16", ALERT_UNEXPECTED_MESSAGE },
		{ "handshake without content, padded", "160000", ALERT_UNEXPECTED_MESSAGE },
		{ "alert without content", "15", ALERT_UNEXPECTED_MESSAGE },
		{ "half an alert", "0215", ALERT_DECODE_ERROR },
	};
	struct tls_conn c;

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		uint8_t inner[16];

		server_with_keys(&c, false);
		feed_inner(&c, inner, unhex(inner, cases[i].inner));
		drive_refused(&c, cases[i].what, cases[i].alert);
		tls_wipe(&c);
	}
	memset(big, 0, sizeof(big));
	big[0] = CT_HANDSHAKE;
	server_with_keys(&c, false);
	feed_inner(&c, big, PLAINTEXT_MAX + 2);
	drive_refused(&c, "inner plaintext over the limit", ALERT_RECORD_OVERFLOW);
	tls_wipe(&c);
	server_with_keys(&c, false);
	drive_record(&c, CT_APPLICATION_DATA, big, CIPHERTEXT_MAX + 1);
	drive_refused(&c, "ciphertext over the limit", ALERT_RECORD_OVERFLOW);
	tls_wipe(&c);
	server_with_keys(&c, false);
	drive_record(&c, CT_APPLICATION_DATA, big, 100);
	drive_refused(&c, "a record that does not verify", ALERT_BAD_RECORD_MAC);
	tls_wipe(&c);
	server_with_keys(&c, false);
	drive_record(&c, CT_APPLICATION_DATA, big, 3);
	drive_refused(&c, "shorter than a tag", ALERT_BAD_RECORD_MAC);
	tls_wipe(&c);
	server_with_keys(&c, false);
	drive_record(&c, CT_HANDSHAKE, "\x14\0\0\x20", 4);
	drive_refused(&c, "a plain message after the keys", ALERT_UNEXPECTED_MESSAGE);
	tls_wipe(&c);
}

static void a_full_record_of_padding_is_taken(void **state)
{
	static uint8_t inner[PLAINTEXT_MAX + 1];
	struct tls_conn c;

	(void)state;
	memset(inner, 0, sizeof(inner));
	server_with_keys(&c, false);
	make_finished(&c, inner);
	assert_int_equal(feed_inner(&c, inner, sizeof(inner)), TLS_DONE);
	tls_wipe(&c);
}

static void a_client_without_keys_may_send_a_plain_alert(void **state)
{
	uint8_t inner[2] = { 0x14, CT_HANDSHAKE };
	struct tls_conn c;

	(void)state;
	server_with_keys(&c, false);
	assert_int_equal(drive_record(&c, CT_ALERT, "\x02\x2f", 2), TLS_FAILED);
	assert_int_equal(c.alert_received, ALERT_ILLEGAL_PARAMETER);
	tls_wipe(&c);
	/* But not one that has shown that it has them. */
	server_with_keys(&c, false);
	assert_int_equal(feed_inner(&c, inner, sizeof(inner)), TLS_WANT_RX);
	drive_record(&c, CT_ALERT, "\x02\x2f", 2);
	drive_refused(&c, "a plain alert", ALERT_UNEXPECTED_MESSAGE);
	tls_wipe(&c);
}

static void early_data_that_is_not_accepted_is_skipped_up_to_a_limit(void **state)
{
	static uint8_t junk[8192 - RECORD_HEADER_LEN];
	uint8_t inner[64];
	struct tls_conn c;

	(void)state;
	for (int over = 0; over < 2; over++) {
		server_with_keys(&c, true);
		for (size_t i = 0; i < EARLY_SKIP_MAX / 8192; i++)
			assert_int_equal(drive_record(&c, CT_APPLICATION_DATA, junk, sizeof(junk)), TLS_WANT_RX);
		if (over) {
			drive_record(&c, CT_APPLICATION_DATA, junk, 17);
			drive_refused(&c, "a record more", ALERT_UNEXPECTED_MESSAGE);
		} else {
			assert_int_equal(feed_inner(&c, inner, make_finished(&c, inner)), TLS_DONE);
		}
		tls_wipe(&c);
	}
	/* The first record that decrypts ends it. */
	server_with_keys(&c, true);
	assert_int_equal(feed_inner(&c, (const uint8_t *)"\x14\x16", 2), TLS_WANT_RX);
	drive_record(&c, CT_APPLICATION_DATA, junk, sizeof(junk));
	drive_refused(&c, "early data after the handshake went on", ALERT_BAD_RECORD_MAC);
	tls_wipe(&c);
}

/* What the layer above reads: a padded record opens to its content. */
static void records_of_every_suite_open_to_what_was_sealed(void **state)
{
	static const enum aead_id aeads[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305 };
	static uint8_t rec[TLS_RECORD_MAX], copy[TLS_RECORD_MAX];
	static const size_t sizes[] = { 0, 1, 15, 16, 17, 1000, PLAINTEXT_MAX };

	(void)state;
	for (size_t a = 0; a < NUM(aeads); a++)
		for (size_t i = 0; i < NUM(sizes); i++) {
			struct tls_keys tx = { .key = { 1, 2, 3 }, .iv = { 4, 5, 6 }, .seq = 0x0102030405 }, rx = tx;
			size_t len, content_len;
			uint8_t type;

			memset(rec, 0xa5, sizeof(rec));
			len = record_seal(rec, CT_ALERT, sizes[i], aeads[a], &tx);
			assert_int_equal(len, sizes[i] + RECORD_OVERHEAD);
			assert_true(tx.seq == 0x0102030406);
			memcpy(copy, rec, len);
			copy[len / 2] ^= 1;
			assert_int_equal(record_open(copy, len, &type, &content_len, aeads[a], &rx), RECORD_BAD_MAC);
			assert_true(rx.seq == 0x0102030405);
			assert_int_equal(record_open(rec, len, &type, &content_len, aeads[a], &rx), RECORD_OK);
			assert_int_equal(type, CT_ALERT);
			assert_int_equal(content_len, sizes[i]);
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(rec[RECORD_HEADER_LEN + k], 0xa5);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_tls_is_said_to_be_none),
		cmocka_unit_test(each_wrong_plain_record_gets_its_alert),
		cmocka_unit_test(a_record_version_is_ignored),
		cmocka_unit_test(change_cipher_spec_is_dropped_32_times),
		cmocka_unit_test(alerts_end_the_handshake_whatever_their_level),
		cmocka_unit_test(user_canceled_is_followed_by_its_end),
		cmocka_unit_test(each_wrong_protected_record_gets_its_alert),
		cmocka_unit_test(a_full_record_of_padding_is_taken),
		cmocka_unit_test(a_client_without_keys_may_send_a_plain_alert),
		cmocka_unit_test(early_data_that_is_not_accepted_is_skipped_up_to_a_limit),
		cmocka_unit_test(records_of_every_suite_open_to_what_was_sealed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
