/* SPDX-License-Identifier: MIT */
/*
 * engine: what the fuzzers of whole engines share: one end, fed with an input. Four bytes say how (struct engine_case), the
 * rest is what the peer sends. Randomness is fixed, and so is the clock: an input means the same each time.
 */
#ifndef FUZZ_ENGINE_H
#define FUZZ_ENGINE_H

#include "tlshd/tls/tls.h"
#include "tlshd/tls/tls_conn.h"

#define ENGINE_STREAM_MAX	(128 * 1024)
#define ENGINE_HEADER_LEN	4

/* Two bytes: what is configured, at both ends where both know it. */
enum {
	CONF_RETRY = 1 << 0,		/* server: takes P-256 only, which clients send no share of */
	CONF_SHARES = 1 << 1,		/* client: two key shares */
	CONF_STRICT = 1 << 2,
	CONF_NO_CCS = 1 << 3,
	CONF_NO_ALPN = 1 << 4,
	CONF_AUTH_1 = 1 << 5,		/* server: enum tls_client_auth; client: has a certificate */
	CONF_AUTH_2 = 1 << 6,
	CONF_AUTHORITIES = 1 << 7,
	CONF_OCSP = 1 << 8,
	CONF_LIMIT = 1 << 9,
	CONF_TICKETS = 1 << 10,
	CONF_EARLY = 1 << 11,
	CONF_EXTERNAL = 1 << 12,
	CONF_PSK_KE = 1 << 13,
	CONF_SUITES = 1 << 14,		/* the other way round */
};
#define ENGINE_CONF_BITS 15

/* One byte: what else befalls it. */
enum {
	ENV_EOF = 1 << 0,		/* the peer closes behind its last byte */
	ENV_BAD_SIGNER = 1 << 1,
	ENV_NO_ROOM = 1 << 2,		/* each output buffer is too short at first */
	ENV_ABORT = 1 << 3,		/* our deadline passes */
	ENV_TAKE_RX = 1 << 4,		/* the receive buffer is taken back when it is idle */
	ENV_CLOCK = 1 << 5,		/* the time goes on */
};

/* @chunk: bytes a read gives at most; 0: all there are */
struct engine_case {
	uint16_t conf;
	uint8_t env, chunk;
};

struct engine_end {
	enum tls_role role;
	enum tls_want want;
	struct engine_case how;
	struct tls_conn c;
	uint8_t rx[TLS_RX_CAP], tx[TLS_TX_CAP];
	uint8_t sent[ENGINE_STREAM_MAX];
	size_t sent_len, read_at, early_len;
	size_t given;	/* of the last read, not yet known to be taken */
};

extern struct engine_end engine_ends[2];	/* by enum tls_role */
extern struct tls_session engine_sessions[2];	/* that a client offers */

void engine_require(bool ok);		/* a fuzzer's assert(): what it finds */

/**
 * engine_load() - once
 * @certs: folder with a chain and its key (tests/certs); NULL: stand-ins for both, with unsafe.c
 */
void engine_load(const char *certs);

void engine_begin(struct engine_end *e, enum tls_role role, const struct engine_case *how);

/* Reads on in what the peer sent, until it wants more than @len bytes or is done or failed. */
void engine_run(struct engine_end *e, const uint8_t *in, size_t len);

void engine_judge(struct engine_end *e);	/* ends it: what holds of every end, whatever the peer did */

/* A whole input for one end. */
void engine_fuzz(enum tls_role role, const uint8_t *data, size_t len);

#endif
