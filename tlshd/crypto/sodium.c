// SPDX-License-Identifier: MIT
/* The half of crypto that libsodium does: randomness, wiping, (X)ChaCha20-Poly1305, BLAKE2b, X25519, Ed25519. */
#include <errno.h>
#include <sodium.h>

#include "impl.h"

_Static_assert(crypto_aead_chacha20poly1305_ietf_NPUBBYTES == AEAD_NONCE_LEN, "nonce");
_Static_assert(crypto_aead_chacha20poly1305_ietf_ABYTES == AEAD_TAG_LEN, "tag");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == XCHACHA_KEY_LEN, "long nonce's key");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == XCHACHA_NONCE_LEN, "long nonce");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_ABYTES == XCHACHA_TAG_LEN, "long nonce's tag");
_Static_assert(crypto_generichash_KEYBYTES_MIN == 16 && crypto_generichash_KEYBYTES_MAX == 64, "BLAKE2b key");
_Static_assert(crypto_scalarmult_BYTES == X25519_LEN && crypto_scalarmult_SCALARBYTES == X25519_LEN, "X25519");
_Static_assert(crypto_sign_SEEDBYTES == ED25519_SEED_LEN, "Ed25519 seed");
_Static_assert(crypto_sign_SECRETKEYBYTES == ED25519_PRIV_LEN, "Ed25519 key");
_Static_assert(crypto_sign_BYTES == ED25519_SIG_LEN, "Ed25519 signature");

int sodium_start(void)
{
	return sodium_init() < 0 ? -EIO : 0;
}

void rand_bytes(uint8_t *out, size_t len)
{
	randombytes_buf(out, len);
}

void wipe(void *p, size_t len)
{
	sodium_memzero(p, len);
}

bool equal_ct(const void *a, const void *b, size_t len)
{
	return sodium_memcmp(a, b, len) == 0;
}

void chacha_seal(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len, const uint8_t *key,
		 const uint8_t *nonce)
{
	must(crypto_aead_chacha20poly1305_ietf_encrypt(out, NULL, in, len, ad, ad_len, NULL, nonce, key) == 0);
}

int chacha_open(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len, const uint8_t *key,
		const uint8_t *nonce)
{
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, NULL, NULL, in, len, ad, ad_len, nonce, key) != 0)
		return -EBADMSG;
	return 0;
}

void xchacha_seal(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len, const uint8_t *key,
		  const uint8_t *nonce)
{
	must(crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, in, len, ad, ad_len, NULL, nonce, key) == 0);
}

int xchacha_open(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len, const uint8_t *key,
		 const uint8_t *nonce)
{
	/* libsodium refuses what is shorter than a tag. */
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, in, len, ad, ad_len, nonce, key) != 0)
		return -EBADMSG;
	return 0;
}

void prf(uint8_t *out, const uint8_t *key, size_t key_len, const struct iov *parts, size_t num)
{
	crypto_generichash_state state;

	must(crypto_generichash_init(&state, key, key_len, PRF_LEN) == 0 && key_len >= crypto_generichash_KEYBYTES_MIN);
	for (size_t i = 0; i < num; i++)
		must(crypto_generichash_update(&state, parts[i].p, parts[i].len) == 0);
	must(crypto_generichash_final(&state, out, PRF_LEN) == 0);
	sodium_memzero(&state, sizeof(state));
}

void x25519_keygen(uint8_t *priv, uint8_t *share)
{
	randombytes_buf(priv, X25519_LEN);
	must(crypto_scalarmult_base(share, priv) == 0);
}

/* libsodium refuses an all-zero result, in constant time: RFC 8446 7.4.2. */
int x25519_decaps(uint8_t *secret, const uint8_t *priv, const uint8_t *server_share)
{
	if (crypto_scalarmult(secret, priv, server_share) == 0)
		return 0;
	sodium_memzero(secret, X25519_LEN);
	return -EBADMSG;
}

int x25519_encaps(uint8_t *share, uint8_t *secret, const uint8_t *client_share)
{
	uint8_t priv[X25519_LEN];
	int err;

	x25519_keygen(priv, share);
	err = x25519_decaps(secret, priv, client_share);
	sodium_memzero(priv, sizeof(priv));
	return err;
}

void ed25519_expand(uint8_t *priv, const uint8_t *seed)
{
	uint8_t pub[crypto_sign_PUBLICKEYBYTES];

	must(crypto_sign_seed_keypair(pub, priv, seed) == 0);
}

void ed25519_sign(uint8_t *sig, const uint8_t *msg, size_t len, const uint8_t *priv)
{
	must(crypto_sign_detached(sig, NULL, msg, len, priv) == 0);
}

int ed25519_verify(const uint8_t *sig, const uint8_t *msg, size_t len, const uint8_t *pub)
{
	return crypto_sign_verify_detached(sig, msg, len, pub) == 0 ? 0 : -EBADMSG;
}
