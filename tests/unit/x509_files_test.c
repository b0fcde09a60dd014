// SPDX-License-Identifier: MIT
/* What operators and applications name: files of certificates, and reference identities. */
#include "x509_util.h"

#include <errno.h>
#include <time.h>

#include <openssl/err.h>

/* Files joined by '+' and loaded as one. */
static char *join(const char *files, size_t *len)
{
	char list[256], *all = calloc(1, 262144), *save = NULL;

	snprintf(list, sizeof(list), "%s", files);
	*len = 0;
	for (char *f = strtok_r(list, "+", &save); f; f = strtok_r(NULL, "+", &save)) {
		size_t n;
		char *text = read_cert(f, &n);

		memcpy(all + *len, text, n);
		*len += n;
		free(text);
	}
	return all;
}

static void own_chains_are_refused_by_entry(void **state)
{
	static const struct { const char *files; int err; const char *words; } bad[] = {
		{ "p256.crt+other.crt", -EINVAL, "entry 2 does not sign entry 1" },
		{ "p256.crt+root.crt", -EINVAL, "entry 2 does not sign entry 1" },
		{ "inter.crt+p256.crt", -EINVAL, "entry 2 does not sign entry 1" },
		{ "p256.pem+other.crt", -EINVAL, "entry 3 does not sign entry 2" },
		{ "forged.pem", -EINVAL, "entry 2 does not sign entry 1" },
		{ "p256.crt+p256.key", -EINVAL, "entry 2 is a PRIVATE KEY, expected a certificate" },
		{ "p256.key", -EINVAL, "entry 1 is a PRIVATE KEY, expected a certificate" },
		{ "p521.crt", -EINVAL, "entry 1 has a key that is not supported" },
		{ "weakkey.crt", -EINVAL, "entry 1 has a key that is not supported" },
		{ "make.log", -EINVAL, "no certificate in it" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(bad); i++) {
		size_t len;
		char *pem = join(bad[i].files, &len);
		struct loaded l;

		print_message("# %s\n", bad[i].files);
		assert_int_equal(load_text(&l, pem, len), bad[i].err);
		if (!strstr(l.err, bad[i].words))
			fail_msg("%s", l.err);
		free(pem);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

static void own_chain_may_include_the_root_and_text(void **state)
{
	size_t len;
	char *pem = join("p256.pem+root.crt", &len), *text = calloc(1, len + 100);
	struct loaded l;

	(void)state;
	len = (size_t)sprintf(text, "Subject: something for people\n%s", pem);
	assert_int_equal(load_text(&l, text, len), 0);
	assert_int_equal(l.num, 3);
	free(l.list);
	free(text);
	free(pem);
}

static void own_chain_is_limited(void **state)
{
	char *pem, files[256] = "root.crt";
	size_t len;
	struct loaded l;

	(void)state;
	for (int i = 0; i < X509_CHAIN_MAX; i++)	/* a root signs itself, so this is a chain */
		strcat(files, "+root.crt");
	pem = join(files, &len);
	assert_int_equal(load_text(&l, pem, len), -EINVAL);
	assert_non_null(strstr(l.err, "more than 10 certificates"));
	free(pem);
	pem = join("big.crt+big.crt", &len);
	assert_int_equal(load_text(&l, pem, len), -E2BIG);
	assert_non_null(strstr(l.err, "over 15 KiB"));
	free(pem);
}

static void damaged_pem_is_refused_by_entry(void **state)
{
	size_t len;
	char *pem = join("p256.pem", &len), *second = strstr(pem + 1, "-----BEGIN");
	struct x509_anchors *a = (void *)1;
	char err[256];
	struct loaded l;

	(void)state;
	second[100] = second[100] == 'A' ? 'B' : 'A';
	second[40] = '!';
	assert_int_equal(load_text(&l, pem, len), -EINVAL);
	assert_non_null(strstr(l.err, "entry 2"));
	assert_int_equal(x509_anchors_load(&a, pem, len, err, sizeof(err)), -EINVAL);
	assert_null(a);
	assert_non_null(strstr(err, "entry 2"));
	free(pem);
}

static void an_own_chain_cut_anywhere_is_refused_or_shorter(void **state)
{
	size_t len, first;
	char *pem = join("p256.pem", &len);

	(void)state;
	first = (size_t)(strstr(pem, "-----END CERTIFICATE-----") - pem) + strlen("-----END CERTIFICATE-----");
	for (size_t cut = 0; cut < len; cut++) {
		char *copy = malloc(cut + !cut);
		struct loaded l;

		memcpy(copy, pem, cut);
		if (load_text(&l, copy, cut)) {
			assert_true(l.err[0] && !strchr(l.err, '\n'));
		} else {
			assert_true(cut >= first);
			assert_int_equal(l.num, cut >= len - 1 ? 2 : 1);
		}
		free(l.list);
		free(copy);
	}
	free(pem);
}

static void anchors_must_be_certificates(void **state)
{
	static const struct { const char *files, *words; } bad[] = {
		{ "root.crt+p256.key", "entry 2 is a PRIVATE KEY" },
		{ "make.log", "no certificate in it" },
		{ "trusted.crt", "entry 1 is a TRUSTED CERTIFICATE" },
	};
	char err[256];

	(void)state;
	for (size_t i = 0; i < NUM(bad); i++) {
		struct x509_anchors *a = (void *)1;
		size_t len;
		char *pem = join(bad[i].files, &len);

		assert_int_equal(x509_anchors_load(&a, pem, len, err, sizeof(err)), -EINVAL);
		assert_null(a);
		if (!strstr(err, bad[i].words))
			fail_msg("%s", err);
		free(pem);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

static void what_an_entry_is_called_is_printed_as_ascii(void **state)
{
	static const char pem[] = "-----BEGIN A\033[31m\375-----\nMAA=\n-----END A\033[31m\375-----\n";
	struct x509_anchors *a;
	char err[256];

	(void)state;
	assert_int_equal(x509_anchors_load(&a, pem, strlen(pem), err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "entry 1 is a A?[31m?, expected a certificate");
}

static void anchors_may_be_many_and_repeat(void **state)
{
	size_t len;
	char *pem = join("rsaroot.crt+root.crt+root.crt", &len), err[256];
	struct x509_anchors *a;
	struct x509_ask ask;
	struct x509_peer peer;
	struct x509_fail fail;
	struct loaded l;

	(void)state;
	assert_int_equal(x509_anchors_load(&a, pem, len, err, sizeof(err)), 0);
	free(pem);
	load_file(&l, "p256.pem");
	ask = (struct x509_ask){ a, l.certs, l.num, X509_PURPOSE_TLS_SERVER, "localhost", time(NULL) };
	assert_int_equal(x509_verify(&peer, &fail, &ask), 0);
	x509_peer_free(&peer);
	free(l.list);
	x509_anchors_free(a);
}

/* ---- names ---- */

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void names(void **state)
{
	static const struct { const char *name, *want; bool is_ip; } good[] = {
		{ "localhost", "localhost" }, { "www.example.org", "www.example.org" }, { "example.org.", "example.org" },
		{ "xn--bcher-kva.example", "xn--bcher-kva.example" }, { "a-b.c", "a-b.c" }, { "3com.example", "3com.example" },
		{ "1.2.3.4", "1.2.3.4", true }, { "::1", "::1", true }, { "2001:db8::1", "2001:db8::1", true },
		{ "::ffff:1.2.3.4", "::ffff:1.2.3.4", true }, { L63 ".org", L63 ".org" },
		{ L63 "." L63 "." L63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
		  L63 "." L63 "." L63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	};
	static const char *const bad[] = {
		"", ".", "..", "a..b", ".a", "a..", "-a", "a-", "a.-b", "b-.a", "*.example.org", "*", "w*.example.org", "a_b", "a b",
		"b\303\274cher.example", "a/b", "a:b", "[::1]", "fe80::1%eth0", "1.2.3", "127.1", "1.2.3.4.5",
		"1.2.3.4.", "256.1.1.1", "example.123", "a@b", "a\nb", "a\177", "0x7f.1", L63 "a.org", L63 "." L63 "." L63 "." L63,
	};
	char name[300];
	bool is_ip;

	(void)state;
	for (size_t i = 0; i < NUM(good); i++) {
		strcpy(name, good[i].name);
		if (x509_name_ok(name, &is_ip))
			fail_msg("refuses %s", good[i].name);
		assert_string_equal(name, good[i].want);
		assert_int_equal(is_ip, good[i].is_ip);
	}
	for (size_t i = 0; i < NUM(bad); i++) {
		strcpy(name, bad[i]);
		if (!x509_name_ok(name, &is_ip))
			fail_msg("accepts %s", bad[i]);
		assert_string_equal(name, bad[i]);
		assert_false(is_ip);
	}
}

static int start(void **state)
{
	(void)state;
	return crypto_init();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_chains_are_refused_by_entry),
		cmocka_unit_test(own_chain_may_include_the_root_and_text),
		cmocka_unit_test(own_chain_is_limited),
		cmocka_unit_test(damaged_pem_is_refused_by_entry),
		cmocka_unit_test(an_own_chain_cut_anywhere_is_refused_or_shorter),
		cmocka_unit_test(anchors_must_be_certificates),
		cmocka_unit_test(what_an_entry_is_called_is_printed_as_ascii),
		cmocka_unit_test(anchors_may_be_many_and_repeat),
		cmocka_unit_test(names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, NULL);
}
