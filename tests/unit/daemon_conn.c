// SPDX-License-Identifier: MIT
/* Two ends of the daemon against each other, in one thread: what opens, what fails, and that none disturbs another. */
#include "daemon_conn_util.h"

#include <dirent.h>
#include <fcntl.h>

#include "tlshd/tls/record.h"

/* ---- handshakes that succeed ---- */

static void assert_same_keys(const struct tls_keys *a, const struct tls_keys *b)
{
	assert_memory_equal(a->key, b->key, sizeof(a->key));
	assert_memory_equal(a->iv, b->iv, sizeof(a->iv));
	assert_memory_equal(a->secret, b->secret, sizeof(a->secret));
	assert_true(a->seq == b->seq);
}

static void client_and_server_agree(void **state)
{
	static const uint8_t zero[32];
	const struct verdict *c, *s;
	int fds[2];

	(void)state;
	tcp_pair(fds);
	start_client(fds[0], "out", "localhost");
	start_server(fds[1], "www");
	run_until(2);
	c = verdict_of(fds[0]);
	s = verdict_of(fds[1]);
	assert_true(c->open && s->open);
	assert_int_equal(c->traffic.suite, TLS_AES_128_GCM_SHA256);
	assert_int_equal(c->traffic.suite, s->traffic.suite);
	assert_same_keys(&c->traffic.tx, &s->traffic.rx);
	assert_same_keys(&c->traffic.rx, &s->traffic.tx);
	assert_memory_not_equal(c->traffic.tx.key, c->traffic.rx.key, 16);
	assert_memory_equal(c->traffic.exporter_secret, s->traffic.exporter_secret, 32);
	assert_int_equal(c->info.suite, TLS_AES_128_GCM_SHA256);
	assert_int_equal(c->info.group, 0x1d);
	assert_int_equal(c->info.sigscheme, SIG_ECDSA_P256_SHA256);
	assert_int_equal(c->info.auth, TLSHD_AUTH_CERTIFICATE);
	assert_int_equal(s->info.auth, TLSHD_AUTH_NONE);
	assert_int_equal(c->info.error, 0);
	assert_int_equal(c->info.flags, TLSHD_I_CONFIRMED);
	assert_int_equal(c->info.alert_sent, TLSHD_ALERT_NONE);
	assert_int_equal(c->info.alert_received, TLSHD_ALERT_NONE);
	assert_true(c->info.full_handshake_time > 0);
	assert_string_equal(c->info.alpn, "http/1.1");
	assert_string_equal(s->info.alpn, "http/1.1");
	assert_string_equal(c->info.server_name, "localhost");
	assert_string_equal(s->info.server_name, "localhost");
	assert_non_null(strstr(c->info.peer_subject, "localhost"));
	assert_memory_not_equal(c->info.peer_leaf_sha256, zero, 32);
	assert_memory_equal(s->info.peer_leaf_sha256, zero, 32);
}

/* ---- sessions ---- */

/* The module's part: tickets lie in the client's socket, for its keys. */
static void keep_tickets(int app, const struct verdict *c, const struct verdict *s)
{
	uint8_t wire[4096], *rec = wire;
	struct tls_keys keys = c->traffic.rx;
	ssize_t n = recv(app, wire, sizeof(wire), MSG_DONTWAIT);

	while (n > 0) {
		size_t len = 5 + (size_t)(rec[3] << 8 | rec[4]), content_len;
		uint8_t type;

		assert_int_equal(record_open(rec, len, &type, &content_len, AEAD_AES_128_GCM, &keys), RECORD_OK);
		assert_int_equal(type, CT_HANDSHAKE);
		if (c->blob_len)
			assert_int_equal(sessions_add(sessions, c->blob, c->blob_len, rec + 5, content_len,
						      time(NULL) * 1000LL), 0);
		rec += len;
		n -= (ssize_t)len;
	}
	assert_true(keys.seq == s->traffic.tx.seq);
}

