// SPDX-License-Identifier: MIT
#include "worker.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "child.h"
#include "ctl.h"
#include "log.h"
#include "thread.h"

#define STATS_MS	60000
#define OWN_FDS		64	/* standard ones, control, libraries; and a few for each thread */
#define FDS_PER_THREAD	8

/* Of clients, some 2.5 KiB each; and of one user, so that he pushes out his own only. */
#define SESSIONS_MAX		4096
#define SESSIONS_USER_MAX	1024
/*
 * Binders of early data that may be taken in twice the window, in which none may be forgotten: 6,500 a second with a
 * window of 10 s, in 6 MiB at most. Beyond it early data is refused, and the handshake goes on.
 */
#define REPLAY_MAX		131072

struct totals {
	uint64_t opened, resumed, failed, refused, gone;
	uint64_t early[REPLAY_VERDICTS];
};

static uint64_t get(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

static struct totals add_up(const struct thread *threads, uint32_t num)
{
	struct totals t = { 0 };

	for (uint32_t i = 0; i < num; i++) {
		const struct conn_stats *s = &threads[i].conns.stats;

		t.opened += get(&s->opened);
		t.resumed += get(&s->resumed);
		t.failed += get(&s->failed);
		t.refused += get(&s->refused);
		t.gone += get(&s->gone);
		for (int v = 0; v < REPLAY_VERDICTS; v++)
			t.early[v] += get(&s->early[v]);
	}
	return t;
}

static void log_totals(const struct thread *threads, uint32_t num, struct totals *shown)
{
	struct totals t = add_up(threads, num);

	if (!memcmp(&t, shown, sizeof(t)))
		return;
	*shown = t;
	log_info("handshakes since start: opened=%" PRIu64 " resumed=%" PRIu64 " failed=%" PRIu64 " refused=%" PRIu64
		 " gone=%" PRIu64, t.opened, t.resumed, t.failed, t.refused, t.gone);
	if (t.early[REPLAY_FRESH] || t.early[REPLAY_SEEN] || t.early[REPLAY_STALE] || t.early[REPLAY_FOREIGN] ||
	    t.early[REPLAY_FULL])
		log_info("early data since start: accepted=%" PRIu64 " replayed=%" PRIu64 " stale=%" PRIu64 " foreign=%" PRIu64
			 " full=%" PRIu64, t.early[REPLAY_FRESH], t.early[REPLAY_SEEN], t.early[REPLAY_STALE],
			 t.early[REPLAY_FOREIGN], t.early[REPLAY_FULL]);
}

static void raise_fd_limit(const struct image *im)
{
	rlim_t need = im->max_handshakes + OWN_FDS + FDS_PER_THREAD * im->threads;
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	if (r.rlim_max < need && r.rlim_max != RLIM_INFINITY) {
		struct rlimit more = { need, need };

		if (!setrlimit(RLIMIT_NOFILE, &more))
			return;
		log_warn("%llu descriptors are allowed, %llu are needed for max-handshakes: fewer will be in flight",
			 (unsigned long long)r.rlim_max, (unsigned long long)need);
	}
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* Return: whether all threads accept requests. */
static bool start_threads(struct thread *threads, const struct image *im, const struct policy *policy,
			  struct sessions *sessions, uint16_t family)
{
	uint32_t num_slots = (im->max_handshakes + im->threads - 1) / im->threads;
	sem_t started;
	int rc = 0;

	sem_init(&started, 0, 0);
	for (uint32_t i = 0; i < im->threads && !rc; i++) {
		struct thread *t = &threads[i];

		t->upcall_fd = CTL_FD_UPCALLS + (int)i;
		t->family = family;
		t->policy = policy;
		t->sessions = sessions;
		t->num_slots = num_slots;
		t->started = &started;
		rc = thread_start(t);
		if (!rc) {
			while (sem_wait(&started))
				;		/* EINTR */
			rc = t->error;
		}
	}
	if (rc)
		log_err("a thread cannot start: %s%s", strerror(-rc),
			rc == -EPERM || rc == -ENOSYS ? " (is io_uring disabled? see kernel.io_uring_disabled)" : "");
	else
		log_info("threads=%u handshakes_at_once=%u memory_at_most=%zu KiB", im->threads, num_slots * im->threads,
			 (thread_bound(num_slots) * im->threads + tickets_bound() + sessions_bound(SESSIONS_MAX) +
			  (im->early_window_ms ? replay_bound(REPLAY_MAX) : 0)) / 1024);
	return !rc;
}

/* Return: whether the supervisor is still there. */
static bool hear_supervisor(struct thread *threads, uint32_t num_threads)
{
	int fds[CTL_FDS_MAX];
	struct ctl_msg msg;
	int num = ctl_recv(CTL_FD_CTL, &msg, fds);

	for (int i = 0; i < num; i++) {
		if (msg.type == CTL_SIGNERS && (uint32_t)i < num_threads)
			thread_set_signer(&threads[i], fds[i]);
		else
			close(fds[i]);
	}
	return num >= 0;
}

static void run(struct thread *threads, uint32_t num)
{
	struct pollfd p = { .fd = CTL_FD_CTL, .events = POLLIN };
	struct totals shown = { 0 };

	for (;;) {
		int n = poll(&p, 1, STATS_MS);

		if (n > 0 && !hear_supervisor(threads, num))
			break;
		if (!n)
			log_totals(threads, num, &shown);
	}
	log_totals(threads, num, &shown);
}

static const struct tickets *map_tickets(void)
{
	const struct tickets *t = NULL;
	int rc = tickets_map(&t, CTL_FD_TICKETS);

	close(CTL_FD_TICKETS);
	if (rc)
		log_err("the keys of tickets cannot be mapped: %s", strerror(-rc));
	return t;
}

int worker_main(void)
{
	struct ctl_msg ready = { .type = CTL_READY };
	const struct tickets *tickets;
	const struct image *im;
	struct sessions *sessions = NULL;
	struct replay *replay = NULL;
	struct thread *threads;
	struct policy *policy;
	uint32_t family;

	if (child_begin("worker", &im, &family))
		return EXIT_FAILURE;
	raise_fd_limit(im);
	tickets = map_tickets();
	if (!tickets)
		return EXIT_FAILURE;
	if (im->early_window_ms && replay_open(&replay, REPLAY_MAX, im->early_window_ms)) {
		log_err("out of memory for the table of early data");
		return EXIT_FAILURE;
	}
	policy = policy_open(im, tickets, replay);
	threads = calloc(im->threads, sizeof(*threads));
	if (!policy || !threads || sessions_open(&sessions, SESSIONS_MAX, SESSIONS_USER_MAX)) {
		log_err("out of memory for the configuration");
		return EXIT_FAILURE;
	}
	if (!start_threads(threads, im, policy, sessions, (uint16_t)family) || ctl_send(CTL_FD_CTL, &ready, NULL, 0))
		_exit(EXIT_FAILURE);
	run(threads, im->threads);
	/* The threads go with the process; handshakes in flight end as their sockets close. */
	_exit(EXIT_SUCCESS);
}
