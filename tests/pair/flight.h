/* SPDX-License-Identifier: MIT */
/*
 * flight: all that a side says before it waits for an answer, taken apart into messages and put together again. It
 * stands between the two ends and knows the sender's keys, which the sender's steps note as they change.
 */
#ifndef FLIGHT_H
#define FLIGHT_H

#include "pair.h"

#define PARTS_MAX 64

/**
 * struct part - a handshake message, or the content of another record
 * @type: of the record
 * @epoch: 0: not protected; else the number of the sender's key, from 1
 * @at, @len: in flight.bytes
 */
struct part {
	uint8_t type;
	uint8_t epoch;
	size_t at, len;
};

struct flight {
	size_t num;
	struct part parts[PARTS_MAX];
	size_t len;
	uint8_t bytes[STREAM_MAX];
};

/* Both sides note their keys from now on; before each connection that flights are taken from. Reads are by flight. */
void flight_watch(struct pair *p);

void flight_take(struct flight *f, enum tls_role from, const uint8_t *bytes, size_t len);

/**
 * flight_put() - the records of a flight
 * @max: bytes of content in a record at most; messages under the same key share one if they fit; 0: each has its own
 * @padding: zeros behind each protected content
 */
void flight_put(const struct flight *f, enum tls_role from, uint8_t *bytes, size_t *len, size_t max, size_t padding);

/* Into the flight, in front of part @i: a message of @type with @len bytes of @body, under the key of @epoch. */
void flight_insert(struct flight *f, size_t i, uint8_t type, const void *body, size_t len, uint8_t epoch);

/* Likewise a record that is no handshake message. */
void flight_insert_record(struct flight *f, size_t i, uint8_t type, const void *content, size_t len, uint8_t epoch);
void flight_remove(struct flight *f, size_t i);

#endif
