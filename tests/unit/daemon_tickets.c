// SPDX-License-Identifier: MIT
/* Keys of tickets: when they come and go, who can open what, and that readers never see half of one. */
#include "daemon_util.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "tlshd/tickets.h"

#define INTERVAL	100
#define LIFETIME	400
#define T0		1000000000	/* the beginning of an interval */
#define TICKET_MAX	(TLS_STATE_MAX + TLS_SEAL_MAX)

static const uint8_t www[32] = "www", other[32] = "other";
static const uint8_t state_in[] = "what the engine wants back";

/* One process of each kind: what makes keys, and what uses them. */
struct host {
	struct tickets_maker *maker;
	const struct tickets *keys;
};

static struct host start_host(int secret_fd)
{
	struct host h;

	assert_int_equal(tickets_maker_open(&h.maker, INTERVAL, LIFETIME, secret_fd), 0);
	assert_int_equal(tickets_map(&h.keys, tickets_maker_fd(h.maker)), 0);
	return h;
}

static void stop_host(struct host *h)
{
	tickets_unmap(h->keys);
	tickets_maker_close(h->maker);
}

static int secret_file(const void *bytes, size_t len)
{
	FILE *f = tmpfile();
	int fd;

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fflush(f), 0);
	fd = fcntl(fileno(f), F_DUPFD_CLOEXEC, 0);
	fclose(f);
	return fd;
}

static size_t seal(const struct host *h, const uint8_t *scope, uint8_t *ticket)
{
	struct tickets_use use = { .keys = h->keys, .scope = scope };

	return tickets_ops.seal(&use, ticket, state_in, sizeof(state_in));
}

static bool opens(const struct host *h, const uint8_t *scope, const uint8_t *ticket, size_t len)
{
	struct tickets_use use = { .keys = h->keys, .scope = scope };
	uint8_t state[TLS_STATE_MAX];
	uint64_t domain;
	size_t n = tickets_ops.open(&use, state, &domain, ticket, len);

	if (!n)
		return false;
	assert_int_equal(n, sizeof(state_in));
	assert_memory_equal(state, state_in, n);
	return true;
}

/* ---- one host ---- */

static void what_was_sealed_opens(void **state)
{
	struct host h = start_host(-1);
	uint8_t a[TICKET_MAX], b[TICKET_MAX];
	size_t len;

	(void)state;
	assert_int_equal(seal(&h, www, a), 0);		/* no key yet */
	assert_int_equal(tickets_maker_turn(h.maker, T0 + 30), INTERVAL - 30);
	len = seal(&h, www, a);
	assert_int_equal(len, 16 + 24 + 8 + sizeof(state_in) + 16);
	assert_true(opens(&h, www, a, len));
	assert_int_equal(seal(&h, www, b), len);
	assert_memory_equal(a, b, 16);			/* one key, one name */
	assert_memory_not_equal(a + 16, b + 16, 24);	/* no nonce twice */
	assert_null(memmem(a, len, state_in, sizeof(state_in)));
	stop_host(&h);
}

static void another_profiles_ticket_does_not_open(void **state)
{
	struct host h = start_host(-1);
	uint8_t ticket[TICKET_MAX];
	size_t len;

	(void)state;
	tickets_maker_turn(h.maker, T0);
	len = seal(&h, www, ticket);
	assert_false(opens(&h, other, ticket, len));
	assert_true(opens(&h, www, ticket, len));
	stop_host(&h);
}

static void a_changed_ticket_does_not_open(void **state)
{
	struct host h = start_host(-1);
	uint8_t ticket[TICKET_MAX + 1];
	size_t len;

	(void)state;
	tickets_maker_turn(h.maker, T0);
	len = seal(&h, www, ticket);
	for (size_t i = 0; i < len; i++)
		for (uint8_t bit = 1; bit; bit <<= 1) {
			ticket[i] ^= bit;
			assert_false(opens(&h, www, ticket, len));
			ticket[i] ^= bit;
		}
	for (size_t cut = 0; cut < len; cut++)
		assert_false(opens(&h, www, ticket, cut));
	for (size_t more = len + 1; more <= sizeof(ticket); more++)
		assert_false(opens(&h, www, ticket, more));
	assert_true(opens(&h, www, ticket, len));
	stop_host(&h);
}

