// SPDX-License-Identifier: MIT
#include "limit.h"

void limit_put(struct tls_conn *c, struct build *b)
{
	uint16_t own = c->params.config->record_limit;
	struct vec ext;

	if (!own || (c->params.role == TLS_SERVER && !c->tx.limited))
		return;
	ext = ext_begin(c, b, EXT_RECORD_SIZE_LIMIT);
	put_u16(b, own);
	put_end(b, ext);
	if (c->params.role == TLS_SERVER)
		c->rx.limit = own;
}

/* RFC 8449 4: below 64 is an error; above what TLS 1.3 has, it may be meant for another version. */
enum hs limit_take(struct tls_conn *c, const struct ext_block *exts)
{
	struct cursor data = exts->data[EXT_RECORD_SIZE_LIMIT];
	uint16_t limit;

	if (!c->params.config->record_limit || !ext_has(exts, EXT_RECORD_SIZE_LIMIT))
		return HS_NEXT;
	if (!cur_u16(&data, &limit) || !cur_empty(&data))
		return hs_refuse(c, ALERT_DECODE_ERROR, "malformed record_size_limit");
	if (limit < RECORD_LIMIT_MIN)
		return hs_refuse(c, ALERT_ILLEGAL_PARAMETER, "record_size_limit of %u", limit);
	c->tx.limit = (limit > RECORD_LIMIT_MAX ? RECORD_LIMIT_MAX : limit) - 1;
	c->tx.limited = true;
	if (c->params.role == TLS_CLIENT)
		c->rx.limit = c->params.config->record_limit;
	return HS_NEXT;
}
