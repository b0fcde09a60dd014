// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/pid_namespace.h>
#include <linux/user_namespace.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include "ctx.h"
#include "daemon.h"
#include "genl.h"
#include "ticket.h"
#include "trace.h"

/* What one request takes in a reply: strings under 0.5 KiB, groups 1 KiB, two addresses, numbers. */
#define REQ_SIZE 3072
/* And one ticket, with the heads of its nest and attributes. */
#define TICKET_SIZE (TLSHD_BLOB_MAX + TLSHD_TICKET_MAX + 32)

static struct genl_family family;

static const struct nla_policy policy[TLSHD_A_MAX_ATTR + 1] = {
	[TLSHD_A_PROTO_MIN] = { .type = NLA_U32 },
	[TLSHD_A_PROTO_MAX] = { .type = NLA_U32 },
	[TLSHD_A_INSTANCE] = { .type = NLA_U64 },
	[TLSHD_A_MAX] = NLA_POLICY_RANGE(NLA_U32, 1, TLSHD_ACCEPT_MAX),
};

/* The start of a reply, or NULL without memory. */
static struct sk_buff *reply_new(struct genl_info *info, u8 cmd, size_t size, void **head)
{
	struct sk_buff *skb = genlmsg_new(size, GFP_KERNEL);

	if (!skb)
		return NULL;
	*head = genlmsg_put(skb, info->snd_portid, info->snd_seq, &family, 0, cmd);
	if (*head)
		return skb;
	nlmsg_free(skb);
	return NULL;
}

static int register_doit(struct sk_buff *in, struct genl_info *info)
{
	struct sk_buff *skb;
	u32 min, max;
	void *head;
	int err;

	if (!info->attrs[TLSHD_A_PROTO_MIN] || !info->attrs[TLSHD_A_PROTO_MAX] || !info->attrs[TLSHD_A_INSTANCE])
		return -EINVAL;
	min = max_t(u32, nla_get_u32(info->attrs[TLSHD_A_PROTO_MIN]), TLSHD_PROTO_MIN);
	max = min_t(u32, nla_get_u32(info->attrs[TLSHD_A_PROTO_MAX]), TLSHD_PROTO_MAX);
	if (min > max)
		return -EPROTONOSUPPORT;
	skb = reply_new(info, TLSHD_CMD_REGISTER, nla_total_size(sizeof(u32)), &head);
	if (!skb)
		return -ENOMEM;
	err = nla_put_u32(skb, TLSHD_A_PROTO, max);
	if (!err)
		err = tlshd_daemon_register(genl_info_net(info), info->snd_portid, NETLINK_CB(in).sk,
					    nla_get_u64(info->attrs[TLSHD_A_INSTANCE]));
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, head);
	return genlmsg_reply(skb, info);
}

static int put_groups(struct sk_buff *skb, struct user_namespace *ns, const struct group_info *groups)
{
	struct nlattr *attr;
	u32 *gids;
	int i, n = 0;

	for (i = 0; i < groups->ngroups && n < TLSHD_GROUPS_MAX; i++)
		n += from_kgid(ns, groups->gid[i]) != (gid_t)-1;
	attr = nla_reserve(skb, TLSHD_R_GROUPS, n * sizeof(u32));
	if (!attr)
		return -EMSGSIZE;
	gids = nla_data(attr);
	for (i = 0; n; i++) {
		*gids = from_kgid(ns, groups->gid[i]);
		if (*gids == (gid_t)-1)
			continue;
		gids++;
		n--;
	}
	return 0;
}

/* Strings of 0 length are left out. */
static int put_string(struct sk_buff *skb, int attr, const char *s)
{
	return *s ? nla_put_string(skb, attr, s) : 0;
}

static int put_caller(struct sk_buff *skb, const struct tlshd_req *req, struct user_namespace *ns)
{
	const struct cred *cred = req->cred;

	return nla_put_u32(skb, TLSHD_R_UID, from_kuid(ns, cred->euid)) ||
	       nla_put_u32(skb, TLSHD_R_GID, from_kgid(ns, cred->egid)) ||
	       put_groups(skb, ns, cred->group_info) ||
	       nla_put_u32(skb, TLSHD_R_PID, pid_nr_ns(req->pid, task_active_pid_ns(current))) ||
	       nla_put_u64_64bit(skb, TLSHD_R_CGROUP, req->cgroup, TLSHD_R_PAD);
}

