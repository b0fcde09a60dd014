// SPDX-License-Identifier: MIT
/*
 * RFC 8448 section 5, a handshake through HelloRetryRequest. Its server sends a cookie, which ours does not.
 */
#include "tls_rfc8448.h"

static const char first_hello_record[] =
	"16030100b4010000b00303b0b1c5a5aa37c5919f2ed1d5c6fff7fcb7849716945a2b8cee9258a346677b6f000006130113031302"
	"010000810000000b0009000006736572766572ff01000100000a00080006001d00170018003300260024001d0020e8e8e3f3b93a"
	"25ed97a14a7dcacb8a272c6288e585c6484d05262fcad062ad1f002b0003020304000d0020001e04030503060302030804080508"
	"0604010501060102010402050206020202002d00020101001c00024001";

static const char retry_record[] =
	"16030300b0020000ac0303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c001301000084003300"
	"020017002c0074007271dcd04bb88bc3189119398a00000000eefafc76c146b823b096f8aacad365dd0030953f4edf625636e5f2"
	"1bb2e23fcc654b1b5b40318d10d137abcbb87574e36e8a1f025f7dfa5d6e50781b5eda4aa15b0c8be778257d16aa3030e9e7841d"
	"d9e4c0342267e8ca0caf571fb2b7cff0f934b0002b00020304";

static const char second_hello_record[] =
	"1603030200010001fc0303b0b1c5a5aa37c5919f2ed1d5c6fff7fcb7849716945a2b8cee9258a346677b6f000006130113031302"
	"010001cd0000000b0009000006736572766572ff01000100000a00080006001d001700180033004700450017004104a6da7392ec"
	"591e17abfd535964b99894d13befb221b3def2ebe3830eac8f0151812677c4d6d2237e85cf01d6910cfb83954e76ba7352830534"
	"159897e8065780002b0003020304000d0020001e040305030603020308040805080604010501060102010402050206020202002c"
	"0074007271dcd04bb88bc3189119398a00000000eefafc76c146b823b096f8aacad365dd0030953f4edf625636e5f21bb2e23fcc"
	"654b1b5b40318d10d137abcbb87574e36e8a1f025f7dfa5d6e50781b5eda4aa15b0c8be778257d16aa3030e9e7841dd9e4c03422"
	"67e8ca0caf571fb2b7cff0f934b0002d00020101001c00024001001500af00000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
	"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000";

static const char server_hello_record[] =
	"160303007b020000770303bb341d847fd789c47c387172dc0c9bf147fccacb5043d86ca4c598d3ff571b9800130100004f003300"
	"450017004104583e054b7a66672ae020ad9d2686fcc85b5ad41a134a0f03ee72b893052bd85b4c8de6776f5b04ac07d83540eab3"
	"e3d9c547bc6528c4317d294686093a6cad7d002b00020304";

static const char encrypted_extensions[] =
	"080000180016000a0008000600170018001d001c0002400100000000";

static const char certificate[] =
	"0b0001b9000001b50001b0308201ac30820115a003020102020102300d06092a864886f70d01010b0500300e310c300a06035504"
	"031303727361301e170d3136303733303031323335395a170d3236303733303031323335395a300e310c300a0603550403130372"
	"736130819f300d06092a864886f70d010101050003818d0030818902818100b4bb498f8279303d980836399b36c6988c0c68de55"
	"e1bdb826d3901a2461eafd2de49a91d015abbc9a95137ace6c1af19eaa6af98c7ced43120998e187a80ee0ccb0524b1b018c3e0b"
	"63264d449a6d38e22a5fda430846748030530ef0461c8ca9d9efbfae8ea6d1d03e2bd193eff0ab9a8002c47428a6d35a8d88d79f"
	"7f1e3f0203010001a31a301830090603551d1304023000300b0603551d0f0404030205a0300d06092a864886f70d01010b050003"
	"81810085aad2a0e5b9276b908c65f73a7267170618a54c5f8a7b337d2df7a594365417f2eae8f8a58c8f8172f9319cf36b7fd6c5"
	"5b80f21a03015156726096fd335e5e67f2dbf102702e608ccae6bec1fc63a42a99be5c3eb7107c3c54e9b9eb2bd5203b1c3b84e0"
	"a8b2f759409ba3eac9d91d402dcc0cc8f8961229ac9187b42b4de10000";

