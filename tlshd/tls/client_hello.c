// SPDX-License-Identifier: MIT
/* client_hello: what a server makes of a ClientHello: reads it, judges it, and chooses. RFC 8446 section 4.1.2. */
#include "client_hello.h"

#include <errno.h>

#include "psk_server.h"
#include "limit.h"
#include "schemes.h"
#include "staple.h"

/**
 * struct client_hello - a ClientHello, its vectors still unread
 * @groups: content of supported_groups
 * @fields: what is in front of the extensions
 * @block: the extensions
 * @psk: pre-shared keys
 */
struct client_hello {
	uint16_t version;
	const uint8_t *random;
	struct cursor session_id, suites, compressions;
	struct cursor groups;
	struct cursor fields, block;
	struct ext_block exts;
	struct psk_offer psk;
};

static enum hs malformed(struct tls_conn *c, const char *what)
{
	return hs_refuse(c, ALERT_DECODE_ERROR, "malformed %s", what);
}

static bool read_fields(struct client_hello *ch, struct cursor *body)
{
	return cur_u16(body, &ch->version) && cur_bytes(body, &ch->random, RANDOM_LEN) &&
	       cur_vec(body, &ch->session_id, 1, 0, SESSION_ID_MAX) && cur_vec_u16(body, &ch->suites, 2, 65534) &&
	       cur_vec(body, &ch->compressions, 1, 1, 255);
}

/* 4.2.1, and D.2 for a client that only knows older versions. */
static enum hs check_version(struct tls_conn *c, const struct client_hello *ch)
{
	struct cursor data = ch->exts.data[EXT_SUPPORTED_VERSIONS], list;

	if (!ext_has(&ch->exts, EXT_SUPPORTED_VERSIONS))
		return hs_refuse(c, ALERT_PROTOCOL_VERSION, "client does not offer TLS 1.3 (its version is 0x%04x)",
				 ch->version);
	if (!cur_vec_u16(&data, &list, 1, 254) || !cur_empty(&data))
		return malformed(c, "supported_versions");
	if (!cur_has_u16(list, VERSION_TLS13))
		return hs_refuse(c, ALERT_PROTOCOL_VERSION, "client does not offer TLS 1.3");
	if (ch->compressions.len != 1 || ch->compressions.p[0])
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "client offers compression");
	return HS_NEXT;
}

/*
 * 9.2, 4.2.9. With a pre-shared key nothing need be signed, and no key be shared; but if one of the two that agree on a
 * key is there, both are.
 */
static enum hs check_required(struct tls_conn *c, const struct client_hello *ch, bool psk)
{
	static const struct {
		enum ext e, with;
		const char *name;
	} required[] = {
		{ EXT_SUPPORTED_GROUPS, EXT_KEY_SHARE, "supported_groups" },
		{ EXT_KEY_SHARE, EXT_SUPPORTED_GROUPS, "key_share" },
		{ EXT_SIGNATURE_ALGORITHMS, EXT_NUM, "signature_algorithms" },
	};

	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++) {
		if (ext_has(&ch->exts, required[i].e))
			continue;
		if (!psk || (required[i].with != EXT_NUM && ext_has(&ch->exts, required[i].with)))
			return hs_refuse(c, ALERT_MISSING_EXTENSION, "ClientHello without %s", required[i].name);
	}
	if (ext_has(&ch->exts, EXT_PRE_SHARED_KEY) && !ext_has(&ch->exts, EXT_PSK_KEY_EXCHANGE_MODES))
		return hs_refuse(c, ALERT_MISSING_EXTENSION, "pre_shared_key without psk_key_exchange_modes");
	return HS_NEXT;
}

/* An extension that is one list of 2-byte numbers. */
static bool read_list_u16(const struct ext_block *exts, enum ext e, struct cursor *list)
{
	struct cursor data = exts->data[e];

	return cur_vec_u16(&data, list, 2, 65534) && cur_empty(&data);
}

