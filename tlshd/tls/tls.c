// SPDX-License-Identifier: MIT
/* tls: what tls.h promises: the driver of the steps, the lent buffers, the results. */
#include <errno.h>
#include <stdlib.h>

#include "schemes.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* A server may know too many keys to look at each for every connection. */
static void check_offer(const struct tls_params *p)
{
	const struct tls_config *config = p->config;
	const struct tls_external *external = config->externals;
	size_t i = 0;

	must(p->num_sessions <= TLS_SESSIONS_MAX && config->num_externals <= 1);
	if (!config->num_externals)
		return;
	must(external->identity_len && external->identity_len <= TLS_EXTERNAL_MAX);
	while (suite_find(config->suites[i])->hash != external->hash)
		must(++i < config->num_suites);
}

static void check_config(const struct tls_params *p)
{
	const struct tls_config *config = p->config;

	must(config->num_suites && config->num_suites <= TLS_SUITES_MAX);
	must(config->num_groups && config->num_groups <= TLS_GROUPS_MAX);
	for (size_t i = 0; i < config->num_suites; i++)
		must(suite_find(config->suites[i]));
	for (size_t i = 0; i < config->num_groups; i++)
		must(kem_find(config->groups[i]));
	for (size_t i = 0; i < config->num_identities; i++)	/* its Certificate is sent in one record */
		must(config->identities[i].chain_len <= PLAINTEXT_MAX - MSG_HEADER_LEN - 4);
	must(config->num_shares <= TLS_SHARES_MAX && config->num_shares <= config->num_groups);
	must(config->num_schemes <= TLS_SCHEMES_MAX);
	for (size_t i = 0; i < config->num_schemes; i++)
		must(schemes_known(config->schemes[i]));
	must(config->client_auth < TLS_CLIENT_AUTH_VERIFY || config->anchors || p->role == TLS_CLIENT);
	must(!config->name_authorities || config->anchors);
	must(!config->record_limit || config->record_limit >= RECORD_LIMIT_MIN);
	must(config->record_limit <= RECORD_LIMIT_MAX);
	must(p->alpn_len <= TLS_ALPN_MAX);
	must(config->num_externals || (p->role == TLS_SERVER ? config->num_identities > 0 : config->anchors != NULL));
	must(config->psk_modes <= (TLS_PSK_DHE_KE | TLS_PSK_KE) && config->num_tickets <= TLS_TICKETS_MAX);
	must(config->ticket_lifetime_s <= TLS_TICKET_LIFETIME_MAX_S);
	must(config->ticket_early_data <= TLS_EARLY_MAX);
	must(config->psk_modes || !config->num_externals);
	must(!p->server_name || strlen(p->server_name) <= TLS_NAME_MAX);
	if (p->role == TLS_CLIENT)
		check_offer(p);
}

void tls_init(struct tls_conn *c, const struct tls_params *p)
{
	check_config(p);
	memset(c, 0, sizeof(*c));
	c->params = *p;
	c->step = p->role == TLS_CLIENT ? client_steps : server_steps;
	c->state = TLS_WANT_RX;
	c->alert_sent = c->alert_received = TLS_ALERT_NONE;
	c->tx.limit = PLAINTEXT_MAX;
	c->rx.limit = RECORD_LIMIT_MAX;
	transcript_init(&c->transcript);
}

void tls_wipe(struct tls_conn *c)
{
	rx_wipe(c);
	sig_pub_free(&c->peer.pub);
	wipe(c, sizeof(*c));
}

/* ---- driving ---- */

static enum tls_want failed(struct tls_conn *c)
{
	if (c->alert_sent != TLS_ALERT_NONE)
		tx_alert(c, (uint8_t)c->alert_sent);
	if (c->alert_sent == ALERT_USER_CANCELED)
		tx_alert(c, ALERT_CLOSE_NOTIFY);	/* RFC 8446 6.1: by itself it tells a peer to go on waiting */
	hs_forget(c, false);
	return c->state = TLS_FAILED;
}

static enum hs run(struct tls_conn *c)
{
	for (; *c->step; c->step++) {
		enum hs rc = (*c->step)(c);

		if (rc != HS_NEXT)
			return rc;
	}
	return HS_NEXT;
}

enum tls_want tls_advance(struct tls_conn *c, struct tls_out *out)
{
	static const enum tls_want wants[] = {
		[HS_WANT_RX] = TLS_WANT_RX,
		[HS_WANT_TX] = TLS_WANT_TX,
		[HS_WANT_SIGN] = TLS_WANT_SIGN,
		[HS_EARLY_DATA] = TLS_EARLY_DATA,
	};
	enum hs rc;

	if (c->state != TLS_WANT_RX)
		return c->state;
	c->early_data.data = NULL;
	c->tx.out = out;
	rc = run(c);
	if (rc == HS_WANT_RX && c->rx.eof)
		rc = hs_fail(c, -ECONNRESET, TLS_ALERT_NONE, "peer closed the connection during the handshake");
	if (rc == HS_FAILED) {
		failed(c);
	} else if (rc == HS_NEXT) {
		hs_forget(c, true);
		c->state = TLS_DONE;
	}
	c->tx.out = NULL;
	return c->state == TLS_WANT_RX ? wants[rc] : c->state;
}

void tls_abort(struct tls_conn *c, int err, uint8_t alert, const char *reason, struct tls_out *out)
{
	if (c->state == TLS_FAILED)
		return;
	c->tx.out = out;
	hs_fail(c, err, alert, "%s", reason);
	failed(c);
	c->tx.out = NULL;
}

/* ---- receiving ---- */

void tls_lend_rx(struct tls_conn *c, uint8_t *p)
{
	must(!c->rx.p && p);
	c->rx.p = p;
}

