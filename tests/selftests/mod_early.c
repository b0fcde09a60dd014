// SPDX-License-Identifier: MIT
/* 0-RTT data in the module: state EARLY as an application sees it, and what it may do in it. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "mod_peer.h"

FIXTURE(early)
{
	struct daemon d;
	struct pair p;
	struct request req;
	struct keys tx, rx;
};

FIXTURE_VARIANT(early)
{
	int family;
	uint16_t suite;
};

FIXTURE_VARIANT_ADD(early, v4_aes128) { .family = AF_INET, .suite = 0x1301 };
FIXTURE_VARIANT_ADD(early, v6_aes256) { .family = AF_INET6, .suite = 0x1302 };

FIXTURE_SETUP(early)
{
	ASSERT_EQ(0, daemon_open(&self->d));
	ASSERT_EQ(0, daemon_register(&self->d, 1));
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	keys_set(&self->tx, variant->suite, 0x11);
	keys_set(&self->rx, variant->suite, 0x22);
	ASSERT_EQ(-1, start(self->p.app, TLSHD_SERVER, TLSHD_F_NOWAIT | TLSHD_F_ACCEPT_EARLY | TLSHD_F_MARK_EARLY));
	ASSERT_EQ(EINPROGRESS, errno) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &self->req));
}

FIXTURE_TEARDOWN(early)
{
	if (self->req.fd >= 0)
		close(self->req.fd);
	pair_close(&self->p);
	close(self->d.fd);
}

/* ---- the daemon's part ---- */

struct call {
	struct tlshd_early e;
	uint8_t rest[sizeof(struct tlshd_info) + TLSHD_EARLY_MAX + 64];
	size_t len;
};

static void make_first(struct call *c, const struct keys *tx, const char *data)
{
	struct tlshd_done d;
	struct tlshd_info info;

	done_init(&d, &info, tx, tx);
	info.flags = TLSHD_I_EARLY_OFFERED | TLSHD_I_EARLY_ACCEPTED | TLSHD_I_RESUMED;
	memset(info.replay_token, 0x77, sizeof(info.replay_token));
	memset(&c->e, 0, sizeof(c->e));
	c->e.size = sizeof(c->e);
	c->e.hash_len = tx->secret_len;
	c->e.info_len = sizeof(info);
	c->e.data_len = strlen(data);
	memcpy(c->e.tx_secret, tx->secret, tx->secret_len);
	memcpy(c->rest, &info, sizeof(info));
	memcpy(c->rest + sizeof(info), data, c->e.data_len);
	c->len = sizeof(c->e) + sizeof(info) + c->e.data_len;
}

static int give(int hs, const void *data, size_t len)
{
	struct call c = { .e = { .size = sizeof(c.e), .data_len = len } };

	memcpy(c.rest, data, len);
	return setsockopt(hs, IPPROTO_IP, TLSHD_EARLY, &c, sizeof(c.e) + len);
}

static int begin_early(int hs, const struct keys *tx, const char *data)
{
	struct call c;

	make_first(&c, tx, data);
	return keys_install(hs, TLS_TX, tx, 0) ?: setsockopt(hs, IPPROTO_IP, TLSHD_EARLY, &c, c.len);
}

/* The client's Finished is in. */
static int finish(int hs, const struct keys *tx, const struct keys *rx)
{
	struct tlshd_done d;
	struct tlshd_info info;

	if (keys_install(hs, TLS_RX, rx, 0))
		return -1;
	done_init(&d, &info, tx, rx);
	info.flags = TLSHD_I_CONFIRMED | TLSHD_I_EARLY_ACCEPTED | TLSHD_I_EARLY_OFFERED;
	return done_send(hs, &d, &info, NULL, 0);
}

