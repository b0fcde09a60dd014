/* SPDX-License-Identifier: MIT */
/*
 * trust: stands in front of x509_verify() (the linker's --wrap). A newer runner says which anchor to trust. An older
 * one's certificates sign themselves and have long expired, and BoringSSL's shim verifies none: there the last one of
 * the peer's chain is the anchor, and the time is that at which the first one began. All else that x509_verify() looks
 * at is its own to judge.
 */
#ifndef BOGO_TRUST_H
#define BOGO_TRUST_H

#include "tlshd/crypto/crypto.h"

extern uint8_t trust_nobody;	/* the alert of an application whose own check refuses everyone; 0: it does not */

extern struct x509_anchors *trust_anchors;	/* of a newer runner, or NULL */

/* For struct tls_config, which wants some; never looked at. */
struct x509_anchors *trust_placeholder(void);

#endif
