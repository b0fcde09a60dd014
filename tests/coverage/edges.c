// SPDX-License-Identifier: MIT
/* What the other tests of the engine came past: output without room before each step, lengths one over the limit. */
#include <errno.h>

#include "tests/pair/kind.h"
#include "tests/unit/tls_hello.h"

static const uint8_t change_cipher_spec[] = { 0x14, 3, 3, 0, 1, 1 };

/* This turn's output is full behind a change_cipher_spec, which a peer drops. */
static enum hs leave_no_room(struct tls_conn *c)
{
	struct tls_out *out = c->tx.out;

	memcpy(out->p + out->len, change_cipher_spec, sizeof(change_cipher_spec));
	out->len += sizeof(change_cipher_spec);
	out->cap = out->len;
	return HS_NEXT;
}

static void run_without_room_at(enum tls_role role, size_t at, const struct kind *k)
{
	struct pair p;

	kind_init(&p, k, 0, 0);
	pair_steps(&p, role);
	pair_insert(&p, role, at, leave_no_room);
	pair_run(&p);
	assert_kind(&p, k, 0, 0);
	pair_free(&p);
}

/* The client's first steps are left out: a change_cipher_spec before its hello is refused. */
static void each_step_waits_for_room(void **state)
{
	static const size_t first[] = { [TLS_CLIENT] = 3, [TLS_SERVER] = 0 };

	(void)state;
	for (int role = 0; role < 2; role++) {
		hs_step *const *steps = role == TLS_CLIENT ? client_steps : server_steps;

		for (size_t at = first[role]; steps[at]; at++)
			for (size_t i = 0; i < num_kinds; i++)
				run_without_room_at((enum tls_role)role, at, &kinds[i]);
	}
}

static void an_alert_without_room_is_left_out(void **state)
{
	uint8_t bytes[16];
	struct tls_out out = { .p = bytes, .cap = sizeof(bytes) };
	struct tls_result r;
	struct tls_conn c;

	(void)state;
	drive_start(&c, TLS_SERVER);
	tls_abort(&c, -EIO, ALERT_INTERNAL_ERROR, "no keys", &out);
	assert_int_equal(out.len, 0);
	tls_result(&c, &r);
	assert_int_equal(r.err, -EIO);
	assert_int_equal(tls_advance(&c, &out), TLS_FAILED);
	tls_wipe(&c);
}

/* A server_name extension in hex: one host name of @len letters. */
static void put_name(char *hex, size_t size, size_t len)
{
	size_t at = (size_t)snprintf(hex, size, "0000%04zx00%04zx", len + 3, len);

	assert_true(at + 2 * len < size);
	for (size_t i = 0; i < len; i++)
		memcpy(hex + at + 2 * i, "61", 3);
}

static void a_server_name_of_255_bytes_is_the_longest(void **state)
{
	static char hex[1024];
	static uint8_t body[2048];
	struct tls_conn c;

	(void)state;
	for (size_t len = 255; len <= 256; len++) {
		struct build b = { .p = body, .cap = sizeof(body) };
		struct hello h = plain_hello;
		enum tls_want want;

		put_name(hex, sizeof(hex), len);
		set_ext(&h, hex);
		put_hello(&b, &h);
		drive_start(&c, TLS_SERVER);
		want = drive_message(&c, HT_CLIENT_HELLO, body, b.len);
		if (len == 256) {
			drive_refused(&c, "256 bytes", ALERT_ILLEGAL_PARAMETER);
		} else {
			assert_int_equal(want, TLS_WANT_SIGN);
			assert_int_equal(strlen(c.server_name), len);
		}
		tls_wipe(&c);
	}
}

static void bytes_behind_the_extensions_of_a_hello_are_refused(void **state)
{
	static uint8_t body[2048];
	struct build b = { .p = body, .cap = sizeof(body) };
	struct tls_conn c;
	size_t len;

	(void)state;
	put_hello(&b, &plain_hello);
	put_u8(&b, 0);
	drive_start(&c, TLS_SERVER);
	drive_message(&c, HT_CLIENT_HELLO, body, b.len);
	drive_refused(&c, "ClientHello", ALERT_DECODE_ERROR);
	tls_wipe(&c);

	drive_start(&c, TLS_CLIENT);
	len = make_answer(&c, body, &plain_answer);
	body[len++] = 0;
	drive_message(&c, HT_SERVER_HELLO, body, len);
	drive_refused(&c, "ServerHello", ALERT_DECODE_ERROR);
	tls_wipe(&c);
}

static int stop(void **state)
{
	x509_anchors_free(pair_anchors());
	return drive_exit(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_waits_for_room),
		cmocka_unit_test(an_alert_without_room_is_left_out),
		cmocka_unit_test(a_server_name_of_255_bytes_is_the_longest),
		cmocka_unit_test(bytes_behind_the_extensions_of_a_hello_are_refused),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, stop);
}
