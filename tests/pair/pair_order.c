// SPDX-License-Identifier: MIT
/*
 * The order of messages: RFC 8446 appendix A as a graph. Every legal path is taken; with one message left out, doubled,
 * replaced or swapped with the next it is refused with unexpected_message, wherever that is; where the path is still a
 * legal one up to there, by what messages say of each other.
 *
 * The changes are made between the two ends, under the keys that the receiver has when the message comes.
 */
#include "flight.h"
#include "kind.h"

/* A HelloRetryRequest has ServerHello's type; here it has its number in the drafts of RFC 8446. */
enum { RETRY_REQUEST = 6 };

/* ---- the graph ---- */

enum state {
	WAIT_SH, WAIT_SH_AGAIN, WAIT_EE, WAIT_CERT_CR, WAIT_CERT, WAIT_CV, WAIT_FINISHED, CONNECTED,	/* A.1 */
	WAIT_CH, WAIT_CH_AGAIN, WAIT_EOED, WAIT_FLIGHT2,	/* A.2 */
};

/* The kinds of handshake that an edge is for: a set of flags that each must have, and one that none may have. */
enum { RESUMED = 1 << 16, EARLY_TAKEN = 1 << 17 };	/* what follows from the flags */

static const struct edge {
	enum state from;
	uint8_t message;
	enum state to;
	unsigned int with, without;
} edges[] = {
	/* what a client receives */
	{ WAIT_SH, RETRY_REQUEST, WAIT_SH_AGAIN, KIND_RETRY, 0 },
	{ WAIT_SH, HT_SERVER_HELLO, WAIT_EE, 0, KIND_RETRY },
	{ WAIT_SH_AGAIN, HT_SERVER_HELLO, WAIT_EE, 0, 0 },
	{ WAIT_EE, HT_ENCRYPTED_EXTENSIONS, WAIT_FINISHED, RESUMED, 0 },
	{ WAIT_EE, HT_ENCRYPTED_EXTENSIONS, WAIT_CERT_CR, 0, RESUMED },
	{ WAIT_CERT_CR, HT_CERTIFICATE_REQUEST, WAIT_CERT, KIND_ASKED, 0 },
	{ WAIT_CERT_CR, HT_CERTIFICATE, WAIT_CV, 0, KIND_ASKED },
	{ WAIT_CERT, HT_CERTIFICATE, WAIT_CV, 0, 0 },
	{ WAIT_CV, HT_CERTIFICATE_VERIFY, WAIT_FINISHED, 0, 0 },
	{ WAIT_FINISHED, HT_FINISHED, CONNECTED, 0, 0 },
	/* what a server receives */
	{ WAIT_CH, HT_CLIENT_HELLO, WAIT_CH_AGAIN, KIND_RETRY, 0 },
	{ WAIT_CH, HT_CLIENT_HELLO, WAIT_EOED, EARLY_TAKEN, KIND_RETRY },
	{ WAIT_CH, HT_CLIENT_HELLO, WAIT_FLIGHT2, 0, KIND_RETRY | EARLY_TAKEN },
	{ WAIT_CH_AGAIN, HT_CLIENT_HELLO, WAIT_FLIGHT2, 0, 0 },
	{ WAIT_EOED, HT_END_OF_EARLY_DATA, WAIT_FLIGHT2, 0, 0 },
	{ WAIT_FLIGHT2, HT_CERTIFICATE, WAIT_CV, KIND_ASKED | KIND_CERT, 0 },
	{ WAIT_FLIGHT2, HT_CERTIFICATE, WAIT_FINISHED, KIND_ASKED, KIND_CERT },
	{ WAIT_FLIGHT2, HT_FINISHED, CONNECTED, 0, KIND_ASKED },
};

static unsigned int all_flags(const struct kind *k)
{
	return k->flags | (kind_has_cert(k) ? 0 : RESUMED) | (kind_takes_early(k) ? EARLY_TAKEN : 0);
}

static bool leads(const struct edge *e, enum state from, unsigned int flags)
{
	return e->from == from && (flags & e->with) == e->with && !(flags & e->without);
}

