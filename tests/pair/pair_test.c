// SPDX-License-Identifier: MIT
/* Whole handshakes, client engine against server engine. */
#include <errno.h>

#include "pair.h"
#include "tlshd/tls/ext.h"
#include "tlshd/tls/record.h"

static const uint16_t suites[] = { TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256 };
static const uint16_t groups[] = { 0x001d, 0x0017, 0x0018 };
static const struct { const char *cert; uint16_t scheme; } certs[] = {
	{ "p256", SIG_ECDSA_P256_SHA256 }, { "p384", SIG_ECDSA_P384_SHA384 }, { "ed25519", SIG_ED25519 },
	{ "rsa2048", SIG_RSA_PSS_RSAE_SHA256 }, { "rsa3072", SIG_RSA_PSS_RSAE_SHA256 },
	{ "pss2048", SIG_RSA_PSS_PSS_SHA256 },
};

/* Bytes a read gives at most: all there is, one, and some that fall on no boundary. */
static const size_t chunks[] = { 0, 1, 7, 1000 };

static void one(uint16_t suite, uint16_t group, size_t cert, size_t chunk)
{
	struct tls_result client, server;
	struct pair p;

	pair_init(&p, certs[cert].cert);
	for (int role = 0; role < 2; role++) {
		p.side[role].config.suites[0] = suite;
		p.side[role].config.groups[0] = group;
		p.side[role].config.num_suites = p.side[role].config.num_groups = 1;
	}
	p.chunk = chunk;
	pair_run(&p);
	assert_open(&p);
	tls_result(&p.side[TLS_CLIENT].c, &client);
	tls_result(&p.side[TLS_SERVER].c, &server);
	assert_int_equal(client.suite, suite);
	assert_int_equal(client.group, group);
	assert_int_equal(server.group, group);
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

static void every_suite_group_and_certificate_opens_however_bytes_arrive(void **state)
{
	(void)state;
	for (size_t s = 0; s < NUM(suites); s++)
		for (size_t g = 0; g < NUM(groups); g++)
			for (size_t c = 0; c < NUM(certs); c++)
				for (size_t k = 0; k < NUM(chunks); k++)
					one(suites[s], groups[g], c, chunks[k]);
}

/* ---- how bytes travel ---- */

/* As record_seal(), of a whole inner plaintext: the test's own padding, and what a peer should not send. */
static size_t seal_raw(uint8_t *rec, const uint8_t *inner, size_t len, enum aead_id aead, struct tls_keys *k)
{
	uint8_t nonce[AEAD_NONCE_LEN];

	record_header(rec, CT_APPLICATION_DATA, VERSION_LEGACY, len + AEAD_TAG_LEN);
	memcpy(nonce, k->iv, sizeof(nonce));
	for (size_t i = 0; i < 8; i++)
		nonce[4 + i] ^= (uint8_t)(k->seq >> (56 - 8 * i));
	k->seq++;
	aead_seal(aead, rec + RECORD_HEADER_LEN, inner, len, rec, RECORD_HEADER_LEN, k->key, nonce);
	return RECORD_HEADER_LEN + len + AEAD_TAG_LEN;
}

/* Of the sender, right after its handshake keys: what a test needs to take its records apart. */
static struct tls_keys opening[2], sealing[2];

static enum hs save_keys(struct tls_conn *c)
{
	opening[c->params.role] = sealing[c->params.role] = c->tx.keys;
	return HS_NEXT;
}

/* Makes of all protected records of one output new ones of at most @arg bytes of content and @count of padding. */
static void reframe(struct pair *p, enum tls_role from, uint8_t *bytes, size_t *len)
{
	static uint8_t content[TLS_TX_CAP], rec[TLS_RECORD_MAX + 1];
	enum aead_id aead = p->side[from].c.suite ? p->side[from].c.suite->aead : AEAD_AES_128_GCM;
	size_t num = 0, at, n, out;
	uint8_t type;

	for (at = 0; at < *len && bytes[at] != CT_APPLICATION_DATA;
	     at += RECORD_HEADER_LEN + (size_t)(bytes[at + 3] << 8 | bytes[at + 4]))
		;
	out = at;
	for (; at < *len; at += RECORD_HEADER_LEN + (size_t)(bytes[at + 3] << 8 | bytes[at + 4])) {
		size_t rec_len = RECORD_HEADER_LEN + (size_t)(bytes[at + 3] << 8 | bytes[at + 4]);

		memcpy(rec, bytes + at, rec_len);
		assert_int_equal(record_open(rec, rec_len, &type, &n, aead, &opening[from]), RECORD_OK);
		assert_int_equal(type, CT_HANDSHAKE);
		memcpy(content + num, rec + RECORD_HEADER_LEN, n);
		num += n;
	}
	for (at = 0; at < num; at += n) {
		n = num - at < p->arg ? num - at : p->arg;
		memcpy(rec + RECORD_HEADER_LEN, content + at, n);
		rec[RECORD_HEADER_LEN + n] = CT_HANDSHAKE;
		memset(rec + RECORD_HEADER_LEN + n + 1, 0, p->count);
		out += seal_raw(bytes + out, rec + RECORD_HEADER_LEN, n + 1 + p->count, aead, &sealing[from]);
	}
	*len = out;
}

static void messages_may_be_cut_and_joined_at_every_boundary(void **state)
{
	static const size_t sizes[] = { 1, 2, 3, 4, 5, 100, PLAINTEXT_MAX - 600 }, paddings[] = { 0, 1, 599 };

	(void)state;
	for (size_t i = 0; i < NUM(sizes); i++)
		for (size_t k = 0; k < NUM(paddings); k++) {
			struct pair p;

			if (sizes[i] < 100 && paddings[k] > 1)
				continue;
			pair_init(&p, "p256");
			for (int role = 0; role < 2; role++) {
				pair_steps(&p, (enum tls_role)role);
				pair_insert(&p, (enum tls_role)role, role == TLS_CLIENT ? 13 : 11, save_keys);
			}
			p.arg = sizes[i];
			p.count = paddings[k];
			p.tamper = reframe;
			pair_run(&p);
			assert_open(&p);
			pair_free(&p);
		}
}

/* Plain records likewise. */
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

/* ---- CertificateRequest: an empty Certificate answers it, 4.4.2 ---- */

static enum hs ask_certificate(struct tls_conn *c)
{
	struct build b;
	struct vec exts, ext, list;
	enum hs rc = hs_begin(c, &b, HT_CERTIFICATE_REQUEST, 64);

	if (rc)
		return rc;
	put_u8(&b, 0);
	exts = put_vec(&b, 2);
	ext = ext_begin(c, &b, EXT_SIGNATURE_ALGORITHMS);
	list = put_vec(&b, 2);
	put_u16(&b, SIG_ED25519);
	put_end(&b, list);
	put_end(&b, ext);
	put_end(&b, exts);
	hs_send(c, &b);
	return HS_NEXT;
}

static enum hs parse_empty_certificate(struct tls_conn *c, struct cursor *body)
{
	(void)c;
	assert_int_equal(body->len, 4);
	assert_memory_equal(body->p, "\0\0\0\0", 4);
	body->len = 0;
	return HS_NEXT;
}

static enum hs take_empty_certificate(struct tls_conn *c)
{
	return hs_recv(c, HT_CERTIFICATE, parse_empty_certificate);
}

static void a_certificate_request_gets_an_empty_certificate(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	pair_steps(&p, TLS_SERVER);
	p.side[TLS_SERVER].steps[12] = ask_certificate;
	p.side[TLS_SERVER].steps[19] = take_empty_certificate;
	pair_run(&p);
	assert_open(&p);
	pair_free(&p);
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

/* ---- no secret stays ---- */

static struct { uint8_t p[HASH_MAX]; size_t len; } secrets[64];
static size_t num_secrets;

static void note(const void *p, size_t len)
{
	assert_true(num_secrets < NUM(secrets));
	memcpy(secrets[num_secrets].p, p, len);
	secrets[num_secrets++].len = len;
}

/* Of those noted since there were @from. */
static size_t count_secrets(const void *where, size_t len, size_t from)
{
	size_t n = 0;

	for (size_t i = from; i < num_secrets; i++)
		n += memmem(where, len, secrets[i].p, secrets[i].len) != NULL;
	return n;
}

static hs_step *noted_step[2];

/* Around the step that makes the handshake keys: all that is secret before and after it. */
static enum hs note_handshake(struct tls_conn *c)
{
	size_t from = num_secrets;
	enum hs rc;

	if (c->params.role == TLS_CLIENT)
		note(c->shares[0].priv, 32);
	note(c->dhe, 32);
	rc = noted_step[c->params.role](c);
	assert_int_equal(count_secrets(c, sizeof(*c), from), 0);
	note(c->handshake.secret, 32);
	note(c->handshake.client, 32);
	note(c->handshake.server, 32);
	note(c->rx.keys.key, 16);
	note(c->tx.keys.key, 16);
	return rc;
}

static enum hs note_master(struct tls_conn *c)
{
	note(c->master.secret, 32);
	return HS_NEXT;
}

static enum hs fail_now(struct tls_conn *c)
{
	note_master(c);
	note(c->master.client, 32);
	note(c->master.server, 32);
	note(c->master.exporter, 32);
	return hs_refuse(c, ALERT_INTERNAL_ERROR, "the test wants it");
}

static void note_steps(struct pair *p)
{
	num_secrets = 0;
	for (int role = 0; role < 2; role++) {
		size_t at = role == TLS_CLIENT ? 12 : 10;

		pair_steps(p, (enum tls_role)role);
		noted_step[role] = p->side[role].steps[at];
		p->side[role].steps[at] = note_handshake;
	}
}

static void no_handshake_secret_is_left_in_an_open_connection(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "p256");
	for (int role = 0; role < 2; role++)
		p.side[role].config.num_suites = 1;
	note_steps(&p);
	pair_insert(&p, TLS_CLIENT, 20, note_master);
	pair_insert(&p, TLS_SERVER, 17, note_master);
	pair_run(&p);
	assert_open(&p);
	assert_true(num_secrets > 10);
	for (int role = 0; role < 2; role++)
		assert_int_equal(count_secrets(&p.side[role].c, sizeof(struct tls_conn), 0), 0);
	pair_free(&p);
}

static void no_secret_is_left_after_a_failure_or_in_the_buffer_given_back(void **state)
{
	static const uint8_t zeros[TLS_RX_CAP];
	struct pair p;

	(void)state;
	for (int role = 0; role < 2; role++) {
		struct side *s;

		pair_init(&p, "p256");
		for (int k = 0; k < 2; k++)
			p.side[k].config.num_suites = 1;
		s = &p.side[role];
		memset(s->rx, 0, TLS_RX_CAP);
		note_steps(&p);
		pair_insert(&p, (enum tls_role)role, role == TLS_CLIENT ? 20 : 17, fail_now);
		pair_run(&p);
		assert_int_equal(s->want, TLS_FAILED);
		assert_true(num_secrets > 12);
		assert_int_equal(count_secrets(&s->c, sizeof(s->c), 0), 0);
		tls_take_rx(&s->c);
		assert_memory_equal(s->rx, zeros, TLS_RX_CAP);
		tls_wipe(&s->c);
		assert_memory_equal(&s->c, zeros, sizeof(s->c));
		pair_free(&p);
	}
}

static int start(void **state)
{
	(void)state;
	print_message("# sizeof(struct tls_conn) is %zu bytes\n", sizeof(struct tls_conn));
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
		cmocka_unit_test(every_suite_group_and_certificate_opens_however_bytes_arrive),
		cmocka_unit_test(messages_may_be_cut_and_joined_at_every_boundary),
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
		cmocka_unit_test(a_certificate_request_gets_an_empty_certificate),
		cmocka_unit_test(a_peer_that_leaves_is_a_reset),
		cmocka_unit_test(an_abort_sends_its_alert_and_stays),
		cmocka_unit_test(a_canceled_handshake_ends_for_the_peer),
		cmocka_unit_test(no_handshake_secret_is_left_in_an_open_connection),
		cmocka_unit_test(no_secret_is_left_after_a_failure_or_in_the_buffer_given_back),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, stop);
}
