// SPDX-License-Identifier: MIT
/* io_uring: START, its end, and data through a ring. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "mod_peer.h"

/* Linux 6.7; liburing 2.3 has no words for it. */
#define URING_CMD_SETSOCKOPT 3

FIXTURE(ring)
{
	struct io_uring ring;
	struct daemon d;
	struct pair p;
	struct keys tx, rx;
};

FIXTURE_VARIANT(ring)
{
	int family;
};

FIXTURE_VARIANT_ADD(ring, v4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(ring, v6) { .family = AF_INET6 };

FIXTURE_SETUP(ring)
{
	ASSERT_EQ(0, io_uring_queue_init(8, &self->ring, 0));
	ASSERT_EQ(0, daemon_open(&self->d));
	ASSERT_EQ(0, daemon_register(&self->d, 1));
	ASSERT_EQ(0, pair_open(&self->p, variant->family));
	keys_set(&self->tx, 0x1301, 0x11);
	keys_set(&self->rx, 0x1301, 0x22);
}

FIXTURE_TEARDOWN(ring)
{
	io_uring_queue_exit(&self->ring);
	pair_close(&self->p);
	close(self->d.fd);
}

/* The functions that prepare an operation clear its tag. */
#define SUBMIT(tag, prep, ...) do { \
	struct io_uring_sqe *sqe_ = io_uring_get_sqe(&self->ring); \
	prep(sqe_, __VA_ARGS__); \
	io_uring_sqe_set_data64(sqe_, tag); \
	ASSERT_EQ(1, io_uring_submit(&self->ring)); \
} while (0)

static void prep_setsockopt(struct io_uring_sqe *sqe, int fd, uint32_t level, uint32_t name, const void *value,
			    uint32_t len)
{
	uint64_t at = (uintptr_t)value;

	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, fd, NULL, 0, URING_CMD_SETSOCKOPT);
	sqe->addr = level | (uint64_t)name << 32;
	sqe->file_index = len;
	memcpy((char *)sqe + 48, &at, sizeof(at));
}

/* The next completion, whose tag must be @tag. Return: its result, or -ETIME after WAIT_MS, or -EBADE for another tag. */
static int result(struct io_uring *ring, uint64_t tag)
{
	struct __kernel_timespec limit = { .tv_sec = WAIT_MS / 1000 };
	struct io_uring_cqe *cqe;
	int ret = io_uring_wait_cqe_timeout(ring, &cqe, &limit);

	if (ret)
		return ret;
	ret = io_uring_cqe_get_data64(cqe) == tag ? cqe->res : -EBADE;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

/* START again, after a poll through the ring said that there may be something: until it is not under way any more. */
static int start_result(struct io_uring *ring, int fd)
{
	for (;;) {
		struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
		int n;

		io_uring_prep_poll_add(sqe, fd, POLLIN | POLLOUT);
		io_uring_sqe_set_data64(sqe, 77);
		io_uring_submit(ring);
		n = result(ring, 77);
		if (n < 0)
			return n;
		if (start(fd, TLSHD_SERVER, TLSHD_F_NOWAIT) == 0)
			return 0;
		if (errno != EALREADY)
			return -errno;
	}
}

/* START under way, without a ring. */
#define BEGIN(req) do { \
	ASSERT_EQ(-1, start(self->p.app, TLSHD_SERVER, TLSHD_F_NOWAIT)); \
	ASSERT_EQ(EINPROGRESS, errno); \
	ASSERT_EQ(0, daemon_accept_one(&self->d, &(req))); \
} while (0)

#define OPEN(req) do { \
	ASSERT_EQ(0, setsockopt(self->p.peer, SOL_TCP, TCP_ULP, "tls", sizeof("tls"))); \
	ASSERT_EQ(0, keys_install(self->p.peer, TLS_TX, &self->rx, 0)); \
	ASSERT_EQ(0, keys_install(self->p.peer, TLS_RX, &self->tx, 0)); \
	ASSERT_EQ(0, hs_open((req).fd, &self->tx, &self->rx)); \
	ASSERT_EQ(0, close((req).fd)); \
} while (0)

