/* SPDX-License-Identifier: MIT */
/* record: protection of one record, RFC 8446 section 5. Pure functions; what may come when is rx.c's matter. */
#ifndef TLSHD_TLS_RECORD_H
#define TLSHD_TLS_RECORD_H

#include "keys.h"
#include "proto.h"

/* Bytes that a protected record adds to its content: header, inner content type, tag. */
#define RECORD_OVERHEAD (RECORD_HEADER_LEN + 1 + AEAD_TAG_LEN)

/**
 * record_header() - write a record's header
 * @out: RECORD_HEADER_LEN bytes
 */
void record_header(uint8_t *out, enum content_type type, uint16_t version, size_t len);

/**
 * record_seal() - protect a record in place
 * @rec: room for @len + RECORD_OVERHEAD bytes, the content of @len bytes, at most PLAINTEXT_MAX, at RECORD_HEADER_LEN
 * @k: in and out: its sequence number counts on. RFC 8446 5.5's limits are far beyond a handshake's handful of records
 *
 * Without padding. Return: the record's length.
 */
size_t record_seal(uint8_t *rec, enum content_type type, size_t len, enum aead_id aead, struct tls_keys *k);

enum record_fault { RECORD_OK, RECORD_BAD_MAC, RECORD_TOO_LONG, RECORD_NO_TYPE };

/**
 * record_open() - verify and decrypt a record in place
 * @rec: the whole record; its content is then at RECORD_HEADER_LEN
 * @type, @content_len: out: the inner content type, and the content's length without type and padding
 * @k: in and out: the sequence number counts on, but not after RECORD_BAD_MAC
 *
 * Return: RECORD_OK; RECORD_BAD_MAC does not verify (bad_record_mac); RECORD_TOO_LONG the inner plaintext is over the
 * limit (record_overflow); RECORD_NO_TYPE it is all zeros (unexpected_message).
 */
enum record_fault record_open(uint8_t *rec, size_t len, uint8_t *type, size_t *content_len, enum aead_id aead,
			      struct tls_keys *k) __attribute__((warn_unused_result));

#endif
