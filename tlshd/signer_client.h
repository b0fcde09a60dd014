/* SPDX-License-Identifier: MIT */
/*
 * signer_client: a worker thread's side of the signer. Questions are collected while others are under way and go out in
 * batches; the number under way is bounded by what the socket holds, so neither side ever waits for the other in a
 * system call.
 */
#ifndef TLSHD_SIGNER_CLIENT_H
#define TLSHD_SIGNER_CLIENT_H

#include "loop.h"
#include "sign_wire.h"
#include "tls/tls.h"

struct signer_client;

/**
 * signer_client_answer - called from loop_run() or signer_client_attach()
 * @len: 0: the signer refused or died
 */
typedef void (*signer_client_answer)(void *ctx, uint32_t slot, uint32_t slot_generation, const uint8_t *sig,
				     size_t len);

/**
 * signer_client_open() - begin without a signer: questions wait until signer_client_attach()
 * @num_slots: slots are numbered below; each has one question at most
 * @config: generation of the configuration
 *
 * Return: NULL without memory.
 */
struct signer_client *signer_client_open(struct loop *l, uint32_t num_slots, uint32_t config,
					 signer_client_answer answer, void *ctx);
void signer_client_close(struct signer_client *c);	/* after its last loop_run() */

/**
 * signer_client_attach() - use a new socket to the signer; it belongs to the client
 *
 * Questions that were under way to the one before are answered with length 0.
 */
void signer_client_attach(struct signer_client *c, int fd);

void signer_client_ask(struct signer_client *c, uint32_t slot, uint32_t slot_generation,
		       const struct tls_sign_req *req);

/* signer_client_flush() - send what was asked; once each turn of the loop */
void signer_client_flush(struct signer_client *c);

/* Bytes that a client of @num_slots takes. */
size_t signer_client_bound(uint32_t num_slots);

#endif
