/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hs: the handshake socket, the daemon's file. What it may do to the application's connection it does here, under
 * ctx->mutex, from START to the end of the handshake; then everything is EPIPE.
 */
#ifndef _TLSHD_HS_H
#define _TLSHD_HS_H

#include "ctx.h"

int tlshd_hs_init(void);
void tlshd_hs_exit(void);
struct file *tlshd_hs_new(struct tlshd_ctx *ctx);

#endif
