// SPDX-License-Identifier: MIT
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "uapi/tlshd.h"

static const char usage[] =
	"usage: tlshd-serve --root DIR --listen ADDR:PORT --profile NAME [option...]\n"
	"Serves static files over HTTPS; the kernel encrypts, tlshd shakes hands.\n"
	"\n"
	"  -r, --root DIR            directory to serve; nothing outside it can be reached\n"
	"  -l, --listen ADDR:PORT    127.0.0.1:443, [::]:443, *:443; may be repeated. Port 0: any free one\n"
	"  -p, --profile NAME        section of tlshd's configuration whose certificate is shown\n"
	"      --plain               plain HTTP instead of TLS\n"
	"  -u, --user NAME           become this user once the sockets are bound\n"
	"  -t, --threads N           event loops (default 1)\n"
	"  -c, --max-connections N   at most this many at once (default 1000)\n"
	"      --early off|safe|strict\n"
	"                            0-RTT requests, which may be replays: none (default), answered, or 425 Too Early\n"
	"      --header-timeout MS   for the handshake, and for a request to arrive (default 10000)\n"
	"      --idle-timeout MS     between requests (default 60000)\n"
	"      --write-timeout MS    while the client takes nothing of an answer (default 30000)\n"
	"  -v, --verbose             a line for each request and each failed handshake on stdout\n"
	"  -h, --help\n"
	"\n"
	"Listening sockets of systemd (LISTEN_FDS) serve beside --listen or instead of it.\n";

enum { OPT_PLAIN = 256, OPT_HEADER, OPT_IDLE, OPT_WRITE, OPT_EARLY };

static const struct option longs[] = {
	{ "root", required_argument, NULL, 'r' },
	{ "listen", required_argument, NULL, 'l' },
	{ "profile", required_argument, NULL, 'p' },
	{ "plain", no_argument, NULL, OPT_PLAIN },
	{ "user", required_argument, NULL, 'u' },
	{ "threads", required_argument, NULL, 't' },
	{ "max-connections", required_argument, NULL, 'c' },
	{ "header-timeout", required_argument, NULL, OPT_HEADER },
	{ "idle-timeout", required_argument, NULL, OPT_IDLE },
	{ "write-timeout", required_argument, NULL, OPT_WRITE },
	{ "early", required_argument, NULL, OPT_EARLY },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{}
};

static int mistake(const char *what, const char *value)
{
	fprintf(stderr, "tlshd-serve: %s%s (see --help)\n", what, value);
	return -EINVAL;
}

static int number(unsigned int *out, const char *name, const char *text, unsigned int max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || n < 1 || n > max) {
		fprintf(stderr, "tlshd-serve: --%s %s: want a number from 1 to %u\n", name, text, max);
		return -EINVAL;
	}
	*out = n;
	return 0;
}

static int take_early(struct options *o)
{
	static const char *const names[] = { [EARLY_OFF] = "off", [EARLY_SAFE] = "safe", [EARLY_STRICT] = "strict" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (!strcmp(optarg, names[i])) {
			o->early = i;
			return 0;
		}
	return mistake("--early wants off, safe or strict, not ", optarg);
}

static int take(struct options *o, int c)
{
	const unsigned int day_ms = 24 * 3600 * 1000;

	switch (c) {
	case 'r':
		o->root = optarg;
		return 0;
	case 'p':
		o->profile = optarg;
		return 0;
	case 'u':
		o->user = optarg;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case OPT_PLAIN:
		o->plain = true;
		return 0;
	case 'l':
		if (o->num_listen == OPTIONS_LISTEN_MAX)
			return mistake("too many --listen", "");
		o->listen[o->num_listen++] = optarg;
		return 0;
	case 't':
		return number(&o->threads, "threads", optarg, 256);
	case 'c':
		return number(&o->max_connections, "max-connections", optarg, 1000000);
	case OPT_HEADER:
		return number(&o->limit_ms[LIMIT_HEADER], "header-timeout", optarg, day_ms);
	case OPT_IDLE:
		return number(&o->limit_ms[LIMIT_IDLE], "idle-timeout", optarg, day_ms);
	case OPT_WRITE:
		return number(&o->limit_ms[LIMIT_WRITE], "write-timeout", optarg, day_ms);
	case OPT_EARLY:
		return take_early(o);
	case 'h':
		fputs(usage, stdout);
		exit(0);
	default:
		return -EINVAL;	/* getopt_long() has said it */
	}
}

static int check(const struct options *o)
{
	if (!o->root)
		return mistake("--root is missing", "");
	if (!o->num_listen && !getenv("LISTEN_FDS"))
		return mistake("--listen is missing", "");
	if (!o->plain && (!o->profile || !*o->profile))
		return mistake("--profile is missing", "");
	if (o->plain && o->profile)
		return mistake("--plain and --profile exclude each other", "");
	if (o->plain && o->early)
		return mistake("--plain and --early exclude each other", "");
	if (o->profile && strlen(o->profile) >= TLSHD_PROFILE_LEN)
		return mistake("--profile is too long: ", o->profile);
	if (o->threads > o->max_connections)
		return mistake("--max-connections is below --threads", "");
	return 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int c, err = 0;

	*o = (struct options){
		.threads = 1,
		.max_connections = 1000,
		.limit_ms = {
			[LIMIT_HEADER] = 10000,
			[LIMIT_IDLE] = 60000,
			[LIMIT_WRITE] = 30000,
			[LIMIT_LINGER] = 2000,
		},
	};
	while (!err && (c = getopt_long(argc, argv, "r:l:p:u:t:c:vh", longs, NULL)) != -1)
		err = take(o, c);
	if (!err && optind < argc)
		err = mistake("what is this: ", argv[optind]);
	return err ? err : check(o);
}
