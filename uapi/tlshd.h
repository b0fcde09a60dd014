/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * tlshd: TLS 1.3 as a socket option. The contract between an application and the kernel module.
 *
 * Every option is of level IPPROTO_IP, for IPv4 and IPv6 TCP sockets alike. Structs hold no pointers, use fixed-width
 * fields, are aligned to 8 bytes and grow only at the end; `size` says which version the caller was built with, so any
 * language can fill one with a single pack call and an old program runs on a new module.
 *
 * Strings are NUL-terminated inside their arrays; a string that fills its array without a NUL is EINVAL.
 * Errors are errno values, listed at each option; TLSHD_INFO repeats the one that ended a handshake, with the reason in words.
 */
#ifndef _UAPI_TLSHD_H
#define _UAPI_TLSHD_H

#include <linux/types.h>

/* Options, level IPPROTO_IP. 0x5410 and 0x5411 are taken by the module's contract with the daemon (tlshd_genl.h). */
#define TLSHD_START		0x5400	/* set: struct tlshd_start */
#define TLSHD_INFO		0x5401	/* get: struct tlshd_info */
#define TLSHD_PEER_CHAIN	0x5402	/* get: DER certificates; EOPNOTSUPP in this version */
#define TLSHD_CONFIRM		0x5403	/* set: no value; waits until nothing read so far or later can be a replay */
#define TLSHD_REKEY		0x5404	/* set: EOPNOTSUPP in this version */
#define TLSHD_EXPORT		0x5405	/* get: EOPNOTSUPP in this version */

#define TLSHD_PROFILE_LEN	64	/* a profile's name with its NUL */
#define TLSHD_NAME_LEN		256	/* a DNS name or IP literal with its NUL */
#define TLSHD_ALPN_LEN		128	/* comma-separated protocol names with their NUL */
#define TLSHD_SCOPE_LEN		16
#define TLSHD_REASON_LEN	128
#define TLSHD_SUBJECT_LEN	256
#define TLSHD_SHA256_LEN	32
#define TLSHD_TOKEN_LEN		32

enum tlshd_role {
	TLSHD_CLIENT = 1,
	TLSHD_SERVER = 2,
};

/* tlshd_start.flags. A flag that the module does not know, or that this version does not support, is EINVAL. */
enum tlshd_start_flags {
	TLSHD_F_NOWAIT		= 1 << 0,	/* EINPROGRESS at once, also on a blocking socket; io_uring needs it */
	TLSHD_F_ANY_NAME	= 1 << 1,	/* client: verify the chain but no name; the profile must permit it */
	TLSHD_F_NO_RESUME	= 1 << 2,	/* client: offer and store no session; server: give and take no ticket */
	TLSHD_F_ACCEPT_EARLY	= 1 << 3,	/* server: take 0-RTT data, if the profile's tickets allow it */
	TLSHD_F_KEEP_CHAIN	= 1 << 4,	/* keep the peer's chain for TLSHD_PEER_CHAIN; not supported in this version */
	TLSHD_F_MARK_EARLY	= 1 << 5,	/* server: a TLSHD_CMSG_EARLY comes with each recvmsg() of 0-RTT data */
};

#define TLSHD_EARLY_MAX		16384	/* bytes of early data that a client's START takes */

/*
 * Level IPPROTO_IP, a __u32 that is 1: what this recvmsg() returned is 0-RTT data, which may be a replay. Early data comes
 * before everything else and never together with it.
 */
#define TLSHD_CMSG_EARLY	0x5420

/**
 * struct tlshd_start - TLSHD_START: begin a TLS 1.3 handshake on a connected TCP socket
 * @size: bytes of this struct as the caller knows it. Smaller than the first version or larger than optlen is EINVAL; bytes
 *	beyond what the module knows must be zero, else EINVAL. Bytes from @size to optlen, TLSHD_EARLY_MAX at most, are a
 *	client's early data: sent with the first flight if a stored session allows it. TLSHD_INFO says whether they were
 *	accepted; if they were not, they are the application's to send again, as ordinary data
 * @role: enum tlshd_role; anything else is EINVAL
 * @flags: enum tlshd_start_flags
 * @timeout_ms: milliseconds for the whole handshake; 0 takes the profile's, a larger value than the profile's is capped
 * @profile: the section of the daemon's configuration whose identity and policy apply; empty is EINVAL
 * @server_name: client: the name to send (SNI) and to verify; an IP literal is verified and not sent. A client without one is
 *	EINVAL unless TLSHD_F_ANY_NAME. A server must leave it empty
 * @alpn: protocols in order of preference, "h2,http/1.1": a subset of the profile's; empty takes the profile's
 * @scope: opaque; separates stored sessions: a client resumes only what was stored under the same scope
 *
 * Returns when the keys are in the kernel, or at once with EINPROGRESS if the file is O_NONBLOCK or TLSHD_F_NOWAIT is set.
 * EPOLLOUT then tells success; EPOLLIN|EPOLLOUT|EPOLLERR|EPOLLHUP failure, with the errno once in SO_ERROR and for ever in
 * TLSHD_INFO. START again waits (EALREADY where it may not wait) while the handshake runs, returns its error once it failed and
 * EISCONN once the socket is open. A signal ends the wait with EINTR, never the handshake. From START to open, other I/O and
 * options on the socket wait, or are EAGAIN, but for a server's in state EARLY: START returns there, early data may be read and
 * data be written. No byte of plain text leaves the socket and no unauthenticated byte is read.
 *
 * Errors: EOPNOTSUPP not a TCP socket, or a listening one (this version); ENOTCONN not established; EALREADY; EISCONN; EBUSY
 * another user of the socket's ULP or sk_user_data; ESRCH no daemon serves this caller; EAGAIN too many handshakes pending;
 * EACCES the caller may not use the profile; ENOENT no such profile; EINVAL a bad struct; EFAULT; EINTR; ENOMEM, ENFILE;
 * EMSGSIZE too much early data; ETIMEDOUT the deadline passed; EPROTO the peer broke the protocol or refused it with an
 * alert; EKEYREJECTED a certificate was refused; EKEYEXPIRED a certificate has expired; ECONNRESET the peer left;
 * ECONNABORTED the daemon died.
 * After a failure the socket is dead: every I/O fails, it never becomes a plain socket again.
 */
