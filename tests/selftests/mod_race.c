// SPDX-License-Identifier: MIT
/*
 * Races: START and key installation against readers, writers, pollers and calls that were already inside the kernel;
 * closes of both files at any moment. What must hold: the application reads only what was encrypted ('D'), and the
 * kernel stays quiet. MOD_RACE_ROUNDS=N sets the rounds of each (100).
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "mod_peer.h"

#define NUM_HAMMERS 2

static int rounds(void)
{
	const char *s = getenv("MOD_RACE_ROUNDS");

	return s ? atoi(s) : 100;
}

/* Threads that use the connection of the moment, all the time. */
struct stage {
	atomic_int fd;		/* -1 between rounds */
	atomic_int inside;	/* threads that are using fd */
	atomic_int stop;
	atomic_long data, raw, calls;
};

static int enter(struct stage *s)
{
	int fd;

	atomic_fetch_add(&s->inside, 1);
	fd = atomic_load(&s->fd);
	if (fd < 0)
		atomic_fetch_sub(&s->inside, 1);
	return fd;
}

/* Nobody uses the fd after this. */
static void leave_stage(struct stage *s)
{
	atomic_store(&s->fd, -1);
	while (atomic_load(&s->inside))
		sched_yield();
}

static void count(struct stage *s, const char *buf, ssize_t n)
{
	for (ssize_t i = 0; i < n; i++)
		atomic_fetch_add(buf[i] == 'D' ? &s->data : &s->raw, 1);
}

static void *hammer_app(void *arg)
{
	struct stage *s = arg;
	unsigned int seed = (unsigned int)(uintptr_t)&seed;
	struct tcp_info ti;
	char buf[4096];
	socklen_t len;
	int fd, value;

	while (!atomic_load(&s->stop)) {
		fd = enter(s);
		if (fd < 0) {
			sched_yield();
			continue;
		}
		count(s, buf, recv(fd, buf, sizeof(buf), MSG_DONTWAIT | (rand_r(&seed) & 1 ? MSG_PEEK : 0)));
		send(fd, "s", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT }, 1, 0);
		ioctl(fd, FIONREAD, &value);
		len = sizeof(value);
		getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &value, &len);
		len = sizeof(ti);
		if (!(rand_r(&seed) & 3))
			getsockopt(fd, SOL_TCP, TCP_INFO, &ti, &len);
		atomic_fetch_add(&s->calls, 1);
		atomic_fetch_sub(&s->inside, 1);
	}
	return NULL;
}

/* Non-blocking, so that gated options do not keep it. */
static void nonblock(int fd)
{
	fcntl(fd, F_SETFL, O_NONBLOCK);
}

FIXTURE(race)
{
	struct daemon d;
	struct stage stage;
	struct keys tx, rx;
	pthread_t hammers[NUM_HAMMERS];
};

FIXTURE_VARIANT(race)
{
	int family;
};

FIXTURE_VARIANT_ADD(race, v4) { .family = AF_INET };
FIXTURE_VARIANT_ADD(race, v6) { .family = AF_INET6 };

FIXTURE_SETUP(race)
{
	ASSERT_EQ(0, daemon_open(&self->d));
	ASSERT_EQ(0, daemon_register(&self->d, 1));
	keys_set(&self->tx, 0x1301, 0x11);
	keys_set(&self->rx, 0x1301, 0x22);
	atomic_store(&self->stage.fd, -1);
}

FIXTURE_TEARDOWN(race)
{
	close(self->d.fd);
}

static int peer_keys(int fd, const struct keys *tx, const struct keys *rx)
{
	return setsockopt(fd, SOL_TCP, TCP_ULP, "tls", 4) ||
	       keys_install(fd, TLS_TX, rx, 0) || keys_install(fd, TLS_RX, tx, 0);
}

