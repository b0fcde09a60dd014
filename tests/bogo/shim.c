// SPDX-License-Identifier: MIT
/*
 * A shim for BoGo, the misbehaving peer of BoringSSL's tests. The runner starts it once for each test, with flags that
 * say what to be, misbehaves, and judges what it sees: bytes, alert, exit status and error text. The script bogo
 * fetches, builds and runs the runner; config.json lists the tests that are not run, and why.
 *
 * The handshake is the engine's, driven as the daemon drives it; channel.c stands for the kernel and the module. What
 * either does not have ends with EXIT_UNIMPLEMENTED, which the runner counts apart.
 */
#include <endian.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/bogo/channel.h"
#include "tests/bogo/expect.h"
#include "tests/bogo/options.h"
#include "tests/bogo/policy.h"
#include "tests/bogo/sessions.h"
#include "tests/bogo/tokens.h"
#include "tests/bogo/trust.h"

#define PATIENCE_S	20
#define READ_SIZE	512
#define DECOMPRESSION_FAILURE 30	/* of TLS 1.2: an alert that nothing else here sends */

static struct options options[NUM_STAGES];

static struct shim {
	const struct options *opt;
	struct channel ch;
	struct policy policy;
	struct tls_conn tls;
	struct tls_result result;
	struct tls_traffic traffic;
	struct tls_resumption resumption;
	struct server_sessions tickets;
	struct tls_session session, next;	/* a client's: to be offered; of the last ticket that came */
	bool has_session, has_next;
	char *alpn_before;
	bool early_before;
	uint8_t *greeting;			/* what a side that writes first writes */
	size_t greeting_len, greeted_len;	/* and how much of it has been written */
	uint8_t rx[TLS_RX_CAP], tx[TLS_TX_CAP];
} s;

static bool complain(const char *what)
{
	fprintf(stderr, "%s\n", what);
	return false;
}

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "shim: %s: %s\n", what, why);
	exit(EXIT_FAIL);
}

/* ---- the socket ---- */

static int try_connect(const struct sockaddr *at, socklen_t len)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(at->sa_family, SOCK_STREAM, 0);

	if (fd < 0 || !connect(fd, at, len)) {
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		return fd;
	}
	close(fd);
	return -1;
}

static void open_socket(void)
{
	struct sockaddr_in6 v6 = {
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)s.opt->port), .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)s.opt->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	uint64_t id;

	s.ch.fd = s.opt->ipv6 || !s.opt->shim_id ? try_connect((struct sockaddr *)&v6, sizeof(v6)) : -1;
	if (s.ch.fd < 0 && !s.opt->ipv6)
		s.ch.fd = try_connect((struct sockaddr *)&v4, sizeof(v4));
	if (s.ch.fd < 0)
		die("connect", strerror(errno));
	if (!s.opt->shim_id)
		return;
	id = htole64(strtoull(s.opt->shim_id, NULL, 10));
	if (!channel_send_raw(&s.ch, &id, sizeof(id)))
		die("send", strerror(errno));
}

/* What the peer still sends is read, so that what we sent last is not lost in a reset. */
static void close_socket(void)
{
	uint8_t unread[4096];

	shutdown(s.ch.fd, SHUT_WR);
	while (recv(s.ch.fd, unread, sizeof(unread), 0) > 0)
		continue;
	close(s.ch.fd);
}

/* ---- the handshake ---- */

static void sign(void)
{
	uint8_t input[TLS_SIGN_INPUT_MAX], sig[SIG_MAX];
	struct tls_sign_req req;
	size_t len, sig_len = 0;

	tls_sign_request(&s.tls, &req);
	len = tls_sign_input(input, s.opt->server ? TLS_SERVER : TLS_CLIENT, req.hash, req.hash_len);
	if (sig_sign(s.policy.keys[req.identity->key_id], req.scheme, sig, &sig_len, input, len))
		sig_len = 0;
	tls_sign_answer(&s.tls, sig, sig_len);
}

/* As the daemon reads: what may be there is taken, or looked at first. Returns whether it was only looked at. */
static bool receive(void)
{
	struct tls_window w;
	ssize_t n;

	tls_rx_window(&s.tls, &w);
	n = channel_recv_raw(&s.ch, w.p, w.room, w.greedy ? 0 : MSG_PEEK);
	if (n > 0)
		tls_rx_filled(&s.tls, (size_t)n);
	else
		tls_rx_eof(&s.tls);
	return n > 0 && !w.greedy;
}

/* A server's application data before the client's Finished, under the keys that the engine has for it already. */
static void write_early(const uint8_t *p, size_t len, uint8_t flip)
{
	while (len > 0) {
		size_t n = len < READ_SIZE ? len : READ_SIZE;

		for (size_t i = 0; i < n; i++)
			s.ch.out[RECORD_HEADER_LEN + i] = p[i] ^ flip;
		channel_send_raw(&s.ch, s.ch.out, record_seal(s.ch.out, CT_APPLICATION_DATA, n, s.tls.suite->aead,
							      &s.tls.tx.keys));
		p += n;
		len -= n;
	}
}

