/* SPDX-License-Identifier: MIT */
/* keylog: the lines of SSLKEYLOGFILE (RFC 9850), for who debugs with a packet dump. */
#ifndef TLSHD_TLS_KEYLOG_H
#define TLSHD_TLS_KEYLOG_H

#include "tls_conn.h"

/* Tells params.keylog, if there is one, of a traffic or exporter secret of @len bytes. */
void keylog_secret(const struct tls_conn *c, const char *label, const uint8_t *secret, size_t len);

#endif