static enum hs read_lists(struct tls_conn *c, struct client_hello *ch)
{
	if (ext_has(&ch->exts, EXT_SUPPORTED_GROUPS) && !read_list_u16(&ch->exts, EXT_SUPPORTED_GROUPS, &ch->groups))
		return malformed(c, "supported_groups");
	return HS_NEXT;
}

/* RFC 6066 3. The name is for people and applications to read, so it must be printable. */
static enum hs take_server_name(struct tls_conn *c, const struct client_hello *ch)
{
	struct cursor data = ch->exts.data[EXT_SERVER_NAME], list, name;
	uint8_t type;

	if (!ext_has(&ch->exts, EXT_SERVER_NAME))
		return HS_NEXT;
	if (!cur_vec(&data, &list, 2, 1, 65535) || !cur_empty(&data) || !cur_u8(&list, &type) ||
	    type != HOST_NAME_TYPE || !cur_vec(&list, &name, 2, 1, 65535) || !cur_empty(&list))
		return malformed(c, "server_name");
	if (name.len > TLS_NAME_MAX)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server_name of %zu bytes", name.len);
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] <= ' ' || name.p[i] > '~')
			return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server_name is no host name");
	memcpy(c->server_name, name.p, name.len);
	c->server_name[name.len] = 0;
	return HS_NEXT;
}

/* Without a certificate there must be a pre-shared key: suites that none goes with are passed over. */
static enum hs choose_suite(struct tls_conn *c, const struct client_hello *ch)
{
	const struct tls_config *config = c->params.config;
	bool offered = false;

	for (size_t i = 0; i < config->num_suites; i++) {
		const struct suite *suite = suite_find(config->suites[i]);

		if (!cur_has_u16(ch->suites, suite->id))
			continue;
		offered = true;
		if (!psk_choose(c, &ch->psk, suite) && !config->num_identities)
			continue;
		c->suite = suite;
		return HS_NEXT;
	}
	return hs_refuse(c, ALERT_HANDSHAKE_FAILURE, "client offers no %s of ours",
			 offered ? "pre-shared key" : "cipher suite");
}

static bool has_name(struct cursor list, struct cursor name)
{
	struct cursor x;

	while (cur_vec(&list, &x, 1, 1, 255))
		if (x.len == name.len && !memcmp(x.p, name.p, x.len))
			return true;
	return false;
}

/* RFC 7301 3.2. */
static enum hs choose_alpn(struct tls_conn *c, const struct client_hello *ch)
{
	struct cursor data = ch->exts.data[EXT_ALPN], own = { c->params.alpn, c->params.alpn_len }, list, rest, name;

	if (!ext_has(&ch->exts, EXT_ALPN))
		return HS_NEXT;
	if (!cur_vec(&data, &list, 2, 2, 65535) || !cur_empty(&data))
		return malformed(c, "application_layer_protocol_negotiation");
	for (rest = list; !cur_empty(&rest);)
		if (!cur_vec(&rest, &name, 1, 1, 255))
			return malformed(c, "application_layer_protocol_negotiation");
	if (cur_empty(&own))
		return HS_NEXT;
	while (cur_vec(&own, &name, 1, 1, 255)) {
		if (!has_name(list, name))
			continue;
		c->alpn = name.p;
		c->alpn_len = (uint8_t)name.len;
		return HS_NEXT;
	}
	return hs_refuse(c, ALERT_NO_APPLICATION_PROTOCOL, "client offers no application protocol of ours");
}

/* 4.4.2.2. */
static enum hs choose_identity(struct tls_conn *c, const struct client_hello *ch)
{
	if (schemes_choose(c, &ch->exts, false))
		return HS_NEXT;
	return hs_refuse(c, ALERT_HANDSHAKE_FAILURE, "client offers no signature scheme for our certificates");
}

/* ---- key_share, 4.2.8 ---- */

/* The place of @group in our own order of preference, num_groups if it is not ours. */
static size_t rank(const struct tls_config *config, uint16_t group)
{
	size_t i = 0;

	while (i < config->num_groups && config->groups[i] != group)
		i++;
	return i;
}