static const char certificate_verify[] =
	"0f0000840804008033ab13d4462707231b5dcae6c8190b63d1dabc74f28c395370da0b07e5b83066d0246a31acd95df475bfd799"
	"a4a70d33ad93d3a317a9b2c0d237a5685b219e774112e391a247607d1aeff1bbd0a39f382ee1a5fe88ae99ec59228e6497e45d48"
	"ce275a6d5ef40d169fb6f9d33b052ed3dcdd6b5a48baafffbcb290128415bd38";

static const char server_flight_record[] =
	"170303029699bee20baf5b7fc727bfab6223928a381e6d0cf9c4da653f9d2a7b23f7de11cce842d5cf75631763450ffb8b0cc1d2"
	"38e658af7a12adc86243114ab14a1da2fae42621ce483fb6242eabfaad52566b02b31d2eddedefeb80e66a9900d5f973b40c4fdf"
	"74719ecf1b68d7f9c3b6ceb903ca13dd1bb8f8187ae33417e1d152522c5822a1a03ad52c838c55953d610222874cce8e1790b229"
	"a2aa0b53c8d377ee720182951dc6181dc5d90bd1f0105ed1e84aa5f75957c6661897079e5ea5007449e3197bdc7c9beeedddeafd"
	"d844afa5c315ecfe65e576afe909812880620ec7048b42d7f5c78d76f299d6d82534bdd8f512febc0ed3814aca470cd8000d3e1c"
	"b9962b052fbb950df683a52c2ba77ed3713b122937a6e5170964e2ab7969dcd980b3db9b458da7603124d6dc005e4d6e04b4d0c4"
	"baf3275db827dbba0a6db09672171fc057b3851d7e026841e2978fbd2346bbefdd0376bb1108fe9acc92189f5650aa5e85d8e8c7"
	"b67ac510dba003d3d7e16350bb66d45013efd44c9b607c0d318c4c7d1a1f5cbc57e20611804e3787d7b4a4b5f08ed8fd70bdaead"
	"e02260b12ab842ef690b4a3ee7911e841b374ecd5ebbbc2a54d047b600336dd7d0c88b4bc10e58ee6cb656de7247fa20d8e91deb"
	"84628608cf80615b62e96c1491c7ac3755eb6901405d3474fe1ac79d106a0cee56c2577fc88480f96cb6b8c681b7b68b53c14609"
	"3908f350888175bdfb0b1e31ad61e30ba0adfe6d223aa03c0783b5001a57587c328a9afcfcfb978d1cd4328f7d9d60530e630bef"
	"d96c0c816ee20b0100768ae2a6df51fc68f172740a79af11398ee3be1252491fa9c693479e877f94ab7c5f8cad480203e6ab7b87"
	"dd71e8a0729113df17f5eee86ce108d1d72007ec1cd13c85a6c149621e77b7d78d805a30f0be030c315e54";

static const char client_finished_record[] =
	"1703030035d74f1923c662fd34137c6f502f3dd2b93d951d1b3bc97e42afe23c31abea92fe91b474999e85e3b791ce252fe8c3e9"
	"f939a4120cb2";

static const char client_close_record[] =
	"17030300132ea6cdf749196023e2b3a49491695536426047";

static const char server_close_record[] =
	"1703030013519fc5075cb0884349759ff9ef6f011bb4c6f2";

static const char cookie[] =
	"71dcd04bb88bc3189119398a00000000eefafc76c146b823b096f8aacad365dd0030953f4edf625636e5f21bb2e23fcc654b1b5b"
	"40318d10d137abcbb87574e36e8a1f025f7dfa5d6e50781b5eda4aa15b0c8be778257d16aa3030e9e7841dd9e4c0342267e8ca0c"
	"af571fb2b7cff0f934b0";

/* Its server has P-256 alone. */
static const struct tls_identity identity = { .type = SIG_TYPE_P256 };
static const struct tls_config server_config = {
	.suites = { TLS_AES_128_GCM_SHA256 }, .num_suites = 1, .groups = { 0x0017 }, .num_groups = 1,
	.identities = &identity, .num_identities = 1,
};

