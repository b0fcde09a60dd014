/* SPDX-License-Identifier: MIT */
/* ktls: keys into the kernel, and the verdict, through a handshake socket. linux/tls.h is included by ktls.c only. */
#ifndef TLSHD_KTLS_H
#define TLSHD_KTLS_H

#include "tls/tls.h"
#include "uapi/tlshd_genl.h"

/**
 * ktls_install() - TLS_TX, then TLS_RX, once each
 * @t: borrowed; the copies made of its keys are wiped
 *
 * The order is a rule: with receiving on first, an application that reads could not tell a raw byte from data.
 * Return: 0; -EPIPE the handshake has ended meanwhile; -EOPNOTSUPP the suite is none of kTLS's; or what kTLS says.
 */
int ktls_install(int fd, const struct tls_traffic *t) __attribute__((warn_unused_result));

/**
 * ktls_open() - DONE: the keys are in, open the socket
 * @blob, @blob_len: a client's: comes back with each ticket; at most TLSHD_BLOB_MAX bytes, 0: no ticket is wanted
 * Return: 0; -EPIPE the handshake has ended meanwhile; -EPROTO the module found other keys than @t's; -EINVAL; -ENOMEM.
 */
int ktls_open(int fd, const struct tls_traffic *t, const struct tlshd_info *info, const uint8_t *blob, size_t blob_len)
	__attribute__((warn_unused_result));

/**
 * ktls_fail() - DONE: the handshake has failed
 * @info: @info->error (positive) is what START returns
 *
 * Return: 0; -EPIPE the handshake has ended meanwhile, which is as good.
 */
int ktls_fail(int fd, const struct tlshd_info *info);

#endif
