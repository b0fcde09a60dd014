// SPDX-License-Identifier: MIT
#include "pool.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGN 64

static size_t spaced(size_t object)
{
	return (object + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

size_t pool_bound(size_t num, size_t object)
{
	return num * (spaced(object) + sizeof(uint32_t));
}

int pool_init(struct pool *p, size_t num, size_t object)
{
	memset(p, 0, sizeof(*p));
	p->object = spaced(object);
	p->num = p->num_free = num;
	p->free = malloc(num * sizeof(*p->free));
	if (!p->free)
		return -ENOMEM;
	p->base = mmap(NULL, num * p->object, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p->base == MAP_FAILED) {
		free(p->free);
		memset(p, 0, sizeof(*p));
		return -ENOMEM;
	}
	for (size_t i = 0; i < num; i++)
		p->free[i] = (uint32_t)(num - 1 - i);
	return 0;
}

void pool_exit(struct pool *p)
{
	if (p->base)
		munmap(p->base, p->num * p->object);
	free(p->free);
	memset(p, 0, sizeof(*p));
}

void *pool_get(struct pool *p)
{
	return p->num_free ? pool_at(p, p->free[--p->num_free]) : NULL;
}

void pool_put(struct pool *p, void *object)
{
	assert(p->num_free < p->num);
	p->free[p->num_free++] = pool_index(p, object);
}

uint32_t pool_index(const struct pool *p, const void *object)
{
	size_t off = (size_t)((const uint8_t *)object - p->base);

	assert(off < p->num * p->object && off % p->object == 0);
	return (uint32_t)(off / p->object);
}

void *pool_at(const struct pool *p, uint32_t index)
{
	assert(index < p->num);
	return p->base + index * p->object;
}
