// SPDX-License-Identifier: MIT
/* Stand-ins for what a peer cannot forge. See unsafe.h. */
#include "unsafe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tlshd/tls/cursor.h"
#include "tlshd/tls/build.h"
#include "tlshd/tls/record.h"

const char unsafe_notice[] = "TLSHD_FUZZ_UNSAFE: no signature, no MAC and no certificate is checked";

const uint8_t unsafe_chain[] = { 0, 0, 4, SIG_TYPE_ED25519, 'k', 'e', 'y', 0, 0 };
const size_t unsafe_chain_len = sizeof(unsafe_chain);

__attribute__((constructor)) static void warn(void)
{
	fprintf(stderr, "%s\n", unsafe_notice);
}

static bool is_wrong(const uint8_t *p, size_t len)
{
	return len && p[len - 1] == 0xff;
}

/* Finished and binders. */
bool __wrap_equal_ct(const void *a, const void *b, size_t len);
bool __wrap_equal_ct(const void *a, const void *b, size_t len)
{
	return !memcmp(a, b, len) || (!is_wrong(a, len) && !is_wrong(b, len));
}

int __wrap_sig_verify(const struct sig_pub *pub, uint16_t scheme, const uint8_t *sig, size_t sig_len, const uint8_t *msg,
		      size_t len);
int __wrap_sig_verify(const struct sig_pub *pub, uint16_t scheme, const uint8_t *sig, size_t sig_len, const uint8_t *msg,
		      size_t len)
{
	(void)msg, (void)len;
	if (!sig_scheme_fits(scheme, pub->type))
		return -EINVAL;
	return is_wrong(sig, sig_len) ? -EBADMSG : 0;
}

static int take_leaf(struct x509_peer *out, const struct der *leaf)
{
	memset(out, 0, sizeof(*out));
	out->pub.type = (enum sig_type)(leaf->p[0] % (SIG_TYPE_RSA_PSS + 1));
	out->not_after = INT64_C(4000000000);	/* 2096 */
	memcpy(out->subject, "subject", 8);
	return 0;
}

static int refuse_leaf(struct x509_peer *out, struct x509_fail *fail)
{
	memset(out, 0, sizeof(*out));
	*fail = (struct x509_fail){ -EKEYREJECTED, 42, "certificate is wrong" };
	return fail->err;
}

/* The first byte of the leaf says of what type its key is. */
int __wrap_x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask);
int __wrap_x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask)
{
	for (size_t i = 0; i < ask->num; i++)
		if (is_wrong(ask->chain[i].p, ask->chain[i].len))
			return refuse_leaf(out, fail);
	if (is_wrong(ask->staple.p, ask->staple.len) || (ask->staple_due && !ask->staple.len))
		return refuse_leaf(out, fail);
	return take_leaf(out, ask->chain);
}

int __wrap_x509_take(struct x509_peer *out, struct x509_fail *fail, struct der leaf);
int __wrap_x509_take(struct x509_peer *out, struct x509_fail *fail, struct der leaf)
{
	return is_wrong(leaf.p, leaf.len) ? refuse_leaf(out, fail) : take_leaf(out, &leaf);
}

/* X25519 is most of the time that a handshake takes. A share of zeros is still refused (RFC 8446 7.4.2). */
int __wrap_crypto_scalarmult(uint8_t *q, const uint8_t *n, const uint8_t *p);
int __wrap_crypto_scalarmult(uint8_t *q, const uint8_t *n, const uint8_t *p)
{
	static const uint8_t zeros[32];

	(void)n;
	memcpy(q, p, sizeof(zeros));
	return memcmp(p, zeros, sizeof(zeros)) ? 0 : -1;
}

int __wrap_crypto_scalarmult_base(uint8_t *q, const uint8_t *n);
int __wrap_crypto_scalarmult_base(uint8_t *q, const uint8_t *n)
{
	memcpy(q, n, 32);
	return 0;
}

/* ---- records: the inner content type is the last byte, and nothing is encrypted ---- */

size_t __wrap_record_seal(uint8_t *rec, enum content_type type, size_t len, enum aead_id aead, struct tls_keys *k);
size_t __wrap_record_seal(uint8_t *rec, enum content_type type, size_t len, enum aead_id aead, struct tls_keys *k)
{
	(void)aead, (void)k;
	record_header(rec, CT_APPLICATION_DATA, VERSION_LEGACY, len + 1);
	rec[RECORD_HEADER_LEN + len] = (uint8_t)type;
	return RECORD_HEADER_LEN + len + 1;
}

enum record_fault __wrap_record_open(uint8_t *rec, size_t len, uint8_t *type, size_t *content_len, enum aead_id aead,
				     struct tls_keys *k);
enum record_fault __wrap_record_open(uint8_t *rec, size_t len, uint8_t *type, size_t *content_len, enum aead_id aead,
				     struct tls_keys *k)
{
	(void)aead, (void)k;
	if (len == RECORD_HEADER_LEN || is_wrong(rec, len))
		return RECORD_BAD_MAC;
	if (len > RECORD_HEADER_LEN + PLAINTEXT_MAX + 1)
		return RECORD_TOO_LONG;
	while (len > RECORD_HEADER_LEN && !rec[len - 1])
		len--;
	if (len == RECORD_HEADER_LEN)
		return RECORD_NO_TYPE;
	*type = rec[len - 1];
	*content_len = len - RECORD_HEADER_LEN - 1;
	return RECORD_OK;
}
