// SPDX-License-Identifier: MIT
/*
 * The verdict on a peer's chain, by libcrypto, in words.
 *
 * X509_V_FLAG_X509_STRICT is not set: beyond RFC 5280's rules on who may sign for whom, which libcrypto always
 * checks, it insists on the form of key identifiers, and refuses chains of many private CAs for no gain. Partial
 * chains are not accepted: an anchor is self-signed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "x509_impl.h"

#define AUTH_LEVEL	2	/* of X509_VERIFY_PARAM_set_auth_level(3): 112 bits, no SHA-1 */

enum alert {	/* RFC 8446 6.2 */
	BAD_CERTIFICATE = 42,
	UNSUPPORTED_CERTIFICATE = 43,
	CERTIFICATE_EXPIRED = 45,
	CERTIFICATE_UNKNOWN = 46,
	UNKNOWN_CA = 48,
	INTERNAL_ERROR = 80,
};

/* ---- words ---- */

/* What @bio holds, cut to @len bytes with its NUL; a cut shows as "...". */
static void take_words(char *out, size_t len, BIO *bio)
{
	char *p;
	long n = bio ? BIO_get_mem_data(bio, &p) : 0;

	out[0] = 0;
	if (n <= 0)
		return;
	if ((size_t)n < len) {
		memcpy(out, p, (size_t)n);
		out[n] = 0;
		return;
	}
	memcpy(out, p, len - 4);
	memcpy(out + len - 4, "...", 4);
}

/* ASN1_STRFLGS_RFC2253 escapes control characters and every byte above 0x7e: the result is plain ASCII in one line. */
static void put_name(char *out, size_t len, const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio)
		X509_NAME_print_ex(bio, name, 0, XN_FLAG_SEP_CPLUS_SPC | XN_FLAG_FN_SN | ASN1_STRFLGS_RFC2253);
	take_words(out, len, bio);
	BIO_free(bio);
}

static void put_string(char *out, size_t len, const ASN1_STRING *s)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio)
		ASN1_STRING_print_ex(bio, s, ASN1_STRFLGS_RFC2253 & ~ASN1_STRFLGS_ESC_2253);
	take_words(out, len, bio);
	BIO_free(bio);
}

/* @name by its common name, else in full. */
static void put_short_name(char *out, size_t len, const X509_NAME *name)
{
	int i = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	if (i >= 0)
		put_string(out, len, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));
	else
		put_name(out, len, name);
}

/* What people call a certificate: its first DNS name, else its subject. */
static void put_cert(char *out, size_t len, X509 *x)
{
	GENERAL_NAMES *sans = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	out[0] = 0;
	for (int i = 0; i < sk_GENERAL_NAME_num(sans) && !out[0]; i++) {
		GENERAL_NAME *name = sk_GENERAL_NAME_value(sans, i);

		if (name->type == GEN_DNS)
			put_string(out, len, name->d.dNSName);
	}
	GENERAL_NAMES_free(sans);
	if (!out[0])
		put_short_name(out, len, X509_get_subject_name(x));
	if (!out[0])
		snprintf(out, len, "(no name)");
}

static int put_time(int64_t *out, const ASN1_TIME *t)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(t, &tm))
		return -EINVAL;
	*out = timegm(&tm);
	return 0;
}

static void put_date(char *out, size_t len, const ASN1_TIME *t)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(t, &tm) || !strftime(out, len, "%Y-%m-%d", &tm))
		snprintf(out, len, "(no date)");
}

