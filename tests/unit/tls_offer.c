// SPDX-License-Identifier: MIT
/* Which sessions a client offers, with early data and without, and again after a HelloRetryRequest. */
#include <sodium.h>

#include "tls_offer.h"

static void only_sessions_that_can_be_used_are_offered(void **state)
{
	static const struct {
		const char *what;
		uint16_t suite, ticket_len;
		uint32_t lifetime_s;
		int64_t received_ms, not_after;
		bool offered;
	} cases[] = {
		{ "good", 0x1301, 1, 1000, NOW_MS - 999999, NOW_MS / 1000, true },
		{ "of another suite", 0x1303, 1, 1000, NOW_MS, NOW_MS / 1000, true },
		{ "the longest ticket", 0x1302, TLS_TICKET_MAX, 1, NOW_MS, NOW_MS / 1000, true },
		{ "over its lifetime", 0x1301, 1, 1000, NOW_MS - 1000000, NOW_MS / 1000, false },
		{ "from the future", 0x1301, 1, 1000, NOW_MS + 1, NOW_MS / 1000, false },
		{ "certificate expired", 0x1301, 1, 1000, NOW_MS, NOW_MS / 1000 - 1, false },
		{ "no certificate", 0x1301, 1, 1000, NOW_MS, INT64_MAX, false },
		{ "unknown suite", 0x1304, 1, 1000, NOW_MS, NOW_MS / 1000, false },
		{ "empty", 0x1301, 0, 1000, NOW_MS, NOW_MS / 1000, false },
		{ "too long", 0x1301, TLS_TICKET_MAX + 1, 1000, NOW_MS, NOW_MS / 1000, false },
	};
	struct tls_conn c;
	struct seen h;

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		set_up(2);
		kept[0].suite = cases[i].suite;
		kept[0].ticket_len = cases[i].ticket_len;
		kept[0].lifetime_s = cases[i].lifetime_s;
		kept[0].received_ms = cases[i].received_ms;
		kept[0].not_after = cases[i].not_after;
		drive_start(&c, TLS_CLIENT);
		read_hello(&h, drive_tx);
		print_message("# %s\n", cases[i].what);
		assert_int_equal(h.num, cases[i].offered ? 2 : 1);
		assert_int_equal(h.ids[0], cases[i].offered ? 1 : 2);
		check_first_binders(&h);
		tls_wipe(&c);
	}
}

static void a_hash_without_a_suite_is_not_offered(void **state)
{
	struct tls_conn c;
	struct seen h;

	(void)state;
	set_up(2);
	kept[0].suite = TLS_AES_256_GCM_SHA384;
	drive_config.num_suites = 1;
	drive_start(&c, TLS_CLIENT);
	drive_config.num_suites = 3;
	read_hello(&h, drive_tx);
	assert_int_equal(h.num, 1);
	assert_int_equal(h.ids[0], 2);
	tls_wipe(&c);
}

static void ages_are_obfuscated_and_wrap(void **state)
{
	struct tls_conn c;
	struct seen h;

	(void)state;
	set_up(2);
	kept[1].age_add = 7;
	drive_start(&c, TLS_CLIENT);
	read_hello(&h, drive_tx);
	assert_int_equal(h.ages[0], 500000 - 16);
	assert_int_equal(h.ages[1], 500000 + 7);
	tls_wipe(&c);
}

static void the_most_and_longest_sessions_fit_one_record(void **state)
{
	struct tls_conn c;
	struct seen h;

	(void)state;
	set_up(TLS_SESSIONS_MAX);
	for (size_t i = 0; i < TLS_SESSIONS_MAX; i++) {
		kept[i].suite = i % 2 ? TLS_AES_256_GCM_SHA384 : TLS_CHACHA20_POLY1305_SHA256;
		kept[i].ticket_len = TLS_TICKET_MAX;
	}
	drive_start(&c, TLS_CLIENT);
	read_hello(&h, drive_tx);
	assert_int_equal(h.num, TLS_SESSIONS_MAX);
	for (size_t i = 0; i < h.num; i++)
		assert_int_equal(h.id_lens[i], TLS_TICKET_MAX);
	check_first_binders(&h);
	tls_wipe(&c);
}

