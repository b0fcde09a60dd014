// SPDX-License-Identifier: MIT
/* x509.c: which chains and names are accepted, and in which words the others are refused. */
#include "x509_util.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <openssl/err.h>

/* ---- helpers ---- */

/* Certificates as they stand in a file: x509_chain_load() would refuse what a peer may still send. */
static void load_any(struct loaded *l, const char *file)
{
	memset(l, 0, sizeof(*l));
	l->list = read_ders(file, l->certs, NUM(l->certs), &l->num);
}

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

static struct x509_anchors *root;

/* Of a server, up to the root. */
static struct x509_ask asked(const struct loaded *l, const char *name, int64_t now)
{
	return (struct x509_ask){ root, l->certs, l->num, X509_PURPOSE_TLS_SERVER, name, now };
}

static int verify_at(struct x509_peer *peer, struct x509_fail *fail, const struct loaded *l, const char *name, int64_t now)
{
	struct x509_ask ask = asked(l, name, now);

	return x509_verify(peer, fail, &ask);
}

/* ---- verdicts ---- */

struct row {
	const char *what;
	const char *file;
	const char *name;
	enum x509_purpose purpose;
	const char *anchors;	/* NULL: root.crt */
	int err;
	uint8_t alert;
	const char *reason;	/* whole */
};

#define SERVER X509_PURPOSE_TLS_SERVER
#define CLIENT X509_PURPOSE_TLS_CLIENT

