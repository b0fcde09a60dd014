/* SPDX-License-Identifier: MIT */
/* talk: what the peer says once there is a connection: lines and their echoes, or HTTP. */
#ifndef INTEROP_TALK_H
#define INTEROP_TALK_H

#include "tests/bogo/channel.h"
#include "tests/interop/options.h"

#define TALK_EARLY_MAX	16384

/**
 * struct talk - one connection's application data
 * @early_taken: client: the server has accepted talk_early()
 * @sent, @received: bytes, those of @early received too
 * @early, @early_len, @early_read: server: what came as early data, and how much of it has been read
 */
struct talk {
	struct channel ch;
	bool early_taken;
	size_t sent, received;
	size_t early_len, early_read;
	uint8_t early[TALK_EARLY_MAX];
};

const char *talk_early(const struct options *opt);	/* what a client sends as early data */
bool talk_keep_early(struct talk *t, const uint8_t *data, size_t len);	/* server; false: too much */

bool talk_run(struct talk *t, const struct options *opt);	/* until both have said goodbye; false: @t->ch.error */

#endif
