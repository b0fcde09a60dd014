/* SPDX-License-Identifier: MIT */
/*
 * What the fuzzers of whole engines share. THE CHECKS THAT STOP A FUZZER ARE OFF HERE: this file stands in for record.c
 * and seals nothing, and auth.c is built with a signature check and a comparison that always agree. So every message is
 * within reach.
 *
 * An input is a chunk size, how many bytes of an honest peer's come first (2 bytes), and what the peer sends instead of
 * the rest. Randomness is fixed, so an honest peer's bytes are right each time.
 */
#ifndef FUZZ_ENGINE_H
#define FUZZ_ENGINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "tlshd/tls/hs.h"
#include "tlshd/tls/record.h"

#define STREAM_MAX	(128 * 1024)
#define NOW		1800000000

/* ---- in the place of what is switched off ---- */

bool fuzz_equal(const void *a, const void *b, size_t len);
int fuzz_verify(const struct sig_pub *pub, uint16_t scheme, const uint8_t *sig, size_t sig_len, const uint8_t *msg,
		size_t len);

bool fuzz_equal(const void *a, const void *b, size_t len)
{
	(void)a, (void)b, (void)len;
	return true;
}

int fuzz_verify(const struct sig_pub *pub, uint16_t scheme, const uint8_t *sig, size_t sig_len, const uint8_t *msg,
		size_t len)
{
	(void)pub, (void)scheme, (void)sig, (void)sig_len, (void)msg, (void)len;
	return 0;
}

void record_header(uint8_t *out, enum content_type type, uint16_t version, size_t len)
{
	out[0] = (uint8_t)type;
	store_be(out + 1, 2, version);
	store_be(out + 3, 2, len);
}

size_t record_seal(uint8_t *rec, enum content_type type, size_t len, enum aead_id aead, struct tls_keys *k)
{
	(void)aead, (void)k;
	record_header(rec, CT_APPLICATION_DATA, VERSION_LEGACY, len + 1);
	rec[RECORD_HEADER_LEN + len] = (uint8_t)type;
	return RECORD_HEADER_LEN + len + 1;
}

enum record_fault record_open(uint8_t *rec, size_t len, uint8_t *type, size_t *content_len, enum aead_id aead,
			      struct tls_keys *k)
{
	(void)aead, (void)k;
	if (len == RECORD_HEADER_LEN || rec[len - 1] == 0xff)
		return RECORD_BAD_MAC;
	if (rec[len - 1] == 0)
		return RECORD_NO_TYPE;
	if (len > RECORD_HEADER_LEN + PLAINTEXT_MAX + 1)
		return RECORD_TOO_LONG;
	*type = rec[len - 1];
	*content_len = len - RECORD_HEADER_LEN - 1;
	return RECORD_OK;
}

/* ---- fixed randomness, a stream of its own for each role ---- */

static uint64_t random_state[2];
static enum tls_role random_role;

static const char *random_name(void)
{
	return "fixed";
}

static uint32_t random_32(void)
{
	random_state[random_role] = random_state[random_role] * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(random_state[random_role] >> 32);
}

static void random_buf(void *out, const size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)out)[i] = (uint8_t)random_32();
}

static struct randombytes_implementation fixed_random = {
	.implementation_name = random_name, .random = random_32, .buf = random_buf,
};

/* ---- an end ---- */

struct end {
	enum tls_role role;
	enum tls_want want;
	struct tls_conn c;
	uint8_t rx[TLS_RX_CAP], tx[TLS_TX_CAP];
	uint8_t sent[STREAM_MAX];
	size_t sent_len, read_at;
};

static struct tls_identity identity;
static struct sig_key *key;
static struct tls_config config = {
	.suites = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 }, .num_suites = 3,
	.groups = { 0x001d, 0x0017, 0x0018 }, .num_groups = 3, .identities = &identity, .num_identities = 1,
};
static struct end ends[2];
static uint8_t honest[2][STREAM_MAX];
static size_t honest_len[2];

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void advance(struct end *e, size_t given)
{
	struct tls_out out = { .p = e->tx, .cap = sizeof(e->tx) };

	random_role = e->role;
	e->want = tls_advance(&e->c, &out);
	require(out.len <= out.cap && e->sent_len + out.len <= STREAM_MAX);
	memcpy(e->sent + e->sent_len, e->tx, out.len);
	e->sent_len += out.len;
	require(tls_rx_taken(&e->c) <= given || !given);
	require(e->want != TLS_WANT_TX);
}

