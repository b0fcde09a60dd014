// SPDX-License-Identifier: MIT
/* The verdict on a stapled OCSP response: RFC 6960 section 3.2, RFC 8446 section 4.4.2.1, RFC 7633. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "x509_impl.h"

#define SKEW_S		300	/* that clocks of a responder and ours may differ */
#define STATUS_REQUEST	5	/* as a TLS feature: the number of the extension */
#define MD_SIZE_MIN	28	/* 112 bits against collisions, as on the chain */

static int refuse(struct x509_fail *fail, const char *what)
{
	return x509_refuse(fail, -EKEYREJECTED, BAD_CERTIFICATE_STATUS_RESPONSE, "stapled OCSP response %s", what);
}

/* ---- the signature ---- */

/* RFC 8017 A.2.3: the hash of RSASSA-PSS stands in its parameters; where none does, it is SHA-1. */
static int pss_hash(const X509_ALGOR *algorithm)
{
	RSA_PSS_PARAMS *params = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(RSA_PSS_PARAMS), algorithm->parameter);
	int md = params && params->hashAlgorithm ? OBJ_obj2nid(params->hashAlgorithm->algorithm) : NID_sha1;

	RSA_PSS_PARAMS_free(params);
	return md;
}

static bool hash_is_strong(const OCSP_BASICRESP *basic)
{
	const X509_ALGOR *algorithm = OCSP_resp_get0_tbs_sigalg(basic);
	int md, pkey;

	if (!OBJ_find_sigid_algs(OBJ_obj2nid(algorithm->algorithm), &md, &pkey))
		return false;
	if (pkey == NID_rsassaPss)
		md = pss_hash(algorithm);
	return md == NID_undef || EVP_MD_get_size(EVP_get_digestbynid(md)) >= MD_SIZE_MIN;
}

/* RFC 6960 4.2.2.2: one that the issuer itself, and no CA below it, has made a responder. */
static bool is_delegate(X509 *signer, STACK_OF(X509) *issuer, const struct x509_ask *ask)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	bool ok = false;

	if (!ctx || !X509_STORE_CTX_init(ctx, ask->anchors->store, signer, NULL))
		goto out;
	X509_STORE_CTX_set0_trusted_stack(ctx, issuer);
	param = X509_STORE_CTX_get0_param(ctx);
	must(X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_OCSP_HELPER) &&
	     X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN));
	X509_VERIFY_PARAM_set_auth_level(param, X509_AUTH_LEVEL);
	X509_VERIFY_PARAM_set_time(param, (time_t)ask->now);
	ok = X509_verify_cert(ctx) == 1 && X509_get_extension_flags(signer) & EXFLAG_XKUSAGE &&
	     X509_get_extended_key_usage(signer) & XKU_OCSP_SIGN;
out:
	X509_STORE_CTX_free(ctx);
	return ok;
}

static int check_signature(struct x509_fail *fail, OCSP_BASICRESP *basic, X509 *issuer, const struct x509_ask *ask)
{
	STACK_OF(X509) *known = sk_X509_new_null();
	X509 *signer;
	int ret;

	if (!known || !sk_X509_push(known, issuer))
		ret = x509_refuse(fail, -ENOMEM, INTERNAL_ERROR, "out of memory");
	else if (!OCSP_resp_get0_signer(basic, &signer, known))
		ret = refuse(fail, "is signed by nobody known");
	else if (X509_cmp(signer, issuer) && !is_delegate(signer, known, ask))
		ret = refuse(fail, "is signed by one whom the issuer did not permit to");
	else if (!hash_is_strong(basic))
		ret = refuse(fail, "is signed with a hash that is too weak");
	else if (OCSP_basic_verify(basic, known, NULL, OCSP_NOVERIFY) != 1)	/* who signs is judged above */
		ret = refuse(fail, "has a wrong signature");
	else
		ret = 0;
	sk_X509_free(known);
	return ret;
}

/* ---- what it says ---- */