/*
 * Reads all shares, so that a wrong one is refused whether we want it or not; only those of groups we know can be
 * judged.
 * @best: out: the share of the group that we like best, if @kem is not NULL then
 */
static enum hs read_shares(struct tls_conn *c, const struct client_hello *ch, const struct kem **kem,
			   struct cursor *best)
{
	const struct tls_config *config = c->params.config;
	struct cursor data = ch->exts.data[EXT_KEY_SHARE], list, share;
	unsigned seen = 0;
	uint16_t group;

	*kem = NULL;
	if (!cur_vec(&data, &list, 2, 0, 65535) || !cur_empty(&data))
		return malformed(c, "key_share");
	while (!cur_empty(&list)) {
		size_t i;

		if (!cur_u16(&list, &group) || !cur_vec(&list, &share, 2, 1, 65535))
			return malformed(c, "key_share");
		i = rank(config, group);
		if (i == config->num_groups)
			continue;
		if (seen >> i & 1)
			return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "two key shares of group 0x%04x", group);
		seen |= 1U << i;
		if (!cur_has_u16(ch->groups, group))
			return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "key share of group 0x%04x, which is not offered",
					 group);
		if (share.len != kem_find(group)->client_share_len)
			return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "key share of wrong length for %s",
					 kem_find(group)->name);
		if (*kem && rank(config, (*kem)->group) < i)
			continue;
		*kem = kem_find(group);
		*best = share;
	}
	return HS_NEXT;
}

/* The group offered that we like best, NULL: none. */
static const struct kem *best_group(const struct tls_conn *c, const struct client_hello *ch)
{
	for (size_t i = 0; i < c->params.config->num_groups; i++)
		if (cur_has_u16(ch->groups, c->params.config->groups[i]))
			return kem_find(c->params.config->groups[i]);
	return NULL;
}

static enum hs encaps(struct tls_conn *c, struct cursor share)
{
	int err = c->kem->encaps(c->shares[0].bytes, c->dhe, share.p);

	if (err == -ENOMEM)
		return hs_fail(c, err, ALERT_INTERNAL_ERROR, "out of memory");
	if (err)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "key share is not valid for %s", c->kem->name);
	return HS_NEXT;
}

/* 4.1.1: chooses the group, and retries where it has no share of it. */
static enum hs agree_key(struct tls_conn *c, const struct client_hello *ch)
{
	const struct kem *best = best_group(c, ch);
	struct cursor share = { 0 };

	if (read_shares(c, ch, &c->kem, &share))
		return HS_FAILED;
	if (!best)
		return hs_refuse(c, ALERT_HANDSHAKE_FAILURE, "client offers no group of ours");
	c->retry = !c->kem || (c->params.config->strict_groups && c->kem != best);
	if (!c->retry)
		return encaps(c, share);
	c->kem = best;
	return HS_NEXT;
}

/* Both ClientHellos: vectors and extensions. */
static enum hs read_hello(struct tls_conn *c, struct client_hello *ch, struct cursor *body)
{
	const struct cursor hello = *body;

	ch->fields = hello;
	if (!read_fields(ch, body))
		return malformed(c, "ClientHello");
	ch->fields.len -= body->len;
	ch->block = *body;
	if (!cur_empty(body) && ext_parse(c, &ch->exts, body, IN_CLIENT_HELLO))	/* older versions may have none */
		return HS_FAILED;
	if (!cur_empty(body))
		return hs_refuse(c, ALERT_DECODE_ERROR, "ClientHello is too long");
	return check_version(c, ch) || check_required(c, ch, ext_has(&ch->exts, EXT_PRE_SHARED_KEY)) ||
	       read_lists(c, ch) || psk_read_offer(c, &ch->psk, &ch->exts, hello) ? HS_FAILED : HS_NEXT;
}

