// SPDX-License-Identifier: MIT
/* The linker puts the functions named __wrap_ here in front of the engine's own (--wrap in unit_tls.mk). */
#include "tls_rfc8448.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <sodium.h>

static const struct trace *trace;
static size_t next_message;

/* ---- random numbers that are the RFC's ---- */

static uint8_t pool[160];
static size_t pool_at, pool_len;

static void draw(void *const out, const size_t len)
{
	assert_true(pool_at + len <= pool_len);
	memcpy(out, pool + pool_at, len);
	pool_at += len;
}

static const char *fixed_name(void)
{
	return "fixed";
}

static uint32_t fixed_random(void)
{
	fail_msg("no 32-bit random number is expected");
	return 0;
}

static struct randombytes_implementation fixed = {
	.implementation_name = fixed_name, .random = fixed_random, .buf = draw,
};

int __wrap_BN_priv_rand_range(BIGNUM *out, const BIGNUM *range);
int __wrap_BN_priv_rand_range(BIGNUM *out, const BIGNUM *range)
{
	uint8_t bytes[32];

	draw(bytes, sizeof(bytes));
	assert_non_null(BN_bin2bn(bytes, sizeof(bytes), out));
	return BN_cmp(out, range) < 0;
}

/* ---- messages that are the RFC's ---- */

/* In the traces these go out in one record with the Finished behind them. */
static bool joined(uint8_t type)
{
	return type == HT_ENCRYPTED_EXTENSIONS || type == HT_CERTIFICATE_REQUEST || type == HT_CERTIFICATE ||
	       type == HT_CERTIFICATE_VERIFY;
}

/* The message of @len bytes at @msg, or the one that takes its place there. */
static size_t replace(uint8_t *msg, size_t len)
{
	const char *theirs = next_message < NUM(trace->sends) ? trace->sends[next_message] : NULL;
	uint8_t copy[1024];

	store_be(msg + 1, 3, len - MSG_HEADER_LEN);
	if (!theirs)
		return len;
	assert_true(strlen(theirs) / 2 <= sizeof(copy));
	unhex(copy, theirs);
	if (copy[0] != msg[0])
		return len;
	next_message++;
	return unhex(msg, theirs);
}

void __real_hs_send(struct tls_conn *c, struct build *b);
void __wrap_hs_send(struct tls_conn *c, struct build *b);
void __wrap_hs_send(struct tls_conn *c, struct build *b)
{
	static uint8_t held[2048];
	static size_t held_len;
	size_t len = replace(b->p, b->len);

	b->len = len;
	if (!c->tx.protected) {
		__real_hs_send(c, b);
		return;
	}
	transcript_add(&c->transcript, b->p, len);
	assert_true(held_len + len <= sizeof(held));
	memcpy(held + held_len, b->p, len);
	held_len += len;
	if (joined(b->p[0]))
		return;
	memcpy(b->p, held, held_len);
	c->tx.out->len += record_seal(b->p - RECORD_HEADER_LEN, CT_HANDSHAKE, held_len, c->tx.aead, &c->tx.keys);
	held_len = 0;
}

void __real_hs_send_post(struct tls_conn *c, struct build *b);
void __wrap_hs_send_post(struct tls_conn *c, struct build *b);
void __wrap_hs_send_post(struct tls_conn *c, struct build *b)
{
	b->len = replace(b->p, b->len);
	__real_hs_send_post(c, b);
}

/* ---- certificates that are believed ---- */

int __wrap_x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask);
int __wrap_x509_verify(struct x509_peer *out, struct x509_fail *fail, const struct x509_ask *ask)
{
	const uint8_t *der = ask->chain[0].p;
	X509 *leaf = d2i_X509(NULL, &der, (long)ask->chain[0].len);
	EVP_PKEY *pkey = leaf ? X509_get_pubkey(leaf) : NULL;

	(void)fail;
	assert_int_equal(ask->num, 1);
	assert_non_null(pkey);
	*out = (struct x509_peer){ .pub = { .pkey = pkey } };
	out->pub.type = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA ? SIG_TYPE_RSA : SIG_TYPE_P256;
	X509_free(leaf);
	return 0;
}

