// SPDX-License-Identifier: MIT
/* The configuration file: what is taken, and the exact words with which the rest is refused. */
#include "daemon_util.h"

#include <sys/stat.h>

static void check(const char *text, int rc, const char *complaints)
{
	struct util_setup s;
	char *expanded = util_expand(text), *expected = util_expand(complaints);

	util_load(&s, expanded);
	assert_string_equal(s.said, expected);
	assert_int_equal(s.rc, rc);
	util_unload(&s);
	free(expanded);
	free(expected);
}

#define SERVER "server { allow-users = {\"root\"} }\n"
#define CLIENT "client { allow-users = {\"*\"} }\n"
#define IDENTITY "identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"

static void takes_a_server_and_a_client(void **state)
{
	struct util_setup s;
	char *text = util_expand("threads = 3\nmax-handshakes = 77\nlog-level = \"debug\"\n"
			    "profile \"www\" {\n" IDENTITY "alpn = {\"h2\", \"http/1.1\"}\ntimeout = 5\n"
			    "suites = {\"TLS_CHACHA20_POLY1305_SHA256\"}\ngroups = {\"secp384r1\", \"secp256r1\", \"X25519\"}\n"
			    "server { allow-users = {\"root\", \"65533\"} allow-groups = \"0\" }\n}\n"
			    "profile \"out\" { trust = \"%C/root.crt\" client { allow-users = \"*\" any-name = true } }\n");
	const struct config_profile *www, *out;

	(void)state;
	util_load(&s, text);
	assert_string_equal(s.said, "");
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.config->threads, 3);
	assert_int_equal(s.config->max_handshakes, 77);
	assert_int_equal(s.config->log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(s.config->num_profiles, 2);
	www = &s.config->profiles[0];
	out = &s.config->profiles[1];
	assert_string_equal(www->name, "www");
	assert_int_equal(www->alpn_len, 12);
	assert_memory_equal(www->alpn, "\x02h2\x08http/1.1", 12);
	assert_int_equal(www->timeout_ms, 5000);
	assert_int_equal(www->num_suites, 1);
	assert_int_equal(www->suites[0], TLS_CHACHA20_POLY1305_SHA256);
	assert_int_equal(www->num_groups, 3);
	assert_int_equal(www->groups[0], 0x18);
	assert_int_equal(www->groups[1], 0x17);
	assert_int_equal(www->groups[2], 0x1d);
	assert_true(www->roles[TLS_SERVER].present);
	assert_false(www->roles[TLS_CLIENT].present);
	assert_int_equal(www->roles[TLS_SERVER].users.num, 2);
	assert_int_equal(www->roles[TLS_SERVER].users.ids[0], 0);
	assert_int_equal(www->roles[TLS_SERVER].users.ids[1], 65533);
	assert_int_equal(www->roles[TLS_SERVER].groups.num, 1);
	assert_true(out->roles[TLS_CLIENT].users.any);
	assert_true(out->roles[TLS_CLIENT].any_name);
	assert_int_equal(out->num_suites, 3);
	assert_int_equal(out->timeout_ms, 10000);
	assert_int_equal(s.ids.num, 1);
	assert_int_equal(s.ids.v[0].type, SIG_TYPE_P256);
	assert_true(s.ids.v[0].key_fd >= 0);
	util_unload(&s);
	free(text);
}

