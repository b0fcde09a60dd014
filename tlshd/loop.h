/* SPDX-License-Identifier: MIT */
/*
 * loop: the event loop of one thread, on an io_uring of its own. It tells readiness; the reading and writing is done by
 * the callers without waiting, so a silent peer holds no buffer. The only file that includes liburing is loop.c.
 */
#ifndef TLSHD_LOOP_H
#define TLSHD_LOOP_H

#include <stdbool.h>

/**
 * struct loop_poll - one interest in a descriptor, embedded in what it belongs to
 * @ready: called from loop_run() with the poll(2) events, or a negative errno (-ECANCELED after loop_cancel())
 * @armed: the ring may still touch this struct: it must stay until @ready was called
 */
struct loop_poll {
	void (*ready)(struct loop_poll *p, int events);
	bool armed;
};

struct loop;

/**
 * loop_open() - make the ring; only the calling thread may use it
 * @num_polls: how many may be armed at once
 *
 * Return: 0 with the loop in @out, or what io_uring_setup(2) says (-ENOSYS, -EPERM: io_uring is disabled; -ENOMEM).
 */
int loop_open(struct loop **out, unsigned num_polls) __attribute__((warn_unused_result));
void loop_close(struct loop *l);

/**
 * loop_poll() - wait once for poll(2) @events on @fd
 * @p: not armed; @ready set
 */
void loop_poll(struct loop *l, struct loop_poll *p, int fd, short events);

/* loop_cancel() - give up an armed interest; @ready still comes, with -ECANCELED or with what happened first */
void loop_cancel(struct loop *l, struct loop_poll *p);

/**
 * loop_run() - submit, wait at most @timeout_ms for something to be ready (-1: for ever), call @ready of all that is
 * Return: 0, or an error of the ring.
 */
int loop_run(struct loop *l, int timeout_ms) __attribute__((warn_unused_result));

#endif
