/* SPDX-License-Identifier: MIT */
/*
 * A real signer process for tests. It is this very program, started again with --role=signer, as the daemon does it:
 * main() of the test hands over with signer_util_is_role().
 */
#ifndef DAEMON_SIGNER_UTIL_H
#define DAEMON_SIGNER_UTIL_H

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "daemon_util.h"
#include "tlshd/ctl.h"
#include "tlshd/sign_wire.h"
#include "tlshd/signer.h"
#include "tlshd/spawn.h"

#define PATIENCE_MS 20000	/* for what takes milliseconds; a sanitized process on a busy machine is slow to start */

static inline int signer_util_is_role(int argc, char **argv)
{
	return argc == 2 && !strcmp(argv[1], "--role=signer");
}

/* Start a signer with the keys of @s. */
static inline void signer_util_start(struct spawn *p, const struct util_setup *s, uint32_t generation)
{
	struct ctl_msg start = { .type = CTL_START };
	int fds[1 + 16];

	assert_in_range(s->ids.num, 0, 16);
	fds[0] = image_build(s->config, &s->ids, generation);
	assert_true(fds[0] >= 0);
	for (size_t i = 0; i < s->ids.num; i++)
		fds[1 + i] = s->ids.v[i].key_fd;
	assert_int_equal(spawn_start(p, "signer", fds, 1 + (unsigned)s->ids.num), 0);
	close(fds[0]);
	assert_int_equal(ctl_send(p->ctl, &start, NULL, 0), 0);
}

/* Return: the type of the signer's next message, with @msg filled; 0 at its end. */
static inline uint32_t signer_util_hear(struct spawn *p, struct ctl_msg *msg)
{
	struct pollfd pfd = { .fd = p->ctl, .events = POLLIN };
	int fds[CTL_FDS_MAX];

	assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	return ctl_recv(p->ctl, msg, fds) < 0 ? 0 : msg->type;
}

/* Give the signer @num new sockets; @ours: out: their other ends. */
static inline void signer_util_connect(struct spawn *p, int *ours, unsigned num)
{
	struct ctl_msg msg = { .type = CTL_SIGNERS };
	int theirs[CTL_FDS_MAX], pair[2];

	for (unsigned i = 0; i < num; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		ours[i] = pair[0];
		theirs[i] = pair[1];
	}
	assert_int_equal(ctl_send(p->ctl, &msg, theirs, num), 0);
	for (unsigned i = 0; i < num; i++)
		close(theirs[i]);
}

#endif
