/* SPDX-License-Identifier: MIT */
/*
 * supervisor: the process that the administrator starts. It reads the configuration, opens the files, registers with
 * the module, starts the signer and the worker, and starts them again when they die. It parses no byte of a peer.
 */
#ifndef TLSHD_SUPERVISOR_H
#define TLSHD_SUPERVISOR_H

#include <stdbool.h>

/* Exit statuses of tlshd, as tlshd(8) lists them */
#define EXIT_STATUS_CONFIG	2
#define EXIT_STATUS_NO_MODULE	3

/**
 * supervisor_main() - run until SIGTERM or SIGINT
 * @file: the configuration
 * @check_only: check it, keys included, and stop; needs neither module nor privilege beyond reading the files
 *
 * Return: the exit status.
 */
int supervisor_main(const char *file, bool check_only);

#endif
