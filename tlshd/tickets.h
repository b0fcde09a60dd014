/* SPDX-License-Identifier: MIT */
/*
 * tickets: the keys under which a server's session tickets are sealed, and the sealing.
 *
 * Time is cut into intervals, each with a key and a random name for it. The supervisor makes a key before its interval
 * begins and wipes it when no ticket under it can be valid any more. The keys stand in memory that it shares with the
 * worker, which may read and not write: a worker that is started anew finds them there, and one that was taken over
 * has these and no others. Who reads takes no lock.
 *
 *	        | now-keep  ...  now-1 |  now  | now+1 |
 *	wiped   |        opens         | seals | there for a host with which the secret is shared, whose clock is ahead
 *
 * A ticket is the key's name, a random nonce and what XChaCha20-Poly1305 made of the engine's state, under a key
 * derived from the interval's and the profile: of another profile's ticket none can make anything.
 */
#ifndef TLSHD_TICKETS_H
#define TLSHD_TICKETS_H

#include "replay.h"
#include "tls/tls.h"

#define TICKETS_KEYS_MAX	32
/* How many intervals a lifetime may take. */
#define TICKETS_KEEP_MAX	(TICKETS_KEYS_MAX - 2)
#define TICKETS_SECRET_MIN	32	/* bytes of a file that keys are derived from */
#define TICKETS_SECRET_MAX	4096

/* ---- the supervisor's side ---- */

struct tickets_maker;

/**
 * tickets_maker_open() - the shared memory, without a key yet
 * @interval_s: at least 1, and so that @lifetime_s takes at most TICKETS_KEEP_MAX of it
 * @lifetime_s: the longest that a ticket may be valid
 * @secret_fd: -1: each key is random, known to nobody else; or a file of TICKETS_SECRET_MIN to TICKETS_SECRET_MAX
 *	bytes: keys follow from them, the interval's length and its number since the epoch, so that all who have the
 *	same make the same keys
 *
 * Holds secrets: the memory is locked (a warning is logged if it cannot be) and left out of a core dump.
 * Return: 0; -EINVAL the file's length is wrong; or what pread(2), memfd_create(2), fcntl(2) and mmap(2) say.
 */
int tickets_maker_open(struct tickets_maker **out, uint32_t interval_s, uint32_t lifetime_s, int secret_fd)
	__attribute__((warn_unused_result));
void tickets_maker_close(struct tickets_maker *m);	/* wipes every key; NULL is fine */
int tickets_maker_fd(const struct tickets_maker *m);	/* the shared memory, for tickets_map() */

/**
 * tickets_maker_turn() - make the keys that are due, then wipe those that are over
 * @now_s: since the epoch; may jump either way
 *
 * Return: seconds until it has to be called again, at least 1.
 */
int64_t tickets_maker_turn(struct tickets_maker *m, int64_t now_s);

/* ---- the worker's side ---- */

struct tickets;

/**
 * tickets_map() - what tickets_maker_fd() gave, to be read
 * @out: out: valid until the process ends, or tickets_unmap()
 *
 * Return: 0; -EINVAL if it is none, or could be changed by who has it; or what mmap(2) says.
 */
int tickets_map(const struct tickets **out, int fd) __attribute__((warn_unused_result));
void tickets_unmap(const struct tickets *t);
size_t tickets_bound(void);	/* bytes of it */

/**
 * struct tickets_use - one connection's, what tickets_ops want as their argument
 * @keys: borrowed
 * @scope: 32 bytes, borrowed: whose tickets (tls_config.scope)
 * @replay: borrowed; NULL: no early data is accepted, and no ticket of now will ever allow any
 * @offered, @verdict: out: early data came for which the table was asked, and what it said
 * @token: out: then a name for this early data, the same each time it is sent
 */
struct tickets_use {
	const struct tickets *keys;
	const uint8_t *scope;
	struct replay *replay;
	bool offered;
	enum replay_verdict verdict;
	uint8_t token[32];
};

/* For tls_params.tickets. Tickets are sealed with the domain of the replay table, and opened if nobody changed them. */
extern const struct tls_ticket_ops tickets_ops;

#endif
