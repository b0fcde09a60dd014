// SPDX-License-Identifier: MIT
/*
 * Private keys: load, match to a certificate, sign. Linked into the signer and into tests. A key is used by one
 * thread at a time: its signing contexts are made once, at load, because making one costs more than an ECDSA signature.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "impl.h"

struct sig_key {
	enum sig_type type;
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *signing[SIG_SCHEMES_MAX];	/* by row of sig_schemes; NULL: does not fit, or Ed25519 */
	uint8_t ed25519[ED25519_PRIV_LEN];
};

/* Never asks: a daemon has no terminal, and a passphrase beside its key protects nothing. */
static int refuse_passphrase(char *buf, int size, int writing, void *asked)
{
	(void)writing;
	if (size > 0)
		buf[0] = 0;
	*(bool *)asked = true;
	return -1;
}

static EVP_PKEY *parse(const char *pem, size_t len, char *err, size_t err_len)
{
	BIO *bio = len > 0 && len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	EVP_PKEY *pkey = NULL;
	bool asked = false;

	if (bio)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, refuse_passphrase, &asked);
	if (!pkey)
		snprintf(err, err_len, "%s", asked ? "the key is encrypted, expected one without a passphrase" :
			 "no private key that parses, expected PEM (PKCS#8, SEC1 or PKCS#1)");
	BIO_free(bio);
	return pkey;
}

/* Public and private half belong together: a damaged file would sign what no peer accepts, or leak an RSA factor. */
static bool is_whole(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *pctx = EVP_PKEY_CTX_new(pkey, NULL);
	bool ok = pctx && EVP_PKEY_pairwise_check(pctx) == 1;

	EVP_PKEY_CTX_free(pctx);
	return ok;
}

static int prepare_ed25519(struct sig_key *key)
{
	uint8_t seed[ED25519_SEED_LEN];
	size_t len = sizeof(seed);
	bool ok = EVP_PKEY_get_raw_private_key(key->pkey, seed, &len) == 1 && len == sizeof(seed);

	if (ok)
		ed25519_expand(key->ed25519, seed);
	OPENSSL_cleanse(seed, sizeof(seed));
	return ok ? 0 : -ENOMEM;
}

static int prepare(struct sig_key *key)
{
	if (key->type == SIG_TYPE_ED25519)
		return prepare_ed25519(key);
	for (int i = 0; i < SIG_SCHEMES_MAX; i++) {
		if (sig_schemes[i].type != key->type)
			continue;
		key->signing[i] = EVP_PKEY_CTX_new(key->pkey, NULL);
		if (!key->signing[i] || EVP_PKEY_sign_init(key->signing[i]) <= 0)
			return -ENOMEM;
		if (sig_pctx_setup(key->signing[i], &sig_schemes[i]))
			return -EINVAL;
	}
	return 0;
}

int sig_key_load(struct sig_key **out, const char *pem, size_t len, char *err, size_t err_len)
{
	struct sig_key *key = OPENSSL_secure_zalloc(sizeof(*key));
	int ret = -ENOMEM;

	*out = NULL;
	snprintf(err, err_len, "out of memory");
	if (!key)
		goto out;
	ret = -EINVAL;
	key->pkey = parse(pem, len, err, err_len);
	if (!key->pkey)
		goto out;
	if (sig_type_of(&key->type, key->pkey)) {
		snprintf(err, err_len, "this type or size of key is not supported, expected %s", SIG_TYPES_WORDS);
		goto out;
	}
	if (!is_whole(key->pkey)) {
		snprintf(err, err_len, "the key is damaged: its private and public half do not belong together");
		goto out;
	}
	ret = prepare(key);
	if (ret == -EINVAL)
		snprintf(err, err_len, "the RSA-PSS key is limited to one hash, expected one without parameters");
	else if (ret)
		snprintf(err, err_len, "out of memory");
out:
	ERR_clear_error();
	if (ret)
		sig_key_free(key);
	else
		*out = key;
	return ret;
}

void sig_key_free(struct sig_key *key)
{
	if (!key)
		return;
	for (int i = 0; i < SIG_SCHEMES_MAX; i++)
		EVP_PKEY_CTX_free(key->signing[i]);
	EVP_PKEY_free(key->pkey);
	OPENSSL_secure_clear_free(key, sizeof(*key));
}

enum sig_type sig_key_type(const struct sig_key *key)
{
	return key->type;
}

bool sig_key_matches(const struct sig_key *key, const uint8_t *leaf, size_t len)
{
	const uint8_t *p = leaf;
	X509 *x = len <= LONG_MAX ? d2i_X509(NULL, &p, (long)len) : NULL;
	bool ok = x && X509_check_private_key(x, key->pkey) == 1;

	X509_free(x);
	ERR_clear_error();
	return ok;
}

int sig_sign(struct sig_key *key, uint16_t scheme, uint8_t *sig, size_t *sig_len, const uint8_t *msg, size_t len)
{
	const struct sig_scheme *s = sig_scheme_find(scheme);
	uint8_t md[SIG_MD_MAX];
	size_t md_len;
	int err = 0;

	if (!s || s->type != key->type)
		return -EINVAL;
	if (s->type == SIG_TYPE_ED25519) {
		ed25519_sign(sig, msg, len, key->ed25519);
		*sig_len = ED25519_SIG_LEN;
		return 0;
	}
	md_len = sig_digest(md, s->md, msg, len);
	*sig_len = SIG_MAX;
	if (EVP_PKEY_sign(key->signing[s - sig_schemes], sig, sig_len, md, md_len) != 1) {
		*sig_len = 0;
		err = -EIO;
	}
	ERR_clear_error();
	return err;
}
