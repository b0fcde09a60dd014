// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/security.h>
#include <linux/tcp.h>
#include <linux/tls.h>
#include <linux/uaccess.h>
#include <net/inet_sock.h>
#include "compat.h"
#include "done.h"
#include "early.h"
#include "hs.h"
#include "overlay.h"
#include "tx.h"

/* One call of the daemon: a full record of TLS ciphertext and its head, with room to spare. */
#define MAX_IO 17408
/* Tries to copy a key that its owner's memory manager takes away in between. */
#define MAX_FAULTS 4

/*
 * A whole inet_sock, of protocol 0: who reads sk_family and goes on to inet_sk() finds zeroes, and sk_is_tcp() says no.
 */
struct hs_sock {
	struct inet_sock inet;
	struct tlshd_ctx *ctx;	/* a reference, from tlshd_hs_new() to release */
};

static struct proto hs_proto = {
	.name = "TLSHD",
	.owner = THIS_MODULE,
	.obj_size = sizeof(struct hs_sock),
};

/* relay_wake() takes this queue's lock inside the application's. */
static struct lock_class_key hs_wait_key;

static struct tlshd_ctx *ctx_of(const struct socket *sock)
{
	return ((struct hs_sock *)sock->sk)->ctx;
}

/*
 * Into the application's connection. Holding ctx->mutex with the handshake running, ctx->sock is set: its release
 * ends the handshake first and waits for the mutex then.
 */
static int lock_running(struct tlshd_ctx *ctx)
{
	mutex_lock(&ctx->mutex);
	if (tlshd_ctx_running(ctx) && ctx->sock)
		return 0;
	mutex_unlock(&ctx->mutex);
	return -EPIPE;
}

/*
 * The daemon's memory is touched outside the mutex only, by way of a buffer: a daemon that stalls in a fault of its
 * own must not hold an application's close().
 */
static int hs_recvmsg(struct socket *sock, struct msghdr *msg, size_t size, int flags)
{
	struct tlshd_ctx *ctx = ctx_of(sock);
	struct msghdr inner = {};
	struct kvec vec;
	int ret;

	if (flags & ~(MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC | MSG_NOSIGNAL | MSG_CMSG_COMPAT | MSG_CMSG_CLOEXEC))
		return -EOPNOTSUPP;
	vec.iov_len = min_t(size_t, size, MAX_IO);
	vec.iov_base = kvmalloc(vec.iov_len ?: 1, GFP_KERNEL_ACCOUNT);
	if (!vec.iov_base)
		return -ENOMEM;
	iov_iter_kvec(&inner.msg_iter, ITER_DEST, &vec, 1, vec.iov_len);
	ret = lock_running(ctx);
	if (ret)
		goto out;
	if (test_bit(TLSHD_CTX_RX_KEYS, &ctx->flags))
		ret = -EPIPE;	/* what comes now is the application's */
	else
		ret = tlshd_base(ctx)->recvmsg(ctx->sock, &inner, vec.iov_len,
					       (flags & (MSG_PEEK | MSG_TRUNC)) | MSG_DONTWAIT);
	mutex_unlock(&ctx->mutex);
	/* Bytes that cannot be delivered are lost; that is the end of this handshake, and of no other. */
	if (ret > 0 && !(flags & MSG_TRUNC) && copy_to_iter(vec.iov_base, ret, &msg->msg_iter) != ret)
		ret = -EFAULT;
out:
	kvfree(vec.iov_base);
	return ret;
}

static int hs_sendmsg(struct socket *sock, struct msghdr *msg, size_t size)
{
	struct tlshd_ctx *ctx = ctx_of(sock);
	struct msghdr inner = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL | (msg->msg_flags & MSG_MORE) };
	struct kvec vec;
	int ret;

	vec.iov_len = min_t(size_t, size, MAX_IO);
	vec.iov_base = kvmalloc(vec.iov_len ?: 1, GFP_KERNEL_ACCOUNT);
	if (!vec.iov_base)
		return -ENOMEM;
	ret = -EFAULT;
	if (copy_from_iter(vec.iov_base, vec.iov_len, &msg->msg_iter) != vec.iov_len)
		goto out;
	iov_iter_kvec(&inner.msg_iter, ITER_SOURCE, &vec, 1, vec.iov_len);
	ret = lock_running(ctx);
	if (ret)
		goto out;
	if (test_bit(TLSHD_CTX_TX_KEYS, &ctx->flags))
		ret = -EPIPE;	/* net/tls's tx_lock would not mind MSG_DONTWAIT */
	else
		ret = tlshd_base(ctx)->sendmsg(ctx->sock, &inner, vec.iov_len);
	mutex_unlock(&ctx->mutex);
