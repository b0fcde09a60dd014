/* SPDX-License-Identifier: MIT */
/* session: NewSessionTicket, RFC 8446 section 4.6.1, as a client reads it, and the session that it keeps of it. */
#ifndef TLSHD_TLS_SESSION_H
#define TLSHD_TLS_SESSION_H

#include "cursor.h"
#include "tls.h"

/**
 * struct session_ticket - a NewSessionTicket
 * @max_early_data: 0: it allows none
 */
struct session_ticket {
	uint32_t lifetime_s, age_add, max_early_data;
	struct cursor nonce, ticket;
};

/**
 * session_read_ticket() - judge the body of a NewSessionTicket
 * @alert: out, on failure
 *
 * Unknown extensions are skipped, none may come twice. Return: whether it is well-formed.
 */
bool session_read_ticket(struct session_ticket *out, uint8_t *alert, struct cursor body);

#endif
