// SPDX-License-Identifier: MIT
/*
 * RFC 8448 section 6, client authentication: both signatures, ECDSA of the server and RSA-PSS of the client, verify.
 */
#include "tls_rfc8448.h"

static const char client_hello_record[] =
	"16030100c0010000bc03036a472236328b83af40386d3a3e1f1ce624fa4ed89ab865a4ff0f4144ce3ae233000006130113031302"
	"0100008d0000000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400330026"
	"0024001d0020089cc2671f738d9a671e5b2e464981d05b76e361aa22aea91f1d49ca10a7a362002b0003020304000d0020001e04"
	"0305030603020308040805080604010501060102010402050206020202002d00020101001c00024001";

static const char server_hello_record[] =
	"160303005a0200005603033b50fdf1c3d572e40e68953e7fff4e2758459c59afa0582c0ea032874255fe6e00130100002e003300"
	"24001d00206c2e50e865919a6b5a12dfaf918f92b442567b0f89bc54478c6921366658f062002b00020304";

static const char encrypted_extensions[] =
	"080000240022000a00140012001d00170018001901000101010201030104001c0002400100000000";

static const char certificate_request[] =
	"0d000027000024000d0020001e040305030603020308040805080604010501060102010402050206020202";

static const char certificate[] =
	"0b00013b000001370001323082012e3081d5a003020102020107300a06082a8648ce3d04030230133111300f0603550403130865"
	"63647361323536301e170d3136303733303031323430305a170d3236303733303031323430305a30133111300f06035504031308"
	"65636473613235363059301306072a8648ce3d020106082a8648ce3d0301070342000408d530161575f4cfe7f154ee3448180086"
	"001e88431a79ee62ee6e2f83ef38ba61e9fb37f34e007a7df4d2f5b56d1f04ece45d621f468406f5c3a15158948dd0a31a301830"
	"090603551d1304023000300b0603551d0f040403020780300a06082a8648ce3d0403020348003045022100df30fd4507f5edd22c"
	"1a6ff86db479ca693feeca3b71b3f9ef556b2937c0594d022062e2a47250d320fea83c7e2dcb5b76a50e0200c09adbd13fee946e"
	"513e011d110000";

static const char certificate_verify[] =
	"0f00004b040300473045022100d7a4d34bd54f55fee1a89625678c3dd5e5f60dac73ec940c5c7b9304a02084a90220289f595ed4"
	"88b9ac689a3d192b1a8bb38f34af7874c059c9806a1f38269353e8";

static const char server_flight_record[] =
	"17030302166d0a7ac079b32a94aa68c4e2893e8bd0d3c185f549c236fbbce3d647f08f3c94a2bf424d8708883605ad8955f97718"
	"b0213dead13dfb23ebb8381da582756612bcb5a5d40847719fbe9f179bfae656f3ecfd59a4c0d35132ce418a7e46f6b6a60622f8"
	"a6c06b28d83360163563be9c37f97eb902326924a72b3ed8c8381277d1581cab9c3715ac2401398467ad7ebfab3d0c3419e75010"
	"4f7d62c5027901f2e4cd4ca5b8071eb03d3c732d83215066dfc4d291d4c1ff3b8d7e4298f677d4d51dea1168d8f16cb27ba40266"
	"313a1fedf9e23cc77f765450f9e96f05d08f3da245b14d4946f07ec81eed6d56f26bd574f0b7f7c7047037c16fce3b23754e662f"
	"ad73e2b7213f6af296769c99a1d38e6232e0ec8dc4f84d6aa6f7de3887be0057862f9018e0ab396705aa4090ab5f2dff6325a557"
	"e7320d4effd46bb4f997d163207cce6665294aa4465541e3fe37ee7350659ea550d6dcb6af3c518852c7a14c3cc15bc32b3273bd"
	"f1751da184203135b117d300204fb12d58ca9ac34b68eca27030832f7a4b46d2a55757f63fe8f6e85ac47469e6198da88a64586b"
	"f23c69590de822263be75fd836847240c48f8c145cd6bd698962e7edc234ebe59231351eef8d7652cf3b08ab3af6e5ec74c58a8d"
	"a34b39f9b0d6c4279a9a1f82071729e7059dd7f7b95b9433c4684ce1891a6d33432d52eddb0b8cee9181d403eccc12991f1ad4aa"
	"62c36049713a7bb135fdda6661a05a93f8c16f";

