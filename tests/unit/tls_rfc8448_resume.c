// SPDX-License-Identifier: MIT
/*
 * RFC 8448 section 4, a session of section 3 resumed, with early data.
 */
#include "tls_rfc8448.h"
#include "tlshd/tls/ticket.h"

static const char ticket_message[] =
	"040000c90000001efad6aac502000000b22c035d829359ee5ff7af4ec900000000262a6494dc486d2c8a34cb33fa90bf1b0070ad"
	"3c498883c9367c09a2be785abc55cd226097a3a982117283f82a03a143efd3ff5dd36d64e861be7fd61d2827db279cce145077d4"
	"54a3664d4e6da4d29ee03725a6a4dafcd0fc67d2aea70529513e3da2677fa5906c5b3f7d8f92f228bda40dda721470f9fbf297b5"
	"aea617646fac5c03272e970727c621a79141ef5f7de6505e5bfbc388e93343694093934ae4d3570008002a000400000400";

static const char client_hello_record[] =
	"1603010200010001fc03031bc3ceb6bbe39cff938355b5a50adb6db21b7a6af649d7b4bc419d7876487d95000006130113031302"
	"010001cd0000000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400330026"
	"0024001d0020e4ffb68ac05f8d96c99da26698346c6be16482badddafe051a66b4f18d668f0b002a0000002b0003020304000d00"
	"20001e040305030603020308040805080604010501060102010402050206020202002d00020101001c0002400100150057000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"0000000000000000000000000000000000000000000000000000000000000000002900dd00b800b22c035d829359ee5ff7af4ec9"
	"00000000262a6494dc486d2c8a34cb33fa90bf1b0070ad3c498883c9367c09a2be785abc55cd226097a3a982117283f82a03a143"
	"efd3ff5dd36d64e861be7fd61d2827db279cce145077d454a3664d4e6da4d29ee03725a6a4dafcd0fc67d2aea70529513e3da267"
	"7fa5906c5b3f7d8f92f228bda40dda721470f9fbf297b5aea617646fac5c03272e970727c621a79141ef5f7de6505e5bfbc388e9"
	"3343694093934ae4d357fad6aacb0021203add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d";

static const char early_record[] =
	"1703030017ab1df420e75c457a7cc5d2844f76d5aee4b4edbf049be0";

static const char server_hello_record[] =
	"16030300600200005c03033ccfd2dec890222763472ae8136777c9d7358777bb66e91ea5122495f559ea2d001301000034002900"
	"02000000330024001d0020121761ee42c333e1b9e77b60dd57c2053cd94512ab47f115e86eff50942cea31002b00020304";

static const char encrypted_extensions[] =
	"080000280026000a00140012001d00170018001901000101010201030104001c0002400100000000002a0000";

static const char server_finished[] =
	"1400002048d3e0e1b3d907c6acff145e16090388c77b05c050b634ab1a88bbd0dd1a34b2";

static const char server_flight_record[] =
	"1703030061dc48237b4b879f50d0d4d262ea8b4716eb40ddc1eb957e11126e8a7149c2d012d37a7115957e64ce30008b9e0323f2"
	"c05a9c1c77b4f37849a695ab255060a33fee770ca95cb8486bfd0843b87024865ca35cc41c4e515c64dcb1369f98635bc7a5";

static const char end_of_early_data_record[] =
	"1703030015aca6fc944841298df99593725f9bf9754429b12f09";

static const char client_finished_record[] =
	"170303003500f8b467d14cf22a4b3f0b6ae0d8e6cc8d08e0db3515ef5c2bdf1922eafbb70009964716d834fb70c3d2a56c5b1f5f"
	"6bdba6c333cf";

static const char client_data_record[] =
	"1703030043b1cebce242aa201be9ae5e1cb2a9aa4b33d4e866af1edb068919237741aa031d7a74d491c99b9d4e232b74206bc6fb"
	"aa04fe78be44a9b4f54320a17eb76992afac3103";

static const char server_data_record[] =
	"1703030043275e9f20acff57bc000657d3867df039cccf79047884cf75771746f740b5a83f462a0954c3581393a203a25a7dd141"
	"41ef1a37900cdb62ff62dee1ba39ab2590cbf194";

static const char client_close_record[] =
	"17030300130facce3246bdfc6369838d6a82ae6de5d422dc";

static const char server_close_record[] =
	"17030300135b18af444e8e1eec7158fb62d8f2577d37ba5d";

