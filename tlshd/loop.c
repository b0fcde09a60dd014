// SPDX-License-Identifier: MIT
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>

#define SUBMIT_ENTRIES	256	/* filled up, the queue is submitted and goes on */
#define COMPLETE_MAX	32768	/* the kernel keeps further completions until there is room */

struct loop {
	struct io_uring ring;
};

static unsigned round_up(unsigned n)
{
	unsigned p = 2 * SUBMIT_ENTRIES;

	while (p < n && p < COMPLETE_MAX)
		p *= 2;
	return p;
}

int loop_open(struct loop **out, unsigned num_polls)
{
	/* Completions run in loop_run() only, by the one thread: no interrupt of a system call, no lock in the kernel. */
	struct io_uring_params p = { .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
				     .cq_entries = round_up(2 * num_polls) };
	struct loop *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	rc = io_uring_queue_init_params(SUBMIT_ENTRIES, &l->ring, &p);
	if (rc) {
		free(l);
		return rc;
	}
	*out = l;
	return 0;
}

void loop_close(struct loop *l)
{
	io_uring_queue_exit(&l->ring);
	free(l);
}

static struct io_uring_sqe *get_sqe(struct loop *l)
{
	struct io_uring_sqe *sqe;

	while (!(sqe = io_uring_get_sqe(&l->ring)))
		io_uring_submit(&l->ring);
	return sqe;
}

void loop_poll(struct loop *l, struct loop_poll *p, int fd, short events)
{
	struct io_uring_sqe *sqe = get_sqe(l);

	assert(!p->armed);
	io_uring_prep_poll_add(sqe, fd, (unsigned)events);
	io_uring_sqe_set_data(sqe, p);
	p->armed = true;
}

void loop_cancel(struct loop *l, struct loop_poll *p)
{
	struct io_uring_sqe *sqe;

	if (!p->armed)
		return;
	sqe = get_sqe(l);
	io_uring_prep_poll_remove(sqe, (__u64)(uintptr_t)p);
	io_uring_sqe_set_data(sqe, NULL);
}

int loop_run(struct loop *l, int timeout_ms)
{
	struct __kernel_timespec ts = { .tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000LL };
	struct io_uring_cqe *cqe;
	int rc = io_uring_submit_and_wait_timeout(&l->ring, &cqe, 1, timeout_ms < 0 ? NULL : &ts, NULL);

	/* EAGAIN: no memory to submit, which stays for the next turn. */
	if (rc < 0 && rc != -ETIME && rc != -EINTR && rc != -EBUSY && rc != -EAGAIN)
		return rc;
	while (!io_uring_peek_cqe(&l->ring, &cqe)) {
		struct loop_poll *p = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		/* Before the callback: it may arm again, or give the struct away. */
		io_uring_cqe_seen(&l->ring, cqe);
		if (!p)
			continue;
		p->armed = false;
		p->ready(p, res);
	}
	return 0;
}
