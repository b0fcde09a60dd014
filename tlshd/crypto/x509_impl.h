/* SPDX-License-Identifier: MIT */
/* What x509_load.c makes and x509.c uses. */
#ifndef TLSHD_X509_IMPL_H
#define TLSHD_X509_IMPL_H

#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "impl.h"

/**
 * struct x509_anchors - immutable once loaded
 * @store: its own lock makes it fit for several threads
 * @names: subjects, each behind a 2-byte length; not all, if they are @too_many_names
 */
struct x509_anchors {
	X509_STORE *store;
	uint8_t *names;
	size_t names_len;
	bool too_many_names;
	uint8_t digest[32];
};

/* Lists of DER names, each behind a 2-byte length. Adding: 0, or -ENOMEM, also for a name over 64 KiB. */
bool x509_names_have(const uint8_t *names, size_t names_len, const uint8_t *name, size_t len);
int x509_names_add(uint8_t **names, size_t *names_len, const uint8_t *name, size_t len) CRYPTO_MUST_CHECK;

X509 *x509_parse(const uint8_t *der, size_t len);	/* NULL: no certificate, or something behind it */

#endif
