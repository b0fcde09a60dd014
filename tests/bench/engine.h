/* SPDX-License-Identifier: MIT */
/* engine: the case's names as the engine's values. */
#ifndef BENCH_ENGINE_H
#define BENCH_ENGINE_H

#include <string.h>

#include "bench.h"
#include "tlshd/tls/tls.h"

static inline uint16_t case_suite(const struct bench_case *what)
{
	if (!strcmp(what->suite, "chacha"))
		return TLS_CHACHA20_POLY1305_SHA256;
	return !strcmp(what->suite, "aes256") ? TLS_AES_256_GCM_SHA384 : TLS_AES_128_GCM_SHA256;
}

static inline uint16_t case_group(const struct bench_case *what)
{
	return !strcmp(what->group, "p256") ? 0x0017 : 0x001d;
}

#endif
