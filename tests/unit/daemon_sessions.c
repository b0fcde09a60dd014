// SPDX-License-Identifier: MIT
/* The store of clients' sessions. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tlshd/sessions.h"

#define NUM		16
#define NUM_USER	8
#define NUM_KEY		4
#define NOW_MS		(1800000000 * 1000LL)
#define LIFETIME_S	100

static const uint8_t h2[] = "\x02h2", both[] = "\x08http/1.1\x02h2";

static struct sessions_key make_key(uint8_t name, uint32_t uid)
{
	struct sessions_key k = { .uid = uid };

	memset(k.digest, name, sizeof(k.digest));
	return k;
}

static struct tls_resumption make_resumption(void)
{
	struct tls_resumption r = { .suite = TLS_AES_128_GCM_SHA256, .alpn_len = 2, .authenticated = NOW_MS / 1000,
				    .not_after = NOW_MS / 1000 + 1000 };

	memset(r.secret, 0x5a, 32);
	memcpy(r.alpn, "h2", 2);
	return r;
}

/* NewSessionTicket whose ticket is @number. Returns its length. */
static size_t make_ticket(uint8_t *out, uint32_t number)
{
	static const uint8_t head[] = { 4, 0, 0, 18, 0, 0, 0, LIFETIME_S, 1, 2, 3, 4, 1, 7, 0, 4 };

	memcpy(out, head, sizeof(head));
	memcpy(out + sizeof(head), &number, 4);
	memset(out + sizeof(head) + 4, 0, 2);
	return sizeof(head) + 6;
}

static int add_with(struct sessions *s, const struct sessions_key *key, const struct tls_resumption *r, uint32_t number)
{
	uint8_t blob[SESSIONS_BLOB_LEN], msg[64];

	sessions_seal(s, blob, key, r);
	return sessions_add(s, blob, sizeof(blob), msg, make_ticket(msg, number), NOW_MS);
}

static void add(struct sessions *s, const struct sessions_key *key, uint32_t number)
{
	struct tls_resumption r = make_resumption();

	assert_int_equal(add_with(s, key, &r, number), 0);
}

static const struct tls_session *take(struct sessions *s, const struct sessions_key *key)
{
	return sessions_take(s, key, NOW_MS, h2, 3);
}

static uint32_t number_of(const struct tls_session *session)
{
	uint32_t n;

	assert_int_equal(session->ticket_len, 4);
	memcpy(&n, session->ticket, 4);
	return n;
}

/* Takes one and gives its place back. Returns its number, 0 if there is none. */
static uint32_t use(struct sessions *s, const struct sessions_key *key)
{
	const struct tls_session *session = take(s, key);
	uint32_t n = session ? number_of(session) : 0;

	sessions_drop(s, session);
	return n;
}

static struct sessions *open_store(void)
{
	struct sessions *s;

	assert_int_equal(sessions_open(&s, NUM, NUM_USER), 0);
	return s;
}

static void gives_each_session_once_the_newest_first(void **state)
{
	struct sessions *s = open_store();
	struct sessions_key key = make_key(1, 1000);
	const struct tls_session *session;

	(void)state;
	assert_int_equal(use(s, &key), 0);
	add(s, &key, 1);
	add(s, &key, 2);
	session = take(s, &key);
	assert_int_equal(number_of(session), 2);
	assert_int_equal(session->suite, TLS_AES_128_GCM_SHA256);
	assert_int_equal(session->age_add, 0x01020304);
	assert_int_equal(session->lifetime_s, LIFETIME_S);
	assert_int_equal(session->authenticated, NOW_MS / 1000);
	assert_int_equal(use(s, &key), 1);
	assert_int_equal(use(s, &key), 0);
	sessions_drop(s, session);
	sessions_close(s);
}

