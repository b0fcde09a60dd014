// SPDX-License-Identifier: MIT
#include "schemes.h"

/* RFC 8446 4.2.3, in order of preference. */
static const uint16_t verified[] = {
	SIG_ECDSA_P256_SHA256, SIG_ED25519, SIG_ECDSA_P384_SHA384,
	SIG_RSA_PSS_RSAE_SHA256, SIG_RSA_PSS_RSAE_SHA384, SIG_RSA_PSS_RSAE_SHA512,
	SIG_RSA_PSS_PSS_SHA256, SIG_RSA_PSS_PSS_SHA384, SIG_RSA_PSS_PSS_SHA512,
};

/* rsa_pkcs1_sha256, _sha384, _sha512: for certificates only; offered, so that chains of RSA authorities come. */
static const uint16_t certificates_only[] = { 0x0401, 0x0501, 0x0601 };

#define NUM(array) (sizeof(array) / sizeof(*(array)))

_Static_assert(NUM(verified) == SIG_SCHEMES_MAX, "all that sig_verify() knows");

struct list {
	const uint16_t *v;
	size_t num;
};

static bool has(struct list l, uint16_t scheme)
{
	for (size_t i = 0; i < l.num; i++)
		if (l.v[i] == scheme)
			return true;
	return false;
}

static struct list all(void)
{
	return (struct list){ verified, NUM(verified) };
}

static struct list accepted(const struct tls_config *config)
{
	return config->num_schemes ? (struct list){ config->schemes, config->num_schemes } : all();
}

bool schemes_known(uint16_t scheme)
{
	return has(all(), scheme);
}

bool schemes_accepted(const struct tls_config *config, uint16_t scheme)
{
	return has(accepted(config), scheme);
}

static void put(struct build *b, struct list l)
{
	for (size_t i = 0; i < l.num; i++)
		put_u16(b, l.v[i]);
}

static bool is_rsa(uint16_t scheme)
{
	return sig_scheme_fits(scheme, SIG_TYPE_RSA) || sig_scheme_fits(scheme, SIG_TYPE_RSA_PSS);
}

void schemes_put(struct tls_conn *c, struct build *b)
{
	struct vec ext = ext_begin(c, b, EXT_SIGNATURE_ALGORITHMS), list = put_vec(b, 2);
	struct list own = accepted(c->params.config);
	bool rsa = false;

	for (size_t i = 0; i < own.num; i++)
		rsa = rsa || is_rsa(own.v[i]);
	put(b, own);
	if (rsa)
		put(b, (struct list){ certificates_only, NUM(certificates_only) });
	put_end(b, list);
	put_end(b, ext);
}

/* ---- what the peer can verify ---- */

/**
 * struct wishes - the lists of a ClientHello or CertificateRequest
 * @chain: signature_algorithms_cert, or what stands for it
 * @authorities: names, each behind its length; empty: any will do
 */
struct wishes {
	struct cursor signature, chain, authorities;
};

/* An extension that is one list, as ext_parse() has checked, behind its length; empty if it is not there. */
static struct cursor list_of(const struct ext_block *exts, enum ext e)
{
	struct cursor data = exts->data[e];

	return ext_has(exts, e) ? (struct cursor){ data.p + 2, data.len - 2 } : (struct cursor){ 0 };
}

static struct wishes read_wishes(const struct ext_block *exts)
{
	struct wishes w = {
		.signature = list_of(exts, EXT_SIGNATURE_ALGORITHMS),
		.chain = list_of(exts, EXT_SIGNATURE_ALGORITHMS_CERT),
		.authorities = list_of(exts, EXT_CERTIFICATE_AUTHORITIES),
	};

	if (!ext_has(exts, EXT_SIGNATURE_ALGORITHMS_CERT))
		w.chain = w.signature;
	return w;
}

static bool has_name(struct cursor names, struct cursor name)
{
	struct cursor x;

	while (cur_vec(&names, &x, 2, 1, 65535))
		if (x.len == name.len && !memcmp(x.p, name.p, x.len))
			return true;
	return false;
}

static bool leads_to(const struct tls_identity *id, struct cursor authorities)
{
	struct cursor issuers = { id->issuers, id->issuers_len }, name;

	if (cur_empty(&authorities) || cur_empty(&issuers))
		return true;
	while (cur_vec(&issuers, &name, 2, 1, 65535))
		if (has_name(authorities, name))
			return true;
	return false;
}

static bool chain_fits(const struct tls_identity *id, const struct wishes *w)
{
	for (size_t i = 0; i < id->num_cert_schemes; i++)
		if (!cur_has_u16(w->chain, id->cert_schemes[i]))
			return false;
	return leads_to(id, w->authorities);
}

static bool choose_scheme(uint16_t *out, const struct tls_identity *id, struct cursor offered)
{
	struct list own = id->num_schemes ? (struct list){ id->schemes, id->num_schemes } : all();

	for (size_t i = 0; i < own.num; i++) {
		if (!sig_scheme_fits(own.v[i], id->type) || !cur_has_u16(offered, own.v[i]))
			continue;
		*out = own.v[i];
		return true;
	}
	return false;
}

bool schemes_choose(struct tls_conn *c, const struct ext_block *exts, bool strict)
{
	const struct tls_config *config = c->params.config;
	struct wishes w = read_wishes(exts);

	c->identity = NULL;
	for (size_t i = 0; i < config->num_identities; i++) {
		const struct tls_identity *id = &config->identities[i];
		bool fits = chain_fits(id, &w);
		uint16_t scheme;

		if ((!fits && (strict || c->identity)) || !choose_scheme(&scheme, id, w.signature))
			continue;
		c->identity = id;
		c->sigscheme[c->params.role] = scheme;
		if (fits)
			break;
	}
	return c->identity;
}
