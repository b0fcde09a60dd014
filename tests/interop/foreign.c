// SPDX-License-Identifier: MIT
#include "tests/interop/foreign.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define PATIENCE_S	20
#define NUM_LINES	2
#define LINE_SIZE	128

void foreign_die(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(2);
}

void foreign_parse(struct foreign *f, int argc, char **argv)
{
	const struct {
		const char *name;
		bool *flag;
		int *number;
		const char **text;
	} rows[] = {
		{ "server", .flag = &f->server },
		{ "client", .flag = &(bool){ false } },
		{ "--key-update", .flag = &f->key_update },
		{ "--early", .flag = &f->early },
		{ "--early-once", .flag = &f->early_once },
		{ "--port", .number = &f->port },
		{ "--connections", .number = &f->num_connections },
		{ "--cert", .text = &f->cert },
		{ "--key", .text = &f->key },
		{ "--ca", .text = &f->ca },
		{ "--client-ca", .text = &f->client_ca },
		{ "--name", .text = &f->name },
		{ "--suite", .text = &f->suite },
		{ "--group", .text = &f->group },
		{ "--alpn", .text = &f->alpn },
	};

	*f = (struct foreign){ .num_connections = 1, .name = "localhost" };
	for (int i = 1; i < argc; i++) {
		size_t row = 0;

		while (row < sizeof(rows) / sizeof(*rows) && strcmp(rows[row].name, argv[i]))
			row++;
		if (row == sizeof(rows) / sizeof(*rows))
			foreign_die(argv[i], "unknown option");
		if (rows[row].flag) {
			*rows[row].flag = true;
			continue;
		}
		if (!argv[++i])
			foreign_die(argv[i - 1], "needs a value");
		if (rows[row].text)
			*rows[row].text = argv[i];
		else
			*rows[row].number = atoi(argv[i]);
	}
}

static struct sockaddr_in address(const struct foreign *f)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

int foreign_listen(const struct foreign *f)
{
	struct sockaddr_in at = address(f);
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 8))
		foreign_die("listen", strerror(errno));
	return s;
}

int foreign_connect(const struct foreign *f, int listener)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_in at = address(f);
	int s;

	if (f->server) {
		s = accept(listener, NULL, NULL);
	} else {
		s = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(s, (struct sockaddr *)&at, sizeof(at)))
			s = -1;
	}
	if (s < 0)
		foreign_die(f->server ? "accept" : "connect", strerror(errno));
	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	return s;
}

const char *foreign_line(int number)
{
	static const char *const lines[NUM_LINES] = { "line 1 of the other client\n", "line 2 of the other client\n" };

	return lines[number - 1];
}

static bool comes_back(const struct foreign_conn *c, const char *line)
{
	char data[LINE_SIZE];
	size_t got = 0;

	while (got < strlen(line)) {
		ssize_t n = c->read(c->tls, data, strlen(line) - got);

		if (n <= 0 || memcmp(data, line + got, (size_t)n))
			return false;
		got += (size_t)n;
	}
	return true;
}

bool foreign_talk(const struct foreign *f, const struct foreign_conn *c, int from)
{
	for (int i = 1; i <= NUM_LINES; i++) {
		const char *line = foreign_line(i);

		if (i == NUM_LINES && f->key_update && !c->update(c->tls))
			return false;
		if (i >= from && !c->write(c->tls, line, strlen(line)))
			return false;
		if (!comes_back(c, line))
			return false;
	}
	return true;
}

bool foreign_echo(const struct foreign *f, const struct foreign_conn *c)
{
	char data[LINE_SIZE];
	int num = 0;
	ssize_t n;

	while ((n = c->read(c->tls, data, sizeof(data))) > 0) {
		if (!num++ && f->key_update && !c->update(c->tls))
			return false;
		if (!c->write(c->tls, data, (size_t)n))
			return false;
	}
	return n == 0;
}
