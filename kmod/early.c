// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <net/sock.h>
#include "early.h"
#include "kdf.h"
#include "ktls.h"
#include "trace.h"

/* A daemon of a later version may send longer structs. */
#define MAX_GROWTH 1024
#define MAX_LEN (sizeof(struct tlshd_early) + sizeof(struct tlshd_info) + 2 * MAX_GROWTH + TLSHD_EARLY_MAX)

/* Early data of one call. */
struct chunk {
	struct list_head node;
	u32 len, at;		/* bytes of it; how many of them were read */
	u8 data[];
};

/* ---- from the daemon ---- */

/* Split into its parts, if the lengths make sense. */
static bool split(const u8 *buf, u32 optlen, struct tlshd_info *info, const u8 **data)
{
	const struct tlshd_early *e = (const struct tlshd_early *)buf;

	if (e->size < sizeof(*e) || e->size > sizeof(*e) + MAX_GROWTH || e->size > optlen || e->reserved)
		return false;
	if (memchr_inv(buf + sizeof(*e), 0, e->size - sizeof(*e)))
		return false;
	if (e->data_len > TLSHD_EARLY_MAX || e->info_len > sizeof(*info) + MAX_GROWTH ||
	    optlen - e->size != (u32)e->info_len + e->data_len)
		return false;
	memcpy(info, buf + e->size, min_t(size_t, e->info_len, sizeof(*info)));
	*data = buf + e->size + e->info_len;
	return true;
}

/*
 * The first call: the application may write from now on, so net/tls must encrypt with the keys that follow from the
 * secret. Once it writes the sequence number moves, which is why DONE cannot check that.
 */
static int begin(struct tlshd_ctx *ctx, const struct tlshd_early *e, const struct tlshd_info *info,
		 const struct tlshd_kdf_keys *tx)
{
	if (!test_bit(TLSHD_CTX_TX_KEYS, &ctx->flags) || !tlshd_ktls_sends(ctx->sk, info->suite, tx, &e->tx_seq)) {
		tlshd_ctx_fail(ctx, EPROTO, "the keys in the kernel are not those of the handshake");
		return -EPROTO;
	}
	return tlshd_ctx_begin_early(ctx, info) ? 0 : -EPIPE;
}

/* ctx->mutex held. @chunk: consumed, or NULL: there is no data in this call. */
static int add(struct tlshd_ctx *ctx, struct chunk *chunk)
{
	bool room;

	if (!chunk)
		return 0;
	spin_lock_bh(&ctx->lock);
	room = ctx->info.early_bytes + chunk->len <= TLSHD_EARLY_QUEUE;
	if (room) {
		list_add_tail(&chunk->node, &ctx->early);
		WRITE_ONCE(ctx->early_len, ctx->early_len + chunk->len);
		ctx->info.early_bytes += chunk->len;
	}
	spin_unlock_bh(&ctx->lock);
	if (room)
		return 0;
	kfree_sensitive(chunk);
	return -EMSGSIZE;
}

static struct chunk *make_chunk(const u8 *data, u32 len)
{
	struct chunk *chunk = kmalloc(struct_size(chunk, data, len), GFP_KERNEL_ACCOUNT);

	if (!chunk)
		return NULL;
	chunk->len = len;
	chunk->at = 0;
	memcpy(chunk->data, data, len);
	return chunk;
}

static int take(struct tlshd_ctx *ctx, const struct tlshd_early *e, const struct tlshd_info *info, const u8 *data)
{
	struct chunk *chunk = NULL;
	struct tlshd_kdf_keys tx;
	bool first;
	int err;

	if (e->hash_len) {
		err = -EINVAL;
		if (e->info_len != sizeof(*info) || e->hash_len != tlshd_ktls_hash_len(info->suite))
			return err;
		err = tlshd_kdf_keys(&tx, e->tx_secret, e->hash_len, tlshd_ktls_key_len(info->suite));
		if (err)
			return err;
	}
	if (e->data_len) {
		err = -ENOMEM;
		chunk = make_chunk(data, e->data_len);
		if (!chunk)
			goto out;
	}
	mutex_lock(&ctx->mutex);
	first = tlshd_ctx_state(ctx) == TLSHD_S_HANDSHAKING;
	err = -EPIPE;
	if (tlshd_ctx_running(ctx) && ctx->sock)
		err = first != !!e->hash_len ? -EINVAL : first ? begin(ctx, e, info, &tx) : 0;
	if (!err) {
		err = add(ctx, chunk);
		chunk = NULL;
	}
	mutex_unlock(&ctx->mutex);
	kfree_sensitive(chunk);
	if (err)
		goto out;
	wake_up_all(&ctx->wait);
	tlshd_ctx_wake_app(ctx);
out:
	memzero_explicit(&tx, sizeof(tx));
	return err;
}

