// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/tls.h>
#include <net/sock.h>
#include "early.h"
#include "overlay.h"
#include "record.h"
#include "ticket.h"
#include "trace.h"
#include "tx.h"

/*
 * Control records that a peer may send on one connection: tickets come by the handful. It bounds what a flood of them
 * costs.
 */
#define MAX_CONTROL 1024
/* Control records that close() takes away so that TCP answers with FIN instead of RST. It must not wait for a peer. */
#define MAX_DRAIN 16

/* Tickets of one connection that are handed on: no server has a use for more at a time. */
#define MAX_TICKETS 8

#define MSG_NEW_SESSION_TICKET	4	/* HandshakeType, RFC 8446 B.3 */
#define MSG_KEY_UPDATE		24

/* What became of a control record. Negative and 0 are what the reader gets, now and for ever. */
enum {
	RX_EOF		= 0,
	RX_CONSUME	= 1,	/* understood; take it off the queue */
	RX_NONE		= 2,	/* there is none: data, nothing, or another reader was quicker */
};

/* Take, or with MSG_PEEK look at, what is at the head. Without waiting. Return: length, or a negative errno. */
static int head(struct tlshd_ctx *ctx, struct socket *sock, void *buf, size_t len, int flags, u8 *type)
{
	union {
		struct cmsghdr head;
		u8 space[CMSG_SPACE(sizeof(*type))];
	} control;
	struct msghdr msg = { .msg_control = &control, .msg_controllen = sizeof(control) };
	struct kvec vec = { .iov_base = buf, .iov_len = len };
	int n;

	*type = 0;
	iov_iter_kvec(&msg.msg_iter, ITER_DEST, &vec, 1, len);
	n = tlshd_base(ctx)->recvmsg(sock, &msg, len, flags | MSG_DONTWAIT);
	if (n >= 0 && msg.msg_controllen < sizeof(control) &&
	    control.head.cmsg_level == SOL_TLS && control.head.cmsg_type == TLS_GET_RECORD_TYPE)
		*type = *(u8 *)CMSG_DATA(&control.head);
	return n;
}

/* rx_mutex held. The peer broke the protocol, or did what we cannot follow: tell it, and every reader from now on. */
static int fail(struct tlshd_ctx *ctx, struct socket *sock, int error, u8 alert, const char *reason)
{
	tlshd_tx_alert(ctx, sock, alert);
	tlshd_ctx_note_rx(ctx, error, reason);
	WRITE_ONCE(ctx->rx_err, -error);
	return -error;
}

static int alert(struct tlshd_ctx *ctx, struct socket *sock, const u8 *buf, int len)
{
	char reason[32];

	/* RFC 8446 section 5.1: an alert is a record of its own. */
	if (len != 2)
		return fail(ctx, sock, EPROTO, TLSHD_ALERT_DECODE_ERROR, "the peer sent a malformed alert");
	spin_lock_bh(&ctx->lock);
	ctx->info.alert_received = buf[1];
	if (buf[1] == TLSHD_ALERT_CLOSE_NOTIFY)
		ctx->info.flags |= TLSHD_I_CLEAN_CLOSE;
	spin_unlock_bh(&ctx->lock);
	if (buf[1] == TLSHD_ALERT_CLOSE_NOTIFY) {
		/* Left at the head: poll stays readable and every read comes here again. */
		set_bit(TLSHD_CTX_RX_EOF, &ctx->flags);
		return RX_EOF;
	}
	if (buf[1] == TLSHD_ALERT_USER_CANCELED)
		return RX_CONSUME;	/* a close_notify follows, section 6.1 */
	/* Section 6: whatever its level, it is fatal; no alert answers it. */
	set_bit(TLSHD_CTX_TX_CLOSED, &ctx->flags);
	snprintf(reason, sizeof(reason), "the peer sent alert %u", buf[1]);
	tlshd_ctx_note_rx(ctx, EPROTO, reason);
	WRITE_ONCE(ctx->rx_err, -EPROTO);
	return -EPROTO;
}

/* A message begins: its header is there. */
static int message(struct tlshd_ctx *ctx, struct socket *sock, u8 type, u32 len)
{
	if (type == MSG_NEW_SESSION_TICKET && ctx->req.start.role == TLSHD_CLIENT) {
		u32 n;

		spin_lock_bh(&ctx->lock);
		n = ++ctx->info.tickets;
		spin_unlock_bh(&ctx->lock);
		if (n <= MAX_TICKETS)
			ctx->rx_ticket = tlshd_ticket_new(ctx, ctx->rx_head, len);
		return RX_CONSUME;
	}
	if (type == MSG_KEY_UPDATE) {
		spin_lock_bh(&ctx->lock);
		ctx->info.rx_key_updates++;
		spin_unlock_bh(&ctx->lock);
		return fail(ctx, sock, EKEYEXPIRED, TLSHD_ALERT_INTERNAL_ERROR,
			    "the peer changed its key (KeyUpdate), which this version does not follow");
	}
	return fail(ctx, sock, EPROTO, TLSHD_ALERT_UNEXPECTED_MESSAGE, "the peer sent an unexpected handshake message");
}