out:
	kvfree(vec.iov_base);
	return ret;
}

/*
 * EPOLLERR for a dead connection only, and EPOLLPRI never: both also speak for the error queue, which is the
 * application's, and the daemon could do nothing to quiet them.
 */
static __poll_t hs_poll(struct file *file, struct socket *sock, struct poll_table_struct *wait)
{
	struct tlshd_ctx *ctx = ctx_of(sock);
	__poll_t events;

	sock_poll_wait(file, sock, wait);
	if (lock_running(ctx))
		return EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLERR | EPOLLHUP;
	events = tlshd_base(ctx)->poll(file, ctx->sock, NULL) & ~(EPOLLPRI | EPOLLERR);
	if (READ_ONCE(ctx->sk->sk_err))
		events |= EPOLLERR;
	mutex_unlock(&ctx->mutex);
	return events;
}

static int hs_getname(struct socket *sock, struct sockaddr *addr, int peer)
{
	struct tlshd_ctx *ctx = ctx_of(sock);
	int ret = lock_running(ctx);

	if (ret)
		return ret;
	ret = tlshd_base(ctx)->getname(ctx->sock, addr, peer);
	mutex_unlock(&ctx->mutex);
	return ret;
}

/* ctx->mutex held. The daemon's pointer goes down as it is: a kernel pointer trips FORTIFY in net/tls of 7.3. */
static int set_key(struct tlshd_ctx *ctx, int optname, sockptr_t optval, unsigned int optlen)
{
	int bit = optname == TLS_TX ? TLSHD_CTX_TX_KEYS : TLSHD_CTX_RX_KEYS;
	int err;

	if (test_bit(bit, &ctx->flags))
		return -EBUSY;
	pagefault_disable();
	err = tlshd_base(ctx)->setsockopt(ctx->sock, SOL_TLS, optname, optval, optlen);
	pagefault_enable();
	/* What net/tls did to sk_socket's flags it did to the pad's; and a writer must be told when there is room. */
	set_bit(SOCK_NOSPACE, &ctx->pad->sock->flags);
	clear_bit(SOCK_SUPPORT_ZC, &ctx->sock->flags);
	if (!err)
		set_bit(bit, &ctx->flags);
	return err;
}

static int hs_set_key(struct tlshd_ctx *ctx, int optname, sockptr_t optval, unsigned int optlen)
{
	u8 touch[sizeof(struct tls12_crypto_info_aes_gcm_256)];	/* the longest */
	int i, err = -EFAULT;

	if (optlen > sizeof(touch))
		return -EINVAL;
	for (i = 0; i < MAX_FAULTS && err == -EFAULT; i++) {
		/* Brought in here, so that the copy under the mutex and the socket lock need not fault. */
		if (copy_from_sockptr(touch, optval, optlen))
			break;
		err = lock_running(ctx);
		if (err)
			break;
		err = set_key(ctx, optname, optval, optlen);
		mutex_unlock(&ctx->mutex);
	}
	memzero_explicit(touch, sizeof(touch));
	if (err == -EFAULT)
		tlshd_ctx_fail(ctx, ECONNABORTED, "the daemon's keys could not be read");
	return err;
}

/* START has set the ULP; that a daemon sets it again, as kTLS libraries do, is no error. */
static int hs_set_ulp(struct tlshd_ctx *ctx)
{
	int err = lock_running(ctx);

	if (!err)
		mutex_unlock(&ctx->mutex);
	return err;
}

static int hs_setsockopt(struct socket *sock, int level, int optname, sockptr_t optval, unsigned int optlen)
{
	struct tlshd_ctx *ctx = ctx_of(sock);

	if (level == SOL_TLS && (optname == TLS_TX || optname == TLS_RX))
		return hs_set_key(ctx, optname, optval, optlen);
	if (level == SOL_TCP && optname == TCP_ULP)
		return hs_set_ulp(ctx);
	if (level == SOL_IP && optname == TLSHD_DONE)
		return tlshd_done(ctx, optval, optlen);
	if (level == SOL_IP && optname == TLSHD_EARLY)
		return tlshd_early(ctx, optval, optlen);
	return -ENOPROTOOPT;
}

