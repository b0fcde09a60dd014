// SPDX-License-Identifier: MIT
#include "staple.h"

#define STATUS_TYPE_OCSP 1

void staple_put_request(struct tls_conn *c, struct build *b)
{
	struct vec ext;

	if ((!c->params.config->ocsp && !c->params.config->require_ocsp) || c->psk.external)
		return;
	ext = ext_begin(c, b, EXT_STATUS_REQUEST);
	put_u8(b, STATUS_TYPE_OCSP);
	put_u16(b, 0);		/* responder_id_list: any */
	put_u16(b, 0);		/* request_extensions */
	put_end(b, ext);
}

/* OCSPStatusRequest. */
static bool request_ok(struct cursor data)
{
	struct cursor ids, exts, id;

	if (!cur_vec(&data, &ids, 2, 0, 65535) || !cur_vec(&data, &exts, 2, 0, 65535) || !cur_empty(&data))
		return false;
	while (!cur_empty(&ids))
		if (!cur_vec(&ids, &id, 2, 1, 65535))
			return false;
	return true;
}

/* Of a client; a server's is empty. Other types of status than OCSP are none of ours. */
enum hs staple_take_request(struct tls_conn *c, const struct ext_block *exts)
{
	struct cursor data = exts->data[EXT_STATUS_REQUEST];
	uint8_t type = STATUS_TYPE_OCSP;
	bool ok;

	if (!ext_has(exts, EXT_STATUS_REQUEST))
		return HS_NEXT;
	if (c->params.role == TLS_CLIENT)
		ok = cur_empty(&data);
	else
		ok = cur_u8(&data, &type) && (type != STATUS_TYPE_OCSP || request_ok(data));
	if (!ok)
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed status_request");
	c->staple_wanted = type == STATUS_TYPE_OCSP;
	return HS_NEXT;
}

/* A response that does not fit with the chain into one message is left out: without it the peer may still be content. */
size_t staple_room(const struct tls_conn *c)
{
	size_t len = c->staple_wanted && c->identity ? c->identity->ocsp_len : 0, room = 2 + 2 + 1 + 3 + len;

	return len && c->identity->chain_len + room <= PLAINTEXT_MAX - MSG_HEADER_LEN - 4 ? room : 0;
}

void staple_put(struct tls_conn *c, struct build *b)
{
	struct vec ext = ext_begin_answer(b, EXT_STATUS_REQUEST), response;

	put_u8(b, STATUS_TYPE_OCSP);
	response = put_vec(b, 3);
	put_bytes(b, c->identity->ocsp, c->identity->ocsp_len);
	put_end(b, response);
	put_end(b, ext);
}

enum hs staple_take(struct tls_conn *c, const struct ext_block *exts, struct der *der)
{
	struct cursor data = exts->data[EXT_STATUS_REQUEST], response = { 0 };
	uint8_t type;

	if (ext_has(exts, EXT_STATUS_REQUEST) &&
	    (!cur_u8(&data, &type) || type != STATUS_TYPE_OCSP || !cur_vec(&data, &response, 3, 1, 0xffffff) ||
	     !cur_empty(&data)))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed status_request");
	*der = (struct der){ response.p, response.len };
	return HS_NEXT;
}
