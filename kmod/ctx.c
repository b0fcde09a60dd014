// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>
#include "ctx.h"
#include "early.h"
#include "pad.h"
#include "ticket.h"
#include "trace.h"

#define CTX_MAGIC 0x746c7364u

static unsigned int handshake_timeout_ms = 30000;
module_param(handshake_timeout_ms, uint, 0644);
MODULE_PARM_DESC(handshake_timeout_ms,
		 "longest handshake, and the time of one that names none (30000): bounds what a silent peer holds");

static void deadline(struct timer_list *timer)
{
	/* The overlay's reference: release waits for this function before it gives it up. */
	struct tlshd_ctx *ctx = container_of(timer, struct tlshd_ctx, deadline);

	tlshd_ctx_fail(ctx, ETIMEDOUT, "the handshake's deadline passed");
}

/**
 * tlshd_ctx_new() - a connection in state HANDSHAKING, charged to the caller, published nowhere
 * @sk: the application's; a reference is taken
 * @start: checked; its strings are copied into the request
 *
 * Return: one reference, or NULL without memory.
 */
struct tlshd_ctx *tlshd_ctx_new(struct sock *sk, const struct tlshd_start *start)
{
	struct tlshd_ctx *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);

	if (!ctx)
		return NULL;
	ctx->magic = CTX_MAGIC;
	ctx->state = TLSHD_S_HANDSHAKING;
	refcount_set(&ctx->ref, 1);
	sock_hold(sk);
	ctx->sk = sk;
	mutex_init(&ctx->mutex);
	mutex_init(&ctx->rx_mutex);
	mutex_init(&ctx->tx_mutex);
	mutex_init(&ctx->early_mutex);
	INIT_LIST_HEAD(&ctx->early);
	spin_lock_init(&ctx->lock);
	init_waitqueue_head(&ctx->wait);
	timer_setup(&ctx->deadline, deadline, 0);
	ctx->info.state = TLSHD_S_HANDSHAKING;
	ctx->info.alert_sent = TLSHD_ALERT_NONE;
	ctx->info.alert_received = TLSHD_ALERT_NONE;
	tlshd_req_init(&ctx->req, start);
	return ctx;
}

static void free_ctx(struct tlshd_ctx *ctx)
{
	WARN_ON(ctx->relayed || ctx->pad);
	tlshd_req_exit(&ctx->req);
	sock_put(ctx->sk);
	tlshd_early_free(ctx);
	kfree(ctx->rx_ticket);
	kfree(ctx->blob);
	/* tlshd_ctx_get() may be looking at ->ref. */
	kfree_rcu(ctx, rcu);
}

/**
 * tlshd_ctx_put() - give up a reference
 * @ctx: freed with the last one; by then both files are gone, so nothing is on a list, a queue or a timer
 */
void tlshd_ctx_put(struct tlshd_ctx *ctx)
{
	if (refcount_dec_and_test(&ctx->ref))
		free_ctx(ctx);
}

/**
 * tlshd_ctx_get() - the connection of a sock on which START was called
 * @sk: the caller holds its file
 *
 * Does not trust sk_user_data, which may be somebody else's: it goes by the pad.
 *
 * Return: a reference, or NULL.
 */
struct tlshd_ctx *tlshd_ctx_get(struct sock *sk)
{
	struct tlshd_ctx *ctx;

	/* A pad is freed a grace period after it left sk_socket, a ctx a grace period after its last reference. */
	rcu_read_lock();
	ctx = tlshd_pad_ctx(READ_ONCE(sk->sk_socket));
	if (ctx && (ctx->magic != CTX_MAGIC || !refcount_inc_not_zero(&ctx->ref)))
		ctx = NULL;
	rcu_read_unlock();
	return ctx;
}

/**
 * tlshd_ctx_of() - the connection of an overlaid socket, inside a call on it
 * @sk: of a socket whose table is the overlay's
 *
 * sk_user_data may have been overwritten: svc_addsock() does so unchecked before 7.3. Then the operation fails
 * closed; only release, which must undo the overlay, takes tlshd_ctx_get().
 *
 * Return: borrowed, valid until ->release, which no call on the file outlives; NULL if sk_user_data is no longer ours.
 */
struct tlshd_ctx *tlshd_ctx_of(struct sock *sk)
{
	struct tlshd_ctx *ctx;

