// SPDX-License-Identifier: MIT
/* Certificates from an operator's files: trust anchors and our own chain. An error names the entry of the file. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "x509_impl.h"

#define OWN_CHAIN_MAX	(15 * 1024)	/* a Certificate message fits one record */

X509 *x509_parse(const uint8_t *der, size_t len)
{
	const uint8_t *p = der;
	X509 *x = len <= LONG_MAX ? d2i_X509(NULL, &p, (long)len) : NULL;

	if (x && p == der + len)
		return x;
	X509_free(x);
	return NULL;
}

/* ---- PEM ---- */

struct pem_reader {
	BIO *bio;
	int entry;	/* number of the last one, from 1 */
	char *err;
	size_t err_len;
};

static int pem_open(struct pem_reader *r, const char *pem, size_t len, char *err, size_t err_len)
{
	*r = (struct pem_reader){ .err = err, .err_len = err_len };
	if (len > INT_MAX) {
		snprintf(err, err_len, "the file is too large");
		return -EINVAL;
	}
	r->bio = BIO_new_mem_buf(len ? pem : "", (int)len);
	if (r->bio)
		return 0;
	snprintf(err, err_len, "out of memory");
	return -ENOMEM;
}

static void make_printable(char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

/*
 * The next certificate with its DER. A private key among certificates is an error: workers get to see this file.
 * Return: 1, 0 at the end, -EINVAL.
 */
static int pem_next(struct pem_reader *r, X509 **x, uint8_t **der, long *len)
{
	char *name = NULL, *header = NULL;
	int ret = -EINVAL;

	*x = NULL;
	*der = NULL;
	if (!PEM_read_bio(r->bio, &name, &header, der, len)) {
		if (ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE)
			return 0;
		snprintf(r->err, r->err_len, "entry %d is not PEM, expected a certificate", r->entry + 1);
		return -EINVAL;
	}
	r->entry++;
	if (strcmp(name, PEM_STRING_X509) && strcmp(name, PEM_STRING_X509_OLD)) {
		make_printable(name);
		snprintf(r->err, r->err_len, "entry %d is a %.40s, expected a certificate", r->entry, name);
		goto out;
	}
	*x = x509_parse(*der, (size_t)*len);
	if (!*x) {
		snprintf(r->err, r->err_len, "entry %d does not parse as a certificate", r->entry);
		goto out;
	}
	ret = 1;
out:
	OPENSSL_free(name);
	OPENSSL_free(header);
	if (ret < 0) {
		OPENSSL_clear_free(*der, (size_t)*len);	/* it may have been a key */
		*der = NULL;
	}
	return ret;
}

/* ---- trust anchors ---- */

/* Adds @x's subject, unless it is there already. */
static int add_name(struct x509_anchors *a, X509 *x)
{
	const uint8_t *name;
	size_t len;

	if (!X509_NAME_get0_der(X509_get_subject_name(x), &name, &len))
		return -ENOMEM;
	if (a->too_many_names || x509_names_have(a->names, a->names_len, name, len))
		return 0;
	if (a->names_len + 2 + len > X509_NAMES_MAX) {
		a->too_many_names = true;
		return 0;
	}
	return x509_names_add(&a->names, &a->names_len, name, len);
}

/* Of each certificate the SHA-256. */
struct digests {
	uint8_t (*v)[32];
	size_t num;
};

static int add_digest(struct digests *d, const uint8_t *der, size_t len)
{
	uint8_t (*v)[32] = realloc(d->v, (d->num + 1) * sizeof(*v));
	struct hash h;

	if (!v)
		return -ENOMEM;
	d->v = v;
	hash_init(&h, HASH_SHA256);
	hash_update(&h, der, len);
	hash_final(&h, v[d->num++]);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

/* Of the set: sorted, and each once. */
static void digest_all(uint8_t *out, struct digests *d)
{
	struct hash h;

	qsort(d->v, d->num, sizeof(*d->v), compare);
	hash_init(&h, HASH_SHA256);
	for (size_t i = 0; i < d->num; i++)
		if (!i || compare(d->v[i - 1], d->v[i]))
			hash_update(&h, d->v[i], sizeof(d->v[i]));
	hash_final(&h, out);
}

static int fill(struct x509_anchors *a, struct digests *d, struct pem_reader *r)
{
	uint8_t *der;
	long len;
	X509 *x;
	int ret;

	while ((ret = pem_next(r, &x, &der, &len)) > 0) {
		ret = add_digest(d, der, (size_t)len);
		OPENSSL_free(der);
		if (!ret)
			ret = X509_STORE_add_cert(a->store, x) ? add_name(a, x) : -ENOMEM;
		X509_free(x);
		if (ret) {
			snprintf(r->err, r->err_len, "out of memory");
			return ret;
		}
	}
	if (ret == 0 && r->entry == 0) {
		snprintf(r->err, r->err_len, "no certificate in it, expected PEM");
		return -EINVAL;
	}
	return ret;
}

int x509_anchors_load(struct x509_anchors **out, const char *pem, size_t len, char *err, size_t err_len)
{
	struct x509_anchors *a = calloc(1, sizeof(*a));
	struct digests d = { 0 };
	struct pem_reader r;
	int ret = pem_open(&r, pem, len, err, err_len);

	*out = NULL;
	if (ret)
		goto out;
	ret = -ENOMEM;
	snprintf(err, err_len, "out of memory");
	if (a)
		a->store = X509_STORE_new();
	if (a && a->store)
		ret = fill(a, &d, &r);
	if (!ret)
		digest_all(a->digest, &d);
out:
	free(d.v);
	BIO_free(r.bio);
	ERR_clear_error();
	if (ret)
		x509_anchors_free(a);
	else
		*out = a;
	return ret;
}

struct der x509_anchors_names(const struct x509_anchors *a)
{
	return a->too_many_names ? (struct der){ 0 } : (struct der){ a->names, a->names_len };
}

const uint8_t *x509_anchors_digest(const struct x509_anchors *a)
{
	return a->digest;
}

void x509_anchors_free(struct x509_anchors *a)
{
	if (!a)
		return;
	X509_STORE_free(a->store);
	free(a->names);
	free(a);
}

/* ---- our own chain ---- */

struct own_chain {
	uint8_t *p;
	size_t len;
	X509 *last;
};

static int append(struct own_chain *c, const uint8_t *der, size_t len)
{
	size_t total = c->len + 3 + len + 2;	/* RFC 8446 4.4.2: cert_data<1..2^24-1>, extensions<0..2^16-1> */
	uint8_t *p;

	if (total > OWN_CHAIN_MAX)
		return -E2BIG;
	p = realloc(c->p, total);
	if (!p)
		return -ENOMEM;
	c->p = p;
	p += c->len;
	*p++ = (uint8_t)(len >> 16);
	*p++ = (uint8_t)(len >> 8);
	*p++ = (uint8_t)len;
	memcpy(p, der, len);
	p[len] = p[len + 1] = 0;
	c->len = total;
	return 0;
}

static bool signs(X509 *issuer, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	return X509_check_issued(issuer, x) == X509_V_OK && key && X509_verify(x, key) == 1;
}

static int leaf_type(enum sig_type *type, X509 *x)
{
	EVP_PKEY *key = X509_get0_pubkey(x);

	return key ? sig_type_of(type, key) : -EINVAL;
}

static int add_own(struct own_chain *c, enum sig_type *type, struct pem_reader *r, X509 *x, const uint8_t *der,
		   size_t len)
{
	int ret;

	if (r->entry == 1 && leaf_type(type, x)) {
		snprintf(r->err, r->err_len, "entry 1 has a key that is not supported, expected %s", SIG_TYPES_WORDS);
		return -EINVAL;
	}
	if (r->entry > X509_CHAIN_MAX) {
		snprintf(r->err, r->err_len, "more than %d certificates", X509_CHAIN_MAX);
		return -EINVAL;
	}
	if (c->last && !signs(x, c->last)) {
		snprintf(r->err, r->err_len, "entry %d does not sign entry %d, expected the leaf first and each issuer behind it",
			 r->entry, r->entry - 1);
		return -EINVAL;
	}
	ret = append(c, der, len);
	if (ret == -E2BIG)
		snprintf(r->err, r->err_len, "the chain is over %d KiB", OWN_CHAIN_MAX / 1024);
	else if (ret)
		snprintf(r->err, r->err_len, "out of memory");
	return ret;
}

int x509_chain_load(uint8_t **out, size_t *out_len, struct der *leaf, enum sig_type *type, const char *pem, size_t len,
		    char *err, size_t err_len)
{
	struct own_chain c = { 0 };
	struct pem_reader r;
	uint8_t *der;
	long der_len;
	X509 *x;
	int ret = pem_open(&r, pem, len, err, err_len);

	*out = NULL;
	*out_len = 0;
	*leaf = (struct der){ 0 };
	if (ret)
		goto out;
	while ((ret = pem_next(&r, &x, &der, &der_len)) > 0) {
		ret = add_own(&c, type, &r, x, der, (size_t)der_len);
		OPENSSL_free(der);
		X509_free(c.last);
		c.last = x;
		if (ret)
			break;
	}
	if (ret == 0 && r.entry == 0) {
		snprintf(err, err_len, "no certificate in it, expected PEM");
		ret = -EINVAL;
	}
out:
	X509_free(c.last);
	BIO_free(r.bio);
	ERR_clear_error();
	if (ret) {
		free(c.p);
		return ret;
	}
	*out = c.p;
	*out_len = c.len;
	*leaf = (struct der){ c.p + 3, (size_t)c.p[0] << 16 | (size_t)c.p[1] << 8 | c.p[2] };
	return 0;
}
