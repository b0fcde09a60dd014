// SPDX-License-Identifier: MIT
/* What peers may ask of a chain of ours before they want to see it, RFC 8446 sections 4.2.3 and 4.2.4. */
#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>

#include "x509_impl.h"

/* A certificate does not say on which curve its issuer's key is, so the hash decides, as in TLS 1.2. */
static const struct {
	int md, pkey;
	uint16_t scheme;
} signatures[] = {
	{ NID_sha256, NID_X9_62_id_ecPublicKey, 0x0403 },
	{ NID_sha384, NID_X9_62_id_ecPublicKey, 0x0503 },
	{ NID_sha512, NID_X9_62_id_ecPublicKey, 0x0603 },
	{ NID_undef, NID_ED25519, 0x0807 },
	{ NID_undef, NID_ED448, 0x0808 },
	{ NID_sha256, NID_rsaEncryption, 0x0401 },
	{ NID_sha384, NID_rsaEncryption, 0x0501 },
	{ NID_sha512, NID_rsaEncryption, 0x0601 },
	{ NID_sha256, NID_rsassaPss, 0x0804 },
	{ NID_sha384, NID_rsassaPss, 0x0805 },
	{ NID_sha512, NID_rsassaPss, 0x0806 },
	{ NID_sha1, NID_X9_62_id_ecPublicKey, 0x0203 },
	{ NID_sha1, NID_rsaEncryption, 0x0201 },
};

#define RSAE_TO_PSS 5	/* rsa_pss_rsae_sha256 is 0x0804, rsa_pss_pss_sha256 0x0809 */

/* SignatureScheme of @x, 0: none. @issuer: NULL: not in the chain. */
static uint16_t scheme_of(X509 *x, X509 *issuer)
{
	int md, pkey, bits;
	uint32_t flags;

	if (!X509_get_signature_info(x, &md, &pkey, &bits, &flags))
		return 0;
	for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures); i++) {
		if (signatures[i].pkey != pkey || signatures[i].md != md)
			continue;
		if (pkey == NID_rsassaPss && issuer && EVP_PKEY_is_a(X509_get0_pubkey(issuer), "RSA-PSS"))
			return signatures[i].scheme + RSAE_TO_PSS;
		return signatures[i].scheme;
	}
	return 0;
}

static void add_scheme(struct x509_facts *f, uint16_t scheme)
{
	for (size_t i = 0; i < f->num_schemes; i++)
		if (f->schemes[i] == scheme)
			return;
	f->schemes[f->num_schemes++] = scheme;
}

bool x509_names_have(const uint8_t *names, size_t names_len, const uint8_t *name, size_t len)
{
	size_t n;

	for (size_t at = 0; at < names_len; at += 2 + n) {	/* not by pointer: NULL has no successor, not even by 0 */
		const uint8_t *p = names + at;

		n = (size_t)(p[0] << 8 | p[1]);
		if (n == len && !memcmp(p + 2, name, len))
			return true;
	}
	return false;
}

int x509_names_add(uint8_t **names, size_t *names_len, const uint8_t *name, size_t len)
{
	uint8_t *p;

	must(len <= UINT16_MAX);	/* of a chain of 15 KiB, or of X509_NAMES_MAX at most */
	p = realloc(*names, *names_len + 2 + len);
	if (!p)
		return -ENOMEM;
	*names = p;
	p += *names_len;
	p[0] = (uint8_t)(len >> 8);
	p[1] = (uint8_t)len;
	memcpy(p + 2, name, len);
	*names_len += 2 + len;
	return 0;
}

static int add_issuer(struct x509_facts *f, X509 *x)
{
	const uint8_t *name;
	size_t len;

	if (!X509_NAME_get0_der(X509_get_issuer_name(x), &name, &len))
		return -ENOMEM;
	if (x509_names_have(f->issuers, f->issuers_len, name, len))
		return 0;
	return x509_names_add(&f->issuers, &f->issuers_len, name, len);
}

/* @issuer: the one behind it, NULL: it is the last. */
static int add_facts(struct x509_facts *f, X509 *x, X509 *issuer)
{
	if (X509_self_signed(x, 0) != 1)	/* RFC 8446 4.2.3: nobody verifies an anchor's */
		add_scheme(f, scheme_of(x, issuer));
	return add_issuer(f, x);
}

/* Takes the next certificate of the list; NULL: there is none. */
static X509 *next(const uint8_t **p, size_t *len)
{
	size_t n = *len >= 5 ? (size_t)(*p)[0] << 16 | (size_t)(*p)[1] << 8 | (*p)[2] : 0;
	X509 *x = n && n <= *len - 5 ? x509_parse(*p + 3, n) : NULL;

	if (x) {
		*p += 3 + n + 2;
		*len -= 3 + n + 2;
	}
	return x;
}

int x509_chain_facts(struct x509_facts *out, const uint8_t *list, size_t len)
{
	X509 *x = next(&list, &len);
	int ret = x ? 0 : -EINVAL;

	memset(out, 0, sizeof(*out));
	for (int num = 1; x && !ret; num++) {
		X509 *issuer = next(&list, &len);

		ret = num <= X509_CHAIN_MAX ? add_facts(out, x, issuer) : -EINVAL;
		X509_free(x);
		x = issuer;
	}
	if (len && !ret)
		ret = -EINVAL;
	X509_free(x);
	ERR_clear_error();
	if (ret)
		x509_facts_free(out);
	return ret;
}

void x509_facts_free(struct x509_facts *f)
{
	free(f->issuers);
	memset(f, 0, sizeof(*f));
}
