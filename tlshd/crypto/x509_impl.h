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

enum x509_alert {	/* RFC 8446 6.2 */
	BAD_CERTIFICATE = 42,
	UNSUPPORTED_CERTIFICATE = 43,
	CERTIFICATE_REVOKED = 44,
	CERTIFICATE_EXPIRED = 45,
	CERTIFICATE_UNKNOWN = 46,
	UNKNOWN_CA = 48,
	INTERNAL_ERROR = 80,
	BAD_CERTIFICATE_STATUS_RESPONSE = 113,
};

/* Returns @err, which with the rest is in @fail then. */
int x509_refuse(struct x509_fail *fail, int err, enum x509_alert alert, const char *reason, ...)
	__attribute__((format(printf, 4, 5)));

#define WHO_LEN 64	/* of a name within a reason, so that the words behind it are not cut off */

void x509_put_name(char *out, size_t len, const X509_NAME *name);
void x509_put_short_name(char *out, size_t len, const X509_NAME *name);	/* by its common name, else in full */
void x509_put_cert(char *out, size_t len, X509 *x);	/* what people call it: its first DNS name, else its subject */
void x509_put_date(char *out, size_t len, const ASN1_TIME *t);
int x509_put_time(int64_t *out, const ASN1_TIME *t) CRYPTO_MUST_CHECK;	/* 0 or -EINVAL */

#define X509_AUTH_LEVEL	2	/* of X509_VERIFY_PARAM_set_auth_level(3): 112 bits, no SHA-1 */

/**
 * struct x509_path - what is needed of one that was verified
 * @leaf, @issuer: with a reference each; they are the same where the leaf is an anchor
 * @from, @until: all of it is valid from the one on and up to, not at, the other, seconds since the epoch
 */
struct x509_path {
	X509 *leaf, *issuer;
	int64_t from, until;
};

void x509_path_free(struct x509_path *p);

/**
 * x509_check_staple() - judge the OCSP response of @ask, or that there is none
 * Return: 0 or @fail->err.
 */
int x509_check_staple(struct x509_fail *fail, const struct x509_ask *ask, X509 *leaf, X509 *issuer) CRYPTO_MUST_CHECK;

/* ---- x509_cache.c ---- */

#define X509_CACHE_KEY_LEN 32

/* SHA-256 of all that a verdict depends on, but for time and staple. */
void x509_cache_key(uint8_t *key, const struct x509_ask *ask);

/* What was said under @key, if it stands at @now: with references of its own in @out and @path. */
bool x509_cache_find(struct x509_cache *c, const uint8_t *key, int64_t now, struct x509_peer *out,
		     struct x509_path *path) CRYPTO_MUST_CHECK;
void x509_cache_add(struct x509_cache *c, const uint8_t *key, const struct x509_peer *peer, const struct x509_path *path);

/* Lists of DER names, each behind a 2-byte length. Adding: 0 or -ENOMEM. */
bool x509_names_have(const uint8_t *names, size_t names_len, const uint8_t *name, size_t len);
int x509_names_add(uint8_t **names, size_t *names_len, const uint8_t *name, size_t len) CRYPTO_MUST_CHECK;

X509 *x509_parse(const uint8_t *der, size_t len);	/* NULL: no certificate, or something behind it */

#endif