static void answer_early(void)
{
	const uint8_t *p;
	size_t len = tls_early_data(&s.tls, &p);

	write_early(s.greeting + s.greeted_len, s.greeting_len - s.greeted_len, 0);
	s.greeted_len = s.greeting_len;
	write_early(p, len, 0xff);
}

static void prepare_greeting(void)
{
	size_t len = strlen(s.opt->greeting), num = s.opt->writes_first ? (size_t)s.opt->greetings : 0;

	s.greeting = realloc(s.greeting, num * len + 1);
	if (!s.greeting)
		abort();
	for (size_t i = 0; i < num; i++)
		memcpy(s.greeting + i * len, s.opt->greeting, len);
	s.greeting_len = num * len;
	s.greeted_len = 0;
}

static void start(void)
{
	static const struct tls_session *sessions[] = { &s.session };
	struct tls_params params = {
		.role = s.opt->server ? TLS_SERVER : TLS_CLIENT, .config = &s.policy.config,
		.server_name = s.opt->host_name, .alpn = s.policy.alpn, .alpn_len = s.policy.alpn_len,
		.now_ms = sessions_now_ms(), .accept_early = s.opt->early_data,
		.tickets = s.opt->no_ticket ? NULL : &sessions_ops, .tickets_arg = &s.tickets,
		.sessions = sessions, .num_sessions = s.has_session,
	};

	prepare_greeting();
	if (s.opt->early_data && s.has_session) {	/* a client that writes first does so with its ClientHello */
		params.early = s.greeting;
		params.early_len = s.greeting_len < s.session.max_early_data ? s.greeting_len : s.session.max_early_data;
	}
	s.tickets = (struct server_sessions){ .skip = s.opt->skip_ticket };
	tls_init(&s.tls, &params);
	tls_lend_rx(&s.tls, s.rx);
}

/* What was looked at and is the engine's. */
static void discard(bool *peeked)
{
	uint8_t taken[TLS_RX_CAP];
	size_t len = *peeked ? tls_rx_taken(&s.tls) : 0;

	if (len > 0 && recv(s.ch.fd, taken, len, MSG_WAITALL) != (ssize_t)len)
		die("recv", strerror(errno));
	*peeked = false;
}

static bool handshake(void)
{
	bool peeked = false;

	for (;;) {
		struct tls_out out = { s.tx, sizeof(s.tx), 0 };
		enum tls_want want = tls_advance(&s.tls, &out);

		if (want == TLS_WANT_RX || want == TLS_DONE || want == TLS_FAILED)
			discard(&peeked);
		channel_send_raw(&s.ch, out.p, out.len);
		if (want == TLS_DONE || want == TLS_FAILED)
			return want == TLS_DONE;
		if (want == TLS_WANT_SIGN)
			sign();
		else if (want == TLS_EARLY_DATA)
			answer_early();
		else if (want == TLS_WANT_RX)
			peeked = receive();
	}
}

static bool report_failure(void)
{
	const char *missing = token_unimplemented(&s.result);

	if (missing && !s.opt->only_tls13 && s.opt->min_version < VERSION_TLS13) {
		close_socket();
		options_unimplemented(missing);
	}
	fprintf(stderr, "%s %s\n", token_of(&s.result), s.result.reason);
	return false;
}

/* A client whose early data was refused goes on by other expectations, as if connecting anew. */
static bool follow_early(void)
{
	if (s.opt->server || s.result.early == TLS_EARLY_NONE)
		return true;
	if (s.result.early == TLS_EARLY_ACCEPTED) {
		s.greeted_len = s.result.early_bytes;
		return true;
	}
	if (!s.opt->expect_rejected)
		return complain("shim: early data was not accepted");
	s.opt = &options[RETRIED];
	prepare_greeting();
	return true;
}

static bool check_result(bool resumption)
{
	struct outcome outcome = {
		.opt = s.opt, .policy = &s.policy, .tls = &s.tls, .result = s.result, .resumption = resumption,
		.offered = s.has_session ? &s.session : NULL, .tickets = &s.tickets,
		.alpn_before = s.alpn_before, .early_before = s.early_before,
	};

	return expect_handshake(&outcome);
}

static void take_ticket(const uint8_t *msg, size_t len)
{
	if (!tls_session_take(&s.next, &s.resumption, msg, len, sessions_now_ms()))
		s.has_next = true;
}

/* ---- what is said ---- */

static bool failed_channel(void)
{
	if (s.ch.error)
		return complain(s.ch.error);
	fprintf(stderr, "%s peer sent alert %u\n", token_of_alert(s.ch.alert), s.ch.alert);
	return false;
}

static bool send_secrets(void)
{
	uint16_t len = htole16(s.traffic.hash_len);

	return channel_write(&s.ch, (uint8_t *)&len, sizeof(len)) &&
	       channel_write(&s.ch, s.traffic.rx.secret, s.traffic.hash_len) &&
	       channel_write(&s.ch, s.traffic.tx.secret, s.traffic.hash_len);
}

