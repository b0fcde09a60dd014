// SPDX-License-Identifier: MIT
#include "tests/interop/sessions.h"

#include <string.h>
#include <time.h>

#define NS_IN_MS	1000000
#define HEAD	XCHACHA_NONCE_LEN	/* of a ticket: the nonce, then what is sealed */

static struct {
	struct tls_resumption resumption;
	struct tls_session kept, next;
	const struct tls_session *offered[1];
	bool have;
	int64_t older_ms;
	uint8_t key[XCHACHA_KEY_LEN];
	bool have_key;
} s;

/* @round_ns: 0 rounds down, NS_IN_MS - 1 up */
static int64_t time_ms(long round_ns)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + (now.tv_nsec + round_ns) / NS_IN_MS;
}

int64_t sessions_now_ms(void)
{
	int64_t now = time_ms(0);

	return s.have && now < s.kept.received_ms ? s.kept.received_ms : now;
}

void sessions_begin(const struct tls_conn *c, int64_t older_ms)
{
	s.older_ms = older_ms;
	tls_resumption(c, &s.resumption);
}

/*
 * Received, rounded up: else the difference of two times may be a millisecond more than the ticket's age is, and GnuTLS
 * takes no early data where the client counts more than itself.
 */
void sessions_take(const uint8_t *msg, size_t len)
{
	if (!tls_session_take(&s.next, &s.resumption, msg, len, time_ms(NS_IN_MS - 1))) {
		s.kept = s.next;
		s.kept.received_ms -= s.older_ms;
		s.have = true;
	}
}

const struct tls_session *const *sessions_offered(size_t *num)
{
	s.offered[0] = &s.kept;
	*num = s.have;
	return s.offered;
}

static const uint8_t *key(void)
{
	if (!s.have_key)
		rand_bytes(s.key, sizeof(s.key));
	s.have_key = true;
	return s.key;
}

static size_t seal(void *arg, uint8_t *out, const uint8_t *state, size_t len)
{
	(void)arg;
	rand_bytes(out, HEAD);
	xchacha_seal(out + HEAD, state, len, NULL, 0, key(), out);
	return HEAD + len + XCHACHA_TAG_LEN;
}

static size_t open(void *arg, uint8_t *state, uint64_t *domain, const uint8_t *ticket, size_t len)
{
	(void)arg;
	*domain = 0;
	if (len < HEAD + XCHACHA_TAG_LEN || len > HEAD + TLS_STATE_MAX + XCHACHA_TAG_LEN ||
	    xchacha_open(state, ticket + HEAD, len - HEAD, NULL, 0, key(), ticket))
		return 0;
	return len - HEAD - XCHACHA_TAG_LEN;
}

static bool early(void *arg, const struct tls_early_offer *offer)
{
	(void)arg;
	(void)offer;
	return true;
}

const struct tls_ticket_ops sessions_tickets = { seal, open, early };

void sessions_wipe(void)
{
	wipe(&s, sizeof(s));
}
