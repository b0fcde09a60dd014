// SPDX-License-Identifier: MIT
#include "upcall.h"

#include <errno.h>
#include <fcntl.h>
#include <netlink/attr.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* TLSHD_ACCEPT_MAX requests of under 3 KiB fit; the rest of a longer message is cut off and it is refused. */
#define REPLY_MAX	(64 * 1024)
#define SOCKET_BUFFER	(256 * 1024)

struct upcall {
	struct nl_sock *sk;
	uint16_t family;
	uint32_t seq;
	bool told;		/* a READY was read */
	char reply[REPLY_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
};

/* libnl's errors, as far as they can come here */
static int to_errno(int nle)
{
	static const struct { int nle, err; } table[] = {
		{ NLE_PERM, -EPERM }, { NLE_NOMEM, -ENOMEM }, { NLE_OBJ_NOTFOUND, -ENOENT }, { NLE_AGAIN, -EAGAIN },
		{ NLE_INTR, -EINTR }, { NLE_INVAL, -EINVAL }, { NLE_NOACCESS, -EACCES },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (abs(nle) == table[i].nle)
			return table[i].err;
	return -EBADMSG;
}

/* Send a command with the attributes that @fill puts. */
static int send_command(struct upcall *u, uint8_t cmd, void (*fill)(struct nl_msg *, uint64_t), uint64_t arg)
{
	struct nl_msg *msg = nlmsg_alloc();
	int rc = -ENOMEM;

	if (msg && genlmsg_put(msg, NL_AUTO_PORT, ++u->seq, u->family, 0, NLM_F_REQUEST, cmd, TLSHD_GENL_VERSION)) {
		fill(msg, arg);
		rc = nl_send_auto(u->sk, msg);
		rc = rc < 0 ? to_errno(rc) : 0;
	}
	nlmsg_free(msg);
	return rc;
}

/* Return: the attributes of our command's answer, with their length; or -errno, the module's or the socket's. */
static int find_answer(struct upcall *u, int len, uint8_t cmd, struct nlattr **attrs, int *attrs_len, bool *found)
{
	struct nlmsghdr *h = (struct nlmsghdr *)u->reply;

	for (; nlmsg_ok(h, len); h = nlmsg_next(h, &len)) {
		if (h->nlmsg_seq != u->seq) {
			u->told |= h->nlmsg_type == u->family;
			continue;
		}
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = nlmsg_data(h);

			if (nlmsg_datalen(h) < (int)sizeof(*e))
				return -EBADMSG;
			if (e->error)
				return e->error;
			continue;
		}
		if (h->nlmsg_type != u->family || !genlmsg_valid_hdr(h, 0))
			continue;
		if (((struct genlmsghdr *)nlmsg_data(h))->cmd != cmd)
			continue;
		*attrs = genlmsg_attrdata(nlmsg_data(h), 0);
		*attrs_len = genlmsg_attrlen(nlmsg_data(h), 0);
		*found = true;
		return 0;
	}
	return 0;
}

/* The module answers inside our send, so the answer is there already, behind a READY perhaps. */
static int receive_answer(struct upcall *u, uint8_t cmd, struct nlattr **attrs, int *attrs_len)
{
	bool found = false, lost = false;

	while (!found) {
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { u->reply, sizeof(u->reply) };
		struct msghdr m = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1 };
		ssize_t n = recvmsg(nl_socket_get_fd(u->sk), &m, MSG_DONTWAIT);
		int rc;

		if (n < 0 && (errno == EINTR || errno == ENOBUFS)) {
			lost |= errno == ENOBUFS;	/* the kernel had no memory for a message to us */
			u->told |= lost;		/* perhaps a READY */
			continue;
		}
		if (n < 0)
			return errno != EAGAIN ? -errno : lost ? -ENOMEM : -EBADMSG;
		if (from.nl_pid != 0)
			continue;		/* not the kernel */
		if (m.msg_flags & MSG_TRUNC)
			return -EBADMSG;
		rc = find_answer(u, (int)n, cmd, attrs, attrs_len, &found);
		if (rc)
			return rc;
	}
	return 0;
}

