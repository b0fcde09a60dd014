// SPDX-License-Identifier: MIT
/*
 * A TLS 1.3 peer for interoperability tests: the engine over a TCP socket of its own, and records under the traffic
 * keys in user space, where the kernel's TLS would be. One connection, then it ends. Its last line tells what was
 * negotiated, or how it failed:
 *	ok suite=.. group=.. retry=0|1 sig=.. alpn=.. sni=.. sent=BYTES received=BYTES
 *	failed errno=.. sent=ALERT got=ALERT: why
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tlshd/tls/tls.h"
#include "tlshd/tls/tls_conn.h"

#define PATIENCE_S	20	/* no test waits longer for the other side */
#define DATA_MAX	16384

static struct options {
	bool server, http, no_ccs, any_name;
	uint16_t port;
	const char *ca, *cert, *key, *name, *alpn, *suites, *groups;
	const char *get, *out;		/* client: ask for a path by HTTP and write the answer to a file */
	uint8_t shares;			/* client: how many groups it sends a share of */
	size_t bytes;			/* client: how many to send and to get back */
} opt;

static struct peer {
	int fd;
	struct tls_conn tls;
	struct tls_config config;
	struct tls_identity identity;
	struct sig_key *key;
	struct x509_anchors *anchors;
	uint8_t *chain;
	uint8_t alpn[TLS_ALPN_MAX];
	size_t alpn_len;
	struct tls_traffic traffic;
	enum aead_id aead;
	size_t sent, received;
	uint8_t rx[TLS_RX_CAP], tx[TLS_TX_CAP], record[TLS_RECORD_MAX];
} p;

static void die(const char *what, const char *why)
{
	fprintf(stderr, "peer: %s: %s\n", what, why);
	exit(2);
}

/* ---- options ---- */

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

/* Hexadecimal numbers separated by commas. */
static uint8_t numbers(uint16_t *out, size_t max, const char *list)
{
	size_t num = 0;

	for (const char *s = list; num < max && *s; s += strcspn(s, ","), s += *s == ',')
		out[num++] = (uint16_t)strtoul(s, NULL, 16);
	return (uint8_t)num;
}

/* "h2,http/1.1" in the form of RFC 7301. */
static size_t protocols(uint8_t *out, const char *list)
{
	size_t len = 0;

	for (const char *s = list; *s; s += *s == ',') {
		size_t n = strcspn(s, ",");

		if (len + 1 + n > TLS_ALPN_MAX)
			die("--alpn", "too long");
		out[len++] = (uint8_t)n;
		memcpy(out + len, s, n);
		len += n;
		s += n;
	}
	return len;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "server", no_argument, NULL, 's' }, { "http", no_argument, NULL, 'h' }, { "no-ccs", no_argument, NULL, 'c' },
		{ "any-name", no_argument, NULL, 'x' }, { "port", required_argument, NULL, 'p' },
		{ "ca", required_argument, NULL, 'a' }, { "cert", required_argument, NULL, 'e' },
		{ "key", required_argument, NULL, 'k' }, { "name", required_argument, NULL, 'n' },
		{ "alpn", required_argument, NULL, 'l' }, { "suites", required_argument, NULL, 'u' },
		{ "groups", required_argument, NULL, 'g' }, { "bytes", required_argument, NULL, 'b' },
		{ "shares", required_argument, NULL, 'S' },
		{ "get", required_argument, NULL, 'G' }, { "out", required_argument, NULL, 'o' }, { NULL },
	};
	int c;

	opt = (struct options){ .suites = "1301,1302,1303", .groups = "1d,17,18", .shares = 1, .alpn = "" };
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		switch (c) {
		case 's': opt.server = true; break;
		case 'h': opt.http = true; break;
		case 'c': opt.no_ccs = true; break;
		case 'x': opt.any_name = true; break;
		case 'p': opt.port = (uint16_t)atoi(optarg); break;
		case 'a': opt.ca = optarg; break;
		case 'e': opt.cert = optarg; break;
		case 'k': opt.key = optarg; break;
		case 'n': opt.name = optarg; break;
		case 'l': opt.alpn = optarg; break;
		case 'u': opt.suites = optarg; break;
		case 'g': opt.groups = optarg; break;
		case 'S': opt.shares = (uint8_t)atoi(optarg); break;
		case 'G': opt.get = optarg; break;
		case 'o': opt.out = optarg; break;
		case 'b': opt.bytes = (size_t)atol(optarg); break;
		default: exit(2);
		}
}

/* ---- policy ---- */

