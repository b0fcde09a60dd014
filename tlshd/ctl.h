/* SPDX-License-Identifier: MIT */
/*
 * ctl: the socketpair (SOCK_SEQPACKET) between the supervisor and each child, and what a child finds at its fixed
 * descriptors. Its end of file tells each that the other is gone.
 */
#ifndef TLSHD_CTL_H
#define TLSHD_CTL_H

#include <stdint.h>

/* A child's descriptors */
#define CTL_FD_CTL	3
#define CTL_FD_IMAGE	4
#define CTL_FD_KEYS	5	/* signer: key files, by key id */
#define CTL_FD_TICKETS	5	/* worker: memory with the keys of tickets, to read */
#define CTL_FD_UPCALLS	6	/* worker: netlink sockets, by thread */

#define CTL_FDS_MAX	64
#define CTL_TEXT_LEN	256

enum ctl_type {
	CTL_START = 1,	/* to a child, first: @arg is the netlink family (worker) */
	CTL_SIGNERS,	/* to a child: one end of a socketpair with the other child for each thread; replaces the ones before */
	CTL_READY,	/* from a child */
	CTL_BAD_KEY,	/* from the signer: key @arg cannot be used, @text says why; READY does not follow */
};

struct ctl_msg {
	uint32_t type, arg;
	char text[CTL_TEXT_LEN];
};

/**
 * ctl_send() - send a message with @num descriptors, which stay the caller's
 * Return: 0 or -errno of sendmsg(2); -EPIPE: the other process is gone.
 */
int ctl_send(int ctl, const struct ctl_msg *msg, const int *fds, unsigned num);

/**
 * ctl_recv() - wait for a message
 * @msg: out; its text is terminated
 * @fds: out: CTL_FDS_MAX places
 *
 * Return: how many descriptors came with it; -EPIPE the other process is gone; -EBADMSG no message of ours, or
 * descriptors were lost (none is left open); or -errno of recvmsg(2).
 */
int ctl_recv(int ctl, struct ctl_msg *msg, int fds[CTL_FDS_MAX]) __attribute__((warn_unused_result));

#endif
