// SPDX-License-Identifier: MIT
/* Each message's parser: one wrong thing at a time gets the right alert; cut or flipped anywhere, never a crash. */
#include <time.h>

#include "tls_hello.h"

#define RIGHT 0xfffe	/* no alert: the handshake goes on */
#define RETRY 0xfffd	/* so it does, by a HelloRetryRequest */

/* ---- ClientHello ---- */

static void judge_client_hello(const char *what, const uint8_t *body, size_t len, uint16_t alert)
{
	struct tls_conn c;
	enum tls_want want;

	drive_start(&c, TLS_SERVER);
	want = drive_message(&c, HT_CLIENT_HELLO, body, len);
	if (alert != RIGHT && alert != RETRY)
		drive_refused(&c, what, alert);
	else if (want != (alert == RIGHT ? TLS_WANT_SIGN : TLS_WANT_RX) || c.retry != (alert == RETRY))
		fail_msg("%s: want %d, \"%s\"", what, want, c.reason);
	tls_wipe(&c);
}

static void judge_hello(const char *what, const struct hello *h, uint16_t alert)
{
	static uint8_t body[32768];
	struct build b = { .p = body, .cap = sizeof(body) };

	put_hello(&b, h);
	judge_client_hello(what, body, b.len, alert);
}

static void each_wrong_extension_of_a_client_hello_gets_its_alert(void **state)
{
	static const struct { const char *what, *ext; uint16_t alert; } cases[] = {
		{ "no groups", "000a-", ALERT_MISSING_EXTENSION },
		{ "no schemes", "000d-", ALERT_MISSING_EXTENSION },
		{ "no versions", "002b-", ALERT_PROTOCOL_VERSION },
		{ "no key share", "0033-", ALERT_MISSING_EXTENSION },
		{ "groups: empty", "000a0000", ALERT_DECODE_ERROR },
		{ "groups: odd", "000a0003001d00", ALERT_DECODE_ERROR },
		{ "groups: trailing byte", "000a0004001d001700", ALERT_DECODE_ERROR },
		{ "groups: share of one not offered", "000a00020017", ALERT_ILLEGAL_PARAMETER },
		{ "schemes: empty", "000d0000", ALERT_DECODE_ERROR },
		{ "schemes: odd", "000d0003040304", ALERT_DECODE_ERROR },
		{ "schemes: none of ours", "000d00020401", ALERT_HANDSHAKE_FAILURE },
		{ "schemes: ecdsa of another curve", "000d00020503", ALERT_HANDSHAKE_FAILURE },
		{ "certificate schemes", "003200020403", RIGHT },
		{ "certificate schemes: odd", "0032000104", ALERT_DECODE_ERROR },
		{ "authorities", "002f0006000130000130", RIGHT },
		{ "authorities: none", "002f0000", ALERT_DECODE_ERROR },
		{ "authorities: an empty one", "002f00050001300000", ALERT_DECODE_ERROR },
		{ "authorities: cut", "002f0003000230", ALERT_DECODE_ERROR },
		{ "authorities: too long", "002f000300013000", ALERT_DECODE_ERROR },
		{ "versions: empty", "002b00", ALERT_DECODE_ERROR },
		{ "versions: odd", "002b03030403", ALERT_DECODE_ERROR },
		{ "versions: trailing byte", "002b02030400", ALERT_DECODE_ERROR },
		{ "versions: only TLS 1.2", "002b020303", ALERT_PROTOCOL_VERSION },
		{ "versions: a draft", "002b027f1c", ALERT_PROTOCOL_VERSION },
		{ "versions: several", "002b060a0a03040303", RIGHT },
		{ "share: empty list", "00330000", RETRY },
		{ "share: no bytes", "00330004001d0000", ALERT_DECODE_ERROR },
		{ "share: too short",
		  "00330023001d001f" "09000000000000000000000000000000000000000000000000000000000000",
		  ALERT_ILLEGAL_PARAMETER },
		{ "share: too long", "00330025001d0021" SHARE_X25519 "00", ALERT_ILLEGAL_PARAMETER },
		{ "share: small order", "00330024001d0020" SHARE_ZERO, ALERT_ILLEGAL_PARAMETER },
		{ "share: twice the same group", "00330048001d0020" SHARE_X25519 "001d0020" SHARE_X25519,
		  ALERT_ILLEGAL_PARAMETER },
		{ "share: P-256 point not on the curve", "003300450017004104" SHARE_X25519 SHARE_X25519,
		  ALERT_ILLEGAL_PARAMETER },
		{ "share: P-256 compressed", "003300250017002102" SHARE_X25519, ALERT_ILLEGAL_PARAMETER },
		{ "share: P-256 of wrong form", "003300450017004106" SHARE_X25519 SHARE_X25519,
		  ALERT_ILLEGAL_PARAMETER },
		{ "share: unknown group beside ours", "00330029" "0a0a0001ff" "001d0020" SHARE_X25519, RIGHT },
		{ "share: only of an unknown group", "003300050a0a0001ff", RETRY },
		{ "share: trailing byte", "0033" KEY_SHARE "00", ALERT_DECODE_ERROR },
		{ "name", "0000000e00000b6578616d706c652e6f7267", RIGHT },
		{ "name: empty extension", "0000", ALERT_DECODE_ERROR },
		{ "name: empty list", "00000000", ALERT_DECODE_ERROR },
		{ "name: empty name", "00000003000000", ALERT_DECODE_ERROR },
		{ "name: two names", "00000008" "00000161" "00000162", ALERT_DECODE_ERROR },
		{ "name: another type", "0000000401000161", ALERT_DECODE_ERROR },
		{ "name: a NUL", "000000060000036100" "62", ALERT_ILLEGAL_PARAMETER },
		{ "name: a control character", "0000000600000361" "1b62", ALERT_ILLEGAL_PARAMETER },
		{ "name: trailing byte", "0000000400000161" "00", ALERT_DECODE_ERROR },
		{ "ALPN", "00100003026832", RIGHT },
		{ "ALPN: another", "00100003026833", ALERT_NO_APPLICATION_PROTOCOL },
		{ "ALPN: empty list", "00100000", ALERT_DECODE_ERROR },
		{ "ALPN: empty name", "0010000100", ALERT_DECODE_ERROR },
		{ "ALPN: ours and an empty name", "0010000402683200", ALERT_DECODE_ERROR },
		{ "ALPN: name over the end", "00100003036832", ALERT_DECODE_ERROR },
		{ "an extension of no message of ours", "0030000000", ALERT_ILLEGAL_PARAMETER },
		{ "an unknown extension", "0a0a00", RIGHT },
		{ "a PSK without modes", "00290000", ALERT_MISSING_EXTENSION },
	};

	(void)state;
	judge_hello("plain", &plain_hello, RIGHT);
	for (size_t i = 0; i < NUM(cases); i++) {
		struct hello h = plain_hello;

		set_ext(&h, cases[i].ext);
		judge_hello(cases[i].what, &h, cases[i].alert);
	}
}

