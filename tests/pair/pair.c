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

void pair_add_identity(struct pair *p, enum tls_role role, const char *cert)
{
	struct side *s = &p->side[role];
	size_t n = s->config.num_identities, len;
	char file[64], err[256];
	struct der leaf;
	char *pem;

	assert_true(n < IDENTITIES_MAX);
	snprintf(file, sizeof(file), "%s.pem", cert);
	pem = read_cert(file, &len);
	assert_int_equal(x509_chain_load(&s->chains[n], &s->identities[n].chain_len, &leaf, &s->identities[n].type, pem,
					 len, err, sizeof(err)), 0);
	free(pem);
	snprintf(file, sizeof(file), "%s.key", cert);
	pem = read_cert(file, &len);
	assert_int_equal(sig_key_load(&s->keys[n], pem, len, err, sizeof(err)), 0);
	free(pem);
	s->identities[n].chain = s->chains[n];
	assert_int_equal(x509_chain_facts(&s->facts[n], s->chains[n], s->identities[n].chain_len), 0);
	memcpy(s->identities[n].cert_schemes, s->facts[n].schemes, sizeof(s->facts[n].schemes));
	s->identities[n].num_cert_schemes = s->facts[n].num_schemes;
	s->identities[n].issuers = s->facts[n].issuers;
	s->identities[n].issuers_len = s->facts[n].issuers_len;
	s->identities[n].key_id = (uint32_t)n;
	s->config.identities = s->identities;
	s->config.num_identities++;
}

static void drop_identities(struct side *s)
{
	for (size_t i = 0; i < IDENTITIES_MAX; i++) {
		free(s->chains[i]);
		x509_facts_free(&s->facts[i]);
		sig_key_free(s->keys[i]);
	}
	memset(s->chains, 0, sizeof(s->chains));
	memset(s->keys, 0, sizeof(s->keys));
	memset(s->identities, 0, sizeof(s->identities));
	s->config.num_identities = 0;
}

void pair_identity(struct pair *p, const char *cert)
{
	drop_identities(&p->side[TLS_SERVER]);
	pair_add_identity(p, TLS_SERVER, cert);
}

void pair_client_auth(struct pair *p, enum tls_client_auth auth, const char *cert)
{
	p->side[TLS_SERVER].config.client_auth = auth;
	p->side[TLS_SERVER].config.anchors = pair_anchors();
	if (cert)
		pair_add_identity(p, TLS_CLIENT, cert);
}

void pair_external(struct pair *p, const char *identity, enum hash_id hash)
{
	for (int role = 0; role < 2; role++) {
		struct side *s = &p->side[role];

		memset(s->psk, 0x5a, sizeof(s->psk));
		s->external = (struct tls_external){ (const uint8_t *)identity, strlen(identity), hash, 77 };
		s->config.externals = &s->external;
		s->config.num_externals = 1;
		s->config.psk_modes = TLS_PSK_DHE_KE;
	}
}

static void keep_line(void *arg, const char *line)
{
	struct side *s = arg;

	assert_true(s->num_keylog < NUM(s->keylog) && strlen(line) < sizeof(s->keylog[0]));
	strcpy(s->keylog[s->num_keylog++], line);
}

void pair_keylog(struct pair *p)
{
	for (int role = 0; role < 2; role++) {
		p->side[role].params.keylog = keep_line;
		p->side[role].params.keylog_arg = &p->side[role];
	}
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
		s->params = (struct tls_params){
			.role = (enum tls_role)role, .config = &s->config, .now_ms = time(NULL) * 1000LL,
		};
		s->in = malloc(STREAM_MAX);
		s->early = malloc(STREAM_MAX);
		s->rx = malloc(TLS_RX_CAP);
		s->tx_cap = TLS_TX_CAP;
		s->out = malloc(TLS_TX_CAP);
	}
	p->side[TLS_CLIENT].config.anchors = pair_anchors();
	pair_identity(p, cert);
	pair_name(p, "localhost");
}

void pair_again(struct pair *p)
{
	for (int role = 0; role < 2; role++) {
		struct side *s = &p->side[role];

		if (s->started)
			tls_wipe(&s->c);
		s->in_at = s->in_len = s->early_len = s->num_keylog = 0;
		s->started = s->peeked = s->eof = false;
		memset(s->num_signed, 0, sizeof(s->num_signed));
	}
}

