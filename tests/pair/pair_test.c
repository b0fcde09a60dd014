// SPDX-License-Identifier: MIT
/* Whole handshakes, client engine against server engine. */
#include "pair.h"

#include <errno.h>

static const uint16_t suites[] = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 };
static const uint16_t groups[] = { 0x001d, 0x0017 };
static const struct { const char *cert; uint16_t scheme; } certs[] = {
	{ "p256", SIG_ECDSA_P256_SHA256 }, { "p384", SIG_ECDSA_P384_SHA384 }, { "ed25519", SIG_ED25519 },
	{ "rsa2048", SIG_RSA_PSS_RSAE_SHA256 }, { "rsa3072", SIG_RSA_PSS_RSAE_SHA256 }, { "pss2048", SIG_RSA_PSS_PSS_SHA256 },
};

/* Bytes a read gives at most: all there is, one, and some that fall on no boundary. */
static const size_t chunks[] = { 0, 1, 7, 1000 };

static void one(uint16_t suite, uint16_t group, size_t cert, size_t chunk)
{
	struct tls_result client, server;
	struct pair p;

	pair_init(&p, certs[cert].cert);
	for (int role = 0; role < 2; role++) {
		p.side[role].config.suites[0] = suite;
		p.side[role].config.groups[0] = group;
		p.side[role].config.num_suites = p.side[role].config.num_groups = 1;
	}
	p.chunk = chunk;
	pair_run(&p);
	assert_open(&p);
	tls_result(&p.side[TLS_CLIENT].c, &client);
	tls_result(&p.side[TLS_SERVER].c, &server);
	assert_int_equal(client.suite, suite);
	assert_int_equal(client.group, group);
	assert_int_equal(server.group, group);
	assert_int_equal(client.sigscheme, certs[cert].scheme);
	assert_int_equal(server.sigscheme, certs[cert].scheme);
	assert_int_equal(client.auth, TLS_AUTH_CERTIFICATE);
	assert_int_equal(server.auth, TLS_AUTH_NONE);
	assert_non_null(client.peer_leaf_sha256);
	assert_null(server.peer_leaf_sha256);
	assert_string_equal(client.peer_subject, "CN=localhost");
	assert_string_equal(server.server_name, "localhost");
	assert_int_equal(client.err, 0);
	assert_int_equal(client.alert_sent, TLS_ALERT_NONE);
	pair_free(&p);
}

static void every_suite_group_and_certificate_opens_however_bytes_arrive(void **state)
{
	(void)state;
	for (size_t s = 0; s < NUM(suites); s++)
		for (size_t g = 0; g < NUM(groups); g++)
			for (size_t c = 0; c < NUM(certs); c++)
				for (size_t k = 0; k < NUM(chunks); k++)
					one(suites[s], groups[g], c, chunks[k]);
}

static int start(void **state)
{
	(void)state;
	print_message("# sizeof(struct tls_conn) is %zu bytes\n", sizeof(struct tls_conn));
	return crypto_init() || crypto_thread_init();
}

static int stop(void **state)
{
	(void)state;
	x509_anchors_free(pair_anchors());
	crypto_thread_exit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_group_and_certificate_opens_however_bytes_arrive),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
