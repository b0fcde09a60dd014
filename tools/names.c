// SPDX-License-Identifier: MIT
#include "names.h"

#include <stddef.h>

#include "uapi/tlshd.h"

struct name {
	uint32_t number;
	const char *text;
};

static const struct name states[] = {
	{ TLSHD_S_HANDSHAKING, "handshaking" }, { TLSHD_S_EARLY, "early" }, { TLSHD_S_OPEN, "open" },
	{ TLSHD_S_CLOSED, "closed" }, { TLSHD_S_FAILED, "failed" }, {}
};

static const struct name auths[] = {
	{ TLSHD_AUTH_NONE, "none" }, { TLSHD_AUTH_CERTIFICATE, "certificate" }, { TLSHD_AUTH_PSK, "psk" }, {}
};

static const struct name suites[] = {
	{ 0x1301, "TLS_AES_128_GCM_SHA256" }, { 0x1302, "TLS_AES_256_GCM_SHA384" }, { 0x1303, "TLS_CHACHA20_POLY1305_SHA256" },
	{ 0x1304, "TLS_AES_128_CCM_SHA256" }, { 0x1305, "TLS_AES_128_CCM_8_SHA256" }, {}
};

static const struct name groups[] = {
	{ 0x0017, "secp256r1" }, { 0x0018, "secp384r1" }, { 0x0019, "secp521r1" }, { 0x001d, "x25519" }, { 0x001e, "x448" },
	{ 0x0100, "ffdhe2048" }, { 0x0101, "ffdhe3072" }, { 0x0102, "ffdhe4096" },
	{ 0x11eb, "SecP256r1MLKEM768" }, { 0x11ec, "X25519MLKEM768" }, { 0x11ed, "SecP384r1MLKEM1024" }, {}
};

static const struct name sigschemes[] = {
	{ 0x0401, "rsa_pkcs1_sha256" }, { 0x0501, "rsa_pkcs1_sha384" }, { 0x0601, "rsa_pkcs1_sha512" },
	{ 0x0403, "ecdsa_secp256r1_sha256" }, { 0x0503, "ecdsa_secp384r1_sha384" }, { 0x0603, "ecdsa_secp521r1_sha512" },
	{ 0x0804, "rsa_pss_rsae_sha256" }, { 0x0805, "rsa_pss_rsae_sha384" }, { 0x0806, "rsa_pss_rsae_sha512" },
	{ 0x0807, "ed25519" }, { 0x0808, "ed448" },
	{ 0x0809, "rsa_pss_pss_sha256" }, { 0x080a, "rsa_pss_pss_sha384" }, { 0x080b, "rsa_pss_pss_sha512" }, {}
};

static const struct name alerts[] = {
	{ 0, "close_notify" }, { 10, "unexpected_message" }, { 20, "bad_record_mac" }, { 22, "record_overflow" },
	{ 40, "handshake_failure" }, { 42, "bad_certificate" }, { 43, "unsupported_certificate" },
	{ 44, "certificate_revoked" }, { 45, "certificate_expired" }, { 46, "certificate_unknown" },
	{ 47, "illegal_parameter" }, { 48, "unknown_ca" }, { 49, "access_denied" }, { 50, "decode_error" },
	{ 51, "decrypt_error" }, { 70, "protocol_version" }, { 71, "insufficient_security" }, { 80, "internal_error" },
	{ 86, "inappropriate_fallback" }, { 90, "user_canceled" }, { 109, "missing_extension" },
	{ 110, "unsupported_extension" }, { 112, "unrecognized_name" }, { 113, "bad_certificate_status_response" },
	{ 115, "unknown_psk_identity" }, { 116, "certificate_required" }, { 120, "no_application_protocol" }, {}
};

static const char *find(const struct name *n, uint32_t number)
{
	while (n->text && n->number != number)
		n++;
	return n->text;
}

const char *names_state(uint32_t state)
{
	return find(states, state);
}

const char *names_auth(uint16_t auth)
{
	const char *text = find(auths, auth);

	return text ? text : "unknown";
}

const char *names_suite(uint16_t suite)
{
	return find(suites, suite);
}

const char *names_group(uint16_t group)
{
	return find(groups, group);
}

const char *names_sigscheme(uint16_t scheme)
{
	return find(sigschemes, scheme);
}

const char *names_alert(uint16_t alert)
{
	return find(alerts, alert);
}
