// SPDX-License-Identifier: MIT
#include "ctl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(CTL_FDS_MAX * sizeof(int))];
};

int ctl_send(int ctl, const struct ctl_msg *msg, const int *fds, unsigned num)
{
	union control control = { 0 };
	struct iovec iov = { (void *)msg, sizeof(*msg) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (num > CTL_FDS_MAX)
		return -E2BIG;
	if (num) {
		m.msg_control = &control;
		m.msg_controllen = CMSG_SPACE(num * sizeof(int));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(num * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds, num * sizeof(int));
	}
	return sendmsg(ctl, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int take_fds(struct msghdr *m, int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	size_t len;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	len = c->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(c), len);
	return (int)(len / sizeof(int));
}

int ctl_recv(int ctl, struct ctl_msg *msg, int fds[CTL_FDS_MAX])
{
	union control control;
	struct iovec iov = { msg, sizeof(*msg) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n;
	int num;

	do
		n = recvmsg(ctl, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (!n)
		return -EPIPE;
	num = take_fds(&m, fds);
	if (n != sizeof(*msg) || m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		while (num)
			close(fds[--num]);
		return -EBADMSG;
	}
	msg->text[sizeof(msg->text) - 1] = '\0';
	return num;
}
