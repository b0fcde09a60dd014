/* SPDX-License-Identifier: MIT */
/*
 * tls: a sans-I/O TLS 1.3 handshake engine (RFC 8446). Bytes in, bytes out; no socket, clock, heap or global. It ends
 * where the application traffic keys begin: what follows belongs to the kernel, and no byte of it is ever taken.
 *
 *	tls_init(c, &params)
 *	loop:
 *		want = tls_advance(c, &out)
 *		discard tls_rx_taken(c) bytes from the socket	(if they were peeked, once want is RX, DONE or FAILED)
 *		send out.len bytes of out.p			(whatever the want)
 *		TLS_WANT_RX	peek or read into tls_rx_window(), tls_rx_filled()
 *		TLS_WANT_TX	nothing more: there is room again
 *		TLS_WANT_SIGN	tls_sign_request(), later tls_sign_answer()
 *		TLS_EARLY_DATA	server: tls_early_data() has some of the client's
 *		TLS_DONE	tls_traffic(), tls_result(); install keys
 *		TLS_FAILED	tls_result(): errno, alert, reason; the alert is in out
 *	tls_wipe(c)
 *
 * Programmer's errors abort; a peer's error is TLS_FAILED with exactly one alert. A failed or done connection stays so.
 */
#ifndef TLSHD_TLS_H
#define TLSHD_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../crypto/crypto.h"

enum tls_role { TLS_CLIENT, TLS_SERVER };

/* RFC 8446 B.4 */
#define TLS_AES_128_GCM_SHA256		0x1301
#define TLS_AES_256_GCM_SHA384		0x1302
#define TLS_CHACHA20_POLY1305_SHA256	0x1303

#define TLS_SUITES_MAX	3
#define TLS_GROUPS_MAX	4
#define TLS_SHARES_MAX	2
#define TLS_SCHEMES_MAX	12
#define TLS_SESSIONS_MAX 4		/* that a client offers at once */
#define TLS_TICKETS_MAX	4		/* that a server sends at once */
#define TLS_TICKET_LIFETIME_MAX_S (7 * 24 * 3600)	/* RFC 8446 4.6.1 */
#define TLS_EARLY_MAX	(32 * 1024)	/* bytes of early data that a ticket may allow: so much can be skipped, too */
#define TLS_TICKET_MAX	2048		/* bytes of a ticket that a client keeps; a longer one is not used */
#define TLS_EXTERNAL_KEY_MIN 16		/* bytes of an external key: 128 bits (RFC 9257 6) */
#define TLS_EXTERNAL_MAX 256		/* bytes of an external key's identity */
#define TLS_NAME_MAX	255
#define TLS_ALPN_MAX	127		/* bytes of an ALPN list in wire form, and so of one name */
#define TLS_SUBJECT_LEN	X509_SUBJECT_LEN
#define TLS_REASON_LEN	128
#define TLS_ALERT_NONE	0xffff

/* Sizes of the buffers that a caller lends */
#define TLS_RECORD_MAX	(5 + 16384 + 256)	/* a protected record on the wire, RFC 8446 5.2 */
#define TLS_MSG_MAX	(20 * 1024)		/* the longest handshake message accepted; a chain of ten fits */
#define TLS_RX_CAP	(TLS_MSG_MAX + TLS_RECORD_MAX)
#define TLS_TX_CAP	(24 * 1024)	/* a Certificate message, also in the smallest records that RFC 8449 allows */

/**
 * struct tls_identity - a certificate chain and the handle of its key
 * @chain: certificate_list as x509_chain_load() makes it; borrowed for the life of the connection
 * @type: of the leaf's key; decides which schemes fit
 * @key_id: what the signer calls the key
 * @schemes, @num_schemes: to sign with, in order of preference; none: all that fit @type, in an order of ours
 * @cert_schemes, @num_cert_schemes: what the chain's certificates but an anchor are signed with; a peer that names its
 *	own (RFC 8446 4.2.3) gets a chain that it can verify, if there is one
 * @issuers: of the chain's certificates, as a list of DER names each behind a 2-byte length; a peer that names its
 *	authorities (4.2.4) gets a chain that leads to one, if there is one; borrowed, as is
 * @ocsp: DER OCSPResponse for the leaf, to be stapled (4.4.2.1) where it fits one message with the chain; NULL: none
 */
