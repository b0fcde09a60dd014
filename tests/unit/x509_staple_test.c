// SPDX-License-Identifier: MIT
/* x509_ocsp.c: which stapled responses are good, and which certificates may come without. */
#include "x509_util.h"

#include <errno.h>
#include <time.h>

#include <openssl/err.h>

#define HOUR 3600
#define STAPLE "stapled OCSP response "

static struct x509_anchors *root, *self;

static struct x509_anchors *anchors_of(const char *file)
{
	struct x509_anchors *a;
	char err[256];
	size_t len;
	char *pem = read_cert(file, &len);

	if (x509_anchors_load(&a, pem, len, err, sizeof(err)))
		fail_msg("%s: %s", file, err);
	free(pem);
	return a;
}

/* A chain, and a response with it or NULL. */
struct stapled {
	struct loaded l;
	struct der staple;
	char *bytes;
	struct x509_ask ask;
};

static void load_stapled(struct stapled *s, const char *chain, const char *staple)
{
	memset(s, 0, sizeof(*s));
	load_file(&s->l, chain);
	if (staple) {
		s->bytes = read_cert(staple, &s->staple.len);
		s->staple.p = (const uint8_t *)s->bytes;
	}
	s->ask = (struct x509_ask){
		.anchors = root, .chain = s->l.certs, .num = s->l.num, .purpose = X509_PURPOSE_TLS_SERVER,
		.name = "localhost", .now = time(NULL), .staple = s->staple, .staple_asked = true,
	};
}

static void free_stapled(struct stapled *s)
{
	free(s->l.list);
	free(s->bytes);
}

static int verify(struct x509_fail *fail, const struct x509_ask *ask)
{
	struct x509_peer peer;
	int ret = x509_verify(&peer, fail, ask);

	assert_true(ret == 0 || (ret == fail->err && fail->reason[0] && !peer.pub.pkey && !peer.not_after));
	assert_int_equal(ERR_peek_error(), 0);
	x509_peer_free(&peer);
	return ret;
}

static const struct row {
	const char *what, *chain, *staple;
	int64_t later;		/* than now, seconds */
	uint8_t alert;		/* 0: it is good */
	const char *reason;
} rows[] = {
	{ "signed by the issuer", "p256.pem", "p256.ocsp", 0, 0, NULL },
	{ "without certificates", "p256.pem", "small.ocsp", 0, 0, NULL },
	{ "certificate named by SHA-256", "p256.pem", "sha256id.ocsp", 0, 0, NULL },
	{ "signed by the issuer's responder", "p256.pem", "responder.ocsp", 0, 0, NULL },
	{ "a certificate that demands it", "staple.pem", "staple.ocsp", 0, 0, NULL },
	{ "an anchor's own", "self.pem", "self.ocsp", 0, 0, NULL },
	{ "revoked", "p256.pem", "revoked.ocsp", 0, 44, "certificate of localhost was revoked on 2020-01-02" },
	{ "unknown", "p256.pem", "unknown.ocsp", 0, 113, STAPLE "does not know the certificate" },
	{ "of another certificate", "p256.pem", "another.ocsp", 0, 113, STAPLE "is not about the certificate" },
	{ "over", "p256.pem", "short.ocsp", HOUR, 113, STAPLE "is out of date" },
	{ "without an end", "p256.pem", "endless.ocsp", 0, 113, STAPLE "is out of date" },
	{ "signed by a responder that expired", "p256.pem", "oldresponder.ocsp", 0, 113,
	  STAPLE "is signed by one whom the issuer did not permit to" },
	{ "signed by the root's responder", "p256.pem", "rootresponder.ocsp", 0, 113,
	  STAPLE "is signed by one whom the issuer did not permit to" },
	{ "signed by a leaf that is no responder", "p256.pem", "byleaf.ocsp", 0, 113,
	  STAPLE "is signed by one whom the issuer did not permit to" },
	{ "signed by a leaf without a purpose", "p256.pem", "anyresponder.ocsp", 0, 113,
	  STAPLE "is signed by one whom the issuer did not permit to" },
	{ "signed by a stranger", "p256.pem", "stranger.ocsp", 0, 113, STAPLE "is signed by nobody known" },
	{ "signed with SHA-1", "p256.pem", "sha1sig.ocsp", 0, 113, STAPLE "is signed with a hash that is too weak" },
	{ "signed by RSASSA-PSS", "p256.pem", "pss.ocsp", 0, 0, NULL },
	{ "signed by RSASSA-PSS with SHA-1", "p256.pem", "psssha1.ocsp", 0, 113,
	  STAPLE "is signed with a hash that is too weak" },
	{ "a responder that has no time", "p256.pem", "trylater.ocsp", 0, 113, STAPLE "does not parse, or is none" },
	{ "a certificate instead", "p256.pem", "p256.crt", 0, 113, STAPLE "does not parse, or is none" },
	{ "none", "p256.pem", NULL, 0, 0, NULL },
	{ "none with a certificate that demands it", "staple.pem", NULL, 0, 113,
	  "certificate of localhost comes without the OCSP response that it must have" },
	{ "none with one that demands something else", "v2staple.pem", NULL, 0, 0, NULL },
	{ "none with one that demands nothing sensible", "badstaple.pem", NULL, 0, 113,
	  "certificate of localhost comes without the OCSP response that it must have" },
};

