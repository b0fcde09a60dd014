// SPDX-License-Identifier: MIT
/* server: its side of the handshake, RFC 8446 figure 1. */
#include "client_hello.h"
#include "limit.h"
#include "psk_server.h"
#include "ticket.h"

#define SERVER_HELLO_MAX	256	/* and of HelloRetryRequest */
#define ENCRYPTED_EXTENSIONS_MAX 160

_Static_assert(SERVER_HELLO_MAX >= 106 + KEM_SHARE_MAX, "the longest ServerHello");
_Static_assert(ENCRYPTED_EXTENSIONS_MAX >= 30 + TLS_ALPN_MAX, "the longest EncryptedExtensions");

static enum hs recv_client_hello(struct tls_conn *c)
{
	return hs_recv(c, HT_CLIENT_HELLO, client_hello_parse);
}

/* ---- the flight ---- */

static void put_key_share(struct tls_conn *c, struct build *b)
{
	struct vec ext, share;

	if (!c->kem)
		return;		/* psk_ke */
	ext = ext_begin(c, b, EXT_KEY_SHARE);
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

static void put_selected_identity(struct tls_conn *c, struct build *b)
{
	struct vec ext;

	if (!c->psk.chosen)
		return;
	ext = ext_begin(c, b, EXT_PRE_SHARED_KEY);
	put_u16(b, c->psk.selected);
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
	put_selected_identity(c, &b);
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
	if (!c->psk.chosen)
		keys_early_init(&c->early, c->suite->hash, NULL, 0);
	hs_start_handshake_keys(c);
	if (c->rx.early)
		memcpy(c->early_data.after, c->handshake.client, sizeof(c->early_data.after));
	else
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
	if (c->server_name[0] && !c->psk.chosen)	/* RFC 6066 section 3: a name that counted is acknowledged */
		put_end(&b, ext_begin(c, &b, EXT_SERVER_NAME));
	if (c->alpn_len) {
		ext = ext_begin(c, &b, EXT_ALPN);
		list = put_vec(&b, 2);
		name = put_vec(&b, 1);
		put_bytes(&b, c->alpn, c->alpn_len);
		put_end(&b, name);
		put_end(&b, list);
		put_end(&b, ext);
	}
	if (c->early_data.state == TLS_EARLY_ACCEPTED) {
		ext = ext_begin(c, &b, EXT_EARLY_DATA);
		put_end(&b, ext);
	}
	limit_put(c, &b);
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

/* 4.5: nothing is in it. */
static enum hs parse_end_of_early_data(struct tls_conn *c, struct cursor *body)
{
	(void)c, (void)body;
	return HS_NEXT;
}

/* Before it comes early data, which is the caller's. */
static enum hs recv_end_of_early_data(struct tls_conn *c)
{
	enum hs rc;

	if (!c->rx.early)
		return HS_NEXT;
	rc = hs_recv(c, HT_END_OF_EARLY_DATA, parse_end_of_early_data);
	if (rc)
		return rc;
	c->rx.early = false;
	hs_rx_keys(c, c->early_data.after);
	wipe(c->early_data.after, sizeof(c->early_data.after));
	return HS_NEXT;
}

static enum hs recv_certificate(struct tls_conn *c)
{
	return c->cert_requested ? hs_recv(c, HT_CERTIFICATE, auth_parse_certificate) : HS_NEXT;
}

/* Follows a certificate only. */
static enum hs recv_certificate_verify(struct tls_conn *c)
{
	bool due = c->cert_requested && c->peer_known;	/* a ticket may know him, too */

	return due ? hs_recv(c, HT_CERTIFICATE_VERIFY, auth_parse_certificate_verify) : HS_NEXT;
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
	psk_ask_binder,
	psk_check_binder,
	psk_decide_early_data,
	send_server_hello,
	send_change_cipher_spec,
	psk_ask_handshake_secret,
	start_handshake_keys,
	send_encrypted_extensions,
	send_certificate_request,
	auth_send_certificate,
	auth_ask_signature,
	auth_send_certificate_verify,
	send_finished,
	ticket_send_all,
	recv_end_of_early_data,
	recv_certificate,
	recv_certificate_verify,
	recv_finished,
	ticket_send_all,
	NULL
};