struct tls_identity {
	const uint8_t *chain;
	size_t chain_len;
	enum sig_type type;
	uint32_t key_id;
	uint8_t num_schemes, num_cert_schemes;
	uint16_t schemes[TLS_SCHEMES_MAX], cert_schemes[TLS_SCHEMES_MAX];
	const uint8_t *issuers, *ocsp;
	size_t issuers_len, ocsp_len;
};

/**
 * struct tls_external - a pre-shared key agreed on outside TLS (RFC 9257): who knows it is the signer
 * @identity: as it is sent, in the clear; borrowed
 * @hash: the only one that it is used with; likewise a key is for one role
 * @key_id: what the signer calls it
 */
struct tls_external {
	const uint8_t *identity;
	size_t identity_len;
	enum hash_id hash;
	uint32_t key_id;
};

/* PskKeyExchangeMode, RFC 8446 4.2.9, as bits */
#define TLS_PSK_DHE_KE	1
#define TLS_PSK_KE	2		/* without forward secrecy: nobody's default */

/* What a server does about the client's certificate. A certificate that is there always proves its key. */
enum tls_client_auth {
	TLS_CLIENT_AUTH_NONE,		/* not asked for */
	TLS_CLIENT_AUTH_REQUEST,	/* asked for; none, or one of whatever issuer, will do: it authenticates nobody */
	TLS_CLIENT_AUTH_VERIFY,		/* none will do; one that comes must verify */
	TLS_CLIENT_AUTH_REQUIRE,	/* one must come and verify */
};

/**
 * struct tls_config - policy of one profile and generation; immutable while any connection uses it
 * @suites: in order of preference; a server takes the first of its own that the client offers
 * @groups: likewise, but a group of which the client sent a key share comes before one that takes another round trip
 * @schemes: SignatureSchemes that a peer may sign with, in order of preference; none: all that there are
 * @strict_groups: server: not so, the order of @groups alone decides
 * @num_shares: client: how many of the first @groups it sends a key share of, at most TLS_SHARES_MAX; 0: one
 * @identities: in order of preference, the first that the peer can verify is used; a client may have none
 * @externals: server: any number; client: one at most, and then it offers nothing else, and no certificate is taken
 * @anchors: whom to trust; NULL only for a server that verifies nobody or a client with an external key
 * @no_ccs: do without middlebox compatibility mode (client: empty session id; server follows the client)
 * @ocsp: client: ask for a stapled response; one that comes must be good, and come if the certificate says so (RFC 7633)
 * @require_ocsp: client: likewise, and one must come whatever it says
 * @record_limit: what RFC 8449 calls record_size_limit, 64 to 16385: our own, and so whether the peer's is honoured;
 *	0: the extension is not spoken, because what sends after the handshake cannot split records
 * @client_auth: server
 * @name_authorities: server: CertificateRequest names @anchors (certificate_authorities), where they fit
 * @psk_modes: TLS_PSK_...; 0: neither resumption nor external keys
 * @num_tickets: server: how many are sent, at most TLS_TICKETS_MAX
 * @ticket_lifetime_s: server: of a session from its full handshake on, at most 7 days (RFC 8446 4.6.1)
 * @ticket_early_data: server: max_early_data_size of tickets, at most TLS_EARLY_MAX; 0: they allow none
 * @scope: server: digest of the profile and of the virtual host: a ticket of another one is not taken
 * @policy: server: digest of what the client's certificate is judged by (mode, anchors, names, CRL): likewise
 */
