// SPDX-License-Identifier: MIT
/*
 * Which library does what: the tables of groups and signature schemes, and the choice of an AEAD. Names no library
 * itself.
 */
#include <errno.h>

#include "impl.h"

int crypto_init(void)
{
	int err = sodium_start();

	return err ? err : openssl_start();
}

int crypto_thread_init(void)
{
	return openssl_thread_start();
}

void crypto_thread_exit(void)
{
	openssl_thread_stop();
}

/* ---- AEAD ---- */

void aead_seal(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
	       const uint8_t *key, const uint8_t *nonce)
{
	if (id == AEAD_CHACHA20_POLY1305)
		chacha_seal(out, in, len, ad, ad_len, key, nonce);
	else
		gcm_seal(id, out, in, len, ad, ad_len, key, nonce);
}

int aead_open(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
	      const uint8_t *key, const uint8_t *nonce)
{
	if (len < AEAD_TAG_LEN)
		return -EBADMSG;
	if (id == AEAD_CHACHA20_POLY1305)
		return chacha_open(out, in, len, ad, ad_len, key, nonce);
	return gcm_open(id, out, in, len, ad, ad_len, key, nonce);
}

/* ---- groups, RFC 8446 4.2.7 ---- */

static const struct kem kems[] = {
	{ 0x001d, X25519_LEN, X25519_LEN, X25519_LEN, "X25519", x25519_keygen, x25519_encaps, x25519_decaps },
	{ 0x0017, P256_SHARE_LEN, P256_SHARE_LEN, P256_SECRET_LEN, "secp256r1", p256_keygen, p256_encaps, p256_decaps },
	{ 0x0018, P384_SHARE_LEN, P384_SHARE_LEN, P384_SECRET_LEN, "secp384r1", p384_keygen, p384_encaps, p384_decaps },
};

_Static_assert(P384_SHARE_LEN <= KEM_SHARE_MAX && X25519_LEN <= P256_SHARE_LEN, "a share does not fit");
_Static_assert(P384_SECRET_LEN <= KEM_SECRET_MAX && P384_SECRET_LEN <= KEM_PRIV_MAX, "a secret does not fit");

const struct kem *kem_find(uint16_t group)
{
	for (size_t i = 0; i < sizeof(kems) / sizeof(*kems); i++)
		if (kems[i].group == group)
			return &kems[i];
	return NULL;
}

/* ---- signature schemes, RFC 8446 4.2.3 ---- */

const struct sig_scheme sig_schemes[SIG_SCHEMES_MAX] = {
	{ SIG_ECDSA_P256_SHA256, SIG_TYPE_P256, SIG_MD_SHA256 },
	{ SIG_ECDSA_P384_SHA384, SIG_TYPE_P384, SIG_MD_SHA384 },
	{ SIG_ED25519, SIG_TYPE_ED25519, SIG_MD_NONE },
	{ SIG_RSA_PSS_RSAE_SHA256, SIG_TYPE_RSA, SIG_MD_SHA256 },
	{ SIG_RSA_PSS_RSAE_SHA384, SIG_TYPE_RSA, SIG_MD_SHA384 },
	{ SIG_RSA_PSS_RSAE_SHA512, SIG_TYPE_RSA, SIG_MD_SHA512 },
	{ SIG_RSA_PSS_PSS_SHA256, SIG_TYPE_RSA_PSS, SIG_MD_SHA256 },
	{ SIG_RSA_PSS_PSS_SHA384, SIG_TYPE_RSA_PSS, SIG_MD_SHA384 },
	{ SIG_RSA_PSS_PSS_SHA512, SIG_TYPE_RSA_PSS, SIG_MD_SHA512 },
};

const struct sig_scheme *sig_scheme_find(uint16_t scheme)
{
	for (size_t i = 0; i < SIG_SCHEMES_MAX; i++)
		if (sig_schemes[i].scheme == scheme)
			return &sig_schemes[i];
	return NULL;
}

bool sig_scheme_fits(uint16_t scheme, enum sig_type type)
{
	const struct sig_scheme *s = sig_scheme_find(scheme);

	return s && s->type == type;
}
