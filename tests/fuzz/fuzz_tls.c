// SPDX-License-Identifier: MIT
/*
 * libFuzzer: what a peer can do to the engine. The first byte chooses the role under test and how; either the input is the
 * peer's bytes, or it is a list of changes to what an honest peer would have sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tlshd/tls/tls.h"
#include "tlshd/tls/tls_conn.h"

#define STREAM_MAX 65536

/* One end: its engine, what it has sent, and how much of the peer's it has read. */
struct end {
	struct tls_conn c;
	enum tls_want want;
	uint8_t rx[TLS_RX_CAP], sent[STREAM_MAX];
	size_t sent_len, read_at;
};

static struct tls_identity identity;
static struct tls_config config = {
	.suites = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 }, .num_suites = 3,
	.groups = { 0x001d, 0x0017, 0x0018 }, .num_groups = 3, .identities = &identity, .num_identities = 1,
};
static struct sig_key *key;
static struct end ends[2];

static void require(bool ok)
{
	if (!ok)
		abort();
}

static char *slurp(const char *path, size_t *len)
{
	static char pem[65536];
	FILE *f = fopen(path, "r");

	require(f != NULL);
	*len = fread(pem, 1, sizeof(pem), f);
	fclose(f);
	return pem;
}

static void sign(struct end *e)
{
	uint8_t input[TLS_SIGN_INPUT_MAX], sig[SIG_MAX];
	struct tls_sign_req req;
	size_t len, sig_len;

	tls_sign_request(&e->c, &req);
	len = tls_sign_input(input, TLS_SERVER, req.hash, req.hash_len);
	require(sig_sign(key, req.scheme, sig, &sig_len, input, len) == 0);
	tls_sign_answer(&e->c, sig, sig_len);
}

static void advance(struct end *e, size_t given)
{
	struct tls_out out = { .p = e->sent + e->sent_len, .cap = TLS_TX_CAP };

	e->want = tls_advance(&e->c, &out);
	e->sent_len += out.len;
	if (given)
		require(tls_rx_taken(&e->c) <= given);
}

/* Runs one end on what the peer has sent so far, @chunk bytes a read. */
static void run(struct end *e, const uint8_t *in, size_t len, size_t chunk)
{
	struct tls_window w;
	size_t n = 0;

	for (; e->want != TLS_DONE && e->want != TLS_FAILED && e->sent_len + TLS_TX_CAP <= STREAM_MAX; advance(e, n)) {
		n = 0;
		if (e->want == TLS_WANT_SIGN)
			sign(e);
		if (e->want != TLS_WANT_RX)
			continue;
		if (e->read_at >= len)
			return;
		tls_rx_window(&e->c, &w);
		require(w.room > 0);
		n = len - e->read_at;
		n = n > chunk ? chunk : n;
		n = n > w.room ? w.room : n;
		memcpy(w.p, in + e->read_at, n);
		e->read_at += n;
		tls_rx_filled(&e->c, n);
	}
}

static void begin(struct end *e, enum tls_role role)
{
	const struct tls_params params = {
		.role = role, .config = &config, .server_name = role == TLS_CLIENT ? "localhost" : NULL,
		.alpn = (const uint8_t *)"\x02h2\x08http/1.1", .alpn_len = 12, .now_ms = time(NULL) * 1000LL,
	};

	memset(e, 0, offsetof(struct end, rx));
	e->sent_len = e->read_at = 0;
	tls_init(&e->c, &params);
	tls_lend_rx(&e->c, e->rx);
	advance(e, 0);
}

/* A result must be whole, whatever the peer did. */
static void judge(struct end *e, enum tls_role role)
{
	struct tls_result r;

	tls_result(&e->c, &r);
	require(e->want == TLS_FAILED ? r.err < 0 && r.reason[0] : r.err == 0);
	require(e->want != TLS_DONE || role == TLS_SERVER || r.auth == TLS_AUTH_CERTIFICATE);
	tls_wipe(&e->c);
}

/* Changes: three bytes each: where (16 bits, modulo the length), and what is added to that byte. */
static void change(uint8_t *p, size_t len, const uint8_t *data, size_t data_len)
{
	for (; len && data_len >= 3; data += 3, data_len -= 3)
		p[(data[0] << 8 | data[1]) % len] += data[2];
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct x509_anchors *anchors;
	struct der leaf;
	uint8_t *chain;
	char err[256], *pem;
	size_t len;

	(void)argc, (void)argv;
	require(crypto_init() == 0 && crypto_thread_init() == 0);
	pem = slurp(CERTS "/root.crt", &len);
	require(x509_anchors_load(&anchors, pem, len, err, sizeof(err)) == 0);
	pem = slurp(CERTS "/p256.pem", &len);
	require(x509_chain_load(&chain, &identity.chain_len, &leaf, &identity.type, pem, len, err, sizeof(err)) == 0);
	pem = slurp(CERTS "/p256.key", &len);
	require(sig_key_load(&key, pem, len, err, sizeof(err)) == 0);
	identity.chain = chain;
	config.anchors = anchors;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum tls_role role = len && data[0] & 1 ? TLS_SERVER : TLS_CLIENT;
	struct end *e = &ends[role], *peer = &ends[!role];
	size_t chunk = len && data[0] & 4 ? 7 : STREAM_MAX;

	if (!len)
		return 0;
	begin(e, role);
	begin(peer, (enum tls_role)!role);
	if (data[0] & 2) {
		run(e, data + 1, len - 1, chunk);
	} else {
		run(peer, e->sent, e->sent_len, STREAM_MAX);
		change(peer->sent, peer->sent_len, data + 1, len - 1);
		run(e, peer->sent, peer->sent_len, chunk);
	}
	judge(e, role);
	tls_wipe(&peer->c);
	return 0;
}
