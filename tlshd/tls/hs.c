// SPDX-License-Identifier: MIT
#include "hs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "keylog.h"

/* SHA-256 of "HelloRetryRequest", RFC 8446 4.1.3. */
const uint8_t hs_retry_random[RANDOM_LEN] = {
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

/* ---- names ---- */

static const char *const alert_names[256] = {
	[ALERT_CLOSE_NOTIFY] = "close_notify",
	[ALERT_UNEXPECTED_MESSAGE] = "unexpected_message",
	[ALERT_BAD_RECORD_MAC] = "bad_record_mac",
	[ALERT_RECORD_OVERFLOW] = "record_overflow",
	[ALERT_HANDSHAKE_FAILURE] = "handshake_failure",
	[ALERT_BAD_CERTIFICATE] = "bad_certificate",
	[ALERT_UNSUPPORTED_CERTIFICATE] = "unsupported_certificate",
	[ALERT_CERTIFICATE_REVOKED] = "certificate_revoked",
	[ALERT_CERTIFICATE_EXPIRED] = "certificate_expired",
	[ALERT_CERTIFICATE_UNKNOWN] = "certificate_unknown",
	[ALERT_ILLEGAL_PARAMETER] = "illegal_parameter",
	[ALERT_UNKNOWN_CA] = "unknown_ca",
	[ALERT_ACCESS_DENIED] = "access_denied",
	[ALERT_DECODE_ERROR] = "decode_error",
	[ALERT_DECRYPT_ERROR] = "decrypt_error",
	[ALERT_PROTOCOL_VERSION] = "protocol_version",
	[ALERT_INSUFFICIENT_SECURITY] = "insufficient_security",
	[ALERT_INTERNAL_ERROR] = "internal_error",
	[ALERT_INAPPROPRIATE_FALLBACK] = "inappropriate_fallback",
	[ALERT_USER_CANCELED] = "user_canceled",
	[ALERT_MISSING_EXTENSION] = "missing_extension",
	[ALERT_UNSUPPORTED_EXTENSION] = "unsupported_extension",
	[ALERT_UNRECOGNIZED_NAME] = "unrecognized_name",
	[ALERT_BAD_CERTIFICATE_STATUS_RESPONSE] = "bad_certificate_status_response",
	[ALERT_UNKNOWN_PSK_IDENTITY] = "unknown_psk_identity",
	[ALERT_CERTIFICATE_REQUIRED] = "certificate_required",
	[ALERT_GENERAL_ERROR] = "general_error",
	[ALERT_NO_APPLICATION_PROTOCOL] = "no_application_protocol",
};

const char *alert_name(uint8_t alert)
{
	return alert_names[alert] ? alert_names[alert] : "of an unknown kind";
}

static const char *const message_names[256] = {
	[HT_CLIENT_HELLO] = "ClientHello",
	[HT_SERVER_HELLO] = "ServerHello",
	[HT_NEW_SESSION_TICKET] = "NewSessionTicket",
	[HT_END_OF_EARLY_DATA] = "EndOfEarlyData",
	[HT_ENCRYPTED_EXTENSIONS] = "EncryptedExtensions",
	[HT_CERTIFICATE] = "Certificate",
	[HT_CERTIFICATE_REQUEST] = "CertificateRequest",
	[HT_CERTIFICATE_VERIFY] = "CertificateVerify",
	[HT_FINISHED] = "Finished",
	[HT_KEY_UPDATE] = "KeyUpdate",
};

const char *message_name(uint8_t type)
{
	return message_names[type] ? message_names[type] : "a message of unknown type";
}

/* ---- failing ---- */

__attribute__((format(printf, 4, 0)))
static enum hs end(struct tls_conn *c, int err, uint16_t alert, const char *reason, va_list ap)
{
	if (c->err)
		return HS_FAILED;
	c->err = err;
	c->alert_sent = alert;
	vsnprintf(c->reason, sizeof(c->reason), reason, ap);
	return HS_FAILED;
}

enum hs hs_refuse(struct tls_conn *c, enum alert alert, const char *reason, ...)
{
	va_list ap;

	va_start(ap, reason);
	end(c, -EPROTO, (uint16_t)alert, reason, ap);
	va_end(ap);
	return HS_FAILED;
}

enum hs hs_fail(struct tls_conn *c, int err, uint16_t alert, const char *reason, ...)
{
	va_list ap;

	va_start(ap, reason);
	end(c, err, alert, reason, ap);
	va_end(ap);
	return HS_FAILED;
}

/* ---- receiving ---- */

/* RFC 8446 5.1: after these the peer's keys may change, so nothing may follow them in their record. (KeyUpdate is another's.) */
static bool precedes_key_change(uint8_t type)
{
	return type == HT_CLIENT_HELLO || type == HT_SERVER_HELLO || type == HT_END_OF_EARLY_DATA || type == HT_FINISHED;
}

enum hs hs_recv(struct tls_conn *c, enum handshake_type type, hs_parse *parse)
{
	struct msg m;
	enum hs rc = rx_message(c, &m);

	if (rc)
		return rc;
	if (m.type != type)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "peer sent %s (%u) where %s was due",
				 message_name(m.type), m.type, message_name((uint8_t)type));
	if (precedes_key_change(m.type) && !rx_ends_record(c, &m))
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "bytes behind %s in its record", message_name(m.type));
	rc = parse(c, &m.body);
	if (rc)
		return rc;
	if (!cur_empty(&m.body))
		return hs_refuse(c, ALERT_DECODE_ERROR, "%s is too long", message_name(m.type));
	transcript_add(&c->transcript, m.raw.p, m.raw.len);
	rx_consume(c, &m);
	return HS_NEXT;
}