#define EARLY(data) ASSERT_EQ(0, begin_early(self->req.fd, &self->tx, data)) TH_LOG("%s", strerror(errno))
#define FINISH() ASSERT_EQ(0, finish(self->req.fd, &self->tx, &self->rx)) TH_LOG("%s", strerror(errno))
/* Whoever has the keys, at the other end: net/tls. Reads nothing before it has to. */
#define PEER() do { \
	ASSERT_EQ(0, setsockopt(self->p.peer, SOL_TCP, TCP_ULP, "tls", sizeof("tls"))); \
	ASSERT_EQ(0, keys_install(self->p.peer, TLS_TX, &self->rx, 0)); \
	ASSERT_EQ(0, keys_install(self->p.peer, TLS_RX, &self->tx, 0)); \
} while (0)

static short events_of(int fd)
{
	struct pollfd pf = { .fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDHUP };

	return poll(&pf, 1, 0) < 0 ? -1 : pf.revents;
}

static int confirm(int fd)
{
	return setsockopt(fd, IPPROTO_IP, TLSHD_CONFIRM, NULL, 0);
}

static int confirm_now(int fd)
{
	int flags = fcntl(fd, F_GETFL), ret, err;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	ret = confirm(fd);
	err = errno;
	fcntl(fd, F_SETFL, flags);
	errno = err;
	return ret;
}

/* Reads up to @len; @marked: whether a cmsg said that it is early data. */
static int recv_marked(int fd, void *buf, size_t len, int flags, bool *marked)
{
	char control[CMSG_SPACE(sizeof(uint32_t)) * 2] __attribute__((aligned(8))) = { 0 };
	struct iovec vec = { buf, len };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int n = recvmsg(fd, &msg, flags);
	struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);

	*marked = c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == TLSHD_CMSG_EARLY && *(uint32_t *)CMSG_DATA(c) == 1;
	return n;
}

/* ---- what an application sees ---- */

TEST_F(early, start_returns_when_early_data_may_be_read)
{
	struct tlshd_info info;
	bool marked;
	char buf[64];

	EXPECT_EQ(0, events_of(self->p.app));
	EARLY("GET /");
	EXPECT_EQ(POLLIN | POLLOUT, events_of(self->p.app));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(TLSHD_S_EARLY, info.state);
	EXPECT_EQ(TLSHD_I_EARLY_OFFERED | TLSHD_I_EARLY_ACCEPTED | TLSHD_I_RESUMED, info.flags);
	EXPECT_EQ(5, info.early_bytes);
	EXPECT_EQ(0x77, info.replay_token[31]);
	EXPECT_EQ(variant->suite, info.suite);
	EXPECT_EQ(-1, start(self->p.app, TLSHD_SERVER, 0));
	EXPECT_EQ(EISCONN, errno);
	ASSERT_EQ(5, recv_marked(self->p.app, buf, sizeof(buf), 0, &marked));
	EXPECT_EQ(0, memcmp(buf, "GET /", 5));
	EXPECT_TRUE(marked);
	EXPECT_EQ(POLLOUT, events_of(self->p.app));
}

TEST_F(early, blocking_start_returns_at_early)
{
	struct pair p;
	struct request req;
	pid_t pid;
	int status;

	ASSERT_EQ(0, pair_open(&p, variant->family));
	pid = fork();
	if (!pid)
		_exit(start(p.app, TLSHD_SERVER, TLSHD_F_ACCEPT_EARLY) ? 1 : 0);
	ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
	ASSERT_EQ(0, begin_early(req.fd, &self->tx, ""));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	close(req.fd);
	pair_close(&p);
}