static void each_wrong_field_of_a_client_hello_gets_its_alert(void **state)
{
	struct hello h;

	(void)state;
#define CASE(alert, ...) do { h = plain_hello; __VA_ARGS__; judge_hello(#__VA_ARGS__, &h, alert); } while (0)
	CASE(RIGHT, h.version = 0x0301);		/* ignored, 4.2.1 */
	CASE(RIGHT, h.session_id = SHARE_X25519);
	CASE(ALERT_DECODE_ERROR, h.session_id = SHARE_X25519 "00");
	CASE(ALERT_DECODE_ERROR, h.suites = "");
	CASE(ALERT_DECODE_ERROR, h.suites = "130113");
	CASE(ALERT_HANDSHAKE_FAILURE, h.suites = "130413050a0a");
	CASE(RIGHT, h.suites = "0a0ac02b1303");
	CASE(ALERT_DECODE_ERROR, h.compressions = "");
	CASE(ALERT_ILLEGAL_PARAMETER, h.compressions = "01");
	CASE(ALERT_ILLEGAL_PARAMETER, h.compressions = "0001");
	CASE(ALERT_ILLEGAL_PARAMETER, h.exts[4] = "002b" VERSIONS);	/* twice */
	CASE(ALERT_DECODE_ERROR, (h.exts[4] = "0a0a", h.exts[5] = "0a0a"));	/* unknown, twice */
	CASE(ALERT_ILLEGAL_PARAMETER, (h.exts[4] = "00290000", h.exts[5] = "002d0101"));	/* a PSK not last */
	CASE(RIGHT, (h.exts[4] = "002d0101", h.exts[5] = PSK("61")));
	/* No group of ours. */
	CASE(ALERT_HANDSHAKE_FAILURE, (h.exts[0] = "000a000200ff", h.exts[3] = "0033000500ff0001ff"));
	CASE(ALERT_PROTOCOL_VERSION, (h.exts[0] = NULL));
	/* A client that knows no version above TLS 1.2 may offer compression. */
	CASE(ALERT_PROTOCOL_VERSION, (h.exts[2] = "0a0a", h.compressions = "0100"));
#undef CASE
}

