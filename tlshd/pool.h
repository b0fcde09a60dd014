/* SPDX-License-Identifier: MIT */
/*
 * pool: a fixed number of equal objects of one thread. The address range is taken at once, its pages come with first
 * use and the last object given back is the next one handed out, so memory follows the load and never exceeds what was
 * promised.
 */
#ifndef TLSHD_POOL_H
#define TLSHD_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool {
	uint8_t *base;
	size_t object, num;	/* bytes of one, as spaced; how many */
	uint32_t *free;
	size_t num_free;
};

/**
 * pool_init() - @num objects of @object bytes, aligned to 64
 * Return: 0 or -ENOMEM.
 */
int pool_init(struct pool *p, size_t num, size_t object) __attribute__((warn_unused_result));
void pool_exit(struct pool *p);

void *pool_get(struct pool *p);		/* NULL: all are in use. The contents are zero or what the last user left */
void pool_put(struct pool *p, void *object);

/* The number of an object is the same each time it is handed out. */
uint32_t pool_index(const struct pool *p, const void *object);
void *pool_at(const struct pool *p, uint32_t index);

static inline size_t pool_used(const struct pool *p)
{
	return p->num - p->num_free;
}

/* Bytes that @num objects of @object bytes take at most. */
size_t pool_bound(size_t num, size_t object);

#endif
