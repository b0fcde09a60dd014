/* SPDX-License-Identifier: MIT */
/*
 * crypto: the only place that names a crypto library. sodium.c wraps libsodium, openssl.c the primitives of
 * libcrypto, x509*.c its certificates, key.c private keys (for the signer and for tests; a worker has no use for
 * it), crypto.c chooses.
 *
 * Nothing here allocates unless its comment says so. A programmer's error (a length out of range, an unknown id)
 * aborts; a peer's error returns -EBADMSG or what the comment lists. Everything that can fail is must-check.
 */
#ifndef TLSHD_CRYPTO_H
#define TLSHD_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CRYPTO_MUST_CHECK __attribute__((warn_unused_result))

/**
 * crypto_init() - once in each process, before any other call
 *
 * Return: 0, or -EIO if a library or one of the algorithms below cannot be had (said on no channel: the caller logs
 * it).
 */
int crypto_init(void) CRYPTO_MUST_CHECK;

/**
 * crypto_thread_init() - make this thread's kept cipher contexts; allocates in libcrypto. 0 or -ENOMEM
 * crypto_thread_exit() - wipe and free them
 *
 * aead_*() of a thread work only in between.
 */
int crypto_thread_init(void) CRYPTO_MUST_CHECK;
void crypto_thread_exit(void);

/* ---- randomness, wiping, comparing (sodium.c) ---- */

void rand_bytes(uint8_t *out, size_t len);
void wipe(void *p, size_t len);
bool equal_ct(const void *a, const void *b, size_t len);	/* constant time in the contents */

/* ---- hash and HMAC (openssl.c) ---- */

enum hash_id { HASH_SHA256, HASH_SHA384 };
#define HASH_MAX 48

static inline size_t hash_len(enum hash_id id) { return id == HASH_SHA384 ? 48 : 32; }

/**
 * struct hash - a running hash, copied by assignment
 * @id: which
 * @opaque: SHA256_CTX or SHA512_CTX of libcrypto; openssl.c asserts that they fit
 */
struct hash {
	enum hash_id id;
	uint64_t opaque[27];
};

void hash_init(struct hash *h, enum hash_id id);
void hash_update(struct hash *h, const void *p, size_t len);
void hash_final(const struct hash *h, uint8_t *out);	/* hash_len(id) bytes; @h goes on */

struct iov { const void *p; size_t len; };

/**
 * hmac() - HMAC over the concatenation of @num parts
 * @out: hash_len(@id) bytes; may be the key's own place
 * @key: @key_len bytes, any length
 */
void hmac(enum hash_id id, uint8_t *out, const uint8_t *key, size_t key_len, const struct iov *parts, size_t num);

/**
 * struct hmac_key - a key's two midstates, for several HMACs under one secret; holds a secret: wipe it
 *
 * RFC 2104. The one construction built here from a library's parts, because a handshake computes 22 HMACs and the
 * library's own call costs five times as much; tested against that call.
 */
struct hmac_key {
	struct hash inner, outer;
};

void hmac_key_init(struct hmac_key *k, enum hash_id id, const uint8_t *key, size_t key_len);
void hmac_with(const struct hmac_key *k, uint8_t *out, const struct iov *parts, size_t num);

/* ---- AEAD: 12-byte nonce, 16-byte tag (AES-GCM in openssl.c, ChaCha20-Poly1305 in sodium.c) ---- */

enum aead_id { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305 };
#define AEAD_KEY_MAX	32
#define AEAD_NONCE_LEN	12
#define AEAD_TAG_LEN	16

static inline size_t aead_key_len(enum aead_id id) { return id == AEAD_AES_128_GCM ? 16 : 32; }

/**
 * aead_seal() - encrypt
 * @out: @len + AEAD_TAG_LEN bytes; @out == @in is allowed, other overlap is not
 * @key: aead_key_len(@id) bytes; @nonce: AEAD_NONCE_LEN bytes, never used twice with one key
 */
void aead_seal(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
	       const uint8_t *key, const uint8_t *nonce);

/**
 * aead_open() - verify and decrypt
 * @out: @len - AEAD_TAG_LEN bytes, untouched or wiped on failure; @out == @in is allowed
 * @len: of @in with its tag
 *
 * Return: 0, or -EBADMSG if the tag is wrong or @len is below AEAD_TAG_LEN.
 */
int aead_open(enum aead_id id, uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len,
	      const uint8_t *key, const uint8_t *nonce) CRYPTO_MUST_CHECK;

