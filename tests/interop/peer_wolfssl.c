// SPDX-License-Identifier: MIT
/* wolfSSL as a peer of ours: see foreign.h. */
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/interop/foreign.h"

static struct foreign opt;
static WOLFSSL_CTX *ctx;
static WOLFSSL_SESSION *session;

static void must(int ret, const char *what)
{
	if (ret != WOLFSSL_SUCCESS)
		foreign_die(what, "refused by wolfSSL");
}

static int group(void)
{
	return !strcmp(opt.group, "secp384r1") ? WOLFSSL_ECC_SECP384R1 :
	       !strcmp(opt.group, "secp256r1") ? WOLFSSL_ECC_SECP256R1 : WOLFSSL_ECC_X25519;
}

static void configure(void)
{
	const char *ca = opt.server ? opt.client_ca : opt.ca;

	ctx = wolfSSL_CTX_new(opt.server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method());
	if (ca)
		must(wolfSSL_CTX_load_verify_locations(ctx, ca, NULL), "the authority");
	wolfSSL_CTX_set_verify(ctx, ca ? WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT : WOLFSSL_VERIFY_NONE, NULL);
	if (opt.cert) {
		must(wolfSSL_CTX_use_certificate_chain_file(ctx, opt.cert), "the certificate");
		must(wolfSSL_CTX_use_PrivateKey_file(ctx, opt.key, WOLFSSL_FILETYPE_PEM), "the key");
	}
	if (opt.suite)
		must(wolfSSL_CTX_set_cipher_list(ctx, opt.suite), "the suite");
	if (opt.group)
		must(wolfSSL_CTX_set_groups(ctx, (int[]){ group() }, 1), "the group");
}

static WOLFSSL *prepare(int fd)
{
	WOLFSSL *ssl = wolfSSL_new(ctx);

	must(wolfSSL_set_fd(ssl, fd), "the socket");
	if (opt.alpn)
		must(wolfSSL_UseALPN(ssl, (char *)opt.alpn, (unsigned)strlen(opt.alpn), WOLFSSL_ALPN_FAILED_ON_MISMATCH), "ALPN");
	if (opt.server)
		return ssl;
	must(wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, opt.name, (unsigned short)strlen(opt.name)), "the name");
	must(wolfSSL_check_domain_name(ssl, opt.name), "the name");
	if (session)
		must(wolfSSL_set_session(ssl, session), "the session");
	return ssl;
}

static ssize_t get(void *tls, void *p, size_t len)
{
	int n = wolfSSL_read(tls, p, (int)len);

	return n > 0 ? n : wolfSSL_get_error(tls, n) == WOLFSSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static bool put(void *tls, const void *p, size_t len)
{
	return wolfSSL_write(tls, p, (int)len) == (int)len;
}

static bool update(void *tls)
{
	return wolfSSL_update_keys(tls) == WOLFSSL_SUCCESS;
}

static bool connection(int listener)
{
	int fd = foreign_connect(&opt, listener);
	WOLFSSL *ssl = prepare(fd);
	const struct foreign_conn conn = { ssl, get, put, update };
	int ret = opt.server ? wolfSSL_accept(ssl) : wolfSSL_connect(ssl);
	bool ok = ret == WOLFSSL_SUCCESS && (opt.server ? foreign_echo(&opt, &conn) : foreign_talk(&opt, &conn, 1));

	if (ok)
		printf("ok resumed=%d early=0\n", wolfSSL_session_reused(ssl));
	else
		printf("failed: %s\n", wolfSSL_ERR_error_string((unsigned long)wolfSSL_get_error(ssl, ret), NULL));
	if (ok && !opt.server)
		session = wolfSSL_get1_session(ssl);
	wolfSSL_shutdown(ssl);
	wolfSSL_free(ssl);
	close(fd);
	return ok;
}

int main(int argc, char **argv)
{
	int listener = -1;
	bool ok = true;

	foreign_parse(&opt, argc, argv);
	wolfSSL_Init();
	configure();
	if (opt.server)
		listener = foreign_listen(&opt);
	for (int i = 0; ok && i < opt.num_connections; i++)
		ok = connection(listener);
	return ok ? 0 : 1;
}
