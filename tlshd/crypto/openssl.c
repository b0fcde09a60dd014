// SPDX-License-Identifier: MIT
/*
 * The half of crypto that libcrypto does: SHA-2 and HMAC (SHA-NI), AES-GCM, P-256, P-384, and signatures other than Ed25519.
 *
 * SHA-2 and the curve go through the low-level calls on purpose: a running hash is then a plain struct, and a key
 * exchange costs half of EVP_PKEY_derive(), which checks a public key by a multiplication that a curve of cofactor 1
 * does not need.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "impl.h"

/* ---- hash and HMAC ---- */

_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct hash *)0)->opaque), "SHA256_CTX");
_Static_assert(sizeof(SHA512_CTX) <= sizeof(((struct hash *)0)->opaque), "SHA512_CTX");
_Static_assert(_Alignof(SHA512_CTX) <= _Alignof(uint64_t), "SHA512_CTX");

struct hash_ops {
	int (*init)(void *ctx);
	int (*update)(void *ctx, const void *p, size_t len);
	int (*final)(uint8_t *out, void *ctx);
	size_t block;
};

static int sha256_init(void *ctx) { return SHA256_Init(ctx); }
static int sha256_update(void *ctx, const void *p, size_t len) { return SHA256_Update(ctx, p, len); }
static int sha256_final(uint8_t *out, void *ctx) { return SHA256_Final(out, ctx); }
static int sha384_init(void *ctx) { return SHA384_Init(ctx); }
static int sha384_update(void *ctx, const void *p, size_t len) { return SHA384_Update(ctx, p, len); }
static int sha384_final(uint8_t *out, void *ctx) { return SHA384_Final(out, ctx); }

static const struct hash_ops hashes[] = {
	[HASH_SHA256] = { sha256_init, sha256_update, sha256_final, SHA256_CBLOCK },
	[HASH_SHA384] = { sha384_init, sha384_update, sha384_final, SHA512_CBLOCK },
};
#define BLOCK_MAX SHA512_CBLOCK

void hash_init(struct hash *h, enum hash_id id)
{
	must(id <= HASH_SHA384);
	memset(h, 0, sizeof(*h));
	h->id = id;
	must(hashes[id].init(h->opaque));
}

void hash_update(struct hash *h, const void *p, size_t len)
{
	must(hashes[h->id].update(h->opaque, p, len));
}

void hash_final(const struct hash *h, uint8_t *out)
{
	struct hash copy = *h;

	must(hashes[h->id].final(out, copy.opaque));
	OPENSSL_cleanse(&copy, sizeof(copy));
}

/* RFC 2104: both pads are exactly one block, so each midstate is a hash with nothing buffered. */
void hmac_key_init(struct hmac_key *k, enum hash_id id, const uint8_t *key, size_t key_len)
{
	uint64_t pad[BLOCK_MAX / 8] = { 0 };	/* by words: 22 a handshake, and most of what the engine adds to its hashes */
	size_t block;

	hash_init(&k->inner, id);
	hash_init(&k->outer, id);
	block = hashes[id].block;
	if (key_len > block) {
		hash_update(&k->inner, key, key_len);
		hash_final(&k->inner, (uint8_t *)pad);
		OPENSSL_cleanse(&k->inner, sizeof(k->inner));
		hash_init(&k->inner, id);
	} else if (key_len > 0) {
		memcpy(pad, key, key_len);
	}
	for (size_t i = 0; i < block / 8; i++)
		pad[i] ^= 0x3636363636363636;
	hash_update(&k->inner, pad, block);
	for (size_t i = 0; i < block / 8; i++)
		pad[i] ^= 0x3636363636363636 ^ 0x5c5c5c5c5c5c5c5c;
	hash_update(&k->outer, pad, block);
	OPENSSL_cleanse(pad, sizeof(pad));
}

void hmac_with(const struct hmac_key *k, uint8_t *out, const struct iov *parts, size_t num)
{
	struct hash h = k->inner;
	uint8_t inner[HASH_MAX];

	for (size_t i = 0; i < num; i++)
		hash_update(&h, parts[i].p, parts[i].len);
	hash_final(&h, inner);
	h = k->outer;
	hash_update(&h, inner, hash_len(h.id));
	hash_final(&h, out);
	OPENSSL_cleanse(&h, sizeof(h));
	OPENSSL_cleanse(inner, sizeof(inner));
}

void hmac(enum hash_id id, uint8_t *out, const uint8_t *key, size_t key_len, const struct iov *parts, size_t num)
{
	struct hmac_key k;

	hmac_key_init(&k, id, key, key_len);
	hmac_with(&k, out, parts, num);
	OPENSSL_cleanse(&k, sizeof(k));
}

