// SPDX-License-Identifier: MIT
/* Which identity and scheme is used, of what the peer says that it can verify. */
#include "tls_drive.h"
#include "tlshd/tls/schemes.h"

#define NAME_A "0003300161"	/* with their lengths; no real names, they are only compared */
#define NAME_B "0003300162"
#define NAME_C "0003300163"

static uint8_t names_ab[10], names_c[5];

/* By preference: RSA under an RSA authority; P-256 under A and B; Ed25519 under C, of which nothing else is known. */
static struct tls_identity ids[] = {
	{ .type = SIG_TYPE_RSA, .cert_schemes = { 0x0401 }, .num_cert_schemes = 1 },
	{ .type = SIG_TYPE_P256, .cert_schemes = { 0x0403, 0x0503 }, .num_cert_schemes = 2, .issuers = names_ab,
	  .issuers_len = sizeof(names_ab) },
	{ .type = SIG_TYPE_ED25519, .issuers = names_c, .issuers_len = sizeof(names_c) },
};
enum { RSA, P256, ED25519, NONE };

static bool choose(struct tls_conn *c, const char *exts_hex, bool strict)
{
	uint8_t bytes[1024];
	struct build b = { .p = bytes, .cap = sizeof(bytes) };
	struct vec v = put_vec(&b, 2);
	struct ext_block exts;
	struct cursor in;

	unhex(put_space(&b, strlen(exts_hex) / 2), exts_hex);
	put_end(&b, v);
	in = (struct cursor){ b.p, b.len };
	drive_config.identities = ids;
	drive_config.num_identities = NUM(ids);
	drive_start(c, TLS_CLIENT);
	assert_int_equal(ext_parse(c, &exts, &in, IN_CERTIFICATE_REQUEST), HS_NEXT);
	return schemes_choose(c, &exts, strict);
}

static void the_first_that_the_peer_can_verify_is_used(void **state)
{
	static const struct { const char *what, *exts; int strict, lax; uint16_t scheme; } cases[] = {
		{ "all", "000d000c" "000a" "0403050308070804" "0401", RSA, RSA, 0x0804 },
		{ "no PKCS#1 certificate", "000d000a" "0008" "0403050308070804", P256, P256, 0x0403 },
		{ "no P-384 certificate", "000d0008" "0006" "040308070804", ED25519, ED25519, 0x0807 },
		{ "chain by its own list", "000d0006" "0004" "04030804" "00320004" "00020401", RSA, RSA, 0x0804 },
		{ "which is all that counts for it", "000d0008" "0006" "040304010804" "00320006" "0004" "04030503", P256,
		  P256, 0x0403 },
		{ "a scheme alone, no chain", "000d0004" "00020403", NONE, P256, 0x0403 },
		{ "the first without a chain", "000d0006" "0004" "04030804", NONE, RSA, 0x0804 },
		{ "no scheme", "000d0004" "00020603", NONE, NONE, 0 },
		{ "PKCS#1 signs nothing", "000d0004" "00020401", NONE, NONE, 0 },
		{ "an authority's name", "000d000c" "000a" "0403050308070804" "0401" "002f0007" "0005" NAME_B, RSA, RSA,
		  0x0804 },
		{ "another's", "000d000a" "0008" "0403050308070806" "002f0007" "0005" NAME_C, ED25519, ED25519, 0x0807 },
		{ "one of several", "000d0008" "0006" "040305030807" "002f000c" "000a" NAME_C NAME_A, P256, P256, 0x0403 },
		{ "a stranger's", "000d0008" "0006" "040305030807" "002f0007" "0005" "0003300164", NONE, P256, 0x0403 },
		{ "the start of a name", "000d0008" "0006" "040305030807" "002f0006" "0004" "00023001", NONE, P256,
		  0x0403 },
	};

	(void)state;
	unhex(names_ab, NAME_A NAME_B);
	unhex(names_c, NAME_C);
	for (size_t i = 0; i < NUM(cases); i++)
		for (int strict = 0; strict < 2; strict++) {
			int want = strict ? cases[i].strict : cases[i].lax;
			struct tls_conn c;

			if (choose(&c, cases[i].exts, strict) != (want != NONE) ||
			    (want == NONE ? c.identity != NULL : c.identity != &ids[want]))
				fail_msg("%s, %d: identity %td", cases[i].what, strict, c.identity ? c.identity - ids : -1);
			if (want != NONE)
				assert_int_equal(c.sigscheme[TLS_CLIENT], cases[i].scheme);
			tls_wipe(&c);
		}
}

static void an_identitys_own_schemes_come_in_its_order(void **state)
{
	struct tls_conn c;

	(void)state;
	ids[RSA].schemes[0] = 0x0403;	/* does not fit */
	ids[RSA].schemes[1] = 0x0806;
	ids[RSA].schemes[2] = 0x0804;
	ids[RSA].num_schemes = 3;
	assert_true(choose(&c, "000d000a" "0008" "0403080408060401", true));
	assert_ptr_equal(c.identity, &ids[RSA]);
	assert_int_equal(c.sigscheme[TLS_CLIENT], 0x0806);
	tls_wipe(&c);
	assert_true(choose(&c, "000d0008" "0006" "040308040401", true));
	assert_int_equal(c.sigscheme[TLS_CLIENT], 0x0804);
	tls_wipe(&c);
	assert_true(choose(&c, "000d000a" "0008" "0403050308050401", true));
	assert_ptr_equal(c.identity, &ids[P256]);	/* 0x0805 fits its key, but it is not to sign with it */
	tls_wipe(&c);
	ids[RSA].num_schemes = 0;
}

static void what_is_accepted_is_offered(void **state)
{
	static const struct { uint16_t own[4]; uint8_t num; const char *hex; } cases[] = {
		{ { 0 }, 0, "000d001a0018" "0403080705030804080508060809080a080b" "040105010601" },
		{ { 0x0807, 0x0403 }, 2, "000d00060004" "08070403" },
		{ { 0x0403, 0x0804 }, 2, "000d000c000a" "04030804" "040105010601" },
		{ { 0x080b }, 1, "000d000a0008" "080b" "040105010601" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		uint8_t bytes[SCHEMES_PUT_MAX];
		struct build b = { .p = bytes, .cap = sizeof(bytes) };
		struct tls_conn c;

		memcpy(drive_config.schemes, cases[i].own, sizeof(cases[i].own));
		drive_config.num_schemes = cases[i].num;
		drive_start(&c, TLS_CLIENT);
		schemes_put(&c, &b);
		assert_int_equal(b.len, strlen(cases[i].hex) / 2);
		assert_hex(bytes, cases[i].hex);
		for (uint32_t scheme = 0; scheme < 65536; scheme++) {
			bool own = cases[i].num ? false : schemes_known((uint16_t)scheme);

			for (size_t k = 0; k < cases[i].num; k++)
				own = own || cases[i].own[k] == scheme;
			assert_int_equal(schemes_accepted(&drive_config, (uint16_t)scheme), own);
		}
		tls_wipe(&c);
	}
	drive_config.num_schemes = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_that_the_peer_can_verify_is_used),
		cmocka_unit_test(an_identitys_own_schemes_come_in_its_order),
		cmocka_unit_test(what_is_accepted_is_offered),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
