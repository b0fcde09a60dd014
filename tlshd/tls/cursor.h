/* SPDX-License-Identifier: MIT */
/*
 * cursor: reads a peer's bytes and cannot overrun. Every function returns false, and leaves the cursor where it was, if
 * there are not enough bytes; what a vector holds becomes a cursor of its own, so no length is ever handled twice.
 */
#ifndef TLSHD_TLS_CURSOR_H
#define TLSHD_TLS_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CURSOR_MUST_CHECK __attribute__((warn_unused_result))

struct cursor {
	const uint8_t *p;
	size_t len;
};

static inline bool cur_empty(const struct cursor *c)
{
	return !c->len;
}

static inline bool cur_bytes(struct cursor *c, const uint8_t **out, size_t len) CURSOR_MUST_CHECK;
static inline bool cur_bytes(struct cursor *c, const uint8_t **out, size_t len)
{
	if (c->len < len)
		return false;
	*out = c->p;
	c->p += len;
	c->len -= len;
	return true;
}

/* A big-endian number of @width bytes, at most 4. */
static inline bool cur_uint(struct cursor *c, uint32_t *out, size_t width) CURSOR_MUST_CHECK;
static inline bool cur_uint(struct cursor *c, uint32_t *out, size_t width)
{
	const uint8_t *p;

	if (!cur_bytes(c, &p, width))
		return false;
	*out = 0;
	for (size_t i = 0; i < width; i++)
		*out = *out << 8 | p[i];
	return true;
}

static inline bool cur_u8(struct cursor *c, uint8_t *out) CURSOR_MUST_CHECK;
static inline bool cur_u8(struct cursor *c, uint8_t *out)
{
	uint32_t v;

	if (!cur_uint(c, &v, 1))
		return false;
	*out = (uint8_t)v;
	return true;
}

static inline bool cur_u16(struct cursor *c, uint16_t *out) CURSOR_MUST_CHECK;
static inline bool cur_u16(struct cursor *c, uint16_t *out)
{
	uint32_t v;

	if (!cur_uint(c, &v, 2))
		return false;
	*out = (uint16_t)v;
	return true;
}

/* A vector behind a length of @width bytes: <@min..@max> as the RFC writes it, in bytes. */
static inline bool cur_vec(struct cursor *c, struct cursor *out, size_t width, size_t min,
			   size_t max) CURSOR_MUST_CHECK;
static inline bool cur_vec(struct cursor *c, struct cursor *out, size_t width, size_t min, size_t max)
{
	struct cursor tmp = *c;
	uint32_t len;

	if (!cur_uint(&tmp, &len, width) || len < min || len > max || !cur_bytes(&tmp, &out->p, len))
		return false;
	out->len = len;
	*c = tmp;
	return true;
}

/* A vector of 2-byte numbers: as cur_vec(), and of even length. */
static inline bool cur_vec_u16(struct cursor *c, struct cursor *out, size_t width, size_t max) CURSOR_MUST_CHECK;
static inline bool cur_vec_u16(struct cursor *c, struct cursor *out, size_t width, size_t max)
{
	return cur_vec(c, out, width, 2, max) && out->len % 2 == 0;
}

/* Is @v in this list of 2-byte numbers? */
static inline bool cur_has_u16(struct cursor list, uint16_t v)
{
	uint16_t x;

	while (cur_u16(&list, &x))
		if (x == v)
			return true;
	return false;
}

#endif