static void fill_register(struct nl_msg *msg, uint64_t instance)
{
	nla_put_u32(msg, TLSHD_A_PROTO_MIN, TLSHD_PROTO_MIN);
	nla_put_u32(msg, TLSHD_A_PROTO_MAX, TLSHD_PROTO_MAX);
	nla_put_u64(msg, TLSHD_A_INSTANCE, instance);
}

static void fill_accept(struct nl_msg *msg, uint64_t max)
{
	nla_put_u32(msg, TLSHD_A_MAX, (uint32_t)max);
}

static int check_version(struct nlattr *attrs, int len)
{
	struct nlattr *tb[TLSHD_A_MAX_ATTR + 1];
	struct nla_policy policy[TLSHD_A_MAX_ATTR + 1] = { [TLSHD_A_PROTO] = { .type = NLA_U32, .maxlen = 4 } };

	if (nla_parse(tb, TLSHD_A_MAX_ATTR, attrs, len, policy) || !tb[TLSHD_A_PROTO])
		return -EBADMSG;
	return nla_get_u32(tb[TLSHD_A_PROTO]) == TLSHD_PROTO_MAX ? 0 : -EPROTONOSUPPORT;
}

static int connect_family(struct upcall *u)
{
	int rc = genl_connect(u->sk);

	if (!rc)
		rc = genl_ctrl_resolve(u->sk, TLSHD_GENL_NAME);
	if (rc < 0)
		return to_errno(rc);
	u->family = (uint16_t)rc;
	nl_socket_disable_auto_ack(u->sk);
	nl_socket_set_buffer_size(u->sk, SOCKET_BUFFER, 0);
	rc = nl_socket_set_nonblocking(u->sk);
	return rc ? to_errno(rc) : 0;
}

int upcall_register(int *fd, uint16_t *family, uint64_t instance)
{
	struct upcall *u = calloc(1, sizeof(*u));
	struct nlattr *attrs;
	int rc = -ENOMEM, len;

	if (!u)
		return -ENOMEM;
	u->sk = nl_socket_alloc();
	if (u->sk)
		rc = connect_family(u);
	if (!rc)
		rc = send_command(u, TLSHD_CMD_REGISTER, fill_register, instance);
	if (!rc)
		rc = receive_answer(u, TLSHD_CMD_REGISTER, &attrs, &len);
	if (!rc)
		rc = check_version(attrs, len);
	if (!rc) {
		/* The registration is the socket's, not the descriptor's: a copy outlives libnl's. */
		*fd = fcntl(nl_socket_get_fd(u->sk), F_DUPFD_CLOEXEC, 0);
		*family = u->family;
		rc = *fd < 0 ? -errno : 0;
	}
	upcall_close(u);
	return rc;
}

struct upcall *upcall_open(int fd, uint16_t family)
{
	struct upcall *u = calloc(1, sizeof(*u));

	if (u) {
		u->family = family;
		u->sk = nl_socket_alloc();
	}
	if (!u || !u->sk || nl_socket_set_fd(u->sk, NETLINK_GENERIC, fd)) {
		close(fd);
		upcall_close(u);
		return NULL;
	}
	nl_socket_disable_auto_ack(u->sk);
	return u;
}

void upcall_close(struct upcall *u)
{
	if (!u)
		return;
	if (u->sk)
		nl_socket_free(u->sk);
	free(u);
}

int upcall_fd(const struct upcall *u)
{
	return nl_socket_get_fd(u->sk);
}

int upcall_accept(struct upcall *u, struct upcall_request *out, unsigned max, unsigned *dropped, bool *tickets,
		  bool *more)
{
	struct nlattr *attrs, *a;
	unsigned taken = 0, bad = 0;
	int rc, len, rem;

	*dropped = 0;
	*tickets = false;
	u->told = false;
	rc = send_command(u, TLSHD_CMD_ACCEPT, fill_accept, max);
	if (!rc)
		rc = receive_answer(u, TLSHD_CMD_ACCEPT, &attrs, &len);
	if (rc)
		return rc;
	nla_for_each_attr(a, attrs, len, rem) {
		struct upcall_request extra, *req = taken < max ? &out[taken] : &extra;

		*tickets |= nla_type(a) == TLSHD_A_TICKETS;
		if (nla_type(a) != TLSHD_A_REQUEST)
			continue;
		if (!upcall_parse(req, nla_data(a), nla_len(a)) && req != &extra) {
			taken++;
			continue;
		}
		bad++;
		if (req->fd >= 0)
			close(req->fd);
	}
	*dropped = bad;
	/* A READY sent after the module had counted and before it answered was read here: nothing else would tell of it. */
	*more = taken + bad >= max || u->told;
	return (int)(taken + bad);
}

