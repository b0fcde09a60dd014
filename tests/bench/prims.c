// SPDX-License-Identifier: MIT
/* prims DIR: one line "NAME<TAB>MICROSECONDS" for each primitive, CPU time, the median of many batches; keys from DIR. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tlshd/crypto/crypto.h"

#define BATCHES		21
#define BATCH_US	1000

static uint8_t msg[16384 + AEAD_TAG_LEN], secret[64], share[KEM_SHARE_MAX], priv[KEM_PRIV_MAX], sig[SIG_MAX];
static uint8_t x25519_share[KEM_SHARE_MAX], p256_share[KEM_SHARE_MAX];
static struct sig_key *p256, *ed25519, *rsa2048;
static struct hmac_key kept;

static void must(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "a primitive failed\n");
	exit(1);
}

static void x25519_keygen(void) { kem_find(0x1d)->keygen(priv, share); }
static void x25519_encaps(void) { must(!kem_find(0x1d)->encaps(share, secret, x25519_share)); }
static void p256_keygen(void) { kem_find(0x17)->keygen(priv, share); }
static void p256_encaps(void) { must(!kem_find(0x17)->encaps(share, secret, p256_share)); }

static void sign(struct sig_key *key, uint16_t scheme)
{
	size_t len;

	must(!sig_sign(key, scheme, sig, &len, msg, 130));
}

static void p256_sign(void) { sign(p256, SIG_ECDSA_P256_SHA256); }
static void ed25519_sign(void) { sign(ed25519, SIG_ED25519); }
static void rsa2048_sign(void) { sign(rsa2048, SIG_RSA_PSS_RSAE_SHA256); }

static void seal(enum aead_id id, size_t len) { aead_seal(id, msg, msg, len, secret, 5, secret, secret); }

static void aes128_256(void) { seal(AEAD_AES_128_GCM, 256); }
static void aes128_16k(void) { seal(AEAD_AES_128_GCM, 16384); }
static void aes256_256(void) { seal(AEAD_AES_256_GCM, 256); }
static void chacha_256(void) { seal(AEAD_CHACHA20_POLY1305, 256); }
static void chacha_16k(void) { seal(AEAD_CHACHA20_POLY1305, 16384); }

static void digest(enum hash_id id)
{
	struct hash h;

	hash_init(&h, id);
	hash_update(&h, msg, 1024);
	hash_final(&h, secret);
}

static void sha256_1k(void) { digest(HASH_SHA256); }
static void sha384_1k(void) { digest(HASH_SHA384); }

static void hmac_sha256(void)
{
	struct iov part = { msg, 32 };

	hmac(HASH_SHA256, secret, secret, 32, &part, 1);
}

static void hmac_sha256_kept(void)
{
	struct iov part = { msg, 32 };

	hmac_with(&kept, secret, &part, 1);
}

static void random_32(void) { rand_bytes(secret, 32); }

static const struct {
	const char *name;
	void (*run)(void);
} prims[] = {
	{ "random, 32 bytes", random_32 },
	{ "X25519 key", x25519_keygen },
	{ "X25519 key and secret", x25519_encaps },
	{ "P-256 key", p256_keygen },
	{ "P-256 key and secret", p256_encaps },
	{ "ECDSA P-256 signature", p256_sign },
	{ "Ed25519 signature", ed25519_sign },
	{ "RSA-2048 PSS signature", rsa2048_sign },
	{ "AES-128-GCM, new key, 256 B", aes128_256 },
	{ "AES-128-GCM, new key, 16 KiB", aes128_16k },
	{ "AES-256-GCM, new key, 256 B", aes256_256 },
	{ "ChaCha20-Poly1305, 256 B", chacha_256 },
	{ "ChaCha20-Poly1305, 16 KiB", chacha_16k },
	{ "SHA-256, 1 KiB", sha256_1k },
	{ "SHA-384, 1 KiB", sha384_1k },
	{ "HMAC-SHA256, 32 B", hmac_sha256 },
	{ "HMAC-SHA256, 32 B, key kept", hmac_sha256_kept },
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double batch_us(void (*run)(void), long num)
{
	double from = now_us();

	for (long i = 0; i < num; i++)
		run();
	return now_us() - from;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double cost_us(void (*run)(void))
{
	double us[BATCHES];
	long num = 1;

	while (batch_us(run, num) < BATCH_US)
		num *= 2;
	for (int i = 0; i < BATCHES; i++)
		us[i] = batch_us(run, num) / (double)num;
	qsort(us, BATCHES, sizeof(us[0]), by_value);
	return us[BATCHES / 2];
}

static struct sig_key *load(const char *dir, const char *name)
{
	char path[512], pem[8192], err[256];
	struct sig_key *key = NULL;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.key", dir, name);
	f = fopen(path, "rb");
	must(f);
	must(!sig_key_load(&key, pem, fread(pem, 1, sizeof(pem), f), err, sizeof(err)));
	fclose(f);
	return key;
}

int main(int argc, char **argv)
{
	must(argc == 2 && !crypto_init() && !crypto_thread_init());
	p256 = load(argv[1], "p256");
	ed25519 = load(argv[1], "ed25519");
	rsa2048 = load(argv[1], "rsa2048");
	hmac_key_init(&kept, HASH_SHA256, secret, 32);
	kem_find(0x1d)->keygen(priv, x25519_share);
	kem_find(0x17)->keygen(priv, p256_share);
	for (size_t i = 0; i < sizeof(prims) / sizeof(prims[0]); i++)
		printf("%s\t%.3f\n", prims[i].name, cost_us(prims[i].run));
	return 0;
}
