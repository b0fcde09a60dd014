// SPDX-License-Identifier: MIT
#include "pair.h"

#include <time.h>

static struct x509_anchors *anchors;

struct x509_anchors *pair_anchors(void)
{
	char err[256];
	size_t len;
	char *pem;

	if (anchors)
		return anchors;
	pem = read_cert("root.crt", &len);
	assert_int_equal(x509_anchors_load(&anchors, pem, len, err, sizeof(err)), 0);
	free(pem);
	return anchors;
}

void pair_identity(struct pair *p, const char *cert)
{
	struct side *s = &p->side[TLS_SERVER];
	char file[64], err[256];
	struct der leaf;
	size_t len;
	char *pem;

	free(s->chain);
	sig_key_free(s->key);
	snprintf(file, sizeof(file), "%s.pem", cert);
	pem = read_cert(file, &len);
	assert_int_equal(x509_chain_load(&s->chain, &s->identity.chain_len, &leaf, &s->identity.type, pem, len, err,
					 sizeof(err)), 0);
	free(pem);
	snprintf(file, sizeof(file), "%s.key", cert);
	pem = read_cert(file, &len);
	assert_int_equal(sig_key_load(&s->key, pem, len, err, sizeof(err)), 0);
	free(pem);
	s->identity.chain = s->chain;
	s->config.identities = &s->identity;
	s->config.num_identities = 1;
}

void pair_name(struct pair *p, const char *name)
{
	struct side *s = &p->side[TLS_CLIENT];

	snprintf(s->name, sizeof(s->name), "%s", name);
	assert_int_equal(x509_name_ok(s->name, &s->params.server_name_is_ip), 0);
	s->params.server_name = s->name;
}

void pair_alpn(struct pair *p, enum tls_role role, const char *wire)
{
	p->side[role].params.alpn = (const uint8_t *)wire;
	p->side[role].params.alpn_len = strlen(wire);
}

void pair_steps(struct pair *p, enum tls_role role)
{
	hs_step *const *from = role == TLS_CLIENT ? client_steps : server_steps;
	size_t i = 0;

	do {
		assert_true(i < NUM(p->side[role].steps));
		p->side[role].steps[i] = from[i];
	} while (from[i++]);
}

void pair_init(struct pair *p, const char *cert)
{
	memset(p, 0, sizeof(*p));
	p->wire = malloc(STREAM_MAX);
	for (int role = 0; role < 2; role++) {
		struct side *s = &p->side[role];

		s->config = (struct tls_config){
			.suites = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 },
			.num_suites = 3, .groups = { 0x001d, 0x0017 }, .num_groups = 2,
		};
		s->params = (struct tls_params){ .role = (enum tls_role)role, .config = &s->config, .now_ms = time(NULL) * 1000LL };
		s->in = malloc(STREAM_MAX);
		s->rx = malloc(TLS_RX_CAP);
		s->tx_cap = TLS_TX_CAP;
		s->out = malloc(TLS_TX_CAP);
	}
	p->side[TLS_CLIENT].config.anchors = pair_anchors();
	pair_identity(p, cert);
	pair_name(p, "localhost");
}

void pair_free(struct pair *p)
{
	for (int role = 0; role < 2; role++) {
		struct side *s = &p->side[role];

		if (s->started)
			tls_wipe(&s->c);
		sig_key_free(s->key);
		free(s->chain);
		free(s->in);
		free(s->rx);
		free(s->out);
	}
	free(p->wire);
}

void side_give(struct side *s, const void *p, size_t len)
{
	assert_true(s->in_len + len <= STREAM_MAX);
	memcpy(s->in + s->in_len, p, len);
	s->in_len += len;
}

static void sign(struct side *s)
{
	uint8_t input[TLS_SIGN_INPUT_MAX], sig[SIG_MAX];
	struct tls_sign_req req;
	size_t len, sig_len = 0;

	tls_sign_request(&s->c, &req);
	len = tls_sign_input(input, s->params.role, req.hash, req.hash_len);
	assert_ptr_equal(req.identity, &s->identity);
	if (!s->bad_signer)
		assert_int_equal(sig_sign(s->key, req.scheme, sig, &sig_len, input, len), 0);
	tls_sign_answer(&s->c, sig, sig_len);
}

