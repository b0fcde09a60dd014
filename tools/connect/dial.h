/* SPDX-License-Identifier: MIT */
/*
 * dial: a TCP connection to a host by name.
 */
#ifndef CONNECT_DIAL_H
#define CONNECT_DIAL_H

/**
 * dial() - try the addresses of a host, up to 16 in the resolver's order
 * @timeout_ms: for each address
 *
 * If all fail, that is told on stderr, an address a line.
 *
 * Return: a connected, blocking socket, or a negative errno after the last message.
 */
int dial(const char *host, const char *port, unsigned int timeout_ms);

#endif