/* ---- what we seal for ourselves: tickets (sodium.c) ---- */

#define XCHACHA_KEY_LEN		32
#define XCHACHA_NONCE_LEN	24
#define XCHACHA_TAG_LEN		16

/**
 * xchacha_seal() - encrypt, XChaCha20-Poly1305
 * @out: @len + XCHACHA_TAG_LEN bytes; @out == @in is allowed, other overlap is not
 * @key: XCHACHA_KEY_LEN bytes; @nonce: XCHACHA_NONCE_LEN bytes, so long that random ones do not repeat
 */
void xchacha_seal(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len, const uint8_t *key,
		  const uint8_t *nonce);

/**
 * xchacha_open() - verify and decrypt
 * @out: @len - XCHACHA_TAG_LEN bytes, untouched or wiped on failure; @out == @in is allowed
 * @len: of @in with its tag
 *
 * Return: 0, or -EBADMSG if the tag is wrong or @len is below XCHACHA_TAG_LEN.
 */
int xchacha_open(uint8_t *out, const uint8_t *in, size_t len, const uint8_t *ad, size_t ad_len, const uint8_t *key,
		 const uint8_t *nonce) CRYPTO_MUST_CHECK;

#define PRF_LEN 32

/**
 * prf() - keyed BLAKE2b of 256 bits over the concatenation of @num parts
 * @out: PRF_LEN bytes; may be the key's own place
 * @key: @key_len bytes, 16 to 64
 *
 * Derives keys from a key, and one from a secret of any length with a constant for @key.
 */
void prf(uint8_t *out, const uint8_t *key, size_t key_len, const struct iov *parts, size_t num);

/* ---- key exchange groups, as KEMs (X25519 in sodium.c, P-256 and P-384 in openssl.c) ---- */

#define KEM_SHARE_MAX	97	/* grows with the table */
#define KEM_PRIV_MAX	48
#define KEM_SECRET_MAX	48

/**
 * struct kem - one NamedGroup
 * @group: RFC 8446 4.2.7
 * @client_share_len, @server_share_len: exact bytes of KeyShareEntry.key_exchange in each direction
 * @secret_len: bytes of the shared secret
 * @keygen: client: make @priv (KEM_PRIV_MAX bytes, a secret) and its share
 * @encaps: server: from the client's share make our share and the secret. -EBADMSG: the share is no valid point or the
 *	secret is all zero (RFC 8446 7.4.2, 4.2.8.2). -ENOMEM
 * @decaps: client: the secret from our @priv and the server's share. -EBADMSG, -ENOMEM likewise
 *
 * The NIST curves allocate in libcrypto: without memory keygen aborts, and a share may count as invalid. X25519 does not.
 */
struct kem {
	uint16_t group;
	uint16_t client_share_len, server_share_len, secret_len;
	const char *name;
	void (*keygen)(uint8_t *priv, uint8_t *share);
	int (*encaps)(uint8_t *share, uint8_t *secret, const uint8_t *client_share) CRYPTO_MUST_CHECK;
	int (*decaps)(uint8_t *secret, const uint8_t *priv, const uint8_t *server_share) CRYPTO_MUST_CHECK;
};

const struct kem *kem_find(uint16_t group);	/* NULL: not supported */

/* ---- signatures (openssl.c; Ed25519 in sodium.c) ---- */

/* SignatureScheme, RFC 8446 4.2.3: what CertificateVerify may use here */
#define SIG_ECDSA_P256_SHA256	0x0403
#define SIG_ECDSA_P384_SHA384	0x0503
#define SIG_ED25519		0x0807
#define SIG_RSA_PSS_RSAE_SHA256	0x0804
#define SIG_RSA_PSS_RSAE_SHA384	0x0805
#define SIG_RSA_PSS_RSAE_SHA512	0x0806
#define SIG_RSA_PSS_PSS_SHA256	0x0809
#define SIG_RSA_PSS_PSS_SHA384	0x080a
#define SIG_RSA_PSS_PSS_SHA512	0x080b
#define SIG_MAX			512	/* bytes of a signature: RSA-4096 */
#define SIG_SCHEMES_MAX		9

enum sig_type { SIG_TYPE_P256, SIG_TYPE_P384, SIG_TYPE_ED25519, SIG_TYPE_RSA, SIG_TYPE_RSA_PSS };

bool sig_scheme_fits(uint16_t scheme, enum sig_type type);	/* curve and hash tied as TLS 1.3 wants it */

