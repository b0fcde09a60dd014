// SPDX-License-Identifier: MIT
/* x509_cache.c: a verdict is remembered for what it was made of, and for no longer than it stands. */
#include "x509_util.h"

#include <errno.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

static struct x509_anchors *root, *both;
static struct x509_cache *cache;

static char *join(const char *a, const char *b, size_t *len)
{
	size_t la, lb;
	char *ta = read_cert(a, &la), *tb = read_cert(b, &lb);

	ta = realloc(ta, la + lb + 1);
	memcpy(ta + la, tb, lb + 1);
	free(tb);
	*len = la + lb;
	return ta;
}

static struct x509_anchors *anchors_of(const char *a, const char *b)
{
	struct x509_anchors *out;
	char err[256];
	size_t len;
	char *pem = b ? join(a, b, &len) : read_cert(a, &len);

	if (x509_anchors_load(&out, pem, len, err, sizeof(err)))
		fail_msg("%s: %s", a, err);
	free(pem);
	return out;
}

/* Counts what libcrypto parses: what is remembered costs none of it. */
static long num_allocations;

static void *allocate(size_t len, const char *file, int line)
{
	(void)file, (void)line;
	num_allocations++;
	return malloc(len);
}

static void *reallocate(void *p, size_t len, const char *file, int line)
{
	(void)file, (void)line;
	num_allocations++;
	return realloc(p, len);
}

static void release(void *p, const char *file, int line)
{
	(void)file, (void)line;
	free(p);
}

static struct x509_ask asked(const struct loaded *l)
{
	return (struct x509_ask){ .anchors = root, .chain = l->certs, .num = l->num, .purpose = X509_PURPOSE_TLS_SERVER,
				  .name = "localhost", .now = time(NULL), .cache = cache };
}

/* Was it answered out of memory? */
static bool hits(const struct x509_ask *ask, int want)
{
	struct x509_peer peer;
	struct x509_fail fail;
	int ret;

	num_allocations = 0;
	ret = x509_verify(&peer, &fail, ask);
	if (ret != want)
		fail_msg("%d: %s", ret, fail.reason);
	x509_peer_free(&peer);
	return num_allocations == 0;
}

static int setup(void **state)
{
	(void)state;
	cache = x509_cache_new();
	return cache ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	x509_cache_free(cache);
	x509_cache_free(NULL);
	cache = NULL;
	return 0;
}

static void the_same_chain_costs_once_and_says_the_same(void **state)
{
	static const char *const files[] = { "p256.pem", "ed25519.pem", "rsa2048.pem" };

	(void)state;
	for (size_t i = 0; i < NUM(files); i++) {
		struct x509_peer first, second;
		struct x509_fail fail;
		struct x509_ask ask;
		struct loaded l;

		load_file(&l, files[i]);
		ask = asked(&l);
		assert_int_equal(x509_verify(&first, &fail, &ask), 0);
		num_allocations = 0;
		assert_int_equal(x509_verify(&second, &fail, &ask), 0);
		assert_int_equal(num_allocations, 0);
		assert_int_equal(first.pub.type, second.pub.type);
		assert_ptr_equal(first.pub.pkey, second.pub.pkey);
		assert_memory_equal(first.pub.ed25519, second.pub.ed25519, sizeof(first.pub.ed25519));
		assert_memory_equal(first.leaf_sha256, second.leaf_sha256, 32);
		assert_string_equal(first.subject, second.subject);
		assert_int_equal(first.not_after, second.not_after);
		x509_peer_free(&first);
		x509_peer_free(&second);
		free(l.list);
	}
}

/* Each thing that a verdict depends on, changed alone. */
static void anything_else_is_another_question(void **state)
{
	struct loaded l, other;
	struct x509_ask ask;

	(void)state;
	load_file(&l, "p256.pem");
	load_file(&other, "p384.pem");
	ask = asked(&l);
	assert_false(hits(&ask, 0));
	assert_true(hits(&ask, 0));
#define OTHER(want, ...) do { \
		ask = asked(&l); \
		__VA_ARGS__; \
		if (hits(&ask, want)) \
			fail_msg("%s", #__VA_ARGS__); \
		ask = asked(&l); \
		assert_true(hits(&ask, 0)); \
	} while (0)
	OTHER(0, ask.name = NULL);
	OTHER(0, ask.name = "www.example.org");
	OTHER(-EKEYREJECTED, ask.name = "");
	OTHER(-EKEYREJECTED, ask.name = "db1");
	OTHER(-EKEYREJECTED, ask.purpose = X509_PURPOSE_TLS_CLIENT);
	OTHER(0, ask.anchors = both);
	OTHER(0, ask.generation = 1);
	OTHER(-EKEYREJECTED, ask.num = 1);
	OTHER(0, ask.chain = other.certs);
	OTHER(0, (l.certs[2] = other.certs[0], ask.num = 3));
	OTHER(-EKEYREJECTED, (l.certs[3] = l.certs[0], l.certs[4] = l.certs[1], ask.chain = l.certs + 4, ask.num = 1));
#undef OTHER
	free(l.list);
	free(other.list);
}

