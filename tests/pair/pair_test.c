// SPDX-License-Identifier: MIT
/* Whole handshakes, client engine against server engine. */
#include <errno.h>

#include "pair.h"
#include "tlshd/tls/record.h"

static const struct { const char *cert; uint16_t scheme; } certs[] = {
	{ "p256", SIG_ECDSA_P256_SHA256 }, { "p384", SIG_ECDSA_P384_SHA384 }, { "ed25519", SIG_ED25519 },
	{ "rsa2048", SIG_RSA_PSS_RSAE_SHA256 }, { "rsa3072", SIG_RSA_PSS_RSAE_SHA256 },
	{ "pss2048", SIG_RSA_PSS_PSS_SHA256 },
};

/* Bytes a read gives at most: all there is, one, and some that fall on no boundary. */
static const size_t chunks[] = { 0, 1, 7, 1000 };

static void one(size_t cert, size_t chunk)
{
	struct tls_result client, server;
	struct pair p;

	pair_init(&p, certs[cert].cert);
	p.chunk = chunk;
	pair_run(&p);
	assert_open(&p);
	tls_result(&p.side[TLS_CLIENT].c, &client);
	tls_result(&p.side[TLS_SERVER].c, &server);
	assert_int_equal(client.sigscheme, certs[cert].scheme);
	assert_int_equal(server.sigscheme, certs[cert].scheme);
	assert_int_equal(client.auth, TLS_AUTH_CERTIFICATE);
	assert_int_equal(server.auth, TLS_AUTH_NONE);
	assert_non_null(client.peer_leaf_sha256);
	assert_null(server.peer_leaf_sha256);
	assert_string_equal(client.peer_subject, "CN=localhost");
	assert_string_equal(server.server_name, "localhost");
	assert_int_equal(client.err, 0);
	assert_int_equal(client.alert_sent, TLS_ALERT_NONE);
	pair_free(&p);
}

static void every_certificate_opens_however_bytes_arrive(void **state)
{
	(void)state;
	for (size_t c = 0; c < NUM(certs); c++)
		for (size_t k = 0; k < NUM(chunks); k++)
			one(c, chunks[k]);
}

/* ---- how bytes travel ---- */

/* Plain records of at most @arg bytes of content. */
static void reframe_plain(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	static uint8_t copy[TLS_TX_CAP];
	size_t n = (size_t)(bytes[3] << 8 | bytes[4]), rest = *len - RECORD_HEADER_LEN - n, out = 0;

	(void)from;
	if (bytes[0] != CT_HANDSHAKE)
		return;
	memcpy(copy, bytes + RECORD_HEADER_LEN, n + rest);
	for (size_t at = 0; at < n; at += p->arg) {
		size_t part = n - at < p->arg ? n - at : p->arg;

		record_header(bytes + out, CT_HANDSHAKE, 0x0301, part);
		memcpy(bytes + out + RECORD_HEADER_LEN, copy + at, part);
		out += RECORD_HEADER_LEN + part;
	}
	memcpy(bytes + out, copy + n, rest);
	*len = out + rest;
}

static void hellos_may_be_cut_anywhere(void **state)
{
	(void)state;
	for (size_t size = 1; size < 300; size += size < 10 ? 1 : 37) {
		struct pair p;

		pair_init(&p, "p256");
		p.arg = size;
		p.tamper = reframe_plain;
		pair_run(&p);
		assert_open(&p);
		pair_free(&p);
	}
}

/* A Certificate of exactly @big bytes in several records: the chain, and a filler that is no certificate. */
static size_t big;

static enum hs send_big_certificate(struct tls_conn *c)
{
	static uint8_t msg[TLS_MSG_MAX + 64];
	struct build b = { .p = msg, .cap = sizeof(msg) };

