/* SPDX-License-Identifier: MIT */
/*
 * policy: what a worker decides before a handshake begins: may this caller do this with that profile, and with which
 * parameters? Made from an image, immutable, shared by the threads of the worker.
 */
#ifndef TLSHD_POLICY_H
#define TLSHD_POLICY_H

#include "image.h"
#include "sessions.h"
#include "tickets.h"
#include "upcall.h"

struct policy;

/**
 * policy_open() - make a policy from a mapped image
 * @im: borrowed until policy_close()
 * @tickets: what a server seals its tickets with, borrowed likewise, as is
 * @replay: where early data is known again; NULL: none is accepted
 *
 * Return: NULL without memory, or if a trust bundle does not parse (the supervisor had checked it).
 */
struct policy *policy_open(const struct image *im, const struct tickets *tickets, struct replay *replay);
void policy_close(struct policy *p);
uint32_t policy_generation(const struct policy *p);

/**
 * struct policy_grant - what an admitted request may do
 * @params: for tls_init(); config borrowed from the policy, server_name and alpn point into this struct, so it must not
 *	move; @params.now_ms is left to the caller
 * @timeout_ms: for the whole handshake, counted from START
 * @resume: client: offer and keep sessions, as @session
 * @tickets: server: what @params.tickets_arg points to, if tickets are given or taken
 */
struct policy_grant {
	struct tls_params params;
	uint32_t timeout_ms;
	bool resume;
	struct sessions_key session;
	struct tickets_use tickets;
	char server_name[TLSHD_NAME_LEN];
	uint8_t alpn[TLS_ALPN_MAX];
};

/**
 * policy_admit() - judge a request
 * @out: out, on success
 * @reason: out, on failure: why, in words for the caller; nothing that the caller does not know already
 *
 * The order matters: a caller that may not use a profile learns nothing of its contents.
 * Return: 0; -ENOENT no such profile; -EACCES the caller is not among those that may use this role of it, or wants
 * TLSHD_F_ANY_NAME where the profile does not permit it; -EINVAL server_name or alpn is wrong for this profile and
 * role.
 */
int policy_admit(struct policy_grant *out, const struct policy *p, const struct upcall_request *req,
		 char reason[TLSHD_REASON_LEN]) __attribute__((warn_unused_result));

#endif
