/* SPDX-License-Identifier: MIT */
/*
 * foreign: what the peers in C of other TLS libraries have in common: the command line, sockets, and what is said. The
 * peers in other languages know the same command line:
 *	client|server --port P --cert FILE --key FILE --ca FILE [--name N] [--suite S] [--group G] [--alpn A]
 *		[--client-ca FILE] [--connections N] [--key-update] [--early | --early-once]
 * and print the same: for each connection "ok resumed=0|1 early=0|1".
 */
#ifndef INTEROP_FOREIGN_H
#define INTEROP_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct foreign - the command line
 * @client_ca: server: whose certificates a client must have
 * @key_update: send one, which asks for one, between the two lines
 * @early: client: send the first line as early data, if the session allows; server: take it
 * @early_once: server: allow it in tickets of the first connection, then take none
 */
struct foreign {
	bool server, key_update, early, early_once;
	int port, num_connections;
	const char *cert, *key, *ca, *client_ca, *name, *suite, *group, *alpn;
};

/* A connection after its handshake; @read and @write as read() and write(), but all or nothing is written. */
struct foreign_conn {
	void *tls;
	ssize_t (*read)(void *tls, void *p, size_t len);
	bool (*write)(void *tls, const void *p, size_t len);
	bool (*update)(void *tls);	/* KeyUpdate; NULL: the library has none */
};

void foreign_parse(struct foreign *f, int argc, char **argv);
int foreign_listen(const struct foreign *f);
int foreign_connect(const struct foreign *f, int listener);	/* connects, or accepts */
_Noreturn void foreign_die(const char *what, const char *why);

const char *foreign_line(int number);		/* that a client sends: 1 or 2 */

/* Two lines and their echoes; @from: the first line to send, 2 where the first was early data that was taken. */
bool foreign_talk(const struct foreign *f, const struct foreign_conn *c, int from);
bool foreign_echo(const struct foreign *f, const struct foreign_conn *c);	/* until the client says goodbye */

#endif
