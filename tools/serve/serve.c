// SPDX-License-Identifier: MIT
/*
 * tlshd-serve: static files over HTTPS. The daemon shakes hands, the kernel encrypts, sendfile() moves the bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../sockopt.h"
#include "http.h"
#include "listen.h"
#include "loop.h"
#include "mime.h"
#include "options.h"

#define ALPN		"http/1.1"	/* all that we speak, whatever else the profile permits */
#define MIME_TABLE	"/etc/mime.types"
#define FDS_OTHER	(64 + OPTIONS_LISTEN_MAX)	/* beside a socket and a file for each connection */

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "tlshd-serve: %s: %s\n", what, why);
	return -EINVAL;
}

static int open_root(struct conn_server *server)
{
	server->root = open(server->options->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return server->root < 0 ? complain(server->options->root, strerror(errno)) : 0;
}

static int raise_file_limit(const struct options *o)
{
	rlim_t need = 2ULL * o->max_connections + 4 * o->threads + FDS_OTHER;
	struct rlimit r;
	char why[128];

	if (getrlimit(RLIMIT_NOFILE, &r))
		return complain("RLIMIT_NOFILE", strerror(errno));
	if (r.rlim_cur >= need)
		return 0;
	r.rlim_cur = need;
	if (r.rlim_max >= need && !setrlimit(RLIMIT_NOFILE, &r))
		return 0;
	snprintf(why, sizeof why, "%u connections need %llu descriptors, the limit is %llu", o->max_connections,
		 (unsigned long long)need, (unsigned long long)r.rlim_max);
	return complain("--max-connections", why);
}

static int become(const char *name)
{
	struct passwd *pw;

	if (!name)
		return 0;
	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return complain(name, errno ? strerror(errno) : "no such user");
	if (initgroups(name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		return complain(name, strerror(errno));
	return 0;
}

/* As the user who will ask: the profile's `allow` is about him. */
static int check_tls(struct conn_server *server)
{
	const struct options *o = server->options;
	int err;

	if (o->plain)
		return 0;
	err = sockopt_available();
	server->alpn = ALPN;
	if (!err)
		err = listen_probe(o->profile, server->alpn);
	if (err == -EINVAL) {	/* a profile without ALPN: then none is negotiated */
		server->alpn = NULL;
		err = listen_probe(o->profile, server->alpn);
	}
	return err ? complain(o->profile, sockopt_strerror(err)) : 0;
}

static int start_loops(struct loop **loops, pthread_t *threads, const struct conn_server *server,
		       const struct listen *listen)
{
	const struct options *o = server->options;

	for (unsigned int i = 0; i < o->threads; i++) {
		unsigned int share = o->max_connections / o->threads + (i < o->max_connections % o->threads);
		int err = loop_new(&loops[i], server, listen, share);

		if (!err)
			err = -pthread_create(&threads[i], NULL, loop_run, loops[i]);
		if (err)
			return complain("cannot start a thread", strerror(-err));
	}
	return 0;
}

static void block_signals(sigset_t *set)
{
	signal(SIGPIPE, SIG_IGN);	/* of a connection or of the log's reader: both are errors, not ends */
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

/* The first signal ends gracefully, a second one at once: the handler is the default's again. */
static void wait_for_end(const sigset_t *set)
{
	int sig;

	sigwait(set, &sig);
	pthread_sigmask(SIG_UNBLOCK, set, NULL);
}

static int serve(const struct conn_server *server, const struct listen *listen)
{
	unsigned int n = server->options->threads;
	struct loop **loops = calloc(n, sizeof(*loops));
	pthread_t *threads = calloc(n, sizeof *threads);
	sigset_t set;
	int err;

	block_signals(&set);
	err = loops && threads ? start_loops(loops, threads, server, listen) : -ENOMEM;
	if (err)
		return err;	/* the process ends, and its threads with it */
	puts("ready");
	fflush(stdout);
	wait_for_end(&set);
	for (unsigned int i = 0; i < n; i++)
		loop_stop(loops[i]);
	for (unsigned int i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		loop_free(loops[i]);
	}
	free(threads);
	free(loops);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options;
	struct conn_server server = { .options = &options };
	struct listen listen;

	setvbuf(stdout, NULL, _IOLBF, 0);
	http_init();
	if (options_parse(&options, argc, argv))
		return 2;
	if (open_root(&server) || raise_file_limit(&options) || listen_open(&listen, &options) || become(options.user) ||
	    check_tls(&server))
		return 1;
	if (mime_load(MIME_TABLE) == -ENOMEM)
		return 1;
	return serve(&server, &listen) ? 1 : 0;
}