bool upcall_parse_ticket(void *attrs, int len, upcall_ticket *take, void *arg)
{
	struct nla_policy policy[TLSHD_T_MAX + 1] = {
		[TLSHD_T_BLOB] = { .maxlen = TLSHD_BLOB_MAX }, [TLSHD_T_MESSAGE] = { .maxlen = TLSHD_TICKET_MAX },
	};
	struct nlattr *tb[TLSHD_T_MAX + 1];

	if (nla_parse(tb, TLSHD_T_MAX, attrs, len, policy) || !tb[TLSHD_T_BLOB] || !tb[TLSHD_T_MESSAGE])
		return false;
	take(arg, nla_data(tb[TLSHD_T_BLOB]), (size_t)nla_len(tb[TLSHD_T_BLOB]), nla_data(tb[TLSHD_T_MESSAGE]),
	     (size_t)nla_len(tb[TLSHD_T_MESSAGE]));
	return true;
}

int upcall_tickets(struct upcall *u, upcall_ticket *take, void *arg, bool *told)
{
	struct nlattr *attrs, *a;
	int rc, len, rem, num = 0;

	u->told = false;
	rc = send_command(u, TLSHD_CMD_TICKETS, fill_accept, TLSHD_ACCEPT_MAX);
	if (!rc)
		rc = receive_answer(u, TLSHD_CMD_TICKETS, &attrs, &len);
	*told = u->told;
	if (rc)
		return rc;
	nla_for_each_attr(a, attrs, len, rem) {
		if (nla_type(a) != TLSHD_A_TICKET)
			continue;
		num++;
		upcall_parse_ticket(nla_data(a), nla_len(a), take, arg);
	}
	return num;
}

static struct nla_policy request_policy[TLSHD_R_MAX + 1] = {
	[TLSHD_R_FD] = { .type = NLA_U32, .maxlen = 4 },
	[TLSHD_R_ROLE] = { .type = NLA_U32, .maxlen = 4 },
	[TLSHD_R_FLAGS] = { .type = NLA_U32, .maxlen = 4 },
	[TLSHD_R_TIMEOUT_MS] = { .type = NLA_U32, .maxlen = 4 },
	[TLSHD_R_AGE_MS] = { .type = NLA_U32, .maxlen = 4 },
	[TLSHD_R_EARLY_LEN] = { .type = NLA_U32, .maxlen = 4 },
	[TLSHD_R_PROFILE] = { .type = NLA_STRING, .maxlen = TLSHD_PROFILE_LEN },
	[TLSHD_R_SERVER_NAME] = { .type = NLA_STRING, .maxlen = TLSHD_NAME_LEN },
	[TLSHD_R_ALPN] = { .type = NLA_STRING, .maxlen = TLSHD_ALPN_LEN },
	[TLSHD_R_SCOPE] = { .minlen = TLSHD_SCOPE_LEN, .maxlen = TLSHD_SCOPE_LEN },
	[TLSHD_R_UID] = { .type = NLA_U32, .maxlen = 4 },
	[TLSHD_R_GID] = { .type = NLA_U32, .maxlen = 4 },
	[TLSHD_R_GROUPS] = { .maxlen = TLSHD_GROUPS_MAX * sizeof(uint32_t) },
	[TLSHD_R_PID] = { .type = NLA_U32, .maxlen = 4 },
	[TLSHD_R_NETNS] = { .type = NLA_U64, .maxlen = 8 },
	[TLSHD_R_CGROUP] = { .type = NLA_U64, .maxlen = 8 },
	[TLSHD_R_PEER] = { .minlen = sizeof(struct sockaddr_in), .maxlen = sizeof(struct sockaddr_in6) },
	[TLSHD_R_LOCAL] = { .minlen = sizeof(struct sockaddr_in), .maxlen = sizeof(struct sockaddr_in6) },
};

