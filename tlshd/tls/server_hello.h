/* SPDX-License-Identifier: MIT */
/* server_hello: what a client makes of a ServerHello or HelloRetryRequest. */
#ifndef TLSHD_TLS_SERVER_HELLO_H
#define TLSHD_TLS_SERVER_HELLO_H

#include "hs.h"

bool server_hello_is_retry(struct cursor body);	/* is this ServerHello a HelloRetryRequest? */
hs_parse server_hello_parse;			/* agrees on suite and key */
hs_parse server_hello_parse_retry;		/* takes what the second ClientHello must have */

/* A key share of @group, one more, for the next ClientHello. */
void client_add_share(struct tls_conn *c, uint16_t group);

#endif