int x509_leaf_times(struct x509_times *out, struct der leaf)
{
	X509 *x = x509_parse(leaf.p, leaf.len);
	int ret = -EINVAL;

	if (x && !put_time(&out->not_before, X509_get0_notBefore(x)))
		ret = put_time(&out->not_after, X509_get0_notAfter(x));
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
	enum alert alert;
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

__attribute__((format(printf, 4, 5)))
static int refuse(struct x509_fail *fail, int err, enum alert alert, const char *reason, ...)
{
	va_list ap;

	fail->err = err;
	fail->alert = (uint8_t)alert;
	va_start(ap, reason);
	vsnprintf(fail->reason, sizeof(fail->reason), reason, ap);
	va_end(ap);
	return err;
}

#define WHO_LEN 64	/* of a name within a reason, so that the words behind it are not cut off */

static int refuse_path(struct x509_fail *fail, X509_STORE_CTX *ctx)
{
	const struct verdict *v = find_verdict(X509_STORE_CTX_get_error(ctx));
	X509 *x = X509_STORE_CTX_get_current_cert(ctx);
	char who[WHO_LEN] = "", date[16] = "";

	if (!x || v->detail == ALONE)
		return refuse(fail, v->err, v->alert, "%s%s", v->detail == ALONE ? "" : "certificate ", v->words);
	if (v->detail == ISSUER) {
		put_short_name(who, sizeof(who), X509_get_issuer_name(x));
		return refuse(fail, v->err, v->alert, "issuer %s %s", who, v->words);
	}
	put_cert(who, sizeof(who), x);
	if (v->detail == NOT_AFTER)
		put_date(date, sizeof(date), X509_get0_notAfter(x));
	else if (v->detail == NOT_BEFORE)
		put_date(date, sizeof(date), X509_get0_notBefore(x));
	else if (v == &other)
		snprintf(date, sizeof(date), "(%d)", X509_STORE_CTX_get_error(ctx));
	return refuse(fail, v->err, v->alert, "certificate of %s %s%s%s", who, v->words, date[0] ? " " : "", date);
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

static int check_path(struct x509_fail *fail, const struct x509_ask *ask, X509 *leaf, STACK_OF(X509) *rest)
{
	bool server = ask->purpose == X509_PURPOSE_TLS_SERVER;
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	int ret = -ENOMEM;

	if (!ctx || !X509_STORE_CTX_init(ctx, ask->anchors->store, leaf, rest)) {
		refuse(fail, -ENOMEM, INTERNAL_ERROR, "out of memory");
		goto out;
	}
	param = X509_STORE_CTX_get0_param(ctx);
	must(X509_VERIFY_PARAM_set_purpose(param, server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT) &&
	     X509_VERIFY_PARAM_set_trust(param, server ? X509_TRUST_SSL_SERVER : X509_TRUST_SSL_CLIENT));
	X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
	X509_VERIFY_PARAM_set_depth(param, X509_CHAIN_MAX);
	X509_VERIFY_PARAM_set_time(param, (time_t)ask->now);
	ret = X509_verify_cert(ctx) == 1 ? 0 : refuse_path(fail, ctx);
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
	put_cert(who, sizeof(who), leaf);
	return refuse(fail, -EKEYREJECTED, UNSUPPORTED_CERTIFICATE,
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
	put_cert(who, sizeof(who), leaf);
	return refuse(fail, -EKEYREJECTED, BAD_CERTIFICATE, "certificate for %s is not valid for %s", who, name);
}

static int take_key(struct sig_pub *pub, struct x509_fail *fail, X509 *leaf)
{
	EVP_PKEY *pkey = X509_get_pubkey(leaf);
	size_t len = sizeof(pub->ed25519);
	int ret = 0;

	if (!pkey || sig_type_of(&pub->type, pkey)) {
		EVP_PKEY_free(pkey);
		return refuse(fail, -EKEYREJECTED, UNSUPPORTED_CERTIFICATE, "certificate has a key of a type or size not supported");
	}
	if (pub->type != SIG_TYPE_ED25519) {
		pub->pkey = pkey;
		return 0;
	}
	if (EVP_PKEY_get_raw_public_key(pkey, pub->ed25519, &len) != 1)
		ret = refuse(fail, -ENOMEM, INTERNAL_ERROR, "out of memory");
	EVP_PKEY_free(pkey);
	return ret;
}

static int take_peer(struct x509_peer *out, struct x509_fail *fail, X509 *leaf, struct der der)
{
	struct hash h;
	int ret;

	if (put_time(&out->not_after, X509_get0_notAfter(leaf)))
		return refuse(fail, -EKEYREJECTED, BAD_CERTIFICATE, "certificate has a malformed date");
	ret = take_key(&out->pub, fail, leaf);
	if (ret)
		return ret;
	hash_init(&h, HASH_SHA256);
	hash_update(&h, der.p, der.len);
	hash_final(&h, out->leaf_sha256);
	put_name(out->subject, sizeof(out->subject), X509_get_subject_name(leaf));
	return 0;
}

/* What went wrong in reading certificates, -ENOMEM or -EBADMSG. */
static int refuse_parse(struct x509_fail *fail, int err)
{
	if (err == -ENOMEM)
		return refuse(fail, err, INTERNAL_ERROR, "out of memory");
	return refuse(fail, -EKEYREJECTED, BAD_CERTIFICATE, "a certificate of the peer does not parse");
}

int x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask)
{
	STACK_OF(X509) *rest = sk_X509_new_null();
	X509 *leaf = NULL;
	int ret;

	must(ask->num >= 1 && ask->num <= X509_CHAIN_MAX);
	memset(out, 0, sizeof(*out));
	memset(fail, 0, sizeof(*fail));
	ret = rest ? parse_chain(&leaf, rest, ask->chain, ask->num) : -ENOMEM;
	ret = ret ? refuse_parse(fail, ret) : check_path(fail, ask, leaf, rest);
	if (!ret)
		ret = check_usage(fail, leaf);
	if (!ret)
		ret = check_name(fail, leaf, ask->name);
	if (!ret)
		ret = take_peer(out, fail, leaf, ask->chain[0]);
	X509_free(leaf);
	sk_X509_pop_free(rest, X509_free);
	ERR_clear_error();
	return ret;
}

int x509_take(struct x509_peer *out, struct x509_fail *fail, struct der der)
{
	X509 *leaf = x509_parse(der.p, der.len);
	int ret;

	memset(out, 0, sizeof(*out));
	memset(fail, 0, sizeof(*fail));
	ret = leaf ? take_peer(out, fail, leaf, der) : refuse_parse(fail, -EBADMSG);
	X509_free(leaf);
	ERR_clear_error();
	return ret;
}

void x509_peer_free(struct x509_peer *p)
{
	sig_pub_free(&p->pub);
	memset(p, 0, sizeof(*p));
}
