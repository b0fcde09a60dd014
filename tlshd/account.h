/* SPDX-License-Identifier: MIT */
/* account: numbers of users and groups, from names or digits. Asks the user database, so only the supervisor may. */
#ifndef TLSHD_ACCOUNT_H
#define TLSHD_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

bool account_user(const char *name, uint32_t *id);	/* false: there is none */
bool account_group(const char *name, uint32_t *id);

#endif