static const char client_certificate[] =
	"0b0001bf000001bb0001b6308201b23082011ba003020102020101300d06092a864886f70d01010b05003011310f300d06035504"
	"031306636c69656e74301e170d3136303733303031323335395a170d3236303733303031323335395a3011310f300d0603550403"
	"1306636c69656e7430819f300d06092a864886f70d010101050003818d0030818902818100c38175e004a68d093f823b9c379d20"
	"1fbc0bb7a1c791905e3fbf76847e44e751ebbcd360bd945c81e5222bcc8846d3a8a0f93e9bf5bebabd92edf1de1ff19021703e7a"
	"b6c0901513f97e39b111f09c9348971c7b211984a754cd45fe095af0ea4236829bccf7a7fe9b2888e78ab477690a5b9e1ccbe91c"
	"6a4a0f97a7e02842010203010001a31a301830090603551d1304023000300b0603551d0f040403020780300d06092a864886f70d"
	"01010b0500038181001a7a5a018532b022af0767d486160cff2d167a1915d23835b54594916dc680be5d2e626076c5d52722ebcc"
	"775d7d99f980be2fc94d34acf6cc00ba90cbcfb0608aa1e7e3971ef0c07a41d47ad8345d1f81fe418a1cf41054429fd217bd777d"
	"c1cf08f05df90799c659361e0f1a8ee4ac0f7897420bdbc823da80a2f2ba23081c0000";

static const char client_verify[] =
	"0f00008408040080186b2223b503a759c35dba0e9721b4b579138d5f0f5e6ec7feaaf27f3ad7f386c2c7bd7cb2be52fbf5ed8393"
	"f406ee79369692ec7ac695651d858219e672a8eb7b2a677b640b46ab630edc5f3f2f8272b9c0d906f81f84ddc5b8c7bcf955c78a"
	"3cf99e5016f73e04eb7dfcb28833f13e8f75ec2ff3581e2f098ad4157fd6d6ad";

static const char client_flight_record[] =
	"1703030280b46a63934e673841abaf267403bc677f6b6d2a1e2f12bb5f62683bfe36a82673f06d6287ddd609bcf2f5fd3225923d"
	"24af3c76682c180ee571a17ca4bfbe2f510dc9a0e1fca5cff2cee87d11cb531a6ef90bf5309a6b63bbbc0b88ea45103a43040915"
	"43859fa11ec032ed873444cd5185ead5f6a76420f0f0286acef802c8e4788c23275f1b06da600f4a7decd0bc59d7bef10e649ae3"
	"2690397fc3d4ed6f30f801d8cd569b71ad4fa05ea7cf2ac2dfa150d220505d4011b34d09d53853eba61a101e4f8dca47d8171a88"
	"4b19259a3dd48c5ac141983edc77814d25e7f66bbbdb9096839266e06561828ecfb27eafd4e9e81a0b96e3bfa42dae5ad80359b9"
	"a6661402c3a2104177030106dbd8f65bb6a0159d512eb13af22a259f313bd58c2e21fe053d57f2a962b0a4ea682c96f70b79b560"
	"136192823b27be6a2fb7b1c751ccc0e3303615541485b7b307b423332c11efa80b72f9b80a53e53f7bb38a3af4c59f8008bad054"
	"4e5614e688ff57bccd6935f81f447f420c1c1bf4058818e90bf5dc716ccae42524856df8250bcdbd7af65f82dd53061d024f6d2f"
	"f5c11e3792a9a70e0ee2a3c20a1b968ac391f8f92831135d25242ada2fe241c2653ec996339dfa12dfae7a3373df88b07ca27aef"
	"6dc266a25f13f75c76039c1f46fd7a53ae6399c999f4b2aee18e480d6d12bfae226bbdc92a6ad50b4d3bac7abc3b3651eb5be56f"
	"33bf41127b3ca886dc714a50d1490357bd40d9fd6be42209a4ddb9ebb2987e29f120f05814614d2c79320015b461fe7324447670"
	"a1af5f65caed15b474ab7faa495016adf808e53b94ef54afbb0e0a3a2732ab597f7d5923c77386aa5124731f8cc73e703b341c17"
	"5a454939a77ab64313c15cf3fe03c4f33842564976";

