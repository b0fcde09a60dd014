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
#include <time.h>
#include <unistd.h>

#include "tests/bogo/channel.h"
#include "tests/bogo/exporter.h"
#include "tests/bogo/options.h"
#include "tests/bogo/tokens.h"
#include "tests/bogo/trust.h"

#define PATIENCE_S	20
#define READ_SIZE	512
#define GREETING	"hello"
#define DECOMPRESSION_FAILURE 30	/* of TLS 1.2: an alert that nothing else here sends */

static struct options opt;

static struct shim {
	struct channel ch;
	struct tls_conn tls;
	struct tls_config config;
	struct tls_identity identity;
	struct tls_traffic traffic;
	struct sig_key *key;
	uint8_t *chain;
	uint8_t alpn[TLS_ALPN_MAX];
	size_t alpn_len;
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

/* ---- policy ---- */

static char *slurp(const char *path, size_t *len)
{
	char *text = malloc(1 << 16);
	FILE *f = fopen(path, "r");

	if (!f || !text)
		die(path, strerror(errno));
	*len = fread(text, 1, 1 << 16, f);
	fclose(f);
	return text;
}

static void load_identity(void)
{
	struct der leaf;
	char err[256], *pem;
	size_t len;

	pem = slurp(opt.cert, &len);
	if (x509_chain_load(&s.chain, &s.identity.chain_len, &leaf, &s.identity.type, pem, len, err, sizeof(err)))
		options_unimplemented(err);
	free(pem);
	pem = slurp(opt.key, &len);
	if (sig_key_load(&s.key, pem, len, err, sizeof(err)))
		options_unimplemented(err);
	free(pem);
	s.identity.chain = s.chain;
	s.config.identities = &s.identity;
	s.config.num_identities = 1;
}

static void load_anchors(void)
{
	char err[256], *pem;
	size_t len;

	pem = slurp(opt.trust, &len);
	if (x509_anchors_load(&trust_anchors, pem, len, err, sizeof(err)))
		options_unimplemented(err);
	free(pem);
}

static void add_alpn(const char *name, size_t len)
{
	s.alpn[s.alpn_len++] = (uint8_t)len;
	memcpy(s.alpn + s.alpn_len, name, len);
	s.alpn_len += len;
}

static void load_alpn(void)
{
	static const char unheard[] = "unheard-of";

	if (opt.advertise_alpn && strlen(opt.advertise_alpn) > TLS_ALPN_MAX)
		options_unimplemented("long list of -advertise-alpn");
	if (!opt.server && opt.advertise_alpn) {
		s.alpn_len = strlen(opt.advertise_alpn);
		memcpy(s.alpn, opt.advertise_alpn, s.alpn_len);
	}
	if (opt.server && opt.reject_alpn)
		add_alpn(unheard, strlen(unheard));
	else if (opt.server && opt.select_alpn && !opt.decline_alpn)
		add_alpn(opt.select_alpn, strlen(opt.select_alpn));
}

static void load(void)
{
	static const uint16_t suites[] = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 };
	static const uint16_t groups[] = { 0x001d, 0x0017, 0x0018 };

	memcpy(s.config.suites, suites, sizeof(suites));
	s.config.num_suites = sizeof(suites) / sizeof(*suites);
	memcpy(s.config.groups, groups, sizeof(groups));
	s.config.num_groups = sizeof(groups) / sizeof(*groups);
	if (opt.num_groups) {
		memcpy(s.config.groups, opt.groups, sizeof(opt.groups));
		s.config.num_groups = opt.num_groups;
	}
	s.config.strict_groups = opt.expect_hrr;	/* BoringSSL goes by its own order alone */
	s.config.anchors = trust_placeholder();
	if (opt.verify_fail)
		trust_nobody = opt.custom_verify ? ALERT_CERTIFICATE_UNKNOWN : ALERT_HANDSHAKE_FAILURE;
	load_alpn();
	if (opt.trust)
		load_anchors();
	if (opt.server)
		load_identity();
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
		.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)opt.port), .sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
	struct sockaddr_in v4 = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	uint64_t id;

	s.ch.fd = opt.ipv6 || !opt.shim_id ? try_connect((struct sockaddr *)&v6, sizeof(v6)) : -1;
	if (s.ch.fd < 0 && !opt.ipv6)
		s.ch.fd = try_connect((struct sockaddr *)&v4, sizeof(v4));
	if (s.ch.fd < 0)
		die("connect", strerror(errno));
	if (!opt.shim_id)
		return;
	id = htole64(strtoull(opt.shim_id, NULL, 10));
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
	len = tls_sign_input(input, opt.server ? TLS_SERVER : TLS_CLIENT, req.hash, req.hash_len);
	if (sig_sign(s.key, req.scheme, sig, &sig_len, input, len))
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

