/* SPDX-License-Identifier: MIT */
/*
 * conn: handshakes in flight, and the only mediator between engine, loop, upcall, signer and kTLS. A set of them
 * belongs to one thread. A handshake costs one slot, a receive buffer only while part of a record is in it, and a send
 * buffer only while the peer does not read; each of the three comes from a pool with as many as there are slots, so
 * none ever waits for another.
 */
#ifndef TLSHD_CONN_H
#define TLSHD_CONN_H

#include <stdatomic.h>

#include "loop.h"
#include "policy.h"
#include "pool.h"
#include "sessions.h"
#include "signer_client.h"
#include "upcall.h"

struct conn;

/* Written by the set's thread, read by any. */
struct conn_stats {
	_Atomic uint64_t opened, failed, refused;
	_Atomic uint64_t resumed;	/* of those opened */
	_Atomic uint64_t early[REPLAY_VERDICTS];	/* early data that the table of replays was asked for */
	_Atomic uint64_t gone;		/* ended by the application or the module before we were done */
};

/**
 * struct conn_set - all handshakes of one thread
 * @sessions: of all threads
 * @chains: verdicts on peers' certificates, of this thread
 * @active: those in slots that are in use, oldest first
 * @scratch: TLS_TX_CAP bytes that the engine writes to
 * @last: where the next one is appended
 * @tick_ms: when deadlines are looked at next
 */
struct conn_set {
	struct loop *loop;
	const struct policy *policy;
	struct signer_client *signer;
	struct sessions *sessions;
	struct x509_cache *chains;
	struct pool slots, rx, tx;
	struct conn *active, *last;
	int64_t tick_ms;
	uint8_t *scratch;
	struct conn_stats stats;
};

/**
 * conn_set_init() - @num slots
 * @loop: must allow @num polls more; @policy, @sessions: borrowed
 *
 * Return: 0 or -ENOMEM, with nothing to undo.
 */
int conn_set_init(struct conn_set *s, struct loop *loop, const struct policy *policy, struct sessions *sessions,
		  uint32_t num) __attribute__((warn_unused_result));

/* conn_set_exit() - forget them all; the loop must not run again */
void conn_set_exit(struct conn_set *s);

/* Bytes that a set of @num slots takes at most, what libcrypto allocates for a chain under verification not counted. */
size_t conn_set_bound(uint32_t num);

/**
 * conn_start() - judge a request and begin its handshake
 * @req: its descriptor is the set's from now on
 *
 * There must be a free slot (conn_set_room()). Every request ends in exactly one DONE or finds it ended already.
 */
void conn_start(struct conn_set *s, const struct upcall_request *req);

static inline size_t conn_set_room(const struct conn_set *s)
{
	return s->slots.num_free;
}

/**
 * conn_set_tick() - end handshakes whose deadline has passed; once each turn of the loop
 * Return: milliseconds until it must be called again, -1 if nothing is in flight.
 */
int conn_set_tick(struct conn_set *s);

#endif