static void a_hello_without_extensions_is_an_old_version(void **state)
{
	uint8_t body[2048];
	struct build b = { .p = body, .cap = sizeof(body) };
	struct hello h = plain_hello;

	(void)state;
	h.exts[0] = NULL;
	put_hello(&b, &h);
	judge_client_hello("no extension block", body, b.len - 2, ALERT_PROTOCOL_VERSION);
}

static void a_hello_with_thousands_of_extensions_is_judged_in_one_pass(void **state)
{
	static uint8_t body[TLS_MSG_MAX];
	struct build b = { .p = body, .cap = sizeof(body) };
	struct tls_conn c;
	size_t len, at;

	(void)state;
	put_hello(&b, &plain_hello);
	for (uint32_t type = 0x4000; b.len + 4 <= 16000; type++)
		put_uint(&b, 4, type << 16);
	len = RANDOM_LEN + 2 + 1 + 2 + 6 + 2;
	store_be(body + len, 2, b.len - len - 2);
	drive_start(&c, TLS_SERVER);
	at = drive_message(&c, HT_CLIENT_HELLO, body, b.len);
	assert_int_equal(at, TLS_WANT_SIGN);
	tls_wipe(&c);
}

static void of_several_shares_the_servers_preference_is_taken(void **state)
{
	static const char *const shares[] = {
		"0033" "0069" "001d0020" SHARE_X25519 "00170041" SHARE_P256,
		"0033" "0069" "00170041" SHARE_P256 "001d0020" SHARE_X25519,
	};
	uint8_t body[1024];

	(void)state;
	for (size_t i = 0; i < NUM(shares); i++) {
		struct build b = { .p = body, .cap = sizeof(body) };
		struct hello h = plain_hello;
		struct tls_conn c;

		set_ext(&h, shares[i]);
		put_hello(&b, &h);
		drive_start(&c, TLS_SERVER);
		assert_int_equal(drive_message(&c, HT_CLIENT_HELLO, body, b.len), TLS_WANT_SIGN);
		assert_int_equal(c.kem->group, 0x001d);
		tls_wipe(&c);
	}
}

/* ---- cut and flipped ---- */

/* Feeds a body to a fresh engine; whatever comes, it must either go on or have failed with one alert. */
typedef void feeder(struct tls_conn *c, const uint8_t *body, size_t len);

static void judged(struct tls_conn *c)
{
	struct tls_result r;

	tls_result(c, &r);
	if (c->state == TLS_FAILED) {
		assert_int_not_equal(r.alert_sent, TLS_ALERT_NONE);
		assert_int_equal(r.alert_received, TLS_ALERT_NONE);
		assert_int_not_equal(r.err, 0);
		assert_true(r.reason[0] != 0);
	} else {
		assert_int_equal(r.err, 0);
	}
	tls_wipe(c);
}

static void cut_and_flip(feeder *feed, const uint8_t *body, size_t len, size_t step)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	struct tls_conn c;

	for (size_t i = 0; i < len; i += step) {
		/* An exact allocation, so that ASan sees a read past the cut. */
		uint8_t *copy = malloc(len);

		memcpy(copy, body, len);
		feed(&c, copy, i);
		assert_int_equal(c.state, TLS_FAILED);
		judged(&c);
		for (size_t k = 0; k < NUM(flips); k++) {
			copy[i] ^= flips[k];
			feed(&c, copy, len);
			judged(&c);
			copy[i] ^= flips[k];
		}
		free(copy);
	}
}

