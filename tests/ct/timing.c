// SPDX-License-Identifier: MIT
/*
 * timing: does the time of a compare tell where two strings differ, or that of a signature how long its nonce was? Prints
 * Welch's t for two classes of measurements, taken in random order. Beyond THRESHOLD it would be a leak, if it stays so with
 * ten times the measurements. Nothing here passes or fails: a busy machine moves single figures.
 */
#include <math.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "tests/unit/crypto_util.h"
#include "tlshd/tls/hs.h"

#define THRESHOLD	4.5	/* that of TVLA and dudect: chance gives it once in 150000 rows */
#define NUM_COMPARES	400000
#define NUM_FINISHED	100000
#define NUM_P256	100000
#define NUM_P384	30000

struct sample {
	uint64_t time;
	int class;
};

static uint64_t now(void)
{
	struct timespec t;

#ifdef __x86_64__
	(void)t;
	__builtin_ia32_lfence();
	uint64_t ticks = __builtin_ia32_rdtsc();
	__builtin_ia32_lfence();
	return ticks;
#else
	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
#endif
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = ((const struct sample *)a)->time, y = ((const struct sample *)b)->time;

	return (x > y) - (x < y);
}

/* Of the fastest @keep samples: interrupts make a long tail that says nothing. */
static double welch(const struct sample *s, size_t keep, size_t count[2])
{
	double mean[2] = { 0 }, squares[2] = { 0 };

	count[0] = count[1] = 0;
	for (size_t i = 0; i < keep; i++) {
		int class = s[i].class;
		double d = (double)s[i].time - mean[class];

		mean[class] += d / (double)++count[class];
		squares[class] += d * ((double)s[i].time - mean[class]);
	}
	if (count[0] < 2 || count[1] < 2)
		return 0;
	for (int class = 0; class < 2; class++)
		squares[class] /= (double)(count[class] - 1) * (double)count[class];
	return squares[0] + squares[1] > 0 ? (mean[0] - mean[1]) / sqrt(squares[0] + squares[1]) : 0;
}

static void report(const char *what, struct sample *s, size_t num)
{
	size_t count[2], half[2];
	double t, t_half;

	qsort(s, num, sizeof(*s), by_time);
	t = welch(s, num - num / 20, count);
	t_half = welch(s, num / 2, half);
	printf("%-48s %7zu %7zu %9.2f %9.2f%s\n", what, count[0], count[1], t, t_half,
	       fabs(t) > THRESHOLD || fabs(t_half) > THRESHOLD ? "  beyond the threshold" : "");
}

/* ---- compares: the first byte differs, or the last ---- */

struct compare {
	const char *what;
	size_t len, num;
	bool (*run)(const uint8_t *got);
};

static uint8_t expected[HASH_MAX];
static struct tls_conn conn;

__attribute__((noinline)) static bool compare_naively(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static bool naive(const uint8_t *got) { return compare_naively(expected, got, 48); }
static bool equal_32(const uint8_t *got) { return equal_ct(expected, got, 32); }
static bool equal_48(const uint8_t *got) { return equal_ct(expected, got, 48); }

static bool finished(const uint8_t *got)
{
	struct cursor body = { got, hash_len(conn.suite->hash) };

	return auth_parse_finished(&conn, &body) == HS_NEXT;
}

/* A connection that waits for a Finished whose verify_data is @expected. */
static void expect_finished(uint16_t suite)
{
	uint8_t hash[HASH_MAX];

	memset(&conn, 0, sizeof(conn));
	conn.suite = suite_find(suite);
	transcript_init(&conn.transcript);
	transcript_pick(&conn.transcript, conn.suite->hash);
	rand_bytes(conn.rx.keys.secret, HASH_MAX);
	transcript_hash(&conn.transcript, hash);
	keys_finished(expected, conn.suite->hash, conn.rx.keys.secret, hash);
}

static void time_compare(const struct compare *c)
{
	struct sample *s = calloc(c->num, sizeof(*s));
	uint8_t wrong[2][HASH_MAX], got[HASH_MAX], dice;
	bool equal = false;

	assert_non_null(s);
	for (int class = 0; class < 2; class++) {
		memcpy(wrong[class], expected, HASH_MAX);
		wrong[class][class ? c->len - 1 : 0] ^= 0xff;
	}
	for (size_t i = 0; i < c->num; i++) {
		rand_bytes(&dice, 1);
		s[i].class = dice & 1;
		memcpy(got, wrong[s[i].class], HASH_MAX);	/* both classes from one place */
		s[i].time = now();
		equal |= c->run(got);
		s[i].time = now() - s[i].time;
	}
	assert_false(equal);
	report(c->what, s, c->num);
	free(s);
}

static void time_compares(void)
{
	static const struct compare compares[] = {
		{ "control: a loop that stops, 48 bytes", 48, NUM_COMPARES, naive },
		{ "equal_ct, 32 bytes", 32, NUM_COMPARES, equal_32 },
		{ "equal_ct, 48 bytes", 48, NUM_COMPARES, equal_48 },
	};

	rand_bytes(expected, sizeof(expected));
	for (size_t i = 0; i < NUM(compares); i++)
		time_compare(&compares[i]);
	expect_finished(TLS_AES_128_GCM_SHA256);
	time_compare(&(struct compare){ "Finished, SHA-256", 32, NUM_FINISHED, finished });
	expect_finished(TLS_AES_256_GCM_SHA384);
	time_compare(&(struct compare){ "Finished, SHA-384", 48, NUM_FINISHED, finished });
}

/* ---- ECDSA: the nonce is k = (h + r d) / s, for who knows the key (Minerva, CVE-2019-15809 and others) ---- */

struct signer {
	const char *name, *file;
	uint16_t scheme;
	enum hash_id hash;
	const char *curve;
	size_t num;
};

/**
 * struct nonces - what turns signatures into nonces
 * @d, @n: private key and order of the group
 */
struct nonces {
	BIGNUM *d, *n, *k, *inverse;
	BN_CTX *ctx;
};

static void start_nonces(struct nonces *x, const struct signer *s, const char *pem, size_t len)
{
	BIO *bio = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(s->curve));

	*x = (struct nonces){ .k = BN_new(), .inverse = BN_new(), .ctx = BN_CTX_new() };
	assert_int_equal(EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &x->d), 1);
	x->n = BN_dup(EC_GROUP_get0_order(group));
	EC_GROUP_free(group);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
}

