/* SPDX-License-Identifier: MIT */
/*
 * image: a checked configuration as one flat, sealed memory file. The supervisor writes it; worker and signer map it
 * read-only and use it in place: no parser, no file system and no user database in a process that a peer can reach. It
 * holds certificates and policy, never a key. Offsets are bytes from its start.
 */
#ifndef TLSHD_IMAGE_H
#define TLSHD_IMAGE_H

#include "config.h"
#include "identity.h"

struct image_span {
	uint32_t off, num;	/* num: bytes, or objects of an array */
};

struct image_role {
	uint8_t present, any_user, any_group, any_name;
	struct image_span users, groups;	/* uint32_t each, ascending */
};

struct image_profile {
	char name[TLSHD_PROFILE_LEN];
	uint32_t timeout_ms;
	uint32_t num_tickets, ticket_lifetime_s, early_data;
	uint32_t first_identity, num_identities;
	uint16_t suites[TLS_SUITES_MAX], groups[TLS_GROUPS_MAX];
	uint8_t num_suites, num_groups;
	uint8_t alpn[TLS_ALPN_MAX], alpn_len;
	struct image_span trust;		/* PEM */
	struct image_role roles[2];		/* by enum tls_role */
};

/* A row's index is the key id. */
struct image_identity {
	uint32_t type;				/* enum sig_type of the certificate's key */
	uint32_t role;				/* enum tls_role: what its key may sign as */
	struct image_span chain, leaf;
	uint16_t cert_schemes[X509_CHAIN_MAX];	/* struct x509_facts */
	uint32_t num_cert_schemes;
	struct image_span issuers;
};

struct image {
	uint64_t magic;
	uint32_t size;
	uint32_t generation;			/* of the configuration; a signature is asked for under one */
	uint32_t threads, max_handshakes, log_level;
	uint32_t early_window_ms;		/* 0: no profile has early data */
	uint32_t num_profiles, num_identities;
	uint32_t profiles, identities;		/* offsets of the tables */
};

/**
 * image_build() - write a configuration into a sealed memory file
 *
 * Return: a descriptor (close-on-exec), -E2BIG over 1 GiB, -ENOMEM, or what memfd_create(2), write(2) and fcntl(2) say.
 */
int image_build(const struct config *c, const struct identities *ids, uint32_t generation)
	__attribute__((warn_unused_result));

/**
 * image_map() - map what image_build() wrote
 * @out: out: valid until the process ends, or munmap(2) of (*@out)->size bytes
 *
 * Return: 0, -EINVAL if it is none or could still be changed, or what mmap(2) says.
 */
int image_map(const struct image **out, int fd) __attribute__((warn_unused_result));

static inline const void *image_at(const struct image *im, uint32_t off)
{
	return (const char *)im + off;
}

static inline const struct image_profile *image_profiles(const struct image *im)
{
	return image_at(im, im->profiles);
}

static inline const struct image_identity *image_identities(const struct image *im)
{
	return image_at(im, im->identities);
}

#endif
