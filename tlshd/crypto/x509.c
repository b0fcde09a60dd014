// SPDX-License-Identifier: MIT
/*
 * The verdict on a peer's chain, by libcrypto, in words.
 *
 * X509_V_FLAG_X509_STRICT is not set: beyond RFC 5280's rules on who may sign for whom, which libcrypto always
 * checks, it insists on the form of key identifiers, and refuses chains of many private CAs for no gain. Partial
 * chains are not accepted: an anchor is self-signed.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "x509_impl.h"

int x509_leaf_times(struct x509_times *out, struct der leaf)
{
	X509 *x = x509_parse(leaf.p, leaf.len);
	int ret = -EINVAL;

	if (x && !x509_put_time(&out->not_before, X509_get0_notBefore(x)))
		ret = x509_put_time(&out->not_after, X509_get0_notAfter(x));
	X509_free(x);
	ERR_clear_error();
	return ret;
}

/* ---- verdicts ---- */

enum detail { ALONE, SUBJECT, ISSUER, NOT_AFTER, NOT_BEFORE };

/* What libcrypto found, what START returns, what the peer is told, what people read. */
static const struct verdict {
	int code;
	int err;
	enum x509_alert alert;
	enum detail detail;
	const char *words;
} verdicts[] = {
	{ X509_V_ERR_CERT_HAS_EXPIRED, -EKEYEXPIRED, CERTIFICATE_EXPIRED, NOT_AFTER, "expired" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, -EKEYREJECTED, CERTIFICATE_EXPIRED, NOT_BEFORE, "is not valid before" },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "has a malformed date" },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "has a malformed date" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, -EKEYREJECTED, UNKNOWN_CA, ALONE, "self-signed certificate is not trusted" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, -EKEYREJECTED, UNKNOWN_CA, SUBJECT, "is self-signed and not trusted" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, -EKEYREJECTED, UNKNOWN_CA, ISSUER, "is not trusted or missing in the chain" },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, -EKEYREJECTED, UNKNOWN_CA, ISSUER,
	  "is not trusted or missing in the chain" },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, -EKEYREJECTED, UNKNOWN_CA, ISSUER,
	  "is not trusted or missing in the chain" },
	{ X509_V_ERR_CERT_CHAIN_TOO_LONG, -EKEYREJECTED, UNKNOWN_CA, ALONE, "certificate chain is too long" },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, -EKEYREJECTED, UNKNOWN_CA, SUBJECT, "may not have so many CAs below it" },
	{ X509_V_ERR_INVALID_CA, -EKEYREJECTED, UNKNOWN_CA, SUBJECT, "may not sign others: it is no CA" },
	{ X509_V_ERR_INVALID_NON_CA, -EKEYREJECTED, UNKNOWN_CA, SUBJECT, "is a CA where none may be" },
	{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, -EKEYREJECTED, UNKNOWN_CA, SUBJECT,
	  "may not sign others: its key usage forbids it" },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "has a wrong signature" },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "has a wrong signature" },
	{ X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT,
	  "has an issuer whose key cannot be read" },
	{ X509_V_ERR_INVALID_PURPOSE, -EKEYREJECTED, UNSUPPORTED_CERTIFICATE, SUBJECT, "is not meant for this side of TLS" },
	{ X509_V_ERR_CERT_REJECTED, -EKEYREJECTED, CERTIFICATE_UNKNOWN, SUBJECT, "is marked as rejected" },
	{ X509_V_ERR_CERT_UNTRUSTED, -EKEYREJECTED, UNKNOWN_CA, SUBJECT, "is not trusted for this purpose" },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "has a key of under 112 bits of security" },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "has a key of under 112 bits of security" },
	{ X509_V_ERR_CA_MD_TOO_WEAK, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "is signed with a hash that is too weak" },
	{ X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, -EKEYREJECTED, UNSUPPORTED_CERTIFICATE, SUBJECT, "has a curve of its own" },
	{ X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, -EKEYREJECTED, UNSUPPORTED_CERTIFICATE, SUBJECT,
	  "has a critical extension that is not known here" },
	{ X509_V_ERR_INVALID_EXTENSION, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "has a malformed extension" },
	{ X509_V_ERR_PERMITTED_VIOLATION, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "has a name that its CA may not sign" },
	{ X509_V_ERR_EXCLUDED_VIOLATION, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT, "has a name that its CA may not sign" },
	{ X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE, -EKEYREJECTED, BAD_CERTIFICATE, SUBJECT,
	  "has unsupported name constraints" },
	{ X509_V_ERR_OUT_OF_MEM, -ENOMEM, INTERNAL_ERROR, ALONE, "out of memory" },
};

static const struct verdict other = { 0, -EKEYREJECTED, CERTIFICATE_UNKNOWN, SUBJECT, "was refused" };

static const struct verdict *find_verdict(int code)
{
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++)
		if (verdicts[i].code == code)
			return &verdicts[i];
	return &other;
}

