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
 * @http: server: answer requests with @bytes bytes instead of echoing
 * @no_ccs: no middlebox compatibility mode
 * @any_name: client: verify no name
 * @key_update: send a KeyUpdate that asks for one before the second line, and wait for the peer's
 * @early: client: send early data once a session allows it; server: allow it in tickets, and accept it
 * @early_once: server: likewise, but after the first connection accept none
 * @await_early: server: where early data is accepted, answer the ClientHello once some has come
 * @stale: client: offer sessions as if they were a minute older, so that early data looks replayed
 * @any_end: client: with an answer to @get, do without a close_notify
 * @until_accepted: client: one connection after another, until early data was accepted or all have been made
 * @ca: whom a client trusts
 * @client_ca: server: whose certificates a client must have
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
	bool server, http, no_ccs, any_name, key_update, early, early_once, await_early, stale, any_end, until_accepted;
	size_t port, bytes, lines, num_connections, num_shares;
	const char *ca, *client_ca, *cert, *key, *name, *alpn, *get, *out;
	const char *suites, *groups;
};

void options_parse(struct options *opt, int argc, char **argv);	/* ends the program when they make no sense */

uint8_t options_numbers(uint16_t *out, size_t max, const char *list);	/* returns how many */
size_t options_alpn(uint8_t *out, const char *list);	/* TLS_ALPN_MAX bytes, in the form of RFC 7301; returns the length */

#endif
