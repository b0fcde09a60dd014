/* SPDX-License-Identifier: MIT */
/* sessions: what outlives a connection: the clock that flags put forward, a server's tickets, a client's session. */
#ifndef BOGO_SESSIONS_H
#define BOGO_SESSIONS_H

#include "tests/bogo/options.h"

void sessions_init(void);
int64_t sessions_now_ms(void);
void sessions_wait(long seconds);

/**
 * struct server_sessions - argument of sessions_ops: how a server deals with tickets, and what became of one
 * @skip: none is sealed and none is known
 * @skew_known, @skew_ms: of a ticket with which early data came
 */
struct server_sessions {
	bool skip, skew_known;
	int64_t skew_ms;
};

extern const struct tls_ticket_ops sessions_ops;

#endif
