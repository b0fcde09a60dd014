// SPDX-License-Identifier: MIT
#include "kind.h"

const struct kind kinds[] = {
	{ "1-RTT", 0 },
	{ "retry", KIND_RETRY },
	{ "session", KIND_PSK },
	{ "session, retry", KIND_PSK | KIND_RETRY },
	{ "session alone", KIND_PSK | KIND_ALONE },
	{ "session lost", KIND_PSK | KIND_LOST },
	{ "external key", KIND_EXTERNAL },
	{ "external key alone", KIND_EXTERNAL | KIND_ALONE },
	{ "external key, retry", KIND_EXTERNAL | KIND_RETRY },
	{ "early data", KIND_PSK | KIND_EARLY },
	{ "early data, session alone", KIND_PSK | KIND_EARLY | KIND_ALONE },
	{ "early data rejected", KIND_PSK | KIND_EARLY | KIND_REJECTED },
	{ "early data, session lost", KIND_PSK | KIND_EARLY | KIND_LOST },
	{ "early data, retry", KIND_PSK | KIND_EARLY | KIND_RETRY },
	{ "client certificate", KIND_ASKED | KIND_CERT },
	{ "no client certificate", KIND_ASKED },
	{ "client certificate, retry", KIND_ASKED | KIND_CERT | KIND_RETRY },
};
const size_t num_kinds = NUM(kinds);

static enum hash_id hash_of(uint16_t suite)
{
	return suite == TLS_AES_256_GCM_SHA384 ? HASH_SHA384 : HASH_SHA256;
}

/* A retry: the client's first share is of another group than the server's only one. */
static void configure(struct pair *p, const struct kind *k, uint16_t suite, uint16_t group)
{
	struct tls_config *client = &p->side[TLS_CLIENT].config, *server = &p->side[TLS_SERVER].config;

	client->suites[0] = server->suites[0] = suite;
	client->num_suites = server->num_suites = 1;
	server->groups[0] = group;
	client->groups[k->flags & KIND_RETRY ? 1 : 0] = group;
	client->groups[k->flags & KIND_RETRY ? 0 : 1] = group == 0x001d ? 0x0017 : 0x001d;
	client->num_groups = 2;
	server->num_groups = 1;
}

void kind_init(struct pair *p, const struct kind *k, uint16_t suite, uint16_t group)
{
	suite = suite ? suite : TLS_AES_128_GCM_SHA256;
	pair_init(p, "ed25519");
	configure(p, k, suite, group ? group : 0x001d);
	if (k->flags & KIND_ASKED)
		pair_client_auth(p, k->flags & KIND_CERT ? TLS_CLIENT_AUTH_REQUIRE : TLS_CLIENT_AUTH_REQUEST,
				 k->flags & KIND_CERT ? "client" : NULL);
	if (k->flags & KIND_EXTERNAL)
		pair_external(p, "nqn.2014-08.org.example:host1", hash_of(suite));
	if (k->flags & KIND_PSK)
		pair_tickets(p);
	for (int role = 0; k->flags & KIND_ALONE && role < 2; role++)
		p->side[role].config.psk_modes = TLS_PSK_KE;
	if (!(k->flags & KIND_PSK))
		return;
	pair_run(p);
	assert_resumed(p, false);
	assert_int_equal(pair_take_sessions(p), 1);
	pair_resume(p);
	p->tickets.no_open = k->flags & KIND_LOST;
	p->tickets.no_early = k->flags & KIND_REJECTED;
	if (k->flags & KIND_EARLY)
		pair_early(p, KIND_EARLY_DATA, strlen(KIND_EARLY_DATA));
}

void assert_kind(struct pair *p, const struct kind *k, uint16_t suite, uint16_t group)
{
	enum tls_auth client_auth = k->flags & KIND_EXTERNAL ? TLS_AUTH_PSK : TLS_AUTH_CERTIFICATE;
	enum tls_auth server_auth = k->flags & KIND_EXTERNAL ? TLS_AUTH_PSK :
				    k->flags & KIND_CERT ? TLS_AUTH_CERTIFICATE : TLS_AUTH_NONE;

	assert_resumed(p, k->flags & KIND_PSK && !(k->flags & KIND_LOST));
	assert_early(p, kind_takes_early(k) ? TLS_EARLY_ACCEPTED :
			k->flags & KIND_EARLY ? TLS_EARLY_REJECTED : TLS_EARLY_NONE);
	for (int role = 0; role < 2; role++) {
		struct tls_result r;

		tls_result(&p->side[role].c, &r);
		assert_int_equal(r.suite, suite ? suite : TLS_AES_128_GCM_SHA256);
		assert_int_equal(r.group, k->flags & KIND_ALONE ? 0 : group ? group : 0x001d);
		assert_int_equal(r.auth, role == TLS_CLIENT ? client_auth : server_auth);
		assert_int_equal(p->side[role].c.retry, !!(k->flags & KIND_RETRY));
	}
}
