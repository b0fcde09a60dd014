/* SPDX-License-Identifier: GPL-2.0-only */
/* splice: from an open connection into a pipe. */
#ifndef _TLSHD_SPLICE_H
#define _TLSHD_SPLICE_H

#include "ctx.h"

struct pipe_inode_info;

ssize_t tlshd_splice_read(struct tlshd_ctx *ctx, struct socket *sock, struct pipe_inode_info *pipe, size_t len,
			  bool dontwait);

#endif
