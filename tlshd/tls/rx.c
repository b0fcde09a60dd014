// SPDX-License-Identifier: MIT
/* rx: from received bytes to handshake messages: which record may come when, RFC 8446 section 5. */
#include <errno.h>

#include "hs.h"
#include "record.h"

static uint32_t num_msg(const struct rx *rx)
{
	return rx->msg_end - rx->msg_at;
}

static uint32_t num_raw(const struct rx *rx)
{
	return rx->raw_end - rx->raw_at;
}

void rx_compact(struct tls_conn *c)
{
	struct rx *rx = &c->rx;
	uint32_t msg = num_msg(rx), raw = num_raw(rx);

	if (msg)
		memmove(rx->p, rx->p + rx->msg_at, msg);
	if (raw)
		memmove(rx->p + msg, rx->p + rx->raw_at, raw);
	rx->msg_at = 0;
	rx->msg_end = rx->raw_at = msg;
	rx->raw_end = msg + raw;
}

void rx_wipe(struct tls_conn *c)
{
	if (c->rx.p)
		wipe(c->rx.p, c->rx.high);
	c->rx.high = 0;
	c->rx.msg_at = c->rx.msg_end = c->rx.raw_at = c->rx.raw_end = 0;
}

/* ---- what is in a record ---- */

/* Message bytes join those before them, which they follow in the buffer. */
static enum hs take_handshake(struct tls_conn *c, const uint8_t *p, size_t len)
{
	struct rx *rx = &c->rx;

	if (!len)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "handshake record without content");
	if (!num_msg(rx))
		rx->msg_at = rx->msg_end = 0;
	memmove(rx->p + rx->msg_end, p, len);
	rx->msg_end += (uint32_t)len;
	return HS_NEXT;
}

/* Error alerts must be sent as fatal (RFC 8446 6.2): what a peer is told that sends another level. */
static uint16_t answer_to(uint8_t level)
{
	if (level == ALERT_FATAL)
		return TLS_ALERT_NONE;
	return level == ALERT_WARNING ? ALERT_DECODE_ERROR : ALERT_ILLEGAL_PARAMETER;
}

/* RFC 8446 6: an alert is what its description says, whatever its level, and an unknown one is an error alert. */
static enum hs take_alert(struct tls_conn *c, const uint8_t *p, size_t len)
{
	if (!len)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "alert record without content");
	if (len != 2)
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed alert");
	if (p[1] == ALERT_USER_CANCELED && c->rx.num_user_canceled < USER_CANCELED_MAX) {
		c->rx.num_user_canceled++;
		return HS_NEXT;
	}
	c->alert_received = p[1];
	if (p[1] == ALERT_CLOSE_NOTIFY)
		return hs_fail(c, -ECONNRESET, TLS_ALERT_NONE, "peer closed the connection during the handshake");
	return hs_fail(c, -EPROTO, answer_to(p[0]), "peer sent alert %s (%u)", alert_name(p[1]), p[1]);
}

static enum hs take_change_cipher_spec(struct tls_conn *c, const uint8_t *p, size_t len)
{
	if (!c->rx.ccs_ok)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "change_cipher_spec before the first ClientHello");
	if (len != 1 || p[0] != 1)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "change_cipher_spec with a wrong value");
	if (c->rx.num_ccs++ == CCS_MAX)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "more than %d change_cipher_spec", CCS_MAX);
	return HS_NEXT;
}

/*
 * Early data that was accepted, RFC 8446 4.2.10. Each record of it brings a byte or counts as empty, so there is an end
 * to them; padding is no part of the limit.
 */
static enum hs take_early(struct tls_conn *c, const uint8_t *p, size_t len)
{
	struct early *e = &c->early_data;

	if (num_msg(&c->rx))
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "early data within a message");
	if (len > e->limit - e->num)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "more than %u bytes of early data", e->limit);
	if (!len && e->num_empty++ == EARLY_EMPTY_MAX)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "more than %d records of early data without content",
				 EARLY_EMPTY_MAX);
	if (!len)
		return HS_NEXT;
	e->num += (uint32_t)len;
	e->data = p;
	e->data_len = len;
	return HS_EARLY_DATA;
}

/* ---- records ---- */

_Static_assert(EARLY_SKIP_MAX >= 2 * TLS_EARLY_MAX, "all that a ticket allows, in records of 22 bytes");

/* Early data that was not accepted: RFC 8446 4.2.10. */
static enum hs skip_early(struct tls_conn *c, size_t len)
{
	if (len > c->rx.early_skip)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "more than %d bytes of early data to skip",
				 EARLY_SKIP_MAX);
	c->rx.early_skip -= (uint32_t)len;
	return HS_NEXT;
}

static enum hs take_protected(struct tls_conn *c, uint8_t *rec, size_t len)
{
	uint8_t *content = rec + RECORD_HEADER_LEN;
	size_t content_len;
	uint8_t type;

