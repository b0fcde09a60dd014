/* SPDX-License-Identifier: MIT */
/* expect: what came of a connection, against what its flags expect and the runner cannot see. */
#ifndef BOGO_EXPECT_H
#define BOGO_EXPECT_H

#include "tests/bogo/options.h"
#include "tests/bogo/policy.h"
#include "tests/bogo/sessions.h"
#include "tlshd/tls/tls_conn.h"

/**
 * struct outcome - of one handshake that succeeded
 * @resumption: not the first connection
 * @offered: client: the session that was offered, or NULL
 * @before: server: what was negotiated in the connection before, @early_before its tickets' early data
 */
struct outcome {
	const struct options *opt;
	const struct policy *policy;
	const struct tls_conn *tls;
	struct tls_result result;
	bool resumption;
	const struct tls_session *offered;
	const struct server_sessions *tickets;
	const char *alpn_before;
	bool early_before;
};

/* False with an explanation on stderr. */
bool expect_handshake(const struct outcome *o);

/* The client's end: @session is the last that the server gave, or NULL. */
bool expect_session(const struct options *opt, const struct tls_session *session);

#endif
