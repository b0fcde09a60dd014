// SPDX-License-Identifier: MIT
#include "dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A host with more is not tried further: each costs a time-out. */
#define MAX_ADDRESSES 16

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static int wait_connected(int fd, unsigned int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	long long end = now_ms() + timeout_ms, left = timeout_ms;
	socklen_t len = sizeof(int);
	int n, err = 0;

	do {
		n = poll(&p, 1, left > 0 ? (int)left : 0);
		left = end - now_ms();
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return -ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) ? -errno : -err;
}

static int try_address(const struct addrinfo *ai, unsigned int timeout_ms)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		err = errno == EINPROGRESS ? wait_connected(fd, timeout_ms) : -errno;
	if (!err && fcntl(fd, F_SETFL, 0))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static void tell(const struct addrinfo *ai, int err)
{
	char host[64], port[16];

	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		strcpy(host, "?");
	fprintf(stderr, "tlshd-connect: %s port %s: %s\n", host, port, strerror(-err));
}

int dial(const char *host, const char *port, unsigned int timeout_ms)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list;
	int errors[MAX_ADDRESSES], n = 0, i = 0, fd = -EHOSTUNREACH;
	int err = getaddrinfo(host, port, &hints, &list);

	if (err) {
		fprintf(stderr, "tlshd-connect: %s port %s: %s\n", host, port, gai_strerror(err));
		return -EHOSTUNREACH;
	}
	for (const struct addrinfo *ai = list; ai && n < MAX_ADDRESSES && fd < 0; ai = ai->ai_next)
		fd = errors[n++] = try_address(ai, timeout_ms);
	/* Only now: that one address did not answer is no news where another did. */
	if (fd < 0)
		for (const struct addrinfo *ai = list; i < n; ai = ai->ai_next)
			tell(ai, errors[i++]);
	freeaddrinfo(list);
	return fd;
}