struct tls_config {
	uint16_t suites[TLS_SUITES_MAX];
	uint16_t groups[TLS_GROUPS_MAX];
	uint16_t schemes[TLS_SCHEMES_MAX];
	uint8_t num_suites, num_groups, num_schemes, num_shares, num_identities;
	uint16_t num_externals;
	bool no_ccs, strict_groups, ocsp, require_ocsp, name_authorities;
	uint16_t record_limit;
	const struct tls_identity *identities;
	const struct tls_external *externals;
	const struct x509_anchors *anchors;
	enum tls_client_auth client_auth;
	uint8_t psk_modes, num_tickets;
	uint32_t ticket_lifetime_s, ticket_early_data;
	uint8_t scope[32], policy[32];
};

/**
 * struct tls_session - what a client keeps of a ticket; holds a secret: wipe it. No pointer in it: it may be stored
 * @psk: hash_len() of @suite's hash bytes
 * @received_ms: since the epoch; @lifetime_s from then on it may be offered
 * @max_early_data: bytes; 0: none
 * @authenticated: when the server last proved its certificate, seconds since the epoch
 * @not_after: of that certificate (INT64_MAX: there was none)
 */
struct tls_session {
	uint16_t suite, ticket_len;
	uint8_t psk[HASH_MAX];
	uint32_t age_add, lifetime_s, max_early_data;
	int64_t received_ms, authenticated, not_after;
	uint8_t leaf_sha256[32];
	uint8_t alpn_len, alpn[TLS_ALPN_MAX];
	uint8_t ticket[TLS_TICKET_MAX];
};

/* What a server says of early data that it could accept; who answers keeps the replay table. */
struct tls_early_offer {
	const uint8_t *binder;		/* of this ClientHello, verified */
	size_t binder_len;
	int64_t skew_ms;		/* the client's idea of the ticket's age, less ours */
	uint64_t domain;		/* what open() said */
};

#define TLS_STATE_MAX	384		/* bytes of a ticket's content */
#define TLS_SEAL_MAX	128		/* and what sealing may add */

/**
 * struct tls_ticket_ops - a server's tickets; calls come from within tls_advance() and may not block
 * @seal: @out: TLS_STATE_MAX + TLS_SEAL_MAX bytes. Return: the ticket's length, 0: there can be none now
 * @open: @state: TLS_STATE_MAX bytes, a secret, wiped by the engine; @domain: out, for @early.
 *	Return: the content's length, 0: no ticket of ours, or one whose key is gone
 * @early: may this early data be accepted? Only once for a binder. NULL: never
 */
struct tls_ticket_ops {
	size_t (*seal)(void *arg, uint8_t *out, const uint8_t *state, size_t len);
	size_t (*open)(void *arg, uint8_t *state, uint64_t *domain, const uint8_t *ticket, size_t len);
	bool (*early)(void *arg, const struct tls_early_offer *offer);
};

/**
 * struct tls_params - one connection
 * @config: borrowed until tls_wipe()
 * @server_name: client: checked by x509_name_ok(), NULL: verify no name; borrowed until tls_wipe()
 * @server_name_is_ip: then it is verified and not sent
 * @alpn: the protocols of this connection in wire form, @alpn_len <= TLS_ALPN_MAX; borrowed until tls_wipe()
 * @now_ms: since the epoch, for certificates and tickets
 * @sessions: client: up to TLS_SESSIONS_MAX to offer, the best first; those that no longer can be used are passed over,
 *	as are those that no certificate began, which name nobody; they, and what they hold, are borrowed until tls_wipe()
 * @early, @early_len: client: to be sent as early data if the first session allows as much; borrowed until tls_wipe()
 * @accept_early: server: early data may be accepted, should @tickets and the ticket agree
 * @tickets, @tickets_arg: server: NULL: no tickets
 * @keylog: called with a line of SSLKEYLOGFILE (no newline) for each secret; NULL, as ever in production: not
 * @chains, what verification may remember between connections; NULL: nothing
 */
