// SPDX-License-Identifier: MIT
/* START, from the first check to the handshake's one end. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "mod_peer.h"

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int so_error(int fd)
{
	socklen_t len = sizeof(int);
	int error = -1;

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return error;
}

static int param(const char *name, const char *text)
{
	char path[128];
	int fd, n;

	snprintf(path, sizeof(path), "/sys/module/tlshd/parameters/%s", name);
	fd = open(path, O_WRONLY);
	n = write(fd, text, strlen(text));
	close(fd);
	return n > 0 ? 0 : -1;
}

/* START in a thread of its own, blocking. */
struct starter {
	pthread_t thread;
	int fd, ret, error;
	uint32_t timeout_ms;
};

static void *run_start(void *arg)
{
	struct starter *s = arg;
	struct tlshd_start start_arg;

	start_init(&start_arg, TLSHD_SERVER);
	start_arg.timeout_ms = s->timeout_ms;
	s->ret = setsockopt(s->fd, IPPROTO_IP, TLSHD_START, &start_arg, sizeof(start_arg));
	s->error = errno;
	return NULL;
}

static int starter_begin(struct starter *s, int fd)
{
	s->fd = fd;
	return pthread_create(&s->thread, NULL, run_start, s);
}

static int starter_end(struct starter *s)
{
	pthread_join(s->thread, NULL);
	return s->ret ? s->error : 0;
}

FIXTURE(start)
{
	struct daemon d;
	struct pair p;
	struct request req;
	struct keys tx, rx;
};

FIXTURE_VARIANT(start)
{
	int family;
};

FIXTURE_VARIANT_ADD(start, v4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(start, v6) { .family = AF_INET6 };

FIXTURE_SETUP(start)
{
	ASSERT_EQ(0, daemon_open(&self->d)) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, daemon_register(&self->d, 1)) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	keys_set(&self->tx, 0x1301, 0x11);
	keys_set(&self->rx, 0x1301, 0x22);
	self->req.fd = -1;
}

FIXTURE_TEARDOWN(start)
{
	EXPECT_EQ(0, param("max_user_servers", "4096"));	/* a test that failed may have left it low */
	if (self->req.fd >= 0)
		close(self->req.fd);
	pair_close(&self->p);
	close(self->d.fd);
}

/* START under way, and accepted. */
#define BEGIN() do { \
	ASSERT_EQ(-1, start(self->p.app, TLSHD_SERVER, TLSHD_F_NOWAIT)); \
	ASSERT_EQ(EINPROGRESS, errno) TH_LOG("%s", strerror(errno)); \
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req)); \
} while (0)

TEST_F(start, checks_its_struct)
{
	struct {
		struct tlshd_start s;
		char more[TLSHD_EARLY_MAX + 1];
	} b;

#define REFUSED(change, len, error) do { \
	memset(&b, 0, sizeof(b)); \
	start_init(&b.s, TLSHD_CLIENT); \
	change; \
	errno = 0; \
	EXPECT_EQ(-1, setsockopt(self->p.app, IPPROTO_IP, TLSHD_START, &b, len)); \
	EXPECT_EQ(error, errno) TH_LOG("%s", #change); \
} while (0)
	REFUSED(, 8, EINVAL);
	REFUSED(b.s.size--, sizeof(b.s), EINVAL);
	REFUSED(b.s.size++, sizeof(b.s), EINVAL);
	REFUSED(b.s.size = sizeof(b.s) + 64; b.more[63] = 1, sizeof(b.s) + 64, EINVAL);
	REFUSED(b.s.role = 0, sizeof(b.s), EINVAL);
	REFUSED(b.s.role = 3, sizeof(b.s), EINVAL);
	REFUSED(b.s.flags = 1u << 31, sizeof(b.s), EINVAL);
	REFUSED(b.s.flags = TLSHD_F_ACCEPT_EARLY, sizeof(b.s), EINVAL);
	REFUSED(b.s.flags = TLSHD_F_KEEP_CHAIN, sizeof(b.s), EINVAL);
	REFUSED(b.s.profile[0] = 0, sizeof(b.s), EINVAL);
	REFUSED(memset(b.s.profile, 'x', sizeof(b.s.profile)), sizeof(b.s), EINVAL);
	REFUSED(memset(b.s.server_name, 'x', sizeof(b.s.server_name)), sizeof(b.s), EINVAL);
	REFUSED(memset(b.s.alpn, 'x', sizeof(b.s.alpn)), sizeof(b.s), EINVAL);
	REFUSED(b.s.server_name[0] = 0, sizeof(b.s), EINVAL);
	REFUSED(b.s.role = TLSHD_SERVER, sizeof(b.s), EINVAL);
	REFUSED(, sizeof(b), EMSGSIZE);	/* early data */
	REFUSED(b.s.role = TLSHD_SERVER; b.s.server_name[0] = 0, sizeof(b.s) + 1, EINVAL);
	errno = 0;
	EXPECT_EQ(-1, setsockopt(self->p.app, IPPROTO_IP, TLSHD_START, (void *)8, sizeof(b.s)));
	EXPECT_EQ(EFAULT, errno);
	/* A longer struct that says nothing more is taken. */
	memset(&b, 0, sizeof(b));
	start_init(&b.s, TLSHD_CLIENT);
	b.s.size = sizeof(b.s) + 64;
	b.s.flags = TLSHD_F_NOWAIT;
	EXPECT_EQ(-1, setsockopt(self->p.app, IPPROTO_IP, TLSHD_START, &b, sizeof(b.s) + 64));
	EXPECT_EQ(EINPROGRESS, errno);
}

