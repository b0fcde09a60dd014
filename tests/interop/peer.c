// SPDX-License-Identifier: MIT
/*
 * A TLS 1.3 peer for interoperability tests: the engine over TCP sockets of its own; channel.c stands for the kernel's
 * TLS and the module. For each connection a line tells what was negotiated, or how it failed:
 *	ok suite=.. group=.. retry=0|1 sig=.. alpn=.. sni=.. sent=BYTES received=BYTES updates=FROM-THE-PEER
 *	failed errno=.. sent=ALERT got=ALERT: why
 * errno=data: after the handshake, in what should have been application data.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/bogo/channel.h"
#include "tests/interop/options.h"

#define PATIENCE_S	20	/* no test waits longer for the other side */
#define DATA_MAX	16384
#define LINE_MAX	64

static struct options opt;

static struct peer {
	int listener;
	struct channel ch;
	struct tls_conn tls;
	struct tls_config config;
	struct tls_identity identity;
	struct sig_key *key;
	struct x509_anchors *anchors;
	uint8_t *chain;
	uint8_t alpn[TLS_ALPN_MAX];
	size_t alpn_len;
	struct tls_traffic traffic;
	size_t sent, received;
	uint8_t rx[TLS_RX_CAP], tx[TLS_TX_CAP];
} p = { .listener = -1 };

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "peer: %s: %s\n", what, why);
	exit(2);
}

/* ---- policy ---- */

static char *slurp(const char *path, size_t *len)
{
	char *text = malloc(1 << 20);
	FILE *f = fopen(path, "r");

	if (!f || !text)
		die(path, strerror(errno));
	*len = fread(text, 1, 1 << 20, f);
	fclose(f);
	return text;
}

static void load_anchors(void)
{
	char err[256], *pem;
	size_t len;

	pem = slurp(opt.ca, &len);
	if (x509_anchors_load(&p.anchors, pem, len, err, sizeof(err)))
		die(opt.ca, err);
	free(pem);
	p.config.anchors = p.anchors;
}

static void load_identity(void)
{
	struct der leaf;
	char err[256], *pem;
	size_t len;

	pem = slurp(opt.cert, &len);
	if (x509_chain_load(&p.chain, &p.identity.chain_len, &leaf, &p.identity.type, pem, len, err, sizeof(err)))
		die(opt.cert, err);
	free(pem);
	pem = slurp(opt.key, &len);
	if (sig_key_load(&p.key, pem, len, err, sizeof(err)))
		die(opt.key, err);
	free(pem);
	p.identity.chain = p.chain;
	p.config.identities = &p.identity;
	p.config.num_identities = 1;
}

static void load(void)
{
	p.config.no_ccs = opt.no_ccs;
	p.config.num_suites = options_numbers(p.config.suites, TLS_SUITES_MAX, opt.suites);
	p.config.num_groups = options_numbers(p.config.groups, TLS_GROUPS_MAX, opt.groups);
	p.config.num_shares = (uint8_t)opt.num_shares;
	p.alpn_len = options_alpn(p.alpn, opt.alpn);
	if (opt.ca)
		load_anchors();
	if (opt.cert)
		load_identity();
}

static void unload(void)
{
	sig_key_free(p.key);
	x509_anchors_free(p.anchors);
	free(p.chain);
	if (p.listener >= 0)
		close(p.listener);
}

/* ---- the socket ---- */

static void be_patient(int s)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };

	setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static int tcp_socket(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (s < 0)
		die("socket", strerror(errno));
	be_patient(s);
	return s;
}

static struct sockaddr_in address(void)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

static void start_listening(void)
{
	struct sockaddr_in at = address();
	int one = 1;

	p.listener = tcp_socket();
	setsockopt(p.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(p.listener, (struct sockaddr *)&at, sizeof(at)) || listen(p.listener, 8))
		die("listen", strerror(errno));
}

static int connected_socket(void)
{
	struct sockaddr_in at = address();
	int s;

	if (opt.server) {
		s = accept(p.listener, NULL, NULL);
		if (s < 0)
			die("accept", strerror(errno));
		be_patient(s);
		return s;
	}
	s = tcp_socket();
	if (connect(s, (struct sockaddr *)&at, sizeof(at)))
		die("connect", strerror(errno));
	return s;
}

/* What the other side still sends is read, so that what we sent last is not lost in a reset. */
static void close_socket(void)
{
	uint8_t unread[4096];

	shutdown(p.ch.fd, SHUT_WR);
	while (recv(p.ch.fd, unread, sizeof(unread), 0) > 0)
		continue;
	close(p.ch.fd);
}

