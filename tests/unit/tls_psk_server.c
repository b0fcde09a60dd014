// SPDX-License-Identifier: MIT
/* What a server answers to pre-shared keys in a ClientHello, right and wrong. No binder made by hand is right. */
#include "tls_hello.h"
#include "tlshd/tls/ticket.h"

#define CHOSEN	0x200	/* its binder is judged, and is wrong */
#define PASSED	0x201	/* a full handshake goes on */

/* Identities: 'T' is a ticket, of SHA-256; 'E' an external key; nobody knows others. */
#define IDENTITY(hex)	"0001" hex "00000000"
#define TICKET	IDENTITY("54")
#define NOBODY	IDENTITY("55")
#define BINDER	"20" SHARE_X25519
#define MODES	"002d0101"
#define OFFER	"0029" "0007" TICKET "0021" BINDER

static size_t num_opens;

static size_t open_ticket(void *arg, uint8_t *state, uint64_t *domain, const uint8_t *ticket, size_t len)
{
	const struct ticket t = { .suite = TLS_CHACHA20_POLY1305_SHA256, .lifetime_s = 1 };

	(void)arg;
	num_opens++;
	*domain = 0;
	return len == 1 && *ticket == 'T' ? ticket_encode(state, &t) : 0;
}

static const struct tls_ticket_ops ops = { .open = open_ticket };
static const struct tls_external external = { (const uint8_t *)"E", 1, HASH_SHA384, 0 };

static void configure(uint8_t modes)
{
	drive_config.psk_modes = modes;
	drive_config.ticket_lifetime_s = 1;
	drive_config.externals = &external;
	drive_config.num_externals = 1;
	drive_params.tickets = &ops;
	num_opens = 0;
}

static enum tls_want begin(struct tls_conn *c, const struct hello *h)
{
	static uint8_t body[4096];
	struct build b = { .p = body, .cap = sizeof(body) };

	put_hello(&b, h);
	drive_start(c, TLS_SERVER);
	return drive_message(c, HT_CLIENT_HELLO, body, b.len);
}

static void judge(const char *what, const struct hello *h, uint16_t alert)
{
	struct tls_conn c;
	enum tls_want want = begin(&c, h);

	if (alert != PASSED)
		drive_refused(&c, what, alert == CHOSEN ? ALERT_DECRYPT_ERROR : alert);
	else if (want != TLS_WANT_SIGN || c.psk.chosen)
		fail_msg("%s: want %d, alert %u", what, want, c.alert_sent);
	tls_wipe(&c);
}

static void each_wrong_offer_of_keys_gets_its_alert(void **state)
{
	static const struct {
		const char *what, *offer;
		uint16_t alert;
	} cases[] = {
		{ "a ticket", OFFER, CHOSEN },
		{ "nobody's", "0029" "0007" NOBODY "0021" BINDER, PASSED },
		{ "an external key of another hash", "0029" "0007" IDENTITY("45") "0021" BINDER, PASSED },
		{ "the second", "0029" "000e" NOBODY TICKET "0042" BINDER BINDER, CHOSEN },
		{ "nothing", "0029", ALERT_DECODE_ERROR },
		{ "no binders", "0029" "0007" TICKET, ALERT_DECODE_ERROR },
		{ "no identity", "0029" "0000" "0021" BINDER, ALERT_DECODE_ERROR },
		{ "no identity, no binder", "0029" "0000" "0000", ALERT_DECODE_ERROR },
		{ "identities over the end", "0029" "0029" TICKET "0021" BINDER, ALERT_DECODE_ERROR },
		{ "an empty identity", "0029" "000d" TICKET "0000" "00000000" "0042" BINDER BINDER, ALERT_DECODE_ERROR },
		{ "an identity over the end", "0029" "0007" "0002" "54" "00000000" "0021" BINDER, ALERT_DECODE_ERROR },
		{ "half an age", "0029" "000c" TICKET "0001" "54" "0000" "0042" BINDER BINDER, ALERT_DECODE_ERROR },
		{ "no age", "0029" "000a" TICKET "0001" "54" "0042" BINDER BINDER, ALERT_DECODE_ERROR },
		{ "an empty list of binders", "0029" "0007" TICKET "0000", ALERT_DECODE_ERROR },
		{ "binders over the end", "0029" "0007" TICKET "0022" BINDER, ALERT_DECODE_ERROR },
		{ "a binder over the end", "0029" "0007" TICKET "0021" "21" SHARE_X25519, ALERT_DECODE_ERROR },
		{ "a byte behind the binders", "0029" "0007" TICKET "0021" BINDER "00", ALERT_DECODE_ERROR },
		{ "a binder too few", "0029" "000e" TICKET NOBODY "0021" BINDER, ALERT_ILLEGAL_PARAMETER },
		{ "a binder too many", "0029" "0007" TICKET "0042" BINDER BINDER, ALERT_ILLEGAL_PARAMETER },
		{ "an empty binder", "0029" "0007" TICKET "0001" "00", CHOSEN },
		{ "a binder of another hash", "0029" "0007" TICKET "0031" "30" SHARE_X25519 "00000000000000000000000000000000",
		  CHOSEN },
		{ "a binder of half a hash", "0029" "0007" TICKET "0011" "10" "09000000000000000000000000000000", CHOSEN },
	};

	(void)state;
	configure(TLS_PSK_DHE_KE);
	for (size_t i = 0; i < NUM(cases); i++) {
		struct hello h = plain_hello;

		set_ext(&h, MODES);
		set_ext(&h, cases[i].offer);
		judge(cases[i].what, &h, cases[i].alert);
	}
}

