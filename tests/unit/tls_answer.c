// SPDX-License-Identifier: MIT
/* What a client takes of a server that answers its pre-shared keys and its early data. */
#include "tls_offer.h"

/* ---- ServerHello ---- */

static void each_wrong_choice_of_a_key_gets_its_alert(void **state)
{
	static const struct {
		const char *what;
		size_t num;
		uint8_t modes;
		uint16_t suite;
		const char *psk, *share;	/* NULL: not there */
		uint16_t alert;
	} cases[] = {
		{ "the first", 2, 1, 0x1301, "00290000", "", RIGHT },
		{ "the second", 2, 1, 0x1302, "00290001", "", RIGHT },
		{ "none", 2, 1, 0x1301, NULL, "", RIGHT },
		{ "of the same hash", 2, 1, 0x1303, "00290000", "", RIGHT },
		{ "none there is", 2, 1, 0x1301, "00290002", "", ALERT_ILLEGAL_PARAMETER },
		{ "far off", 2, 1, 0x1301, "0029ffff", "", ALERT_ILLEGAL_PARAMETER },
		{ "of another hash", 2, 1, 0x1301, "00290001", "", ALERT_ILLEGAL_PARAMETER },
		{ "likewise", 2, 1, 0x1302, "00290000", "", ALERT_ILLEGAL_PARAMETER },
		{ "short", 2, 1, 0x1301, "002900", "", ALERT_DECODE_ERROR },
		{ "long", 2, 1, 0x1301, "0029000000", "", ALERT_DECODE_ERROR },
		{ "not offered", 0, 1, 0x1301, "00290000", "", ALERT_UNSUPPORTED_EXTENSION },
		{ "without key_share", 2, 1, 0x1301, "00290000", NULL, ALERT_ILLEGAL_PARAMETER },
		{ "without key_share, psk_ke", 2, 2, 0x1301, "00290000", NULL, RIGHT },
		{ "without key_share, either", 2, 3, 0x1301, "00290000", NULL, RIGHT },
		{ "with key_share, either", 2, 3, 0x1301, "00290000", "", RIGHT },
		{ "with key_share, psk_ke", 2, 2, 0x1301, "00290000", "", ALERT_ILLEGAL_PARAMETER },
		{ "neither", 2, 3, 0x1301, NULL, NULL, ALERT_MISSING_EXTENSION },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct answer a = plain_answer;
		uint8_t body[1024];
		struct tls_conn c;
		size_t len, n = 1;
		enum tls_want want;

		set_up(cases[i].num);
		kept[1].suite = TLS_AES_256_GCM_SHA384;
		drive_config.psk_modes = cases[i].modes;
		drive_start(&c, TLS_CLIENT);
		a.suite = cases[i].suite;
		a.exts[0] = "002b0304";
		if (cases[i].share)
			a.exts[n++] = "0033" SERVER_SHARE;
		a.exts[n] = cases[i].psk;
		len = make_answer(&c, body, &a);
		want = drive_message(&c, HT_SERVER_HELLO, body, len);
		if (cases[i].alert != RIGHT)
			drive_refused(&c, cases[i].what, cases[i].alert);
		else if (want != TLS_WANT_RX || c.psk.chosen != (cases[i].psk != NULL) || !c.kem != !cases[i].share)
			fail_msg("%s: %d %s", cases[i].what, want, c.reason);
		tls_wipe(&c);
	}
}

/* ---- EncryptedExtensions; unprotected, which is the record layer's matter ---- */

static void early_data_accepted_wrongly_gets_its_alert(void **state)
{
	static const struct {
		const char *what;
		uint16_t suite, selected;
		bool offered, chosen;
		const char *hex;
		uint16_t alert;
	} cases[] = {
		{ "right", 0x1301, 0, true, true, "000d" "001000050003026832" "002a0000", RIGHT },
		{ "not accepted", 0x1301, 0, true, true, "0000", RIGHT },
		{ "not empty", 0x1301, 0, true, true, "000e" "001000050003026832" "002a000100", ALERT_DECODE_ERROR },
		{ "another key", 0x1301, 1, true, true, "000d" "001000050003026832" "002a0000", ALERT_ILLEGAL_PARAMETER },
		{ "no key", 0x1301, 0, true, false, "000d" "001000050003026832" "002a0000", ALERT_ILLEGAL_PARAMETER },
		{ "another suite", 0x1303, 0, true, true, "000d" "001000050003026832" "002a0000", ALERT_ILLEGAL_PARAMETER },
		{ "another protocol", 0x1301, 0, true, true, "000d" "001000050003026833" "002a0000",
		  ALERT_ILLEGAL_PARAMETER },
		{ "no protocol", 0x1301, 0, true, true, "0004" "002a0000", ALERT_ILLEGAL_PARAMETER },
		{ "not offered", 0x1301, 0, false, true, "000d" "001000050003026832" "002a0000",
		  ALERT_UNSUPPORTED_EXTENSION },
	};
	const struct tls_params saved = drive_params;

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct answer a = plain_answer;
		uint8_t body[1024];
		struct tls_conn c;
		struct tls_result r;
		enum tls_want want;
		char psk[] = "00290000";
		size_t len;

		set_up(2);
		drive_params.alpn = (const uint8_t *)"\2h2\2h3";
		drive_params.alpn_len = 6;
		drive_params.early = cases[i].offered ? early : NULL;
		drive_params.early_len = cases[i].offered ? sizeof(early) : 0;
		drive_start(&c, TLS_CLIENT);
		a.suite = cases[i].suite;
		psk[7] = (char)('0' + cases[i].selected);
		a.exts[2] = cases[i].chosen ? psk : NULL;
		len = make_answer(&c, body, &a);
		assert_int_equal(drive_message(&c, HT_SERVER_HELLO, body, len), TLS_WANT_RX);
		c.rx.protected = false;
		len = unhex(body, cases[i].hex);
		want = drive_message(&c, HT_ENCRYPTED_EXTENSIONS, body, len);
		tls_result(&c, &r);
		if (cases[i].alert != RIGHT)
			drive_refused(&c, cases[i].what, cases[i].alert);
		else if (want != TLS_WANT_RX || r.early != (i ? TLS_EARLY_REJECTED : TLS_EARLY_ACCEPTED))
			fail_msg("%s: %d %d %s", cases[i].what, want, r.early, c.reason);
		tls_wipe(&c);
	}
	drive_params = saved;
}

static void no_certificate_belongs_to_a_resumption(void **state)
{
	static const uint8_t types[] = {
		HT_CERTIFICATE_REQUEST, HT_CERTIFICATE, HT_CERTIFICATE_VERIFY, HT_NEW_SESSION_TICKET,
	};

	(void)state;
	for (size_t i = 0; i < NUM(types); i++) {
		struct answer a = plain_answer;
		uint8_t body[1024];
		struct tls_conn c;
		size_t len;

		set_up(1);
		drive_start(&c, TLS_CLIENT);
		a.exts[2] = "00290000";
		len = make_answer(&c, body, &a);
		drive_message(&c, HT_SERVER_HELLO, body, len);
		c.rx.protected = false;
		drive_message(&c, HT_ENCRYPTED_EXTENSIONS, "\0", 2);
		drive_message(&c, types[i], "\0\0\0", 4);
		drive_refused(&c, message_name(types[i]), ALERT_UNEXPECTED_MESSAGE);
		tls_wipe(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(each_wrong_choice_of_a_key_gets_its_alert, tear_down),
		cmocka_unit_test_teardown(early_data_accepted_wrongly_gets_its_alert, tear_down),
		cmocka_unit_test_teardown(no_certificate_belongs_to_a_resumption, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
