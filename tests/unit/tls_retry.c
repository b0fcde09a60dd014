// SPDX-License-Identifier: MIT
/* HelloRetryRequest and the second ClientHello, one side by hand: RFC 8446 4.1.2, 4.1.4, 4.2.2, 4.2.8, 4.2.10. */
#include "tls_hello.h"

#define RIGHT		0xfffe	/* no alert: the handshake goes on */
#define RETRY_RANDOM	"cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"
#define COOKIE_EXT	"002c" "0003636f6f"	/* as hello and answer write extensions: without the length */

/* ---- the client ---- */

static uint8_t first[1024];
static size_t first_len;

/* Sends its first ClientHello, which is kept in @first. */
static void client_waits(struct tls_conn *c, uint8_t num_shares)
{
	drive_config.num_shares = num_shares;
	drive_config.groups[2] = 0x0018;
	drive_config.num_groups = 3;
	first_len = drive_start(c, TLS_CLIENT);
	memcpy(first, drive_tx, first_len);
}

static const struct answer retry_answer = {
	.version = 0x0303, .suite = TLS_AES_128_GCM_SHA256, .random = RETRY_RANDOM, .exts = { "00330017", "002b0304" },
};

/* Feeds @a; what the client says to it is in drive_tx. */
static enum tls_want answer(struct tls_conn *c, const struct answer *a, size_t *sent)
{
	uint8_t rec[2048] = { 0 }, *msg = rec + RECORD_HEADER_LEN;
	size_t len = make_answer(c, msg + MSG_HEADER_LEN, a);

	msg[0] = HT_SERVER_HELLO;
	store_be(msg + 1, 3, len);
	record_header(rec, CT_HANDSHAKE, VERSION_LEGACY, MSG_HEADER_LEN + len);
	return drive_feed(c, rec, RECORD_HEADER_LEN + MSG_HEADER_LEN + len, sent);
}

static void each_wrong_retry_gets_its_alert(void **state)
{
	struct answer a;
	struct tls_conn c;
	size_t sent;

	(void)state;
#define CASE(alert, ...) do { \
		enum tls_want want; \
		a = retry_answer; \
		__VA_ARGS__; \
		client_waits(&c, 1); \
		want = answer(&c, &a, &sent); \
		if (alert == RIGHT && (want != TLS_WANT_RX || !c.retry)) \
			fail_msg("%s: %s", #__VA_ARGS__, c.reason); \
		if (alert != RIGHT) \
			drive_refused(&c, #__VA_ARGS__, alert); \
		tls_wipe(&c); \
	} while (0)
	CASE(RIGHT, (void)0);
	CASE(RIGHT, a.exts[0] = "00330018");
	CASE(RIGHT, a.exts[0] = COOKIE_EXT);
	CASE(RIGHT, a.exts[2] = COOKIE_EXT);
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[0] = "0033001d");		/* whose share was sent */
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[0] = "00330019");		/* not offered */
	CASE(ALERT_ILLEGAL_PARAMETER, (a.exts[0] = "002b0304", a.exts[1] = NULL));	/* changes nothing */
	CASE(ALERT_DECODE_ERROR, a.exts[0] = "003300");
	CASE(ALERT_DECODE_ERROR, a.exts[0] = "0033001700");
	CASE(ALERT_DECODE_ERROR, a.exts[0] = "002c0000");		/* an empty cookie */
	CASE(ALERT_DECODE_ERROR, a.exts[0] = "002c00036161");
	CASE(ALERT_DECODE_ERROR, a.exts[0] = "002c0001616100");
	CASE(ALERT_MISSING_EXTENSION, a.exts[1] = NULL);		/* without supported_versions */
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[1] = "002b0303");
	CASE(ALERT_DECODE_ERROR, a.exts[1] = "002b03");
	CASE(ALERT_ILLEGAL_PARAMETER, a.version = 0x0304);
	CASE(ALERT_ILLEGAL_PARAMETER, a.suite = 0x1304);
	CASE(ALERT_ILLEGAL_PARAMETER, a.compression = 1);
	CASE(ALERT_ILLEGAL_PARAMETER, a.other_session_id = true);
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[2] = "00330018");		/* twice */
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[2] = "00100003026832");	/* ALPN: not here */
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[2] = "00290000");		/* pre_shared_key: not here */
	CASE(ALERT_UNSUPPORTED_EXTENSION, a.exts[2] = "0a0a");