static void modes_are_sent_as_configured_and_alone_ask_for_tickets(void **state)
{
	static const struct { uint8_t modes; const char *data; } cases[] = {
		{ 0, NULL }, { TLS_PSK_DHE_KE, "\1\1" }, { TLS_PSK_KE, "\1\0" }, { TLS_PSK_DHE_KE | TLS_PSK_KE, "\2\1\0" },
	};
	struct cursor data;
	struct tls_conn c;
	struct seen h;

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		set_up(0);
		drive_config.psk_modes = cases[i].modes;
		drive_start(&c, TLS_CLIENT);
		read_hello(&h, drive_tx);
		assert_int_equal(h.num, 0);
		assert_int_equal(find_ext(h.exts, 45, &data), cases[i].data != NULL);
		if (cases[i].data) {
			assert_int_equal(data.len, 1 + cases[i].data[0]);
			assert_memory_equal(data.p, cases[i].data, data.len);
		}
		tls_wipe(&c);
	}
}

static void a_hello_that_waits_for_room_is_the_same_then(void **state)
{
	struct tls_out little = { .p = drive_tx, .cap = 1200 }, enough = { .p = drive_tx, .cap = TLS_TX_CAP };
	struct tls_conn c;
	struct seen h;

	(void)state;
	set_up(2);
	tls_init(&c, &drive_params);
	assert_int_equal(tls_advance(&c, &little), TLS_WANT_TX);
	assert_int_equal(little.len, 0);
	assert_int_equal(tls_advance(&c, &enough), TLS_WANT_RX);
	read_hello(&h, drive_tx);
	assert_int_equal(h.num, 2);
	check_first_binders(&h);
	tls_wipe(&c);
}

/* ---- early data ---- */

static void early_data_is_offered_only_where_it_can_be_accepted(void **state)
{
	static const struct {
		const char *what;
		size_t len;
		uint16_t suite;
		const char *alpn, *offered;
		bool early;
	} cases[] = {
		{ "some", 1, 0x1301, "h2", "\2h2", true },
		{ "at the limit", 1000, 0x1302, "h2", "\10http/1.1\2h2", true },
		{ "no protocol at all", 1, 0x1301, "", "", true },
		{ "none", 0, 0x1301, "h2", "\2h2", false },
		{ "over the limit", 1001, 0x1301, "h2", "\2h2", false },
		{ "its suite is not offered", 1, 0x1303, "h2", "\2h2", false },
		{ "its protocol is not offered", 1, 0x1301, "h2", "\2h3", false },
		{ "nor is any", 1, 0x1301, "h2", "", false },
		{ "it had none", 1, 0x1301, "", "\2h2", false },
	};
	const struct tls_params saved = drive_params;
	static uint8_t data[1001];

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct cursor ext;
		struct tls_result r;
		struct tls_conn c;
		struct seen h;

		set_up(2);
		kept[0].suite = cases[i].suite;
		kept[0].alpn_len = (uint8_t)strlen(cases[i].alpn);
		drive_config.num_suites = 2;
		drive_params.alpn = (const uint8_t *)cases[i].offered;
		drive_params.alpn_len = strlen(cases[i].offered);
		drive_params.early = data;
		drive_params.early_len = cases[i].len;
		drive_start(&c, TLS_CLIENT);
		tls_result(&c, &r);
		read_hello(&h, drive_tx);
		print_message("# %s\n", cases[i].what);
		assert_int_equal(find_ext(h.exts, 42, &ext), cases[i].early);
		assert_int_equal(r.early, cases[i].early ? TLS_EARLY_OFFERED : TLS_EARLY_NONE);
		assert_int_equal(r.early_bytes, cases[i].early ? cases[i].len : 0);
		tls_wipe(&c);
	}
	drive_config.num_suites = 3;
	drive_params = saved;
}

