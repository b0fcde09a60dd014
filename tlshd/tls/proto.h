/* SPDX-License-Identifier: MIT */
/* The numbers of TLS 1.3. Sections are of RFC 8446 unless another RFC is named. */
#ifndef TLSHD_TLS_PROTO_H
#define TLSHD_TLS_PROTO_H

/* ContentType, 5.1 */
enum content_type {
	CT_CHANGE_CIPHER_SPEC = 20,
	CT_ALERT = 21,
	CT_HANDSHAKE = 22,
	CT_APPLICATION_DATA = 23,
};

/* HandshakeType, 4 */
enum handshake_type {
	HT_CLIENT_HELLO = 1,
	HT_SERVER_HELLO = 2,
	HT_NEW_SESSION_TICKET = 4,
	HT_END_OF_EARLY_DATA = 5,
	HT_ENCRYPTED_EXTENSIONS = 8,
	HT_CERTIFICATE = 11,
	HT_CERTIFICATE_REQUEST = 13,
	HT_CERTIFICATE_VERIFY = 15,
	HT_FINISHED = 20,
	HT_KEY_UPDATE = 24,
	HT_MESSAGE_HASH = 254,
};

/* AlertDescription, 6 (general_error: RFC 9846; no_application_protocol: RFC 7301 3.2) */
enum alert {
	ALERT_CLOSE_NOTIFY = 0,
	ALERT_UNEXPECTED_MESSAGE = 10,
	ALERT_BAD_RECORD_MAC = 20,
	ALERT_RECORD_OVERFLOW = 22,
	ALERT_HANDSHAKE_FAILURE = 40,
	ALERT_BAD_CERTIFICATE = 42,
	ALERT_UNSUPPORTED_CERTIFICATE = 43,
	ALERT_CERTIFICATE_REVOKED = 44,
	ALERT_CERTIFICATE_EXPIRED = 45,
	ALERT_CERTIFICATE_UNKNOWN = 46,
	ALERT_ILLEGAL_PARAMETER = 47,
	ALERT_UNKNOWN_CA = 48,
	ALERT_ACCESS_DENIED = 49,
	ALERT_DECODE_ERROR = 50,
	ALERT_DECRYPT_ERROR = 51,
	ALERT_PROTOCOL_VERSION = 70,
	ALERT_INSUFFICIENT_SECURITY = 71,
	ALERT_INTERNAL_ERROR = 80,
	ALERT_INAPPROPRIATE_FALLBACK = 86,
	ALERT_USER_CANCELED = 90,
	ALERT_MISSING_EXTENSION = 109,
	ALERT_UNSUPPORTED_EXTENSION = 110,
	ALERT_UNRECOGNIZED_NAME = 112,
	ALERT_BAD_CERTIFICATE_STATUS_RESPONSE = 113,
	ALERT_UNKNOWN_PSK_IDENTITY = 115,
	ALERT_CERTIFICATE_REQUIRED = 116,
	ALERT_GENERAL_ERROR = 117,
	ALERT_NO_APPLICATION_PROTOCOL = 120,
};

enum alert_level {
	ALERT_WARNING = 1,
	ALERT_FATAL = 2,
};

#define VERSION_LEGACY		0x0303	/* legacy_version and legacy_record_version, 4.1.2, 5.1 */
#define VERSION_FIRST_RECORD	0x0301	/* of a record with an initial ClientHello, 5.1 */
#define VERSION_TLS13		0x0304	/* in supported_versions, 4.2.1 */

#define RANDOM_LEN		32	/* 4.1.2 */
#define SESSION_ID_MAX		32	/* 4.1.2 */
#define RECORD_HEADER_LEN	5	/* 5.1 */
#define MSG_HEADER_LEN		4	/* 4 */
#define PLAINTEXT_MAX		16384	/* 5.1 */
#define CIPHERTEXT_MAX		(PLAINTEXT_MAX + 256)	/* 5.2 */
#define RECORD_LIMIT_MIN	64	/* record_size_limit, RFC 8449 4, which counts the inner content type */
#define RECORD_LIMIT_MAX	(PLAINTEXT_MAX + 1)
#define HOST_NAME_TYPE		0	/* RFC 6066 3 */
#define PSK_KE			0	/* PskKeyExchangeMode, 4.2.9 */
#define PSK_DHE_KE		1

/*
 * Our own limits. A peer has no reason for more than one change_cipher_spec (D.4) and one user_canceled (6.1); an
 * endless stream of either would keep a connection busy without ever advancing it.
 */
#define CCS_MAX			32
#define USER_CANCELED_MAX	4

/* Of a server's cookie, 4.2.2: a hash and what a server seals around it take less. */
#define COOKIE_MAX		512

/* Records of accepted early data that bring none: padding, of which no peer is known to send any before it has keys. */
#define EARLY_EMPTY_MAX		32

/* Bytes on the wire that a client may have sent as early data before it learned that none is taken, 4.2.10. */
#define EARLY_SKIP_MAX		(64 * 1024)

#endif
