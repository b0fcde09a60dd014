// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/tls.h>
#include <net/sock.h>
#include "ktls.h"
#include "overlay.h"
#include "record.h"
#include "tx.h"

/* RFC 8446 section 5.5 allows 2^24.5 records under one AES-GCM key. */
#define MAX_RECORDS (1u << 24)
/*
 * Records that net/tls may make beyond one for each 16 KiB: one left open by MSG_MORE, and ones cut by a full
 * scatterlist.
 */
#define RECORDS_SLACK 4
/* Kept back for alerts. */
#define RECORDS_RESERVE 4

static unsigned int max_tx_records = MAX_RECORDS;
module_param(max_tx_records, uint, 0644);
MODULE_PARM_DESC(max_tx_records,
		 "records sent under one AES-GCM key (16777216, the most that is safe); smaller for tests");

static bool key_worn(const struct tlshd_ctx *ctx, size_t size)
{
	u64 limit = min(READ_ONCE(max_tx_records), MAX_RECORDS);

	if (!tlshd_ktls_wears(ctx->info.suite))
		return false;
	return tlshd_ktls_tx_seq(ctx->sk) + size / TLSHD_RECORD_MAX + RECORDS_SLACK + RECORDS_RESERVE >= limit;
}

/*
 * A sender that may not wait and finds tx_mutex taken says EAGAIN, though the socket may have room: no edge of
 * EPOLLOUT would come. So it leaves a mark, and who lets the mutex go wakes. Either the second try sees it free or
 * end() sees the mark.
 */
static bool try_tx(struct tlshd_ctx *ctx)
{
	if (mutex_trylock(&ctx->tx_mutex))
		return true;
	set_bit(TLSHD_CTX_TX_MISSED, &ctx->flags);
	smp_mb__after_atomic();
	return mutex_trylock(&ctx->tx_mutex);
}

/**
 * tlshd_tx_begin() - become the sender of a connection that is open or early
 * @ctx: the caller is inside a call on the application's file
 * @flags: MSG_DONTWAIT not to wait for another sender; MSG_NOSIGNAL for no SIGPIPE
 * @size: bytes to be sent
 *
 * Return: 0, then tlshd_tx_end() is due; -EAGAIN; -ERESTARTSYS; -EPIPE after close_notify or a fatal alert of either
 * side; -EKEYEXPIRED if the key has protected as many records as is safe.
 */
int tlshd_tx_begin(struct tlshd_ctx *ctx, int flags, size_t size)
{
	int err = 0;

	if (flags & MSG_DONTWAIT) {
		if (!try_tx(ctx))
			return -EAGAIN;
	} else if (mutex_lock_interruptible(&ctx->tx_mutex)) {
		return -ERESTARTSYS;
	}
	if (test_bit(TLSHD_CTX_TX_CLOSED, &ctx->flags))
		err = -EPIPE;
	else if (unlikely(key_worn(ctx, size)))
		err = -EKEYEXPIRED;
	if (!err)
		return 0;
	tlshd_tx_end(ctx);
	if (err == -EPIPE && !(flags & MSG_NOSIGNAL))
		send_sig(SIGPIPE, current, 0);
	return err;
}

/**
 * tlshd_tx_end() - let the next sender in
 * @ctx: after tlshd_tx_begin()
 */
void tlshd_tx_end(struct tlshd_ctx *ctx)
{
	mutex_unlock(&ctx->tx_mutex);
	smp_mb();
	if (test_bit(TLSHD_CTX_TX_MISSED, &ctx->flags) && test_and_clear_bit(TLSHD_CTX_TX_MISSED, &ctx->flags))
		tlshd_ctx_wake_app(ctx);
}

/*
 * Before the client's Finished the daemon still reads from this connection: an application that stalled in a fault
 * inside net/tls would hold the socket lock, and with it a thread of the daemon. So its data is copied first.
 * tx_mutex held.
 */
