// SPDX-License-Identifier: MIT
#include "flight.h"

#include "tlshd/tls/record.h"

#define EPOCHS_MAX 4	/* early data, handshake, application data */

/* A sender's keys in the order in which it used them: once to take its records apart, once to make new ones. */
static struct tap {
	uint8_t num, at;
	enum aead_id aead[EPOCHS_MAX + 1];
	struct tls_keys opening[EPOCHS_MAX + 1], sealing[EPOCHS_MAX + 1];
} taps[2];

static enum hs note_key(struct tls_conn *c)
{
	struct tap *t = &taps[c->params.role];

	if (!c->tx.protected || (t->num && !memcmp(t->opening[t->num].secret, c->tx.keys.secret, HASH_MAX)))
		return HS_NEXT;
	assert_true(t->num < EPOCHS_MAX);
	t->num++;
	t->aead[t->num] = c->tx.aead;
	t->opening[t->num] = c->tx.keys;
	t->opening[t->num].seq = 0;
	t->sealing[t->num] = t->opening[t->num];
	return HS_NEXT;
}

void flight_watch(struct pair *p)
{
	memset(taps, 0, sizeof(taps));
	p->reads = PAIR_FLIGHTS;
	for (int role = 0; role < 2; role++) {
		hs_step *own[NUM(p->side[role].steps)];

		pair_steps(p, (enum tls_role)role);
		memcpy(own, p->side[role].steps, sizeof(own));
		for (size_t i = 0; own[i]; i++) {
			assert_true(2 * i + 2 < NUM(own));
			p->side[role].steps[2 * i] = own[i];
			p->side[role].steps[2 * i + 1] = note_key;
			p->side[role].steps[2 * i + 2] = NULL;
		}
	}
}

/* ---- taking apart ---- */

static void add_part(struct flight *f, uint8_t type, uint8_t epoch, const uint8_t *p, size_t len)
{
	assert_true(f->num < PARTS_MAX && f->len + len <= sizeof(f->bytes));
	f->parts[f->num++] = (struct part){ type, epoch, f->len, len };
	memcpy(f->bytes + f->len, p, len);
	f->len += len;
}

/* Our engine sends whole messages. */
static void add_content(struct flight *f, uint8_t type, uint8_t epoch, const uint8_t *p, size_t len)
{
	while (type == CT_HANDSHAKE && len) {
		size_t n = MSG_HEADER_LEN + ((size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3]);

		assert_true(n <= len);
		add_part(f, type, epoch, p, n);
		p += n;
		len -= n;
	}
	if (len)
		add_part(f, type, epoch, p, len);
}

static void take_protected(struct flight *f, struct tap *t, const uint8_t *rec, size_t len)
{
	uint8_t copy[TLS_RECORD_MAX], type;
	size_t n;

	for (t->at = t->at ? t->at : 1; t->at <= t->num; t->at++) {
		memcpy(copy, rec, len);
		if (record_open(copy, len, &type, &n, t->aead[t->at], &t->opening[t->at]) != RECORD_OK)
			continue;
		add_content(f, type, t->at, copy + RECORD_HEADER_LEN, n);
		return;
	}
	fail_msg("a record under none of the keys that were noted");
}

void flight_take(struct flight *f, enum tls_role from, const uint8_t *bytes, size_t len)
{
	f->num = f->len = 0;
	for (size_t at = 0, n; at < len; at += n) {
		n = RECORD_HEADER_LEN + (size_t)(bytes[at + 3] << 8 | bytes[at + 4]);
		if (bytes[at] == CT_APPLICATION_DATA)
			take_protected(f, &taps[from], bytes + at, n);
		else
			add_content(f, bytes[at], 0, bytes + at + RECORD_HEADER_LEN, n - RECORD_HEADER_LEN);
	}
}

/* ---- putting together ---- */

