// SPDX-License-Identifier: MIT
/* Who may do what with which profile: from the configuration's text to the answer. */
#include "daemon_util.h"

#include <sys/mman.h>

#include "tlshd/policy.h"

static struct util_setup setup;
static const struct image *image;
static struct policy *policy;
static const struct tickets *const tickets = (const void *)&policy;	/* only handed on */

static const char conf[] =
	"profile \"www\" {\n"
	"	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"
	"	alpn = {\"h2\", \"http/1.1\"}\n"
	"	timeout = 5\n"
	"	server { allow-users = {\"1000\", \"1002\"} allow-groups = {\"33\"} }\n"
	"}\n"
	"profile \"both\" {\n"
	"	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"
	"	trust = \"%C/root.crt\"\n"
	"	tickets = 4\n"
	"	ticket-lifetime = 60\n"
	"	early-data = 1000\n"
	"	server { allow-users = {\"*\"} }\n"
	"	client { allow-users = {\"*\"} }\n"
	"}\n"
	"profile \"forgetful\" {\n"
	"	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"
	"	trust = \"%C/root.crt\"\n"
	"	tickets = 0\n"
	"	server { allow-users = {\"*\"} }\n"
	"	client { allow-users = {\"*\"} }\n"
	"}\n"
	"profile \"out\" {\n"
	"	trust = \"%C/root.crt\"\n"
	"	client { allow-users = {\"*\"} }\n"
	"}\n"
	"profile \"any\" {\n"
	"	trust = \"%C/root.crt\"\n"
	"	client { allow-groups = {\"*\"} any-name = true }\n"
	"}\n";

static int open_policy(void **state)
{
	char *text = util_expand(conf);
	int fd;

	(void)state;
	util_load(&setup, text);
	free(text);
	if (setup.rc) {
		print_error("%s", setup.said);
		return -1;
	}
	fd = image_build(setup.config, &setup.ids, 7);
	if (fd < 0 || image_map(&image, fd))
		return -1;
	close(fd);
	policy = policy_open(image, tickets, NULL);
	return policy ? 0 : -1;
}

static int close_policy(void **state)
{
	(void)state;
	policy_close(policy);
	munmap((void *)image, image->size);
	util_unload(&setup);
	return 0;
}

static struct upcall_request server(uint32_t uid)
{
	return (struct upcall_request){ .fd = -1, .role = TLSHD_SERVER, .profile = "www", .uid = uid, .gid = 5000 };
}

static struct upcall_request client(const char *profile, const char *name)
{
	struct upcall_request r = { .fd = -1, .role = TLSHD_CLIENT, .uid = 12345, .gid = 12345 };

	strcpy(r.profile, profile);
	strcpy(r.server_name, name);
	return r;
}

static void check(const struct upcall_request *req, int rc, const char *why)
{
	char reason[TLSHD_REASON_LEN] = "";
	struct policy_grant grant;

	assert_int_equal(policy_admit(&grant, policy, req, reason), rc);
	assert_string_equal(reason, why);
}

static void admits_whom_the_section_names(void **state)
{
	struct upcall_request r = server(1000);

	(void)state;
	check(&r, 0, "");
	r = server(1002);
	check(&r, 0, "");
	r = server(9);
	r.gid = 33;
	check(&r, 0, "");
	r = server(9);
	r.num_groups = 2;
	r.groups[1] = 33;
	check(&r, 0, "");
}

static void is_closed_to_everybody_else(void **state)
{
	struct upcall_request r = server(1001);

	(void)state;
	check(&r, -EACCES, "uid 1001 may not use this profile as a server");
	r = server(0);		/* root is no exception */
	check(&r, -EACCES, "uid 0 may not use this profile as a server");
	r = server(33);		/* a user's number is no group's */
	check(&r, -EACCES, "uid 33 may not use this profile as a server");
	r = server(5);
	r.gid = 1000;		/* nor the other way round */
	check(&r, -EACCES, "uid 5 may not use this profile as a server");
	r = server(1000);
	r.role = TLSHD_CLIENT;	/* no section for this role */
	strcpy(r.server_name, "localhost");
	check(&r, -EACCES, "uid 1000 may not use this profile as a client");
}

static void knows_no_other_profile(void **state)
{
	struct upcall_request r = server(1000);

	(void)state;
	strcpy(r.profile, "ww");
	check(&r, -ENOENT, "there is no profile of this name");
	strcpy(r.profile, "WWW");
	check(&r, -ENOENT, "there is no profile of this name");
}

