// SPDX-License-Identifier: MIT
#include "tests/bogo/options.h"
#include "tlshd/tls/proto.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind {
	SWITCH, NUMBER, TEXT, LIST, BLOB,	/* where it goes is .at */
	PREFS, CRED_TEXT, CRED_BLOB, CRED_SWITCH,	/* likewise, in the last credential */
	CREDENTIAL,
	NOTHING, NOTHING_TEXT,			/* so here in any case, no matter of TLS 1.3, or a callback that only listens */
	MISSING, MISSING_TEXT,			/* not here; .what it is */
};

#define AT(field) .at = offsetof(struct options, field)
#define CRED(field) .at = offsetof(struct credential, field)
#define OLDER .what = "older versions"
#define ECH .what = "Encrypted ClientHello"
#define SCT .what = "signed certificate timestamps"
#define REVERIFY .what = "certificates verified again at a resumption"
#define GREASE .what = "GREASE and shuffled extensions of our own"
#define COMPLIANCE .what = "compliance policies of BoringSSL's"
#define DELEGATED .what = "delegated credentials (RFC 9345)"
#define IMPORTED .what = "imported keys (RFC 9258)"
#define RAW_KEYS .what = "raw public keys (RFC 7250)"
#define PAKE .what = "password-authenticated key exchange"
#define HINTS .what = "handshakes split in two processes"
#define CALLBACK .what = "callbacks that may fail"

