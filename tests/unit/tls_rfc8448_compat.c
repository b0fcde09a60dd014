// SPDX-License-Identifier: MIT
/*
 * RFC 8448 section 7, middlebox compatibility mode: a session id, and a change_cipher_spec of each side in its place.
 */
#include "tls_rfc8448.h"

static const char client_hello_record[] =
	"16030100e0010000dc03034e640a3f2c2738f09c9418bd78edccd7559d0531199276d4d92a0e9ee9d77d0920a80c165581a8e0d0"
	"6c0018d54d3a06dd32cfd4051eb026fad3fd0ba99269e6ef00061301130313020100008d0000000b0009000006736572766572ff"
	"01000100000a00140012001d00170018001901000101010201030104003300260024001d00208e7292cf3056dbb0d25fcbe55c10"
	"7dc9bbf83dd9708f39203ba341249a7d9b63002b0003020304000d0020001e040305030603020308040805080604010501060102"
	"010402050206020202002d00020101001c00024001";

static const char server_hello_record[] =
	"160303007a020000760303e5dd5948c435f7a38f0f0130708dc322d9df09abd4838117c183a7bb6d994f2c20a80c165581a8e0d0"
	"6c0018d54d3a06dd32cfd4051eb026fad3fd0ba99269e6ef130100002e00330024001d00203e30f0f4ba551afd62768341175f52"
	"65e4daf0c8841617aa4fafdd2142320c22002b00020304";

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
	"0f00008408040080a2301a68dd1ceee6938fe9d40c46b9201b34d59952a37e06523a39cf8ba6c9c8b68ae94492af780516ed7b73"
	"c82812e99dd3fabea45e09d9c6848721c2808c61501b0c75e7fcaba5f78bef68a2c2b69b19558b3e40387eea93d25c7781c1cc00"
	"e9f519f7e2e4adb73e76d66089000a2dc866c2ed30bba50a0d457f19dc6eb9f3";

static const char server_flight_record[] =
	"17030302a248de891d9c3624a67a6c6f0601ab7ac20c1f6a9e14d2e6007e999e130367a8af1bcfea9498fbce19df4505eece3a25"
	"da523cbe55ea1b3bda4e91995e455d500a4faa6227b7111e1c8547e2d7c179db215303d25827f3cd18f48f6491328cf5c0f814d3"
	"88150bd9e9264aae491db6995069bea17665d5e0c817284d4ac21880054c3657331e23a9304dc88a15c04ec80bd3852bf7f9d3c6"
	"615b15fac83bbca031c6d2310d9f5d7a4b020a4f7c19062b65c05a1d3264b557ec9d8e0f7cee27e36f793039de8dd96edfca9009"
	"e0651034bff31d7f349eece01d99fcb5fcab840d7707c72299c3b5d04564e880a33c5e846c762e3d922bb55303d1d87cc0f06573"
	"f17dcb9b8ffd35bbd883c1cb3aa24fcc325005f768ce2fb624ca97b6c4d98e17f35bc2c7940a06100c2d448db7180b2d86216443"
	"5c9c210e9860394e05aab23ff1b0203f662c588da5bc4411477a30b41136c488a0a63fcab5c15ac613226dae827a1d1fe95ece6b"
	"30bcee1560a8d408d264555e760f9bfc624c2c87fd0456c9bfb41bcd1a7b212786d2b67fd57804facfa1eef7cf2919d8b998c978"
	"9f763b4d9caa093a9ded43175d46a76b4d54f0ce0c5d2259b607e30a9d241263874fa59d6f570dc40d83a2d83bf9e9850d454c57"
	"806535a8998ae0357df92f00b9667344c24114ccc9ef539124b204e7e6e748c30a28a3d1d183997243eaccbbd33b0c1115a03271"
	"06a1e6a75271d4983086f632ff0eb8b4c63102cbcef5bb72dae1279d5de8eb19096d8cdb07fa8ea989788fac23e66e0488c193f3"
	"f3fea8c8838896bf3ae4b6848d42ced4bdf41abe6fc331b44225e7a1f7d3564147d5458e71aa909cb02be958bbc42e3aa5a27cc6"
	"eaf4b6fe51ae4495694d8ab6320aab920183fd5b31a359042fbd67391ec5e4d1892a2e5210141a494e9301b24a113c474c7f2a73"
	"457847";

