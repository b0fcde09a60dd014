/* SPDX-License-Identifier: MIT */
/* policy: the engine's configuration that a connection's options ask for. */
#ifndef BOGO_POLICY_H
#define BOGO_POLICY_H

#include "tests/bogo/options.h"

/**
 * struct policy - what a connection's configuration borrows
 * @numbers: of the credential behind each identity
 */
struct policy {
	struct tls_config config;
	struct tls_identity identities[CREDENTIALS_MAX];
	struct sig_key *keys[CREDENTIALS_MAX];
	int numbers[CREDENTIALS_MAX];
	uint8_t *chains[CREDENTIALS_MAX];
	struct x509_facts facts[CREDENTIALS_MAX];
	uint8_t alpn[TLS_ALPN_MAX];
	size_t alpn_len;
};

/* Ends the process with EXIT_UNIMPLEMENTED where there is no such configuration. */
void policy_load(struct policy *p, const struct options *opt);
void policy_free(struct policy *p);

/* A whole file, terminated; malloc'd. Ends the process where it cannot be read. */
char *policy_slurp(const char *path, size_t *len);

#endif