/* A slot without a key has no name and no secret: both are known to everybody. */
static void nobody_can_seal_under_a_key_that_is_not_there(void **state)
{
	static const uint8_t label[] = "tlshd ticket seal", no_secret[PRF_LEN];
	struct iov parts[] = { { label, sizeof(label) - 1 }, { www, sizeof(www) } };
	uint8_t ticket[TICKET_MAX] = { 0 }, key[PRF_LEN];
	struct host h = start_host(-1);

	(void)state;
	prf(key, no_secret, sizeof(no_secret), parts, 2);
	xchacha_seal(ticket + 40, state_in, sizeof(state_in), ticket, 16, key, ticket + 16);
	assert_false(opens(&h, www, ticket, 40 + sizeof(state_in) + 16));
	tickets_maker_turn(h.maker, T0);
	assert_false(opens(&h, www, ticket, 40 + sizeof(state_in) + 16));
	stop_host(&h);
}

/* Sealed in an interval's first second or its last, a ticket opens as long as its lifetime, and not one interval longer. */
static void a_key_lasts_as_long_as_its_tickets(void **state)
{
	(void)state;
	for (int at = 0; at < INTERVAL; at += INTERVAL - 1) {
		struct host h = start_host(-1);
		uint8_t ticket[TICKET_MAX];
		size_t len;

		tickets_maker_turn(h.maker, T0 + at);
		len = seal(&h, www, ticket);
		for (int64_t t = T0 + at; t <= T0 + at + LIFETIME; t++) {
			assert_in_range(tickets_maker_turn(h.maker, t), 1, INTERVAL);
			assert_true(opens(&h, www, ticket, len));
		}
		tickets_maker_turn(h.maker, T0 + INTERVAL + LIFETIME);
		assert_false(opens(&h, www, ticket, len));
		stop_host(&h);
	}
}

static void each_interval_has_its_own_key(void **state)
{
	uint8_t tickets[3 * TICKETS_KEYS_MAX][TICKET_MAX];
	size_t num = sizeof(tickets) / sizeof(tickets[0]), len = 0;
	struct host h = start_host(-1);

	(void)state;
	for (size_t i = 0; i < num; i++) {
		tickets_maker_turn(h.maker, T0 + (int64_t)i * INTERVAL);
		len = seal(&h, www, tickets[i]);
		for (size_t k = 0; k <= i; k++) {
			assert_int_equal(opens(&h, www, tickets[k], len), i - k <= LIFETIME / INTERVAL);
			assert_int_equal(!memcmp(tickets[k], tickets[i], 16), i == k);
		}
	}
	stop_host(&h);
}

/* All bytes of the memory that the worker has, keys and all */
static void copy_memory(const struct host *h, uint8_t *out)
{
	assert_int_equal(pread(tickets_maker_fd(h->maker), out, tickets_bound(), 0), tickets_bound());
}

static void a_key_that_is_over_leaves_nothing_behind(void **state)
{
	uint8_t *before = malloc(tickets_bound()), *after = malloc(tickets_bound());
	struct host h = start_host(-1);
	unsigned num_words = 0;

	(void)state;
	tickets_maker_turn(h.maker, T0);
	copy_memory(&h, before);
	tickets_maker_turn(h.maker, T0 + 2 * INTERVAL + LIFETIME);
	copy_memory(&h, after);
	for (size_t at = 0; at < tickets_bound(); at += 8) {
		static const uint8_t small[6];

		/* What is no counter: names and secrets. */
		if (!memcmp(before + at + 2, small, 6) || !memcmp(before + at + 4, small, 4))
			continue;
		num_words++;
		assert_null(memmem(after, tickets_bound(), before + at, 8));
	}
	assert_int_equal(num_words, 2 * 6);	/* of this interval and the next */
	free(before);
	free(after);
	stop_host(&h);
}

static void a_clock_that_jumps_costs_sessions_and_no_more(void **state)
{
	static const int64_t jumps[] = { T0, T0 + 1000000, T0 - 1000000, -5, T0 };
	struct host h = start_host(-1);
	uint8_t ticket[TICKET_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		size_t len;

		assert_in_range(tickets_maker_turn(h.maker, jumps[i]), 1, INTERVAL);
		assert_false(i && opens(&h, www, ticket, 40 + sizeof(state_in) + 16));
		len = seal(&h, www, ticket);
		assert_true(opens(&h, www, ticket, len));
	}
	stop_host(&h);
}

