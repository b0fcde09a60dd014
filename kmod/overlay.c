// SPDX-License-Identifier: GPL-2.0-only
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/poll.h>
#include <linux/splice.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "compat.h"
#include "early.h"
#include "ktls.h"
#include "overlay.h"
#include "record.h"
#include "sockopt.h"
#include "splice.h"
#include "tx.h"

/* What a socket that nobody has touched looks like, and our table for it. */
struct family {
	int family;
	const struct proto_ops *plain;
	const struct proto *prot;
	struct proto_ops ops;
};

static struct family families[] = { { .family = AF_INET }, { .family = AF_INET6 } };

static bool nonblock(const struct socket *sock)
{
	return sock->file && (sock->file->f_flags & O_NONBLOCK);
}

/* A sender's call: its connection, once it may send. */
static int enter_tx(struct tlshd_ctx **ctx, struct socket *sock, long timeo)
{
	*ctx = tlshd_ctx_of(sock->sk);
	if (unlikely(!*ctx))
		return -EBADFD;	/* another subsystem took sk_user_data */
	return tlshd_ctx_wait_writable(*ctx, timeo);
}

static int overlay_recvmsg(struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	struct tlshd_ctx *ctx = tlshd_ctx_of(sock->sk);

	if (unlikely(!ctx))
		return -EBADFD;
	/* The error queue is the application's in every state. */
	if (flags & MSG_ERRQUEUE)
		return tlshd_base(ctx)->recvmsg(sock, msg, size, flags);
	return tlshd_record_recv(ctx, sock, msg, size, flags);
}

static ssize_t overlay_splice_read(struct socket *sock, loff_t *pos, struct pipe_inode_info *pipe, size_t len,
				   unsigned int flags)
{
	struct tlshd_ctx *ctx = tlshd_ctx_of(sock->sk);

	if (unlikely(!ctx))
		return -EBADFD;
	return tlshd_splice_read(ctx, sock, pipe, len, flags & SPLICE_F_NONBLOCK || nonblock(sock));
}

static int overlay_sendmsg(struct socket *sock, struct msghdr *msg, size_t size)
{
	struct tlshd_ctx *ctx;
	int err = enter_tx(&ctx, sock, sock_sndtimeo(sock->sk, msg->msg_flags & MSG_DONTWAIT));

	return err ?: tlshd_tx_sendmsg(ctx, sock, msg, size);
}

#ifdef TLSHD_HAVE_SENDPAGE
static ssize_t overlay_sendpage(struct socket *sock, struct page *page, int offset, size_t size, int flags)
{
	struct tlshd_ctx *ctx;
	int err = enter_tx(&ctx, sock, sock_sndtimeo(sock->sk, flags & MSG_DONTWAIT));

	err = err ?: tlshd_tx_begin(ctx, flags, size);
	if (err)
		return err;
	err = tlshd_base(ctx)->sendpage(sock, page, offset, size, flags);
	tlshd_tx_end(ctx);
	return err;
}
#endif

#ifdef TLSHD_HAVE_SPLICE_EOF
static void overlay_splice_eof(struct socket *sock)
{
	struct tlshd_ctx *ctx;
	const struct proto_ops *base;

	if (enter_tx(&ctx, sock, 0) || tlshd_tx_begin(ctx, MSG_NOSIGNAL, 0))
		return;
	base = tlshd_base(ctx);
	if (base->splice_eof)
		base->splice_eof(sock);
	tlshd_tx_end(ctx);
}
#endif

/* What may be read below is the daemon's: only early data counts. */
static __poll_t poll_early(struct tlshd_ctx *ctx, struct file *file, struct socket *sock)
{
	__poll_t events = tlshd_base(ctx)->poll(file, sock, NULL) & (EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND | EPOLLERR);

	return tlshd_early_pending(ctx) ? events | EPOLLIN | EPOLLRDNORM : events;
}

/*
 * Success shows EPOLLOUT, and EPOLLIN only for what is below or early data: any other EPOLLIN of ours would send a
 * blocking reader to sleep. A failure shows everything, for ever.
 */
static __poll_t overlay_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	struct tlshd_ctx *ctx = tlshd_ctx_of(sock->sk);
	__poll_t events;

	if (unlikely(!ctx))
		return EPOLLERR | EPOLLHUP;
	/* Onto the queue before the state is looked at, or a completion in between would wake nobody. */
	sock_poll_wait(file, sock, wait);
	switch (tlshd_ctx_state(ctx)) {
	case TLSHD_S_HANDSHAKING:
		return 0;
	case TLSHD_S_EARLY:
		return poll_early(ctx, file, sock);
	case TLSHD_S_FAILED:
		return EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP | EPOLLRDHUP;
	}
	events = tlshd_base(ctx)->poll(file, sock, NULL);
	if (test_bit(TLSHD_CTX_RX_EOF, &ctx->flags) || READ_ONCE(ctx->rx_err))
		events |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP;
	if (tlshd_early_pending(ctx))
		events |= EPOLLIN | EPOLLRDNORM;
	if (unlikely(test_bit(TLSHD_CTX_CONFIRM, &ctx->flags)))
		events |= EPOLLPRI;
	return events;
}

