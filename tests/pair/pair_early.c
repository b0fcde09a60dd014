// SPDX-License-Identifier: MIT
/* Early data: where a server takes it, how much, and what may stand around it. */
#include "flight.h"
#include "tlshd/tls/ticket.h"

static void init(struct pair *p)
{
	pair_init(p, "p256");
	pair_tickets(p);
}

/* ---- early data ---- */

static uint8_t early[2 * PLAINTEXT_MAX];

static void other_suite(struct ticket *t)
{
	t->suite = TLS_CHACHA20_POLY1305_SHA256;
}

static void key_gone(struct pair *p)
{
	p->tickets.no_open = true;
}

static void same_hash(struct pair *p)
{
	p->side[TLS_SERVER].config.suites[0] = TLS_CHACHA20_POLY1305_SHA256;
	p->side[TLS_SERVER].config.num_suites = 1;
}

static void other_name(struct pair *p)
{
	p->side[TLS_CLIENT].params.server_name = NULL;
}

static void request_certificate(struct pair *p)
{
	pair_client_auth(p, TLS_CLIENT_AUTH_VERIFY, NULL);
}

static void retry(struct pair *p)
{
	p->side[TLS_SERVER].config.groups[0] = 0x0017;
	p->side[TLS_SERVER].config.num_groups = 1;
}

static void nothing(struct pair *p)
{
	(void)p;
}

static void not_accepted(struct pair *p)
{
	p->side[TLS_SERVER].params.accept_early = false;
}

static void not_offered(struct pair *p)
{
	p->side[TLS_SERVER].config.ticket_early_data = 0;
}

static void seen_before(struct pair *p)
{
	p->tickets.no_early = true;
}

static void no_replay_table(struct pair *p)
{
	static struct tls_ticket_ops ops;

	ops = *p->side[TLS_SERVER].params.tickets;
	ops.early = NULL;
	p->side[TLS_SERVER].params.tickets = &ops;
}

static void second_ticket(struct pair *p)
{
	p->sessions[1].ticket[0] ^= 1;	/* offered first */
}

static void allow_none(struct ticket *t)
{
	t->max_early_data = 0;
}

static void none_allowed(struct pair *p)
{
	pair_edit_ticket(p, 0, allow_none);
	pair_edit_ticket(p, 1, allow_none);
}

static void of_another_suite(struct pair *p)
{
	pair_edit_ticket(p, 0, other_suite);
	pair_edit_ticket(p, 1, other_suite);
}

static void early_data_is_taken_only_where_all_is_as_it_was(void **state)
{
	static const struct {
		const char *what;
		enum tls_early state;
		void (*change)(struct pair *p);
		size_t num_asked;
	} cases[] = {
		{ "as it is", TLS_EARLY_ACCEPTED, nothing, 1 },
		{ "not wanted", TLS_EARLY_REJECTED, not_accepted, 0 },
		{ "tickets offer it no more", TLS_EARLY_REJECTED, not_offered, 0 },
		{ "seen before", TLS_EARLY_REJECTED, seen_before, 1 },
		{ "nobody to say whether it was", TLS_EARLY_REJECTED, no_replay_table, 0 },
		{ "the ticket allows none", TLS_EARLY_REJECTED, none_allowed, 0 },
		{ "the second identity", TLS_EARLY_REJECTED, second_ticket, 0 },
		{ "no identity", TLS_EARLY_REJECTED, key_gone, 0 },
		{ "another suite", TLS_EARLY_REJECTED, same_hash, 0 },
		{ "a session of another suite", TLS_EARLY_REJECTED, of_another_suite, 0 },
		{ "another name", TLS_EARLY_REJECTED, other_name, 0 },
		{ "client certificates are asked for", TLS_EARLY_REJECTED, request_certificate, 0 },
		{ "a retry", TLS_EARLY_REJECTED, retry, 0 },
	};
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++)
		for (size_t chunk = 0; chunk < 8; chunk += 7) {
			print_message("# %s\n", cases[i].what);
			init(&p);
			pair_first(&p, 2);
			pair_early(&p, early, 1000);
			p.chunk = chunk;
			cases[i].change(&p);
			pair_run(&p);
			assert_open(&p);
			assert_early(&p, cases[i].state);
			assert_int_equal(p.tickets.num_earlies, cases[i].num_asked);
			pair_free(&p);
		}
}

