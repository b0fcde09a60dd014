// SPDX-License-Identifier: MIT
/* The signer, a real process over its sockets: signs what a TLS 1.3 server signs, and nothing else. */
#include "daemon_signer_util.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define GENERATION 3

enum { P256, P384, ED25519, RSA, NUM_KEYS };

static const char conf[] =
	"profile \"www\" {\n"
	"	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"
	"	identity { certificate = \"%C/p384.pem\" key = \"%C/p384.key\" }\n"
	"	identity { certificate = \"%C/ed25519.pem\" key = \"%C/ed25519.key\" }\n"
	"	identity { certificate = \"%C/rsa2048.pem\" key = \"%C/rsa2048.key\" }\n"
	"	server { allow-users = \"*\" }\n"
	"}\n"
	"profile \"out\" { trust = \"%C/root.crt\" client { allow-users = \"*\" } }\n";

static struct util_setup setup;
static struct spawn process;
static int sock[2];
static struct x509_peer peers[NUM_KEYS];

/* The public keys, from the chains as a peer would verify them. */
static int read_public(void)
{
	struct x509_anchors *anchors;
	struct x509_fail fail;
	char why[256];

	if (x509_anchors_load(&anchors, setup.ids.trust[1], setup.ids.trust_len[1], why, sizeof(why)))
		return -1;
	for (size_t i = 0; i < NUM_KEYS; i++) {
		const uint8_t *p = setup.ids.v[i].chain, *end = p + setup.ids.v[i].chain_len;
		struct der chain[X509_CHAIN_MAX];
		struct x509_ask ask;
		size_t num = 0;

		while (p < end) {
			chain[num].len = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
			chain[num].p = p + 3;
			p += 3 + chain[num++].len + 2;
		}
		ask = (struct x509_ask){ anchors, chain, num, X509_PURPOSE_TLS_SERVER, "localhost", time(NULL) };
		if (x509_verify(&peers[i], &fail, &ask)) {
			print_error("%zu: %s\n", i, fail.reason);
			return -1;
		}
	}
	x509_anchors_free(anchors);
	return 0;
}

static int start_signer(void **state)
{
	char *text = util_expand(conf);
	struct ctl_msg msg;

	(void)state;
	util_load(&setup, text);
	free(text);
	if (setup.rc || read_public()) {
		print_error("%s", setup.said);
		return -1;
	}
	signer_util_start(&process, &setup, GENERATION);
	assert_int_equal(signer_util_hear(&process, &msg), CTL_READY);
	signer_util_connect(&process, sock, 2);
	return 0;
}

static int stop_signer(void **state)
{
	(void)state;
	spawn_stop(&process, 5000);
	for (size_t i = 0; i < NUM_KEYS; i++)
		x509_peer_free(&peers[i]);
	close(sock[0]);
	close(sock[1]);
	util_unload(&setup);
	return 0;
}

static struct sign_ask question(uint32_t key_id, uint16_t scheme, uint8_t hash_size)
{
	struct sign_ask q = { .slot = 5, .slot_generation = 77, .config = GENERATION, .key_id = key_id, .scheme = scheme,
			      .hash_len = hash_size };

	memset(q.hash, 0x5a, sizeof(q.hash));
	return q;
}

/* Ask @num questions in one packet; the answers come in one. */
static void ask(int fd, const struct sign_ask *q, struct sign_answer *a, size_t num)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(send(fd, q, num * sizeof(*q), MSG_NOSIGNAL), num * sizeof(*q));
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(fd, a, num * sizeof(*a), MSG_TRUNC), num * sizeof(*a));
}