TEST_F(early, never_mixes_early_data_with_what_follows)
{
	bool marked;
	char buf[64];

	EARLY("early");
	ASSERT_EQ(0, give(self->req.fd, "more", 4));
	FINISH();
	PEER();
	ASSERT_EQ(5, send(self->p.peer, "later", 5, 0));
	ASSERT_NE(0, wait_for(self->p.app, POLLIN));
	/* A peek, a part and the rest; MSG_WAITALL does not reach over the border. */
	ASSERT_EQ(9, recv_marked(self->p.app, buf, sizeof(buf), MSG_PEEK, &marked));
	EXPECT_TRUE(marked);
	ASSERT_EQ(3, recv_marked(self->p.app, buf, 3, 0, &marked));
	EXPECT_EQ(0, memcmp(buf, "ear", 3));
	EXPECT_TRUE(marked);
	ASSERT_EQ(6, recv_marked(self->p.app, buf, sizeof(buf), MSG_WAITALL, &marked));
	EXPECT_EQ(0, memcmp(buf, "lymore", 6));
	EXPECT_TRUE(marked);
	ASSERT_EQ(5, recv_marked(self->p.app, buf, sizeof(buf), 0, &marked));
	EXPECT_EQ(0, memcmp(buf, "later", 5));
	EXPECT_FALSE(marked);
}

TEST_F(early, readers_wait_for_data_or_the_end)
{
	char buf[64];

	EARLY("");
	EXPECT_EQ(-1, recv(self->p.app, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	/* Handshake bytes of the client are the daemon's, and make nobody's EPOLLIN. */
	ASSERT_EQ(7, send(self->p.peer, "records", 7, 0));
	ASSERT_NE(0, wait_for(self->req.fd, POLLIN));
	EXPECT_EQ(POLLOUT, events_of(self->p.app));
	EXPECT_EQ(-1, recv(self->p.app, buf, sizeof(buf), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(7, recv(self->req.fd, buf, sizeof(buf), 0));
	ASSERT_EQ(0, give(self->req.fd, "x", 1));
	EXPECT_EQ(1, recv(self->p.app, buf, sizeof(buf), 0));
}

static void *read_one(void *arg)
{
	char *buf = (char *)arg + sizeof(int);

	return (void *)(long)read(*(int *)arg, buf, 32);
}

TEST_F(early, a_sleeping_reader_wakes)
{
	struct {
		int fd;
		char buf[32];
	} arg = { .fd = self->p.app };
	pthread_t id;
	void *n;

	EARLY("");
	ASSERT_EQ(0, pthread_create(&id, NULL, read_one, &arg));
	ASSERT_EQ(0, give(self->req.fd, "data", 4));
	ASSERT_EQ(0, pthread_join(id, &n));
	EXPECT_EQ(4, (long)n);
	/* And one that waits over the end of the handshake gets what comes after it. */
	ASSERT_EQ(0, pthread_create(&id, NULL, read_one, &arg));
	FINISH();
	PEER();
	ASSERT_EQ(5, send(self->p.peer, "after", 5, 0));
	ASSERT_EQ(0, pthread_join(id, &n));
	EXPECT_EQ(5, (long)n);
	EXPECT_EQ(0, memcmp(arg.buf, "after", 5));
}

#define CHUNKS 64
#define CHUNK 1000

struct gather {
	int fd;
	char *bytes;	/* one for each that came */
};

static void *gather(void *arg)
{
	struct gather *g = arg;
	uint8_t buf[3000];
	long num = 0;
	ssize_t n;

	/* Each byte is the low one of its place's number: two readers may not get one twice. */
	while ((n = recv(g->fd, buf, 1 + num % sizeof(buf), MSG_DONTWAIT)) > 0 || (n < 0 && errno == EAGAIN))
		if (n > 0) {
			num += n;
			for (ssize_t i = 0; i < n; i++)
				__atomic_fetch_add(&g->bytes[buf[i]], 1, __ATOMIC_RELAXED);
		}
	return (void *)num;
}

TEST_F(early, readers_in_two_threads_get_each_byte_once)
{
	static char counts[256];
	struct gather g = { self->p.app, counts };
	uint8_t chunk[CHUNK];
	long total = 0, each = 0;
	pthread_t id[2];
	void *n;

	memset(counts, 0, sizeof(counts));
	EARLY("");
	for (int i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&id[i], NULL, gather, &g));
	for (int i = 0, at = 0; i < CHUNKS; i++) {
		for (int k = 0; k < CHUNK; k++)
			chunk[k] = at++;
		ASSERT_EQ(0, give(self->req.fd, chunk, CHUNK)) TH_LOG("%d %s", i, strerror(errno));
	}
	FINISH();
	PEER();
	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));	/* without close_notify: EOF all the same */
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(id[i], &n));
		total += (long)n;
	}
	EXPECT_EQ(CHUNKS * CHUNK, total);
	for (int i = 0; i < 256; i++)
		each += (unsigned char)counts[i] == CHUNKS * CHUNK / 256;
	EXPECT_EQ(256, each);
}

