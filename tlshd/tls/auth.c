// SPDX-License-Identifier: MIT
/* auth: CertificateRequest, RFC 8446 4.3.2, and Certificate, CertificateVerify and Finished, 4.4. */
#include <errno.h>

#include "schemes.h"
#include "staple.h"

/* ---- CertificateRequest, 4.3.2 ---- */

static struct der authorities(const struct tls_config *config)
{
	return config->name_authorities ? x509_anchors_names(config->anchors) : (struct der){ 0 };
}

enum hs auth_send_certificate_request(struct tls_conn *c)
{
	struct der names = authorities(c->params.config);
	struct build b;
	struct vec exts, ext, list;
	enum hs rc = hs_begin(c, &b, HT_CERTIFICATE_REQUEST, 1 + 2 + SCHEMES_PUT_MAX + 6 + names.len);

	if (rc)
		return rc;
	put_u8(&b, 0);		/* certificate_request_context: empty during the handshake */
	exts = put_vec(&b, 2);
	schemes_put(c, &b);
	if (names.len) {
		ext = ext_begin(c, &b, EXT_CERTIFICATE_AUTHORITIES);
		list = put_vec(&b, 2);
		put_bytes(&b, names.p, names.len);
		put_end(&b, list);
		put_end(&b, ext);
	}
	put_end(&b, exts);
	hs_send(c, &b);
	c->cert_requested = true;
	return HS_NEXT;
}

enum hs auth_parse_certificate_request(struct tls_conn *c, struct cursor *body)
{
	struct ext_block exts;
	struct cursor context;

	if (!cur_vec(body, &context, 1, 0, 255))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed CertificateRequest");
	if (!cur_empty(&context))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "CertificateRequest with a context during the handshake");
	if (ext_parse(c, &exts, body, IN_CERTIFICATE_REQUEST))
		return HS_FAILED;
	if (!ext_has(&exts, EXT_SIGNATURE_ALGORITHMS))
		return hs_refuse(c, ALERT_MISSING_EXTENSION, "CertificateRequest without signature_algorithms");
	if (staple_take_request(c, &exts))
		return HS_FAILED;
	schemes_choose(c, &exts, true);
	c->cert_requested = true;
	return HS_NEXT;
}

/* ---- Certificate, 4.4.2 ---- */

static enum hs parse_entry(struct tls_conn *c, struct cursor *list, struct der *der, struct der *staple)
{
	struct ext_block exts;
	struct cursor data;

	if (!cur_vec(list, &data, 3, 1, TLS_MSG_MAX))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed Certificate");
	*der = (struct der){ data.p, data.len };
	return ext_parse(c, &exts, list, IN_CERTIFICATE) || staple_take(c, &exts, staple) ? HS_FAILED : HS_NEXT;
}

/* @chain: out: @ask->num of them; and the leaf's staple. */
static enum hs parse_chain(struct tls_conn *c, struct cursor *body, struct der *chain, struct x509_ask *ask)
{
	struct cursor context, list;
	struct der staple;

	if (!cur_vec(body, &context, 1, 0, 255) || !cur_vec(body, &list, 3, 0, TLS_MSG_MAX))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed Certificate");
	if (!cur_empty(&context))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "Certificate with a request context");
	while (!cur_empty(&list)) {
		if (ask->num == X509_CHAIN_MAX)
			return hs_fail(c, -EKEYREJECTED, ALERT_BAD_CERTIFICATE, "chain of more than %d certificates",
				       X509_CHAIN_MAX);
		if (parse_entry(c, &list, &chain[ask->num], &staple))
			return HS_FAILED;
		if (!ask->num++)
			ask->staple = staple;
	}
	return HS_NEXT;
}

/* Only a client may have none, 4.4.2.4. */
static enum hs take_none(struct tls_conn *c)
{
	if (c->params.role == TLS_CLIENT)
		return hs_refuse(c, ALERT_DECODE_ERROR, "server sent no certificate");
	if (c->params.config->client_auth == TLS_CLIENT_AUTH_REQUIRE)
		return hs_fail(c, -EKEYREJECTED, ALERT_CERTIFICATE_REQUIRED, "client has no certificate");
	return HS_NEXT;
}

/* Does a certificate authenticate the peer? Not that of a client which is asked for any. */
static bool must_verify(const struct tls_conn *c)
{
	return c->params.role == TLS_CLIENT || c->params.config->client_auth != TLS_CLIENT_AUTH_REQUEST;
}

enum hs auth_parse_certificate(struct tls_conn *c, struct cursor *body)
{
	bool client = c->params.role == TLS_CLIENT;
	struct der chain[X509_CHAIN_MAX];
	struct x509_ask ask = {
		.anchors = c->params.config->anchors, .chain = chain, .now = c->params.now_ms / 1000,
		.purpose = client ? X509_PURPOSE_TLS_SERVER : X509_PURPOSE_TLS_CLIENT,
		.name = client ? c->params.server_name : NULL,
		.staple_asked = client && c->exts_sent >> EXT_STATUS_REQUEST & 1,
		.staple_due = client && c->params.config->require_ocsp,
		.cache = c->params.chains,
	};
	struct x509_fail fail;

	if (parse_chain(c, body, chain, &ask))
		return HS_FAILED;
	if (!ask.num)
		return take_none(c);
	if (must_verify(c) ? x509_verify(&c->peer, &fail, &ask) : x509_take(&c->peer, &fail, chain[0]))
		return hs_fail(c, fail.err, fail.alert, "%s", fail.reason);
	c->peer_known = true;
	return HS_NEXT;
}

