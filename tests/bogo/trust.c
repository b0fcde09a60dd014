// SPDX-License-Identifier: MIT
#include "tests/bogo/trust.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tlshd/tls/tls.h"

#define UNKNOWN_CA 48
#define BAD_STATUS_RESPONSE 113
#define YEAR_S (365 * 24 * 60 * 60)

int __real_x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask);
int __wrap_x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask);

bool trust_anybody, trust_no_staple;
struct der trust_staple;
uint8_t trust_nobody;
struct x509_anchors *trust_anchors;

struct x509_anchors *trust_placeholder(void)
{
	static char place;

	return (struct x509_anchors *)(void *)&place;
}

static int refuse(struct x509_fail *fail, uint8_t alert, const char *reason)
{
	fail->err = -EKEYREJECTED;
	fail->alert = alert;
	snprintf(fail->reason, sizeof(fail->reason), "%s", reason);
	return fail->err;
}

static int take(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask)
{
	int ret = x509_take(out, fail, ask->chain[0]);

	out->not_after = ask->now + YEAR_S;	/* the certificates of an older runner have expired */
	return ret;
}

/* The runner's staples are no OCSPResponses. */
static void keep_staple(struct der staple)
{
	static uint8_t kept[TLS_MSG_MAX];

	memcpy(kept, staple.p ? staple.p : kept, staple.len);
	trust_staple = (struct der){ kept, staple.len };
}

int __wrap_x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask)
{
	struct x509_ask own = *ask;
	int ret;

	memset(out, 0, sizeof(*out));
	keep_staple(ask->staple);
	if (trust_no_staple)
		return refuse(fail, BAD_STATUS_RESPONSE, "the application takes no OCSP response");
	if (trust_nobody)
		return refuse(fail, trust_nobody, "the application trusts nobody");
	if (!trust_anchors)
		return take(out, fail, ask);
	own.anchors = trust_anchors;
	own.name = NULL;
	own.staple = (struct der){ 0 };
	own.staple_asked = own.staple_due = false;
	ret = __real_x509_verify(out, fail, &own);
	return ret && fail->alert == UNKNOWN_CA && trust_anybody ? take(out, fail, ask) : ret;
}
