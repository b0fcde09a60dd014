// SPDX-License-Identifier: MIT
/*
 * No secret outlives its use. The linker puts the functions named __wrap_ here in front of those that make secrets
 * (--wrap in pair.mk): they note each one, and the tests then look for all of them in what a connection leaves.
 */
#include <errno.h>

#include "kind.h"
#include "tlshd/tls/record.h"

/* ---- what is secret ---- */

static struct secret {
	const char *what;
	uint8_t bytes[HASH_MAX];
	size_t len;
} secrets[512];
static size_t num_secrets;

static void note(const char *what, const void *p, size_t len)
{
	static const uint8_t zeros[HASH_MAX];

	assert_true(len <= HASH_MAX);
	if (!memcmp(p, zeros, len))
		return;
	assert_true(num_secrets < NUM(secrets));
	secrets[num_secrets].what = what;
	memcpy(secrets[num_secrets].bytes, p, len);
	secrets[num_secrets++].len = len;
}

void __real_keys_early_init(struct keys_early *e, enum hash_id hash, const uint8_t *psk, size_t psk_len);
void __wrap_keys_early_init(struct keys_early *e, enum hash_id hash, const uint8_t *psk, size_t psk_len);
void __wrap_keys_early_init(struct keys_early *e, enum hash_id hash, const uint8_t *psk, size_t psk_len)
{
	__real_keys_early_init(e, hash, psk, psk_len);
	if (psk)
		note("pre-shared key", psk, psk_len);
	if (psk)	/* else it is known to everybody */
		note("Early Secret", e->secret, hash_len(hash));
}

void __real_keys_binder(uint8_t *out, const struct keys_early *e, bool external, const uint8_t *transcript);
void __wrap_keys_binder(uint8_t *out, const struct keys_early *e, bool external, const uint8_t *transcript);
void __wrap_keys_binder(uint8_t *out, const struct keys_early *e, bool external, const uint8_t *transcript)
{
	__real_keys_binder(out, e, external, transcript);
	note("binder", out, hash_len(e->hash));
}

void __real_keys_early_traffic(uint8_t *out, const struct keys_early *e, const uint8_t *transcript);
void __wrap_keys_early_traffic(uint8_t *out, const struct keys_early *e, const uint8_t *transcript);
void __wrap_keys_early_traffic(uint8_t *out, const struct keys_early *e, const uint8_t *transcript)
{
	__real_keys_early_traffic(out, e, transcript);
	note("client_early_traffic_secret", out, hash_len(e->hash));
}

static void note_handshake(const struct keys_handshake *hs)
{
	note("Handshake Secret", hs->secret, hash_len(hs->hash));
	note("client_handshake_traffic_secret", hs->client, hash_len(hs->hash));
	note("server_handshake_traffic_secret", hs->server, hash_len(hs->hash));
}

void __real_keys_handshake_given(struct keys_handshake *hs, enum hash_id hash, const uint8_t *secret, const uint8_t *th);
void __wrap_keys_handshake_given(struct keys_handshake *hs, enum hash_id hash, const uint8_t *secret, const uint8_t *th);
void __wrap_keys_handshake_given(struct keys_handshake *hs, enum hash_id hash, const uint8_t *secret, const uint8_t *th)
{
	__real_keys_handshake_given(hs, hash, secret, th);
	note_handshake(hs);
}

void __real_keys_handshake_from(struct keys_handshake *hs, struct keys_early *e, const uint8_t *dhe, size_t len,
				const uint8_t *th);
void __wrap_keys_handshake_from(struct keys_handshake *hs, struct keys_early *e, const uint8_t *dhe, size_t len,
				const uint8_t *th);
void __wrap_keys_handshake_from(struct keys_handshake *hs, struct keys_early *e, const uint8_t *dhe, size_t len,
				const uint8_t *th)
{
	__real_keys_handshake_from(hs, e, dhe, len, th);
	note_handshake(hs);
}

void __real_keys_master_from(struct keys_master *m, struct keys_handshake *hs, const uint8_t *transcript);
void __wrap_keys_master_from(struct keys_master *m, struct keys_handshake *hs, const uint8_t *transcript);
void __wrap_keys_master_from(struct keys_master *m, struct keys_handshake *hs, const uint8_t *transcript)
{
	__real_keys_master_from(m, hs, transcript);
	note("Master Secret", m->secret, hash_len(m->hash));
	note("client_application_traffic_secret", m->client, hash_len(m->hash));
	note("server_application_traffic_secret", m->server, hash_len(m->hash));
	note("exporter_master_secret", m->exporter, hash_len(m->hash));
}

void __real_keys_resumption(struct keys_master *m, const uint8_t *transcript);
void __wrap_keys_resumption(struct keys_master *m, const uint8_t *transcript);
void __wrap_keys_resumption(struct keys_master *m, const uint8_t *transcript)
{
	__real_keys_resumption(m, transcript);
	note("resumption_master_secret", m->resumption, hash_len(m->hash));
}

