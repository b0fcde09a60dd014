// SPDX-License-Identifier: MIT
#include "access.h"

#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>

#include "../sockopt.h"

#define PEER_LEN 64	/* a numeric address with its scope */

static void peer(char out[PEER_LEN], int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;

	if (getpeername(fd, (struct sockaddr *)&addr, &len) ||
	    getnameinfo((struct sockaddr *)&addr, len, out, PEER_LEN, NULL, 0, NI_NUMERICHOST))
		snprintf(out, PEER_LEN, "-");
}

void access_request(int fd, const struct http_request *r, const struct reply *rep)
{
	char target[HTTP_TARGET_MAX + 1], who[PEER_LEN];
	size_t i;

	/* The client chose these bytes: nothing in them may break the line or speak to a terminal. */
	for (i = 0; i < r->target_len; i++)
		target[i] = r->target[i] > ' ' && r->target[i] < 0x7f ? r->target[i] : '?';
	target[i] = 0;
	peer(who, fd);
	printf("%s %s %s %d %llu\n", who, r->started ? http_method(r) : "-", i ? target : "-", rep->status,
	       (unsigned long long)rep->length);
}

void access_failed(int fd, const char *reason)
{
	char who[PEER_LEN];

	peer(who, fd);
	printf("%s handshake failed: %s\n", who, reason);
}

void access_trouble(int err)
{
	static _Atomic int last;

	if (atomic_load_explicit(&last, memory_order_relaxed) == err || atomic_exchange(&last, err) == err)
		return;
	fprintf(stderr, "tlshd-serve: %s\n", err ? sockopt_strerror(err) : "handshakes succeed again");
}