static int overlay_shutdown(struct socket *sock, int how)
{
	struct tlshd_ctx *ctx = tlshd_ctx_of(sock->sk);

	if (unlikely(!ctx))
		return -EBADFD;
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	if (how == SHUT_RD) {
		/*
		 * The daemon would read EOF. Due at OPEN; DONE looks after it has changed the state, we look again
		 * here.
		 */
		set_bit(TLSHD_CTX_SHUT_RD, &ctx->flags);
		smp_mb__after_atomic();
		if (tlshd_ctx_running(ctx))
			return 0;
	} else {
		/* A response to early data may be complete before the handshake is. */
		if (how == SHUT_RDWR || tlshd_ctx_state(ctx) != TLSHD_S_EARLY)
			tlshd_ctx_fail(ctx, ECONNABORTED,
				       "the application shut the connection down during the handshake");
		if (tlshd_ctx_state(ctx) != TLSHD_S_FAILED)
			tlshd_tx_alert(ctx, sock, TLSHD_ALERT_CLOSE_NOTIFY);
	}
	return tlshd_base(ctx)->shutdown(sock, how);
}

/*
 * Options wait for OPEN: what copies from its caller under the socket lock could hold the daemon up for as long as he
 * likes.
 */
static int gate_option(struct tlshd_ctx *ctx, const struct socket *sock)
{
	int err;

	if (tlshd_ctx_state(ctx) == TLSHD_S_FAILED)
		return 0;
	err = tlshd_ctx_wait_open(ctx, nonblock(sock) ? 0 : MAX_SCHEDULE_TIMEOUT);
	/* Failed while we waited: the options of a dead socket do no harm. */
	return tlshd_ctx_state(ctx) == TLSHD_S_FAILED ? 0 : err;
}

/* What would take the overlay off, or reach around it, in any state. */
static bool option_closed(int level, int optname)
{
	return level == SOL_TLS || (level == SOL_TCP && (optname == TCP_ULP || optname == TCP_ZEROCOPY_RECEIVE)) ||
	       (level == SOL_IPV6 && optname == IPV6_ADDRFORM);
}

static int overlay_setsockopt(struct socket *sock, int level, int optname, sockptr_t optval, unsigned int optlen)
{
	struct tlshd_ctx *ctx = tlshd_ctx_of(sock->sk);
	int err;

	if (unlikely(!ctx))
		return -EBADFD;
	if (level == SOL_IP && tlshd_sockopt_is_ours(optname))
		return tlshd_sockopt_set(sock->sk, optname, optval, optlen);
	if (option_closed(level, optname))
		return -EPERM;
	err = gate_option(ctx, sock);
	if (err)
		return err;
	/* Ours to pass on where SOCK_CUSTOM_SOCKOPT brought it here. */
	if (level == SOL_SOCKET)
		return sock_setsockopt(sock, level, optname, optval, optlen);
	return tlshd_base(ctx)->setsockopt(sock, level, optname, optval, optlen);
}

static int overlay_getsockopt(struct socket *sock, int level, int optname, char __user *optval, int __user *optlen)
{
	struct tlshd_ctx *ctx = tlshd_ctx_of(sock->sk);
	int err, len;

	if (unlikely(!ctx))
		return -EBADFD;
	if (level == SOL_IP && tlshd_sockopt_is_ours(optname)) {
		if (get_user(len, optlen))
			return -EFAULT;
		err = tlshd_sockopt_get(sock->sk, optname, optval, &len);
		return err ?: put_user(len, optlen);
	}
	if (option_closed(level, optname))
		return -EPERM;	/* SOL_TLS would hand out keys */
	err = gate_option(ctx, sock);
	return err ?: tlshd_base(ctx)->getsockopt(sock, level, optname, optval, optlen);
}

static int relay_wake(wait_queue_entry_t *entry, unsigned int mode, int sync, void *key)
{
	struct tlshd_ctx *ctx = container_of(entry, struct tlshd_ctx, relay);

	/* Set: the handshake socket's release takes this entry off before it takes its queue away. */
	__wake_up(ctx->hs_wait, TASK_NORMAL, 0, key);
	return 0;
}

/**
 * tlshd_overlay_relay() - pass wake-ups of the application's socket on to the handshake socket
 * @ctx: both sockets live
 */
void tlshd_overlay_relay(struct tlshd_ctx *ctx)
{
	init_waitqueue_func_entry(&ctx->relay, relay_wake);
	mutex_lock(&ctx->mutex);
	add_wait_queue(&ctx->sock->wq.wait, &ctx->relay);
	ctx->relayed = true;
	mutex_unlock(&ctx->mutex);
}

/**
 * tlshd_overlay_unrelay() - no longer
 * @ctx: its mutex held; both sockets live, or it was done before. A relay_wake() under way has ended when this returns
 */
void tlshd_overlay_unrelay(struct tlshd_ctx *ctx)
{
	if (!ctx->relayed)
		return;
	remove_wait_queue(&ctx->sock->wq.wait, &ctx->relay);
	ctx->relayed = false;
}

