// SPDX-License-Identifier: MIT
/* Hashes, HMAC, AEADs, what seals tickets, and groups: published vectors, and what a hostile peer can send to them. */
#include "crypto_util.h"

#include <errno.h>
#include <pthread.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

/* ---- hash and HMAC ---- */

static void hashes_match_fips_180(void **state)
{
	static const struct { enum hash_id id; const char *msg, *digest; } rows[] = {
		{ HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ HASH_SHA384, "abc", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
				      "8086072ba1e7cc2358baeca134c825a7" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++) {
		struct hash h;
		uint8_t out[HASH_MAX];

		hash_init(&h, rows[i].id);
		hash_update(&h, rows[i].msg, strlen(rows[i].msg));
		hash_final(&h, out);
		assert_hex(out, rows[i].digest);
	}
}

static void hash_goes_on_after_final_and_after_a_copy(void **state)
{
	struct hash a, b;
	uint8_t early[HASH_MAX], whole[HASH_MAX], copied[HASH_MAX];

	(void)state;
	for (enum hash_id id = HASH_SHA256; id <= HASH_SHA384; id++) {
		hash_init(&a, id);
		hash_update(&a, "a", 1);
		hash_final(&a, early);
		b = a;
		hash_update(&a, "bc", 2);
		hash_update(&b, "bc", 2);
		hash_final(&a, whole);
		hash_final(&b, copied);
		assert_memory_equal(whole, copied, hash_len(id));
		assert_memory_not_equal(whole, early, hash_len(id));
		assert_hex(whole, id == HASH_SHA256 ? "ba7816bf8f01cfea" : "cb00753f45a35e8b");
	}
}

static void hmac_matches_rfc_4231(void **state)
{
	static const struct { uint8_t fill; size_t len; const char *key, *msg, *sha256, *sha384; } rows[] = {
		{ 0x0b, 20, NULL, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
		  "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6" },
		{ 0, 4, "Jefe", "what do ya want for nothing?",
		  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649" },
		{ 0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
		  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
		  "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++) {
		struct iov whole = { rows[i].msg, strlen(rows[i].msg) };
		uint8_t key[131], out[HASH_MAX];

		memset(key, rows[i].fill, sizeof(key));
		if (rows[i].key)
			memcpy(key, rows[i].key, rows[i].len);
		hmac(HASH_SHA256, out, key, rows[i].len, &whole, 1);
		assert_hex(out, rows[i].sha256);
		hmac(HASH_SHA384, out, key, rows[i].len, &whole, 1);
		assert_hex(out, rows[i].sha384);
	}
}

/* Every key length around both block sizes, messages in two parts: against the library's own HMAC. */
static void hmac_from_midstates_equals_the_librarys(void **state)
{
	uint8_t key[200], msg[300], want[HASH_MAX], got[HASH_MAX];

	(void)state;
	rand_bytes(key, sizeof(key));
	rand_bytes(msg, sizeof(msg));
	for (enum hash_id id = HASH_SHA256; id <= HASH_SHA384; id++)
		for (size_t len = 0; len <= sizeof(key); len++) {
			size_t msg_len = (len * 7) % sizeof(msg), cut = msg_len / 3;
			struct iov parts[] = { { msg, cut }, { msg + cut, msg_len - cut } };
			struct hmac_key k;

			assert_non_null(HMAC(id == HASH_SHA256 ? EVP_sha256() : EVP_sha384(), key, (int)len, msg, msg_len,
					     want, NULL));
			hmac_key_init(&k, id, key, len);
			for (int again = 0; again < 2; again++) {
				hmac_with(&k, got, parts, NUM(parts));
				assert_memory_equal(got, want, hash_len(id));
			}
		}
}

static void hmac_may_overwrite_its_key(void **state)
{
	struct iov part = { "what do ya want for nothing?", 28 };
	uint8_t key[HASH_MAX] = "Jefe";

	(void)state;
	hmac(HASH_SHA256, key, key, 4, &part, 1);
	assert_hex(key, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* ---- AEAD ---- */

#define GCM_MSG "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525" \
		"b16aedf5aa0de657ba637b39"

/* GCM: test cases 1, 4, 13, 16 of its specification. ChaCha20-Poly1305: RFC 8439 2.8.2. */
static const struct aead_row {
	enum aead_id id;
	const char *key, *nonce, *ad, *msg, *out;
} aead_rows[] = {
	{ AEAD_AES_128_GCM, "00000000000000000000000000000000", "000000000000000000000000", "", "",
	  "58e2fccefa7e3061367f1d57a4e7455a" },
	{ AEAD_AES_128_GCM, "feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_MSG,
	  "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
	  "1ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47" },
	{ AEAD_AES_256_GCM, "0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
	  "", "", "530f8afbc74536b9a963b4f1c4cb738b" },
	{ AEAD_AES_256_GCM, "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
	  "feedfacedeadbeeffeedfacedeadbeefabaddad2", GCM_MSG,
	  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
	  "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b" },
	{ AEAD_CHACHA20_POLY1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
	  "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
	  "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c6420"
	  "6f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c"
	  "642062652069742e",
	  "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e"
	  "060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576"
	  "d26586cec64b61161ae10b594f09e26a7e902ecbd0600691" },
};

struct aead_case {
	uint8_t key[AEAD_KEY_MAX], nonce[AEAD_NONCE_LEN], ad[64], msg[256], out[256];
	size_t ad_len, msg_len;
};

static void load(struct aead_case *c, const struct aead_row *row)
{
	assert_int_equal(unhex(c->key, row->key), aead_key_len(row->id));
	assert_int_equal(unhex(c->nonce, row->nonce), AEAD_NONCE_LEN);
	c->ad_len = unhex(c->ad, row->ad);
	c->msg_len = unhex(c->msg, row->msg);
	assert_int_equal(unhex(c->out, row->out), c->msg_len + AEAD_TAG_LEN);
}

static void aead_matches_its_vectors_in_place_and_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM(aead_rows); i++) {
		enum aead_id id = aead_rows[i].id;
		uint8_t buf[256];
		struct aead_case c;

		load(&c, &aead_rows[i]);
		aead_seal(id, buf, c.msg, c.msg_len, c.ad, c.ad_len, c.key, c.nonce);
		assert_memory_equal(buf, c.out, c.msg_len + AEAD_TAG_LEN);
		memcpy(buf, c.msg, c.msg_len);
		aead_seal(id, buf, buf, c.msg_len, c.ad, c.ad_len, c.key, c.nonce);
		assert_memory_equal(buf, c.out, c.msg_len + AEAD_TAG_LEN);
		assert_int_equal(aead_open(id, buf, buf, c.msg_len + AEAD_TAG_LEN, c.ad, c.ad_len, c.key, c.nonce), 0);
		assert_memory_equal(buf, c.msg, c.msg_len);
	}
}

static void aead_open_refuses_every_flipped_byte_and_reveals_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM(aead_rows); i++) {
		enum aead_id id = aead_rows[i].id;
		uint8_t plain[256], *parts[4];
		struct aead_case c;
		size_t lens[4];

		load(&c, &aead_rows[i]);
		parts[0] = c.out, lens[0] = c.msg_len + AEAD_TAG_LEN;
		parts[1] = c.ad, lens[1] = c.ad_len;
		parts[2] = c.key, lens[2] = aead_key_len(id);
		parts[3] = c.nonce, lens[3] = AEAD_NONCE_LEN;
		for (size_t p = 0; p < NUM(parts); p++)
			for (size_t at = 0; at < lens[p]; at++) {
				parts[p][at] ^= 0x20;
				memset(plain, 0xee, sizeof(plain));
				assert_int_equal(aead_open(id, plain, c.out, lens[0], c.ad, c.ad_len, c.key, c.nonce), -EBADMSG);
				for (size_t b = 0; b < c.msg_len; b++)
					assert_true(plain[b] == 0 || plain[b] == 0xee);
				parts[p][at] ^= 0x20;
			}
		assert_int_equal(ERR_peek_error(), 0);
	}
}

static void aead_open_refuses_every_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM(aead_rows); i++) {
		uint8_t plain[256];
		struct aead_case c;

		load(&c, &aead_rows[i]);
		for (size_t len = 0; len < c.msg_len + AEAD_TAG_LEN; len++)
			assert_int_equal(aead_open(aead_rows[i].id, plain, c.out, len, c.ad, c.ad_len, c.key, c.nonce), -EBADMSG);
	}
}

