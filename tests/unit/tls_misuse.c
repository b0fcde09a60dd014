// SPDX-License-Identifier: MIT
/* What a caller may not do ends the process at once: each in a child of its own, which must abort, and before it harms memory. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tls_drive.h"

#define ABORTED 77

static struct tls_config config;
static struct tls_params params;
static struct tls_conn conn;
static struct tls_keys keys;
static const struct tls_external externals[2] = {
	{ (const uint8_t *)"a", 1, HASH_SHA256, 0 }, { (const uint8_t *)"b", 1, HASH_SHA256, 1 },
};
static const struct tls_external no_identity = { (const uint8_t *)"", 0, HASH_SHA256, 0 };
static uint8_t bytes[70000];

/* ---- configurations that no handshake could use ---- */

static void role(enum tls_role r)
{
	config = drive_config;
	params = drive_params;
	params.config = &config;
	params.role = r;
}

#define CONFIG(name, of, change) \
static void name(void) { role(of); change; tls_init(&conn, &params); }

CONFIG(no_suite, TLS_CLIENT, config.num_suites = 0)
CONFIG(too_many_suites, TLS_CLIENT, config.num_suites = TLS_SUITES_MAX + 1)
CONFIG(unknown_suite, TLS_CLIENT, config.suites[0] = 0x1304)
CONFIG(no_group, TLS_CLIENT, config.num_groups = 0)
CONFIG(too_many_groups, TLS_CLIENT, config.num_groups = TLS_GROUPS_MAX + 1)
CONFIG(unknown_group, TLS_CLIENT, config.groups[0] = 0x0019)
CONFIG(too_many_shares, TLS_CLIENT, config.num_shares = TLS_SHARES_MAX + 1)
CONFIG(more_shares_than_groups, TLS_CLIENT, (config.num_groups = 1, config.num_shares = 2))
CONFIG(too_many_sessions, TLS_CLIENT, params.num_sessions = TLS_SESSIONS_MAX + 1)
CONFIG(too_many_externals, TLS_CLIENT, (config.externals = externals, config.num_externals = 2, config.psk_modes = TLS_PSK_DHE_KE))
CONFIG(external_without_identity, TLS_CLIENT, (config.externals = &no_identity, config.num_externals = 1))
CONFIG(external_without_a_mode, TLS_SERVER, (config.externals = externals, config.num_externals = 1))
CONFIG(unknown_mode, TLS_SERVER, config.psk_modes = 4)
CONFIG(too_many_tickets, TLS_SERVER, config.num_tickets = TLS_TICKETS_MAX + 1)
CONFIG(too_much_early_data, TLS_SERVER, config.ticket_early_data = TLS_EARLY_MAX + 1)
CONFIG(client_without_anchors, TLS_CLIENT, config.anchors = NULL)
CONFIG(server_without_identity, TLS_SERVER, config.num_identities = 0)
CONFIG(verifies_by_nothing, TLS_SERVER, (config.anchors = NULL, config.client_auth = TLS_CLIENT_AUTH_VERIFY))
CONFIG(names_no_authorities, TLS_SERVER, (config.anchors = NULL, config.name_authorities = true))
CONFIG(record_limit_too_low, TLS_SERVER, config.record_limit = 63)
CONFIG(alpn_too_long, TLS_CLIENT, params.alpn_len = TLS_ALPN_MAX + 1)

static void name_too_long(void)
{
	role(TLS_CLIENT);
	memset(bytes, 'a', TLS_NAME_MAX + 1);
	params.server_name = (const char *)bytes;
	tls_init(&conn, &params);
}

/* ---- calls out of turn ---- */

static void start(void)
{
	role(TLS_SERVER);
	tls_init(&conn, &params);
}

static void lends_twice(void)
{
	start();
	tls_lend_rx(&conn, bytes);
	tls_lend_rx(&conn, bytes);
}

static void lends_nothing(void)
{
	start();
	tls_lend_rx(&conn, NULL);
}

static void reads_without_a_buffer(void)
{
	start();
	tls_rx_filled(&conn, 0);
}

static void reads_more_than_there_is_room(void)
{
	start();
	tls_lend_rx(&conn, bytes);
	tls_rx_filled(&conn, TLS_RX_CAP + 1);
}

static void answers_unasked(void)
{
	start();
	tls_sign_answer(&conn, bytes, 1);
}

static void answers_too_much(void)
{
	start();
	conn.sign = SIGN_ASKED;
	tls_sign_answer(&conn, bytes, SIG_MAX + 1);
}

static void asks_for_keys_early(void)
{
	struct tls_traffic t;

	start();
	tls_traffic(&conn, &t);
}