/* Bytes of the message at hand have gone by, at @p: kept where it is a ticket that is. */
static void body(struct tlshd_ctx *ctx, const u8 *p, u32 len)
{
	ctx->rx_skip -= len;
	if (!ctx->rx_ticket)
		return;
	tlshd_ticket_add(ctx->rx_ticket, p, len);
	if (ctx->rx_skip)
		return;
	tlshd_ticket_queue(ctx, ctx->rx_ticket);
	ctx->rx_ticket = NULL;
}

/*
 * Messages may share a record and be cut by its end; a ticket's content is not looked at. That data does not come between
 * the parts of a message (section 5.1) is not checked: nothing of a message is kept that data could be taken for.
 */
static int handshake(struct tlshd_ctx *ctx, struct socket *sock, const u8 *buf, int len)
{
	u32 n;
	int ret;

	if (!len)
		return fail(ctx, sock, EPROTO, TLSHD_ALERT_UNEXPECTED_MESSAGE,
			    "the peer sent an empty handshake record");
	while (len) {
		n = min_t(u32, len, ctx->rx_skip);
		if (n)
			body(ctx, buf, n);
		buf += n;
		len -= n;
		if (!len)
			break;
		ctx->rx_head[ctx->rx_head_len++] = *buf++;
		len--;
		if (ctx->rx_head_len < sizeof(ctx->rx_head))
			continue;
		ctx->rx_head_len = 0;
		ctx->rx_skip = ctx->rx_head[1] << 16 | ctx->rx_head[2] << 8 | ctx->rx_head[3];
		ret = message(ctx, sock, ctx->rx_head[0], ctx->rx_skip);
		if (ret != RX_CONSUME)
			return ret;
	}
	return RX_CONSUME;
}

/* rx_mutex held. */
static int judge(struct tlshd_ctx *ctx, struct socket *sock, u8 type, const u8 *buf, int len)
{
	if (++ctx->rx_records > MAX_CONTROL)
		return fail(ctx, sock, EPROTO, TLSHD_ALERT_UNEXPECTED_MESSAGE,
			    "the peer sent too many control records");
	if (type == TLSHD_RECORD_ALERT)
		return alert(ctx, sock, buf, len);
	if (type == TLSHD_RECORD_HANDSHAKE)
		return handshake(ctx, sock, buf, len);
	return fail(ctx, sock, EPROTO, TLSHD_ALERT_UNEXPECTED_MESSAGE, "the peer sent a record of an unexpected type");
}

/* rx_mutex held. */
static int next(struct tlshd_ctx *ctx, struct socket *sock)
{
	u8 type, again, *buf = kvmalloc(TLSHD_RECORD_MAX, GFP_KERNEL_ACCOUNT);
	int len, ret = RX_NONE;

	if (!buf)
		return -ENOMEM;
	len = head(ctx, sock, buf, TLSHD_RECORD_MAX, MSG_PEEK, &type);
	if (len == -EAGAIN || (len >= 0 && (!type || type == TLSHD_RECORD_DATA)))
		goto out;
	ret = len;
	if (len < 0)
		goto out;
	ret = judge(ctx, sock, type, buf, len);
	trace_tlshd_control(ctx->sk, type, len ? buf[0] : 0, ret);
	if (ret == RX_CONSUME) {
		len = head(ctx, sock, buf, TLSHD_RECORD_MAX, 0, &again);
		if (len < 0)
			ret = len;
	}
out:
	kvfree(buf);
	return ret;
}

/*
 * Act on the control record at the head, if one is there. Readers pass net/tls no room for a record's type, so they
 * can neither consume a control record nor read past it; only the holder of rx_mutex does. Looking, acting and
 * consuming are therefore one step for everybody else.
 */
static int control(struct tlshd_ctx *ctx, struct socket *sock)
{
	int ret;

	if (mutex_lock_interruptible(&ctx->rx_mutex))
		return -ERESTARTSYS;
	if (ctx->rx_err)
		ret = ctx->rx_err;
	else if (test_bit(TLSHD_CTX_RX_EOF, &ctx->flags))
		ret = RX_EOF;
	else
		ret = next(ctx, sock);
	mutex_unlock(&ctx->rx_mutex);
	return ret;
}

