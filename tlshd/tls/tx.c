// SPDX-License-Identifier: MIT
/* tx: from messages of ours to records in the caller's buffer. */
#include "hs.h"
#include "record.h"

#define CCS_LEN (RECORD_HEADER_LEN + 1)

/* Room that is always left, so that a failure can say why. */
#define ALERT_ROOM (CCS_LEN + 2 + RECORD_OVERHEAD)

#define RECORDS_MAX (PLAINTEXT_MAX / (RECORD_LIMIT_MIN - 1) + 1)	/* of one message */

_Static_assert(TLS_TX_CAP >= PLAINTEXT_MAX + RECORDS_MAX * RECORD_OVERHEAD + ALERT_ROOM, "room for any message");

static size_t room(const struct tls_conn *c)
{
	return c->tx.out->cap - c->tx.out->len;
}

/* The content of @len bytes lies in the output buffer behind room for a record header. */
static void send_record(struct tls_conn *c, enum content_type type, uint16_t version, size_t len)
{
	uint8_t *rec = c->tx.out->p + c->tx.out->len;

	if (c->tx.protected) {
		c->tx.out->len += record_seal(rec, type, len, c->tx.aead, &c->tx.keys);
		return;
	}
	record_header(rec, type, version, len);
	c->tx.out->len += RECORD_HEADER_LEN + len;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * As send_record(), in as many records as the peer's limit makes of it. The pieces are moved apart from the last on, so
 * that none covers one that is still to be moved.
 */
static void send_message(struct tls_conn *c, uint16_t version, size_t len)
{
	uint8_t *content = c->tx.out->p + c->tx.out->len + RECORD_HEADER_LEN;
	size_t limit = c->tx.protected ? c->tx.limit : PLAINTEXT_MAX, piece;

	for (size_t i = (len - 1) / limit; i; i--)
		memmove(content + i * (limit + RECORD_OVERHEAD), content + i * limit, min(limit, len - i * limit));
	for (; len; len -= piece) {
		piece = min(limit, len);
		send_record(c, CT_HANDSHAKE, version, piece);
	}
}

enum hs hs_begin(struct tls_conn *c, struct build *b, enum handshake_type type, size_t body_max)
{
	size_t max = MSG_HEADER_LEN + body_max;

	if (room(c) < max + ((max - 1) / c->tx.limit + 1) * RECORD_OVERHEAD + ALERT_ROOM)
		return HS_WANT_TX;
	*b = (struct build){ .p = c->tx.out->p + c->tx.out->len + RECORD_HEADER_LEN, .cap = max };
	put_u8(b, (uint8_t)type);
	put_uint(b, 3, 0);
	return HS_NEXT;
}

void hs_end(struct build *b)
{
	store_be(b->p + 1, 3, b->len - MSG_HEADER_LEN);
}

void hs_send_post(struct tls_conn *c, struct build *b)
{
	hs_end(b);
	send_message(c, VERSION_LEGACY, b->len);
}

void hs_send(struct tls_conn *c, struct build *b)
{
	hs_end(b);
	transcript_add(&c->transcript, b->p, b->len);
	send_message(c, b->p[0] == HT_CLIENT_HELLO && !c->retry ? VERSION_FIRST_RECORD : VERSION_LEGACY, b->len);
}

static void put_change_cipher_spec(struct tls_conn *c)
{
	uint8_t *rec = c->tx.out->p + c->tx.out->len;

	record_header(rec, CT_CHANGE_CIPHER_SPEC, VERSION_LEGACY, 1);
	rec[RECORD_HEADER_LEN] = 1;
	c->tx.out->len += CCS_LEN;
	c->tx.ccs_due = false;
	c->tx.ccs_sent = true;
}

enum hs tx_change_cipher_spec(struct tls_conn *c)
{
	if (room(c) < CCS_LEN + ALERT_ROOM)
		return HS_WANT_TX;
	put_change_cipher_spec(c);
	return HS_NEXT;
}

/* Less of it than this waits for room, unless it is the rest. */
#define EARLY_RECORD_MIN 512

enum hs tx_early_data(struct tls_conn *c)
{
	while (c->early_data.num < c->params.early_len) {
		size_t want = min(c->params.early_len - c->early_data.num, PLAINTEXT_MAX);
		size_t have = room(c) - min(room(c), RECORD_OVERHEAD + ALERT_ROOM);
		size_t len = min(want, have);

		if (len < min(want, EARLY_RECORD_MIN))
			return HS_WANT_TX;
		memcpy(c->tx.out->p + c->tx.out->len + RECORD_HEADER_LEN, c->params.early + c->early_data.num, len);
		send_record(c, CT_APPLICATION_DATA, VERSION_LEGACY, len);
		c->early_data.num += (uint32_t)len;
	}
	return HS_NEXT;
}

void tx_alert(struct tls_conn *c, uint8_t alert)
{
	uint8_t *content;

	if (room(c) < ALERT_ROOM)
		return;
	if (c->tx.ccs_due)
		put_change_cipher_spec(c);
	content = c->tx.out->p + c->tx.out->len + RECORD_HEADER_LEN;
	content[0] = alert == ALERT_CLOSE_NOTIFY || alert == ALERT_USER_CANCELED ? ALERT_WARNING : ALERT_FATAL;
	content[1] = alert;
	send_record(c, CT_ALERT, VERSION_LEGACY, 2);
}
