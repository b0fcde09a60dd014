// SPDX-License-Identifier: MIT
/* Pools: as many as promised and no more, hot ones first, each with a number for life. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tlshd/pool.h"

static void hands_out_as_many_as_promised(void **state)
{
	void *p[5];
	struct pool pool;

	(void)state;
	assert_int_equal(pool_init(&pool, 5, 100), 0);
	for (size_t i = 0; i < 5; i++) {
		p[i] = pool_get(&pool);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 64, 0);
		memset(p[i], (int)i, 100);
	}
	assert_null(pool_get(&pool));
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(*(uint8_t *)p[i], i);
		assert_int_equal(((uint8_t *)p[i])[99], i);
		assert_ptr_equal(pool_at(&pool, pool_index(&pool, p[i])), p[i]);
	}
	assert_int_equal(pool_used(&pool), 5);
	pool_put(&pool, p[3]);
	assert_ptr_equal(pool_get(&pool), p[3]);
	for (size_t i = 0; i < 5; i++)
		pool_put(&pool, p[i]);
	assert_ptr_equal(pool_get(&pool), p[4]);	/* the hottest */
	pool_exit(&pool);
}

static void keeps_within_its_bound(void **state)
{
	(void)state;
	assert_int_equal(pool_bound(10, 64), 10 * (64 + 4));
	assert_int_equal(pool_bound(10, 65), 10 * (128 + 4));
}

static void takes_no_memory_that_it_cannot_have(void **state)
{
	struct pool pool;

	(void)state;
	assert_true(pool_init(&pool, 4, (size_t)1 << 50) < 0);
	pool_exit(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_as_many_as_promised),
		cmocka_unit_test(keeps_within_its_bound),
		cmocka_unit_test(takes_no_memory_that_it_cannot_have),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