static void early_data_of_another_protocol_is_rejected(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	init(&p);
	for (int role = 0; role < 2; role++)
		pair_alpn(&p, (enum tls_role)role, "\x02h2\x08http/1.1");
	pair_first(&p, 1);
	pair_early(&p, early, 10);
	pair_run(&p);
	assert_early(&p, TLS_EARLY_ACCEPTED);
	pair_resume(&p);
	pair_alpn(&p, TLS_SERVER, "\x08http/1.1");
	pair_run(&p);
	assert_resumed(&p, true);
	assert_early(&p, TLS_EARLY_REJECTED);
	tls_result(&p.side[TLS_SERVER].c, &r);
	assert_int_equal(r.alpn_len, 8);
	pair_free(&p);
}

/* Its key hangs on EndOfEarlyData, too. */
static void a_ticket_given_behind_early_data_is_as_good(void **state)
{
	struct pair p;

	(void)state;
	for (int accepted = 0; accepted < 2; accepted++) {
		init(&p);
		pair_first(&p, 1);
		pair_early(&p, early, 10);
		p.tickets.no_early = !accepted;
		for (int i = 0; i < 3; i++) {
			pair_run(&p);
			assert_resumed(&p, true);
			assert_early(&p, accepted ? TLS_EARLY_ACCEPTED : TLS_EARLY_REJECTED);
			assert_int_equal(pair_take_sessions(&p), 1);
			pair_resume(&p);
		}
		pair_free(&p);
	}
}

static uint8_t recorded[STREAM_MAX];
static size_t recorded_len;

/* The client's first output of one connection is that of the next. */
static void replay(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	if (from == TLS_SERVER || p->count++)
		return;
	if (recorded_len) {
		memcpy(bytes, recorded, recorded_len);
		*len = recorded_len;
	}
	recorded_len = *len;
	memcpy(recorded, bytes, *len);
}

static void early_data_that_is_replayed_is_rejected(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	init(&p);
	pair_first(&p, 1);
	pair_early(&p, early, 10);
	p.tamper = replay;
	p.reads = PAIR_FLIGHTS;
	recorded_len = 0;
	for (int again = 0; again < 2; again++) {
		p.count = 0;
		pair_run(&p);
		tls_result(&p.side[TLS_SERVER].c, &r);
		assert_true(r.resumed);
		assert_int_equal(r.early, again ? TLS_EARLY_REJECTED : TLS_EARLY_ACCEPTED);
		assert_int_equal(r.early_bytes, again ? 0 : 10);
		assert_int_equal(p.tickets.num_earlies, again + 1);
		pair_resume(&p);
	}
	pair_free(&p);
}

static void the_age_is_told_as_the_client_sees_it(void **state)
{
	static const int64_t ahead[] = { 0, 5, -5, 3000 };
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(ahead); i++) {
		init(&p);
		pair_first(&p, 1);
		pair_age(&p, 60000);
		p.side[TLS_CLIENT].params.now_ms += ahead[i];
		pair_early(&p, early, 10);
		pair_run(&p);
		assert_early(&p, TLS_EARLY_ACCEPTED);
		assert_int_equal(p.tickets.skew_ms, ahead[i]);
		pair_free(&p);
	}
}

/* 4.2.10: nor is it known by then that nobody will listen. */
static void all_that_a_ticket_allows_can_be_rejected(void **state)
{
	static void (*const reasons[])(struct pair *p) = { seen_before, key_gone, retry };
	static const uint8_t much[TLS_EARLY_MAX];

	(void)state;
	for (size_t i = 0; i < NUM(reasons); i++) {
		struct pair p;

		init(&p);
		p.side[TLS_SERVER].config.ticket_early_data = TLS_EARLY_MAX;
		pair_first(&p, 1);
		pair_early(&p, much, sizeof(much));
		reasons[i](&p);
		pair_run(&p);
		assert_open(&p);
		assert_early(&p, TLS_EARLY_REJECTED);
		pair_free(&p);
	}
}

static uint32_t limit;

static void set_limit(struct ticket *t)
{
	t->max_early_data = limit;
}