static bool send_exported(void)
{
	const char *label = s.opt->export_label ? s.opt->export_label : "";
	const char *context = s.opt->export_context ? s.opt->export_context : "";
	size_t len = (size_t)s.opt->export_len;
	uint8_t out[EXPORT_MAX];

	if (tls_export(&s.traffic, out, len, label, strlen(label), (const uint8_t *)context, strlen(context)))
		options_unimplemented("so much keying material");
	return channel_write(&s.ch, out, len);
}

static bool send_sizes(void)
{
	static const size_t sizes[] = { 0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769 };
	static uint8_t data[32769];

	memset(data, 0x42, sizeof(data));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (!channel_write(&s.ch, data, sizes[i]))
			return false;
	return true;
}

/* What is looked at must be what is then read. */
static ssize_t read_some(uint8_t *data, size_t size)
{
	uint8_t seen[PLAINTEXT_MAX];
	ssize_t peeked, n;

	if (!s.opt->peek)
		return channel_read(&s.ch, data, size);
	peeked = channel_peek(&s.ch, seen, size < sizeof(seen) ? size : sizeof(seen));
	if (peeked <= 0)
		return peeked;
	n = channel_read(&s.ch, data, size);
	if (n != peeked || memcmp(seen, data, (size_t)n))
		die("peek", "other data than is read");
	return n;
}

static bool echo(void)
{
	size_t size = s.opt->read_size ? (size_t)s.opt->read_size : READ_SIZE;
	uint8_t *data = malloc(size);
	ssize_t n;

	if (!data)
		abort();
	while ((n = read_some(data, size)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			data[i] ^= 0xff;
		if ((s.opt->key_update && !channel_update_keys(&s.ch, false)) || !channel_write(&s.ch, data, (size_t)n))
			break;
	}
	free(data);
	return n == 0 ? true : failed_channel();
}

/* The peer must answer our close_notify with its own, and with nothing else. */
static bool await_close(void)
{
	uint8_t byte;
	ssize_t n = channel_read(&s.ch, &byte, 1);

	if (n > 0)
		return complain(":APPLICATION_DATA_ON_SHUTDOWN: data instead of close_notify");
	return n == 0 ? true : failed_channel();
}

static bool exchange(void)
{
	if ((s.opt->export_len && !send_exported()) || (s.opt->traffic_secrets && !send_secrets()))
		return failed_channel();
	if (s.opt->send_alert)
		return channel_alert(&s.ch, DECOMPRESSION_FAILURE);
	if (s.opt->record_sizes)
		return send_sizes() || failed_channel();
	if (!channel_write(&s.ch, s.greeting + s.greeted_len, s.greeting_len - s.greeted_len))
		return failed_channel();
	if (!s.opt->shuts_down && !echo())
		return false;
	if (!expect_session(s.opt, s.has_next ? &s.next : NULL))
		return false;
	channel_alert(&s.ch, ALERT_CLOSE_NOTIFY);
	return !s.opt->shuts_down || !s.opt->check_close || await_close();
}

/* ---- one connection, and all of them ---- */

static bool converse(bool resumption)
{
	bool ok;

	start();
	ok = handshake();
	tls_result(&s.tls, &s.result);
	if (!ok)
		return report_failure();
	if (!follow_early() || !check_result(resumption))
		return false;
	tls_traffic(&s.tls, &s.traffic);
	if (!s.opt->server)
		tls_resumption(&s.tls, &s.resumption);
	channel_open(&s.ch, &s.traffic, s.opt->server ? TLS_SERVER : TLS_CLIENT);
	return exchange();
}

/* What the next connection offers, or is compared to. */
static void remember(void)
{
	free(s.alpn_before);
	s.alpn_before = strndup(s.result.alpn ? s.result.alpn : "", s.result.alpn_len);
	s.early_before = s.opt->early_data;
	s.session = s.next;
	s.has_session = s.has_next;
	wipe(&s.next, sizeof(s.next));
	s.has_next = false;
	sessions_wait(s.opt->delay);
}

static bool connection(long number)
{
	bool ok;

	s.opt = &options[number ? RESUMED : INITIAL];
	if (number && !s.opt->server && !s.has_session)
		return complain("shim: no session to offer");
	s.ch.bytewise = s.opt->async;
	s.ch.ticket = take_ticket;
	policy_load(&s.policy, s.opt);
	open_socket();
	ok = converse(number > 0);
	close_socket();
	remember();
	tls_wipe(&s.tls);
	channel_wipe(&s.ch);
	wipe(&s.traffic, sizeof(s.traffic));
	wipe(&s.resumption, sizeof(s.resumption));
	policy_free(&s.policy);
	return ok;
}

int main(int argc, char **argv)
{
	bool ok = true;

	options_parse(options, argc, argv);
	if (options[INITIAL].handshaker_supported) {
		puts("No");
		return EXIT_PASS;
	}
	if (crypto_init() || crypto_thread_init())
		die("crypto", "cannot start");
	sessions_init();
	for (long i = 0; ok && i <= options[INITIAL].resume_count; i++)
		ok = connection(i);
	wipe(&s.session, sizeof(s.session));
	free(s.alpn_before);
	free(s.greeting);
	x509_anchors_free(trust_anchors);
	crypto_thread_exit();
	return ok ? EXIT_PASS : EXIT_FAIL;
}
