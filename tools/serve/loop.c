// SPDX-License-Identifier: MIT
#include "loop.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS		64
#define ACCEPT_TURN	16	/* connections that a thread takes before it serves those that it has */
#define RETRY_MS	100	/* until accept() is tried again where the machine has no descriptor or memory for us */

/**
 * struct entry - a connection in its loop
 * @events: that epoll reports
 * @deadline: when @limit passes; entries of one limit are in one queue, which is sorted because its time is constant
 */
struct entry {
	TAILQ_ENTRY(entry) link;
	struct conn *conn;
	uint32_t events;
	enum limit limit;
	int64_t deadline;
};

TAILQ_HEAD(queue, entry);

struct loop {
	const struct conn_server *server;
	const struct listen *listen;
	struct queue queues[NUM_LIMITS];
	unsigned int num, max;
	int epoll, wake;
	bool accepting, stopping;
	int64_t retry_at;	/* 0: accept() is not out of resources */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Descriptors of listening sockets and the waker are told from entries by their address in the loop itself. */
static int watch(struct loop *l, int fd, uint32_t events, const void *who)
{
	struct epoll_event e = { .events = events, .data.ptr = (void *)who };

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static void accept_off(struct loop *l)
{
	for (unsigned int i = 0; i < l->listen->num_fds && l->accepting; i++)
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->listen->fds[i], NULL);
	l->accepting = false;
}

/* All of them or none: one that stayed behind would wake us in vain when there is no room. */
static int accept_on(struct loop *l)
{
	int err = 0;

	l->accepting = true;
	for (unsigned int i = 0; i < l->listen->num_fds && !err; i++)	/* EXCLUSIVE: one thread wakes up, not all */
		err = watch(l, l->listen->fds[i], EPOLLIN | EPOLLEXCLUSIVE, &l->listen->fds[i]);
	if (err)
		accept_off(l);
	return err;
}

/* accept() again as soon as there is room and no shortage. */
static void accept_update(struct loop *l)
{
	bool room = l->num < l->max && !l->stopping && !l->retry_at;

	if (room && !l->accepting && accept_on(l))
		l->retry_at = now_ms() + RETRY_MS;
	else if (!room)
		accept_off(l);
}

int loop_new(struct loop **out, const struct conn_server *server, const struct listen *listen, unsigned int max)
{
	struct loop *l = calloc(1, sizeof *l);
	int err;

	if (!l)
		return -ENOMEM;
	*l = (struct loop){ .server = server, .listen = listen, .max = max };
	for (int i = 0; i < NUM_LIMITS; i++)
		TAILQ_INIT(&l->queues[i]);
	l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->wake < 0 || l->epoll < 0)
		err = -errno;
	else
		err = watch(l, l->wake, EPOLLIN, &l->wake);
	if (!err)
		err = accept_on(l);
	if (err) {
		loop_free(l);
		return err;
	}
	*out = l;
	return 0;
}

static void drop(struct loop *l, struct entry *e)
{
	TAILQ_REMOVE(&l->queues[e->limit], e, link);
	conn_free(e->conn);	/* its descriptor leaves the epoll with it */
	free(e);
	l->num--;
}

static void rearm_limit(struct loop *l, struct entry *e)
{
	if (!conn_limit_renewed(e->conn))
		return;
	TAILQ_REMOVE(&l->queues[e->limit], e, link);
	e->limit = conn_limit(e->conn);
	e->deadline = now_ms() + l->server->options->limit_ms[e->limit];
	TAILQ_INSERT_TAIL(&l->queues[e->limit], e, link);
}

/* Do what a connection wants. */
static void settle(struct loop *l, struct entry *e, enum conn_want want)
{
	uint32_t events = want == CONN_READ ? EPOLLIN : EPOLLOUT;
	struct epoll_event ev = { .events = events, .data.ptr = e };

	if (want == CONN_END) {
		drop(l, e);
		return;
	}
	rearm_limit(l, e);
	if (events == e->events)
		return;
	e->events = events;
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, conn_fd(e->conn), &ev);	/* cannot fail: the descriptor is in there */
}

