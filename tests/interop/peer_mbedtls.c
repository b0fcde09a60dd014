// SPDX-License-Identifier: MIT
/* Mbed TLS 3.6 as a peer of ours: see foreign.h. The library tells no one whether a session was resumed. */
#include <mbedtls/net_sockets.h>
#include <mbedtls/psa_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <psa/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/interop/foreign.h"

#define EARLY_MAX	16384
#define LIFETIME_S	3600

static struct foreign opt;

static struct {
	mbedtls_ssl_config config;
	mbedtls_ssl_context ssl;
	mbedtls_net_context net;
	mbedtls_ssl_ticket_context tickets;
	mbedtls_x509_crt chain, ca;
	mbedtls_pk_context key;
	mbedtls_ssl_session session;
	bool have_session;
	int suites[2];
	uint16_t groups[2];
	const char *alpn[2];
	char early[EARLY_MAX];
	size_t early_len;
	int error;		/* of reading */
} s;

static void must(int ret, const char *what)
{
	char why[32];

	if (!ret)
		return;
	snprintf(why, sizeof(why), "-0x%04x", (unsigned)-ret);
	foreign_die(what, why);
}

static int rng(void *arg, unsigned char *out, size_t len)
{
	return mbedtls_psa_get_random(arg, out, len);
}

static void configure_files(void)
{
	const char *ca = opt.server ? opt.client_ca : opt.ca;

	if (ca) {
		must(mbedtls_x509_crt_parse_file(&s.ca, ca), ca);
		mbedtls_ssl_conf_ca_chain(&s.config, &s.ca, NULL);
	}
	mbedtls_ssl_conf_authmode(&s.config, ca ? MBEDTLS_SSL_VERIFY_REQUIRED : MBEDTLS_SSL_VERIFY_NONE);
	if (!opt.cert)
		return;
	must(mbedtls_x509_crt_parse_file(&s.chain, opt.cert), opt.cert);
	must(mbedtls_pk_parse_keyfile(&s.key, opt.key, NULL, rng, MBEDTLS_PSA_RANDOM_STATE), opt.key);
	must(mbedtls_ssl_conf_own_cert(&s.config, &s.chain, &s.key), "the certificate");
}

static void configure_choices(void)
{
	if (opt.suite) {
		s.suites[0] = mbedtls_ssl_get_ciphersuite_id(opt.suite);
		mbedtls_ssl_conf_ciphersuites(&s.config, s.suites);
	}
	if (opt.group) {
		s.groups[0] = !strcmp(opt.group, "x25519") ? MBEDTLS_SSL_IANA_TLS_GROUP_X25519 :
			      !strcmp(opt.group, "secp256r1") ? MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1 :
			      MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1;
		mbedtls_ssl_conf_groups(&s.config, s.groups);
	}
	if (opt.alpn) {
		s.alpn[0] = opt.alpn;
		must(mbedtls_ssl_conf_alpn_protocols(&s.config, s.alpn), "ALPN");
	}
}

static void configure_sessions(void)
{
	mbedtls_ssl_conf_early_data(&s.config, opt.early || opt.early_once);
	if (!opt.server) {
		mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
			&s.config, MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
		return;
	}
	mbedtls_ssl_conf_max_early_data_size(&s.config, EARLY_MAX);
	must(mbedtls_ssl_ticket_setup(&s.tickets, rng, MBEDTLS_PSA_RANDOM_STATE, MBEDTLS_CIPHER_AES_256_GCM, LIFETIME_S),
	     "tickets");
	mbedtls_ssl_conf_session_tickets_cb(&s.config, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse, &s.tickets);
}

static void configure(void)
{
	must(psa_crypto_init(), "PSA");
	mbedtls_ssl_config_init(&s.config);
	mbedtls_ssl_ticket_init(&s.tickets);
	mbedtls_x509_crt_init(&s.chain);
	mbedtls_x509_crt_init(&s.ca);
	mbedtls_pk_init(&s.key);
	mbedtls_ssl_session_init(&s.session);
	must(mbedtls_ssl_config_defaults(&s.config, opt.server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
					 MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT), "the configuration");
	mbedtls_ssl_conf_min_tls_version(&s.config, MBEDTLS_SSL_VERSION_TLS1_3);
	mbedtls_ssl_conf_rng(&s.config, rng, MBEDTLS_PSA_RANDOM_STATE);
	configure_files();
	configure_choices();
	configure_sessions();
}

