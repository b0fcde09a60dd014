/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ticket: NewSessionTicket messages of clients, on their way to the daemon that shook hands for them. The module knows
 * nothing of what is in them; what the daemon needs to make a session of one is in the blob that it sealed.
 */
#ifndef _TLSHD_TICKET_H
#define _TLSHD_TICKET_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct tlshd_ctx;
struct tlshd_net;

/**
 * struct tlshd_ticket - one message and its connection's blob
 * @node: in tlshd_net.tickets, or a list of who took it
 * @uid: who pays; a user with many tickets loses his own, not another's
 * @data: @blob_len bytes of the blob, then the message of @len, of which @have are there
 */
struct tlshd_ticket {
	struct list_head node;
	kuid_t uid;
	u16 blob_len, len, have;
	u8 data[];
};

struct tlshd_ticket *tlshd_ticket_new(struct tlshd_ctx *ctx, const u8 *head, u32 body_len);
void tlshd_ticket_add(struct tlshd_ticket *ticket, const u8 *p, u32 len);
void tlshd_ticket_queue(struct tlshd_ctx *ctx, struct tlshd_ticket *ticket);
unsigned int tlshd_ticket_take(struct tlshd_net *tn, struct list_head *out, unsigned int max);
void tlshd_ticket_drop_all(struct list_head *list);

#endif
