/* SPDX-License-Identifier: MIT */
/* staple: an OCSP response in a Certificate, and asking for one (status_request): RFC 8446 4.4.2.1, RFC 6066 8. */
#ifndef TLSHD_TLS_STAPLE_H
#define TLSHD_TLS_STAPLE_H

#include "ext.h"

void staple_put_request(struct tls_conn *c, struct build *b);	/* in ClientHello, if configured */

/* The peer's request, if it is in @exts, of ClientHello or CertificateRequest. Return: HS_NEXT or HS_FAILED. */
enum hs staple_take_request(struct tls_conn *c, const struct ext_block *exts);

size_t staple_room(const struct tls_conn *c);	/* bytes that staple_put() adds */
void staple_put(struct tls_conn *c, struct build *b);	/* in the extensions of our leaf, if there is staple_room() */

/* @der: out: the response that came with a certificate, its length 0: none. Return: HS_NEXT or HS_FAILED. */
enum hs staple_take(struct tls_conn *c, const struct ext_block *exts, struct der *der);

#endif
