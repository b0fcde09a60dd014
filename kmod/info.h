/* SPDX-License-Identifier: GPL-2.0-only */
/* info: TLSHD_INFO. */
#ifndef _TLSHD_INFO_H
#define _TLSHD_INFO_H

#include <linux/compiler_types.h>

struct sock;

int tlshd_info_get(struct sock *sk, void __user *optval, int *optlen);

#endif
