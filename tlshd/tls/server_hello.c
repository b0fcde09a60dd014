// SPDX-License-Identifier: MIT
/* server_hello: what a client makes of a ServerHello or HelloRetryRequest. RFC 8446 sections 4.1.3 and 4.1.4. */
#include "server_hello.h"

#include <errno.h>

#include "ext.h"
#include "offer.h"

struct server_hello {
	uint16_t version, suite;
	uint8_t compression;
	const uint8_t *random;
	struct cursor session_id;
	struct ext_block exts;
};

/* The fields before the extensions. */
static bool read_fields(struct server_hello *sh, struct cursor *body)
{
	return cur_u16(body, &sh->version) && cur_bytes(body, &sh->random, RANDOM_LEN) &&
	       cur_vec(body, &sh->session_id, 1, 0, SESSION_ID_MAX) && cur_u16(body, &sh->suite) &&
	       cur_u8(body, &sh->compression);
}

static bool is_retry(const struct server_hello *sh)
{
	return !memcmp(sh->random, hs_retry_random, RANDOM_LEN);
}

/* A server that chose an older version may have been tricked into it: 4.1.3. */
static enum hs refuse_old_version(struct tls_conn *c, const struct server_hello *sh)
{
	static const char sentinel[7] = "DOWNGRD";
	const uint8_t *end = sh->random + RANDOM_LEN - 8;

	if (c->retry)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose version 0x%04x after TLS 1.3", sh->version);
	if (!memcmp(end, sentinel, sizeof(sentinel)) && end[7] <= 1)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server says that something downgraded the connection");
	return hs_refuse(c, ALERT_PROTOCOL_VERSION, "server chose version 0x%04x, not TLS 1.3", sh->version);
}

static enum hs check_version(struct tls_conn *c, struct server_hello *sh)
{
	struct cursor data = sh->exts.data[EXT_SUPPORTED_VERSIONS];
	uint16_t version;

	if (!cur_u16(&data, &version) || !cur_empty(&data))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed supported_versions");
	if (version != VERSION_TLS13)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose version 0x%04x, which was not offered",
				 version);
	if (sh->version != VERSION_LEGACY)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "ServerHello with legacy_version 0x%04x", sh->version);
	return HS_NEXT;
}

static enum hs check_echo(struct tls_conn *c, const struct server_hello *sh)
{
	if (sh->session_id.len != c->session_id_len || memcmp(sh->session_id.p, c->session_id, c->session_id_len))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server did not echo the session id");
	if (sh->compression)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose a compression method");
	return HS_NEXT;
}

static enum hs choose_suite(struct tls_conn *c, const struct server_hello *sh)
{
	const struct tls_config *config = c->params.config;

	for (size_t i = 0; i < config->num_suites && !c->suite; i++)
		if (config->suites[i] == sh->suite && offer_fits_suite(c, suite_find(sh->suite)))
			c->suite = suite_find(sh->suite);
	if (!c->suite)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose suite 0x%04x, which was not offered",
				 sh->suite);
	if (c->suite->id != sh->suite)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose suite 0x%04x after 0x%04x", sh->suite,
				 c->suite->id);
	return HS_NEXT;
}

static const struct key_share *find_share(const struct tls_conn *c, uint16_t group)
{
	for (size_t i = 0; i < c->num_shares; i++)
		if (c->shares[i].kem->group == group)
			return &c->shares[i];
	return NULL;
}

/* 4.2.11. An external key is all that this client has to know its server by. */
static enum hs agree_psk(struct tls_conn *c, const struct server_hello *sh)
{
	if (ext_has(&sh->exts, EXT_PRE_SHARED_KEY))
		return offer_take_key(c, sh->exts.data[EXT_PRE_SHARED_KEY]);
	if (c->psk.external)
		return hs_fail(c, -EKEYREJECTED, ALERT_HANDSHAKE_FAILURE, "server does not take the pre-shared key");
	return HS_NEXT;
}

static enum hs agree_key(struct tls_conn *c, const struct server_hello *sh)
{
	struct cursor data = sh->exts.data[EXT_KEY_SHARE], share;
	uint8_t modes = c->params.config->psk_modes;
	const struct key_share *own;
	uint16_t group;
	int err;

