// SPDX-License-Identifier: MIT
/*
 * No memory: each allocation of each call fails once. The call says so or does without, nothing is half done, and the next
 * connection works. Needs a kernel with fault injection, which the debug kernel is.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "mod_peer.h"

#define MAX_ALLOCATIONS 400	/* of one call; far more than any has */

static int fail_nth_fd = -1;

static int failslab(const char *name, const char *text)
{
	char path[64];
	int fd, n;

	snprintf(path, sizeof(path), "/sys/kernel/debug/failslab/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	close(fd);
	return n > 0 ? 0 : -1;
}

/*
 * Open what makes the n-th allocation of this thread fail: ones that may wait too, and without a stack trace in the log
 * for each, which would look like a complaint. Return: whether this kernel has it.
 */
static bool injection_open(void)
{
	if (failslab("ignore-gfp-wait", "N") || failslab("verbose", "0"))
		return false;
	fail_nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	return fail_nth_fd >= 0;
}

static void injection_begin(int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fail_nth_fd, text, len, 0) != len)
		abort();
}

/* Return: whether an allocation failed. Keeps errno. */
static bool injection_end(void)
{
	int error = errno;
	char text[16] = "";
	bool failed;

	if (pread(fail_nth_fd, text, sizeof(text) - 1, 0) < 0)
		abort();
	failed = atoi(text) == 0;
	if (!failed && pwrite(fail_nth_fd, "0", 1, 0) != 1)
		abort();
	errno = error;
	return failed;
}

/* The calls of a connection's life, in order. */
enum step { REGISTER, START, ACCEPT, KEY_TX, KEY_RX, DONE, INFO, SEND, RECEIVE, SHUTDOWN, CLOSE, NUM_STEPS };

static const char *const step_names[NUM_STEPS] = {
	"REGISTER", "START", "ACCEPT", "TLS_TX", "TLS_RX", "DONE", "INFO", "send", "receive", "shutdown", "close",
};

struct life {
	struct daemon d;
	struct pair p;
	struct request req;
	struct keys tx, rx;
};