static void feed_client_hello(struct tls_conn *c, const uint8_t *body, size_t len)
{
	drive_start(c, TLS_SERVER);
	drive_message(c, HT_CLIENT_HELLO, body, len);
}

static void a_client_hello_cut_or_flipped_anywhere_is_judged(void **state)
{
	uint8_t body[2048];
	struct build b = { .p = body, .cap = sizeof(body) };
	struct hello h = plain_hello;

	(void)state;
	h.exts[4] = "0000000e00000b6578616d706c652e6f7267";
	h.exts[5] = "00100003026832";
	h.exts[6] = "003200020403";
	put_hello(&b, &h);
	cut_and_flip(feed_client_hello, body, b.len, 1);
}

/* ---- ServerHello ---- */

static void each_wrong_server_hello_gets_its_alert(void **state)
{
	struct answer a;
	struct tls_conn c;
	uint8_t body[1024];
	enum tls_want want;

	(void)state;
#define CASE(alert, ...) do { \
		a = plain_answer; \
		__VA_ARGS__; \
		drive_start(&c, TLS_CLIENT); \
		want = drive_message(&c, HT_SERVER_HELLO, body, make_answer(&c, body, &a)); \
		if (alert == RIGHT && want != TLS_WANT_RX) \
			fail_msg("%s: %s", #__VA_ARGS__, c.reason); \
		if (alert != RIGHT) \
			drive_refused(&c, #__VA_ARGS__, alert); \
		tls_wipe(&c); \
	} while (0)
#define DOWNGRADED(byte) "000000000000000000000000000000000000000000000000444f574e475244" byte
	CASE(RIGHT, (void)0);
	CASE(ALERT_ILLEGAL_PARAMETER, a.version = 0x0302);
	CASE(ALERT_ILLEGAL_PARAMETER, a.version = 0x0304);
	CASE(ALERT_PROTOCOL_VERSION, a.exts[1] = NULL);		/* TLS 1.2 */
	CASE(ALERT_PROTOCOL_VERSION, (a.exts[0] = "ff0100", a.exts[1] = "000000"));	/* TLS 1.2's extensions */
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[1] = "002b0303");
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[1] = "002b7f1c");
	CASE(ALERT_DECODE_ERROR, a.exts[1] = "002b03");
	CASE(ALERT_DECODE_ERROR, a.exts[1] = "002b030400");
	CASE(ALERT_ILLEGAL_PARAMETER, a.other_session_id = true);
	CASE(ALERT_ILLEGAL_PARAMETER, a.compression = 1);
	CASE(ALERT_ILLEGAL_PARAMETER, a.suite = 0x1304);
	CASE(ALERT_ILLEGAL_PARAMETER, a.suite = 0xc02b);
	CASE(ALERT_MISSING_EXTENSION, (a.exts[0] = a.exts[1], a.exts[1] = NULL));
	/* A group that was offered, but no share of it was sent. */
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[0] = "00330017004104" SHARE_X25519 SHARE_X25519);
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[0] = "003300170020" SHARE_X25519);
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[0] = "0033001d0020" SHARE_ZERO);
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[0] = "0033001d0021" SHARE_X25519 "00");
	CASE(ALERT_DECODE_ERROR, a.exts[0] = "0033001d0000");
	CASE(ALERT_DECODE_ERROR, a.exts[0] = "0033" SERVER_SHARE "00");
	CASE(ALERT_DECODE_ERROR, a.exts[0] = "0033001d");	/* of a HelloRetryRequest */
	CASE(ALERT_DECODE_ERROR, a.exts[0] = "003300");
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[2] = "002b0304");	/* twice */
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[2] = "00100003026832");	/* ALPN belongs in EncryptedExtensions */
	CASE(ALERT_ILLEGAL_PARAMETER, a.exts[2] = "002c00020001");	/* a cookie, in HelloRetryRequest */
	CASE(ALERT_UNSUPPORTED_EXTENSION, a.exts[2] = "00290000");	/* no PSK was offered */
	CASE(ALERT_UNSUPPORTED_EXTENSION, a.exts[2] = "0a0a");
	CASE(ALERT_ILLEGAL_PARAMETER, (a.random = DOWNGRADED("01"), a.exts[1] = NULL));
	CASE(ALERT_ILLEGAL_PARAMETER, (a.random = DOWNGRADED("00"), a.exts[1] = NULL));
	CASE(ALERT_PROTOCOL_VERSION, (a.random = DOWNGRADED("02"), a.exts[1] = NULL));
	CASE(RIGHT, a.random = DOWNGRADED("01"));	/* of no meaning where TLS 1.3 was chosen */