/* ---- driving ---- */

static const struct tls_identity identity = { .type = SIG_TYPE_P256 };

const struct tls_config rfc_client = {
	.suites = { TLS_AES_128_GCM_SHA256 }, .num_suites = 1, .groups = { 0x001d, 0x0017 }, .num_groups = 2,
	.anchors = (const struct x509_anchors *)&identity, .no_ccs = true,
};
const struct tls_config rfc_server = {
	.suites = { TLS_AES_128_GCM_SHA256 }, .num_suites = 1, .groups = { 0x001d, 0x0017 }, .num_groups = 2,
	.identities = &identity, .num_identities = 1,
};

static uint8_t rx_buf[TLS_RX_CAP];

void rfc_begin(struct tls_conn *c, const struct trace *t, const struct tls_params *params)
{
	trace = t;
	next_message = 0;
	pool_at = 0;
	assert_true(strlen(t->random) / 2 <= sizeof(pool));
	pool_len = unhex(pool, t->random);
	tls_init(c, params);
	tls_lend_rx(c, rx_buf);
}

void rfc_end(struct tls_conn *c)
{
	assert_int_equal(pool_at, pool_len);
	assert_true(next_message == NUM(trace->sends) || !trace->sends[next_message]);
	tls_wipe(c);
}

void rfc_give(struct tls_conn *c, const char *records)
{
	struct tls_window w;

	tls_rx_window(c, &w);
	assert_true(strlen(records) / 2 <= w.room);
	tls_rx_filled(c, unhex(w.p, records));
}

void rfc_expect(struct tls_conn *c, enum tls_want want, ...)
{
	static uint8_t tx_buf[TLS_TX_CAP];
	struct tls_out out = { .p = tx_buf, .cap = sizeof(tx_buf) };
	enum tls_want got;
	const char *records;
	size_t at = 0;
	va_list ap;

	while ((got = tls_advance(c, &out)) == TLS_WANT_SIGN)
		tls_sign_answer(c, tx_buf, 1);		/* the RFC's CertificateVerify takes its place */
	if (c->params.role == TLS_CLIENT)
		c->exts_sent = ~0U;			/* the RFC's ClientHello asks for more than ours */
	if (got != want)
		fail_msg("want %d instead of %d: %s", got, want, c->reason);
	va_start(ap, want);
	while ((records = va_arg(ap, const char *))) {
		assert_true(at + strlen(records) / 2 <= out.len);
		assert_hex(out.p + at, records);
		at += strlen(records) / 2;
	}
	va_end(ap);
	assert_int_equal(out.len, at);
}

void rfc_opens(const char *record, struct tls_keys *k, uint8_t type, const char *content)
{
	uint8_t rec[1024], got;
	size_t len = unhex(rec, record), content_len;

	assert_int_equal(record_open(rec, len, &got, &content_len, AEAD_AES_128_GCM, k), RECORD_OK);
	assert_int_equal(got, type);
	if (content) {
		assert_int_equal(content_len, strlen(content) / 2);
		assert_hex(rec + RECORD_HEADER_LEN, content);
	}
}

void rfc_seals(const char *record, struct tls_keys *k, enum content_type type, const char *content)
{
	uint8_t rec[1024];
	size_t len = unhex(rec + RECORD_HEADER_LEN, content);

	assert_int_equal(record_seal(rec, type, len, AEAD_AES_128_GCM, k), strlen(record) / 2);
	assert_hex(rec, record);
}

int rfc_start(void **state)
{
	int err = crypto_init() || crypto_thread_init();

	(void)state;
	randombytes_set_implementation(&fixed);
	return err;
}

int rfc_stop(void **state)
{
	(void)state;
	crypto_thread_exit();
	return 0;
}
