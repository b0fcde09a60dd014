// SPDX-License-Identifier: MIT
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"

#define EXEC_FAILED 127

/* First out of the way of the numbers they are to have, then there. After fork: system calls only. */
static int place_fds(int *fds, unsigned num)
{
	for (unsigned i = 0; i < num; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, CTL_FD_CTL + (int)num);
		if (fds[i] < 0)
			return -errno;
	}
	for (unsigned i = 0; i < num; i++)
		if (dup2(fds[i], CTL_FD_CTL + (int)i) < 0)
			return -errno;
	return close_range(CTL_FD_CTL + num, ~0U, 0) ? -errno : 0;
}

static _Noreturn void become(const char *role_option, int *fds, unsigned num, pid_t parent)
{
	char *argv[] = { (char *)"tlshd", (char *)role_option, NULL };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == parent && !place_fds(fds, num))
		execv("/proc/self/exe", argv);
	_exit(EXEC_FAILED);
}

int spawn_start(struct spawn *s, const char *role, const int *fds, unsigned num)
{
	int *all = calloc(num + 1, sizeof(*all)), pair[2], err;
	char option[32];
	pid_t parent = getpid();

	if (!all)
		return -ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		err = errno;
		free(all);
		return -err;
	}
	all[0] = pair[1];
	for (unsigned i = 0; i < num; i++)
		all[1 + i] = fds[i];
	snprintf(option, sizeof(option), "--role=%s", role);
	s->pid = fork();
	err = errno;
	if (!s->pid)
		become(option, all, num + 1, parent);
	free(all);
	close(pair[1]);
	s->ctl = pair[0];
	s->pidfd = s->pid < 0 ? -1 : pidfd_open(s->pid, 0);
	if (s->pidfd >= 0)
		return 0;
	if (s->pid > 0) {
		err = errno;
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	close(s->ctl);
	s->ctl = -1;
	s->pid = 0;
	return -err;
}

int spawn_reap(struct spawn *s)
{
	siginfo_t si = { 0 };

	while (waitid(P_PIDFD, (id_t)s->pidfd, &si, WEXITED) && errno == EINTR)
		;
	close(s->pidfd);
	close(s->ctl);
	s->pidfd = s->ctl = -1;
	s->pid = 0;
	return si.si_code == CLD_EXITED ? si.si_status : -si.si_status;
}

void spawn_stop(struct spawn *s, int timeout_ms)
{
	struct pollfd p = { .fd = s->pidfd, .events = POLLIN };

	if (s->pidfd < 0)
		return;
	shutdown(s->ctl, SHUT_RDWR);
	if (poll(&p, 1, timeout_ms) <= 0)
		pidfd_send_signal(s->pidfd, SIGKILL, NULL, 0);
	/* A thread stuck in an application's socket lock cannot die; the module has revoked what it held. */
	if (poll(&p, 1, timeout_ms) > 0)
		spawn_reap(s);
}
