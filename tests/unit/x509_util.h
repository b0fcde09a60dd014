/* SPDX-License-Identifier: MIT */
/* A chain loaded by x509_chain_load(), and its certificates one by one. */
#ifndef X509_UTIL_H
#define X509_UTIL_H

#include "crypto_util.h"

struct loaded {
	uint8_t *list;
	struct der certs[X509_CHAIN_MAX + 1];
	size_t num;
	char err[256];
};

static inline int load_text(struct loaded *l, const char *pem, size_t len)
{
	enum sig_type type;
	size_t list_len;
	struct der leaf;
	int ret;

	memset(l, 0, sizeof(*l));
	ret = x509_chain_load(&l->list, &list_len, &leaf, &type, pem, len, l->err, sizeof(l->err));
	if (ret) {
		assert_null(l->list);
		return ret;
	}
	for (size_t at = 0; at < list_len; l->num++) {
		size_t n = (size_t)l->list[at] << 16 | (size_t)l->list[at + 1] << 8 | l->list[at + 2];

		l->certs[l->num] = (struct der){ l->list + at + 3, n };
		at += 3 + n;
		assert_int_equal(l->list[at] | l->list[at + 1], 0);
		at += 2;
		assert_true(at <= list_len);
	}
	assert_ptr_equal(leaf.p, l->certs[0].p);
	assert_int_equal(leaf.len, l->certs[0].len);
	return 0;
}

static inline void load_file(struct loaded *l, const char *file)
{
	size_t len;
	char *pem = read_cert(file, &len);

	if (load_text(l, pem, len))
		fail_msg("%s: %s", file, l->err);
	free(pem);
}

#endif
