// SPDX-License-Identifier: MIT
/* This project's engine, with buffers lent as the daemon lends them: one per thread, taken back when idle. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine.h"
#include "tlshd/tls/tls_conn.h"

struct side {
	struct tls_conn c;
	bool done;
};

static struct tls_config configs[2];
static struct tls_identity identity;
static struct sig_key *key;
static struct x509_cache *chains;
static uint8_t rx[2][TLS_RX_CAP], tx[TLS_TX_CAP];
static size_t rx_peak, tx_peak;

static const char *version(void)
{
	return "this tree";
}

static bool load(const struct bench_case *what)
{
	char err[256];
	size_t len, chain_len;
	struct der leaf;
	uint8_t *chain = NULL;
	struct x509_anchors *anchors;
	char *crt = bench_read(what, ".crt", &len);
	bool ok = crt && !x509_chain_load(&chain, &chain_len, &leaf, &identity.type, crt, len, err, sizeof(err));
	char *pem = bench_read(what, ".key", &len);
	char *ca;

	ok = ok && pem && !sig_key_load(&key, pem, len, err, sizeof(err));
	ca = bench_read(what, "-ca.crt", &len);
	ok = ok && ca && !x509_anchors_load(&anchors, ca, len, err, sizeof(err));
	if (ok) {
		identity.chain = chain;
		identity.chain_len = chain_len;
		configs[BENCH_CLIENT].anchors = anchors;
	}
	free(crt);
	free(pem);
	free(ca);
	return ok;
}

static bool setup(const struct bench_case *what)
{
	if (crypto_init() || crypto_thread_init() || !load(what))
		return false;
	for (int role = 0; role < 2; role++) {
		configs[role].suites[0] = case_suite(what);
		configs[role].groups[0] = case_group(what);
		configs[role].num_suites = configs[role].num_groups = 1;
		configs[role].no_ccs = true;
	}
	if (what->remember && !(chains = x509_cache_new()))
		return false;
	configs[BENCH_SERVER].identities = &identity;
	configs[BENCH_SERVER].num_identities = 1;
	return true;
}

static void *open_conn(enum bench_role role)
{
	struct tls_params params = {
		.role = role == BENCH_SERVER ? TLS_SERVER : TLS_CLIENT,
		.config = &configs[role],
		.server_name = role == BENCH_SERVER ? NULL : "localhost",
		.now_ms = time(NULL) * 1000LL,
		.chains = chains,
	};
	struct side *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	tls_init(&s->c, &params);
	s->done = false;
	return s;
}

static void sign(struct tls_conn *c)
{
	struct tls_sign_req req;
	uint8_t msg[TLS_SIGN_INPUT_MAX], sig[SIG_MAX];
	size_t len, sig_len = 0;

	tls_sign_request(c, &req);
	len = tls_sign_input(msg, TLS_SERVER, req.hash, req.hash_len);
	if (sig_sign(key, req.scheme, sig, &sig_len, msg, len))
		sig_len = 0;
	tls_sign_answer(c, sig, sig_len);
}

static void fill(struct tls_conn *c, struct wire *in)
{
	struct tls_window w;

	if (!c->rx.p)
		tls_lend_rx(c, rx[c->params.role == TLS_SERVER]);
	tls_rx_window(c, &w);
	tls_rx_filled(c, wire_take(in, w.p, w.room));
	if (c->rx.raw_end > rx_peak && c->params.role == TLS_SERVER)
		rx_peak = c->rx.raw_end;
}

static enum tls_want advance(struct tls_conn *c, struct wire *out)
{
	struct tls_out o = { .p = tx, .cap = sizeof(tx) };
	enum tls_want want = tls_advance(c, &o);

	if (o.len > tx_peak && c->params.role == TLS_SERVER)
		tx_peak = o.len;
	return wire_put(out, o.p, o.len) ? want : TLS_FAILED;
}

static int step(void *conn, struct wire *in, struct wire *out)
{
	struct side *s = conn;
	struct tls_traffic traffic;
	enum tls_want want = TLS_WANT_RX;

	while (!s->done && (want = advance(&s->c, out)) != TLS_FAILED) {
		if (want == TLS_WANT_SIGN) {
			sign(&s->c);
		} else if (want == TLS_WANT_RX) {
			if (in->at == in->len)
				break;
			fill(&s->c, in);
		} else if (want == TLS_DONE) {
			tls_traffic(&s->c, &traffic);
			wipe(&traffic, sizeof(traffic));
			s->done = true;
		}
	}
	if (s->c.rx.p && tls_rx_idle(&s->c))
		tls_take_rx(&s->c);
	return s->done ? 1 : want == TLS_FAILED ? -1 : 0;
}

static void close_conn(void *conn)
{
	struct side *s = conn;

	if (s->c.rx.p)
		tls_take_rx(&s->c);
	tls_wipe(&s->c);
	free(s);
}

static const char *detail(void)
{
	static char text[128];

	snprintf(text, sizeof(text), "sizeof(struct tls_conn)=%zu rx-peak=%zu tx-peak=%zu", sizeof(struct tls_conn), rx_peak, tx_peak);
	return text;
}

const struct bench_peer bench_peer = {
	.name = "tlshd", .version = version, .setup = setup, .open = open_conn, .step = step, .close = close_conn, .detail = detail,
};
