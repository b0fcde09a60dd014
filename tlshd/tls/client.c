// SPDX-License-Identifier: MIT
/* client: its side of the handshake, RFC 8446 figure 1. */
#include "keylog.h"
#include "limit.h"
#include "offer.h"
#include "schemes.h"
#include "server_hello.h"
#include "staple.h"

#define CLIENT_HELLO_MAX 1024	/* without a cookie and pre-shared keys */

_Static_assert(CLIENT_HELLO_MAX >= 300 + TLS_NAME_MAX + TLS_ALPN_MAX + TLS_SHARES_MAX * (4 + KEM_SHARE_MAX),
	       "the longest ClientHello");
_Static_assert(MSG_HEADER_LEN + CLIENT_HELLO_MAX + COOKIE_MAX + OFFER_MAX <= PLAINTEXT_MAX,
	       "and with all that it may have it fits one record");
_Static_assert(TLS_EXTERNAL_MAX <= TLS_TICKET_MAX, "an external key is offered in a session's place");

/* ---- ClientHello, 4.1.2: extensions in the order in which they are sent ---- */

static void put_server_name(struct tls_conn *c, struct build *b)
{
	struct vec ext, list, name;

	if (!c->params.server_name || c->params.server_name_is_ip)
		return;		/* RFC 6066 3: no IP literals */
	ext = ext_begin(c, b, EXT_SERVER_NAME);
	list = put_vec(b, 2);
	put_u8(b, HOST_NAME_TYPE);
	name = put_vec(b, 2);
	put_bytes(b, c->params.server_name, strlen(c->params.server_name));
	put_end(b, name);
	put_end(b, list);
	put_end(b, ext);
}

static void put_list_u16(struct tls_conn *c, struct build *b, enum ext e, const uint16_t *v, size_t num)
{
	struct vec ext = ext_begin(c, b, e), list = put_vec(b, 2);

	for (size_t i = 0; i < num; i++)
		put_u16(b, v[i]);
	put_end(b, list);
	put_end(b, ext);
}

static void put_supported_groups(struct tls_conn *c, struct build *b)
{
	put_list_u16(c, b, EXT_SUPPORTED_GROUPS, c->params.config->groups, c->params.config->num_groups);
}

/* 4.2.3: for certificates only. */
static void put_signature_algorithms(struct tls_conn *c, struct build *b)
{
	if (!c->psk.external)
		schemes_put(c, b);
}

static void put_alpn(struct tls_conn *c, struct build *b)
{
	struct vec ext, list;

	if (!c->params.alpn_len)
		return;
	ext = ext_begin(c, b, EXT_ALPN);
	list = put_vec(b, 2);
	put_bytes(b, c->params.alpn, c->params.alpn_len);
	put_end(b, list);
	put_end(b, ext);
}

static void put_supported_versions(struct tls_conn *c, struct build *b)
{
	struct vec ext = ext_begin(c, b, EXT_SUPPORTED_VERSIONS), list = put_vec(b, 1);

	put_u16(b, VERSION_TLS13);
	put_end(b, list);
	put_end(b, ext);
}

static void put_key_share(struct tls_conn *c, struct build *b)
{
	struct vec ext = ext_begin(c, b, EXT_KEY_SHARE), shares = put_vec(b, 2);

	for (size_t i = 0; i < c->num_shares; i++) {
		const struct key_share *s = &c->shares[i];
		struct vec share;

		put_u16(b, s->kem->group);
		share = put_vec(b, 2);
		put_bytes(b, s->bytes, s->kem->client_share_len);
		put_end(b, share);
	}
	put_end(b, shares);
	put_end(b, ext);
}

/* 4.2.2: what the server sent, back. */
static void put_cookie(struct tls_conn *c, struct build *b)
{
	struct vec ext, cookie;

	if (!c->cookie_len)
		return;
	ext = ext_begin(c, b, EXT_COOKIE);
	cookie = put_vec(b, 2);
	put_bytes(b, c->cookie, c->cookie_len);
	put_end(b, cookie);
	put_end(b, ext);
}

static void (*const hello_exts[])(struct tls_conn *c, struct build *b) = {
	put_server_name, put_supported_groups, put_signature_algorithms, staple_put_request, put_alpn,
	put_supported_versions, put_key_share, limit_put, put_cookie, offer_put_modes, offer_put_early_data,
	offer_put_keys,
};

