// SPDX-License-Identifier: MIT
#include "ext.h"

#define RESPONSES (IN_SERVER_HELLO | IN_HELLO_RETRY_REQUEST | IN_ENCRYPTED_EXTENSIONS | IN_CERTIFICATE)

/* RFC 8446 4.2. */
static const struct {
	uint16_t id;
	uint8_t places;
} exts[EXT_NUM] = {
	[EXT_SERVER_NAME] = { 0, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_MAX_FRAGMENT_LENGTH] = { 1, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_STATUS_REQUEST] = { 5, IN_CLIENT_HELLO | IN_CERTIFICATE_REQUEST | IN_CERTIFICATE },
	[EXT_SUPPORTED_GROUPS] = { 10, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_SIGNATURE_ALGORITHMS] = { 13, IN_CLIENT_HELLO | IN_CERTIFICATE_REQUEST },
	[EXT_USE_SRTP] = { 14, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_HEARTBEAT] = { 15, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_ALPN] = { 16, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_SIGNED_CERTIFICATE_TIMESTAMP] = { 18, IN_CLIENT_HELLO | IN_CERTIFICATE_REQUEST | IN_CERTIFICATE },
	[EXT_CLIENT_CERTIFICATE_TYPE] = { 19, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_SERVER_CERTIFICATE_TYPE] = { 20, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_PADDING] = { 21, IN_CLIENT_HELLO },
	[EXT_RECORD_SIZE_LIMIT] = { 28, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_PRE_SHARED_KEY] = { 41, IN_CLIENT_HELLO | IN_SERVER_HELLO },
	[EXT_EARLY_DATA] = { 42, IN_CLIENT_HELLO | IN_ENCRYPTED_EXTENSIONS },
	[EXT_SUPPORTED_VERSIONS] = { 43, IN_CLIENT_HELLO | IN_SERVER_HELLO | IN_HELLO_RETRY_REQUEST },
	[EXT_COOKIE] = { 44, IN_CLIENT_HELLO | IN_HELLO_RETRY_REQUEST },
	[EXT_PSK_KEY_EXCHANGE_MODES] = { 45, IN_CLIENT_HELLO },
	[EXT_CERTIFICATE_AUTHORITIES] = { 47, IN_CLIENT_HELLO | IN_CERTIFICATE_REQUEST },
	[EXT_OID_FILTERS] = { 48, IN_CERTIFICATE_REQUEST },
	[EXT_POST_HANDSHAKE_AUTH] = { 49, IN_CLIENT_HELLO },
	[EXT_SIGNATURE_ALGORITHMS_CERT] = { 50, IN_CLIENT_HELLO | IN_CERTIFICATE_REQUEST },
	[EXT_KEY_SHARE] = { 51, IN_CLIENT_HELLO | IN_SERVER_HELLO | IN_HELLO_RETRY_REQUEST },
};

_Static_assert(EXT_NUM <= 32, "a bit for each");

static enum ext find(uint16_t id)
{
	size_t i = 0;

	while (i < EXT_NUM && exts[i].id != id)
		i++;
	return (enum ext)i;
}

/* May an extension of type @id, number @e of the table or EXT_NUM, stand in @place? */
static enum hs check_place(struct tls_conn *c, uint16_t id, enum ext e, enum ext_place place)
{
	if (e != EXT_NUM && !(exts[e].places & place))
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "extension %u in a message where it does not belong", id);
	if (!(place & RESPONSES) || e == EXT_COOKIE)	/* 4.2.2: the one that comes unasked */
		return HS_NEXT;
	if (e == EXT_NUM || !(c->exts_sent >> e & 1))
		return hs_refuse(c, ALERT_UNSUPPORTED_EXTENSION, "extension %u was not asked for", id);
	return HS_NEXT;
}

/* The next of a list; false at its end, and where it does not parse: then it is not empty. */
static bool next(struct cursor *list, uint16_t *id, struct cursor *data)
{
	return cur_u16(list, id) && cur_vec(list, data, 2, 0, 65535);
}

/* The form of a whole block: pairs of type and data, no type twice (for which the RFC names no alert). */
static enum hs check_form(struct tls_conn *c, struct cursor list)
{
	uint64_t seen[65536 / 64] = { 0 }; /* a peer picks the types, so no smaller set is cheap in the worst case */
	struct cursor data;
	uint16_t id;

