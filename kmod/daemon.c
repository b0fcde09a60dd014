// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cred.h>
#include <linux/netlink.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "daemon.h"
#include "genl.h"
#include "ticket.h"

struct listener {
	struct list_head node;
	u32 portid;
	const struct sock *sk;	/* compared, never followed */
	bool idle;	/* has no READY to answer */
};

static unsigned int net_id;

/**
 * tlshd_net() - our part of a network namespace
 * @net: alive
 *
 * Return: never NULL.
 */
struct tlshd_net *tlshd_net(struct net *net)
{
	return net_generic(net, net_id);
}

/* tn->lock held. */
static struct listener *find(struct tlshd_net *tn, u32 portid)
{
	struct listener *l;

	list_for_each_entry(l, &tn->listeners, node)
		if (l->portid == portid)
			return l;
	return NULL;
}

/*
 * tn->lock held. A number is free again before NETLINK_URELEASE says that its socket is gone: whoever binds it in
 * between must not pass for that one. The socket itself is not freed before.
 */
static struct listener *find_sock(struct tlshd_net *tn, u32 portid, const struct sock *sk)
{
	struct listener *l = find(tn, portid);

	return l && l->sk == sk ? l : NULL;
}

static void free_listeners(struct list_head *list)
{
	struct listener *l, *next;

	list_for_each_entry_safe(l, next, list, node)
		kfree(l);
}

/*
 * tn->lock held. Forget the instance, whose listeners have been taken off. Another could not open the blobs of its
 * tickets.
 */
static void forget(struct tlshd_net *tn, struct list_head *tickets)
{
	list_splice_init(&tn->tickets, tickets);
	tn->num_tickets = 0;
	put_pid(tn->tgid);
	tn->tgid = NULL;
	put_user_ns(tn->user_ns);
	tn->user_ns = NULL;
}

/**
 * tlshd_daemon_register() - let a netlink socket accept requests
 * @net: namespace to serve
 * @portid: the socket's
 * @sk: the socket
 * @instance: the daemon's name for itself
 *
 * Another thread group or instance than the registered one takes over. The former is not asked: one of its workers
 * may be stuck in an application's socket lock, where it cannot be killed and keeps every descriptor. Its handshakes
 * are ended here, which revokes its handshake sockets; what it has not accepted stays for the newcomer.
 *
 * Return: 0 or -ENOMEM.
 */
int tlshd_daemon_register(struct net *net, u32 portid, const struct sock *sk, u64 instance)
{
	struct listener *l = kzalloc(sizeof(*l), GFP_KERNEL);
	struct tlshd_net *tn = tlshd_net(net);
	LIST_HEAD(old);
	LIST_HEAD(doomed);
	LIST_HEAD(tickets);

	if (!l)
		return -ENOMEM;
	l->portid = portid;
	l->sk = sk;
	l->idle = true;

	spin_lock_bh(&tn->lock);
	if (!list_empty(&tn->listeners) && (tn->tgid != task_tgid(current) || tn->instance != instance)) {
		list_splice_init(&tn->listeners, &old);
		list_splice_init(&tn->accepted, &doomed);
		forget(tn, &tickets);
	}
	if (list_empty(&tn->listeners)) {
		tn->tgid = get_pid(task_tgid(current));
		tn->instance = instance;
		tn->user_ns = get_user_ns(current_user_ns());
	}
	if (!find(tn, portid)) {
		list_add_tail(&l->node, &tn->listeners);
		l = NULL;
	}
	spin_unlock_bh(&tn->lock);

	kfree(l);
	free_listeners(&old);
	tlshd_ticket_drop_all(&tickets);
	tlshd_req_end_all(tn, &doomed, "another daemon took over");
	/* What waited for the former daemon. */
	tlshd_daemon_ready(net);
	return 0;
}

/**
 * tlshd_daemon_ready() - tell an idle socket, if there is one, that there are requests or tickets
 * @net: namespace
 *
 * Only one READY is on its way to a socket, so it cannot overrun. If it is lost for want of memory, the socket stays
 * idle and the next request tries again; the deadline bounds the wait of this one.
 */
void tlshd_daemon_ready(struct net *net)
{
	struct tlshd_net *tn = tlshd_net(net);
	struct listener *l;
	u32 portid = 0;

	spin_lock_bh(&tn->lock);
	if (!list_empty(&tn->turns) || !list_empty(&tn->tickets)) {
		list_for_each_entry(l, &tn->listeners, node) {
			if (!l->idle)
				continue;
			l->idle = false;
			portid = l->portid;
			list_move_tail(&l->node, &tn->listeners);
			break;
		}
	}
	spin_unlock_bh(&tn->lock);
	if (portid && tlshd_genl_ready(net, portid))
		tlshd_daemon_idle(net, portid);
}

/**
 * tlshd_daemon_idle() - a socket has nothing to answer any more
 * @net: namespace
 * @portid: the socket's
 */
