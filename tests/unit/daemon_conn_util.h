/* SPDX-License-Identifier: MIT */
/*
 * Handshakes as a worker thread drives them, over loopback TCP. The signer is a real process. What this machine may
 * lack is the kernel's side: the handshake sockets are the TCP sockets themselves, and ktls_*() are the functions
 * below, which record what they are given.
 */
#ifndef DAEMON_CONN_UTIL_H
#define DAEMON_CONN_UTIL_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>

#include "daemon_signer_util.h"
#include "tlshd/conn.h"
#include "tlshd/ktls.h"

#define SLOTS		64
#define VERDICTS_MAX	512

/* ---- the kernel's side ---- */

struct verdict {
	int fd;
	bool installed, open;
	struct tls_traffic traffic;
	struct tlshd_info info;
	uint8_t blob[TLSHD_BLOB_MAX];
	size_t blob_len;
};

static struct verdict verdicts[VERDICTS_MAX];
static unsigned num_verdicts;
static int installed_fd = -1, install_error;
static const char *write_when_open;	/* what the "application" sends as soon as its socket is open */

/* The last server that went EARLY, and what it was given; what a client's application wants to send. */
static int early_fd = -1;
static char early_got[TLSHD_EARLY_QUEUE];
static size_t early_got_len;
static struct tlshd_info early_info;
static const char *early_wanted;

int ktls_install_tx(int fd, const struct tls_traffic *t)
{
	assert_true(t->key_len == 16 || t->key_len == 32);
	installed_fd = fd;
	return install_error;
}

int ktls_install_rx(int fd, const struct tls_traffic *t)
{
	(void)t;
	assert_int_equal(fd, early_fd);
	installed_fd = fd;
	return 0;
}

int ktls_begin_early(int fd, const struct tls_traffic *t, const struct tlshd_info *info)
{
	static const struct tls_keys zeros;

	assert_int_equal(installed_fd, fd);
	assert_memory_equal(&t->rx, &zeros, sizeof(zeros));
	early_fd = fd;
	early_got_len = 0;
	early_info = *info;
	return 0;
}

int ktls_give_early(int fd, const uint8_t *p, size_t len)
{
	assert_int_equal(fd, early_fd);
	assert_in_range(len, 1, TLSHD_EARLY_MAX);
	memcpy(early_got + early_got_len, p, len);
	early_got_len += len;
	return 0;
}

ssize_t ktls_take_early(int fd, uint8_t *p, size_t len)
{
	(void)fd;
	assert_int_equal(len, strlen(early_wanted));
	memcpy(p, early_wanted, len);
	return (ssize_t)len;
}

int ktls_install(int fd, const struct tls_traffic *t)
{
	assert_true(t->key_len == 16 || t->key_len == 32);
	installed_fd = fd;
	return install_error;
}

static inline struct verdict *add_verdict(int fd, const struct tlshd_info *info)
{
	struct verdict *v = &verdicts[num_verdicts++];

	assert_in_range(num_verdicts, 1, VERDICTS_MAX);
	*v = (struct verdict){ .fd = fd, .info = *info };
	return v;
}

int ktls_open(int fd, const struct tls_traffic *t, const struct tlshd_info *info, const uint8_t *blob, size_t blob_len)
{
	struct verdict *v = add_verdict(fd, info);

	assert_int_equal(installed_fd, fd);
	v->open = true;
	v->traffic = *t;
	v->blob_len = blob_len;
	if (blob_len)
		memcpy(v->blob, blob, blob_len);
	if (write_when_open)
		assert_int_equal(write(fd, write_when_open, strlen(write_when_open)), strlen(write_when_open));
	return 0;
}

int ktls_fail(int fd, const struct tlshd_info *info, uint16_t alert)
{
	assert_true(alert == TLSHD_ALERT_NONE || early_fd == fd);
	add_verdict(fd, info);
	return 0;
}

/* ---- a thread's things ---- */

static const char conf[] =
	"profile \"www\" {\n"
	"	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"
	"	identity { certificate = \"%C/rsa2048.pem\" key = \"%C/rsa2048.key\" }\n"
	"	alpn = {\"h2\", \"http/1.1\"}\n"
	"	server { allow-users = {\"1000\"} }\n"
	"}\n"
	"profile \"chacha\" {\n"
	"	identity { certificate = \"%C/ed25519.pem\" key = \"%C/ed25519.key\" }\n"
	"	suites = {\"TLS_CHACHA20_POLY1305_SHA256\"}\n"
	"	groups = {\"secp256r1\"}\n"
	"	tickets = 0\n"
	"	server { allow-users = {\"1000\"} }\n"
	"}\n"
	"profile \"api\" {\n"
	"	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"
	"	server { allow-users = {\"1000\"} }\n"
	"}\n"
	"profile \"out\" {\n"
	"	trust = \"%C/root.crt\"\n"
	"	alpn = {\"http/1.1\"}\n"
	"	tickets = 0\n"
	"	client { allow-users = {\"1000\"} }\n"
	"}\n"
	"profile \"nist\" {\n"
	"	trust = \"%C/root.crt\"\n"
	"	groups = {\"secp256r1\"}\n"
	"	tickets = 0\n"
	"	client { allow-users = {\"1000\"} }\n"
	"}\n"
	"profile \"early\" {\n"
	"	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"
	"	trust = \"%C/root.crt\"\n"
	"	early-data = 30000\n"
	"	server { allow-users = {\"1000\"} }\n"
	"	client { allow-users = {\"1000\"} }\n"
	"}\n"
	"profile \"tickets\" {\n"
	"	identity { certificate = \"%C/p256.pem\" key = \"%C/p256.key\" }\n"
	"	trust = \"%C/root.crt\"\n"
	"	server { allow-users = {\"1000\"} }\n"
	"	client { allow-users = {\"1000\"} }\n"
	"}\n"
	"profile \"other\" { trust = \"%C/other.crt\" client { allow-users = {\"1000\"} } }\n";