/**
 * tlshd_early() - take early data from the daemon
 * @ctx: of the handshake socket
 * @optval: struct tlshd_early and what follows it; read once, before any lock
 * @optlen: of all
 *
 * Return: 0; -EPIPE the handshake has ended; -EMSGSIZE this would be more than TLSHD_EARLY_QUEUE in all; -EPROTO kTLS
 * does not send with these keys, which ends the handshake; -EINVAL a length or field is wrong; -EOPNOTSUPP the
 * application did not ask for it; -EFAULT, -ENOMEM.
 */
int tlshd_early(struct tlshd_ctx *ctx, sockptr_t optval, unsigned int optlen)
{
	struct tlshd_info *info;
	const u8 *data;
	u8 *buf;
	int err = -EFAULT;

	if (!tlshd_ctx_running(ctx))
		return -EPIPE;
	if (!(ctx->req.start.flags & TLSHD_F_ACCEPT_EARLY))
		return -EOPNOTSUPP;
	if (optlen < sizeof(struct tlshd_early) || optlen > MAX_LEN)
		return -EINVAL;
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	buf = kvmalloc(optlen, GFP_KERNEL);
	if (!info || !buf) {
		err = -ENOMEM;
		goto out;
	}
	if (copy_from_sockptr(buf, optval, optlen))
		goto out;
	err = -EINVAL;
	if (split(buf, optlen, info, &data))
		err = take(ctx, (const struct tlshd_early *)buf, info, data);
out:
	kvfree_sensitive(buf, optlen);
	kfree(info);
	return err;
}

/* ---- to the application ---- */

static struct chunk *head(struct tlshd_ctx *ctx)
{
	struct chunk *chunk;

	spin_lock_bh(&ctx->lock);
	chunk = list_first_entry_or_null(&ctx->early, struct chunk, node);
	spin_unlock_bh(&ctx->lock);
	return chunk;
}

/* early_mutex held: only its holder takes chunks away. */
static void consume(struct tlshd_ctx *ctx, struct chunk *chunk, u32 len)
{
	bool over;

	spin_lock_bh(&ctx->lock);
	chunk->at += len;
	WRITE_ONCE(ctx->early_len, ctx->early_len - len);
	over = chunk->at == chunk->len;
	if (over)
		list_del(&chunk->node);
	spin_unlock_bh(&ctx->lock);
	if (over)
		kfree_sensitive(chunk);
}

/* early_mutex held. Bytes are looked at or taken; a fault in between leaves what was not copied. */
static int copy(struct tlshd_ctx *ctx, struct msghdr *msg, size_t size, int flags)
{
	struct chunk *chunk = head(ctx);
	size_t total = 0;

	while (chunk && total < size) {
		u32 len = min_t(size_t, size - total, chunk->len - chunk->at);

		if (!(flags & MSG_TRUNC) && copy_to_iter(chunk->data + chunk->at, len, &msg->msg_iter) != len)
			return total ?: -EFAULT;
		total += len;
		if (flags & MSG_PEEK) {
			spin_lock_bh(&ctx->lock);
			chunk = list_is_last(&chunk->node, &ctx->early) ? NULL : list_next_entry(chunk, node);
			spin_unlock_bh(&ctx->lock);
		} else {
			consume(ctx, chunk, len);
			chunk = head(ctx);
		}
	}
	return total;
}

/**
 * tlshd_early_recv() - read early data
 * @ctx: in state EARLY or OPEN; the caller is inside a call on the application's file
 * @msg: its message; marked with a TLSHD_CMSG_EARLY where START asked for it
 * @size: of the message
 * @flags: of recvmsg()
 *
 * Never more than early data: what follows comes with the next call.
 *
 * Return: bytes; -ENODATA there is none now; -ERESTARTSYS; -EFAULT.
 */