/* One handshake of a profile with itself, and what its client then makes of the tickets. Returns INFO's flags. */
static uint32_t meet(const char *profile, uint32_t flags, uint8_t scope, uint32_t server_flags)
{
	struct upcall_request r;
	const struct verdict *c, *s;
	int fds[2], app;

	begin(NULL);
	tcp_pair(fds);
	app = dup(fds[0]);
	r = client(fds[0], profile, "localhost");
	r.flags = flags;
	r.scope[0] = scope;
	r.early_len = early_wanted ? (uint32_t)strlen(early_wanted) : 0;
	conn_start(&set, &r);
	r = server(fds[1], profile);
	r.flags = server_flags;
	conn_start(&set, &r);
	run_until(2);
	c = verdict_of(fds[0]);
	s = verdict_of(fds[1]);
	assert_true(c->open && s->open);
	assert_int_equal(s->info.flags, c->info.flags);
	assert_int_equal(s->info.early_bytes, c->info.flags & TLSHD_I_EARLY_ACCEPTED ? c->info.early_bytes : 0);
	assert_int_equal(c->info.auth, TLSHD_AUTH_CERTIFICATE);
	assert_int_equal(c->info.full_handshake_time, s->info.full_handshake_time);
	assert_int_equal(c->blob_len, flags & TLSHD_F_NO_RESUME ? 0 : SESSIONS_BLOB_LEN);
	assert_int_equal(s->blob_len, 0);
	keep_tickets(app, c, s);
	close(app);
	return c->info.flags;
}

static bool resumes(uint32_t flags, uint8_t scope)
{
	return meet("tickets", flags, scope, 0) & TLSHD_I_RESUMED;
}

static void a_client_resumes_its_own_sessions(void **state)
{
	(void)state;
	assert_false(resumes(0, 0));
	assert_true(resumes(0, 0));
	assert_true(resumes(0, 0));
	assert_false(resumes(TLSHD_F_NO_RESUME, 0));	/* neither offers nor keeps */
	assert_false(resumes(0, 1));
	assert_true(resumes(0, 1));
	assert_true(resumes(0, 0));
}

/* ---- early data ---- */

static void early_data_goes_from_one_application_to_the_other(void **state)
{
	static char much[TLSHD_EARLY_MAX + 1];
	uint8_t token[TLSHD_TOKEN_LEN];

	(void)state;
	memset(much, 'e', TLSHD_EARLY_MAX);
	early_wanted = "GET / HTTP/1.0\r\n\r\n";
	early_fd = -1;
	/* Without a session there is nothing to send it under. */
	assert_int_equal(meet("early", 0, 0, TLSHD_F_ACCEPT_EARLY), TLSHD_I_CONFIRMED);
	assert_int_equal(early_fd, -1);

	assert_int_equal(meet("early", 0, 0, TLSHD_F_ACCEPT_EARLY),
			 TLSHD_I_CONFIRMED | TLSHD_I_RESUMED | TLSHD_I_EARLY_OFFERED | TLSHD_I_EARLY_ACCEPTED);
	assert_int_equal(early_got_len, strlen(early_wanted));
	assert_memory_equal(early_got, early_wanted, early_got_len);
	assert_int_equal(early_info.flags, TLSHD_I_RESUMED | TLSHD_I_EARLY_OFFERED | TLSHD_I_EARLY_ACCEPTED);
	memcpy(token, early_info.replay_token, sizeof(token));
	assert_int_equal(set.stats.early[REPLAY_FRESH], 1);

	/* As much as a client may send; another one has another token. */
	early_wanted = much;
	assert_true(meet("early", 0, 0, TLSHD_F_ACCEPT_EARLY) & TLSHD_I_EARLY_ACCEPTED);
	assert_int_equal(early_got_len, TLSHD_EARLY_MAX);
	assert_memory_not_equal(token, early_info.replay_token, sizeof(token));

	/* A server that does not accept gets none, and resumes all the same. */
	early_fd = -1;
	assert_int_equal(meet("early", 0, 0, 0),
			 TLSHD_I_CONFIRMED | TLSHD_I_RESUMED | TLSHD_I_EARLY_OFFERED | TLSHD_I_EARLY_REJECTED);
	assert_int_equal(early_fd, -1);
	early_wanted = NULL;
	assert_int_equal(meet("early", 0, 0, TLSHD_F_ACCEPT_EARLY), TLSHD_I_CONFIRMED | TLSHD_I_RESUMED);
}

/* The client's first data comes with its Finished, in one piece: it must stay in the socket for the kernel. */
static void takes_no_byte_behind_the_last_handshake_record(void **state)
{
	static const char data[] = "application data, for the kernel alone";
	char got[100];
	int fds[2], keep;

	(void)state;
	tcp_pair(fds);
	keep = fcntl(fds[1], F_DUPFD_CLOEXEC, 0);
	write_when_open = data;
	start_client(fds[0], "out", "localhost");
	start_server(fds[1], "www");
	run_until(2);
	assert_true(verdict_of(fds[1])->open);
	/* The server wrote the same when it opened, so the client's bytes must be here and nothing before them. */
	assert_int_equal(recv(keep, got, sizeof(got), 0), sizeof(data) - 1);
	assert_memory_equal(got, data, sizeof(data) - 1);
	close(keep);
}

