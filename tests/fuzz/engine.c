// SPDX-License-Identifier: MIT
#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#ifdef TLSHD_FUZZ_UNSAFE
#include "unsafe.h"
#endif

#define NOW		1800000000	/* 2027: the test certificates' time */
#define TICKET_MARK	0x54

struct engine_end engine_ends[2];

void engine_require(bool ok)
{
	if (!ok)
		abort();
}

/* ---- randomness: each draw is the same, so that what a peer echoes fits whenever it is drawn ---- */

static const char *random_name(void)
{
	return "fixed";
}

static uint32_t random_32(void)
{
	return 0x21212121;
}

static void random_buf(void *out, const size_t len)
{
	memset(out, 0x21, len);
}

static struct randombytes_implementation fixed_random = {
	.implementation_name = random_name, .random = random_32, .buf = random_buf,
};

/* ---- what both ends are configured with ---- */

static const uint8_t external_key[32] = "a key of 256 bits for the tests";
static const struct tls_external external = {
	.identity = (const uint8_t *)"external", .identity_len = 8, .hash = HASH_SHA256, .key_id = 1,
};
static struct tls_identity identity;
static struct sig_key *key;
static struct x509_anchors *anchors;
static struct tls_config configs[2];

static char *slurp(const char *dir, const char *name, size_t *len)
{
	static char path[4096], pem[65536];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	engine_require(f != NULL);
	*len = fread(pem, 1, sizeof(pem), f);
	fclose(f);
	return pem;
}

static void load_anchors(const char *dir, const char *name)
{
	char err[256];
	size_t len;
	char *pem = slurp(dir, name, &len);

	engine_require(x509_anchors_load(&anchors, pem, len, err, sizeof(err)) == 0);
}

#ifdef TLSHD_FUZZ_UNSAFE
static void load_identity(const char *certs)
{
	engine_require(!certs);
	identity.chain = unsafe_chain;
	identity.chain_len = unsafe_chain_len;
	identity.type = SIG_TYPE_ED25519;
	load_anchors("tests/fuzz", "root.pem");
}
#else
static void load_identity(const char *certs)
{
	struct der leaf;
	uint8_t *chain;
	char err[256], *pem;
	size_t len;

	pem = slurp(certs, "ed25519.pem", &len);
	engine_require(x509_chain_load(&chain, &identity.chain_len, &leaf, &identity.type, pem, len, err, sizeof(err)) == 0);
	identity.chain = chain;
	pem = slurp(certs, "ed25519.key", &len);
	engine_require(sig_key_load(&key, pem, len, err, sizeof(err)) == 0);
	load_anchors(certs, "root.crt");
}
#endif

void engine_load(const char *certs)
{
	randombytes_set_implementation(&fixed_random);
	engine_require(crypto_init() == 0 && crypto_thread_init() == 0);
	load_identity(certs);
}

static void configure(enum tls_role role, unsigned conf)
{
	static const uint16_t suites[2][TLS_SUITES_MAX] = {
		{ TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 },
		{ TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256, TLS_AES_128_GCM_SHA256 },
	};
	static const uint16_t groups[TLS_GROUPS_MAX] = { 0x001d, 0x0017, 0x0018 };
	struct tls_config *config = &configs[role];
	bool retry = role == TLS_SERVER && conf & CONF_RETRY;

	memset(config, 0, sizeof(*config));
	memcpy(config->suites, suites[!!(conf & CONF_SUITES)], sizeof(config->suites));
	config->num_suites = TLS_SUITES_MAX;
	memcpy(config->groups, groups + retry, sizeof(config->groups) - retry * sizeof(*groups));
	config->num_groups = retry ? 1 : 3;
	config->num_shares = conf & CONF_SHARES && role == TLS_CLIENT ? 2 : 1;
	config->strict_groups = conf & CONF_STRICT;
	config->no_ccs = conf & CONF_NO_CCS;
	config->client_auth = (enum tls_client_auth)(conf / CONF_AUTH_1 & 3);
	config->name_authorities = conf & CONF_AUTHORITIES;
	config->ocsp = conf & CONF_OCSP;
	identity.ocsp = (const uint8_t *)"staple";
	identity.ocsp_len = config->ocsp ? 6 : 0;
	config->record_limit = conf & CONF_LIMIT ? 512 : 0;
	config->psk_modes = (conf & (CONF_TICKETS | CONF_EXTERNAL) ? TLS_PSK_DHE_KE : 0) | (conf & CONF_PSK_KE ? TLS_PSK_KE : 0);
	config->num_tickets = conf & CONF_TICKETS ? 2 : 0;
	config->ticket_lifetime_s = 3600;
	config->ticket_early_data = conf & CONF_EARLY ? 100 : 0;
	config->anchors = anchors;
	config->externals = &external;
	config->num_externals = !!(conf & CONF_EXTERNAL);
	config->identities = &identity;
	config->num_identities = role == TLS_SERVER || config->client_auth ? 1 : 0;
}

/* ---- tickets: what is sealed stands behind a mark ---- */