/* A public key, parsed. Made by x509_verify(); the bytes of Ed25519 stand in it, others are libcrypto's. */
struct sig_pub {
	enum sig_type type;
	uint8_t ed25519[32];
	void *pkey;
};

/**
 * sig_verify() - check a signature over @len bytes of @msg; allocates in libcrypto, except for Ed25519
 *
 * Return: 0; -EBADMSG the signature is wrong; -EINVAL the scheme does not fit the key (RFC 8446 4.4.3:
 * illegal_parameter).
 */
int sig_verify(const struct sig_pub *pub, uint16_t scheme, const uint8_t *sig, size_t sig_len, const uint8_t *msg,
	       size_t len) CRYPTO_MUST_CHECK;
void sig_pub_free(struct sig_pub *pub);		/* zeroed structs are fine */

/* ---- private keys (key.c): the signer and tests ---- */

struct sig_key;		/* heap of libcrypto, secure heap where it is set up */

/**
 * sig_key_load() - a private key from PEM (PKCS#8, SEC1, PKCS#1; no passphrase)
 * @pem: borrowed; the caller wipes it
 * @err: out: what was wrong and what was expected, one line, no secret
 *
 * Return: 0; -EINVAL with @err filled (RSA below 2048 or above 4096 bits, other curves and types are refused); -ENOMEM.
 */
int sig_key_load(struct sig_key **out, const char *pem, size_t len, char *err, size_t err_len) CRYPTO_MUST_CHECK;
void sig_key_free(struct sig_key *key);
enum sig_type sig_key_type(const struct sig_key *key);

/**
 * sig_key_matches() - is this the private half of that certificate's key?
 * @leaf: one DER certificate
 */
bool sig_key_matches(const struct sig_key *key, const uint8_t *leaf, size_t len);

/**
 * sig_sign() - sign @len bytes of @msg
 * @sig: SIG_MAX bytes; @sig_len: out
 *
 * Return: 0; -EINVAL the scheme does not fit the key; -EIO the library failed.
 */
int sig_sign(struct sig_key *key, uint16_t scheme, uint8_t *sig, size_t *sig_len, const uint8_t *msg,
	     size_t len) CRYPTO_MUST_CHECK;

/* ---- X.509 (x509.c); allocates in libcrypto ---- */

#define X509_CHAIN_MAX		10	/* certificates a peer may send */
#define X509_SUBJECT_LEN	256
#define X509_REASON_LEN		128
#define X509_NAME_MAX		255

struct der { const uint8_t *p; size_t len; };

struct x509_anchors;
struct x509_cache;

/**
 * x509_anchors_load() - trust anchors from a PEM bundle
 * Return: 0; -EINVAL with @err filled (no certificate in it, entry N does not parse); -ENOMEM. Free with
 * x509_anchors_free().
 */
int x509_anchors_load(struct x509_anchors **out, const char *pem, size_t len, char *err,
		      size_t err_len) CRYPTO_MUST_CHECK;
void x509_anchors_free(struct x509_anchors *a);

#define X509_NAMES_MAX	(15 * 1024)	/* so that a CertificateRequest with them fits one record */

/*
 * x509_anchors_names() - the anchors' subjects in DER, each behind a 2-byte length, for certificate_authorities (RFC 8446
 * 4.2.4); empty if they are over X509_NAMES_MAX: a part of them would turn away whom the rest would have let in. Lives
 * as long as the anchors do.
 */
struct der x509_anchors_names(const struct x509_anchors *a);

/*
 * x509_anchors_digest() - 32 bytes that stand for the set of anchors, in whatever order and however often the file has
 * them; live as long as the anchors do
 */
const uint8_t *x509_anchors_digest(const struct x509_anchors *a);

/**
 * x509_chain_load() - our own chain from PEM, leaf first
 * @out: out: TLS 1.3 certificate_list without its length: for each a 3-byte length, DER, 2 zero bytes of extensions;
 *	malloc'd
 * @leaf: out: points into @out
 * @type: out: of the leaf's key
 *
 * Return: 0; -EINVAL with @err filled (nothing there, an entry that does not parse or does not sign the one before it);
 * -E2BIG over 15 KiB, so that a Certificate message fits one record; -ENOMEM.
 */
int x509_chain_load(uint8_t **out, size_t *out_len, struct der *leaf, enum sig_type *type, const char *pem, size_t len,
		    char *err, size_t err_len) CRYPTO_MUST_CHECK;