struct tlshd_start {
	__u32 size;
	__u32 role;
	__u32 flags;
	__u32 timeout_ms;
	char profile[TLSHD_PROFILE_LEN];
	char server_name[TLSHD_NAME_LEN];
	char alpn[TLSHD_ALPN_LEN];
	__u8 scope[TLSHD_SCOPE_LEN];
};

enum tlshd_state {
	TLSHD_S_HANDSHAKING	= 1,
	TLSHD_S_EARLY		= 2,	/* server: early data may be read and data be written; not yet confirmed */
	TLSHD_S_OPEN		= 3,
	TLSHD_S_CLOSED		= 4,	/* both directions have ended */
	TLSHD_S_FAILED		= 5,	/* terminal */
};

enum tlshd_auth {
	TLSHD_AUTH_NONE		= 0,	/* the peer showed no identity (a client without a certificate) */
	TLSHD_AUTH_CERTIFICATE	= 1,
	TLSHD_AUTH_PSK		= 2,
};

/* tlshd_info.flags */
enum tlshd_info_flags {
	TLSHD_I_RESUMED		= 1 << 0,
	TLSHD_I_EARLY_OFFERED	= 1 << 1,
	TLSHD_I_EARLY_ACCEPTED	= 1 << 2,
	TLSHD_I_EARLY_REJECTED	= 1 << 3,
	TLSHD_I_CONFIRMED	= 1 << 4,	/* nothing read so far or later can be a replay */
	TLSHD_I_CLEAN_CLOSE	= 1 << 5,	/* the peer's close_notify was seen: EOF is its intent, not truncation */
	TLSHD_I_TX_OFFLOAD	= 1 << 6,	/* a NIC encrypts */
	TLSHD_I_RX_OFFLOAD	= 1 << 7,	/* a NIC decrypts */
};

#define TLSHD_ALERT_NONE	0xffff	/* close_notify is alert 0 */

/**
 * struct tlshd_info - TLSHD_INFO: what is true of the connection now
 * @size: out: bytes filled; an optlen shorter than the struct gets its head
 * @state: enum tlshd_state
 * @error: errno (positive) that ended the handshake or the connection, or 0
 * @flags: enum tlshd_info_flags
 * @suite: cipher suite, RFC 8446 B.4; 0 until negotiated, as are the following
 * @group: NamedGroup, RFC 8446 4.2.7
 * @sigscheme: SignatureScheme of the peer's CertificateVerify, or of ours where only we signed
 * @auth: enum tlshd_auth: how the peer proved who it is
 * @alert_sent: AlertDescription, or TLSHD_ALERT_NONE
 * @alert_received: AlertDescription, or TLSHD_ALERT_NONE
 * @full_handshake_time: seconds since the epoch at which the certificates were verified (of a resumed session: its origin)
 * @early_bytes: bytes of early data read or sent
 * @tx_records: records sent under the current key
 * @tx_key_updates: KeyUpdates sent
 * @rx_key_updates: KeyUpdates received
 * @tickets: NewSessionTicket messages seen
 * @reserved, @reserved2: zero
 * @peer_leaf_sha256: of the peer's leaf certificate in DER; zero if it sent none
 * @replay_token: names early data for an application's own duplicate filter: the same for each replay of it
 * @reason: the failure in words, for people
 * @peer_subject: for people, never for decisions
 * @alpn: the negotiated protocol, or empty
 * @server_name: SNI sent (client) or received (server)
 *
 * Errors: ENOTCONN START was never called on this socket; EINVAL optlen below 8; EFAULT.
 */
struct tlshd_info {
	__u32 size;
	__u32 state;
	__u32 error;
	__u32 flags;
	__u16 suite;
	__u16 group;
	__u16 sigscheme;
	__u16 auth;
	__u16 alert_sent;
	__u16 alert_received;
	__u32 reserved;
	__s64 full_handshake_time;
	__u64 early_bytes;
	__u64 tx_records;
	__u32 tx_key_updates;
	__u32 rx_key_updates;
	__u32 tickets;
	__u32 reserved2;
	__u8 peer_leaf_sha256[TLSHD_SHA256_LEN];
	__u8 replay_token[TLSHD_TOKEN_LEN];
	char reason[TLSHD_REASON_LEN];
	char peer_subject[TLSHD_SUBJECT_LEN];
	char alpn[TLSHD_ALPN_LEN];
	char server_name[TLSHD_NAME_LEN];
};

#endif /* _UAPI_TLSHD_H */
