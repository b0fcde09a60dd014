// SPDX-License-Identifier: MIT
/* Counts the heap below every library of this program alike. One thread; glibc only. */
#include "bench.h"

#include <malloc.h>

extern void *__libc_malloc(size_t len);
extern void *__libc_realloc(void *p, size_t len);
extern void *__libc_calloc(size_t num, size_t len);
extern void __libc_free(void *p);

static size_t live, peak;

size_t heap_live(void)
{
	return live;
}

size_t heap_peak(void)
{
	return peak;
}

void heap_mark(void)
{
	peak = live;
}

static void *counted(void *p)
{
	live += malloc_usable_size(p);
	if (live > peak)
		peak = live;
	return p;
}

void *malloc(size_t len)
{
	return counted(__libc_malloc(len));
}

void *calloc(size_t num, size_t len)
{
	return counted(__libc_calloc(num, len));
}

void *realloc(void *old, size_t len)
{
	size_t had = malloc_usable_size(old);
	void *p = __libc_realloc(old, len);

	if (!p && len)
		return NULL;
	live -= had;
	return counted(p);
}

void free(void *p)
{
	live -= malloc_usable_size(p);
	__libc_free(p);
}