/* ---- AES-GCM: one kept context a thread and key length, re-keyed for each record ---- */

enum { GCM_128, GCM_256, NUM_GCM };

static EVP_CIPHER *gcm_ciphers[NUM_GCM];		/* made by openssl_start(), then read only */
static _Thread_local EVP_CIPHER_CTX *gcm_ctxs[NUM_GCM];

static EVP_CIPHER_CTX *gcm_ctx(enum aead_id id)
{
	EVP_CIPHER_CTX *ctx;

	must(id == AEAD_AES_128_GCM || id == AEAD_AES_256_GCM);
	ctx = gcm_ctxs[id == AEAD_AES_256_GCM ? GCM_256 : GCM_128];
	must(ctx != NULL);
	return ctx;
}

/* Overwrites the key schedule, so that no key stays behind in a thread's context. */
static void gcm_release(EVP_CIPHER_CTX *ctx)
{
	static const uint8_t zero[AEAD_KEY_MAX];

	must(EVP_CipherInit_ex(ctx, NULL, NULL, zero, zero, 1));
}

static void gcm_start(EVP_CIPHER_CTX *ctx, const uint8_t *key, const uint8_t *nonce, const uint8_t *ad,
		      size_t ad_len, int seal)
{
	int n;

	must(ad_len <= INT_MAX);
	must(EVP_CipherInit_ex(ctx, NULL, NULL, key, nonce, seal));
	must(ad_len == 0 || EVP_CipherUpdate(ctx, NULL, &n, ad, (int)ad_len));
}

void gcm_seal(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
	      const uint8_t *key, const uint8_t *nonce)
{
	EVP_CIPHER_CTX *ctx = gcm_ctx(id);
	int n = 0;

	must(len <= INT_MAX);
	gcm_start(ctx, key, nonce, ad, ad_len, 1);
	must(len == 0 || (EVP_CipherUpdate(ctx, out, &n, in, (int)len) && n == (int)len));
	must(EVP_CipherFinal_ex(ctx, out + len, &n) && n == 0);
	must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, out + len));
	gcm_release(ctx);
}

int gcm_open(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
	     const uint8_t *key, const uint8_t *nonce)
{
	EVP_CIPHER_CTX *ctx = gcm_ctx(id);
	uint8_t tag[AEAD_TAG_LEN], none[AEAD_TAG_LEN];
	bool good;
	int n = 0;

	must(len >= AEAD_TAG_LEN && len <= INT_MAX);
	len -= AEAD_TAG_LEN;
	memcpy(tag, in + len, AEAD_TAG_LEN);
	gcm_start(ctx, key, nonce, ad, ad_len, 0);
	must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag));
	must(len == 0 || (EVP_CipherUpdate(ctx, out, &n, in, (int)len) && n == (int)len));
	good = EVP_CipherFinal_ex(ctx, none, &n) == 1;
	gcm_release(ctx);
	if (good)
		return 0;
	OPENSSL_cleanse(out, len);
	ERR_clear_error();
	return -EBADMSG;
}

/* ---- elliptic-curve Diffie-Hellman ---- */

struct curve {
	int nid;
	size_t field_len;	/* bytes of a coordinate and of a private scalar */
};

enum { CURVE_P256, CURVE_P384, NUM_CURVES };
static const struct curve curves[NUM_CURVES] = {
	[CURVE_P256] = { NID_X9_62_prime256v1, P256_SECRET_LEN },
	[CURVE_P384] = { NID_secp384r1, P384_SECRET_LEN },
};
static EC_GROUP *groups[NUM_CURVES];	/* made by openssl_start(), then read only */

static BIGNUM *new_scalar(void)
{
	BIGNUM *n = BN_secure_new();

	if (n)
		BN_set_flags(n, BN_FLG_CONSTTIME);
	return n;
}

/* A NULL BN_CTX makes libcrypto use a fresh one, which it clears; a kept one would keep scalars. -ENOMEM on failure. */
static int ec_keygen(int curve, uint8_t *priv, uint8_t *share)
{
	const EC_GROUP *group = groups[curve];
	size_t len = curves[curve].field_len;
	EC_POINT *point = EC_POINT_new(group);
	BIGNUM *scalar = new_scalar();
	int err = -ENOMEM;

	if (!point || !scalar)
		goto out;
	do {
		if (!BN_priv_rand_range(scalar, EC_GROUP_get0_order(group)))
			goto out;
	} while (BN_is_zero(scalar));
	if (!EC_POINT_mul(group, point, scalar, NULL, NULL, NULL) ||
	    EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, share, 1 + 2 * len, NULL) != 1 + 2 * len ||
	    BN_bn2binpad(scalar, priv, (int)len) != (int)len)
		goto out;
	err = 0;
