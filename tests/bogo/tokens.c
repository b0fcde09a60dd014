// SPDX-License-Identifier: MIT
#include "tests/bogo/tokens.h"

#include <string.h>

#include "tlshd/tls/proto.h"

/* @words of the engine's reason; the first row that fits counts. */
struct row {
	const char *words, *token;
};

static const struct row rows[] = {
	/* records */
	{ "peer does not speak TLS", ":HTTP_REQUEST: :HTTPS_PROXY_REQUEST: :WRONG_VERSION_NUMBER:" },
	{ "unprotected record at this point", ":INVALID_OUTER_RECORD_TYPE: :UNEXPECTED_RECORD:" },
	{ "protected record at this point", ":APPLICATION_DATA_INSTEAD_OF_HANDSHAKE: :UNEXPECTED_RECORD:" },
	{ "record does not decrypt", ":DECRYPTION_FAILED_OR_BAD_RECORD_MAC: :BAD_DECRYPT:" },
	{ "record without a content type", ":DECRYPTION_FAILED_OR_BAD_RECORD_MAC:" },
	{ "record longer than", ":DATA_LENGTH_TOO_LONG:" },
	{ "record of unknown type", ":UNEXPECTED_RECORD:" },
	{ "record of type", ":UNEXPECTED_RECORD:" },
	{ "record of ", ":ENCRYPTED_LENGTH_TOO_LONG: :DATA_LENGTH_TOO_LONG:" },
	{ "handshake record without content", ":UNEXPECTED_RECORD:" },
	{ "alert record without content", ":BAD_ALERT:" },
	{ "malformed alert", ":BAD_ALERT:" },
	{ "more than 32 change_cipher_spec", ":TOO_MANY_EMPTY_FRAGMENTS:" },
	{ "change_cipher_spec", ":UNEXPECTED_RECORD: :BAD_CHANGE_CIPHER_SPEC:" },
	{ "early data to skip", ":TOO_MUCH_SKIPPED_EARLY_DATA:" },
	{ "bytes of early data", ":TOO_MUCH_READ_EARLY_DATA:" },
	/* messages */
	{ "bytes behind", ":EXCESS_HANDSHAKE_DATA:" },
	{ "is over the limit", ":EXCESSIVE_MESSAGE_SIZE:" },
	{ "malformed application_layer_protocol", ":PARSE_TLSEXT:" },
	{ "malformed ClientHello", ":DECODE_ERROR: :CLIENTHELLO_PARSE_FAILED:" },
	{ "ClientHello is too long", ":DECODE_ERROR: :CLIENTHELLO_PARSE_FAILED:" },
	{ "CertificateRequest with a context", ":DECODE_ERROR:" },
	{ "malformed", ":DECODE_ERROR: :ERROR_PARSING_EXTENSION:" },
	{ "is too long", ":DECODE_ERROR:" },
	{ "Finished of wrong length", ":DECODE_ERROR:" },
	{ "Finished does not verify", ":DIGEST_CHECK_FAILED:" },
	{ "wrong binder", ":DIGEST_CHECK_FAILED:" },
	{ "pre-shared keys with", ":PSK_IDENTITY_BINDER_COUNT_MISMATCH:" },
	/* sessions */
	{ "of another hash than suite", ":OLD_SESSION_PRF_HASH_MISMATCH:" },
	{ "server chose pre-shared key", ":PSK_IDENTITY_NOT_FOUND:" },
	{ "early data of a key that it did not choose", ":UNEXPECTED_EXTENSION:" },
	{ "early data for another application protocol", ":ALPN_MISMATCH_ON_EARLY_DATA:" },
	{ "early data under another suite", ":CIPHER_MISMATCH_ON_EARLY_DATA:" },
	/* extensions */
	{ "was not asked for", ":UNEXPECTED_EXTENSION: :ERROR_PARSING_EXTENSION:" },
	{ "where it does not belong", ":UNEXPECTED_EXTENSION:" },
	{ "pre_shared_key is not the last", ":PRE_SHARED_KEY_MUST_BE_LAST:" },
	{ "without psk_key_exchange_modes", ":MISSING_EXTENSION:" },
	{ "CertificateRequest without signature_algorithms", ":MISSING_EXTENSION: :DECODE_ERROR:" },
	{ "two key shares", ":DUPLICATE_KEY_SHARE:" },
	{ "twice", ":DUPLICATE_EXTENSION:" },
	/* parameters */
	{ "downgraded", ":TLS13_DOWNGRADE:" },
	{ "does not offer TLS 1.3", ":UNSUPPORTED_PROTOCOL:" },
	{ ", not TLS 1.3", ":UNSUPPORTED_PROTOCOL:" },
	{ "server chose version", ":UNSUPPORTED_PROTOCOL: :SECOND_SERVERHELLO_VERSION_MISMATCH:" },
	{ "with legacy_version", ":UNSUPPORTED_PROTOCOL: :DECODE_ERROR:" },
	{ "did not echo the session id", ":SERVER_ECHOED_INVALID_SESSION_ID:" },
	{ "client offers compression", ":INVALID_COMPRESSION_LIST:" },
	{ "chose a compression method", ":DECODE_ERROR:" },
	{ "no cipher suite of ours", ":NO_SHARED_CIPHER:" },
	{ "server chose suite", ":WRONG_CIPHER_RETURNED:" },
	{ "no group of ours", ":NO_SHARED_GROUP:" },
	{ "without supported_groups", ":NO_SHARED_GROUP:" },
	{ "without key_share", ":MISSING_KEY_SHARE:" },
	{ "of which no share was sent", ":WRONG_CURVE:" },
	{ "server asks for group", ":WRONG_CURVE:" },
	{ "without the one key share asked for", ":WRONG_CURVE:" },
	{ "changes nothing", ":EMPTY_HELLO_RETRY_REQUEST:" },
	{ "key share of wrong length", ":BAD_ECPOINT:" },
	{ "key share is not valid", ":BAD_ECPOINT:" },
	{ "no application protocol of ours", ":NO_APPLICATION_PROTOCOL:" },
	{ "application protocol that was not offered", ":INVALID_ALPN_PROTOCOL:" },
	/* authentication */
	{ "without signature_algorithms", ":NO_COMMON_SIGNATURE_ALGORITHMS:" },
	{ "no signature scheme for our certificates", ":NO_COMMON_SIGNATURE_ALGORITHMS:" },
	{ "peer signed with scheme", ":WRONG_SIGNATURE_TYPE:" },
	{ "wrong signature", ":BAD_SIGNATURE:" },
	{ "client has no certificate", ":PEER_DID_NOT_RETURN_A_CERTIFICATE:" },
	{ "server sent no certificate", ":PEER_DID_NOT_RETURN_A_CERTIFICATE:" },
	{ "does not parse", ":CANNOT_PARSE_LEAF_CERT:" },
	{ "key usage forbids", ":KEY_USAGE_BIT_INCORRECT:" },
	{ "not meant for this side of TLS", ":KEY_USAGE_BIT_INCORRECT:" },
	{ "takes no OCSP response", ":OCSP_CB_ERROR:" },
	{ "trusts nobody", ":CERTIFICATE_VERIFY_FAILED:" },
	{ NULL, NULL }
};

