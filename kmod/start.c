// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/slab.h>
#include <net/inet_connection_sock.h>
#include <net/sock.h>
#include "compat.h"
#include "ctx.h"
#include "early.h"
#include "hs.h"
#include "ktls.h"
#include "overlay.h"
#include "pad.h"
#include "start.h"
#include "trace.h"

#define FLAGS_KNOWN (TLSHD_F_NOWAIT | TLSHD_F_ANY_NAME | TLSHD_F_NO_RESUME | FLAGS_EARLY)
#define FLAGS_EARLY (TLSHD_F_ACCEPT_EARLY | TLSHD_F_MARK_EARLY)	/* a server's */

/* No later version of the struct comes near it. */
#define MAX_SIZE PAGE_SIZE

static bool terminated(const char *s, size_t size)
{
	return strnlen(s, size) < size;
}

/* What a later version of the struct holds must say nothing. */
static int check_tail(sockptr_t optval, size_t from, size_t to)
{
	u8 chunk[64];
	size_t n;

	for (; from < to; from += n) {
		n = min(to - from, sizeof(chunk));
		if (copy_from_sockptr_offset(chunk, optval, from, n))
			return -EFAULT;
		if (memchr_inv(chunk, 0, n))
			return -EINVAL;
	}
	return 0;
}

static int check(const struct tlshd_start *s)
{
	bool any_name = s->flags & TLSHD_F_ANY_NAME;

	if (s->flags & ~FLAGS_KNOWN)
		return -EINVAL;
	if (!terminated(s->profile, sizeof(s->profile)) || !terminated(s->server_name, sizeof(s->server_name)) ||
	    !terminated(s->alpn, sizeof(s->alpn)) || !s->profile[0])
		return -EINVAL;
	if (s->role == TLSHD_SERVER)
		return s->server_name[0] || any_name ? -EINVAL : 0;
	if (s->role == TLSHD_CLIENT)
		return (s->server_name[0] || any_name) && !(s->flags & FLAGS_EARLY) ? 0 : -EINVAL;
	return -EINVAL;
}

static int read_start(struct tlshd_start *s, sockptr_t optval, unsigned int optlen)
{
	int err;

	if (optlen < sizeof(*s))
		return -EINVAL;
	if (copy_from_sockptr(s, optval, sizeof(*s)))
		return -EFAULT;
	if (s->size < sizeof(*s) || s->size > optlen || s->size > MAX_SIZE)
		return -EINVAL;
	err = check_tail(optval, sizeof(*s), s->size);
	err = err ?: check(s);
	if (err)
		return err;
	if (optlen > s->size && s->role != TLSHD_CLIENT)	/* early data */
		return -EINVAL;
	return optlen - s->size > TLSHD_EARLY_MAX ? -EMSGSIZE : 0;
}

static bool may_wait(const struct socket *sock, const struct tlshd_start *s)
{
	return !(s->flags & TLSHD_F_NOWAIT) && !(sock->file->f_flags & O_NONBLOCK);
}

/*
 * Wait for the end, or early data. -ERESTARTNOHAND: EINTR if a handler ran; stopping, freezing and tracing only restart
 * the wait.
 */
static int wait_end(struct tlshd_ctx *ctx)
{
	if (wait_event_interruptible(ctx->wait, tlshd_ctx_state(ctx) != TLSHD_S_HANDSHAKING)) {
		WRITE_ONCE(ctx->interrupted, task_pid(current));
		return -ERESTARTNOHAND;
	}
	return tlshd_ctx_state(ctx) == TLSHD_S_FAILED ? -(int)ctx->info.error : 0;
}

/* START on a socket that has been through it. */
static int again(struct tlshd_ctx *ctx, const struct socket *sock, const struct tlshd_start *s)
{
	switch (tlshd_ctx_state(ctx)) {
	case TLSHD_S_HANDSHAKING:
		return may_wait(sock, s) ? wait_end(ctx) : -EALREADY;
	case TLSHD_S_EARLY:
	case TLSHD_S_OPEN:
		/* Success is told once to whom a signal took it from. */
		if (cmpxchg(&ctx->interrupted, task_pid(current), NULL) == task_pid(current))
			return 0;
		return -EISCONN;
	}
	return -(int)ctx->info.error;
}

/*
 * Publish ctx in sk_user_data, without the flag that lets a listener's children inherit it, and the pad in sk_socket:
 * at once, so that who finds one finds the other. The caller's lock on the socket is the first thing taken: if he
 * stalls it, he waits.
 */
static int attach(struct tlshd_ctx *ctx, struct socket *sock)
{
	struct sock *sk = ctx->sk;
	int err = 0;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	if (tlshd_pad_ctx(sk->sk_socket))
		err = -EALREADY;
	else if (sk->sk_user_data || inet_csk(sk)->icsk_ulp_ops || !tlshd_overlay_for(sock))
		err = -EBUSY;
	else if (sk->sk_state != TCP_ESTABLISHED)
		err = -ENOTCONN;
	if (!err) {
		__rcu_assign_sk_user_data_with_flags(sk, ctx, SK_USER_DATA_NOCOPY);
		smp_wmb();	/* the pad's fields before the pad */
		sk_set_socket(sk, ctx->pad->sock);
		/*
		 * The application must not steer what the daemon sees. SO_PEEK_OFF stays off: net/tls has no such
		 * thing.
		 */
		ctx->rcvlowat = READ_ONCE(sk->sk_rcvlowat);
		WRITE_ONCE(sk->sk_rcvlowat, 1);
		WRITE_ONCE(sk->sk_peek_off, -1);
	}
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
	return err;
}

