// SPDX-License-Identifier: MIT
/* The table of early data that was accepted. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tlshd/crypto/crypto.h"
#include "tlshd/replay.h"

#define NUM		1024
#define WINDOW		10000
#define KEPT		(2 * WINDOW + 2000)	/* a binder may come back when it was taken that long ago, not before */

struct table {
	struct replay *r;
	struct replay_clocks now;
	uint64_t domain;
};

static struct table open_table(void)
{
	struct table t;

	assert_int_equal(replay_open(&t.r, NUM, WINDOW), 0);
	replay_clocks(&t.now);
	t.domain = replay_domain(t.r, &t.now);
	assert_true(t.domain);
	return t;
}

static void pass(struct table *t, int64_t ms)
{
	t->now.real += ms;
	t->now.boot += ms;
	t->now.mono += ms;
}

static void make_binder(uint8_t *out, uint64_t number)
{
	const struct iov part = { &number, sizeof(number) };

	hmac(HASH_SHA256, out, (const uint8_t *)"key", 3, &part, 1);
}

static enum replay_verdict check(struct table *t, uint64_t number)
{
	uint8_t binder[32];

	make_binder(binder, number);
	return replay_check(t->r, &t->now, binder, 0, t->domain);
}

static void takes_each_binder_once(void **state)
{
	struct table t = open_table();

	(void)state;
	for (uint64_t i = 0; i < NUM; i++)
		assert_int_equal(check(&t, i), REPLAY_FRESH);
	for (uint64_t i = 0; i < NUM; i++)
		assert_int_equal(check(&t, i), REPLAY_SEEN);
	replay_close(t.r);
}

static void wants_a_fresh_ticket_age(void **state)
{
	static const struct {
		int64_t skew;
		enum replay_verdict verdict;
	} rows[] = {
		{ WINDOW, REPLAY_FRESH }, { -WINDOW, REPLAY_FRESH }, { WINDOW + 1, REPLAY_STALE }, { -WINDOW - 1, REPLAY_STALE },
		{ INT64_MAX, REPLAY_STALE }, { INT64_MIN, REPLAY_STALE },
	};
	struct table t = open_table();
	uint8_t binder[32];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_binder(binder, i);
		assert_int_equal(replay_check(t.r, &t.now, binder, rows[i].skew, t.domain), rows[i].verdict);
	}
	replay_close(t.r);
}

/* At any place of a span: kept as long as it must be, and not for ever. */
static void keeps_a_binder_for_its_time(void **state)
{
	struct table t = open_table();

	(void)state;
	for (uint64_t i = 0; i < 50; i++) {
		assert_int_equal(check(&t, i), REPLAY_FRESH);
		pass(&t, KEPT - 1);
		assert_int_equal(check(&t, i), REPLAY_SEEN);
		pass(&t, 2 * KEPT + 777);
		assert_int_equal(check(&t, i), REPLAY_FRESH);
		pass(&t, 1234);
	}
	replay_close(t.r);
}

static void a_new_domain_takes_no_old_ticket(void **state)
{
	struct table t = open_table(), other = open_table();
	uint64_t before = t.domain;

	(void)state;
	assert_int_not_equal(t.domain, other.domain);
	assert_int_equal(check(&t, 1), REPLAY_FRESH);
	t.domain = other.domain;
	assert_int_equal(check(&t, 2), REPLAY_FOREIGN);
	t.domain = 0;			/* of a ticket sealed without a table */
	assert_int_equal(check(&t, 3), REPLAY_FOREIGN);

	t.domain = before;
	t.now.boot += 5000;		/* suspended: the wall clock went on, CLOCK_MONOTONIC did not */
	t.now.real += 5000;
	assert_int_equal(check(&t, 4), REPLAY_FOREIGN);
	t.domain = replay_domain(t.r, &t.now);
	assert_int_not_equal(t.domain, before);
	assert_int_equal(check(&t, 1), REPLAY_FRESH);

	before = t.domain;
	t.now.real += 999;		/* slewed */
	assert_int_equal(check(&t, 5), REPLAY_FRESH);
	t.now.real -= 2500;		/* set */
	assert_int_equal(check(&t, 6), REPLAY_FOREIGN);
	t.now.real += 3501;
	assert_int_equal(check(&t, 7), REPLAY_FOREIGN);
	t.domain = replay_domain(t.r, &t.now);
	assert_int_not_equal(t.domain, before);
	assert_int_equal(check(&t, 8), REPLAY_FRESH);
	replay_close(other.r);
	replay_close(t.r);
}