/* Who and with what key: by the pre-shared key that was chosen, or else by a certificate, for which more must be there. */
static enum hs agree(struct tls_conn *c, const struct client_hello *ch,
		     enum hs (*key)(struct tls_conn *c, const struct client_hello *ch))
{
	if (!c->psk.chosen && (check_required(c, ch, false) || choose_identity(c, ch)))
		return HS_FAILED;
	if (!c->psk.chosen || ch->psk.mode != TLS_PSK_KE)
		return key(c, ch);
	c->kem = NULL;		/* a retry may have asked for a group before the key came */
	return HS_NEXT;
}

/*
 * 4.1.2 lets a second ClientHello differ from the first in few places only. The first may be of 20 KiB, which no
 * connection keeps, so a hash of the rest stands for it.
 */
static void digest(uint8_t *out, const struct client_hello *ch)
{
	struct hash h;

	_Static_assert(sizeof(((struct tls_conn *)0)->hello_digest) == 32, "SHA-256");
	hash_init(&h, HASH_SHA256);
	hash_update(&h, ch->fields.p, ch->fields.len);
	ext_hash_lasting(&h, ch->block);
	hash_final(&h, out);
}

enum hs client_hello_parse(struct tls_conn *c, struct cursor *body)
{
	struct client_hello ch = { 0 };

	if (read_hello(c, &ch, body) || take_server_name(c, &ch) || choose_alpn(c, &ch) || choose_suite(c, &ch) ||
	    limit_take(c, &ch.exts) || staple_take_request(c, &ch.exts) || agree(c, &ch, agree_key))
		return HS_FAILED;
	memcpy(c->random, ch.random, RANDOM_LEN);
	memcpy(c->session_id, ch.session_id.p, ch.session_id.len);
	c->session_id_len = (uint8_t)ch.session_id.len;
	c->rx.ccs_ok = true;
	c->rx.skipping = ch.psk.early;
	c->rx.early_skip = EARLY_SKIP_MAX;
	c->early_data.state = ch.psk.early ? TLS_EARLY_OFFERED : TLS_EARLY_NONE;
	c->authenticated = c->params.now_ms / 1000;
	c->psk_offered = ext_has(&ch.exts, EXT_PRE_SHARED_KEY);
	if (c->retry)
		digest(c->hello_digest, &ch);
	transcript_pick(&c->transcript, c->suite->hash);
	return HS_NEXT;
}

/* ---- the second one ---- */

/* 4.2.8: one share, of the group asked for. */
static enum hs agree_key_again(struct tls_conn *c, const struct client_hello *ch)
{
	struct cursor data = ch->exts.data[EXT_KEY_SHARE], list, share = { 0 };
	uint16_t group = 0;

	if (!cur_vec(&data, &list, 2, 0, 65535) || !cur_empty(&data) ||
	    (!cur_empty(&list) && (!cur_u16(&list, &group) || !cur_vec(&list, &share, 2, 1, 65535))))
		return malformed(c, "key_share");
	if (group != c->kem->group || !cur_empty(&list))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "second ClientHello without the one key share asked for");
	if (share.len != c->kem->client_share_len)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "key share of wrong length for %s", c->kem->name);
	return encaps(c, share);
}

/* 4.1.2. A cookie, for which we did not ask, changes nothing. */
enum hs client_hello_parse_again(struct tls_conn *c, struct cursor *body)
{
	struct client_hello ch = { 0 };
	uint8_t now[sizeof(c->hello_digest)];

	if (read_hello(c, &ch, body))
		return HS_FAILED;
	digest(now, &ch);
	if (memcmp(now, c->hello_digest, sizeof(now)))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "second ClientHello differs from the first");
	if (ext_has(&ch.exts, EXT_EARLY_DATA))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "second ClientHello with early_data");
	if (ext_has(&ch.exts, EXT_PRE_SHARED_KEY) && !c->psk_offered)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "second ClientHello with a new pre_shared_key");
	c->rx.skipping = false;
	if (!psk_choose(c, &ch.psk, c->suite) && !c->params.config->num_identities)
		return hs_refuse(c, ALERT_HANDSHAKE_FAILURE, "client offers no pre-shared key of ours");
	return agree(c, &ch, agree_key_again);
}
