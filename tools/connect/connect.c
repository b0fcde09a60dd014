// SPDX-License-Identifier: MIT
/*
 * tlshd-connect: stdin and stdout over a socket that the kernel encrypts.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../sockopt.h"
#include "dial.h"
#include "pump.h"

/* Documented in tlshd-connect(1). */
enum exit_code { EXIT_CLEAN = 0, EXIT_TRUNCATED, EXIT_USAGE, EXIT_UNREACHABLE, EXIT_HANDSHAKE, EXIT_LOCAL };

static const char usage[] =
	"usage: tlshd-connect [option...] HOST PORT\n"
	"Connects to a TLS 1.3 server; the kernel encrypts, tlshd shakes hands.\n"
	"\n"
	"  -p, --profile NAME   section of tlshd's configuration: whom to trust (default \"client\")\n"
	"  -n, --name NAME      the server's name to send and to verify (default HOST)\n"
	"  -a, --any-name       verify the chain but no name; the profile must permit it\n"
	"      --alpn LIST      protocols in order of preference, for example h2,http/1.1\n"
	"      --early FILE     send this file first, with the first flight if a session of before allows it (0-RTT): only what\n"
	"                       may be done twice, because it can be sent again by who records it\n"
	"  -t, --timeout MS     for the TCP connection to each address, and for the handshake (default 10000)\n"
	"  -i, --info           tell on stderr what the handshake agreed on\n"
	"  -h, --help\n"
	"\n"
	"Exit: 0 the peer closed properly, 1 the connection broke or was cut short, 2 usage, 3 no connection,\n"
	"4 the handshake failed, 5 no module, no daemon or no permission.\n";

struct options {
	const char *host, *port, *profile, *name, *alpn, *early;
	bool any_name, info;
	unsigned int timeout_ms;
};

enum { OPT_ALPN = 256, OPT_EARLY };

