// SPDX-License-Identifier: MIT
/* An open connection: what an application reads and writes, and what it never sees. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "mod_peer.h"

static const uint8_t ticket[] = { 4, 0, 0, 6, 'n', 'o', 'n', 's', 'e', 'n' };
static const uint8_t key_update[] = { 24, 0, 0, 1, 0 };
static const uint8_t close_notify[] = { 1, 0 };

#define MAX_TX_RECORDS "16777216"	/* as the module loads */

static int set_param(const char *name, const char *text)
{
	char path[128];
	int fd, n;

	snprintf(path, sizeof(path), "/sys/module/tlshd/parameters/%s", name);
	fd = open(path, O_WRONLY);
	n = write(fd, text, strlen(text));
	close(fd);
	return n > 0 ? 0 : -1;
}

FIXTURE(conn)
{
	struct daemon d;
	struct pair p;
};

FIXTURE_VARIANT(conn)
{
	int family;
	uint16_t suite;
	uint32_t role;
};

FIXTURE_VARIANT_ADD(conn, v4_aes128_client) { .family = AF_INET, .suite = 0x1301, .role = TLSHD_CLIENT };
FIXTURE_VARIANT_ADD(conn, v6_aes256_client) { .family = AF_INET6, .suite = 0x1302, .role = TLSHD_CLIENT };
FIXTURE_VARIANT_ADD(conn, v6_chacha_client) { .family = AF_INET6, .suite = 0x1303, .role = TLSHD_CLIENT };
FIXTURE_VARIANT_ADD(conn, v4_aes128_server) { .family = AF_INET, .suite = 0x1301, .role = TLSHD_SERVER };

FIXTURE_SETUP(conn)
{
	ASSERT_EQ(0, daemon_open(&self->d));
	ASSERT_EQ(0, daemon_register(&self->d, 1));
	ASSERT_EQ(0, open_pair(&self->d, &self->p, variant->family, variant->suite, variant->role))
		TH_LOG("%s", strerror(errno));
}

FIXTURE_TEARDOWN(conn)
{
	EXPECT_EQ(0, set_param("max_tx_records", MAX_TX_RECORDS));	/* a test that failed may have left it low */
	pair_close(&self->p);
	close(self->d.fd);
}

TEST_F(conn, carries_data_both_ways)
{
	static char out[100000], in[100000];
	size_t got = 0;
	ssize_t n;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = i * 7 + i / 251;
	ASSERT_EQ(sizeof(out), write(self->p.app, out, sizeof(out)));
	while (got < sizeof(in) && (n = read(self->p.peer, in + got, sizeof(in) - got)) > 0)
		got += n;
	ASSERT_EQ(sizeof(in), got);
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	memset(in, 0, sizeof(in));
	ASSERT_EQ(sizeof(out), write(self->p.peer, out, sizeof(out)));
	for (got = 0; got < sizeof(in) && (n = read(self->p.app, in + got, sizeof(in) - got)) > 0; got += n)
		;
	ASSERT_EQ(sizeof(in), got);
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
}

TEST_F(conn, tells_what_the_daemon_said)
{
	struct tlshd_info info;

	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(TLSHD_S_OPEN, info.state);
	EXPECT_EQ(variant->suite, info.suite);
	EXPECT_EQ(29, info.group);
	EXPECT_STREQ("test/1", info.alpn);
	EXPECT_EQ(TLSHD_ALERT_NONE, info.alert_sent);
	EXPECT_EQ(0, info.tx_records);
	ASSERT_EQ(1, write(self->p.app, "x", 1));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(1, info.tx_records);
}

TEST_F(conn, reads_past_tickets)
{
	struct tlshd_info info;
	char buf[16];

	ASSERT_EQ(sizeof(ticket), record_send(self->p.peer, 22, ticket, sizeof(ticket)));
	/* Two in one record, the second cut by the record's end. */
	char two[2 * sizeof(ticket)];

	memcpy(two, ticket, sizeof(ticket));
	memcpy(two + sizeof(ticket), ticket, sizeof(ticket));
	ASSERT_EQ(12, record_send(self->p.peer, 22, two, 12));
	ASSERT_EQ(8, record_send(self->p.peer, 22, two + 12, 8));
	ASSERT_EQ(5, send(self->p.peer, "hello", 5, 0));
	if (variant->role == TLSHD_SERVER) {
		ASSERT_EQ(-1, read(self->p.app, buf, sizeof(buf)));
		EXPECT_EQ(EPROTO, errno);
		return;
	}
	ASSERT_EQ(5, read(self->p.app, buf, sizeof(buf))) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(0, memcmp(buf, "hello", 5));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(3, info.tickets);
}