static const char client_finished_record[] =
	"170303003532d030e273773a8696c799981af6ced07f87482e81565e394e87c867f33df3d65b7506f1a626af91d4821d5f7a1f21"
	"0ef8dd3c6d16";

static const char client_close_record[] =
	"17030300130f629155382dba23c4e2c5f7f84e6f2ed3083d";

static const char server_close_record[] =
	"1703030013b7257b0fecaf69d4f09e3f891e2a25d1e28845";

static const char ccs_record[] =
	"140303000101";

static const struct trace server_trace = {
	.random = "017c38a3647921ca2d9ed6bd7ae7132b94211b1331bb208c8ccdd51556409995"	/* key */
		  "e5dd5948c435f7a38f0f0130708dc322d9df09abd4838117c183a7bb6d994f2c",	/* random */
	.sends = { encrypted_extensions, certificate, certificate_verify },
};

static const struct trace client_trace = {
	.random = "a80c165581a8e0d06c0018d54d3a06dd32cfd4051eb026fad3fd0ba99269e6ef"	/* session id */
		  "4e640a3f2c2738f09c9418bd78edccd7559d0531199276d4d92a0e9ee9d77d09"	/* random */
		  "dea00b45695dc781f19d34a62c1afd31ab4369af1e855a3bbb258d8442cde6d7",	/* key */
	.sends = { client_hello_record + 2 * RECORD_HEADER_LEN },
};

static void the_server_is_compatible_as_the_rfc_says(void **state)
{
	const struct tls_params params = { .role = TLS_SERVER, .config = &rfc_server };
	struct tls_traffic t;
	struct tls_conn c;

	(void)state;
	rfc_begin(&c, &server_trace, &params);
	rfc_give(&c, client_hello_record);
	rfc_expect(&c, TLS_WANT_RX, server_hello_record, ccs_record, server_flight_record, NULL);
	rfc_give(&c, ccs_record);
	rfc_expect(&c, TLS_WANT_RX, NULL);
	rfc_give(&c, client_finished_record);
	rfc_expect(&c, TLS_DONE, NULL);
	tls_traffic(&c, &t);
	rfc_opens(client_close_record, &t.rx, CT_ALERT, RFC_CLOSE);
	rfc_seals(server_close_record, &t.tx, CT_ALERT, RFC_CLOSE);
	rfc_end(&c);
}

static void the_client_is_compatible_as_the_rfc_says(void **state)
{
	struct tls_config config = rfc_client;
	const struct tls_params params = { .role = TLS_CLIENT, .config = &config };
	struct tls_traffic t;
	struct tls_conn c;

	(void)state;
	config.no_ccs = false;
	rfc_begin(&c, &client_trace, &params);
	rfc_expect(&c, TLS_WANT_RX, client_hello_record, NULL);
	rfc_give(&c, server_hello_record);
	rfc_expect(&c, TLS_WANT_RX, NULL);
	rfc_give(&c, ccs_record);
	rfc_expect(&c, TLS_WANT_RX, NULL);
	rfc_give(&c, server_flight_record);
	rfc_expect(&c, TLS_DONE, ccs_record, client_finished_record, NULL);
	tls_traffic(&c, &t);
	rfc_seals(client_close_record, &t.tx, CT_ALERT, RFC_CLOSE);
	rfc_opens(server_close_record, &t.rx, CT_ALERT, RFC_CLOSE);
	rfc_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_server_is_compatible_as_the_rfc_says),
		cmocka_unit_test(the_client_is_compatible_as_the_rfc_says),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, rfc_start, rfc_stop);
}
