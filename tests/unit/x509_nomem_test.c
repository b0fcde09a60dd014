// SPDX-License-Identifier: MIT
/*
 * x509_*.c and key.c where memory runs out: one allocation, of libcrypto's or ours, fails, then the next. Nothing may
 * crash, leak or, above all, be accepted that is refused otherwise.
 */
#include "crypto_util.h"

#include <errno.h>
#include <time.h>

#include <openssl/crypto.h>

#define STEP 5	/* of the some 2,000 allocations that a certificate takes; 1 tries all, and takes a minute */

static long until_failure = -1;		/* allocations that still succeed before one fails; negative: none fails */

static bool fails(void)
{
	return until_failure >= 0 && until_failure-- == 0;
}

/* Ours: the linker's --wrap. */
void *__real_realloc(void *p, size_t len);
void *__wrap_realloc(void *p, size_t len);
void *__real_calloc(size_t num, size_t len);
void *__wrap_calloc(size_t num, size_t len);

void *__wrap_realloc(void *p, size_t len)
{
	return fails() ? NULL : __real_realloc(p, len);
}

void *__wrap_calloc(size_t num, size_t len)
{
	return fails() ? NULL : __real_calloc(num, len);
}

static void *allocate(size_t len, const char *file, int line)
{
	(void)file, (void)line;
	return fails() ? NULL : malloc(len);
}

static void *reallocate(void *p, size_t len, const char *file, int line)
{
	(void)file, (void)line;
	return fails() ? NULL : __real_realloc(p, len);
}