static void detach(struct tlshd_ctx *ctx, struct socket *sock)
{
	struct sock *sk = ctx->sk;

	lock_sock(sk);
	write_lock_bh(&sk->sk_callback_lock);
	rcu_assign_sk_user_data(sk, NULL);
	/* net/tls's, if another thread of the application has set the ULP, or a key, while the pad was there. */
	WRITE_ONCE(sock->ops, tlshd_base(ctx));
	sk_set_socket(sk, sock);
	WRITE_ONCE(sk->sk_rcvlowat, ctx->rcvlowat);
	write_unlock_bh(&sk->sk_callback_lock);
	release_sock(sk);
}

/*
 * The overlay comes last, on a socket that net/tls has already: a call that was in flight then gets EEXIST for
 * TCP_ULP, EBUSY for IPV6_ADDRFORM, EOPNOTSUPP for disconnecting, and what it writes to sk_socket->ops lands on the
 * pad.
 */
static void cover(struct tlshd_ctx *ctx, struct socket *sock, const struct proto_ops *table)
{
	ctx->base_owner = READ_ONCE(sock->ops)->owner;
	__module_get(THIS_MODULE);	/* given back by __sock_release(), through ops->owner */
	lock_sock(ctx->sk);
	WRITE_ONCE(sock->ops, table);
	release_sock(ctx->sk);
	clear_bit(SOCK_SUPPORT_ZC, &sock->flags);
	tlshd_compat_own_sol_socket(sock);
}

/* The two addresses, while the table is the plain one and takes no lock of ours. */
static int note_names(struct tlshd_req *req, struct socket *sock)
{
	req->local_len = kernel_getsockname(sock, (struct sockaddr *)&req->local);
	if (req->local_len < 0)
		return req->local_len;
	req->peer_len = kernel_getpeername(sock, (struct sockaddr *)&req->peer);
	return min(req->peer_len, 0);
}

/* On failure the socket is as it was, and ctx is the caller's to put. */
static int install(struct tlshd_ctx *ctx, struct socket *sock, const struct proto_ops *table)
{
	struct tlshd_pad *pad = tlshd_pad_new(ctx, sock);
	int err;

	if (!pad)
		return -ENOMEM;
	ctx->pad = pad;
	ctx->sock = sock;
	err = attach(ctx, sock);
	if (!err) {
		err = tlshd_ktls_set_ulp(ctx->sk);
		if (!err) {
			cover(ctx, sock, table);
			return 0;
		}
		detach(ctx, sock);
	}
	ctx->pad = NULL;
	ctx->sock = NULL;
	tlshd_pad_free(pad);
	return err == -EEXIST ? -EBUSY : err;
}

static int begin(struct socket *sock, const struct tlshd_start *s, sockptr_t optval, unsigned int optlen)
{
	const struct proto_ops *table = tlshd_overlay_for(sock);
	struct tlshd_ctx *ctx;
	struct file *file;
	int err;

	if (!table)
		return -EBUSY;
	ctx = tlshd_ctx_new(sock->sk, s);
	if (!ctx)
		return -ENOMEM;
	err = note_names(&ctx->req, sock);
	err = err ?: tlshd_early_keep(ctx, optval, s->size, optlen - s->size);
	err = err ?: tlshd_req_reserve(ctx);
	if (err)
		goto put;
	file = tlshd_hs_new(ctx);
	if (IS_ERR(file)) {
		err = PTR_ERR(file);
		goto put;
	}
	err = install(ctx, sock, table);
	if (err) {
		/* Whoever called START meanwhile waits with us. */
		tlshd_ctx_fail(ctx, -err, "START failed");
		fput(file);
		goto put;
	}
	trace_tlshd_start(sock->sk, s->role, s->profile);
	/* Our caller holds the application's file: its release, and with it the overlay's reference, is yet to come. */
	tlshd_overlay_relay(ctx);
	tlshd_ctx_arm(ctx);
	tlshd_req_queue(ctx, file);
	return may_wait(sock, s) ? wait_end(ctx) : -EINPROGRESS;
put:
	tlshd_ctx_put(ctx);
	return err;
}

/*
 * The application's socket, valid while our caller holds its file. sk_socket may be a pad, and one that is about to be
 * freed because START has failed in another thread; but a pad has the application's file.
 */
static struct socket *socket_of(const struct sock *sk)
{
	struct socket *sock;

	rcu_read_lock();
	sock = READ_ONCE(sk->sk_socket);
	/* None: sockets of the kernel's own, and ones that lie below another (SMC). */
	sock = sock && sock->file ? sock_from_file(sock->file) : NULL;
	rcu_read_unlock();
	return sock && sock->sk == sk ? sock : NULL;
}

/**
 * tlshd_start() - begin a handshake, or wait for the end of one
 * @sk: any sock that the option was called on; its file is held
 * @optval: struct tlshd_start
 * @optlen: its length
 *
 * Return: 0 open; what uapi/tlshd.h lists at struct tlshd_start.
 */
int tlshd_start(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	struct socket *sock = socket_of(sk);
	struct tlshd_start s;
	struct tlshd_ctx *ctx;
	int err;

	if (!sk_is_tcp(sk) || !sock || sk->sk_state == TCP_LISTEN)
		return -EOPNOTSUPP;
	err = read_start(&s, optval, optlen);
	if (err)
		return err;
	ctx = tlshd_ctx_get(sk);
	if (!ctx) {
		err = sk->sk_state == TCP_ESTABLISHED ? begin(sock, &s, optval, optlen) : -ENOTCONN;
		/* Another thread's START was quicker: its end is the one to wait for. */
		if (err == -EALREADY)
			ctx = tlshd_ctx_get(sk);
	}
	if (!ctx)
		return err;
	err = again(ctx, sock, &s);
	tlshd_ctx_put(ctx);
	return err;
}
