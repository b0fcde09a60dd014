// SPDX-License-Identifier: MIT
/* The daemon's handshakes against openssl s_client and s_server. */
#include "daemon_conn_util.h"

#include <fcntl.h>
#include <sys/wait.h>

static pid_t run_openssl(const char *const *argv, const char *out)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		int null = open("/dev/null", O_RDONLY), log = open(out, O_CREAT | O_TRUNC | O_WRONLY, 0600);

		dup2(null, 0);
		dup2(log, 1);
		dup2(log, 2);
		execvp("openssl", (char *const *)argv);
		_exit(127);
	}
	return pid;
}

static bool file_has(const char *path, const char *text)
{
	char buf[65536];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(buf, 1, sizeof(buf) - 1, f) : 0;

	if (f)
		fclose(f);
	buf[n] = '\0';
	return strstr(buf, text);
}

static void openssl_client_fetches_each_suite_and_group(void **state)
{
	static const struct { const char *suite, *group, *sigalgs; uint16_t id, group_id; } table[] = {
		{ "TLS_AES_128_GCM_SHA256", "X25519", "ECDSA+SHA256", TLS_AES_128_GCM_SHA256, 0x1d },
		{ "TLS_AES_256_GCM_SHA384", "P-256", "RSA-PSS+SHA256", TLS_AES_256_GCM_SHA384, 0x17 },
		{ "TLS_CHACHA20_POLY1305_SHA256", "X25519", "RSA-PSS+SHA512:ECDSA+SHA384", TLS_CHACHA20_POLY1305_SHA256, 0x1d },
	};

	char *root = util_expand("%C/root.crt");

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char at[32];
		uint16_t port;
		int l = listen_on(&port), fd, status;
		const char *argv[] = { "openssl", "s_client", "-connect", at, "-CAfile", root, "-verify_return_error",
				       "-verify_hostname", "localhost", "-servername", "localhost", "-alpn", "h2", "-tls1_3",
				       "-ciphersuites", table[i].suite, "-groups", table[i].group,
				       "-sigalgs", table[i].sigalgs, NULL };
		pid_t pid;

		num_verdicts = 0;
		snprintf(at, sizeof(at), "127.0.0.1:%u", port);
		pid = run_openssl(argv, "openssl.log");
		fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);
		start_server(fd, "www");
		run_until(1);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_string_equal(verdicts[0].info.reason, "");
		assert_true(verdicts[0].open);
		assert_int_equal(verdicts[0].info.suite, table[i].id);
		assert_int_equal(verdicts[0].info.group, table[i].group_id);
		assert_string_equal(verdicts[0].info.alpn, "h2");
		assert_true(file_has("openssl.log", "Verify return code: 0 (ok)"));
		close(l);
	}
	free(root);
	unlink("openssl.log");
}

/* s_client against a profile, until we close; @session: file that it offers a session of, or keeps one in. */
static const struct verdict *fetch(const char *profile, const char *option, const char *session)
{
	char *root = util_expand("%C/root.crt"), at[32];
	const char *argv[] = { "openssl", "s_client", "-connect", at, "-CAfile", root, "-servername", "localhost", "-tls1_3",
			       "-ign_eof", option, session, NULL };
	uint16_t port;
	int l = listen_on(&port), fd, status;
	pid_t pid;

	num_verdicts = 0;
	snprintf(at, sizeof(at), "127.0.0.1:%u", port);
	pid = run_openssl(argv, "openssl.log");
	fd = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	start_server(fd, profile);
	run_until(1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(verdicts[0].info.reason, "");
	assert_true(verdicts[0].open);
	close(l);
	free(root);
	return &verdicts[0];
}

static void openssl_client_resumes_and_only_where_it_may(void **state)
{
	const struct verdict *v = fetch("www", "-sess_out", "session.pem");
	uint64_t resumed = set.stats.resumed;
	int64_t full;

	(void)state;
	assert_int_equal(v->info.flags, TLSHD_I_CONFIRMED);
	assert_int_not_equal(v->info.sigscheme, 0);
	assert_int_equal(v->traffic.tx.seq, 2);			/* two tickets went under these keys */
	assert_int_equal(v->traffic.rx.seq, 0);
	full = v->info.full_handshake_time;
	assert_true(full > 0 && full <= time(NULL));
	assert_true(file_has("openssl.log", "New, TLSv1.3"));
	while (time(NULL) <= full)				/* so that the times differ */
		turn(50);

	v = fetch("www", "-sess_in", "session.pem");
	assert_int_equal(v->info.flags, TLSHD_I_CONFIRMED | TLSHD_I_RESUMED);
	assert_int_equal(v->info.sigscheme, 0);
	assert_int_equal(v->info.full_handshake_time, full);
	assert_int_equal(set.stats.resumed, resumed + 1);
	assert_true(file_has("openssl.log", "Reused, TLSv1.3"));

	v = fetch("chacha", "-sess_in", "session.pem");		/* takes none */
	assert_int_equal(v->info.flags, TLSHD_I_CONFIRMED);
	assert_true(file_has("openssl.log", "New, TLSv1.3"));
	v = fetch("api", "-sess_in", "session.pem");		/* has its own */
	assert_int_equal(v->info.flags, TLSHD_I_CONFIRMED);
	assert_true(v->info.full_handshake_time > full);
	assert_int_equal(set.stats.resumed, resumed + 1);
	unlink("session.pem");

	v = fetch("chacha", "-sess_out", "session.pem");	/* gives none */
	assert_int_equal(v->traffic.tx.seq, 0);
	assert_int_equal(access("session.pem", F_OK), -1);
	unlink("openssl.log");
}

static void openssl_server_is_verified(void **state)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "not.the.name" };
	char *cert = util_expand("%C/p384.crt"), *chain = util_expand("%C/p384.pem"), *key = util_expand("%C/p384.key");
	char at[16];
	const char *argv[] = { "openssl", "s_server", "-accept", at, "-cert", cert, "-cert_chain", chain, "-key", key,
			       "-tls1_3", "-alpn", "http/1.1", "-naccept", "3", "-quiet", NULL };
	int64_t end = now_ms() + PATIENCE_MS;
	uint16_t port;
	pid_t pid;

	(void)state;
	close(listen_on(&port));
	snprintf(at, sizeof(at), "%u", port);
	pid = run_openssl(argv, "openssl.log");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int fd;

		while ((fd = connect_to(port)) < 0) {	/* until it listens */
			assert_true(now_ms() < end);
			poll(NULL, 0, 20);
		}
		num_verdicts = 0;
		start_client(fd, "out", names[i]);
		run_until(1);
		if (i == 2) {
			assert_int_equal(verdicts[0].info.error, EKEYREJECTED);
			continue;
		}
		assert_string_equal(verdicts[0].info.reason, "");
		assert_true(verdicts[0].open);
		assert_int_equal(verdicts[0].info.sigscheme, SIG_ECDSA_P384_SHA384);
		assert_string_equal(verdicts[0].info.alpn, "http/1.1");
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	free(cert);
	free(chain);
	free(key);
	unlink("openssl.log");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(openssl_client_fetches_each_suite_and_group),
		T(openssl_client_resumes_and_only_where_it_may),
		T(openssl_server_is_verified),
	};

	return conn_util_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