TEST_F(start, wants_a_connected_tcp_socket)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int fd = socket(variant->family, SOCK_DGRAM, 0);

	EXPECT_EQ(-1, start(fd, TLSHD_SERVER, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);
	fd = socket(variant->family, SOCK_STREAM, 0);
	EXPECT_EQ(-1, start(fd, TLSHD_SERVER, 0));
	EXPECT_EQ(ENOTCONN, errno);
	close(fd);
	fd = listen_open(variant->family, &addr, &len);
	EXPECT_EQ(-1, start(fd, TLSHD_SERVER, 0));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(fd);
	/* The peer has sent FIN. */
	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));
	ASSERT_NE(0, wait_for(self->p.app, POLLRDHUP));
	EXPECT_EQ(-1, start(self->p.app, TLSHD_SERVER, 0));
	EXPECT_EQ(ENOTCONN, errno);
	EXPECT_EQ(0, so_error(self->p.app));
	EXPECT_EQ(1, write(self->p.app, "x", 1));
}

TEST_F(start, leaves_another_ulp_alone)
{
	ASSERT_EQ(0, setsockopt(self->p.app, SOL_TCP, TCP_ULP, "tls", 4));
	EXPECT_EQ(-1, start(self->p.app, TLSHD_SERVER, 0));
	EXPECT_EQ(EBUSY, errno);
}

TEST_F(start, says_that_there_is_no_daemon)
{
	close(self->d.fd);
	self->d.fd = -1;
	EXPECT_EQ(-1, start(self->p.app, TLSHD_SERVER, 0));
	EXPECT_EQ(ESRCH, errno);
	/* And leaves a plain socket. */
	EXPECT_EQ(1, write(self->p.app, "x", 1));
}

TEST_F(start, says_that_it_was_never_called)
{
	struct tlshd_info info;

	EXPECT_EQ(-1, info_get(self->p.app, &info));
	EXPECT_EQ(ENOTCONN, errno);
}

TEST_F(start, tells_the_daemon_who_asks)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);
	struct tlshd_start s;

	start_init(&s, TLSHD_CLIENT);
	s.flags = TLSHD_F_NOWAIT | TLSHD_F_NO_RESUME;
	ASSERT_EQ(-1, setsockopt(self->p.app, IPPROTO_IP, TLSHD_START, &s, sizeof(s)));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
	EXPECT_EQ(TLSHD_CLIENT, self->req.role);
	EXPECT_EQ(s.flags, self->req.flags);
	EXPECT_STREQ("test", self->req.profile);
	EXPECT_STREQ("localhost", self->req.server_name);
	EXPECT_EQ(geteuid(), self->req.uid);
	EXPECT_EQ(getpid(), self->req.pid);
	EXPECT_EQ(variant->family, self->req.peer.ss_family);
	ASSERT_EQ(0, getpeername(self->req.fd, (void *)&addr, &len));
	EXPECT_EQ(0, memcmp(&addr, &self->req.peer, len));
	EXPECT_EQ(FD_CLOEXEC, fcntl(self->req.fd, F_GETFD));
}

TEST_F(start, blocks_until_open)
{
	struct starter s = { 0 };

	ASSERT_EQ(0, starter_begin(&s, self->p.app));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
	ASSERT_EQ(0, hs_open(self->req.fd, &self->tx, &self->rx)) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(0, starter_end(&s));
}

TEST_F(start, returns_the_daemons_error)
{
	struct tlshd_info info;
	struct starter s = { 0 };
	char c;

	ASSERT_EQ(0, starter_begin(&s, self->p.app));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
	ASSERT_EQ(0, hs_fail(self->req.fd, EKEYREJECTED));
	EXPECT_EQ(EKEYREJECTED, starter_end(&s));
	EXPECT_EQ(EKEYREJECTED, so_error(self->p.app));
	EXPECT_EQ(0, so_error(self->p.app));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(TLSHD_S_FAILED, info.state);
	EXPECT_EQ(EKEYREJECTED, info.error);
	EXPECT_STREQ("the test says so", info.reason);
	/* For ever dead. */
	EXPECT_EQ(-1, read(self->p.app, &c, 1));
	EXPECT_EQ(EKEYREJECTED, errno);
	EXPECT_EQ(-1, send(self->p.app, &c, 1, MSG_NOSIGNAL));
	EXPECT_EQ(EKEYREJECTED, errno);
	EXPECT_EQ(POLLIN | POLLOUT | POLLERR | POLLHUP, wait_for(self->p.app, POLLIN | POLLOUT));
	EXPECT_EQ(-1, start(self->p.app, TLSHD_SERVER, 0));
	EXPECT_EQ(EKEYREJECTED, errno);
}