static void is_closed_when_full_and_opens_again(void **state)
{
	struct table t = open_table();
	unsigned num[REPLAY_VERDICTS] = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 10 * NUM; i++)
		num[check(&t, i)]++;
	assert_true(num[REPLAY_FRESH] >= NUM);
	assert_true(num[REPLAY_FULL] > 0);
	assert_int_equal(num[REPLAY_FRESH] + num[REPLAY_FULL], 10 * NUM);
	for (uint64_t i = 0; i < 10 * NUM; i++)	/* what was refused is not taken later either */
		assert_int_not_equal(check(&t, i), REPLAY_FRESH);
	pass(&t, 3 * KEPT);
	assert_int_equal(check(&t, 1), REPLAY_FRESH);
	replay_close(t.r);
}

/* ---- against a list of what was seen when ---- */

static void agrees_with_a_model(void **state)
{
	static int64_t seen[200];	/* when last; 0: never. Who tries again is remembered from then on */
	struct table t = open_table();
	unsigned seed = 7;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < 50000; i++) {
		uint64_t number = (uint64_t)(rand_r(&seed) % 200);
		enum replay_verdict verdict = check(&t, number);
		int64_t age = t.now.boot - seen[number];

		if (seen[number] && age <= KEPT)
			assert_int_equal(verdict, REPLAY_SEEN);
		else if (!seen[number] || age > 2 * KEPT)
			assert_int_equal(verdict, REPLAY_FRESH);
		seen[number] = t.now.boot;
		pass(&t, rand_r(&seed) % (rand_r(&seed) % 50 ? 300 : 60000));
	}
	replay_close(t.r);
}

/* ---- threads ---- */

#define NUM_THREADS	4
#define ROUNDS		20000
#define IN_STEP		50	/* rounds in which no thread is ahead of another by as long as a binder is kept */

static struct table shared;
static pthread_barrier_t in_step;
static _Atomic int64_t clock_ms;
static _Atomic uint8_t accepted[ROUNDS];

/* All race for the same binders while spans end under them. */
static void *race(void *arg)
{
	(void)arg;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		struct table t = shared;
		int64_t ms = atomic_fetch_add(&clock_ms, 20);

		if (i % IN_STEP == 0)
			pthread_barrier_wait(&in_step);
		pass(&t, ms);
		if (check(&t, i) == REPLAY_FRESH)
			atomic_fetch_add(&accepted[i], 1);
	}
	return NULL;
}

static void no_race_has_two_winners(void **state)
{
	pthread_t id[NUM_THREADS];
	unsigned winners = 0;

	(void)state;
	shared = open_table();
	pthread_barrier_init(&in_step, NULL, NUM_THREADS);
	for (size_t i = 0; i < NUM_THREADS; i++)
		assert_int_equal(pthread_create(&id[i], NULL, race, NULL), 0);
	for (size_t i = 0; i < NUM_THREADS; i++)
		pthread_join(id[i], NULL);
	for (size_t i = 0; i < ROUNDS; i++) {
		assert_true(accepted[i] <= 1);
		winners += accepted[i];
	}
	assert_true(winners > ROUNDS / 2);
	replay_close(shared.r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_each_binder_once),
		cmocka_unit_test(wants_a_fresh_ticket_age),
		cmocka_unit_test(keeps_a_binder_for_its_time),
		cmocka_unit_test(a_new_domain_takes_no_old_ticket),
		cmocka_unit_test(is_closed_when_full_and_opens_again),
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(no_race_has_two_winners),
	};

	if (crypto_init())
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
