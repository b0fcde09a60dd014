/* SPDX-License-Identifier: MIT */
/* One engine alone, fed by hand: what the tests of its parsers and record rules share. */
#ifndef TLS_DRIVE_H
#define TLS_DRIVE_H

#include "crypto_util.h"
#include "tlshd/tls/ext.h"
#include "tlshd/tls/record.h"

/* X25519's base point as a peer's share, and a second point of small order, which is refused. */
#define SHARE_X25519	"0900000000000000000000000000000000000000000000000000000000000000"
#define SHARE_ZERO	"0000000000000000000000000000000000000000000000000000000000000000"

static uint8_t drive_rx[TLS_RX_CAP], drive_tx[TLS_TX_CAP];

static const struct tls_identity drive_identity = { .type = SIG_TYPE_P256, .chain = (const uint8_t *)"" };
static struct tls_config drive_config = {
	.suites = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 }, .num_suites = 3,
	.groups = { 0x001d, 0x0017 }, .num_groups = 2, .identities = &drive_identity, .num_identities = 1,
	.anchors = (const struct x509_anchors *)&drive_identity,
};
static struct tls_params drive_params = {
	.config = &drive_config, .server_name = "localhost", .alpn = (const uint8_t *)"\x02h2", .alpn_len = 3,
};

/* Begins a connection; what it sends at once is in drive_tx. */
static inline size_t drive_start(struct tls_conn *c, enum tls_role role)
{
	struct tls_out out = { .p = drive_tx, .cap = sizeof(drive_tx) };

	drive_params.role = role;
	tls_init(c, &drive_params);
	tls_lend_rx(c, drive_rx);
	assert_int_equal(tls_advance(c, &out), TLS_WANT_RX);
	return out.len;
}

/* @len bytes arrive; returns what the engine wants then, and in @sent how much it had to say. */
static inline enum tls_want drive_feed(struct tls_conn *c, const void *p, size_t len, size_t *sent)
{
	struct tls_out out = { .p = drive_tx, .cap = sizeof(drive_tx) };
	struct tls_window w;
	enum tls_want want;

	tls_rx_window(c, &w);
	assert_true(len <= w.room);
	memcpy(w.p, p, len);
	tls_rx_filled(c, len);
	want = tls_advance(c, &out);
	*sent = out.len;
	return want;
}

static inline enum tls_want drive_record(struct tls_conn *c, uint8_t type, const void *p, size_t len)
{
	static uint8_t rec[RECORD_HEADER_LEN + 65536];
	size_t sent;

	record_header(rec, (enum content_type)type, VERSION_LEGACY, len);
	if (len)
		memcpy(rec + RECORD_HEADER_LEN, p, len);
	return drive_feed(c, rec, RECORD_HEADER_LEN + len, &sent);
}

/* A handshake message in a plain record. */
static inline enum tls_want drive_message(struct tls_conn *c, uint8_t type, const void *body, size_t len)
{
	static uint8_t msg[MSG_HEADER_LEN + 65536];

	msg[0] = type;
	store_be(msg + 1, 3, len);
	if (len)
		memcpy(msg + MSG_HEADER_LEN, body, len);
	return drive_record(c, CT_HANDSHAKE, msg, MSG_HEADER_LEN + len);
}

/* It has failed with @alert, said so in exactly one record, and says nothing more. */
static inline void drive_refused(struct tls_conn *c, const char *what, uint16_t alert)
{
	struct tls_out out = { .p = drive_tx, .cap = sizeof(drive_tx) };
	struct tls_result r;

	tls_result(c, &r);
	if (c->state != TLS_FAILED || r.alert_sent != alert)
		fail_msg("%s: state %d, alert %u instead of %u, \"%s\"", what, c->state, r.alert_sent, alert, r.reason);
	assert_int_not_equal(r.err, 0);
	assert_true(r.reason[0] != 0);
	assert_int_equal(tls_advance(c, &out), TLS_FAILED);
	assert_int_equal(out.len, 0);
}

static inline int drive_init(void **state)
{
	(void)state;
	return crypto_init() || crypto_thread_init();
}

static inline int drive_exit(void **state)
{
	(void)state;
	crypto_thread_exit();
	return 0;
}

#endif
