/* SPDX-License-Identifier: MIT */
/* A client with sessions to offer, and its ClientHello as a server would read it. */
#ifndef TLS_OFFER_H
#define TLS_OFFER_H

#include "tls_hello.h"

#define RIGHT 0xfffe	/* no alert: the handshake goes on */
#define NOW_MS	INT64_C(1800000000000)

static struct tls_session kept[TLS_SESSIONS_MAX];
static const struct tls_session *const offered[] = { &kept[0], &kept[1], &kept[2], &kept[3] };

static const struct tls_session good = {
	.suite = TLS_AES_128_GCM_SHA256, .ticket_len = 100, .psk = "the key of a ticket", .age_add = 0xfffffff0,
	.lifetime_s = 1000, .max_early_data = 1000, .received_ms = NOW_MS - 500000, .not_after = 1800000100,
	.alpn_len = 2, .alpn = "h2",
};

static const uint8_t early[1000] = "early";

static inline void set_up(size_t num)
{
	drive_config.psk_modes = TLS_PSK_DHE_KE;
	drive_params.now_ms = NOW_MS;
	drive_params.sessions = offered;
	drive_params.num_sessions = num;
	for (size_t i = 0; i < num; i++) {
		kept[i] = good;
		memset(kept[i].ticket, (int)(i + 1), sizeof(kept[i].ticket));
		kept[i].psk[31] = (uint8_t)i;
	}
}

static inline int tear_down(void **state)
{
	(void)state;
	drive_config.psk_modes = 0;
	drive_config.externals = NULL;
	drive_config.num_externals = 0;
	drive_params.sessions = NULL;
	drive_params.num_sessions = drive_params.early_len = 0;
	drive_params.now_ms = 0;
	drive_params.early = NULL;
	return 0;
}

/**
 * struct seen - a ClientHello as a server would read it
 * @raw: with its header
 * @ids: the first byte of each identity; @ages: as they were sent
 */
struct seen {
	struct cursor raw, exts, binders;
	size_t num;
	uint8_t ids[8];
	size_t id_lens[8];
	uint32_t ages[8];
};

static inline bool find_ext(struct cursor exts, uint16_t type, struct cursor *out)
{
	uint16_t t;

	while (cur_u16(&exts, &t) && cur_vec(&exts, out, 2, 0, 65535))
		if (t == type)
			return true;
	return false;
}

static inline uint16_t last_ext(struct cursor exts)
{
	struct cursor data;
	uint16_t t = 0;

	while (cur_u16(&exts, &t) && cur_vec(&exts, &data, 2, 0, 65535))
		;
	return t;
}

static inline void read_hello(struct seen *h, const uint8_t *rec)
{
	struct cursor in = { rec + RECORD_HEADER_LEN, (size_t)(rec[3] << 8 | rec[4]) };
	struct cursor body = { 0 }, v = { 0 }, list = { 0 };
	const uint8_t *skip;
	uint8_t type;

	memset(h, 0, sizeof(*h));
	h->raw = in;
	assert_true(cur_u8(&in, &type) && type == HT_CLIENT_HELLO && cur_vec(&in, &body, 3, 0, 65535) && cur_empty(&in));
	assert_true(cur_bytes(&body, &skip, 2 + RANDOM_LEN) && cur_vec(&body, &v, 1, 0, 32) && cur_vec(&body, &v, 2, 2, 100) &&
		    cur_vec(&body, &v, 1, 1, 1) && cur_vec(&body, &h->exts, 2, 0, 65535) && cur_empty(&body));
	if (!find_ext(h->exts, 41, &v))
		return;
	assert_int_equal(last_ext(h->exts), 41);
	assert_true(cur_vec(&v, &list, 2, 7, 65535) && cur_vec(&v, &h->binders, 2, 33, 65535) && cur_empty(&v));
	for (; !cur_empty(&list); h->num++) {
		struct cursor id = { 0 };

		assert_true(cur_vec(&list, &id, 2, 1, 65535) && cur_uint(&list, &h->ages[h->num], 4));
		h->ids[h->num] = id.p[0];
		h->id_lens[h->num] = id.len;
	}
}

/* Each binder is the MAC, under the key of its session, of all that stands before the binders. */
static inline void check_binders(const struct seen *h, const struct transcript *before)
{
	struct cursor rest = h->binders, binder;

	for (size_t i = 0; i < h->num; i++) {
		const struct tls_session *s = &kept[h->ids[i] - 1];
		enum hash_id id = suite_find(s->suite)->hash;
		uint8_t hash[HASH_MAX], expected[HASH_MAX];
		struct keys_early e;

		transcript_hash_with(before, hash, id, h->raw.p, (size_t)(h->binders.p - 2 - h->raw.p));
		keys_early_init(&e, id, s->psk, hash_len(id));
		keys_binder(expected, &e, false, hash);
		assert_true(cur_vec(&rest, &binder, 1, 32, 255));
		assert_int_equal(binder.len, hash_len(id));
		assert_memory_equal(binder.p, expected, binder.len);
	}
	assert_true(cur_empty(&rest));
}

static inline void check_first_binders(const struct seen *h)
{
	struct transcript none;

	transcript_init(&none);
	check_binders(h, &none);
}

#endif
