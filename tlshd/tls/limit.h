/* SPDX-License-Identifier: MIT */
/*
 * limit: record_size_limit, RFC 8449: how long a protected record each side takes. Early data is not bound by it: it is
 * sent before the client knows.
 */
#ifndef TLSHD_TLS_LIMIT_H
#define TLSHD_TLS_LIMIT_H

#include "ext.h"

/* Ours: in ClientHello, and in EncryptedExtensions for a client that has sent its own. */
void limit_put(struct tls_conn *c, struct build *b);

/* The peer's, if it is there and we speak it. Return: HS_NEXT or HS_FAILED. */
enum hs limit_take(struct tls_conn *c, const struct ext_block *exts);

#endif
