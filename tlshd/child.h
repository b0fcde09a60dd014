/* SPDX-License-Identifier: MIT */
/* child: what the worker and the signer do alike when they begin: find their descriptors, protect their memory. */
#ifndef TLSHD_CHILD_H
#define TLSHD_CHILD_H

#include <stdint.h>

#include "image.h"

/**
 * child_begin() - first call of a re-executed process
 * @role: for the log
 * @im: out: the configuration
 * @arg: out: of the supervisor's CTL_START
 *
 * Dies with the supervisor, is not dumpable (no core, no ptrace, no /proc/PID/mem for others of its uid), holds its
 * memory out of swap where the limit permits, has the crypto libraries ready.
 * Return: 0, or -errno after a line in the log; -EINVAL: not started by a supervisor.
 */
int child_begin(const char *role, const struct image **im, uint32_t *arg) __attribute__((warn_unused_result));

#endif