#undef CASE
}

static void feed_server_hello(struct tls_conn *c, const uint8_t *body, size_t len)
{
	static uint8_t copy[1024];

	drive_start(c, TLS_CLIENT);
	memcpy(copy, body, len);
	/* The session id to be echoed is new each time; keep a change of it a change. */
	for (size_t i = 0; i < SESSION_ID_MAX && 35 + i < len; i++)
		copy[35 + i] ^= c->session_id[i];
	drive_message(c, HT_SERVER_HELLO, copy, len);
}

static void a_server_hello_cut_or_flipped_anywhere_is_judged(void **state)
{
	uint8_t body[1024];
	struct tls_conn c;
	size_t len;

	(void)state;
	drive_start(&c, TLS_CLIENT);
	memset(c.session_id, 0, sizeof(c.session_id));
	len = make_answer(&c, body, &plain_answer);
	tls_wipe(&c);
	cut_and_flip(feed_server_hello, body, len, 1);
}

/* ---- the messages behind ServerHello, as a client reads them; unprotected, which is the record layer's matter ---- */

enum { EXTENSIONS = 13, REQUEST = 15, CERTIFICATE = 16, VERIFY = 17, FINISHED = 18 };	/* in client_steps */

static void at_step(struct tls_conn *c, size_t step)
{
	drive_start(c, TLS_CLIENT);
	c->suite = suite_find(TLS_AES_128_GCM_SHA256);
	transcript_pick(&c->transcript, HASH_SHA256);
	c->step = client_steps + step;
}

struct row {
	const char *hex;
	uint16_t alert;
};

static void judge_rows(size_t step, uint8_t type, const struct row *rows, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		uint8_t body[1024];
		struct tls_conn c;
		enum tls_want want;

		at_step(&c, step);
		want = drive_message(&c, type, body, unhex(body, rows[i].hex));
		if (rows[i].alert != RIGHT)
			drive_refused(&c, rows[i].hex, rows[i].alert);
		else if (want != TLS_WANT_RX)
			fail_msg("%s: %s", rows[i].hex, c.reason);
		tls_wipe(&c);
	}
}

static void each_wrong_encrypted_extensions_gets_its_alert(void **state)
{
	static const struct row rows[] = {
		{ "0000", RIGHT },
		{ "000400000000", RIGHT },
		{ "00090010000500030268" "32", RIGHT },
		{ "000a" "000a0006" "0004001d0017", RIGHT },
		{ "", ALERT_DECODE_ERROR },
		{ "000100", ALERT_DECODE_ERROR },
		{ "0003000000", ALERT_DECODE_ERROR },
		{ "00050000000100", ALERT_DECODE_ERROR },
		{ "0000" "00", ALERT_DECODE_ERROR },
		{ "00090010000500030268" "33", ALERT_ILLEGAL_PARAMETER },
		{ "000600100002" "0000", ALERT_DECODE_ERROR },
		{ "000c" "00100008" "0006" "0268320268" "33", ALERT_DECODE_ERROR },
		{ "0004" "00170000", ALERT_UNSUPPORTED_EXTENSION },
		{ "0004" "002a0000", ALERT_UNSUPPORTED_EXTENSION },
		{ "0004" "00330000", ALERT_ILLEGAL_PARAMETER },
		{ "0006" "002b0002" "0304", ALERT_ILLEGAL_PARAMETER },
		{ "0008" "0000000000000000", ALERT_ILLEGAL_PARAMETER },
		{ "0009" "000a0005" "0003001d00", ALERT_DECODE_ERROR },
		{ "0009" "000a0005" "0002001d" "00", ALERT_DECODE_ERROR },
		{ "0008" "00100004" "00020132", ALERT_ILLEGAL_PARAMETER },
	};

	(void)state;
	judge_rows(EXTENSIONS, HT_ENCRYPTED_EXTENSIONS, rows, NUM(rows));
}