/* As record_seal(), of a whole inner plaintext with its padding. */
static size_t seal(uint8_t *rec, size_t len, enum aead_id aead, struct tls_keys *k)
{
	uint8_t nonce[AEAD_NONCE_LEN];

	record_header(rec, CT_APPLICATION_DATA, VERSION_LEGACY, len + AEAD_TAG_LEN);
	memcpy(nonce, k->iv, sizeof(nonce));
	for (size_t i = 0; i < 8; i++)
		nonce[4 + i] ^= (uint8_t)(k->seq >> (56 - 8 * i));
	k->seq++;
	aead_seal(aead, rec + RECORD_HEADER_LEN, rec + RECORD_HEADER_LEN, len, rec, RECORD_HEADER_LEN, k->key, nonce);
	return RECORD_HEADER_LEN + len + AEAD_TAG_LEN;
}

static void put_record(struct tap *t, uint8_t type, uint8_t epoch, const uint8_t *p, size_t len, size_t padding,
		       uint8_t *bytes, size_t *at)
{
	uint8_t *rec = bytes + *at;

	assert_true(*at + len + padding + RECORD_OVERHEAD <= STREAM_MAX);
	memcpy(rec + RECORD_HEADER_LEN, p, len);
	if (!epoch) {
		record_header(rec, (enum content_type)type, VERSION_LEGACY, len);
		*at += RECORD_HEADER_LEN + len;
		return;
	}
	assert_true(epoch <= t->num);
	rec[RECORD_HEADER_LEN + len] = type;
	memset(rec + RECORD_HEADER_LEN + len + 1, 0, padding);
	*at += seal(rec, len + 1 + padding, t->aead[epoch], &t->sealing[epoch]);
}

void flight_put(const struct flight *f, enum tls_role from, uint8_t *bytes, size_t *len, size_t max, size_t padding)
{
	size_t i = 0, at = 0;

	while (i < f->num) {
		const struct part *first = &f->parts[i];
		static uint8_t content[STREAM_MAX];
		size_t num = 0, k = 0;

		do {
			memcpy(content + num, f->bytes + f->parts[i].at, f->parts[i].len);
			num += f->parts[i++].len;
		} while (max && first->type == CT_HANDSHAKE && i < f->num && f->parts[i].type == first->type &&
			 f->parts[i].epoch == first->epoch);
		do {	/* once where there is no content */
			size_t n = max && first->type == CT_HANDSHAKE && num - k > max ? max : num - k;

			put_record(&taps[from], first->type, first->epoch, content + k, n, padding, bytes, &at);
			k += n;
		} while (k < num);
	}
	*len = at;
}

/* ---- changing ---- */

void flight_insert_record(struct flight *f, size_t i, uint8_t type, const void *content, size_t len, uint8_t epoch)
{
	assert_true(i <= f->num && f->num < PARTS_MAX && f->len + len <= sizeof(f->bytes));
	memmove(&f->parts[i + 1], &f->parts[i], (f->num - i) * sizeof(f->parts[0]));
	f->parts[i] = (struct part){ type, epoch, f->len, len };
	memmove(f->bytes + f->len, content, len);
	f->len += len;
	f->num++;
}

void flight_insert(struct flight *f, size_t i, uint8_t type, const void *body, size_t len, uint8_t epoch)
{
	uint8_t *msg = f->bytes + f->len;

	flight_insert_record(f, i, CT_HANDSHAKE, body, len, epoch);
	assert_true(f->len + MSG_HEADER_LEN <= sizeof(f->bytes));
	memmove(msg + MSG_HEADER_LEN, msg, len);
	msg[0] = type;
	store_be(msg + 1, 3, len);
	f->parts[i].len += MSG_HEADER_LEN;
	f->len += MSG_HEADER_LEN;
}

void flight_remove(struct flight *f, size_t i)
{
	assert_true(i < f->num);
	f->num--;
	memmove(&f->parts[i], &f->parts[i + 1], (f->num - i) * sizeof(f->parts[0]));
}