/* The right binder for a hello that ends in one of @len bytes; what is behind a hash's length is zero. */
static size_t bind(uint8_t *body, const struct hello *h, size_t len)
{
	static const uint8_t psk[32];	/* open_ticket()'s */
	struct build b = { .p = body, .cap = 4096 };
	uint8_t head[MSG_HEADER_LEN] = { HT_CLIENT_HELLO }, hash[HASH_MAX], binder[HASH_MAX] = { 0 };
	struct keys_early early;
	struct hash sha;

	put_hello(&b, h);
	store_be(head + 1, 3, b.len);
	hash_init(&sha, HASH_SHA256);
	hash_update(&sha, head, sizeof(head));
	hash_update(&sha, body, b.len - 2 - 1 - len);
	hash_final(&sha, hash);
	keys_early_init(&early, HASH_SHA256, psk, sizeof(psk));
	keys_binder(binder, &early, false, hash);
	memcpy(body + b.len - len, binder, len);
	return b.len;
}

static void a_binder_is_of_exactly_the_hash_s_length(void **state)
{
	static const struct {
		size_t len;
		const char *offer;
	} cases[] = {
		{ 32, OFFER },
		{ 31, "0029" "0007" TICKET "0020" "1f" "00000000000000000000000000000000000000000000000000000000000000" },
		{ 33, "0029" "0007" TICKET "0022" "21" "00" SHARE_X25519 },
		{ 0, "0029" "0007" TICKET "0001" "00" },
	};

	(void)state;
	configure(TLS_PSK_DHE_KE);
	for (size_t i = 0; i < NUM(cases); i++) {
		struct hello h = plain_hello;
		uint8_t body[4096];
		struct tls_conn c;
		size_t len;

		set_ext(&h, MODES);
		set_ext(&h, cases[i].offer);
		len = bind(body, &h, cases[i].len);
		drive_start(&c, TLS_SERVER);
		if (drive_message(&c, HT_CLIENT_HELLO, body, len) != TLS_WANT_RX || cases[i].len != 32)
			drive_refused(&c, cases[i].offer, ALERT_DECRYPT_ERROR);
		else
			assert_true(c.resumed);
		tls_wipe(&c);
	}
}

