/* SPDX-License-Identifier: MIT */
/*
 * listen: the listening sockets, bound by us or handed over by systemd.
 */
#ifndef SERVE_LISTEN_H
#define SERVE_LISTEN_H

#include "options.h"

/**
 * struct listen - non-blocking listening sockets
 */
struct listen {
	int fds[OPTIONS_LISTEN_MAX];
	unsigned int num_fds;
};

/**
 * listen_open() - bind what --listen names and take what LISTEN_FDS announces
 *
 * Prints each address on stdout as "listening on ADDR:PORT", and a failure on stderr.
 *
 * Return: 0, or a negative errno after the message.
 */
int listen_open(struct listen *l, const struct options *o);

/**
 * listen_probe() - would the daemon shake hands for us?
 * @alpn: protocols to ask for, or NULL for the profile's
 *
 * Asks with a connection to ourselves that ends before its first byte, so that a wrong profile or a missing daemon is
 * told at the start and not to the first client.
 *
 * Return: 0, or a negative errno as START says it: -ENOPROTOOPT, -ESRCH, -ENOENT, -EACCES;
 * -EINVAL if the profile lacks @alpn.
 */
int listen_probe(const char *profile, const char *alpn);

#endif
