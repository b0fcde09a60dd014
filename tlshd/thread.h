/* SPDX-License-Identifier: MIT */
/* thread: one thread of the worker: takes requests from the module as long as it has room, and turns the loop. */
#ifndef TLSHD_THREAD_H
#define TLSHD_THREAD_H

#include <pthread.h>
#include <semaphore.h>

#include "conn.h"

/**
 * struct thread - what the worker's main thread prepares, and what both touch
 * @upcall_fd, @family, @policy, @sessions, @num_slots: in
 * @started: in: posted once, when @error is valid
 * @error: 0, or why the thread could not begin
 * @wake_fd: an eventfd: @signer_fd has changed
 * @signer_fd: -1, or a socket to the signer that the thread is to take over
 */
struct thread {
	pthread_t id;
	int upcall_fd;
	uint16_t family;
	const struct policy *policy;
	struct sessions *sessions;
	uint32_t num_slots;
	sem_t *started;
	int error;
	int wake_fd;
	_Atomic int signer_fd;
	struct conn_set conns;
};

/**
 * thread_start() - begin
 * Return: 0 or -errno; whether the thread could set itself up is told by @t->error after @t->started.
 */
int thread_start(struct thread *t) __attribute__((warn_unused_result));

/* thread_set_signer() - hand a new socket to the signer over; from any thread */
void thread_set_signer(struct thread *t, int fd);

/* Bytes that the thread takes at most. */
size_t thread_bound(uint32_t num_slots);

#endif