void tlshd_daemon_idle(struct net *net, u32 portid)
{
	struct tlshd_net *tn = tlshd_net(net);
	struct listener *l;

	spin_lock_bh(&tn->lock);
	l = find(tn, portid);
	if (l)
		l->idle = true;
	spin_unlock_bh(&tn->lock);
}

/**
 * tlshd_daemon_take() - requests for a registered socket
 * @net: namespace
 * @portid: the socket's
 * @sk: the socket
 * @taken: out
 * @max: room in @taken
 * @tickets: out: there are some to be taken, too
 *
 * That the queue is empty and that the socket is idle are one decision under the lock: a request or ticket queued
 * after it sends READY.
 *
 * Return: how many were taken, or -EPERM if the socket is not registered.
 */
int tlshd_daemon_take(struct net *net, u32 portid, const struct sock *sk, struct tlshd_taken *taken,
		      unsigned int max, bool *tickets)
{
	struct tlshd_net *tn = tlshd_net(net);
	struct listener *l;
	int n = -EPERM;

	spin_lock_bh(&tn->lock);
	l = find_sock(tn, portid, sk);
	if (l) {
		n = tlshd_req_take(tn, taken, max);
		l->idle = n < max;
		*tickets = !list_empty(&tn->tickets);
	}
	spin_unlock_bh(&tn->lock);
	return n;
}

/**
 * tlshd_daemon_take_tickets() - tickets for a registered socket
 * @net: namespace
 * @portid: the socket's
 * @sk: the socket
 * @out: out: the caller's, to be freed
 * @max: how many at most
 *
 * Return: how many were taken, or -EPERM if the socket is not registered.
 */
int tlshd_daemon_take_tickets(struct net *net, u32 portid, const struct sock *sk, struct list_head *out,
			      unsigned int max)
{
	struct tlshd_net *tn = tlshd_net(net);
	int n = -EPERM;

	spin_lock_bh(&tn->lock);
	if (find_sock(tn, portid, sk))
		n = tlshd_ticket_take(tn, out, max);
	spin_unlock_bh(&tn->lock);
	return n;
}

/* A netlink socket is gone. Called in the process that closed it, for every bound one of the machine. */
static int released(struct notifier_block *nb, unsigned long event, void *data)
{
	struct netlink_notify *n = data;
	struct tlshd_net *tn;
	struct listener *l;
	LIST_HEAD(doomed);
	LIST_HEAD(tickets);

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	tn = tlshd_net(n->net);
	spin_lock_bh(&tn->lock);
	l = find(tn, n->portid);
	if (l) {
		list_del(&l->node);
		if (list_empty(&tn->listeners)) {
			forget(tn, &tickets);
			tlshd_req_doom_queued(tn, &doomed);
		}
	}
	spin_unlock_bh(&tn->lock);
	if (!l)
		return NOTIFY_DONE;
	kfree(l);
	tlshd_ticket_drop_all(&tickets);
	tlshd_req_end_all(tn, &doomed, "the daemon has left");
	/* Where others are left: this one may have been told of requests that it did not take. */
	tlshd_daemon_ready(n->net);
	return NOTIFY_DONE;
}

static struct notifier_block release_nb = { .notifier_call = released };

static int __net_init init_net_part(struct net *net)
{
	struct tlshd_net *tn = tlshd_net(net);

	spin_lock_init(&tn->lock);
	hash_init(tn->payers);
	INIT_LIST_HEAD(&tn->turns);
	INIT_LIST_HEAD(&tn->accepted);
	INIT_LIST_HEAD(&tn->tickets);
	INIT_LIST_HEAD(&tn->listeners);
	return 0;
}

static void __net_exit exit_net_part(struct net *net)
{
	struct tlshd_net *tn = tlshd_net(net);
	LIST_HEAD(tickets);

	/*
	 * A request's sock holds the namespace. Listeners outlive the notifier only at module exit, after the family
	 * is gone.
	 */
	WARN_ON(!list_empty(&tn->turns) || !list_empty(&tn->accepted) || !hash_empty(tn->payers));
	if (!list_empty(&tn->listeners))
		forget(tn, &tickets);
	tlshd_ticket_drop_all(&tickets);
	free_listeners(&tn->listeners);
}

static struct pernet_operations net_ops = {
	.init = init_net_part,
	.exit = exit_net_part,
	.id = &net_id,
	.size = sizeof(struct tlshd_net),
};

/**
 * tlshd_daemon_init() - be ready for daemons in every namespace
 *
 * Return: 0 or a negative errno.
 */
int tlshd_daemon_init(void)
{
	int err = register_pernet_subsys(&net_ops);

	if (err)
		return err;
	err = netlink_register_notifier(&release_nb);
	if (err)
		unregister_pernet_subsys(&net_ops);
	return err;
}

/**
 * tlshd_daemon_exit() - forget all daemons; nobody can register any more
 */
void tlshd_daemon_exit(void)
{
	netlink_unregister_notifier(&release_nb);
	unregister_pernet_subsys(&net_ops);
}