static void honours_suites_and_groups_of_the_profile(void **state)
{
	const struct verdict *c;
	int fds[2];

	(void)state;
	tcp_pair(fds);
	start_client(fds[0], "nist", "localhost");
	start_server(fds[1], "chacha");
	run_until(2);
	c = verdict_of(fds[0]);
	assert_string_equal(c->info.reason, "");
	assert_int_equal(c->info.suite, TLS_CHACHA20_POLY1305_SHA256);
	assert_int_equal(c->info.group, 0x17);
	assert_int_equal(c->info.sigscheme, SIG_ED25519);
}

static unsigned count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void many_at_once_leave_nothing_behind(void **state)
{
	unsigned before = count_fds();

	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		num_verdicts = 0;
		for (unsigned i = 0; i < SLOTS / 2; i++) {
			int fds[2];

			tcp_pair(fds);
			start_server(fds[1], "www");
			start_client(fds[0], "out", i % 4 ? "localhost" : "not.the.name");
		}
		run_until(SLOTS);
		for (unsigned i = 0, open = 0; i <= SLOTS; i++) {
			if (i < SLOTS)
				open += verdicts[i].open;
			else
				assert_true(open >= 3 * SLOTS / 4);
		}
	}
	assert_int_equal(count_fds(), before);
}

/* Bytes trickle in one by one, and out into a socket that is full at first. */
static void survives_a_slow_network(void **state)
{
	static const char junk[4096];
	const struct timeval full = { .tv_usec = 200000 };
	int a[2], b[2];		/* client - us, us - server */
	size_t filled = 0;
	char buf[65536];
	int64_t end = now_ms() + PATIENCE_MS;
	ssize_t n;
	bool used_tx = false;

	(void)state;
	tcp_pair(a);
	tcp_pair(b);
	/* As after STARTTLS: plain text of the application is still on its way. Full is what takes nothing for a while. */
	assert_int_equal(setsockopt(b[1], SOL_SOCKET, SO_SNDTIMEO, &full, sizeof(full)), 0);
	while ((n = send(b[1], junk, sizeof(junk), 0)) > 0)
		filled += (size_t)n;
	start_client(a[0], "out", "localhost");
	start_server(b[1], "www");
	for (bool drained = false; num_verdicts < 2;) {
		assert_true(now_ms() < end);
		turn(1);
		n = recv(a[1], buf, 7, MSG_DONTWAIT);
		if (n > 0)
			assert_int_equal(send(b[0], buf, (size_t)n, 0), n);
		used_tx |= pool_used(&set.tx) == 1;
		if (!used_tx)
			continue;
		while (filled && (n = recv(b[0], buf, filled < sizeof(buf) ? filled : sizeof(buf), MSG_DONTWAIT)) > 0)
			filled -= (size_t)n;
		drained |= !filled;
		n = drained ? recv(b[0], buf, 11, MSG_DONTWAIT) : 0;
		if (n > 0)
			assert_int_equal(send(a[1], buf, (size_t)n, 0), n);
	}
	run_until(2);
	assert_string_equal(verdict_of(a[0])->info.reason, "");
	assert_string_equal(verdict_of(b[1])->info.reason, "");
	close(a[1]);
	close(b[0]);
}

/* ---- those that fail, each for itself ---- */

static void one_silent_peer_delays_no_other(void **state)
{
	int silent[2], fds[2];
	struct upcall_request r;
	const struct verdict *v;
	uint8_t alert[7];

	(void)state;
	tcp_pair(silent);
	r = server(silent[1], "www");
	r.timeout_ms = 300;
	conn_start(&set, &r);
	assert_int_equal(pool_used(&set.rx), 0);	/* it holds no buffer */
	tcp_pair(fds);
	start_client(fds[0], "out", "localhost");
	start_server(fds[1], "www");
	run_until(3);
	assert_true(verdict_of(fds[0])->open);
	assert_int_equal(verdicts[2].fd, silent[1]);
	v = verdict_of(silent[1]);
	assert_false(v->open);
	assert_int_equal(v->info.error, ETIMEDOUT);
	assert_string_equal(v->info.reason, "timed out: the peer did not finish the handshake");
	assert_int_equal(recv(silent[0], alert, sizeof(alert), 0), 7);
	assert_memory_equal(alert, "\x15\x03\x03\x00\x02", 5);
	close(silent[0]);
}