	if (!ext_has(&sh->exts, EXT_KEY_SHARE))
		return c->psk.chosen && modes & TLS_PSK_KE ? HS_NEXT :
			hs_refuse(c, c->psk.chosen ? ALERT_ILLEGAL_PARAMETER : ALERT_MISSING_EXTENSION,	/* 4.2.11 */
				  "ServerHello without key_share");
	if (c->psk.chosen && !(modes & TLS_PSK_DHE_KE))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose a key exchange mode that was not offered");
	if (!cur_u16(&data, &group) || !cur_vec(&data, &share, 2, 1, 65535) || !cur_empty(&data))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed key_share");
	own = find_share(c, group);
	if (!own)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server chose group 0x%04x, of which no share was sent",
				 group);
	c->kem = own->kem;
	if (share.len != c->kem->server_share_len)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "key share of wrong length for %s", c->kem->name);
	err = c->kem->decaps(c->dhe, own->priv, share.p);
	if (err == -ENOMEM)
		return hs_fail(c, err, ALERT_INTERNAL_ERROR, "out of memory");
	if (err)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "key share is not valid for %s", c->kem->name);
	return HS_NEXT;
}

/* What a ServerHello and a HelloRetryRequest have in common. */
static enum hs read_hello(struct tls_conn *c, struct server_hello *sh, struct cursor *body, enum ext_place place)
{
	if (!read_fields(sh, body))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed ServerHello");
	if (place == IN_SERVER_HELLO && is_retry(sh))
		return hs_refuse(c, ALERT_UNEXPECTED_MESSAGE, "a second HelloRetryRequest");
	/* In older versions other extensions belong here, or none. */
	if (place == IN_SERVER_HELLO && (cur_empty(body) || !ext_offered(*body, EXT_SUPPORTED_VERSIONS)))
		return refuse_old_version(c, sh);
	if (ext_parse(c, &sh->exts, body, place))
		return HS_FAILED;
	if (!cur_empty(body))
		return hs_refuse(c, ALERT_DECODE_ERROR, "ServerHello is too long");
	if (!ext_has(&sh->exts, EXT_SUPPORTED_VERSIONS))
		return hs_refuse(c, ALERT_MISSING_EXTENSION, "HelloRetryRequest without supported_versions");
	if (check_version(c, sh) || check_echo(c, sh) || choose_suite(c, sh))
		return HS_FAILED;
	transcript_pick(&c->transcript, c->suite->hash);
	return HS_NEXT;
}

enum hs server_hello_parse(struct tls_conn *c, struct cursor *body)
{
	struct server_hello sh;

	if (read_hello(c, &sh, body, IN_SERVER_HELLO))
		return HS_FAILED;
	return agree_psk(c, &sh) || agree_key(c, &sh) ? HS_FAILED : HS_NEXT;
}

static bool offers_group(const struct tls_config *config, uint16_t group)
{
	for (size_t i = 0; i < config->num_groups; i++)
		if (config->groups[i] == group)
			return true;
	return false;
}

/* 4.2.8: the group that the server wants a share of instead of those sent. */
static enum hs take_group(struct tls_conn *c, struct cursor data)
{
	uint16_t group;

	if (!cur_u16(&data, &group) || !cur_empty(&data))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed key_share");
	if (!offers_group(c->params.config, group))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server asks for group 0x%04x, which was not offered",
				 group);
	if (find_share(c, group))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "server asks for group 0x%04x, whose share was sent",
				 group);
	wipe(c->shares, sizeof(c->shares));
	c->num_shares = 0;
	client_add_share(c, group);
	return HS_NEXT;
}

static enum hs take_cookie(struct tls_conn *c, struct cursor data)
{
	struct cursor cookie;

	if (!cur_vec(&data, &cookie, 2, 1, 65535) || !cur_empty(&data))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed cookie");
	if (cookie.len > COOKIE_MAX)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "cookie of %zu bytes is over the limit", cookie.len);
	memcpy(c->cookie, cookie.p, cookie.len);
	c->cookie_len = (uint16_t)cookie.len;
	return HS_NEXT;
}

/* 4.1.4. */
enum hs server_hello_parse_retry(struct tls_conn *c, struct cursor *body)
{
	struct server_hello sh;
	const struct cursor *data = sh.exts.data;

	if (read_hello(c, &sh, body, IN_HELLO_RETRY_REQUEST))
		return HS_FAILED;
	if (!ext_has(&sh.exts, EXT_KEY_SHARE) && !ext_has(&sh.exts, EXT_COOKIE))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "HelloRetryRequest that changes nothing");
	if ((ext_has(&sh.exts, EXT_KEY_SHARE) && take_group(c, data[EXT_KEY_SHARE])) ||
	    (ext_has(&sh.exts, EXT_COOKIE) && take_cookie(c, data[EXT_COOKIE])))
		return HS_FAILED;
	transcript_retry(&c->transcript);
	c->retry = true;
	c->tx.ccs_due = c->session_id_len > 0 && !c->tx.ccs_sent;
	c->tx.protected = false;	/* no more early data */
	offer_choose_again(c);
	return HS_NEXT;
}

bool server_hello_is_retry(struct cursor body)
{
	struct server_hello sh;

	return read_fields(&sh, &body) && is_retry(&sh);
}