static int refuse_path(struct x509_fail *fail, X509_STORE_CTX *ctx)
{
	const struct verdict *v = find_verdict(X509_STORE_CTX_get_error(ctx));
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	char who[WHO_LEN] = "", date[16] = "";

	if (!x || v->detail == ALONE)
		return x509_refuse(fail, v->err, v->alert, "%s%s", v->detail == ALONE ? "" : "certificate ", v->words);
	if (v->detail == ISSUER) {
		x509_put_short_name(who, sizeof(who), X509_get_issuer_name(x));
		return x509_refuse(fail, v->err, v->alert, "issuer %s %s", who, v->words);
	}
	x509_put_cert(who, sizeof(who), x);
	if (v->detail == NOT_AFTER)
		x509_put_date(date, sizeof(date), X509_get0_notAfter(x));
	else if (v->detail == NOT_BEFORE)
		x509_put_date(date, sizeof(date), X509_get0_notBefore(x));
	else if (v == &other)
		snprintf(date, sizeof(date), "(%d)", X509_STORE_CTX_get_error(ctx));
	return x509_refuse(fail, v->err, v->alert, "certificate of %s %s%s%s", who, v->words, date[0] ? " " : "", date);
}

/* ---- a peer's chain ---- */

static int parse_chain(X509 **leaf, STACK_OF(X509) *rest, const struct der *chain, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		X509 *x = x509_parse(chain[i].p, chain[i].len);

		if (!x)
			return -EBADMSG;
		if (i == 0) {
			*leaf = x;
		} else if (!sk_X509_push(rest, x)) {
			X509_free(x);
			return -ENOMEM;
		}
	}
	return 0;
}

/* Of a certificate whose path was checked, and so its dates read. */
static int64_t time_of(const ASN1_TIME *t)
{
	int64_t v = 0;

	must(!x509_put_time(&v, t));
	return v;
}

/* What is needed of a path that libcrypto has built and verified. */
static void take_path(struct x509_path *out, STACK_OF(X509) *path)
{
	out->leaf = sk_X509_value(path, 0);
	out->issuer = sk_X509_value(path, sk_X509_num(path) > 1 ? 1 : 0);
	X509_up_ref(out->leaf);
	X509_up_ref(out->issuer);
	out->from = INT64_MIN;
	out->until = INT64_MAX;
	for (int i = 0; i < sk_X509_num(path); i++) {
		int64_t from = time_of(X509_get0_notBefore(sk_X509_value(path, i)));
		int64_t until = time_of(X509_get0_notAfter(sk_X509_value(path, i)));

		out->from = from > out->from ? from : out->from;
		out->until = until < out->until ? until : out->until;
	}
}

void x509_path_free(struct x509_path *p)
{
	X509_free(p->leaf);
	X509_free(p->issuer);
	memset(p, 0, sizeof(*p));
}

static int check_path(struct x509_path *out, struct x509_fail *fail, const struct x509_ask *ask, X509 *leaf,
		      STACK_OF(X509) *rest)
{
	bool server = ask->purpose == X509_PURPOSE_TLS_SERVER;
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int ret = -ENOMEM;

	if (!ctx || !X509_STORE_CTX_init(ctx, ask->anchors->store, leaf, rest)) {
		x509_refuse(fail, -ENOMEM, INTERNAL_ERROR, "out of memory");
		goto out;
	}
	param = X509_STORE_CTX_get0_param(ctx);
	must(X509_VERIFY_PARAM_set_purpose(param, server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT) &&
	     X509_VERIFY_PARAM_set_trust(param, server ? X509_TRUST_SSL_SERVER : X509_TRUST_SSL_CLIENT));
	X509_VERIFY_PARAM_set_auth_level(param, X509_AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, X509_CHAIN_MAX);
	X509_VERIFY_PARAM_set_time(param, (time_t)ask->now);
	ret = X509_verify_cert(ctx) == 1 ? 0 : refuse_path(fail, ctx);
	if (!ret)
		take_path(out, X509_STORE_CTX_get0_chain(ctx));
out:
	X509_STORE_CTX_free(ctx);
	return ret;
}

/* RFC 8446 4.4.2.2: a key usage, if there is one, must allow signatures. libcrypto is content with any of TLS 1.2. */
static int check_usage(struct x509_fail *fail, X509 *leaf)
{
	char who[WHO_LEN];

	if (X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE)
		return 0;
	x509_put_cert(who, sizeof(who), leaf);
	return x509_refuse(fail, -EKEYREJECTED, UNSUPPORTED_CERTIFICATE,
			   "certificate of %s may not sign: its key usage forbids it", who);
}

/* Without a subject's CN, partial wildcards, or X509_check_host()'s own rule that ".name" stands for all below it. */
static bool matches(X509 *leaf, const char *name)
{
	char copy[X509_NAME_MAX + 1];
	bool is_ip;

	if ((size_t)snprintf(copy, sizeof(copy), "%s", name) >= sizeof(copy) || x509_name_ok(copy, &is_ip))
		return false;
	if (is_ip)
		return X509_check_ip_asc(leaf, copy, 0) == 1;
	return X509_check_host(leaf, copy, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
			       NULL) == 1;
}