void __real_keys_ticket_psk(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *nonce, size_t len);
void __wrap_keys_ticket_psk(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *nonce, size_t len);
void __wrap_keys_ticket_psk(uint8_t *out, enum hash_id hash, const uint8_t *secret, const uint8_t *nonce, size_t len)
{
	__real_keys_ticket_psk(out, hash, secret, nonce, len);
	note("ticket's pre-shared key", out, hash_len(hash));
}

void __real_keys_traffic(struct tls_keys *out, const struct suite *s, const uint8_t *secret);
void __wrap_keys_traffic(struct tls_keys *out, const struct suite *s, const uint8_t *secret);
void __wrap_keys_traffic(struct tls_keys *out, const struct suite *s, const uint8_t *secret)
{
	__real_keys_traffic(out, s, secret);
	note("traffic key", out->key, aead_key_len(s->aead));
	note("traffic iv", out->iv, AEAD_NONCE_LEN);
}

void __real_tls_sign_answer(struct tls_conn *c, const uint8_t *answer, size_t len);
void __wrap_tls_sign_answer(struct tls_conn *c, const uint8_t *answer, size_t len);
void __wrap_tls_sign_answer(struct tls_conn *c, const uint8_t *answer, size_t len)
{
	__real_tls_sign_answer(c, answer, len);
	if (c->sign_op != TLS_SIGN_CERTIFICATE && len <= HASH_MAX)
		note("signer's answer", answer, len);
}

/* A group with its keys and secrets noted. */
static struct { const struct kem *real; struct kem noted; } kems[3];

static void keygen(const struct kem *real, uint8_t *priv, uint8_t *share)
{
	real->keygen(priv, share);
	note("private key", priv, real->secret_len);
}

static int agree(const struct kem *real, int err, const uint8_t *secret)
{
	if (!err)
		note("shared secret", secret, real->secret_len);
	return err;
}

#define NOTED(i) \
	static void keygen_##i(uint8_t *priv, uint8_t *share) \
	{ \
		keygen(kems[i].real, priv, share); \
	} \
	static int encaps_##i(uint8_t *share, uint8_t *secret, const uint8_t *theirs) \
	{ \
		return agree(kems[i].real, kems[i].real->encaps(share, secret, theirs), secret); \
	} \
	static int decaps_##i(uint8_t *secret, const uint8_t *priv, const uint8_t *theirs) \
	{ \
		return agree(kems[i].real, kems[i].real->decaps(secret, priv, theirs), secret); \
	}
NOTED(0)
NOTED(1)
NOTED(2)

static const struct kem noting[] = {
	{ .keygen = keygen_0, .encaps = encaps_0, .decaps = decaps_0 },
	{ .keygen = keygen_1, .encaps = encaps_1, .decaps = decaps_1 },
	{ .keygen = keygen_2, .encaps = encaps_2, .decaps = decaps_2 },
};

const struct kem *__real_kem_find(uint16_t group);
const struct kem *__wrap_kem_find(uint16_t group);
const struct kem *__wrap_kem_find(uint16_t group)
{
	const struct kem *real = __real_kem_find(group);
	size_t i = 0;

	while (real && i < NUM(kems) && kems[i].real && kems[i].real != real)
		i++;
	if (!real)
		return NULL;
	assert_true(i < NUM(kems));
	kems[i].real = real;
	kems[i].noted = *real;
	kems[i].noted.keygen = noting[i].keygen;
	kems[i].noted.encaps = noting[i].encaps;
	kems[i].noted.decaps = noting[i].decaps;
	return &kems[i].noted;
}

/* ---- where none may be ---- */

/* An open connection has what is asked of it later; a failed one nothing. */
struct kept {
	struct tls_traffic traffic;
	struct tls_resumption resumption;
};

static void what_is_kept(struct kept *k, const struct side *s)
{
	memset(k, 0, sizeof(*k));
	if (s->want != TLS_DONE)
		return;
	tls_traffic(&s->c, &k->traffic);
	if (s->params.role == TLS_CLIENT)
		tls_resumption(&s->c, &k->resumption);
}

static bool is_in(const void *where, size_t len, const struct secret *secret)
{
	return memmem(where, len, secret->bytes, secret->len) != NULL;
}

/* A binder is public once it is sent, but not the one that a wrong one is compared with. */
static bool is_public(const struct pair *p, const struct secret *secret)
{
	for (int role = 0; role < 2; role++) {
		if (!is_in(p->side[role].in, p->side[role].in_len, secret))
			continue;
		if (!strcmp(secret->what, "binder") || !strcmp(secret->what, "signer's answer"))
			return true;
		fail_msg("a %s was sent", secret->what);
	}
	return false;
}