static void begin(struct end *e, enum tls_role role)
{
	const struct tls_params params = {
		.role = role, .config = &config, .server_name = role == TLS_CLIENT ? "localhost" : NULL,
		.alpn = (const uint8_t *)"\x02h2\x08http/1.1", .alpn_len = 12, .now_ms = NOW * 1000LL,
	};

	e->role = role;
	e->sent_len = e->read_at = 0;
	random_state[role] = 1 + role;
	tls_init(&e->c, &params);
	tls_lend_rx(&e->c, e->rx);
	advance(e, 0);
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

/* @chunk: bytes a read gives at most. */
static void run(struct end *e, const uint8_t *in, size_t len, size_t chunk)
{
	while (e->want == TLS_WANT_RX || e->want == TLS_WANT_SIGN) {
		struct tls_window w;
		size_t n = len - e->read_at;

		if (e->want == TLS_WANT_SIGN) {
			sign(e);
			advance(e, 0);
			continue;
		}
		if (!n)
			return;
		tls_rx_window(&e->c, &w);
		require(w.room > 0);
		n = n > chunk ? chunk : n;
		n = n > w.room ? w.room : n;
		memcpy(w.p, in + e->read_at, n);
		tls_rx_filled(&e->c, n);
		advance(e, n);
		e->read_at += tls_rx_taken(&e->c);
	}
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

static void load(void)
{
	struct x509_anchors *anchors;
	struct der leaf;
	uint8_t *chain;
	char err[256], *pem;
	size_t len;

	randombytes_set_implementation(&fixed_random);
	require(crypto_init() == 0 && crypto_thread_init() == 0);
	pem = slurp(CERTS "/root.crt", &len);
	require(x509_anchors_load(&anchors, pem, len, err, sizeof(err)) == 0);
	pem = slurp(CERTS "/ed25519.pem", &len);
	require(x509_chain_load(&chain, &identity.chain_len, &leaf, &identity.type, pem, len, err, sizeof(err)) == 0);
	pem = slurp(CERTS "/ed25519.key", &len);
	require(sig_key_load(&key, pem, len, err, sizeof(err)) == 0);
	identity.chain = chain;
	config.anchors = anchors;
}

/* An honest handshake, once: what each side sends. */
static void record_honest(void)
{
	begin(&ends[TLS_CLIENT], TLS_CLIENT);
	begin(&ends[TLS_SERVER], TLS_SERVER);
	for (int turns = 0; turns < 4; turns++)
		for (int role = 0; role < 2; role++)
			run(&ends[role], ends[!role].sent, ends[!role].sent_len, STREAM_MAX);
	for (int role = 0; role < 2; role++) {
		require(ends[role].want == TLS_DONE);
		memcpy(honest[role], ends[role].sent, ends[role].sent_len);
		honest_len[role] = ends[role].sent_len;
		tls_wipe(&ends[role].c);
	}
}

static void judge(struct end *e)
{
	struct tls_result r;

	tls_result(&e->c, &r);
	require(e->want == TLS_FAILED ? r.err < 0 && r.reason[0] : r.err == 0);
	require(strlen(r.reason) < TLS_REASON_LEN && strlen(r.server_name) <= TLS_NAME_MAX);
	require(e->want != TLS_DONE || e->role == TLS_SERVER || r.auth == TLS_AUTH_CERTIFICATE);
	tls_take_rx(&e->c);
	tls_wipe(&e->c);
}

static void fuzz(enum tls_role role, const uint8_t *data, size_t len)
{
	static uint8_t in[STREAM_MAX];
	struct end *e = &ends[role];
	size_t chunk, take;

	if (len < 3)
		return;
	chunk = data[0] ? data[0] : STREAM_MAX;
	take = (size_t)(data[1] << 8 | data[2]) % (honest_len[!role] + 1);
	len = len - 3 > STREAM_MAX - take ? STREAM_MAX - take : len - 3;
	memcpy(in, honest[!role], take);
	memcpy(in + take, data + 3, len);
	begin(e, role);
	run(e, in, take + len, chunk);
	judge(e);
}

#endif