static struct util_setup setup;
static struct spawn process;
static const struct image *image;
static struct tickets_maker *maker;
static const struct tickets *tickets;
static struct policy *policy;
static struct replay *replay;
static struct sessions *sessions;
static struct loop *loop;
static struct conn_set set;

static inline int start(void **state)
{
	char *text = util_expand(conf);
	struct ctl_msg msg;
	int fd, sock;

	(void)state;
	util_load(&setup, text);
	free(text);
	if (setup.rc) {
		print_error("%s", setup.said);
		return -1;
	}
	signer_util_start(&process, &setup, 1);
	assert_int_equal(signer_util_hear(&process, &msg), CTL_READY);
	fd = image_build(setup.config, &setup.ids, 1);
	if (fd < 0 || image_map(&image, fd))
		return -1;
	close(fd);
	if (tickets_maker_open(&maker, setup.config->ticket_interval_s, setup.config->ticket_lifetime_s, -1) ||
	    tickets_map(&tickets, tickets_maker_fd(maker)))
		return -1;
	tickets_maker_turn(maker, time(NULL));
	if (replay_open(&replay, 1000, image->early_window_ms))
		return -1;
	policy = policy_open(image, tickets, replay);
	if (!policy || loop_open(&loop, SLOTS + 1) || sessions_open(&sessions, 16, 16) ||
	    conn_set_init(&set, loop, policy, sessions, SLOTS))
		return -1;
	signer_util_connect(&process, &sock, 1);
	signer_client_attach(set.signer, sock);
	return 0;
}

static inline int stop(void **state)
{
	(void)state;
	loop_close(loop);
	conn_set_exit(&set);
	sessions_close(sessions);
	policy_close(policy);
	replay_close(replay);
	tickets_unmap(tickets);
	tickets_maker_close(maker);
	munmap((void *)image, image->size);
	spawn_stop(&process, 5000);
	util_unload(&setup);
	return 0;
}

static inline int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static inline void turn(int timeout_ms)
{
	int tick = conn_set_tick(&set);

	signer_client_flush(set.signer);
	assert_int_equal(loop_run(loop, tick >= 0 && tick < timeout_ms ? tick : timeout_ms), 0);
	signer_client_flush(set.signer);
}

/* Turn the loop until @num verdicts are there; then all slots are back. */
static inline void run_until(unsigned num)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (num_verdicts < num || pool_used(&set.slots)) {
		if (now_ms() > end)
			fail_msg("only %u verdicts of %u, %zu slots in use", num_verdicts, num, pool_used(&set.slots));
		turn(50);
	}
	assert_int_equal(num_verdicts, num);
	assert_int_equal(pool_used(&set.rx), 0);
	assert_int_equal(pool_used(&set.tx), 0);
}

static inline int begin(void **state)
{
	(void)state;
	num_verdicts = 0;
	install_error = 0;
	write_when_open = NULL;
	return 0;
}

static inline const struct verdict *verdict_of(int fd)
{
	for (unsigned i = 0; i < num_verdicts; i++)
		if (verdicts[i].fd == fd)
			return &verdicts[i];
	fail_msg("no verdict for descriptor %d", fd);
	return NULL;
}

static inline int listen_on(uint16_t *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sa);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	*port = ntohs(sa.sin_port);
	return fd;
}

static inline int connect_to(uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa))) {
		close(fd);
		return -1;
	}
	return fd;
}

static inline void tcp_pair(int fds[2])
{
	uint16_t port;
	int l = listen_on(&port);

	fds[0] = connect_to(port);
	fds[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	close(l);
}

static inline struct upcall_request server(int fd, const char *profile)
{
	struct upcall_request r = { .fd = fd, .role = TLSHD_SERVER, .uid = 1000 };

	strcpy(r.profile, profile);
	return r;
}

static inline struct upcall_request client(int fd, const char *profile, const char *name)
{
	struct upcall_request r = { .fd = fd, .role = TLSHD_CLIENT, .uid = 1000 };

	strcpy(r.profile, profile);
	strcpy(r.server_name, name);
	return r;
}

static inline void start_server(int fd, const char *profile)
{
	struct upcall_request r = server(fd, profile);

	conn_start(&set, &r);
}

static inline void start_client(int fd, const char *profile, const char *name)
{
	struct upcall_request r = client(fd, profile, name);

	conn_start(&set, &r);
}

#define T(f) cmocka_unit_test_setup(f, begin)

/* The main() of each such test */
static inline int conn_util_main(int argc, char **argv, const struct CMUnitTest *tests, size_t num)
{
	int failed;

	if (signer_util_is_role(argc, argv))
		return signer_main();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	signal(SIGPIPE, SIG_IGN);
	util_enter();
	if (crypto_init() || crypto_thread_init())
		return 1;
	failed = _cmocka_run_group_tests("tests", tests, num, start, stop);
	crypto_thread_exit();
	util_leave();
	return failed;
}

#endif