static int take_one(struct life *l, enum step step)
{
	static const uint8_t ticket[] = { 4, 0, 0, 1, 0 };
	struct tlshd_info info;
	struct tlshd_done d;
	char buf[8];

	switch (step) {
	case REGISTER:
		return daemon_register(&l->d, 1);
	case START:
		return start(l->p.app, TLSHD_CLIENT, TLSHD_F_NOWAIT) == -1 && errno == EINPROGRESS ? 0 : -1;
	case ACCEPT:
		return daemon_accept(&l->d, &l->req, 1) == 1 ? 0 : -1;
	case KEY_TX:
		return keys_install(l->req.fd, TLS_TX, &l->tx, 0);
	case KEY_RX:
		return keys_install(l->req.fd, TLS_RX, &l->rx, 0);
	case DONE:
		done_init(&d, &info, &l->tx, &l->rx);
		d.post_len = sizeof(ticket);
		return done_send(l->req.fd, &d, &info, ticket, sizeof(ticket));
	case INFO:
		return info_get(l->p.app, &info);
	case SEND:
		return send(l->p.app, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : -1;
	case RECEIVE:	/* behind a ticket */
		return recv(l->p.app, buf, sizeof(buf), 0) == 1 && buf[0] == 'D' ? 0 : -1;
	case SHUTDOWN:
		return shutdown(l->p.app, SHUT_WR);
	default:
		close(l->p.app);
		l->p.app = -1;
		return 0;
	}
}

/* What the peer does before a step. */
static int prepare(struct life *l, enum step step)
{
	static const uint8_t ticket[] = { 4, 0, 0, 1, 0 };

	if (step == DONE)
		return setsockopt(l->p.peer, SOL_TCP, TCP_ULP, "tls", 4) ||
		       keys_install(l->p.peer, TLS_TX, &l->rx, 0);
	if (step == RECEIVE)
		return record_send(l->p.peer, 22, ticket, sizeof(ticket)) < 0 || send(l->p.peer, "D", 1, 0) != 1;
	return 0;
}

/* A life in which the @n-th allocation of @bad fails. Return: whether there was one; -1 if something else failed. */
static int live(enum step bad, int n)
{
	struct life l = { .req.fd = -1 };
	bool failed = false;
	int ret = 0;

	keys_set(&l.tx, 0x1301, 0x11);
	keys_set(&l.rx, 0x1301, 0x22);
	if (daemon_open(&l.d) || pair_open(&l.p, n & 1 ? AF_INET : AF_INET6))
		return -1;
	for (enum step step = REGISTER; step < NUM_STEPS && !ret; step++) {
		if (prepare(&l, step)) {
			ret = -1;
			break;
		}
		if (step == bad)
			injection_begin(n);
		ret = take_one(&l, step);
		if (step == bad)
			failed = injection_end();
		/* A step that failed for want of memory ends this life, well. */
		if (ret && failed) {
			if (step == START && errno != EINPROGRESS) {
				/* It left a plain socket, which can START again. */
				struct tlshd_info info;

				if (info_get(l.p.app, &info) != -1 || errno != ENOTCONN ||
				    send(l.p.app, "x", 1, 0) != 1 || take_one(&l, START))
					failed = -1;
			}
			break;
		}
	}
	if (l.req.fd >= 0)
		close(l.req.fd);
	if (l.p.app >= 0)
		close(l.p.app);
	close(l.p.peer);
	close(l.d.fd);
	return ret && !failed ? -1 : failed;
}


TEST(each_allocation_fails_once)
{
	if (!injection_open())
		SKIP(return, "this kernel has no fault injection");
	for (enum step step = REGISTER; step < NUM_STEPS; step++) {
		int n, got;

		for (n = 1; n < MAX_ALLOCATIONS; n++) {
			got = live(step, n);
			ASSERT_LE(0, got) TH_LOG("%s, allocation %d: %s", step_names[step], n, strerror(errno));
			if (!got)
				break;
		}
		ASSERT_GT(MAX_ALLOCATIONS, n);
		TH_LOG("%s: %d allocations", step_names[step], n - 1);
	}
}

#define MAX_OF_START 30	/* allocations, and some; the last are under the pad */

static atomic_int rival_fd, rival_stop;

static void *run_rival(void *arg)
{
	int fd;

	(void)arg;
	while (!atomic_load(&rival_stop)) {
		fd = atomic_load(&rival_fd);
		if (fd >= 0)
			start(fd, TLSHD_CLIENT, TLSHD_F_NOWAIT);
		else
			sched_yield();
	}
	return NULL;
}

/* A START that fails when its pad is in place, under one of another thread: the socket is overlaid or plain afterwards. */
TEST(a_start_that_fails_harms_no_other)
{
	struct daemon d;
	pthread_t t;

	if (!injection_open())
		SKIP(return, "this kernel has no fault injection");
	ASSERT_EQ(0, daemon_open(&d));
	ASSERT_EQ(0, daemon_register(&d, 1));
	atomic_store(&rival_fd, -1);
	ASSERT_EQ(0, pthread_create(&t, NULL, run_rival, NULL));
	for (int n = 1; n < 200; n++) {
		struct request req;
		struct pair p;

		ASSERT_EQ(0, pair_open(&p, AF_INET));
		atomic_store(&rival_fd, p.app);
		injection_begin(n % MAX_OF_START + 1);
		start(p.app, TLSHD_CLIENT, TLSHD_F_NOWAIT);
		injection_end();
		/* The rival's, if ours has failed. */
		ASSERT_EQ(0, daemon_accept_one(&d, &req));
		EXPECT_EQ(-1, setsockopt(p.app, SOL_TCP, TCP_ULP, "tls", 4));
		EXPECT_EQ(EPERM, errno) TH_LOG("%s", strerror(errno));
		atomic_store(&rival_fd, -1);
		close(req.fd);
		pair_close(&p);
	}
	atomic_store(&rival_stop, 1);
	pthread_join(t, NULL);
	close(d.fd);
}

TEST_HARNESS_MAIN
