// SPDX-License-Identifier: MIT
/* Runs tlshd/crypto over the lines that lines.py makes of Wycheproof's vectors; prints TAP, a test for each file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "tlshd/crypto/crypto.h"

#define FIELDS_MAX	6
#define FIELD_MAX	(1 << 16)

struct field { uint8_t *p; size_t len; };

struct vector {
	bool valid;
	const char *kind, *param;
	struct field field[FIELDS_MAX];
	size_t num;
};

static struct field unhex(const char *hex)
{
	struct field f = { .len = strcmp(hex, "-") ? strlen(hex) / 2 : 0 };

	f.p = malloc(f.len + !f.len);	/* of exact size, for ASan */
	for (size_t i = 0; i < f.len; i++) {
		unsigned int byte = 0;

		sscanf(hex + 2 * i, "%2x", &byte);
		f.p[i] = (uint8_t)byte;
	}
	return f;
}

static bool same(struct field f, const uint8_t *p, size_t len)
{
	return f.len == len && equal_ct(f.p, p, len);
}

/* param: cipher; fields: key, nonce, additional data, message, ciphertext with tag */
static bool run_aead(const struct vector *v)
{
	const struct field *key = &v->field[0], *nonce = &v->field[1], *ad = &v->field[2], *msg = &v->field[3], *ct = &v->field[4];
	enum aead_id id = !strcmp(v->param, "aes128") ? AEAD_AES_128_GCM :
			  !strcmp(v->param, "aes256") ? AEAD_AES_256_GCM : AEAD_CHACHA20_POLY1305;
	uint8_t *out = malloc(msg->len + AEAD_TAG_LEN), *back = malloc(ct->len);
	bool ok;

	ok = (aead_open(id, back, ct->p, ct->len, ad->p, ad->len, key->p, nonce->p) == 0) == v->valid;
	if (ok && v->valid) {
		aead_seal(id, out, msg->p, msg->len, ad->p, ad->len, key->p, nonce->p);
		ok = same(*msg, back, ct->len - AEAD_TAG_LEN) && same(*ct, out, msg->len + AEAD_TAG_LEN);
	}
	free(out);
	free(back);
	return ok;
}

/* param: group; fields: our private key, the peer's share, the secret */
static bool run_kem(const struct vector *v)
{
	const struct kem *kem = kem_find((uint16_t)strtoul(v->param, NULL, 16));
	uint8_t secret[KEM_SECRET_MAX], share[KEM_SHARE_MAX];
	int err = kem->decaps(secret, v->field[0].p, v->field[1].p);

	if (!v->valid)
		return err && kem->encaps(share, secret, v->field[1].p);
	return !err && same(v->field[2], secret, kem->secret_len) && !kem->encaps(share, secret, v->field[1].p);
}

/* param: bits of the hash; fields: key, message, tag, which may be cut */
static bool run_hmac(const struct vector *v)
{
	enum hash_id id = !strcmp(v->param, "384") ? HASH_SHA384 : HASH_SHA256;
	struct iov msg = { v->field[1].p, v->field[1].len };
	uint8_t out[HASH_MAX];

	hmac(id, out, v->field[0].p, v->field[0].len, &msg, 1);
	return (v->field[2].len <= hash_len(id) && same(v->field[2], out, v->field[2].len)) == v->valid;
}

/* param: scheme; fields: public key, message, signature */
static bool run_sig(const struct vector *v)
{
	uint16_t scheme = (uint16_t)strtoul(v->param, NULL, 16);
	const uint8_t *p = v->field[0].p;
	struct sig_pub pub = { 0 };
	int err;

	for (enum sig_type type = SIG_TYPE_P256; type <= SIG_TYPE_RSA_PSS; type++)
		if (sig_scheme_fits(scheme, type))
			pub.type = type;
	if (pub.type == SIG_TYPE_ED25519)
		memcpy(pub.ed25519, v->field[0].p, sizeof(pub.ed25519));
	else
		pub.pkey = d2i_PUBKEY(NULL, &p, (long)v->field[0].len);
	err = sig_verify(&pub, scheme, v->field[2].p, v->field[2].len, v->field[1].p, v->field[1].len);
	sig_pub_free(&pub);
	return (err == 0) == v->valid;
}

static bool run(const struct vector *v)
{
	static const struct { const char *kind; size_t num; bool (*run)(const struct vector *v); } kinds[] = {
		{ "aead", 5, run_aead }, { "kem", 3, run_kem }, { "hmac", 3, run_hmac }, { "sig", 3, run_sig },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].kind, v->kind))
			return v->num == kinds[i].num && kinds[i].run(v);
	return false;
}

static struct file { char name[80]; int num, wrong; } now;

static void end_file(int *num_files)
{
	if (now.num)
		printf("%sok %d - %s: %d vectors\n", now.wrong ? "not " : "", ++*num_files, now.name, now.num);
	memset(&now, 0, sizeof(now));
}

static void take_line(char *line, int *num_files)
{
	const char *name = strtok(line, " "), *id = strtok(NULL, " "), *result = strtok(NULL, " "), *hex;
	struct vector v = { .kind = strtok(NULL, " "), .param = strtok(NULL, " ") };

	if (strcmp(name, now.name))
		end_file(num_files);
	snprintf(now.name, sizeof(now.name), "%s", name);
	v.valid = !strcmp(result, "valid");
	while (v.num < FIELDS_MAX && (hex = strtok(NULL, " \n")))
		v.field[v.num++] = unhex(hex);
	now.num++;
	if (!run(&v)) {
		now.wrong++;
		printf("# %s %s should be %s\n", name, id, result);
	}
	while (v.num > 0)
		free(v.field[--v.num].p);
}

int main(void)
{
	char *line = malloc(4 * FIELD_MAX);
	int num_files = 0;

	if (!line || crypto_init() || crypto_thread_init())
		return 1;
	while (fgets(line, 4 * FIELD_MAX, stdin))
		take_line(line, &num_files);
	end_file(&num_files);
	printf("1..%d\n", num_files);
	crypto_thread_exit();
	free(line);
	return 0;
}