static void each_wrong_certificate_request_gets_its_alert(void **state)
{
	static const struct row rows[] = {
		{ "00" "0008" "000d0004" "00020403", RIGHT },
		{ "00" "000c" "0a0a0000" "000d0004" "00020403", RIGHT },
		{ "", ALERT_DECODE_ERROR },
		{ "00", ALERT_DECODE_ERROR },
		{ "0101" "0008" "000d0004" "00020403", ALERT_ILLEGAL_PARAMETER },
		{ "00" "0000", ALERT_MISSING_EXTENSION },
		{ "00" "0008" "000d0004" "00000403", ALERT_DECODE_ERROR },
		{ "00" "0007" "000d0003" "000104", ALERT_DECODE_ERROR },
		{ "00" "0008" "000d0004" "00020403" "00", ALERT_DECODE_ERROR },
		{ "00" "000c" "000d0004" "00020403" "00330000", ALERT_ILLEGAL_PARAMETER },
		/* signature_algorithms_cert and certificate_authorities: right, and without an entry */
		{ "00" "0010" "000d0004" "00020403" "00320004" "00020403", RIGHT },
		{ "00" "000e" "000d0004" "00020403" "00320002" "0000", ALERT_DECODE_ERROR },
		{ "00" "0011" "000d0004" "00020403" "002f0005" "0003000130", RIGHT },
		{ "00" "000e" "000d0004" "00020403" "002f0002" "0000", ALERT_DECODE_ERROR },
		/* status_request: empty, 4.4.2.1 */
		{ "00" "000c" "000d0004" "00020403" "00050000", RIGHT },
		{ "00" "0011" "000d0004" "00020403" "00050005" "0100000000", ALERT_DECODE_ERROR },
	};

	(void)state;
	judge_rows(REQUEST, HT_CERTIFICATE_REQUEST, rows, NUM(rows));
}

/* ---- Certificate and CertificateVerify, with real ones ---- */

static struct x509_anchors *anchors;
static uint8_t chain_body[4096];
static size_t chain_len;
static struct sig_key *key;

static int load(void **state)
{
	char err[256];
	struct der leaf;
	enum sig_type type;
	uint8_t *chain;
	size_t len;
	char *pem;

	if (drive_init(state))
		return -1;
	pem = read_cert("root.crt", &len);
	assert_int_equal(x509_anchors_load(&anchors, pem, len, err, sizeof(err)), 0);
	free(pem);
	pem = read_cert("p256.pem", &len);
	assert_int_equal(x509_chain_load(&chain, &chain_len, &leaf, &type, pem, len, err, sizeof(err)), 0);
	free(pem);
	memcpy(chain_body + 4, chain, chain_len);
	store_be(chain_body, 4, chain_len);
	chain_len += 4;
	free(chain);
	pem = read_cert("p256.key", &len);
	assert_int_equal(sig_key_load(&key, pem, len, err, sizeof(err)), 0);
	free(pem);
	drive_config.anchors = anchors;
	drive_params.now_ms = time(NULL) * 1000LL;
	return 0;
}

static int unload(void **state)
{
	x509_anchors_free(anchors);
	sig_key_free(key);
	return drive_exit(state);
}

static void feed_certificate(struct tls_conn *c, const uint8_t *body, size_t len)
{
	at_step(c, CERTIFICATE);
	drive_message(c, HT_CERTIFICATE, body, len);
}