static void a_deadline_counts_from_start(void **state)
{
	struct upcall_request r;
	int fds[2];

	(void)state;
	tcp_pair(fds);
	r = server(fds[1], "www");
	r.age_ms = 10000;
	conn_start(&set, &r);
	run_until(1);
	assert_int_equal(verdicts[0].info.error, ETIMEDOUT);
	assert_string_equal(verdicts[0].info.reason, "timed out: the request waited too long for the daemon");
	close(fds[0]);
}

static void a_peer_that_leaves_is_told(void **state)
{
	int fds[2];

	(void)state;
	tcp_pair(fds);
	start_server(fds[1], "www");
	close(fds[0]);
	run_until(1);
	assert_int_equal(verdicts[0].info.error, ECONNRESET);
}

static void garbage_gets_one_alert(void **state)
{
	static const char *const garbage[] = { "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
					       "\x17\x03\x03\x00\x05hello", "\x16\x03\x03\xff\xff" };

	(void)state;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		size_t len = i == 1 ? 10 : i == 2 ? 10 : i == 3 ? 5 : strlen(garbage[i]);
		uint8_t alert[64];
		int fds[2];

		num_verdicts = 0;
		tcp_pair(fds);
		start_server(fds[1], "www");
		assert_int_equal(write(fds[0], garbage[i], len), len);
		run_until(1);
		assert_int_equal(verdicts[0].info.error, EPROTO);
		assert_true(verdicts[0].info.reason[0]);
		assert_int_equal(recv(fds[0], alert, sizeof(alert), 0), 7);
		assert_memory_equal(alert, "\x15\x03\x03\x00\x02\x02", 6);
		assert_int_equal(alert[6], verdicts[0].info.alert_sent);
		close(fds[0]);
	}
}

static void refusals_say_why(void **state)
{
	struct upcall_request r;
	int fds[2];

	(void)state;
	tcp_pair(fds);
	r = server(fds[0], "nowhere");
	conn_start(&set, &r);
	r = server(fds[1], "www");
	r.uid = 0;
	conn_start(&set, &r);
	run_until(2);
	assert_int_equal(verdicts[0].info.error, ENOENT);
	assert_string_equal(verdicts[0].info.reason, "there is no profile of this name");
	assert_int_equal(verdicts[1].info.error, EACCES);
	assert_string_equal(verdicts[1].info.reason, "uid 0 may not use this profile as a server");
	assert_int_equal(verdicts[1].info.alert_sent, TLSHD_ALERT_NONE);
}

static void a_wrong_name_and_an_unknown_authority_are_refused(void **state)
{
	int fds[2];

	(void)state;
	tcp_pair(fds);
	start_client(fds[0], "out", "not.the.name");
	start_server(fds[1], "www");
	run_until(2);
	assert_int_equal(verdict_of(fds[0])->info.error, EKEYREJECTED);
	assert_non_null(strstr(verdict_of(fds[0])->info.reason, "not.the.name"));
	assert_int_equal(verdict_of(fds[1])->info.error, EPROTO);
	assert_int_equal(verdict_of(fds[1])->info.alert_received, verdict_of(fds[0])->info.alert_sent);
	num_verdicts = 0;
	tcp_pair(fds);
	start_client(fds[0], "other", "localhost");
	start_server(fds[1], "www");
	run_until(2);
	assert_int_equal(verdict_of(fds[0])->info.error, EKEYREJECTED);
	assert_int_equal(verdict_of(fds[0])->info.alert_sent, 48);	/* unknown_ca */
}

static void keys_that_the_kernel_refuses_fail_the_handshake(void **state)
{
	int fds[2];

	(void)state;
	tcp_pair(fds);
	install_error = -ENOENT;		/* no such cipher; START's caller would read "no such profile" */
	start_client(fds[0], "out", "localhost");
	start_server(fds[1], "www");
	run_until(2);
	assert_int_equal(verdicts[0].info.error, EPROTO);
	assert_string_equal(verdicts[0].info.reason, "the kernel did not take the keys: No such file or directory");
}

/* ---- the signer comes and goes ---- */

static void wait_for_question(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t end = now_ms() + PATIENCE_MS;

	while (poll(&p, 1, 0) != 1) {
		assert_true(now_ms() < end);
		turn(20);
	}
}

