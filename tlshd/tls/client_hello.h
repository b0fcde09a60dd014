/* SPDX-License-Identifier: MIT */
/* client_hello: what a server makes of a ClientHello. */
#ifndef TLSHD_TLS_CLIENT_HELLO_H
#define TLSHD_TLS_CLIENT_HELLO_H

#include "hs.h"

/* The first one: with it suite, group, application protocol and identity are chosen, or it is retried (c->retry). */
hs_parse client_hello_parse;

/* The second one, which may differ from the first in few places only. */
hs_parse client_hello_parse_again;

#endif