/* The messages that @receiver gets in a handshake of this kind, and its state before each; returns how many. */
static size_t walk(enum tls_role receiver, unsigned int flags, uint8_t *messages, enum state *states)
{
	enum state s = receiver == TLS_CLIENT ? WAIT_SH : WAIT_CH;
	size_t num = 0;

	while (s != CONNECTED) {
		size_t i = 0;

		while (!leads(&edges[i], s, flags))
			assert_true(++i < NUM(edges));
		states[num] = s;
		messages[num++] = edges[i].message;
		s = edges[i].to;
	}
	return num;
}

/* May a receiver that knows what it sent itself, but not what the peer chooses, take this message? */
static bool is_legal(enum state s, uint8_t message, unsigned int flags, enum tls_role receiver)
{
	/* What the client cannot know: whether the server retries, and asks for its certificate. */
	unsigned int unknown = receiver == TLS_CLIENT ? KIND_RETRY | KIND_ASKED : KIND_CERT;

	for (size_t i = 0; i < NUM(edges); i++)
		if (edges[i].from == s && edges[i].message == message && !(edges[i].with & ~unknown & ~flags) &&
		    !(edges[i].without & ~unknown & flags))
			return true;
	return false;
}

/* ---- one change ---- */

enum change { NONE, LEFT_OUT, DOUBLED, SWAPPED, REPLACED, SLIPPED_IN };

static const char *const change_names[] = { "unchanged", "left out", "doubled", "swapped", "replaced", "slipped in" };

/**
 * struct - what happens to one message
 * @from, @index: the sender's message with that number, from 0
 * @type: to replace it, or to go in front of it
 * @seen, @num_seen: messages as they were sent, by sender
 * @done: it has happened
 */
static struct {
	enum change change;
	enum tls_role from;
	size_t index;
	uint8_t type;
	uint8_t seen[2][16];
	size_t num_seen[2];
	bool done;
} plan;

static struct flight flight;

static uint8_t message_of(const struct part *part)
{
	const uint8_t *msg = flight.bytes + part->at;

	return msg[0] == HT_SERVER_HELLO && !memcmp(msg + MSG_HEADER_LEN + 2, hs_retry_random, RANDOM_LEN) ?
	       RETRY_REQUEST : msg[0];
}

static uint8_t wire_type(uint8_t message)
{
	return message == RETRY_REQUEST ? HT_SERVER_HELLO : message;
}

/* Messages from @i on come under the keys under which others were due. */
static void shift_keys(size_t i, uint8_t epoch)
{
	for (; i < flight.num; i++) {
		uint8_t own = flight.parts[i].epoch;

		if (flight.parts[i].type != CT_HANDSHAKE)
			continue;
		flight.parts[i].epoch = epoch;
		epoch = own;
	}
}

/* The place of the next message behind @i, or flight.num. */
static size_t next_message(size_t i)
{
	do {
		i++;
	} while (i < flight.num && flight.parts[i].type != CT_HANDSHAKE);
	return i;
}

static void apply(size_t i)
{
	const struct part part = flight.parts[i];
	const uint8_t *body = flight.bytes + part.at + MSG_HEADER_LEN;
	size_t next = next_message(i);
	uint8_t epoch = next < flight.num ? flight.parts[next].epoch : part.epoch;

	plan.done = true;
	switch (plan.change) {
	case NONE:
		break;
	case LEFT_OUT:
		flight_remove(&flight, i);
		shift_keys(i, part.epoch);
		break;
	case DOUBLED:
		flight_insert(&flight, next, flight.bytes[part.at], body, part.len - MSG_HEADER_LEN, epoch);
		break;
	case SWAPPED:
		if (next == flight.num) {
			plan.done = false;
			break;
		}
		flight.parts[i] = flight.parts[next];
		flight.parts[i].epoch = part.epoch;
		flight.parts[next] = part;
		flight.parts[next].epoch = epoch;
		break;
	case REPLACED:
		flight_remove(&flight, i);
		flight_insert(&flight, i, plan.type, "\0\0\0\0", 4, part.epoch);
		break;
	case SLIPPED_IN:
		flight_insert(&flight, i, plan.type, "\0\0\0\0", 4, part.epoch);
		break;
	}
}

