/* SPDX-License-Identifier: MIT */
/*
 * config: the configuration file as the operator wrote it, checked. Read by the supervisor only; the only file that
 * includes libconfuse is config.c. The syntax is in tlshd.conf(5).
 */
#ifndef TLSHD_CONFIG_H
#define TLSHD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"
#include "report.h"
#include "tls/tls.h"
#include "uapi/tlshd.h"

#define CONFIG_PROFILES_MAX	64
#define CONFIG_IDENTITIES_MAX	8	/* of one profile: a certificate for each kind of key, and some to spare */
#define CONFIG_THREADS_MAX	64	/* their sockets travel in one SCM_RIGHTS message */
#define CONFIG_HANDSHAKES_MAX	65536
/* As many as the module lets in, so that its limits for one user are met before ours, which all users share. */
#define CONFIG_HANDSHAKES_DEFAULT 16384
#define CONFIG_TIMEOUT_MAX	300	/* seconds */
#define CONFIG_WINDOW_DEFAULT	10	/* seconds; RFC 8446 8.3 */
#define CONFIG_WINDOW_MAX	60
#define CONFIG_EARLY_MAX	TLS_EARLY_MAX	/* bytes */
#define CONFIG_TICKETS_DEFAULT	2	/* a browser opens a second connection while the first ticket is in use */
#define CONFIG_LIFETIME_DEFAULT	(24 * 3600)
#define CONFIG_LIFETIME_MAX	(7 * 24 * 3600)	/* RFC 8446 4.6.1 */

/* Users or groups that may use a role of a profile. */
struct config_ids {
	bool any;		/* "*" */
	uint32_t *ids;
	size_t num;
};

struct config_role {
	bool present;		/* no section: closed to everybody */
	bool any_name;		/* client: TLSHD_F_ANY_NAME is permitted */
	struct config_ids users, groups;
};

/* A certificate chain and its key; lines for what is found wrong with the files later. */
struct config_identity {
	char *certificate, *key;
	int certificate_line, key_line;
};

struct config_profile {
	char name[TLSHD_PROFILE_LEN];
	int line;		/* where its section ends */
	struct config_identity identities[CONFIG_IDENTITIES_MAX];
	size_t num_identities;
	char *trust;
	int trust_line;
	uint8_t alpn[TLS_ALPN_MAX];
	size_t alpn_len;
	uint16_t suites[TLS_SUITES_MAX], groups[TLS_GROUPS_MAX];
	size_t num_suites, num_groups;
	uint32_t timeout_ms;
	uint32_t num_tickets, ticket_lifetime_s;
	uint32_t early_data;	/* bytes that tickets allow; 0: none */
	int early_data_line;
	struct config_role roles[2];	/* by enum tls_role */
};

struct config {
	uint32_t threads;	/* never 0: resolved */
	uint32_t max_handshakes;
	enum log_level log_level;
	uint32_t early_window_ms;	/* 0: no profile has early data */
	char *ticket_keys;	/* NULL: random keys */
	int ticket_keys_line;
	uint32_t ticket_interval_s, ticket_lifetime_s;	/* of the keys: never 0, resolved; the longest of a profile */
	struct config_profile *profiles;
	size_t num_profiles;
};

/**
 * config_load() - read and check a configuration file
 * @out: out: free with config_free(); NULL on failure
 * @r: every error goes there (a syntax error ends the reading); r->file is the file
 *
 * Checks all that the text and the user database can tell; the files it names are identity.c's.
 * Return: 0; -EINVAL with what was wrong in @r; -ENOMEM.
 */
int config_load(struct config **out, struct report *r) __attribute__((warn_unused_result));
void config_free(struct config *c);

#endif