int tlshd_early_recv(struct tlshd_ctx *ctx, struct msghdr *msg, size_t size, int flags)
{
	int ret = -ENODATA;
	u32 one = 1;

	if (!tlshd_early_pending(ctx))
		return ret;
	if (mutex_lock_interruptible(&ctx->early_mutex))
		return -ERESTARTSYS;
	if (tlshd_early_pending(ctx))
		ret = copy(ctx, msg, size, flags);
	mutex_unlock(&ctx->early_mutex);
	if (ret >= 0 && ctx->req.start.flags & TLSHD_F_MARK_EARLY && msg->msg_control)
		put_cmsg(msg, SOL_IP, TLSHD_CMSG_EARLY, sizeof(one), &one);
	return ret;
}

/**
 * tlshd_early_confirm() - TLSHD_CONFIRM
 * @sk: any; its file is held
 *
 * Return: 0 nothing read so far or later can be a replay; -ENOTCONN START was never called; -EAGAIN not yet, where the
 * file or SO_RCVTIMEO does not let it wait (EPOLLPRI tells); -ERESTARTSYS; the handshake's error.
 */
int tlshd_early_confirm(struct sock *sk)
{
	struct tlshd_ctx *ctx = tlshd_ctx_get(sk);
	bool dontwait;
	int err;

	if (!ctx)
		return -ENOTCONN;
	rcu_read_lock();
	dontwait = READ_ONCE(sk->sk_socket)->file->f_flags & O_NONBLOCK;
	rcu_read_unlock();
	/* Before the state is looked at: poll sees it with OPEN, or we see OPEN. */
	set_bit(TLSHD_CTX_CONFIRM, &ctx->flags);
	smp_mb__after_atomic();
	err = tlshd_ctx_wait_open(ctx, sock_rcvtimeo(sk, dontwait));
	if (err != -EAGAIN)
		clear_bit(TLSHD_CTX_CONFIRM, &ctx->flags);
	tlshd_ctx_put(ctx);
	return err;
}

/* ---- a client's ---- */

/**
 * tlshd_early_keep() - keep a client's early data for the daemon
 * @ctx: new
 * @optval: START's
 * @offset: where it begins
 * @len: of it
 *
 * Return: 0, -EMSGSIZE more than TLSHD_EARLY_MAX, -EFAULT, -ENOMEM.
 */
int tlshd_early_keep(struct tlshd_ctx *ctx, sockptr_t optval, size_t offset, size_t len)
{
	struct chunk *chunk;

	if (!len)
		return 0;
	if (len > TLSHD_EARLY_MAX)
		return -EMSGSIZE;
	chunk = kmalloc(struct_size(chunk, data, len), GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	chunk->len = len;
	chunk->at = 0;
	list_add_tail(&chunk->node, &ctx->early);	/* nobody else knows ctx yet */
	ctx->req.early_len = len;
	return copy_from_sockptr_offset(chunk->data, optval, offset, len) ? -EFAULT : 0;
}

/**
 * tlshd_early_take() - the daemon takes what a client's application gave START to send
 * @ctx: of the handshake socket
 * @optval: out
 * @optlen: in: room; out: bytes
 *
 * Once: it is gone from here then.
 *
 * Return: 0; -ENODATA there is none; -EMSGSIZE not enough room, nothing was taken; -EPIPE; -EFAULT, and it is lost.
 */
int tlshd_early_take(struct tlshd_ctx *ctx, char __user *optval, int __user *optlen)
{
	struct chunk *chunk = NULL;
	int len, err = -ENODATA;

	if (!tlshd_ctx_running(ctx))
		return -EPIPE;
	if (get_user(len, optlen))
		return -EFAULT;
	spin_lock_bh(&ctx->lock);
	if (ctx->req.start.role == TLSHD_CLIENT)
		chunk = list_first_entry_or_null(&ctx->early, struct chunk, node);
	if (chunk && len >= 0 && (u32)len < chunk->len) {
		chunk = NULL;
		err = -EMSGSIZE;
	}
	if (chunk)
		list_del(&chunk->node);
	spin_unlock_bh(&ctx->lock);
	if (!chunk)
		return err;
	err = put_user((int)chunk->len, optlen) || copy_to_user(optval, chunk->data, chunk->len) ? -EFAULT : 0;
	kfree_sensitive(chunk);
	return err;
}

/**
 * tlshd_early_free() - drop what nobody read
 * @ctx: its last user
 */
void tlshd_early_free(struct tlshd_ctx *ctx)
{
	struct chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &ctx->early, node)
		kfree_sensitive(chunk);
}