static const char *find(const struct row *row, const char *reason)
{
	while (row->words && !strstr(reason, row->words))
		row++;
	return row->token;
}

const char *token_of_alert(uint16_t alert)
{
	static const char *const tokens[256] = {
		[ALERT_RECORD_OVERFLOW] = ":TLSV1_ALERT_RECORD_OVERFLOW:",
		[30] = ":SSLV3_ALERT_DECOMPRESSION_FAILURE:",
		[ALERT_HANDSHAKE_FAILURE] = ":SSLV3_ALERT_HANDSHAKE_FAILURE: :HANDSHAKE_FAILURE_ON_CLIENT_HELLO:",
		[ALERT_ACCESS_DENIED] = ":TLSV1_ALERT_ACCESS_DENIED:",
	};

	return alert < 256 && tokens[alert] ? tokens[alert] : ":ALERT:";
}

const char *token_of(const struct tls_result *r)
{
	const char *token = find(rows, r->reason);

	if (r->alert_received != TLS_ALERT_NONE)
		return token_of_alert(r->alert_received);
	return token ? token : r->alert_sent == ALERT_UNEXPECTED_MESSAGE ? ":UNEXPECTED_MESSAGE:" : ":OTHER:";
}

const char *token_unimplemented(const struct tls_result *r)
{
	static const struct row missing[] = {
		{ "does not offer TLS 1.3", "older versions" },
		{ ", not TLS 1.3", "older versions" },
		{ "peer sent alert protocol_version", "older versions" },
		{ NULL, NULL },
	};

	return find(missing, r->reason);
}