#undef CASE
}

static void a_group_we_have_and_did_not_offer_may_not_be_asked_for(void **state)
{
	struct answer a = retry_answer;
	struct tls_conn c;
	size_t sent;

	(void)state;
	a.exts[0] = "00330018";
	drive_config.num_groups = 2;
	drive_config.num_shares = 1;
	drive_start(&c, TLS_CLIENT);
	answer(&c, &a, &sent);
	drive_refused(&c, "secp384r1", ALERT_ILLEGAL_PARAMETER);
	tls_wipe(&c);
}

static void a_group_whose_share_was_sent_second_may_not_be_asked_for(void **state)
{
	struct tls_conn c;
	size_t sent;

	(void)state;
	client_waits(&c, 2);
	answer(&c, &retry_answer, &sent);
	drive_refused(&c, "the second share's group", ALERT_ILLEGAL_PARAMETER);
	tls_wipe(&c);
}

static void a_cookie_up_to_the_limit_comes_back(void **state)
{
	static char ext[4 + 4 + 2 * (COOKIE_MAX + 1) + 1];

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		struct answer a = retry_answer;
		size_t len = COOKIE_MAX + over, sent;
		uint8_t cookie[COOKIE_MAX];
		struct tls_conn c;

		snprintf(ext, sizeof(ext), "002c%04zx", len);
		memset(ext + 8, 'a', 2 * len);
		ext[8 + 2 * len] = 0;
		a.exts[0] = ext;
		client_waits(&c, 1);
		answer(&c, &a, &sent);
		memset(cookie, 0xaa, sizeof(cookie));
		if (over)
			drive_refused(&c, "a cookie over the limit", ALERT_ILLEGAL_PARAMETER);
		else
			assert_non_null(memmem(drive_tx, sent, cookie, sizeof(cookie)));
		tls_wipe(&c);
	}
}

#define LENGTHS_LEN (RECORD_HEADER_LEN + MSG_HEADER_LEN)
#define CCS_RECORD_LEN (RECORD_HEADER_LEN + 1)

static void a_cookie_alone_is_all_that_changes(void **state)
{
	static const uint8_t cookie[] = { 0x00, 0x2c, 0x00, 0x05, 0x00, 0x03, 0x63, 0x6f, 0x6f };
	struct answer a = retry_answer;
	const uint8_t *second = drive_tx + CCS_RECORD_LEN;
	size_t sent, exts_at = LENGTHS_LEN + 2 + RANDOM_LEN + 1 + SESSION_ID_MAX + 2 + 6 + 2;
	struct tls_conn c;

	(void)state;
	for (uint8_t num_shares = 1; num_shares <= 2; num_shares++) {
		a.exts[0] = COOKIE_EXT;
		client_waits(&c, num_shares);
		assert_int_equal(answer(&c, &a, &sent), TLS_WANT_RX);
		assert_int_equal(sent, CCS_RECORD_LEN + first_len + sizeof(cookie));
		assert_memory_equal(drive_tx, "\x14\x03\x03\0\x01\x01", CCS_RECORD_LEN);
		assert_memory_equal(second, "\x16\x03\x03", 3);
		assert_memory_equal(first, "\x16\x03\x01", 3);
		assert_memory_equal(second + LENGTHS_LEN, first + LENGTHS_LEN, exts_at - LENGTHS_LEN);
		assert_memory_equal(second + exts_at + 2, first + exts_at + 2, first_len - exts_at - 2);
		assert_memory_equal(second + first_len, cookie, sizeof(cookie));
		tls_wipe(&c);
	}
}

static void a_group_alone_changes_the_key_share_alone(void **state)
{
	const uint8_t *second = drive_tx + CCS_RECORD_LEN;
	size_t sent, exts_at = LENGTHS_LEN + 2 + RANDOM_LEN + 1 + SESSION_ID_MAX + 2 + 6 + 2;
	const size_t x25519 = 4 + 2 + 4 + 32, p256 = 4 + 2 + 4 + 65;	/* key_share, which is last */
	struct tls_conn c;

	(void)state;
	client_waits(&c, 1);
	assert_int_equal(answer(&c, &retry_answer, &sent), TLS_WANT_RX);
	assert_int_equal(sent, CCS_RECORD_LEN + first_len - x25519 + p256);
	assert_memory_equal(second + LENGTHS_LEN, first + LENGTHS_LEN, exts_at - LENGTHS_LEN);
	assert_memory_equal(second + exts_at + 2, first + exts_at + 2, first_len - exts_at - 2 - x25519);
	assert_memory_equal(second + first_len - x25519, "\0\x33\0\x47\0\x45\0\x17\0\x41\x04", 11);
	tls_wipe(&c);
}

