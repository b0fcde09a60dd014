/* SPDX-License-Identifier: MIT */
/* tls_conn: what one handshake is, for those who store one; only the engine looks inside. */
#ifndef TLSHD_TLS_CONN_H
#define TLSHD_TLS_CONN_H

#include "keys.h"
#include "proto.h"
#include "transcript.h"

/* Why a step stopped. HS_NEXT is also what a parser says of a message that is right. */
enum hs { HS_NEXT, HS_WANT_RX, HS_WANT_TX, HS_WANT_SIGN, HS_EARLY_DATA, HS_FAILED };

typedef enum hs hs_step(struct tls_conn *c);

/**
 * struct rx - what came from the peer
 * @p: the lent buffer: messages at @msg_at to @msg_end, then records not yet looked at, @raw_at to @raw_end
 * @high: bytes of @p that were ever used, to be wiped
 * @limit: of a protected record's content, its type and padding; not for early data
 * @filled, @left: of the last tls_rx_filled(), and how many of them lie behind the peer's Finished
 * @skipping: records that do not decrypt, or come before the second ClientHello, are early data that was not accepted
 * @early_skip: how many bytes of it may still be dropped
 * @protected: records are protected by @keys
 * @opened: one has been
 * @seen: a record of the peer has been seen: it speaks TLS
 * @ccs_ok: change_cipher_spec is dropped, not refused
 * @early: application data is early data that was accepted, until EndOfEarlyData
 * @finished: nothing is read any more
 */
struct rx {
	uint8_t *p;
	uint32_t msg_at, msg_end, raw_at, raw_end, high, filled, left, early_skip;
	uint16_t limit;
	bool eof, protected, opened, seen, ccs_ok, skipping, early, finished;
	uint8_t num_ccs, num_user_canceled;
	struct tls_keys keys;
};

/**
 * struct tx - what goes to the peer
 * @out: the caller's, only inside tls_advance() and tls_abort()
 * @flight_sent: server: our Finished is out, so what comes next may be the client's last record
 * @limit: of a protected record's content; the peer's own choice, if @limited
 * @ccs_due: client: change_cipher_spec goes before the first protected record, be it an alert
 * @ccs_sent: it has gone
 * @aead: that @keys are for: early data has a suite before the server has chosen one
 */
struct tx {
	struct tls_out *out;
	uint16_t limit;
	bool limited, protected, flight_sent, ccs_due, ccs_sent;
	enum aead_id aead;
	struct tls_keys keys;
};

/**
 * struct key_share - a key share of ours
 * @priv: client: its secret
 * @bytes: as it is sent
 */
struct key_share {
	const struct kem *kem;
	uint8_t priv[KEM_PRIV_MAX];
	uint8_t bytes[KEM_SHARE_MAX];
};

enum sign_state { SIGN_NONE, SIGN_ASKED, SIGN_ANSWERED };

/**
 * struct session_peer - what a session's full handshake told of the peer
 * @authenticated: when that was, seconds since the epoch
 * @known: it had a certificate: @not_after and @leaf_sha256 are of it
 */
struct session_peer {
	enum tls_auth auth;
	bool known;
	int64_t authenticated, not_after;
	uint8_t leaf_sha256[32];
};

/**
 * struct psk - the pre-shared key of this handshake
 * @external: whose key the signer has; NULL: a ticket's
 * @session: client: the ticket that the server chose
 * @chosen: the server has chosen it
 * @offered, @num_offered: client: of params.sessions, in the last ClientHello
 * @hash: its own
 * @selected: its place among the identities that the client offered
 * @peer: server: what a ticket says of the client
 * @secret: of a ticket; of an external key, what the signer gave last: the binder, then the Handshake Secret
 * @binder: server: the client's, @binder_len bytes of it, to be checked
 * @binder_hash: what it is the MAC of, hash_len(@hash) bytes
 */
