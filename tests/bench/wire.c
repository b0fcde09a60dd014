// SPDX-License-Identifier: MIT
/* What the libraries' halves share: bytes on their way, and the files of a case. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool wire_put(struct wire *w, const void *p, size_t len)
{
	if (sizeof(w->p) - w->len < len)
		return false;
	memcpy(w->p + w->len, p, len);
	w->len += len;
	return true;
}

size_t wire_take(struct wire *w, void *p, size_t max)
{
	size_t len = w->len - w->at < max ? w->len - w->at : max;

	memcpy(p, w->p + w->at, len);
	w->at += len;
	if (w->at == w->len)
		w->at = w->len = 0;
	return len;
}

const char *bench_path(const struct bench_case *what, const char *suffix)
{
	static char paths[4][512];
	static unsigned int next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s%s", what->certs, what->key, suffix);
	return path;
}

char *bench_read(const struct bench_case *what, const char *suffix, size_t *len)
{
	FILE *f = fopen(bench_path(what, suffix), "rb");
	const size_t max = 32 * 1024;
	char *p;

	if (!f)
		return NULL;
	p = malloc(max + 1);
	*len = p ? fread(p, 1, max, f) : 0;
	fclose(f);
	if (p)
		p[*len] = '\0';
	return p;
}