static void each_wrong_certificate_gets_its_alert(void **state)
{
	static const struct { const char *what, *hex; uint16_t alert; } cases[] = {
		{ "nothing", "", ALERT_DECODE_ERROR },
		{ "no certificate", "00" "000000", ALERT_DECODE_ERROR },
		{ "a context", "0101" "000006" "000001" "30" "0000", ALERT_ILLEGAL_PARAMETER },
		{ "an empty certificate", "00" "000005" "000000" "0000", ALERT_DECODE_ERROR },
		{ "no DER", "00" "000006" "000001" "30" "0000", ALERT_BAD_CERTIFICATE },
		{ "list over the end", "00" "000007" "000001" "30" "0000", ALERT_DECODE_ERROR },
		{ "trailing byte", "00" "000006" "000001" "30" "0000" "00", ALERT_BAD_CERTIFICATE },
		{ "an unsolicited staple", "00" "00000e" "000001" "30" "0008" "00050004" "01000000",
		  ALERT_UNSUPPORTED_EXTENSION },
		{ "an extension out of place", "00" "00000a" "000001" "30" "0004" "00330000", ALERT_ILLEGAL_PARAMETER },
	};
	struct tls_conn c;
	uint8_t body[2048];
	struct build b = { .p = body, .cap = sizeof(body) };
	struct vec list;

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		feed_certificate(&c, body, unhex(body, cases[i].hex));
		drive_refused(&c, cases[i].what, cases[i].alert);
		tls_wipe(&c);
	}
	put_u8(&b, 0);
	list = put_vec(&b, 3);
	for (size_t i = 0; i <= X509_CHAIN_MAX; i++)
		put_hex(&b, "000001" "30" "0000");
	put_end(&b, list);
	feed_certificate(&c, body, b.len);
	drive_refused(&c, "eleven certificates", ALERT_BAD_CERTIFICATE);
	tls_wipe(&c);
	feed_certificate(&c, chain_body, chain_len);
	assert_int_equal(c.state, TLS_WANT_RX);
	tls_wipe(&c);
}

static void a_certificate_cut_or_flipped_anywhere_is_judged(void **state)
{
	(void)state;
	cut_and_flip(feed_certificate, chain_body, chain_len, 1);
}

static size_t make_verify(const struct tls_conn *c, uint8_t *body, enum tls_role signer, uint16_t scheme)
{
	uint8_t hash[HASH_MAX], input[TLS_SIGN_INPUT_MAX];
	size_t len;

	transcript_hash(&c->transcript, hash);
	len = tls_sign_input(input, signer, hash, 32);
	store_be(body, 2, scheme);
	assert_int_equal(sig_sign(key, SIG_ECDSA_P256_SHA256, body + 4, &len, input, len), 0);
	store_be(body + 2, 2, len);
	return 4 + len;
}

static void each_wrong_certificate_verify_gets_its_alert(void **state)
{
	static const struct { const char *what; enum tls_role signer; uint16_t scheme, alert; } cases[] = {
		{ "right", TLS_SERVER, SIG_ECDSA_P256_SHA256, RIGHT },
		{ "the other role's context", TLS_CLIENT, SIG_ECDSA_P256_SHA256, ALERT_DECRYPT_ERROR },
		{ "a scheme of another curve", TLS_SERVER, SIG_ECDSA_P384_SHA384, ALERT_ILLEGAL_PARAMETER },
		{ "a scheme of another key", TLS_SERVER, SIG_RSA_PSS_RSAE_SHA256, ALERT_ILLEGAL_PARAMETER },
		{ "RSA-PKCS1, which certificates only may use", TLS_SERVER, 0x0401, ALERT_ILLEGAL_PARAMETER },
		{ "ECDSA with SHA-1", TLS_SERVER, 0x0203, ALERT_ILLEGAL_PARAMETER },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		uint8_t body[256];
		struct tls_conn c;
		enum tls_want want;

		feed_certificate(&c, chain_body, chain_len);
		want = drive_message(&c, HT_CERTIFICATE_VERIFY, body,
				     make_verify(&c, body, cases[i].signer, cases[i].scheme));
		if (cases[i].alert != RIGHT)
			drive_refused(&c, cases[i].what, cases[i].alert);
		else
			assert_int_equal(want, TLS_WANT_RX);
		tls_wipe(&c);
	}
}