struct psk {
	const struct tls_external *external;
	const struct tls_session *session;
	bool chosen;
	uint8_t num_offered, offered[TLS_SESSIONS_MAX];
	enum hash_id hash;
	uint16_t selected;
	uint8_t binder_len;
	struct session_peer peer;
	uint8_t secret[HASH_MAX];
	uint8_t binder[HASH_MAX];
	uint8_t binder_hash[HASH_MAX];
};

/**
 * struct early - early data
 * @state: offered, accepted, rejected
 * @limit, @num: bytes that may come, and that came or went
 * @skew_ms, @domain: server: for struct tls_early_offer
 * @num_empty: server: records of it without content
 * @after: the client's handshake traffic secret, which follows EndOfEarlyData
 * @data, @data_len: server: of the record at hand, in the receive buffer
 */
struct early {
	enum tls_early state;
	uint32_t limit, num;
	int64_t skew_ms;
	uint64_t domain;
	uint8_t num_empty;
	uint8_t after[HASH_MAX];
	const uint8_t *data;
	size_t data_len;
};

/**
 * struct tls_conn - one handshake
 * @step: where in the array of its role it is
 * @state: TLS_WANT_RX while it goes on, TLS_DONE or TLS_FAILED
 * @kem: the group: client: once the server has chosen it
 * @shares: client: of the last ClientHello, @num_shares of them; server: the first is ours
 * @dhe: the shared secret
 * @retry: a HelloRetryRequest is sent, or has come
 * @cert_requested: the server asks, or asked, for the client's certificate
 * @staple_wanted: the peer asks for an OCSP response with our certificate
 * @sigscheme: of a CertificateVerify, by the role that signs it
 * @exts_sent: bit per enum ext: a response may carry what was asked for
 * @random: of the ClientHello
 * @hello_digest: server that retries: of what the client may not change in it
 * @sign_op: what the signer was asked for, if @sign is not SIGN_NONE
 * @resumed: by a ticket
 * @authenticated: when its session began, or this one, seconds since the epoch
 * @psk_modes: server: TLS_PSK_... that are the client's and ours
 * @num_tickets: server: sent so far
 * @psk_offered: server: the first ClientHello had a pre_shared_key
 * @cookie: client: of a HelloRetryRequest, long gone when something is signed
 * @server_name: server: SNI received
 */
struct tls_conn {
	struct tls_params params;
	hs_step *const *step;
	enum tls_want state;
	struct rx rx;
	struct tx tx;
	struct transcript transcript;

	const struct suite *suite;
	const struct kem *kem;
	const struct tls_identity *identity;
	const uint8_t *alpn;
	uint8_t alpn_len;
	uint8_t session_id_len;
	bool retry, psk_offered, cert_requested, staple_wanted, resumed;
	uint8_t psk_modes, num_tickets;
	uint16_t sigscheme[2];
	uint32_t exts_sent;
	uint8_t session_id[SESSION_ID_MAX];

	uint8_t random[RANDOM_LEN];
	uint8_t hello_digest[32];
	uint8_t num_shares;
	struct key_share shares[TLS_SHARES_MAX];
	uint8_t dhe[KEM_SECRET_MAX];
	struct keys_early early;
	struct keys_handshake handshake;
	struct keys_master master;
	struct psk psk;
	struct early early_data;

	enum sign_state sign;
	enum tls_sign_op sign_op;
	uint16_t sig_len, cookie_len;
	union {
		uint8_t sig[SIG_MAX];
		uint8_t cookie[COOKIE_MAX];
	};

	enum tls_auth auth;
	struct x509_peer peer;
	bool peer_known;
	int64_t authenticated;
	int err;
	uint16_t alert_sent, alert_received;
	char server_name[TLS_NAME_MAX + 1];
	char reason[TLS_REASON_LEN];
};

_Static_assert(sizeof(struct tls_conn) <= TLS_CONN_MAX, "a handshake must fit its slot");

#endif