struct tls_params {
	enum tls_role role;
	const struct tls_config *config;
	const char *server_name;
	bool server_name_is_ip, accept_early;
	const uint8_t *alpn;
	size_t alpn_len;
	int64_t now_ms;
	const struct tls_session *const *sessions;
	size_t num_sessions;
	const uint8_t *early;
	size_t early_len;
	const struct tls_ticket_ops *tickets;
	void *tickets_arg;
	void (*keylog)(void *arg, const char *line);
	void *keylog_arg;
	struct x509_cache *chains;
};

enum tls_want { TLS_WANT_RX, TLS_WANT_TX, TLS_WANT_SIGN, TLS_EARLY_DATA, TLS_DONE, TLS_FAILED };

struct tls_conn;	/* tls_conn.h has it, for those who store one; at most TLS_CONN_MAX bytes */
#define TLS_CONN_MAX 4096

/**
 * tls_init() - begin a handshake
 * @c: out; nothing in it was in use
 * @p: copied; what it points to is borrowed until tls_wipe()
 *
 * Aborts on a configuration that no handshake could use: no suite or group, an unknown one, an unknown scheme, a server
 * without an identity, more shares than groups, nobody to trust where a certificate must verify, a chain that fits no
 * record; an external key whose hash no suite has, or a second one of a client; more sessions than TLS_SESSIONS_MAX or
 * early data than TLS_EARLY_MAX.
 */
void tls_init(struct tls_conn *c, const struct tls_params *p);

/**
 * tls_wipe() - the end of a connection, at any time after tls_init()
 *
 * Every secret is gone, what libcrypto holds is freed, what was used of a buffer still lent is wiped.
 */
void tls_wipe(struct tls_conn *c);

/**
 * tls_lend_rx() - lend the receive buffer: records, and a message that spans records
 * @p: TLS_RX_CAP bytes, the engine's until tls_take_rx(), which wipes what was used of it
 *
 * Needed from the first tls_rx_window() on. It may be taken back when tls_rx_idle() (nothing buffered).
 */
void tls_lend_rx(struct tls_conn *c, uint8_t *p);
uint8_t *tls_take_rx(struct tls_conn *c);
bool tls_rx_idle(const struct tls_conn *c);

/**
 * struct tls_window - where received bytes go
 * @p: room for @room bytes, at least as many as the current record still wants
 * @greedy: bytes behind the current record cannot be the kernel's yet: a plain read may take all that is there. Else
 *	peek, and discard tls_rx_taken() bytes after tls_advance()
 */
struct tls_window {
	uint8_t *p;
	size_t room;
	bool greedy;
};

void tls_rx_window(struct tls_conn *c, struct tls_window *w);	/* moves what is buffered: ask anew before each read */
void tls_rx_filled(struct tls_conn *c, size_t len);	/* @len bytes, at most room, are in the last window */

/* The peer closed: what is buffered counts still; a tls_advance() that wants more fails with ECONNRESET and no alert. */
void tls_rx_eof(struct tls_conn *c);

/**
 * tls_rx_taken() - how many of the bytes of the last tls_rx_filled() are the engine's
 *
 * Valid after a tls_advance() that returned TLS_WANT_RX, TLS_DONE or TLS_FAILED; at another want not all of them have
 * been looked at. All of them while the peer's Finished has not come; after it those up to the end of its record, the
 * rest was dropped from the buffer and is still in the socket.
 */
size_t tls_rx_taken(const struct tls_conn *c);

/**
 * struct tls_out - where records to send go
 * @p: @cap bytes, at least TLS_TX_CAP when @len is 0
 * @len: in: bytes already there; out: with what was added
 */
struct tls_out {
	uint8_t *p;
	size_t cap, len;
};

/**
 * tls_advance() - go as far as possible
 * @out: in and out: records are appended; to be sent whatever is returned
 *
 * Return: what it waits for, or how it ended. Calling again without giving that changes nothing.
 */
enum tls_want tls_advance(struct tls_conn *c, struct tls_out *out);

