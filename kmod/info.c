// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <net/sock.h>
#include <net/tcp_states.h>
#include "ctx.h"
#include "info.h"
#include "ktls.h"

/* The first two fields: less says nothing. */
#define MIN_LEN 8

/* Both directions have ended: each by an alert or a FIN. */
static bool closed(const struct tlshd_ctx *ctx)
{
	u8 shutdown = READ_ONCE(ctx->sk->sk_shutdown);
	bool rx = shutdown & RCV_SHUTDOWN || test_bit(TLSHD_CTX_RX_EOF, &ctx->flags) || READ_ONCE(ctx->rx_err);
	bool tx = shutdown & SEND_SHUTDOWN || test_bit(TLSHD_CTX_TX_CLOSED, &ctx->flags);

	return (rx && tx) || inet_sk_state_load(ctx->sk) == TCP_CLOSE;
}

static void fill(struct tlshd_info *info, struct tlshd_ctx *ctx)
{
	spin_lock_bh(&ctx->lock);
	*info = ctx->info;
	spin_unlock_bh(&ctx->lock);
	info->size = sizeof(*info);
	if (info->state != TLSHD_S_OPEN)
		return;
	lock_sock(ctx->sk);
	info->tx_records = tlshd_ktls_tx_seq(ctx->sk);
	release_sock(ctx->sk);
	if (closed(ctx))
		info->state = TLSHD_S_CLOSED;
}

/**
 * tlshd_info_get() - what is true of a connection now
 * @sk: any
 * @optval: out
 * @optlen: in: room; out: bytes written
 *
 * Return: 0; -ENOTCONN START was never called; -EINVAL less than 8 bytes of room; -EFAULT; -ENOMEM.
 */
int tlshd_info_get(struct sock *sk, void __user *optval, int *optlen)
{
	struct tlshd_info *info;
	struct tlshd_ctx *ctx;
	int err = -ENOMEM;

	if (*optlen < MIN_LEN)
		return -EINVAL;
	ctx = tlshd_ctx_get(sk);
	if (!ctx)
		return -ENOTCONN;
	info = kmalloc(sizeof(*info), GFP_KERNEL);
	if (info) {
		fill(info, ctx);
		*optlen = min_t(int, *optlen, sizeof(*info));
		info->size = *optlen;
		err = copy_to_user(optval, info, *optlen) ? -EFAULT : 0;
	}
	kfree(info);
	tlshd_ctx_put(ctx);
	return err;
}