TEST_F(ring, polls_for_the_end_of_start)
{
	struct request req;
	char buf[8];

	BEGIN(req);
	SUBMIT(1, io_uring_prep_poll_add, self->p.app, POLLIN | POLLOUT);
	/* Bytes of the handshake: a poll may take them for a hint, and must still see the end. */
	ASSERT_EQ(5, write(self->p.peer, "hello", 5));
	ASSERT_NE(0, wait_for(req.fd, POLLIN));
	ASSERT_EQ(5, read(req.fd, buf, sizeof(buf)));
	OPEN(req);
	EXPECT_LT(0, result(&self->ring, 1));
	EXPECT_EQ(-EISCONN, start_result(&self->ring, self->p.app));
}

TEST_F(ring, polls_for_a_failure)
{
	struct request req;
	int n;

	BEGIN(req);
	SUBMIT(1, io_uring_prep_poll_add, self->p.app, POLLIN);
	ASSERT_EQ(0, hs_fail(req.fd, EKEYREJECTED));
	n = result(&self->ring, 1);
	EXPECT_EQ(POLLIN | POLLERR | POLLHUP, n & (POLLIN | POLLERR | POLLHUP));
	EXPECT_EQ(-EKEYREJECTED, start_result(&self->ring, self->p.app));
	close(req.fd);
}

TEST_F(ring, starts_without_blocking)
{
	struct tlshd_start s;
	struct request req;
	int n;

	start_init(&s, TLSHD_SERVER);
	s.flags = TLSHD_F_NOWAIT;
	SUBMIT(1, prep_setsockopt, self->p.app, IPPROTO_IP, TLSHD_START, &s, sizeof(s));
	n = result(&self->ring, 1);
	if (n == -EOPNOTSUPP)
		SKIP(return, "this kernel's io_uring has no setsockopt");
	ASSERT_EQ(-EINPROGRESS, n);
	ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
	SUBMIT(2, prep_setsockopt, self->p.app, IPPROTO_IP, TLSHD_START, &s, sizeof(s));
	EXPECT_EQ(-EALREADY, result(&self->ring, 2));
	OPEN(req);
	SUBMIT(3, prep_setsockopt, self->p.app, IPPROTO_IP, TLSHD_START, &s, sizeof(s));
	EXPECT_EQ(-EISCONN, result(&self->ring, 3));
	EXPECT_EQ(-EISCONN, start_result(&self->ring, self->p.app));
}

TEST_F(ring, holds_operations_back_until_open)
{
	struct request req;
	char in[8], buf[8];

	BEGIN(req);
	SUBMIT(1, io_uring_prep_recv, self->p.app, in, sizeof(in), 0);
	SUBMIT(2, io_uring_prep_send, self->p.app, "early", 5, 0);
	ASSERT_EQ(3, write(self->p.peer, "raw", 3));
	ASSERT_NE(0, wait_for(req.fd, POLLIN));
	ASSERT_EQ(3, read(req.fd, buf, sizeof(buf)));
	OPEN(req);
	/* The send needs no more; the receive waits for data. */
	EXPECT_EQ(5, result(&self->ring, 2));
	ASSERT_EQ(5, recv(self->p.peer, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "early", 5));
	ASSERT_EQ(4, send(self->p.peer, "data", 4, 0));
	ASSERT_EQ(4, result(&self->ring, 1));
	EXPECT_EQ(0, memcmp(in, "data", 4));
}

TEST_F(ring, ends_operations_with_the_handshakes_error)
{
	struct request req;
	char in[8];

	BEGIN(req);
	SUBMIT(1, io_uring_prep_recv, self->p.app, in, sizeof(in), 0);
	ASSERT_EQ(0, hs_fail(req.fd, EPROTO));
	EXPECT_EQ(-EPROTO, result(&self->ring, 1));
	SUBMIT(2, io_uring_prep_send, self->p.app, in, sizeof(in), MSG_NOSIGNAL);
	EXPECT_EQ(-EPROTO, result(&self->ring, 2));
	close(req.fd);
}