/* ---- what seals tickets ---- */

/* The draft of XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03), A.3.1. */
static void xchacha_matches_its_vector_and_refuses_everything_else(void **state)
{
	static const char msg[] = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for "
				  "the future, sunscreen would be it.";
	enum { LEN = sizeof(msg) - 1 };
	uint8_t key[XCHACHA_KEY_LEN], nonce[XCHACHA_NONCE_LEN], ad[12], sealed[LEN + XCHACHA_TAG_LEN], out[LEN];
	struct { uint8_t *p; size_t len; } parts[] = { { sealed, sizeof(sealed) }, { ad, sizeof(ad) }, { key, sizeof(key) },
						       { nonce, sizeof(nonce) } };

	(void)state;
	unhex(key, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
	unhex(nonce, "404142434445464748494a4b4c4d4e4f5051525354555657");
	unhex(ad, "50515253c0c1c2c3c4c5c6c7");
	xchacha_seal(sealed, (const uint8_t *)msg, LEN, ad, sizeof(ad), key, nonce);
	assert_hex(sealed, "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
			   "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
			   "21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49");
	assert_int_equal(xchacha_open(out, sealed, sizeof(sealed), ad, sizeof(ad), key, nonce), 0);
	assert_memory_equal(out, msg, LEN);
	for (size_t i = 0; i < NUM(parts); i++)
		for (size_t at = 0; at < parts[i].len; at++) {
			parts[i].p[at] ^= 0x20;
			memset(out, 0, sizeof(out));
			assert_int_equal(xchacha_open(out, sealed, sizeof(sealed), ad, sizeof(ad), key, nonce), -EBADMSG);
			for (size_t b = 0; b < LEN; b++)
				assert_int_equal(out[b], 0);
			parts[i].p[at] ^= 0x20;
		}
	for (size_t len = 0; len < sizeof(sealed); len++)
		assert_int_equal(xchacha_open(out, sealed, len, ad, sizeof(ad), key, nonce), -EBADMSG);
}

/* What Python's hashlib says of the same. */
static void prf_is_keyed_blake2b(void **state)
{
	uint8_t bytes[200], out[PRF_LEN], key[PRF_LEN];
	struct iov cut[] = { { bytes, 1 }, { bytes + 1, 0 }, { bytes + 1, sizeof(bytes) - 1 } }, abc = { "abc", 3 };

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	prf(out, bytes, 32, NULL, 0);
	assert_hex(out, "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d");
	prf(out, bytes, 16, &abc, 1);
	assert_hex(out, "3fd8fd31501cdbe942607b204368e3dc4ebce5744de1a955a6025f5c9848bb20");
	prf(out, bytes, 64, cut, NUM(cut));
	assert_hex(out, "c4d2b178963d16d8fbf03adbcddb85e2a2d767d4fa80d396a311c6b80c9f5669");
	memcpy(key, bytes, sizeof(key));
	prf(key, key, sizeof(key), NULL, 0);
	assert_hex(key, "4e51e7a913fc80137da52880fecca175bf81e117d5c68126dc2774033517ea0d");
}

/* ---- groups ---- */

static const uint16_t groups[] = { 0x001d, 0x0017, 0x0018 };

static void both_sides_of_each_group_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM(groups); i++) {
		const struct kem *kem = kem_find(groups[i]);
		uint8_t priv[KEM_PRIV_MAX], client[KEM_SHARE_MAX], server[KEM_SHARE_MAX];
		uint8_t ours[KEM_SECRET_MAX], theirs[KEM_SECRET_MAX];

		assert_non_null(kem);
		for (int round = 0; round < 50; round++) {
			kem->keygen(priv, client);
			assert_int_equal(kem->encaps(server, theirs, client), 0);
			assert_int_equal(kem->decaps(ours, priv, server), 0);
			assert_memory_equal(ours, theirs, kem->secret_len);
		}
	}
	assert_null(kem_find(0x0019));
}