static void tamper(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	(void)p;
	flight_take(&flight, from, bytes, *len);
	for (size_t i = 0, num = flight.num; i < num; i++) {
		if (flight.parts[i].type != CT_HANDSHAKE)
			continue;
		assert_true(plan.num_seen[from] < NUM(plan.seen[0]));
		plan.seen[from][plan.num_seen[from]] = message_of(&flight.parts[i]);
		if (plan.num_seen[from]++ != plan.index || from != plan.from || plan.change == NONE)
			continue;
		apply(i);
		break;		/* what follows is not listened to */
	}
	flight_put(&flight, from, bytes, len, 0, 0);
}

static void run(struct pair *p, enum change change, enum tls_role from, size_t index, uint8_t type)
{
	memset(&plan, 0, sizeof(plan));
	plan.change = change;
	plan.from = from;
	plan.index = index;
	plan.type = type;
	pair_again(p);
	flight_watch(p);
	p->tamper = tamper;
	pair_run(p);
}

/* ---- tests ---- */

/* What a receiver makes of message @i, changed: @got comes where the path has its own. */
static void judge(struct pair *p, const struct kind *k, enum tls_role receiver, size_t i, bool legal)
{
	const struct side *s = &p->side[receiver];
	struct tls_result r;

	if (!plan.done)
		return;
	tls_result(&s->c, &r);
	if (s->want == TLS_FAILED && r.err && (legal || r.alert_sent == ALERT_UNEXPECTED_MESSAGE))
		return;
	fail_msg("%s: the %s's message %zu %s (%u): want %d, alert %u, \"%s\"", k->name,
		 receiver == TLS_CLIENT ? "server" : "client", i, change_names[plan.change], plan.type, s->want,
		 r.alert_sent, r.reason);
}

/* All of TLS 1.3, of older versions, of none. */
static const uint8_t types[] = { 0, 1, 2, 3, 4, 5, 8, 11, 12, 13, 14, 15, 16, 20, 21, 22, 24, 25, 67, 254, 255 };

static void change_each(struct pair *p, const struct kind *k, enum tls_role receiver)
{
	unsigned int flags = all_flags(k);
	uint8_t path[16];
	enum state states[16];
	size_t num = walk(receiver, flags, path, states);
	enum tls_role from = receiver == TLS_CLIENT ? TLS_SERVER : TLS_CLIENT;

	for (size_t i = 0; i < num; i++) {
		bool last = i + 1 == num;

		for (size_t t = 0; t < NUM(types); t++) {
			if (types[t] == wire_type(path[i]))
				continue;
			run(p, REPLACED, from, i, types[t]);
			judge(p, k, receiver, i, is_legal(states[i], types[t], flags, receiver));
		}
		run(p, SLIPPED_IN, from, i, HT_KEY_UPDATE);
		judge(p, k, receiver, i, false);
		if (last)
			break;		/* behind its Finished nothing is the engine's, and without it nothing ends */
		run(p, SWAPPED, from, i, 0);
		judge(p, k, receiver, i, is_legal(states[i], path[i + 1], flags, receiver));
		run(p, DOUBLED, from, i, 0);
		judge(p, k, receiver, i, is_legal(states[i + 1], path[i], flags, receiver));
		run(p, LEFT_OUT, from, i, 0);
		if (p->side[receiver].want != TLS_WANT_RX)
			judge(p, k, receiver, i, is_legal(states[i], path[i + 1], flags, receiver));
	}
}

static void every_one_edge_change_is_refused(void **state)
{
	(void)state;
	for (size_t k = 0; k < num_kinds; k++) {
		struct pair p;

		kind_init(&p, &kinds[k], 0, 0);
		for (int receiver = 0; receiver < 2; receiver++)
			change_each(&p, &kinds[k], (enum tls_role)receiver);
		pair_free(&p);
	}
}