static void stop_nonces(struct nonces *x)
{
	BN_clear_free(x->d);
	BN_free(x->n);
	BN_clear_free(x->k);
	BN_clear_free(x->inverse);
	BN_CTX_free(x->ctx);
}

static void recover_nonce(struct nonces *x, const uint8_t *sig, size_t sig_len, const uint8_t *hash, size_t len)
{
	ECDSA_SIG *rs = d2i_ECDSA_SIG(NULL, &sig, (long)sig_len);
	BIGNUM *h = BN_bin2bn(hash, (int)len, NULL), *z = BN_new();

	assert_true(rs && h && z);
	assert_true(BN_mod_mul(z, ECDSA_SIG_get0_r(rs), x->d, x->n, x->ctx) && BN_mod_add(z, z, h, x->n, x->ctx));
	assert_non_null(BN_mod_inverse(x->inverse, z, x->n, x->ctx));
	assert_true(BN_mod_mul(x->inverse, x->inverse, ECDSA_SIG_get0_s(rs), x->n, x->ctx));	/* s / (h + r d) is 1 / k */
	assert_non_null(BN_mod_inverse(x->k, x->inverse, x->n, x->ctx));
	BN_free(h);
	BN_free(z);
	ECDSA_SIG_free(rs);
}

struct signature {
	uint64_t time;
	int zeros[2];		/* leading zero bits of the nonce and of its inverse */
};

static void sign_once(struct signature *out, const struct signer *s, struct sig_key *key, struct nonces *x)
{
	uint8_t message[32], hash[HASH_MAX], sig[SIG_MAX];
	struct hash h;
	size_t len;
	int err;

	rand_bytes(message, sizeof(message));
	out->time = now();
	err = sig_sign(key, s->scheme, sig, &len, message, sizeof(message));
	out->time = now() - out->time;
	assert_int_equal(err, 0);
	hash_init(&h, s->hash);
	hash_update(&h, message, sizeof(message));
	hash_final(&h, hash);
	recover_nonce(x, sig, len, hash, hash_len(s->hash));
	out->zeros[0] = BN_num_bits(x->n) - BN_num_bits(x->k);
	out->zeros[1] = BN_num_bits(x->n) - BN_num_bits(x->inverse);
}

static void report_short(const struct signer *s, const struct signature *all, int which, int zeros)
{
	struct sample *samples = calloc(s->num, sizeof(*samples));
	char what[80];

	assert_non_null(samples);
	for (size_t i = 0; i < s->num; i++)
		samples[i] = (struct sample){ all[i].time, all[i].zeros[which] < zeros };
	snprintf(what, sizeof(what), "%s, %s short by %d bits or more", s->name, which ? "1/nonce" : "nonce", zeros);
	report(what, samples, s->num);
	free(samples);
}

static void time_signatures(const struct signer *s)
{
	static const int zeros[] = { 1, 3, 6, 8 };
	struct signature *all = calloc(s->num, sizeof(*all));
	struct sig_key *key;
	struct nonces x;
	char err[256];
	size_t len;
	char *pem = read_cert(s->file, &len);

	assert_non_null(all);
	assert_int_equal(sig_key_load(&key, pem, len, err, sizeof(err)), 0);
	start_nonces(&x, s, pem, len);
	for (size_t i = 0; i < s->num; i++)
		sign_once(&all[i], s, key, &x);
	for (int which = 0; which < 2; which++)
		for (size_t i = 0; i < NUM(zeros); i++)
			report_short(s, all, which, zeros[i]);
	stop_nonces(&x);
	sig_key_free(key);
	free(pem);
	free(all);
}

int main(void)
{
	static const struct signer signers[] = {
		{ "P-256", "p256.key", SIG_ECDSA_P256_SHA256, HASH_SHA256, SN_X9_62_prime256v1, NUM_P256 },
		{ "P-384", "p384.key", SIG_ECDSA_P384_SHA384, HASH_SHA384, SN_secp384r1, NUM_P384 },
	};

	if (crypto_init() || crypto_thread_init())
		return 1;
	printf("threshold: |t| > %.1f; t of the fastest 95 %% and of the fastest half\n", THRESHOLD);
	printf("%-48s %7s %7s %9s %9s\n", "", "class 1", "class 2", "t 95 %", "t 50 %");
	time_compares();
	for (size_t i = 0; i < NUM(signers); i++)
		time_signatures(&signers[i]);
	crypto_thread_exit();
	return 0;
}
