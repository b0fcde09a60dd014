/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * overlay: the table of operations in an application's socket->ops from START to its release, above net/tls's.
 * sk->sk_prot is never touched: net/tls would copy a stranger's operations into its global tables from there.
 */
#ifndef _TLSHD_OVERLAY_H
#define _TLSHD_OVERLAY_H

#include <linux/net.h>
#include "ctx.h"
#include "pad.h"

int tlshd_overlay_init(void);
const struct proto_ops *tlshd_overlay_for(const struct socket *sock);
void tlshd_overlay_relay(struct tlshd_ctx *ctx);
void tlshd_overlay_unrelay(struct tlshd_ctx *ctx);

/* The table below: net/tls's, which changes with each key. Read at each call, from START to release. */
static inline const struct proto_ops *tlshd_base(const struct tlshd_ctx *ctx)
{
	return tlshd_pad_base(ctx->pad);
}

#endif