static const struct trace server_trace = {
	.random = "8c510601f9765bfb8ed693449a48989859b5cfa879cb9f5443c41c5ff10634ed"	/* P-256 key */
		  "bb341d847fd789c47c387172dc0c9bf147fccacb5043d86ca4c598d3ff571b98",	/* random */
	.sends = { retry_record + 2 * RECORD_HEADER_LEN, encrypted_extensions, certificate, certificate_verify },
};

static const struct trace client_trace = {
	.random = "b0b1c5a5aa37c5919f2ed1d5c6fff7fcb7849716945a2b8cee9258a346677b6f"	/* random */
		  "0ed02f8e8117efc75ca7ac32aa7e34eda64cdc0ddad154a5e85289f959f63204"	/* X25519 key */
		  "ab5473467e19346ceb0a0414e41da21d4d2445bc3025afe97c4e8dc8d513da39",	/* P-256 key */
	.sends = { first_hello_record + 2 * RECORD_HEADER_LEN, second_hello_record + 2 * RECORD_HEADER_LEN },
};

static void the_server_retries_as_the_rfc_does(void **state)
{
	const struct tls_params params = { .role = TLS_SERVER, .config = &server_config };
	struct tls_traffic t;
	struct tls_conn c;

	(void)state;
	rfc_begin(&c, &server_trace, &params);
	rfc_give(&c, first_hello_record);
	rfc_expect(&c, TLS_WANT_RX, retry_record, NULL);
	rfc_give(&c, second_hello_record);
	rfc_expect(&c, TLS_WANT_RX, server_hello_record, server_flight_record, NULL);
	rfc_give(&c, client_finished_record);
	rfc_expect(&c, TLS_DONE, NULL);
	tls_traffic(&c, &t);
	rfc_opens(client_close_record, &t.rx, CT_ALERT, RFC_CLOSE);
	rfc_seals(server_close_record, &t.tx, CT_ALERT, RFC_CLOSE);
	rfc_end(&c);
}

/* The request of the RFC but for its cookie is what our server sends by itself. */
static void the_server_asks_as_the_rfc_does(void **state)
{
	static const struct trace none = { .random = "" };
	const struct tls_params params = { .role = TLS_SERVER, .config = &server_config };
	const char *at = strstr(retry_record, "002c0074"), *rest = at + 2 * (4 + 0x74);
	char without_cookie[256];
	struct tls_conn c;

	(void)state;
	snprintf(without_cookie, sizeof(without_cookie), "160303003802000034%.*s000c%.*s%s", 2 * 38,
		 retry_record + 2 * 9, 2 * 6, retry_record + 2 * 49, rest);
	rfc_begin(&c, &none, &params);
	rfc_give(&c, first_hello_record);
	rfc_expect(&c, TLS_WANT_RX, without_cookie, NULL);
	rfc_end(&c);
}

static void the_client_answers_as_the_rfc_does(void **state)
{
	const struct tls_params params = { .role = TLS_CLIENT, .config = &rfc_client };
	struct tls_traffic t;
	struct tls_conn c;

	(void)state;
	rfc_begin(&c, &client_trace, &params);
	rfc_expect(&c, TLS_WANT_RX, first_hello_record, NULL);
	rfc_give(&c, retry_record);
	rfc_expect(&c, TLS_WANT_RX, second_hello_record, NULL);
	assert_int_equal(c.cookie_len, strlen(cookie) / 2);
	assert_hex(c.cookie, cookie);
	rfc_give(&c, server_hello_record);
	rfc_expect(&c, TLS_WANT_RX, NULL);
	rfc_give(&c, server_flight_record);
	rfc_expect(&c, TLS_DONE, client_finished_record, NULL);
	tls_traffic(&c, &t);
	rfc_seals(client_close_record, &t.tx, CT_ALERT, RFC_CLOSE);
	rfc_opens(server_close_record, &t.rx, CT_ALERT, RFC_CLOSE);
	rfc_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_retries_as_the_rfc_does),
		cmocka_unit_test(the_server_asks_as_the_rfc_does),
		cmocka_unit_test(the_client_answers_as_the_rfc_does),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rfc_start, rfc_stop);
}