static bool is_about(const OCSP_SINGLERESP *single, X509 *leaf, X509 *issuer)
{
	OCSP_CERTID *id = (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single), *own;	/* not const to the library */
	ASN1_OBJECT *algorithm;
	const EVP_MD *md;
	bool same;

	if (!OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, id))
		return false;
	md = EVP_get_digestbyobj(algorithm);
	own = md ? OCSP_cert_to_id(md, leaf, issuer) : NULL;
	same = own && !OCSP_id_cmp(own, id);
	OCSP_CERTID_free(own);
	return same;
}

static OCSP_SINGLERESP *find(OCSP_BASICRESP *basic, X509 *leaf, X509 *issuer)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++)
		if (is_about(OCSP_resp_get0(basic, i), leaf, issuer))
			return OCSP_resp_get0(basic, i);
	return NULL;
}

/* Without a nextUpdate it would say good for ever to who keeps it from being renewed. */
static bool is_current(const ASN1_TIME *this_update, const ASN1_TIME *next_update, int64_t now)
{
	int64_t from, to;

	return this_update && next_update && !x509_put_time(&from, this_update) && !x509_put_time(&to, next_update) &&
	       from <= now + SKEW_S && to >= now - SKEW_S;
}

static int judge(struct x509_fail *fail, OCSP_SINGLERESP *single, X509 *leaf, int64_t now)
{
	ASN1_GENERALIZEDTIME *revoked, *this_update, *next_update;
	char who[WHO_LEN], when[16] = "";
	int status, reason;

	if (!single)
		return refuse(fail, "is not about the certificate");
	status = OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update);
	if (!is_current(this_update, next_update, now))
		return refuse(fail, "is out of date");
	if (status == V_OCSP_CERTSTATUS_GOOD)
		return 0;
	if (status != V_OCSP_CERTSTATUS_REVOKED)
		return refuse(fail, "does not know the certificate");
	x509_put_cert(who, sizeof(who), leaf);
	x509_put_date(when, sizeof(when), revoked);
	return x509_refuse(fail, -EKEYREJECTED, CERTIFICATE_REVOKED, "certificate of %s was revoked on %s", who, when);
}

static OCSP_BASICRESP *parse(struct der der)
{
	const uint8_t *p = der.p;
	OCSP_RESPONSE *response = der.len <= LONG_MAX ? d2i_OCSP_RESPONSE(NULL, &p, (long)der.len) : NULL;
	OCSP_BASICRESP *basic = NULL;

	if (response && p == der.p + der.len && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		basic = OCSP_response_get1_basic(response);
	OCSP_RESPONSE_free(response);
	return basic;
}

/* ---- where there is none ---- */

/* Does the certificate say that it always comes with a response? True also of what does not parse. */
static bool demands_staple(X509 *leaf)
{
	int critical;
	TLS_FEATURE *features = X509_get_ext_d2i(leaf, NID_tlsfeature, &critical, NULL);
	bool demands = !features && critical != -1;	/* it is there, but malformed or twice */

	for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++)
		demands = demands || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
	TLS_FEATURE_free(features);
	return demands;
}

static int check_absence(struct x509_fail *fail, const struct x509_ask *ask, X509 *leaf)
{
	char who[WHO_LEN];

	if (!ask->staple_due && !(ask->staple_asked && demands_staple(leaf)))
		return 0;
	x509_put_cert(who, sizeof(who), leaf);
	return x509_refuse(fail, -EKEYREJECTED, BAD_CERTIFICATE_STATUS_RESPONSE,
			   "certificate of %s comes without the OCSP response that it must have", who);
}

int x509_check_staple(struct x509_fail *fail, const struct x509_ask *ask, X509 *leaf, X509 *issuer)
{
	OCSP_BASICRESP *basic;
	int ret;

	if (!ask->staple.len)
		return check_absence(fail, ask, leaf);
	basic = parse(ask->staple);
	if (!basic)
		return refuse(fail, "does not parse, or is none");
	ret = check_signature(fail, basic, issuer, ask);
	if (!ret)
		ret = judge(fail, find(basic, leaf, issuer), leaf, ask->now);
	OCSP_BASICRESP_free(basic);
	return ret;
}