static void kem_matches_its_vectors(void **state)
{
	static const struct { uint16_t group; const char *priv, *share, *secret; } rows[] = {
		/* RFC 7748 6.1 */
		{ 0x001d, "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
		  "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
		  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742" },
		{ 0x001d, "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
		  "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
		  "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742" },
		/* NIST CAVP, ECC CDH, P-256, count 0 */
		{ 0x0017, "7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534",
		  "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
		  "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac",
		  "46fc62106420ff012e54a434fbdd2d25ccc5852060561e68040dd7778997bd7b" },
		/* the same, P-384 */
		{ 0x0018, "3cc3122a68f0d95027ad38c067916ba0eb8c38894d22e1b15618b6818a661774ad463b205da88cf699ab4d43c9cf98a1",
		  "04a7c76b970c3b5fe8b05d2838ae04ab47697b9eaf52e764592efda27fe7513272734466b400091adbf2d68c58e0c50066"
		  "ac68f19f2e1cb879aed43a9969b91a0839c4c38a49749b661efedf243451915ed0905a32b060992b468c64766fc8437a",
		  "5f9d29dc5e31a163060356213669c8ce132e22f57c9a04f40ba7fcead493b457e5621e766c40a2e3d4d6a04b25e533f1" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++) {
		uint8_t priv[KEM_PRIV_MAX], share[KEM_SHARE_MAX], secret[KEM_SECRET_MAX];

		unhex(priv, rows[i].priv);
		unhex(share, rows[i].share);
		assert_int_equal(kem_find(rows[i].group)->decaps(secret, priv, share), 0);
		assert_hex(secret, rows[i].secret);
	}
}

static void bad_shares_are_refused(void **state)
{
	static const struct { uint16_t group; const char *why, *share; } rows[] = {
		/* Points of small order: the secret would be all zero. */
		{ 0x001d, "0", "0000000000000000000000000000000000000000000000000000000000000000" },
		{ 0x001d, "1", "0100000000000000000000000000000000000000000000000000000000000000" },
		{ 0x001d, "order 8", "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800" },
		{ 0x001d, "order 8", "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157" },
		{ 0x001d, "p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
		{ 0x001d, "p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
		{ 0x001d, "p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
		{ 0x0017, "not on the curve", "04700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
		  "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ad" },
		{ 0x0017, "compressed", "02700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
		  "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac" },
		{ 0x0017, "hybrid", "06700c48f77f56584c5cc632ca65640db91b6bacce3a4df6b42ce7cc838833d287"
		  "db71e509e3fd9b060ddb20ba5c51dcc5948d46fbf640dfe0441782cab85fa4ac" },
		{ 0x0017, "infinity", "000000000000000000000000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000" },
		{ 0x0017, "zero", "040000000000000000000000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000" },
		{ 0x0017, "coordinate of p or more", "04ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		  "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff" },
		{ 0x0018, "not on the curve",
		  "04a7c76b970c3b5fe8b05d2838ae04ab47697b9eaf52e764592efda27fe7513272734466b400091adbf2d68c58e0c50066"
		  "ac68f19f2e1cb879aed43a9969b91a0839c4c38a49749b661efedf243451915ed0905a32b060992b468c64766fc8437b" },
		{ 0x0018, "compressed",
		  "02a7c76b970c3b5fe8b05d2838ae04ab47697b9eaf52e764592efda27fe7513272734466b400091adbf2d68c58e0c50066"
		  "ac68f19f2e1cb879aed43a9969b91a0839c4c38a49749b661efedf243451915ed0905a32b060992b468c64766fc8437a" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(rows); i++) {
		const struct kem *kem = kem_find(rows[i].group);
		uint8_t priv[KEM_PRIV_MAX], own[KEM_SHARE_MAX], share[KEM_SHARE_MAX], secret[KEM_SECRET_MAX];

		print_message("# %s: %s\n", kem->name, rows[i].why);
		assert_int_equal(unhex(share, rows[i].share), kem->client_share_len);
		kem->keygen(priv, own);
		assert_int_equal(kem->decaps(secret, priv, share), -EBADMSG);
		assert_int_equal(kem->encaps(own, secret, share), -EBADMSG);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

/* ---- the rest ---- */

static void equal_ct_and_wipe(void **state)
{
	uint8_t a[40], b[40], zero[40] = { 0 };

	(void)state;
	rand_bytes(a, sizeof(a));
	memcpy(b, a, sizeof(a));
	assert_true(equal_ct(a, b, sizeof(a)));
	assert_true(equal_ct(a, b, 0));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		assert_false(equal_ct(a, b, sizeof(a)));
		b[i] ^= 0x80;
	}
	wipe(a, sizeof(a));
	assert_memory_equal(a, zero, sizeof(a));
}

static void *use_in_thread(void *failed)
{
	static const uint8_t key[AEAD_KEY_MAX] = { 7 }, nonce[AEAD_NONCE_LEN];
	const struct kem *kem = kem_find(0x0017);

	if (crypto_thread_init())
		return failed;
	for (int i = 0; i < 200; i++) {
		uint8_t msg[48] = { 1 }, out[64], priv[KEM_PRIV_MAX], share[KEM_SHARE_MAX], peer[KEM_SHARE_MAX];
		uint8_t a[KEM_SECRET_MAX], b[KEM_SECRET_MAX];

		aead_seal(i % 2 ? AEAD_AES_128_GCM : AEAD_AES_256_GCM, out, msg, sizeof(msg), NULL, 0, key, nonce);
		if (aead_open(i % 2 ? AEAD_AES_128_GCM : AEAD_AES_256_GCM, out, out, sizeof(out), NULL, 0, key, nonce) ||
		    memcmp(out, msg, sizeof(msg)))
			return failed;
		kem->keygen(priv, share);
		if (kem->encaps(peer, a, share) || kem->decaps(b, priv, peer) || memcmp(a, b, kem->secret_len))
			return failed;
	}
	crypto_thread_exit();
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	pthread_t threads[4];
	int failed;
	void *ret;

	(void)state;
	for (size_t i = 0; i < NUM(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use_in_thread, &failed), 0);
	for (size_t i = 0; i < NUM(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &ret), 0);
		assert_null(ret);
	}
}

static int start(void **state)
{
	(void)state;
	return crypto_init() || crypto_thread_init();
}

static int stop(void **state)
{
	(void)state;
	crypto_thread_exit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_match_fips_180),
		cmocka_unit_test(hash_goes_on_after_final_and_after_a_copy),
		cmocka_unit_test(hmac_matches_rfc_4231),
		cmocka_unit_test(hmac_from_midstates_equals_the_librarys),
		cmocka_unit_test(hmac_may_overwrite_its_key),
		cmocka_unit_test(aead_matches_its_vectors_in_place_and_apart),
		cmocka_unit_test(aead_open_refuses_every_flipped_byte_and_reveals_nothing),
		cmocka_unit_test(aead_open_refuses_every_cut),
		cmocka_unit_test(xchacha_matches_its_vector_and_refuses_everything_else),
		cmocka_unit_test(prf_is_keyed_blake2b),
		cmocka_unit_test(both_sides_of_each_group_agree),
		cmocka_unit_test(kem_matches_its_vectors),
		cmocka_unit_test(bad_shares_are_refused),
		cmocka_unit_test(equal_ct_and_wipe),
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