static void put_suites(struct tls_conn *c, struct build *b)
{
	const struct tls_config *config = c->params.config;
	struct vec v = put_vec(b, 2);

	for (size_t i = 0; i < config->num_suites; i++)
		if (offer_fits_suite(c, suite_find(config->suites[i])))
			put_u16(b, config->suites[i]);
	put_end(b, v);
}

/*
 * All but its binders. The same bytes each time it is called, but for what a HelloRetryRequest changed.
 * Return: HS_NEXT, HS_WANT_TX.
 */
static enum hs build_hello(struct tls_conn *c, struct build *b)
{
	struct vec v;
	enum hs rc = hs_begin(c, b, HT_CLIENT_HELLO, CLIENT_HELLO_MAX + c->cookie_len + offer_room(c));

	if (rc)
		return rc;
	c->exts_sent = 0;
	put_u16(b, VERSION_LEGACY);
	put_bytes(b, c->random, RANDOM_LEN);
	v = put_vec(b, 1);
	put_bytes(b, c->session_id, c->session_id_len);
	put_end(b, v);
	put_suites(c, b);
	put_u16(b, 0x0100);	/* legacy_compression_methods: null alone */
	v = put_vec(b, 2);
	for (size_t i = 0; i < sizeof(hello_exts) / sizeof(*hello_exts); i++)
		hello_exts[i](c, b);
	put_end(b, v);
	hs_end(b);
	return HS_NEXT;
}

/* The signer makes an external key's binder of a ClientHello that is not sent yet. */
static enum hs ask_binder(struct tls_conn *c)
{
	struct build b;
	enum hs rc;

	if (!c->psk.external)
		return HS_NEXT;
	if (c->sign == SIGN_NONE) {
		rc = build_hello(c, &b);
		if (rc)
			return rc;
		offer_hash(c, &b);
	}
	return hs_ask(c, TLS_SIGN_BINDER);
}

static enum hs send_client_hello(struct tls_conn *c)
{
	struct build b;
	enum hs rc = build_hello(c, &b);

	if (rc)
		return rc;
	offer_bind(c, &b);
	hs_send(c, &b);
	return HS_NEXT;
}

void client_add_share(struct tls_conn *c, uint16_t group)
{
	struct key_share *s = &c->shares[c->num_shares++];

	s->kem = kem_find(group);
	s->kem->keygen(s->priv, s->bytes);
}

static enum hs prepare_client_hello(struct tls_conn *c)
{
	const struct tls_config *config = c->params.config;

	c->session_id_len = config->no_ccs ? 0 : SESSION_ID_MAX;	/* D.4 */
	rand_bytes(c->session_id, c->session_id_len);
	rand_bytes(c->random, RANDOM_LEN);
	do {
		client_add_share(c, config->groups[c->num_shares]);
	} while (c->num_shares < config->num_shares);
	offer_choose(c);
	c->rx.ccs_ok = true;
	return HS_NEXT;
}

/* ---- early data, 4.2.10 ---- */

static enum hs start_early_keys(struct tls_conn *c)
{
	const struct tls_session *s = offer_first(c);
	uint8_t hash[HASH_MAX], secret[HASH_MAX];
	const struct suite *suite;

	if (c->early_data.state != TLS_EARLY_OFFERED)
		return HS_NEXT;
	suite = suite_find(s->suite);
	keys_early_init(&c->early, suite->hash, s->psk, hash_len(suite->hash));
	transcript_hash_with(&c->transcript, hash, suite->hash, NULL, 0);
	keys_early_traffic(secret, &c->early, hash);
	keylog_secret(c, "CLIENT_EARLY_TRAFFIC_SECRET", secret, hash_len(suite->hash));
	keys_traffic(&c->tx.keys, suite, secret);
	c->tx.aead = suite->aead;
	c->tx.protected = true;
	c->tx.ccs_due = c->session_id_len > 0;
	wipe(secret, sizeof(secret));
	wipe(&c->early, sizeof(c->early));
	return HS_NEXT;
}

/* All of it, and only then is the server listened to: its answer may have come, but not what the data is for. */
static enum hs send_early_data(struct tls_conn *c)
{
	return c->early_data.state == TLS_EARLY_OFFERED ? tx_early_data(c) : HS_NEXT;
}

