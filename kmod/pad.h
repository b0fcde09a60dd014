/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pad: what sk->sk_socket points to from START to release.
 *
 * net/tls writes its table to sk->sk_socket->ops whenever the ULP or a key is set, also from a call that was already
 * waiting for the socket lock when START ran. The write lands on the pad, so the application's socket->ops never
 * leaves the overlay; the overlay reads the table that it sits on from the pad, at each call.
 */
#ifndef _TLSHD_PAD_H
#define _TLSHD_PAD_H

#include <linux/net.h>
#include <linux/workqueue.h>

struct tlshd_ctx;

struct tlshd_pad {
	struct socket *sock;
	struct rcu_work work;
};

int tlshd_pad_init(void);
void tlshd_pad_exit(void);
struct tlshd_pad *tlshd_pad_new(struct tlshd_ctx *ctx, struct socket *app);
void tlshd_pad_free(struct tlshd_pad *pad);
struct tlshd_ctx *tlshd_pad_ctx(struct socket *sock);

static inline const struct proto_ops *tlshd_pad_base(const struct tlshd_pad *pad)
{
	return READ_ONCE(pad->sock->ops);
}

#endif
