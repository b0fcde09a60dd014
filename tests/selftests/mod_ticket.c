// SPDX-License-Identifier: MIT
/* NewSessionTicket messages on their way from a client's connection to its daemon. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "kselftest_harness.h"
#include "mod_peer.h"

#define NUM_CONN_MAX	8	/* tickets of one connection that are handed on */
#define NUM_USER_MAX	32	/* and that wait for the daemon, of one user */

static const char blob[] = "sealed by the daemon";

/* A message of @len bytes in all, with a number to know it by. */
static void make_ticket(uint8_t *out, size_t len, uint8_t number)
{
	memset(out, number, len);
	out[0] = 4;
	out[1] = (len - 4) >> 16;
	out[2] = (len - 4) >> 8;
	out[3] = len - 4;
}

FIXTURE(ticket)
{
	struct daemon d;
	struct pair p;
	uint8_t sent[TLSHD_TICKET_MAX + 1];
	struct ticket got[TLSHD_ACCEPT_MAX];
};

FIXTURE_SETUP(ticket)
{
	ASSERT_EQ(0, daemon_open(&self->d));
	ASSERT_EQ(0, daemon_register(&self->d, 1));
	ASSERT_EQ(0, open_pair_blob(&self->d, &self->p, AF_INET, 0x1301, TLSHD_CLIENT, blob, sizeof(blob)))
		TH_LOG("%s", strerror(errno));
}

FIXTURE_TEARDOWN(ticket)
{
	pair_close(&self->p);
	close(self->d.fd);
}

/* The application reads what is behind the tickets, and so past them. */
static int read_on(struct pair *p)
{
	char c;

	return send(p->peer, "x", 1, 0) == 1 && read(p->app, &c, 1) == 1 && c == 'x' ? 0 : -1;
}

static int await_ready(struct daemon *d)
{
	struct request req;
	char buf[256];

	if (!d->ready && recv(d->fd, buf, sizeof(buf), 0) < 0)
		return -1;
	d->ready = false;
	return daemon_accept(d, &req, 1);
}

TEST_F(ticket, goes_to_the_daemon_with_the_blob)
{
	static const size_t lens[] = { 5, 200, TLSHD_TICKET_MAX };

	for (size_t i = 0; i < 3; i++) {
		make_ticket(self->sent, lens[i], i + 1);
		ASSERT_EQ(lens[i], record_send(self->p.peer, 22, self->sent, lens[i]));
		ASSERT_EQ(0, read_on(&self->p));
		ASSERT_EQ(1, daemon_tickets(&self->d, self->got, TLSHD_ACCEPT_MAX));
		EXPECT_EQ(sizeof(blob), self->got[0].blob_len);
		EXPECT_EQ(0, memcmp(self->got[0].blob, blob, sizeof(blob)));
		ASSERT_EQ(lens[i], self->got[0].len);
		EXPECT_EQ(0, memcmp(self->got[0].message, self->sent, lens[i]));
	}
	EXPECT_EQ(0, daemon_tickets(&self->d, self->got, TLSHD_ACCEPT_MAX));
}

TEST_F(ticket, wakes_an_idle_daemon)
{
	struct request req;

	ASSERT_EQ(0, daemon_accept(&self->d, &req, 1));	/* short: idle from here on */
	EXPECT_FALSE(self->d.tickets);
	self->d.ready = false;
	make_ticket(self->sent, 20, 1);
	ASSERT_EQ(20, record_send(self->p.peer, 22, self->sent, 20));
	ASSERT_EQ(0, read_on(&self->p));
	ASSERT_EQ(0, await_ready(&self->d));
	EXPECT_TRUE(self->d.tickets);
}

TEST_F(ticket, may_be_cut_and_joined)
{
	size_t len = 0;

	for (uint8_t i = 1; i <= 3; i++) {
		make_ticket(self->sent + len, 100 + i, i);
		len += 100 + i;
	}
	for (size_t at = 0, n = 1; at < len; at += n, n = n * 3 + 1) {
		n = at + n > len ? len - at : n;
		ASSERT_EQ(n, record_send(self->p.peer, 22, self->sent + at, n));
	}
	ASSERT_EQ(0, read_on(&self->p));
	ASSERT_EQ(3, daemon_tickets(&self->d, self->got, TLSHD_ACCEPT_MAX));
	for (size_t i = 0, at = 0; i < 3; at += self->got[i++].len) {
		ASSERT_EQ(101 + i, self->got[i].len);
		EXPECT_EQ(0, memcmp(self->got[i].message, self->sent + at, self->got[i].len));
	}
}

