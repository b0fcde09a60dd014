// SPDX-License-Identifier: MIT
/* NewSessionTicket: what a client keeps of it, and what it refuses. */
#include <errno.h>

#include "tls_drive.h"

#define NOW_MS	INT64_C(1800000000000)
#define WEEK_S	(7 * 24 * 3600)

static struct tls_resumption resumption = {
	.suite = TLS_AES_128_GCM_SHA256, .secret = "thirty-two bytes of a secret...", .alpn_len = 2, .alpn = "h2",
	.leaf_sha256 = "leaf", .authenticated = 1799999000, .not_after = 1800000100,
};

static int take(struct tls_session *s, const char *hex, int64_t now_ms)
{
	static uint8_t msg[MSG_HEADER_LEN + 65536];
	size_t len = unhex(msg + MSG_HEADER_LEN, hex);

	msg[0] = HT_NEW_SESSION_TICKET;
	store_be(msg + 1, 3, len);
	return tls_session_take(s, &resumption, msg, MSG_HEADER_LEN + len, now_ms);
}

static void a_session_is_what_the_ticket_and_the_handshake_say(void **state)
{
	struct tls_session s;
	uint8_t psk[HASH_MAX];

	(void)state;
	assert_int_equal(take(&s, "00000e10" "01020304" "020007" "0003aabbcc" "0008002a000400004000", NOW_MS), 0);
	assert_int_equal(s.suite, TLS_AES_128_GCM_SHA256);
	assert_int_equal(s.lifetime_s, 3600);
	assert_int_equal(s.age_add, 0x01020304);
	assert_int_equal(s.max_early_data, 0x4000);
	assert_int_equal(s.ticket_len, 3);
	assert_memory_equal(s.ticket, "\xaa\xbb\xcc", 3);
	assert_true(s.received_ms == NOW_MS && s.authenticated == 1799999000 && s.not_after == 1800000100);
	assert_memory_equal(s.leaf_sha256, resumption.leaf_sha256, 32);
	assert_int_equal(s.alpn_len, 2);
	assert_memory_equal(s.alpn, "h2", 2);
	keys_ticket_psk(psk, HASH_SHA256, resumption.secret, (const uint8_t *)"\0\7", 2);
	assert_memory_equal(s.psk, psk, 32);
	/* Without early_data, with unknown extensions, with the longest lifetime there is. */
	assert_int_equal(take(&s, "ffffffff" "00000000" "00" "000100" "000bfefe0003010203fefd0000", NOW_MS), 0);
	assert_int_equal(s.max_early_data, 0);
	assert_int_equal(s.lifetime_s, WEEK_S - 1000);	/* the handshake was so long ago */
}

/* However often it is renewed: a certificate that was revoked since is not seen again by who only resumes. */
static void a_session_ends_a_week_after_its_full_handshake(void **state)
{
	static const struct {
		int64_t ago_s;
		int ret;
		uint32_t lifetime_s;
	} cases[] = {
		{ 0, 0, WEEK_S }, { -10, 0, WEEK_S }, { WEEK_S / 2, 0, WEEK_S / 2 }, { WEEK_S - 1, 0, 1 },
		{ WEEK_S, -ESTALE, 0 }, { WEEK_S + 1, -ESTALE, 0 },
	};
	struct tls_session s;

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		resumption.authenticated = NOW_MS / 1000 - cases[i].ago_s;
		assert_int_equal(take(&s, "00093a80" "00000000" "00" "000100" "0000", NOW_MS), cases[i].ret);
		if (!cases[i].ret)
			assert_int_equal(s.lifetime_s, cases[i].lifetime_s);
	}
	resumption.authenticated = 1799999000;
}

static void what_is_no_ticket_is_refused(void **state)
{
	static const struct { const char *what, *hex; uint8_t alert; } cases[] = {
		{ "nothing", "", ALERT_DECODE_ERROR },
		{ "cut in the age", "00000e10010203", ALERT_DECODE_ERROR },
		{ "cut in the nonce", "00000e100102030402ff", ALERT_DECODE_ERROR },
		{ "empty ticket", "00000e1001020304" "00" "0000" "0000", ALERT_DECODE_ERROR },
		{ "no extensions", "00000e1001020304" "00" "000100", ALERT_DECODE_ERROR },
		{ "bytes behind", "00000e1001020304" "00" "000100" "000000", ALERT_DECODE_ERROR },
		{ "extension's type cut", "00000e1001020304" "00" "000100" "000100", ALERT_DECODE_ERROR },
		{ "extension cut", "00000e1001020304" "00" "000100" "0004002a0004", ALERT_DECODE_ERROR },
		{ "early_data short", "00000e1001020304" "00" "000100" "0007002a0003000040", ALERT_DECODE_ERROR },
		{ "early_data long", "00000e1001020304" "00" "000100" "0009002a00050000400000", ALERT_DECODE_ERROR },
		{ "early_data twice", "00000e1001020304" "00" "000100" "0010002a000400004000002a000400004000",
		  ALERT_ILLEGAL_PARAMETER },
		{ "unknown twice", "00000e1001020304" "00" "000100" "0008fefe0000fefe0000", ALERT_ILLEGAL_PARAMETER },
	};
	uint8_t msg[128] = { HT_NEW_SESSION_TICKET };
	struct tls_session s;
	enum tls_post kind;

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		size_t len = unhex(msg + MSG_HEADER_LEN, cases[i].hex);
		uint8_t alert;

		if (take(&s, cases[i].hex, NOW_MS) != -EBADMSG)
			fail_msg("%s is taken", cases[i].what);
		store_be(msg + 1, 3, len);
		assert_int_equal(tls_post_parse(TLS_CLIENT, &kind, &alert, msg, MSG_HEADER_LEN + len), -EPROTO);
		assert_int_equal(alert, cases[i].alert);
	}
	assert_int_equal(tls_session_take(&s, &resumption, (const uint8_t *)"\4\0\0\5abcd", 8, NOW_MS), -EBADMSG);
	assert_int_equal(tls_session_take(&s, &resumption, (const uint8_t *)"\30\0\0\1\0", 5, NOW_MS), -EBADMSG);
	assert_int_equal(tls_session_take(&s, &resumption, (const uint8_t *)"\4\0\0\0a", 5, NOW_MS), -EBADMSG);
	assert_int_equal(tls_session_take(&s, &resumption, NULL, 0, NOW_MS), -EBADMSG);
}

static void a_ticket_of_no_use_is_not_kept(void **state)
{
	static char hex[2 * (16 + TLS_TICKET_MAX + 1) + 1];
	struct tls_session s;

	(void)state;
	assert_int_equal(take(&s, "00000000" "00000000" "00" "000100" "0000", NOW_MS), -ESTALE);
	assert_int_equal(take(&s, "00000e10" "00000000" "00" "000100" "0000", resumption.not_after * 1000 + 999), 0);
	assert_int_equal(take(&s, "00000e10" "00000000" "00" "000100" "0000", resumption.not_after * 1000 + 1000), -ESTALE);
	for (int over = 0; over < 2; over++) {
		snprintf(hex, sizeof(hex), "00000e10" "00000000" "00" "%04x%0*d0000", TLS_TICKET_MAX + over,
			 2 * (TLS_TICKET_MAX + over), 0);
		assert_int_equal(take(&s, hex, NOW_MS), over ? -EMSGSIZE : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_what_the_ticket_and_the_handshake_say),
		cmocka_unit_test(a_session_ends_a_week_after_its_full_handshake),
		cmocka_unit_test(what_is_no_ticket_is_refused),
		cmocka_unit_test(a_ticket_of_no_use_is_not_kept),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
