/* SPDX-License-Identifier: MIT */
/* options: the runner's flags that the shim understands. */
#ifndef BOGO_OPTIONS_H
#define BOGO_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tlshd/tls/tls.h"

#define EXPORT_MAX	4096
#define CREDENTIALS_MAX	4
#define PREFS_MAX	32
#define ANY_CREDENTIAL	(-2)

enum exit_status { EXIT_PASS = 0, EXIT_FAIL = 1, EXIT_UNIMPLEMENTED = 89 };

/* A flag may be for the first connection, for the others, or for what becomes of one whose early data was refused. */
enum stage { INITIAL, RESUMED, RETRIED, NUM_STAGES };

struct list {
	uint16_t ids[PREFS_MAX];
	uint8_t num;
};

struct blob {
	uint8_t *p;
	size_t len;
};

/**
 * struct credential - a certificate of ours
 * @cert, @key: files
 * @prefs: signature schemes, in order of preference
 * @ocsp: to be stapled
 * @match_issuer: only for a peer that names an authority of it
 */
struct credential {
	const char *cert, *key;
	struct list prefs;
	struct blob ocsp;
	bool match_issuer;
};

/**
 * struct options - one connection, and what must come of it
 * @credentials: the first is of the flags in front of any -new-x509-credential, and counts as number -1
 * @trust: file of anchors, NULL in older runners
 * @greeting: what a side that writes first writes, @greetings times
 * @advertise_alpn: in wire form; @select_alpn: one name
 * @groups: of -curves, in order of preference; @shares: of those that one is sent of
 * @delay: seconds that go by behind the connection
 */
struct options {
	bool server, ipv6, async, peek, writes_first, shuts_down, key_update, send_alert, record_sizes;
	bool verify_peer, verify_fail, custom_verify, require_certificate, reject_alpn, decline_alpn, check_close;
	bool no_ticket, skip_ticket, early_data, ocsp, ocsp_callback, ocsp_decline, ocsp_fail;
	bool traffic_secrets, handshaker_supported, only_tls13, fips, wpa;
	bool expect_hrr, expect_no_hrr, expect_miss, expect_no_session, expect_early_ticket, expect_no_peer_cert;
	bool expect_accepted, expect_rejected, expect_not_offered;
	const char *trust, *host_name, *advertise_alpn, *select_alpn, *greeting, *ca_list;
	const char *expect_alpn, *expect_server_name, *expect_early_reason, *expect_peer_cert;
	const char *export_label, *export_context, *shim_id;
	long port, resume_count, greetings, read_size, export_len, min_version, max_version, delay;
	long expect_version, expect_group, expect_scheme, expect_suite, expect_skew, expect_credential;
	struct credential credentials[CREDENTIALS_MAX];
	uint8_t num_credentials;
	struct list groups, shares, verify_prefs;
	struct blob expect_ocsp;
};

/* Ends the process with EXIT_UNIMPLEMENTED where the flags ask for what is not here, and says for what. */
void options_parse(struct options opt[NUM_STAGES], int argc, char **argv);

_Noreturn void options_unimplemented(const char *what);

#endif