static void release(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

static struct x509_anchors *root;
static const char *name_asked;
static struct der chain[X509_CHAIN_MAX];	/* the file's certificates as a peer sends them */
static size_t num_chain;
static struct der staple;

/* What is tried, of a file: 0 or an error; never with something left over. */
static int try_verify(const char *pem, size_t len)
{
	struct x509_ask ask = { root, chain, num_chain, X509_PURPOSE_TLS_SERVER, name_asked, time(NULL), .staple = staple };
	struct x509_peer peer;
	struct x509_fail fail;
	int ret = x509_verify(&peer, &fail, &ask);

	(void)pem, (void)len;
	assert_true(ret == 0 || (ret == fail.err && fail.reason[0] && !peer.pub.pkey));
	x509_peer_free(&peer);
	return ret;
}

static int try_chain(const char *pem, size_t len)
{
	char err[256] = "";
	enum sig_type type;
	struct der leaf;
	uint8_t *list;
	size_t list_len;
	int ret = x509_chain_load(&list, &list_len, &leaf, &type, pem, len, err, sizeof(err));

	assert_true(ret == 0 || (!list && err[0]));
	if (!ret) {
		struct x509_facts facts;

		ret = x509_chain_facts(&facts, list, list_len);
		assert_true(ret == 0 || !facts.issuers);
		x509_facts_free(&facts);
	}
	free(list);
	return ret;
}

/* A client's that nothing verifies. */
static int try_take(const char *pem, size_t len)
{
	struct x509_peer peer;
	struct x509_fail fail;
	int ret = x509_take(&peer, &fail, chain[0]);

	(void)pem, (void)len;
	assert_true(ret == 0 || (ret == fail.err && fail.reason[0] && !peer.pub.pkey));
	x509_peer_free(&peer);
	return ret;
}

static int try_anchors(const char *pem, size_t len)
{
	char err[256] = "";
	struct x509_anchors *a;
	int ret = x509_anchors_load(&a, pem, len, err, sizeof(err));

	assert_true(ret == 0 || (!a && err[0]));
	x509_anchors_free(a);
	return ret;
}

static int try_key(const char *pem, size_t len)
{
	static const uint8_t msg[100];
	char err[256] = "";
	uint8_t sig[SIG_MAX];
	struct sig_key *key;
	size_t sig_len;
	int ret = sig_key_load(&key, pem, len, err, sizeof(err));

	assert_true(ret == 0 || (!key && err[0]));
	if (!ret)
		ret = sig_sign(key, SIG_ECDSA_P256_SHA256, sig, &sig_len, msg, sizeof(msg));
	sig_key_free(key);
	return ret;
}

static int try_exchange(const char *unused, size_t len)
{
	const struct kem *kem = kem_find(0x0017);
	uint8_t priv[KEM_PRIV_MAX], share[KEM_SHARE_MAX], peer[KEM_SHARE_MAX], a[KEM_SECRET_MAX], b[KEM_SECRET_MAX];
	long keep = until_failure;
	int ret;

	(void)unused, (void)len;
	until_failure = -1;	/* keygen aborts without memory, as its comment says */
	kem->keygen(priv, share);
	until_failure = keep;
	ret = kem->encaps(peer, a, share);
	if (!ret)
		ret = kem->decaps(b, priv, peer);
	assert_true(ret || !memcmp(a, b, kem->secret_len));
	return ret;
}

/* @pem: a key, whose certificate is chain[0] */
static int try_signature(const char *pem, size_t len)
{
	static const uint8_t msg[100];
	uint16_t scheme = SIG_ECDSA_P256_SHA256;
	char err[256] = "";
	uint8_t sig[SIG_MAX];
	struct x509_peer peer;
	struct x509_fail fail;
	struct sig_key *key;
	size_t sig_len;
	long keep = until_failure;
	int ret;

	until_failure = -1;	/* but for sig_verify() */
	assert_int_equal(sig_key_load(&key, pem, len, err, sizeof(err)), 0);
	if (sig_key_type(key) == SIG_TYPE_RSA)
		scheme = SIG_RSA_PSS_RSAE_SHA256;
	assert_int_equal(sig_sign(key, scheme, sig, &sig_len, msg, sizeof(msg)), 0);
	assert_int_equal(x509_take(&peer, &fail, chain[0]), 0);
	until_failure = keep;
	ret = sig_verify(&peer.pub, scheme, sig, sig_len, msg, sizeof(msg));
	if (!ret) {
		sig[sig_len - 1] ^= 1;
		assert_int_not_equal(sig_verify(&peer.pub, scheme, sig, sig_len, msg, sizeof(msg)), 0);
	}
	x509_peer_free(&peer);
	sig_key_free(key);
	return ret;
}

static int try_thread(const char *unused, size_t len)
{
	int ret = crypto_thread_init();

	(void)unused, (void)len;
	crypto_thread_exit();
	return ret;
}

static const struct attempt {
	const char *what;
	int (*attempt)(const char *pem, size_t len);
	const char *file, *name;
	int want;		/* with all the memory it wants */
	const char *staple;
	const char *certificate;	/* NULL: it is in @file */
} attempts[] = {
	{ "a good certificate", try_verify, "noku.pem", "localhost", 0 },
	{ "a wrong name", try_verify, "db1.pem", "db2", -EKEYREJECTED },
	{ "an expired intermediate", try_verify, "underold.pem", "localhost", -EKEYEXPIRED },
	{ "an unknown issuer", try_verify, "untrusted.pem", "localhost", -EKEYREJECTED },
	{ "a leaf that signs", try_verify, "below.pem", "localhost", -EKEYREJECTED },
	{ "a name its CA may not sign", try_verify, "narrow.pem", "localhost", -EKEYREJECTED },
	{ "an issuer with another key", try_verify, "forged.pem", "localhost", -EKEYREJECTED },
	{ "an authority for clients", try_verify, "underclient.pem", "localhost", -EKEYREJECTED },
	{ "a key usage without signatures", try_verify, "keyenc.pem", "localhost", -EKEYREJECTED },
	{ "an unknown critical extension", try_verify, "critical.pem", "localhost", -EKEYREJECTED },
	{ "SHA-1", try_verify, "sha1.pem", "localhost", -EKEYREJECTED },
	{ "a key of another type", try_verify, "p521.pem", "localhost", -EKEYREJECTED },
	{ "an Ed25519 key", try_verify, "ed25519.pem", "localhost", 0 },
	{ "a good staple", try_verify, "p256.pem", "localhost", 0, "responder.ocsp" },
	{ "a revoked one", try_verify, "p256.pem", "localhost", -EKEYREJECTED, "revoked.ocsp" },
	{ "a staple of a stranger", try_verify, "p256.pem", "localhost", -EKEYREJECTED, "stranger.ocsp" },
	{ "a client's that is taken as it is", try_take, "self.crt", NULL, 0 },
	{ "our own chain", try_chain, "within.pem", NULL, 0 },
	{ "a chain that is none", try_chain, "forged.pem", NULL, -EINVAL },
	{ "trust anchors", try_anchors, "root.crt", NULL, 0 },
	{ "a key", try_key, "p256.key", NULL, 0 },
	{ "secp256r1", try_exchange, "root.crt", NULL, 0 },
	{ "an ECDSA signature", try_signature, "p256.key", NULL, 0, .certificate = "p256.pem" },
	{ "an RSA-PSS signature", try_signature, "rsa2048.key", NULL, 0, .certificate = "rsa2048.pem" },
	{ "a thread's contexts", try_thread, "root.crt", NULL, 0 },
};

static void fails_closed(void **state)
{
	const struct attempt *a = *state;
	size_t len;
	char *pem = read_cert(a->file, &len);
	long at = 0;
	uint8_t *ders = read_ders(a->certificate ? a->certificate : a->file, chain, NUM(chain), &num_chain);

	char *ocsp = a->staple ? read_cert(a->staple, &staple.len) : NULL;

	staple = (struct der){ (uint8_t *)ocsp, ocsp ? staple.len : 0 };
	name_asked = a->name;
	assert_int_equal(a->attempt(pem, len), a->want);
	do {
		int ret;

		until_failure = at;
		ret = a->attempt(pem, len);
		if (ret == 0 && a->want != 0)
			fail_msg("accepted when allocation %ld failed", at);
		at += STEP;
	} while (until_failure < 0 && at < 100000);
	until_failure = -1;
	print_message("# %ld allocations\n", at);
	assert_in_range(at, 2 * STEP, 99999);
	assert_int_equal(a->attempt(pem, len), a->want);
	free(ders);
	free(ocsp);
	free(pem);
}

static int start(void **state)
{
	char err[256];
	size_t len;
	char *pem = read_cert("root.crt", &len);
	int ret;

	(void)state;
	ret = crypto_init() || x509_anchors_load(&root, pem, len, err, sizeof(err));
	free(pem);
	return ret;
}

static int stop(void **state)
{
	(void)state;
	x509_anchors_free(root);
	return 0;
}

int main(void)
{
	struct CMUnitTest tests[NUM(attempts)];

	if (!CRYPTO_set_mem_functions(allocate, reallocate, release))
		return 1;
	for (size_t i = 0; i < NUM(attempts); i++)
		tests[i] = (struct CMUnitTest){ attempts[i].what, fails_closed, NULL, NULL, (void *)&attempts[i] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
