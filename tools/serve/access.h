/* SPDX-License-Identifier: MIT */
/*
 * access: the log: one line on stdout for each event with --verbose, and trouble of our own on stderr.
 */
#ifndef SERVE_ACCESS_H
#define SERVE_ACCESS_H

#include "http.h"
#include "reply.h"

/* "192.0.2.1 GET /index.html 200 1234" */
void access_request(int fd, const struct http_request *r, const struct reply *rep);

/* "192.0.2.1 handshake failed: <reason>" */
void access_failed(int fd, const char *reason);

/**
 * access_trouble() - what keeps this machine from shaking hands, on stderr, with and without --verbose
 * @err: a negative errno of START that is not the client's doing, or 0: a handshake has succeeded
 *
 * Told when it begins, changes and ends, not for every client. Any thread may call it.
 */
void access_trouble(int err);

#endif
