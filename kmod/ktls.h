/* SPDX-License-Identifier: GPL-2.0-only */
/* ktls: the only file that knows struct tls_context. */
#ifndef _TLSHD_KTLS_H
#define _TLSHD_KTLS_H

#include <linux/types.h>
#include "kdf.h"

struct sock;

int tlshd_ktls_init(void);
void tlshd_ktls_exit(void);
int tlshd_ktls_set_ulp(struct sock *sk);
int tlshd_ktls_hash_len(u16 suite);
int tlshd_ktls_key_len(u16 suite);
bool tlshd_ktls_wears(u16 suite);
bool tlshd_ktls_sends(struct sock *sk, u16 suite, const struct tlshd_kdf_keys *keys, const u64 *seq);
bool tlshd_ktls_receives(struct sock *sk, u16 suite, const struct tlshd_kdf_keys *keys, u64 seq);
u64 tlshd_ktls_tx_seq(struct sock *sk);

#endif