	put_u8(&b, HT_CERTIFICATE);
	put_uint(&b, 3, (uint32_t)big - MSG_HEADER_LEN);
	put_u8(&b, 0);
	put_uint(&b, 3, (uint32_t)big - MSG_HEADER_LEN - 4);
	put_bytes(&b, c->identity->chain, c->identity->chain_len);
	put_uint(&b, 3, (uint32_t)(big - b.len - 5));
	memset(put_space(&b, big - b.len), 0, big - b.len);
	transcript_add(&c->transcript, msg, big);
	for (size_t at = 0, n; at < big; at += n) {
		uint8_t *rec = c->tx.out->p + c->tx.out->len;

		n = big - at < 10000 ? big - at : 10000;
		if (c->tx.out->cap - c->tx.out->len < n + RECORD_OVERHEAD)
			abort();
		memcpy(rec + RECORD_HEADER_LEN, msg + at, n);
		c->tx.out->len += record_seal(rec, CT_HANDSHAKE, n, c->suite->aead, &c->tx.keys);
	}
	return HS_NEXT;
}

static void a_chain_up_to_the_limit_is_put_together_and_judged(void **state)
{
	(void)state;
	for (size_t k = 0; k < NUM(chunks); k++)
		for (size_t over = 0; over < 2; over++) {
			struct pair p;
			struct tls_result r;

			big = TLS_MSG_MAX + over;
			pair_init(&p, "p256");
			p.chunk = chunks[k];
			p.side[TLS_SERVER].out = realloc(p.side[TLS_SERVER].out, 2 * TLS_TX_CAP);
			p.side[TLS_SERVER].tx_cap = 2 * TLS_TX_CAP;
			pair_steps(&p, TLS_SERVER);
			p.side[TLS_SERVER].steps[13] = send_big_certificate;
			pair_run(&p);
			assert_refused(&p, TLS_CLIENT, over ? ALERT_ILLEGAL_PARAMETER : ALERT_BAD_CERTIFICATE, NULL);
			tls_result(&p.side[TLS_SERVER].c, &r);
			assert_int_equal(r.err, -EPROTO);
			pair_free(&p);
		}
}

static void a_small_output_buffer_only_takes_more_turns(void **state)
{
	struct pair p;

	(void)state;
	for (size_t cap = 2000; cap < 4000; cap += 123) {
		pair_init(&p, "p256");
		p.side[TLS_SERVER].tx_cap = cap;
		p.side[TLS_CLIENT].tx_cap = 1100;
		pair_run(&p);
		assert_open(&p);
		pair_free(&p);
	}
}

static enum hs refuse_now(struct tls_conn *c)
{
	return hs_refuse(c, ALERT_INTERNAL_ERROR, "the test wants it");
}

static void room_is_left_for_an_alert(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	for (size_t cap = 1100; cap < 1700; cap++) {
		pair_init(&p, "p256");
		p.side[TLS_SERVER].tx_cap = cap;
		pair_steps(&p, TLS_SERVER);
		pair_insert(&p, TLS_SERVER, 14, refuse_now);	/* right behind the Certificate */
		pair_run(&p);
		tls_result(&p.side[TLS_CLIENT].c, &r);
		assert_int_equal(r.alert_received, ALERT_INTERNAL_ERROR);
		pair_free(&p);
	}
}

/* ---- what is behind the Finished is the kernel's ---- */

static const char behind[] = "\x17\x03\x03\x00\x20 application data, for the kernel!";

static void append(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	/* The second output of either ends in Finished: the first is a hello, and what comes before a signature. */
	if (from != p->arg || ++p->count != 2)
		return;
	memcpy(bytes + *len, behind, sizeof(behind));
	*len += sizeof(behind);
}

static void bytes_behind_finished_stay_in_the_socket(void **state)
{
	(void)state;
	for (size_t from = 0; from < 2; from++)
		for (size_t k = 0; k < NUM(chunks); k++) {
			struct side *to;
			struct pair p;

			pair_init(&p, "p256");
			p.tamper = append;
			p.arg = from;
			p.chunk = chunks[k];
			pair_run(&p);
			assert_open(&p);
			to = &p.side[!from];
			assert_int_equal(to->in_len - to->in_at, sizeof(behind));
			assert_memory_equal(to->in + to->in_at, behind, sizeof(behind));
			pair_free(&p);
		}
}

/* ---- names ---- */

