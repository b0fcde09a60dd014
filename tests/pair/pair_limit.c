// SPDX-License-Identifier: MIT
/* record_size_limit, RFC 8449: records of ours are no longer than the peer's, nor the peer's than ours. */
#include <errno.h>

#include "pair.h"
#include "tlshd/tls/limit.h"
#include "tlshd/tls/record.h"

static struct tls_result result(struct pair *p, enum tls_role role)
{
	struct tls_result r;

	tls_result(&p->side[role].c, &r);
	return r;
}

static void limits(struct pair *p, uint16_t client, uint16_t server)
{
	p->side[TLS_CLIENT].config.record_limit = client;
	p->side[TLS_SERVER].config.record_limit = server;
}

/* Of the protected records that @to has got, the longest by its inner plaintext: type and content. */
static size_t longest(const struct side *to)
{
	size_t max = 0;

	for (size_t at = 0, len; at < to->in_len; at += RECORD_HEADER_LEN + len) {
		len = (size_t)(to->in[at + 3] << 8 | to->in[at + 4]);
		if (to->in[at] == CT_APPLICATION_DATA && len - AEAD_TAG_LEN > max)
			max = len - AEAD_TAG_LEN;
	}
	return max;
}

static void each_side_keeps_to_the_others_limit(void **state)
{
	static const struct { uint16_t client, server; } cases[] = {
		{ 64, 64 }, { 64, 16385 }, { 16385, 64 }, { 65, 100 }, { 511, 512 }, { 1000, 2000 }, { 16385, 16385 },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++)
		for (size_t chunk = 0; chunk < 2; chunk++) {
			struct pair p;

			pair_init(&p, "rsa2048");
			pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
			limits(&p, cases[i].client, cases[i].server);
			p.chunk = chunk;
			pair_run(&p);
			assert_open(&p);
			assert_int_equal(result(&p, TLS_CLIENT).record_limit, cases[i].server - 1);
			assert_int_equal(result(&p, TLS_SERVER).record_limit, cases[i].client - 1);
			assert_true(longest(&p.side[TLS_CLIENT]) <= cases[i].client);
			if (cases[i].client <= 1000)	/* else a chain may fit */
				assert_int_equal(longest(&p.side[TLS_CLIENT]), cases[i].client);
			assert_true(longest(&p.side[TLS_SERVER]) <= cases[i].server);
			pair_free(&p);
		}
}

static void a_long_chain_goes_out_in_the_smallest_records(void **state)
{
	struct pair p;
	struct side *s = &p.side[TLS_SERVER];

	(void)state;
	/* All that a Certificate may hold, of which only the first two entries are certificates: it is judged, not read. */
	pair_init(&p, "p256");
	s->chains[0] = realloc(s->chains[0], PLAINTEXT_MAX);
	memset(s->chains[0] + s->identities[0].chain_len, 0, PLAINTEXT_MAX - s->identities[0].chain_len);
	s->identities[0].chain = s->chains[0];
	store_be(s->chains[0] + s->identities[0].chain_len, 3, PLAINTEXT_MAX - MSG_HEADER_LEN - 4 -
		 s->identities[0].chain_len - 5);
	s->identities[0].chain_len = PLAINTEXT_MAX - MSG_HEADER_LEN - 4;
	limits(&p, 64, 64);
	pair_run(&p);
	assert_refused(&p, TLS_CLIENT, ALERT_BAD_CERTIFICATE, "does not parse");
	assert_int_equal(longest(&p.side[TLS_CLIENT]), 64);
	pair_free(&p);
}

static void one_side_alone_limits_nothing(void **state)
{
	(void)state;
	for (int role = 0; role < 2; role++) {
		struct pair p;

		pair_init(&p, "p256");
		p.side[role].config.record_limit = 64;
		pair_run(&p);
		assert_open(&p);
		for (int k = 0; k < 2; k++)
			assert_int_equal(result(&p, (enum tls_role)k).record_limit, 0);
		assert_true(longest(&p.side[TLS_CLIENT]) > 64);
		pair_free(&p);
	}
}

/* ---- a peer that does not keep to it ---- */

static enum hs forget_limit(struct tls_conn *c)
{
	c->tx.limit = PLAINTEXT_MAX;
	return HS_NEXT;
}

