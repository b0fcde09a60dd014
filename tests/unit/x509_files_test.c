// SPDX-License-Identifier: MIT
/* What operators and applications name: files of certificates, and reference identities. */
#include "x509_util.h"

#include <errno.h>
#include <limits.h>
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

static struct x509_anchors *load_anchors(const char *files)
{
	struct x509_anchors *a;
	char err[256];
	size_t len;
	char *pem = join(files, &len);

	if (x509_anchors_load(&a, pem, len, err, sizeof(err)))
		fail_msg("%s: %s", files, err);
	free(pem);
	return a;
}

static void names_of_anchors_come_once_and_all_or_none(void **state)
{
	static const struct { const char *files; size_t num; } cases[] = {
		{ "root.crt", 1 }, { "root.crt+other.crt", 2 }, { "root.crt+other.crt+root.crt", 2 },
		{ "root.crt+long1.crt+long2.crt", 3 }, { "many.crt", 0 }, { "many.crt+root.crt", 0 },
	};
	static const char root_name[] = "Test Root", other_name[] = "Other Root";

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct x509_anchors *a = load_anchors(cases[i].files);
		struct der names = x509_anchors_names(a);
		size_t num = 0, n;

		for (size_t at = 0; at < names.len; at += 2 + n, num++) {
			n = (size_t)(names.p[at] << 8 | names.p[at + 1]);
			assert_true(at + 2 + n <= names.len);
			assert_int_equal(names.p[at + 2], 0x30);
		}
		assert_int_equal(num, cases[i].num);
		assert_true(names.len <= X509_NAMES_MAX);
		if (num) {
			assert_non_null(memmem(names.p, names.len, root_name, strlen(root_name)));
			assert_int_equal(memmem(names.p, names.len, other_name, strlen(other_name)) != NULL,
					 strstr(cases[i].files, "other") != NULL);
		}
		x509_anchors_free(a);
	}
}

static void a_digest_stands_for_the_set_of_anchors(void **state)
{
	static const struct { const char *one, *two; bool same; } cases[] = {
		{ "root.crt", "root.crt", true }, { "root.crt+other.crt", "other.crt+root.crt", true },
		{ "root.crt+other.crt", "root.crt+other.crt+root.crt", true }, { "root.crt", "other.crt", false },
		{ "root.crt", "root.crt+other.crt", false }, { "root.crt+other.crt", "root.crt+rsaroot.crt", false },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct x509_anchors *one = load_anchors(cases[i].one), *two = load_anchors(cases[i].two);

		assert_int_equal(!memcmp(x509_anchors_digest(one), x509_anchors_digest(two), 32), cases[i].same);
		x509_anchors_free(one);
		x509_anchors_free(two);
	}
}

static void a_file_of_impossible_size_is_refused(void **state)
{
	struct x509_anchors *a;
	char err[256];

	(void)state;
	assert_int_equal(x509_anchors_load(&a, "", (size_t)INT_MAX + 1, err, sizeof(err)), -EINVAL);
	assert_string_equal(err, "the file is too large");
}

/* ---- what our own chain is like ---- */

/* Does a certificate of @list end at @at? */
static bool ends_at(const uint8_t *list, size_t at)
{
	size_t end = 0;

	while (end < at)
		end += 3 + ((size_t)list[end] << 16 | (size_t)list[end + 1] << 8 | list[end + 2]) + 2;
	return at && end == at;
}

static void facts_tell_signatures_and_issuers(void **state)
{
	static const struct { const char *files; uint16_t schemes[2]; size_t num_schemes, num_issuers; } cases[] = {
		{ "p256.pem", { 0x0403 }, 1, 2 },
		{ "p256.pem+root.crt", { 0x0403 }, 1, 2 },	/* the root signs itself */
		{ "rsaleaf.crt", { 0x0401 }, 1, 1 },
		{ "self.crt", { 0 }, 0, 1 },
		{ "sha1.crt", { 0x0203 }, 1, 1 },
		{ "underpss.pem", { 0x0809, 0x0403 }, 2, 2 },
		{ "underpss.crt", { 0x0804 }, 1, 1 },		/* of which key cannot be told */
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		size_t len, num = 0, list_len, n;
		char *pem = join(cases[i].files, &len), err[256];
		struct x509_facts facts;
		enum sig_type type;
		struct der leaf;
		uint8_t *list;

		assert_int_equal(x509_chain_load(&list, &list_len, &leaf, &type, pem, len, err, sizeof(err)), 0);
		assert_int_equal(x509_chain_facts(&facts, list, list_len), 0);
		assert_int_equal(facts.num_schemes, cases[i].num_schemes);
		for (size_t k = 0; k < facts.num_schemes; k++)
			assert_int_equal(facts.schemes[k], cases[i].schemes[k]);
		for (size_t at = 0; at < facts.issuers_len; at += 2 + n, num++)
			n = (size_t)(facts.issuers[at] << 8 | facts.issuers[at + 1]);
		assert_int_equal(num, cases[i].num_issuers);
		x509_facts_free(&facts);
		for (size_t cut = 0; cut < list_len; cut++) {
			uint8_t *copy = malloc(cut + !cut);

			memcpy(copy, list, cut);
			assert_int_equal(x509_chain_facts(&facts, copy, cut), ends_at(list, cut) ? 0 : -EINVAL);
			x509_facts_free(&facts);
			free(copy);
		}
		free(list);
		free(pem);
	}
	assert_int_equal(ERR_peek_error(), 0);
}

/* ecdsa-with-SHA224, and what no library knows: 1.2.840.10045.4.3.N, in both places where a certificate names it. */
static void a_signature_without_a_number_fits_no_list(void **state)
{
	static const uint8_t oid[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 }, others[] = { 0x01, 0x7f };

	(void)state;
	for (size_t i = 0; i < NUM(others); i++) {
		size_t len, list_len, num = 0;
		char *pem = read_cert("p256.crt", &len), err[256];
		struct x509_facts facts;
		enum sig_type type;
		struct der leaf;
		uint8_t *list, *p;

		assert_int_equal(x509_chain_load(&list, &list_len, &leaf, &type, pem, len, err, sizeof(err)), 0);
		for (p = list; (p = memmem(p, (size_t)(list + list_len - p), oid, sizeof(oid))); num++)
			p[sizeof(oid) - 1] = others[i];
		assert_int_equal(num, 2);
		assert_int_equal(x509_chain_facts(&facts, list, list_len), 0);
		assert_int_equal(facts.num_schemes, 1);
		assert_int_equal(facts.schemes[0], 0);
		x509_facts_free(&facts);
		free(list);
		free(pem);
	}
	assert_int_equal(ERR_peek_error(), 0);
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
		cmocka_unit_test(names_of_anchors_come_once_and_all_or_none),
		cmocka_unit_test(a_digest_stands_for_the_set_of_anchors),
		cmocka_unit_test(a_file_of_impossible_size_is_refused),
		cmocka_unit_test(facts_tell_signatures_and_issuers),
		cmocka_unit_test(a_signature_without_a_number_fits_no_list),
		cmocka_unit_test(names),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, NULL);
}
