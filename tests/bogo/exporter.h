/* SPDX-License-Identifier: MIT */
/* exporter: keying material for applications, RFC 8446 7.5. */
#ifndef BOGO_EXPORTER_H
#define BOGO_EXPORTER_H

#include "tlshd/tls/keys.h"

/* @label, @context: NUL-terminated; no context counts as an empty one */
void exporter_derive(uint8_t *out, size_t len, const struct tls_traffic *t, const char *label, const char *context);

#endif