TEST_F(conn, waits_for_all_across_a_ticket)
{
	char buf[16];

	if (variant->role == TLSHD_SERVER)
		SKIP(return, "a server gets no tickets");
	ASSERT_EQ(4, send(self->p.peer, "abcd", 4, 0));
	ASSERT_EQ(sizeof(ticket), record_send(self->p.peer, 22, ticket, sizeof(ticket)));
	ASSERT_EQ(4, send(self->p.peer, "efgh", 4, 0));
	ASSERT_EQ(8, recv(self->p.app, buf, 8, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "abcdefgh", 8));
}

TEST_F(conn, gives_clean_flags)
{
	char buf[8];
	struct iovec vec = { buf, sizeof(buf) };
	char control[64];
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1,
			      .msg_control = control, .msg_controllen = sizeof(control) };

	ASSERT_EQ(2, send(self->p.peer, "ok", 2, 0));
	ASSERT_EQ(2, recvmsg(self->p.app, &msg, 0));
	EXPECT_EQ(0, msg.msg_flags & (MSG_CTRUNC | MSG_EOR));
	EXPECT_EQ(0, msg.msg_controllen);
}

TEST_F(conn, ends_with_the_peers_close_notify)
{
	struct tlshd_info info;
	char buf[8];

	ASSERT_EQ(3, send(self->p.peer, "end", 3, 0));
	ASSERT_EQ(2, record_send(self->p.peer, 21, close_notify, 2));
	ASSERT_EQ(3, read(self->p.app, buf, sizeof(buf)));
	EXPECT_EQ(0, read(self->p.app, buf, sizeof(buf)));
	EXPECT_EQ(0, read(self->p.app, buf, sizeof(buf)));
	EXPECT_NE(0, wait_for(self->p.app, POLLIN) & POLLIN);
	EXPECT_EQ(0, read(self->p.app, buf, sizeof(buf)));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_NE(0, info.flags & TLSHD_I_CLEAN_CLOSE);
	EXPECT_EQ(TLSHD_S_OPEN, info.state);
	/* The other direction goes on. */
	ASSERT_EQ(3, write(self->p.app, "bye", 3));
	ASSERT_EQ(3, read(self->p.peer, buf, sizeof(buf)));
	ASSERT_EQ(0, shutdown(self->p.app, SHUT_WR));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(TLSHD_S_CLOSED, info.state);
}

TEST_F(conn, tells_a_fin_from_a_close_notify)
{
	struct tlshd_info info;
	char buf[8];

	ASSERT_EQ(0, shutdown(self->p.peer, SHUT_WR));
	EXPECT_EQ(0, read(self->p.app, buf, sizeof(buf)));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(0, info.flags & TLSHD_I_CLEAN_CLOSE);
}