/* The client's early records, which begin at @at in drive_tx: opened, put together, compared. */
static void check_early_records(const struct tls_session *s, const uint8_t *hello, const uint8_t *at,
				const uint8_t *end, const uint8_t *data, size_t len)
{
	const struct suite *suite = suite_find(s->suite);
	uint8_t hash[HASH_MAX], secret[HASH_MAX];
	struct keys_early e;
	struct tls_keys k;
	struct hash h;

	hash_init(&h, suite->hash);
	hash_update(&h, hello + RECORD_HEADER_LEN, (size_t)(hello[3] << 8 | hello[4]));
	hash_final(&h, hash);
	keys_early_init(&e, suite->hash, s->psk, hash_len(suite->hash));
	keys_early_traffic(secret, &e, hash);
	keys_traffic(&k, suite, secret);
	while (at < end) {
		static uint8_t rec[TLS_RECORD_MAX];
		size_t rec_len = RECORD_HEADER_LEN + (size_t)(at[3] << 8 | at[4]), n;
		uint8_t type;

		memcpy(rec, at, rec_len);
		assert_int_equal(record_open(rec, rec_len, &type, &n, suite->aead, &k), RECORD_OK);
		assert_int_equal(type, CT_APPLICATION_DATA);
		assert_true(n > 0 && n <= len && (n == len || n >= 512));
		assert_memory_equal(rec + RECORD_HEADER_LEN, data, n);
		data += n;
		len -= n;
		at += rec_len;
	}
	assert_int_equal(len, 0);
}

static void early_data_follows_the_hello_under_its_own_keys(void **state)
{
	(void)state;
	for (int no_ccs = 0; no_ccs < 2; no_ccs++) {
		const uint8_t *at = drive_tx;
		struct tls_conn c;
		size_t len;

		set_up(1);
		drive_config.no_ccs = no_ccs;
		drive_params.early = early;
		drive_params.early_len = sizeof(early);
		len = drive_start(&c, TLS_CLIENT);
		at += RECORD_HEADER_LEN + (size_t)(at[3] << 8 | at[4]);
		if (!no_ccs) {		/* D.4: before the first protected record */
			assert_memory_equal(at, "\x14\3\3\0\1\1", 6);
			at += 6;
		}
		check_early_records(&kept[0], drive_tx, at, drive_tx + len, early, sizeof(early));
		tls_wipe(&c);
	}
	drive_config.no_ccs = false;
}

/* An alert of ours, and change_cipher_spec in front of it. */
#define ALERT_ROOM (RECORD_HEADER_LEN + 1 + RECORD_OVERHEAD + 2)

/* However much room there is each time, from what the hello needs on. */
static void early_data_goes_through_any_output_buffer(void **state)
{
	static uint8_t data[40000], sent[60000];

	(void)state;
	randombytes_buf_deterministic(data, sizeof(data), (const uint8_t *)"thirty-two bytes are seed enough");
	for (size_t cap = 1300; cap < 20000; cap += cap < 2100 ? 1 : 997) {
		const size_t len = cap < 2100 ? 1500 : sizeof(data);
		struct tls_out out;
		struct tls_result r;
		struct tls_conn c;
		size_t num = 0;
		enum tls_want want;

		set_up(1);
		kept[0].max_early_data = sizeof(data);
		drive_params.early = data;
		drive_params.early_len = len;
		tls_init(&c, &drive_params);
		do {
			out = (struct tls_out){ .p = sent + num, .cap = cap };
			want = tls_advance(&c, &out);
			assert_true(out.len && out.len + ALERT_ROOM <= cap);
			num += out.len;
		} while (want == TLS_WANT_TX);
		assert_int_equal(want, TLS_WANT_RX);
		tls_result(&c, &r);
		assert_int_equal(r.early_bytes, len);
		check_early_records(&kept[0], sent, sent + RECORD_HEADER_LEN + (sent[3] << 8 | sent[4]) + 6, sent + num, data,
				    len);
		tls_wipe(&c);
	}
}

/* ---- HelloRetryRequest ---- */

static size_t retry_with(struct tls_conn *c, uint16_t suite, uint8_t *body)
{
	struct answer a = plain_answer;

	a.suite = suite;
	a.random = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c";
	a.exts[0] = "00330017";
	return make_answer(c, body, &a);
}

