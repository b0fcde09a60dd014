// SPDX-License-Identifier: MIT
/* What certificates say of themselves, and why one is refused, in words of printable ASCII. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/x509v3.h>

#include "x509_impl.h"

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
void x509_put_name(char *out, size_t len, const X509_NAME *name)
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

void x509_put_short_name(char *out, size_t len, const X509_NAME *name)
{
	int i = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	if (i >= 0)
		put_string(out, len, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));
	else
		x509_put_name(out, len, name);
}

void x509_put_cert(char *out, size_t len, X509 *x)
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
		x509_put_short_name(out, len, X509_get_subject_name(x));
	if (!out[0])
		snprintf(out, len, "(no name)");
}

int x509_put_time(int64_t *out, const ASN1_TIME *t)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(t, &tm))
		return -EINVAL;
	*out = timegm(&tm);
	return 0;
}

void x509_put_date(char *out, size_t len, const ASN1_TIME *t)
{
	struct tm tm;

	snprintf(out, len, "(no date)");
	if (ASN1_TIME_to_tm(t, &tm))
		strftime(out, len, "%Y-%m-%d", &tm);
}

int x509_refuse(struct x509_fail *fail, int err, enum x509_alert alert, const char *reason, ...)
{
	va_list ap;

	fail->err = err;
	fail->alert = (uint8_t)alert;
	va_start(ap, reason);
	vsnprintf(fail->reason, sizeof(fail->reason), reason, ap);
	va_end(ap);
	return err;
}
