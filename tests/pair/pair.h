/* SPDX-License-Identifier: MIT */
/* pair: a client engine against a server engine in memory, driven as the daemon drives them. */
#ifndef PAIR_H
#define PAIR_H

#include "tests/unit/crypto_util.h"
#include "tlshd/tls/hs.h"

#define STREAM_MAX	(256 * 1024)

/**
 * struct side - one end
 * @in: the "socket": bytes of the peer, @in_at to @in_len; taken as tls.h says, so what stays is the kernel's
 * @key: of its identity
 * @bad_signer: it gives no signature
 * @tx_cap: of the output buffer
 * @eof: the peer closes once all is read
 * @steps: replaces the engine's own, if set before pair_start()
 */
struct side {
	struct tls_conn c;
	struct tls_config config;
	struct tls_params params;
	struct tls_identity identity;
	struct sig_key *key;
	bool bad_signer;
	uint8_t *chain;
	char name[256];
	uint8_t *in;
	size_t in_at, in_len;
	uint8_t *rx;
	uint8_t *out;
	size_t tx_cap;
	enum tls_want want;
	bool started, peeked, eof;
	hs_step *steps[32];
};

/**
 * struct pair - both ends
 * @chunk: bytes a read gives at most; 0: all there is
 * @tamper: called with every output of a side before the other gets it; may change it and, up to STREAM_MAX, its length
 * @arg, @count: the test's own
 */
struct pair {
	struct side side[2];	/* by enum tls_role */
	size_t chunk;
	void (*tamper)(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len);
	size_t arg, count;
	uint8_t *wire;
};

void pair_init(struct pair *p, const char *cert);	/* X25519 and P-256, all suites, "localhost" verified */
void pair_identity(struct pair *p, const char *cert);
void pair_name(struct pair *p, const char *name);
void pair_alpn(struct pair *p, enum tls_role role, const char *wire);
void pair_steps(struct pair *p, enum tls_role role);	/* copies the role's own steps, to be edited */
void pair_run(struct pair *p);				/* until neither side moves */
void pair_free(struct pair *p);
void side_give(struct side *s, const void *p, size_t len);
size_t pair_step(struct pair *p, enum tls_role role, hs_step *step);	/* where it is in side.steps */
void pair_insert(struct pair *p, enum tls_role role, size_t at, hs_step *step);
void pair_remove(struct pair *p, enum tls_role role, size_t at);

void assert_open(struct pair *p);			/* both done, with the same keys */
void assert_refused(struct pair *p, enum tls_role by, uint16_t alert, const char *reason);

struct x509_anchors *pair_anchors(void);

#endif
