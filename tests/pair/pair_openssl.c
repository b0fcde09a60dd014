// SPDX-License-Identifier: MIT
/* OpenSSL as the peer: SSLKEYLOGFILE, of which it tells the same, and OCSP staples. */
#include <openssl/ssl.h>

#include "pair.h"

/* ---- both sides are the engine ---- */

static const char *const labels[] = {
	"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ", "CLIENT_TRAFFIC_SECRET_0 ",
	"SERVER_TRAFFIC_SECRET_0 ", "EXPORTER_SECRET ",
};

static bool has_line(const struct side *s, const char *line)
{
	for (size_t i = 0; i < s->num_keylog; i++)
		if (!strcmp(s->keylog[i], line))
			return true;
	return false;
}

static bool has_label(const struct side *s, const char *label)
{
	for (size_t i = 0; i < s->num_keylog; i++)
		if (!strncmp(s->keylog[i], label, strlen(label)))
			return true;
	return false;
}

static void assert_same_lines(const struct pair *p, size_t num)
{
	for (int role = 0; role < 2; role++) {
		const struct side *s = &p->side[role];

		assert_int_equal(s->num_keylog, num);
		for (size_t i = 0; i < num; i++)
			assert_true(has_line(&p->side[!role], s->keylog[i]));
		for (size_t i = 0; i < NUM(labels); i++)
			assert_true(has_label(s, labels[i]));
	}
}

static void both_sides_tell_the_same(void **state)
{
	(void)state;
	for (int retry = 0; retry < 2; retry++) {
		struct pair p;

		pair_init(&p, "p256");
		pair_keylog(&p);
		if (retry) {
			p.side[TLS_SERVER].config.groups[0] = 0x0017;
			p.side[TLS_SERVER].config.num_groups = 1;
		}
		pair_run(&p);
		assert_open(&p);
		assert_same_lines(&p, 5);
		pair_free(&p);
	}
}

/* The longest label with the longest secret, too. */
static void each_line_has_its_whole_secret(void **state)
{
	static const struct {
		uint16_t suite;
		size_t digits;
	} cases[] = { { TLS_AES_128_GCM_SHA256, 64 }, { TLS_AES_256_GCM_SHA384, 96 } };

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct pair p;

		pair_init(&p, "p256");
		pair_keylog(&p);
		p.side[TLS_SERVER].config.suites[0] = cases[i].suite;
		p.side[TLS_SERVER].config.num_suites = 1;
		pair_run(&p);
		assert_open(&p);
		for (size_t k = 0; k < p.side[TLS_SERVER].num_keylog; k++)
			assert_int_equal(strlen(strrchr(p.side[TLS_SERVER].keylog[k], ' ') + 1), cases[i].digits);
		pair_free(&p);
	}
}

static void early_data_has_a_secret_of_its_own(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_tickets(&p);
	pair_run(&p);
	assert_open(&p);
	assert_int_equal(pair_take_sessions(&p), 1);
	pair_keylog(&p);
	pair_resume(&p);
	pair_early(&p, "early", 5);
	pair_run(&p);
	assert_open(&p);
	assert_int_equal(p.side[TLS_SERVER].early_len, 5);
	assert_same_lines(&p, 6);
	assert_true(has_label(&p.side[TLS_CLIENT], "CLIENT_EARLY_TRAFFIC_SECRET "));
	pair_free(&p);
}

/* ---- one of them is OpenSSL ---- */

static char theirs[8][256];
static size_t num_theirs;

static void keep(const SSL *ssl, const char *line)
{
	(void)ssl;
	assert_true(num_theirs < NUM(theirs));
	snprintf(theirs[num_theirs++], sizeof(theirs[0]), "%s", line);
}

static char *staple;
static size_t staple_len;
static bool stapled;	/* to OpenSSL */