TEST_F(conn, sends_close_notify_on_shutdown)
{
	uint8_t type, buf[8];

	ASSERT_EQ(0, shutdown(self->p.app, SHUT_WR));
	ASSERT_EQ(2, record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(21, type);
	EXPECT_EQ(0, memcmp(buf, close_notify, 2));
	EXPECT_EQ(0, record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(-1, send(self->p.app, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
}

TEST_F(conn, sends_close_notify_and_fin_on_close)
{
	uint8_t type, buf[8];

	/* Unread tickets and the peer's own close_notify must not turn the FIN into a reset. */
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(sizeof(ticket), record_send(self->p.peer, 22, ticket, sizeof(ticket)));
	ASSERT_EQ(2, record_send(self->p.peer, 21, close_notify, 2));
	ASSERT_NE(0, wait_for(self->p.app, POLLIN));
	ASSERT_EQ(0, close(self->p.app));
	self->p.app = -1;
	ASSERT_EQ(2, record_recv(self->p.peer, &type, buf, sizeof(buf))) TH_LOG("%s", strerror(errno));
	EXPECT_EQ(21, type);
	EXPECT_EQ(0, buf[1]);
	EXPECT_EQ(0, record_recv(self->p.peer, &type, buf, sizeof(buf))) TH_LOG("%s", strerror(errno));
}

TEST_F(conn, fails_reading_after_a_fatal_alert)
{
	static const uint8_t alert[] = { 2, 42 };
	struct tlshd_info info;
	char buf[8];

	ASSERT_EQ(2, record_send(self->p.peer, 21, alert, 2));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(-1, read(self->p.app, buf, sizeof(buf)));
		EXPECT_EQ(EPROTO, errno);
	}
	ASSERT_EQ(-1, send(self->p.app, "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(EPIPE, errno);
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(42, info.alert_received);
	EXPECT_EQ(EPROTO, info.error);
	EXPECT_STREQ("the peer sent alert 42", info.reason);
}

TEST_F(conn, fails_cleanly_at_a_key_update)
{
	struct tlshd_info info;
	uint8_t type, buf[8];

	ASSERT_EQ(sizeof(key_update), record_send(self->p.peer, 22, key_update, sizeof(key_update)));
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(-1, read(self->p.app, buf, sizeof(buf)));
		EXPECT_EQ(EKEYEXPIRED, errno);
	}
	ASSERT_EQ(2, record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(21, type);
	EXPECT_EQ(80, buf[1]);
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(1, info.rx_key_updates);
	EXPECT_EQ(EKEYEXPIRED, info.error);
	EXPECT_EQ(80, info.alert_sent);
}

TEST_F(conn, refuses_what_is_no_tls13_record)
{
	uint8_t type, buf[8];

	ASSERT_EQ(1, record_send(self->p.peer, 99, "x", 1));
	ASSERT_EQ(-1, read(self->p.app, buf, sizeof(buf)));
	EXPECT_EQ(EPROTO, errno);
	ASSERT_EQ(2, record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(10, buf[1]);
}

/* RFC 8446 section 5.2. Needs a peer that writes raw bytes. */
TEST_F(conn, tells_the_peer_of_a_broken_record)
{
	static const struct {
		uint8_t head[5];
		int error, alert;
	} records[] = {
		{ { 23, 3, 3, 0, 40 }, EBADMSG, 20 },
		{ { 23, 3, 3, 0x7f, 0xff }, EMSGSIZE, 22 },
	};
	struct keys tx, rx;

	keys_set(&tx, variant->suite, 0x11);
	keys_set(&rx, variant->suite, 0x22);
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		uint8_t record[45] = { 0 }, type, buf[8];
		struct tlshd_info info;
		struct request req;
		struct pair p;

		ASSERT_EQ(0, pair_open(&p, variant->family));
		ASSERT_EQ(-1, start(p.app, variant->role, TLSHD_F_NOWAIT));
		ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
		ASSERT_EQ(0, hs_open(req.fd, &tx, &rx));
		close(req.fd);
		memcpy(record, records[i].head, 5);
		ASSERT_EQ(sizeof(record), write(p.peer, record, sizeof(record)));
		for (int j = 0; j < 3; j++) {
			errno = 0;
			ASSERT_EQ(-1, read(p.app, buf, sizeof(buf)));
			EXPECT_EQ(records[i].error, errno) TH_LOG("%zu, read %d: %s", i, j, strerror(errno));
		}
		EXPECT_NE(0, wait_for(p.app, POLLIN) & POLLIN);
		ASSERT_EQ(0, setsockopt(p.peer, SOL_TCP, TCP_ULP, "tls", sizeof("tls")));
		ASSERT_EQ(0, keys_install(p.peer, TLS_RX, &tx, 0));
		ASSERT_EQ(2, record_recv(p.peer, &type, buf, sizeof(buf))) TH_LOG("%zu: %s", i, strerror(errno));
		EXPECT_EQ(21, type);
		EXPECT_EQ(2, buf[0]);
		EXPECT_EQ(records[i].alert, buf[1]);
		EXPECT_EQ(-1, send(p.app, "x", 1, MSG_NOSIGNAL));
		EXPECT_EQ(EPIPE, errno);
		ASSERT_EQ(0, info_get(p.app, &info));
		EXPECT_EQ(records[i].error, info.error);
		EXPECT_EQ(records[i].alert, info.alert_sent);
		pair_close(&p);
	}
}

TEST_F(conn, bounds_a_flood_of_tickets)
{
	char buf[8];

	if (variant->role == TLSHD_SERVER)
		SKIP(return, "a server gets no tickets");
	for (int i = 0; i < 1100; i++) {
		if (record_send(self->p.peer, 22, ticket, sizeof(ticket)) < 0)
			break;
		if (i % 100 != 99)
			continue;
		errno = 0;
		if (recv(self->p.app, buf, sizeof(buf), MSG_DONTWAIT) < 0 && errno == EPROTO)
			return;
	}
	EXPECT_EQ(-1, read(self->p.app, buf, sizeof(buf)));
	EXPECT_EQ(EPROTO, errno);
}

TEST_F(conn, splices_past_tickets)
{
	char buf[64];
	int pipefd[2];

	ASSERT_EQ(0, pipe(pipefd));
	if (variant->role == TLSHD_CLIENT)
		ASSERT_EQ(sizeof(ticket), record_send(self->p.peer, 22, ticket, sizeof(ticket)));
	ASSERT_EQ(6, send(self->p.peer, "splice", 6, 0));
	ASSERT_EQ(6, splice(self->p.app, NULL, pipefd[1], NULL, 1 << 20, 0)) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(6, read(pipefd[0], buf, sizeof(buf)));
	EXPECT_EQ(0, memcmp(buf, "splice", 6));
	/* O_NONBLOCK of the socket counts. */
	ASSERT_EQ(0, fcntl(self->p.app, F_SETFL, O_NONBLOCK));
	EXPECT_EQ(-1, splice(self->p.app, NULL, pipefd[1], NULL, 100, 0));
	EXPECT_EQ(EAGAIN, errno);
	close(pipefd[0]);
	close(pipefd[1]);
}

TEST_F(conn, splices_without_loss_into_a_short_pipe)
{
	static char out[60000], in[60000];
	size_t got = 0;
	int pipefd[2];
	ssize_t n;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = i * 13 + i / 257;
	ASSERT_EQ(0, pipe(pipefd));
	ASSERT_LT(0, fcntl(pipefd[1], F_SETPIPE_SZ, 4096));
	ASSERT_EQ(sizeof(out), send(self->p.peer, out, sizeof(out), 0));
	while (got < sizeof(in)) {
		n = splice(self->p.app, NULL, pipefd[1], NULL, sizeof(in) - got, 0);
		ASSERT_LT(0, n) TH_LOG("%s", strerror(errno));
		ASSERT_EQ(n, read(pipefd[0], in + got, n));
		got += n;
	}
	EXPECT_EQ(0, memcmp(in, out, sizeof(in)));
	close(pipefd[0]);
	close(pipefd[1]);
}

static void *reader(void *arg)
{
	char buf[65536];
	size_t total = 0;
	ssize_t n;

	while ((n = read(*(int *)arg, buf, sizeof(buf))) > 0)
		total += n;
	return (void *)total;
}

TEST_F(conn, sends_a_file)
{
	char name[] = "/tmp/mod_data.XXXXXX";
	int fd = mkstemp(name);
	const size_t size = 1 << 20;
	off_t at = 0;
	pthread_t t;
	void *total;

	ASSERT_LE(0, fd);
	unlink(name);
	ASSERT_EQ(0, ftruncate(fd, size));
	ASSERT_EQ(0, pthread_create(&t, NULL, reader, &self->p.peer));
	while ((size_t)at < size)
		ASSERT_LT(0, sendfile(self->p.app, fd, &at, size - at)) TH_LOG("%s", strerror(errno));
	ASSERT_EQ(0, shutdown(self->p.app, SHUT_WR));
	ASSERT_EQ(0, pthread_join(t, &total));
	EXPECT_EQ(size, (size_t)total);
	close(fd);
}

TEST_F(conn, sends_no_record_but_data)
{
	uint8_t type, buf[8];

	/* The application's control data could make an alert of this. */
	ASSERT_EQ(2, record_send(self->p.app, 21, close_notify, 2));
	ASSERT_EQ(2, record_recv(self->p.peer, &type, buf, sizeof(buf)));
	EXPECT_EQ(23, type);
	/* io_uring sets these on sends. */
	EXPECT_EQ(1, send(self->p.app, "x", 1, MSG_WAITALL | MSG_EOR));
}

TEST_F(conn, stops_sending_before_the_key_is_worn)
{
	struct tlshd_info info;
	int i;

	ASSERT_EQ(0, set_param("max_tx_records", "40"));
	for (i = 0; i < 100 && send(self->p.app, "x", 1, MSG_NOSIGNAL) == 1; i++)
		;
	ASSERT_EQ(0, set_param("max_tx_records", MAX_TX_RECORDS));
	if (variant->suite == 0x1303) {
		EXPECT_EQ(100, i);
		return;
	}
	EXPECT_EQ(EKEYEXPIRED, errno);
	EXPECT_LT(20, i);
	EXPECT_GT(40, i);
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(i, info.tx_records);
	/* One call of many records counts them before it makes them. */
	static char big[20 * 16384];

	ASSERT_EQ(0, set_param("max_tx_records", "60"));
	EXPECT_EQ(-1, send(self->p.app, big, sizeof(big), MSG_NOSIGNAL | MSG_DONTWAIT));
	EXPECT_EQ(EKEYEXPIRED, errno);
}

TEST_F(conn, keeps_its_keys_and_its_overlay)
{
	struct tls12_crypto_info_aes_gcm_128 keys;
	socklen_t len = sizeof(keys);
	struct sockaddr any = { .sa_family = AF_UNSPEC };
	int family = AF_INET;

	EXPECT_EQ(-1, getsockopt(self->p.app, SOL_TLS, TLS_TX, &keys, &len));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, setsockopt(self->p.app, SOL_TLS, TLS_TX, &keys, sizeof(keys)));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, setsockopt(self->p.app, SOL_TCP, TCP_ULP, "tls", 4));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, setsockopt(self->p.app, IPPROTO_IPV6, IPV6_ADDRFORM, &family, sizeof(family)));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, connect(self->p.app, &any, sizeof(any)));
	EXPECT_EQ(EOPNOTSUPP, errno);
	EXPECT_EQ(-1, accept(self->p.app, NULL, NULL));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, listen(self->p.app, 1));
	ASSERT_EQ(2, write(self->p.peer, "ok", 2));
	ASSERT_EQ(2, read(self->p.app, &keys, 2));
}

