// SPDX-License-Identifier: MIT
/*
 * The order of messages: a peer that leaves one out, repeats one, swaps two or slips in another is refused with
 * unexpected_message, wherever it does so. The peer is our own engine with its array of steps edited.
 */
#include "pair.h"

/* The steps of RFC 8446 figure 1 that send a message in a plain handshake, by their place in the arrays. */
enum { CLIENT_HELLO = 2, CLIENT_FINISHED = 25 };
enum { SERVER_HELLO = 4, ENCRYPTED_EXTENSIONS = 7, CERTIFICATE = 9, ASK = 10, CERTIFICATE_VERIFY = 11, SERVER_FINISHED = 12 };

static const size_t flight[] = { ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, SERVER_FINISHED };

static void refused(struct pair *p, enum tls_role by)
{
	pair_run(p);
	assert_refused(p, by, ALERT_UNEXPECTED_MESSAGE, NULL);
	pair_free(p);
}

static void a_message_left_out_is_noticed_at_the_next(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i + 1 < NUM(flight); i++) {
		pair_init(&p, "p256");
		pair_steps(&p, TLS_SERVER);
		pair_remove(&p, TLS_SERVER, flight[i]);
		refused(&p, TLS_CLIENT);
	}
}

static void a_message_sent_twice_is_refused(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i + 1 < NUM(flight); i++) {
		pair_init(&p, "p256");
		pair_steps(&p, TLS_SERVER);
		pair_insert(&p, TLS_SERVER, flight[i], p.side[TLS_SERVER].steps[flight[i]]);
		refused(&p, TLS_CLIENT);
	}
}

static void two_messages_swapped_are_refused(void **state)
{
	struct pair p;

	(void)state;
	for (size_t i = 0; i < NUM(flight); i++)
		for (size_t k = i + 1; k < NUM(flight); k++) {
			hs_step **steps;

			pair_init(&p, "p256");
			pair_steps(&p, TLS_SERVER);
			steps = p.side[TLS_SERVER].steps;
			/* A signature is asked for once, at the latest before the first of the two is sent. */
			pair_remove(&p, TLS_SERVER, ASK);
			pair_insert(&p, TLS_SERVER, ENCRYPTED_EXTENSIONS, auth_ask_signature);
			size_t a = flight[i] + (flight[i] < ASK), b = flight[k] + (flight[k] < ASK);
			hs_step *step = steps[a];

			steps[a] = steps[b];
			steps[b] = step;
			refused(&p, TLS_CLIENT);
		}
}

/* ---- messages that have no place in a handshake, or not there ---- */

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

/* All of TLS 1.3, of older versions, of none. */
static const uint8_t strays[] = { 0, 1, 2, 3, 4, 5, 8, 11, 12, 14, 15, 16, 20, 21, 22, 24, 25, 67, 254, 255 };

static void slip_in(enum tls_role role, size_t at, uint8_t type)
{
	struct pair p;

	stray_type = type;
	pair_init(&p, "p256");
	pair_steps(&p, role);
	pair_insert(&p, role, at, send_stray);
	refused(&p, !role);
}

static void a_stray_message_is_refused_by_the_client(void **state)
{
	static const size_t places[] = {
		SERVER_HELLO, ENCRYPTED_EXTENSIONS, CERTIFICATE, CERTIFICATE_VERIFY, SERVER_FINISHED
	};
	static const uint8_t due[] = { 2, 8, 11, 15, 20 };

	(void)state;
	for (size_t i = 0; i < NUM(places); i++)
		for (size_t k = 0; k < NUM(strays); k++)
			if (strays[k] != due[i])
				slip_in(TLS_SERVER, places[i], strays[k]);
}

static void a_stray_message_is_refused_by_the_server(void **state)
{
	(void)state;
	for (size_t k = 0; k < NUM(strays); k++) {
		if (strays[k] != HT_CLIENT_HELLO)
			slip_in(TLS_CLIENT, CLIENT_HELLO, strays[k]);
		if (strays[k] != HT_FINISHED)
			slip_in(TLS_CLIENT, CLIENT_FINISHED, strays[k]);
	}
}

static void a_second_client_hello_is_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_steps(&p, TLS_CLIENT);
	pair_insert(&p, TLS_CLIENT, CLIENT_HELLO + 1, p.side[TLS_CLIENT].steps[CLIENT_HELLO]);
	refused(&p, TLS_SERVER);
}

/* ---- messages and key changes ---- */

/* The engine's message with a byte of the next behind it in its record; only where records are not protected yet. */
static enum hs grow_last_record(struct tls_conn *c)
{
	uint8_t *rec = c->tx.out->p;

	rec[4]++;
	c->tx.out->p[c->tx.out->len++] = HT_FINISHED;
	return HS_NEXT;
}

static void bytes_behind_client_hello_in_its_record_are_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_steps(&p, TLS_CLIENT);
	pair_insert(&p, TLS_CLIENT, CLIENT_HELLO + 1, grow_last_record);
	refused(&p, TLS_SERVER);
}

static void bytes_behind_server_hello_in_its_record_are_refused(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_steps(&p, TLS_SERVER);
	pair_insert(&p, TLS_SERVER, SERVER_HELLO + 1, grow_last_record);
	refused(&p, TLS_CLIENT);
}

static int start(void **state)
{
	(void)state;
	return crypto_init() || crypto_thread_init();
}

static int stop(void **state)
{
	(void)state;
	x509_anchors_free(pair_anchors());
	crypto_thread_exit();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_left_out_is_noticed_at_the_next),
		cmocka_unit_test(a_message_sent_twice_is_refused),
		cmocka_unit_test(two_messages_swapped_are_refused),
		cmocka_unit_test(a_stray_message_is_refused_by_the_client),
		cmocka_unit_test(a_stray_message_is_refused_by_the_server),
		cmocka_unit_test(a_second_client_hello_is_refused),
		cmocka_unit_test(bytes_behind_client_hello_in_its_record_are_refused),
		cmocka_unit_test(bytes_behind_server_hello_in_its_record_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
