// SPDX-License-Identifier: MIT
/*
 * Where secrets begin and end: the linker puts these in front of the engine's own functions and of its calls into libraries
 * (--wrap in ct.mk). Randomness for keys and the private key become secret; shares, signatures, sealed records, opened
 * plaintext and verdicts become public again. Nothing else does: what lies in between must carry the mark.
 */
#include <sodium.h>

#include <openssl/bn.h>
#include <openssl/evp.h>

#include "tests/unit/crypto_util.h"
#include "tlshd/crypto/impl.h"
#include "tlshd/tls/offer.h"
#include "tlshd/tls/ticket.h"

#include "secret.h"

enum leak leak;

/* ---- the mark must arrive ---- */

enum seen {
	SEEN_BINDER, SEEN_TICKET, SEEN_EARLY, SEEN_EXTERNAL, NUM_SEEN_PSK,
	SEEN_DHE = NUM_SEEN_PSK, SEEN_HANDSHAKE, SEEN_MASTER, SEEN_TRAFFIC, SEEN_FINISHED, SEEN_COMPARE, NUM_SEEN
};
static size_t seen[NUM_SEEN];

/* Not every bit: the topmost of an X25519 secret is known to be 0. */
void must_be_secret(const char *what, const void *p, size_t len)
{
	uint8_t bits[64];

	assert_true(len > 0 && len <= sizeof(bits));
	assert_int_equal(VALGRIND_GET_VBITS(p, bits, len), 1);
	for (size_t i = 0; i < len; i++)
		if (!bits[i])
			fail_msg("byte %zu of the %s is not marked as secret", i, what);
}

static void must_have_seen(enum seen from, enum seen to)
{
	for (size_t i = from; i < to; i++)
		assert_true(seen[i] > 0);
	memset(seen, 0, sizeof(seen));
}

void secret_hook_must_run(void)
{
	must_have_seen(SEEN_DHE, NUM_SEEN);
}

void secret_hook_must_run_psk(enum psk_kind kind)
{
	static const enum seen with[] = {
		[PSK_TICKET] = SEEN_TICKET, [PSK_EARLY] = SEEN_EARLY, [PSK_EXTERNAL] = SEEN_EXTERNAL,
	};

	assert_true(seen[SEEN_BINDER] > 0 && seen[SEEN_COMPARE] > 0);
	must_have_seen(with[kind], with[kind] + 1);
}

/* ---- randomness ---- */

void __real_randombytes_buf(void *const buf, const size_t len);
void __wrap_randombytes_buf(void *const buf, const size_t len);
void __wrap_randombytes_buf(void *const buf, const size_t len)
{
	__real_randombytes_buf(buf, len);
	make_secret(buf, len);
}

/* Of the engine's own: the hellos' randoms and session ids. */
void __real_rand_bytes(uint8_t *out, size_t len);
void __wrap_rand_bytes(uint8_t *out, size_t len);
void __wrap_rand_bytes(uint8_t *out, size_t len)
{
	__real_rand_bytes(out, len);
	make_public(out, len);
}

/* The words of a BIGNUM cannot be reached, but it can be made anew from marked bytes. */
int __real_BN_priv_rand_range(BIGNUM *out, const BIGNUM *range);
int __wrap_BN_priv_rand_range(BIGNUM *out, const BIGNUM *range);
int __wrap_BN_priv_rand_range(BIGNUM *out, const BIGNUM *range)
{
	int len = BN_num_bytes(range);
	uint8_t bytes[66];

	assert_true(len <= (int)sizeof(bytes));
	if (!__real_BN_priv_rand_range(out, range) || BN_bn2binpad(out, bytes, len) != len)
		return 0;
	make_secret(bytes, (size_t)len);
	return BN_bin2bn(bytes, len, out) != NULL;
}

/* ---- key exchange: shares are public, and whether a secret is all zero (RFC 8446 7.4.2) ---- */

int __real_crypto_scalarmult(uint8_t *q, const uint8_t *n, const uint8_t *p);
int __wrap_crypto_scalarmult(uint8_t *q, const uint8_t *n, const uint8_t *p);
int __wrap_crypto_scalarmult(uint8_t *q, const uint8_t *n, const uint8_t *p)
{
	return publish(__real_crypto_scalarmult(q, n, p));
}