static void gives_nobody_anothers(void **state)
{
	struct sessions *s = open_store();
	struct sessions_key key = make_key(1, 1000), other = make_key(2, 1000), stranger = make_key(1, 1001);
	struct tls_resumption r = make_resumption();

	(void)state;
	add(s, &key, 1);
	assert_int_equal(use(s, &other), 0);
	assert_int_equal(use(s, &stranger), 0);
	assert_null(sessions_take(s, &key, NOW_MS, NULL, 0));
	assert_null(sessions_take(s, &key, NOW_MS, both, 9));
	sessions_drop(s, sessions_take(s, &key, NOW_MS, both, 12));
	assert_int_equal(use(s, &key), 0);
	r.alpn_len = 0;			/* of a server that knows no protocol, whatever is offered */
	assert_int_equal(add_with(s, &key, &r, 2), 0);
	assert_int_equal(use(s, &key), 2);
	sessions_close(s);
}

static void forgets_what_is_over(void **state)
{
	struct sessions_key key = make_key(1, 1000);
	struct tls_resumption r = make_resumption();
	struct sessions *s = open_store();

	(void)state;
	add(s, &key, 1);
	assert_null(sessions_take(s, &key, NOW_MS + LIFETIME_S * 1000LL, h2, 3));
	assert_int_equal(use(s, &key), 0);	/* it is gone for good */
	add(s, &key, 2);
	assert_non_null(sessions_take(s, &key, NOW_MS + LIFETIME_S * 1000LL - 1, h2, 3));
	r.not_after = NOW_MS / 1000 + 10;
	assert_int_equal(add_with(s, &key, &r, 3), 0);
	assert_null(sessions_take(s, &key, NOW_MS + 11000, h2, 3));
	r.not_after = NOW_MS / 1000 - 1;
	assert_int_equal(add_with(s, &key, &r, 4), -ESTALE);
	sessions_close(s);
}

static void takes_back_only_what_it_sealed(void **state)
{
	struct sessions *s = open_store(), *other = open_store();
	struct sessions_key key = make_key(1, 1000);
	struct tls_resumption r = make_resumption();
	uint8_t blob[SESSIONS_BLOB_LEN], msg[64];
	size_t len = make_ticket(msg, 1);

	(void)state;
	assert_true(sizeof(blob) <= 512);
	sessions_seal(s, blob, &key, &r);
	assert_int_equal(sessions_add(other, blob, sizeof(blob), msg, len, NOW_MS), -EBADMSG);
	assert_int_equal(sessions_add(s, blob, sizeof(blob) - 1, msg, len, NOW_MS), -EBADMSG);
	assert_int_equal(sessions_add(s, blob, 0, msg, len, NOW_MS), -EBADMSG);
	for (size_t i = 0; i < sizeof(blob); i += 7) {
		blob[i] ^= 1;
		assert_int_equal(sessions_add(s, blob, sizeof(blob), msg, len, NOW_MS), -EBADMSG);
		blob[i] ^= 1;
	}
	for (size_t i = 0; i < len; i++)
		assert_int_equal(sessions_add(s, blob, sizeof(blob), msg, i, NOW_MS), -EBADMSG);
	assert_int_equal(use(s, &key), 0);
	assert_int_equal(sessions_add(s, blob, sizeof(blob), msg, len, NOW_MS), 0);
	assert_int_equal(use(s, &key), 1);
	sessions_close(s);
	sessions_close(other);
}

static void is_full_when_all_are_taken_out(void **state)
{
	const struct tls_session *out[NUM];
	struct sessions *s = open_store();
	struct sessions_key key;

	(void)state;
	for (uint32_t i = 0; i < NUM; i++) {
		key = make_key((uint8_t)i, i);
		add(s, &key, i + 1);
		out[i] = take(s, &key);
		assert_non_null(out[i]);
	}
	add(s, &key, 100);	/* lost */
	assert_int_equal(use(s, &key), 0);
	sessions_drop(s, out[3]);
	add(s, &key, 101);
	assert_int_equal(use(s, &key), 101);
	for (uint32_t i = 0; i < NUM; i++)
		if (i != 3)
			sessions_drop(s, out[i]);
	sessions_close(s);
}

/* ---- the store against a list of what should be in it ---- */

static struct model {
	struct sessions_key key;
	uint32_t number;
} model[NUM + 1];
static size_t num_model;

static void model_remove(size_t i)
{
	memmove(model + i, model + i + 1, (--num_model - i) * sizeof(*model));
}