static void load(void)
{
	struct der leaf;
	char err[256];
	size_t len;
	char *pem;

	p.config.no_ccs = opt.no_ccs;
	p.config.num_suites = numbers(p.config.suites, TLS_SUITES_MAX, opt.suites);
	p.config.num_groups = numbers(p.config.groups, TLS_GROUPS_MAX, opt.groups);
	p.config.num_shares = opt.shares;
	p.alpn_len = protocols(p.alpn, opt.alpn);
	if (opt.ca) {
		pem = slurp(opt.ca, &len);
		if (x509_anchors_load(&p.anchors, pem, len, err, sizeof(err)))
			die(opt.ca, err);
		free(pem);
		p.config.anchors = p.anchors;
	}
	if (!opt.cert)
		return;
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

static void unload(void)
{
	tls_wipe(&p.tls);
	sig_key_free(p.key);
	x509_anchors_free(p.anchors);
	free(p.chain);
	wipe(&p.traffic, sizeof(p.traffic));
}

/* ---- the socket ---- */

static void open_socket(void)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(opt.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (opt.server) {
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (bind(s, (struct sockaddr *)&at, sizeof(at)) || listen(s, 1))
			die("listen", strerror(errno));
		p.fd = accept(s, NULL, NULL);
		close(s);
	} else {
		p.fd = connect(s, (struct sockaddr *)&at, sizeof(at)) ? -1 : s;
	}
	if (p.fd < 0)
		die(opt.server ? "accept" : "connect", strerror(errno));
	setsockopt(p.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(p.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static bool send_all(const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(p.fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static bool recv_all(uint8_t *data, size_t len)
{
	return recv(p.fd, data, len, MSG_WAITALL) == (ssize_t)len;
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
	n = recv(p.fd, w.p, w.room, w.greedy ? 0 : MSG_PEEK);
	if (n > 0)
		tls_rx_filled(&p.tls, (size_t)n);
	else if (n == 0 || errno == ECONNRESET)
		tls_rx_eof(&p.tls);
	else
		tls_abort(&p.tls, -ETIMEDOUT, 80, "the peer was silent", &(struct tls_out){ p.tx, sizeof(p.tx), 0 });
	return n > 0 && !w.greedy;
}

static bool handshake(void)
{
	struct tls_params params = {
		.role = opt.server ? TLS_SERVER : TLS_CLIENT, .config = &p.config, .alpn = p.alpn, .alpn_len = p.alpn_len,
		.now_ms = time(NULL) * 1000LL,
	};
	bool peeked = false, is_ip = false;
	char name[X509_NAME_MAX + 1];

	if (!opt.server && !opt.any_name) {
		snprintf(name, sizeof(name), "%s", opt.name ? opt.name : "localhost");
		if (x509_name_ok(name, &is_ip))
			die(name, "is no name");
		params.server_name = name;
		params.server_name_is_ip = is_ip;
	}
	tls_init(&p.tls, &params);
	tls_lend_rx(&p.tls, p.rx);
	for (;;) {
		struct tls_out out = { p.tx, sizeof(p.tx), 0 };
		enum tls_want want = tls_advance(&p.tls, &out);

		if (peeked && tls_rx_taken(&p.tls) > 0 && !recv_all(p.record, tls_rx_taken(&p.tls)))
			die("recv", strerror(errno));
		peeked = false;
		send_all(out.p, out.len);
		if (want == TLS_DONE || want == TLS_FAILED)
			return want == TLS_DONE;
		if (want == TLS_WANT_SIGN)
			sign();
		else if (want == TLS_WANT_RX)
			peeked = receive();
	}
}

/* ---- records under the traffic keys, RFC 8446 5.2 and 5.3 ---- */

enum { ALERT = 21, HANDSHAKE = 22, DATA = 23 };

static void nonce_of(uint8_t *nonce, struct tls_keys *k)
{
	memcpy(nonce, k->iv, AEAD_NONCE_LEN);
	for (int i = 0; i < 8; i++)
		nonce[AEAD_NONCE_LEN - 1 - i] ^= (uint8_t)(k->seq >> (8 * i));
	k->seq++;
}

static bool put(uint8_t type, const void *data, size_t len)
{
	uint8_t *r = p.record, nonce[AEAD_NONCE_LEN];
	size_t sealed = len + 1 + AEAD_TAG_LEN;

	memcpy(r, (uint8_t[]){ DATA, 3, 3, (uint8_t)(sealed >> 8), (uint8_t)sealed }, 5);
	memcpy(r + 5, data, len);
	r[5 + len] = type;
	nonce_of(nonce, &p.traffic.tx);
	aead_seal(p.aead, r + 5, r + 5, len + 1, r, 5, p.traffic.tx.key, nonce);
	return send_all(r, 5 + sealed);
}

/* The next record's content is at p.record + 5. Returns its type, or -1 without a whole and true record. */
static int get(size_t *len)
{
	uint8_t *r = p.record, nonce[AEAD_NONCE_LEN];
	size_t sealed;

	if (!recv_all(r, 5))
		return -1;
	sealed = (size_t)r[3] << 8 | r[4];
	if (r[0] != DATA || sealed < AEAD_TAG_LEN + 1 || sealed > TLS_RECORD_MAX - 5 || !recv_all(r + 5, sealed))
		return -1;
	nonce_of(nonce, &p.traffic.rx);
	if (aead_open(p.aead, r + 5, r + 5, sealed, r, 5, p.traffic.rx.key, nonce))
		return -1;
	*len = sealed - AEAD_TAG_LEN;
	while (*len > 0 && !r[5 + *len - 1])
		--*len;
	return *len > 0 ? r[5 + --*len] : -1;
}

/* The next application data; 0 at close_notify, -1 on any other end. Tickets are passed over. */
static ssize_t get_data(uint8_t *out)
{
	size_t len;

	for (;;) {
		switch (get(&len)) {
		case DATA:
			if (len > DATA_MAX)
				return -1;
			memcpy(out, p.record + 5, len);
			p.received += len;
			if (len > 0)
				return (ssize_t)len;
			break;
		case HANDSHAKE:
			if (len < 4 || p.record[5] != 4)	/* NewSessionTicket */
				return -1;
			break;
		case ALERT:
			return len == 2 && p.record[6] == 0 ? 0 : -1;
		default:
			return -1;
		}
	}
}

static bool put_data(const uint8_t *data, size_t len)
{
	p.sent += len;
	return put(DATA, data, len);
}

static void close_notify(void)
{
	put(ALERT, (uint8_t[]){ 1, 0 }, 2);
	shutdown(p.fd, SHUT_WR);
}

/* ---- what is said ---- */

static bool echo(void)
{
	uint8_t data[DATA_MAX];
	ssize_t n;

	while ((n = get_data(data)) > 0)
		if (!put_data(data, (size_t)n))
			return false;
	close_notify();
	return n == 0;
}

/* One request, one answer: @opt.bytes bytes of "x". */
static bool answer_http(void)
{
	uint8_t data[DATA_MAX + 1];
	char request[4 * DATA_MAX + 1] = "";
	size_t len = 0;

	while (!strstr(request, "\r\n\r\n")) {
		ssize_t n = get_data(data);

		if (n <= 0 || len + (size_t)n >= sizeof(request))
			return false;
		memcpy(request + len, data, (size_t)n);
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
	close_notify();
	return true;
}

/* Lines out, the same back, in turns so that neither side's buffers fill. */
static bool talk(void)
{
	uint8_t line[1000], data[DATA_MAX];
	size_t left = opt.bytes;

	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = (uint8_t)('a' + (i * i) % 26);
	while (left > 0) {
		size_t len = left < sizeof(line) ? left : sizeof(line), got = 0;

		line[len - 1] = '\n';
		if (!put_data(line, len))
			return false;
		while (got < len) {
			ssize_t n = get_data(data);

			if (n <= 0 || got + (size_t)n > len || memcmp(data, line + got, (size_t)n))
				return false;
			got += (size_t)n;
		}
		left -= len;
	}
	close_notify();
	return true;
}

static bool fetch(void)
{
	uint8_t data[DATA_MAX];
	int len = snprintf((char *)data, sizeof(data), "GET %s HTTP/1.0\r\n\r\n", opt.get);
	FILE *f = fopen(opt.out, "w");
	ssize_t n;

	if (!f)
		die(opt.out, strerror(errno));
	n = put_data(data, (size_t)len) ? 1 : -1;
	while (n > 0 && (n = get_data(data)) > 0)
		fwrite(data, 1, (size_t)n, f);
	fclose(f);
	close_notify();
	return n == 0;
}

static void report_failure(const char *where)
{
	struct tls_result r;

	tls_result(&p.tls, &r);
	printf("failed errno=%s sent=%d got=%d: %s\n", where ? where : strerrorname_np(-r.err),
	       r.alert_sent == TLS_ALERT_NONE ? -1 : r.alert_sent, r.alert_received == TLS_ALERT_NONE ? -1 : r.alert_received,
	       r.reason);
}

static void report(void)
{
	struct tls_result r;

	tls_result(&p.tls, &r);
	printf("ok suite=%04x group=%04x retry=%d sig=%04x alpn=%.*s sni=%s sent=%zu received=%zu\n", r.suite, r.group,
	       p.tls.retry, r.sigscheme,
	       (int)r.alpn_len, r.alpn ? r.alpn : "", r.server_name ? r.server_name : "", p.sent, p.received);
}

int main(int argc, char **argv)
{
	bool ok = false;

	parse(argc, argv);
	if (crypto_init() || crypto_thread_init())
		die("crypto", "cannot start");
	load();
	open_socket();
	if (!handshake()) {
		report_failure(NULL);
	} else {
		tls_traffic(&p.tls, &p.traffic);
		p.aead = p.traffic.suite == TLS_AES_128_GCM_SHA256 ? AEAD_AES_128_GCM :
			 p.traffic.suite == TLS_AES_256_GCM_SHA384 ? AEAD_AES_256_GCM : AEAD_CHACHA20_POLY1305;
		ok = opt.http ? answer_http() : opt.server ? echo() : opt.get ? fetch() : talk();
		if (ok)
			report();
		else
			report_failure("data");
	}
	unload();
	close(p.fd);
	crypto_thread_exit();
	return ok ? 0 : 1;
}
