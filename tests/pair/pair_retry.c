// SPDX-License-Identifier: MIT
/* Handshakes through HelloRetryRequest, client engine against server engine: what is chosen, sent and refused. */
#include "pair.h"
#include "tlshd/tls/record.h"

static const uint16_t suites[] = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 };
static const uint16_t groups[] = { 0x001d, 0x0017, 0x0018 };

/* Bytes a read gives at most: all there is, one, and some that fall on no boundary. */
static const size_t chunks[] = { 0, 1, 7, 1000 };

/* ---- what goes over the wire ---- */

/* Type and low byte of the version of the records that @s was sent, up to the first protected one. */
static const char *plain_records(const struct side *s)
{
	static char text[256];
	size_t len = 0;

	for (size_t at = 0; at < s->in_len; at += RECORD_HEADER_LEN + (size_t)(s->in[at + 3] << 8 | s->in[at + 4])) {
		if (s->in[at] == CT_APPLICATION_DATA)
			break;
		assert_true(len + 6 < sizeof(text));
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%u.%u ", s->in[at], s->in[at + 2]);
	}
	text[len] = 0;
	return text;
}

/* A client that sends a share of @first, a server that has @then alone. */
static void init(struct pair *p, uint16_t first, uint16_t then)
{
	pair_init(p, "p256");
	p->side[TLS_CLIENT].config.groups[0] = first;
	p->side[TLS_CLIENT].config.groups[1] = then;
	p->side[TLS_SERVER].config.groups[0] = then;
	p->side[TLS_SERVER].config.num_groups = 1;
}

static void assert_group(struct pair *p, uint16_t group, bool retry)
{
	assert_open(p);
	for (int role = 0; role < 2; role++) {
		struct tls_result r;

		tls_result(&p->side[role].c, &r);
		assert_int_equal(r.group, group);
		assert_int_equal(p->side[role].c.retry, retry);
	}
}

static void one(uint16_t suite, size_t first, size_t then, size_t chunk)
{
	struct pair p;

	init(&p, groups[first], groups[then]);
	for (int role = 0; role < 2; role++) {
		p.side[role].config.suites[0] = suite;
		p.side[role].config.num_suites = 1;
	}
	p.chunk = chunk;
	pair_run(&p);
	assert_group(&p, groups[then], true);
	assert_string_equal(plain_records(&p.side[TLS_SERVER]), "22.1 20.3 22.3 ");
	assert_string_equal(plain_records(&p.side[TLS_CLIENT]), "22.3 20.3 22.3 ");
	pair_free(&p);
}

static void every_suite_and_group_opens_through_a_retry(void **state)
{
	(void)state;
	for (size_t s = 0; s < NUM(suites); s++)
		for (size_t first = 0; first < NUM(groups); first++)
			for (size_t then = 0; then < NUM(groups); then++)
				for (size_t k = 0; k < NUM(chunks) && first != then; k++)
					one(suites[s], first, then, chunks[k]);
}

/* Plain records of @arg bytes of content at most. */
static void cut_plain(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	static uint8_t copy[TLS_TX_CAP];
	size_t in = 0, out = 0, all = *len;

	(void)from;
	memcpy(copy, bytes, all);
	while (in < all) {
		size_t n = (size_t)(copy[in + 3] << 8 | copy[in + 4]), part;

		for (size_t at = 0; at < n; at += part) {
			part = copy[in] != CT_HANDSHAKE || n - at < p->arg ? n - at : p->arg;
			memcpy(bytes + out, copy + in, 3);
			store_be(bytes + out + 3, 2, part);
			memcpy(bytes + out + RECORD_HEADER_LEN, copy + in + RECORD_HEADER_LEN + at, part);
			out += RECORD_HEADER_LEN + part;
		}
		in += RECORD_HEADER_LEN + n;
	}
	*len = out;
}

static void both_hellos_of_both_sides_may_be_cut_anywhere(void **state)
{
	(void)state;
	for (size_t size = 1; size < 300; size += size < 10 ? 1 : 37) {
		struct pair p;

		init(&p, 0x001d, 0x0017);
		p.arg = size;
		p.tamper = cut_plain;
		pair_run(&p);
		assert_group(&p, 0x0017, true);
		pair_free(&p);
	}
}

