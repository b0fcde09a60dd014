/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ctx: one connection, from START to the last of its two files.
 *
 *	application's file -> socket -> sk -----sk_user_data----> ctx
 *	                                 \---sk_socket--> pad --i_private--> ctx
 *	daemon's file -> handshake socket -> hs_sock -------------> ctx
 *
 * Two references: the overlay's, from START to the application's ->release, and the handshake socket's, until its own.
 * Whoever finds a ctx through sk takes a third (tlshd_ctx_get()), or is inside a call on a file and so keeps one of
 * the two.
 */
#ifndef _TLSHD_CTX_H
#define _TLSHD_CTX_H

#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include <net/sock.h>
#include "../uapi/tlshd_genl.h"
#include "req.h"

struct tlshd_pad;
struct tlshd_ticket;

/* What ended a handshake. */
struct tlshd_verdict {
	int error;			/* 0 opens, else a positive errno */
	const char *reason;		/* in words, or NULL: info's */
	const struct tlshd_info *info;	/* the daemon's fields, its reason terminated; or NULL with a reason */
};

/* Bits of tlshd_ctx.flags; each is set once and stays. */
enum tlshd_ctx_flags {
	TLSHD_CTX_TX_KEYS,		/* TLS_TX was set; the daemon writes no more */
	TLSHD_CTX_RX_KEYS,		/* TLS_RX was set; the daemon reads no more */
	TLSHD_CTX_TX_CLOSED,		/* an alert that ends sending was sent or received */
	TLSHD_CTX_RX_EOF,		/* the peer's close_notify is at the head, and stays there */
	TLSHD_CTX_SHUT_RD,		/* shutdown(SHUT_RD) came before OPEN and is due then */
	TLSHD_CTX_CONFIRM,		/* CONFIRM could not wait: EPOLLPRI tells when it would succeed */
	TLSHD_CTX_TX_MISSED,		/* a sender who may not wait found tx_mutex taken; cleared by who wakes it */
};

struct tlshd_ctx {
	u32 magic;
	u32 state;			/* enum tlshd_state; changes under lock: tlshd_ctx_begin_early(), _complete() */
	unsigned long flags;
	refcount_t ref;
	struct rcu_head rcu;

	struct sock *sk;		/* the application's; a reference is held until the ctx is freed */
	struct tlshd_pad *pad;		/* from START to release */
	struct module *base_owner;	/* of the table under ours: a reference that __sock_release() will not find */
	int rcvlowat;			/* the application's SO_RCVLOWAT, put back at OPEN */

	/*
	 * mutex: every call of the daemon on the application's connection, and the start of its release. Who holds it
	 * never sleeps in TCP (MSG_DONTWAIT) and touches no memory of a user, so a release waits for bounded work only.
	 * Order: mutex, rx_mutex or tx_mutex, socket lock, sk_callback_lock, lock, wait queues.
	 */
	struct mutex mutex;
	struct socket *sock;		/* the application's, NULL from its release on */
	wait_queue_entry_t relay;	/* on sock->wq while sock is set: wakes the handshake socket */
	bool relayed;

	spinlock_t lock;
	wait_queue_head_t *hs_wait;	/* the handshake socket's queue, NULL once it is released */
	struct tlshd_info info;		/* what TLSHD_INFO says of the handshake and of the receive side */

	wait_queue_head_t wait;		/* START and gated calls, for the end of the handshake; readers of early data */
	struct timer_list deadline;
	struct pid *interrupted;	/* compared, never followed: whose START a signal interrupted */
	struct tlshd_req req;

	struct mutex rx_mutex;		/* who consumes control records, and all of the receive state below */
	int rx_err;			/* sticky, negative */
	u32 rx_records;			/* control records consumed */
	u32 rx_skip;			/* bytes left of a handshake message that is being skipped */
	u8 rx_head[4], rx_head_len;	/* a message's head, cut by a record's end */
	struct tlshd_ticket *rx_ticket;	/* the message at hand, if it is kept */

	/*
	 * tx_mutex: every sender, outside net/tls's tx_lock (which ignores MSG_DONTWAIT). A blocked writer holds it
	 * for as long as its peer does not read, so shutdown, alerts and close only try it.
	 */
	struct mutex tx_mutex;

	struct mutex early_mutex;	/* who reads early data; taken before nothing else but lock */
	struct list_head early;		/* under lock: of a server to be read, of a client for the daemon */
	u32 early_len;			/* bytes in it that may be read */

	u16 blob_len;
	u8 *blob;			/* a client's, sealed by the daemon: comes back to it with each ticket */
};

struct tlshd_ctx *tlshd_ctx_new(struct sock *sk, const struct tlshd_start *start);
void tlshd_ctx_put(struct tlshd_ctx *ctx);
struct tlshd_ctx *tlshd_ctx_get(struct sock *sk);
struct tlshd_ctx *tlshd_ctx_of(struct sock *sk);
bool tlshd_ctx_begin_early(struct tlshd_ctx *ctx, const struct tlshd_info *info);
bool tlshd_ctx_complete(struct tlshd_ctx *ctx, const struct tlshd_verdict *verdict);
bool tlshd_ctx_fail(struct tlshd_ctx *ctx, int error, const char *reason);
void tlshd_ctx_note_rx(struct tlshd_ctx *ctx, int error, const char *reason);
void tlshd_ctx_wake_app(struct tlshd_ctx *ctx);
void tlshd_ctx_arm(struct tlshd_ctx *ctx);
int tlshd_ctx_wait_open(struct tlshd_ctx *ctx, long timeo);
int tlshd_ctx_wait_writable(struct tlshd_ctx *ctx, long timeo);
int tlshd_ctx_wait_readable(struct tlshd_ctx *ctx, long timeo);

static inline u32 tlshd_ctx_state(const struct tlshd_ctx *ctx)
{
	return smp_load_acquire(&ctx->state);
}

/* Does the daemon still shake hands? */
static inline bool tlshd_ctx_running(const struct tlshd_ctx *ctx)
{
	u32 state = tlshd_ctx_state(ctx);

	return state == TLSHD_S_HANDSHAKING || state == TLSHD_S_EARLY;
}

static inline void tlshd_ctx_hold(struct tlshd_ctx *ctx)
{
	refcount_inc(&ctx->ref);
}

#endif