/* The signature of the transcript as it is; no flip of it may verify. */
static void a_certificate_verify_cut_or_flipped_anywhere_is_refused(void **state)
{
	uint8_t body[256];
	struct tls_conn c;
	size_t len = 8;

	(void)state;
	for (size_t i = 0; i < len; i++)
		for (int cut = 0; cut < 2; cut++) {
			feed_certificate(&c, chain_body, chain_len);
			len = make_verify(&c, body, TLS_SERVER, SIG_ECDSA_P256_SHA256);
			if (i >= len) {		/* signatures differ in length */
				tls_wipe(&c);
				break;
			}
			body[i] ^= (uint8_t)(cut ? 0 : 1);
			drive_message(&c, HT_CERTIFICATE_VERIFY, body, cut ? i : len);
			assert_int_equal(c.state, TLS_FAILED);
			judged(&c);
		}
}

static void a_finished_that_is_not_exactly_right_is_refused(void **state)
{
	uint8_t hash[HASH_MAX], body[33];
	struct tls_conn c;

	(void)state;
	for (size_t i = 0; i <= 33; i++) {
		at_step(&c, FINISHED);
		memset(c.rx.keys.secret, 7, 32);
		transcript_hash(&c.transcript, hash);
		keys_finished(body, HASH_SHA256, c.rx.keys.secret, hash);
		drive_message(&c, HT_FINISHED, body, i);
		if (i == 32)
			assert_int_equal(c.state, TLS_DONE);
		else
			drive_refused(&c, "length", ALERT_DECRYPT_ERROR);
		tls_wipe(&c);
		if (i >= 32)
			continue;
		at_step(&c, FINISHED);
		memset(c.rx.keys.secret, 7, 32);
		body[i] ^= 0x10;
		drive_message(&c, HT_FINISHED, body, 32);
		drive_refused(&c, "flip", ALERT_DECRYPT_ERROR);
		tls_wipe(&c);
	}
}

static void a_message_over_the_limit_is_refused_at_its_header(void **state)
{
	struct tls_conn c;
	uint8_t header[4] = { HT_CLIENT_HELLO };

	(void)state;
	store_be(header + 1, 3, TLS_MSG_MAX - MSG_HEADER_LEN + 1);
	drive_start(&c, TLS_SERVER);
	drive_record(&c, CT_HANDSHAKE, header, sizeof(header));
	drive_refused(&c, "over the limit", ALERT_ILLEGAL_PARAMETER);
	tls_wipe(&c);
	store_be(header + 1, 3, TLS_MSG_MAX - MSG_HEADER_LEN);
	drive_start(&c, TLS_SERVER);
	assert_int_equal(drive_record(&c, CT_HANDSHAKE, header, sizeof(header)), TLS_WANT_RX);
	tls_wipe(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wrong_extension_of_a_client_hello_gets_its_alert),
		cmocka_unit_test(each_wrong_field_of_a_client_hello_gets_its_alert),
		cmocka_unit_test(a_hello_without_extensions_is_an_old_version),
		cmocka_unit_test(a_hello_with_thousands_of_extensions_is_judged_in_one_pass),
		cmocka_unit_test(of_several_shares_the_servers_preference_is_taken),
		cmocka_unit_test(a_client_hello_cut_or_flipped_anywhere_is_judged),
		cmocka_unit_test(each_wrong_server_hello_gets_its_alert),
		cmocka_unit_test(a_server_hello_cut_or_flipped_anywhere_is_judged),
		cmocka_unit_test(each_wrong_encrypted_extensions_gets_its_alert),
		cmocka_unit_test(each_wrong_certificate_request_gets_its_alert),
		cmocka_unit_test(each_wrong_certificate_gets_its_alert),
		cmocka_unit_test(a_certificate_cut_or_flipped_anywhere_is_judged),
		cmocka_unit_test(each_wrong_certificate_verify_gets_its_alert),
		cmocka_unit_test(a_certificate_verify_cut_or_flipped_anywhere_is_refused),
		cmocka_unit_test(a_finished_that_is_not_exactly_right_is_refused),
		cmocka_unit_test(a_message_over_the_limit_is_refused_at_its_header),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, load, unload);
}
