// SPDX-License-Identifier: MIT
#include "tests/bogo/policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bogo/trust.h"
#include "tlshd/tls/proto.h"
#include "tlshd/tls/schemes.h"

#define FILE_MAX (1 << 16)

/* BoringSSL's: the runner knows them. */
#define NUM_TICKETS		2
#define TICKET_LIFETIME_S	(2 * 24 * 60 * 60)
#define EARLY_DATA_MAX		14336

char *policy_slurp(const char *path, size_t *len)
{
	char *text = malloc(FILE_MAX + 1);
	FILE *f = fopen(path, "r");

	if (!f || !text) {
		fprintf(stderr, "shim: %s: %s\n", path, strerror(errno));
		exit(EXIT_FAIL);
	}
	*len = fread(text, 1, FILE_MAX, f);
	text[*len] = '\0';
	fclose(f);
	return text;
}

/* What BoringSSL's policies come to here; .groups and .schemes where no other flag says them. */
static const struct rules {
	struct list suites, groups, schemes;
} all_rules = {
	{ { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 }, 3 },
	{ { 0x001d, 0x0017, 0x0018 }, 3 }, { { 0 }, 0 },
}, fips_rules = {
	{ { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384 }, 2 }, { { 0x0017, 0x0018 }, 2 },
	{ { SIG_ECDSA_P256_SHA256, SIG_ECDSA_P384_SHA384, SIG_RSA_PSS_RSAE_SHA256, SIG_RSA_PSS_RSAE_SHA384,
	    SIG_RSA_PSS_RSAE_SHA512 }, 5 },
}, wpa_rules = {
	{ { TLS_AES_256_GCM_SHA384 }, 1 }, { { 0x0018 }, 1 },
	{ { SIG_ECDSA_P384_SHA384, SIG_RSA_PSS_RSAE_SHA384, SIG_RSA_PSS_RSAE_SHA512 }, 3 },
};

static const struct rules *find_rules(const struct options *opt)
{
	return opt->fips ? &fips_rules : opt->wpa ? &wpa_rules : &all_rules;
}

/* ---- certificates ---- */

static void load_identity(struct policy *p, const struct options *opt, const struct credential *cred, int number)
{
	const struct list *prefs = cred->prefs.num ? &cred->prefs : &find_rules(opt)->schemes;
	size_t n = p->config.num_identities++, len;
	struct tls_identity *id = &p->identities[n];
	struct der leaf;
	char err[256], *pem;

	pem = policy_slurp(cred->cert, &len);
	if (x509_chain_load(&p->chains[n], &id->chain_len, &leaf, &id->type, pem, len, err, sizeof(err)))
		options_unimplemented(err);
	free(pem);
	pem = policy_slurp(cred->key, &len);
	if (sig_key_load(&p->keys[n], pem, len, err, sizeof(err)))
		options_unimplemented(err);
	free(pem);
	if (prefs->num > TLS_SCHEMES_MAX)
		options_unimplemented("so many schemes of a certificate");
	id->chain = p->chains[n];
	if (cred->match_issuer && x509_chain_facts(&p->facts[n], id->chain, id->chain_len))
		abort();
	id->issuers = p->facts[n].issuers;
	id->issuers_len = p->facts[n].issuers_len;
	id->key_id = (uint32_t)n;
	id->num_schemes = prefs->num;
	memcpy(id->schemes, prefs->ids, prefs->num * sizeof(*id->schemes));
	id->ocsp = opt->ocsp_decline ? NULL : cred->ocsp.p;
	id->ocsp_len = opt->ocsp_decline ? 0 : cred->ocsp.len;
	p->numbers[n] = number;
}

/* As in BoringSSL, the certificate of the flags in front comes last. */
static void load_identities(struct policy *p, const struct options *opt)
{
	for (int i = 1; i < opt->num_credentials; i++)
		load_identity(p, opt, &opt->credentials[i], i - 1);
	if (opt->credentials[0].cert && opt->credentials[0].key)
		load_identity(p, opt, &opt->credentials[0], -1);
	p->config.identities = p->identities;
}

static void load_anchors(const char *path)
{
	char err[256], *pem;
	size_t len;

	if (trust_anchors)
		return;
	pem = policy_slurp(path, &len);
	if (x509_anchors_load(&trust_anchors, pem, len, err, sizeof(err)))
		options_unimplemented(err);
	free(pem);
}