static bool handshake(void)
{
	struct tls_params params = {
		.role = opt.server ? TLS_SERVER : TLS_CLIENT, .config = &s.config, .server_name = opt.host_name,
		.alpn = s.alpn, .alpn_len = s.alpn_len, .now_ms = time(NULL) * 1000LL,
	};
	uint8_t taken[TLS_RX_CAP];
	bool peeked = false;

	tls_init(&s.tls, &params);
	tls_lend_rx(&s.tls, s.rx);
	for (;;) {
		struct tls_out out = { s.tx, sizeof(s.tx), 0 };
		enum tls_want want = tls_advance(&s.tls, &out);
		bool settled = want == TLS_WANT_RX || want == TLS_DONE || want == TLS_FAILED;

		if (peeked && settled && tls_rx_taken(&s.tls) > 0 &&
		    recv(s.ch.fd, taken, tls_rx_taken(&s.tls), MSG_WAITALL) != (ssize_t)tls_rx_taken(&s.tls))
			die("recv", strerror(errno));
		peeked = peeked && !settled;
		channel_send_raw(&s.ch, out.p, out.len);
		if (want == TLS_DONE || want == TLS_FAILED)
			return want == TLS_DONE;
		if (want == TLS_WANT_SIGN)
			sign();
		else if (want == TLS_WANT_RX)
			peeked = receive();
	}
}

static bool report_failure(void)
{
	const char *missing;
	struct tls_result r;

	tls_result(&s.tls, &r);
	missing = token_unimplemented(&r);
	if (missing && !opt.only_tls13 && opt.min_version < VERSION_TLS13) {
		close_socket();
		options_unimplemented(missing);
	}
	fprintf(stderr, "%s %s\n", token_of(&r), r.reason);
	return false;
}

/* What was negotiated, against the expectations that the runner cannot check itself. */
static bool check_result(void)
{
	const char *alpn = opt.server ? opt.select_alpn : opt.expect_alpn;
	struct tls_result r;

	tls_result(&s.tls, &r);
	if (opt.expect_group && opt.expect_group != r.group)
		return complain("shim: wrong group");
	if ((opt.expect_hrr && !s.tls.retry) || (opt.expect_no_hrr && s.tls.retry))
		return complain("shim: HelloRetryRequest or none");
	if (opt.expect_scheme && !opt.server && opt.expect_scheme != r.sigscheme)
		return complain("shim: wrong signature scheme");
	if (opt.expect_server_name && (!r.server_name || strcmp(opt.expect_server_name, r.server_name)))
		return complain("shim: wrong server name");
	if (!alpn)
		alpn = "";
	if (r.alpn_len != strlen(alpn) || memcmp(r.alpn ? r.alpn : "", alpn, r.alpn_len))
		return complain("shim: wrong application protocol");
	return true;
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
	uint8_t out[EXPORT_MAX];

	exporter_derive(out, opt.export_len, &s.traffic, opt.export_label ? opt.export_label : "",
			opt.export_context ? opt.export_context : "");
	return channel_write(&s.ch, out, opt.export_len);
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

static bool echo(void)
{
	size_t size = opt.read_size ? opt.read_size : READ_SIZE;
	uint8_t *data = malloc(size);
	ssize_t n;

	if (!data)
		abort();
	while ((n = channel_read(&s.ch, data, size)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			data[i] ^= 0xff;
		if ((opt.key_update && !channel_update_keys(&s.ch, false)) || !channel_write(&s.ch, data, (size_t)n))
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
	if ((opt.export_len && !send_exported()) || (opt.traffic_secrets && !send_secrets()))
		return failed_channel();
	if (opt.send_alert)
		return channel_alert(&s.ch, DECOMPRESSION_FAILURE);
	if (opt.record_sizes)
		return send_sizes() || failed_channel();
	if (opt.writes_first && !channel_write(&s.ch, (const uint8_t *)GREETING, strlen(GREETING)))
		return failed_channel();
	if (!opt.shuts_down && !echo())
		return false;
	channel_alert(&s.ch, ALERT_CLOSE_NOTIFY);
	if (opt.shuts_down && opt.check_close && !await_close())
		return false;
	if (opt.no_session && s.ch.num_tickets)
		return complain("shim: a ticket where none was expected");
	return true;
}

static bool connection(void)
{
	bool ok = handshake() || report_failure();

	if (!ok || !check_result())
		return false;
	tls_traffic(&s.tls, &s.traffic);
	channel_open(&s.ch, &s.traffic, opt.server ? TLS_SERVER : TLS_CLIENT);
	return exchange();
}

int main(int argc, char **argv)
{
	bool ok;

	options_parse(&opt, argc, argv);
	if (opt.handshaker_supported) {
		puts("No");
		return EXIT_PASS;
	}
	if (crypto_init() || crypto_thread_init())
		die("crypto", "cannot start");
	s.ch.bytewise = opt.async;
	load();
	open_socket();
	ok = connection();
	close_socket();
	tls_wipe(&s.tls);
	channel_wipe(&s.ch);
	wipe(&s.traffic, sizeof(s.traffic));
	sig_key_free(s.key);
	x509_anchors_free(trust_anchors);
	free(s.chain);
	crypto_thread_exit();
	return ok ? EXIT_PASS : EXIT_FAIL;
}
