/* SPDX-License-Identifier: MIT */
/* options: the command line of the peer. */
#ifndef INTEROP_OPTIONS_H
#define INTEROP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlshd/tls/tls.h"

/**
 * struct options - what the peer is to do
 * @http: server: answer a request with @bytes bytes instead of echoing
 * @no_ccs: no middlebox compatibility mode
 * @any_name: client: verify no name
 * @key_update: send a KeyUpdate that asks for one before the second line, and wait for the peer's
 * @ca: whom a client trusts
 * @name: client: of the server, else "localhost"
 * @alpn: protocols, separated by commas
 * @suites, @groups: numbers in hexadecimal, separated by commas
 * @get, @out: client: ask for this path by HTTP and write the answer to this file
 * @num_shares: client: of how many groups a key share is sent
 * @num_connections: one after the other
 * @bytes: client: send that many in lines, and have them back
 * @lines: client: send that many short lines, and have each back
 */
struct options {
	bool server, http, no_ccs, any_name, key_update;
	size_t port, bytes, lines, num_connections, num_shares;
	const char *ca, *cert, *key, *name, *alpn, *get, *out;
	const char *suites, *groups;
};

void options_parse(struct options *opt, int argc, char **argv);	/* ends the program when they make no sense */

uint8_t options_numbers(uint16_t *out, size_t max, const char *list);	/* returns how many */
size_t options_alpn(uint8_t *out, const char *list);	/* TLS_ALPN_MAX bytes, in the form of RFC 7301; returns the length */

#endif