static void early_data_may_reach_its_limit_and_not_pass_it(void **state)
{
	static const size_t limits[] = { 1, 1000, PLAINTEXT_MAX, PLAINTEXT_MAX + 1 };
	struct tls_result r;
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(limits); i++)
		for (size_t over = 0; over < 2; over++) {
			init(&p);
			p.side[TLS_SERVER].config.ticket_early_data = sizeof(early);
			pair_first(&p, 1);
			limit = (uint32_t)limits[i];
			pair_edit_ticket(&p, 0, set_limit);
			pair_early(&p, early, limits[i] + over);
			pair_run(&p);
			if (!over) {
				assert_resumed(&p, true);
				assert_early(&p, TLS_EARLY_ACCEPTED);
			} else {
				assert_refused(&p, TLS_SERVER, ALERT_UNEXPECTED_MESSAGE, "bytes of early data");
				tls_result(&p.side[TLS_SERVER].c, &r);
				assert_true(r.early_bytes <= limits[i]);
			}
			pair_free(&p);
		}
}

/* ---- records around early data ---- */

static struct flight flight;

/* The place of the first part under key @epoch: 1 is early data's, 2 Finished's. */
static size_t place(uint8_t epoch)
{
	size_t i = 0;

	while (flight.parts[i].epoch != epoch)
		assert_true(++i < flight.num);
	return i;
}

/* At most four bytes of early data, all zero, in front of part @i. */
static void insert_early(size_t i, size_t len, uint8_t epoch)
{
	flight_insert(&flight, i, 0, early, 0, epoch);
	flight.parts[i].type = CT_APPLICATION_DATA;
	flight.parts[i].len = len;
}

static void as_many_empty_ones(void)
{
	for (size_t i = 0; i < EARLY_EMPTY_MAX; i++)
		insert_early(place(1), 0, 1);
}

static void one_more_empty_one(void)
{
	as_many_empty_ones();
	insert_early(place(1), 0, 1);
}

static void end_with_content(void)
{
	size_t i = place(1);

	flight_remove(&flight, i);
	flight_insert(&flight, i, HT_END_OF_EARLY_DATA, early, 1, 1);
}

static void end_twice(void)
{
	flight_insert(&flight, place(1) + 1, HT_END_OF_EARLY_DATA, early, 0, 1);
}

static void end_twice_under_the_next_key(void)
{
	flight_insert(&flight, place(1) + 1, HT_END_OF_EARLY_DATA, early, 0, 2);
}

static void no_end(void)
{
	flight_remove(&flight, place(1));
}

static void end_under_the_next_key(void)
{
	flight.parts[place(1)].epoch = 2;
}

static void finished_under_the_same_key(void)
{
	flight.parts[place(2)].epoch = 1;
}

static void finished_instead(void)
{
	flight_remove(&flight, place(1));
	flight.parts[place(2)].epoch = 1;
}

static void data_behind_the_end(void)
{
	insert_early(place(2), 1, 2);
}

static void data_before_the_end(void)
{
	insert_early(place(1), 4, 1);
}

static void data_within_the_end(void)
{
	size_t i = place(1);

	flight_insert(&flight, i + 1, 0, early, 0, 1);
	flight.parts[i + 1] = flight.parts[i];
	flight.parts[i].len = 2;
	flight.parts[i + 1].at += 2;
	flight.parts[i + 1].len -= 2;
	insert_early(i + 1, 1, 1);
}

/* What a client sends after its hello, and after the server's flight. */
enum { DATA = 1, END = 2 };

static const struct around {
	const char *what;
	size_t when;
	void (*change)(void);
	bool joined;		/* what goes under one key, in one record */
	uint16_t alert;
} arounds[] = {
	{ "as many empty records as may be", DATA, as_many_empty_ones, false, TLS_ALERT_NONE },
	{ "one more", DATA, one_more_empty_one, false, ALERT_UNEXPECTED_MESSAGE },
	{ "data right before its end", END, data_before_the_end, false, TLS_ALERT_NONE },
	{ "data within EndOfEarlyData", END, data_within_the_end, false, ALERT_UNEXPECTED_MESSAGE },
	{ "data behind it", END, data_behind_the_end, false, ALERT_UNEXPECTED_MESSAGE },
	{ "EndOfEarlyData with content", END, end_with_content, false, ALERT_DECODE_ERROR },
	{ "two of it", END, end_twice, false, ALERT_BAD_RECORD_MAC },
	{ "two of it in one record", END, end_twice, true, ALERT_UNEXPECTED_MESSAGE },
	{ "another under the next key", END, end_twice_under_the_next_key, false, ALERT_UNEXPECTED_MESSAGE },
	{ "none", END, no_end, false, ALERT_BAD_RECORD_MAC },
	{ "Finished instead", END, finished_instead, false, ALERT_UNEXPECTED_MESSAGE },
	{ "Finished in its record", END, finished_under_the_same_key, true, ALERT_UNEXPECTED_MESSAGE },
	{ "under the next key", END, end_under_the_next_key, false, ALERT_BAD_RECORD_MAC },
};
static const struct around *around;

