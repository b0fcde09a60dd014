/* SPDX-License-Identifier: MIT */
/* What the tests of RFC 8448's traces share: its random numbers, and steps that send and take its messages. */
#ifndef TLS_RFC8448_H
#define TLS_RFC8448_H

#include "crypto_util.h"
#include "tlshd/tls/hs.h"
#include "tlshd/tls/record.h"

#include <sodium.h>

/**
 * struct trace - what the RFC's own messages are, in hex
 * @client_group, @client_priv: of the first ClientHello's key share
 * @server_flight: EncryptedExtensions to CertificateVerify
 */
struct trace {
	uint16_t client_group;
	const char *client_hello_record, *client_priv, *server_flight, *server_finished;
};

static const struct trace *trace;

/* ---- random numbers that are the RFC's ---- */

static uint8_t pool[64];
static size_t pool_at;

static const char *fixed_name(void)
{
	return "fixed";
}

static inline uint32_t fixed_random(void)
{
	fail_msg("no 32-bit random number is expected");
	return 0;
}

static inline void fixed_buf(void *out, const size_t len)
{
	assert_true(pool_at + len <= sizeof(pool));
	memcpy(out, pool + pool_at, len);
	pool_at += len;
}

static struct randombytes_implementation fixed = {
	.implementation_name = fixed_name, .random = fixed_random, .buf = fixed_buf,
};

/* ---- the handshake ---- */

/* Puts the RFC's bytes where a step's own message would be. */
static inline void emit(struct tls_conn *c, const char *hex)
{
	c->tx.out->len += unhex(c->tx.out->p + c->tx.out->len, hex);
}

static inline enum hs send_their_client_hello(struct tls_conn *c)
{
	uint8_t msg[512];
	size_t len = unhex(msg, trace->client_hello_record + 2 * RECORD_HEADER_LEN);

	c->num_shares = 1;
	c->shares[0].kem = kem_find(trace->client_group);
	unhex(c->shares[0].priv, trace->client_priv);
	c->exts_sent = ~0U;
	transcript_add(&c->transcript, msg, len);
	emit(c, trace->client_hello_record);
	return HS_NEXT;
}

/* EncryptedExtensions, Certificate, CertificateVerify of the RFC and a Finished of ours, in one record as there. */
static inline enum hs send_their_flight(struct tls_conn *c)
{
	uint8_t *rec = c->tx.out->p + c->tx.out->len, *content = rec + RECORD_HEADER_LEN, hash[HASH_MAX];
	size_t len = unhex(content, trace->server_flight);

	transcript_add(&c->transcript, content, len);
	transcript_hash(&c->transcript, hash);
	memcpy(content + len, "\x14\0\0\x20", MSG_HEADER_LEN);
	keys_finished(content + len + MSG_HEADER_LEN, HASH_SHA256, c->tx.keys.secret, hash);
	assert_hex(content + len, trace->server_finished);
	transcript_add(&c->transcript, content + len, MSG_HEADER_LEN + 32);
	len += MSG_HEADER_LEN + 32;
	c->tx.out->len += record_seal(rec, CT_HANDSHAKE, len, c->suite->aead, &c->tx.keys);
	hs_start_master(c);
	hs_tx_keys(c, c->master.server);
	c->tx.flight_sent = true;
	return HS_NEXT;
}

static inline enum hs take_any(struct tls_conn *c, struct cursor *body)
{
	(void)c;
	body->len = 0;
	return HS_NEXT;
}

static inline enum hs recv_their_extensions(struct tls_conn *c)
{
	return hs_recv(c, HT_ENCRYPTED_EXTENSIONS, take_any);
}

static inline enum hs recv_their_certificate(struct tls_conn *c)
{
	return hs_recv(c, HT_CERTIFICATE, take_any);
}

static inline enum hs recv_their_verify(struct tls_conn *c)
{
	return hs_recv(c, HT_CERTIFICATE_VERIFY, take_any);
}

/* The role's own steps with the ones at @first to @first + @num - 1 replaced by @by. */
static inline void replace(hs_step **out, hs_step *const *from, size_t first, size_t num, hs_step *const *by)
{
	size_t n = 0;

	for (size_t i = 0; i < first; i++)
		out[n++] = from[i];
	while (*by)
		out[n++] = *by++;
	for (size_t i = first + num; from[i]; i++)
		out[n++] = from[i];
	out[n] = NULL;
}

static inline size_t index_of(hs_step *const *steps, hs_step *step)
{
	size_t i = 0;

	while (steps[i] != step)
		assert_non_null(steps[i++]);
	return i;
}

static uint8_t rx_buf[TLS_RX_CAP], tx_buf[TLS_TX_CAP];

static inline void give(struct tls_conn *c, const char *hex)
{
	struct tls_window w;

	if (!c->rx.p)
		tls_lend_rx(c, rx_buf);
	tls_rx_window(c, &w);
	tls_rx_filled(c, unhex(w.p, hex));
}

/* Advance; what is sent must be exactly @records. */
static inline void expect(struct tls_conn *c, enum tls_want want, const char *records)
{
	struct tls_out out = { .p = tx_buf, .cap = sizeof(tx_buf) };
	enum tls_want got = tls_advance(c, &out);

	if (got != want)
		fail_msg("want %d instead of %d: %s", got, want, c->reason);
	assert_int_equal(out.len, strlen(records) / 2);
	assert_hex(out.p, records);
}

static inline void opens(const char *record, struct tls_keys *k, uint8_t type, const char *content)
{
	uint8_t rec[512], got;
	size_t len = unhex(rec, record), content_len;

	assert_int_equal(record_open(rec, len, &got, &content_len, AEAD_AES_128_GCM, k), RECORD_OK);
	assert_int_equal(got, type);
	if (content) {
		assert_int_equal(content_len, strlen(content) / 2);
		assert_hex(rec + RECORD_HEADER_LEN, content);
	}
}

static inline void seals(const char *record, struct tls_keys *k, enum content_type type, const char *content)
{
	uint8_t rec[512];
	size_t len = unhex(rec + RECORD_HEADER_LEN, content);

	assert_int_equal(record_seal(rec, type, len, AEAD_AES_128_GCM, k), strlen(record) / 2);
	assert_hex(rec, record);
}

static const struct tls_identity identity = { .type = SIG_TYPE_P256 };
static const struct tls_config config = {
	.suites = { TLS_AES_128_GCM_SHA256 }, .num_suites = 1, .groups = { 0x001d, 0x0017 }, .num_groups = 2,
	.identities = &identity, .num_identities = 1, .anchors = (const struct x509_anchors *)&identity,
};

static inline int start(void **state)
{
	(void)state;
	randombytes_set_implementation(&fixed);
	return crypto_init() || crypto_thread_init();
}

static inline int stop(void **state)
{
	(void)state;
	crypto_thread_exit();
	return 0;
}

#endif