static void a_client_names_its_server(void **state)
{
	struct upcall_request r = client("out", "");

	(void)state;
	check(&r, -EINVAL, "a client needs the name of its server");
	r.flags = TLSHD_F_ANY_NAME;
	check(&r, -EACCES, "the profile does not permit clients without a server name");
	strcpy(r.profile, "any");
	check(&r, 0, "");
	r.flags = 0;
	check(&r, -EINVAL, "a client needs the name of its server");
	r = client("out", "b\xc3\xbcro.example");
	check(&r, -EINVAL, "the server name is neither a DNS name in A-labels nor an IP address");
	r = client("out", "*.example");
	check(&r, -EINVAL, "the server name is neither a DNS name in A-labels nor an IP address");
	r = server(1000);
	strcpy(r.server_name, "localhost");
	check(&r, -EINVAL, "a server has no server name to give");
}

static void a_given_name_is_verified_whatever_the_flags(void **state)
{
	struct upcall_request r = client("any", "www.example.");
	char reason[TLSHD_REASON_LEN];
	struct policy_grant g;

	(void)state;
	r.flags = TLSHD_F_ANY_NAME;
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_string_equal(g.params.server_name, "www.example");
	assert_ptr_equal(g.params.server_name, g.server_name);
	assert_false(g.params.server_name_is_ip);
	strcpy(r.server_name, "192.0.2.1");
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_true(g.params.server_name_is_ip);
}

static void alpn_is_a_part_of_the_profile(void **state)
{
	static const char *const wrong[] = { "h3", "h2,h3", "h", "h2,", ",h2", "h2,,http/1.1", "http/1.1x" };
	struct upcall_request r = server(1000);
	char reason[TLSHD_REASON_LEN];
	struct policy_grant g;

	(void)state;
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_int_equal(g.params.alpn_len, 12);
	assert_memory_equal(g.params.alpn, "\x02h2\x08http/1.1", 12);
	strcpy(r.alpn, "http/1.1,h2");
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_int_equal(g.params.alpn_len, 12);
	assert_memory_equal(g.params.alpn, "\x08http/1.1\x02h2", 12);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		strcpy(r.alpn, wrong[i]);
		check(&r, -EINVAL, "an ALPN protocol is not among those of the profile");
	}
	r = client("out", "localhost");
	strcpy(r.alpn, "h2");		/* a profile that lists none */
	check(&r, -EINVAL, "an ALPN protocol is not among those of the profile");
}

static void a_longer_timeout_is_capped(void **state)
{
	struct upcall_request r = server(1000);
	char reason[TLSHD_REASON_LEN];
	struct policy_grant g;

	(void)state;
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_int_equal(g.timeout_ms, 5000);
	r.timeout_ms = 6000;
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_int_equal(g.timeout_ms, 5000);
	r.timeout_ms = 300;
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_int_equal(g.timeout_ms, 300);
}

static void a_grant_has_the_identity_and_the_anchors(void **state)
{
	struct upcall_request r = server(1000);
	char reason[TLSHD_REASON_LEN];
	struct policy_grant g;

	(void)state;
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_int_equal(g.params.role, TLS_SERVER);
	assert_int_equal(g.params.config->num_identities, 1);
	assert_int_equal(g.params.config->identities[0].key_id, 0);
	assert_int_equal(g.params.config->identities[0].type, SIG_TYPE_P256);
	assert_int_equal(g.params.config->identities[0].chain_len, setup.ids.v[0].chain_len);
	assert_int_equal(g.params.config->identities[0].num_cert_schemes, setup.ids.v[0].facts.num_schemes);
	assert_int_equal(g.params.config->identities[0].cert_schemes[0], setup.ids.v[0].facts.schemes[0]);
	assert_memory_equal(g.params.config->identities[0].issuers, setup.ids.v[0].facts.issuers,
			    setup.ids.v[0].facts.issuers_len);
	assert_true(setup.ids.v[0].facts.num_schemes && setup.ids.v[0].facts.issuers_len);
	r = client("out", "localhost");
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_int_equal(g.params.role, TLS_CLIENT);
	assert_non_null(g.params.config->anchors);
	assert_int_equal(policy_generation(policy), 7);
}

static const struct tls_params *params_of(struct policy_grant *g, const char *profile, uint32_t flags)
{
	struct upcall_request r = server(1000);
	char reason[TLSHD_REASON_LEN];

	strcpy(r.profile, profile);
	r.flags = flags;
	assert_int_equal(policy_admit(g, policy, &r, reason), 0);
	return &g->params;
}

