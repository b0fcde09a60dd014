/* SPDX-License-Identifier: GPL-2.0-only */
/* daemon: who shakes hands for a network namespace: one instance, one netlink socket for each of its workers. */
#ifndef _TLSHD_DAEMON_H
#define _TLSHD_DAEMON_H

#include <linux/hashtable.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "req.h"

struct net;
struct pid;
struct sock;
struct user_namespace;

struct tlshd_net {
	spinlock_t lock;		/* bottom halves off: deadlines come here from a timer */
	DECLARE_HASHTABLE(payers, 6);
	struct list_head turns;		/* payers with queued requests; the head's turn is next */
	struct list_head accepted;	/* requests that a daemon has */
	struct list_head tickets;	/* struct tlshd_ticket for the daemon, @num_tickets of them */
	unsigned int num_tickets;

	struct list_head listeners;	/* registered sockets; the next to be told is in front */
	struct pid *tgid;		/* who registered them, and the following, while there are any */
	u64 instance;
	struct user_namespace *user_ns;
};

int tlshd_daemon_init(void);
void tlshd_daemon_exit(void);
struct tlshd_net *tlshd_net(struct net *net);
int tlshd_daemon_register(struct net *net, u32 portid, const struct sock *sk, u64 instance);
void tlshd_daemon_ready(struct net *net);
int tlshd_daemon_take(struct net *net, u32 portid, const struct sock *sk, struct tlshd_taken *taken,
		      unsigned int max, bool *tickets);
int tlshd_daemon_take_tickets(struct net *net, u32 portid, const struct sock *sk, struct list_head *out,
			      unsigned int max);
void tlshd_daemon_idle(struct net *net, u32 portid);

#endif
