/* SPDX-License-Identifier: GPL-2.0-only */
/* record: what arrives on an open connection: data for the application, control records for us. */
#ifndef _TLSHD_RECORD_H
#define _TLSHD_RECORD_H

#include "ctx.h"

struct msghdr;

#define TLSHD_RECORD_ALERT	21	/* ContentType, RFC 8446 B.1 */
#define TLSHD_RECORD_HANDSHAKE	22
#define TLSHD_RECORD_DATA	23
#define TLSHD_RECORD_MAX	16384	/* bytes of content, section 5.1 */

int tlshd_record_recv(struct tlshd_ctx *ctx, struct socket *sock, struct msghdr *msg, size_t size, int flags);
void tlshd_record_drain(struct tlshd_ctx *ctx, struct socket *sock);

#endif