/* ---- the handshake ---- */

static void sign(void)
{
	uint8_t input[TLS_SIGN_INPUT_MAX], sig[SIG_MAX];
	struct tls_sign_req req;
	size_t len, sig_len = 0;

	tls_sign_request(&p.tls, &req);
	len = tls_sign_input(input, opt.server ? TLS_SERVER : TLS_CLIENT, req.hash, req.hash_len);
	if (sig_sign(p.key, req.scheme, sig, &sig_len, input, len))
		sig_len = 0;
	tls_sign_answer(&p.tls, sig, sig_len);
}

/* Reads as the daemon does: what may be there is taken, or looked at first. Returns whether it was only looked at. */
static bool receive(void)
{
	struct tls_window w;
	ssize_t n;

	tls_rx_window(&p.tls, &w);
	n = recv(p.ch.fd, w.p, w.room, w.greedy ? 0 : MSG_PEEK);
	if (n > 0)
		tls_rx_filled(&p.tls, (size_t)n);
	else if (n == 0 || errno == ECONNRESET)
		tls_rx_eof(&p.tls);
	else
		tls_abort(&p.tls, -ETIMEDOUT, 80, "the peer was silent", &(struct tls_out){ p.tx, sizeof(p.tx), 0 });
	return n > 0 && !w.greedy;
}

static void begin(void)
{
	struct tls_params params = {
		.role = opt.server ? TLS_SERVER : TLS_CLIENT, .config = &p.config, .alpn = p.alpn, .alpn_len = p.alpn_len,
		.now_ms = time(NULL) * 1000LL,
	};
	static char name[X509_NAME_MAX + 1];

	if (!opt.server && !opt.any_name) {
		snprintf(name, sizeof(name), "%s", opt.name);
		if (x509_name_ok(name, &params.server_name_is_ip))
			die(name, "is no name");
		params.server_name = name;
	}
	tls_init(&p.tls, &params);
	tls_lend_rx(&p.tls, p.rx);
}

static bool handshake(void)
{
	bool peeked = false;

	begin();
	for (;;) {
		struct tls_out out = { p.tx, sizeof(p.tx), 0 };
		enum tls_want want = tls_advance(&p.tls, &out);
		bool settled = want == TLS_WANT_RX || want == TLS_DONE || want == TLS_FAILED;
		size_t taken = peeked && settled ? tls_rx_taken(&p.tls) : 0;

		/* MSG_TRUNC: thrown away, not copied */
		if (taken > 0 && recv(p.ch.fd, NULL, taken, MSG_TRUNC) != (ssize_t)taken)
			die("recv", strerror(errno));
		peeked = peeked && !settled;
		channel_send_raw(&p.ch, out.p, out.len);
		if (want == TLS_DONE || want == TLS_FAILED)
			return want == TLS_DONE;
		if (want == TLS_WANT_SIGN)
			sign();
		else if (want == TLS_WANT_RX)
			peeked = receive();
	}
}

/* ---- what is said ---- */

static ssize_t get_data(uint8_t *out, size_t max)
{
	ssize_t n = channel_read(&p.ch, out, max);

	p.received += n > 0 ? (size_t)n : 0;
	return n;
}

static bool put_data(const void *data, size_t len)
{
	p.sent += len;
	return channel_write(&p.ch, data, len);
}

static bool echo(void)
{
	uint8_t data[DATA_MAX];
	size_t num = 0;
	ssize_t n;

	while ((n = get_data(data, sizeof(data))) > 0) {
		if (num++ == 1 && opt.key_update && !channel_update_keys(&p.ch, true))
			return false;
		if (!put_data(data, (size_t)n))
			return false;
	}
	return n == 0;
}