static void each_wrong_server_hello_behind_a_retry_gets_its_alert(void **state)
{
	struct answer a;
	struct tls_conn c;
	size_t sent;

	(void)state;
#define CASE(alert, ...) do { \
		a = plain_answer; \
		a.exts[0] = "0033" "00170041" SHARE_P256; \
		__VA_ARGS__; \
		client_waits(&c, 1); \
		assert_int_equal(answer(&c, &retry_answer, &sent), TLS_WANT_RX); \
		if (answer(&c, &a, &sent) != TLS_WANT_RX || alert != RIGHT) \
			drive_refused(&c, #__VA_ARGS__, alert); \
		tls_wipe(&c); \
	} while (0)
	CASE(RIGHT, (void)0);
	CASE(ALERT_ILLEGAL_PARAMETER, a.suite = TLS_CHACHA20_POLY1305_SHA256);	/* another than before */
	CASE(ALERT_ILLEGAL_PARAMETER, a.suite = TLS_AES_256_GCM_SHA384);
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[1] = NULL);			/* TLS 1.2 */
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[1] = "002b0303");
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[0] = "0033" SERVER_SHARE);		/* of the first ClientHello */
	CASE(ALERT_MISSING_EXTENSION, (a.exts[0] = a.exts[1], a.exts[1] = NULL));
	CASE(ALERT_UNEXPECTED_MESSAGE, a = retry_answer);			/* a second one */
	CASE(ALERT_UNEXPECTED_MESSAGE, (a = retry_answer, a.exts[0] = COOKIE_EXT));
	CASE(ALERT_UNEXPECTED_MESSAGE, (a = retry_answer, a.exts[0] = "00330018"));
#undef CASE
}

/* ---- the server ---- */

static const struct hello first_hello = {
	.version = 0x0303, .session_id = SHARE_X25519, .suites = "130113021303", .compressions = "00",
	.exts = { "000a" GROUPS, "000d" SCHEMES, "002b" VERSIONS, "00330000", "0a0a0102", "0015000000" },
};

static size_t make_hello(uint8_t *body, const struct hello *h)
{
	struct build b = { .p = body, .cap = 4096 };

	put_hello(&b, h);
	return b.len;
}

static void server_retries(struct tls_conn *c, const struct hello *h)
{
	uint8_t body[4096];

	drive_config.num_groups = 2;
	drive_config.num_shares = 1;
	drive_start(c, TLS_SERVER);
	assert_int_equal(drive_message(c, HT_CLIENT_HELLO, body, make_hello(body, h)), TLS_WANT_RX);
	assert_true(c->retry);
	assert_int_equal(c->kem->group, 0x001d);	/* our first */
}

static enum tls_want second(struct tls_conn *c, const struct hello *h)
{
	uint8_t body[4096];

	return drive_message(c, HT_CLIENT_HELLO, body, make_hello(body, h));
}