static void each_mode_is_used_as_configured(void **state)
{
	static const struct {
		const char *modes;
		uint8_t ours;
		uint16_t alert;
	} cases[] = {
		{ "002d" "0101", TLS_PSK_DHE_KE, CHOSEN },
		{ "002d" "0100", TLS_PSK_DHE_KE, PASSED },
		{ "002d" "0101", TLS_PSK_KE, PASSED },
		{ "002d" "0100", TLS_PSK_KE, CHOSEN },
		{ "002d" "03000201", TLS_PSK_DHE_KE, CHOSEN },
		{ "002d" "03fa02ff", TLS_PSK_DHE_KE | TLS_PSK_KE, PASSED },
		{ "002d" "0101", 0, PASSED },
		{ "002d", TLS_PSK_DHE_KE, ALERT_DECODE_ERROR },
		{ "002d" "00", TLS_PSK_DHE_KE, ALERT_DECODE_ERROR },
		{ "002d" "0201", TLS_PSK_DHE_KE, ALERT_DECODE_ERROR },
		{ "002d" "010100", 0, ALERT_DECODE_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct hello h = plain_hello;

		configure(cases[i].ours);
		drive_config.num_externals = 0;
		set_ext(&h, cases[i].modes);
		set_ext(&h, OFFER);
		judge(cases[i].modes, &h, cases[i].alert);
	}
}

static void a_key_takes_the_place_of_what_else_must_be_there(void **state)
{
	static const struct {
		const char *what, *without[2];
		uint8_t modes;
		uint16_t chosen, passed;
	} cases[] = {
		{ "no signature_algorithms", { "000d-" }, TLS_PSK_DHE_KE, CHOSEN, ALERT_MISSING_EXTENSION },
		{ "neither groups nor shares", { "000a-", "0033-" }, TLS_PSK_DHE_KE, ALERT_MISSING_EXTENSION,
		  ALERT_MISSING_EXTENSION },
		{ "neither, nor needed", { "000a-", "0033-" }, TLS_PSK_KE, CHOSEN, ALERT_MISSING_EXTENSION },
		{ "groups alone", { "0033-" }, TLS_PSK_KE, ALERT_MISSING_EXTENSION, ALERT_MISSING_EXTENSION },
		{ "shares alone", { "000a-" }, TLS_PSK_KE, ALERT_MISSING_EXTENSION, ALERT_MISSING_EXTENSION },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++)
		for (int passed = 0; passed < 2; passed++) {
			struct hello h = plain_hello;

			configure(cases[i].modes);
			set_ext(&h, cases[i].modes == TLS_PSK_KE ? "002d0100" : "002d0101");
			set_ext(&h, passed ? "0029" "0007" NOBODY "0021" BINDER : OFFER);
			for (size_t k = 0; k < 2 && cases[i].without[k]; k++)
				set_ext(&h, cases[i].without[k]);
			judge(cases[i].what, &h, passed ? cases[i].passed : cases[i].chosen);
		}
}

static void early_data_is_an_empty_extension(void **state)
{
	struct hello h = plain_hello;

	(void)state;
	configure(TLS_PSK_DHE_KE);
	set_ext(&h, "002a");
	judge("empty", &h, PASSED);
	set_ext(&h, "002a00000000");
	judge("as in a ticket", &h, ALERT_DECODE_ERROR);
}

/* Each may cost an AEAD, for each suite that a server without a certificate could take. */
static void no_more_than_eight_identities_are_looked_at(void **state)
{
	(void)state;
	for (size_t before = 7; before < 9; before++) {
		char offer[4 + 4 + 9 * 14 + 4 + 9 * 66 + 1];
		struct hello h = plain_hello;
		size_t at;

		at = (size_t)sprintf(offer, "0029%04zx", 7 * (before + 1));
		for (size_t i = 0; i < before; i++)
			at += (size_t)sprintf(offer + at, "%s", NOBODY);
		at += (size_t)sprintf(offer + at, "%s%04zx", TICKET, 33 * (before + 1));
		for (size_t i = 0; i <= before; i++)
			at += (size_t)sprintf(offer + at, "%s", BINDER);
		configure(TLS_PSK_DHE_KE);
		set_ext(&h, MODES);
		set_ext(&h, offer);
		judge("many", &h, before < 8 ? CHOSEN : PASSED);
		assert_int_equal(num_opens, 8);
	}
}

/* The suite is ours to choose, so that of a key is, where nothing but keys will do. */
static void suites_without_a_key_are_passed_over_only_without_a_certificate(void **state)
{
	struct hello h = plain_hello;
	struct tls_sign_req req;
	struct tls_conn c;

	(void)state;
	configure(TLS_PSK_DHE_KE);
	set_ext(&h, MODES);
	set_ext(&h, "0029" "0007" IDENTITY("45") "0021" BINDER);
	judge("ours first, SHA-256", &h, PASSED);
	drive_config.num_identities = 0;
	assert_int_equal(begin(&c, &h), TLS_WANT_SIGN);
	tls_sign_request(&c, &req);
	assert_int_equal(req.op, TLS_SIGN_BINDER);
	assert_ptr_equal(req.external, &external);
	assert_int_equal(c.suite->id, TLS_AES_256_GCM_SHA384);
	tls_wipe(&c);
	set_ext(&h, "0029" "0007" NOBODY "0021" BINDER);
	judge("no key at all", &h, ALERT_HANDSHAKE_FAILURE);
	drive_config.num_identities = 1;
}

static void an_answer_of_another_length_is_none(void **state)
{
	static const uint8_t answer[64];
	static const size_t lens[] = { 0, 32, 47, 49, 64 };
	struct hello h = plain_hello;

	(void)state;
	configure(TLS_PSK_DHE_KE);
	drive_config.num_identities = 0;
	set_ext(&h, MODES);
	set_ext(&h, "0029" "0007" IDENTITY("45") "0021" BINDER);
	for (size_t i = 0; i < NUM(lens); i++) {
		struct tls_out out = { .p = drive_tx, .cap = sizeof(drive_tx) };
		struct tls_conn c;

		assert_int_equal(begin(&c, &h), TLS_WANT_SIGN);
		tls_sign_answer(&c, answer, lens[i]);
		assert_int_equal(tls_advance(&c, &out), TLS_FAILED);
		drive_refused(&c, "an answer", ALERT_INTERNAL_ERROR);
		tls_wipe(&c);
	}
	drive_config.num_identities = 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_offer_of_keys_gets_its_alert),
		cmocka_unit_test(a_binder_is_of_exactly_the_hash_s_length),
		cmocka_unit_test(each_mode_is_used_as_configured),
		cmocka_unit_test(a_key_takes_the_place_of_what_else_must_be_there),
		cmocka_unit_test(early_data_is_an_empty_extension),
		cmocka_unit_test(no_more_than_eight_identities_are_looked_at),
		cmocka_unit_test(an_answer_of_another_length_is_none),
		cmocka_unit_test(suites_without_a_key_are_passed_over_only_without_a_certificate),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