out:
	BN_clear_free(scalar);
	EC_POINT_clear_free(point);
	ERR_clear_error();
	return err;
}

/* EC_POINT_oct2point() checks that the point is on the curve: enough with cofactor 1 and infinity excluded. */
static int ec_derive(int curve, uint8_t *secret, const uint8_t *priv, const uint8_t *share)
{
	const EC_GROUP *group = groups[curve];
	size_t len = curves[curve].field_len;
	EC_POINT *peer = EC_POINT_new(group), *point = EC_POINT_new(group);
	BIGNUM *scalar = new_scalar(), *x = BN_secure_new();
	int err = -ENOMEM;

	if (!peer || !point || !scalar || !x || !BN_bin2bn(priv, (int)len, scalar))
		goto out;
	err = -EBADMSG;
	if (share[0] != POINT_CONVERSION_UNCOMPRESSED || !EC_POINT_oct2point(group, peer, share, 1 + 2 * len, NULL))
		goto out;
	err = -ENOMEM;
	if (!EC_POINT_mul(group, point, NULL, peer, scalar, NULL) ||
	    !EC_POINT_get_affine_coordinates(group, point, x, NULL, NULL) ||
	    BN_bn2binpad(x, secret, (int)len) != (int)len)
		goto out;
	err = 0;
out:
	BN_clear_free(x);
	BN_clear_free(scalar);
	EC_POINT_clear_free(point);
	EC_POINT_free(peer);
	ERR_clear_error();
	return err;
}

static int ec_encaps(int curve, uint8_t *share, uint8_t *secret, const uint8_t *client_share)
{
	uint8_t priv[KEM_PRIV_MAX];
	int err = ec_keygen(curve, priv, share);

	if (!err)
		err = ec_derive(curve, secret, priv, client_share);
	OPENSSL_cleanse(priv, sizeof(priv));
	return err;
}

void p256_keygen(uint8_t *priv, uint8_t *share)
{
	must(ec_keygen(CURVE_P256, priv, share) == 0);
}

int p256_encaps(uint8_t *share, uint8_t *secret, const uint8_t *client_share)
{
	return ec_encaps(CURVE_P256, share, secret, client_share);
}

int p256_decaps(uint8_t *secret, const uint8_t *priv, const uint8_t *server_share)
{
	return ec_derive(CURVE_P256, secret, priv, server_share);
}

void p384_keygen(uint8_t *priv, uint8_t *share)
{
	must(ec_keygen(CURVE_P384, priv, share) == 0);
}

int p384_encaps(uint8_t *share, uint8_t *secret, const uint8_t *client_share)
{
	return ec_encaps(CURVE_P384, share, secret, client_share);
}

int p384_decaps(uint8_t *secret, const uint8_t *priv, const uint8_t *server_share)
{
	return ec_derive(CURVE_P384, secret, priv, server_share);
}

/* ---- signatures ---- */

/* Not SHA512() and the like: in OpenSSL 3 those fetch and allocate. */
size_t sig_digest(uint8_t *out, enum sig_md md, const uint8_t *msg, size_t len)
{
	SHA512_CTX sha512;
	struct hash h;

	must(md > SIG_MD_NONE && md <= SIG_MD_SHA512);
	if (md == SIG_MD_SHA512) {
		must(SHA512_Init(&sha512) && SHA512_Update(&sha512, msg, len) && SHA512_Final(out, &sha512));
		return SHA512_DIGEST_LENGTH;
	}
	hash_init(&h, md == SIG_MD_SHA384 ? HASH_SHA384 : HASH_SHA256);
	hash_update(&h, msg, len);
	hash_final(&h, out);
	return hash_len(h.id);
}

int sig_pctx_setup(EVP_PKEY_CTX *pctx, const struct sig_scheme *s)
{
	const EVP_MD *const mds[] = {
		[SIG_MD_SHA256] = EVP_sha256(),
		[SIG_MD_SHA384] = EVP_sha384(),
		[SIG_MD_SHA512] = EVP_sha512(),
	};
	bool rsa = s->type == SIG_TYPE_RSA || s->type == SIG_TYPE_RSA_PSS;

	must(s->md != SIG_MD_NONE);
	if (rsa && EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) <= 0)
		return -EINVAL;
	if (EVP_PKEY_CTX_set_signature_md(pctx, mds[s->md]) <= 0)
		return -EINVAL;
	/* RFC 8446 4.2.3: MGF1 with the same hash, salt as long as the hash */
	if (rsa && (EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, mds[s->md]) <= 0 ||
		    EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) <= 0))
		return -EINVAL;
	return 0;
}