static void a_lost_signer_fails_what_it_had_and_nothing_else(void **state)
{
	int fake[2], fds[2], real;
	struct sign_ask q[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fake), 0);
	signer_client_attach(set.signer, fake[0]);
	tcp_pair(fds);
	start_client(fds[0], "out", "localhost");
	start_server(fds[1], "www");
	wait_for_question(fake[1]);
	assert_int_equal(recv(fake[1], q, sizeof(q), 0), sizeof(q[0]));
	assert_int_equal(q[0].key_id, 0);
	assert_int_equal(q[0].scheme, SIG_ECDSA_P256_SHA256);
	assert_int_equal(q[0].hash_len, 32);
	close(fake[1]);
	run_until(2);
	assert_false(verdict_of(fds[1])->open);
	assert_int_equal(verdict_of(fds[1])->info.alert_sent, 80);	/* internal_error */
	assert_int_equal(verdict_of(fds[1])->info.error, EPROTO);
	/* Questions of the time without a signer wait for the next one. */
	num_verdicts = 0;
	tcp_pair(fds);
	start_client(fds[0], "out", "localhost");
	start_server(fds[1], "www");
	for (unsigned i = 0; i < 20; i++)
		turn(5);
	assert_int_equal(num_verdicts, 0);
	signer_util_connect(&process, &real, 1);
	signer_client_attach(set.signer, real);
	run_until(2);
	assert_true(verdict_of(fds[1])->open);
}

/* The answer to a handshake that has timed out comes while another one is in its slot. */
static void a_late_answer_is_dropped(void **state)
{
	struct sign_answer late = { .len = 64 };
	int fake[2], fds[2], real;
	struct upcall_request r;
	struct sign_ask q;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fake), 0);
	signer_client_attach(set.signer, fake[0]);
	tcp_pair(fds);
	start_client(fds[0], "out", "localhost");
	r = server(fds[1], "www");
	r.timeout_ms = 500;
	conn_start(&set, &r);
	wait_for_question(fake[1]);
	assert_int_equal(recv(fake[1], &q, sizeof(q), 0), sizeof(q));
	run_until(2);
	assert_int_equal(verdict_of(fds[1])->info.error, ETIMEDOUT);
	assert_string_equal(verdict_of(fds[1])->info.reason, "timed out: no signature from the signer");
	num_verdicts = 0;
	late.slot = q.slot;
	late.slot_generation = q.slot_generation;
	tcp_pair(fds);
	start_client(fds[0], "out", "localhost");
	start_server(fds[1], "www");
	wait_for_question(fake[1]);
	assert_int_equal(recv(fake[1], &q, sizeof(q), 0), sizeof(q));
	assert_int_equal(q.slot, late.slot);	/* else this tests nothing */
	assert_int_not_equal(q.slot_generation, late.slot_generation);
	assert_int_equal(send(fake[1], &late, sizeof(late), 0), sizeof(late));
	late.slot = UINT32_MAX;			/* and one that makes no sense */
	assert_int_equal(send(fake[1], &late, sizeof(late), 0), sizeof(late));
	/* Then the real answer: had the late one been taken, the handshake would have failed or waited for ever. */
	signer_util_connect(&process, &real, 1);
	assert_int_equal(send(real, &q, sizeof(q), 0), sizeof(q));
	assert_int_equal(recv(real, &late, sizeof(late), 0), sizeof(late));
	assert_int_equal(send(fake[1], &late, sizeof(late), 0), sizeof(late));
	run_until(2);
	assert_true(verdict_of(fds[1])->open);
	close(fake[1]);
	signer_client_attach(set.signer, real);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		T(client_and_server_agree),
		T(a_client_resumes_its_own_sessions),
		T(early_data_goes_from_one_application_to_the_other),
		T(takes_no_byte_behind_the_last_handshake_record),
		T(honours_suites_and_groups_of_the_profile),
		T(many_at_once_leave_nothing_behind),
		T(survives_a_slow_network),
		T(one_silent_peer_delays_no_other),
		T(a_deadline_counts_from_start),
		T(a_peer_that_leaves_is_told),
		T(garbage_gets_one_alert),
		T(refusals_say_why),
		T(a_wrong_name_and_an_unknown_authority_are_refused),
		T(keys_that_the_kernel_refuses_fail_the_handshake),
		T(a_lost_signer_fails_what_it_had_and_nothing_else),
		T(a_late_answer_is_dropped),
	};

	return conn_util_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