static void a_second_hello_offers_what_is_left_anew(void **state)
{
	uint8_t body[1024], *rec;
	struct cursor ext;
	struct tls_result r;
	struct tls_conn c;
	struct transcript before;
	struct seen h;
	size_t len;

	(void)state;
	for (int sha384 = 0; sha384 < 2; sha384++) {
		uint8_t msg[MSG_HEADER_LEN + 1024];

		set_up(4);
		kept[1].suite = kept[3].suite = TLS_AES_256_GCM_SHA384;
		kept[2].lifetime_s = 501;	/* over by then */
		drive_params.early = early;
		drive_params.early_len = sizeof(early);
		drive_start(&c, TLS_CLIENT);
		read_hello(&h, drive_tx);
		assert_int_equal(h.num, 4);
		assert_true(find_ext(h.exts, 42, &ext));
		transcript_init(&before);
		transcript_add(&before, h.raw.p, h.raw.len);
		transcript_pick(&before, sha384 ? HASH_SHA384 : HASH_SHA256);
		transcript_retry(&before);
		tls_set_now(&c, NOW_MS + 1500);
		len = retry_with(&c, sha384 ? TLS_AES_256_GCM_SHA384 : TLS_AES_128_GCM_SHA256, body);
		memcpy(msg, "\2\0", 2);
		store_be(msg + 1, 3, len);
		memcpy(msg + MSG_HEADER_LEN, body, len);
		transcript_add(&before, msg, MSG_HEADER_LEN + len);
		assert_int_equal(drive_message(&c, HT_SERVER_HELLO, body, len), TLS_WANT_RX);
		rec = drive_tx;		/* change_cipher_spec has gone before early data */
		assert_int_equal(rec[0], CT_HANDSHAKE);
		read_hello(&h, rec);
		assert_int_equal(h.num, sha384 ? 2 : 1);
		assert_int_equal(h.ids[0], sha384 ? 2 : 1);
		for (size_t i = 0; i < h.num; i++)
			assert_int_equal(h.ages[i], 500000 - 16 + 1500);
		check_binders(&h, &before);
		assert_false(find_ext(h.exts, 42, &ext));
		tls_result(&c, &r);
		assert_int_equal(r.early, TLS_EARLY_REJECTED);
		tls_wipe(&c);
	}
}

/* What was dropped is not there to be chosen. */
static void a_key_dropped_by_a_retry_cannot_be_chosen(void **state)
{
	struct answer a = plain_answer;
	uint8_t body[1024];
	struct tls_conn c;
	size_t len;

	(void)state;
	for (int all = 0; all < 2; all++) {
		set_up(2);
		kept[0].suite = TLS_AES_256_GCM_SHA384;
		if (all)
			kept[1].suite = TLS_AES_256_GCM_SHA384;
		drive_start(&c, TLS_CLIENT);
		len = retry_with(&c, TLS_AES_128_GCM_SHA256, body);
		assert_int_equal(drive_message(&c, HT_SERVER_HELLO, body, len), TLS_WANT_RX);
		a.exts[0] = "0033" "00170041" SHARE_P256;
		a.exts[2] = "00290001";
		len = make_answer(&c, body, &a);
		drive_message(&c, HT_SERVER_HELLO, body, len);
		drive_refused(&c, "a key dropped", all ? ALERT_UNSUPPORTED_EXTENSION : ALERT_ILLEGAL_PARAMETER);
		tls_wipe(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(only_sessions_that_can_be_used_are_offered, tear_down),
		cmocka_unit_test_teardown(a_hash_without_a_suite_is_not_offered, tear_down),
		cmocka_unit_test_teardown(ages_are_obfuscated_and_wrap, tear_down),
		cmocka_unit_test_teardown(the_most_and_longest_sessions_fit_one_record, tear_down),
		cmocka_unit_test_teardown(modes_are_sent_as_configured_and_alone_ask_for_tickets, tear_down),
		cmocka_unit_test_teardown(a_hello_that_waits_for_room_is_the_same_then, tear_down),
		cmocka_unit_test_teardown(early_data_is_offered_only_where_it_can_be_accepted, tear_down),
		cmocka_unit_test_teardown(early_data_follows_the_hello_under_its_own_keys, tear_down),
		cmocka_unit_test_teardown(early_data_goes_through_any_output_buffer, tear_down),
		cmocka_unit_test_teardown(a_second_hello_offers_what_is_left_anew, tear_down),
		cmocka_unit_test_teardown(a_key_dropped_by_a_retry_cannot_be_chosen, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
