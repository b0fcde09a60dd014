// SPDX-License-Identifier: MIT
/* What a connection's secrets give after the handshake, against HKDF written out with hmac() alone; and ends reached twice. */
#include <errno.h>

#include "tls_drive.h"

/* HKDF-Expand-Label, RFC 8446 7.1. @len: at most 255 */
static void expand_label(uint8_t *out, size_t len, enum hash_id id, const uint8_t *secret, const char *label,
			 const uint8_t *context, size_t context_len)
{
	uint8_t info[600] = { 0, (uint8_t)len, (uint8_t)(6 + strlen(label)) }, block[HASH_MAX], counter = 1;
	size_t n = 3, at = 0, have = 0;

	memcpy(info + n, "tls13 ", 6);
	memcpy(info + n + 6, label, strlen(label));
	n += 6 + strlen(label);
	info[n++] = (uint8_t)context_len;
	if (context_len)
		memcpy(info + n, context, context_len);
	n += context_len;
	for (; at < len; counter++) {
		const struct iov parts[] = { { block, have }, { info, n }, { &counter, 1 } };
		size_t take = len - at < hash_len(id) ? len - at : hash_len(id);

		hmac(id, block, secret, hash_len(id), parts, 3);
		have = hash_len(id);
		memcpy(out + at, block, take);
		at += take;
	}
}

static void digest(uint8_t *out, enum hash_id id, const char *text)
{
	struct hash h;

	hash_init(&h, id);
	if (*text)
		hash_update(&h, text, strlen(text));
	hash_final(&h, out);
}

static const struct { uint16_t suite; enum hash_id hash; size_t key_len; } suites[] = {
	{ TLS_AES_128_GCM_SHA256, HASH_SHA256, 16 }, { TLS_AES_256_GCM_SHA384, HASH_SHA384, 32 },
	{ TLS_CHACHA20_POLY1305_SHA256, HASH_SHA256, 32 },
};

static struct tls_traffic some_traffic(size_t i)
{
	struct tls_traffic t = { .suite = suites[i].suite, .hash_len = (uint8_t)hash_len(suites[i].hash) };

	for (size_t k = 0; k < HASH_MAX; k++) {
		t.exporter_secret[k] = (uint8_t)(k * 7 + i);
		t.tx.secret[k] = (uint8_t)(k * 11 + i);
	}
	t.tx.seq = 5;
	return t;
}

/* RFC 8446 7.5: a context that is empty counts as none. */
static void exported_keys_are_those_of_the_rfc(void **state)
{
	static const char *const contexts[] = { "", "context" };
	uint8_t secret[HASH_MAX], hash[HASH_MAX], expected[200], got[200];

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++)
		for (size_t k = 0; k < NUM(contexts); k++) {
			struct tls_traffic t = some_traffic(i);

			digest(hash, suites[i].hash, "");
			expand_label(secret, t.hash_len, suites[i].hash, t.exporter_secret, "EXPORTER-test", hash, t.hash_len);
			digest(hash, suites[i].hash, contexts[k]);
			expand_label(expected, sizeof(expected), suites[i].hash, secret, "exporter", hash, t.hash_len);
			assert_int_equal(tls_export(&t, got, sizeof(got), "EXPORTER-test", 13,
						    (const uint8_t *)contexts[k], strlen(contexts[k])), 0);
			assert_memory_equal(got, expected, sizeof(got));
		}
}

static void an_export_has_its_limits(void **state)
{
	static uint8_t out[255 * 32 + 1];
	static char label[250];
	struct tls_traffic t = some_traffic(0);

	(void)state;
	memset(label, 'x', sizeof(label));
	assert_int_equal(tls_export(&t, out, 255 * 32, label, 249, NULL, 0), 0);
	assert_int_equal(tls_export(&t, out, 255 * 32, label, 250, NULL, 0), -EINVAL);
	assert_int_equal(tls_export(&t, out, 255 * 32 + 1, label, 249, NULL, 0), -EINVAL);
}

/* 7.2 and 7.3, and the sequence number begins anew (5.3). */
static void keys_after_a_key_update_are_those_of_the_rfc(void **state)
{
	uint8_t secret[HASH_MAX], key[AEAD_KEY_MAX], iv[AEAD_NONCE_LEN];

	(void)state;
	for (size_t i = 0; i < NUM(suites); i++) {
		struct tls_traffic t = some_traffic(i);

		expand_label(secret, t.hash_len, suites[i].hash, t.tx.secret, "traffic upd", NULL, 0);
		expand_label(key, suites[i].key_len, suites[i].hash, secret, "key", NULL, 0);
		expand_label(iv, sizeof(iv), suites[i].hash, secret, "iv", NULL, 0);
		tls_next_keys(&t.tx, t.suite);
		assert_memory_equal(t.tx.secret, secret, t.hash_len);
		assert_memory_equal(t.tx.key, key, suites[i].key_len);
		assert_memory_equal(t.tx.iv, iv, sizeof(iv));
		assert_int_equal(t.tx.seq, 0);
	}
}

static void the_first_reason_stays(void **state)
{
	struct tls_conn c;

	(void)state;
	drive_start(&c, TLS_SERVER);
	assert_int_equal(hs_refuse(&c, ALERT_DECODE_ERROR, "first"), HS_FAILED);
	assert_int_equal(hs_fail(&c, -EIO, ALERT_INTERNAL_ERROR, "second"), HS_FAILED);
	assert_int_equal(c.err, -EPROTO);
	assert_int_equal(c.alert_sent, ALERT_DECODE_ERROR);
	assert_string_equal(c.reason, "first");
	tls_wipe(&c);
}

/* Bytes behind Finished go back to who read them, so they must be of the last read: else they would be lost. */
static void bytes_behind_finished_are_of_the_last_read(void **state)
{
	struct tls_conn c;

	(void)state;
	drive_start(&c, TLS_SERVER);
	c.rx.raw_end = 10;
	c.rx.filled = 10;
	assert_int_equal(rx_finish(&c), HS_NEXT);
	assert_int_equal(tls_rx_taken(&c), 0);
	tls_wipe(&c);
	drive_start(&c, TLS_SERVER);
	c.rx.raw_end = 10;
	c.rx.filled = 9;
	assert_int_equal(rx_finish(&c), HS_FAILED);
	assert_int_equal(c.alert_sent, ALERT_UNEXPECTED_MESSAGE);
	tls_wipe(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exported_keys_are_those_of_the_rfc),
		cmocka_unit_test(an_export_has_its_limits),
		cmocka_unit_test(keys_after_a_key_update_are_those_of_the_rfc),
		cmocka_unit_test(the_first_reason_stays),
		cmocka_unit_test(bytes_behind_finished_are_of_the_last_read),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, drive_init, drive_exit);
}