uint8_t *tls_take_rx(struct tls_conn *c)
{
	uint8_t *p = c->rx.p;

	rx_wipe(c);
	c->rx.p = NULL;
	return p;
}

bool tls_rx_idle(const struct tls_conn *c)
{
	return c->rx.msg_at == c->rx.msg_end && c->rx.raw_at == c->rx.raw_end && !c->early_data.data;
}

void tls_rx_window(struct tls_conn *c, struct tls_window *w)
{
	must(c->rx.p);
	rx_compact(c);
	w->p = c->rx.p + c->rx.raw_end;
	w->room = TLS_RX_CAP - c->rx.raw_end;
	w->greedy = c->params.role == TLS_SERVER && !c->tx.flight_sent;
}

void tls_rx_filled(struct tls_conn *c, size_t len)
{
	must(c->rx.p && len <= TLS_RX_CAP - c->rx.raw_end);
	c->rx.raw_end += (uint32_t)len;
	c->rx.filled = (uint32_t)len;
	if (c->rx.high < c->rx.raw_end)
		c->rx.high = c->rx.raw_end;
}

void tls_rx_eof(struct tls_conn *c)
{
	c->rx.eof = true;
}

size_t tls_rx_taken(const struct tls_conn *c)
{
	return c->rx.filled - c->rx.left;
}

size_t tls_early_data(const struct tls_conn *c, const uint8_t **p)
{
	must(c->early_data.data);
	*p = c->early_data.data;
	return c->early_data.data_len;
}

/* ---- signing ---- */

void tls_sign_request(const struct tls_conn *c, struct tls_sign_req *req)
{
	must(c->sign == SIGN_ASKED);
	memset(req, 0, sizeof(*req));
	req->op = c->sign_op;
	switch (c->sign_op) {
	case TLS_SIGN_CERTIFICATE:
		req->identity = c->identity;
		req->scheme = c->sigscheme[c->params.role];
		req->hash_len = (uint8_t)hash_len(c->suite->hash);
		transcript_hash(&c->transcript, req->hash);
		break;
	case TLS_SIGN_BINDER:
		req->external = c->psk.external;
		req->hash_len = (uint8_t)hash_len(c->psk.hash);
		memcpy(req->hash, c->psk.binder_hash, req->hash_len);
		break;
	case TLS_SIGN_HANDSHAKE_SECRET:
		req->external = c->psk.external;
		req->dhe_len = c->kem ? (uint8_t)c->kem->secret_len : 0;
		memcpy(req->dhe, c->dhe, req->dhe_len);
		break;
	}
}

/* A secret, or a binder, of another length than asked for is as good as none. */
void tls_sign_answer(struct tls_conn *c, const uint8_t *sig, size_t len)
{
	must(c->sign == SIGN_ASKED && len <= SIG_MAX);
	if (c->sign_op != TLS_SIGN_CERTIFICATE && len != hash_len(c->psk.hash))
		len = 0;
	if (len)
		memcpy(c->sign_op == TLS_SIGN_CERTIFICATE ? c->sig : c->psk.secret, sig, len);
	c->sig_len = (uint16_t)len;
	c->sign = SIGN_ANSWERED;
}

/* ---- results ---- */

void tls_traffic(const struct tls_conn *c, struct tls_traffic *t)
{
	must(c->state == TLS_DONE);
	memset(t, 0, sizeof(*t));
	t->suite = c->suite->id;
	t->hash_len = (uint8_t)hash_len(c->suite->hash);
	t->key_len = (uint8_t)aead_key_len(c->suite->aead);
	t->tx = c->tx.keys;
	t->rx = c->rx.keys;
	memcpy(t->exporter_secret, c->master.exporter, t->hash_len);
}

bool tls_early_traffic(const struct tls_conn *c, struct tls_traffic *t)
{
	memset(t, 0, sizeof(*t));
	/* Its tickets follow our Finished in the same call. */
	if (c->early_data.state != TLS_EARLY_ACCEPTED || c->params.role != TLS_SERVER || !c->tx.flight_sent)
		return false;
	t->suite = c->suite->id;
	t->hash_len = (uint8_t)hash_len(c->suite->hash);
	t->key_len = (uint8_t)aead_key_len(c->suite->aead);
	t->tx = c->tx.keys;
	return true;
}

int tls_export(const struct tls_traffic *t, uint8_t *out, size_t len, const char *label, size_t label_len,
	       const uint8_t *context, size_t context_len)
{
	if (label_len > 249 || len > 255 * (size_t)t->hash_len)
		return -EINVAL;
	keys_export(out, len, suite_find(t->suite)->hash, t->exporter_secret, label, label_len, context, context_len);
	return 0;
}

void tls_set_now(struct tls_conn *c, int64_t now_ms)
{
	c->params.now_ms = now_ms;
}

void tls_result(const struct tls_conn *c, struct tls_result *r)
{
	*r = (struct tls_result){
		.err = c->err,
		.alert_sent = c->alert_sent,
		.alert_received = c->alert_received,
		.suite = c->suite ? c->suite->id : 0,
		.group = c->kem ? c->kem->group : 0,
		.sigscheme = c->sigscheme[!c->params.role] ? c->sigscheme[!c->params.role] : c->sigscheme[c->params.role],
		.auth = c->auth,
		.resumed = c->resumed,
		.early = c->early_data.state,
		.early_bytes = c->early_data.num,
		.authenticated = c->authenticated,
		.record_limit = c->tx.limited ? c->tx.limit : 0,
		.reason = c->reason,
		.alpn = (const char *)c->alpn,
		.alpn_len = c->alpn_len,
		.server_name = c->server_name,
		.peer_subject = c->peer.subject,
		.peer_leaf_sha256 = c->peer_known ? c->peer.leaf_sha256 : NULL,
	};
}
