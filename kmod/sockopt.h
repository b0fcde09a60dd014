/* SPDX-License-Identifier: GPL-2.0-only */
/* sockopt: the way in. Options of level IPPROTO_IP, from whom they come first: netfilter's hook, then the overlay. */
#ifndef _TLSHD_SOCKOPT_H
#define _TLSHD_SOCKOPT_H

#include <linux/sockptr.h>
#include "../uapi/tlshd_genl.h"

struct sock;

int tlshd_sockopt_init(void);
void tlshd_sockopt_exit(void);
int tlshd_sockopt_set(struct sock *sk, int optname, sockptr_t optval, unsigned int optlen);
int tlshd_sockopt_get(struct sock *sk, int optname, void __user *optval, int *optlen);

static inline bool tlshd_sockopt_is_ours(int optname)
{
	return optname >= TLSHD_START && optname <= TLSHD_EXPORT;
}

#endif
