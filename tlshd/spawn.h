/* SPDX-License-Identifier: MIT */
/* spawn: start this binary again in another role, with nothing inherited but the descriptors it is meant to have. */
#ifndef TLSHD_SPAWN_H
#define TLSHD_SPAWN_H

#include <sys/types.h>

/**
 * struct spawn - a running child
 * @pidfd: readable once it has ended; -1: not running
 * @ctl: our end of its control socket
 */
struct spawn {
	pid_t pid;
	int pidfd, ctl;
};

/**
 * spawn_start() - fork and exec "tlshd --role=ROLE"
 * @s: out
 * @fds: what the child finds from CTL_FD_IMAGE on, in this order; they stay the caller's
 *
 * The child gets signal mask and handlers reset, and dies if its parent does.
 * Return: 0 or -errno. That exec failed shows as an early end of the child.
 */
int spawn_start(struct spawn *s, const char *role, const int *fds, unsigned num) __attribute__((warn_unused_result));

/**
 * spawn_reap() - the child has ended: collect it and close what we hold of it
 * Return: its exit status, or minus the signal that killed it.
 */
int spawn_reap(struct spawn *s);

/* spawn_stop() - have it end (it does when its control socket closes), by SIGKILL after @timeout_ms, and reap it */
void spawn_stop(struct spawn *s, int timeout_ms);

#endif
