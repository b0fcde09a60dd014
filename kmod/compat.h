/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between kernels 6.1, 6.12 and 7.3. No other file asks for a version. */
#ifndef _TLSHD_COMPAT_H
#define _TLSHD_COMPAT_H

#include <linux/net.h>
#include <linux/version.h>
#include <net/sock.h>

#ifndef CONFIG_TLS_DEVICE
#error "tlshd pins tls.ko by linking tls_validate_xmit_skb, which only CONFIG_TLS_DEVICE exports"
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
/* sendfile and splice reach the socket through ->sendpage, not through ->sendmsg. */
#define TLSHD_HAVE_SENDPAGE 1
#else
/* A send held back by splice's "more to come" is finished by ->splice_eof. */
#define TLSHD_HAVE_SPLICE_EOF 1
#endif

/* Bring SOL_SOCKET options through ->setsockopt. 6.1 cannot: there they pass the overlay by. */
static inline void tlshd_compat_own_sol_socket(struct socket *sock)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	set_bit(SOCK_CUSTOM_SOCKOPT, &sock->flags);
#endif
}

/* __assign_str() found its source by itself from 6.10 on. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define tlshd_assign_str(field, source) __assign_str(field)
#else
#define tlshd_assign_str(field, source) __assign_str(field, source)
#endif

#endif