static int ec_type_of(enum sig_type *out, EVP_PKEY *pkey)
{
	char name[64];
	size_t len;
	int explicit = 0;

	if (EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &explicit) && explicit)
		return -EINVAL;
	if (!EVP_PKEY_get_group_name(pkey, name, sizeof(name), &len))
		return -EINVAL;
	if (!strcmp(name, SN_X9_62_prime256v1))
		*out = SIG_TYPE_P256;
	else if (!strcmp(name, SN_secp384r1))
		*out = SIG_TYPE_P384;
	else
		return -EINVAL;
	return 0;
}

int sig_type_of(enum sig_type *out, EVP_PKEY *pkey)
{
	int id = EVP_PKEY_get_base_id(pkey), bits = EVP_PKEY_get_bits(pkey), err = 0;

	if (id == EVP_PKEY_ED25519)
		*out = SIG_TYPE_ED25519;
	else if (id == EVP_PKEY_RSA && bits >= 2048 && bits <= SIG_MAX * 8)
		*out = SIG_TYPE_RSA;
	else if (id == EVP_PKEY_RSA_PSS && bits >= 2048 && bits <= SIG_MAX * 8)
		*out = SIG_TYPE_RSA_PSS;
	else
		err = id == EVP_PKEY_EC ? ec_type_of(out, pkey) : -EINVAL;
	ERR_clear_error();
	return err;
}

int sig_verify(const struct sig_pub *pub, uint16_t scheme, const uint8_t *sig, size_t sig_len, const uint8_t *msg,
	       size_t len)
{
	const struct sig_scheme *s = sig_scheme_find(scheme);
	uint8_t md[SIG_MD_MAX];
	EVP_PKEY_CTX *pctx;
	size_t md_len;
	int err = -EBADMSG;

	if (!s || s->type != pub->type)
		return -EINVAL;
	if (s->type == SIG_TYPE_ED25519)
		return sig_len == ED25519_SIG_LEN ? ed25519_verify(sig, msg, len, pub->ed25519) : -EBADMSG;
	pctx = EVP_PKEY_CTX_new(pub->pkey, NULL);
	if (!pctx || EVP_PKEY_verify_init(pctx) <= 0)
		goto out;
	if (sig_pctx_setup(pctx, s)) {
		err = -EINVAL;
		goto out;
	}
	md_len = sig_digest(md, s->md, msg, len);
	if (EVP_PKEY_verify(pctx, sig, sig_len, md, md_len) == 1)
		err = 0;
out:
	EVP_PKEY_CTX_free(pctx);
	ERR_clear_error();
	return err;
}

void sig_pub_free(struct sig_pub *pub)
{
	EVP_PKEY_free(pub->pkey);
	memset(pub, 0, sizeof(*pub));
}

/* ---- start and stop ---- */

/*
 * Everything is fetched here: nothing is opened or loaded later, when the process may no longer open files. The C
 * library would read the time zone at its first conversion of a time, that is, at the first certificate. openssl.cnf
 * is not read: it could change which algorithms a daemon has that states its own.
 */
int openssl_start(void)
{
	uint8_t seed;

	tzset();
	if (!OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) || RAND_priv_bytes(&seed, 1) != 1)
		return -EIO;
	gcm_ciphers[GCM_128] = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	gcm_ciphers[GCM_256] = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	for (int i = 0; i < NUM_GCM; i++)
		if (!gcm_ciphers[i])
			return -EIO;
	for (int i = 0; i < NUM_CURVES; i++) {
		groups[i] = EC_GROUP_new_by_curve_name(curves[i].nid);
		if (!groups[i])
			return -EIO;
	}
	return 0;
}

int openssl_thread_start(void)
{
	for (int i = 0; i < NUM_GCM; i++) {
		gcm_ctxs[i] = EVP_CIPHER_CTX_new();
		if (!gcm_ctxs[i] || !EVP_CipherInit_ex(gcm_ctxs[i], gcm_ciphers[i], NULL, NULL, NULL, 1)) {
			openssl_thread_stop();
			return -ENOMEM;
		}
	}
	return 0;
}

void openssl_thread_stop(void)
{
	for (int i = 0; i < NUM_GCM; i++) {
		EVP_CIPHER_CTX_free(gcm_ctxs[i]);	/* wipes */
		gcm_ctxs[i] = NULL;
	}
}
