/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * req: who asked for a handshake, and its place in the queue of its network namespace.
 *
 * A request belongs to its connection. While queued it holds the only reference to the handshake socket's file;
 * whoever takes it off the queue (under tlshd_net.lock) owns that reference.
 */
#ifndef _TLSHD_REQ_H
#define _TLSHD_REQ_H

#include <linux/cred.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/pid.h>
#include <linux/socket.h>
#include "../uapi/tlshd_genl.h"

struct tlshd_ctx;
struct tlshd_net;
struct tlshd_payer;

enum tlshd_req_place {
	TLSHD_REQ_NEW,
	TLSHD_REQ_QUEUED,	/* node on its payer's queue */
	TLSHD_REQ_ACCEPTED,	/* node on tlshd_net.accepted */
	TLSHD_REQ_ENDED,	/* the handshake has ended; never queued again */
};

struct tlshd_req {
	struct tlshd_start start;
	const struct cred *cred;	/* START's caller */
	struct pid *pid;		/* his thread group; for logs */
	u64 cgroup;
	u32 early_len;			/* of a client: what the daemon may take */
	ktime_t since;
	struct sockaddr_storage local, peer;
	int local_len, peer_len;

	/* Under tlshd_net.lock: */
	enum tlshd_req_place place;
	struct list_head node;
	struct file *file;		/* the handshake socket's, while QUEUED */
	struct tlshd_payer *payer;	/* whose cap this handshake counts against; NULL without a reservation */
};

struct tlshd_taken {
	struct tlshd_ctx *ctx;		/* a reference */
	struct file *file;		/* a reference */
};

kuid_t tlshd_req_payer_uid(const struct tlshd_req *req);
void tlshd_req_init(struct tlshd_req *req, const struct tlshd_start *start);
void tlshd_req_exit(struct tlshd_req *req);
int tlshd_req_reserve(struct tlshd_ctx *ctx);
void tlshd_req_unreserve(struct tlshd_ctx *ctx);
void tlshd_req_queue(struct tlshd_ctx *ctx, struct file *file);
void tlshd_req_end(struct tlshd_ctx *ctx);
unsigned int tlshd_req_take(struct tlshd_net *tn, struct tlshd_taken *taken, unsigned int max);
void tlshd_req_give_back(struct tlshd_taken *taken);
void tlshd_req_end_all(struct tlshd_net *tn, struct list_head *doomed, const char *reason);
void tlshd_req_doom_queued(struct tlshd_net *tn, struct list_head *doomed);

#endif