/* Return: false if the string fills @cap without its NUL or holds one inside. */
static bool get_string(char *out, size_t cap, const struct nlattr *a)
{
	size_t len;

	out[0] = '\0';
	if (!a)
		return true;
	len = (size_t)nla_len(a);
	if (len && !((const char *)nla_data(a))[len - 1])
		len--;
	if (len >= cap || memchr(nla_data(a), 0, len))
		return false;
	memcpy(out, nla_data(a), len);
	out[len] = '\0';
	return true;
}

static bool get_address(void *out, const struct nlattr *a)
{
	sa_family_t family;
	size_t want;

	if (!a)
		return true;
	memcpy(&family, nla_data(a), sizeof(family));
	want = family == AF_INET ? sizeof(struct sockaddr_in) : family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
	if ((size_t)nla_len(a) != want)
		return false;
	memcpy(out, nla_data(a), want);
	return true;
}

static uint32_t get_u32(struct nlattr *a)
{
	return a ? nla_get_u32(a) : 0;
}

int upcall_parse(struct upcall_request *out, void *attrs, int len)
{
	static const int needed[] = { TLSHD_R_FD, TLSHD_R_ROLE, TLSHD_R_PROFILE, TLSHD_R_UID, TLSHD_R_GID };
	struct nlattr *tb[TLSHD_R_MAX + 1] = { NULL }, *fd = nla_find(attrs, len, TLSHD_R_FD);

	memset(out, 0, sizeof(*out));
	out->fd = fd && nla_len(fd) == (int)sizeof(int32_t) ? nla_get_s32(fd) : -1;
	if (nla_parse(tb, TLSHD_R_MAX, attrs, len, request_policy) || out->fd < 0)
		return -EBADMSG;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!tb[needed[i]])
			return -EBADMSG;
	out->role = nla_get_u32(tb[TLSHD_R_ROLE]);
	out->flags = get_u32(tb[TLSHD_R_FLAGS]);
	out->timeout_ms = get_u32(tb[TLSHD_R_TIMEOUT_MS]);
	out->age_ms = get_u32(tb[TLSHD_R_AGE_MS]);
	out->early_len = get_u32(tb[TLSHD_R_EARLY_LEN]);
	out->uid = nla_get_u32(tb[TLSHD_R_UID]);
	out->gid = nla_get_u32(tb[TLSHD_R_GID]);
	out->pid = get_u32(tb[TLSHD_R_PID]);
	out->netns = tb[TLSHD_R_NETNS] ? nla_get_u64(tb[TLSHD_R_NETNS]) : 0;
	out->cgroup = tb[TLSHD_R_CGROUP] ? nla_get_u64(tb[TLSHD_R_CGROUP]) : 0;
	if (tb[TLSHD_R_SCOPE])
		memcpy(out->scope, nla_data(tb[TLSHD_R_SCOPE]), TLSHD_SCOPE_LEN);
	if (tb[TLSHD_R_GROUPS]) {
		if (nla_len(tb[TLSHD_R_GROUPS]) % (int)sizeof(uint32_t))
			return -EBADMSG;
		out->num_groups = (size_t)nla_len(tb[TLSHD_R_GROUPS]) / sizeof(uint32_t);
		memcpy(out->groups, nla_data(tb[TLSHD_R_GROUPS]), out->num_groups * sizeof(uint32_t));
	}
	if (!get_string(out->profile, sizeof(out->profile), tb[TLSHD_R_PROFILE]) || !out->profile[0] ||
	    !get_string(out->server_name, sizeof(out->server_name), tb[TLSHD_R_SERVER_NAME]) ||
	    !get_string(out->alpn, sizeof(out->alpn), tb[TLSHD_R_ALPN]) ||
	    !get_address(&out->peer, tb[TLSHD_R_PEER]) || !get_address(&out->local, tb[TLSHD_R_LOCAL]))
		return -EBADMSG;
	if ((out->role != TLSHD_CLIENT && out->role != TLSHD_SERVER) || out->uid == UINT32_MAX || out->gid == UINT32_MAX ||
	    out->early_len > TLSHD_EARLY_MAX)
		return -EBADMSG;
	return 0;
}
