/* SPDX-License-Identifier: MIT */
/* options: the runner's flags that the shim understands. */
#ifndef BOGO_OPTIONS_H
#define BOGO_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tlshd/tls/tls.h"

#define EXPORT_MAX 4096

enum exit_status { EXIT_PASS = 0, EXIT_FAIL = 1, EXIT_UNIMPLEMENTED = 89 };

/**
 * struct options - one connection, and what must come of it
 * @cert, @key: files; @trust: file of anchors, NULL in older runners
 * @advertise_alpn: in wire form; @select_alpn: one name
 * @groups: of -curves, in order of preference
 */
struct options {
	bool server, ipv6, async, writes_first, shuts_down, key_update, send_alert, record_sizes;
	bool verify_peer, verify_fail, custom_verify, reject_alpn, decline_alpn, no_session, traffic_secrets, check_close;
	bool handshaker_supported, only_tls13, expect_hrr, expect_no_hrr;
	const char *cert, *key, *trust, *host_name, *advertise_alpn, *select_alpn;
	const char *expect_alpn, *expect_server_name, *export_label, *export_context;
	const char *shim_id;
	unsigned long port, resume_count, read_size, export_len, min_version, max_version;
	unsigned long expect_version, expect_group, expect_scheme;
	uint16_t groups[TLS_GROUPS_MAX];
	uint8_t num_groups;
};

/* Ends the process with EXIT_UNIMPLEMENTED where the flags ask for what is not here, and says for what. */
void options_parse(struct options *opt, int argc, char **argv);

_Noreturn void options_unimplemented(const char *what);

#endif
