// SPDX-License-Identifier: MIT
#include "tests/bogo/channel.h"

#include <errno.h>
#include <sys/socket.h>

#define NUM_IDLE_MAX	32	/* records or messages in a row that bring no application data */
#define NUM_WARNINGS_MAX 4

enum key_update { NOT_REQUESTED, REQUESTED };

/* ---- the socket ---- */

bool channel_send_raw(struct channel *ch, const void *p, size_t len)
{
	const uint8_t *at = p;

	while (len > 0) {
		ssize_t n = send(ch->fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

ssize_t channel_recv_raw(struct channel *ch, void *p, size_t len, int flags)
{
	return recv(ch->fd, p, ch->bytewise && len > 1 ? 1 : len, flags);
}

static bool recv_all(struct channel *ch, uint8_t *p, size_t len)
{
	while (len > 0) {
		ssize_t n = channel_recv_raw(ch, p, len, 0);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* ---- sending ---- */

static bool put(struct channel *ch, enum content_type type, const void *p, size_t len)
{
	memcpy(ch->out + RECORD_HEADER_LEN, p, len);
	return channel_send_raw(ch, ch->out, record_seal(ch->out, type, len, ch->suite->aead, &ch->tx));
}

bool channel_alert(struct channel *ch, uint8_t alert)
{
	return put(ch, CT_ALERT, (uint8_t[]){ alert == ALERT_CLOSE_NOTIFY ? ALERT_WARNING : ALERT_FATAL, alert }, 2);
}

bool channel_update_keys(struct channel *ch, bool request)
{
	if (!put(ch, CT_HANDSHAKE, (uint8_t[]){ HT_KEY_UPDATE, 0, 0, 1, request ? REQUESTED : NOT_REQUESTED }, 5))
		return false;
	tls_next_keys(&ch->tx, ch->suite->id);
	ch->update_wanted = false;
	return true;
}

bool channel_write(struct channel *ch, const uint8_t *p, size_t len)
{
	if (ch->update_wanted && !channel_update_keys(ch, false))
		return false;
	while (len > 0) {
		size_t n = len < PLAINTEXT_MAX ? len : PLAINTEXT_MAX;

		if (!put(ch, CT_APPLICATION_DATA, p, n))
			return false;
		p += n;
		len -= n;
	}
	return true;
}

/* ---- what is not application data ---- */

/* Always false. */
static bool refuse(struct channel *ch, uint8_t alert, const char *error)
{
	ch->error = error;
	channel_alert(ch, alert);
	return false;
}

static bool fail(struct channel *ch, const char *error)
{
	ch->error = error;
	return false;
}

/* What tls_post_parse() said, in BoringSSL's words. */
static bool refuse_message(struct channel *ch, uint8_t alert, uint8_t type)
{
	if (alert == ALERT_UNEXPECTED_MESSAGE)
		return refuse(ch, alert, ":UNEXPECTED_MESSAGE: message that may not follow the handshake");
	if (alert == ALERT_ILLEGAL_PARAMETER && type == HT_NEW_SESSION_TICKET)
		return refuse(ch, alert, ":DUPLICATE_EXTENSION: extension twice in NewSessionTicket");
	return refuse(ch, alert, ":DECODE_ERROR: malformed message");
}

static bool take_key_update(struct channel *ch, bool requested)
{
	if (ch->num_updates++ == NUM_IDLE_MAX)
		return refuse(ch, ALERT_UNEXPECTED_MESSAGE, ":TOO_MANY_KEY_UPDATES: too many KeyUpdates");
	ch->num_updates_total++;
	if (requested)
		ch->update_wanted = true;
	tls_next_keys(&ch->rx, ch->suite->id);
	return true;
}

static bool take_message(struct channel *ch, const uint8_t *msg, size_t len, bool ends_record)
{
	enum tls_post kind;
	uint8_t alert;

	if (tls_post_parse(ch->role, &kind, &alert, msg, len))
		return refuse_message(ch, alert, msg[0]);
	if (kind != TLS_POST_TICKET && !ends_record)
		return refuse(ch, ALERT_UNEXPECTED_MESSAGE, ":EXCESS_HANDSHAKE_DATA: bytes behind KeyUpdate");
	if (kind != TLS_POST_TICKET)
		return take_key_update(ch, kind == TLS_POST_KEY_UPDATE_REQUESTED);
	ch->num_tickets++;
	if (ch->ticket)
		ch->ticket(msg, len);
	return true;
}

static bool take_handshake(struct channel *ch, const uint8_t *p, size_t len)
{
	if (!len)
		return refuse(ch, ALERT_UNEXPECTED_MESSAGE, ":UNEXPECTED_RECORD: handshake record without content");
	if (len > sizeof(ch->msg) - ch->msg_len)
		return refuse(ch, ALERT_ILLEGAL_PARAMETER, ":EXCESSIVE_MESSAGE_SIZE: message over the limit");
	memcpy(ch->msg + ch->msg_len, p, len);
	ch->msg_len += len;
	for (;;) {
		struct cursor in = { ch->msg, ch->msg_len };
		const uint8_t *body;
		uint32_t body_len;
		uint8_t type;

		if (!cur_u8(&in, &type) || !cur_uint(&in, &body_len, 3))
			return true;
		if (body_len > sizeof(ch->msg) - MSG_HEADER_LEN)
			return refuse(ch, ALERT_ILLEGAL_PARAMETER, ":EXCESSIVE_MESSAGE_SIZE: message over the limit");
		if (!cur_bytes(&in, &body, body_len))
			return true;
		if (!take_message(ch, ch->msg, MSG_HEADER_LEN + body_len, cur_empty(&in)))
			return false;
		memmove(ch->msg, in.p, in.len);
		ch->msg_len = in.len;
	}
}

/* RFC 8446 6: an alert is an error whatever its level and number; one that is not fatal is answered. */
static bool take_alert(struct channel *ch, const uint8_t *p, size_t len)
{
	if (len != 2)
		return refuse(ch, ALERT_DECODE_ERROR, ":BAD_ALERT: malformed alert");
	if (p[1] == ALERT_CLOSE_NOTIFY) {
		ch->closed = true;
		return true;
	}
	ch->alert = p[1];
	if (p[1] != ALERT_USER_CANCELED && p[0] == ALERT_FATAL)
		return fail(ch, NULL);
	if (p[1] != ALERT_USER_CANCELED && p[0] == ALERT_WARNING)
		return refuse(ch, ALERT_DECODE_ERROR, ":BAD_ALERT: peer sent an error alert as a warning");
	if (p[1] != ALERT_USER_CANCELED)
		return refuse(ch, ALERT_ILLEGAL_PARAMETER, ":UNKNOWN_ALERT_TYPE: peer sent an alert of unknown level");
	if (ch->num_warnings++ == NUM_WARNINGS_MAX)
		return refuse(ch, ALERT_DECODE_ERROR, ":TOO_MANY_WARNING_ALERTS: too many user_canceled");
	return true;
}

static bool take_data(struct channel *ch, uint8_t *p, size_t len)
{
	ch->data = p;
	ch->data_len = len;
	if (len)
		ch->num_empty = ch->num_updates = ch->num_warnings = 0;
	else if (ch->num_empty++ == NUM_IDLE_MAX)
		return refuse(ch, ALERT_UNEXPECTED_MESSAGE, ":TOO_MANY_EMPTY_FRAGMENTS: too many empty records");
	return true;
}

/* ---- receiving ---- */

static bool open_record(struct channel *ch, size_t len)
{
	uint8_t *content = ch->in + RECORD_HEADER_LEN, type = 0;

	switch (record_open(ch->in, len, &type, &len, ch->suite->aead, &ch->rx)) {
	case RECORD_OK:
		break;
	case RECORD_BAD_MAC:
		return refuse(ch, ALERT_BAD_RECORD_MAC, ":DECRYPTION_FAILED_OR_BAD_RECORD_MAC: :BAD_DECRYPT: does not decrypt");
	case RECORD_TOO_LONG:
		return refuse(ch, ALERT_RECORD_OVERFLOW, ":DATA_LENGTH_TOO_LONG: record is too long");
	case RECORD_NO_TYPE:
		return refuse(ch, ALERT_UNEXPECTED_MESSAGE, ":DECRYPTION_FAILED_OR_BAD_RECORD_MAC: record without a content type");
	}
	if (ch->msg_len && type != CT_HANDSHAKE)
		return refuse(ch, ALERT_UNEXPECTED_MESSAGE, ":UNEXPECTED_RECORD: record inside a handshake message");
	if (type == CT_APPLICATION_DATA)
		return take_data(ch, content, len);
	if (type == CT_HANDSHAKE)
		return take_handshake(ch, content, len);
	if (type == CT_ALERT)
		return take_alert(ch, content, len);
	return refuse(ch, ALERT_UNEXPECTED_MESSAGE, ":UNEXPECTED_RECORD: record of unknown type");
}

static bool next_record(struct channel *ch)
{
	size_t len;

	if (!recv_all(ch, ch->in, RECORD_HEADER_LEN))
		return fail(ch, "connection ended without close_notify: Unexpected SSL_shutdown result: -1 != 1");
	len = (size_t)ch->in[3] << 8 | ch->in[4];
	if (ch->in[0] != CT_APPLICATION_DATA)
		return refuse(ch, ALERT_UNEXPECTED_MESSAGE, ":INVALID_OUTER_RECORD_TYPE: unprotected record");
	if (len > CIPHERTEXT_MAX)
		return refuse(ch, ALERT_RECORD_OVERFLOW, ":ENCRYPTED_LENGTH_TOO_LONG: record is too long");
	if (!recv_all(ch, ch->in + RECORD_HEADER_LEN, len))
		return fail(ch, "connection ended inside a record");
	return open_record(ch, RECORD_HEADER_LEN + len);
}

ssize_t channel_peek(struct channel *ch, uint8_t *out, size_t max)
{
	while (!ch->data_len) {
		if (ch->closed)
			return 0;
		if (!next_record(ch))
			return -1;
	}
	if (max > ch->data_len)
		max = ch->data_len;
	memcpy(out, ch->data, max);
	return (ssize_t)max;
}

ssize_t channel_read(struct channel *ch, uint8_t *out, size_t max)
{
	ssize_t n = channel_peek(ch, out, max);

	if (n > 0) {
		ch->data += n;
		ch->data_len -= (size_t)n;
	}
	return n;
}

void channel_open(struct channel *ch, const struct tls_traffic *t, enum tls_role role)
{
	ch->role = role;
	ch->suite = suite_find(t->suite);
	ch->rx = t->rx;
	ch->tx = t->tx;
}

void channel_wipe(struct channel *ch)
{
	wipe(ch, sizeof(*ch));
}
