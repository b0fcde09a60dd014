// SPDX-License-Identifier: MIT
/* server: its side of the handshake, RFC 8446 figure 1. */
#include "client_hello.h"
#include "ext.h"

#define SERVER_HELLO_MAX	256	/* and of HelloRetryRequest */
#define ENCRYPTED_EXTENSIONS_MAX 160

_Static_assert(SERVER_HELLO_MAX >= 100 + KEM_SHARE_MAX, "the longest ServerHello");
_Static_assert(ENCRYPTED_EXTENSIONS_MAX >= 20 + TLS_ALPN_MAX, "the longest EncryptedExtensions");

static enum hs recv_client_hello(struct tls_conn *c)
{
	return hs_recv(c, HT_CLIENT_HELLO, client_hello_parse);
}

/* ---- the flight ---- */

static void put_key_share(struct tls_conn *c, struct build *b)
{
	struct vec ext = ext_begin(c, b, EXT_KEY_SHARE), share;

	put_u16(b, c->kem->group);
	share = put_vec(b, 2);
	put_bytes(b, c->shares[0].bytes, c->kem->server_share_len);
	put_end(b, share);
	put_end(b, ext);
}

static void put_selected_version(struct tls_conn *c, struct build *b)
{
	struct vec ext = ext_begin(c, b, EXT_SUPPORTED_VERSIONS);

	put_u16(b, VERSION_TLS13);
	put_end(b, ext);
}

/* 4.1.3: what a ServerHello has in front of its extensions, which the caller puts and ends, as HelloRetryRequest. */
static enum hs begin_hello(struct tls_conn *c, struct build *b, struct vec *exts, const uint8_t *random)
{
	struct vec v;
	enum hs rc = hs_begin(c, b, HT_SERVER_HELLO, SERVER_HELLO_MAX);

	if (rc)
		return rc;
	put_u16(b, VERSION_LEGACY);
	if (random)
		put_bytes(b, random, RANDOM_LEN);
	else
		rand_bytes(put_space(b, RANDOM_LEN), RANDOM_LEN);
	v = put_vec(b, 1);
	put_bytes(b, c->session_id, c->session_id_len);
	put_end(b, v);
	put_u16(b, c->suite->id);
	put_u8(b, 0);		/* legacy_compression_method */
	*exts = put_vec(b, 2);
	return HS_NEXT;
}

static enum hs send_server_hello(struct tls_conn *c)
{
	struct build b;
	struct vec exts;
	enum hs rc = begin_hello(c, &b, &exts, NULL);

	if (rc)
		return rc;
	put_key_share(c, &b);
	put_selected_version(c, &b);
	put_end(&b, exts);
	hs_send(c, &b);
	c->tx.ccs_due = c->session_id_len > 0 && !c->retry;
	return HS_NEXT;
}

/* D.4: right after our first message, for a client that asked for it by a session id. */
static enum hs send_change_cipher_spec(struct tls_conn *c)
{
	return c->tx.ccs_due ? tx_change_cipher_spec(c) : HS_NEXT;
}

/* ---- the second ClientHello, where there is one ---- */

/* 4.1.4. No cookie: the first ClientHello is not forgotten. */
static enum hs send_hello_retry_request(struct tls_conn *c)
{
	struct build b;
	struct vec exts, ext;
	enum hs rc = c->retry ? begin_hello(c, &b, &exts, hs_retry_random) : HS_NEXT;

	if (rc || !c->retry)
		return rc;
	ext = ext_begin(c, &b, EXT_KEY_SHARE);
	put_u16(&b, c->kem->group);
	put_end(&b, ext);
	put_selected_version(c, &b);
	put_end(&b, exts);
	transcript_retry(&c->transcript);
	hs_send(c, &b);
	c->tx.ccs_due = c->session_id_len > 0;
	return HS_NEXT;
}

static enum hs recv_client_hello_again(struct tls_conn *c)
{
	return c->retry ? hs_recv(c, HT_CLIENT_HELLO, client_hello_parse_again) : HS_NEXT;
}

static enum hs start_handshake_keys(struct tls_conn *c)
{
	keys_early_init(&c->early, c->suite->hash, NULL, 0);
	hs_start_handshake_keys(c);
	hs_rx_keys(c, c->handshake.client);
	hs_tx_keys(c, c->handshake.server);
	return HS_NEXT;
}

/* 4.3.1. */
static enum hs send_encrypted_extensions(struct tls_conn *c)
{
	struct build b;
	struct vec exts, ext, list, name;
	enum hs rc = hs_begin(c, &b, HT_ENCRYPTED_EXTENSIONS, ENCRYPTED_EXTENSIONS_MAX);

	if (rc)
		return rc;
	exts = put_vec(&b, 2);
	if (c->alpn_len) {
		ext = ext_begin(c, &b, EXT_ALPN);
		list = put_vec(&b, 2);
		name = put_vec(&b, 1);
		put_bytes(&b, c->alpn, c->alpn_len);
		put_end(&b, name);
		put_end(&b, list);
		put_end(&b, ext);
	}
	put_end(&b, exts);
	hs_send(c, &b);
	return HS_NEXT;
}

/* 4.3.2: not of who resumes, whose certificate its ticket answers for. */
static enum hs send_certificate_request(struct tls_conn *c)
{
	if (c->params.config->client_auth == TLS_CLIENT_AUTH_NONE || c->psk.chosen)
		return HS_NEXT;
	return auth_send_certificate_request(c);
}

static enum hs send_finished(struct tls_conn *c)
{
	enum hs rc = auth_send_finished(c);

	if (rc)
		return rc;
	hs_start_master(c);
	hs_tx_keys(c, c->master.server);
	c->tx.flight_sent = true;
	return HS_NEXT;
}

/* ---- the client's answer ---- */

/* No early data is accepted, so none ends. */
static enum hs recv_end_of_early_data(struct tls_conn *c)
{
	(void)c;
	return HS_NEXT;
}

static enum hs recv_certificate(struct tls_conn *c)
{
	return c->cert_requested ? hs_recv(c, HT_CERTIFICATE, auth_parse_certificate) : HS_NEXT;
}

/* Follows a certificate only. */
static enum hs recv_certificate_verify(struct tls_conn *c)
{
	return c->peer_known ? hs_recv(c, HT_CERTIFICATE_VERIFY, auth_parse_certificate_verify) : HS_NEXT;
}

static enum hs recv_finished(struct tls_conn *c)
{
	enum hs rc = hs_recv(c, HT_FINISHED, auth_parse_finished);

	if (!rc)
		rc = rx_finish(c);
	if (!rc)
		hs_rx_keys(c, c->master.client);
	return rc;
}

hs_step *const server_steps[] = {
	recv_client_hello,
	send_hello_retry_request,
	send_change_cipher_spec,
	recv_client_hello_again,
	send_server_hello,
	send_change_cipher_spec,
	start_handshake_keys,
	send_encrypted_extensions,
	send_certificate_request,
	auth_send_certificate,
	auth_ask_signature,
	auth_send_certificate_verify,
	send_finished,
	recv_end_of_early_data,
	recv_certificate,
	recv_certificate_verify,
	recv_finished,
	NULL
};