/* One request, one answer: @opt.bytes bytes of "x". */
static bool answer_http(void)
{
	uint8_t data[DATA_MAX];
	char request[4 * DATA_MAX + 1] = "";
	size_t len = 0;

	while (!strstr(request, "\r\n\r\n")) {
		ssize_t n = len < sizeof(request) - 1 ? get_data((uint8_t *)request + len, sizeof(request) - 1 - len) : -1;

		if (n <= 0)
			return false;
		len += (size_t)n;
		request[len] = 0;
	}
	len = (size_t)sprintf((char *)data, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", opt.bytes);
	if (!put_data(data, len))
		return false;
	memset(data, 'x', DATA_MAX);
	for (size_t left = opt.bytes; left > 0; left -= len) {
		len = left < DATA_MAX ? left : DATA_MAX;
		if (!put_data(data, len))
			return false;
	}
	return true;
}

/* What we sent comes back. */
static bool get_back(const uint8_t *line, size_t len)
{
	uint8_t data[DATA_MAX];
	size_t got = 0;

	while (got < len) {
		ssize_t n = get_data(data, len - got);

		if (n <= 0 || memcmp(data, line + got, (size_t)n))
			return false;
		got += (size_t)n;
	}
	return true;
}

/* Lines out, the same back, in turns so that neither side's buffers fill. */
static bool talk(void)
{
	uint8_t line[1000];
	size_t len;

	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = (uint8_t)('a' + (i * i) % 26);
	for (size_t left = opt.bytes; left > 0; left -= len) {
		len = left < sizeof(line) ? left : sizeof(line);
		line[len - 1] = '\n';
		if (!put_data(line, len) || !get_back(line, len))
			return false;
	}
	return true;
}

static bool talk_lines(void)
{
	char line[LINE_MAX];

	for (size_t i = 1; i <= opt.lines; i++) {
		int len = snprintf(line, sizeof(line), "line %zu of our client\n", i);

		if (i == 2 && opt.key_update && !channel_update_keys(&p.ch, true))
			return false;
		if (!put_data(line, (size_t)len) || !get_back((uint8_t *)line, (size_t)len))
			return false;
	}
	return true;
}

static bool fetch(void)
{
	uint8_t data[DATA_MAX];
	int len = snprintf((char *)data, sizeof(data), "GET %s HTTP/1.0\r\n\r\n", opt.get);
	FILE *f = fopen(opt.out ? opt.out : "/dev/null", "w");
	ssize_t n;

	if (!f)
		die(opt.out, strerror(errno));
	if (opt.key_update && !channel_update_keys(&p.ch, true))
		return false;
	n = put_data(data, (size_t)len) ? 1 : -1;
	while (n > 0 && (n = get_data(data, sizeof(data))) > 0)
		fwrite(data, 1, (size_t)n, f);
	fclose(f);
	return n == 0;
}

static bool exchange(void)
{
	bool ok;

	if (opt.server)
		ok = opt.http ? answer_http() : echo();
	else
		ok = opt.get ? fetch() : opt.lines ? talk_lines() : talk();
	if (ok)
		channel_alert(&p.ch, ALERT_CLOSE_NOTIFY);
	return ok;
}

/* ---- what is told ---- */

static int number_of(uint16_t alert)
{
	return alert == TLS_ALERT_NONE ? -1 : alert;
}

static void report_failure(void)
{
	struct tls_result r;

	tls_result(&p.tls, &r);
	printf("failed errno=%s sent=%d got=%d: %s\n", strerrorname_np(-r.err), number_of(r.alert_sent),
	       number_of(r.alert_received), r.reason);
}

static void report_data_failure(void)
{
	printf("failed errno=data sent=? got=%d: %s\n", p.ch.alert ? p.ch.alert : -1, p.ch.error ? p.ch.error : "");
}

static void report(void)
{
	struct tls_result r;

	tls_result(&p.tls, &r);
	printf("ok suite=%04x group=%04x retry=%d sig=%04x alpn=%.*s sni=%s sent=%zu received=%zu updates=%u\n", r.suite,
	       r.group, p.tls.retry, r.sigscheme, (int)r.alpn_len, r.alpn ? r.alpn : "",
	       r.server_name ? r.server_name : "", p.sent, p.received, p.ch.num_updates_total);
}

static bool connection(void)
{
	bool ok = false;

	p.sent = p.received = 0;
	p.ch.fd = connected_socket();
	if (!handshake()) {
		report_failure();
	} else {
		tls_traffic(&p.tls, &p.traffic);
		channel_open(&p.ch, &p.traffic, opt.server ? TLS_SERVER : TLS_CLIENT);
		ok = exchange();
		if (ok)
			report();
		else
			report_data_failure();
	}
	close_socket();
	fflush(stdout);
	tls_wipe(&p.tls);
	channel_wipe(&p.ch);
	wipe(&p.traffic, sizeof(p.traffic));
	return ok;
}

int main(int argc, char **argv)
{
	bool ok = true;

	options_parse(&opt, argc, argv);
	if (crypto_init() || crypto_thread_init())
		die("crypto", "cannot start");
	load();
	if (opt.server)
		start_listening();
	for (size_t i = 0; ok && i < opt.num_connections; i++)
		ok = connection();
	unload();
	crypto_thread_exit();
	return ok ? 0 : 1;
}