/*
 * A record that net/tls could not take: RFC 8446 section 5.2 wants an alert. It asks again at each read, or, of one that
 * is too long, never ends a read again: so this is where it becomes for ever.
 */
static int broken(struct tlshd_ctx *ctx, struct socket *sock, int err)
{
	bool mac = err == -EBADMSG;

	if (mutex_lock_interruptible(&ctx->rx_mutex))
		return err;
	if (!ctx->rx_err) {
		sock_error(ctx->sk);	/* left there too; the alert would fail with it */
		fail(ctx, sock, -err, mac ? TLSHD_ALERT_BAD_RECORD_MAC : TLSHD_ALERT_RECORD_OVERFLOW,
		     mac ? "a record does not decrypt" : "a record is too long");
	}
	mutex_unlock(&ctx->rx_mutex);
	return err;
}

static int recv_data(struct tlshd_ctx *ctx, struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	size_t total = 0;
	int ret = 0, i;

	if (unlikely(READ_ONCE(ctx->rx_err)))
		return ctx->rx_err;
	/* A round has met one of the control records that MAX_CONTROL limits, or has lost it to another reader. */
	for (i = 0; i <= 2 * MAX_CONTROL; i++) {
		msg->msg_control = NULL;
		msg->msg_controllen = 0;
		ret = tlshd_base(ctx)->recvmsg(sock, msg, size - total, flags);
		if (ret > 0) {
			total += ret;
			/* net/tls stops at a control record; whoever waits for all wants what is behind it. */
			if (total == size || !(flags & MSG_WAITALL) || flags & MSG_PEEK)
				break;
			if (control(ctx, sock) != RX_CONSUME)
				break;
			continue;
		}
		if (ret != -EIO)
			break;
		ret = control(ctx, sock);
		if (ret != RX_CONSUME && ret != RX_NONE)
			break;
		if (signal_pending(current)) {
			ret = sock_intr_errno(sock_rcvtimeo(sock->sk, flags & MSG_DONTWAIT));
			break;
		}
		ret = -EIO;
	}
	if (unlikely(!total && (ret == -EBADMSG || ret == -EMSGSIZE)))
		ret = broken(ctx, sock, ret);
	return total ?: ret;
}

/**
 * tlshd_record_recv() - read application data, early data first
 * @ctx: in any state; the caller is inside a call on the application's file
 * @sock: the application's
 * @msg: its message; net/tls gets no control buffer, which makes it say EIO at a control record and leave it where it
 *	is. The MSG_CTRUNC and MSG_EOR that it then sets for every record are cleared again
 * @size: of the message
 * @flags: of recvmsg()
 *
 * Return: bytes, 0 at EOF, or a negative errno (-EAGAIN, -ERESTARTSYS and the handshake's before it is open); once the
 * peer broke the protocol or sent a fatal alert always -EPROTO, after its KeyUpdate always -EKEYEXPIRED.
 */
int tlshd_record_recv(struct tlshd_ctx *ctx, struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	size_t control_len = msg->msg_controllen;
	void *control_buf = msg->msg_control;
	long timeo = sock_rcvtimeo(ctx->sk, flags & MSG_DONTWAIT);
	int ret;

	do {
		ret = tlshd_ctx_wait_readable(ctx, timeo);
		if (ret)
			return ret;
		ret = tlshd_early_recv(ctx, msg, size, flags);
		if (ret != -ENODATA)
			return ret;
		/* Early still: another reader was quicker. */
	} while (unlikely(tlshd_ctx_state(ctx) != TLSHD_S_OPEN));
	ret = recv_data(ctx, sock, msg, size, flags);
	msg->msg_control = control_buf;
	msg->msg_controllen = control_len;
	msg->msg_flags &= ~(MSG_CTRUNC | MSG_EOR);
	return ret;
}

/**
 * tlshd_record_drain() - take control records off the queue, so that unread ones do not turn close() into a reset
 * @ctx: open, in release: no other caller
 * @sock: the application's
 */
void tlshd_record_drain(struct tlshd_ctx *ctx, struct socket *sock)
{
	u8 type, *buf = kvmalloc(TLSHD_RECORD_MAX, GFP_KERNEL_ACCOUNT);
	int i;

	for (i = 0; buf && i < MAX_DRAIN; i++) {
		if (head(ctx, sock, buf, TLSHD_RECORD_MAX, MSG_PEEK, &type) < 0)
			break;
		if (!type || type == TLSHD_RECORD_DATA)
			break;
		if (head(ctx, sock, buf, TLSHD_RECORD_MAX, 0, &type) < 0)
			break;
	}
	kvfree(buf);
}