static void tickets_last_a_day_under_keys_of_six_hours_unless_told(void **state)
{
	static const struct { const char *global, *profile; uint32_t num, lifetime, interval; } rows[] = {
		{ "", "", 2, 24 * 3600, 6 * 3600 },
		{ "", "tickets = 0", 0, 24 * 3600, 6 * 3600 },
		{ "", "tickets = 4\nticket-lifetime = 604800", 4, 604800, 151200 },
		{ "", "ticket-lifetime = 1", 2, 1, 1 },
		{ "ticket-key-interval = 2880", "", 2, 24 * 3600, 2880 },
		{ "ticket-key-interval = 604800", "", 2, 24 * 3600, 604800 },
		/* A lifetime that is not used asks for no keys. */
		{ "ticket-key-interval = 2880", "tickets = 0\nticket-lifetime = 604800", 0, 604800, 2880 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[1024], *expanded;
		struct util_setup s;

		snprintf(text, sizeof(text), "%s\nprofile \"www\" {\n%s%s\n%s}\n", rows[i].global, IDENTITY, rows[i].profile,
			 SERVER);
		expanded = util_expand(text);
		util_load(&s, expanded);
		free(expanded);
		assert_string_equal(s.said, "");
		assert_int_equal(s.config->profiles[0].num_tickets, rows[i].num);
		assert_int_equal(s.config->profiles[0].ticket_lifetime_s, rows[i].lifetime);
		assert_int_equal(s.config->ticket_interval_s, rows[i].interval);
		assert_false(s.ids.has_ticket_secret);
		util_unload(&s);
	}
}

/* A profile of clients gives no tickets, whatever it says: keys need not last for it. */
static void keys_last_for_the_longest_lifetime_of_a_server(void **state)
{
	char *text = util_expand("profile \"a\" {\n" IDENTITY "ticket-lifetime = 100\n" SERVER "}\n"
				 "profile \"b\" {\n" IDENTITY "ticket-lifetime = 200\n" SERVER "}\n"
				 "profile \"c\" {\ntrust = \"%C/root.crt\"\nticket-lifetime = 300\n" CLIENT "}\n");
	struct util_setup s;

	(void)state;
	util_load(&s, text);
	free(text);
	assert_string_equal(s.said, "");
	assert_int_equal(s.config->ticket_lifetime_s, 200);
	assert_int_equal(s.config->ticket_interval_s, 50);
	util_unload(&s);
}

static void opens_the_secret_of_ticket_keys(void **state)
{
	static const char profile[] = "\nprofile \"www\" {\n" IDENTITY SERVER "}\n";
	static const char bytes[] = "0123456789abcdef0123456789abcdef";
	char dir[PATH_MAX], text[2 * PATH_MAX], said[3 * PATH_MAX], *expanded;
	struct util_setup s;

	(void)state;
	assert_non_null(getcwd(dir, sizeof(dir)));
	snprintf(text, sizeof(text), "ticket-keys = \"%s/ticket.keys\"%s", dir, profile);
	snprintf(said, sizeof(said), "tlshd.conf:1: %s/ticket.keys: 31 bytes; expected 32 to 4096\n", dir);
	util_write("ticket.keys", bytes + 1);
	assert_int_equal(chmod("ticket.keys", 0600), 0);
	check(text, -EINVAL, said);
	util_write("ticket.keys", bytes);
	check(text, 0, "");
	assert_int_equal(chmod("ticket.keys", 0644), 0);
	snprintf(said, sizeof(said), "tlshd.conf:1: warning: %s/ticket.keys: others may read or change this key (mode 0644); "
		 "expected 0600 or 0640\n", dir);
	check(text, 0, said);
	expanded = util_expand(text);
	util_load(&s, expanded);
	free(expanded);
	assert_true(s.ids.has_ticket_secret);
	assert_int_equal(pread(s.ids.ticket_secret_fd, text, sizeof(text), 0), 32);
	util_unload(&s);
	unlink("ticket.keys");
}

static void takes_the_example(void **state)
{
	struct report r = { .out = stderr, .file = EXAMPLE };
	struct config *c;

	(void)state;
	/* It names a user that Debian has and this machine may lack. */
	if (!getenv("NO_WWW_DATA") && !system("getent passwd www-data >/dev/null")) {
		assert_int_equal(config_load(&c, &r), 0);
		assert_int_equal(c->num_profiles, 2);
		config_free(c);
	} else {
		print_message("# the user www-data does not exist here\n");
		skip();
	}
}

static const struct { const char *claim, *text, *complaints; } refused[] = {
	{ "nothing at all", "", "tlshd.conf: no profile; expected at least one section profile \"NAME\" { ... }\n" },
	{ "an unknown setting", "thread = 1\n", "tlshd.conf:1: no such option 'thread'\n" },
	{ "a broken syntax", "profile \"www\" {\ntimeout = }\n",
	  "tlshd.conf:2: unexpected token '}'\n" },
	{ "a word for a number", "profile \"www\" {\ntimeout = soon\n}\n",
	  "tlshd.conf:2: invalid integer value for option 'timeout'\n" },
	{ "a profile without a name", "profile {\n}\n", "tlshd.conf:1: missing title for section 'profile'\n" },
	{ "two profiles of one name",
	  "profile \"a\" {\ntrust = \"%C/root.crt\"\n" CLIENT "}\nprofile \"a\" {\n}\n",
	  "tlshd.conf:5: found duplicate title 'a'\n" },
	{ "a role that nobody may use", "profile \"a\" {\ntrust = \"%C/root.crt\"\nclient {\n}\n}\n",
	  "tlshd.conf:4: client: nobody may use it; expected users in allow-users or groups in allow-groups\n" },
	{ "a profile without a role", "profile \"a\" {\ntrust = \"%C/root.crt\"\n}\n",
	  "tlshd.conf:3: profile 'a': nobody may use it; expected a server or a client section\n" },
	{ "a server without identity", "profile \"a\" {\n" SERVER "}\n",
	  "tlshd.conf:3: profile 'a': its server section has no certificate to show; expected an identity section\n" },
	{ "a client without trust", "profile \"a\" {\n" CLIENT "}\n",
	  "tlshd.conf:3: profile 'a': its client section trusts nobody; expected trust = \"/path/to/anchors.pem\"\n" },
	{ "two sections of one role", "profile \"a\" {\ntrust = \"%C/root.crt\"\n" CLIENT CLIENT "}\n",
	  "tlshd.conf:4: client: a second section; expected one in a profile\n" },
	{ "users that do not exist", "profile \"a\" {\ntrust = \"%C/root.crt\"\nclient { allow-users = {\"no-such-user\"}\n"
	  "allow-groups = {\"no-such-group\", \"0\"} }\n}\n",
	  "tlshd.conf:3: allow-users: there is no user 'no-such-user'; expected a name, a number or \"*\"\n"
	  "tlshd.conf:4: allow-groups: there is no group 'no-such-group'; expected a name, a number or \"*\"\n" },
	{ "the id that means none",
	  "profile \"a\" {\ntrust = \"%C/root.crt\"\n"
	  "client { allow-users = {\"0\", \"4294967295\"} }\n}\n",
	  "tlshd.conf:3: allow-users: there is no user '4294967295'; expected a name, a number or \"*\"\n" },
	{ "numbers out of range",
	  "threads = 65\nmax-handshakes = 0\nprofile \"a\" {\ntrust = \"%C/root.crt\"\ntimeout = 301\n" CLIENT "}\n",
	  "tlshd.conf:1: threads: 65 is out of range; expected 0 to 64\n"
	  "tlshd.conf:2: max-handshakes: 0 is out of range; expected 1 to 65536\n"
	  "tlshd.conf:5: timeout: 301 is out of range; expected 1 to 300\n" },
	{ "tickets out of range",
	  "ticket-key-interval = 0\nprofile \"a\" {\n" IDENTITY "tickets = 5\nticket-lifetime = 604801\n" SERVER "}\n"
	  "profile \"b\" {\n" IDENTITY "ticket-lifetime = 0\n" SERVER "}\n",
	  "tlshd.conf:1: ticket-key-interval: 0 is out of range; expected 1 to 604800\n"
	  "tlshd.conf:4: tickets: 5 is out of range; expected 0 to 4\n"
	  "tlshd.conf:5: ticket-lifetime: 604801 is out of range; expected 1 to 604800\n"
	  "tlshd.conf:10: ticket-lifetime: 0 is out of range; expected 1 to 604800\n" },
	{ "more keys for tickets than there is room for",
	  "\nticket-key-interval = 2879\nprofile \"a\" {\n" IDENTITY SERVER "}\n",
	  "tlshd.conf:2: ticket-key-interval: too short for a ticket-lifetime of 86400; expected at least 2880, for 30 keys\n" },
	{ "early data out of range, or without tickets",
	  "early-data-window = 61\nprofile \"a\" {\n" IDENTITY "early-data = 32769\n" SERVER "}\n"
	  "profile \"b\" {\n" IDENTITY "tickets = 0\nearly-data = 1\n" SERVER "}\n",
	  "tlshd.conf:1: early-data-window: 61 is out of range; expected 1 to 60\n"
	  "tlshd.conf:4: early-data: 32769 is out of range; expected 0 to 32768\n"
	  "tlshd.conf:10: early-data: profile 'b' gives no tickets; expected tickets of at least 1, or early-data of 0\n" },
	{ "ticket keys from nowhere",
	  "ticket-keys = \"/nonexistent/k\"\nprofile \"a\" {\n" IDENTITY SERVER "}\n",
	  "tlshd.conf:1: /nonexistent/k: No such file or directory\n" },
	{ "ticket keys by a relative path",
	  "ticket-keys = \"k\"\nprofile \"a\" {\n" IDENTITY SERVER "}\n",
	  "tlshd.conf:1: ticket-keys: 'k' is no absolute path; expected one that starts with /\n" },
	{ "an unknown log level", "log-level = \"loud\"\nprofile \"a\" {\ntrust = \"%C/root.crt\"\n" CLIENT "}\n",
	  "tlshd.conf:1: log-level: 'loud' is not known; expected one of error, warning, info, debug\n" },
	{ "unknown suites and groups, all at once",
	  "profile \"a\" {\ntrust = \"%C/root.crt\"\nsuites = {\"TLS_AES_128_GCM_SHA256\", \"RC4\"}\n"
	  "groups = {\"X25519\", \"X25519\"}\n" CLIENT "}\n",
	  "tlshd.conf:3: suites: 'RC4' is not known; expected one of TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, "
	  "TLS_CHACHA20_POLY1305_SHA256\n"
	  "tlshd.conf:4: groups: 'X25519' is listed twice\n" },
	{ "a protocol name with a comma", "profile \"a\" {\ntrust = \"%C/root.crt\"\nalpn = {\"h2,http/1.1\"}\n" CLIENT "}\n",
	  "tlshd.conf:3: alpn: 'h2,http/1.1' is no protocol name; expected text without a comma, like \"http/1.1\"\n" },
	{ "a relative path", "profile \"a\" {\ntrust = \"root.crt\"\n" CLIENT "}\n",
	  "tlshd.conf:2: trust: 'root.crt' is no absolute path; expected one that starts with /\n" },
	{ "half an identity", "profile \"a\" {\nidentity {\ncertificate = \"%C/p256.pem\"\n}\n" SERVER "}\n",
	  "tlshd.conf:4: identity: no key; expected key = \"/path/to/key.pem\"\n" },
	{ "files that are not there",
	  "profile \"a\" {\ntrust = \"/nonexistent/t\"\n"
	  "identity {\ncertificate = \"/nonexistent/c\"\nkey = \"/nonexistent/k\"\n}\n"
	  SERVER CLIENT "}\n",
	  "tlshd.conf:4: /nonexistent/c: No such file or directory\n"
	  "tlshd.conf:5: /nonexistent/k: No such file or directory\n"
	  "tlshd.conf:2: /nonexistent/t: No such file or directory\n" },
	{ "a folder for a file", "profile \"a\" {\ntrust = \"/etc\"\n" CLIENT "}\n",
	  "tlshd.conf:2: /etc: not a regular file\n" },
	{ "a device for a file", "profile \"a\" {\ntrust = \"/dev/zero\"\n" CLIENT "}\n",
	  "tlshd.conf:2: /dev/zero: not a regular file\n" },
};

static void a_zero_byte_is_refused_in_words(void **state)
{
	char complaints[128];
	struct report r = { .out = fmemopen(complaints, sizeof(complaints), "w"), .file = CONF };
	FILE *f = fopen(CONF, "w");
	struct config *c;

	(void)state;
	assert_non_null(f);
	assert_int_equal(fwrite("threads = 1\n\0\n", 1, 14, f), 14);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(config_load(&c, &r), -EINVAL);
	fclose(r.out);
	assert_string_equal(complaints, "tlshd.conf: not understood; has it a zero byte?\n");
}

static void refuses_with_file_line_and_expectation(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		print_message("# %s\n", refused[i].claim);
		check(refused[i].text, -EINVAL, refused[i].complaints);
	}
}