static const char client_close_record[] =
	"1703030013e4ad7d44c29245339d355962c779b89ef44c58";

static const char server_close_record[] =
	"17030300131decc5d6e64bba8a6f21b4fd077497da2a90cb";

static const struct trace server_trace = {
	.random = "7382a5ad1cdd2056ae18cc708bd007d98130dbe2cd4d9ead9b96952becbb0888"	/* key */
		  "3b50fdf1c3d572e40e68953e7fff4e2758459c59afa0582c0ea032874255fe6e",	/* random */
	.sends = { encrypted_extensions, certificate_request, certificate, certificate_verify },
};

static const struct trace client_trace = {
	.random = "6a472236328b83af40386d3a3e1f1ce624fa4ed89ab865a4ff0f4144ce3ae233"	/* random */
		  "c040b2bb8f3addd20fd4058c547003a3c6f9c1cd915d5e535c87d8d191aaf071",	/* key */
	.sends = { client_hello_record + 2 * RECORD_HEADER_LEN, client_certificate, client_verify },
};

static void the_server_asks_and_verifies_as_the_rfc_does(void **state)
{
	struct tls_config config = rfc_server;
	const struct tls_params params = { .role = TLS_SERVER, .config = &config };
	struct tls_traffic t;
	struct tls_result r;
	struct tls_conn c;

	(void)state;
	config.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	config.anchors = rfc_client.anchors;
	rfc_begin(&c, &server_trace, &params);
	rfc_give(&c, client_hello_record);
	rfc_expect(&c, TLS_WANT_RX, server_hello_record, server_flight_record, NULL);
	rfc_give(&c, client_flight_record);
	rfc_expect(&c, TLS_DONE, NULL);
	tls_result(&c, &r);
	assert_int_equal(r.auth, TLS_AUTH_CERTIFICATE);
	assert_int_equal(r.sigscheme, SIG_RSA_PSS_RSAE_SHA256);
	tls_traffic(&c, &t);
	rfc_opens(client_close_record, &t.rx, CT_ALERT, RFC_CLOSE);
	rfc_seals(server_close_record, &t.tx, CT_ALERT, RFC_CLOSE);
	rfc_end(&c);
}

static void the_client_answers_and_verifies_as_the_rfc_does(void **state)
{
	static const uint8_t chain[8];
	const struct tls_identity identity = { .type = SIG_TYPE_RSA, .chain = chain, .chain_len = sizeof(chain) };
	struct tls_config config = rfc_client;
	const struct tls_params params = { .role = TLS_CLIENT, .config = &config };
	struct tls_traffic t;
	struct tls_conn c;

	(void)state;
	config.identities = &identity;
	config.num_identities = 1;
	rfc_begin(&c, &client_trace, &params);
	rfc_expect(&c, TLS_WANT_RX, client_hello_record, NULL);
	rfc_give(&c, server_hello_record);
	rfc_expect(&c, TLS_WANT_RX, NULL);
	rfc_give(&c, server_flight_record);
	rfc_expect(&c, TLS_DONE, client_flight_record, NULL);
	tls_traffic(&c, &t);
	rfc_seals(client_close_record, &t.tx, CT_ALERT, RFC_CLOSE);
	rfc_opens(server_close_record, &t.rx, CT_ALERT, RFC_CLOSE);
	rfc_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_asks_and_verifies_as_the_rfc_does),
		cmocka_unit_test(the_client_answers_and_verifies_as_the_rfc_does),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rfc_start, rfc_stop);
}