static void one_staple(void **state)
{
	const struct row *row = *state;
	struct x509_fail fail;
	struct stapled s;
	int ret;

	load_stapled(&s, row->chain, row->staple);
	if (!strcmp(row->chain, "self.pem"))
		s.ask.anchors = self;
	s.ask.now += row->later;
	ret = verify(&fail, &s.ask);
	if (row->reason ? ret != -EKEYREJECTED || fail.alert != row->alert || strcmp(fail.reason, row->reason) : ret)
		fail_msg("%d, alert %d, \"%s\"", ret, fail.alert, fail.reason);
	free_stapled(&s);
}

static void a_response_of_the_future_is_refused(void **state)
{
	struct x509_times times;
	struct x509_fail fail;
	struct stapled s;

	(void)state;
	load_stapled(&s, "p256.pem", "p256.ocsp");
	assert_int_equal(x509_leaf_times(&times, s.l.certs[0]), 0);
	s.ask.now = times.not_before + HOUR;
	assert_int_equal(verify(&fail, &s.ask), -EKEYREJECTED);
	assert_string_equal(fail.reason, STAPLE "is out of date");
	free_stapled(&s);
}

static void who_did_not_ask_needs_none_and_who_must_have_one_refuses_any_without(void **state)
{
	struct x509_fail fail;
	struct stapled s;

	(void)state;
	load_stapled(&s, "staple.pem", NULL);
	s.ask.staple_asked = false;
	assert_int_equal(verify(&fail, &s.ask), 0);
	free_stapled(&s);
	load_stapled(&s, "p256.pem", NULL);
	s.ask.staple_due = true;
	assert_int_equal(verify(&fail, &s.ask), -EKEYREJECTED);
	assert_int_equal(fail.alert, 113);
	free_stapled(&s);
	load_stapled(&s, "p256.pem", "p256.ocsp");
	s.ask.staple_due = true;
	assert_int_equal(verify(&fail, &s.ask), 0);
	free_stapled(&s);
}

/* And so does one with a byte more. */
static void a_response_cut_anywhere_is_refused(void **state)
{
	struct x509_fail fail;
	struct stapled s;

	(void)state;
	load_stapled(&s, "p256.pem", "small.ocsp");
	for (size_t len = 1; len <= s.staple.len + 1; len++) {
		uint8_t *copy = calloc(1, len);

		memcpy(copy, s.staple.p, len < s.staple.len ? len : s.staple.len);
		s.ask.staple = (struct der){ copy, len };
		if (len != s.staple.len) {
			assert_int_equal(verify(&fail, &s.ask), -EKEYREJECTED);
			assert_int_equal(fail.alert, 113);
		}
		free(copy);
	}
	free_stapled(&s);
}

static void a_response_of_impossible_length_is_refused(void **state)
{
	struct x509_fail fail;
	struct stapled s;

	(void)state;
	load_stapled(&s, "p256.pem", "p256.ocsp");
	s.ask.staple.len = SIZE_MAX;
	assert_int_equal(verify(&fail, &s.ask), -EKEYREJECTED);
	assert_int_equal(fail.alert, 113);
	free_stapled(&s);
}

static void a_response_flipped_anywhere_is_refused(void **state)
{
	struct x509_fail fail;
	struct stapled s;

	(void)state;
	load_stapled(&s, "p256.pem", "small.ocsp");
	for (size_t i = 0; i < s.staple.len; i++) {
		s.bytes[i] ^= 1;
		if (!verify(&fail, &s.ask))
			fail_msg("byte %zu of %zu", i, s.staple.len);
		s.bytes[i] ^= 1;
	}
	free_stapled(&s);
}

static int start(void **state)
{
	(void)state;
	if (crypto_init())
		return -1;
	root = anchors_of("root.crt");
	self = anchors_of("self.crt");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	x509_anchors_free(root);
	x509_anchors_free(self);
	return 0;
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(a_response_of_the_future_is_refused),
		cmocka_unit_test(who_did_not_ask_needs_none_and_who_must_have_one_refuses_any_without),
		cmocka_unit_test(a_response_cut_anywhere_is_refused),
		cmocka_unit_test(a_response_of_impossible_length_is_refused),
		cmocka_unit_test(a_response_flipped_anywhere_is_refused),
	};
	struct CMUnitTest tests[NUM(others) + NUM(rows)];

	memcpy(tests, others, sizeof(others));
	for (size_t i = 0; i < NUM(rows); i++)
		tests[NUM(others) + i] = (struct CMUnitTest){ rows[i].what, one_staple, NULL, NULL, (void *)&rows[i] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
