/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * early: 0-RTT data. A server's connection is in state EARLY from the daemon's first TLSHD_EARLY, which follows its
 * Finished, to the client's: what the daemon decrypts meanwhile is queued here and read before all else, and what the
 * application writes is encrypted by the kernel already. A client's early data is kept here for the daemon to take.
 */
#ifndef _TLSHD_EARLY_H
#define _TLSHD_EARLY_H

#include "ctx.h"

struct msghdr;

int tlshd_early(struct tlshd_ctx *ctx, sockptr_t optval, unsigned int optlen);
int tlshd_early_take(struct tlshd_ctx *ctx, char __user *optval, int __user *optlen);
int tlshd_early_keep(struct tlshd_ctx *ctx, sockptr_t optval, size_t offset, size_t len);
int tlshd_early_recv(struct tlshd_ctx *ctx, struct msghdr *msg, size_t size, int flags);
int tlshd_early_confirm(struct sock *sk);
void tlshd_early_free(struct tlshd_ctx *ctx);

/* Is there early data to read? */
static inline bool tlshd_early_pending(const struct tlshd_ctx *ctx)
{
	return unlikely(READ_ONCE(ctx->early_len));
}

#endif
