/* SPDX-License-Identifier: MIT */
/*
 * tls: a sans-I/O TLS 1.3 handshake engine (RFC 8446). Bytes in, bytes out; no socket, clock, heap or global. It ends
 * where the application traffic keys begin: what follows belongs to the kernel, and no byte of it is ever taken.
 *
 *	tls_init(c, &params)
 *	loop:
 *		want = tls_advance(c, &out)
 *		discard tls_rx_taken(c) bytes from the socket	(only if they were peeked)
 *		send out.len bytes of out.p			(whatever the want)
 *		TLS_WANT_RX	peek or read into tls_rx_window(), tls_rx_filled()
 *		TLS_WANT_TX	nothing more: there is room again
 *		TLS_WANT_SIGN	tls_sign_request(), later tls_sign_answer()
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
#define TLS_NAME_MAX	255
#define TLS_ALPN_MAX	127		/* bytes of an ALPN list in wire form, and so of one name */
#define TLS_SUBJECT_LEN	X509_SUBJECT_LEN
#define TLS_REASON_LEN	128
#define TLS_ALERT_NONE	0xffff

/* Sizes of the buffers that a caller lends */
#define TLS_RECORD_MAX	(5 + 16384 + 256)	/* a protected record on the wire, RFC 8446 5.2 */
#define TLS_MSG_MAX	(20 * 1024)		/* the longest handshake message accepted; a chain of ten fits */
#define TLS_RX_CAP	(TLS_MSG_MAX + TLS_RECORD_MAX)
#define TLS_TX_CAP	(TLS_RECORD_MAX + 2048)	/* a Certificate message and the small ones around it */

/**
 * struct tls_identity - a certificate chain and the handle of its key
 * @chain: certificate_list as x509_chain_load() makes it; borrowed for the life of the connection
 * @type: of the leaf's key; decides which schemes fit
 * @key_id: what the signer calls the key
 */
struct tls_identity {
	const uint8_t *chain;
	size_t chain_len;
	enum sig_type type;
	uint32_t key_id;
};

/**
 * struct tls_config - policy of one profile and generation; immutable while any connection uses it
 * @suites: in order of preference; a server takes the first of its own that the client offers
 * @groups: likewise, but a group of which the client sent a key share comes before one that takes another round trip
 * @strict_groups: server: not so, the order of @groups alone decides
 * @num_shares: client: how many of the first @groups it sends a key share of, at most TLS_SHARES_MAX; 0: one
 * @identities: server: in order of preference, the first that the client can verify is used
 * @anchors: client: whom to trust; never NULL there
 * @alpn: protocols in wire form (1-byte length, name, ...), in order of preference; empty: no ALPN extension
 * @no_ccs: do without middlebox compatibility mode (client: empty session id; server follows the client)
 */
struct tls_config {
	uint16_t suites[TLS_SUITES_MAX];
	uint16_t groups[TLS_GROUPS_MAX];
	uint8_t num_suites, num_groups, num_shares, num_identities;
	bool no_ccs, strict_groups;
	const struct tls_identity *identities;
	const struct x509_anchors *anchors;
};

/**
 * struct tls_params - one connection
 * @config: borrowed until tls_wipe()
 * @server_name: client: checked by x509_name_ok(), NULL: verify no name; borrowed until tls_wipe()
 * @server_name_is_ip: then it is verified and not sent
 * @alpn: the protocols of this connection in wire form, @alpn_len <= TLS_ALPN_MAX; borrowed until tls_wipe()
 * @now: seconds since the epoch, for certificates
 */
struct tls_params {
	enum tls_role role;
	const struct tls_config *config;
	const char *server_name;
	bool server_name_is_ip;
	const uint8_t *alpn;
	size_t alpn_len;
	int64_t now;
};

enum tls_want { TLS_WANT_RX, TLS_WANT_TX, TLS_WANT_SIGN, TLS_DONE, TLS_FAILED };

struct tls_conn;	/* tls_conn.h has it, for those who store one; at most TLS_CONN_MAX bytes */
#define TLS_CONN_MAX 4096

/**
 * tls_init() - begin a handshake
 * @c: out; nothing in it was in use
 * @p: copied; what it points to is borrowed until tls_wipe()
 *
 * Aborts on a configuration that no handshake could use: no suite or group, an unknown one, a server without an
 * identity, more shares than groups, a client without anchors, a chain that fits no record.
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
 * Valid after tls_advance(). All of them while the peer's Finished has not come; after it those up to the end of its
 * record, the rest was dropped from the buffer and is still in the socket.
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

/**
 * struct tls_sign_req - what to sign: the section 4.4.3 input is the signer's to build
 * @scheme: SignatureScheme
 * @hash: Transcript-Hash(Handshake Context, Certificate), @hash_len bytes
 */
struct tls_sign_req {
	const struct tls_identity *identity;
	uint16_t scheme;
	uint8_t hash_len;
	uint8_t hash[HASH_MAX];
};

void tls_sign_request(const struct tls_conn *c, struct tls_sign_req *req);	/* only at TLS_WANT_SIGN */
void tls_sign_answer(struct tls_conn *c, const uint8_t *sig, size_t len);	/* 0: the signer failed */

/* RFC 8446 4.4.3: 64 spaces, context string, 0, hash. Shared with the signer. Returns the length. */
#define TLS_SIGN_INPUT_MAX (64 + 33 + 1 + HASH_MAX)
size_t tls_sign_input(uint8_t *out, enum tls_role signer, const uint8_t *hash, size_t hash_len);

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

enum tls_auth { TLS_AUTH_NONE, TLS_AUTH_CERTIFICATE, TLS_AUTH_PSK };

/* What can be told of the connection: any time; fields not known yet are zero. No secret in it. */
struct tls_result {
	int err;			/* 0 or negative errno: EPROTO, EKEYREJECTED, EKEYEXPIRED, ECONNRESET, ... */
	uint16_t alert_sent, alert_received;
	uint16_t suite, group, sigscheme;
	enum tls_auth auth;
	const char *reason;		/* NUL-terminated, empty if none; lives as long as the connection does */
	const char *alpn;		/* not terminated */
	size_t alpn_len;
	const char *server_name;	/* server: SNI received, NUL-terminated */
	const char *peer_subject;
	const uint8_t *peer_leaf_sha256; /* NULL: the peer sent no certificate */
};

void tls_result(const struct tls_conn *c, struct tls_result *r);

#endif