static const struct flag {
	const char *name;
	enum kind kind;
	size_t at;
	const char *what;
} flags[] = {
	{ "-port", NUMBER, AT(port) },
	{ "-shim-id", TEXT, AT(shim_id) },
	{ "-ipv6", SWITCH, AT(ipv6) },
	{ "-server", SWITCH, AT(server) },
	{ "-resume-count", NUMBER, AT(resume_count) },
	{ "-resumption-delay", NUMBER, AT(delay) },
	{ "-is-handshaker-supported", SWITCH, AT(handshaker_supported) },
	{ "-async", SWITCH, AT(async) },

	/* what is said */
	{ "-shim-writes-first", SWITCH, AT(writes_first) },
	{ "-shim-initial-write", TEXT, AT(greeting) },
	{ "-repeat-shim-initial-write", NUMBER, AT(greetings) },
	{ "-shim-shuts-down", SWITCH, AT(shuts_down) },
	{ "-check-close-notify", SWITCH, AT(check_close) },
	{ "-key-update", SWITCH, AT(key_update) },
	{ "-send-alert", SWITCH, AT(send_alert) },
	{ "-write-different-record-sizes", SWITCH, AT(record_sizes) },
	{ "-read-size", NUMBER, AT(read_size) },
	{ "-peek-then-read", SWITCH, AT(peek) },
	{ "-export-traffic-secrets", SWITCH, AT(traffic_secrets) },
	{ "-export-keying-material", NUMBER, AT(export_len) },
	{ "-export-label", TEXT, AT(export_label) },
	{ "-export-context", TEXT, AT(export_context) },

	/* certificates */
	{ "-cert-file", CRED_TEXT, CRED(cert) },
	{ "-key-file", CRED_TEXT, CRED(key) },
	{ "-signing-prefs", PREFS, CRED(prefs) },
	{ "-ocsp-response", CRED_BLOB, CRED(ocsp) },
	{ "-must-match-issuer", CRED_SWITCH, CRED(match_issuer) },
	{ "-new-x509-credential", CREDENTIAL },
	{ "-trust-cert", TEXT, AT(trust) },
	{ "-verify-peer", SWITCH, AT(verify_peer) },
	{ "-verify-fail", SWITCH, AT(verify_fail) },
	{ "-verify-prefs", LIST, AT(verify_prefs) },
	{ "-use-custom-verify-callback", SWITCH, AT(custom_verify) },
	{ "-require-any-client-certificate", SWITCH, AT(require_certificate) },
	{ "-use-client-ca-list", TEXT, AT(ca_list) },
	{ "-enable-ocsp-stapling", SWITCH, AT(ocsp) },
	{ "-use-ocsp-callback", SWITCH, AT(ocsp_callback) },
	{ "-decline-ocsp-callback", SWITCH, AT(ocsp_decline) },
	{ "-fail-ocsp-callback", SWITCH, AT(ocsp_fail) },

	/* what is offered */
	{ "-min-version", NUMBER, AT(min_version) },
	{ "-max-version", NUMBER, AT(max_version) },
	{ "-no-tls12", SWITCH, AT(only_tls13) },
	{ "-curves", LIST, AT(groups) },
	{ "-key-shares", LIST, AT(shares) },
	{ "-fips-202205", SWITCH, AT(fips) },
	{ "-wpa-202304", SWITCH, AT(wpa) },
	{ "-host-name", TEXT, AT(host_name) },
	{ "-advertise-alpn", TEXT, AT(advertise_alpn) },
	{ "-select-alpn", TEXT, AT(select_alpn) },
	{ "-reject-alpn", SWITCH, AT(reject_alpn) },
	{ "-decline-alpn", SWITCH, AT(decline_alpn) },
	{ "-no-ticket", SWITCH, AT(no_ticket) },
	{ "-skip-ticket", SWITCH, AT(skip_ticket) },
	{ "-enable-early-data", SWITCH, AT(early_data) },

	/* what must come of it */
	{ "-expect-version", NUMBER, AT(expect_version) },
	{ "-expect-curve-id", NUMBER, AT(expect_group) },
	{ "-expect-cipher", NUMBER, AT(expect_suite) },
	{ "-expect-cipher-aes", NUMBER, AT(expect_suite) },
	{ "-expect-peer-signature-algorithm", NUMBER, AT(expect_scheme) },
	{ "-expect-selected-credential", NUMBER, AT(expect_credential) },
	{ "-expect-alpn", TEXT, AT(expect_alpn) },
	{ "-expect-server-name", TEXT, AT(expect_server_name) },
	{ "-expect-hrr", SWITCH, AT(expect_hrr) },
	{ "-expect-no-hrr", SWITCH, AT(expect_no_hrr) },
	{ "-expect-session-miss", SWITCH, AT(expect_miss) },
	{ "-expect-no-session", SWITCH, AT(expect_no_session) },
	{ "-expect-ticket-supports-early-data", SWITCH, AT(expect_early_ticket) },
	{ "-expect-accept-early-data", SWITCH, AT(expect_accepted) },
	{ "-expect-reject-early-data", SWITCH, AT(expect_rejected) },
	{ "-expect-no-offer-early-data", SWITCH, AT(expect_not_offered) },
	{ "-expect-early-data-reason", TEXT, AT(expect_early_reason) },
	{ "-expect-ticket-age-skew", NUMBER, AT(expect_skew) },
	{ "-expect-ocsp-response", BLOB, AT(expect_ocsp) },
	{ "-expect-peer-cert-file", TEXT, AT(expect_peer_cert) },
	{ "-expect-no-peer-cert", SWITCH, AT(expect_no_peer_cert) },

	{ "-use-export-context", NOTHING },
	{ "-implicit-handshake", NOTHING },
	{ "-no-op-extra-handshake", NOTHING },
	{ "-handshake-never-done", NOTHING },
	{ "-no-tls1", NOTHING },
	{ "-no-tls11", NOTHING },
	{ "-cipher", NOTHING_TEXT },
	{ "-expect-cipher-no-aes", NOTHING_TEXT },
	{ "-expect-verify-result", NOTHING },
	{ "-expect-advertised-alpn", NOTHING_TEXT },
	{ "-expect-no-session-id", NOTHING },
	{ "-expect-msg-callback", NOTHING_TEXT },
	{ "-expect-extended-master-secret", NOTHING },
	{ "-enforce-rsa-key-usage", NOTHING },
	{ "-set-ocsp-in-callback", NOTHING },
	{ "-use-early-callback", NOTHING },
	{ "-use-ticket-callback", NOTHING },
	{ "-use-ticket-aead-callback", NOTHING },
	{ "-renew-ticket", NOTHING },
	{ "-use-old-client-cert-callback", NOTHING },
	{ "-install-ddos-callback", NOTHING },
	{ "-server-preference", NOTHING },

	{ "-dtls", MISSING, .what = "DTLS" },
	{ "-no-tls13", MISSING, OLDER },
	{ "-psk", MISSING_TEXT, OLDER },
	{ "-psk-identity", MISSING_TEXT, OLDER },
	{ "-tls-unique", MISSING, OLDER },
	{ "-fallback-scsv", MISSING, OLDER },
	{ "-expect-ticket-renewal", MISSING, OLDER },
	{ "-expect-session-id", MISSING, OLDER },
	{ "-expect-certificate-types", MISSING_TEXT, OLDER },
	{ "-expect-secure-renegotiation", MISSING, OLDER },
	{ "-renegotiate-once", MISSING, OLDER },
	{ "-renegotiate-freely", MISSING, OLDER },
	{ "-renegotiate-ignore", MISSING, OLDER },
	{ "-renegotiate-explicit", MISSING, OLDER },
	{ "-no-legacy-server-connect", MISSING, OLDER },
	{ "-advertise-npn", MISSING_TEXT, OLDER },
	{ "-select-next-proto", MISSING_TEXT, OLDER },
	{ "-retain-only-sha256-client-cert", MISSING, .what = "sessions that keep only a digest of the certificate" },
	{ "-jdk11-workaround", MISSING, .what = "a fallback to TLS 1.2 for a JDK" },
	{ "-reverify-on-resume", MISSING, REVERIFY },
	{ "-enable-ech-grease", MISSING, ECH },
	{ "-ech-config-list", MISSING_TEXT, ECH },
	{ "-ech-server-config", MISSING_TEXT, ECH },
	{ "-enable-signed-cert-timestamps", MISSING, SCT },
	{ "-signed-cert-timestamps", MISSING_TEXT, SCT },
	{ "-enable-grease", MISSING, GREASE },
	{ "-permute-extensions", MISSING, GREASE },
	{ "-cnsa-202407", MISSING, COMPLIANCE },
	{ "-cnsa1-202603", MISSING, COMPLIANCE },
	{ "-cnsa2-202603", MISSING, COMPLIANCE },
	{ "-new-delegated-credential", MISSING, DELEGATED },
	{ "-delegated-credential", MISSING_TEXT, DELEGATED },
	{ "-new-psk-credential", MISSING, IMPORTED },
	{ "-new-rpk-credential", MISSING, RAW_KEYS },
	{ "-accepted-peer-cert-types", MISSING_TEXT, RAW_KEYS },
	{ "-available-client-cert-types", MISSING_TEXT, RAW_KEYS },
	{ "-expect-peer-certificate-type", MISSING_TEXT, RAW_KEYS },
	{ "-new-spake2plusv1-credential", MISSING, PAKE },
	{ "-allow-hint-mismatch", MISSING_TEXT, HINTS },
	{ "-fail-cert-callback", MISSING, CALLBACK },
	{ "-fail-early-callback", MISSING, CALLBACK },
	{ "-fail-early-callback-ech-rewind", MISSING, CALLBACK },
	{ "-fail-ddos-callback", MISSING, CALLBACK },
	{ "-application-settings", MISSING_TEXT, .what = "ALPS, an extension of BoringSSL's own" },
	{ "-cert-properties", MISSING_TEXT, .what = "trust anchor negotiation" },
	{ "-server-supports-padding", MISSING, .what = "padding at the peer's request" },
	{ "-request-server-padding", MISSING_TEXT, .what = "padding at the peer's request" },
	{ "-resumption-across-names-enabled", MISSING, .what = "resumption across names" },
	{ "-expect-resumable-across-names", MISSING, .what = "resumption across names" },
	{ "-expect-not-resumable-across-names", MISSING, .what = "resumption across names" },
	{ "-server-supported-groups-hint", MISSING_TEXT, .what = "groups of the server known beforehand" },
	{ "-no-key-shares", MISSING, .what = "a ClientHello without a key share" },
	{ "-ticket-key", MISSING_TEXT, .what = "tickets in BoringSSL's form" },
	{ "-max-send-fragment", MISSING_TEXT, .what = "a limit on our records by configuration" },
	{ "-ignore-rsa-key-usage", MISSING, .what = "key usages that are looked over" },
	{ "-max-cert-list", MISSING_TEXT, .what = "a limit on certificates by configuration" },
	{ "-read-with-unfinished-write", MISSING, .what = "reading while a write hangs" },
	{ "-early-write-after-message", MISSING_TEXT, .what = "early data behind the ClientHello's flight" },
	{ "-expect-client-ca-list", MISSING_TEXT, .what = "the peer's list of authorities told to an application" },
	{ "-expect-peer-verify-pref", MISSING_TEXT, .what = "the peer's list of schemes told to an application" },
	{ "-allow-unknown-alpn-protos", MISSING, .what = "an application protocol that was not offered" },
	{ "-select-empty-alpn", MISSING, .what = "an application protocol of no name" },
	{ "-no-server-name-ack", MISSING, .what = "server_name without its acknowledgement" },
	{ "-curves-flags", MISSING_TEXT, .what = "groups of equal preference" },
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

static bool takes_text(enum kind kind)
{
	return kind != SWITCH && kind != CRED_SWITCH && kind != CREDENTIAL && kind != NOTHING && kind != MISSING;
}

static void add(struct list *list, const char *arg)
{
	if (list->num == PREFS_MAX)
		options_unimplemented("so long a list");
	list->ids[list->num++] = (uint16_t)atoi(arg);
}

static void add_credential(struct options *opt)
{
	if (opt->num_credentials == CREDENTIALS_MAX)
		options_unimplemented("so many certificates");
	opt->num_credentials++;
}

static void set(struct options *opt, const struct flag *flag, const char *arg, struct blob blob)
{
	void *to = (char *)opt + flag->at;

	if (flag->kind >= PREFS && flag->kind <= CRED_SWITCH)
		to = (char *)&opt->credentials[opt->num_credentials - 1] + flag->at;
	switch (flag->kind) {
	case SWITCH:
	case CRED_SWITCH:
		*(bool *)to = true;
		break;
	case NUMBER:
		*(long *)to = strtol(arg, NULL, 10);
		break;
	case TEXT:
	case CRED_TEXT:
		*(const char **)to = arg;
		break;
	case LIST:
	case PREFS:
		add(to, arg);
		break;
	case BLOB:
	case CRED_BLOB:
		*(struct blob *)to = blob;
		break;
	case CREDENTIAL:
		add_credential(opt);
		break;
	case MISSING:
	case MISSING_TEXT:
		options_unimplemented(flag->what);
	case NOTHING:
	case NOTHING_TEXT:
		break;
	}
}

/* In place: base64 is longer. */
static struct blob decode(char *arg)
{
	struct blob blob = { (uint8_t *)arg, 0 };

	if (sodium_base642bin(blob.p, strlen(arg), arg, strlen(arg), NULL, &blob.len, NULL, sodium_base64_VARIANT_ORIGINAL))
		options_unimplemented("flag with malformed base64");
	return blob;
}

static const struct flag *find(const char *name)
{
	for (size_t f = 0; f < sizeof(flags) / sizeof(*flags); f++)
		if (!strcmp(flags[f].name, name))
			return &flags[f];
	options_unimplemented(name);
}

/* Versions other than 1.3 are not here. */
static void check(const struct options *opt)
{
	if (opt->export_len > EXPORT_MAX)
		options_unimplemented("so much keying material");
	if (opt->min_version > VERSION_TLS13 || (opt->max_version && opt->max_version < VERSION_TLS13) ||
	    (opt->expect_version && opt->expect_version != VERSION_TLS13))
		options_unimplemented("older versions");
}

static bool cut(const char **name, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(*name, prefix, len) || (*name)[len] != '-')
		return false;
	*name += len;
	return true;
}