static void refuses_what_is_no_certificate(void **state)
{
	struct util_setup s;
	char *text = util_expand("profile \"a\" {\ntrust = \"%C/p256.key\"\nidentity {\ncertificate = \"%C/p256.key\"\n"
			    "key = \"%C/p256.key\"\n}\n" SERVER CLIENT "}\n");
	char *first = util_expand("tlshd.conf:4: %C/p256.key: "), *second = util_expand("tlshd.conf:2: %C/p256.key: ");

	(void)state;
	util_load(&s, text);
	assert_int_equal(s.rc, -EINVAL);
	assert_int_equal(s.report.errors, 2);
	assert_non_null(strstr(s.said, first));
	assert_non_null(strstr(s.said, second));
	util_unload(&s);
	free(text);
	free(first);
	free(second);
}

static void warns_of_an_expired_certificate(void **state)
{
	(void)state;
	check("profile \"a\" {\nidentity {\ncertificate = \"%C/expired.pem\"\nkey = \"%C/expired.key\"\n}\n" SERVER "}\n", 0,
	      "tlshd.conf:3: warning: %C/expired.pem: expired on 2026-01-02 00:00 UTC\n");
}

static void warns_of_a_key_that_others_may_read(void **state)
{
	char *path = util_expand("%C/p384.key");
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(chmod(path, 0644), 0);
	check("profile \"a\" {\nidentity {\ncertificate = \"%C/p384.pem\"\nkey = \"%C/p384.key\"\n}\n" SERVER "}\n", 0,
	      "tlshd.conf:4: warning: %C/p384.key: others may read or change this key (mode 0644); expected 0600 or 0640\n");
	assert_int_equal(chmod(path, st.st_mode & 07777), 0);
	free(path);
}