TEST_F(early, splice_and_io_uring_read_it)
{
	struct io_uring ring;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
	char buf[64];
	int pipes[2];

	EARLY("for a pipe");
	ASSERT_EQ(0, pipe(pipes));
	ASSERT_EQ(10, splice(self->p.app, NULL, pipes[1], NULL, 64, 0));
	ASSERT_EQ(10, read(pipes[0], buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "for a pipe", 10));
	EXPECT_EQ(-1, splice(self->p.app, NULL, pipes[1], NULL, 64, SPLICE_F_NONBLOCK));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, io_uring_queue_init(4, &ring, 0));
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_recv(sqe, self->p.app, buf, sizeof(buf), 0);
	ASSERT_EQ(1, io_uring_submit(&ring));
	ASSERT_EQ(0, give(self->req.fd, "for a ring", 10));
	ASSERT_EQ(0, io_uring_wait_cqe(&ring, &cqe));
	EXPECT_EQ(10, cqe->res);
	EXPECT_EQ(0, memcmp(buf, "for a ring", 10));
	io_uring_queue_exit(&ring);
}

TEST_F(early, epoll_tells_each_arrival)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	int ep = epoll_create1(0);
	char buf[64];

	EARLY("");
	ASSERT_EQ(0, epoll_ctl(ep, EPOLL_CTL_ADD, self->p.app, &ev));
	EXPECT_EQ(0, epoll_wait(ep, &ev, 1, 0));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, give(self->req.fd, "x", 1));
		ASSERT_EQ(1, epoll_wait(ep, &ev, 1, WAIT_MS));
		EXPECT_EQ(EPOLLIN, ev.events);
		ASSERT_EQ(1, read(self->p.app, buf, sizeof(buf)));
	}
	close(ep);
}

/* ---- answers before the client's Finished ---- */