static void the_same_anchors_in_another_order_are_the_same(void **state)
{
	struct x509_anchors *turned = anchors_of("other.crt", "root.crt");
	struct x509_ask ask;
	struct loaded l;

	(void)state;
	load_file(&l, "p256.pem");
	ask = asked(&l);
	ask.anchors = both;
	assert_false(hits(&ask, 0));
	ask.anchors = turned;
	assert_true(hits(&ask, 0));
	x509_anchors_free(turned);
	free(l.list);
}

static void a_failure_is_not_remembered(void **state)
{
	struct x509_ask ask;
	struct loaded l;

	(void)state;
	load_file(&l, "untrusted.pem");
	ask = asked(&l);
	for (int i = 0; i < 2; i++)
		assert_false(hits(&ask, -EKEYREJECTED));
	free(l.list);
}

/* With and without memory, at every second at which the answer changes. */
static void a_verdict_stands_as_long_as_its_whole_path(void **state)
{
	struct x509_times leaf, ca;
	struct x509_ask ask;
	struct loaded l;

	(void)state;
	load_file(&l, "brief.pem");	/* of a CA that ends before its leaf does, and begins after it */
	assert_int_equal(x509_leaf_times(&leaf, l.certs[0]), 0);
	assert_int_equal(x509_leaf_times(&ca, l.certs[1]), 0);
	assert_true(ca.not_after < leaf.not_after && ca.not_before > leaf.not_before);
	for (int64_t at = -2; at <= 2; at++)
		for (int end = 0; end < 2; end++) {
			int64_t now = (end ? ca.not_after : ca.not_before) + at;
			int want;

			ask = asked(&l);
			ask.now = ca.not_before + 1000;
			hits(&ask, 0);
			ask.now = now;
			ask.cache = NULL;
			want = now < ca.not_before ? -EKEYREJECTED : now < ca.not_after ? 0 : -EKEYEXPIRED;
			assert_false(hits(&ask, want));
			ask.cache = cache;
			assert_int_equal(hits(&ask, want), !want);
		}
	free(l.list);
}

static void a_staple_is_judged_each_time(void **state)
{
	struct x509_ask ask;
	struct loaded l;
	size_t good_len, revoked_len;
	char *good = read_cert("p256.ocsp", &good_len), *revoked = read_cert("revoked.ocsp", &revoked_len);

	(void)state;
	load_file(&l, "p256.pem");
	ask = asked(&l);
	ask.staple_asked = true;
	ask.staple = (struct der){ (uint8_t *)good, good_len };
	assert_false(hits(&ask, 0));
	assert_false(hits(&ask, 0));	/* a signature is verified again */
	ask.staple = (struct der){ (uint8_t *)revoked, revoked_len };
	hits(&ask, -EKEYREJECTED);
	ask.staple.len = 0;
	hits(&ask, 0);
	ask.staple_due = true;
	hits(&ask, -EKEYREJECTED);
	free(l.list);
	free(good);
	free(revoked);
}

/* More names than it holds: those used last stay. */
static void it_is_bounded_and_keeps_what_is_used(void **state)
{
	struct x509_ask ask;
	struct loaded l;

	(void)state;
	load_file(&l, "p256.pem");
	ask = asked(&l);
	hits(&ask, 0);
	for (uint32_t i = 1; i <= 200; i++) {
		ask.generation = i;
		assert_false(hits(&ask, 0));
		assert_true(hits(&ask, 0));
		ask.generation = 0;
		assert_true(hits(&ask, 0));
	}
	ask.generation = 1;
	assert_false(hits(&ask, 0));
	free(l.list);
}

static int start(void **state)
{
	(void)state;
	if (crypto_init())
		return -1;
	root = anchors_of("root.crt", NULL);
	both = anchors_of("root.crt", "other.crt");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	x509_anchors_free(root);
	x509_anchors_free(both);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_chain_costs_once_and_says_the_same),
		TEST(anything_else_is_another_question),
		TEST(the_same_anchors_in_another_order_are_the_same),
		TEST(a_failure_is_not_remembered),
		TEST(a_verdict_stands_as_long_as_its_whole_path),
		TEST(a_staple_is_judged_each_time),
		TEST(it_is_bounded_and_keeps_what_is_used),
	};

	if (!CRYPTO_set_mem_functions(allocate, reallocate, release))
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