static const struct option longs[] = {
	{ "profile", required_argument, NULL, 'p' },
	{ "name", required_argument, NULL, 'n' },
	{ "any-name", no_argument, NULL, 'a' },
	{ "alpn", required_argument, NULL, OPT_ALPN },
	{ "early", required_argument, NULL, OPT_EARLY },
	{ "timeout", required_argument, NULL, 't' },
	{ "info", no_argument, NULL, 'i' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static int complain(int code, const char *what, const char *why)
{
	fprintf(stderr, "tlshd-connect: %s%s%s\n", what, *why ? ": " : "", why);
	return code;
}

static int take_timeout(struct options *o)
{
	char *end;
	unsigned long n = strtoul(optarg, &end, 10);

	if (*optarg < '0' || *optarg > '9' || *end || n < 1 || n > 24 * 3600 * 1000)
		return complain(-EINVAL, "--timeout wants milliseconds, from 1 to a day", optarg);
	o->timeout_ms = n;
	return 0;
}

static int take(struct options *o, int c)
{
	switch (c) {
	case 'p':
		o->profile = optarg;
		return 0;
	case 'n':
		o->name = optarg;
		return 0;
	case 'a':
		o->any_name = true;
		return 0;
	case OPT_ALPN:
		o->alpn = optarg;
		return 0;
	case OPT_EARLY:
		o->early = optarg;
		return 0;
	case 't':
		return take_timeout(o);
	case 'i':
		o->info = true;
		return 0;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		return -EINVAL;
	}
}

static int parse(struct options *o, int argc, char **argv)
{
	int c, err = 0;

	*o = (struct options){ .profile = "client", .timeout_ms = 10000 };
	while (!err && (c = getopt_long(argc, argv, "p:n:at:ih", longs, NULL)) != -1)
		err = take(o, c);
	if (err)
		return err;
	if (argc - optind != 2)
		return complain(-EINVAL, "want HOST and PORT (see --help)", "");
	if (o->any_name && o->name)
		return complain(-EINVAL, "--name and --any-name exclude each other", "");
	o->host = argv[optind];
	o->port = argv[optind + 1];
	if (!o->name && !o->any_name)
		o->name = o->host;
	return 0;
}

/* Errors that say something about this machine, not about the peer. */
static bool is_local(int err)
{
	return err == -ENOPROTOOPT || err == -ESRCH || err == -ENOENT || err == -EACCES || err == -EAGAIN || err == -EINVAL ||
	       err == -ECONNABORTED;
}

struct early {
	char data[TLSHD_EARLY_MAX + 1];	/* one more, to see that a file is too long */
	size_t len;
};

/* Return: 0 or an exit code. */
static int read_early(struct early *e, const char *path)
{
	FILE *f = path ? fopen(path, "r") : NULL;

	e->len = 0;
	if (!path)
		return 0;
	if (f)
		e->len = fread(e->data, 1, sizeof e->data, f);
	if (!f || ferror(f))
		return complain(EXIT_USAGE, path, strerror(errno));
	fclose(f);
	if (e->len == sizeof e->data)
		return complain(EXIT_USAGE, path, "too long to be sent early; want at most 16384 bytes");
	return 0;
}

/* What was not accepted is ours to send. */
static int send_early(int fd, const struct early *e, const struct tlshd_info *info)
{
	for (size_t at = info->flags & TLSHD_I_EARLY_ACCEPTED ? e->len : 0; at < e->len;) {
		ssize_t n = send(fd, e->data + at, e->len - at, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return complain(EXIT_TRUNCATED, "connection broken", strerror(errno));
		at += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int handshake(int fd, const struct options *o)
{
	struct tlshd_info info;
	struct tlshd_start s;
	struct early early;
	int err = read_early(&early, o->early);

	if (err)
		return err;

	if (sockopt_request(&s, TLSHD_CLIENT, o->profile, o->name, o->alpn))
		return complain(EXIT_USAGE, "a profile, name or protocol list is too long", "");
	s.timeout_ms = o->timeout_ms;
	s.flags = o->any_name ? TLSHD_F_ANY_NAME : 0;
	do {
		err = sockopt_start_early(fd, &s, early.data, early.len);	/* a signal ends the wait, never the handshake */
	} while (err == -EINTR);
	if (err == -EISCONN)
		err = 0;
	if (sockopt_info(fd, &info))
		info.reason[0] = 0;
	else if (o->info)
		sockopt_print_info(stderr, &info);
	if (err)
		return complain(is_local(err) ? EXIT_LOCAL : EXIT_HANDSHAKE, "handshake failed", sockopt_reason(&info, err));
	return send_early(fd, &early, &info);
}

/* The end of what the peer sent: its intent, or somebody who cut the cable? */
static int judge(int fd, int err)
{
	struct tlshd_info info;

	if (sockopt_info(fd, &info))
		return complain(EXIT_TRUNCATED, "connection broken", strerror(-err));
	if (info.flags & TLSHD_I_CLEAN_CLOSE)
		return EXIT_CLEAN;
	if (!err)
		return complain(EXIT_TRUNCATED, "truncated: the connection ended without the peer's close_notify", "");
	return complain(EXIT_TRUNCATED, "connection broken", info.reason[0] ? info.reason : strerror(-err));
}

/* Where one of them is closed, the socket would get its number: the server's own bytes would be our stdin. */
static void open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	struct options o;
	int fd, err, code;

	open_standard_fds();
	if (parse(&o, argc, argv))
		return EXIT_USAGE;
	err = sockopt_available();
	if (err)
		return complain(EXIT_LOCAL, "cannot start TLS", sockopt_strerror(err));
	fd = dial(o.host, o.port, o.timeout_ms);
	if (fd < 0)
		return EXIT_UNREACHABLE;
	code = handshake(fd, &o);
	if (code)
		return code;
	err = pump(fd);
	if (err == -EPIPE)	/* our own reader has gone: nothing to say about the peer */
		return complain(EXIT_TRUNCATED, "stdout", strerror(EPIPE));
	return judge(fd, err);
}