/* The application's table and sk_socket as they were, for the base's release. */
static void uncover(struct tlshd_ctx *ctx, struct socket *sock)
{
	struct sock *sk = sock->sk;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	/* Also if somebody else has overwritten it: his callbacks are not called on a socket that is closed. */
	rcu_assign_sk_user_data(sk, NULL);
	/* __sock_release() has sampled ops->owner and drops our reference after this. */
	WRITE_ONCE(sock->ops, tlshd_base(ctx));
	sk_set_socket(sk, sock);
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
}

/*
 * The last call on the application's file: nobody is inside another, and no new one comes. The daemon may be inside
 * one of its own, under ctx->mutex, bounded; after that it finds the handshake ended. The pad outlives
 * base->release(), and what still follows sk_socket to it is in an RCU section. The base's own release may linger: in
 * the application's close, as ever.
 */
static int overlay_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	const struct proto_ops *base;
	struct tlshd_ctx *ctx;
	struct tlshd_pad *pad;
	bool open;
	int err;

	if (!sk)
		return 0;	/* accept() that failed: its new socket was given this table and nothing else */
	ctx = tlshd_ctx_get(sk);
	if (WARN_ON_ONCE(!ctx))
		return 0;
	open = tlshd_ctx_state(ctx) == TLSHD_S_EARLY;	/* what was written by then is whole */
	tlshd_ctx_fail(ctx, ECONNABORTED, "the application closed the socket");
	open |= tlshd_ctx_state(ctx) == TLSHD_S_OPEN;
	mutex_lock(&ctx->mutex);
	tlshd_overlay_unrelay(ctx);
	ctx->sock = NULL;
	mutex_unlock(&ctx->mutex);
	timer_delete_sync(&ctx->deadline);

	if (open) {
		sock_error(sk);		/* nobody reads it any more, and it would stop the alert */
		tlshd_tx_alert(ctx, sock, TLSHD_ALERT_CLOSE_NOTIFY);
	}
	if (tlshd_ctx_state(ctx) == TLSHD_S_OPEN)
		tlshd_record_drain(ctx, sock);
	uncover(ctx, sock);
	base = READ_ONCE(sock->ops);
	err = base->release(sock);
	pad = ctx->pad;
	ctx->pad = NULL;
	tlshd_pad_free(pad);
	module_put(ctx->base_owner);
	tlshd_ctx_put(ctx);	/* tlshd_ctx_get()'s */
	tlshd_ctx_put(ctx);	/* the overlay's */
	return err;
}

/**
 * tlshd_overlay_for() - our table for a socket
 * @sock: an application's
 *
 * Return: the table, or NULL if @sock is not as socket() or accept() made it: another ULP, sockmap or layer is in.
 */
const struct proto_ops *tlshd_overlay_for(const struct socket *sock)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		if (READ_ONCE(sock->ops) == families[i].plain && READ_ONCE(sock->sk->sk_prot) == families[i].prot)
			return &families[i].ops;
	return NULL;
}

/*
 * What is not named here is the plain table's: address calls, ioctl, listen and accept, which net/tls leaves alone too.
 */
static void make_table(struct proto_ops *ops, const struct proto_ops *plain)
{
	*ops = *plain;
	ops->owner = THIS_MODULE;
	ops->release = overlay_release;
	ops->connect = sock_no_connect;
	ops->poll = overlay_poll;
	ops->shutdown = overlay_shutdown;
	ops->setsockopt = overlay_setsockopt;
	ops->getsockopt = overlay_getsockopt;
	ops->sendmsg = overlay_sendmsg;
	ops->recvmsg = overlay_recvmsg;
	ops->mmap = sock_no_mmap;
	ops->splice_read = overlay_splice_read;
#ifdef TLSHD_HAVE_SENDPAGE
	ops->sendpage = overlay_sendpage;
	ops->sendpage_locked = NULL;
#endif
#ifdef TLSHD_HAVE_SPLICE_EOF
	ops->splice_eof = overlay_splice_eof;
#endif
	/* For kernel users of a socket, under its lock; net/tls finds its own on the pad. */
	ops->sendmsg_locked = NULL;
	ops->read_sock = NULL;
	ops->read_skb = NULL;
}

/*
 * net/tls makes its tables of a family from the first socket that asks for the ULP. It must never be one of ours, so
 * it is this plain one: it is not connected and the ULP is refused, but by then the tables are made.
 */
static int prime(struct family *f)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, f->family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err == -EAFNOSUPPORT)
		return 0;
	if (err)
		return err;
	f->plain = sock->ops;
	f->prot = sock->sk->sk_prot;
	make_table(&f->ops, f->plain);
	err = tlshd_ktls_set_ulp(sock->sk);
	sock_release(sock);
	if (err == -ENOTCONN)
		return 0;
	return err ?: -EPROTO;
}

/**
 * tlshd_overlay_init() - make the tables, net/tls's first
 *
 * Return: 0 or a negative errno, -ENOENT without net/tls.
 */
int __init tlshd_overlay_init(void)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(families) && !err; i++)
		err = prime(&families[i]);
	return err;
}