static int staple_or_look(SSL *ssl, void *arg)
{
	unsigned char *p;
	long len;

	(void)arg;
	if (SSL_is_server(ssl)) {
		p = OPENSSL_memdup(staple, staple_len);
		assert_int_equal(SSL_set_tlsext_status_ocsp_resp(ssl, p, (long)staple_len), 1);
		return SSL_TLSEXT_ERR_OK;
	}
	len = SSL_get_tlsext_status_ocsp_resp(ssl, &p);
	stapled = len > 0 && (size_t)len == staple_len && !memcmp(p, staple, staple_len);
	return 1;
}

static SSL *make_openssl(bool server)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl;

	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION), 1);
	SSL_CTX_set_keylog_callback(ctx, keep);
	SSL_CTX_set_num_tickets(ctx, 0);
	if (server) {
		assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx, CERTS "/p256.pem"), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, CERTS "/p256.key", SSL_FILETYPE_PEM), 1);
	}
	SSL_CTX_set_tlsext_status_cb(ctx, staple_or_look);
	ssl = SSL_new(ctx);
	assert_non_null(ssl);
	SSL_CTX_free(ctx);
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	if (server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

/* What either has sent, to the other; whether that was anything. */
static bool exchange(struct pair *p, enum tls_role ours, SSL *ssl)
{
	static uint8_t bytes[65536];
	struct side *s = &p->side[!ours];	/* what our side sends lies here */
	bool moved = s->in_len > s->in_at;
	int n;

	if (moved)
		assert_int_equal(BIO_write(SSL_get_rbio(ssl), s->in + s->in_at, (int)(s->in_len - s->in_at)),
				 (int)(s->in_len - s->in_at));
	s->in_at = s->in_len;
	SSL_do_handshake(ssl);
	n = BIO_read(SSL_get_wbio(ssl), bytes, sizeof(bytes));
	if (n <= 0)
		return moved;
	side_give(&p->side[ours], bytes, (size_t)n);
	return true;
}

static void run_against(struct pair *p, enum tls_role ours, SSL *ssl)
{
	p->side[!ours].started = true;	/* OpenSSL is in its place */
	p->side[!ours].want = TLS_FAILED;
	do {
		pair_run(p);
	} while (exchange(p, ours, ssl));
	if (p->side[ours].want != TLS_DONE)
		fail_msg("%s", p->side[ours].c.reason);
}

static void openssl_is_stapled_to_and_staples(void **state)
{
	(void)state;
	staple = read_cert("p256.ocsp", &staple_len);
	for (int ours = 0; ours < 2; ours++)
		for (int asked = 0; asked < 2; asked++) {
			SSL *ssl = make_openssl(ours == TLS_CLIENT);
			struct pair p;

			num_theirs = 0;
			stapled = false;
			pair_init(&p, "p256");
			p.side[TLS_CLIENT].config.require_ocsp = asked;
			p.side[TLS_SERVER].identities[0].ocsp = (const uint8_t *)staple;
			p.side[TLS_SERVER].identities[0].ocsp_len = staple_len;
			if (asked)
				assert_int_equal(SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp), 1);
			run_against(&p, (enum tls_role)ours, ssl);
			assert_int_equal(stapled, ours == TLS_SERVER && asked);
			SSL_free(ssl);
			pair_free(&p);
		}
	free(staple);
}

static void openssl_tells_the_same(void **state)
{
	(void)state;
	for (int ours = 0; ours < 2; ours++) {
		SSL *ssl = make_openssl(ours == TLS_CLIENT);
		struct pair p;

		num_theirs = 0;
		pair_init(&p, "p256");
		pair_keylog(&p);
		run_against(&p, (enum tls_role)ours, ssl);
		assert_int_equal(num_theirs, 5);
		assert_int_equal(p.side[ours].num_keylog, 5);
		for (size_t i = 0; i < num_theirs; i++)
			assert_true(has_line(&p.side[ours], theirs[i]));
		SSL_free(ssl);
		pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_tell_the_same),
		cmocka_unit_test(each_line_has_its_whole_secret),
		cmocka_unit_test(early_data_has_a_secret_of_its_own),
		cmocka_unit_test(openssl_tells_the_same),
		cmocka_unit_test(openssl_is_stapled_to_and_staples),
	};

	return pair_main(tests, NUM(tests));
}