static size_t seal_ticket(void *arg, uint8_t *out, const uint8_t *state, size_t len)
{
	(void)arg;
	out[0] = TICKET_MARK;
	memcpy(out + 1, state, len);
	return len + 1;
}

static size_t open_ticket(void *arg, uint8_t *state, uint64_t *domain, const uint8_t *ticket, size_t len)
{
	(void)arg;
	*domain = 1;
	if (len < 2 || len > TLS_STATE_MAX + 1 || ticket[0] != TICKET_MARK)
		return 0;
	memcpy(state, ticket + 1, len - 1);
	return len - 1;
}

/* The replay table's word is in the binder. */
static bool early_ok(void *arg, const struct tls_early_offer *offer)
{
	(void)arg;
	return offer->binder[0] != 0xff;
}

static const struct tls_ticket_ops ticket_ops = { .seal = seal_ticket, .open = open_ticket, .early = early_ok };

struct tls_session engine_sessions[2] = {
	{
		.suite = TLS_AES_128_GCM_SHA256, .ticket_len = 6, .ticket = "ticket", .lifetime_s = 3600,
		.received_ms = NOW * 1000LL - 5000, .authenticated = NOW - 5, .not_after = NOW + 1000,
		.max_early_data = 100, .alpn_len = 2, .alpn = "h2",
	}, {
		.suite = TLS_AES_256_GCM_SHA384, .ticket_len = 5, .ticket = "other", .lifetime_s = 3600,
		.received_ms = NOW * 1000LL - 5000, .authenticated = NOW - 5, .not_after = NOW + 1000,
		.alpn_len = 2, .alpn = "h2",
	},
};

/* ---- one end ---- */

static void advance(struct engine_end *e)
{
	struct tls_out out = { .p = e->tx, .cap = sizeof(e->tx) };
	bool no_room = e->how.env & ENV_NO_ROOM;

	do {
		if (no_room) {	/* a buffer that others have nearly filled */
			memset(e->tx, 0, sizeof(e->tx));
			out.len = sizeof(e->tx) - 300;
		}
		e->want = tls_advance(&e->c, &out);
		engine_require(out.len <= out.cap);
		if (no_room)
			out.p += sizeof(e->tx) - 300, out.len -= sizeof(e->tx) - 300;
		engine_require(e->sent_len + out.len <= sizeof(e->sent));
		memcpy(e->sent + e->sent_len, out.p, out.len);
		e->sent_len += out.len;
		engine_require(e->want != TLS_WANT_TX || no_room || out.len);
		no_room = false;
		out = (struct tls_out){ .p = e->tx, .cap = sizeof(e->tx) };
	} while (e->want == TLS_WANT_TX);
	if (e->given && (e->want == TLS_WANT_RX || e->want == TLS_DONE || e->want == TLS_FAILED)) {
		engine_require(tls_rx_taken(&e->c) <= e->given);
		e->read_at += tls_rx_taken(&e->c);
		e->given = 0;
	}
}

void engine_begin(struct engine_end *e, enum tls_role role, const struct engine_case *how)
{
	static const struct tls_session *const sessions[] = { &engine_sessions[0], &engine_sessions[1] };
	struct tls_params params = {
		.role = role, .config = &configs[role], .now_ms = NOW * 1000LL,
		.alpn = (const uint8_t *)"\x02h2\x08http/1.1", .alpn_len = how->conf & CONF_NO_ALPN ? 0 : 12,
	};

	configure(role, how->conf);
	if (role == TLS_CLIENT) {
		params.server_name = "localhost";
		params.sessions = sessions;
		params.num_sessions = how->conf & CONF_TICKETS ? 2 : 0;
		params.early = (const uint8_t *)"early data";
		params.early_len = how->conf & CONF_EARLY ? 10 : 0;
	} else {
		params.tickets = how->conf & CONF_TICKETS ? &ticket_ops : NULL;
		params.accept_early = how->conf & CONF_EARLY;
	}
	e->role = role;
	e->how = *how;
	e->sent_len = e->read_at = e->given = e->early_len = 0;
	tls_init(&e->c, &params);
	tls_lend_rx(&e->c, e->rx);
	advance(e);
}

static size_t make_signature(const struct tls_sign_req *req, enum tls_role role, uint8_t *sig)
{
	uint8_t input[TLS_SIGN_INPUT_MAX];
	size_t len = tls_sign_input(input, role, req->hash, req->hash_len), sig_len;

	engine_require(req->identity == &identity);
	if (key) {
		engine_require(sig_sign(key, req->scheme, sig, &sig_len, input, len) == 0);
		return sig_len;
	}
	memset(sig, 0x21, 64);
	return 64;
}

static void sign(struct engine_end *e)
{
	struct tls_sign_req req;
	uint8_t sig[SIG_MAX];
	size_t len;

	tls_sign_request(&e->c, &req);
	if (req.op == TLS_SIGN_CERTIFICATE) {
		len = make_signature(&req, e->role, sig);
	} else {
		engine_require(req.external == &external);
		len = hash_len(external.hash);
		if (req.op == TLS_SIGN_BINDER)
			tls_psk_binder(sig, external.hash, external_key, sizeof(external_key), req.hash);
		else
			tls_psk_handshake_secret(sig, external.hash, external_key, sizeof(external_key), req.dhe, req.dhe_len);
	}
	tls_sign_answer(&e->c, sig, e->how.env & ENV_BAD_SIGNER ? 0 : len);
}