static int put_req(struct sk_buff *skb, const struct tlshd_ctx *ctx, int fd, struct user_namespace *ns)
{
	const struct tlshd_req *req = &ctx->req;
	struct nlattr *nest = nla_nest_start(skb, TLSHD_A_REQUEST);

	if (!nest ||
	    nla_put_s32(skb, TLSHD_R_FD, fd) ||
	    nla_put_u32(skb, TLSHD_R_ROLE, req->start.role) ||
	    nla_put_u32(skb, TLSHD_R_FLAGS, req->start.flags) ||
	    nla_put_u32(skb, TLSHD_R_TIMEOUT_MS, req->start.timeout_ms) ||
	    (req->early_len && nla_put_u32(skb, TLSHD_R_EARLY_LEN, req->early_len)) ||
	    nla_put_u32(skb, TLSHD_R_AGE_MS, ktime_ms_delta(ktime_get(), req->since)) ||
	    put_string(skb, TLSHD_R_PROFILE, req->start.profile) ||
	    put_string(skb, TLSHD_R_SERVER_NAME, req->start.server_name) ||
	    put_string(skb, TLSHD_R_ALPN, req->start.alpn) ||
	    nla_put(skb, TLSHD_R_SCOPE, TLSHD_SCOPE_LEN, req->start.scope) ||
	    put_caller(skb, req, ns) ||
	    nla_put_u64_64bit(skb, TLSHD_R_NETNS, sock_net(ctx->sk)->net_cookie, TLSHD_R_PAD) ||
	    nla_put(skb, TLSHD_R_PEER, req->peer_len, &req->peer) ||
	    nla_put(skb, TLSHD_R_LOCAL, req->local_len, &req->local))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/*
 * The reply goes out before the descriptors are installed, because a reply can fail and an installed descriptor
 * cannot be taken back. The caller reads it after this call; another thread of his that reads this socket meanwhile
 * may see a number a moment early, which is why each worker has a socket of its own.
 */
static int reply_accept(struct genl_info *info, struct tlshd_taken *taken, const int *fds, unsigned int n,
			bool tickets, struct user_namespace *ns)
{
	struct sk_buff *skb;
	unsigned int i;
	void *head;
	int err = 0;

	skb = reply_new(info, TLSHD_CMD_ACCEPT, n * REQ_SIZE + nla_total_size(0), &head);
	if (!skb)
		return -ENOMEM;
	for (i = 0; i < n && !err; i++)
		err = put_req(skb, taken[i].ctx, fds[i], ns);
	if (!err && tickets)
		err = nla_put_flag(skb, TLSHD_A_TICKETS);
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, head);
	return genlmsg_reply(skb, info);
}

/* The daemon's user namespace; its listeners may vanish under us. */
static struct user_namespace *daemon_ns(struct net *net)
{
	struct tlshd_net *tn = tlshd_net(net);
	struct user_namespace *ns;

	spin_lock_bh(&tn->lock);
	ns = tn->user_ns ? get_user_ns(tn->user_ns) : NULL;
	spin_unlock_bh(&tn->lock);
	return ns;
}

static int accept_doit(struct sk_buff *in, struct genl_info *info)
{
	struct tlshd_taken taken[TLSHD_ACCEPT_MAX];
	struct net *net = genl_info_net(info);
	struct user_namespace *ns;
	int fds[TLSHD_ACCEPT_MAX];
	int i, n, num_fds = 0, err = -EMFILE;
	bool tickets;

	if (!info->attrs[TLSHD_A_MAX])
		return -EINVAL;
	ns = daemon_ns(net);
	if (!ns)
		return -EPERM;
	n = tlshd_daemon_take(net, info->snd_portid, NETLINK_CB(in).sk, taken, nla_get_u32(info->attrs[TLSHD_A_MAX]),
			      &tickets);
	if (n < 0) {
		put_user_ns(ns);
		return n;
	}
	for (; num_fds < n; num_fds++) {
		fds[num_fds] = get_unused_fd_flags(O_CLOEXEC);
		if (fds[num_fds] < 0)
			break;
	}
	if (num_fds || !n)
		err = reply_accept(info, taken, fds, num_fds, tickets, ns);
	put_user_ns(ns);

	/* Backwards, so that what goes back to the head of a queue keeps its order. */
	for (i = n; i-- > 0; ) {
		if (err || i >= num_fds) {
			if (i < num_fds)
				put_unused_fd(fds[i]);
			tlshd_req_give_back(&taken[i]);
			continue;
		}
		trace_tlshd_accept(taken[i].ctx->sk, fds[i]);
		fd_install(fds[i], taken[i].file);
		tlshd_ctx_put(taken[i].ctx);
	}
	/*
	 * A short reply says that the queue is empty, so what went back to it is told again. An error is not, or a
	 * worker without descriptors would spin: it knows, and the next request tells it.
	 */
	if (num_fds < n || err)
		tlshd_daemon_idle(net, info->snd_portid);
	if (num_fds < n && !err)
		tlshd_daemon_ready(net);
	return err;
}

