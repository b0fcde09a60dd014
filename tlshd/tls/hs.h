/* SPDX-License-Identifier: MIT */
/* hs: what the steps of both roles are made of: failing, receiving and sending messages, changing keys. */
#ifndef TLSHD_TLS_HS_H
#define TLSHD_TLS_HS_H

#include "build.h"
#include "cursor.h"
#include "tls_conn.h"

extern hs_step *const client_steps[];
extern hs_step *const server_steps[];

/* ---- failing: the connection ends; the first reason stays ---- */

/* The peer broke the protocol (EPROTO). Always HS_FAILED. */
enum hs hs_refuse(struct tls_conn *c, enum alert alert, const char *reason, ...) __attribute__((format(printf, 3, 4)));

/* Any other end. @err: negative errno; @alert: or TLS_ALERT_NONE to send none. Always HS_FAILED. */
enum hs hs_fail(struct tls_conn *c, int err, uint16_t alert, const char *reason, ...)
	__attribute__((format(printf, 4, 5)));

/* The random that makes a ServerHello a HelloRetryRequest, 4.1.3. */
extern const uint8_t hs_retry_random[RANDOM_LEN];

const char *alert_name(uint8_t alert);
const char *message_name(uint8_t type);

/* ---- receiving (rx.c) ---- */

/**
 * struct msg - a handshake message in the receive buffer; valid until it is consumed
 * @raw: with its header, as the transcript wants it
 */
struct msg {
	uint8_t type;
	struct cursor body, raw;
};

/**
 * rx_message() - the next handshake message, without consuming it
 * Return: HS_NEXT, HS_WANT_RX, HS_FAILED.
 */
enum hs rx_message(struct tls_conn *c, struct msg *m);
void rx_consume(struct tls_conn *c, const struct msg *m);
bool rx_ends_record(const struct tls_conn *c, const struct msg *m);	/* no further message byte came with it */
enum hs rx_finish(struct tls_conn *c);	/* the peer's Finished was the last: the rest is not ours */
void rx_compact(struct tls_conn *c);	/* make room behind what is buffered */
void rx_wipe(struct tls_conn *c);

/**
 * hs_recv() - receive one message whole
 * @type: another one is unexpected_message
 * @parse: judges the body, against the transcript so far; must leave the cursor empty, else decode_error. It returns
 *	HS_NEXT or HS_FAILED
 *
 * After it the message is in the transcript and consumed. Return: HS_NEXT, HS_WANT_RX, HS_FAILED.
 */
typedef enum hs hs_parse(struct tls_conn *c, struct cursor *body);
enum hs hs_recv(struct tls_conn *c, enum handshake_type type, hs_parse *parse);

/* ---- sending (tx.c) ---- */

/**
 * hs_begin() - begin a message of at most @body_max bytes in the output buffer
 * Return: HS_NEXT; HS_WANT_TX there is no room now, nothing has changed.
 */
enum hs hs_begin(struct tls_conn *c, struct build *b, enum handshake_type type, size_t body_max);
void hs_end(struct build *b);				/* it has all its bytes now, if not their last values */
void hs_send(struct tls_conn *c, struct build *b);	/* end it: to the transcript, and out in a record of its own */
void hs_send_post(struct tls_conn *c, struct build *b);	/* the same of one that is no part of the handshake */
enum hs tx_early_data(struct tls_conn *c);		/* what is left of params.early: HS_NEXT or HS_WANT_TX */
enum hs tx_change_cipher_spec(struct tls_conn *c);	/* HS_NEXT or HS_WANT_TX */
void tx_alert(struct tls_conn *c, uint8_t alert);	/* if there is room; steps leave it */

/* ---- keys ---- */

void hs_rx_keys(struct tls_conn *c, const uint8_t *secret);
void hs_tx_keys(struct tls_conn *c, const uint8_t *secret);
void hs_start_handshake_keys(struct tls_conn *c);	/* after ServerHello; c->handshake is there then */
void hs_start_master(struct tls_conn *c);		/* after the server's Finished; c->master is there then */
void hs_forget(struct tls_conn *c, bool keep_traffic);	/* wipe what is secret */

/* ---- asking the signer ---- */

/**
 * hs_ask() - what only the holder of a long-term key can do
 *
 * The answer is in c->sig (a signature) or c->psk.secret (of an external key, c->psk.external).
 * Return: HS_NEXT it is there; HS_WANT_SIGN; HS_FAILED there is none.
 */
enum hs hs_ask(struct tls_conn *c, enum tls_sign_op op);

/* ---- CertificateRequest, Certificate, CertificateVerify, Finished (auth.c) ---- */

enum hs auth_send_certificate_request(struct tls_conn *c);
enum hs auth_parse_certificate_request(struct tls_conn *c, struct cursor *body);
enum hs auth_parse_certificate(struct tls_conn *c, struct cursor *body);
enum hs auth_parse_certificate_verify(struct tls_conn *c, struct cursor *body);
enum hs auth_parse_finished(struct tls_conn *c, struct cursor *body);
enum hs auth_send_certificate(struct tls_conn *c);	/* c->identity, or an empty one */
enum hs auth_ask_signature(struct tls_conn *c);
enum hs auth_send_certificate_verify(struct tls_conn *c);
enum hs auth_send_finished(struct tls_conn *c);

#endif