/* The chain is there as it is sent, but that no certificate has an extension yet. */
static void put_chain(struct tls_conn *c, struct build *b)
{
	const uint8_t *chain = c->identity->chain;
	size_t leaf = 3 + ((size_t)chain[0] << 16 | (size_t)chain[1] << 8 | chain[2]);
	struct vec exts;

	put_bytes(b, chain, leaf);
	exts = put_vec(b, 2);
	staple_put(c, b);
	put_end(b, exts);
	put_bytes(b, chain + leaf + 2, c->identity->chain_len - leaf - 2);
}

enum hs auth_send_certificate(struct tls_conn *c)
{
	size_t chain_len = c->identity ? c->identity->chain_len : 0;
	struct build b;
	struct vec list;
	enum hs rc = c->psk.chosen ? HS_NEXT : hs_begin(c, &b, HT_CERTIFICATE, 1 + 3 + chain_len + staple_room(c));

	if (rc || c->psk.chosen)
		return rc;
	put_u8(&b, 0);		/* certificate_request_context: empty during the handshake */
	list = put_vec(&b, 3);
	if (staple_room(c))
		put_chain(c, &b);
	else if (chain_len)
		put_bytes(&b, c->identity->chain, chain_len);
	put_end(&b, list);
	hs_send(c, &b);
	return HS_NEXT;
}

/* ---- CertificateVerify, 4.4.3 ---- */

size_t tls_sign_input(uint8_t *out, enum tls_role signer, const uint8_t *hash, size_t hash_len)
{
	static const char context[2][33 + 1] = {
		[TLS_CLIENT] = "TLS 1.3, client CertificateVerify",
		[TLS_SERVER] = "TLS 1.3, server CertificateVerify",
	};

	memset(out, ' ', 64);
	memcpy(out + 64, context[signer], 33 + 1);
	memcpy(out + 64 + 33 + 1, hash, hash_len);
	return 64 + 33 + 1 + hash_len;
}

enum hs auth_parse_certificate_verify(struct tls_conn *c, struct cursor *body)
{
	enum tls_role signer = c->params.role == TLS_CLIENT ? TLS_SERVER : TLS_CLIENT;
	uint8_t hash[HASH_MAX], input[TLS_SIGN_INPUT_MAX];
	struct cursor sig;
	uint16_t scheme;
	size_t len;

	if (!cur_u16(body, &scheme) || !cur_vec(body, &sig, 2, 0, 65535))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed CertificateVerify");
	if (!schemes_accepted(c->params.config, scheme))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "peer signed with scheme 0x%04x, not offered", scheme);
	transcript_hash(&c->transcript, hash);
	len = tls_sign_input(input, signer, hash, hash_len(c->suite->hash));
	switch (sig_verify(&c->peer.pub, scheme, sig.p, sig.len, input, len)) {
	case 0:
		break;
	case -EINVAL:
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER,
				 "peer signed with scheme 0x%04x, not of its key's type", scheme);
	default:
		return hs_fail(c, -EKEYREJECTED, ALERT_DECRYPT_ERROR,
			       "peer has not the key of its certificate: wrong signature");
	}
	sig_pub_free(&c->peer.pub);
	memset(&c->peer.pub, 0, sizeof(c->peer.pub));
	c->sigscheme[signer] = scheme;
	c->authenticated = c->params.now_ms / 1000;
	if (must_verify(c))
		c->auth = TLS_AUTH_CERTIFICATE;
	return HS_NEXT;
}

enum hs auth_ask_signature(struct tls_conn *c)
{
	return c->psk.chosen ? HS_NEXT : hs_ask(c, TLS_SIGN_CERTIFICATE);
}

enum hs auth_send_certificate_verify(struct tls_conn *c)
{
	struct build b;
	struct vec sig;
	enum hs rc = c->psk.chosen ? HS_NEXT : hs_begin(c, &b, HT_CERTIFICATE_VERIFY, 2 + 2 + c->sig_len);

	if (rc || c->psk.chosen)
		return rc;
	put_u16(&b, c->sigscheme[c->params.role]);
	sig = put_vec(&b, 2);
	put_bytes(&b, c->sig, c->sig_len);
	put_end(&b, sig);
	hs_send(c, &b);
	return HS_NEXT;
}

/* ---- Finished, 4.4.4 ---- */

enum hs auth_parse_finished(struct tls_conn *c, struct cursor *body)
{
	size_t len = hash_len(c->suite->hash);
	uint8_t hash[HASH_MAX], expected[HASH_MAX];
	bool equal;

	transcript_hash(&c->transcript, hash);
	keys_finished(expected, c->suite->hash, c->rx.keys.secret, hash);
	equal = body->len == len && equal_ct(expected, body->p, len);
	wipe(expected, sizeof(expected));
	if (!equal)
		return hs_refuse(c, ALERT_DECRYPT_ERROR, "Finished does not verify: the handshake was tampered with");
	body->len = 0;
	return HS_NEXT;
}

enum hs auth_send_finished(struct tls_conn *c)
{
	size_t len = hash_len(c->suite->hash);
	uint8_t hash[HASH_MAX];
	struct build b;
	enum hs rc = hs_begin(c, &b, HT_FINISHED, len);

	if (rc)
		return rc;
	transcript_hash(&c->transcript, hash);
	keys_finished(put_space(&b, len), c->suite->hash, c->tx.keys.secret, hash);
	hs_send(c, &b);
	return HS_NEXT;
}