TEST_F(ticket, that_is_too_long_or_empty_is_not_kept)
{
	struct tlshd_info info;

	make_ticket(self->sent, TLSHD_TICKET_MAX + 1, 1);
	ASSERT_EQ(TLSHD_TICKET_MAX + 1, record_send(self->p.peer, 22, self->sent, TLSHD_TICKET_MAX + 1));
	make_ticket(self->sent, 4, 1);
	ASSERT_EQ(4, record_send(self->p.peer, 22, self->sent, 4));
	ASSERT_EQ(0, read_on(&self->p));
	EXPECT_EQ(0, daemon_tickets(&self->d, self->got, TLSHD_ACCEPT_MAX));
	ASSERT_EQ(0, info_get(self->p.app, &info));
	EXPECT_EQ(2, info.tickets);
}

TEST_F(ticket, of_one_connection_are_few)
{
	make_ticket(self->sent, 20, 1);
	for (int i = 0; i < NUM_CONN_MAX + 4; i++)
		ASSERT_EQ(20, record_send(self->p.peer, 22, self->sent, 20));
	ASSERT_EQ(0, read_on(&self->p));
	EXPECT_EQ(NUM_CONN_MAX, daemon_tickets(&self->d, self->got, TLSHD_ACCEPT_MAX));
}

TEST_F(ticket, of_one_user_push_out_his_oldest)
{
	int num = 0, n;

	for (int i = 0; i < NUM_USER_MAX / NUM_CONN_MAX + 1; i++) {
		struct pair p;

		ASSERT_EQ(0, open_pair_blob(&self->d, &p, AF_INET6, 0x1303, TLSHD_CLIENT, blob, sizeof(blob)));
		make_ticket(self->sent, 20, i + 1);
		for (int k = 0; k < NUM_CONN_MAX; k++)
			ASSERT_EQ(20, record_send(p.peer, 22, self->sent, 20));
		ASSERT_EQ(0, read_on(&p));
		pair_close(&p);
	}
	while ((n = daemon_tickets(&self->d, self->got, TLSHD_ACCEPT_MAX)) > 0) {
		for (int i = 0; i < n; i++)
			EXPECT_EQ(2 + (num + i) / NUM_CONN_MAX, self->got[i].message[4]);
		num += n;
	}
	EXPECT_EQ(NUM_USER_MAX, num);
}

TEST_F(ticket, without_a_blob_or_of_a_server_goes_nowhere)
{
	struct pair p;

	ASSERT_EQ(0, open_pair(&self->d, &p, AF_INET, 0x1301, TLSHD_CLIENT));
	make_ticket(self->sent, 20, 1);
	ASSERT_EQ(20, record_send(p.peer, 22, self->sent, 20));
	ASSERT_EQ(0, read_on(&p));
	EXPECT_EQ(0, daemon_tickets(&self->d, self->got, TLSHD_ACCEPT_MAX));
	pair_close(&p);
	EXPECT_EQ(-1, open_pair_blob(&self->d, &p, AF_INET, 0x1301, TLSHD_SERVER, blob, sizeof(blob)));
	EXPECT_EQ(EINVAL, errno);
	pair_close(&p);
}

TEST_F(ticket, is_for_the_daemon_that_sealed_the_blob)
{
	struct daemon other;

	make_ticket(self->sent, 20, 1);
	ASSERT_EQ(20, record_send(self->p.peer, 22, self->sent, 20));
	ASSERT_EQ(0, read_on(&self->p));
	ASSERT_EQ(0, daemon_open(&other));
	EXPECT_EQ(-1, daemon_tickets(&other, self->got, 1));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, daemon_register(&other, 2));	/* takes over */
	EXPECT_EQ(0, daemon_tickets(&other, self->got, 1));
	EXPECT_EQ(-1, daemon_tickets(&self->d, self->got, 1));
	EXPECT_EQ(EPERM, errno);
	close(other.fd);
}

/* Its connection is gone, its daemon is gone: nothing stays behind (kmemleak sees to that on the debug kernel). */
TEST_F(ticket, that_nobody_takes_is_forgotten)
{
	make_ticket(self->sent, 20, 1);
	ASSERT_EQ(20, record_send(self->p.peer, 22, self->sent, 20));
	ASSERT_EQ(10, record_send(self->p.peer, 22, self->sent, 10));	/* half a one */
	ASSERT_EQ(0, read_on(&self->p));
}

TEST_HARNESS_MAIN
