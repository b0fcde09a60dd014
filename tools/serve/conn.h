/* SPDX-License-Identifier: MIT */
/*
 * conn: one client's connection, from accept() to close(). It does what it can without waiting and says what it waits
 * for; the loop waits.
 */
#ifndef SERVE_CONN_H
#define SERVE_CONN_H

#include <stdbool.h>

#include "options.h"

struct conn;

/**
 * enum conn_want - why a connection stopped
 * @CONN_READ: until the socket can be read
 * @CONN_WRITE: until the socket can be written (or: it was busy long enough, let others have their turn)
 * @CONN_END: never again; conn_free() it
 */
enum conn_want { CONN_READ, CONN_WRITE, CONN_END };

/**
 * struct conn_server - what all connections share; constant once they come
 * @root: directory to serve, a descriptor
 * @alpn: for START; NULL: the profile's
 */
struct conn_server {
	const struct options *options;
	int root;
	const char *alpn;
};

/**
 * conn_new() - take over an accepted socket
 * @fd: non-blocking; closed by conn_free(), and also if this fails
 *
 * Return: the connection, which has not done anything yet, or NULL without memory.
 */
struct conn *conn_new(const struct conn_server *server, int fd);

/* Closes the socket: with TLS, close_notify goes first. */
void conn_free(struct conn *c);

int conn_fd(const struct conn *c);

/* Go on. */
enum conn_want conn_step(struct conn *c);

/* The limit that runs now. */
enum limit conn_limit(const struct conn *c);

/* Has the limit's time begun anew since the last call? */
bool conn_limit_renewed(struct conn *c);

/* The limit has passed. Where the client can still be told (408), conn_step() follows, else CONN_END. */
enum conn_want conn_expire(struct conn *c);

/* The server stops: finish the request at hand, take no other. CONN_END if there is none. */
enum conn_want conn_stop(struct conn *c);

#endif