static int encaps(const struct kem *kem, uint8_t *share, uint8_t *secret, const uint8_t *client_share)
{
	int err = publish(kem->encaps(share, secret, client_share));

	make_public(share, kem->server_share_len);
	return err;
}

static void keygen(const struct kem *kem, uint8_t *priv, uint8_t *share)
{
	kem->keygen(priv, share);
	make_public(share, kem->client_share_len);
}

#define HOOK(group) \
static struct kem real_##group, hook_##group; \
static void keygen_##group(uint8_t *priv, uint8_t *share) { keygen(&real_##group, priv, share); } \
static int encaps_##group(uint8_t *share, uint8_t *secret, const uint8_t *client_share) \
{ return encaps(&real_##group, share, secret, client_share); } \
static int decaps_##group(uint8_t *secret, const uint8_t *priv, const uint8_t *server_share) \
{ return publish(real_##group.decaps(secret, priv, server_share)); } \
static const struct kem *find_##group(const struct kem *kem) \
{ \
	real_##group = hook_##group = *kem; \
	hook_##group.keygen = keygen_##group; \
	hook_##group.encaps = encaps_##group; \
	hook_##group.decaps = decaps_##group; \
	return &hook_##group; \
}

HOOK(0x001d)
HOOK(0x0017)
HOOK(0x0018)

const struct kem *__real_kem_find(uint16_t group);
const struct kem *__wrap_kem_find(uint16_t group);
const struct kem *__wrap_kem_find(uint16_t group)
{
	const struct kem *kem = __real_kem_find(group);

	switch (kem ? group : 0) {
	case 0x001d:
		return find_0x001d(kem);
	case 0x0017:
		return find_0x0017(kem);
	case 0x0018:
		return find_0x0018(kem);
	case 0:
		return NULL;
	}
	fail_msg("group 0x%04x has no hook here", group);
	return NULL;
}

/* ---- the key schedule: nothing is unmarked, and nothing may have lost its mark ---- */

void __real_keys_handshake_from(struct keys_handshake *hs, struct keys_early *early, const uint8_t *dhe, size_t dhe_len,
				const uint8_t *transcript);
void __wrap_keys_handshake_from(struct keys_handshake *hs, struct keys_early *early, const uint8_t *dhe, size_t dhe_len,
				const uint8_t *transcript);
void __wrap_keys_handshake_from(struct keys_handshake *hs, struct keys_early *early, const uint8_t *dhe, size_t dhe_len,
				const uint8_t *transcript)
{
	size_t len = hash_len(early->hash);

	must_be_secret("(EC)DHE secret", dhe, dhe_len);
	make_secret(early->secret, len);	/* as with a PSK */
	__real_keys_handshake_from(hs, early, dhe, dhe_len, transcript);
	must_be_secret("Handshake Secret", hs->secret, len);
	must_be_secret("client's handshake traffic secret", hs->client, len);
	must_be_secret("server's handshake traffic secret", hs->server, len);
	seen[SEEN_DHE]++;
	seen[SEEN_HANDSHAKE]++;
}

void __real_keys_master_from(struct keys_master *m, struct keys_handshake *hs, const uint8_t *transcript);
void __wrap_keys_master_from(struct keys_master *m, struct keys_handshake *hs, const uint8_t *transcript);
void __wrap_keys_master_from(struct keys_master *m, struct keys_handshake *hs, const uint8_t *transcript)
{
	size_t len = hash_len(hs->hash);

	__real_keys_master_from(m, hs, transcript);
	must_be_secret("Master Secret", m->secret, len);
	must_be_secret("client's application traffic secret", m->client, len);
	must_be_secret("server's application traffic secret", m->server, len);
	must_be_secret("exporter secret", m->exporter, len);
	seen[SEEN_MASTER]++;
}

void __real_keys_traffic(struct tls_keys *out, const struct suite *s, const uint8_t *secret);
void __wrap_keys_traffic(struct tls_keys *out, const struct suite *s, const uint8_t *secret);
void __wrap_keys_traffic(struct tls_keys *out, const struct suite *s, const uint8_t *secret)
{
	static const volatile uint8_t table[256];

	__real_keys_traffic(out, s, secret);
	must_be_secret("key", out->key, aead_key_len(s->aead));
	must_be_secret("IV", out->iv, AEAD_NONCE_LEN);
	must_be_secret("traffic secret", out->secret, hash_len(s->hash));
	if (leak == LEAK_INDEX)
		(void)table[out->key[0]];
	seen[SEEN_TRAFFIC]++;
}

void __real_keys_finished(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *transcript);
void __wrap_keys_finished(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *transcript);
void __wrap_keys_finished(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *transcript)
{
	__real_keys_finished(out, hash, secret, transcript);
	must_be_secret("verify_data", out, hash_len(hash));
	seen[SEEN_FINISHED]++;
}

/* ---- pre-shared keys ---- */

/* A client's binders are public once they are in its hello, which it hashes and sends. */
void __real_offer_bind(struct tls_conn *c, struct build *b);
void __wrap_offer_bind(struct tls_conn *c, struct build *b);
void __wrap_offer_bind(struct tls_conn *c, struct build *b)
{
	__real_offer_bind(c, b);
	make_public(b->p, b->len);
}

void __real_keys_binder(uint8_t *out, const struct keys_early *e, bool external, const uint8_t *transcript);
void __wrap_keys_binder(uint8_t *out, const struct keys_early *e, bool external, const uint8_t *transcript);
void __wrap_keys_binder(uint8_t *out, const struct keys_early *e, bool external, const uint8_t *transcript)
{
	must_be_secret("Early Secret", e->secret, hash_len(e->hash));
	__real_keys_binder(out, e, external, transcript);
	must_be_secret("binder", out, hash_len(e->hash));
	seen[SEEN_BINDER]++;
}

void __real_keys_early_traffic(uint8_t *out, const struct keys_early *e, const uint8_t *transcript);
void __wrap_keys_early_traffic(uint8_t *out, const struct keys_early *e, const uint8_t *transcript);
void __wrap_keys_early_traffic(uint8_t *out, const struct keys_early *e, const uint8_t *transcript)
{
	must_be_secret("Early Secret", e->secret, hash_len(e->hash));
	__real_keys_early_traffic(out, e, transcript);
	seen[SEEN_EARLY]++;
}

void __real_keys_handshake_given(struct keys_handshake *hs, enum hash_id hash, const uint8_t *secret,
				 const uint8_t *transcript);
void __wrap_keys_handshake_given(struct keys_handshake *hs, enum hash_id hash, const uint8_t *secret,
				 const uint8_t *transcript);
void __wrap_keys_handshake_given(struct keys_handshake *hs, enum hash_id hash, const uint8_t *secret,
				 const uint8_t *transcript)
{
	must_be_secret("Handshake Secret from the signer", secret, hash_len(hash));
	__real_keys_handshake_given(hs, hash, secret, transcript);
	seen[SEEN_EXTERNAL]++;
}

/* Of a ticket's content only its key is a secret; the rest is compared and chosen by. */
bool __real_ticket_decode(struct ticket *t, const uint8_t *state, size_t len);
bool __wrap_ticket_decode(struct ticket *t, const uint8_t *state, size_t len);
bool __wrap_ticket_decode(struct ticket *t, const uint8_t *state, size_t len)
{
	struct ticket copy;
	size_t key = 3;		/* behind format and suite */
	bool ok;

	make_public((uint8_t *)state, len);
	if (!__real_ticket_decode(&copy, state, len))
		return false;
	make_secret((uint8_t *)state + key, hash_len(suite_find(copy.suite)->hash));
	ok = __real_ticket_decode(t, state, len);
	must_be_secret("ticket's key", t->psk, hash_len(suite_find(copy.suite)->hash));
	seen[SEEN_TICKET]++;
	return ok;
}

/* ---- verdicts ---- */

bool __real_equal_ct(const void *a, const void *b, size_t len);
bool __wrap_equal_ct(const void *a, const void *b, size_t len);
bool __wrap_equal_ct(const void *a, const void *b, size_t len)
{
	const uint8_t *x = a, *y = b;

	seen[SEEN_COMPARE]++;
	for (size_t i = 0; leak == LEAK_BRANCH && i < len; i++)
		if (x[i] != y[i])
			return false;
	return publish(__real_equal_ct(a, b, len));
}

int __real_EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len);
int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len);
int __wrap_EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len)
{
	return publish(__real_EVP_CipherFinal_ex(ctx, out, len));
}

int __real_crypto_aead_chacha20poly1305_ietf_decrypt(unsigned char *m, unsigned long long *mlen, unsigned char *nsec,
		const unsigned char *c, unsigned long long clen, const unsigned char *ad, unsigned long long adlen,
		const unsigned char *npub, const unsigned char *k);
int __wrap_crypto_aead_chacha20poly1305_ietf_decrypt(unsigned char *m, unsigned long long *mlen, unsigned char *nsec,
		const unsigned char *c, unsigned long long clen, const unsigned char *ad, unsigned long long adlen,
		const unsigned char *npub, const unsigned char *k);
int __wrap_crypto_aead_chacha20poly1305_ietf_decrypt(unsigned char *m, unsigned long long *mlen, unsigned char *nsec,
		const unsigned char *c, unsigned long long clen, const unsigned char *ad, unsigned long long adlen,
		const unsigned char *npub, const unsigned char *k)
{
	return publish(__real_crypto_aead_chacha20poly1305_ietf_decrypt(m, mlen, nsec, c, clen, ad, adlen, npub, k));
}

/* A peer that signs knows all that it signs, our Finished among it, whose mark the transcript's hash carries. */
int __real_sig_verify(const struct sig_pub *pub, uint16_t scheme, const uint8_t *sig, size_t sig_len, const uint8_t *msg,
		      size_t len);
int __wrap_sig_verify(const struct sig_pub *pub, uint16_t scheme, const uint8_t *sig, size_t sig_len, const uint8_t *msg,
		      size_t len);
int __wrap_sig_verify(const struct sig_pub *pub, uint16_t scheme, const uint8_t *sig, size_t sig_len, const uint8_t *msg,
		      size_t len)
{
	uint8_t known[TLS_SIGN_INPUT_MAX];

	assert_true(len <= sizeof(known));
	memcpy(known, msg, len);
	make_public(known, len);
	return __real_sig_verify(pub, scheme, sig, sig_len, known, len);
}

/* ---- records: what goes out, and what a peer has sent ---- */

void __real_aead_seal(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
		      const uint8_t *key, const uint8_t *nonce);
void __wrap_aead_seal(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
		      const uint8_t *key, const uint8_t *nonce);
void __wrap_aead_seal(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
		      const uint8_t *key, const uint8_t *nonce)
{
	if (!ad)
		make_secret((uint8_t *)key, aead_key_len(id));	/* of the keeper of tickets */
	must_be_secret("key of what is sealed", key, aead_key_len(id));
	__real_aead_seal(id, out, in, len, ad, ad_len, key, nonce);
	make_public(out, len + AEAD_TAG_LEN);
}

int __real_aead_open(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
		     const uint8_t *key, const uint8_t *nonce);
int __wrap_aead_open(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
		     const uint8_t *key, const uint8_t *nonce);
int __wrap_aead_open(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
		     const uint8_t *key, const uint8_t *nonce)
{
	int err = __real_aead_open(id, out, in, len, ad, ad_len, key, nonce);

	/*
	 * Messages and padding are parsed, which takes branches: RFC 8446 5.4 leaves their lengths to the application.
	 * Tickets, which have no additional data, are ticket_decode()'s matter.
	 */
	if (!err && len > AEAD_TAG_LEN && ad)
		make_public(out, len - AEAD_TAG_LEN);
	return err;
}

/* ---- the private key: Ed25519's is in our memory, others stay in libcrypto ---- */

int __real_EVP_PKEY_get_raw_private_key(const EVP_PKEY *pkey, unsigned char *priv, size_t *len);
int __wrap_EVP_PKEY_get_raw_private_key(const EVP_PKEY *pkey, unsigned char *priv, size_t *len);
int __wrap_EVP_PKEY_get_raw_private_key(const EVP_PKEY *pkey, unsigned char *priv, size_t *len)
{
	int ok = __real_EVP_PKEY_get_raw_private_key(pkey, priv, len);

	if (ok == 1)
		make_secret(priv, *len);
	return ok;
}

void __real_ed25519_sign(uint8_t *sig, const uint8_t *msg, size_t len, const uint8_t *priv);
void __wrap_ed25519_sign(uint8_t *sig, const uint8_t *msg, size_t len, const uint8_t *priv);
void __wrap_ed25519_sign(uint8_t *sig, const uint8_t *msg, size_t len, const uint8_t *priv)
{
	must_be_secret("Ed25519 key", priv, ED25519_SEED_LEN);
	__real_ed25519_sign(sig, msg, len, priv);
	make_public(sig, ED25519_SIG_LEN);
}
