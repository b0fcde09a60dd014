// SPDX-License-Identifier: MIT
#include "thread.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "worker.h"

#define OWN_POLLS	3	/* netlink, wake-up, signer */
#define STARVED_MS	100	/* before asking again when no descriptor is free */
#define ASK_MS		1000	/* likewise when nobody calls: a READY that found no memory or went to a thread without room */

/* What only the thread itself touches */
struct turn {
	struct loop_poll upcall_poll, wake_poll;	/* first: found by their address */
	struct thread *t;
	struct loop *loop;
	struct upcall *upcall;
	bool more;		/* the module may have requests: READY comes once, until an ACCEPT was short */
	bool starved;
	int64_t asked_ms;
	struct upcall_request requests[TLSHD_ACCEPT_MAX];
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void on_upcall(struct loop_poll *p, int events)
{
	struct turn *me = (struct turn *)((char *)p - offsetof(struct turn, upcall_poll));

	(void)events;		/* an error shows in the ACCEPT that follows */
	me->more = true;
}

static void on_wake(struct loop_poll *p, int events)
{
	struct turn *me = (struct turn *)((char *)p - offsetof(struct turn, wake_poll));
	eventfd_t n;
	int fd;

	(void)events;
	eventfd_read(me->t->wake_fd, &n);	/* nothing in it: the poll itself failed, and must be armed again all the more */
	fd = atomic_exchange(&me->t->signer_fd, -1);
	if (fd >= 0)
		signer_client_attach(me->t->conns.signer, fd);
	loop_poll(me->loop, &me->wake_poll, me->t->wake_fd, POLLIN);
}

/* Rounded up, as tls_session_take() wants it. */
static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000LL + (ts.tv_nsec + 999999) / 1000000;
}

static void add_session(void *arg, const uint8_t *blob, size_t blob_len, const uint8_t *msg, size_t len)
{
	struct turn *me = arg;
	int rc = sessions_add(me->t->sessions, blob, blob_len, msg, len, wall_ms());

	/* Of a worker before us, or a server's whim: nothing is lost but a shorter handshake. */
	if (rc)
		log_debug("a ticket is not kept: %s", strerror(-rc));
}

/* In turns with requests, which wait for nobody's tickets. */
static void take_tickets(struct turn *me)
{
	bool told;
	int n = upcall_tickets(me->upcall, add_session, me, &told);

	me->more |= told || n == TLSHD_ACCEPT_MAX;
}

/*
 * Now and then without a READY: a thread whose place another daemon has taken gets none any more, and would wait for ever,
 * its supervisor with it, until a restart of ours took the place back.
 * Return: 0, or -errno when the thread cannot go on.
 */
static int accept_some(struct turn *me)
{
	size_t room = conn_set_room(&me->t->conns);
	unsigned max = room < TLSHD_ACCEPT_MAX ? (unsigned)room : TLSHD_ACCEPT_MAX, dropped;
	int64_t now = now_ms();
	bool tickets, more;
	int n;

	me->starved = false;
	if ((!me->more && now - me->asked_ms < ASK_MS) || !max)
		return 0;
	me->asked_ms = now;
	n = upcall_accept(me->upcall, me->requests, max, &dropped, &tickets, &more);
	if (n == -EMFILE || n == -ENFILE || n == -ENOMEM || n == -EAGAIN) {
		me->starved = me->more = true;	/* they wait in the module, which ends them at their deadline */
		return 0;
	}
	if (n < 0)
		return n;
	if (dropped)
		log_err("the module sent %u requests that make no sense", dropped);
	for (unsigned i = 0; i < (unsigned)n - dropped; i++)
		conn_start(&me->t->conns, &me->requests[i]);
	me->more = more;
	if (tickets)
		take_tickets(me);
	if (!me->more && !me->upcall_poll.armed)
		loop_poll(me->loop, &me->upcall_poll, upcall_fd(me->upcall), POLLIN);
	return 0;
}

static int set_up(struct turn *me)
{
	struct thread *t = me->t;
	int rc;

	if (crypto_thread_init())
		return -EIO;
	rc = loop_open(&me->loop, t->num_slots + OWN_POLLS);
	if (rc)
		return rc;
	me->upcall = upcall_open(t->upcall_fd, t->family);
	if (!me->upcall)
		return -ENOMEM;
	rc = conn_set_init(&t->conns, me->loop, t->policy, t->sessions, t->num_slots);
	if (rc)
		return rc;
	me->upcall_poll.ready = on_upcall;
	me->wake_poll.ready = on_wake;
	me->more = true;	/* requests may be older than we are */
	loop_poll(me->loop, &me->wake_poll, t->wake_fd, POLLIN);
	return 0;
}

static int wait_ms(const struct turn *me, int tick)
{
	if (me->starved)
		return STARVED_MS;
	if (me->more && conn_set_room(&me->t->conns))
		return 0;
	return tick >= 0 && tick < ASK_MS ? tick : ASK_MS;
}

static void *thread_main(void *arg)
{
	struct turn *me = calloc(1, sizeof(*me));
	struct thread *t = arg;
	int rc = -ENOMEM;

	if (me) {
		me->t = t;
		rc = set_up(me);
	}
	t->error = rc;
	sem_post(t->started);
	while (!rc) {
		int tick;

		rc = accept_some(me);
		if (rc)
			break;
		tick = conn_set_tick(&t->conns);
		signer_client_flush(t->conns.signer);
		rc = loop_run(me->loop, wait_ms(me, tick));
	}
	if (!t->error) {
		log_err("a thread stops: %s", rc == -EPERM ? "another daemon has taken over" : strerror(-rc));
		_exit(rc == -EPERM ? WORKER_EXIT_TAKEN_OVER : EXIT_FAILURE);
	}
	return NULL;
}

int thread_start(struct thread *t)
{
	t->signer_fd = -1;
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake_fd < 0)
		return -errno;
	return -pthread_create(&t->id, NULL, thread_main, t);
}

void thread_set_signer(struct thread *t, int fd)
{
	int old = atomic_exchange(&t->signer_fd, fd);

	if (old >= 0)
		close(old);
	eventfd_write(t->wake_fd, 1);
}

size_t thread_bound(uint32_t num_slots)
{
	return conn_set_bound(num_slots) + sizeof(struct turn);
}