/* Review 3: no raw byte is read and no plain byte leaves while keys go in. */
TEST_F_TIMEOUT(race, keys_go_in_under_readers_and_writers, 600)
{
	struct stage *s = &self->stage;
	char buf[4096];

	for (int i = 0; i < NUM_HAMMERS; i++)
		ASSERT_EQ(0, pthread_create(&self->hammers[i], NULL, hammer_app, s));
	for (int i = 0; i < rounds(); i++) {
		struct request req;
		struct pair p;
		long got, until;

		ASSERT_EQ(0, pair_open(&p, variant->family));
		nonblock(p.app);
		ASSERT_EQ(-1, start(p.app, TLSHD_SERVER, 0));
		ASSERT_EQ(EINPROGRESS, errno);
		ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
		atomic_store(&s->fd, p.app);
		/*
		 * In the clear, the daemon's; the last record is encrypted and already in the queue when the keys go
		 * in.
		 */
		ASSERT_EQ(3, send(p.peer, "raw", 3, 0));
		ASSERT_NE(0, wait_for(req.fd, POLLIN));
		ASSERT_EQ(3, recv(req.fd, buf, sizeof(buf), 0));
		ASSERT_EQ(0, peer_keys(p.peer, &self->tx, &self->rx));
		got = atomic_load(&s->data);
		ASSERT_EQ(4, send(p.peer, "DDDD", 4, 0));
		ASSERT_EQ(0, hs_open(req.fd, &self->tx, &self->rx)) TH_LOG("%s", strerror(errno));
		/* Until some thread has read it: then it was decrypted. */
		for (until = 0; atomic_load(&s->data) == got && until < 1000000; until++)
			sched_yield();
		EXPECT_LT(got, atomic_load(&s->data));
		leave_stage(s);
		/* What the writers sent after OPEN came encrypted; anything else is an error of the peer's kTLS. */
		while (recv(p.peer, buf, sizeof(buf), MSG_DONTWAIT) > 0)
			for (char *c = buf; *c == 's'; c++)
				;
		EXPECT_EQ(EAGAIN, errno);
		close(req.fd);
		pair_close(&p);
	}
	atomic_store(&s->stop, 1);
	for (int i = 0; i < NUM_HAMMERS; i++)
		pthread_join(self->hammers[i], NULL);
	EXPECT_EQ(0, atomic_load(&s->raw));
	TH_LOG("%ld calls, %ld bytes of data, %ld raw",
	       atomic_load(&s->calls), atomic_load(&s->data), atomic_load(&s->raw));
}

/* Calls of the application that change net/tls's table, in flight while START runs. */
static void *hammer_options(void *arg)
{
	struct tls12_crypto_info_aes_gcm_128 keys = {
		.info = { .version = TLS_1_3_VERSION, .cipher_type = TLS_CIPHER_AES_GCM_128 },
	};
	struct stage *s = arg;
	int fd, v4 = AF_INET;

	while (!atomic_load(&s->stop)) {
		fd = enter(s);
		if (fd < 0) {
			sched_yield();
			continue;
		}
		setsockopt(fd, SOL_TLS, TLS_TX, &keys, sizeof(keys));
		setsockopt(fd, SOL_TLS, TLS_RX, &keys, sizeof(keys));
		setsockopt(fd, IPPROTO_IPV6, IPV6_ADDRFORM, &v4, sizeof(v4));
		atomic_fetch_add(&s->calls, 1);
		atomic_fetch_sub(&s->inside, 1);
	}
	return NULL;
}

/*
 * Review A: whatever was in flight, the overlay is on afterwards, so the options are closed, and its release is called: the
 * module unloads, which the cell checks.
 */
