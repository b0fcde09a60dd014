/* SPDX-License-Identifier: MIT */
/* schemes: which signatures and certificates each side can verify, RFC 8446 sections 4.2.3, 4.2.4 and 4.4.2.2. */
#ifndef TLSHD_TLS_SCHEMES_H
#define TLSHD_TLS_SCHEMES_H

#include "ext.h"

#define SCHEMES_PUT_MAX (4 + 2 + 2 * (TLS_SCHEMES_MAX + 3))	/* bytes that schemes_put() adds at most */

/* signature_algorithms, of ClientHello or CertificateRequest. */
void schemes_put(struct tls_conn *c, struct build *b);

bool schemes_known(uint16_t scheme);	/* may a CertificateVerify use it at all? */
bool schemes_accepted(const struct tls_config *config, uint16_t scheme);	/* may the peer's? */

/**
 * schemes_choose() - the identity to prove, and the scheme to prove it with
 * @exts: of ClientHello or CertificateRequest, parsed; a signature_algorithms is there
 * @strict: only one whose chain the peer can verify by all it says; else, where there is none, the first whose
 *	signature it takes
 *
 * Sets c->identity and c->sigscheme of our role. Return: whether there is one.
 */
bool schemes_choose(struct tls_conn *c, const struct ext_block *exts, bool strict);

#endif