static void alpn_follows_the_servers_preference(void **state)
{
	struct tls_result client, server;
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_alpn(&p, TLS_CLIENT, "\x08http/1.1\x02h2");
	pair_alpn(&p, TLS_SERVER, "\x02h3\x02h2\x08http/1.1");
	pair_run(&p);
	assert_open(&p);
	tls_result(&p.side[TLS_CLIENT].c, &client);
	tls_result(&p.side[TLS_SERVER].c, &server);
	assert_int_equal(client.alpn_len, 2);
	assert_memory_equal(client.alpn, "h2", 2);
	assert_int_equal(server.alpn_len, 2);
	assert_memory_equal(server.alpn, "h2", 2);
	pair_free(&p);
}

static void alpn_without_overlap_is_no_application_protocol(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_alpn(&p, TLS_CLIENT, "\x02h2");
	pair_alpn(&p, TLS_SERVER, "\x02h3");
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_NO_APPLICATION_PROTOCOL, "no application protocol of ours");
	tls_result(&p.side[TLS_CLIENT].c, &r);
	assert_int_equal(r.alert_received, ALERT_NO_APPLICATION_PROTOCOL);
	assert_int_equal(r.err, -EPROTO);
	assert_string_equal(r.reason, "peer sent alert no_application_protocol (120)");
	pair_free(&p);
}

static void alpn_of_one_side_alone_is_none(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	for (int role = 0; role < 2; role++) {
		pair_init(&p, "p256");
		pair_alpn(&p, (enum tls_role)role, "\x02h2");
		pair_run(&p);
		assert_open(&p);
		tls_result(&p.side[!role].c, &r);
		assert_int_equal(r.alpn_len, 0);
		pair_free(&p);
	}
}

static void an_ip_address_is_verified_and_not_sent(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_name(&p, "127.0.0.1");
	pair_run(&p);
	assert_open(&p);
	tls_result(&p.side[TLS_SERVER].c, &r);
	assert_string_equal(r.server_name, "");
	pair_free(&p);
	pair_init(&p, "p256");
	pair_name(&p, "127.0.0.2");
	pair_run(&p);
	assert_refused(&p, TLS_CLIENT, ALERT_BAD_CERTIFICATE, "127.0.0.2");
	pair_free(&p);
}

static void certificates_are_refused_with_the_right_alert(void **state)
{
	static const struct { const char *cert, *name; uint16_t alert; int err; const char *reason; } cases[] = {
		{ "p256", "db2.example.org", ALERT_BAD_CERTIFICATE, -EKEYREJECTED, "not valid for db2.example.org" },
		{ "expired", "www.example.org", ALERT_CERTIFICATE_EXPIRED, -EKEYEXPIRED, "expired" },
		{ "self", "localhost", ALERT_UNKNOWN_CA, -EKEYREJECTED, "self-signed" },
		{ "untrusted", "localhost", ALERT_UNKNOWN_CA, -EKEYREJECTED, "not trusted" },
		{ "client", "client.example.org", ALERT_UNSUPPORTED_CERTIFICATE, -EKEYREJECTED, "not meant" },
	};

	(void)state;
	for (size_t i = 0; i < NUM(cases); i++) {
		struct tls_result r;
		struct pair p;

		pair_init(&p, cases[i].cert);
		pair_name(&p, cases[i].name);
		pair_run(&p);
		assert_refused(&p, TLS_CLIENT, cases[i].alert, cases[i].reason);
		tls_result(&p.side[TLS_CLIENT].c, &r);
		assert_int_equal(r.err, cases[i].err);
		assert_int_equal(r.auth, TLS_AUTH_NONE);
		tls_result(&p.side[TLS_SERVER].c, &r);
		assert_int_equal(r.alert_received, cases[i].alert);
		pair_free(&p);
	}
}

