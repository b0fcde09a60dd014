// SPDX-License-Identifier: MIT
#include "tests/bogo/sessions.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SKEW_MAX_MS 60000

#define NONCE_LEN	crypto_secretbox_NONCEBYTES
#define OVERHEAD	(NONCE_LEN + crypto_secretbox_MACBYTES)
_Static_assert(OVERHEAD <= TLS_SEAL_MAX, "a seal must fit");

static uint8_t ticket_key[crypto_secretbox_KEYBYTES];
static int64_t now_ms;

void sessions_init(void)
{
	randombytes_buf(ticket_key, sizeof(ticket_key));
	now_ms = time(NULL) * INT64_C(1000);
}

/* The clock stands but for what the runner asks for: it counts on whole seconds. */
int64_t sessions_now_ms(void)
{
	return now_ms;
}

void sessions_wait(long seconds)
{
	now_ms += seconds * INT64_C(1000);
}

static size_t seal(void *arg, uint8_t *out, const uint8_t *state, size_t len)
{
	const struct server_sessions *s = arg;

	if (s->skip)
		return 0;
	randombytes_buf(out, NONCE_LEN);
	crypto_secretbox_easy(out + NONCE_LEN, state, len, out, ticket_key);
	return len + OVERHEAD;
}

static size_t open(void *arg, uint8_t *state, uint64_t *domain, const uint8_t *ticket, size_t len)
{
	const struct server_sessions *s = arg;

	if (s->skip || len <= OVERHEAD || len - OVERHEAD > TLS_STATE_MAX ||
	    crypto_secretbox_open_easy(state, ticket + NONCE_LEN, len - NONCE_LEN, ticket, ticket_key))
		return 0;
	*domain = 0;
	return len - OVERHEAD;
}

/* No replays are looked for: BoringSSL looks for none. */
static bool early(void *arg, const struct tls_early_offer *offer)
{
	struct server_sessions *s = arg;

	s->skew_known = true;
	s->skew_ms = offer->skew_ms;
	return llabs(offer->skew_ms) <= SKEW_MAX_MS;
}

const struct tls_ticket_ops sessions_ops = { .seal = seal, .open = open, .early = early };
