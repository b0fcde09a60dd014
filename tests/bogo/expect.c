// SPDX-License-Identifier: MIT
#include "tests/bogo/expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bogo/trust.h"

static bool complain(const char *what)
{
	fprintf(stderr, "shim: %s\n", what);
	return false;
}

static bool negotiated(const struct outcome *o)
{
	const struct tls_result *r = &o->result;
	const struct options *opt = o->opt;
	const char *alpn = opt->server ? opt->select_alpn : opt->expect_alpn;

	if (opt->expect_suite && opt->expect_suite != r->suite)
		return complain("wrong cipher suite");
	if (opt->expect_group && opt->expect_group != r->group)
		return complain("wrong group");
	if ((opt->expect_hrr && !o->tls->retry) || (opt->expect_no_hrr && o->tls->retry))
		return complain("HelloRetryRequest or none");
	if (opt->expect_server_name && (!r->server_name || strcmp(opt->expect_server_name, r->server_name)))
		return complain("wrong server name");
	if (!alpn)
		alpn = "";
	if (r->alpn_len != strlen(alpn) || memcmp(r->alpn ? r->alpn : "", alpn, r->alpn_len))
		return complain("wrong application protocol");
	return true;
}

/* ---- the peer ---- */

static bool is_leaf_of(const char *path, const uint8_t *sha256)
{
	uint8_t *chain, digest[HASH_MAX];
	size_t len, chain_len;
	enum sig_type type;
	struct der leaf;
	struct hash h;
	char err[256], *pem = policy_slurp(path, &len);
	int ret = x509_chain_load(&chain, &chain_len, &leaf, &type, pem, len, err, sizeof(err));

	free(pem);
	if (ret)
		return complain(err);
	hash_init(&h, HASH_SHA256);
	hash_update(&h, leaf.p, leaf.len);
	hash_final(&h, digest);
	free(chain);
	return !memcmp(digest, sha256, 32);
}

static bool authenticated(const struct outcome *o)
{
	const struct tls_result *r = &o->result;
	const struct options *opt = o->opt;
	bool wanted = !opt->expect_no_peer_cert && (!opt->server || opt->require_certificate);

	if ((wanted && !r->peer_leaf_sha256) || (opt->expect_no_peer_cert && r->peer_leaf_sha256))
		return complain("a certificate of the peer or none");
	if (opt->expect_peer_cert && !is_leaf_of(opt->expect_peer_cert, r->peer_leaf_sha256))
		return complain("wrong certificate of the peer");
	if (opt->expect_ocsp.p && !r->resumed &&
	    (opt->expect_ocsp.len != trust_staple.len || memcmp(opt->expect_ocsp.p, trust_staple.p, trust_staple.len)))
		return complain("wrong OCSP response");
	if (opt->expect_scheme && !r->resumed && opt->expect_scheme != r->sigscheme)
		return complain("wrong signature scheme");
	return true;
}

static bool selected(const struct outcome *o)
{
	const struct policy *p = o->policy;
	int number = o->tls->identity ? p->numbers[o->tls->identity - p->identities] : -1;

	if (o->opt->expect_credential == ANY_CREDENTIAL || o->opt->expect_credential == number)
		return true;
	return complain("wrong certificate of ours");
}

/* ---- sessions and early data ---- */

static const char *client_reason(const struct outcome *o)
{
	if (!o->opt->early_data)
		return "disabled";
	if (!o->offered)
		return "no_session_offered";
	if (o->result.early == TLS_EARLY_ACCEPTED)
		return "accept";
	if (o->result.early == TLS_EARLY_NONE)
		return o->offered->max_early_data ? "alpn_mismatch" : "unsupported_for_session";
	if (o->tls->retry)
		return "hello_retry_request";
	return o->result.resumed ? "peer_declined" : "session_not_resumed";
}

static const char *server_reason(const struct outcome *o)
{
	const char *alpn = o->opt->select_alpn ? o->opt->select_alpn : "";

	if (!o->opt->early_data)
		return "disabled";
	if (!o->resumption)
		return "no_session_offered";
	if (o->result.early == TLS_EARLY_ACCEPTED)
		return "accept";
	if (!o->result.resumed)
		return "session_not_resumed";
	if (!o->early_before)
		return "unsupported_for_session";
	if (strcmp(alpn, o->alpn_before))
		return "alpn_mismatch";
	return o->tls->retry ? "hello_retry_request" : "ticket_age_skew";
}

static bool early(const struct outcome *o)
{
	const struct options *opt = o->opt;
	const char *reason = opt->server ? server_reason(o) : client_reason(o);

	if (opt->expect_accepted && o->result.early != TLS_EARLY_ACCEPTED)
		return complain("early data was not accepted");
	if (opt->expect_rejected && o->result.early == TLS_EARLY_ACCEPTED)
		return complain("early data was accepted");
	if (opt->expect_not_offered && o->resumption && o->result.early != TLS_EARLY_NONE)
		return complain("early data was offered");
	if (opt->expect_early_reason && strcmp(opt->expect_early_reason, reason)) {
		fprintf(stderr, "shim: early data: %s, expected %s\n", reason, opt->expect_early_reason);
		return false;
	}
	return true;
}

static bool skewed(const struct outcome *o)
{
	if (!o->opt->expect_skew || !o->resumption)
		return true;
	if (!o->tickets->skew_known)
		options_unimplemented("the skew of a ticket's age without early data");
	return o->opt->expect_skew * 1000 == o->tickets->skew_ms || complain("wrong skew of the ticket's age");
}

static bool resumed(const struct outcome *o)
{
	bool wanted = o->resumption && !o->opt->expect_miss;

	if (wanted != o->result.resumed)
		return complain(wanted ? "the session was not resumed" : "the session was resumed");
	return true;
}

bool expect_handshake(const struct outcome *o)
{
	return resumed(o) && negotiated(o) && authenticated(o) && selected(o) && early(o) && skewed(o);
}

bool expect_session(const struct options *opt, const struct tls_session *session)
{
	bool wanted = !opt->expect_no_session && !opt->shuts_down;

	if (opt->server || opt->record_sizes)
		return true;
	if (wanted != !!session)
		return complain(wanted ? "no ticket came" : "a ticket came");
	if (session && opt->expect_early_ticket != (session->max_early_data > 0))
		return complain("a ticket that allows early data or not");
	return true;
}
