// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "signer.h"
#include "supervisor.h"
#include "worker.h"

#ifndef TLSHD_VERSION
#define TLSHD_VERSION "0.1"
#endif

#define DEFAULT_CONFIG "/etc/tlshd/tlshd.conf"

static const char usage[] =
	"Usage: tlshd [-c FILE] [--check-config]\n"
	"Shakes hands (TLS 1.3) for applications that ask by setsockopt(2), and leaves the keys in the kernel.\n"
	"\n"
	"  -c, --config FILE   read FILE instead of " DEFAULT_CONFIG "\n"
	"      --check-config  list every error of the configuration, with its line, and stop\n"
	"      --version       print the version\n"
	"      --help          print this\n"
	"\n"
	"Exit status: 0 after SIGTERM or a clean check, 1 failure, 2 bad usage or configuration,\n"
	"3 the kernel module tlshd is not loaded. See tlshd(8) and tlshd.conf(5).\n";

static const struct { const char *name; int (*run)(void); } roles[] = {
	{ "worker", worker_main },
	{ "signer", signer_main },
};

static int run_role(const char *name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (!strcmp(roles[i].name, name))
			return roles[i].run();
	fprintf(stderr, "tlshd: no role '%s'\n", name);
	return EXIT_STATUS_CONFIG;
}

/* Where one of them is closed, a socket would get its number: a worker's log lines would go to a peer. */
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
	enum { CHECK = 256, ROLE, VERSION, HELP };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "check-config", no_argument, NULL, CHECK },
		{ "role", required_argument, NULL, ROLE }, { "version", no_argument, NULL, VERSION },
		{ "help", no_argument, NULL, HELP }, { 0 },
	};
	const char *config = DEFAULT_CONFIG;
	bool check = false;
	int opt;

	open_standard_fds();
	while ((opt = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (opt) {
		case 'c':
			config = optarg;
			break;
		case CHECK:
			check = true;
			break;
		case ROLE:		/* the supervisor's way to start its children */
			return run_role(optarg);
		case VERSION:
			puts("tlshd " TLSHD_VERSION);
			return EXIT_SUCCESS;
		case HELP:
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs("Try 'tlshd --help'.\n", stderr);
			return EXIT_STATUS_CONFIG;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "tlshd: unexpected argument '%s'\nTry 'tlshd --help'.\n", argv[optind]);
		return EXIT_STATUS_CONFIG;
	}
	return supervisor_main(config, check);
}
