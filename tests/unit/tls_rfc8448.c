// SPDX-License-Identifier: MIT
/*
 * RFC 8448 section 3, a full handshake: every secret and key of the schedule, and every record.
 */
#include "tls_rfc8448.h"

static const char client_hello_record[] =
	"16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302"
	"010000910000000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000"
	"003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d00"
	"20001e040305030603020308040805080604010501060102010402050206020202002d00020101001c00024001";

static const char server_hello_record[] =
	"160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e003300"
	"24001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";

static const char encrypted_extensions[] =
	"080000240022000a00140012001d00170018001901000101010201030104001c0002400100000000";

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
	"0f000084080400805a747c5d88fa9bd2e55ab085a61015b7211f824cd484145ab3ff52f1fda8477b0b7abc90db78e2d33a5c141a"
	"078653fa6bef780c5ea248eeaaa785c4f394cab6d30bbe8d4859ee511f602957b15411ac027671459e46445c9ea58c181e818e95"
	"b8c3fb0bf3278409d3be152a3da5043e063dda65cdf5aea20d53dfacd42f74f3";

static const char server_finished[] =
	"140000209b9b141d906337fbd2cbdce71df4deda4ab42c309572cb7fffee5454b78f0718";

static const char server_flight_record[] =
	"17030302a2d1ff334a56f5bff6594a07cc87b580233f500f45e489e7f33af35edf7869fcf40aa40aa2b8ea73f848a7ca07612ef9"
	"f945cb960b4068905123ea78b111b429ba9191cd05d2a389280f526134aadc7fc78c4b729df828b5ecf7b13bd9aefb0e57f27158"
	"5b8ea9bb355c7c79020716cfb9b1183ef3ab20e37d57a6b9d7477609aee6e122a4cf51427325250c7d0e509289444c9b3a648f1d"
	"71035d2ed65b0e3cdd0cbae8bf2d0b227812cbb360987255cc744110c453baa4fcd610928d809810e4b7ed1a8fd991f06aa62482"
	"04797e36a6a73b70a2559c09ead686945ba246ab66e5edd8044b4c6de3fcf2a89441ac66272fd8fb330ef8190579b3684596c960"
	"bd596eea520a56a8d650f563aad27409960dca63d3e688611ea5e22f4415cf9538d51a200c27034272968a264ed6540c84838d89"
	"f72c24461aad6d26f59ecaba9acbbb317b66d902f4f292a36ac1b639c637ce343117b659622245317b49eeda0c6258f100d7d961"
	"ffb138647e92ea330faeea6dfa31c7a84dc3bd7e1b7a6c7178af36879018e3f252107f243d243dc7339d5684c8b0378bf30244da"
	"8c87c843f5e56eb4c5e8280a2b48052cf93b16499a66db7cca71e4599426f7d461e66f99882bd89fc50800becca62d6c74116dbd"
	"2972fda1fa80f85df881edbe5a37668936b335583b599186dc5c6918a396fa48a181d6b6fa4f9d62d513afbb992f2b992f67f8af"
	"e67f76913fa388cb5630c8ca01e0c65d11c66a1e2ac4c85977b7c7a6999bbf10dc35ae69f5515614636c0b9b68c19ed2e31c0b3b"
	"66763038ebba42f3b38edc0399f3a9f23faa63978c317fc9fa66a73f60f0504de93b5b845e275592c12335ee340bbc4fddd50278"
	"4016e4b3be7ef04dda49f4b440a30cb5d2af939828fd4ae3794e44f94df5a631ede42c1719bfdabf0253fe5175be898e750edc53"
	"370d2b";

static const char client_finished_record[] =
	"170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1caeacab68"
	"67d726c40546";

static const char ticket_message[] =
	"040000c90000001efad6aac502000000b22c035d829359ee5ff7af4ec900000000262a6494dc486d2c8a34cb33fa90bf1b0070ad"
	"3c498883c9367c09a2be785abc55cd226097a3a982117283f82a03a143efd3ff5dd36d64e861be7fd61d2827db279cce145077d4"
	"54a3664d4e6da4d29ee03725a6a4dafcd0fc67d2aea70529513e3da2677fa5906c5b3f7d8f92f228bda40dda721470f9fbf297b5"
	"aea617646fac5c03272e970727c621a79141ef5f7de6505e5bfbc388e93343694093934ae4d3570008002a000400000400";