static void a_small_output_buffer_only_takes_more_turns(void **state)
{
	struct pair p;

	(void)state;
	for (size_t cap = 1080; cap < 1400; cap++) {
		init(&p, 0x001d, 0x0017);
		p.side[TLS_CLIENT].tx_cap = cap;
		p.side[TLS_SERVER].tx_cap = cap + 900;
		pair_run(&p);
		assert_group(&p, 0x0017, true);
		assert_string_equal(plain_records(&p.side[TLS_SERVER]), "22.1 20.3 22.3 ");
		assert_string_equal(plain_records(&p.side[TLS_CLIENT]), "22.3 20.3 22.3 ");
		pair_free(&p);
	}
}

static void without_compatibility_mode_no_change_cipher_spec_is_sent(void **state)
{
	struct pair p;

	(void)state;
	init(&p, 0x001d, 0x0017);
	p.side[TLS_CLIENT].config.no_ccs = true;
	pair_run(&p);
	assert_group(&p, 0x0017, true);
	assert_string_equal(plain_records(&p.side[TLS_SERVER]), "22.1 22.3 ");
	assert_string_equal(plain_records(&p.side[TLS_CLIENT]), "22.3 22.3 ");
	pair_free(&p);
}

/* ---- which group ---- */

static void the_configured_orders_decide(void **state)
{
	static const struct {
		const char *what;
		uint16_t client[3], server[3];
		uint8_t shares;
		bool strict;
		uint16_t group;
		bool retry;
	} cases[] = {
		{ "one share, liked", { 0x1d, 0x17, 0x18 }, { 0x1d, 0x17, 0x18 }, 1, false, 0x1d, false },
		{ "no number is one share", { 0x1d, 0x17, 0x18 }, { 0x17, 0x18, 0x19 }, 0, false, 0x17, true },
		{ "a share comes before order", { 0x1d, 0x17, 0x18 }, { 0x18, 0x17, 0x1d }, 1, false, 0x1d, false },
		{ "unless order is strict", { 0x1d, 0x17, 0x18 }, { 0x18, 0x17, 0x1d }, 1, true, 0x18, true },
		{ "strict, and there", { 0x18, 0x1d, 0x17 }, { 0x18, 0x17, 0x1d }, 1, true, 0x18, false },
		{ "two shares, the server's order", { 0x1d, 0x17, 0x18 }, { 0x18, 0x17, 0x1d }, 2, false, 0x17, false },
		{ "two shares, the second", { 0x1d, 0x17, 0x18 }, { 0x17, 0x19, 0x19 }, 2, true, 0x17, false },
		{ "two shares, neither", { 0x1d, 0x17, 0x18 }, { 0x18, 0x19, 0x19 }, 2, false, 0x18, true },
		{ "the server's order among the rest", { 0x1d, 0x17, 0x18 }, { 0x18, 0x17, 0x19 }, 1, false, 0x18, true },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct tls_config *client, *server;
		struct pair p;

		print_message("# %s\n", cases[i].what);
		pair_init(&p, "p256");
		client = &p.side[TLS_CLIENT].config;
		server = &p.side[TLS_SERVER].config;
		memcpy(client->groups, cases[i].client, sizeof(cases[i].client));
		client->num_groups = 3;
		client->num_shares = cases[i].shares;
		for (server->num_groups = 0; server->num_groups < 3; server->num_groups++) {
			if (!kem_find(cases[i].server[server->num_groups]))
				break;
			server->groups[server->num_groups] = cases[i].server[server->num_groups];
		}
		server->strict_groups = cases[i].strict;
		pair_run(&p);
		assert_group(&p, cases[i].group, cases[i].retry);
		pair_free(&p);
	}
}

/* ---- order ---- */

/* The steps that send or await a hello, by their place in the arrays. */
enum { CLIENT_HELLO = 2, RECV_RETRY = 6, CLIENT_HELLO_AGAIN = 9 };
enum { RETRY = 1, SERVER_HELLO = 4 };

static void refused(struct pair *p, enum tls_role by, const char *words)
{
	pair_run(p);
	assert_refused(p, by, ALERT_UNEXPECTED_MESSAGE, words);
	pair_free(p);
}

static uint8_t stray_type;

static enum hs send_stray(struct tls_conn *c)
{
	struct build b;
	enum hs rc = hs_begin(c, &b, (enum handshake_type)stray_type, 4);

	if (rc)
		return rc;
	put_uint(&b, 4, 0);
	hs_send(c, &b);
	return HS_NEXT;
}