static void every_legal_path_is_accepted_and_taken(void **state)
{
	(void)state;
	for (size_t k = 0; k < num_kinds; k++) {
		struct pair p;

		kind_init(&p, &kinds[k], 0, 0);
		run(&p, NONE, TLS_CLIENT, 0, 0);
		assert_kind(&p, &kinds[k], 0, 0);
		for (int receiver = 0; receiver < 2; receiver++) {
			uint8_t path[16];
			enum state states[16];
			size_t num = walk((enum tls_role)receiver, all_flags(&kinds[k]), path, states);

			/* Behind its Finished a server sends tickets. */
			assert_true(plan.num_seen[!receiver] >= num);
			assert_memory_equal(plan.seen[!receiver], path, num);
			for (size_t i = num; i < plan.num_seen[!receiver]; i++)
				assert_int_equal(plan.seen[!receiver][i],
						 receiver == TLS_CLIENT ? HT_NEW_SESSION_TICKET : 0);
		}
		pair_free(&p);
	}
}

/* Without a message the peer waits, or refuses a ticket in its place; it is never done. */
static void a_last_message_left_out_opens_nothing(void **state)
{
	(void)state;
	for (size_t k = 0; k < num_kinds; k++)
		for (int receiver = 0; receiver < 2; receiver++) {
			uint8_t path[16];
			enum state states[16];
			size_t num = walk((enum tls_role)receiver, all_flags(&kinds[k]), path, states);
			struct pair p;

			kind_init(&p, &kinds[k], 0, 0);
			run(&p, LEFT_OUT, (enum tls_role)!receiver, num - 1, 0);
			assert_true(plan.done);
			if (p.side[receiver].want != TLS_WANT_RX)
				assert_refused(&p, (enum tls_role)receiver, ALERT_UNEXPECTED_MESSAGE, "NewSessionTicket");
			pair_free(&p);
		}
}

/* ---- messages and key changes, 5.1 ---- */

/* The message with that number and the next, or a byte of one, in the same record. */
static void glue(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	flight_take(&flight, from, bytes, *len);
	for (size_t i = 0; i < flight.num; i++) {
		struct part *part = &flight.parts[i];
		uint8_t *copy = flight.bytes + flight.len;

		if (part->type != CT_HANDSHAKE || plan.num_seen[from]++ != plan.index || from != plan.from)
			continue;
		memcpy(copy, flight.bytes + part->at, part->len);
		copy[part->len] = HT_FINISHED;
		flight.len += part->len + 1;
		part->at = (size_t)(copy - flight.bytes);
		part->len++;
		plan.done = true;
	}
	flight_put(&flight, from, bytes, len, 0, 0);
	(void)p;
}

static void nothing_may_stand_behind_a_message_that_a_key_change_follows(void **state)
{
	static const uint8_t changing[] = { HT_CLIENT_HELLO, HT_SERVER_HELLO, HT_END_OF_EARLY_DATA, HT_FINISHED };

	(void)state;
	for (size_t k = 0; k < num_kinds; k++)
		for (int receiver = 0; receiver < 2; receiver++) {
			uint8_t path[16];
			enum state states[16];
			size_t num = walk((enum tls_role)receiver, all_flags(&kinds[k]), path, states);
			struct pair p;

			kind_init(&p, &kinds[k], 0, 0);
			for (size_t i = 0; i < num; i++) {
				if (!memchr(changing, wire_type(path[i]), sizeof(changing)))
					continue;
				memset(&plan, 0, sizeof(plan));
				plan.from = (enum tls_role)!receiver;
				plan.index = i;
				pair_again(&p);
				flight_watch(&p);
				p.tamper = glue;
				pair_run(&p);
				assert_true(plan.done);
				assert_refused(&p, (enum tls_role)receiver, ALERT_UNEXPECTED_MESSAGE, "bytes behind");
			}
			pair_free(&p);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_legal_path_is_accepted_and_taken),
		cmocka_unit_test(every_one_edge_change_is_refused),
		cmocka_unit_test(a_last_message_left_out_opens_nothing),
		cmocka_unit_test(nothing_may_stand_behind_a_message_that_a_key_change_follows),
	};

	return pair_main(tests, NUM(tests));
}