static void load_peer(struct policy *p, const struct options *opt)
{
	p->config.anchors = trust_placeholder();
	if (opt->require_certificate)
		p->config.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	if (opt->verify_peer)
		p->config.client_auth = TLS_CLIENT_AUTH_VERIFY;
	if (opt->server && opt->ocsp_fail)
		options_unimplemented("callbacks that may fail");
	if (opt->ca_list && opt->ca_list[0] != '<')
		options_unimplemented("a list of authorities without their certificates");
	trust_anybody = !opt->verify_peer && !opt->server;
	trust_no_staple = opt->ocsp_fail;
	trust_nobody = 0;
	if (opt->verify_fail && (opt->verify_peer || opt->require_certificate))
		trust_nobody = opt->custom_verify ? ALERT_CERTIFICATE_UNKNOWN : ALERT_HANDSHAKE_FAILURE;
	if (opt->trust)
		load_anchors(opt->trust);
}

/* ---- what is negotiated ---- */

static void load_suites(struct tls_config *config, const struct list *suites)
{
	memcpy(config->suites, suites->ids, suites->num * sizeof(*suites->ids));
	config->num_suites = suites->num;
}

/* The engine's shares are of the first groups. */
static void load_groups(struct tls_config *config, const struct options *opt)
{
	const struct list *groups = opt->groups.num ? &opt->groups : &find_rules(opt)->groups;

	if (groups->num > TLS_GROUPS_MAX)
		options_unimplemented("so many groups");
	for (size_t i = 0; i < groups->num; i++)
		if (!kem_find(groups->ids[i]))
			options_unimplemented("groups other than x25519, secp256r1 and secp384r1");
	memcpy(config->groups, groups->ids, groups->num * sizeof(*groups->ids));
	config->num_groups = groups->num;
	if (opt->shares.num > TLS_SHARES_MAX ||
	    memcmp(opt->shares.ids, groups->ids, opt->shares.num * sizeof(*groups->ids)))
		options_unimplemented("key shares of other than the first groups");
	config->num_shares = opt->shares.num;
	config->strict_groups = opt->expect_hrr;	/* BoringSSL goes by its own order alone */
}

/* The runner's peer signs with one that is not here, too, and must be refused for it. */
static void load_schemes(struct tls_config *config, const struct options *opt)
{
	const struct list *prefs = opt->verify_prefs.num ? &opt->verify_prefs : &find_rules(opt)->schemes;

	for (size_t i = 0; i < prefs->num; i++)
		if (schemes_known(prefs->ids[i]) && config->num_schemes < TLS_SCHEMES_MAX)
			config->schemes[config->num_schemes++] = prefs->ids[i];
	if (prefs->num && !config->num_schemes)
		options_unimplemented("signature schemes of older versions, P-224, P-521 and ML-DSA");
}

static void add_alpn(struct policy *p, const char *name, size_t len)
{
	p->alpn[p->alpn_len++] = (uint8_t)len;
	memcpy(p->alpn + p->alpn_len, name, len);
	p->alpn_len += len;
}

static void load_alpn(struct policy *p, const struct options *opt)
{
	static const char unheard[] = "unheard-of";

	if (opt->advertise_alpn && strlen(opt->advertise_alpn) > TLS_ALPN_MAX)
		options_unimplemented("long list of -advertise-alpn");
	if (!opt->server && opt->advertise_alpn) {
		p->alpn_len = strlen(opt->advertise_alpn);
		memcpy(p->alpn, opt->advertise_alpn, p->alpn_len);
	}
	if (opt->server && opt->reject_alpn)
		add_alpn(p, unheard, strlen(unheard));
	else if (opt->server && opt->select_alpn && opt->select_alpn[0] && !opt->decline_alpn)
		add_alpn(p, opt->select_alpn, strlen(opt->select_alpn));
}

static void load_sessions(struct tls_config *config, const struct options *opt)
{
	if (opt->no_ticket)
		return;
	config->psk_modes = TLS_PSK_DHE_KE;
	config->num_tickets = NUM_TICKETS;
	config->ticket_lifetime_s = TICKET_LIFETIME_S;
	config->ticket_early_data = opt->early_data ? EARLY_DATA_MAX : 0;
}

void policy_load(struct policy *p, const struct options *opt)
{
	memset(p, 0, sizeof(*p));
	load_suites(&p->config, &find_rules(opt)->suites);
	load_groups(&p->config, opt);
	load_schemes(&p->config, opt);
	load_alpn(p, opt);
	load_sessions(&p->config, opt);
	load_identities(p, opt);
	load_peer(p, opt);
	p->config.ocsp = opt->ocsp;
}

void policy_free(struct policy *p)
{
	for (size_t i = 0; i < p->config.num_identities; i++) {
		sig_key_free(p->keys[i]);
		free(p->chains[i]);
		x509_facts_free(&p->facts[i]);
	}
}