static void assert_none(const struct kind *k, const struct pair *p, const struct side *s)
{
	struct kept kept;

	what_is_kept(&kept, s);
	for (size_t i = 0; i < num_secrets; i++) {
		bool conn = is_in(&s->c, sizeof(s->c), &secrets[i]) && !is_in(&kept, sizeof(kept), &secrets[i]);

		if (is_public(p, &secrets[i]))
			continue;
		if (conn || is_in(s->out, TLS_TX_CAP, &secrets[i]))
			fail_msg("%s: a %s is left in the %s's %s", k->name, secrets[i].what,
				 s->params.role == TLS_CLIENT ? "client" : "server", conn ? "connection" : "output");
	}
}

static void assert_ended(const struct kind *k, struct pair *p)
{
	static const uint8_t zeros[TLS_RX_CAP];

	for (int role = 0; role < 2; role++) {
		struct side *s = &p->side[role];

		assert_true(s->want == TLS_DONE || s->want == TLS_FAILED);
		assert_none(k, p, s);
		tls_take_rx(&s->c);
		assert_memory_equal(s->rx, zeros, TLS_RX_CAP);
		tls_wipe(&s->c);
		assert_memory_equal(&s->c, zeros, sizeof(s->c));
		s->started = false;
	}
}

static void begin(struct pair *p, const struct kind *k)
{
	num_secrets = 0;
	kind_init(p, k, 0, 0);
	for (int role = 0; role < 2; role++)
		memset(p->side[role].rx, 0, TLS_RX_CAP);
}

static void nothing_but_what_is_asked_for_is_left_in_an_open_connection(void **state)
{
	(void)state;
	for (size_t k = 0; k < num_kinds; k++) {
		struct pair p;

		begin(&p, &kinds[k]);
		pair_run(&p);
		assert_kind(&p, &kinds[k], 0, 0);
		assert_true(num_secrets > 20);
		assert_ended(&kinds[k], &p);
		pair_free(&p);
	}
}

static enum hs fail_now(struct tls_conn *c)
{
	return hs_refuse(c, ALERT_INTERNAL_ERROR, "the test wants it");
}

static size_t num_steps(enum tls_role role)
{
	size_t num = 0;

	while ((role == TLS_CLIENT ? client_steps : server_steps)[num])
		num++;
	return num;
}

/* The peer of a failed connection may wait: it is told, but may have no keys yet to understand it. */
static void fail_peer(struct pair *p)
{
	for (int role = 0; role < 2; role++) {
		struct side *s = &p->side[role];
		struct tls_out out = { .p = s->out, .cap = TLS_TX_CAP };

		if (s->want == TLS_DONE || s->want == TLS_FAILED)
			continue;
		tls_abort(&s->c, -ETIMEDOUT, ALERT_USER_CANCELED, "the peer is gone", &out);
		s->want = TLS_FAILED;
	}
}

static void nothing_is_left_wherever_a_connection_fails(void **state)
{
	(void)state;
	for (size_t k = 0; k < num_kinds; k++)
		for (int role = 0; role < 2; role++) {
			struct pair p;

			begin(&p, &kinds[k]);
			for (size_t i = 0; i <= num_steps((enum tls_role)role); i++) {
				pair_steps(&p, (enum tls_role)role);
				pair_insert(&p, (enum tls_role)role, i, fail_now);
				pair_run(&p);
				assert_int_equal(p.side[role].want, TLS_FAILED);
				fail_peer(&p);
				assert_ended(&kinds[k], &p);
				pair_again(&p);
				num_secrets = 0;
			}
			pair_free(&p);
		}
}

static void a_connection_that_is_aborted_when_open_keeps_nothing(void **state)
{
	(void)state;
	for (size_t k = 0; k < num_kinds; k++) {
		struct pair p;

		begin(&p, &kinds[k]);
		pair_run(&p);
		for (int role = 0; role < 2; role++) {
			struct side *s = &p.side[role];
			struct tls_out out = { .p = s->out, .cap = TLS_TX_CAP };

			tls_abort(&s->c, -EIO, ALERT_INTERNAL_ERROR, "no keys", &out);
			s->want = TLS_FAILED;
		}
		assert_ended(&kinds[k], &p);
		pair_free(&p);
	}
}

static void a_binder_that_was_expected_is_not_left(void **state)
{
	const struct kind k = { "session", KIND_PSK };
	struct pair p;

	(void)state;
	begin(&p, &k);
	p.sessions[0].psk[0] ^= 1;
	pair_run(&p);
	assert_refused(&p, TLS_SERVER, ALERT_DECRYPT_ERROR, "binder");
	assert_ended(&k, &p);
	pair_free(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_but_what_is_asked_for_is_left_in_an_open_connection),
		cmocka_unit_test(nothing_is_left_wherever_a_connection_fails),
		cmocka_unit_test(a_connection_that_is_aborted_when_open_keeps_nothing),
		cmocka_unit_test(a_binder_that_was_expected_is_not_left),
	};

	return pair_main(tests, NUM(tests));
}