static int put_ticket(struct sk_buff *skb, const struct tlshd_ticket *t)
{
	struct nlattr *nest = nla_nest_start(skb, TLSHD_A_TICKET);

	if (!nest || nla_put(skb, TLSHD_T_BLOB, t->blob_len, t->data) ||
	    nla_put(skb, TLSHD_T_MESSAGE, t->len, t->data + t->blob_len))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* Tickets that cannot be told of are lost: who has no memory for a reply has none for a session. */
static int tickets_doit(struct sk_buff *in, struct genl_info *info)
{
	struct tlshd_ticket *t;
	LIST_HEAD(tickets);
	struct sk_buff *skb;
	void *head;
	int n, err = 0;

	if (!info->attrs[TLSHD_A_MAX])
		return -EINVAL;
	n = tlshd_daemon_take_tickets(genl_info_net(info), info->snd_portid, NETLINK_CB(in).sk, &tickets,
				      nla_get_u32(info->attrs[TLSHD_A_MAX]));
	if (n < 0)
		return n;
	skb = reply_new(info, TLSHD_CMD_TICKETS, n * TICKET_SIZE, &head);
	if (!skb)
		err = -ENOMEM;
	list_for_each_entry(t, &tickets, node) {
		if (err)
			break;
		err = put_ticket(skb, t);
	}
	tlshd_ticket_drop_all(&tickets);
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	genlmsg_end(skb, head);
	return genlmsg_reply(skb, info);
}

static const struct genl_small_ops ops[] = {
	{
		.cmd = TLSHD_CMD_REGISTER,
		.flags = GENL_ADMIN_PERM,
		.doit = register_doit,
	},
	{
		/* No capability: workers have none. The socket was registered by who had it. */
		.cmd = TLSHD_CMD_ACCEPT,
		.doit = accept_doit,
	},
	{
		.cmd = TLSHD_CMD_TICKETS,	/* likewise */
		.doit = tickets_doit,
	},
};

static struct genl_family family __ro_after_init = {
	.name = TLSHD_GENL_NAME,
	.version = TLSHD_GENL_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.maxattr = TLSHD_A_MAX_ATTR,
	.policy = policy,
	.small_ops = ops,
	.n_small_ops = ARRAY_SIZE(ops),
	.resv_start_op = __TLSHD_CMD_MAX,
};

/**
 * tlshd_genl_ready() - send READY
 * @net: namespace
 * @portid: to which socket
 *
 * Return: 0; -ENOMEM; -ECONNREFUSED if the socket is gone; -EAGAIN if its receive buffer is full.
 */
int tlshd_genl_ready(struct net *net, u32 portid)
{
	struct sk_buff *skb = genlmsg_new(0, GFP_KERNEL);
	void *head;

	if (!skb)
		return -ENOMEM;
	head = genlmsg_put(skb, 0, 0, &family, 0, TLSHD_CMD_READY);
	if (!head) {
		nlmsg_free(skb);
		return -ENOMEM;
	}
	genlmsg_end(skb, head);
	return genlmsg_unicast(net, skb, portid);
}

/**
 * tlshd_genl_init() - open the way for daemons
 *
 * Return: 0 or a negative errno.
 */
int __init tlshd_genl_init(void)
{
	return genl_register_family(&family);
}

/**
 * tlshd_genl_exit() - close it; waits for commands under way
 */
void tlshd_genl_exit(void)
{
	genl_unregister_family(&family);
}