static void a_second_hello_may_change_only_what_the_rfc_lists(void **state)
{
	struct tls_conn c;
	struct hello h, one;

	(void)state;
#define CASE(alert, ...) do { \
		one = h = first_hello; \
		set_ext(&h, "0033" KEY_SHARE); \
		__VA_ARGS__; \
		server_retries(&c, &one); \
		if (second(&c, &h) != TLS_WANT_SIGN || alert != RIGHT) \
			drive_refused(&c, #__VA_ARGS__, alert); \
		tls_wipe(&c); \
	} while (0)
	CASE(RIGHT, (void)0);
	CASE(RIGHT, h.exts[5] = "001500000000");				/* padding: longer, */
	CASE(RIGHT, h.exts[5] = NULL);						/* gone, */
	CASE(RIGHT, one.exts[5] = NULL);					/* new */
	CASE(RIGHT, h.exts[6] = COOKIE_EXT);				/* not asked for, and ignored */
	CASE(RIGHT, (h.exts[0] = one.exts[1], h.exts[1] = one.exts[0]));	/* another order, as wolfSSL does */
	CASE(RIGHT, one.exts[6] = "002a");					/* early_data is given up */
	CASE(RIGHT, (one.exts[6] = h.exts[6] = "002d0101", one.exts[7] = PSK("61"), h.exts[7] = PSK("62")));
	CASE(RIGHT, (one.exts[6] = h.exts[6] = "002d0101", one.exts[7] = PSK("61")));
	CASE(ALERT_ILLEGAL_PARAMETER, (one.exts[6] = h.exts[6] = "002d0101", h.exts[7] = PSK("61")));
	CASE(ALERT_ILLEGAL_PARAMETER, (one.exts[6] = h.exts[6] = "002a"));
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[6] = "002a");
	CASE(ALERT_ILLEGAL_PARAMETER, h.version = 0x0301);
	CASE(ALERT_ILLEGAL_PARAMETER, h.session_id = "");
	CASE(ALERT_ILLEGAL_PARAMETER, h.session_id = SHARE_ZERO);
	CASE(ALERT_ILLEGAL_PARAMETER, h.suites = "13011302");
	CASE(ALERT_ILLEGAL_PARAMETER, h.suites = "130213011303");
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[0] = "000a0004001d0018");
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[0] = "000a00040017001d");
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[1] = "000d00020403");
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[2] = "002b0403040303");
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[4] = "0a0a0103");			/* unknown: changed, */
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[4] = "0a1a0102");			/* another, */
	CASE(ALERT_ILLEGAL_PARAMETER, (h.exts[4] = h.exts[5], h.exts[5] = NULL));	/* gone, */
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[6] = "1a1a");			/* new */
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[6] = "00100003026832");		/* ALPN: new */
	CASE(ALERT_ILLEGAL_PARAMETER, h.compressions = "01");
	CASE(ALERT_PROTOCOL_VERSION, (h.exts[2] = h.exts[3], h.exts[3] = NULL));
	CASE(ALERT_MISSING_EXTENSION, (h.exts[3] = h.exts[4], h.exts[4] = NULL));
	/* key_share */
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[3] = "00330000");
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[3] = "0033" "0045" "00170041" SHARE_P256);
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[3] = "0033" "0069" "001d0020" SHARE_X25519 "00170041" SHARE_P256);
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[3] = "0033" "0069" "00170041" SHARE_P256 "001d0020" SHARE_X25519);
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[3] = "00330025001d0021" SHARE_X25519 "00");
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[3] = "00330024001d0020" SHARE_ZERO);
	CASE(ALERT_DECODE_ERROR, h.exts[3] = "0033000100");
	CASE(ALERT_DECODE_ERROR, h.exts[3] = "00330004001d0000");
	CASE(ALERT_DECODE_ERROR, h.exts[3] = "0033" KEY_SHARE "00");
#undef CASE
}

static void another_random_is_another_hello(void **state)
{
	uint8_t body[4096];
	struct hello h = first_hello;
	struct tls_conn c;
	size_t len;

	(void)state;
	set_ext(&h, "0033" KEY_SHARE);
	server_retries(&c, &first_hello);
	len = make_hello(body, &h);
	body[2] ^= 1;
	drive_message(&c, HT_CLIENT_HELLO, body, len);
	drive_refused(&c, "another random", ALERT_ILLEGAL_PARAMETER);
	tls_wipe(&c);
}

static void the_request_is_exactly_this(void **state)
{
	static const char want[] = "1603030058" "02000054" "0303" RETRY_RANDOM "20" SHARE_X25519 "1301" "00" "000c"
				   "00330002" "001d" "002b0002" "0304" "140303000101";
	uint8_t body[4096], rec[4200];
	struct tls_conn c;
	size_t len, sent;

	(void)state;
	len = make_hello(body, &first_hello);
	drive_start(&c, TLS_SERVER);
	record_header(rec, CT_HANDSHAKE, VERSION_FIRST_RECORD, MSG_HEADER_LEN + len);
	rec[RECORD_HEADER_LEN] = HT_CLIENT_HELLO;
	store_be(rec + RECORD_HEADER_LEN + 1, 3, len);
	memcpy(rec + LENGTHS_LEN, body, len);
	assert_int_equal(drive_feed(&c, rec, LENGTHS_LEN + len, &sent), TLS_WANT_RX);
	assert_int_equal(sent, strlen(want) / 2);
	assert_hex(drive_tx, want);
	tls_wipe(&c);
}