static bool model_same(const struct sessions_key *a, const struct sessions_key *b)
{
	return a->uid == b->uid && a->digest[0] == b->digest[0];
}

/* The oldest entry of a key, or, with @by_uid, of a user, if there are @max of them; else num_model. */
static size_t model_surplus(const struct sessions_key *key, bool by_uid, size_t max)
{
	size_t oldest = num_model, num = 0;

	for (size_t i = num_model; i-- > 0;)
		if (by_uid ? model[i].key.uid == key->uid : model_same(&model[i].key, key)) {
			oldest = i;
			num++;
		}
	return num >= max ? oldest : num_model;
}

static void model_add(const struct sessions_key *key, uint32_t number)
{
	size_t i = model_surplus(key, false, NUM_KEY);

	if (i == num_model)
		i = model_surplus(key, true, NUM_USER);
	if (i < num_model)
		model_remove(i);
	else if (num_model == NUM)
		model_remove(0);
	model[num_model++] = (struct model){ *key, number };
}

static uint32_t model_use(const struct sessions_key *key)
{
	for (size_t i = num_model; i-- > 0;)
		if (model_same(&model[i].key, key)) {
			uint32_t number = model[i].number;

			model_remove(i);
			return number;
		}
	return 0;
}

static void keeps_to_its_limits_the_oldest_go_first(void **state)
{
	struct sessions *s = open_store();
	unsigned seed = 1;

	(void)state;
	num_model = 0;
	for (uint32_t i = 1; i < 20000; i++) {
		int r = rand_r(&seed);
		struct sessions_key key = make_key((uint8_t)(r % 5), (uint32_t)(r / 5 % 4));

		if (r / 100 % 3) {
			add(s, &key, i);
			model_add(&key, i);
		} else {
			assert_int_equal(use(s, &key), model_use(&key));
		}
	}
	sessions_close(s);
}

/* ---- threads ---- */

#define NUM_THREADS	4
#define ROUNDS		5000

static struct sessions *shared;
static _Atomic uint8_t seen[NUM_THREADS * ROUNDS + 1];

static void *add_and_take(void *arg)
{
	uint32_t first = (uint32_t)(uintptr_t)arg * ROUNDS + 1;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		struct sessions_key key = make_key((uint8_t)(i % 3), 1000);

		add(shared, &key, first + i);
		seen[use(shared, &key)]++;
	}
	return NULL;
}

static void gives_each_session_to_one_thread(void **state)
{
	pthread_t id[NUM_THREADS];
	unsigned num = 0;

	(void)state;
	shared = open_store();
	for (uintptr_t i = 0; i < NUM_THREADS; i++)
		assert_int_equal(pthread_create(&id[i], NULL, add_and_take, (void *)i), 0);
	for (size_t i = 0; i < NUM_THREADS; i++)
		pthread_join(id[i], NULL);
	for (size_t i = 1; i <= NUM_THREADS * ROUNDS; i++) {
		assert_true(seen[i] <= 1);
		num += seen[i];
	}
	assert_true(num > NUM_THREADS * ROUNDS / 2);
	sessions_close(shared);
}

static void wipes_what_is_given_back(void **state)
{
	struct sessions *s = open_store();
	struct sessions_key key = make_key(1, 1000);
	const struct tls_session *session;
	static const struct tls_session zeros;

	(void)state;
	add(s, &key, 1);
	session = take(s, &key);
	sessions_drop(s, session);
	assert_memory_equal(session, &zeros, sizeof(zeros));	/* the place is the store's still, and mapped */
	sessions_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_each_session_once_the_newest_first),
		cmocka_unit_test(gives_nobody_anothers),
		cmocka_unit_test(forgets_what_is_over),
		cmocka_unit_test(takes_back_only_what_it_sealed),
		cmocka_unit_test(is_full_when_all_are_taken_out),
		cmocka_unit_test(keeps_to_its_limits_the_oldest_go_first),
		cmocka_unit_test(gives_each_session_to_one_thread),
		cmocka_unit_test(wipes_what_is_given_back),
	};

	if (crypto_init())
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
