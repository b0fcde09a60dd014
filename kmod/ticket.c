// SPDX-License-Identifier: GPL-2.0-only
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "ctx.h"
#include "daemon.h"
#include "req.h"
#include "ticket.h"

/*
 * Tickets that wait for a daemon in one network namespace: some 3 KiB each, charged to who read them. A daemon takes
 * them within milliseconds; one that does not leaves them here.
 */
#define MAX_QUEUED 256
/* Of one user, so that a hostile server of his pushes out his own tickets only. */
#define MAX_QUEUED_USER 32

/**
 * tlshd_ticket_new() - begin to collect a message
 * @ctx: a client's, open
 * @head: its four bytes of header
 * @body_len: what follows
 *
 * Return: NULL if it is not worth it: the daemon wants none, it is empty or too long for a ticket that is kept, no memory.
 */
struct tlshd_ticket *tlshd_ticket_new(struct tlshd_ctx *ctx, const u8 *head, u32 body_len)
{
	struct tlshd_ticket *t;

	if (!ctx->blob_len || !body_len || body_len > TLSHD_TICKET_MAX - 4)
		return NULL;
	t = kmalloc(struct_size(t, data, ctx->blob_len + 4 + body_len), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!t)
		return NULL;
	INIT_LIST_HEAD(&t->node);
	t->uid = tlshd_req_payer_uid(&ctx->req);
	t->blob_len = ctx->blob_len;
	t->len = 4 + body_len;
	t->have = 0;
	memcpy(t->data, ctx->blob, ctx->blob_len);
	tlshd_ticket_add(t, head, 4);
	return t;
}

/**
 * tlshd_ticket_add() - more of the message
 * @t: being collected
 * @p: the bytes
 * @len: at most what is missing
 */
void tlshd_ticket_add(struct tlshd_ticket *t, const u8 *p, u32 len)
{
	memcpy(t->data + t->blob_len + t->have, p, len);
	t->have += len;
}

/* tn->lock held. The oldest of @uid if he has too many, else the oldest of all if there are. NULL: there is room. */
static struct tlshd_ticket *surplus(struct tlshd_net *tn, kuid_t uid)
{
	struct tlshd_ticket *t, *first = NULL;
	unsigned int num = 0;

	list_for_each_entry(t, &tn->tickets, node) {
		if (!uid_eq(t->uid, uid))
			continue;
		first = first ?: t;
		num++;
	}
	if (num >= MAX_QUEUED_USER)
		return first;
	return tn->num_tickets >= MAX_QUEUED ? list_first_entry(&tn->tickets, struct tlshd_ticket, node) : NULL;
}

/**
 * tlshd_ticket_queue() - hand a whole message to the daemon
 * @ctx: whose it is
 * @ticket: consumed
 *
 * A session is worth a handshake, no more: where there is no daemon or no room, tickets are lost, the oldest first.
 */
void tlshd_ticket_queue(struct tlshd_ctx *ctx, struct tlshd_ticket *ticket)
{
	struct tlshd_net *tn = tlshd_net(sock_net(ctx->sk));
	struct tlshd_ticket *old = ticket;

	spin_lock_bh(&tn->lock);
	if (!list_empty(&tn->listeners)) {
		old = surplus(tn, ticket->uid);
		if (old)
			list_del(&old->node);
		else
			tn->num_tickets++;
		list_add_tail(&ticket->node, &tn->tickets);
	}
	spin_unlock_bh(&tn->lock);
	kfree(old);
	tlshd_daemon_ready(sock_net(ctx->sk));
}

/**
 * tlshd_ticket_take() - take the oldest
 * @tn: locked
 * @out: out, appended
 * @max: how many at most
 *
 * Return: how many.
 */
unsigned int tlshd_ticket_take(struct tlshd_net *tn, struct list_head *out, unsigned int max)
{
	unsigned int n = 0;

	while (n < max && !list_empty(&tn->tickets)) {
		list_move_tail(tn->tickets.next, out);
		tn->num_tickets--;
		n++;
	}
	return n;
}

/**
 * tlshd_ticket_drop_all() - free a list of them
 * @list: empty afterwards
 */
void tlshd_ticket_drop_all(struct list_head *list)
{
	struct tlshd_ticket *t, *next;

	list_for_each_entry_safe(t, next, list, node)
		kfree(t);
	INIT_LIST_HEAD(list);
}
