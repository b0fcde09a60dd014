// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cgroup.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <net/net_namespace.h>
#include "ctx.h"
#include "daemon.h"
#include "req.h"

static unsigned int max_handshakes = 16384;
module_param(max_handshakes, uint, 0644);
MODULE_PARM_DESC(max_handshakes, "handshakes at once, of all users (16384): some 8 KiB of kernel memory each");

/* Apart, so that strangers who connect to a user's servers and say nothing cannot block his own clients. */
static unsigned int max_user_servers = 4096;
module_param(max_user_servers, uint, 0644);
MODULE_PARM_DESC(max_user_servers, "server handshakes at once of one user (4096)");
static unsigned int max_user_clients = 4096;
module_param(max_user_clients, uint, 0644);
MODULE_PARM_DESC(max_user_clients, "client handshakes at once of one user (4096)");

static atomic_t num_handshakes = ATOMIC_INIT(0);

/**
 * struct tlshd_payer - a user of one network namespace with handshakes under way
 * @node: in tlshd_net.payers
 * @turn: in tlshd_net.turns while @queue is not empty
 * @queue: his requests, oldest first
 * @uid: who
 * @num: his handshakes by role, from reservation to the handshake socket's release; freed when both are 0
 */
struct tlshd_payer {
	struct hlist_node node;
	struct list_head turn;
	struct list_head queue;
	kuid_t uid;
	unsigned int num[TLSHD_SERVER + 1];
};

/**
 * tlshd_req_payer_uid() - whose caps a caller counts against
 * @req: his
 *
 * A user with a range of subordinate ids is one user: the owner of the outermost namespace below the initial one pays.
 */
kuid_t tlshd_req_payer_uid(const struct tlshd_req *req)
{
	struct user_namespace *ns = req->cred->user_ns;
	kuid_t uid = req->cred->euid;

	for (; ns != &init_user_ns; ns = ns->parent)
		uid = ns->owner;
	return uid;
}

static u64 current_cgroup(void)
{
	u64 id = 0;

#ifdef CONFIG_CGROUPS
	rcu_read_lock();
	id = cgroup_id(task_dfl_cgroup(current));
	rcu_read_unlock();
#endif
	return id;
}

static struct tlshd_net *net_of(const struct tlshd_ctx *ctx)
{
	return tlshd_net(sock_net(ctx->sk));
}

static struct tlshd_ctx *ctx_of(struct tlshd_req *req)
{
	return container_of(req, struct tlshd_ctx, req);
}

/**
 * tlshd_req_init() - note who asks, and what for
 * @req: out
 * @start: checked
 */
void tlshd_req_init(struct tlshd_req *req, const struct tlshd_start *start)
{
	req->start = *start;
	req->cred = get_current_cred();
	req->pid = get_pid(task_tgid(current));
	req->cgroup = current_cgroup();
	req->since = ktime_get();
	req->place = TLSHD_REQ_NEW;
	INIT_LIST_HEAD(&req->node);
}

/**
 * tlshd_req_exit() - give up what a request holds
 * @req: on no list, without a reservation
 */
void tlshd_req_exit(struct tlshd_req *req)
{
	WARN_ON(!list_empty(&req->node) || req->payer || req->file);
	put_cred(req->cred);
	put_pid(req->pid);
}

static struct tlshd_payer *find_payer(struct tlshd_net *tn, kuid_t uid)
{
	struct tlshd_payer *payer;

	hash_for_each_possible(tn->payers, payer, node, __kuid_val(uid))
		if (uid_eq(payer->uid, uid))
			return payer;
	return NULL;
}