static const char ticket_record[] =
	"17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a01594025"
	"2f55713e061dc13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e09c30ba1e62972ac4"
	"6f75f7b981be63439b2999ce13064615139891d5e4c5b406f16e3fc181a77ca475840025db2f0a77f81b5ab05b94c01346755f69"
	"232c86519d86cbeeac87aac347d143f9605d64f650db4d023e70e952ca49fe5137121c74bc2697687e248746d6df353005f3bce1"
	"8696129c8153556b3b6c6779b37bf15985684f";

static const char client_data_record[] =
	"1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f"
	"5a6292a2977014bd1e3deae63aeebb21694915e4";

static const char server_data_record[] =
	"17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4b"
	"f2e5f0a21c0047c2abf332540dd032e167c2955d";

static const char client_close_record[] =
	"1703030013c9872760655666b74d7ff1153efd6db6d0b0e3";

static const char server_close_record[] =
	"1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9";

/* Section 3's secrets, in the order in which they are made. */
#define EARLY_SECRET	"33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a"
#define SHARED_SECRET	"8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"
#define HANDSHAKE_SECRET "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac"
#define CLIENT_HS	"b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21"
#define SERVER_HS	"b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38"
#define MASTER_SECRET	"18df06843d13a08bf2a449844c5f8a478001bc4d4c627984d5a41da8d0402919"
#define CLIENT_AP	"9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5"
#define SERVER_AP	"a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643"
#define EXPORTER	"fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50"
#define RESUMPTION	"7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c"
#define SERVER_HS_KEY	"3fce516009c21727d0f2e4e86ee403bc"
#define SERVER_HS_IV	"5d313eb2671276ee13000b30"
#define CLIENT_HS_KEY	"dbfaa693d1762c5b666af5d950258d01"
#define CLIENT_HS_IV	"5bd3c71b836e0b76bb73265f"
#define SERVER_AP_KEY	"9f02283b6c9c07efc26bb9f2ac92e356"
#define SERVER_AP_IV	"cf782b88dd83549aadf1e984"
#define CLIENT_AP_KEY	"17422dda596ed5d9acd890e3c63f5051"
#define CLIENT_AP_IV	"5b78923dee08579033e523d9"

/* ---- schedule ---- */

static void the_three_stages_give_the_secrets_of_the_rfc(void **state)
{
	static const char *const flight[] = {
		encrypted_extensions, certificate, certificate_verify, server_finished
	};
	uint8_t buf[2048], dhe[32], hash[HASH_MAX], zero[sizeof(struct keys_handshake)] = { 0 };
	struct keys_early early;
	struct keys_handshake hs;
	struct keys_master master;
	struct transcript t;

	(void)state;
	transcript_init(&t);
	transcript_pick(&t, HASH_SHA256);
	transcript_add(&t, buf, unhex(buf, client_hello_record + 2 * RECORD_HEADER_LEN));
	transcript_add(&t, buf, unhex(buf, server_hello_record + 2 * RECORD_HEADER_LEN));
	transcript_hash(&t, hash);
	unhex(dhe, SHARED_SECRET);

	keys_early_init(&early, HASH_SHA256, NULL, 0);
	assert_hex(early.secret, EARLY_SECRET);
	keys_handshake_from(&hs, &early, dhe, sizeof(dhe), hash);
	assert_memory_equal(&early, zero, sizeof(early));
	assert_hex(hs.secret, HANDSHAKE_SECRET);
	assert_hex(hs.client, CLIENT_HS);
	assert_hex(hs.server, SERVER_HS);

	for (size_t i = 0; i < NUM(flight); i++)
		transcript_add(&t, buf, unhex(buf, flight[i]));
	transcript_hash(&t, hash);
	keys_master_from(&master, &hs, hash);
	assert_memory_equal(&hs, zero, sizeof(hs));
	assert_hex(master.secret, MASTER_SECRET);
	assert_hex(master.client, CLIENT_AP);
	assert_hex(master.server, SERVER_AP);
	assert_hex(master.exporter, EXPORTER);
}