	rcu_read_lock();
	ctx = rcu_dereference_sk_user_data(sk);
	rcu_read_unlock();
	if (!ctx || ctx->magic != CTX_MAGIC || ctx->sk != sk)
		return NULL;
	return ctx;
}

/**
 * tlshd_ctx_wake_app() - make whoever waits on the application's socket look again
 * @ctx: in any state, also after release
 *
 * Without a key: an epoll filter for EPOLLIN would drop a wake-up keyed EPOLLOUT. Not through sk_data_ready, which
 * belongs to net/tls's strparser and wants the socket lock. sk is ours to touch, and sk_wq, a part of the socket's
 * inode, is freed by RCU.
 */
void tlshd_ctx_wake_app(struct tlshd_ctx *ctx)
{
	struct socket_wq *wq;

	rcu_read_lock();
	wq = rcu_dereference(ctx->sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_all(&wq->wait);
	rcu_read_unlock();
}

static void wake_daemon(struct tlshd_ctx *ctx)
{
	/* lock: the handshake socket's release takes its queue away under it. */
	spin_lock_bh(&ctx->lock);
	if (ctx->hs_wait)
		wake_up_all(ctx->hs_wait);
	spin_unlock_bh(&ctx->lock);
}

/* Of what the daemon says of a connection, what it may say. The rest of INFO is the module's own knowledge. */
static void take_info(struct tlshd_info *to, const struct tlshd_info *from)
{
	to->flags |= from->flags & (TLSHD_I_RESUMED | TLSHD_I_CONFIRMED | TLSHD_I_EARLY_OFFERED |
				    TLSHD_I_EARLY_ACCEPTED | TLSHD_I_EARLY_REJECTED);
	to->suite = from->suite;
	to->group = from->group;
	to->sigscheme = from->sigscheme;
	to->auth = from->auth;
	to->alert_sent = from->alert_sent;
	to->alert_received = from->alert_received;
	to->full_handshake_time = from->full_handshake_time;
	memcpy(to->peer_leaf_sha256, from->peer_leaf_sha256, sizeof(to->peer_leaf_sha256));
	strscpy(to->peer_subject, from->peer_subject, sizeof(to->peer_subject));
	strscpy(to->alpn, from->alpn, sizeof(to->alpn));
	strscpy(to->server_name, from->server_name, sizeof(to->server_name));
}

/**
 * tlshd_ctx_begin_early() - early data may be read, and data be written
 * @ctx: its mutex held
 * @info: what the daemon knows by now
 *
 * Return: whether it was still HANDSHAKING.
 */
bool tlshd_ctx_begin_early(struct tlshd_ctx *ctx, const struct tlshd_info *info)
{
	bool won;

	spin_lock_bh(&ctx->lock);
	won = ctx->state == TLSHD_S_HANDSHAKING;
	if (won) {
		take_info(&ctx->info, info);
		ctx->info.flags &= ~TLSHD_I_CONFIRMED;
		memcpy(ctx->info.replay_token, info->replay_token, sizeof(ctx->info.replay_token));
		ctx->info.state = TLSHD_S_EARLY;
		smp_store_release(&ctx->state, TLSHD_S_EARLY);
	}
	spin_unlock_bh(&ctx->lock);
	return won;
}

/**
 * tlshd_ctx_complete() - end the handshake, once
 * @ctx: any reference
 * @verdict: borrowed
 *
 * DONE, the deadline, the application's shutdown and release, the handshake socket's release and a takeover all come
 * here, from process and timer context; one of them finds it running and changes that. No mutex is taken, so none of
 * them waits for a daemon or an application that does not move. Everything that INFO, SO_ERROR and START say is in
 * place before the state is.
 *
 * Return: whether this call ended it.
 */
bool tlshd_ctx_complete(struct tlshd_ctx *ctx, const struct tlshd_verdict *verdict)
{
	u32 state = verdict->error ? TLSHD_S_FAILED : TLSHD_S_OPEN;
	const char *reason = verdict->reason ?: verdict->info->reason;
	bool won;

	spin_lock_bh(&ctx->lock);
	won = tlshd_ctx_running(ctx);
	if (won) {
		if (verdict->info)
			take_info(&ctx->info, verdict->info);
		if (verdict->info && ctx->req.start.role == TLSHD_CLIENT)
			ctx->info.early_bytes = verdict->info->early_bytes;
		strscpy(ctx->info.reason, reason, sizeof(ctx->info.reason));
		ctx->info.error = verdict->error;
		ctx->info.state = state;
		/* Without a pad START has failed, or has not got that far: the socket stays what it was. */
		if (verdict->error && ctx->pad)
			WRITE_ONCE(ctx->sk->sk_err, verdict->error);
		smp_store_release(&ctx->state, state);
	}
	spin_unlock_bh(&ctx->lock);
	if (!won)
		return false;
	/* Not ctx's copy, which a reader may be changing by now. */
	trace_tlshd_end(ctx->sk, verdict->error, reason);
	tlshd_req_end(ctx);
	wake_up_all(&ctx->wait);
	tlshd_ctx_wake_app(ctx);
	wake_daemon(ctx);
	return true;
}

/**
 * tlshd_ctx_fail() - end the handshake with an error, unless it has ended
 * @ctx: any reference
 * @error: positive errno
 * @reason: in words
 *
 * Return: whether this call ended it.
 */
bool tlshd_ctx_fail(struct tlshd_ctx *ctx, int error, const char *reason)
{
	struct tlshd_verdict verdict = { .error = error, .reason = reason };

	return tlshd_ctx_complete(ctx, &verdict);
}

/**
 * tlshd_ctx_note_rx() - tell INFO what ended an open connection's receive side
 * @ctx: open
 * @error: positive errno
 * @reason: in words
 */
void tlshd_ctx_note_rx(struct tlshd_ctx *ctx, int error, const char *reason)
{
	spin_lock_bh(&ctx->lock);
	ctx->info.error = error;
	strscpy(ctx->info.reason, reason, sizeof(ctx->info.reason));
	spin_unlock_bh(&ctx->lock);
}

/**
 * tlshd_ctx_arm() - start the handshake's deadline
 * @ctx: before it is queued
 */
void tlshd_ctx_arm(struct tlshd_ctx *ctx)
{
	unsigned int limit = max(READ_ONCE(handshake_timeout_ms), 1u);
	unsigned int ms = ctx->req.start.timeout_ms ?: limit;

	mod_timer(&ctx->deadline, jiffies + msecs_to_jiffies(min(ms, limit)));
}

static int wait_until(struct tlshd_ctx *ctx, long timeo, bool (*ready)(const struct tlshd_ctx *))
{
	long left;

	if (!ready(ctx)) {
		if (!timeo)
			return -EAGAIN;
		left = wait_event_interruptible_timeout(ctx->wait, ready(ctx), timeo);
		if (left < 0)
			return sock_intr_errno(timeo);
		if (!left)
			return -EAGAIN;
	}
	return tlshd_ctx_state(ctx) == TLSHD_S_FAILED ? -(int)ctx->info.error : 0;
}

static bool ended(const struct tlshd_ctx *ctx)
{
	return !tlshd_ctx_running(ctx);
}

static bool writable(const struct tlshd_ctx *ctx)
{
	return tlshd_ctx_state(ctx) != TLSHD_S_HANDSHAKING;
}

static bool readable(const struct tlshd_ctx *ctx)
{
	return tlshd_early_pending(ctx) || ended(ctx);
}

/**
 * tlshd_ctx_wait_open() - hold a call back until the handshake has ended
 * @ctx: the caller is inside a call on the application's file
 * @timeo: jiffies to wait, 0 not to, as of sock_rcvtimeo()
 *
 * Return: 0 once open; -EAGAIN while it runs and @timeo is over; -ERESTARTSYS or -EINTR for a signal; the handshake's
 * error.
 */
int tlshd_ctx_wait_open(struct tlshd_ctx *ctx, long timeo)
{
	return wait_until(ctx, timeo, ended);
}

/**
 * tlshd_ctx_wait_writable() - likewise until data may be sent
 * @ctx: as above
 * @timeo: as above
 *
 * Return: 0 once open, or early; as above.
 */
int tlshd_ctx_wait_writable(struct tlshd_ctx *ctx, long timeo)
{
	return wait_until(ctx, timeo, writable);
}

/**
 * tlshd_ctx_wait_readable() - likewise until there may be something to read
 * @ctx: as above
 * @timeo: as above
 *
 * Return: 0 once open, or there is early data; as above.
 */
int tlshd_ctx_wait_readable(struct tlshd_ctx *ctx, long timeo)
{
	if (likely(tlshd_ctx_state(ctx) == TLSHD_S_OPEN))
		return 0;
	return wait_until(ctx, timeo, readable);
}