static void a_stray_message_around_a_retry_is_refused(void **state)
{
	static const uint8_t strays[] = { 0, 1, 2, 3, 4, 5, 8, 11, 12, 14, 15, 16, 20, 21, 22, 24, 25, 67, 254, 255 };
	static const struct { enum tls_role from; size_t at; uint8_t due; } places[] = {
		{ TLS_SERVER, RETRY, HT_SERVER_HELLO }, { TLS_SERVER, SERVER_HELLO, HT_SERVER_HELLO },
		{ TLS_CLIENT, CLIENT_HELLO_AGAIN, HT_CLIENT_HELLO },
	};
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(places); i++)
		for (size_t k = 0; k < NUM(strays); k++) {
			if (strays[k] == places[i].due)
				continue;
			stray_type = strays[k];
			init(&p, 0x001d, 0x0017);
			pair_steps(&p, places[i].from);
			pair_insert(&p, places[i].from, places[i].at, send_stray);
			refused(&p, (enum tls_role)!places[i].from, NULL);
		}
}

static void a_second_retry_is_refused(void **state)
{
	struct pair p;

	(void)state;
	/* In the place of ServerHello, and at once behind the first. */
	init(&p, 0x001d, 0x0017);
	pair_steps(&p, TLS_SERVER);
	pair_insert(&p, TLS_SERVER, SERVER_HELLO, p.side[TLS_SERVER].steps[RETRY]);
	refused(&p, TLS_CLIENT, "a second HelloRetryRequest");
	init(&p, 0x001d, 0x0017);
	pair_steps(&p, TLS_SERVER);
	pair_insert(&p, TLS_SERVER, RETRY, p.side[TLS_SERVER].steps[RETRY]);
	refused(&p, TLS_CLIENT, "a second HelloRetryRequest");
}

static void one_client_hello_too_many_is_refused(void **state)
{
	struct pair p;

	(void)state;
	/* A third ClientHello. */
	init(&p, 0x001d, 0x0017);
	pair_steps(&p, TLS_CLIENT);
	pair_insert(&p, TLS_CLIENT, CLIENT_HELLO_AGAIN, p.side[TLS_CLIENT].steps[CLIENT_HELLO_AGAIN]);
	refused(&p, TLS_SERVER, NULL);
	/* A second one without being asked. */
	pair_init(&p, "p256");
	pair_steps(&p, TLS_CLIENT);
	pair_insert(&p, TLS_CLIENT, CLIENT_HELLO + 1, p.side[TLS_CLIENT].steps[CLIENT_HELLO]);
	refused(&p, TLS_SERVER, NULL);
}

/* ---- no secret stays ---- */

static uint8_t given_up[2][32];

static enum hs note_shares(struct tls_conn *c)
{
	for (size_t i = 0; i < NUM(given_up); i++)
		memcpy(given_up[i], c->shares[i].priv, 32);
	return HS_NEXT;
}

static enum hs look_for_shares(struct tls_conn *c)
{
	for (size_t i = 0; i < NUM(given_up); i++)
		assert_null(memmem(c, sizeof(*c), given_up[i], 32));
	return HS_NEXT;
}

static void the_keys_of_shares_given_up_are_wiped(void **state)
{
	struct tls_config *client;
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	client = &p.side[TLS_CLIENT].config;
	memcpy(client->groups, groups, sizeof(groups));
	client->num_groups = 3;
	client->num_shares = 2;
	p.side[TLS_SERVER].config.groups[0] = 0x0018;
	p.side[TLS_SERVER].config.num_groups = 1;
	pair_steps(&p, TLS_CLIENT);
	pair_insert(&p, TLS_CLIENT, RECV_RETRY, note_shares);
	pair_insert(&p, TLS_CLIENT, RECV_RETRY + 2, look_for_shares);
	pair_run(&p);
	assert_group(&p, 0x0018, true);
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_and_group_opens_through_a_retry),
		cmocka_unit_test(both_hellos_of_both_sides_may_be_cut_anywhere),
		cmocka_unit_test(a_small_output_buffer_only_takes_more_turns),
		cmocka_unit_test(without_compatibility_mode_no_change_cipher_spec_is_sent),
		cmocka_unit_test(the_configured_orders_decide),
		cmocka_unit_test(a_stray_message_around_a_retry_is_refused),
		cmocka_unit_test(a_second_retry_is_refused),
		cmocka_unit_test(one_client_hello_too_many_is_refused),
		cmocka_unit_test(the_keys_of_shares_given_up_are_wiped),
	};

	return pair_main(tests, NUM(tests));
}