TEST_F(start, does_not_wait_on_a_nonblocking_socket)
{
	struct epoll_event ev = { .events = EPOLLOUT | EPOLLET };
	int e = epoll_create1(0);

	ASSERT_EQ(0, fcntl(self->p.app, F_SETFL, O_NONBLOCK));
	ASSERT_EQ(-1, start(self->p.app, TLSHD_SERVER, 0));
	ASSERT_EQ(EINPROGRESS, errno);
	EXPECT_EQ(-1, start(self->p.app, TLSHD_SERVER, 0));
	EXPECT_EQ(EALREADY, errno);
	ASSERT_EQ(0, epoll_ctl(e, EPOLL_CTL_ADD, self->p.app, &ev));
	/* Handshake bytes are none of the application's business. */
	ASSERT_EQ(5, write(self->p.peer, "hello", 5));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
	ASSERT_NE(0, wait_for(self->req.fd, POLLIN));
	EXPECT_EQ(0, epoll_wait(e, &ev, 1, 0));
	EXPECT_EQ(0, poll(&(struct pollfd){ .fd = self->p.app, .events = POLLIN | POLLOUT }, 1, 0));
	char buf[8];

	ASSERT_EQ(5, read(self->req.fd, buf, sizeof(buf)));
	ASSERT_EQ(0, hs_open(self->req.fd, &self->tx, &self->rx));
	ASSERT_EQ(1, epoll_wait(e, &ev, 1, WAIT_MS));
	EXPECT_EQ(EPOLLOUT, ev.events);
	EXPECT_EQ(-1, start(self->p.app, TLSHD_SERVER, 0));
	EXPECT_EQ(EISCONN, errno);
	close(e);
}

TEST_F(start, wakes_a_reader_that_only_filters_for_input)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int e = epoll_create1(0);

	BEGIN();
	ASSERT_EQ(0, epoll_ctl(e, EPOLL_CTL_ADD, self->p.app, &ev));
	ASSERT_EQ(0, hs_fail(self->req.fd, EPROTO));
	ASSERT_EQ(1, epoll_wait(e, &ev, 1, WAIT_MS));
	EXPECT_NE(0, ev.events & EPOLLHUP);
	close(e);
}