/* The certificate is the server's, the key another's. */
static void a_server_without_its_key_is_refused(void **state)
{
	struct pair p;
	uint8_t *chain;
	size_t len;

	(void)state;
	pair_init(&p, "p256");
	chain = p.side[TLS_SERVER].chains[0];
	len = p.side[TLS_SERVER].identities[0].chain_len;
	p.side[TLS_SERVER].chains[0] = NULL;
	pair_identity(&p, "rsaleaf");
	p.side[TLS_SERVER].identities[0].chain = chain;
	p.side[TLS_SERVER].identities[0].chain_len = len;
	pair_run(&p);
	assert_refused(&p, TLS_CLIENT, ALERT_DECRYPT_ERROR, "wrong signature");
	free(chain);
	pair_free(&p);
}

static void a_signer_that_fails_is_an_internal_error(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	p.side[TLS_SERVER].bad_signer = true;
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_INTERNAL_ERROR, "signer");
	pair_free(&p);
}

/* ---- negotiation ---- */

static void nothing_in_common_is_a_handshake_failure(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	p.side[TLS_CLIENT].config.num_suites = 1;
	p.side[TLS_SERVER].config.suites[0] = TLS_CHACHA20_POLY1305_SHA256;
	p.side[TLS_SERVER].config.num_suites = 1;
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_HANDSHAKE_FAILURE, "cipher suite");
	pair_free(&p);

	pair_init(&p, "p256");
	p.side[TLS_CLIENT].config.num_groups = 1;
	p.side[TLS_SERVER].config.groups[0] = 0x0017;
	p.side[TLS_SERVER].config.num_groups = 1;
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_HANDSHAKE_FAILURE, "no group of ours");
	pair_free(&p);
}

static void the_servers_order_decides(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	p.side[TLS_SERVER].config.suites[0] = TLS_CHACHA20_POLY1305_SHA256;
	p.side[TLS_SERVER].config.suites[2] = TLS_AES_128_GCM_SHA256;
	pair_run(&p);
	assert_open(&p);
	tls_result(&p.side[TLS_SERVER].c, &r);
	assert_int_equal(r.suite, TLS_CHACHA20_POLY1305_SHA256);
	pair_free(&p);
}

static size_t num_change_cipher_spec(const struct side *s)
{
	size_t num = 0;

	for (size_t at = 0; at < s->in_len; at += RECORD_HEADER_LEN + (size_t)(s->in[at + 3] << 8 | s->in[at + 4]))
		num += s->in[at] == CT_CHANGE_CIPHER_SPEC;
	return num;
}

static void without_compatibility_mode_no_change_cipher_spec_is_sent(void **state)
{
	struct pair p;

	(void)state;
	for (int no_ccs = 0; no_ccs < 2; no_ccs++) {
		pair_init(&p, "p256");
		p.side[TLS_CLIENT].config.no_ccs = no_ccs;
		pair_run(&p);
		assert_open(&p);
		for (int role = 0; role < 2; role++)
			assert_int_equal(num_change_cipher_spec(&p.side[role]), no_ccs ? 0 : 1);
		pair_free(&p);
	}
}

/* D.4: a middlebox wants it before any protected record. */
static void change_cipher_spec_precedes_a_protected_alert(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	for (int no_ccs = 0; no_ccs < 2; no_ccs++) {
		pair_init(&p, "expired");
		p.side[TLS_CLIENT].config.no_ccs = no_ccs;
		pair_run(&p);
		assert_int_equal(p.side[TLS_CLIENT].want, TLS_FAILED);
		assert_int_equal(num_change_cipher_spec(&p.side[TLS_SERVER]), no_ccs ? 0 : 1);
		tls_result(&p.side[TLS_SERVER].c, &r);
		assert_int_equal(r.alert_received, ALERT_CERTIFICATE_EXPIRED);
		pair_free(&p);
	}
}

/* ---- the end of a connection ---- */

static void a_peer_that_leaves_is_a_reset(void **state)
{
	struct tls_result r;
	struct pair p;

	(void)state;
	for (int role = 0; role < 2; role++) {
		pair_init(&p, "p256");
		/* The other side stops: the client after its hello, the server before its own. */
		pair_steps(&p, (enum tls_role)!role);
		p.side[!role].steps[role == TLS_SERVER ? 3 : 7] = NULL;
		p.side[role].eof = true;
		pair_run(&p);
		tls_result(&p.side[role].c, &r);
		assert_int_equal(p.side[role].want, TLS_FAILED);
		assert_int_equal(r.err, -ECONNRESET);
		assert_int_equal(r.alert_sent, TLS_ALERT_NONE);
		pair_free(&p);
	}
}