/* Return: whether anything was read. */
static bool receive(struct pair *p, struct side *s)
{
	struct tls_window w;
	size_t n = s->in_len - s->in_at;

	if (!s->c.rx.p)
		tls_lend_rx(&s->c, s->rx);
	tls_rx_window(&s->c, &w);
	assert_true(w.room > 0);
	if (!n && s->eof) {
		tls_rx_eof(&s->c);
		s->eof = false;
		return true;
	}
	if (p->chunk && n > p->chunk)
		n = p->chunk;
	if (n > w.room)
		n = w.room;
	if (n) {
		memcpy(w.p, s->in + s->in_at, n);
		s->peeked = !w.greedy;
		s->in_at += s->peeked ? 0 : n;
		tls_rx_filled(&s->c, n);
		return true;
	}
	if (tls_rx_idle(&s->c))
		tls_take_rx(&s->c);
	return false;
}

/* One turn of a side; whether it moved. */
static bool turn(struct pair *p, enum tls_role role)
{
	struct side *s = &p->side[role];
	struct tls_out out = { .p = s->out, .cap = s->tx_cap };
	bool moved;

	if (!s->started) {
		tls_init(&s->c, &s->params);
		if (s->steps[0])
			s->c.step = s->steps;
		s->started = true;
	} else if (s->want == TLS_DONE || s->want == TLS_FAILED) {
		return false;
	} else if (s->want == TLS_WANT_RX && !receive(p, s)) {
		return false;
	} else if (s->want == TLS_WANT_SIGN) {
		sign(s);
	}
	s->want = tls_advance(&s->c, &out);
	assert_true(out.len <= out.cap);
	if (s->peeked) {
		assert_true(tls_rx_taken(&s->c) <= s->in_len - s->in_at);
		s->in_at += tls_rx_taken(&s->c);
		s->peeked = false;
	}
	moved = out.len || s->want != TLS_WANT_TX;
	assert_true(moved);
	memcpy(p->wire, out.p, out.len);
	if (p->tamper && out.len)
		p->tamper(p, role, p->wire, &out.len);
	side_give(&p->side[!role], p->wire, out.len);
	return true;
}

void pair_run(struct pair *p)
{
	bool client, server;

	do {
		client = turn(p, TLS_CLIENT);
		server = turn(p, TLS_SERVER);
	} while (client || server);
}

static const char *reason(struct side *s)
{
	struct tls_result r;

	tls_result(&s->c, &r);
	return r.reason;
}

void assert_open(struct pair *p)
{
	struct tls_traffic client, server;

	for (int role = 0; role < 2; role++)
		if (p->side[role].want != TLS_DONE)
			fail_msg("%s: want %d, reason \"%s\"", role == TLS_CLIENT ? "client" : "server",
				 p->side[role].want, reason(&p->side[role]));
	tls_traffic(&p->side[TLS_CLIENT].c, &client);
	tls_traffic(&p->side[TLS_SERVER].c, &server);
	assert_int_equal(client.suite, server.suite);
	assert_memory_equal(&client.tx, &server.rx, sizeof(client.tx));
	assert_memory_equal(&client.rx, &server.tx, sizeof(client.rx));
	assert_memory_not_equal(&client.rx, &client.tx, sizeof(client.rx));
	assert_memory_equal(client.exporter_secret, server.exporter_secret, HASH_MAX);
}

void assert_refused(struct pair *p, enum tls_role by, uint16_t alert, const char *words)
{
	struct tls_result mine, theirs;

	tls_result(&p->side[by].c, &mine);
	tls_result(&p->side[!by].c, &theirs);
	if (p->side[by].want != TLS_FAILED || mine.alert_sent != alert || (words && !strstr(mine.reason, words)))
		fail_msg("want %d, alert sent %u instead of %u, \"%s\" instead of \"%s\"; peer: \"%s\"",
			 p->side[by].want, mine.alert_sent, alert, mine.reason, words ? words : "", theirs.reason);
	assert_int_not_equal(mine.err, 0);
	assert_int_equal(mine.alert_received, TLS_ALERT_NONE);
}

size_t pair_step(struct pair *p, enum tls_role role, hs_step *step)
{
	size_t i = 0;

	while (p->side[role].steps[i] != step)
		assert_non_null(p->side[role].steps[i++]);
	return i;
}

void pair_insert(struct pair *p, enum tls_role role, size_t at, hs_step *step)
{
	hs_step **steps = p->side[role].steps;

	for (size_t i = NUM(p->side[role].steps) - 1; i > at; i--)
		steps[i] = steps[i - 1];
	steps[at] = step;
}

void pair_remove(struct pair *p, enum tls_role role, size_t at)
{
	hs_step **steps = p->side[role].steps;

	for (; steps[at]; at++)
		steps[at] = steps[at + 1];
}
