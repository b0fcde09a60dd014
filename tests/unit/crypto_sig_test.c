// SPDX-License-Identifier: MIT
/* Signatures and private keys: published vectors, what fits and what does not, and files that hold no usable key. */
#include "crypto_util.h"

#include <errno.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static void sig_pub_of(struct sig_pub *pub, enum sig_type type, const char *spki)
{
	uint8_t der[600];
	const uint8_t *p = der;
	size_t len = unhex(der, spki);

	*pub = (struct sig_pub){ .type = type };
	if (type == SIG_TYPE_ED25519)
		memcpy(pub->ed25519, der, 32);
	else
		pub->pkey = d2i_PUBKEY(NULL, &p, (long)len);
	assert_true(type == SIG_TYPE_ED25519 || pub->pkey);
}

static void sig_verify_matches_its_vectors(void **state)
{
	static const struct { enum sig_type type; uint16_t scheme; const char *pub, *msg, *sig; } rows[] = {
		/* RFC 8032 7.1, test 2 */
		{ SIG_TYPE_ED25519, SIG_ED25519, "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
		  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
		  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
		/* RFC 6979 A.2.5, SHA-256, "sample" */
		{ SIG_TYPE_P256, SIG_ECDSA_P256_SHA256, "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
		  "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
		  "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299", "73616d706c65",
		  "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
		  "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++) {
		uint8_t msg[64], sig[128];
		size_t msg_len = unhex(msg, rows[i].msg), sig_len = unhex(sig, rows[i].sig);
		struct sig_pub pub;

		sig_pub_of(&pub, rows[i].type, rows[i].pub);
		assert_int_equal(sig_verify(&pub, rows[i].scheme, sig, sig_len, msg, msg_len), 0);
		assert_int_equal(sig_verify(&pub, rows[i].scheme, sig, sig_len, msg, msg_len - 1), -EBADMSG);
		for (size_t len = 0; len < sig_len; len++)
			assert_int_equal(sig_verify(&pub, rows[i].scheme, sig, len, msg, msg_len), -EBADMSG);
		for (size_t at = 0; at < sig_len; at++) {
			sig[at] ^= 1;
			assert_int_equal(sig_verify(&pub, rows[i].scheme, sig, sig_len, msg, msg_len), -EBADMSG);
			sig[at] ^= 1;
		}
		sig_pub_free(&pub);
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static const uint16_t schemes[] = {
	SIG_ECDSA_P256_SHA256, SIG_ECDSA_P384_SHA384, SIG_ED25519, SIG_RSA_PSS_RSAE_SHA256, SIG_RSA_PSS_RSAE_SHA384,
	SIG_RSA_PSS_RSAE_SHA512, SIG_RSA_PSS_PSS_SHA256, SIG_RSA_PSS_PSS_SHA384, SIG_RSA_PSS_PSS_SHA512,
};

/* Each test key, its certificate, its type, and how many of the schemes it may use. */
static const struct key_row { const char *name; enum sig_type type; int num_schemes; } key_rows[] = {
	{ "p256", SIG_TYPE_P256, 1 }, { "p384", SIG_TYPE_P384, 1 }, { "ed25519", SIG_TYPE_ED25519, 1 },
	{ "rsa2048", SIG_TYPE_RSA, 3 }, { "rsa3072", SIG_TYPE_RSA, 3 }, { "pss2048", SIG_TYPE_RSA_PSS, 3 },
};

static int load_key(struct sig_key **key, const char *file, char *err, size_t err_len)
{
	size_t len;
	char *pem = read_cert(file, &len);
	int ret = sig_key_load(key, pem, len, err, err_len);

	free(pem);
	return ret;
}

static struct sig_key *good_key(const char *name)
{
	struct sig_key *key;
	char err[256], file[64];

	snprintf(file, sizeof(file), "%s.key", name);
	if (load_key(&key, file, err, sizeof(err)))
		fail_msg("%s: %s", file, err);
	return key;
}

static void pub_from_cert(struct sig_pub *pub, const char *name, struct der *leaf, uint8_t **chain)
{
	enum sig_type type;
	char err[256], file[64];
	size_t len, chain_len;
	const uint8_t *p;
	X509 *x;
	char *pem;

	snprintf(file, sizeof(file), "%s.crt", name);
	pem = read_cert(file, &len);
	assert_int_equal(x509_chain_load(chain, &chain_len, leaf, &type, pem, len, err, sizeof(err)), 0);
	free(pem);
	p = leaf->p;
	x = d2i_X509(NULL, &p, (long)leaf->len);
	*pub = (struct sig_pub){ .type = type, .pkey = X509_get_pubkey(x) };
	if (type == SIG_TYPE_ED25519) {
		len = sizeof(pub->ed25519);
		assert_int_equal(EVP_PKEY_get_raw_public_key(pub->pkey, pub->ed25519, &len), 1);
	}
	X509_free(x);
}

static void each_key_signs_with_exactly_the_schemes_that_fit(void **state)
{
	static const uint8_t msg[150] = { 1, 2, 3 };

	(void)state;
	for (size_t i = 0; i < NUM(key_rows); i++) {
		struct sig_key *key = good_key(key_rows[i].name);
		uint8_t sig[SIG_MAX], *chain;
		struct sig_pub pub;
		struct der leaf;
		size_t sig_len;
		int fits = 0;

		pub_from_cert(&pub, key_rows[i].name, &leaf, &chain);
		assert_int_equal(sig_key_type(key), key_rows[i].type);
		for (size_t s = 0; s < NUM(schemes); s++) {
			if (!sig_scheme_fits(schemes[s], key_rows[i].type)) {
				assert_int_equal(sig_sign(key, schemes[s], sig, &sig_len, msg, sizeof(msg)), -EINVAL);
				assert_int_equal(sig_verify(&pub, schemes[s], sig, 64, msg, sizeof(msg)), -EINVAL);
				continue;
			}
			fits++;
			for (int round = 0; round < 3; round++) {
				assert_int_equal(sig_sign(key, schemes[s], sig, &sig_len, msg, sizeof(msg)), 0);
				assert_in_range(sig_len, 64, SIG_MAX);
				assert_int_equal(sig_verify(&pub, schemes[s], sig, sig_len, msg, sizeof(msg)), 0);
			}
			sig[sig_len / 2] ^= 1;
			assert_int_equal(sig_verify(&pub, schemes[s], sig, sig_len, msg, sizeof(msg)), -EBADMSG);
		}
		assert_int_equal(fits, key_rows[i].num_schemes);
		assert_false(sig_scheme_fits(0x0401, key_rows[i].type));	/* rsa_pkcs1_sha256 */
		sig_pub_free(&pub);
		sig_key_free(key);
		free(chain);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

/* RFC 8446 4.2.3, against the library told so in numbers: our own two halves could agree on something else. */
static void rsa_pss_salt_is_as_long_as_the_hash(void **state)
{
	static const uint8_t msg[150] = { 1, 2, 3 };
	static const struct { uint16_t scheme; int salt; const char *md; } pss[] = {
		{ SIG_RSA_PSS_RSAE_SHA256, 32, "SHA256" }, { SIG_RSA_PSS_RSAE_SHA384, 48, "SHA384" },
		{ SIG_RSA_PSS_RSAE_SHA512, 64, "SHA512" },
	};
	struct sig_key *key = good_key("rsa2048");
	struct sig_pub pub;
	struct der leaf;
	uint8_t *chain;

	(void)state;
	pub_from_cert(&pub, "rsa2048", &leaf, &chain);
	for (size_t i = 0; i < NUM(pss); i++) {
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		EVP_PKEY_CTX *pctx;
		uint8_t sig[SIG_MAX];
		size_t len;

		assert_int_equal(sig_sign(key, pss[i].scheme, sig, &len, msg, sizeof(msg)), 0);
		assert_int_equal(EVP_DigestVerifyInit(ctx, &pctx, EVP_get_digestbyname(pss[i].md), NULL, pub.pkey), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, pss[i].salt), 1);
		assert_int_equal(EVP_DigestVerify(ctx, sig, len, msg, sizeof(msg)), 1);
		EVP_MD_CTX_free(ctx);
	}
	sig_pub_free(&pub);
	sig_key_free(key);
	free(chain);
}

static void ed25519_signs_as_rfc_8032(void **state)
{
	/* PKCS#8 of the seed of RFC 8032 7.1, test 2 */
	static const char pem[] = "-----BEGIN PRIVATE KEY-----\n"
		"MC4CAQAwBQYDK2VwBCIEIEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7\n-----END PRIVATE KEY-----\n";
	const uint8_t msg = 0x72;
	uint8_t sig[SIG_MAX];
	struct sig_key *key;
	char err[256];
	size_t len;

	(void)state;
	assert_int_equal(sig_key_load(&key, pem, strlen(pem), err, sizeof(err)), 0);
	assert_int_equal(sig_sign(key, SIG_ED25519, sig, &len, &msg, 1), 0);
	assert_int_equal(len, 64);
	assert_hex(sig, "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
			"085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
	sig_key_free(key);
}

static void keys_load_from_sec1_pkcs1_and_after_parameters(void **state)
{
	static const struct { const char *file; enum sig_type type; } rows[] = {
		{ "p256.sec1.key", SIG_TYPE_P256 }, { "p256.param.key", SIG_TYPE_P256 }, { "rsa2048.pkcs1.key", SIG_TYPE_RSA },
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++) {
		struct sig_key *key;
		char err[256] = "";

		if (load_key(&key, rows[i].file, err, sizeof(err)))
			fail_msg("%s: %s", rows[i].file, err);
		assert_int_equal(sig_key_type(key), rows[i].type);
		sig_key_free(key);
	}
}

static void bad_keys_are_refused_in_words(void **state)
{
	static const struct { const char *file, *words; } rows[] = {
		{ "rsa1024.key", "not supported" }, { "p521.key", "not supported" }, { "k256.key", "not supported" },
		{ "explicit.key", "not supported" }, { "pss256.key", "limited to one hash" },
		{ "p256.enc.key", "encrypted" }, { "p256.encsec1.key", "encrypted" }, { "p256.crt", "no private key" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++) {
		struct sig_key *key = (void *)1;
		char err[256] = "";

		print_message("# %s\n", rows[i].file);
		assert_int_equal(load_key(&key, rows[i].file, err, sizeof(err)), -EINVAL);
		assert_null(key);
		assert_non_null(strstr(err, rows[i].words));
		assert_null(strchr(err, '\n'));
	}
	assert_int_equal(ERR_peek_error(), 0);
}

static void a_key_cut_anywhere_is_refused(void **state)
{
	size_t len, end;
	char *pem = read_cert("p256.key", &len), err[256];

	(void)state;
	end = (size_t)(strstr(pem, "-----END") - pem) + strlen("-----END PRIVATE KEY-----");
	for (size_t cut = 0; cut < end; cut++) {
		char *copy = malloc(cut + 1);	/* of exact size, for ASan */
		struct sig_key *key;

		memcpy(copy, pem, cut);
		assert_int_equal(sig_key_load(&key, copy, cut, err, sizeof(err)), -EINVAL);
		free(copy);
	}
	free(pem);
}

/* The private scalar of one key with the public point of another. */
static void a_key_of_two_halves_is_refused(void **state)
{
	uint8_t *a = NULL, *b = NULL;
	size_t len;
	char *pem[2] = { read_cert("p256.key", &len), read_cert("client.key", &len) }, err[256] = "", *out;
	EVP_PKEY *k[2];
	struct sig_key *key;
	int der_len;
	BIO *bio;

	(void)state;
	for (int i = 0; i < 2; i++) {
		BIO *in = BIO_new_mem_buf(pem[i], -1);

		k[i] = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
		BIO_free(in);
		free(pem[i]);
	}
	der_len = i2d_PrivateKey(k[0], &a);
	assert_int_equal(i2d_PrivateKey(k[1], &b), der_len);
	memcpy(a + der_len - 64, b + der_len - 64, 64);	/* SEC1: the public point is last */
	bio = BIO_new(BIO_s_mem());
	PEM_write_bio(bio, PEM_STRING_ECPRIVATEKEY, "", a, der_len);
	len = (size_t)BIO_get_mem_data(bio, &out);
	assert_int_equal(sig_key_load(&key, out, len, err, sizeof(err)), -EINVAL);
	assert_non_null(strstr(err, "damaged"));
	BIO_free(bio);
	OPENSSL_free(a);
	OPENSSL_free(b);
	EVP_PKEY_free(k[0]);
	EVP_PKEY_free(k[1]);
}

static void a_key_matches_its_certificate_only(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM(key_rows); i++) {
		struct sig_key *key = good_key(key_rows[i].name);

		for (size_t c = 0; c < NUM(key_rows); c++) {
			struct sig_pub pub;
			struct der leaf;
			uint8_t *chain;

			pub_from_cert(&pub, key_rows[c].name, &leaf, &chain);
			assert_int_equal(sig_key_matches(key, leaf.p, leaf.len), i == c);
			assert_false(sig_key_matches(key, leaf.p, leaf.len / 2));
			sig_pub_free(&pub);
			free(chain);
		}
		sig_key_free(key);
	}
}

static int start(void **state)
{
	(void)state;
	return crypto_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sig_verify_matches_its_vectors),
		cmocka_unit_test(each_key_signs_with_exactly_the_schemes_that_fit),
		cmocka_unit_test(rsa_pss_salt_is_as_long_as_the_hash),
		cmocka_unit_test(ed25519_signs_as_rfc_8032),
		cmocka_unit_test(keys_load_from_sec1_pkcs1_and_after_parameters),
		cmocka_unit_test(bad_keys_are_refused_in_words),
		cmocka_unit_test(a_key_cut_anywhere_is_refused),
		cmocka_unit_test(a_key_of_two_halves_is_refused),
		cmocka_unit_test(a_key_matches_its_certificate_only),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, NULL);
}