	while (!cur_empty(&list)) {
		if (!next(&list, &id, &data))
			return hs_refuse(c, ALERT_DECODE_ERROR, "malformed extensions");
		if (seen[id / 64] >> (id % 64) & 1)
			return hs_refuse(c, find(id) == EXT_NUM ? ALERT_DECODE_ERROR : ALERT_ILLEGAL_PARAMETER,
					 "extension %u twice", id);
		seen[id / 64] |= UINT64_C(1) << (id % 64);
	}
	return HS_NEXT;
}

/* The data of those that are judged wherever they stand, read or not. */
static bool data_ok(enum ext e, struct cursor data)
{
	struct cursor list, name;

	if (e == EXT_SIGNATURE_ALGORITHMS || e == EXT_SIGNATURE_ALGORITHMS_CERT)
		return cur_vec_u16(&data, &list, 2, 65534) && cur_empty(&data);
	if (e != EXT_CERTIFICATE_AUTHORITIES)
		return true;
	if (!cur_vec(&data, &list, 2, 3, 65535) || !cur_empty(&data))
		return false;
	while (!cur_empty(&list))
		if (!cur_vec(&list, &name, 2, 1, 65535))
			return false;
	return true;
}

enum hs ext_parse(struct tls_conn *c, struct ext_block *out, struct cursor *body, enum ext_place place)
{
	struct cursor list, data;
	uint16_t id;

	memset(out, 0, sizeof(*out));
	if (!cur_vec(body, &list, 2, 0, 65535))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed extensions");
	if (check_form(c, list))
		return HS_FAILED;
	while (next(&list, &id, &data)) {
		enum ext e = find(id);

		if (check_place(c, id, e, place))
			return HS_FAILED;
		if (e == EXT_PRE_SHARED_KEY && place == IN_CLIENT_HELLO && !cur_empty(&list))
			return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "pre_shared_key is not the last extension");
		if (e == EXT_NUM)
			continue;
		if (!data_ok(e, data))
			return hs_refuse(c, ALERT_DECODE_ERROR, "malformed extension %u", id);
		out->present |= UINT32_C(1) << e;
		out->data[e] = data;
	}
	return HS_NEXT;
}

bool ext_offered(struct cursor block, enum ext e)
{
	struct cursor list, data;
	uint16_t id;

	if (!cur_vec(&block, &list, 2, 0, 65535))
		return true;
	while (!cur_empty(&list))
		if (!next(&list, &id, &data) || id == exts[e].id)
			return true;
	return false;
}

/* 4.1.2: those that a second ClientHello may change, add or leave out. */
static bool may_change(enum ext e)
{
	return e == EXT_KEY_SHARE || e == EXT_EARLY_DATA || e == EXT_COOKIE || e == EXT_PRE_SHARED_KEY ||
	       e == EXT_PADDING;
}

/*
 * 4.2: extensions may come in any order, and wolfSSL's second ClientHello has another one than its first: so the sum of
 * their hashes. Who finds two sets of extensions with the same sum has fooled nobody: the transcript has every byte.
 */
void ext_hash_lasting(struct hash *h, struct cursor block)
{
	uint8_t sum[32] = { 0 }, one[32];
	struct cursor list = { block.p + 2, block.len - 2 }, data;	/* it has parsed: all behind the length */
	uint16_t id;

	for (const uint8_t *start = list.p; next(&list, &id, &data); start = list.p) {
		struct hash ext;

		if (may_change(find(id)))
			continue;
		hash_init(&ext, HASH_SHA256);
		hash_update(&ext, start, (size_t)(list.p - start));
		hash_final(&ext, one);
		for (size_t i = 0; i < sizeof(sum); i++)
			sum[i] ^= one[i];
	}
	hash_update(h, sum, sizeof(sum));
}

struct vec ext_begin(struct tls_conn *c, struct build *b, enum ext e)
{
	c->exts_sent |= UINT32_C(1) << e;
	return ext_begin_answer(b, e);
}

struct vec ext_begin_answer(struct build *b, enum ext e)
{
	put_u16(b, exts[e].id);
	return put_vec(b, 2);
}
