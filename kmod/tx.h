/* SPDX-License-Identifier: GPL-2.0-only */
/* tx: what leaves an open connection. Every sender goes through tx_mutex: see ctx.h. */
#ifndef _TLSHD_TX_H
#define _TLSHD_TX_H

#include "ctx.h"

struct msghdr;

#define TLSHD_ALERT_CLOSE_NOTIFY	0	/* RFC 8446 section 6 */
#define TLSHD_ALERT_UNEXPECTED_MESSAGE	10
#define TLSHD_ALERT_BAD_RECORD_MAC	20
#define TLSHD_ALERT_RECORD_OVERFLOW	22
#define TLSHD_ALERT_DECODE_ERROR	50
#define TLSHD_ALERT_INTERNAL_ERROR	80
#define TLSHD_ALERT_USER_CANCELED	90

int tlshd_tx_begin(struct tlshd_ctx *ctx, int flags, size_t size);
void tlshd_tx_end(struct tlshd_ctx *ctx);
int tlshd_tx_sendmsg(struct tlshd_ctx *ctx, struct socket *sock, struct msghdr *msg, size_t size);
int tlshd_tx_record(struct tlshd_ctx *ctx, struct socket *sock, u8 type, const void *data, size_t len);
void tlshd_tx_alert(struct tlshd_ctx *ctx, struct socket *sock, u8 alert);

#endif