static void signs_as_a_server_with_every_kind_of_key(void **state)
{
	static const struct { uint32_t key; uint16_t scheme; uint8_t hash_size; } table[] = {
		{ P256, SIG_ECDSA_P256_SHA256, 32 }, { P256, SIG_ECDSA_P256_SHA256, 48 },
		{ P384, SIG_ECDSA_P384_SHA384, 48 }, { ED25519, SIG_ED25519, 32 },
		{ RSA, SIG_RSA_PSS_RSAE_SHA256, 32 }, { RSA, SIG_RSA_PSS_RSAE_SHA384, 48 }, { RSA, SIG_RSA_PSS_RSAE_SHA512, 32 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct sign_ask q = question(table[i].key, table[i].scheme, table[i].hash_size);
		uint8_t input[TLS_SIGN_INPUT_MAX];
		struct sign_answer a;
		size_t len;

		ask(sock[i % 2], &q, &a, 1);
		assert_int_equal(a.slot, 5);
		assert_int_equal(a.slot_generation, 77);
		assert_true(a.len > 0);
		len = tls_sign_input(input, TLS_SERVER, q.hash, q.hash_len);
		assert_int_equal(sig_verify(&peers[table[i].key].pub, q.scheme, a.sig, a.len, input, len), 0);
		/* Not as a client, and not the bare hash. */
		len = tls_sign_input(input, TLS_CLIENT, q.hash, q.hash_len);
		assert_int_equal(sig_verify(&peers[table[i].key].pub, q.scheme, a.sig, a.len, input, len), -EBADMSG);
		assert_int_equal(sig_verify(&peers[table[i].key].pub, q.scheme, a.sig, a.len, q.hash, q.hash_len), -EBADMSG);
	}
}

static void refuses(const struct sign_ask *q)
{
	static const uint8_t zero[SIG_MAX];
	struct sign_answer a;

	ask(sock[0], q, &a, 1);
	assert_int_equal(a.slot_generation, 77);
	assert_int_equal(a.len, 0);
	assert_memory_equal(a.sig, zero, sizeof(zero));
}

static void refuses_schemes_that_do_not_fit_the_key(void **state)
{
	static const struct { uint32_t key; uint16_t scheme; } table[] = {
		{ P256, SIG_ECDSA_P384_SHA384 }, { P256, SIG_ED25519 }, { P256, SIG_RSA_PSS_RSAE_SHA256 }, { P256, 0 },
		{ P384, SIG_ECDSA_P256_SHA256 }, { ED25519, 0x0808 }, { RSA, 0x0401 }, { RSA, 0x0201 },
		{ RSA, SIG_RSA_PSS_PSS_SHA256 }, { RSA, SIG_ECDSA_P256_SHA256 }, { P256, 0x0203 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct sign_ask q = question(table[i].key, table[i].scheme, 32);

		refuses(&q);
	}
}

static void refuses_unknown_keys_generations_and_hashes(void **state)
{
	static const uint8_t sizes[] = { 0, 20, 31, 33, 49, 255 };
	struct sign_ask q = question(NUM_KEYS, SIG_ECDSA_P256_SHA256, 32);

	(void)state;
	refuses(&q);
	q.key_id = UINT32_MAX;
	refuses(&q);
	q = question(P256, SIG_ECDSA_P256_SHA256, 32);
	q.config = GENERATION + 1;
	refuses(&q);
	for (size_t i = 0; i < sizeof(sizes); i++) {
		q = question(P256, SIG_ECDSA_P256_SHA256, sizes[i]);
		refuses(&q);
	}
}

static void drops_malformed_packets_and_goes_on(void **state)
{
	struct sign_ask q[SIGN_BATCH + 1], good = question(P256, SIG_ECDSA_P256_SHA256, 32);
	static const size_t sizes[] = { 1, sizeof(q[0]) - 1, sizeof(q[0]) + 1, sizeof(q) };
	struct sign_answer a;

	(void)state;
	memset(q, 0, sizeof(q));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_int_equal(send(sock[0], q, sizes[i], MSG_NOSIGNAL), sizes[i]);
	ask(sock[0], &good, &a, 1);		/* the first answer is this one's */
	assert_int_equal(a.slot, 5);
	assert_true(a.len > 0);
}

static void answers_a_batch_with_a_batch(void **state)
{
	struct sign_ask q[SIGN_BATCH];
	struct sign_answer a[SIGN_BATCH];

	(void)state;
	for (uint32_t i = 0; i < SIGN_BATCH; i++) {
		q[i] = question(i % 3 ? ED25519 : P256, SIG_ED25519, 32);
		q[i].slot = 100 + i;
	}
	ask(sock[1], q, a, SIGN_BATCH);
	for (uint32_t i = 0; i < SIGN_BATCH; i++) {
		assert_int_equal(a[i].slot, 100 + i);
		assert_int_equal(a[i].len, i % 3 ? 64 : 0);
	}
}

static void new_sockets_replace_old_ones(void **state)
{
	struct sign_ask q = question(ED25519, SIG_ED25519, 32);
	struct pollfd p = { .fd = sock[0], .events = POLLIN };
	int old[2] = { sock[0], sock[1] };
	struct sign_answer a;
	char byte;

	(void)state;
	signer_util_connect(&process, sock, 2);
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	assert_int_equal(recv(old[0], &byte, 1, 0), 0);		/* the end */
	close(old[0]);
	close(old[1]);
	ask(sock[0], &q, &a, 1);
	assert_int_equal(a.len, 64);
	/* One thread's end is not another's. */
	close(sock[0]);
	ask(sock[1], &q, &a, 1);
	assert_int_equal(a.len, 64);
	close(sock[1]);
	signer_util_connect(&process, sock, 2);
}

static void holds_no_file(void **state)
{
	char path[64], target[PATH_MAX];
	struct dirent *e;
	DIR *d;

	(void)state;
	snprintf(path, sizeof(path), "/proc/%d/fd", process.pid);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);

		if (n < 0 || atoi(e->d_name) <= STDERR_FILENO)
			continue;
		target[n] = '\0';
		if (strncmp(target, "socket:", 7))
			fail_msg("the signer holds %s", target);
	}
	closedir(d);
}

static void locks_its_memory(void **state)
{
	char path[64], line[256];
	long locked = -1;
	FILE *f;

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	print_message("# the address sanitizer makes mlockall() do nothing\n");
	skip();
#endif
	snprintf(path, sizeof(path), "/proc/%d/status", process.pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "VmLck: %ld kB", &locked);
	fclose(f);
	if (geteuid()) {
		print_message("# locking memory needs root here\n");
		skip();
	}
	assert_true(locked > 0);
}

