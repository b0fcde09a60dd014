// SPDX-License-Identifier: MIT
/* GnuTLS through its push and pull functions. */
#include "bench.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct side {
	gnutls_session_t session;
	struct wire *in, *out;
};

static gnutls_certificate_credentials_t credentials[2];
static gnutls_priority_t priority;

static const char *version(void)
{
	return gnutls_check_version(NULL);
}

static ssize_t push(gnutls_transport_ptr_t conn, const void *p, size_t len)
{
	struct side *s = conn;

	return wire_put(s->out, p, len) ? (ssize_t)len : -1;
}

static ssize_t pull(gnutls_transport_ptr_t conn, void *p, size_t max)
{
	struct side *s = conn;
	size_t len = wire_take(s->in, p, max);

	if (len)
		return (ssize_t)len;
	gnutls_transport_set_errno(s->session, EAGAIN);
	return -1;
}

static int pull_timeout(gnutls_transport_ptr_t conn, unsigned int ms)
{
	struct side *s = conn;

	(void)ms;
	return s->in->len > s->in->at;
}

static bool setup(const struct bench_case *what)
{
	const char *cipher = "AES-128-GCM";
	char text[256];

	if (!strcmp(what->suite, "aes256"))
		cipher = "AES-256-GCM";
	else if (!strcmp(what->suite, "chacha"))
		cipher = "CHACHA20-POLY1305";
	snprintf(text, sizeof(text), "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+%s:-GROUP-ALL:+GROUP-%s:%%DISABLE_TLS13_COMPAT_MODE",
		 cipher, !strcmp(what->group, "p256") ? "SECP256R1" : "X25519");
	for (int role = 0; role < 2; role++)
		gnutls_certificate_allocate_credentials(&credentials[role]);
	return gnutls_priority_init(&priority, text, NULL) >= 0 &&
	       gnutls_certificate_set_x509_key_file(credentials[BENCH_SERVER], bench_path(what, ".crt"), bench_path(what, ".key"),
						    GNUTLS_X509_FMT_PEM) >= 0 &&
	       gnutls_certificate_set_x509_trust_file(credentials[BENCH_CLIENT], bench_path(what, "-ca.crt"),
						      GNUTLS_X509_FMT_PEM) > 0;
}

static void *open_conn(enum bench_role role)
{
	unsigned int flags = role == BENCH_SERVER ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET : GNUTLS_CLIENT;
	struct side *s = malloc(sizeof(*s));

	if (!s || gnutls_init(&s->session, flags | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) < 0)
		return NULL;
	gnutls_priority_set(s->session, priority);
	gnutls_credentials_set(s->session, GNUTLS_CRD_CERTIFICATE, credentials[role]);
	gnutls_transport_set_ptr(s->session, s);
	gnutls_transport_set_push_function(s->session, push);
	gnutls_transport_set_pull_function(s->session, pull);
	gnutls_transport_set_pull_timeout_function(s->session, pull_timeout);
	gnutls_handshake_set_timeout(s->session, 0);
	if (role == BENCH_CLIENT) {
		gnutls_server_name_set(s->session, GNUTLS_NAME_DNS, "localhost", strlen("localhost"));
		gnutls_session_set_verify_cert(s->session, "localhost", 0);
	}
	return s;
}

static int step(void *conn, struct wire *in, struct wire *out)
{
	struct side *s = conn;
	int ret;

	s->in = in;
	s->out = out;
	ret = gnutls_handshake(s->session);
	if (ret == 0)
		return 1;
	if (!gnutls_error_is_fatal(ret))
		return 0;
	fprintf(stderr, "%s\n", gnutls_strerror(ret));
	return -1;
}

static void close_conn(void *conn)
{
	struct side *s = conn;

	gnutls_deinit(s->session);
	free(s);
}

const struct bench_peer bench_peer = {
	.name = "gnutls", .version = version, .setup = setup, .open = open_conn, .step = step, .close = close_conn,
};