/* What only the holder of a long-term key can do */
enum tls_sign_op {
	TLS_SIGN_CERTIFICATE,		/* a signature: the section 4.4.3 input is the signer's to build */
	TLS_SIGN_BINDER,		/* tls_psk_binder() */
	TLS_SIGN_HANDSHAKE_SECRET,	/* tls_psk_handshake_secret() */
};

/**
 * struct tls_sign_req - what to do with a long-term key; of a handshake secret it holds a secret: wipe it
 * @identity: of a signature; else @external
 * @scheme: SignatureScheme
 * @hash: Transcript-Hash(Handshake Context, Certificate), or of a binder's truncated ClientHello; @hash_len bytes
 * @dhe: of a handshake secret, @dhe_len bytes
 */
struct tls_sign_req {
	enum tls_sign_op op;
	const struct tls_identity *identity;
	const struct tls_external *external;
	uint16_t scheme;
	uint8_t hash_len, dhe_len;
	uint8_t hash[HASH_MAX];
	uint8_t dhe[KEM_SECRET_MAX];
};

void tls_sign_request(const struct tls_conn *c, struct tls_sign_req *req);	/* only at TLS_WANT_SIGN */
void tls_sign_answer(struct tls_conn *c, const uint8_t *sig, size_t len);	/* 0: the signer failed */

/*
 * RFC 8446 4.2.11.2 and 7.1, shared with the signer: what it gives out of an external key, and no more. @out:
 * hash_len(@hash) bytes; @transcript as many; @dhe_len 0: psk_ke. A key of under TLS_EXTERNAL_KEY_MIN bytes aborts: who
 * loads keys refuses it before.
 */
void tls_psk_binder(uint8_t *out, enum hash_id hash, const uint8_t *psk, size_t psk_len, const uint8_t *transcript);
void tls_psk_handshake_secret(uint8_t *out, enum hash_id hash, const uint8_t *psk, size_t psk_len, const uint8_t *dhe,
			      size_t dhe_len);

/* RFC 8446 4.4.3: 64 spaces, context string, 0, hash. Shared with the signer. Returns the length. */
#define TLS_SIGN_INPUT_MAX (64 + 33 + 1 + HASH_MAX)
size_t tls_sign_input(uint8_t *out, enum tls_role signer, const uint8_t *hash, size_t hash_len);

/*
 * Server, at TLS_EARLY_DATA: what the client sent before its Finished, and so perhaps not for the first time. It stands
 * until the next tls_advance().
 */
size_t tls_early_data(const struct tls_conn *c, const uint8_t **p);

/*
 * The time has gone on. A client whose hello is sent again tells tickets' ages anew. A server that accepts early data
 * must be told before each tls_advance(): it judges by it whether a ClientHello is a fresh one.
 */
void tls_set_now(struct tls_conn *c, int64_t now_ms);

/* Abort from outside (deadline, keys that cannot be installed): appends the alert to @out, the connection is failed. */
void tls_abort(struct tls_conn *c, int err, uint8_t alert, const char *reason, struct tls_out *out);

/* What a layer above kTLS needs: TLS_DONE only. A copy holds secrets: wipe it. */
struct tls_keys {
	uint8_t key[AEAD_KEY_MAX];
	uint8_t iv[AEAD_NONCE_LEN];
	uint64_t seq;
	uint8_t secret[HASH_MAX];
};

struct tls_traffic {
	uint16_t suite;
	uint8_t hash_len, key_len;
	struct tls_keys tx, rx;
	uint8_t exporter_secret[HASH_MAX];
};

void tls_traffic(const struct tls_conn *c, struct tls_traffic *t);

/*
 * Server, when tls_advance() returned TLS_WANT_RX or TLS_EARLY_DATA: is early data accepted, and all that we send out,
 * so that the application may write under @t's tx keys before the client's Finished is there? From then on no byte comes
 * out of tls_advance() but an alert, which must not be sent: it has the number of the application's first record.
 * @t: rx and exporter are zero. A copy holds secrets: wipe it.
 */
