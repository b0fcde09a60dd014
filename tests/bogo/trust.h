/* SPDX-License-Identifier: MIT */
/*
 * trust: stands in front of x509_verify() (the linker's --wrap). A newer runner says which anchor to trust, and
 * means no name. An older one's certificates sign themselves and have long expired, and BoringSSL's shim verifies
 * none: there the leaf is taken as it is. No runner's staple is an OCSPResponse: none is judged.
 */
#ifndef BOGO_TRUST_H
#define BOGO_TRUST_H

#include "tlshd/crypto/crypto.h"

extern bool trust_anybody;	/* an application that does not look at who vouches for the peer */
extern bool trust_no_staple;	/* one that refuses whatever response is stapled, or that none is */
extern uint8_t trust_nobody;	/* the alert of an application whose own check refuses everyone; 0: it does not */

extern struct x509_anchors *trust_anchors;	/* of a newer runner, or NULL */
extern struct der trust_staple;		/* the peer's last */

/* For struct tls_config, which wants some; never looked at. */
struct x509_anchors *trust_placeholder(void);

#endif
