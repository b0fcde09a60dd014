/* SPDX-License-Identifier: MIT */
/* build: writes messages of our own into a buffer whose size the caller has checked; too small a buffer aborts. */
#ifndef TLSHD_TLS_BUILD_H
#define TLSHD_TLS_BUILD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct build {
	uint8_t *p;
	size_t cap, len;
};

static inline uint8_t *put_space(struct build *b, size_t len)
{
	uint8_t *p = b->p + b->len;

	if (b->cap - b->len < len)
		abort();
	b->len += len;
	return p;
}

static inline void put_bytes(struct build *b, const void *p, size_t len)
{
	if (len)
		memcpy(put_space(b, len), p, len);
}

static inline void store_be(uint8_t *p, size_t width, uint64_t v)
{
	for (size_t i = width; i; i--, v >>= 8)
		p[i - 1] = (uint8_t)v;
}

static inline void put_uint(struct build *b, size_t width, uint32_t v)
{
	store_be(put_space(b, width), width, v);
}

static inline void put_u8(struct build *b, uint8_t v)
{
	put_uint(b, 1, v);
}

static inline void put_u16(struct build *b, uint16_t v)
{
	put_uint(b, 2, v);
}

/* Opens a vector whose length of @width bytes put_end() fills in; they nest. */
struct vec {
	size_t at, width;
};

static inline struct vec put_vec(struct build *b, size_t width)
{
	struct vec v = { b->len, width };

	put_space(b, width);
	return v;
}

static inline void put_end(struct build *b, struct vec v)
{
	size_t len = b->len - v.at - v.width;

	if (len >> (8 * v.width))
		abort();
	store_be(b->p + v.at, v.width, len);
}

#endif