/**
 * struct x509_facts - what a peer may want to know of a chain of ours before it sees it
 * @schemes: SignatureSchemes that its certificates are signed with, but for those that sign themselves; 0: one without
 *	such a number
 * @issuers: their names in DER, each behind a 2-byte length; malloc'd
 */
struct x509_facts {
	uint16_t schemes[X509_CHAIN_MAX];
	uint8_t num_schemes;
	uint8_t *issuers;
	size_t issuers_len;
};

/**
 * x509_chain_facts() - find them
 * @out: out: free with x509_facts_free(); zero on failure
 * @list: as x509_chain_load() makes it
 *
 * Return: 0; -EINVAL it is no such list; -ENOMEM.
 */
int x509_chain_facts(struct x509_facts *out, const uint8_t *list, size_t len) CRYPTO_MUST_CHECK;
void x509_facts_free(struct x509_facts *f);

struct x509_times { int64_t not_before, not_after; };
int x509_leaf_times(struct x509_times *out, struct der leaf) CRYPTO_MUST_CHECK;

/**
 * x509_name_ok() - may @name be used as a reference identity?
 * @name: in and out: a DNS name in A-labels or an IP literal; a trailing dot is dropped in place
 * @is_ip: out
 * Return: 0 or -EINVAL (RFC 5890 LDH labels, lengths; no wildcard; no U-label).
 */
int x509_name_ok(char *name, bool *is_ip) CRYPTO_MUST_CHECK;

enum x509_purpose { X509_PURPOSE_TLS_SERVER, X509_PURPOSE_TLS_CLIENT };	/* of the peer whose chain is verified */

struct x509_peer {
	struct sig_pub pub;
	uint8_t leaf_sha256[32];
	int64_t not_after;
	char subject[X509_SUBJECT_LEN];		/* one line, control characters escaped */
};

struct x509_fail {
	int err;				/* -EKEYREJECTED, -EKEYEXPIRED, -ENOMEM */
	uint8_t alert;				/* RFC 8446 6.2: bad_certificate, unknown_ca, certificate_expired, ... */
	char reason[X509_REASON_LEN];		/* "certificate for db1 is not valid for db2" */
};

/**
 * struct x509_ask - what is to be verified, by what
 * @chain, @num: as the peer sent it, leaf first, 1 to X509_CHAIN_MAX
 * @name: reference identity for the leaf, NULL for none. DNS names match dNSName SANs only (no CN, no partial
 *	wildcard, `*` is exactly one leftmost label), IP literals iPAddress SANs only
 * @now: seconds since the epoch
 * @staple: OCSPResponse that came with the leaf; its length is 0: none
 * @staple_asked: one was asked for: a leaf that says it always has one (RFC 7633) must come with it
 * @staple_due: and so must any other
 * @generation: of what else a verdict depends on (revocation lists), for @cache
 * @cache: of the calling thread, NULL: none
 */
struct x509_ask {
	const struct x509_anchors *anchors;
	const struct der *chain;
	size_t num;
	enum x509_purpose purpose;
	const char *name;
	int64_t now;
	struct der staple;
	bool staple_asked, staple_due;
	uint32_t generation;
	struct x509_cache *cache;
};

/**
 * x509_verify() - path, purpose, security level and name of a peer's chain
 * @out: out: to be freed with x509_peer_free(); zero on failure
 * @fail: out, on failure
 *
 * Security level: 112 bits on the whole chain, no SHA-1. RFC 5280 by libcrypto. A staple must be good: signed by the
 * leaf's issuer, or whom that made a responder, current, and about the leaf.
 * Return: 0 or @fail->err.
 */
int x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask) CRYPTO_MUST_CHECK;

/**
 * x509_cache_new() - a memory for x509_verify(), which saves reading and verifying a chain that was good before
 *
 * It holds some tens of verdicts, the latest that were of use, and only good ones. For one thread at a time. Return:
 * NULL without memory.
 */
struct x509_cache *x509_cache_new(void);
void x509_cache_free(struct x509_cache *c);

/**
 * x509_take() - what a leaf says of itself, not verified by anything: its key is the peer's once it signs with it
 * @out, @fail: as of x509_verify()
 *
 * Return: 0 or @fail->err.
 */
int x509_take(struct x509_peer *out, struct x509_fail *fail, struct der leaf) CRYPTO_MUST_CHECK;
void x509_peer_free(struct x509_peer *p);

#endif