static void change_flight(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	if (from == TLS_SERVER)
		return;
	flight_take(&flight, from, bytes, *len);
	if (++p->count == around->when)
		around->change();
	flight_put(&flight, from, bytes, len, around->joined ? PLAINTEXT_MAX : 0, 0);
}

static void each_wrong_end_of_early_data_gets_its_alert(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(arounds); i++) {
		print_message("# %s\n", arounds[i].what);
		init(&p);
		pair_first(&p, 1);
		pair_early(&p, early, 10);
		around = &arounds[i];
		p.count = 0;
		p.tamper = change_flight;
		flight_watch(&p);
		pair_run(&p);
		if (arounds[i].alert == TLS_ALERT_NONE)
			assert_resumed(&p, true);
		else
			assert_refused(&p, TLS_SERVER, arounds[i].alert, NULL);
		pair_free(&p);
	}
}

static void pad(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	(void)p;
	if (from == TLS_SERVER)
		return;
	flight_take(&flight, from, bytes, *len);
	flight_put(&flight, from, bytes, len, 0, 1000);
}

static void padding_does_not_count_as_early_data(void **state)
{
	struct pair p;

	(void)state;
	init(&p);
	pair_first(&p, 1);
	limit = 10;
	pair_edit_ticket(&p, 0, set_limit);
	pair_early(&p, early, 10);
	p.tamper = pad;
	flight_watch(&p);
	pair_run(&p);
	assert_early(&p, TLS_EARLY_ACCEPTED);
	pair_free(&p);
}

/* Early data, its end, Finished and what is the kernel's, all in one read. */
static void send_late(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	if (from == TLS_SERVER)
		return;
	flight_take(&flight, from, bytes, *len);
	if (++p->count == DATA)
		flight_remove(&flight, place(1));
	else
		for (size_t i = 0; i < p->arg; i++)
			insert_early(place(1), 2, 1);
	flight_put(&flight, from, bytes, len, 0, 0);
	if (p->count == DATA)
		return;
	memset(bytes + *len, CT_APPLICATION_DATA, 100);
	*len += 100;
}

static void what_follows_finished_stays_behind_early_data_too(void **state)
{
	static const size_t chunks[] = { 0, 1, 30, 300 };
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(chunks); i++) {
		struct side *s = &p.side[TLS_SERVER];

		init(&p);
		pair_first(&p, 1);
		pair_early(&p, early, 10);
		p.arg = 5;
		p.count = 0;
		p.chunk = chunks[i];
		p.tamper = send_late;
		flight_watch(&p);
		pair_run(&p);
		assert_early(&p, TLS_EARLY_ACCEPTED);
		assert_int_equal(s->in_len - s->in_at, 100);
		assert_int_equal(s->in[s->in_at], CT_APPLICATION_DATA);
		pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(early_data_is_taken_only_where_all_is_as_it_was),
		cmocka_unit_test(early_data_of_another_protocol_is_rejected),
		cmocka_unit_test(a_ticket_given_behind_early_data_is_as_good),
		cmocka_unit_test(early_data_that_is_replayed_is_rejected),
		cmocka_unit_test(the_age_is_told_as_the_client_sees_it),
		cmocka_unit_test(all_that_a_ticket_allows_can_be_rejected),
		cmocka_unit_test(early_data_may_reach_its_limit_and_not_pass_it),
		cmocka_unit_test(each_wrong_end_of_early_data_gets_its_alert),
		cmocka_unit_test(padding_does_not_count_as_early_data),
		cmocka_unit_test(what_follows_finished_stays_behind_early_data_too),
	};

	return pair_main(tests, NUM(tests));
}
