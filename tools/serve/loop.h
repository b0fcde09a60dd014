/* SPDX-License-Identifier: MIT */
/*
 * loop: accepts and waits for connections, one epoll a thread. The only file that knows what waiting is made of.
 */
#ifndef SERVE_LOOP_H
#define SERVE_LOOP_H

#include "conn.h"
#include "listen.h"

struct loop;

/**
 * loop_new() - make a loop
 * @max: connections at once; further ones wait in the listening sockets
 *
 * Return: 0 and @out, or a negative errno.
 */
int loop_new(struct loop **out, const struct conn_server *server, const struct listen *listen, unsigned int max);

/* Serve until loop_stop(), then until the last connection has ended. Takes a struct loop, for pthread_create(). */
void *loop_run(void *loop);

/**
 * loop_stop() - end gracefully; from any thread, any number of times
 *
 * Requests at hand are answered, within the limits that hold for them; idle connections are closed at once.
 */
void loop_stop(struct loop *loop);

void loop_free(struct loop *loop);

#endif
