/* SPDX-License-Identifier: GPL-2.0-only */
/* done: the daemon's verdict on a handshake, TLSHD_DONE. */
#ifndef _TLSHD_DONE_H
#define _TLSHD_DONE_H

#include <linux/sockptr.h>

struct tlshd_ctx;

int tlshd_done(struct tlshd_ctx *ctx, sockptr_t optval, unsigned int optlen);

#endif