/* Its keys go on to EndOfEarlyData, unless the server has not said that it accepts it. */
static enum hs settle_early_data(struct tls_conn *c)
{
	if (c->early_data.state == TLS_EARLY_ACCEPTED)
		memcpy(c->early_data.after, c->handshake.client, sizeof(c->early_data.after));
	if (c->early_data.state != TLS_EARLY_OFFERED)
		return HS_NEXT;
	c->early_data.state = TLS_EARLY_REJECTED;
	hs_tx_keys(c, c->handshake.client);
	return HS_NEXT;
}

static enum hs send_end_of_early_data(struct tls_conn *c)
{
	struct build b;
	enum hs rc;

	if (c->early_data.state != TLS_EARLY_ACCEPTED)
		return HS_NEXT;
	rc = hs_begin(c, &b, HT_END_OF_EARLY_DATA, 0);
	if (rc)
		return rc;
	hs_send(c, &b);
	hs_tx_keys(c, c->early_data.after);
	wipe(c->early_data.after, sizeof(c->early_data.after));
	return HS_NEXT;
}

/* ---- the server's answer ---- */

static enum hs recv_hello_retry_request(struct tls_conn *c)
{
	struct msg m;
	enum hs rc = rx_message(c, &m);

	if (rc)
		return rc;
	if (m.type != HT_SERVER_HELLO || !server_hello_is_retry(m.body))
		return HS_NEXT;
	return hs_recv(c, HT_SERVER_HELLO, server_hello_parse_retry);
}

/* D.4: right before the second flight, which is this one or that of Finished. */
static enum hs send_change_cipher_spec(struct tls_conn *c)
{
	return c->tx.ccs_due ? tx_change_cipher_spec(c) : HS_NEXT;
}

static enum hs ask_binder_again(struct tls_conn *c)
{
	return c->retry ? ask_binder(c) : HS_NEXT;
}

static enum hs send_client_hello_again(struct tls_conn *c)
{
	return c->retry ? send_client_hello(c) : HS_NEXT;
}

static enum hs recv_server_hello(struct tls_conn *c)
{
	return hs_recv(c, HT_SERVER_HELLO, server_hello_parse);
}

static enum hs ask_handshake_secret(struct tls_conn *c)
{
	return c->psk.external ? hs_ask(c, TLS_SIGN_HANDSHAKE_SECRET) : HS_NEXT;
}

static enum hs start_handshake_keys(struct tls_conn *c)
{
	keys_early_init(&c->early, c->suite->hash, c->psk.session ? c->psk.secret : NULL, hash_len(c->suite->hash));
	hs_start_handshake_keys(c);
	hs_rx_keys(c, c->handshake.server);
	if (c->early_data.state == TLS_EARLY_OFFERED && c->psk.session)
		return HS_NEXT;		/* EncryptedExtensions tells whether those of early data go on */
	if (c->early_data.state == TLS_EARLY_OFFERED)
		c->early_data.state = TLS_EARLY_REJECTED;
	hs_tx_keys(c, c->handshake.client);
	c->tx.ccs_due = c->session_id_len > 0 && !c->tx.ccs_sent;
	return HS_NEXT;
}

/* ---- EncryptedExtensions, 4.3.1 ---- */

/* RFC 7301 3.1: exactly one name, one of those offered. */
static enum hs take_alpn(struct tls_conn *c, struct cursor data)
{
	struct cursor offered = { c->params.alpn, c->params.alpn_len }, list, name, own;

	if (!cur_vec(&data, &list, 2, 2, 65535) || !cur_empty(&data) || !cur_vec(&list, &name, 1, 1, 255) ||
	    !cur_empty(&list))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed application_layer_protocol_negotiation");
	while (cur_vec(&offered, &own, 1, 1, 255)) {
		if (own.len != name.len || memcmp(own.p, name.p, own.len))
			continue;
		c->alpn = own.p;
		c->alpn_len = (uint8_t)own.len;
		return HS_NEXT;
	}
	return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose an application protocol that was not offered");
}

static enum hs parse_encrypted_extensions(struct tls_conn *c, struct cursor *body)
{
	struct ext_block exts;
	struct cursor groups;

