// SPDX-License-Identifier: GPL-2.0-only
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/string.h>
#include "kdf.h"

#define HASH_MAX 48

struct hash {
	const char *name;
	int len;
	struct crypto_shash *tfm;	/* keeps the algorithm loaded; never keyed */
};

static struct hash hashes[] = { { "hmac(sha256)", 32 }, { "hmac(sha384)", 48 } };

/**
 * tlshd_kdf_init() - have the hashes loaded
 *
 * Return: 0 or an errno of the crypto API.
 */
int __init tlshd_kdf_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++) {
		hashes[i].tfm = crypto_alloc_shash(hashes[i].name, 0, 0);
		if (IS_ERR(hashes[i].tfm))
			goto err;
	}
	return 0;
err:
	tlshd_kdf_exit();
	return PTR_ERR(hashes[i].tfm);
}

/**
 * tlshd_kdf_exit() - let the hashes go
 */
void tlshd_kdf_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(hashes); i++)
		if (!IS_ERR_OR_NULL(hashes[i].tfm))
			crypto_free_shash(hashes[i].tfm);
}

/*
 * HKDF-Expand-Label, RFC 8446 section 7.1, with an empty context and a length up to the hash's: HKDF-Expand is then
 * one HMAC of HkdfLabel and the byte 1.
 */
static int expand_label(struct crypto_shash *keyed, u8 *out, int len, const char *label)
{
	u8 info[2 + 1 + 6 + 8 + 1 + 1], block[HASH_MAX];
	int label_len = strlen(label), n = 0, err;

	if (WARN_ON(label_len > 8 || len > crypto_shash_digestsize(keyed)))
		return -EINVAL;
	info[n++] = len >> 8;
	info[n++] = len;
	info[n++] = 6 + label_len;
	memcpy(info + n, "tls13 ", 6);
	n += 6;
	memcpy(info + n, label, label_len);
	n += label_len;
	info[n++] = 0;
	info[n++] = 1;
	err = crypto_shash_tfm_digest(keyed, info, n, block);
	if (!err)
		memcpy(out, block, len);
	memzero_explicit(block, sizeof(block));
	return err;
}

/**
 * tlshd_kdf_keys() - a direction's key and IV
 * @keys: out; all zero on failure. Secret: the caller wipes it
 * @secret: application traffic secret, @hash_len bytes
 * @hash_len: 32 or 48
 * @key_len: up to TLSHD_KEY_MAX
 *
 * A transform of its own for each call: none is shared between connections, and freeing it wipes its key.
 *
 * Return: 0; -EINVAL for another @hash_len; -ENOMEM; an errno of the crypto API.
 */
int tlshd_kdf_keys(struct tlshd_kdf_keys *keys, const u8 *secret, int hash_len, int key_len)
{
	struct crypto_shash *keyed;
	int i, err;

	memset(keys, 0, sizeof(*keys));
	for (i = 0; i < ARRAY_SIZE(hashes) && hashes[i].len != hash_len; i++)
		;
	if (i == ARRAY_SIZE(hashes))
		return -EINVAL;
	keyed = crypto_alloc_shash(hashes[i].name, 0, 0);
	if (IS_ERR(keyed))
		return PTR_ERR(keyed);
	err = crypto_shash_setkey(keyed, secret, hash_len);
	if (!err)
		err = expand_label(keyed, keys->key, key_len, "key");
	if (!err)
		err = expand_label(keyed, keys->iv, sizeof(keys->iv), "iv");
	crypto_free_shash(keyed);
	if (err)
		memzero_explicit(keys, sizeof(*keys));
	return err;
}
