/* SPDX-License-Identifier: GPL-2.0-only */
/* kdf: traffic keys from traffic secrets, RFC 8446 section 7.3. */
#ifndef _TLSHD_KDF_H
#define _TLSHD_KDF_H

#include <linux/types.h>

#define TLSHD_KEY_MAX	32
#define TLSHD_IV_LEN	12

struct tlshd_kdf_keys {
	u8 key[TLSHD_KEY_MAX];
	u8 iv[TLSHD_IV_LEN];
};

int tlshd_kdf_init(void);
void tlshd_kdf_exit(void);
int tlshd_kdf_keys(struct tlshd_kdf_keys *keys, const u8 *secret, int hash_len, int key_len);

#endif
