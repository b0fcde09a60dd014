/* SPDX-License-Identifier: MIT */
/* tokens: BoringSSL's words for why a connection ended, which the runner looks for in the error text. */
#ifndef BOGO_TOKENS_H
#define BOGO_TOKENS_H

#include "tlshd/tls/tls.h"

/* Of a failed handshake; never NULL. Several where BoringSSL tells apart what we do not. */
const char *token_of(const struct tls_result *r);

const char *token_of_alert(uint16_t alert);	/* one that the peer sent */

/* What it failed for lack of: an older version, or what the engine does not offer. NULL: for another reason. */
const char *token_unimplemented(const struct tls_result *r);

#endif