static ssize_t get(void *tls, void *p, size_t len)
{
	for (;;) {
		int n = mbedtls_ssl_read(tls, p, len);

		if (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
			mbedtls_ssl_session_free(&s.session);
			must(mbedtls_ssl_get_session(tls, &s.session), "the session");
			s.have_session = true;
			continue;
		}
		if (n == MBEDTLS_ERR_SSL_WANT_READ)	/* it says so after a ticket, too */
			continue;
		if (n < 0 && n != MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
			s.error = n;
		return n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY ? 0 : n;
	}
}

static bool put(void *tls, const void *p, size_t len)
{
	return mbedtls_ssl_write(tls, p, len) == (int)len;
}

/* All that comes before the handshake is over is early data. */
static int accept_handshake(void)
{
	int ret;

	while ((ret = mbedtls_ssl_handshake(&s.ssl)) == MBEDTLS_ERR_SSL_RECEIVED_EARLY_DATA) {
		int n = mbedtls_ssl_read_early_data(&s.ssl, (unsigned char *)s.early + s.early_len, EARLY_MAX - s.early_len);

		if (n <= 0)
			return n;
		s.early_len += (size_t)n;
	}
	return ret;
}

/* @early: out: of the first line was sent, and taken. */
static int connect_handshake(bool *early)
{
	const char *line = foreign_line(1);
	bool sent = opt.early && s.have_session &&
		    mbedtls_ssl_write_early_data(&s.ssl, (const unsigned char *)line, strlen(line)) == (int)strlen(line);
	int ret = mbedtls_ssl_handshake(&s.ssl);

	*early = !ret && sent && mbedtls_ssl_get_early_data_status(&s.ssl) == MBEDTLS_SSL_EARLY_DATA_STATUS_ACCEPTED;
	return ret;
}

static bool talk(int fd)
{
	const struct foreign_conn conn = { &s.ssl, get, put, NULL };
	bool early = false, ok;
	int ret;

	s.net.fd = fd;
	s.early_len = 0;
	mbedtls_ssl_init(&s.ssl);
	must(mbedtls_ssl_setup(&s.ssl, &s.config), "the connection");
	mbedtls_ssl_set_bio(&s.ssl, &s.net, mbedtls_net_send, mbedtls_net_recv, NULL);
	if (!opt.server)
		must(mbedtls_ssl_set_hostname(&s.ssl, opt.name), "the name");
	if (!opt.server && s.have_session)
		must(mbedtls_ssl_set_session(&s.ssl, &s.session), "the session");
	ret = opt.server ? accept_handshake() : connect_handshake(&early);
	ok = !ret && (opt.server ? foreign_echo(&opt, &conn) : foreign_talk(&opt, &conn, early ? 2 : 1));
	if (ok)
		printf("ok resumed=? early=%d\n%.*s", early || s.early_len > 0, (int)s.early_len, s.early);
	else
		printf("failed: -0x%04x\n", (unsigned)-(ret ? ret : s.error));
	fflush(stdout);
	mbedtls_ssl_close_notify(&s.ssl);
	mbedtls_ssl_free(&s.ssl);
	mbedtls_net_free(&s.net);
	return ok;
}

int main(int argc, char **argv)
{
	int listener = -1;
	bool ok = true;

	foreign_parse(&opt, argc, argv);
	configure();
	if (opt.server)
		listener = foreign_listen(&opt);
	for (int i = 0; ok && i < opt.num_connections; i++) {
		ok = talk(foreign_connect(&opt, listener));
		if (opt.server && opt.early_once)
			mbedtls_ssl_conf_early_data(&s.config, MBEDTLS_SSL_EARLY_DATA_DISABLED);
	}
	return ok ? 0 : 1;
}
