/* SPDX-License-Identifier: MIT */
/*
 * access: the log of --verbose, one line on stdout for each event.
 */
#ifndef SERVE_ACCESS_H
#define SERVE_ACCESS_H

#include "http.h"
#include "reply.h"

/* "192.0.2.1 GET /index.html 200 1234" */
void access_request(int fd, const struct http_request *r, const struct reply *rep);

/* "192.0.2.1 handshake failed: <reason>" */
void access_failed(int fd, const char *reason);

#endif