/* tn->lock held. Takes *spare if it needs one. */
static int reserve_locked(struct tlshd_net *tn, struct tlshd_req *req, struct tlshd_payer **spare)
{
	unsigned int *max = req->start.role == TLSHD_SERVER ? &max_user_servers : &max_user_clients;
	kuid_t uid = tlshd_req_payer_uid(req);
	struct tlshd_payer *payer;

	/* A daemon is served only those whose user namespace its own contains: nobody judges a stranger's peers. */
	if (list_empty(&tn->listeners) || !current_in_userns(tn->user_ns))
		return -ESRCH;
	/* An unmapped id would read as "nobody", and match a rule that means somebody else. */
	if (from_kuid(tn->user_ns, req->cred->euid) == (uid_t)-1 ||
	    from_kgid(tn->user_ns, req->cred->egid) == (gid_t)-1)
		return -EACCES;
	payer = find_payer(tn, uid);
	if ((payer ? payer->num[req->start.role] : 0) >= READ_ONCE(*max))
		return -EAGAIN;
	if (!payer) {
		payer = *spare;
		*spare = NULL;
		payer->uid = uid;
		INIT_LIST_HEAD(&payer->turn);
		INIT_LIST_HEAD(&payer->queue);
		hash_add(tn->payers, &payer->node, __kuid_val(uid));
	}
	payer->num[req->start.role]++;
	req->payer = payer;
	return 0;
}

/**
 * tlshd_req_reserve() - count a handshake against its user's cap and the global one
 * @ctx: new
 *
 * Given back by tlshd_req_unreserve() at the handshake socket's release, not at the handshake's end: START and close
 * in a loop would flood the daemon with descriptors otherwise.
 *
 * Return: 0; -ESRCH no daemon serves the caller; -EACCES his ids are unknown in the daemon's user namespace; -EAGAIN
 * too many handshakes at once; -ENOMEM.
 */
int tlshd_req_reserve(struct tlshd_ctx *ctx)
{
	struct tlshd_payer *spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
	struct tlshd_net *tn = net_of(ctx);
	int err = -EAGAIN;

	if (!spare)
		return -ENOMEM;
	if (atomic_inc_return(&num_handshakes) <= READ_ONCE(max_handshakes)) {
		spin_lock_bh(&tn->lock);
		err = reserve_locked(tn, &ctx->req, &spare);
		spin_unlock_bh(&tn->lock);
	}
	if (err)
		atomic_dec(&num_handshakes);
	kfree(spare);
	return err;
}

/**
 * tlshd_req_unreserve() - give a reservation back
 * @ctx: with or without one; not queued
 */
void tlshd_req_unreserve(struct tlshd_ctx *ctx)
{
	struct tlshd_net *tn = net_of(ctx);
	struct tlshd_payer *payer, *last = NULL;

	spin_lock_bh(&tn->lock);
	payer = ctx->req.payer;
	ctx->req.payer = NULL;
	if (payer) {
		payer->num[ctx->req.start.role]--;
		/* No handshake of his, so no queued one either: a queued request has a reservation. */
		if (!payer->num[TLSHD_CLIENT] && !payer->num[TLSHD_SERVER]) {
			hash_del(&payer->node);
			last = payer;
		}
	}
	spin_unlock_bh(&tn->lock);
	if (payer)
		atomic_dec(&num_handshakes);
	kfree(last);
}

/* tn->lock held. */
static void enqueue(struct tlshd_net *tn, struct tlshd_req *req, struct file *file, bool first)
{
	struct tlshd_payer *payer = req->payer;

	req->place = TLSHD_REQ_QUEUED;
	req->file = file;
	list_del_init(&req->node);
	if (first)
		list_add(&req->node, &payer->queue);
	else
		list_add_tail(&req->node, &payer->queue);
	if (list_empty(&payer->turn))
		list_add_tail(&payer->turn, &tn->turns);
}

/* tn->lock held. Return: the file that the queue held, now the caller's. */
static struct file *unlink_req(struct tlshd_req *req, enum tlshd_req_place place)
{
	struct file *file = req->file;

	req->file = NULL;
	list_del_init(&req->node);
	if (req->place == TLSHD_REQ_QUEUED && list_empty(&req->payer->queue))
		list_del_init(&req->payer->turn);
	req->place = place;
	return file;
}

/**
 * tlshd_req_queue() - hand a request to the daemon
 * @ctx: any reference
 * @file: consumed: the daemon's once accepted; closed, which ends the handshake, if there is no daemon any more
 */