static int check_name(struct x509_fail *fail, X509 *leaf, const char *name)
{
	char who[WHO_LEN];

	if (!name || matches(leaf, name))
		return 0;
	x509_put_cert(who, sizeof(who), leaf);
	return x509_refuse(fail, -EKEYREJECTED, BAD_CERTIFICATE, "certificate for %s is not valid for %s", who, name);
}

static int take_key(struct sig_pub *pub, struct x509_fail *fail, X509 *leaf)
{
	EVP_PKEY *pkey = X509_get_pubkey(leaf);
	size_t len = sizeof(pub->ed25519);
	int ret = 0;

	if (!pkey || sig_type_of(&pub->type, pkey)) {
		EVP_PKEY_free(pkey);
		return x509_refuse(fail, -EKEYREJECTED, UNSUPPORTED_CERTIFICATE,
				   "certificate has a key of a type or size not supported");
	}
	if (pub->type != SIG_TYPE_ED25519) {
		pub->pkey = pkey;
		return 0;
	}
	if (EVP_PKEY_get_raw_public_key(pkey, pub->ed25519, &len) != 1)
		ret = x509_refuse(fail, -ENOMEM, INTERNAL_ERROR, "out of memory");
	EVP_PKEY_free(pkey);
	return ret;
}

static int take_peer(struct x509_peer *out, struct x509_fail *fail, X509 *leaf, struct der der)
{
	struct hash h;
	int ret;

	if (x509_put_time(&out->not_after, X509_get0_notAfter(leaf)))
		return x509_refuse(fail, -EKEYREJECTED, BAD_CERTIFICATE, "certificate has a malformed date");
	ret = take_key(&out->pub, fail, leaf);
	if (ret)
		return ret;
	hash_init(&h, HASH_SHA256);
	hash_update(&h, der.p, der.len);
	hash_final(&h, out->leaf_sha256);
	x509_put_name(out->subject, sizeof(out->subject), X509_get_subject_name(leaf));
	return 0;
}

/* What went wrong in reading certificates, -ENOMEM or -EBADMSG. */
static int refuse_parse(struct x509_fail *fail, int err)
{
	if (err == -ENOMEM)
		return x509_refuse(fail, err, INTERNAL_ERROR, "out of memory");
	return x509_refuse(fail, -EKEYREJECTED, BAD_CERTIFICATE, "a certificate of the peer does not parse");
}

static int verify(struct x509_peer *out, struct x509_path *path, struct x509_fail *fail, const struct x509_ask *ask)
{
	STACK_OF(X509) *rest = sk_X509_new_null();
	X509 *leaf = NULL;
	int ret;

	ret = rest ? parse_chain(&leaf, rest, ask->chain, ask->num) : -ENOMEM;
	ret = ret ? refuse_parse(fail, ret) : check_path(path, fail, ask, leaf, rest);
	if (!ret)
		ret = check_usage(fail, leaf);
	if (!ret)
		ret = check_name(fail, leaf, ask->name);
	if (!ret)
		ret = take_peer(out, fail, leaf, ask->chain[0]);
	X509_free(leaf);
	sk_X509_pop_free(rest, X509_free);
	return ret;
}

int x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask)
{
	uint8_t key[X509_CACHE_KEY_LEN];
	struct x509_path path = { 0 };
	bool known = false;
	int ret = 0;

	must(ask->num >= 1 && ask->num <= X509_CHAIN_MAX);
	memset(out, 0, sizeof(*out));
	memset(fail, 0, sizeof(*fail));
	if (ask->cache) {
		x509_cache_key(key, ask);
		known = x509_cache_find(ask->cache, key, ask->now, out, &path);
	}
	if (!known)
		ret = verify(out, &path, fail, ask);
	if (!ret)
		ret = x509_check_staple(fail, ask, path.leaf, path.issuer);
	if (!ret && ask->cache && !known)
		x509_cache_add(ask->cache, key, out, &path);
	if (ret)
		x509_peer_free(out);
	x509_path_free(&path);
	ERR_clear_error();
	return ret;
}

int x509_take(struct x509_peer *out, struct x509_fail *fail, struct der der)
{
	X509 *leaf = x509_parse(der.p, der.len);
	int ret;

	memset(out, 0, sizeof(*out));
	memset(fail, 0, sizeof(*fail));
	ret = leaf ? check_usage(fail, leaf) : refuse_parse(fail, -EBADMSG);
	if (!ret)
		ret = take_peer(out, fail, leaf, der);
	X509_free(leaf);
	ERR_clear_error();
	return ret;
}

void x509_peer_free(struct x509_peer *p)
{
	sig_pub_free(&p->pub);
	memset(p, 0, sizeof(*p));
}