static void tells_of_a_key_that_is_not_its_certificates(void **state)
{
	char *text = util_expand("profile \"a\" {\n"
				 "	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"
				 "	identity { certificate = \"%C/rsa2048.pem\" key = \"%C/p256.key\" }\n"
				 "	identity { certificate = \"%C/p256.pem\" key = \"%C/wild.key\" }\n"
				 "	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.pem\" }\n"
				 "	server { allow-users = \"*\" }\n}\n");
	struct util_setup bad;
	struct ctl_msg msg;
	struct spawn p;

	(void)state;
	util_load(&bad, text);
	free(text);
	assert_int_equal(bad.rc, 0);
	signer_util_start(&p, &bad, 1);
	assert_int_equal(signer_util_hear(&p, &msg), CTL_BAD_KEY);
	assert_int_equal(msg.arg, 1);
	assert_string_equal(msg.text, "is not the key of its certificate");
	assert_int_equal(signer_util_hear(&p, &msg), CTL_BAD_KEY);
	assert_int_equal(msg.arg, 2);
	assert_int_equal(signer_util_hear(&p, &msg), CTL_BAD_KEY);
	assert_int_equal(msg.arg, 3);
	assert_true(msg.text[0]);
	assert_int_equal(signer_util_hear(&p, &msg), 0);
	assert_int_equal(spawn_reap(&p), EXIT_FAILURE);
	util_unload(&bad);
}

static void ends_with_its_supervisor(void **state)
{
	struct ctl_msg msg;
	struct spawn p;
	struct pollfd pfd;

	(void)state;
	signer_util_start(&p, &setup, GENERATION);
	assert_int_equal(signer_util_hear(&p, &msg), CTL_READY);
	assert_int_equal(shutdown(p.ctl, SHUT_RDWR), 0);
	pfd = (struct pollfd){ .fd = p.pidfd, .events = POLLIN };
	assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	assert_int_equal(spawn_reap(&p), EXIT_SUCCESS);
}

/* A thread that lost answers would wait for ever: the signer ends, and its successor gets sockets to all threads. */
static void ends_when_it_cannot_answer(void **state)
{
	struct ctl_msg msg, connect = { .type = CTL_SIGNERS };
	int pair[2], one = 1;
	struct sign_ask q[SIGN_BATCH];
	struct pollfd pfd;
	struct spawn p;

	(void)state;
	signer_util_start(&p, &setup, GENERATION);
	assert_int_equal(signer_util_hear(&p, &msg), CTL_READY);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &one, sizeof(one)), 0);	/* the least there is */
	assert_int_equal(ctl_send(p.ctl, &connect, &pair[1], 1), 0);
	close(pair[1]);
	for (size_t i = 0; i < SIGN_BATCH; i++)
		q[i] = question(ED25519, SIG_ED25519, 32);
	assert_int_equal(send(pair[0], q, sizeof(q), MSG_NOSIGNAL), sizeof(q));
	pfd = (struct pollfd){ .fd = p.pidfd, .events = POLLIN };
	assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	assert_int_equal(spawn_reap(&p), EXIT_FAILURE);
	close(pair[0]);
}

static void in_a_full_machine(struct spawn *p)
{
	const struct rlimit none = { 0, 0 };
	int fd = -1;

	*p = (struct spawn){ 0, -1, -1 };
	if (!setrlimit(RLIMIT_NPROC, &none) && (geteuid() || !setuid(65534)))
		_exit(spawn_start(p, "signer", &fd, 0) == -EAGAIN && p->ctl == -1 && p->pidfd == -1 ? 0 : 1);
	_exit(2);
}

/* What stayed in @ctl would be polled, and closed, or become another child's. */
static void a_start_that_fails_leaves_nothing(void **state)
{
	struct spawn p;
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid)
		in_a_full_machine(&p);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_as_a_server_with_every_kind_of_key),
		cmocka_unit_test(refuses_schemes_that_do_not_fit_the_key),
		cmocka_unit_test(refuses_unknown_keys_generations_and_hashes),
		cmocka_unit_test(drops_malformed_packets_and_goes_on),
		cmocka_unit_test(answers_a_batch_with_a_batch),
		cmocka_unit_test(new_sockets_replace_old_ones),
		cmocka_unit_test(holds_no_file),
		cmocka_unit_test(locks_its_memory),
		cmocka_unit_test(tells_of_a_key_that_is_not_its_certificates),
		cmocka_unit_test(ends_with_its_supervisor),
		cmocka_unit_test(ends_when_it_cannot_answer),
		cmocka_unit_test(a_start_that_fails_leaves_nothing),
	};
	int failed;

	if (signer_util_is_role(argc, argv))
		return signer_main();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	util_enter();
	if (crypto_init() || crypto_thread_init())
		return 1;
	failed = cmocka_run_group_tests(tests, start_signer, stop_signer);
	crypto_thread_exit();
	util_leave();
	return failed;
}