static void traffic_secrets_give_the_keys_of_the_rfc(void **state)
{
	static const struct { const char *secret, *key, *iv; } cases[] = {
		{ SERVER_HS, SERVER_HS_KEY, SERVER_HS_IV }, { CLIENT_HS, CLIENT_HS_KEY, CLIENT_HS_IV },
		{ SERVER_AP, SERVER_AP_KEY, SERVER_AP_IV }, { CLIENT_AP, CLIENT_AP_KEY, CLIENT_AP_IV },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		uint8_t secret[32];
		struct tls_keys k;

		unhex(secret, cases[i].secret);
		keys_traffic(&k, suite_find(TLS_AES_128_GCM_SHA256), secret);
		assert_hex(k.key, cases[i].key);
		assert_hex(k.iv, cases[i].iv);
		assert_hex(k.secret, cases[i].secret);
		assert_true(k.seq == 0);
	}
}

/* ---- the handshake ---- */

static const struct trace server_trace = {
	.random = "b1580eeadf6dd589b8ef4f2d5652578cc810e9980191ec8d058308cea216a21e"	/* key */
		  "a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e26928"	/* random */
		  "fad6aac5",	/* ticket_age_add */
	.sends = { encrypted_extensions, certificate, certificate_verify, ticket_message },
};

static const struct trace client_trace = {
	.random = "cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7"	/* random */
		  "49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005",	/* key */
	.sends = { client_hello_record + 2 * RECORD_HEADER_LEN },
};

static size_t seal(void *arg, uint8_t *out, const uint8_t *content, size_t len)
{
	(void)arg, (void)content;
	memset(out, 0, len);		/* the RFC's takes its place */
	return len;
}

/* Its ticket is sent before the client's Finished comes, which changes no byte. */
static void the_server_sends_and_takes_the_records_of_the_rfc(void **state)
{
	static const struct tls_ticket_ops ops = { .seal = seal };
	struct tls_config config = rfc_server;
	const struct tls_params params = { .role = TLS_SERVER, .config = &config, .tickets = &ops };
	struct tls_traffic t;
	struct tls_conn c;

	(void)state;
	config.psk_modes = TLS_PSK_DHE_KE;
	config.num_tickets = 1;
	config.ticket_lifetime_s = 30;
	config.ticket_early_data = 1024;
	rfc_begin(&c, &server_trace, &params);
	rfc_give(&c, client_hello_record);
	rfc_expect(&c, TLS_WANT_RX, server_hello_record, server_flight_record, ticket_record, NULL);
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

static void the_client_sends_and_takes_the_records_of_the_rfc(void **state)
{
	struct tls_config config = rfc_client;
	const struct tls_params params = { .role = TLS_CLIENT, .config = &config };
	struct tls_resumption r;
	struct tls_traffic t;
	struct tls_conn c;

	(void)state;
	config.psk_modes = TLS_PSK_DHE_KE;
	rfc_begin(&c, &client_trace, &params);
	rfc_expect(&c, TLS_WANT_RX, client_hello_record, NULL);
	rfc_give(&c, server_hello_record);
	rfc_expect(&c, TLS_WANT_RX, NULL);
	rfc_give(&c, server_flight_record);
	rfc_expect(&c, TLS_DONE, client_finished_record, NULL);
	tls_resumption(&c, &r);
	assert_hex(r.secret, RESUMPTION);
	tls_traffic(&c, &t);
	assert_hex(t.exporter_secret, EXPORTER);
	rfc_seals(client_data_record, &t.tx, CT_APPLICATION_DATA, rfc_data);
	rfc_seals(client_close_record, &t.tx, CT_ALERT, RFC_CLOSE);
	rfc_opens(ticket_record, &t.rx, CT_HANDSHAKE, ticket_message);
	rfc_opens(server_data_record, &t.rx, CT_APPLICATION_DATA, rfc_data);
	rfc_opens(server_close_record, &t.rx, CT_ALERT, RFC_CLOSE);
	rfc_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_stages_give_the_secrets_of_the_rfc),
		cmocka_unit_test(traffic_secrets_give_the_keys_of_the_rfc),
		cmocka_unit_test(the_server_sends_and_takes_the_records_of_the_rfc),
		cmocka_unit_test(the_client_sends_and_takes_the_records_of_the_rfc),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rfc_start, rfc_stop);
}