static void a_file_that_is_absent_is_told(void **state)
{
	struct report r = { .file = "/nonexistent/tlshd.conf" };
	struct config *c;
	char *said;
	size_t len;

	(void)state;
	r.out = open_memstream(&said, &len);
	assert_int_equal(config_load(&c, &r), -EINVAL);
	fclose(r.out);
	assert_string_equal(said, "/nonexistent/tlshd.conf: cannot be read: No such file or directory\n");
	free(said);
}

static void the_image_says_what_the_file_said(void **state)
{
	struct util_setup s;
	char *text = util_expand("profile \"www\" {\n" IDENTITY "tickets = 3\nticket-lifetime = 77\nearly-data = 99\n"
			    "server { allow-users = {\"7\", \"3\", \"5\"} }\n}\n"
			    "profile \"out\" { trust = \"%C/root.crt\" client { allow-groups = {\"*\"} } }\n");
	const struct image *im;
	const uint32_t *users;
	int fd;

	(void)state;
	util_load(&s, text);
	assert_int_equal(s.rc, 0);
	fd = image_build(s.config, &s.ids, 42);
	assert_true(fd >= 0);
	assert_true(write(fd, "x", 1) < 0);		/* sealed */
	assert_int_equal(image_map(&im, fd), 0);
	assert_int_equal(im->generation, 42);
	assert_int_equal(image_profiles(im)[0].num_tickets, 3);
	assert_int_equal(image_profiles(im)[0].ticket_lifetime_s, 77);
	assert_int_equal(image_profiles(im)[0].early_data, 99);
	assert_int_equal(im->early_window_ms, 10000);
	assert_int_equal(im->num_profiles, 2);
	assert_int_equal(im->num_identities, 1);
	assert_string_equal(image_profiles(im)[0].name, "www");
	users = image_at(im, image_profiles(im)[0].roles[TLS_SERVER].users.off);
	assert_int_equal(users[0], 3);
	assert_int_equal(users[1], 5);
	assert_int_equal(users[2], 7);
	assert_true(image_profiles(im)[1].roles[TLS_CLIENT].any_group);
	assert_false(image_profiles(im)[1].roles[TLS_SERVER].present);
	assert_int_equal(image_profiles(im)[1].trust.num, s.ids.trust_len[1]);
	assert_memory_equal(image_at(im, image_profiles(im)[1].trust.off), s.ids.trust[1], s.ids.trust_len[1]);
	assert_memory_equal(image_at(im, image_identities(im)[0].leaf.off), s.ids.v[0].leaf.p, s.ids.v[0].leaf.len);
	util_unload(&s);
	free(text);
	close(fd);
}

