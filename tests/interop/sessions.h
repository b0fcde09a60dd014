/* SPDX-License-Identifier: MIT */
/* sessions: the tickets that a client of ours keeps, and those that a server of ours makes; in memory, for one process. */
#ifndef INTEROP_SESSIONS_H
#define INTEROP_SESSIONS_H

#include "tlshd/tls/tls.h"

int64_t sessions_now_ms(void);

/*
 * Client: after a handshake, then for each NewSessionTicket. The last one that can be used is kept, as if it were
 * @older_ms older: what a server then sees is an old ClientHello, such as in a replay.
 */
void sessions_begin(const struct tls_conn *c, int64_t older_ms);
void sessions_take(const uint8_t *msg, size_t len);
const struct tls_session *const *sessions_offered(size_t *num);	/* for tls_params; stands until the next sessions_take() */

extern const struct tls_ticket_ops sessions_tickets;		/* server: any early data may be accepted */

void sessions_wipe(void);

#endif