static const struct row rows[] = {
	/* Every kind of key, directly and through the intermediate. */
	{ "P-256", "p256.pem", "localhost", SERVER },
	{ "P-384", "p384.pem", "localhost", SERVER },
	{ "Ed25519", "ed25519.pem", "localhost", SERVER },
	{ "RSA-2048", "rsa2048.pem", "localhost", SERVER },
	{ "RSA-3072", "rsa3072.pem", "localhost", SERVER },
	{ "RSASSA-PSS", "pss2048.pem", "localhost", SERVER },
	{ "RSASSA-PSS limited to SHA-256", "pss256.pem", "localhost", SERVER },
	{ "RSA authority", "rsaleaf.pem", "localhost", SERVER, "rsaroot.crt" },
	{ "client certificate", "client.pem", NULL, CLIENT },
	{ "no key usage at all", "noku.pem", "localhost", SERVER },
	{ "self-signed but trusted", "self.pem", "localhost", SERVER, "self.crt" },
	{ "within the CA's name constraints", "within.pem", "www.example.org", SERVER },
	{ "any name", "p256.pem", NULL, SERVER },

	/* Names. */
	{ "second name", "p256.pem", "www.example.org", SERVER },
	{ "case", "p256.pem", "WWW.Example.ORG", SERVER },
	{ "trailing dot", "p256.pem", "www.example.org.", SERVER },
	{ "IPv4", "p256.pem", "127.0.0.1", SERVER },
	{ "IPv6", "p256.pem", "::1", SERVER },
	{ "IPv6 in long form", "iponly.pem", "2001:db8:0:0:0:0:0:1", SERVER },
	{ "wrong name", "db1.pem", "db2", SERVER, NULL, -EKEYREJECTED, 42, "certificate for db1 is not valid for db2" },
	{ "name below", "p256.pem", "a.localhost", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for localhost is not valid for a.localhost" },
	{ "name above", "p256.pem", "example.org", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for localhost is not valid for example.org" },
	{ "leading dot", "p256.pem", ".example.org", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for localhost is not valid for .example.org" },
	{ "wrong IPv4", "p256.pem", "127.0.0.2", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for localhost is not valid for 127.0.0.2" },
	{ "IP literal as dNSName", "ipasdns.pem", "192.0.2.1", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for 192.0.2.1 is not valid for 192.0.2.1" },
	{ "IP literal as common name", "cnonly.pem", "192.0.2.1", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for www.example.org is not valid for 192.0.2.1" },
	{ "common name only", "cnonly.pem", "www.example.org", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for www.example.org is not valid for www.example.org" },
	{ "wildcard", "wild.pem", "www.example.org", SERVER },
	{ "wildcard for an A-label", "wild.pem", "xn--bcher-kva.example.org", SERVER },
	{ "wildcard is one label", "wild.pem", "a.b.example.org", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for *.example.org is not valid for a.b.example.org" },
	{ "wildcard is no empty label", "wild.pem", "example.org", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for *.example.org is not valid for example.org" },
	{ "wildcard under a top-level domain", "widest.pem", "example.com", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for *.com is not valid for example.com" },
	{ "wildcard alone", "widest.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for *.com is not valid for localhost" },
	{ "partial wildcard in front", "partial.pem", "www.example.org", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for w*.example.org is not valid for www.example.org" },
	{ "partial wildcard behind", "partial.pem", "ww.example.org", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for w*.example.org is not valid for ww.example.org" },
	{ "wildcard not leftmost", "partial.pem", "a.b.example.org", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for w*.example.org is not valid for a.b.example.org" },

	{ "NUL within a name", "nul.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate for localhost\\00.a is not valid for localhost" },

	/* Times. */
	{ "expired", "expired.pem", "www.example.org", SERVER, NULL, -EKEYEXPIRED, 45,
	  "certificate of localhost expired 2026-01-02" },
	{ "not yet valid", "future.pem", "www.example.org", SERVER, NULL, -EKEYREJECTED, 45,
	  "certificate of localhost is not valid before 2098-02-03" },
	{ "expired intermediate", "underold.pem", "localhost", SERVER, NULL, -EKEYEXPIRED, 45,
	  "certificate of Old CA expired 2026-01-02" },

	/* Trust. */
	{ "self-signed", "self.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 48, "self-signed certificate is not trusted" },
	{ "another root", "untrusted.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 48,
	  "issuer Other Root is not trusted or missing in the chain" },
	{ "missing intermediate", "p256.crt", "localhost", SERVER, NULL, -EKEYREJECTED, 48,
	  "issuer Test Intermediate is not trusted or missing in the chain" },
	{ "an intermediate is no anchor", "p256.pem", "localhost", SERVER, "inter.crt", -EKEYREJECTED, 48,
	  "issuer Test Root is not trusted or missing in the chain" },
	{ "issued by a leaf", "below.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 48,
	  "certificate of localhost may not sign others: it is no CA" },
	{ "path too long", "deep.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 48,
	  "certificate of Test Intermediate may not have so many CAs below it" },
	{ "outside the CA's name constraints", "narrow.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate of localhost has a name that its CA may not sign" },
	{ "unknown critical extension", "critical.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 43,
	  "certificate of localhost has a critical extension that is not known here" },

	{ "issuer of the right name with another key", "forged.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate of localhost has a wrong signature" },

	/* Purpose. */
	{ "client certificate of a server", "client.pem", "client.example.org", SERVER, NULL, -EKEYREJECTED, 43,
	  "certificate of client.example.org is not meant for this side of TLS" },
	{ "server certificate of a client", "p256.pem", NULL, CLIENT, NULL, -EKEYREJECTED, 43,
	  "certificate of localhost is not meant for this side of TLS" },
	{ "any extended key usage", "anyeku.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 43,
	  "certificate of localhost is not meant for this side of TLS" },
	{ "authority for clients only", "underclient.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 43,
	  "certificate of Client CA is not meant for this side of TLS" },
	{ "key usage without signatures", "keyenc.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 43,
	  "certificate of localhost may not sign: its key usage forbids it" },

	/* Strength. */
	{ "RSA-1024", "weakkey.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate of localhost has a key of under 112 bits of security" },
	{ "SHA-1 on the leaf", "sha1.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate of localhost is signed with a hash that is too weak" },
	{ "SHA-1 on the intermediate", "undersha1.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 42,
	  "certificate of SHA-1 CA is signed with a hash that is too weak" },
	{ "P-521", "p521.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 43,
	  "certificate has a key of a type or size not supported" },
	{ "secp256k1", "k256.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 43,
	  "certificate has a key of a type or size not supported" },
	{ "explicit curve", "explicit.pem", "localhost", SERVER, NULL, -EKEYREJECTED, 43,
	  "certificate of localhost has a curve of its own" },
};

static void one_verdict(void **state)
{
	const struct row *row = *state;
	struct x509_anchors *own = row->anchors ? anchors_of(row->anchors) : NULL;
	struct x509_ask ask;
	struct x509_peer peer;
	struct x509_fail fail;
	struct loaded l;
	int ret;

	load_any(&l, row->file);
	ask = asked(&l, row->name, time(NULL));
	ask.purpose = row->purpose;
	if (own)
		ask.anchors = own;
	ret = x509_verify(&peer, &fail, &ask);
	if (ret != row->err || (ret && (fail.alert != row->alert || strcmp(fail.reason, row->reason))))
		fail_msg("%d, alert %d, \"%s\"", ret, fail.alert, fail.reason);
	assert_int_equal(fail.err, row->err);
	if (ret) {
		assert_null(peer.pub.pkey);
		assert_string_equal(peer.subject, "");
	} else {
		assert_true(peer.not_after > time(NULL));
		assert_true(peer.pub.pkey || peer.pub.type == SIG_TYPE_ED25519);
	}
	assert_int_equal(ERR_peek_error(), 0);
	x509_peer_free(&peer);
	x509_anchors_free(own);
	free(l.list);
}

/* ---- chains ---- */

static int verify(struct x509_fail *fail, const struct der *certs, size_t num)
{
	struct x509_ask ask = { root, certs, num, SERVER, "localhost", time(NULL) };
	struct x509_peer peer;
	int ret = x509_verify(&peer, fail, &ask);

	x509_peer_free(&peer);
	return ret;
}

static void chain_may_come_out_of_order_with_strangers_and_twice(void **state)
{
	struct loaded a, b;
	struct x509_fail fail;

	(void)state;
	load_file(&a, "p256.pem");
	load_file(&b, "rsaleaf.pem");
	assert_int_equal(a.num, 2);
	struct der mixed[] = { a.certs[0], b.certs[0], a.certs[0], a.certs[1], a.certs[1] };
	assert_int_equal(verify(&fail, mixed, NUM(mixed)), 0);
	free(a.list);
	free(b.list);
}

static void *verify_often(void *certs)
{
	struct x509_fail fail;

	for (int i = 0; i < 50; i++)
		if (verify(&fail, certs, 2))
			return certs;
	return NULL;
}

static void anchors_serve_several_threads(void **state)
{
	pthread_t threads[4];
	struct loaded l;
	void *failed;

	(void)state;
	load_file(&l, "p256.pem");
	for (size_t i = 0; i < NUM(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, verify_often, l.certs), 0);
	for (size_t i = 0; i < NUM(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	free(l.list);
}

static void only_the_first_certificate_is_the_leaf(void **state)
{
	struct loaded l;
	struct x509_fail fail;

	(void)state;
	load_file(&l, "p256.pem");
	struct der turned[] = { l.certs[1], l.certs[0] };
	assert_int_equal(verify(&fail, turned, 2), -EKEYREJECTED);
	assert_int_equal(fail.alert, 43);
	free(l.list);
}

static void the_result_tells_key_hash_and_subject(void **state)
{
	uint8_t digest[HASH_MAX];
	struct x509_peer peer;
	struct x509_fail fail;
	struct loaded l;
	struct hash h;

	(void)state;
	load_file(&l, "p256.pem");
	assert_int_equal(verify_at(&peer, &fail, &l, "localhost", time(NULL)), 0);
	hash_init(&h, HASH_SHA256);
	hash_update(&h, l.certs[0].p, l.certs[0].len);
	hash_final(&h, digest);
	assert_memory_equal(peer.leaf_sha256, digest, 32);
	assert_string_equal(peer.subject, "CN=localhost");
	assert_int_equal(peer.pub.type, SIG_TYPE_P256);
	x509_peer_free(&peer);
	free(l.list);
}

static void a_leaf_may_be_taken_unverified(void **state)
{
	static const char *const files[] = { "p256.pem", "ed25519.pem", "expired.pem", "untrusted.pem", "client.pem" };
	static const char *const useless[] = { "p521.pem", "keyenc.pem" };	/* no key that may sign */
	struct x509_peer peer, verified;
	struct x509_fail fail;
	struct loaded l;

	(void)state;
	for (size_t i = 0; i < NUM(files); i++) {
		load_any(&l, files[i]);
		assert_int_equal(x509_take(&peer, &fail, l.certs[0]), 0);
		if (i < 2) {
			assert_int_equal(verify_at(&verified, &fail, &l, "localhost", time(NULL)), 0);
			assert_int_equal(peer.pub.type, verified.pub.type);
			assert_int_equal(peer.not_after, verified.not_after);
			assert_memory_equal(peer.leaf_sha256, verified.leaf_sha256, 32);
			assert_string_equal(peer.subject, verified.subject);
			x509_peer_free(&verified);
		}
		x509_peer_free(&peer);
		l.certs[0].len--;
		assert_int_equal(x509_take(&peer, &fail, l.certs[0]), -EKEYREJECTED);
		assert_int_equal(fail.alert, 42);
		free(l.list);
	}
	for (size_t i = 0; i < NUM(useless); i++) {
		load_any(&l, useless[i]);
		assert_int_equal(x509_take(&peer, &fail, l.certs[0]), -EKEYREJECTED);
		assert_int_equal(fail.alert, 43);
		assert_int_equal(ERR_peek_error(), 0);
		free(l.list);
	}
}

static void a_date_that_is_none_is_refused(void **state)
{
	struct x509_times times;
	struct x509_peer peer;
	struct x509_fail fail;
	struct loaded l;
	uint8_t *leaf, *p;

	(void)state;
	load_file(&l, "p256.pem");
	leaf = malloc(l.certs[0].len);
	memcpy(leaf, l.certs[0].p, l.certs[0].len);
	p = memmem(leaf, l.certs[0].len, "\x17\x0d", 2);	/* UTCTime: notBefore, and notAfter behind it */
	assert_non_null(p);
	assert_memory_equal(p + 15, "\x17\x0d", 2);
	memcpy(p + 15 + 2 + 2, "13", 2);
	l.certs[0].p = leaf;
	assert_int_equal(x509_take(&peer, &fail, l.certs[0]), -EKEYREJECTED);
	assert_int_equal(fail.alert, 42);
	assert_string_equal(fail.reason, "certificate has a malformed date");
	assert_int_equal(x509_leaf_times(&times, l.certs[0]), -EINVAL);
	memcpy(p + 2 + 2, "13", 2);
	assert_int_equal(x509_leaf_times(&times, l.certs[0]), -EINVAL);
	assert_int_equal(verify_at(&peer, &fail, &l, "localhost", time(NULL)), -EKEYREJECTED);
	free(leaf);
	free(l.list);
}

static void a_long_subject_is_cut_and_says_so(void **state)
{
	struct x509_peer peer;
	struct x509_fail fail;
	struct loaded l;

	(void)state;
	load_any(&l, "long1.crt");
	assert_int_equal(x509_take(&peer, &fail, l.certs[0]), 0);
	assert_int_equal(strlen(peer.subject), X509_SUBJECT_LEN - 1);
	assert_string_equal(peer.subject + X509_SUBJECT_LEN - 1 - 3, "...");
	x509_peer_free(&peer);
	free(l.list);
}

static void a_certificate_of_impossible_length_is_refused(void **state)
{
	struct x509_peer peer;
	struct x509_fail fail;
	struct loaded l;

	(void)state;
	load_file(&l, "p256.pem");
	l.certs[0].len = SIZE_MAX;
	assert_int_equal(x509_take(&peer, &fail, l.certs[0]), -EKEYREJECTED);
	assert_int_equal(fail.alert, 42);
	free(l.list);
}

static void hostile_subjects_become_one_line_of_ascii(void **state)
{
	struct x509_peer peer;
	struct x509_fail fail;
	struct loaded l;

	(void)state;
	load_file(&l, "odd.pem");
	assert_int_equal(verify_at(&peer, &fail, &l, NULL, time(NULL)), 0);
	assert_string_equal(peer.subject, "O=\\1B[31mred\\0A, CN=b\\C3\\BCro\\1B]0\\;x\\07");
	x509_peer_free(&peer);
	assert_int_equal(verify_at(&peer, &fail, &l, "db1", time(NULL)), -EKEYREJECTED);
	assert_string_equal(fail.reason, "certificate for b\\C3\\BCro\\1B]0;x\\07 is not valid for db1");
	free(l.list);
}

static void time_is_the_callers(void **state)
{
	struct x509_peer peer;
	struct x509_fail fail;
	struct x509_times times;
	struct loaded l;

	(void)state;
	load_file(&l, "expired.pem");
	assert_int_equal(x509_leaf_times(&times, l.certs[0]), 0);
	assert_int_equal(times.not_before, 1577836800);		/* 2020-01-01 */
	assert_int_equal(times.not_after, 1767312000);		/* 2026-01-02 */
	free(l.list);
	load_file(&l, "p256.pem");
	assert_int_equal(x509_leaf_times(&times, l.certs[0]), 0);
	assert_int_equal(verify_at(&peer, &fail, &l, NULL, times.not_after - 1), 0);
	assert_int_equal(peer.not_after, times.not_after);
	x509_peer_free(&peer);
	assert_int_equal(verify_at(&peer, &fail, &l, NULL, times.not_after + 1), -EKEYEXPIRED);
	assert_int_equal(verify_at(&peer, &fail, &l, NULL, times.not_before - 1), -EKEYREJECTED);
	assert_int_equal(fail.alert, 45);
	free(l.list);
}

static void a_certificate_cut_anywhere_is_refused(void **state)
{
	struct loaded l;

	(void)state;
	load_file(&l, "p256.pem");
	for (size_t which = 0; which < 2; which++) {
		struct der certs[2] = { l.certs[0], l.certs[1] };
		size_t len = certs[which].len;

		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *copy = malloc(cut + !cut);
			struct x509_times times;
			struct x509_fail fail;

			memcpy(copy, l.certs[which].p, cut);
			certs[which] = (struct der){ copy, cut };
			assert_int_equal(verify(&fail, certs, 2), -EKEYREJECTED);
			assert_int_equal(fail.alert, 42);
			assert_string_equal(fail.reason, "a certificate of the peer does not parse");
			assert_int_equal(x509_leaf_times(&times, certs[which]), -EINVAL);
			free(copy);
		}
	}
	free(l.list);
}

static void a_certificate_flipped_anywhere_is_refused(void **state)
{
	struct loaded l;

	(void)state;
	load_file(&l, "p256.pem");
	for (size_t which = 0; which < 2; which++) {
		struct der certs[2] = { l.certs[0], l.certs[1] };
		size_t len = certs[which].len;
		uint8_t *copy = malloc(len);

		memcpy(copy, l.certs[which].p, len);
		certs[which].p = copy;
		for (size_t at = 0; at < len; at++) {
			struct x509_fail fail;

			copy[at] ^= 0x01;
			assert_int_not_equal(verify(&fail, certs, 2), 0);
			assert_true(fail.alert >= 42 && fail.alert <= 48);
			for (const char *p = fail.reason; *p; p++)
				assert_true(isprint((unsigned char)*p));
			copy[at] ^= 0x01;
		}
		free(copy);
	}
	free(l.list);
}

static void bytes_behind_a_certificate_are_refused(void **state)
{
	struct loaded l;
	struct x509_fail fail;

	(void)state;
	load_file(&l, "p256.pem");
	l.certs[0].len += 2;	/* the empty extensions of the list */
	assert_int_equal(verify(&fail, l.certs, l.num), -EKEYREJECTED);
	assert_int_equal(fail.alert, 42);
	free(l.list);
}

static int start(void **state)
{
	(void)state;
	if (crypto_init())
		return -1;
	root = anchors_of("root.crt");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	x509_anchors_free(root);
	return 0;
}

int main(void)
{
	const struct CMUnitTest others[] = {
		cmocka_unit_test(chain_may_come_out_of_order_with_strangers_and_twice),
		cmocka_unit_test(anchors_serve_several_threads),
		cmocka_unit_test(only_the_first_certificate_is_the_leaf),
		cmocka_unit_test(the_result_tells_key_hash_and_subject),
		cmocka_unit_test(a_leaf_may_be_taken_unverified),
		cmocka_unit_test(a_date_that_is_none_is_refused),
		cmocka_unit_test(a_long_subject_is_cut_and_says_so),
		cmocka_unit_test(a_certificate_of_impossible_length_is_refused),
		cmocka_unit_test(hostile_subjects_become_one_line_of_ascii),
		cmocka_unit_test(time_is_the_callers),
		cmocka_unit_test(a_certificate_cut_anywhere_is_refused),
		cmocka_unit_test(a_certificate_flipped_anywhere_is_refused),
		cmocka_unit_test(bytes_behind_a_certificate_are_refused),
	};
	struct CMUnitTest tests[NUM(others) + NUM(rows)];

	memcpy(tests, others, sizeof(others));
	for (size_t i = 0; i < NUM(rows); i++)
		tests[NUM(others) + i] = (struct CMUnitTest){ rows[i].what, one_verdict, NULL, NULL, (void *)&rows[i] };
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
