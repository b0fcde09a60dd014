// SPDX-License-Identifier: MIT
/* Every kind of handshake with every suite and group, however its bytes arrive, and the memory that each takes. */
#include "flight.h"
#include "kind.h"
#include "tlshd/tls/record.h"

static const uint16_t suites[] = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 };
static const uint16_t groups[] = { 0x001d, 0x0017, 0x0018 };

static struct flight flight;

/* All messages of a flight under one key in one record, all records in one read. */
static void join(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	(void)p;
	flight_take(&flight, from, bytes, *len);
	flight_put(&flight, from, bytes, len, PLAINTEXT_MAX, 0);
}

static void whole(struct pair *p)
{
	p->reads = PAIR_ALL;
}

static void by_message(struct pair *p)
{
	p->reads = PAIR_RECORDS;
}

static void by_byte(struct pair *p)
{
	p->reads = PAIR_ALL;
	p->chunk = 1;
}

static void coalesced(struct pair *p)
{
	p->chunk = 0;
	p->tamper = join;
	flight_watch(p);
}

static void (*const ways[])(struct pair *p) = { whole, by_message, by_byte, coalesced };

static void one(const struct kind *k, uint16_t suite, uint16_t group)
{
	struct pair p;

	kind_init(&p, k, suite, group);
	for (size_t i = 0; i < NUM(ways); i++) {
		ways[i](&p);
		pair_run(&p);
		assert_kind(&p, k, suite, group);
		pair_again(&p);
	}
	pair_free(&p);
}

static void every_kind_suite_and_group_opens_however_bytes_arrive(void **state)
{
	(void)state;
	for (size_t k = 0; k < num_kinds; k++)
		for (size_t s = 0; s < NUM(suites); s++)
			for (size_t g = 0; g < NUM(groups); g++)
				one(&kinds[k], suites[s], groups[g]);
}

/* ---- records at every boundary ---- */

/* At most @arg bytes of content and @count of padding a record. */
static void cut(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	flight_take(&flight, from, bytes, *len);
	flight_put(&flight, from, bytes, len, p->arg, p->count);
}

static void messages_may_be_cut_and_joined_at_every_boundary(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 4, 5, 100, 1000 }, paddings[] = { 0, 1, 599 };

	(void)state;
	for (size_t k = 0; k < num_kinds; k++) {
		struct pair p;

		kind_init(&p, &kinds[k], 0, 0);
		p.tamper = cut;
		for (size_t i = 0; i < NUM(sizes) * NUM(paddings); i++) {
			p.arg = sizes[i / NUM(paddings)];
			p.count = paddings[i % NUM(paddings)];
			if (p.arg < 100 && p.count > 1)
				continue;
			flight_watch(&p);
			pair_run(&p);
			assert_kind(&p, &kinds[k], 0, 0);
			pair_again(&p);
		}
		pair_free(&p);
	}
}

/* ---- memory ---- */

static void the_memory_of_every_kind_is_within_its_bounds(void **state)
{
	(void)state;
	print_message("# bytes: connection %zu; lent to receive %d, to send %d; most that was used, client, server:\n",
		      sizeof(struct tls_conn), TLS_RX_CAP, TLS_TX_CAP);
	assert_true(sizeof(struct tls_conn) <= TLS_CONN_MAX);
	for (size_t k = 0; k < num_kinds; k++) {
		struct side *client, *server;
		struct pair p;

		kind_init(&p, &kinds[k], 0, 0);
		client = &p.side[TLS_CLIENT];
		server = &p.side[TLS_SERVER];
		client->rx_peak = client->tx_peak = server->rx_peak = server->tx_peak = 0;
		p.reads = PAIR_FLIGHTS;
		pair_run(&p);
		assert_kind(&p, &kinds[k], 0, 0);
		print_message("# %s: received %zu, %zu; sent %zu, %zu\n", kinds[k].name, client->rx_peak,
			      server->rx_peak, client->tx_peak, server->tx_peak);
		assert_true(tls_rx_idle(&client->c) && tls_rx_idle(&server->c));
		pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_suite_and_group_opens_however_bytes_arrive),
		cmocka_unit_test(messages_may_be_cut_and_joined_at_every_boundary),
		cmocka_unit_test(the_memory_of_every_kind_is_within_its_bounds),
	};

	return pair_main(tests, NUM(tests));
}