void pair_free(struct pair *p)
{
	for (int role = 0; role < 2; role++) {
		struct side *s = &p->side[role];

		if (s->started)
			tls_wipe(&s->c);
		drop_identities(s);
		free(s->early);
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

/* ---- the signer ---- */

static size_t sign_certificate(struct side *s, const struct tls_sign_req *req, uint8_t *out)
{
	uint8_t input[TLS_SIGN_INPUT_MAX];
	size_t len, sig_len = 0;

	assert_ptr_equal(req->identity, &s->identities[req->identity->key_id]);
	len = tls_sign_input(input, s->params.role, req->hash, req->hash_len);
	assert_int_equal(sig_sign(s->keys[req->identity->key_id], req->scheme, out, &sig_len, input, len), 0);
	return sig_len;
}

static size_t make_binder(struct side *s, const struct tls_sign_req *req, uint8_t *out)
{
	enum hash_id hash = req->external->hash;

	assert_ptr_equal(req->external, &s->external);
	assert_int_equal(req->hash_len, hash_len(hash));
	tls_psk_binder(out, hash, s->psk, sizeof(s->psk), req->hash);
	return hash_len(hash);
}

static size_t make_handshake_secret(struct side *s, const struct tls_sign_req *req, uint8_t *out)
{
	assert_ptr_equal(req->external, &s->external);
	tls_psk_handshake_secret(out, req->external->hash, s->psk, sizeof(s->psk), req->dhe, req->dhe_len);
	return hash_len(req->external->hash);
}

static void sign(struct side *s)
{
	static size_t (*const ops[])(struct side *s, const struct tls_sign_req *req, uint8_t *out) = {
		[TLS_SIGN_CERTIFICATE] = sign_certificate,
		[TLS_SIGN_BINDER] = make_binder,
		[TLS_SIGN_HANDSHAKE_SECRET] = make_handshake_secret,
	};
	struct tls_sign_req req;
	uint8_t answer[SIG_MAX];
	size_t len = 0;

	tls_sign_request(&s->c, &req);
	if (!s->bad_signer)
		len = ops[req.op](s, &req, answer);
	s->num_signed[req.op]++;
	tls_sign_answer(&s->c, answer, len);
	wipe(&req, sizeof(req));
	wipe(answer, sizeof(answer));
}

/* ---- turns ---- */

static size_t record_len(const uint8_t *rec)
{
	return RECORD_HEADER_LEN + (size_t)(rec[3] << 8 | rec[4]);
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
	if (p->reads == PAIR_RECORDS && n >= RECORD_HEADER_LEN && n > record_len(s->in + s->in_at))
		n = record_len(s->in + s->in_at);
	if (p->chunk && n > p->chunk)
		n = p->chunk;
	if (n > w.room)
		n = w.room;
	if (n) {
		memcpy(w.p, s->in + s->in_at, n);
		s->peeked = !w.greedy;
		s->in_at += s->peeked ? 0 : n;
		tls_rx_filled(&s->c, n);
		s->rx_peak = s->c.rx.high > s->rx_peak ? s->c.rx.high : s->rx_peak;
		return true;
	}
	if (tls_rx_idle(&s->c))
		tls_take_rx(&s->c);
	return false;
}

static void take_early(struct side *s)
{
	const uint8_t *data;
	size_t len = tls_early_data(&s->c, &data);

	assert_true(len > 0 && s->early_len + len <= STREAM_MAX);
	assert_false(tls_rx_idle(&s->c));	/* it is in the buffer */
	memcpy(s->early + s->early_len, data, len);
	s->early_len += len;
}

static void deliver(struct pair *p, enum tls_role from)
{
	if (p->tamper && p->wire_len)
		p->tamper(p, from, p->wire, &p->wire_len);
	side_give(&p->side[!from], p->wire, p->wire_len);
	p->wire_len = 0;
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
	s->tx_peak = out.len > s->tx_peak ? out.len : s->tx_peak;
	if (s->want == TLS_EARLY_DATA)
		take_early(s);
	if (s->peeked && (s->want == TLS_WANT_RX || s->want == TLS_DONE || s->want == TLS_FAILED)) {
		assert_true(tls_rx_taken(&s->c) <= s->in_len - s->in_at);
		s->in_at += tls_rx_taken(&s->c);
		s->peeked = false;
	}
	moved = out.len || s->want != TLS_WANT_TX;
	assert_true(moved);
	assert_true(p->wire_len + out.len <= STREAM_MAX);
	memcpy(p->wire + p->wire_len, out.p, out.len);
	p->wire_len += out.len;
	if (p->reads != PAIR_FLIGHTS)
		deliver(p, role);
	return true;
}

/* All that a side can do before the other does something. */
static bool turns(struct pair *p, enum tls_role role)
{
	bool moved = turn(p, role);

	if (p->reads != PAIR_FLIGHTS)
		return moved;
	while (turn(p, role))
		moved = true;
	deliver(p, role);
	return moved;
}

void pair_run(struct pair *p)
{
	bool client, server;

	do {
		client = turns(p, TLS_CLIENT);
		server = turns(p, TLS_SERVER);
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
	assert_true(client.tx.seq == 0 && client.rx.seq == 0);
	client.rx.seq = server.tx.seq;		/* tickets may be on their way */
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

static int start(void **state)
{
	(void)state;
	return crypto_init() || crypto_thread_init();
}

static int stop(void **state)
{
	(void)state;
	x509_anchors_free(pair_anchors());
	crypto_thread_exit();
	return 0;
}

int pair_main(const struct CMUnitTest *tests, size_t num)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return _cmocka_run_group_tests("pair", tests, num, start, stop);
}
