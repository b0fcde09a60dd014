// SPDX-License-Identifier: MIT
#include "tests/bogo/trust.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 48

typedef int verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask);
verify __real_x509_verify, __wrap_x509_verify;

uint8_t trust_nobody;
struct x509_anchors *trust_anchors;

struct x509_anchors *trust_placeholder(void)
{
	static char place;

	return (struct x509_anchors *)(void *)&place;
}

/* NULL: it does not parse. */
static struct x509_anchors *anchors_of(struct der cert)
{
	struct x509_anchors *anchors = NULL;
	char *pem = malloc(2 * cert.len + 128), err[256];
	size_t at = 0;

	if (!pem)
		abort();
	at += (size_t)sprintf(pem + at, "-----BEGIN CERTIFICATE-----\n");
	for (size_t i = 0; i < cert.len; i += LINE_BYTES) {
		size_t n = cert.len - i < LINE_BYTES ? cert.len - i : LINE_BYTES;

		sodium_bin2base64(pem + at, LINE_BYTES * 2, cert.p + i, n, sodium_base64_VARIANT_ORIGINAL);
		at += strlen(pem + at);
		pem[at++] = '\n';
	}
	at += (size_t)sprintf(pem + at, "-----END CERTIFICATE-----\n");
	if (x509_anchors_load(&anchors, pem, at, err, sizeof(err)))
		anchors = NULL;
	free(pem);
	return anchors;
}

static int refuse(struct x509_fail *fail, uint8_t alert, const char *reason)
{
	fail->err = -EKEYREJECTED;
	fail->alert = alert;
	snprintf(fail->reason, sizeof(fail->reason), "%s", reason);
	return fail->err;
}

/* At a time when it is valid, by the anchor that it brings along. */
static int verify_alone(struct x509_peer *out, struct x509_fail *fail, struct x509_ask *ask)
{
	struct x509_anchors *own = anchors_of(ask->chain[ask->num - 1]);
	struct x509_times times;
	int ret;

	if (!own || x509_leaf_times(&times, ask->chain[0])) {
		ret = refuse(fail, 42, "a certificate of the peer does not parse");
	} else {
		ask->anchors = own;
		ask->now = times.not_before;
		ret = __real_x509_verify(out, fail, ask);
	}
	x509_anchors_free(own);
	return ret;
}

int __wrap_x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask)
{
	struct x509_ask own = *ask;

	own.name = NULL;
	own.staple.len = 0;
	own.staple_asked = own.staple_due = false;
	memset(out, 0, sizeof(*out));
	if (trust_nobody)
		return refuse(fail, trust_nobody, "the application trusts nobody");
	if (!trust_anchors)
		return verify_alone(out, fail, &own);
	own.anchors = trust_anchors;
	return __real_x509_verify(out, fail, &own);
}
