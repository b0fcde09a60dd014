/* SPDX-License-Identifier: MIT */
/*
 * worker: the process that talks to peers. A thread for each netlink socket it was given, each with its own loop, pools
 * and sockets; threads share what is immutable (policy) and counters that only their owner writes. It has no key of a
 * certificate.
 */
#ifndef TLSHD_WORKER_H
#define TLSHD_WORKER_H

#define WORKER_EXIT_TAKEN_OVER	4	/* another daemon has registered; the supervisor does not restart us */

/**
 * worker_main() - run until the supervisor goes
 *
 * Descriptors: ctl.h. Tells the supervisor once all threads accept requests (CTL_READY).
 * Return: the exit status.
 */
int worker_main(void);

#endif
