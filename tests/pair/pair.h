/* SPDX-License-Identifier: MIT */
/* pair: a client engine against a server engine in memory, driven as the daemon drives them. */
#ifndef PAIR_H
#define PAIR_H

#include "tests/unit/crypto_util.h"
#include "tlshd/tls/hs.h"

#define STREAM_MAX	(256 * 1024)
#define IDENTITIES_MAX	3

/**
 * struct side - one end
 * @identities, @keys, @chains, @facts: what it can sign with; key_id is the place
 * @external, @psk: the key that it shares with the peer, if any
 * @bad_signer: it gives no answer
 * @num_signed: of its answers, by enum tls_sign_op
 * @in: the "socket": bytes of the peer, @in_at to @in_len; taken as tls.h says, so what stays is the kernel's
 * @early, @early_len: early data that was handed out
 * @keylog: lines of SSLKEYLOGFILE, after pair_keylog()
 * @tx_cap: of the output buffer
 * @rx_peak, @tx_peak: bytes of the lent buffers that were in use at most
 * @eof: the peer closes once all is read
 * @steps: replaces the engine's own, if set before pair_run()
 */
struct side {
	struct tls_conn c;
	struct tls_config config;
	struct tls_params params;
	struct tls_identity identities[IDENTITIES_MAX];
	struct sig_key *keys[IDENTITIES_MAX];
	uint8_t *chains[IDENTITIES_MAX];
	struct x509_facts facts[IDENTITIES_MAX];
	struct tls_external external;
	uint8_t psk[HASH_MAX];
	bool bad_signer;
	size_t num_signed[3];
	char name[256];
	uint8_t *early;
	size_t early_len;
	char keylog[8][256];
	size_t num_keylog;
	uint8_t *in;
	size_t in_at, in_len;
	uint8_t *rx;
	uint8_t *out;
	size_t tx_cap, rx_peak, tx_peak;
	enum tls_want want;
	bool started, peeked, eof;
	hs_step *steps[80];
};

/* What a read gives of what the peer sent. */
enum pair_reads {
	PAIR_ALL,		/* all there is: the peer's output each time that it stops, if only for a signature */
	PAIR_RECORDS,		/* one record, and so one message, as the engine sends them */
	PAIR_FLIGHTS,		/* all that the peer has to say before it waits for an answer */
};

/**
 * struct pair_tickets - a server's keeper of tickets; its ops are AEAD sealing and a list of binders
 * @no_seal, @no_open, @no_early: it refuses
 * @num_seals, @num_opens, @num_earlies: how often it was asked
 * @skew_ms: of the last early data
 * @state, @state_len: content of the last ticket that was opened
 */
struct pair_tickets {
	bool no_seal, no_open, no_early;
	size_t num_seals, num_opens, num_earlies;
	int64_t skew_ms;
	uint8_t state[TLS_STATE_MAX];
	size_t state_len;
	uint8_t binders[16][HASH_MAX];
	size_t num_binders;
};

/**
 * struct pair - both ends
 * @reads, @chunk: what a read gives, and how many bytes at most; 0: any number
 * @tickets: the server's, after pair_tickets()
 * @sessions, @offered: what pair_take_sessions() found, and what the client is given of it
 * @tamper: called with every output of a side before the other gets it; may change it and, up to STREAM_MAX, its length
 * @arg, @count: the test's own
 */
struct pair {
	struct side side[2];	/* by enum tls_role */
	enum pair_reads reads;
	size_t chunk;
	struct pair_tickets tickets;
	struct tls_session sessions[TLS_TICKETS_MAX];
	const struct tls_session *offered[TLS_SESSIONS_MAX];
	size_t num_sessions;
	void (*tamper)(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len);
	size_t arg, count;
	uint8_t *wire;
	size_t wire_len;
};

void pair_init(struct pair *p, const char *cert);	/* X25519 and P-256, all suites, "localhost" verified */
void pair_identity(struct pair *p, const char *cert);	/* the server's only one */
void pair_add_identity(struct pair *p, enum tls_role role, const char *cert);
void pair_client_auth(struct pair *p, enum tls_client_auth auth, const char *cert);	/* NULL: it has none */
void pair_external(struct pair *p, const char *identity, enum hash_id hash);	/* known to both */
void pair_keylog(struct pair *p);
void pair_name(struct pair *p, const char *name);
void pair_alpn(struct pair *p, enum tls_role role, const char *wire);
void pair_steps(struct pair *p, enum tls_role role);	/* copies the role's own steps, to be edited */
void pair_run(struct pair *p);				/* until neither side moves */
void pair_again(struct pair *p);			/* a new connection: what was configured and kept stays */
void pair_free(struct pair *p);
void side_give(struct side *s, const void *p, size_t len);
size_t pair_step(struct pair *p, enum tls_role role, hs_step *step);	/* where it is in side.steps */
void pair_insert(struct pair *p, enum tls_role role, size_t at, hs_step *step);
void pair_remove(struct pair *p, enum tls_role role, size_t at);

/* ---- sessions (tickets.c) ---- */

void pair_tickets(struct pair *p);			/* the server sends one ticket, which would allow early data */
size_t pair_take_sessions(struct pair *p);		/* open: what came behind Finished is tickets, nothing else */
void pair_first(struct pair *p, size_t num);		/* a full handshake, @num tickets; the client is about to offer them */
void pair_resume(struct pair *p);			/* pair_again(); it offers what it took, the newest first */
void pair_early(struct pair *p, const void *data, size_t len);	/* the client sends it, the server would accept it */
void pair_age(struct pair *p, int64_t ms);		/* that much later, for both */

struct ticket;
void pair_edit_ticket(struct pair *p, size_t i, void (*change)(struct ticket *t));	/* what the server sealed for session @i */

void assert_resumed(struct pair *p, bool resumed);	/* and open */
void assert_early(struct pair *p, enum tls_early state);	/* and all bytes arrived, or none */

void assert_open(struct pair *p);			/* both done, with the same keys */
void assert_refused(struct pair *p, enum tls_role by, uint16_t alert, const char *reason);

struct x509_anchors *pair_anchors(void);

int pair_main(const struct CMUnitTest *tests, size_t num);	/* the main() of each of these tests */

#endif