static void a_record_over_our_limit_is_record_overflow(void **state)
{
	(void)state;
	for (int by = 0; by < 2; by++) {
		struct pair p;

		pair_init(&p, "p256");
		pair_client_auth(&p, TLS_CLIENT_AUTH_REQUIRE, "client");
		limits(&p, 512, 512);
		pair_steps(&p, (enum tls_role)by);
		/* Right in front of its Certificate. */
		pair_insert(&p, (enum tls_role)by, by == TLS_SERVER ? pair_step(&p, by, auth_send_certificate) : 22,
			    forget_limit);
		pair_run(&p);
		assert_refused(&p, (enum tls_role)!by, ALERT_RECORD_OVERFLOW, "limit of 512");
		pair_free(&p);
	}
}

static uint16_t value;

/* What check_config() would refuse. */
static enum hs say_value(struct tls_conn *c)
{
	((struct tls_config *)c->params.config)->record_limit = value;
	return HS_NEXT;
}

static void a_limit_out_of_range_is_refused_or_cut(void **state)
{
	static const struct { uint16_t value; bool ok; } cases[] = {
		{ 0xffff, true }, { 16386, true }, { 64, true }, { 63, false }, { 1, false },
	};

	(void)state;
	for (int by = 0; by < 2; by++)
		for (size_t i = 0; i < NUM(cases); i++) {
			struct pair p;

			value = cases[i].value;
			pair_init(&p, "p256");
			limits(&p, 512, 512);
			pair_steps(&p, (enum tls_role)by);
			pair_insert(&p, (enum tls_role)by, by == TLS_SERVER ? 1 : 0, say_value);
			pair_run(&p);
			if (cases[i].ok) {
				assert_open(&p);
				assert_int_equal(result(&p, (enum tls_role)!by).record_limit, value == 64 ? 63 : 16384);
			} else {
				assert_refused(&p, (enum tls_role)!by, ALERT_ILLEGAL_PARAMETER, "record_size_limit of");
			}
			pair_free(&p);
		}
}

static void a_limit_of_another_length_is_malformed(void **state)
{
	static const struct { const char *hex; uint16_t alert; } cases[] = {
		{ "", ALERT_DECODE_ERROR }, { "01", ALERT_DECODE_ERROR }, { "020000", ALERT_DECODE_ERROR },
		{ "0200", TLS_ALERT_NONE },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++)
		for (int spoken = 0; spoken < 2; spoken++) {
			uint8_t data[4];
			struct ext_block exts = {
				.present = UINT32_C(1) << EXT_RECORD_SIZE_LIMIT,
				.data[EXT_RECORD_SIZE_LIMIT] = { data, unhex(data, cases[i].hex) },
			};
			struct pair p;

			pair_init(&p, "p256");
			limits(&p, 0, spoken ? 512 : 0);
			tls_init(&p.side[TLS_SERVER].c, &p.side[TLS_SERVER].params);
			p.side[TLS_SERVER].started = true;
			assert_int_equal(limit_take(&p.side[TLS_SERVER].c, &exts),
					 spoken && cases[i].alert != TLS_ALERT_NONE ? HS_FAILED : HS_NEXT);
			assert_int_equal(p.side[TLS_SERVER].c.alert_sent, spoken ? cases[i].alert : TLS_ALERT_NONE);
			pair_free(&p);
		}
}

/* ---- with early data, and after the handshake ---- */

static void early_data_is_not_limited_but_tickets_are(void **state)
{
	static uint8_t data[10000];
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_tickets(&p);
	limits(&p, 64, 64);
	pair_run(&p);
	assert_open(&p);
	assert_int_equal(longest(&p.side[TLS_CLIENT]), 64);
	assert_int_equal(pair_take_sessions(&p), 1);
	pair_resume(&p);
	pair_early(&p, data, sizeof(data));
	pair_run(&p);
	assert_open(&p);
	assert_early(&p, TLS_EARLY_ACCEPTED);
	assert_true(longest(&p.side[TLS_SERVER]) > 64);
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_side_keeps_to_the_others_limit),
		cmocka_unit_test(a_long_chain_goes_out_in_the_smallest_records),
		cmocka_unit_test(one_side_alone_limits_nothing),
		cmocka_unit_test(a_record_over_our_limit_is_record_overflow),
		cmocka_unit_test(a_limit_out_of_range_is_refused_or_cut),
		cmocka_unit_test(a_limit_of_another_length_is_malformed),
		cmocka_unit_test(early_data_is_not_limited_but_tickets_are),
	};

	return pair_main(tests, NUM(tests));
}