TEST_F(conn, takes_ordinary_options)
{
	int one = 1, value = 0;
	socklen_t len = sizeof(value);

	ASSERT_EQ(0, setsockopt(self->p.app, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)));
	ASSERT_EQ(0, getsockopt(self->p.app, IPPROTO_TCP, TCP_NODELAY, &value, &len));
	EXPECT_EQ(1, value);
	ASSERT_EQ(0, setsockopt(self->p.app, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)));
	value = 0;
	ASSERT_EQ(0, getsockopt(self->p.app, SOL_SOCKET, SO_KEEPALIVE, &value, &len));
	EXPECT_EQ(1, value);
}

TEST_F(conn, is_gone_with_a_second_start)
{
	EXPECT_EQ(-1, start(self->p.app, variant->role, 0));
	EXPECT_EQ(EISCONN, errno);
}

static void *blocked_writer(void *arg)
{
	static char buf[1 << 20];

	while (send(*(int *)arg, buf, sizeof(buf), MSG_NOSIGNAL) > 0)
		;
	return (void *)(long)errno;
}

TEST_F(conn, shuts_down_behind_a_blocked_writer)
{
	void *error;
	pthread_t t;
	char c;

	ASSERT_EQ(0, pthread_create(&t, NULL, blocked_writer, &self->p.app));
	/* Until it is blocked: the socket takes no more. */
	for (int i = 0; i < WAIT_MS / 10; i++)
		if (poll(&(struct pollfd){ .fd = self->p.app, .events = POLLOUT }, 1, 0) == 0)
			break;
		else
			usleep(10000);
	errno = 0;
	EXPECT_EQ(-1, send(self->p.app, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_EQ(-1, recv(self->p.app, &c, 1, MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, shutdown(self->p.app, SHUT_RDWR));
	ASSERT_EQ(0, pthread_join(t, &error));
	EXPECT_EQ(EPIPE, (long)error);
}

TEST_HARNESS_MAIN