/* Which stages a flag is for, of those from @first to @last; @name is then without its prefix. */
static void find_stages(const char **name, size_t *first, size_t *last)
{
	static const char *const stages[NUM_STAGES] = { "-on-initial", "-on-resume", "-on-retry" };

	if (cut(name, "-on-handshaker"))
		options_unimplemented("handshakes split in two processes");
	cut(name, "-on-shim");
	for (size_t s = 0; s < NUM_STAGES; s++)
		if (cut(name, stages[s]))
			*first = *last = s;
}

static void init(struct options *opt)
{
	memset(opt, 0, sizeof(*opt));
	opt->num_credentials = 1;
	opt->greeting = "hello";
	opt->greetings = 1;
	opt->expect_credential = ANY_CREDENTIAL;
}

void options_parse(struct options opt[NUM_STAGES], int argc, char **argv)
{
	for (size_t s = 0; s < NUM_STAGES; s++)
		init(&opt[s]);
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i];
		const struct flag *flag;
		size_t first = 0, last = NUM_STAGES - 1;
		struct blob blob = { 0 };
		char *arg = NULL;

		find_stages(&name, &first, &last);
		flag = find(name);
		if (takes_text(flag->kind) && ++i == argc)
			options_unimplemented("flag without its argument");
		if (takes_text(flag->kind))
			arg = argv[i];
		if (flag->kind == BLOB || flag->kind == CRED_BLOB)
			blob = decode(arg);
		for (size_t s = first; s <= last; s++)
			set(&opt[s], flag, arg, blob);
	}
	for (size_t s = 0; s < NUM_STAGES; s++)
		check(&opt[s]);
}