TEST_F(early, a_response_is_whole_before_the_handshake_is)
{
	static char page[100000], got[100000];
	size_t at = 0;
	uint8_t type, end[8];

	memset(page, 'p', sizeof(page));
	EARLY("GET /");
	PEER();
	for (size_t sent = 0; sent < sizeof(page);) {
		ssize_t n = send(self->p.app, page + sent, sizeof(page) - sent, MSG_DONTWAIT);

		if (n < 0) {
			ASSERT_EQ(EAGAIN, errno);
			n = 0;
		}
		sent += n;
		n = recv(self->p.peer, got + at, sizeof(got) - at, MSG_DONTWAIT);
		at += n > 0 ? n : 0;
	}
	ASSERT_EQ(0, shutdown(self->p.app, SHUT_WR));
	while (at < sizeof(got)) {
		ssize_t n = recv(self->p.peer, got + at, sizeof(got) - at, 0);

		ASSERT_LT(0, n);
		at += n;
	}
	EXPECT_EQ(0, memcmp(page, got, sizeof(page)));
	ASSERT_EQ(2, record_recv(self->p.peer, &type, end, sizeof(end)));
	EXPECT_EQ(21, type);
	EXPECT_EQ(0, end[1]);
	/* The handshake goes on behind it. */
	FINISH();
	EXPECT_EQ(-1, send(self->p.app, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

TEST_F(early, close_ends_a_response_properly)
{
	uint8_t type, buf[64];

	EARLY("GET /");
	PEER();
	ASSERT_EQ(2, write(self->p.app, "ok", 2));
	ASSERT_EQ(5, read(self->p.app, buf, 5));
	close(self->p.app);
	self->p.app = -1;
	ASSERT_EQ(2, recv(self->p.peer, buf, sizeof(buf), 0));
	ASSERT_EQ(2, record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(21, type);
	EXPECT_EQ(0, buf[1]);
	EXPECT_EQ(-1, give(self->req.fd, "x", 1));
	EXPECT_EQ(EPIPE, errno);
}

/* ---- confirmation ---- */

TEST_F(early, confirm_waits_for_the_finished)
{
	pid_t pid;
	int status;

	EXPECT_EQ(-1, confirm_now(self->p.app));
	EXPECT_EQ(EAGAIN, errno);
	EARLY("x");
	EXPECT_EQ(-1, confirm_now(self->p.app));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(POLLIN | POLLOUT, events_of(self->p.app));
	pid = fork();
	if (!pid)
		_exit(confirm(self->p.app) ? 1 : 0);
	FINISH();
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, confirm(self->p.app));
}

TEST_F(early, pollpri_tells_of_a_confirmation_that_could_not_wait)
{
	struct tlshd_info info;

	EARLY("x");
	EXPECT_EQ(-1, confirm_now(self->p.app));
	EXPECT_FALSE(events_of(self->p.app) & POLLPRI);
	FINISH();
	EXPECT_TRUE(events_of(self->p.app) & POLLPRI);
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_TRUE(info.flags & TLSHD_I_CONFIRMED);
	EXPECT_EQ(TLSHD_S_OPEN, info.state);
	EXPECT_EQ(0, confirm_now(self->p.app));
	EXPECT_FALSE(events_of(self->p.app) & POLLPRI);
	EXPECT_EQ(1, info.early_bytes);
}

TEST_F(early, failure_drops_what_nobody_read)
{
	struct tlshd_info info;
	char buf[8];

	EARLY("secret");
	ASSERT_EQ(0, hs_fail(self->req.fd, EPROTO));
	EXPECT_EQ(-1, recv(self->p.app, buf, sizeof(buf), 0));
	EXPECT_EQ(EPROTO, errno);
	EXPECT_EQ(-1, send(self->p.app, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPROTO, errno);
	EXPECT_EQ(-1, confirm(self->p.app));
	EXPECT_EQ(EPROTO, errno);
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(TLSHD_S_FAILED, info.state);
	EXPECT_FALSE(info.flags & TLSHD_I_CONFIRMED);
}

TEST_F(early, the_modules_alert_goes_out_under_the_keys)
{
	struct tlshd_done d = { .size = sizeof(d), .error = EPROTO, .send_alert = 51 };
	struct tlshd_info info = { .size = sizeof(info), .alert_sent = 51, .alert_received = TLSHD_ALERT_NONE };
	uint8_t type, buf[8];

	EARLY("x");
	PEER();
	d.info_len = sizeof(info);
	ASSERT_EQ(0, done_send(self->req.fd, &d, &info, NULL, 0));
	ASSERT_EQ(2, record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(21, type);
	EXPECT_EQ(2, buf[0]);
	EXPECT_EQ(51, buf[1]);
}

TEST_F(early, the_deadline_still_runs)
{
	struct tlshd_start s;
	struct tlshd_info info;
	struct request req;
	struct pair p;

	ASSERT_EQ(0, pair_open(&p, variant->family));
	start_init(&s, TLSHD_SERVER);
	s.flags = TLSHD_F_NOWAIT | TLSHD_F_ACCEPT_EARLY;
	s.timeout_ms = 3000;	/* more than it takes to get EARLY, on the slowest machine */
	ASSERT_EQ(-1, setsockopt(p.app, IPPROTO_IP, TLSHD_START, &s, sizeof(s)));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
	ASSERT_EQ(0, begin_early(req.fd, &self->tx, ""));
	EXPECT_EQ(-1, confirm(p.app));
	EXPECT_EQ(ETIMEDOUT, errno);
	ASSERT_EQ(0, info_get(p.app, &info));
	EXPECT_EQ(ETIMEDOUT, info.error);
	close(req.fd);
	pair_close(&p);
}

TEST_F(early, ends_with_its_daemon)
{
	char buf[8];

	EARLY("x");
	close(self->req.fd);
	self->req.fd = -1;
	EXPECT_EQ(-1, recv(self->p.app, buf, sizeof(buf), 0));
	EXPECT_EQ(ECONNABORTED, errno);
}

/* ---- what the daemon may not do ---- */

TEST_F(early, takes_whole_calls_only)
{
	struct call c;

#define WRONG(change, error) do { \
	make_first(&c, &self->tx, "data"); \
	change; \
	errno = 0; \
	EXPECT_EQ(-1, setsockopt(self->req.fd, IPPROTO_IP, TLSHD_EARLY, &c, c.len)); \
	EXPECT_EQ(error, errno) TH_LOG("%s", #change); \
} while (0)
	ASSERT_EQ(0, keys_install(self->req.fd, TLS_TX, &self->tx, 0));
	WRONG(c.len = 8, EINVAL);
	WRONG(c.len--, EINVAL);
	WRONG(c.len++, EINVAL);
	WRONG(c.e.size--, EINVAL);
	WRONG(c.e.size++, EINVAL);
	WRONG(c.e.reserved = 1, EINVAL);
	WRONG(c.e.data_len++, EINVAL);
	WRONG(c.e.data_len = TLSHD_EARLY_MAX + 1; c.len = sizeof(c.e) + c.e.info_len + c.e.data_len, EINVAL);
	WRONG(c.e.info_len -= 8; c.len -= 8, EINVAL);
	WRONG(c.e.hash_len = 16, EINVAL);
	WRONG(c.e.hash_len = 0; c.e.info_len = 0; c.len = sizeof(c.e) + 4, EINVAL);	/* no first call yet */
	make_first(&c, &self->tx, "data");
	ASSERT_EQ(0, setsockopt(self->req.fd, IPPROTO_IP, TLSHD_EARLY, &c, c.len)) TH_LOG("%s", strerror(errno));
	WRONG(, EINVAL);	/* a first call comes second */
	for (int i = 0; i < 3; i++) {
		static const uint8_t zeros[TLSHD_EARLY_MAX];

		ASSERT_EQ(0, give(self->req.fd, zeros, sizeof(zeros)));
	}
	for (int i = 0; i < 2; i++) {
		static const uint8_t zeros[TLSHD_EARLY_MAX - 4];

		EXPECT_EQ(-i, give(self->req.fd, zeros, sizeof(zeros)));
	}
	EXPECT_EQ(EMSGSIZE, errno);
}

TEST_F(early, needs_the_keys_that_it_names)
{
	struct tlshd_info info;
	struct call c;

	ASSERT_EQ(0, keys_install(self->req.fd, TLS_TX, &self->tx, 0));
	make_first(&c, &self->rx, "data");
	EXPECT_EQ(-1, setsockopt(self->req.fd, IPPROTO_IP, TLSHD_EARLY, &c, c.len));
	EXPECT_EQ(EPROTO, errno);
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(TLSHD_S_FAILED, info.state);
	EXPECT_EQ(-1, send(self->p.app, "x", 1, MSG_NOSIGNAL));
}

TEST_F(early, needs_keys_at_all)
{
	struct call c;

	make_first(&c, &self->tx, "data");
	EXPECT_EQ(-1, setsockopt(self->req.fd, IPPROTO_IP, TLSHD_EARLY, &c, c.len));
	EXPECT_EQ(EPROTO, errno);
}

TEST_F(early, needs_the_sequence_number_too)
{
	struct call c;

	ASSERT_EQ(0, keys_install(self->req.fd, TLS_TX, &self->tx, 2));
	make_first(&c, &self->tx, "data");
	EXPECT_EQ(-1, setsockopt(self->req.fd, IPPROTO_IP, TLSHD_EARLY, &c, c.len));
	EXPECT_EQ(EPROTO, errno);
}

/* What an application that did not ask for early data gets: nothing of it. */
TEST_F(early, is_for_who_asked)
{
	struct request req;
	struct pair p;

	ASSERT_EQ(0, pair_open(&p, variant->family));
	ASSERT_EQ(-1, start(p.app, TLSHD_SERVER, TLSHD_F_NOWAIT));
	ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
	EXPECT_EQ(-1, begin_early(req.fd, &self->tx, "x"));
	EXPECT_EQ(EOPNOTSUPP, errno);
	close(req.fd);
	pair_close(&p);
}

/* ---- a client's ---- */

TEST_F(early, a_clients_goes_to_the_daemon_once)
{
	static struct {
		struct tlshd_start s;
		char data[TLSHD_EARLY_MAX];
	} b;
	static char buf[TLSHD_EARLY_MAX + 1];
	socklen_t len = 10;
	struct request req;
	struct pair p;

	ASSERT_EQ(0, pair_open(&p, variant->family));
	start_init(&b.s, TLSHD_CLIENT);
	b.s.flags = TLSHD_F_NOWAIT;
	memset(b.data, 'e', sizeof(b.data));
	ASSERT_EQ(-1, setsockopt(p.app, IPPROTO_IP, TLSHD_START, &b, sizeof(b)));
	ASSERT_EQ(EINPROGRESS, errno);
	ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
	EXPECT_EQ(TLSHD_EARLY_MAX, req.early_len);
	EXPECT_EQ(-1, getsockopt(req.fd, IPPROTO_IP, TLSHD_EARLY, buf, &len));
	EXPECT_EQ(EMSGSIZE, errno);
	len = sizeof(buf);
	ASSERT_EQ(0, getsockopt(req.fd, IPPROTO_IP, TLSHD_EARLY, buf, &len));
	EXPECT_EQ(TLSHD_EARLY_MAX, len);
	EXPECT_EQ(0, memcmp(buf, b.data, sizeof(b.data)));
	EXPECT_EQ(-1, getsockopt(req.fd, IPPROTO_IP, TLSHD_EARLY, buf, &len));
	EXPECT_EQ(ENODATA, errno);
	EXPECT_EQ(-1, getsockopt(self->req.fd, IPPROTO_IP, TLSHD_EARLY, buf, &len));
	EXPECT_EQ(ENODATA, errno);
	close(req.fd);
	pair_close(&p);
}

/* ---- application threads against the daemon and each other ---- */

static void *churn(void *arg)
{
	int fd = *(int *)arg;
	char buf[128];

	for (ssize_t n = 1; n > 0 || (n < 0 && errno == EAGAIN); n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) {
		events_of(fd);
		send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	return NULL;
}

TEST_F(early, ends_at_any_moment)
{
	for (int i = 0; i < 60; i++) {
		struct request req;
		struct pair p;
		pthread_t id;
		int dup_fd;

		ASSERT_EQ(0, pair_open(&p, variant->family));
		ASSERT_EQ(-1, start(p.app, TLSHD_SERVER, TLSHD_F_NOWAIT | TLSHD_F_ACCEPT_EARLY));
		ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
		dup_fd = dup(p.app);
		ASSERT_EQ(0, pthread_create(&id, NULL, churn, &dup_fd));
		ASSERT_EQ(0, begin_early(req.fd, &self->tx, "some data"));
		for (int k = 0; k < i; k++)
			give(req.fd, "more", 4);
		if (i % 3 == 0)
			ASSERT_EQ(0, finish(req.fd, &self->tx, &self->rx));
		if (i % 3 == 1)
			ASSERT_EQ(0, hs_fail(req.fd, EPROTO));
		if (i % 3 == 2)
			close(req.fd);
		shutdown(p.peer, SHUT_RDWR);
		close(p.peer);
		ASSERT_EQ(0, pthread_join(id, NULL));
		if (i % 3 != 2)
			close(req.fd);
		close(p.app);
		close(dup_fd);
	}
}

TEST_HARNESS_MAIN