static int admit(struct loop *l, int fd)
{
	struct entry *e = calloc(1, sizeof *e);

	if (!e) {
		close(fd);
		return -ENOMEM;
	}
	e->conn = conn_new(l->server, fd);
	e->events = EPOLLIN;
	if (!e->conn || watch(l, fd, e->events, e)) {
		if (e->conn)
			conn_free(e->conn);
		free(e);
		return -ENOMEM;
	}
	l->num++;
	TAILQ_INSERT_TAIL(&l->queues[e->limit], e, link);
	settle(l, e, conn_step(e->conn));
	return 0;
}

static bool is_shortage(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM || err == -ENOBUFS;
}

static void accept_some(struct loop *l, int listener)
{
	for (int i = 0; i < ACCEPT_TURN && l->num < l->max; i++) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		int err = fd < 0 ? -errno : admit(l, fd);

		if (is_shortage(err))	/* level-triggered, it would wake us in vain until somebody frees something */
			l->retry_at = now_ms() + RETRY_MS;
		if (err == -EAGAIN || is_shortage(err))
			return;
	}
}

static void expire(struct loop *l)
{
	int64_t now = now_ms();

	for (int i = 0; i < NUM_LIMITS; i++) {
		struct entry *e;

		while ((e = TAILQ_FIRST(&l->queues[i])) && e->deadline <= now)
			settle(l, e, conn_expire(e->conn));
	}
	if (l->retry_at && l->retry_at <= now)
		l->retry_at = 0;
}

static int next_timeout(const struct loop *l)
{
	int64_t first = l->retry_at ? l->retry_at : INT64_MAX, left;

	for (int i = 0; i < NUM_LIMITS; i++) {
		const struct entry *e = TAILQ_FIRST(&l->queues[i]);

		if (e && e->deadline < first)
			first = e->deadline;
	}
	if (first == INT64_MAX)
		return -1;
	left = first - now_ms();
	return left > 0 ? (int)left : 0;
}

static void stop_all(struct loop *l)
{
	if (l->stopping)
		return;
	l->stopping = true;
	for (int i = 0; i < NUM_LIMITS; i++) {
		struct entry *e, *next;

		for (e = TAILQ_FIRST(&l->queues[i]); e; e = next) {
			enum conn_want want = conn_stop(e->conn);

			next = TAILQ_NEXT(e, link);
			if (want == CONN_END)
				drop(l, e);
		}
	}
}

static void handle(struct loop *l, void *who)
{
	const struct listen *listen = l->listen;
	struct entry *e = who;

	if (who == &l->wake)
		stop_all(l);
	else if ((const int *)who >= listen->fds && (const int *)who < listen->fds + listen->num_fds)
		accept_some(l, *(const int *)who);
	else
		settle(l, e, conn_step(e->conn));
}

void *loop_run(void *loop)
{
	struct loop *l = loop;
	struct epoll_event events[EVENTS];

	while (!l->stopping || l->num) {
		int n = epoll_wait(l->epoll, events, EVENTS, next_timeout(l));

		/* stop_all() frees connections that may have events of their own in this batch: it goes last. */
		for (int pass = 0; pass < 2; pass++)
			for (int i = 0; i < n; i++)
				if ((events[i].data.ptr == &l->wake) == pass)
					handle(l, events[i].data.ptr);
		expire(l);
		accept_update(l);
	}
	return NULL;
}

void loop_stop(struct loop *loop)
{
	const uint64_t one = 1;

	if (write(loop->wake, &one, sizeof one) != sizeof one)
		return;		/* its counter is full of stops */
}

void loop_free(struct loop *l)
{
	if (l->wake >= 0)
		close(l->wake);
	if (l->epoll >= 0)
		close(l->epoll);
	free(l);
}