static void who_reads_cannot_write(void **state)
{
	struct host h = start_host(-1);
	int fd = tickets_maker_fd(h.maker), plain = secret_file("x", 1);
	const struct tickets *t;

	(void)state;
	assert_true(write(fd, "x", 1) < 0);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_ptr_equal(mmap(NULL, tickets_bound(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(mprotect((void *)h.keys, tickets_bound(), PROT_READ | PROT_WRITE), -1);
	assert_int_equal(tickets_map(&t, plain), -EINVAL);
	close(plain);
	stop_host(&h);
}

/* ---- several hosts, or one that is started again ---- */

static const uint8_t secret[40] = "forty bytes that are known to both hosts", secret2[40] = "forty others";

static void hosts_with_one_secret_open_each_others_tickets(void **state)
{
	int fd = secret_file(secret, sizeof(secret));
	struct host a = start_host(fd), b;
	uint8_t ticket[TICKET_MAX], back[TICKET_MAX];
	size_t len, back_len;

	(void)state;
	tickets_maker_turn(a.maker, T0 + 50);
	len = seal(&a, www, ticket);
	/* One that starts now, one that starts when the ticket is about to end, one whose clock is behind. */
	for (int64_t t = T0 + 50 - INTERVAL; t <= T0 + 50 + LIFETIME; t += INTERVAL) {
		b = start_host(fd);
		tickets_maker_turn(b.maker, t);
		assert_true(opens(&b, www, ticket, len));
		assert_false(opens(&b, other, ticket, len));
		back_len = seal(&b, www, back);
		assert_int_equal(opens(&a, www, back, back_len), t <= T0 + 50 + INTERVAL);
		stop_host(&b);
	}
	stop_host(&a);
	close(fd);
}

static void hosts_with_other_secrets_or_intervals_do_not(void **state)
{
	int fd = secret_file(secret, sizeof(secret)), fd2 = secret_file(secret2, sizeof(secret2));
	struct host a = start_host(fd), b = start_host(fd2), c = start_host(-1), d;
	const struct host *const all[] = { &b, &c, &d };
	uint8_t ticket[TICKET_MAX];
	size_t len;

	(void)state;
	assert_int_equal(tickets_maker_open(&d.maker, 2 * INTERVAL, LIFETIME, fd), 0);
	assert_int_equal(tickets_map(&d.keys, tickets_maker_fd(d.maker)), 0);
	tickets_maker_turn(a.maker, T0);
	tickets_maker_turn(b.maker, T0);
	tickets_maker_turn(c.maker, T0);
	tickets_maker_turn(d.maker, 2 * T0);		/* when its interval has the same number */
	len = seal(&a, www, ticket);
	assert_true(opens(&a, www, ticket, len));
	for (size_t i = 0; i < 3; i++)
		assert_false(opens(all[i], www, ticket, len));
	stop_host(&a);
	stop_host(&b);
	stop_host(&c);
	stop_host(&d);
	close(fd);
	close(fd2);
}

static void every_byte_of_the_secret_counts(void **state)
{
	static uint8_t longest[TICKETS_SECRET_MAX + 1];
	static const size_t lens[] = { TICKETS_SECRET_MIN, TICKETS_SECRET_MIN + 1, 64, 65, TICKETS_SECRET_MAX };
	struct tickets_maker *m;
	uint8_t ticket[TICKET_MAX];
	size_t len;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct host a, b;

		fd = secret_file(longest, lens[i]);
		a = start_host(fd);
		close(fd);
		longest[lens[i] - 1] = 1;
		fd = secret_file(longest, lens[i]);
		b = start_host(fd);
		close(fd);
		longest[lens[i] - 1] = 0;
		tickets_maker_turn(a.maker, T0);
		tickets_maker_turn(b.maker, T0);
		len = seal(&a, www, ticket);
		assert_false(opens(&b, www, ticket, len));
		stop_host(&a);
		stop_host(&b);
	}
	fd = secret_file(longest, TICKETS_SECRET_MIN - 1);
	assert_int_equal(tickets_maker_open(&m, INTERVAL, LIFETIME, fd), -EINVAL);
	close(fd);
	fd = secret_file(longest, sizeof(longest));
	assert_int_equal(tickets_maker_open(&m, INTERVAL, LIFETIME, fd), -EINVAL);
	assert_null(m);
	close(fd);
}

/* ---- threads ---- */

#define READERS		3
#define TURNS		20000
#define KEPT		4096
#define SEALED_LEN	(40 + 8 + sizeof(state_in) + 16)

static struct host shared;
static _Atomic bool done;

/* @kept: tickets that did not open at once: because their key was over by then, or because it was not whole */
struct reader {
	pthread_t id;
	unsigned long num_opened, num_none;
	size_t num_kept;
	uint8_t kept[KEPT][TICKET_MAX];
};

static void *read_on(void *arg)
{
	struct reader *r = arg;
	uint8_t ticket[TICKET_MAX];

	while (!atomic_load(&done)) {
		size_t len = seal(&shared, www, ticket);

		if (!len)
			r->num_none++;
		else if (opens(&shared, www, ticket, len))
			r->num_opened++;
		else if (r->num_kept < KEPT)
			memcpy(r->kept[r->num_kept++], ticket, len);
	}
	return NULL;
}

/* All of one slot, so that it changes under its readers at each turn. */
static int64_t time_of(size_t turn)
{
	return T0 + (int64_t)turn * TICKETS_KEYS_MAX * INTERVAL;
}

struct name { uint8_t bytes[16]; size_t turn; };

static int compare_names(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* By a host that can have the key of any time again, what it was called at each. */
static struct name *list_names(const struct host *h)
{
	struct name *names = calloc(TURNS, sizeof(*names));
	uint8_t ticket[TICKET_MAX];

	for (size_t i = 0; i < TURNS; i++) {
		tickets_maker_turn(h->maker, time_of(i));
		assert_int_equal(seal(h, www, ticket), SEALED_LEN);
		memcpy(names[i].bytes, ticket, 16);
		names[i].turn = i;
	}
	qsort(names, TURNS, sizeof(*names), compare_names);
	return names;
}

static void assert_whole(const struct host *h, const struct name *names, const uint8_t *ticket)
{
	const struct name *name = bsearch(ticket, names, TURNS, sizeof(*names), compare_names);

	assert_non_null(name);
	tickets_maker_turn(h->maker, time_of(name->turn));
	assert_true(opens(h, www, ticket, SEALED_LEN));
}

static void readers_see_whole_keys_while_they_change(void **state)
{
	struct reader *readers = calloc(READERS, sizeof(*readers));
	int fd = secret_file(secret, sizeof(secret));
	struct host again = start_host(fd);
	struct name *names = list_names(&again);

	(void)state;
	shared = start_host(fd);
	atomic_store(&done, false);
	for (size_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&readers[i].id, NULL, read_on, &readers[i]), 0);
	for (size_t i = 0; i < TURNS; i++)
		tickets_maker_turn(shared.maker, time_of(i));
	atomic_store(&done, true);
	for (size_t i = 0; i < READERS; i++)
		pthread_join(readers[i].id, NULL);
	for (size_t i = 0; i < READERS; i++) {
		print_message("# opened at once %lu, later %zu, no key %lu\n", readers[i].num_opened,
			      readers[i].num_kept, readers[i].num_none);
		for (size_t k = 0; k < readers[i].num_kept; k++)
			assert_whole(&again, names, readers[i].kept[k]);
	}
	free(readers);
	free(names);
	close(fd);
	stop_host(&again);
	stop_host(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens),
		cmocka_unit_test(another_profiles_ticket_does_not_open),
		cmocka_unit_test(a_changed_ticket_does_not_open),
		cmocka_unit_test(nobody_can_seal_under_a_key_that_is_not_there),
		cmocka_unit_test(a_key_lasts_as_long_as_its_tickets),
		cmocka_unit_test(each_interval_has_its_own_key),
		cmocka_unit_test(a_key_that_is_over_leaves_nothing_behind),
		cmocka_unit_test(a_clock_that_jumps_costs_sessions_and_no_more),
		cmocka_unit_test(who_reads_cannot_write),
		cmocka_unit_test(hosts_with_one_secret_open_each_others_tickets),
		cmocka_unit_test(hosts_with_other_secrets_or_intervals_do_not),
		cmocka_unit_test(every_byte_of_the_secret_counts),
		cmocka_unit_test(readers_see_whole_keys_while_they_change),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	if (crypto_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