static const char early_data[] =
	"414243444546";

/* What section 3 left: its resumption_master_secret and its ticket's nonce. */
#define RESUMPTION	"7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c"
#define NONCE		"0000"
#define PSK		"4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3"

/* Section 4's secrets, in the order in which they are made. */
#define EARLY_SECRET	"9b2188e9b2fc6d64d71dc329900e20bb41915000f678aa839cbb797cb7d8332c"
#define BINDER_HASH	"63224b2e4573f2d3454ca84b9d009a04f6be9e05711a8396473aefa01e924a14"
#define BINDER		"3add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d"
#define CLIENT_EARLY	"3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62"
#define CLIENT_EARLY_KEY "920205a5b7bf2115e6fc5c2942834f54"
#define CLIENT_EARLY_IV	"6d475f0993c8e564610db2b9"
#define SHARED_SECRET	"f44194756ff9ec9d25180635d66ea6824c6ab3bf179977be37f723570e7ccb2e"
#define HANDSHAKE_SECRET "005cb112fd8eb4ccc623bb88a07c64b3ede1605363fc7d0df8c7ce4ff0fb4ae6"
#define CLIENT_HS	"2faac08f851d35fea3604fcb4de82dc62c9b164a70974d0462e27f1ab278700f"
#define SERVER_HS	"fe927ae271312e8bf0275b581c54eef020450dc4ecffaa05a1a35d27518e7803"
#define MASTER_SECRET	"e2d32d4ed66dd37897a0e80c84107503ce58bf8aad4cb55a5002d77ecb890ece"
#define CLIENT_AP	"2abbf2b8e381d23dbebe1dd2a7d16a8bf484cb4950d23fb7fb7fa8547062d9a1"
#define SERVER_AP	"cc21f1bf8feb7dd5fa505bd9c4b468a9984d554a993dc49e6d285598fb672691"
#define EXPORTER	"3fd93d4ffddc98e64b14dd107aedf8ee4add23f4510f58a4592d0b201bee56b4"
#define RESUMPTION_NEXT	"5e95bdf1f89005ea2e9aa0ba85e728e3c19c5fe0c699e3f5bee59faebd0b5406"

/* ---- schedule ---- */

/* Length of the binders that a ClientHello ends in: the list's length, a binder's, the binder. */
#define BINDERS_LEN (2 + 1 + 32)

static void the_psk_gives_the_binder_and_the_early_keys_of_the_rfc(void **state)
{
	uint8_t hello[1024], hash[HASH_MAX], secret[HASH_MAX], nonce[2], psk[HASH_MAX], got[HASH_MAX];
	struct transcript t;
	struct keys_early early;
	struct tls_keys keys;
	size_t len = unhex(hello, client_hello_record + 2 * RECORD_HEADER_LEN);

	(void)state;
	unhex(secret, RESUMPTION);
	unhex(nonce, NONCE);
	keys_ticket_psk(psk, HASH_SHA256, secret, nonce, sizeof(nonce));
	assert_hex(psk, PSK);
	keys_early_init(&early, HASH_SHA256, psk, 32);
	assert_hex(early.secret, EARLY_SECRET);
	transcript_init(&t);
	transcript_hash_with(&t, hash, HASH_SHA256, hello, len - BINDERS_LEN);
	assert_hex(hash, BINDER_HASH);
	keys_binder(got, &early, false, hash);
	assert_hex(got, BINDER);
	assert_hex(hello + len - 32, BINDER);
	transcript_add(&t, hello, len);
	transcript_pick(&t, HASH_SHA256);
	transcript_hash(&t, hash);
	keys_early_traffic(got, &early, hash);
	assert_hex(got, CLIENT_EARLY);
	keys_traffic(&keys, suite_find(TLS_AES_128_GCM_SHA256), got);
	assert_hex(keys.key, CLIENT_EARLY_KEY);
	assert_hex(keys.iv, CLIENT_EARLY_IV);
	rfc_seals(early_record, &keys, CT_APPLICATION_DATA, early_data);
	rfc_seals(end_of_early_data_record, &keys, CT_HANDSHAKE, "05000000");
}

