/* SPDX-License-Identifier: MIT */
/*
 * options: what the command line asks for; constant once options_parse() has returned.
 */
#ifndef SERVE_OPTIONS_H
#define SERVE_OPTIONS_H

#include <stdbool.h>

#define OPTIONS_LISTEN_MAX 16

/**
 * enum limit - what a connection may take its time for
 * @LIMIT_HEADER: the handshake, and from a request's first byte to its last
 * @LIMIT_IDLE: between requests
 * @LIMIT_WRITE: while the client takes nothing of an answer
 * @LIMIT_LINGER: for the client to close after us, so that our last bytes are not lost to a reset
 */
enum limit { LIMIT_HEADER, LIMIT_IDLE, LIMIT_WRITE, LIMIT_LINGER, NUM_LIMITS };

/**
 * enum early - what becomes of requests that came as early data, and so may be replays
 * @EARLY_OFF: none is taken
 * @EARLY_SAFE: they are answered: all that this server does may be done twice
 * @EARLY_STRICT: 425 Too Early (RFC 8470), until the client's Finished is there
 */
enum early { EARLY_OFF, EARLY_SAFE, EARLY_STRICT };

/**
 * struct options - borrowed from argv, which lives as long as the process
 * @root: directory to serve
 * @listen: @num_listen addresses as ADDR:PORT
 * @profile: section of the daemon's configuration; NULL with @plain
 * @user: whom to become after the sockets are bound, or NULL
 * @limit_ms: milliseconds, none is 0
 * @max_connections: of all threads together
 */
struct options {
	const char *root, *profile, *user;
	const char *listen[OPTIONS_LISTEN_MAX];
	unsigned int num_listen, threads, max_connections;
	unsigned int limit_ms[NUM_LIMITS];
	enum early early;
	bool plain, verbose;
};

/**
 * options_parse() - read the command line
 *
 * --help prints and exits; a mistake is told on stderr.
 *
 * Return: 0, or -EINVAL after a mistake.
 */
int options_parse(struct options *o, int argc, char **argv);

#endif