static void a_server_gives_tickets_as_its_profile_says(void **state)
{
	struct policy_grant a, b;
	const struct tls_params *www = params_of(&a, "www", 0), *both = params_of(&b, "both", 0);
	const struct tickets_use *use = www->tickets_arg;

	(void)state;
	assert_ptr_equal(www->tickets, &tickets_ops);
	assert_ptr_equal(use->keys, tickets);
	assert_memory_equal(use->scope, www->config->scope, 32);
	assert_int_equal(www->config->psk_modes, TLS_PSK_DHE_KE);
	assert_int_equal(www->config->num_tickets, 2);
	assert_int_equal(www->config->ticket_lifetime_s, 24 * 3600);
	assert_int_equal(www->config->ticket_early_data, 0);
	assert_int_equal(both->config->ticket_early_data, 1000);
	assert_false(both->accept_early);
	assert_true(params_of(&b, "both", TLSHD_F_ACCEPT_EARLY)->accept_early);
	assert_int_equal(both->config->num_tickets, 4);
	assert_int_equal(both->config->ticket_lifetime_s, 60);
	assert_memory_not_equal(www->config->scope, both->config->scope, 32);
	assert_memory_not_equal(www->config->policy, both->config->policy, 32);	/* other anchors */
}

static void an_application_can_do_without_tickets(void **state)
{
	struct upcall_request r = server(1000);
	char reason[TLSHD_REASON_LEN];
	struct policy_grant g;

	(void)state;
	r.flags = TLSHD_F_NO_RESUME;
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_null(g.params.tickets);
}

static void without_tickets_nothing_resumes(void **state)
{
	struct upcall_request r = client("forgetful", "localhost");
	char reason[TLSHD_REASON_LEN];
	struct policy_grant g;
	const struct tls_params *server_params = params_of(&g, "forgetful", 0);

	(void)state;
	assert_null(server_params->tickets);
	assert_int_equal(server_params->config->psk_modes, 0);
	assert_int_equal(server_params->config->num_tickets, 0);
	assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
	assert_null(g.params.tickets);
	assert_int_equal(g.params.config->psk_modes, 0);
	assert_false(g.resume);
}

/* Sessions of two requests are one store's entry exactly if nothing that matters differs. */
static void a_session_is_for_the_same_connection_only(void **state)
{
	static const struct {
		const char *what, *profile, *name;
		uint32_t uid, flags;
		uint64_t netns;
		uint16_t port;
		uint8_t scope;
	} rows[] = {
		{ "as it was", "both", "localhost", 12345, 0, 7, 443, 1 },
		{ "another profile", "out", "localhost", 12345, 0, 7, 443, 1 },
		{ "another name", "both", "www.localhost", 12345, 0, 7, 443, 1 },
		{ "another user", "both", "localhost", 12346, 0, 7, 443, 1 },
		{ "another network", "both", "localhost", 12345, 0, 8, 443, 1 },
		{ "another port", "both", "localhost", 12345, 0, 7, 444, 1 },
		{ "another scope", "both", "localhost", 12345, 0, 7, 443, 2 },
	};
	struct sessions_key keys[sizeof(rows) / sizeof(rows[0])];
	char reason[TLSHD_REASON_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct upcall_request r = client(rows[i].profile, rows[i].name);
		struct policy_grant g;

		r.uid = rows[i].uid;
		r.netns = rows[i].netns;
		r.peer.in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(rows[i].port) };
		r.scope[0] = rows[i].scope;
		assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
		assert_true(g.resume);
		keys[i] = g.session;
		assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
		assert_memory_equal(&g.session, &keys[i], sizeof(keys[i]));
		for (size_t k = 0; k < i; k++)
			if (keys[k].uid == keys[i].uid)
				assert_memory_not_equal(&keys[k], &keys[i], sizeof(keys[i]));
		r.flags = TLSHD_F_NO_RESUME;
		assert_int_equal(policy_admit(&g, policy, &r, reason), 0);
		assert_false(g.resume);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admits_whom_the_section_names),
		cmocka_unit_test(is_closed_to_everybody_else),
		cmocka_unit_test(knows_no_other_profile),
		cmocka_unit_test(a_client_names_its_server),
		cmocka_unit_test(a_given_name_is_verified_whatever_the_flags),
		cmocka_unit_test(alpn_is_a_part_of_the_profile),
		cmocka_unit_test(a_longer_timeout_is_capped),
		cmocka_unit_test(a_grant_has_the_identity_and_the_anchors),
		cmocka_unit_test(a_server_gives_tickets_as_its_profile_says),
		cmocka_unit_test(an_application_can_do_without_tickets),
		cmocka_unit_test(without_tickets_nothing_resumes),
		cmocka_unit_test(a_session_is_for_the_same_connection_only),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	util_enter();
	if (crypto_init() || crypto_thread_init())
		return 1;
	failed = cmocka_run_group_tests(tests, open_policy, close_policy);
	crypto_thread_exit();
	util_leave();
	return failed;
}
