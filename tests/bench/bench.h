/* SPDX-License-Identifier: MIT */
/* bench: what a library provides to be measured in memory; bench.c drives it, the script `bench` compares. */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bench_role { BENCH_CLIENT, BENCH_SERVER };

/* Bytes on their way: appended at @len, taken from @at. */
struct wire {
	uint8_t p[64 * 1024];
	size_t at, len;
};

/**
 * struct bench_case - what is measured
 * @key: p256, ed25519, rsa2048; names the files in @certs
 * @group: x25519, p256
 * @suite: aes128, aes256, chacha
 * @remember: clients have verified the chain before, and may know that
 */
struct bench_case {
	const char *key, *group, *suite, *certs;
	bool remember;
};

/**
 * struct bench_peer - one library
 * @setup: once; false if it cannot do this case
 * @open: a connection of that role, the client's for "localhost" and with its chain verified; NULL on failure
 * @step: take from @in, add to @out; 1 once complete, 0 while it wants more, -1 on failure
 * @close: free it
 * @once: instead of the three above: one server handshake's work, without a peer
 * @between: before each @once and not measured, at the caller's wish: what a client in the same process does to the caches
 * @detail: after a handshake: figures of its own as "name=bytes ...", or NULL
 */
struct bench_peer {
	const char *name;
	const char *(*version)(void);
	bool (*setup)(const struct bench_case *what);
	void *(*open)(enum bench_role role);
	int (*step)(void *conn, struct wire *in, struct wire *out);
	void (*close)(void *conn);
	bool (*once)(void);
	bool (*between)(void);
	const char *(*detail)(void);
};

extern const struct bench_peer bench_peer;

bool wire_put(struct wire *w, const void *p, size_t len);	/* false: no room */
size_t wire_take(struct wire *w, void *p, size_t max);

const char *bench_path(const struct bench_case *what, const char *suffix);	/* valid until the fourth call after it */
char *bench_read(const struct bench_case *what, const char *suffix, size_t *len);	/* malloc'd, NUL-terminated, or NULL */

/* heap.c: every byte that malloc gave, whoever asked */
size_t heap_live(void);
size_t heap_peak(void);		/* highest heap_live() since heap_mark() */
void heap_mark(void);

#endif