	switch (record_open(rec, len, &type, &content_len, c->suite->aead, &c->rx.keys)) {
	case RECORD_OK:
		break;
	case RECORD_BAD_MAC:
		if (c->rx.skipping)
			return skip_early(c, len);
		return hs_refuse(c, ALERT_BAD_RECORD_MAC, "record does not decrypt");
	case RECORD_TOO_LONG:
		return hs_refuse(c, ALERT_RECORD_OVERFLOW, "record longer than %d bytes", PLAINTEXT_MAX);
	case RECORD_NO_TYPE:
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "record without a content type");
	}
	if (type != CT_APPLICATION_DATA && len > RECORD_HEADER_LEN + (size_t)c->rx.limit + AEAD_TAG_LEN)
		return hs_refuse(c, ALERT_RECORD_OVERFLOW, "record longer than our record_size_limit of %u", c->rx.limit);
	c->rx.opened = true;
	c->rx.skipping = false;
	if (type == CT_HANDSHAKE)
		return take_handshake(c, content, content_len);
	if (type == CT_ALERT)
		return take_alert(c, content, content_len);
	if (type == CT_APPLICATION_DATA && c->rx.early)
		return take_early(c, content, content_len);
	return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "record of type %u during the handshake", type);
}

static enum hs take_record(struct tls_conn *c, uint8_t *rec, size_t len)
{
	const uint8_t *content = rec + RECORD_HEADER_LEN;
	size_t content_len = len - RECORD_HEADER_LEN;

	if (rec[0] == CT_CHANGE_CIPHER_SPEC)
		return take_change_cipher_spec(c, content, content_len);
	if (rec[0] == CT_APPLICATION_DATA)
		return c->rx.protected ? take_protected(c, rec, len) : skip_early(c, len);
	if (rec[0] == CT_ALERT)
		return take_alert(c, content, content_len);
	return take_handshake(c, content, content_len);
}

/* A peer that could not read our ServerHello has no keys to say so with. */
static bool plain_ok(const struct tls_conn *c, uint8_t type)
{
	return !c->rx.protected || type == CT_CHANGE_CIPHER_SPEC ||
	       (type == CT_ALERT && c->params.role == TLS_SERVER && !c->rx.opened);
}

/* After a HelloRetryRequest early data is known by its type, and ends where the second ClientHello begins. */
static bool protected_ok(const struct tls_conn *c)
{
	return c->rx.protected || (c->rx.skipping && !num_msg(&c->rx));
}

/* As much of a header as is there; its version is ignored (RFC 8446 5.1). */
static enum hs check_header(struct tls_conn *c, const uint8_t *rec, size_t have, size_t *len)
{
	bool ciphertext = rec[0] == CT_APPLICATION_DATA;

	if (rec[0] < CT_CHANGE_CIPHER_SPEC || rec[0] > CT_APPLICATION_DATA)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE,
				 c->rx.seen ? "record of unknown type %u" : "peer does not speak TLS (first byte %u)",
				 rec[0]);
	if (ciphertext ? !protected_ok(c) : !plain_ok(c, rec[0]))
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "%s record at this point of the handshake",
				 ciphertext ? "protected" : "unprotected");
	if (have < RECORD_HEADER_LEN)
		return HS_WANT_RX;
	*len = (size_t)rec[3] << 8 | rec[4];
	if (*len > (ciphertext ? CIPHERTEXT_MAX : PLAINTEXT_MAX))
		return hs_refuse(c, ALERT_RECORD_OVERFLOW, "record of %zu bytes", *len);
	*len += RECORD_HEADER_LEN;
	return have < *len ? HS_WANT_RX : HS_NEXT;
}

static enum hs next_record(struct tls_conn *c)
{
	struct rx *rx = &c->rx;
	uint8_t *rec = rx->p + rx->raw_at;
	enum hs rc;
	size_t len = 0;

	if (!num_raw(rx))
		return HS_WANT_RX;
	rc = check_header(c, rec, num_raw(rx), &len);
	if (rc)
		return rc;
	rx->seen = true;
	rx->raw_at += (uint32_t)len;
	return take_record(c, rec, len);
}

/* ---- messages ---- */

enum hs rx_message(struct tls_conn *c, struct msg *m)
{
	if (!c->rx.p)
		return HS_WANT_RX;
	for (;;) {
		struct cursor in = { c->rx.p + c->rx.msg_at, num_msg(&c->rx) };
		const uint8_t *start = in.p;
		uint32_t type, len;
		enum hs rc;

		if (cur_uint(&in, &type, 1) && cur_uint(&in, &len, 3)) {
			if (len > TLS_MSG_MAX - MSG_HEADER_LEN)
				return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "%s of %u bytes is over the limit",
						 message_name((uint8_t)type), len);
			if (len <= in.len) {
				m->type = (uint8_t)type;
				m->body = (struct cursor){ in.p, len };
				m->raw = (struct cursor){ start, MSG_HEADER_LEN + len };
				return HS_NEXT;
			}
		}
		rc = next_record(c);
		if (rc)
			return rc;
	}
}

void rx_consume(struct tls_conn *c, const struct msg *m)
{
	c->rx.msg_at += (uint32_t)m->raw.len;
}

bool rx_ends_record(const struct tls_conn *c, const struct msg *m)
{
	return m->raw.len == num_msg(&c->rx);
}

enum hs rx_finish(struct tls_conn *c)
{
	struct rx *rx = &c->rx;

	/* Read greedily before our flight went out, by a peer that cannot have known what to put there. */
	if (num_raw(rx) > rx->filled)
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "bytes behind a Finished that came too early");
	rx->left = num_raw(rx);
	rx->raw_end = rx->raw_at;
	rx->finished = true;
	return HS_NEXT;
}
