// SPDX-License-Identifier: GPL-2.0-only
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include "early.h"
#include "info.h"
#include "sockopt.h"
#include "start.h"

/**
 * tlshd_sockopt_set() - an application's setsockopt()
 * @sk: not locked; also of sockets that are not TCP
 * @optname: TLSHD_START to TLSHD_EXPORT
 * @optval: the caller's
 * @optlen: its length
 *
 * Return: as uapi/tlshd.h says at each option.
 */
int tlshd_sockopt_set(struct sock *sk, int optname, sockptr_t optval, unsigned int optlen)
{
	switch (optname) {
	case TLSHD_START:
		return tlshd_start(sk, optval, optlen);
	case TLSHD_CONFIRM:
		return tlshd_early_confirm(sk);
	case TLSHD_REKEY:
		return -EOPNOTSUPP;
	}
	return -ENOPROTOOPT;
}

/**
 * tlshd_sockopt_get() - an application's getsockopt()
 * @sk: not locked; also of sockets that are not TCP
 * @optname: TLSHD_START to TLSHD_EXPORT
 * @optval: out
 * @optlen: in and out
 *
 * Return: as uapi/tlshd.h says at each option.
 */
int tlshd_sockopt_get(struct sock *sk, int optname, void __user *optval, int *optlen)
{
	switch (optname) {
	case TLSHD_INFO:
		return tlshd_info_get(sk, optval, optlen);
	case TLSHD_PEER_CHAIN:
	case TLSHD_EXPORT:
		return -EOPNOTSUPP;
	}
	return -ENOPROTOOPT;
}

/*
 * PF_INET serves IPv6 sockets too: their level IPPROTO_IP comes the same way. A handler keeps the module from
 * unloading.
 */
static struct nf_sockopt_ops ops = {
	.pf = PF_INET,
	.set_optmin = TLSHD_START,
	.set_optmax = TLSHD_EXPORT + 1,
	.set = tlshd_sockopt_set,
	.get_optmin = TLSHD_START,
	.get_optmax = TLSHD_EXPORT + 1,
	.get = tlshd_sockopt_get,
	.owner = THIS_MODULE,
};

/**
 * tlshd_sockopt_init() - open the way for applications
 *
 * Return: 0, or -EBUSY if somebody else has one of the numbers.
 */
int __init tlshd_sockopt_init(void)
{
	return nf_register_sockopt(&ops);
}

/**
 * tlshd_sockopt_exit() - close it
 */
void tlshd_sockopt_exit(void)
{
	nf_unregister_sockopt(&ops);
}