/* ---- early data behind a request ---- */

static const uint8_t early[PLAINTEXT_MAX];

static struct hello with_early_data(void)
{
	struct hello h = first_hello;

	h.exts[6] = "002a";
	return h;
}

static struct hello with_share(void)
{
	struct hello h = first_hello;

	set_ext(&h, "0033" KEY_SHARE);
	return h;
}

static void early_data_is_skipped_until_the_second_hello(void **state)
{
	const size_t whole = EARLY_SKIP_MAX / (RECORD_HEADER_LEN + sizeof(early));
	const size_t rest = EARLY_SKIP_MAX - whole * (RECORD_HEADER_LEN + sizeof(early)) - RECORD_HEADER_LEN;
	struct hello one = with_early_data(), two = with_share();
	struct tls_conn c;

	(void)state;
	for (size_t over = 0; over < 2; over++) {
		server_retries(&c, &one);
		assert_int_equal(drive_record(&c, CT_CHANGE_CIPHER_SPEC, "\x01", 1), TLS_WANT_RX);
		for (size_t i = 0; i < whole; i++)
			assert_int_equal(drive_record(&c, CT_APPLICATION_DATA, early, sizeof(early)), TLS_WANT_RX);
		drive_record(&c, CT_APPLICATION_DATA, early, rest + over);
		if (over)
			drive_refused(&c, "a byte over", ALERT_UNEXPECTED_MESSAGE);
		else
			assert_int_equal(second(&c, &two), TLS_WANT_SIGN);
		tls_wipe(&c);
	}
}

static void early_data_has_no_other_place_behind_a_request(void **state)
{
	struct hello one = with_early_data(), two = with_share();
	struct tls_out out = { .p = drive_tx, .cap = sizeof(drive_tx) };
	uint8_t msg[4096] = { HT_CLIENT_HELLO };
	struct tls_conn c;
	size_t len;

	(void)state;
	/* Not announced. */
	server_retries(&c, &first_hello);
	drive_record(&c, CT_APPLICATION_DATA, early, 100);
	drive_refused(&c, "not announced", ALERT_UNEXPECTED_MESSAGE);
	tls_wipe(&c);
	/* Within the second ClientHello. */
	len = make_hello(msg + MSG_HEADER_LEN, &two);
	store_be(msg + 1, 3, len);
	server_retries(&c, &one);
	assert_int_equal(drive_record(&c, CT_HANDSHAKE, msg, 10), TLS_WANT_RX);
	drive_record(&c, CT_APPLICATION_DATA, early, 100);
	drive_refused(&c, "between two pieces", ALERT_UNEXPECTED_MESSAGE);
	tls_wipe(&c);
	/* Behind it. */
	server_retries(&c, &one);
	assert_int_equal(second(&c, &two), TLS_WANT_SIGN);
	tls_sign_answer(&c, msg, 64);
	assert_int_equal(tls_advance(&c, &out), TLS_WANT_RX);
	drive_record(&c, CT_APPLICATION_DATA, early, 100);
	drive_refused(&c, "behind it", ALERT_BAD_RECORD_MAC);
	tls_wipe(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_retry_gets_its_alert),
		cmocka_unit_test(a_group_we_have_and_did_not_offer_may_not_be_asked_for),
		cmocka_unit_test(a_group_whose_share_was_sent_second_may_not_be_asked_for),
		cmocka_unit_test(a_cookie_up_to_the_limit_comes_back),
		cmocka_unit_test(a_cookie_alone_is_all_that_changes),
		cmocka_unit_test(a_group_alone_changes_the_key_share_alone),
		cmocka_unit_test(each_wrong_server_hello_behind_a_retry_gets_its_alert),
		cmocka_unit_test(a_second_hello_may_change_only_what_the_rfc_lists),
		cmocka_unit_test(another_random_is_another_hello),
		cmocka_unit_test(the_request_is_exactly_this),
		cmocka_unit_test(early_data_is_skipped_until_the_second_hello),
		cmocka_unit_test(early_data_has_no_other_place_behind_a_request),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
