/* SPDX-License-Identifier: MIT */
/*
 * replay: has this early data been accepted before? One table for all threads of the worker, lock-free but where a
 * window ends. RFC 8446 section 8: each binder is taken once while its ticket's age is fresh, and only of tickets that
 * this table has seen made: a table that could have missed something (a new one, after a suspend or a set clock) is a
 * new domain, and early data of tickets from another is refused. In doubt it is refused; the handshake goes on.
 */
#ifndef TLSHD_REPLAY_H
#define TLSHD_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct replay;

enum replay_verdict {
	REPLAY_FRESH,		/* taken, for the first time */
	REPLAY_SEEN,		/* again */
	REPLAY_STALE,		/* the ticket's age is not what the client says: an old flight */
	REPLAY_FOREIGN,		/* a ticket of another domain */
	REPLAY_FULL,		/* or in doubt, which is rare */
	REPLAY_VERDICTS
};

/* What the clocks say, in ms: CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_MONOTONIC. */
struct replay_clocks {
	int64_t real, boot, mono;
};

/**
 * replay_open() - an empty table, which is a new domain
 * @num: binders that it can hold for a window; memory is 48 bytes for each, touched as it fills
 * @window_ms: how far a ticket's age may be off
 *
 * A binder is kept for at least one span of twice the window and 2 s, for two at most.
 * Return: 0 or -ENOMEM.
 */
int replay_open(struct replay **out, uint32_t num, uint32_t window_ms) __attribute__((warn_unused_result));
void replay_close(struct replay *r);		/* NULL is fine */
size_t replay_bound(uint32_t num);

void replay_clocks(struct replay_clocks *out);

/* The domain that tickets made now belong to. */
uint64_t replay_domain(struct replay *r, const struct replay_clocks *now);

/**
 * replay_check() - may this early data be accepted?
 * @binder: verified; at least 32 bytes
 * @skew_ms: the ticket's age as the client has it, less ours
 * @domain: of its ticket
 */
enum replay_verdict replay_check(struct replay *r, const struct replay_clocks *now, const uint8_t *binder,
				 int64_t skew_ms, uint64_t domain);

#endif