bool tls_early_traffic(const struct tls_conn *c, struct tls_traffic *t);

/**
 * tls_export() - keying material for an application
 * @out: @len bytes, at most 255 times the hash's
 * @label: up to 249 bytes
 * @context: no context counts as an empty one
 *
 * RFC 8446 7.5. Return: 0, or -EINVAL for a length out of range.
 */
int tls_export(const struct tls_traffic *t, uint8_t *out, size_t len, const char *label, size_t label_len,
	       const uint8_t *context, size_t context_len);

/* ---- after the handshake: what post-handshake messages mean (RFC 8446 4.6), for who reads them ---- */

enum tls_post { TLS_POST_TICKET, TLS_POST_KEY_UPDATE, TLS_POST_KEY_UPDATE_REQUESTED };

/**
 * tls_post_parse() - judge one whole message, of @len bytes with its header
 * @role: ours
 * Return: 0 with @kind, or -EPROTO with the @alert to send.
 */
int tls_post_parse(enum tls_role role, enum tls_post *kind, uint8_t *alert, const uint8_t *msg, size_t len);

void tls_next_keys(struct tls_keys *k, uint16_t suite);	/* a direction's, at a KeyUpdate: 7.2 */

/**
 * struct tls_resumption - what a client needs to make something of the tickets that come; holds a secret: wipe it
 */
struct tls_resumption {
	uint16_t suite;
	uint8_t secret[HASH_MAX];	/* resumption_master_secret */
	uint8_t alpn_len, alpn[TLS_ALPN_MAX];
	uint8_t leaf_sha256[32];
	int64_t authenticated, not_after;
};

void tls_resumption(const struct tls_conn *c, struct tls_resumption *r);	/* client, TLS_DONE only */

/**
 * tls_session_take() - a session from a NewSessionTicket message, of @len bytes with its header
 * @now_ms: since the epoch, rounded up: told more than its age, GnuTLS takes no early data with a ticket
 *
 * Return: 0; -EBADMSG malformed; -EMSGSIZE the ticket is over TLS_TICKET_MAX; -ESTALE its lifetime is 0, the server's
 * certificate expired, or it was proven 7 days ago: tickets that renew each other end, too.
 */
int tls_session_take(struct tls_session *out, const struct tls_resumption *r, const uint8_t *msg, size_t len,
		     int64_t now_ms);

enum tls_auth { TLS_AUTH_NONE, TLS_AUTH_CERTIFICATE, TLS_AUTH_PSK };

/* Early data: of a client offered by us, of a server by the peer */
enum tls_early { TLS_EARLY_NONE, TLS_EARLY_OFFERED, TLS_EARLY_ACCEPTED, TLS_EARLY_REJECTED };

/* What can be told of the connection: any time; fields not known yet are zero. No secret in it. */
struct tls_result {
	int err;			/* 0 or negative errno: EPROTO, EKEYREJECTED, EKEYEXPIRED, ECONNRESET, ... */
	uint16_t alert_sent, alert_received;
	uint16_t suite, group, sigscheme;
	enum tls_auth auth;		/* CERTIFICATE also of a session that began with one */
	bool resumed;
	enum tls_early early;
	uint32_t early_bytes;		/* sent or received */
	uint16_t record_limit;		/* bytes of content that the peer takes in a record, where RFC 8449 is spoken; else 0 */
	int64_t authenticated;		/* when the session's full handshake was, seconds since the epoch */
	const char *reason;		/* NUL-terminated, empty if none; lives as long as the connection does */
	const char *alpn;		/* not terminated */
	size_t alpn_len;
	const char *server_name;	/* server: SNI received, NUL-terminated */
	const char *peer_subject;
	const uint8_t *peer_leaf_sha256; /* NULL: the peer sent no certificate */
};

void tls_result(const struct tls_conn *c, struct tls_result *r);

#endif