static void give(struct engine_end *e, const uint8_t *in, size_t len)
{
	struct tls_window w;
	size_t n = len - e->read_at;

	if (e->how.env & ENV_TAKE_RX && tls_rx_idle(&e->c)) {
		tls_take_rx(&e->c);
		tls_lend_rx(&e->c, e->rx);
	}
	tls_rx_window(&e->c, &w);
	engine_require(w.room > 0);
	n = e->how.chunk && n > e->how.chunk ? e->how.chunk : n;
	n = n > w.room ? w.room : n;
	memcpy(w.p, in + e->read_at, n);
	tls_rx_filled(&e->c, n);
	e->given = n;
}

/* It stands in the receive buffer, and within the limit that its ticket named. */
static void take_early(struct engine_end *e)
{
	const uint8_t *p;
	size_t len = tls_early_data(&e->c, &p);
	struct tls_traffic t;

	engine_require(!tls_early_traffic(&e->c, &t) || (t.suite && t.key_len));
	engine_require(len && p >= e->rx && p + len <= e->rx + sizeof(e->rx));
	e->early_len += len;
}

void engine_run(struct engine_end *e, const uint8_t *in, size_t len)
{
	while (e->want != TLS_DONE && e->want != TLS_FAILED) {
		if (e->how.env & ENV_CLOCK)
			tls_set_now(&e->c, (NOW + 1) * 1000LL);
		if (e->want == TLS_WANT_SIGN)
			sign(e);
		if (e->want == TLS_EARLY_DATA)
			take_early(e);
		if (e->want == TLS_WANT_RX) {
			if (e->read_at == len)
				return;
			give(e, in, len);
		}
		advance(e);
	}
}

/* ---- an end's end ---- */

/* What a client keeps for the tickets to come. */
static void judge_resumption(struct engine_end *e)
{
	struct tls_resumption r;

	tls_resumption(&e->c, &r);
	engine_require(r.suite && r.alpn_len <= TLS_ALPN_MAX && (r.not_after > NOW || e->c.auth == TLS_AUTH_PSK));
}

static void judge_done(struct engine_end *e, const struct tls_result *r)
{
	static const uint8_t zeros[HASH_MAX];
	struct tls_traffic t;
	uint8_t out[100];

	engine_require(r->suite && r->err == 0 && r->alert_sent == TLS_ALERT_NONE && r->alert_received == TLS_ALERT_NONE);
	engine_require(e->role == TLS_SERVER || r->auth != TLS_AUTH_NONE);
	tls_traffic(&e->c, &t);
	engine_require(t.suite == r->suite && memcmp(t.tx.key, t.rx.key, t.key_len) != 0);
	engine_require(memcmp(t.exporter_secret, zeros, t.hash_len) != 0);
	engine_require(tls_export(&t, out, sizeof(out), "EXPORTER-fuzz", 13, NULL, 0) == 0);
	if (e->role == TLS_CLIENT)
		judge_resumption(e);
}

void engine_judge(struct engine_end *e)
{
	static const uint8_t zeros[sizeof(e->c)];
	struct tls_out out = { .p = e->tx, .cap = sizeof(e->tx) };
	struct tls_result r;

	if (e->how.env & ENV_EOF && e->want != TLS_DONE && e->want != TLS_FAILED) {
		tls_rx_eof(&e->c);
		advance(e);
		engine_require(e->want == TLS_FAILED || e->want == TLS_DONE);
	}
	if (e->how.env & ENV_ABORT) {
		tls_abort(&e->c, -ETIMEDOUT, ALERT_USER_CANCELED, "the deadline passed", &out);
		e->want = TLS_FAILED;
	}
	tls_result(&e->c, &r);
	engine_require(e->want == TLS_FAILED ? r.err < 0 && r.reason[0] : r.err == 0);
	engine_require(strlen(r.reason) < TLS_REASON_LEN && strlen(r.server_name) <= TLS_NAME_MAX);
	engine_require(e->role == TLS_CLIENT || (r.early_bytes >= e->early_len && (!r.early_bytes || r.early == TLS_EARLY_ACCEPTED)));
	if (e->want == TLS_DONE)
		judge_done(e, &r);
	tls_take_rx(&e->c);
	tls_wipe(&e->c);
	engine_require(memcmp(&e->c, zeros, sizeof(zeros)) == 0);
}

void engine_fuzz(enum tls_role role, const uint8_t *data, size_t len)
{
	struct engine_end *e = &engine_ends[role];
	struct engine_case how;

	if (len < ENGINE_HEADER_LEN)
		return;
	how = (struct engine_case){ .conf = (uint16_t)(data[0] << 8 | data[1]), .env = data[2], .chunk = data[3] };
	engine_begin(e, role, &how);
	engine_run(e, data + ENGINE_HEADER_LEN, len - ENGINE_HEADER_LEN);
	engine_judge(e);
}
