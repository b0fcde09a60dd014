/* SPDX-License-Identifier: MIT */
/*
 * sockopt: the application's contract (uapi/tlshd.h) in the form that the tools use it.
 */
#ifndef TOOLS_SOCKOPT_H
#define TOOLS_SOCKOPT_H

#include <stdio.h>

#include "uapi/tlshd.h"

/**
 * sockopt_request() - fill a struct tlshd_start
 * @s: out
 * @role: TLSHD_CLIENT or TLSHD_SERVER
 * @profile: section of the daemon's configuration
 * @server_name: client: name to send and to verify, or NULL
 * @alpn: comma-separated protocols, or NULL for the profile's
 *
 * Flags and timeout are zero: the caller sets what it needs.
 *
 * Return: 0, or -ENAMETOOLONG if a string does not fit its field.
 */
int sockopt_request(struct tlshd_start *s, enum tlshd_role role, const char *profile, const char *server_name,
		    const char *alpn);

/**
 * sockopt_start() - TLSHD_START
 *
 * Return: 0 if the keys are in the kernel, -EINPROGRESS if the socket does not wait, else the handshake's error as
 * uapi/tlshd.h lists them, or -ENOPROTOOPT without the kernel module.
 */
int sockopt_start(int fd, const struct tlshd_start *s);

/**
 * sockopt_start_early() - likewise with early data to send first
 * @len: at most TLSHD_EARLY_MAX
 *
 * TLSHD_INFO says whether it was accepted; if not, it is the caller's to send.
 */
int sockopt_start_early(int fd, const struct tlshd_start *s, const void *early, size_t len);

/**
 * sockopt_info() - TLSHD_INFO
 * @info: out; what an older module does not fill is zero
 *
 * Return: 0, -ENOTCONN if START was never called on @fd, or -ENOPROTOOPT without the kernel module.
 */
int sockopt_info(int fd, struct tlshd_info *info);

/**
 * sockopt_available() - is the kernel module there
 *
 * Return: 0, -ENOPROTOOPT without it, or what socket() says.
 */
int sockopt_available(void);

/* What a START error means to the person who runs the tool, or strerror()'s text where there is nothing to add. */
const char *sockopt_strerror(int err);

/* For a log: the reason in INFO if there is one, else the error in words. The text lives in @info or is constant. */
const char *sockopt_reason(const struct tlshd_info *info, int err);

/* Every field that is set, one a line, as "name: value". */
void sockopt_print_info(FILE *out, const struct tlshd_info *info);

#endif
