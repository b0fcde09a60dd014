// SPDX-License-Identifier: MIT
/*
 * A TLS 1.3 peer for interoperability tests: the engine over TCP sockets of its own; channel.c stands for the kernel's
 * TLS and the module. For each connection a line tells what was negotiated, or how it failed:
 *	ok suite=.. group=.. retry=0|1 sig=.. resumed=0|1 early=none|accepted|rejected:BYTES auth=.. alpn=.. sni=..
 *		sent=BYTES received=BYTES updates=FROM-THE-PEER peer=SUBJECT
 *	failed errno=.. sent=ALERT got=ALERT: why
 * errno=data: after the handshake, in what should have been application data.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/interop/options.h"
#include "tests/interop/sessions.h"
#include "tests/interop/talk.h"

#define PATIENCE_S	20	/* no test waits longer for the other side */
#define PAUSE_MS	500	/* between connections that wait for a server to be ready for early data */
#define STALE_MS	60000
#define TICKET_LIFETIME_S 3600

static struct options opt;

static struct peer {
	int listener;
	struct talk talk;
	struct tls_conn tls;
	struct tls_config config;
	struct tls_identity identity;
	struct sig_key *key;
	struct x509_anchors *anchors;
	uint8_t *chain;
	uint8_t alpn[TLS_ALPN_MAX];
	size_t alpn_len;
	struct tls_traffic traffic;
	size_t num;			/* of the connections before this one */
	bool early_accepted;
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

static void load_anchors(const char *path)
{
	char err[256], *pem;
	size_t len;

	pem = slurp(path, &len);
	if (x509_anchors_load(&p.anchors, pem, len, err, sizeof(err)))
		die(path, err);
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
	p.config.psk_modes = TLS_PSK_DHE_KE;
	p.config.num_tickets = 2;
	p.config.ticket_lifetime_s = TICKET_LIFETIME_S;
	p.config.ticket_early_data = opt.early || opt.early_once ? TALK_EARLY_MAX : 0;
	if (opt.ca)
		load_anchors(opt.ca);
	if (opt.client_ca) {
		load_anchors(opt.client_ca);
		p.config.client_auth = TLS_CLIENT_AUTH_REQUIRE;
	}
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

	shutdown(p.talk.ch.fd, SHUT_WR);
	while (recv(p.talk.ch.fd, unread, sizeof(unread), 0) > 0)
		continue;
	close(p.talk.ch.fd);
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
	n = recv(p.talk.ch.fd, w.p, w.room, w.greedy ? 0 : MSG_PEEK);
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
	const char *early = talk_early(&opt);
	struct tls_params params = {
		.role = opt.server ? TLS_SERVER : TLS_CLIENT, .config = &p.config, .alpn = p.alpn, .alpn_len = p.alpn_len,
		.now_ms = sessions_now_ms(), .tickets = &sessions_tickets,
		.accept_early = opt.early || (opt.early_once && p.num == 0),
	};
	static char name[X509_NAME_MAX + 1];

	params.sessions = sessions_offered(&params.num_sessions);
	if (!opt.server && opt.early && params.num_sessions) {
		params.early = (const uint8_t *)early;
		params.early_len = strlen(early);
	}
	if (!opt.server && !opt.any_name) {
		snprintf(name, sizeof(name), "%s", opt.name);
		if (x509_name_ok(name, &params.server_name_is_ip))
			die(name, "is no name");
		params.server_name = name;
	}
	tls_init(&p.tls, &params);
	tls_lend_rx(&p.tls, p.rx);
}

static void keep_early(void)
{
	const uint8_t *data;
	size_t len = tls_early_data(&p.tls, &data);

	if (!talk_keep_early(&p.talk, data, len))
		die("early data", "more than the ticket allows");
}

/* A client may find its handshake done before it thinks of early data. */
static void await_early(void)
{
	struct pollfd fd = { .fd = p.talk.ch.fd, .events = POLLIN };
	struct tls_result r;

	tls_result(&p.tls, &r);
	if (r.early == TLS_EARLY_ACCEPTED && p.talk.early_len == 0)
		poll(&fd, 1, PATIENCE_S * 1000);
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
		if (taken > 0 && recv(p.talk.ch.fd, NULL, taken, MSG_TRUNC) != (ssize_t)taken)
			die("recv", strerror(errno));
		peeked = peeked && !settled;
		if (opt.await_early && out.len > 0)
			await_early();
		channel_send_raw(&p.talk.ch, out.p, out.len);
		if (want == TLS_DONE || want == TLS_FAILED)
			return want == TLS_DONE;
		if (want == TLS_WANT_SIGN)
			sign();
		else if (want == TLS_EARLY_DATA)
			keep_early();
		else if (want == TLS_WANT_RX)
			peeked = receive();
	}
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
	const struct channel *ch = &p.talk.ch;

	printf("failed errno=data sent=? got=%d: %s\n", ch->alert ? ch->alert : -1, ch->error ? ch->error : "");
}

static void report(void)
{
	static const char *const early[] = {
		[TLS_EARLY_NONE] = "none", [TLS_EARLY_OFFERED] = "offered", [TLS_EARLY_ACCEPTED] = "accepted",
		[TLS_EARLY_REJECTED] = "rejected",
	};
	static const char *const auth[] = {
		[TLS_AUTH_NONE] = "none", [TLS_AUTH_CERTIFICATE] = "certificate", [TLS_AUTH_PSK] = "psk",
	};
	struct tls_result r;

	tls_result(&p.tls, &r);
	printf("ok suite=%04x group=%04x retry=%d sig=%04x resumed=%d early=%s:%u auth=%s alpn=%.*s sni=%s sent=%zu "
	       "received=%zu updates=%u peer=%s\n",
	       r.suite, r.group, p.tls.retry, r.sigscheme, r.resumed, early[r.early], r.early_bytes, auth[r.auth],
	       (int)r.alpn_len, r.alpn ? r.alpn : "", r.server_name ? r.server_name : "", p.talk.sent,
	       p.talk.received, p.talk.ch.num_updates_total, r.peer_subject ? r.peer_subject : "");
}

static bool exchange(void)
{
	struct tls_result r;

	tls_result(&p.tls, &r);
	p.early_accepted = r.early == TLS_EARLY_ACCEPTED;
	p.talk.early_taken = !opt.server && p.early_accepted;
	tls_traffic(&p.tls, &p.traffic);
	channel_open(&p.talk.ch, &p.traffic, opt.server ? TLS_SERVER : TLS_CLIENT);
	if (!opt.server) {
		sessions_begin(&p.tls, opt.stale ? STALE_MS : 0);
		p.talk.ch.ticket = sessions_take;
	}
	if (!talk_run(&p.talk, &opt)) {
		report_data_failure();
		return false;
	}
	report();
	return true;
}

static bool connection(void)
{
	bool ok;

	p.talk.ch.fd = connected_socket();
	ok = handshake();
	if (ok)
		ok = exchange();
	else
		report_failure();
	close_socket();
	fflush(stdout);
	tls_wipe(&p.tls);
	wipe(&p.talk, sizeof(p.talk));
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
	for (; ok && p.num < opt.num_connections && !(opt.until_accepted && p.early_accepted); p.num++) {
		if (opt.until_accepted && p.num > 1)
			usleep(PAUSE_MS * 1000);
		ok = connection();
	}
	sessions_wipe();
	unload();
	crypto_thread_exit();
	return ok ? 0 : 1;
}