static void the_stages_behind_a_psk_give_the_secrets_of_the_rfc(void **state)
{
	uint8_t buf[1024], dhe[32], hash[HASH_MAX], psk[HASH_MAX], zero[sizeof(struct keys_handshake)] = { 0 };
	struct keys_early early;
	struct keys_handshake hs;
	struct keys_master master;
	struct tls_keys keys;
	struct transcript t;

	(void)state;
	unhex(psk, PSK);
	keys_early_init(&early, HASH_SHA256, psk, 32);
	transcript_init(&t);
	transcript_pick(&t, HASH_SHA256);
	transcript_add(&t, buf, unhex(buf, client_hello_record + 2 * RECORD_HEADER_LEN));
	transcript_add(&t, buf, unhex(buf, server_hello_record + 2 * RECORD_HEADER_LEN));
	transcript_hash(&t, hash);
	unhex(dhe, SHARED_SECRET);
	keys_handshake_from(&hs, &early, dhe, sizeof(dhe), hash);
	assert_memory_equal(&early, zero, sizeof(early));
	assert_hex(hs.secret, HANDSHAKE_SECRET);
	assert_hex(hs.client, CLIENT_HS);
	assert_hex(hs.server, SERVER_HS);
	keys_traffic(&keys, suite_find(TLS_AES_128_GCM_SHA256), hs.client);

	transcript_add(&t, buf, unhex(buf, encrypted_extensions));
	transcript_add(&t, buf, unhex(buf, server_finished));
	transcript_hash(&t, hash);
	keys_master_from(&master, &hs, hash);
	assert_memory_equal(&hs, zero, sizeof(hs));
	assert_hex(master.secret, MASTER_SECRET);
	assert_hex(master.client, CLIENT_AP);
	assert_hex(master.server, SERVER_AP);
	assert_hex(master.exporter, EXPORTER);

	/* EndOfEarlyData is in the transcript of the client's Finished, and that in the resumption secret's. */
	transcript_add(&t, "\x05\0\0", 4);
	transcript_hash(&t, hash);
	memcpy(buf, "\x14\0\0\x20", MSG_HEADER_LEN);
	keys_finished(buf + MSG_HEADER_LEN, HASH_SHA256, keys.secret, hash);
	transcript_add(&t, buf, MSG_HEADER_LEN + 32);
	transcript_hash(&t, hash);
	keys_resumption(&master, hash);
	assert_memory_equal(master.secret, zero, sizeof(master.secret));
	assert_hex(master.resumption, RESUMPTION_NEXT);
}

/* ---- the handshake ---- */

static const struct trace server_trace = {
	.random = "de5b4476e7b490b2652d338acbf2948066f255f9440e23b98fc69835298dc107"	/* key */
		  "3ccfd2dec890222763472ae8136777c9d7358777bb66e91ea5122495f559ea2d",	/* random */
	.sends = { encrypted_extensions },
};

static const struct trace client_trace = {
	.random = "1bc3ceb6bbe39cff938355b5a50adb6db21b7a6af649d7b4bc419d7876487d95"	/* random */
		  "bff91188283846dd6a2134ef7180ca2b0b14fb10dce707b5098c0dddc813b2df",	/* key */
	.sends = { client_hello_record + 2 * RECORD_HEADER_LEN },
};

#define NOW_MS INT64_C(1500000000000)

/* The ticket that section 3 ends with. */
static void take_session(struct tls_session *s)
{
	struct tls_resumption r = {
		.suite = TLS_AES_128_GCM_SHA256, .authenticated = NOW_MS / 1000, .not_after = NOW_MS,
	};
	uint8_t msg[256];

	unhex(r.secret, RESUMPTION);
	assert_int_equal(tls_session_take(s, &r, msg, unhex(msg, ticket_message), NOW_MS), 0);
	assert_hex(s->psk, PSK);
	assert_int_equal(s->lifetime_s, 30);
	assert_int_equal(s->max_early_data, 1024);
	assert_true(s->age_add == 0xfad6aac5);
}