static void an_image_that_can_change_is_refused(void **state)
{
	const struct image *im;
	FILE *f = tmpfile();

	(void)state;
	assert_int_equal(image_map(&im, fileno(f)), -EINVAL);
	fclose(f);
}

/* Who took a name off a list by writing another list below means the last one, an empty one too. */
static void an_empty_list_is_the_last_word(void **state)
{
	char *text = util_expand("profile \"www\" {\n" IDENTITY "alpn = {\"h2\"}\nalpn = {}\n"
			    "server { allow-users = {\"*\"} allow-users = {} allow-groups = {\"5\"} allow-groups = {}"
			    " allow-groups = {\"5\"} }\n}\n");
	struct util_setup s;

	(void)state;
	util_load(&s, text);
	free(text);
	assert_string_equal(s.said, "");
	assert_int_equal(s.config->profiles[0].alpn_len, 0);
	assert_false(s.config->profiles[0].roles[TLS_SERVER].users.any);
	assert_int_equal(s.config->profiles[0].roles[TLS_SERVER].users.num, 0);
	assert_int_equal(s.config->profiles[0].roles[TLS_SERVER].groups.num, 1);
	util_unload(&s);
	check("profile \"out\" { trust = \"%C/root.crt\"\nclient { allow-users = {\"*\"} allow-users = {} }\n}\n", -EINVAL,
	      "tlshd.conf:2: client: nobody may use it; expected users in allow-users or groups in allow-groups\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_server_and_a_client),
		cmocka_unit_test(an_empty_list_is_the_last_word),
		cmocka_unit_test(tickets_last_a_day_under_keys_of_six_hours_unless_told),
		cmocka_unit_test(keys_last_for_the_longest_lifetime_of_a_server),
		cmocka_unit_test(opens_the_secret_of_ticket_keys),
		cmocka_unit_test(takes_the_example),
		cmocka_unit_test(refuses_with_file_line_and_expectation),
		cmocka_unit_test(a_zero_byte_is_refused_in_words),
		cmocka_unit_test(refuses_what_is_no_certificate),
		cmocka_unit_test(warns_of_an_expired_certificate),
		cmocka_unit_test(warns_of_a_key_that_others_may_read),
		cmocka_unit_test(a_file_that_is_absent_is_told),
		cmocka_unit_test(the_image_says_what_the_file_said),
		cmocka_unit_test(an_image_that_can_change_is_refused),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	util_enter();
	if (crypto_init() || crypto_thread_init())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	crypto_thread_exit();
	util_leave();
	return failed;
}