TEST_F(start, holds_everything_back)
{
	int pipefd[2], one = 1;
	socklen_t len = sizeof(one);
	char buf[8];

	BEGIN();
	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(5, write(self->p.peer, "hello", 5));
	ASSERT_NE(0, wait_for(self->req.fd, POLLIN));
	EXPECT_EQ(-1, recv(self->p.app, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, send(self->p.app, "x", 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, splice(self->p.app, NULL, pipefd[1], NULL, 8, SPLICE_F_NONBLOCK));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(1, write(pipefd[1], "x", 1));
	ASSERT_EQ(0, fcntl(self->p.app, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, splice(pipefd[0], NULL, self->p.app, NULL, 1, 0));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, setsockopt(self->p.app, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, getsockopt(self->p.app, IPPROTO_TCP, TCP_NODELAY, &one, &len));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, fcntl(self->p.app, F_SETFL, 0));
	EXPECT_EQ(-1, setsockopt(self->p.app, SOL_TLS, TLS_TX, buf, sizeof(buf)));
	EXPECT_EQ(EPERM, errno);
	/* The daemon reads what the application could not. */
	EXPECT_EQ(5, recv(self->req.fd, buf, sizeof(buf), 0));
	close(pipefd[0]);
	close(pipefd[1]);
}

TEST(start_honours_timeouts)
{
	struct timeval limit = { 0, 50000 };
	struct request req;
	struct daemon d;
	struct pair p;
	char c;

	ASSERT_EQ(0, daemon_open(&d));
	ASSERT_EQ(0, daemon_register(&d, 1));
	ASSERT_EQ(0, pair_open(&p, AF_INET));
	ASSERT_EQ(0, setsockopt(p.app, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)));
	ASSERT_EQ(0, setsockopt(p.app, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	ASSERT_EQ(-1, start(p.app, TLSHD_SERVER, TLSHD_F_NOWAIT));
	ASSERT_EQ(0, daemon_accept_one(&d, &req));
	EXPECT_EQ(-1, read(p.app, &c, 1));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, write(p.app, "x", 1));
	EXPECT_EQ(EAGAIN, errno);
	close(req.fd);
	pair_close(&p);
	close(d.fd);
}

static void *run_read(void *arg)
{
	char c;

	return (void *)(read(*(int *)arg, &c, 1) == 1 ? (long)c : -(long)errno);
}

TEST_F(start, lets_a_waiting_reader_go_on_when_open)
{
	pthread_t t;
	void *got;

	BEGIN();
	ASSERT_EQ(0, pthread_create(&t, NULL, run_read, &self->p.app));
	ASSERT_EQ(0, setsockopt(self->p.peer, SOL_TCP, TCP_ULP, "tls", 4));
	ASSERT_EQ(0, keys_install(self->p.peer, TLS_TX, &self->rx, 0));
	ASSERT_EQ(0, hs_open(self->req.fd, &self->tx, &self->rx));
	ASSERT_EQ(1, send(self->p.peer, "D", 1, 0));
	ASSERT_EQ(0, pthread_join(t, &got));
	EXPECT_EQ('D', (long)got);
}

static void on_signal(int sig)
{
	(void)sig;
}

TEST_F(start, survives_a_signal)
{
	struct sigaction act = { .sa_handler = on_signal };
	struct starter s = { 0 };

	ASSERT_EQ(0, sigaction(SIGUSR1, &act, NULL));
	ASSERT_EQ(0, starter_begin(&s, self->p.app));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
	/* Again until it has hit the wait: the thread may not have reached it. */
	while (pthread_tryjoin_np(s.thread, NULL)) {
		pthread_kill(s.thread, SIGUSR1);
		sched_yield();
	}
	EXPECT_EQ(-1, s.ret);
	EXPECT_EQ(EINTR, s.error);
	ASSERT_EQ(0, starter_begin(&s, self->p.app));
	ASSERT_EQ(0, hs_open(self->req.fd, &self->tx, &self->rx));
	int error = starter_end(&s);

	EXPECT_TRUE(error == 0 || error == EISCONN) TH_LOG("%s", strerror(error));
}

TEST_F(start, has_a_deadline)
{
	struct starter s = { .timeout_ms = 200 };
	struct pollfd pf;

	ASSERT_EQ(0, starter_begin(&s, self->p.app));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
	EXPECT_EQ(ETIMEDOUT, starter_end(&s));
	pf = (struct pollfd){ .fd = self->req.fd, .events = POLLIN };
	ASSERT_EQ(1, poll(&pf, 1, WAIT_MS));
	EXPECT_EQ(POLLIN | POLLERR | POLLHUP, pf.revents);
	EXPECT_EQ(-1, send(self->req.fd, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, hs_fail(self->req.fd, EPROTO));
	EXPECT_EQ(EPIPE, errno);
}

TEST_F(start, has_a_deadline_when_nobody_accepts)
{
	struct starter s = { .timeout_ms = 200 };
	struct request req;

	ASSERT_EQ(0, starter_begin(&s, self->p.app));
	EXPECT_EQ(ETIMEDOUT, starter_end(&s));
	EXPECT_EQ(0, daemon_accept(&self->d, &req, 1));
}

TEST_F(start, shows_the_daemon_a_close_at_once)
{
	struct linger linger = { 1, 30 };
	struct epoll_event ev = { .events = EPOLLIN };
	int e = epoll_create1(0);
	char c;

	ASSERT_EQ(0, setsockopt(self->p.app, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	BEGIN();
	ASSERT_EQ(0, epoll_ctl(e, EPOLL_CTL_ADD, self->req.fd, &ev));
	close(self->p.app);
	self->p.app = -1;
	ASSERT_EQ(1, epoll_wait(e, &ev, 1, WAIT_MS));
	EXPECT_NE(0, ev.events & EPOLLHUP);
	/* The peer as well, though the daemon still holds its file. */
	EXPECT_EQ(0, read(self->p.peer, &c, 1));
	EXPECT_EQ(-1, recv(self->req.fd, &c, 1, 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, keys_install(self->req.fd, TLS_TX, &self->tx, 0));
	EXPECT_EQ(EPIPE, errno);
	close(e);
}

TEST_F(start, is_forgotten_if_closed_before_it_is_accepted)
{
	struct request req;

	ASSERT_EQ(-1, start(self->p.app, TLSHD_SERVER, TLSHD_F_NOWAIT));
	close(self->p.app);
	self->p.app = -1;
	EXPECT_EQ(0, daemon_accept(&self->d, &req, 1));
}

TEST_F(start, is_aborted_by_shutdown_of_writing)
{
	struct tlshd_info info;
	char c;

	BEGIN();
	ASSERT_EQ(0, shutdown(self->p.app, SHUT_WR));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(TLSHD_S_FAILED, info.state);
	EXPECT_EQ(-1, recv(self->req.fd, &c, 1, 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(0, read(self->p.peer, &c, 1));
}

TEST_F(start, defers_shutdown_of_reading)
{
	char buf[8];

	BEGIN();
	ASSERT_EQ(0, shutdown(self->p.app, SHUT_RD));
	ASSERT_EQ(5, write(self->p.peer, "hello", 5));
	ASSERT_NE(0, wait_for(self->req.fd, POLLIN));
	EXPECT_EQ(5, recv(self->req.fd, buf, sizeof(buf), 0));
	ASSERT_EQ(0, hs_open(self->req.fd, &self->tx, &self->rx));
	EXPECT_EQ(0, read(self->p.app, buf, sizeof(buf)));
}

TEST_F(start, fails_when_the_daemon_closes)
{
	struct starter s = { 0 };

	ASSERT_EQ(0, starter_begin(&s, self->p.app));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
	close(self->req.fd);
	self->req.fd = -1;
	EXPECT_EQ(ECONNABORTED, starter_end(&s));
}

TEST_F(start, fails_at_once_when_the_daemon_is_killed)
{
	struct starter accepted = { 0 }, queued = { 0 };
	struct tlshd_info info;
	int ready[2], status;
	struct pair other;
	long killed;
	pid_t pid;
	char c;

	close(self->d.fd);
	self->d.fd = -1;
	ASSERT_EQ(0, pipe(ready));
	ASSERT_EQ(0, pair_open(&other, variant->family));
	pid = fork();
	if (!pid) {
		struct request req;
		struct daemon d;

		/* Killed, it must hold the only descriptors. */
		if (daemon_open(&d) || daemon_register(&d, 2) || write(ready[1], "r", 1) != 1 ||
		    daemon_accept_one(&d, &req) ||
		    write(ready[1], "a", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	ASSERT_EQ(1, read(ready[0], &c, 1));
	ASSERT_EQ(0, starter_begin(&accepted, self->p.app));
	ASSERT_EQ(1, read(ready[0], &c, 1));
	ASSERT_EQ(0, starter_begin(&queued, other.app));
	/* Until it is queued: START has got as far as INFO knows it. */
	while (info_get(other.app, &info))
		sched_yield();
	killed = now_ms();
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(ECONNABORTED, starter_end(&accepted));
	EXPECT_EQ(ECONNABORTED, starter_end(&queued));
	EXPECT_GT(1000, now_ms() - killed);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	pair_close(&other);
	/* The next daemon serves the next connection. */
	ASSERT_EQ(0, daemon_open(&self->d));
	ASSERT_EQ(0, daemon_register(&self->d, 3));
	ASSERT_EQ(0, open_pair(&self->d, &other, variant->family, 0x1301, TLSHD_SERVER));
	pair_close(&other);
}

TEST_F(start, changes_hands_when_another_daemon_registers)
{
	struct request req;
	struct daemon next;
	struct pair queued;
	struct tlshd_info info;
	char c;

	BEGIN();
	ASSERT_EQ(0, pair_open(&queued, variant->family));
	ASSERT_EQ(-1, start(queued.app, TLSHD_SERVER, TLSHD_F_NOWAIT));
	ASSERT_EQ(0, daemon_open(&next));
	ASSERT_EQ(0, daemon_register(&next, 2));
	/* What the former had accepted is over, without its help; what it had not goes to the newcomer. */
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(ECONNABORTED, info.error);
	EXPECT_EQ(-1, recv(self->req.fd, &c, 1, 0));
	EXPECT_EQ(EPIPE, errno);
	EXPECT_EQ(-1, daemon_accept(&self->d, &req, 1));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, daemon_accept_one(&next, &req));
	ASSERT_EQ(0, hs_open(req.fd, &self->tx, &self->rx));
	ASSERT_EQ(0, info_get(queued.app, &info));
	EXPECT_EQ(TLSHD_S_OPEN, info.state);
	close(req.fd);
	pair_close(&queued);
	/* A second socket of the same instance serves beside the first. */
	struct daemon beside;

	ASSERT_EQ(0, daemon_open(&beside));
	ASSERT_EQ(0, daemon_register(&beside, 2));
	EXPECT_EQ(0, daemon_accept(&next, &req, 1));
	close(beside.fd);
	close(next.fd);
}

TEST_F(start, is_served_to_registered_sockets_only)
{
	struct daemon other;
	struct request req;
	pid_t pid;
	int status;

	ASSERT_EQ(0, daemon_open(&other));
	EXPECT_EQ(-1, daemon_accept(&other, &req, 1));
	EXPECT_EQ(EPERM, errno);
	pid = fork();
	if (!pid) {
		struct daemon d;

		_exit(setuid(65534) || daemon_open(&d) || daemon_register(&d, 9) != -1 || errno != EPERM);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(other.fd);
}

TEST_F(start, works_without_privilege)
{
	pid_t pid;
	int status;

	pid = fork();
	if (!pid)
		_exit(setuid(65534) || start(self->p.app, TLSHD_SERVER, TLSHD_F_NOWAIT) != -1 || errno != EINPROGRESS);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
	EXPECT_EQ(65534, self->req.uid);
}

/* The cap counts handshake sockets, not handshakes: closing does not make room while the daemon holds on. */
TEST_F(start, is_capped_by_what_the_daemon_holds)
{
	struct pair second, client;
	struct request req;
	long limit = now_ms() + WAIT_MS;

	ASSERT_EQ(0, param("max_user_servers", "0"));
	EXPECT_EQ(-1, start(self->p.app, TLSHD_SERVER, TLSHD_F_NOWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, param("max_user_servers", "1"));
	BEGIN();
	close(self->p.app);
	ASSERT_EQ(0, pair_open(&second, variant->family));
	EXPECT_EQ(-1, start(second.app, TLSHD_SERVER, TLSHD_F_NOWAIT));
	EXPECT_EQ(EAGAIN, errno);
	/* Clients have a cap of their own. */
	ASSERT_EQ(0, pair_open(&client, variant->family));
	EXPECT_EQ(-1, start(client.app, TLSHD_CLIENT, TLSHD_F_NOWAIT));
	EXPECT_EQ(EINPROGRESS, errno);
	ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
	close(req.fd);
	close(self->req.fd);
	self->req.fd = self->p.app = -1;
	while (start(second.app, TLSHD_SERVER, TLSHD_F_NOWAIT) == -1 && errno == EAGAIN && now_ms() < limit)
		sched_yield();
	EXPECT_EQ(EINPROGRESS, errno);
	pair_close(&second);
	pair_close(&client);
}

TEST_F(start, hands_requests_out_by_turns)
{
	struct pair p[4];
	struct request reqs[4];
	int status, i;

	/* Three of root's, then one of nobody's: it comes second. */
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, pair_open(&p[i], variant->family));
		pid_t pid = fork();

		if (!pid)
			_exit((i == 3 && setuid(65534)) || start(p[i].app, TLSHD_SERVER, TLSHD_F_NOWAIT) != -1);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_EQ(0, status);
	}
	ASSERT_EQ(4, daemon_accept(&self->d, reqs, 4));
	EXPECT_EQ(0, reqs[0].uid);
	EXPECT_EQ(65534, reqs[1].uid);
	for (i = 0; i < 4; i++) {
		close(reqs[i].fd);
		pair_close(&p[i]);
	}
}

/* Review 25: what finds no descriptor stays, and is told again after a reply that came back short for that reason. */
TEST_F(start, keeps_requests_that_find_no_descriptor)
{
	struct rlimit was, low;
	struct request reqs[3];
	struct pair p[3];
	char ready[256];
	int i, next;

	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, pair_open(&p[i], variant->family));
		ASSERT_EQ(-1, start(p[i].app, TLSHD_SERVER, TLSHD_F_NOWAIT));
		ASSERT_EQ(EINPROGRESS, errno);
	}
	/* The READY of the first; no other is on its way. */
	ASSERT_LT(0, recv(self->d.fd, ready, sizeof(ready), 0));
	next = dup(0);
	close(next);
	ASSERT_EQ(0, getrlimit(RLIMIT_NOFILE, &was));
	low = (struct rlimit){ next + 1, was.rlim_max };	/* room for one */
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &low));
	i = daemon_accept(&self->d, reqs, 3);
	ASSERT_EQ(1, i);
	EXPECT_EQ(next, reqs[0].fd);
	EXPECT_TRUE(self->d.ready);
	i = daemon_accept(&self->d, reqs + 1, 3);
	ASSERT_EQ(-1, i);
	EXPECT_EQ(EMFILE, errno);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &was));
	ASSERT_EQ(2, daemon_accept(&self->d, reqs + 1, 2));
	/* In their order. */
	for (i = 0; i < 3; i++) {
		struct sockaddr_storage peer;
		socklen_t len = sizeof(peer);

		ASSERT_EQ(0, getpeername(p[i].app, (void *)&peer, &len));
		EXPECT_EQ(0, memcmp(&peer, &reqs[i].peer, len));
		close(reqs[i].fd);
		pair_close(&p[i]);
	}
}

static int loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	int ret = ioctl(fd, SIOCSIFFLAGS, &ifr);

	close(fd);
	return ret;
}

#define NO_NAMESPACES 77

/* Review 13 and 22: who is in a user namespace below the daemon's is served, as the uid that the daemon knows him by. */
TEST_F(start, serves_user_namespaces_below)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (setuid(65534) || unshare(CLONE_NEWUSER))
			_exit(NO_NAMESPACES);
		_exit(start(self->p.app, TLSHD_SERVER, TLSHD_F_NOWAIT) != -1 || errno != EINPROGRESS);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (WEXITSTATUS(status) == NO_NAMESPACES)
		SKIP(return, "no user namespaces for everyone");
	ASSERT_EQ(0, status);
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
	EXPECT_EQ(65534, self->req.uid);
}

/* Review 13: who owns a network namespace does not become the judge of the peers of what runs in it. */
TEST_F(start, takes_no_daemon_of_a_container)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct daemon d;
		struct pair p;

		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			_exit(NO_NAMESPACES);
		if (loopback_up() || pair_open(&p, AF_INET))
			_exit(1);
		if (daemon_open(&d) || daemon_register(&d, 1) != -1 || errno != EPERM)
			_exit(2);
		/* Nor does the host's daemon serve it: that one registered for its own network namespace. */
		_exit(start(p.app, TLSHD_SERVER, 0) != -1 || errno != ESRCH ? 3 : 0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	if (WEXITSTATUS(status) == NO_NAMESPACES)
		SKIP(return, "this kernel has no user namespaces");
	EXPECT_EQ(0, status);
}

TEST_F(start, keeps_the_module_loaded)
{
	BEGIN();
	ASSERT_EQ(0, hs_open(self->req.fd, &self->tx, &self->rx));
	close(self->req.fd);
	self->req.fd = -1;
	EXPECT_EQ(-1, syscall(SYS_delete_module, "tlshd", O_NONBLOCK));
	EXPECT_EQ(EAGAIN, errno);
}

/* ---- DONE ---- */

struct change {
	const char *what;
	void (*make)(struct tlshd_done *d, struct tlshd_info *info);
	int error;
};

static void wrong_tx(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->tx_secret[0] ^= 1; }
static void wrong_rx(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->rx_secret[31] ^= 1; }
static void wrong_tx_seq(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->tx_seq = 1; }
static void wrong_rx_seq(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->rx_seq = 1; }
static void wrong_suite(struct tlshd_done *d, struct tlshd_info *info) { (void)d; info->suite = 0x1303; }
static void no_suite(struct tlshd_done *d, struct tlshd_info *info) { (void)d; info->suite = 0x1304; }
static void wrong_hash(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->hash_len = 48; }
static void reserved(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->reserved = 1; }
static void small(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->size--; }
static void more(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->post_len = 1; }
static void chain(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->chain_len = 1; }
static void big_errno(struct tlshd_done *d, struct tlshd_info *info) { (void)info; d->error = 5000; }

static const struct change changes[] = {
	{ "wrong_tx", wrong_tx, EPROTO },
	{ "wrong_rx", wrong_rx, EPROTO },
	{ "wrong_tx_seq", wrong_tx_seq, EPROTO },
	{ "wrong_rx_seq", wrong_rx_seq, EPROTO },
	{ "wrong_suite", wrong_suite, EPROTO },
	{ "no_suite", no_suite, EINVAL },
	{ "wrong_hash", wrong_hash, EINVAL },
	{ "reserved", reserved, EINVAL },
	{ "small", small, EINVAL },
	{ "more", more, EINVAL },
	{ "chain", chain, EINVAL },
	{ "big_errno", big_errno, EINVAL },
};

TEST_F(start, opens_for_nothing_but_the_right_keys)
{
	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct tlshd_info info;
		struct tlshd_done d;
		struct pair p;
		struct request req;

		ASSERT_EQ(0, pair_open(&p, variant->family));
		ASSERT_EQ(-1, start(p.app, TLSHD_SERVER, TLSHD_F_NOWAIT));
		ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
		ASSERT_EQ(0, keys_install(req.fd, TLS_TX, &self->tx, 0));
		ASSERT_EQ(0, keys_install(req.fd, TLS_RX, &self->rx, 0));
		done_init(&d, &info, &self->tx, &self->rx);
		changes[i].make(&d, &info);
		errno = 0;
		EXPECT_EQ(-1, done_send(req.fd, &d, &info, NULL, 0));
		EXPECT_EQ(changes[i].error, errno) TH_LOG("%s", changes[i].what);
		/* It is over: the right verdict comes too late. */
		done_init(&d, &info, &self->tx, &self->rx);
		EXPECT_EQ(-1, done_send(req.fd, &d, &info, NULL, 0));
		EXPECT_EQ(EPIPE, errno) TH_LOG("%s", changes[i].what);
		ASSERT_EQ(0, info_get(p.app, &info));
		EXPECT_EQ(TLSHD_S_FAILED, info.state);
		close(req.fd);
		pair_close(&p);
	}
}

TEST_F(start, does_not_open_without_keys)
{
	struct tlshd_info info;
	struct tlshd_done d;

	BEGIN();
	ASSERT_EQ(0, keys_install(self->req.fd, TLS_TX, &self->tx, 0));
	done_init(&d, &info, &self->tx, &self->rx);
	EXPECT_EQ(-1, done_send(self->req.fd, &d, &info, NULL, 0));
	EXPECT_EQ(EPROTO, errno);
}

TEST_F(start, knows_no_alert_without_info)
{
	struct tlshd_done d = { .size = sizeof(d), .error = EPROTO, .send_alert = TLSHD_ALERT_NONE };
	struct tlshd_info info;

	BEGIN();
	ASSERT_EQ(0, done_send(self->req.fd, &d, NULL, NULL, 0));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(EPROTO, info.error);
	EXPECT_EQ(TLSHD_ALERT_NONE, info.alert_sent);
	EXPECT_EQ(TLSHD_ALERT_NONE, info.alert_received);
}

TEST_F(start, takes_one_verdict)
{
	BEGIN();
	ASSERT_EQ(0, hs_open(self->req.fd, &self->tx, &self->rx));
	EXPECT_EQ(-1, hs_fail(self->req.fd, EPROTO));
	EXPECT_EQ(EPIPE, errno);
}

TEST_F(start, takes_keys_once)
{
	char c = 0;

	BEGIN();
	EXPECT_EQ(0, setsockopt(self->req.fd, SOL_TCP, TCP_ULP, "tls", 4));
	ASSERT_EQ(3, send(self->req.fd, "raw", 3, 0));
	ASSERT_EQ(0, keys_install(self->req.fd, TLS_TX, &self->tx, 0));
	EXPECT_EQ(-1, keys_install(self->req.fd, TLS_TX, &self->tx, 0));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, send(self->req.fd, &c, 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	ASSERT_EQ(0, keys_install(self->req.fd, TLS_RX, &self->rx, 0));
	EXPECT_EQ(-1, recv(self->req.fd, &c, 1, 0));
	EXPECT_EQ(EPIPE, errno);
}

TEST_F(start, sends_the_daemons_tickets_first)
{
	static const uint8_t ticket[] = { 4, 0, 0, 2, 'n', 's' };
	struct tlshd_info info;
	struct tlshd_done d;
	uint8_t type, buf[16];

	BEGIN();
	ASSERT_EQ(0, setsockopt(self->p.peer, SOL_TCP, TCP_ULP, "tls", 4));
	ASSERT_EQ(0, keys_install(self->p.peer, TLS_RX, &self->tx, 0));
	ASSERT_EQ(0, keys_install(self->req.fd, TLS_TX, &self->tx, 0));
	ASSERT_EQ(0, keys_install(self->req.fd, TLS_RX, &self->rx, 0));
	done_init(&d, &info, &self->tx, &self->rx);
	d.post_len = sizeof(ticket);
	ASSERT_EQ(0, done_send(self->req.fd, &d, &info, ticket, sizeof(ticket)));
	ASSERT_EQ(1, write(self->p.app, "x", 1));
	ASSERT_EQ(sizeof(ticket), record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(22, type);
	EXPECT_EQ(0, memcmp(buf, ticket, sizeof(ticket)));
	ASSERT_EQ(1, record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(23, type);
}

TEST_F(start, sends_the_daemons_alert_under_its_keys)
{
	struct tlshd_done d = { .size = sizeof(d), .error = EKEYREJECTED, .send_alert = 42 };
	uint8_t type, buf[8];

	BEGIN();
	ASSERT_EQ(0, setsockopt(self->p.peer, SOL_TCP, TCP_ULP, "tls", 4));
	ASSERT_EQ(0, keys_install(self->p.peer, TLS_RX, &self->tx, 0));
	ASSERT_EQ(0, keys_install(self->req.fd, TLS_TX, &self->tx, 0));
	ASSERT_EQ(0, done_send(self->req.fd, &d, NULL, NULL, 0));
	ASSERT_EQ(2, record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(21, type);
	EXPECT_EQ(42, buf[1]);
}

/* ---- the handshake socket ---- */

TEST_F(start, gives_the_daemon_exact_reads)
{
	char buf[16];

	BEGIN();
	ASSERT_EQ(8, write(self->p.peer, "12345678", 8));
	ASSERT_NE(0, wait_for(self->req.fd, POLLIN));
	ASSERT_EQ(8, recv(self->req.fd, buf, sizeof(buf), MSG_PEEK));
	ASSERT_EQ(3, recv(self->req.fd, buf, 3, 0));
	EXPECT_EQ(0, memcmp(buf, "123", 3));
	ASSERT_EQ(2, recv(self->req.fd, NULL, 2, MSG_TRUNC));
	ASSERT_EQ(3, recv(self->req.fd, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "678", 3));
	errno = 0;
	EXPECT_EQ(-1, recv(self->req.fd, buf, sizeof(buf), 0));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(start, gives_the_daemon_nothing_else)
{
	int one = 1;
	socklen_t len = sizeof(one);

	BEGIN();
	EXPECT_EQ(-1, setsockopt(self->req.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(-1, getsockopt(self->req.fd, IPPROTO_TCP, TCP_NODELAY, &one, &len));
	EXPECT_EQ(-1, shutdown(self->req.fd, SHUT_RDWR));
	EXPECT_EQ(-1, listen(self->req.fd, 1));
	EXPECT_EQ(-1, start(self->req.fd, TLSHD_SERVER, 0));
	EXPECT_EQ(ENOPROTOOPT, errno);
	EXPECT_EQ(-1, setsockopt(self->req.fd, IPPROTO_IP, TLSHD_EARLY, &one, sizeof(one)));
	EXPECT_EQ(EOPNOTSUPP, errno);
}

/* Review F: what the application set before START must not steer the daemon's polls and reads. */
TEST_F(start, is_not_steered_by_earlier_options)
{
	int stamps = 1 << 1 | 1 << 4 | 1 << 7, low = 1000, value = 0;
	socklen_t len = sizeof(value);
	struct pollfd pf;
	char buf[8];

	ASSERT_EQ(0, setsockopt(self->p.app, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps)));
	ASSERT_EQ(0, setsockopt(self->p.app, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low)));
	BEGIN();
	ASSERT_EQ(3, send(self->req.fd, "raw", 3, 0));
	ASSERT_EQ(3, read(self->p.peer, buf, sizeof(buf)));
	pf = (struct pollfd){ .fd = self->req.fd, .events = POLLIN | POLLPRI };
	EXPECT_EQ(0, poll(&pf, 1, 0));
	ASSERT_EQ(1, write(self->p.peer, "x", 1));
	EXPECT_EQ(POLLIN, wait_for(self->req.fd, POLLIN));
	ASSERT_EQ(1, read(self->req.fd, buf, sizeof(buf)));
	ASSERT_EQ(0, hs_open(self->req.fd, &self->tx, &self->rx));
	ASSERT_EQ(0, getsockopt(self->p.app, SOL_SOCKET, SO_RCVLOWAT, &value, &len));
	EXPECT_EQ(low, value);
}

/* Review D: a daemon whose memory never comes must not hold an application's close(). */
TEST_F(start, closes_past_a_daemon_with_bad_memory)
{
	char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	BEGIN();
	EXPECT_EQ(-1, setsockopt(self->req.fd, SOL_TLS, TLS_TX, none, sizeof(struct tls12_crypto_info_aes_gcm_128)));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, setsockopt(self->req.fd, IPPROTO_IP, TLSHD_DONE, none, sizeof(struct tlshd_done)));
	EXPECT_EQ(EPIPE, errno);	/* the first one ended it */
	munmap(none, 4096);
}

TEST_HARNESS_MAIN
