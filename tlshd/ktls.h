/* SPDX-License-Identifier: MIT */
/* ktls: keys into the kernel, and the verdict, through a handshake socket. linux/tls.h is included by ktls.c only. */
#ifndef TLSHD_KTLS_H
#define TLSHD_KTLS_H

#include <sys/types.h>

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
 * ktls_install_tx(), ktls_install_rx() - each alone, where early data comes in between
 * Return: as ktls_install().
 */
int ktls_install_tx(int fd, const struct tls_traffic *t) __attribute__((warn_unused_result));
int ktls_install_rx(int fd, const struct tls_traffic *t) __attribute__((warn_unused_result));

/**
 * ktls_begin_early() - TLSHD_EARLY: the application may read early data, and write under @t's tx keys, which are in
 * ktls_give_early() - some of it, @len bytes, TLSHD_EARLY_MAX at most
 * ktls_take_early() - a client's, of @len bytes at most. Return: its length, or as below
 *
 * Return: 0; -EPIPE the handshake has ended meanwhile; -EPROTO the module found other keys than @t's; -EMSGSIZE too
 * much; -ENODATA; -ENOMEM.
 */
int ktls_begin_early(int fd, const struct tls_traffic *t, const struct tlshd_info *info) __attribute__((warn_unused_result));
int ktls_give_early(int fd, const uint8_t *p, size_t len) __attribute__((warn_unused_result));
ssize_t ktls_take_early(int fd, uint8_t *p, size_t len) __attribute__((warn_unused_result));

/**
 * ktls_open() - DONE: the keys are in, open the socket
 * @blob, @blob_len: a client's: comes back with each ticket; at most TLSHD_BLOB_MAX bytes, 0: no ticket is wanted
 * Return: 0; -EPIPE the handshake has ended meanwhile; -EPROTO the module found other keys than @t's; -EINVAL; -ENOMEM.
 */
int ktls_open(int fd, const struct tls_traffic *t, const struct tlshd_info *info, const uint8_t *blob, size_t blob_len)
	__attribute__((warn_unused_result));

/**
 * ktls_fail() - DONE: the handshake has failed
 * @info: @info->error (positive) is what START returns; @alert: for the module to send, because TLS_TX is set, or
 *	TLSHD_ALERT_NONE
 *
 * Return: 0; -EPIPE the handshake has ended meanwhile, which is as good.
 */
int ktls_fail(int fd, const struct tlshd_info *info, uint16_t alert);

#endif
