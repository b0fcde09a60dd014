// SPDX-License-Identifier: MIT
/* OpenSSL through memory BIOs. */
#include "bench.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct side {
	SSL *ssl;
	BIO *in, *out;	/* the SSL's own */
};

static SSL_CTX *contexts[2];

static const char *version(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}

static bool limit(SSL_CTX *ctx, const struct bench_case *what)
{
	const char *suite = "TLS_AES_128_GCM_SHA256";

	if (!strcmp(what->suite, "aes256"))
		suite = "TLS_AES_256_GCM_SHA384";
	else if (!strcmp(what->suite, "chacha"))
		suite = "TLS_CHACHA20_POLY1305_SHA256";
	SSL_CTX_clear_options(ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
	return SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1 && SSL_CTX_set_ciphersuites(ctx, suite) == 1 &&
	       SSL_CTX_set1_groups_list(ctx, !strcmp(what->group, "p256") ? "P-256" : "X25519") == 1;
}

static bool setup(const struct bench_case *what)
{
	SSL_CTX *server = SSL_CTX_new(TLS_server_method()), *client = SSL_CTX_new(TLS_client_method());

	contexts[BENCH_SERVER] = server;
	contexts[BENCH_CLIENT] = client;
	if (!server || !client || !limit(server, what) || !limit(client, what))
		return false;
	SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(server, 0);
	SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
	return SSL_CTX_use_certificate_chain_file(server, bench_path(what, ".crt")) == 1 &&
	       SSL_CTX_use_PrivateKey_file(server, bench_path(what, ".key"), SSL_FILETYPE_PEM) == 1 &&
	       SSL_CTX_load_verify_locations(client, bench_path(what, "-ca.crt"), NULL) == 1;
}

static void *open_conn(enum bench_role role)
{
	struct side *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	s->ssl = SSL_new(contexts[role]);
	s->in = BIO_new(BIO_s_mem());
	s->out = BIO_new(BIO_s_mem());
	SSL_set_bio(s->ssl, s->in, s->out);
	if (role == BENCH_SERVER) {
		SSL_set_accept_state(s->ssl);
		return s;
	}
	SSL_set_connect_state(s->ssl);
	SSL_set_tlsext_host_name(s->ssl, "localhost");
	SSL_set1_host(s->ssl, "localhost");
	return s;
}

static int step(void *conn, struct wire *in, struct wire *out)
{
	struct side *s = conn;
	int ret, err, len;

	if (in->len > in->at)
		BIO_write(s->in, in->p + in->at, (int)(in->len - in->at));
	in->at = in->len = 0;
	ret = SSL_do_handshake(s->ssl);
	err = SSL_get_error(s->ssl, ret);
	while ((len = BIO_read(s->out, out->p + out->len, (int)(sizeof(out->p) - out->len))) > 0)
		out->len += (size_t)len;
	if (ret == 1)
		return 1;
	if (err == SSL_ERROR_WANT_READ)
		return 0;
	ERR_print_errors_fp(stderr);
	return -1;
}

static void close_conn(void *conn)
{
	struct side *s = conn;

	SSL_free(s->ssl);
	free(s);
}

const struct bench_peer bench_peer = {
	.name = "openssl", .version = version, .setup = setup, .open = open_conn, .step = step, .close = close_conn,
};