static int hs_getsockopt(struct socket *sock, int level, int optname, char __user *optval, int __user *optlen)
{
	if (level == SOL_IP && optname == TLSHD_EARLY)
		return tlshd_early_take(ctx_of(sock), optval, optlen);
	return -ENOPROTOOPT;
}

static int hs_shutdown(struct socket *sock, int how)
{
	return -EOPNOTSUPP;
}

static int hs_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	return -ENOTTY;
}

/*
 * The daemon's last descriptor is gone: it closed it, it died, or the request was never accepted. Nobody is inside
 * another call on this file. The entry on the application's queue leaves before our queue does.
 */
static int hs_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct tlshd_ctx *ctx;

	if (!sk)
		return 0;
	ctx = ctx_of(sock);
	tlshd_ctx_fail(ctx, ECONNABORTED, "the daemon gave the handshake up");
	mutex_lock(&ctx->mutex);
	tlshd_overlay_unrelay(ctx);
	mutex_unlock(&ctx->mutex);
	spin_lock_bh(&ctx->lock);
	ctx->hs_wait = NULL;
	spin_unlock_bh(&ctx->lock);
	tlshd_req_unreserve(ctx);
	tlshd_ctx_put(ctx);
	sock->sk = NULL;
	sock_orphan(sk);
	sock_put(sk);
	return 0;
}

static const struct proto_ops hs_ops = {
	.family = PF_INET,
	.owner = THIS_MODULE,
	.release = hs_release,
	.bind = sock_no_bind,
	.connect = sock_no_connect,
	.socketpair = sock_no_socketpair,
	.accept = sock_no_accept,
	.getname = hs_getname,
	.poll = hs_poll,
	.ioctl = hs_ioctl,
	.listen = sock_no_listen,
	.shutdown = hs_shutdown,
	.setsockopt = hs_setsockopt,
	.getsockopt = hs_getsockopt,
	.sendmsg = hs_sendmsg,
	.recvmsg = hs_recvmsg,
	.mmap = sock_no_mmap,
#ifdef TLSHD_HAVE_SENDPAGE
	.sendpage = sock_no_sendpage,
#endif
};

/**
 * tlshd_hs_new() - the handshake socket of a connection, made and charged in START's caller
 * @ctx: reserved; the reservation is the socket's from here on, and given back with it
 *
 * Return: its file, which a completion may end but only fput() frees; -ENFILE; -ENOMEM; on failure the reservation is
 * gone.
 */
struct file *tlshd_hs_new(struct tlshd_ctx *ctx)
{
	struct socket *sock;
	struct sock *sk;
	int err;

	err = sock_create_lite(PF_INET, SOCK_STREAM, 0, &sock);
	if (err)
		goto unreserve;
	err = -ENOMEM;
	sk = sk_alloc(sock_net(ctx->sk), PF_INET, GFP_KERNEL, &hs_proto, 0);
	if (!sk)
		goto release;
	sock_init_data(sock, sk);
	security_sk_clone(ctx->sk, sk);
	tlshd_ctx_hold(ctx);
	((struct hs_sock *)sk)->ctx = ctx;
	sock->state = SS_CONNECTED;
	lockdep_set_class(&sock->wq.wait.lock, &hs_wait_key);
	tlshd_compat_own_sol_socket(sock);
	/* Nobody else knows ctx yet. */
	ctx->hs_wait = &sock->wq.wait;
	__module_get(THIS_MODULE);
	sock->ops = &hs_ops;
	return sock_alloc_file(sock, O_NONBLOCK, NULL);	/* releases sock if it fails */

release:
	sock_release(sock);
unreserve:
	tlshd_req_unreserve(ctx);
	return ERR_PTR(err);
}

/**
 * tlshd_hs_init() - be ready for handshake sockets
 *
 * Return: 0 or -ENOBUFS.
 */
int __init tlshd_hs_init(void)
{
	return proto_register(&hs_proto, 1);
}

/**
 * tlshd_hs_exit() - none is left
 */
void tlshd_hs_exit(void)
{
	proto_unregister(&hs_proto);
}
