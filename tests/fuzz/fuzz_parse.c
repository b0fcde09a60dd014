// SPDX-License-Identifier: MIT
/* Each parser that no whole engine reaches, or reaches only behind much else. The first byte chooses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tlshd/tls/ticket.h"

#include "target.h"

#define NOW 1800000000

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void post(enum tls_role role, const uint8_t *p, size_t len)
{
	enum tls_post kind;
	uint8_t alert = 0;
	int ret = tls_post_parse(role, &kind, &alert, p, len);

	require(ret == 0 || (ret == -EPROTO && (alert == 10 || alert == 47 || alert == 50)));
	require(ret || kind <= TLS_POST_KEY_UPDATE_REQUESTED);
	require(ret || role == TLS_CLIENT || kind != TLS_POST_TICKET);
}

static void post_client(const uint8_t *p, size_t len)
{
	post(TLS_CLIENT, p, len);
}

static void post_server(const uint8_t *p, size_t len)
{
	post(TLS_SERVER, p, len);
}

/* A whole NewSessionTicket, of a server whose certificate was good. */
static void session(const uint8_t *p, size_t len)
{
	static const struct tls_resumption r = {
		.suite = TLS_AES_256_GCM_SHA384, .alpn_len = 2, .alpn = "h2", .authenticated = NOW - 5, .not_after = NOW + 86400,
	};
	struct tls_session s;
	int ret = tls_session_take(&s, &r, p, len, NOW * 1000LL);

	require(ret == 0 || ret == -EBADMSG || ret == -EMSGSIZE || ret == -ESTALE);
	require(ret || (s.ticket_len && s.ticket_len <= TLS_TICKET_MAX && s.lifetime_s && s.lifetime_s <= 7 * 86400));
}

/* What was sealed comes back whole, or not at all; but what an older version sealed may be anything. */
static void ticket(const uint8_t *p, size_t len)
{
	uint8_t again[TLS_STATE_MAX];
	struct ticket t;

	if (!ticket_decode(&t, p, len))
		return;
	require(ticket_encode(again, &t) == len);
	wipe(&t, sizeof(t));
}

/* An application's server name. What is taken has no upper limit left to check for anybody else. */
static void name(const uint8_t *p, size_t len)
{
	char *s = malloc(len + 1);
	bool is_ip;

	require(s != NULL);
	memcpy(s, p, len);
	s[len] = 0;
	if (x509_name_ok(s, &is_ip) == 0)
		require(s[0] && strlen(s) <= X509_NAME_MAX && !strchr(s, '*') && (is_ip || s[strlen(s) - 1] != '.'));
	free(s);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	require(crypto_init() == 0 && crypto_thread_init() == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* seeds.c counts on the order. */
	static void (*const parsers[])(const uint8_t *p, size_t len) = { post_client, post_server, name, session, ticket };

	if (len)
		parsers[data[0] % (sizeof(parsers) / sizeof(*parsers))](data + 1, len - 1);
	return 0;
}