TEST_F_TIMEOUT(race, calls_in_flight_leave_the_overlay_on, 600)
{
	struct stage *s = &self->stage;
	int lost = 0, started = 0;

	for (int i = 0; i < NUM_HAMMERS; i++)
		ASSERT_EQ(0, pthread_create(&self->hammers[i], NULL, hammer_options, s));
	for (int i = 0; i < rounds(); i++) {
		struct request req;
		struct pair p;

		ASSERT_EQ(0, pair_open(&p, variant->family));
		nonblock(p.app);
		atomic_store(&s->fd, p.app);
		while (atomic_load(&s->calls) % 4 == 3)
			sched_yield();
		if (start(p.app, TLSHD_SERVER, 0) == -1 && errno == EINPROGRESS) {
			started++;
			ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
			errno = 0;
			lost += setsockopt(p.app, SOL_TCP, TCP_ULP, "tls", 4) != -1 || errno != EPERM;
			close(req.fd);
		}
		leave_stage(s);
		pair_close(&p);
	}
	atomic_store(&s->stop, 1);
	for (int i = 0; i < NUM_HAMMERS; i++)
		pthread_join(self->hammers[i], NULL);
	EXPECT_EQ(0, lost);
	EXPECT_LT(0, started);
	TH_LOG("%d of %d started, overlay lost %d times, %ld rounds of options",
	       started, rounds(), lost, atomic_load(&s->calls));
}

struct rival {
	pthread_t thread;
	int fd, flags, error;
};

static void *run_start(void *arg)
{
	struct rival *r = arg;

	r->error = start(r->fd, TLSHD_SERVER, r->flags) ? errno : 0;
	return NULL;
}

/*
 * START from several threads while the peer's FIN makes some fail after they have put their pad in: afterwards the socket is
 * overlaid, or plain without a ULP.
 */
TEST_F_TIMEOUT(race, starts_compete_and_fail, 600)
{
	int started = 0, failed = 0;
	unsigned int seed = 1;

	for (int i = 0; i < rounds(); i++) {
		struct rival rivals[3];
		struct tlshd_info info;
		struct request req;
		struct pair p;

		ASSERT_EQ(0, pair_open(&p, variant->family));
		for (int j = 0; j < 3; j++) {
			rivals[j].fd = p.app;
			rivals[j].flags = TLSHD_F_NOWAIT;
			ASSERT_EQ(0, pthread_create(&rivals[j].thread, NULL, run_start, &rivals[j]));
		}
		for (volatile unsigned int spin = rand_r(&seed) % 20000; spin; spin--)
			;
		shutdown(p.peer, SHUT_WR);
		for (int j = 0; j < 3; j++) {
			pthread_join(rivals[j].thread, NULL);
			EXPECT_TRUE(rivals[j].error == EINPROGRESS || rivals[j].error == EALREADY ||
				    rivals[j].error == ENOTCONN) TH_LOG("%s", strerror(rivals[j].error));
		}
		errno = 0;
		EXPECT_EQ(-1, setsockopt(p.app, SOL_TCP, TCP_ULP, "tls", 4));
		if (info_get(p.app, &info) == 0) {
			EXPECT_EQ(EPERM, errno);
			started++;
			ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
			close(req.fd);
		} else {
			failed++;
			errno = 0;
			EXPECT_EQ(-1, setsockopt(p.app, SOL_TCP, TCP_ULP, "tls", 4));
			EXPECT_EQ(ENOTCONN, errno) TH_LOG("%s", strerror(errno));
			EXPECT_EQ(1, send(p.app, "x", 1, MSG_NOSIGNAL));
		}
		pair_close(&p);
	}
	TH_LOG("%d started, %d failed", started, failed);
}

/* Whoever may wait waits for the handshake's end, also if he finds it begun in the middle of his own START. */
TEST_F_TIMEOUT(race, starts_that_may_wait_share_the_end, 600)
{
	for (int i = 0; i < rounds(); i++) {
		struct rival rivals[3];
		struct request req;
		struct pair p;

		ASSERT_EQ(0, pair_open(&p, variant->family));
		for (int j = 0; j < 3; j++) {
			rivals[j].fd = p.app;
			rivals[j].flags = 0;
			ASSERT_EQ(0, pthread_create(&rivals[j].thread, NULL, run_start, &rivals[j]));
		}
		ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
		close(req.fd);
		for (int j = 0; j < 3; j++) {
			pthread_join(rivals[j].thread, NULL);
			EXPECT_EQ(ECONNABORTED, rivals[j].error) TH_LOG("%s", strerror(rivals[j].error));
		}
		pair_close(&p);
	}
}