static void an_abort_sends_its_alert_and_stays(void **state)
{
	struct tls_out out;
	struct tls_result r;
	struct pair p;

	(void)state;
	for (int role = 0; role < 2; role++) {
		pair_init(&p, "p256");
		pair_run(&p);
		assert_open(&p);
		out = (struct tls_out){ .p = p.side[role].out, .cap = TLS_TX_CAP };
		tls_abort(&p.side[role].c, -EIO, ALERT_INTERNAL_ERROR, "no keys", &out);
		assert_int_equal(out.len, RECORD_OVERHEAD + 2);
		tls_abort(&p.side[role].c, -ENOMEM, ALERT_USER_CANCELED, "again", &out);
		assert_int_equal(out.len, RECORD_OVERHEAD + 2);
		tls_result(&p.side[role].c, &r);
		assert_int_equal(r.err, -EIO);
		assert_int_equal(r.alert_sent, ALERT_INTERNAL_ERROR);
		assert_string_equal(r.reason, "no keys");
		assert_int_equal(tls_advance(&p.side[role].c, &out), TLS_FAILED);
		pair_free(&p);
	}
}

static enum hs wait_for_ever(struct tls_conn *c)
{
	(void)c;
	return HS_WANT_RX;
}

/* RFC 8446 6.1: user_canceled alone lets the peer wait on. */
static void a_canceled_handshake_ends_for_the_peer(void **state)
{
	static const size_t middle[] = { [TLS_CLIENT] = 13, [TLS_SERVER] = 11 };	/* each has handshake keys by then */
	struct tls_result r;
	struct pair p;

	(void)state;
	for (int role = 0; role < 2; role++) {
		struct tls_out out;

		pair_init(&p, "p256");
		pair_steps(&p, role);
		pair_insert(&p, role, middle[role], wait_for_ever);
		pair_run(&p);
		out = (struct tls_out){ .p = p.side[role].out, .cap = TLS_TX_CAP };
		tls_abort(&p.side[role].c, -ETIMEDOUT, ALERT_USER_CANCELED, "too late", &out);
		side_give(&p.side[!role], out.p, out.len);
		pair_run(&p);
		tls_result(&p.side[!role].c, &r);
		assert_int_equal(r.err, -ECONNRESET);
		assert_int_equal(r.alert_received, ALERT_CLOSE_NOTIFY);
		pair_free(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_certificate_opens_however_bytes_arrive),
		cmocka_unit_test(hellos_may_be_cut_anywhere),
		cmocka_unit_test(a_chain_up_to_the_limit_is_put_together_and_judged),
		cmocka_unit_test(a_small_output_buffer_only_takes_more_turns),
		cmocka_unit_test(room_is_left_for_an_alert),
		cmocka_unit_test(bytes_behind_finished_stay_in_the_socket),
		cmocka_unit_test(alpn_follows_the_servers_preference),
		cmocka_unit_test(alpn_without_overlap_is_no_application_protocol),
		cmocka_unit_test(alpn_of_one_side_alone_is_none),
		cmocka_unit_test(an_ip_address_is_verified_and_not_sent),
		cmocka_unit_test(certificates_are_refused_with_the_right_alert),
		cmocka_unit_test(a_server_without_its_key_is_refused),
		cmocka_unit_test(a_signer_that_fails_is_an_internal_error),
		cmocka_unit_test(nothing_in_common_is_a_handshake_failure),
		cmocka_unit_test(the_servers_order_decides),
		cmocka_unit_test(without_compatibility_mode_no_change_cipher_spec_is_sent),
		cmocka_unit_test(change_cipher_spec_precedes_a_protected_alert),
		cmocka_unit_test(a_peer_that_leaves_is_a_reset),
		cmocka_unit_test(an_abort_sends_its_alert_and_stays),
		cmocka_unit_test(a_canceled_handshake_ends_for_the_peer),
	};

	return pair_main(tests, NUM(tests));
}
