/* SPDX-License-Identifier: GPL-2.0-only */
/* start: TLSHD_START. */
#ifndef _TLSHD_START_H
#define _TLSHD_START_H

#include <linux/sockptr.h>

struct sock;

int tlshd_start(struct sock *sk, sockptr_t optval, unsigned int optlen);

#endif