struct closer {
	pthread_t thread;
	int fd;
	unsigned int spins;
};

static void *run_close(void *arg)
{
	struct closer *c = arg;

	for (volatile unsigned int i = 0; i < c->spins; i++)
		;
	close(c->fd);
	return NULL;
}

static void *hammer_hs(void *arg)
{
	struct stage *s = arg;
	struct sockaddr_storage addr;
	char buf[64];
	socklen_t len;
	int fd;

	while (!atomic_load(&s->stop)) {
		fd = enter(s);
		if (fd < 0) {
			sched_yield();
			continue;
		}
		recv(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_PEEK);
		send(fd, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		poll(&(struct pollfd){ .fd = fd, .events = POLLIN | POLLOUT }, 1, 0);
		len = sizeof(addr);
		getpeername(fd, (void *)&addr, &len);
		atomic_fetch_add(&s->calls, 1);
		atomic_fetch_sub(&s->inside, 1);
	}
	return NULL;
}

/* Both files closed at random moments of a handshake, with the daemon's calls under way. */
TEST_F_TIMEOUT(race, either_file_closes_at_any_moment, 600)
{
	struct stage *s = &self->stage;
	unsigned int seed = 1;
	pthread_t t;

	ASSERT_EQ(0, pthread_create(&t, NULL, hammer_hs, s));
	for (int i = 0; i < rounds(); i++) {
		struct closer app = { .spins = rand_r(&seed) % 40000 }, hs = { .spins = rand_r(&seed) % 40000 };
		struct request req;
		struct pair p;

		ASSERT_EQ(0, pair_open(&p, variant->family));
		nonblock(p.app);
		ASSERT_EQ(-1, start(p.app, TLSHD_SERVER, 0));
		ASSERT_EQ(0, daemon_accept_one(&self->d, &req));
		atomic_store(&s->fd, req.fd);
		app.fd = p.app;
		hs.fd = dup(req.fd);
		ASSERT_EQ(0, pthread_create(&app.thread, NULL, run_close, &app));
		ASSERT_EQ(0, pthread_create(&hs.thread, NULL, run_close, &hs));
		send(p.peer, "hello", 5, MSG_NOSIGNAL);
		hs_open(req.fd, &self->tx, &self->rx);
		leave_stage(s);
		close(req.fd);
		pthread_join(app.thread, NULL);
		pthread_join(hs.thread, NULL);
		close(p.peer);
	}
	atomic_store(&s->stop, 1);
	pthread_join(t, NULL);
}

/* Requests that end in the queue while another daemon takes over and deadlines pass. */
TEST_F_TIMEOUT(race, daemons_change_while_requests_end, 600)
{
	for (int i = 0; i < rounds() / 4 + 1; i++) {
		struct request reqs[8];
		struct daemon next;
		struct pair p[8];
		int n;

		for (int j = 0; j < 8; j++) {
			struct tlshd_start st;

			ASSERT_EQ(0, pair_open(&p[j], variant->family));
			start_init(&st, TLSHD_SERVER);
			st.flags = TLSHD_F_NOWAIT;
			st.timeout_ms = 1 + j;
			ASSERT_EQ(-1, setsockopt(p[j].app, IPPROTO_IP, TLSHD_START, &st, sizeof(st)));
			ASSERT_EQ(EINPROGRESS, errno);
		}
		n = daemon_accept(&self->d, reqs, 4);
		ASSERT_LE(0, n);
		ASSERT_EQ(0, daemon_open(&next));
		ASSERT_EQ(0, daemon_register(&next, 100 + i));
		for (int j = 0; j < n; j++)
			close(reqs[j].fd);
		n = daemon_accept(&next, reqs, 4);
		ASSERT_LE(0, n);
		for (int j = 0; j < n; j++)
			close(reqs[j].fd);
		close(self->d.fd);
		self->d = next;
		for (int j = 0; j < 8; j++)
			pair_close(&p[j]);
	}
}

TEST_HARNESS_MAIN