/* ---- asking the signer ---- */

enum hs hs_ask(struct tls_conn *c, enum tls_sign_op op)
{
	if (c->sign != SIGN_ANSWERED) {
		c->sign = SIGN_ASKED;
		c->sign_op = op;
		return HS_WANT_SIGN;
	}
	c->sign = SIGN_NONE;
	return c->sig_len ? HS_NEXT : hs_fail(c, -EIO, ALERT_INTERNAL_ERROR, "the signer gave no %s",
					      op == TLS_SIGN_CERTIFICATE ? "signature" : "answer");
}

/* ---- keys ---- */

void hs_rx_keys(struct tls_conn *c, const uint8_t *secret)
{
	keys_traffic(&c->rx.keys, c->suite, secret);
	c->rx.protected = true;
}

void hs_tx_keys(struct tls_conn *c, const uint8_t *secret)
{
	keys_traffic(&c->tx.keys, c->suite, secret);
	c->tx.aead = c->suite->aead;
	c->tx.protected = true;
}

void hs_start_handshake_keys(struct tls_conn *c)
{
	uint8_t hash[HASH_MAX];

	transcript_hash(&c->transcript, hash);
	if (c->psk.chosen && c->psk.external)
		keys_handshake_given(&c->handshake, c->suite->hash, c->psk.secret, hash);
	else
		keys_handshake_from(&c->handshake, &c->early, c->dhe, c->kem ? c->kem->secret_len : 0, hash);
	keylog_secret(c, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", c->handshake.client, hash_len(c->suite->hash));
	keylog_secret(c, "SERVER_HANDSHAKE_TRAFFIC_SECRET", c->handshake.server, hash_len(c->suite->hash));
	wipe(c->psk.secret, sizeof(c->psk.secret));
	wipe(c->dhe, sizeof(c->dhe));
	wipe(c->shares, sizeof(c->shares));
}

void hs_start_master(struct tls_conn *c)
{
	uint8_t hash[HASH_MAX];

	transcript_hash(&c->transcript, hash);
	keys_master_from(&c->master, &c->handshake, hash);
	keylog_secret(c, "CLIENT_TRAFFIC_SECRET_0", c->master.client, hash_len(c->suite->hash));
	keylog_secret(c, "SERVER_TRAFFIC_SECRET_0", c->master.server, hash_len(c->suite->hash));
	keylog_secret(c, "EXPORTER_SECRET", c->master.exporter, hash_len(c->suite->hash));
}

void hs_forget(struct tls_conn *c, bool keep_traffic)
{
	wipe(c->shares, sizeof(c->shares));
	wipe(c->dhe, sizeof(c->dhe));
	wipe(&c->early, sizeof(c->early));
	wipe(&c->handshake, sizeof(c->handshake));
	wipe(c->master.secret, sizeof(c->master.secret));
	wipe(c->master.client, sizeof(c->master.client));
	wipe(c->master.server, sizeof(c->master.server));
	wipe(&c->psk, sizeof(c->psk));
	wipe(c->early_data.after, sizeof(c->early_data.after));
	if (c->params.role == TLS_SERVER)	/* whose tickets, if it could give any, are out */
		wipe(c->master.resumption, sizeof(c->master.resumption));
	sig_pub_free(&c->peer.pub);
	memset(&c->peer.pub, 0, sizeof(c->peer.pub));
	if (keep_traffic)
		return;
	wipe(&c->master, sizeof(c->master));
	wipe(&c->rx.keys, sizeof(c->rx.keys));
	wipe(&c->tx.keys, sizeof(c->tx.keys));
}
