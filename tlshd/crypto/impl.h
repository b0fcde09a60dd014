/* SPDX-License-Identifier: MIT */
/*
 * What the files of this folder share with each other and with nobody else. crypto.c holds the tables that choose
 * between the libraries; each library's half is behind the functions below.
 */
#ifndef TLSHD_CRYPTO_IMPL_H
#define TLSHD_CRYPTO_IMPL_H

#include <stdlib.h>

#include "crypto.h"

/* A programmer's error, or a library that broke its promise: going on would be worse than stopping. */
static inline void must(bool ok)
{
	if (!ok)
		abort();
}

/* ---- sodium.c ---- */

int sodium_start(void) CRYPTO_MUST_CHECK;	/* 0 or -EIO */

void chacha_seal(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len, const uint8_t *key,
		 const uint8_t *nonce);
int chacha_open(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len, const uint8_t *key,
		const uint8_t *nonce) CRYPTO_MUST_CHECK;

#define X25519_LEN 32

void x25519_keygen(uint8_t *priv, uint8_t *share);
int x25519_encaps(uint8_t *share, uint8_t *secret, const uint8_t *client_share) CRYPTO_MUST_CHECK;
int x25519_decaps(uint8_t *secret, const uint8_t *priv, const uint8_t *server_share) CRYPTO_MUST_CHECK;

#define ED25519_SEED_LEN	32
#define ED25519_PRIV_LEN	64	/* seed and public key, as libsodium signs with it */
#define ED25519_SIG_LEN		64

void ed25519_expand(uint8_t *priv, const uint8_t *seed);
void ed25519_sign(uint8_t *sig, const uint8_t *msg, size_t len, const uint8_t *priv);
int ed25519_verify(const uint8_t *sig, const uint8_t *msg, size_t len, const uint8_t *pub) CRYPTO_MUST_CHECK;

/* ---- openssl.c ---- */

int openssl_start(void) CRYPTO_MUST_CHECK;	/* 0 or -EIO */
int openssl_thread_start(void) CRYPTO_MUST_CHECK; /* 0 or -ENOMEM */
void openssl_thread_stop(void);

void gcm_seal(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
	      const uint8_t *key, const uint8_t *nonce);
int gcm_open(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
	     const uint8_t *key, const uint8_t *nonce) CRYPTO_MUST_CHECK;

#define P256_SHARE_LEN	65	/* uncompressed point, RFC 8446 4.2.8.2 */
#define P256_SECRET_LEN	32

void p256_keygen(uint8_t *priv, uint8_t *share);
int p256_encaps(uint8_t *share, uint8_t *secret, const uint8_t *client_share) CRYPTO_MUST_CHECK;
int p256_decaps(uint8_t *secret, const uint8_t *priv, const uint8_t *server_share) CRYPTO_MUST_CHECK;

#define P384_SHARE_LEN	97
#define P384_SECRET_LEN	48

void p384_keygen(uint8_t *priv, uint8_t *share);
int p384_encaps(uint8_t *share, uint8_t *secret, const uint8_t *client_share) CRYPTO_MUST_CHECK;
int p384_decaps(uint8_t *secret, const uint8_t *priv, const uint8_t *server_share) CRYPTO_MUST_CHECK;

/* ---- signature schemes: crypto.c has the rows, openssl.c and key.c read them ---- */

enum sig_md { SIG_MD_NONE, SIG_MD_SHA256, SIG_MD_SHA384, SIG_MD_SHA512 };
#define SIG_MD_MAX 64

struct sig_scheme {
	uint16_t scheme;
	enum sig_type type;	/* the only type of key that it goes with */
	enum sig_md md;
};

extern const struct sig_scheme sig_schemes[SIG_SCHEMES_MAX];

const struct sig_scheme *sig_scheme_find(uint16_t scheme);	/* NULL: not one of ours */

size_t sig_digest(uint8_t *out, enum sig_md md, const uint8_t *msg, size_t len);	/* SIG_MD_MAX bytes at most */

/*
 * sig_pctx_setup() - hash and padding of @s for an EVP_PKEY_CTX ready to sign or verify
 * Return: 0, or -EINVAL if the key forbids them (parameters of an RSASSA-PSS key).
 */
struct evp_pkey_ctx_st;
int sig_pctx_setup(struct evp_pkey_ctx_st *pctx, const struct sig_scheme *s) CRYPTO_MUST_CHECK;

/*
 * sig_type_of() - the type of a libcrypto key
 * Return: 0, or -EINVAL: none of ours (other curve, explicit parameters, RSA below 2048 or above 4096 bits, DSA, ...).
 */
struct evp_pkey_st;
int sig_type_of(enum sig_type *out, struct evp_pkey_st *pkey) CRYPTO_MUST_CHECK;
#define SIG_TYPES_WORDS "ECDSA P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits"

#endif