static void asks_for_a_resumption_early(void)
{
	struct tls_resumption r;

	role(TLS_CLIENT);
	tls_init(&conn, &params);
	tls_resumption(&conn, &r);
}

static void asks_a_server_for_a_resumption(void)
{
	struct tls_resumption r;

	start();
	conn.state = TLS_DONE;
	tls_resumption(&conn, &r);
}

/* ---- within: sizes and sequence numbers ---- */

static void seals_too_much(void)
{
	record_seal(bytes, CT_HANDSHAKE, PLAINTEXT_MAX + 1, AEAD_AES_128_GCM, &keys);
}

static void seals_beyond_the_last_number(void)
{
	keys.seq = UINT64_MAX;
	record_seal(bytes, CT_HANDSHAKE, 1, AEAD_AES_128_GCM, &keys);
}

static void opens_beyond_the_last_number(void)
{
	uint8_t type;
	size_t len;

	keys.seq = UINT64_MAX;
	if (record_open(bytes, 40, &type, &len, AEAD_AES_128_GCM, &keys))
		_exit(1);
}

static void expands_too_much(void)
{
	struct hmac_key k;

	hmac_key_init(&k, HASH_SHA256, bytes, 32);
	keys_expand(&k, bytes, 33, "label", NULL, 0);
}

static void expands_with_too_long_a_context(void)
{
	struct hmac_key k;

	hmac_key_init(&k, HASH_SHA256, bytes, 32);
	keys_expand(&k, bytes, 32, "label", bytes, 256);
}

static void expands_with_too_long_a_label(void)
{
	struct hmac_key k;

	hmac_key_init(&k, HASH_SHA256, bytes, 32);
	memset(bytes, 'x', 250);
	bytes[250] = 0;
	keys_expand(&k, bytes + 300, 32, (const char *)bytes, NULL, 0);
}

static void exports_too_much(void)
{
	keys_export(bytes, 255 * 32 + 1, HASH_SHA256, bytes, "label", 5, NULL, 0);
}

static void verifies_no_chain(void)
{
	struct x509_ask ask = { .num = 0 };
	struct x509_peer peer;
	struct x509_fail fail;

	if (x509_verify(&peer, &fail, &ask))
		_exit(1);
}

static void binds_with_a_short_external_key(void)
{
	uint8_t psk[TLS_EXTERNAL_KEY_MIN - 1] = { 0 }, hash[HASH_MAX] = { 0 }, out[HASH_MAX];

	tls_psk_binder(out, HASH_SHA256, psk, sizeof(psk), hash);
}

static void derives_from_a_short_external_key(void)
{
	uint8_t psk[TLS_EXTERNAL_KEY_MIN - 1] = { 0 }, out[HASH_MAX];

	tls_psk_handshake_secret(out, HASH_SHA256, psk, sizeof(psk), NULL, 0);
}

#define CASE(name) { #name, name }
static const struct { const char *what; void (*run)(void); } cases[] = {
	CASE(no_suite), CASE(too_many_suites), CASE(unknown_suite), CASE(no_group), CASE(too_many_groups), CASE(unknown_group),
	CASE(too_many_shares), CASE(more_shares_than_groups), CASE(too_many_sessions), CASE(too_many_externals),
	CASE(external_without_identity), CASE(external_without_a_mode), CASE(unknown_mode), CASE(too_many_tickets),
	CASE(too_much_early_data),
	CASE(client_without_anchors), CASE(server_without_identity), CASE(verifies_by_nothing), CASE(names_no_authorities),
	CASE(record_limit_too_low), CASE(alpn_too_long), CASE(name_too_long), CASE(lends_twice), CASE(lends_nothing),
	CASE(reads_without_a_buffer), CASE(reads_more_than_there_is_room), CASE(answers_unasked), CASE(answers_too_much),
	CASE(asks_for_keys_early), CASE(asks_for_a_resumption_early), CASE(asks_a_server_for_a_resumption), CASE(seals_too_much),
	CASE(seals_beyond_the_last_number), CASE(opens_beyond_the_last_number), CASE(expands_too_much),
	CASE(expands_with_too_long_a_context), CASE(expands_with_too_long_a_label), CASE(exports_too_much),
	CASE(verifies_no_chain), CASE(binds_with_a_short_external_key), CASE(derives_from_a_short_external_key),
};

/* By exit(), so that what a child ran is counted by who counts. */
static void aborted(int sig)
{
	(void)sig;
	exit(ABORTED);
}

static void misuse_aborts(void **state)
{
	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (!pid) {
			signal(SIGABRT, aborted);
			cases[i].run();
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != ABORTED)
			fail_msg("%s: status 0x%x", cases[i].what, status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(misuse_aborts) };

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
