// SPDX-License-Identifier: MIT
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../sockopt.h"

#define SYSTEMD_FIRST_FD 3	/* sd_listen_fds(3) */
#define PROBE_WAIT_MS 5000	/* the daemon answers a probe at once */

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "tlshd-serve: %s: %s\n", what, why);
	return -EINVAL;
}

/* "[::1]:443" into two strings; an empty host or "*" is any IPv4 address. */
static int split(char host[256], char port[16], const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (!colon || !colon[1] || strlen(colon + 1) >= 16 || len >= 256)
		return -EINVAL;
	if (text[0] == '[') {
		if (len < 2 || text[len - 1] != ']')
			return -EINVAL;
		text++;
		len -= 2;
	} else if (memchr(text, ':', len)) {
		return -EINVAL;
	}
	memcpy(host, text, len);
	host[len] = 0;
	if (!*host || !strcmp(host, "*"))
		strcpy(host, "0.0.0.0");
	strcpy(port, colon + 1);
	return 0;
}

static int resolve(struct addrinfo **ai, const char *text)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};
	char host[256], port[16];
	int err;

	if (split(host, port, text))
		return fail(text, "want ADDR:PORT, an IPv6 address in brackets");
	err = getaddrinfo(host, port, &hints, ai);
	return err ? fail(text, gai_strerror(err)) : 0;
}

static int bind_one(const struct addrinfo *ai)
{
	const int one = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (ai->ai_family == AF_INET6)	/* so that 0.0.0.0 and [::] can stand side by side */
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (!bind(fd, ai->ai_addr, ai->ai_addrlen) && !listen(fd, SOMAXCONN))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static void announce(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof addr;
	char host[64], port[16];

	if (getsockname(fd, (struct sockaddr *)&addr, &len) ||
	    getnameinfo((struct sockaddr *)&addr, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	printf(addr.ss_family == AF_INET6 ? "listening on [%s]:%s\n" : "listening on %s:%s\n", host, port);
}

static int add(struct listen *l, int fd)
{
	if (l->num_fds == OPTIONS_LISTEN_MAX)
		return -E2BIG;
	l->fds[l->num_fds++] = fd;
	announce(fd);
	return 0;
}

static int open_one(struct listen *l, const char *text)
{
	struct addrinfo *ai;
	int fd, err = resolve(&ai, text);

	if (err)
		return err;
	fd = bind_one(ai);
	freeaddrinfo(ai);
	err = fd < 0 ? fd : add(l, fd);
	if (err)
		fail(text, err == -EACCES ? "Permission denied (a port below 1024 needs CAP_NET_BIND_SERVICE)" : strerror(-err));
	return err;
}

static int inherit_one(struct listen *l, int fd)
{
	int on = 0, domain = 0;
	socklen_t len = sizeof on;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) || !on ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) || (domain != AF_INET && domain != AF_INET6))
		return fail("LISTEN_FDS", "a descriptor is no listening TCP socket");
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) || add(l, fd))
		return fail("LISTEN_FDS", "too many sockets");
	return 0;
}

static int inherit(struct listen *l)
{
	const char *pid = getenv("LISTEN_PID"), *num = getenv("LISTEN_FDS");
	int n = num ? atoi(num) : 0, err = 0;

	if (!pid || atoi(pid) != getpid())
		return 0;
	for (int i = 0; i < n && !err; i++)
		err = inherit_one(l, SYSTEMD_FIRST_FD + i);
	return err;
}

int listen_open(struct listen *l, const struct options *o)
{
	int err;

	l->num_fds = 0;
	err = inherit(l);
	for (unsigned int i = 0; i < o->num_listen && !err; i++)
		err = open_one(l, o->listen[i]);
	if (!err && !l->num_fds)
		err = fail("LISTEN_FDS", "is not meant for this process, and there is no --listen");
	fflush(stdout);
	return err;
}

/* Two ends of one TCP connection over loopback. */
static int connect_to_self(int ends[2])
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *addr = (struct sockaddr *)&in;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err = 0;
	socklen_t len = sizeof in;

	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ends[1] = -1;
	if (bind(fd, addr, len) || listen(fd, 1) || getsockname(fd, addr, &len) || connect(ends[0], addr, len) ||
	    (ends[1] = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int probe_result(int fd, const struct tlshd_start *s, int client)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	struct tlshd_info info;
	int err = sockopt_start(fd, s);

	if (err != -EINPROGRESS)
		return err;
	/* No ClientHello will come. A daemon that takes the profile now says that its peer left, any other says why not. */
	shutdown(client, SHUT_WR);
	if (poll(&p, 1, PROBE_WAIT_MS) != 1)
		return -ETIMEDOUT;
	err = sockopt_info(fd, &info);
	return err ? err : -(int)info.error;
}

int listen_probe(const char *profile, const char *alpn)
{
	struct tlshd_start s;
	int ends[2], err;

	if (sockopt_request(&s, TLSHD_SERVER, profile, NULL, alpn))
		return -EINVAL;
	s.flags = TLSHD_F_NOWAIT;
	err = connect_to_self(ends);
	if (!err)
		err = probe_result(ends[1], &s, ends[0]);
	close(ends[0]);
	close(ends[1]);
	return err == -ECONNRESET ? 0 : err;
}