static void the_client_resumes_as_the_rfc_does(void **state)
{
	static struct tls_session session;
	const struct tls_session *const sessions[] = { &session };
	struct tls_config config = rfc_client;
	uint8_t early[16];
	const struct tls_params params = {
		.role = TLS_CLIENT, .config = &config, .sessions = sessions, .num_sessions = 1, .early = early,
		.early_len = unhex(early, early_data), .now_ms = NOW_MS,
	};
	struct tls_resumption next;
	struct tls_traffic t;
	struct tls_conn c;

	(void)state;
	config.psk_modes = TLS_PSK_DHE_KE;
	take_session(&session);
	rfc_begin(&c, &client_trace, &params);
	rfc_expect(&c, TLS_WANT_RX, client_hello_record, early_record, NULL);
	rfc_give(&c, server_hello_record);
	rfc_expect(&c, TLS_WANT_RX, NULL);
	rfc_give(&c, server_flight_record);
	rfc_expect(&c, TLS_DONE, end_of_early_data_record, client_finished_record, NULL);
	tls_traffic(&c, &t);
	assert_hex(t.exporter_secret, EXPORTER);
	tls_resumption(&c, &next);
	assert_hex(next.secret, RESUMPTION_NEXT);
	rfc_seals(client_data_record, &t.tx, CT_APPLICATION_DATA, rfc_data);
	rfc_seals(client_close_record, &t.tx, CT_ALERT, RFC_CLOSE);
	rfc_opens(server_data_record, &t.rx, CT_APPLICATION_DATA, rfc_data);
	rfc_opens(server_close_record, &t.rx, CT_ALERT, RFC_CLOSE);
	rfc_end(&c);
}

/* What is in the RFC's ticket, ours would say so. */
static size_t open_ticket(void *arg, uint8_t *state, uint64_t *domain, const uint8_t *bytes, size_t len)
{
	static const char name[] = "server";
	struct ticket t = {
		.suite = TLS_AES_128_GCM_SHA256, .age_add = 0xfad6aac5, .lifetime_s = 30, .max_early_data = 1024,
		.issued_ms = NOW_MS, .peer = { .authenticated = NOW_MS / 1000 },
	};
	uint8_t msg[256];
	struct hash h;

	(void)arg;
	*domain = 0;
	unhex(msg, ticket_message);
	assert_int_equal(len, 0xb2);
	assert_memory_equal(bytes, msg + 17, len);	/* behind header, lifetime, age_add, nonce and length */
	unhex(t.psk, PSK);
	hash_init(&h, HASH_SHA256);
	hash_update(&h, name, sizeof(name));
	hash_final(&h, t.names);
	return ticket_encode(state, &t);
}

static bool take_early(void *arg, const struct tls_early_offer *offer)
{
	(void)arg;
	assert_int_equal(offer->binder_len, 32);
	assert_hex(offer->binder, BINDER);
	assert_true(offer->skew_ms == 6);
	return true;
}

static void the_server_resumes_as_the_rfc_does(void **state)
{
	static const struct tls_ticket_ops ops = { .open = open_ticket, .early = take_early };
	struct tls_config config = rfc_server;
	const struct tls_params params = {
		.role = TLS_SERVER, .config = &config, .accept_early = true, .tickets = &ops, .now_ms = NOW_MS,
	};
	const uint8_t *early;
	struct tls_traffic t;
	struct tls_conn c;

	(void)state;
	config.psk_modes = TLS_PSK_DHE_KE;
	config.ticket_lifetime_s = 30;
	config.ticket_early_data = 1024;
	rfc_begin(&c, &server_trace, &params);
	rfc_give(&c, client_hello_record);
	rfc_expect(&c, TLS_WANT_RX, server_hello_record, server_flight_record, NULL);
	rfc_give(&c, early_record);
	rfc_expect(&c, TLS_EARLY_DATA, NULL);
	assert_int_equal(tls_early_data(&c, &early), strlen(early_data) / 2);
	assert_hex(early, early_data);
	rfc_expect(&c, TLS_WANT_RX, NULL);
	rfc_give(&c, end_of_early_data_record);
	rfc_expect(&c, TLS_WANT_RX, NULL);
	rfc_give(&c, client_finished_record);
	rfc_expect(&c, TLS_DONE, NULL);
	tls_traffic(&c, &t);
	assert_hex(t.exporter_secret, EXPORTER);
	rfc_opens(client_data_record, &t.rx, CT_APPLICATION_DATA, rfc_data);
	rfc_opens(client_close_record, &t.rx, CT_ALERT, RFC_CLOSE);
	rfc_seals(server_data_record, &t.tx, CT_APPLICATION_DATA, rfc_data);
	rfc_seals(server_close_record, &t.tx, CT_ALERT, RFC_CLOSE);
	rfc_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_psk_gives_the_binder_and_the_early_keys_of_the_rfc),
		cmocka_unit_test(the_stages_behind_a_psk_give_the_secrets_of_the_rfc),
		cmocka_unit_test(the_client_resumes_as_the_rfc_does),
		cmocka_unit_test(the_server_resumes_as_the_rfc_does),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rfc_start, rfc_stop);
}
