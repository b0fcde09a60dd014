// SPDX-License-Identifier: MIT
/* Records that are no handshake messages, in front of each record of each kind of handshake: RFC 8446 section 5. */
#include "flight.h"
#include "kind.h"

/**
 * struct - what is put where
 * @from, @index: in front of the sender's record with that number
 * @type, @content, @len, @num: so many of this record
 * @protected: under the key of the record behind it, even if that type is not protected otherwise
 * @done: there was such a record
 * @early: it stood where early data is due
 */
static struct {
	enum tls_role from;
	size_t index;
	uint8_t type;
	const void *content;
	size_t len, num;
	bool protected, done, early;
} plan;

static struct flight flight;
static size_t num_seen[2];
static bool finished[2];

/* Behind its Finished nothing is of the handshake. */
static void tamper(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	(void)p;
	flight_take(&flight, from, bytes, *len);
	for (size_t i = 0; i < flight.num && !finished[from]; i++) {
		const struct part *part = &flight.parts[i];
		uint8_t epoch = plan.protected ? part->epoch : 0;

		finished[from] = part->type == CT_HANDSHAKE && flight.bytes[part->at] == HT_FINISHED;
		if (num_seen[from]++ != plan.index || from != plan.from || (plan.protected && !epoch))
			continue;
		plan.done = true;
		plan.early = from == TLS_CLIENT && epoch == 1 &&
			     (part->type == CT_APPLICATION_DATA || flight.bytes[part->at] == HT_END_OF_EARLY_DATA);
		for (size_t k = 0; k < plan.num; k++)
			flight_insert_record(&flight, i, plan.type, plan.content, plan.len, epoch);
		i += plan.num;
	}
	flight_put(&flight, from, bytes, len, 0, 0);
}

/* Whether there is such a place. */
static bool run(struct pair *p, enum tls_role from, size_t index)
{
	plan.from = from;
	plan.index = index;
	plan.done = plan.early = false;
	memset(num_seen, 0, sizeof(num_seen));
	memset(finished, 0, sizeof(finished));
	pair_again(p);
	flight_watch(p);
	p->tamper = tamper;
	pair_run(p);
	return plan.done;
}

static size_t num_records(struct pair *p, enum tls_role from)
{
	run(p, from, SIZE_MAX);
	return num_seen[from];
}

/* A client's first record is its hello: until then it has no business to send any other. */
static void for_each_place(void (*judge)(struct pair *p, const struct kind *k, enum tls_role from))
{
	for (size_t k = 0; k < num_kinds; k++) {
		struct pair p;

		kind_init(&p, &kinds[k], 0, 0);
		for (int from = 0; from < 2; from++) {
			size_t num = num_records(&p, (enum tls_role)from);

			assert_true(num > 1);
			for (size_t i = from == TLS_CLIENT; i < num; i++)
				if (run(&p, (enum tls_role)from, i))
					judge(&p, &kinds[k], (enum tls_role)from);
		}
		pair_free(&p);
	}
}

/* ---- change_cipher_spec ---- */

static void opens(struct pair *p, const struct kind *k, enum tls_role from)
{
	(void)from;
	assert_kind(p, k, 0, 0);
}

/* Who takes no early data sees nothing of what is in its records. */
static void refused(struct pair *p, const struct kind *k, enum tls_role from)
{
	if (plan.early && !kind_takes_early(k))
		opens(p, k, from);
	else
		assert_refused(p, (enum tls_role)!from, ALERT_UNEXPECTED_MESSAGE, NULL);
}

/* Together with the one that a peer sends itself. */
static void change_cipher_spec_is_dropped_32_times_wherever_it_comes(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan.type = CT_CHANGE_CIPHER_SPEC;
	plan.content = "\x01";
	plan.len = 1;
	plan.num = 1;
	for_each_place(opens);
	plan.num = CCS_MAX - 1;
	for_each_place(opens);
}

static void more_change_cipher_spec_are_refused(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan.type = CT_CHANGE_CIPHER_SPEC;
	plan.content = "\x01";
	plan.len = 1;
	plan.num = CCS_MAX;	/* the peer's own is one more */
	for_each_place(refused);
}

static void change_cipher_spec_of_another_value_is_refused(void **state)
{
	static const struct {
		const char *content;
		size_t len;
	} wrong[] = { { "\x02", 1 }, { "\x00", 1 }, { "\x01\x01", 2 } };

	(void)state;
	for (size_t i = 0; i < NUM(wrong); i++) {
		memset(&plan, 0, sizeof(plan));
		plan.type = CT_CHANGE_CIPHER_SPEC;
		plan.content = wrong[i].content;
		plan.len = wrong[i].len;
		plan.num = 1;
		for_each_place(refused);
	}
}

static void a_protected_change_cipher_spec_is_refused(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan.type = CT_CHANGE_CIPHER_SPEC;
	plan.content = "\x01";
	plan.len = 1;
	plan.num = 1;
	plan.protected = true;
	for_each_place(refused);
}

/* ---- application data ---- */

/* The client's, where the server takes early data; under any other key it is not, nor is the server's. */
static void is_early_or_refused(struct pair *p, const struct kind *k, enum tls_role from)
{
	if (!plan.early || !kind_takes_early(k)) {
		refused(p, k, from);
		return;
	}
	assert_open(p);
	assert_int_equal(p->side[TLS_SERVER].early_len, strlen(KIND_EARLY_DATA) + 1);
}

static void application_data_has_no_place_but_before_end_of_early_data(void **state)
{
	(void)state;
	memset(&plan, 0, sizeof(plan));
	plan.type = CT_APPLICATION_DATA;
	plan.content = "x";
	plan.len = 1;
	plan.num = 1;
	plan.protected = true;
	for_each_place(is_early_or_refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(change_cipher_spec_is_dropped_32_times_wherever_it_comes),
		cmocka_unit_test(more_change_cipher_spec_are_refused),
		cmocka_unit_test(change_cipher_spec_of_another_value_is_refused),
		cmocka_unit_test(a_protected_change_cipher_spec_is_refused),
		cmocka_unit_test(application_data_has_no_place_but_before_end_of_early_data),
	};

	return pair_main(tests, NUM(tests));
}