static int send_early(struct tlshd_ctx *ctx, struct socket *sock, struct msghdr *msg, size_t size)
{
	size_t max = min_t(size_t, size, TLSHD_RECORD_MAX), total = 0;
	struct msghdr inner = { .msg_flags = msg->msg_flags };
	void *buf = kvmalloc(max ?: 1, GFP_KERNEL_ACCOUNT);
	struct kvec vec;
	int ret = -ENOMEM;

	if (!buf)
		return ret;
	do {
		vec = (struct kvec){ buf, min(size - total, max) };
		ret = -EFAULT;
		if (!copy_from_iter_full(buf, vec.iov_len, &msg->msg_iter))
			break;
		inner.msg_flags = msg->msg_flags | (total + vec.iov_len < size ? MSG_MORE : 0);
		iov_iter_kvec(&inner.msg_iter, ITER_SOURCE, &vec, 1, vec.iov_len);
		ret = tlshd_base(ctx)->sendmsg(sock, &inner, vec.iov_len);
		if (ret > 0)
			total += ret;
		iov_iter_revert(&msg->msg_iter, vec.iov_len - max(ret, 0));
	} while (ret == vec.iov_len && total < size);
	kvfree_sensitive(buf, max);
	return total ?: ret;
}

/**
 * tlshd_tx_sendmsg() - send application data
 * @ctx: open or early
 * @sock: the application's
 * @msg: its message; its control data is not passed on, for it could set record types. MSG_WAITALL, which io_uring
 *	sets for sends, and MSG_EOR, which 6.1 does not know, would be EOPNOTSUPP below; neither means a thing here
 * @size: of the message
 *
 * Return: bytes sent, or an errno of tlshd_tx_begin() or net/tls.
 */
int tlshd_tx_sendmsg(struct tlshd_ctx *ctx, struct socket *sock, struct msghdr *msg, size_t size)
{
	unsigned int flags = msg->msg_flags;
	size_t control_len = msg->msg_controllen;
	void *control = msg->msg_control;
	int ret = tlshd_tx_begin(ctx, flags, size);

	if (ret)
		return ret;
	msg->msg_flags &= ~(MSG_WAITALL | MSG_EOR);
	msg->msg_control = NULL;
	msg->msg_controllen = 0;
	if (unlikely(tlshd_ctx_state(ctx) == TLSHD_S_EARLY) && user_backed_iter(&msg->msg_iter))
		ret = send_early(ctx, sock, msg, size);
	else
		ret = tlshd_base(ctx)->sendmsg(sock, msg, size);
	msg->msg_control = control;
	msg->msg_controllen = control_len;
	msg->msg_flags = flags;
	tlshd_tx_end(ctx);
	return ret;
}

/**
 * tlshd_tx_record() - send one record that is not data, without waiting
 * @ctx: tx_mutex held, or no other sender can exist yet
 * @sock: the application's
 * @type: ContentType
 * @data: its content
 * @len: up to TLSHD_POST_MAX, so that it is one record, sent whole or not at all
 *
 * Return: 0, or an errno of net/tls: -EAGAIN if there is no room.
 */
int tlshd_tx_record(struct tlshd_ctx *ctx, struct socket *sock, u8 type, const void *data, size_t len)
{
	union {
		struct cmsghdr head;
		u8 space[CMSG_SPACE(sizeof(type))];
	} control = { .head = {
		.cmsg_level = SOL_TLS, .cmsg_type = TLS_SET_RECORD_TYPE, .cmsg_len = CMSG_LEN(sizeof(type)),
	} };
	struct msghdr msg = {
		.msg_control = &control, .msg_controllen = sizeof(control), .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
	};
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
	int ret;

	*(u8 *)CMSG_DATA(&control.head) = type;
	iov_iter_kvec(&msg.msg_iter, ITER_SOURCE, &vec, 1, len);
	ret = tlshd_base(ctx)->sendmsg(sock, &msg, len);
	return ret < 0 ? ret : 0;
}

/**
 * tlshd_tx_alert() - send the last record of an open connection, if nobody is sending
 * @ctx: open
 * @sock: the application's
 * @alert: AlertDescription
 *
 * Never waits: shutdown and close are the usual way to free a writer that a peer blocks, and he holds tx_mutex.
 */
void tlshd_tx_alert(struct tlshd_ctx *ctx, struct socket *sock, u8 alert)
{
	u8 record[2] = { alert == TLSHD_ALERT_CLOSE_NOTIFY ? 1 : 2, alert };	/* warning or fatal */
	int err;

	if (!mutex_trylock(&ctx->tx_mutex))
		return;
	if (!test_and_set_bit(TLSHD_CTX_TX_CLOSED, &ctx->flags)) {
		err = tlshd_tx_record(ctx, sock, TLSHD_RECORD_ALERT, record, sizeof(record));
		if (!err) {
			spin_lock_bh(&ctx->lock);
			ctx->info.alert_sent = alert;
			spin_unlock_bh(&ctx->lock);
		}
	}
	tlshd_tx_end(ctx);
}