TEST_F(ring, carries_data)
{
	static const uint8_t close_notify[] = { 1, 0 };
	static char out[100000], in[100000];
	struct request req;
	size_t got = 0;
	int n, sent;

	BEGIN(req);
	OPEN(req);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = i * 11 + i / 253;
	SUBMIT(1, io_uring_prep_send, self->p.app, out, sizeof(out), MSG_WAITALL);
	for (; got < sizeof(in) && (n = read(self->p.peer, in + got, sizeof(in) - got)) > 0; got += n)
		;
	EXPECT_EQ(sizeof(out), got);
	EXPECT_EQ(sizeof(out), result(&self->ring, 1));
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	memset(in, 0, sizeof(in));
	SUBMIT(2, io_uring_prep_recv, self->p.app, in, sizeof(in), MSG_WAITALL);
	for (sent = 0; sent < (int)sizeof(out); sent += n)
		ASSERT_LT(0, n = send(self->p.peer, out + sent, sizeof(out) - sent, 0));
	EXPECT_EQ(sizeof(in), result(&self->ring, 2));
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	SUBMIT(3, io_uring_prep_recv, self->p.app, in, sizeof(in), 0);
	ASSERT_EQ(2, record_send(self->p.peer, 21, close_notify, sizeof(close_notify)));
	EXPECT_EQ(0, result(&self->ring, 3));
}

TEST_F(ring, splices_both_ways)
{
	struct request req;
	int pipefd[2];
	char buf[16];

	BEGIN(req);
	OPEN(req);
	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_EQ(6, send(self->p.peer, "inward", 6, 0));
	SUBMIT(1, io_uring_prep_splice, self->p.app, -1, pipefd[1], -1, 4096, 0);
	ASSERT_EQ(6, result(&self->ring, 1));
	ASSERT_EQ(6, read(pipefd[0], buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "inward", 6));
	ASSERT_EQ(7, write(pipefd[1], "outward", 7));
	SUBMIT(2, io_uring_prep_splice, pipefd[0], -1, self->p.app, -1, 7, 0);
	ASSERT_EQ(7, result(&self->ring, 2));
	ASSERT_EQ(7, recv(self->p.peer, buf, sizeof(buf), 0));
	EXPECT_EQ(0, memcmp(buf, "outward", 7));
	close(pipefd[0]);
	close(pipefd[1]);
}

TEST_F(ring, refuses_sends_without_copy)
{
	struct request req;
	char buf[8];

	BEGIN(req);
	OPEN(req);
	SUBMIT(1, io_uring_prep_send_zc, self->p.app, "secret", 6, 0, 0);
	EXPECT_EQ(-EOPNOTSUPP, result(&self->ring, 1));
	/* And sent none of it. */
	ASSERT_EQ(1, write(self->p.app, "x", 1));
	EXPECT_EQ(1, recv(self->p.peer, buf, sizeof(buf), 0));
	EXPECT_EQ('x', buf[0]);
}

TEST_F(ring, cancels_with_close)
{
	struct request req;
	char in[8];

	BEGIN(req);
	SUBMIT(1, io_uring_prep_recv, self->p.app, in, sizeof(in), 0);
	SUBMIT(2, io_uring_prep_cancel64, 1, 0);
	for (int i = 0; i < 2; i++) {
		struct __kernel_timespec limit = { .tv_sec = WAIT_MS / 1000 };
		struct io_uring_cqe *cqe;

		ASSERT_EQ(0, io_uring_wait_cqe_timeout(&self->ring, &cqe, &limit));
		EXPECT_EQ(io_uring_cqe_get_data64(cqe) == 1 ? -ECANCELED : 0, cqe->res);
		io_uring_cqe_seen(&self->ring, cqe);
	}
	SUBMIT(3, io_uring_prep_close, self->p.app);
	EXPECT_EQ(0, result(&self->ring, 3));
	self->p.app = -1;
	EXPECT_EQ(POLLIN | POLLERR | POLLHUP, wait_for(req.fd, POLLIN));
	close(req.fd);
}

TEST_HARNESS_MAIN
