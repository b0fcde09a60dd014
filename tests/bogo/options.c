// SPDX-License-Identifier: MIT
#include "tests/bogo/options.h"
#include "tlshd/tls/proto.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>



enum kind { SWITCH, NUMBER, TEXT, GROUP, NOTHING, NOTHING_TEXT };

#define AT(field) offsetof(struct options, field)

/*
 * NOTHING: what it asks for is always so here, is no matter of TLS 1.3, or is what a callback hears: there is none.
 */
static const struct flag {
	const char *name;
	enum kind kind;
	size_t at;
} flags[] = {
	{ "-port", NUMBER, AT(port) },
	{ "-shim-id", TEXT, AT(shim_id) },
	{ "-ipv6", SWITCH, AT(ipv6) },
	{ "-server", SWITCH, AT(server) },
	{ "-cert-file", TEXT, AT(cert) },
	{ "-key-file", TEXT, AT(key) },
	{ "-trust-cert", TEXT, AT(trust) },
	{ "-resume-count", NUMBER, AT(resume_count) },
	{ "-is-handshaker-supported", SWITCH, AT(handshaker_supported) },
	{ "-async", SWITCH, AT(async) },
	{ "-shim-writes-first", SWITCH, AT(writes_first) },
	{ "-shim-shuts-down", SWITCH, AT(shuts_down) },
	{ "-check-close-notify", SWITCH, AT(check_close) },
	{ "-key-update", SWITCH, AT(key_update) },
	{ "-send-alert", SWITCH, AT(send_alert) },
	{ "-write-different-record-sizes", SWITCH, AT(record_sizes) },
	{ "-read-size", NUMBER, AT(read_size) },
	{ "-export-traffic-secrets", SWITCH, AT(traffic_secrets) },
	{ "-export-keying-material", NUMBER, AT(export_len) },
	{ "-export-label", TEXT, AT(export_label) },
	{ "-export-context", TEXT, AT(export_context) },
	{ "-use-export-context", NOTHING },
	{ "-min-version", NUMBER, AT(min_version) },
	{ "-max-version", NUMBER, AT(max_version) },
	{ "-curves", GROUP, 0 },
	{ "-host-name", TEXT, AT(host_name) },
	{ "-advertise-alpn", TEXT, AT(advertise_alpn) },
	{ "-select-alpn", TEXT, AT(select_alpn) },
	{ "-reject-alpn", SWITCH, AT(reject_alpn) },
	{ "-decline-alpn", SWITCH, AT(decline_alpn) },
	{ "-verify-peer", SWITCH, AT(verify_peer) },
	{ "-verify-fail", SWITCH, AT(verify_fail) },
	{ "-expect-version", NUMBER, AT(expect_version) },
	{ "-expect-curve-id", NUMBER, AT(expect_group) },
	{ "-expect-peer-signature-algorithm", NUMBER, AT(expect_scheme) },
	{ "-expect-alpn", TEXT, AT(expect_alpn) },
	{ "-expect-server-name", TEXT, AT(expect_server_name) },
	{ "-expect-no-session", SWITCH, AT(no_session) },
	{ "-implicit-handshake", NOTHING },
	{ "-no-op-extra-handshake", NOTHING },
	{ "-handshake-never-done", NOTHING },
	{ "-no-tls1", NOTHING },
	{ "-no-tls11", NOTHING },
	{ "-no-tls12", SWITCH, AT(only_tls13) },
	{ "-no-ticket", NOTHING },
	{ "-cipher", NOTHING_TEXT },
	{ "-use-custom-verify-callback", SWITCH, AT(custom_verify) },
	{ "-expect-verify-result", NOTHING },
	{ "-expect-advertised-alpn", NOTHING_TEXT },
	{ "-expect-hrr", SWITCH, AT(expect_hrr) },
	{ "-expect-no-hrr", SWITCH, AT(expect_no_hrr) },
	{ "-expect-no-session-id", NOTHING },
	{ "-expect-extended-master-secret", NOTHING },
	{ "-enforce-rsa-key-usage", NOTHING },
};

/* The runner shows nothing of such a test, so for a count by reason they are listed in a file, where one is named. */
void options_unimplemented(const char *what)
{
	const char *path = getenv("BOGO_UNIMPLEMENTED");
	FILE *list = path ? fopen(path, "a") : NULL;

	if (list) {
		fprintf(list, "%s\n", what);
		fclose(list);
	}
	exit(EXIT_UNIMPLEMENTED);
}

static void set_group(struct options *opt, const char *arg)
{
	uint16_t group = (uint16_t)atoi(arg);

	if (!kem_find(group) || opt->num_groups == TLS_GROUPS_MAX)
		options_unimplemented("group of -curves");
	opt->groups[opt->num_groups++] = group;
}

static void set(struct options *opt, const struct flag *flag, const char *arg)
{
	void *to = (char *)opt + flag->at;

	if (flag->kind == SWITCH)
		*(bool *)to = true;
	else if (flag->kind == NUMBER)
		*(unsigned long *)to = strtoul(arg, NULL, 10);
	else if (flag->kind == TEXT)
		*(const char **)to = arg;
	else if (flag->kind == GROUP)
		set_group(opt, arg);
}

/* Whoever wants a version other than 1.3, or more than one connection, wants what is not here. */
static void check(const struct options *opt)
{
	if (opt->export_len > EXPORT_MAX)
		options_unimplemented("so much keying material");
	if (opt->resume_count)
		options_unimplemented("resumption");
	if (opt->min_version > VERSION_TLS13 || (opt->max_version && opt->max_version < VERSION_TLS13) ||
	    (opt->expect_version && opt->expect_version != VERSION_TLS13))
		options_unimplemented("versions other than TLS 1.3");
	if (opt->server ? opt->verify_peer : opt->cert != NULL)
		options_unimplemented("client certificates");
}

void options_parse(struct options *opt, int argc, char **argv)
{
	static const char initial[] = "-on-initial-", shim[] = "-on-shim-";

	memset(opt, 0, sizeof(*opt));
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i], *arg = NULL;
		size_t f = 0;

		if (!strncmp(name, initial, strlen(initial)))
			name += strlen(initial) - 1;
		else if (!strncmp(name, shim, strlen(shim)))
			name += strlen(shim) - 1;
		while (f < sizeof(flags) / sizeof(*flags) && strcmp(flags[f].name, name))
			f++;
		if (f == sizeof(flags) / sizeof(*flags))
			options_unimplemented(argv[i]);
		if (flags[f].kind != SWITCH && flags[f].kind != NOTHING) {
			if (++i == argc)
				options_unimplemented("flag without its argument");
			arg = argv[i];
		}
		set(opt, &flags[f], arg);
	}
	check(opt);
}
