/* SPDX-License-Identifier: GPL-2.0-only */
/* genl: the messages of uapi/tlshd_genl.h. */
#ifndef _TLSHD_GENL_H
#define _TLSHD_GENL_H

#include <linux/types.h>

struct net;

int tlshd_genl_init(void);
void tlshd_genl_exit(void);
int tlshd_genl_ready(struct net *net, u32 portid);

#endif
