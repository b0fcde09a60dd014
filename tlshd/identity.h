/* SPDX-License-Identifier: MIT */
/*
 * identity: the files that a configuration names, opened and checked by the supervisor. Certificates and trust anchors
 * are read; of a private key only the descriptor is taken, for the signer alone to read; of the secret for ticket keys, too.
 */
#ifndef TLSHD_IDENTITY_H
#define TLSHD_IDENTITY_H

#include "config.h"

/**
 * struct identity - one certificate chain and its key
 * @profile: index into config->profiles
 * @at: index into the profile's identities
 * @chain: certificate_list in wire form (x509_chain_load()), malloc'd
 * @leaf: points into @chain
 * @facts: of it, for peers that want to know before
 * @key_fd: the key's file, open for reading
 */
struct identity {
	size_t profile, at;
	uint8_t *chain;
	size_t chain_len;
	struct der leaf;
	struct x509_facts facts;
	enum sig_type type;
	int key_fd;
};

/**
 * struct identities - all files of a configuration
 * @v: in the order of the configuration: an index here is the key id that worker and signer speak of
 * @trust: for each profile its PEM bundle (malloc'd), NULL without one
 * @has_ticket_secret, @ticket_secret_fd: the file that ticket keys are derived from, open for reading, if there is one
 */
struct identities {
	struct identity *v;
	size_t num;
	char **trust;
	size_t *trust_len;
	size_t num_profiles;
	bool has_ticket_secret;
	int ticket_secret_fd;
};

/**
 * identities_load() - open and check every file of @c
 * @out: out: free with identities_free(); empty on failure
 * @r: every error, and warnings (expired or nearly so, key readable by others)
 * @now: seconds since the epoch
 *
 * Return: 0; -EINVAL with what was wrong in @r; -ENOMEM.
 */
int identities_load(struct identities *out, const struct config *c, struct report *r, int64_t now)
	__attribute__((warn_unused_result));
void identities_free(struct identities *ids);

#endif