	if (ext_parse(c, &exts, body, IN_ENCRYPTED_EXTENSIONS))
		return HS_FAILED;
	if (ext_has(&exts, EXT_SERVER_NAME) && !cur_empty(&exts.data[EXT_SERVER_NAME]))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed server_name");
	/* Groups for a next connection: no use here, 4.2.7. */
	if (ext_has(&exts, EXT_SUPPORTED_GROUPS) &&
	    (!cur_vec_u16(&exts.data[EXT_SUPPORTED_GROUPS], &groups, 2, 65535) ||
	     !cur_empty(&exts.data[EXT_SUPPORTED_GROUPS])))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed supported_groups");
	if ((ext_has(&exts, EXT_ALPN) && take_alpn(c, exts.data[EXT_ALPN])) || limit_take(c, &exts))
		return HS_FAILED;
	return ext_has(&exts, EXT_EARLY_DATA) ? offer_take_early_data(c, exts.data[EXT_EARLY_DATA]) : HS_NEXT;
}

static enum hs recv_encrypted_extensions(struct tls_conn *c)
{
	return hs_recv(c, HT_ENCRYPTED_EXTENSIONS, parse_encrypted_extensions);
}

/* ---- CertificateRequest, 4.3.2 ---- */

/* With a pre-shared key neither this nor the next two messages come: 4.3.2, 4.4.2. */
static enum hs recv_certificate_request(struct tls_conn *c)
{
	struct msg m;
	enum hs rc = c->psk.chosen ? HS_NEXT : rx_message(c, &m);

	if (c->psk.chosen || rc || m.type != HT_CERTIFICATE_REQUEST)
		return rc;
	return hs_recv(c, HT_CERTIFICATE_REQUEST, auth_parse_certificate_request);
}

/* ---- the rest ---- */

static enum hs recv_certificate(struct tls_conn *c)
{
	return c->psk.chosen ? HS_NEXT : hs_recv(c, HT_CERTIFICATE, auth_parse_certificate);
}

static enum hs recv_certificate_verify(struct tls_conn *c)
{
	return c->psk.chosen ? HS_NEXT : hs_recv(c, HT_CERTIFICATE_VERIFY, auth_parse_certificate_verify);
}

static enum hs recv_finished(struct tls_conn *c)
{
	enum hs rc = hs_recv(c, HT_FINISHED, auth_parse_finished);

	if (rc)
		return rc;
	offer_believe(c);
	return rx_finish(c);
}

static enum hs start_master(struct tls_conn *c)
{
	hs_start_master(c);
	hs_rx_keys(c, c->master.server);
	return HS_NEXT;
}

/* 4.4.2: who asks gets one, if there is one that fits; else an empty list. */
static enum hs send_certificate(struct tls_conn *c)
{
	return c->cert_requested ? auth_send_certificate(c) : HS_NEXT;
}

/* These two follow a certificate only. */
static enum hs ask_signature(struct tls_conn *c)
{
	return c->identity ? auth_ask_signature(c) : HS_NEXT;
}

static enum hs send_certificate_verify(struct tls_conn *c)
{
	return c->identity ? auth_send_certificate_verify(c) : HS_NEXT;
}

static enum hs send_finished(struct tls_conn *c)
{
	enum hs rc = auth_send_finished(c);
	uint8_t hash[HASH_MAX];

	if (rc)
		return rc;
	hs_tx_keys(c, c->master.client);
	transcript_hash(&c->transcript, hash);
	keys_resumption(&c->master, hash);
	return HS_NEXT;
}

hs_step *const client_steps[] = {
	prepare_client_hello,
	ask_binder,
	send_client_hello,
	start_early_keys,
	send_change_cipher_spec,
	send_early_data,
	recv_hello_retry_request,
	send_change_cipher_spec,
	ask_binder_again,
	send_client_hello_again,
	recv_server_hello,
	ask_handshake_secret,
	start_handshake_keys,
	recv_encrypted_extensions,
	settle_early_data,
	recv_certificate_request,
	recv_certificate,
	recv_certificate_verify,
	recv_finished,
	start_master,
	send_end_of_early_data,
	send_change_cipher_spec,
	send_certificate,
	ask_signature,
	send_certificate_verify,
	send_finished,
	NULL
};