void tlshd_req_queue(struct tlshd_ctx *ctx, struct file *file)
{
	struct tlshd_net *tn = net_of(ctx);
	bool queued = false;

	spin_lock_bh(&tn->lock);
	/*
	 * Ended: its deadline was quicker. No listener: the daemon left since the reservation, and nobody would end
	 * this.
	 */
	if (ctx->req.place != TLSHD_REQ_ENDED && !list_empty(&tn->listeners)) {
		enqueue(tn, &ctx->req, file, false);
		queued = true;
	}
	spin_unlock_bh(&tn->lock);
	if (queued) {
		tlshd_daemon_ready(sock_net(ctx->sk));
	} else {
		tlshd_ctx_fail(ctx, ECONNABORTED, "the daemon has left");
		fput(file);
	}
}

/**
 * tlshd_req_end() - the handshake has ended: take its request off every list
 * @ctx: whose completion the caller has just won
 *
 * Any context that may take a bottom-half lock; fput() defers the release.
 */
void tlshd_req_end(struct tlshd_ctx *ctx)
{
	struct tlshd_net *tn = net_of(ctx);
	struct file *file;

	spin_lock_bh(&tn->lock);
	file = unlink_req(&ctx->req, TLSHD_REQ_ENDED);
	spin_unlock_bh(&tn->lock);
	if (file)
		fput(file);
}

/**
 * tlshd_req_take() - take requests off the queue, one user after the other
 * @tn: its lock held
 * @taken: out, each with both its references
 * @max: room in @taken
 *
 * Return: how many; fewer than @max if the queue is empty.
 */
unsigned int tlshd_req_take(struct tlshd_net *tn, struct tlshd_taken *taken, unsigned int max)
{
	struct tlshd_payer *payer;
	struct tlshd_req *req;
	unsigned int n = 0;

	while (n < max && !list_empty(&tn->turns)) {
		payer = list_first_entry(&tn->turns, struct tlshd_payer, turn);
		list_move_tail(&payer->turn, &tn->turns);
		req = list_first_entry(&payer->queue, struct tlshd_req, node);
		/* On a list, so not ended; the completion that takes it off has not given up its reference. */
		taken[n].ctx = ctx_of(req);
		tlshd_ctx_hold(taken[n].ctx);
		taken[n].file = unlink_req(req, TLSHD_REQ_ACCEPTED);
		list_add_tail(&req->node, &tn->accepted);
		n++;
	}
	return n;
}

/**
 * tlshd_req_give_back() - put a request back to the head of its user's queue
 * @taken: both references are consumed
 */
void tlshd_req_give_back(struct tlshd_taken *taken)
{
	struct tlshd_net *tn = net_of(taken->ctx);
	bool queued;

	spin_lock_bh(&tn->lock);
	queued = taken->ctx->req.place == TLSHD_REQ_ACCEPTED && !list_empty(&tn->listeners);
	if (queued)
		enqueue(tn, &taken->ctx->req, taken->file, true);
	spin_unlock_bh(&tn->lock);
	if (!queued)
		fput(taken->file);
	tlshd_ctx_put(taken->ctx);
}

/**
 * tlshd_req_end_all() - end the handshakes of all requests on a list
 * @tn: of the namespace
 * @doomed: a list head of the caller's that requests were moved to under @tn's lock; empty afterwards
 * @reason: in words
 */
void tlshd_req_end_all(struct tlshd_net *tn, struct list_head *doomed, const char *reason)
{
	struct tlshd_ctx *ctx;

	for (;;) {
		spin_lock_bh(&tn->lock);
		ctx = list_empty(doomed) ? NULL : ctx_of(list_first_entry(doomed, struct tlshd_req, node));
		if (ctx) {
			list_del_init(&ctx->req.node);
			tlshd_ctx_hold(ctx);
		}
		spin_unlock_bh(&tn->lock);
		if (!ctx)
			return;
		tlshd_ctx_fail(ctx, ECONNABORTED, reason);
		tlshd_ctx_put(ctx);
		cond_resched();
	}
}

/**
 * tlshd_req_doom_queued() - move all queued requests to a list for tlshd_req_end_all()
 * @tn: its lock held
 * @doomed: the list
 */
void tlshd_req_doom_queued(struct tlshd_net *tn, struct list_head *doomed)
{
	struct tlshd_payer *payer, *next;

	list_for_each_entry_safe(payer, next, &tn->turns, turn) {
		list_splice_tail_init(&payer->queue, doomed);
		list_del_init(&payer->turn);
	}
}
