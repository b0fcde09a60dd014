/* SPDX-License-Identifier: MIT */
/*
 * names: the IANA names of the numbers that TLSHD_INFO reports. Each returns a constant string, or NULL for a number
 * that has no name here (names_auth: "unknown").
 */
#ifndef TOOLS_NAMES_H
#define TOOLS_NAMES_H

#include <stdint.h>

const char *names_state(uint32_t state);	/* enum tlshd_state */
const char *names_auth(uint16_t auth);		/* enum tlshd_auth */
const char *names_suite(uint16_t suite);	/* RFC 8446 B.4 */
const char *names_group(uint16_t group);	/* RFC 8446 4.2.7 */
const char *names_sigscheme(uint16_t scheme);	/* RFC 8446 4.2.3 */
const char *names_alert(uint16_t alert);	/* RFC 8446 6 */

#endif
