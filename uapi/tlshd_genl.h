/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The contract between the module (tlshd.ko) and the daemon (tlshd).
 *
 * Generic netlink family "tlshd" carries who wants a handshake, never a secret: a netlink tap sees it. Everything secret goes
 * through options on the handshake socket, the file that ACCEPT installs in the daemon. That file is the right to shake hands
 * for one connection: recvmsg, sendmsg, poll, getname, and the options SOL_TCP/TCP_ULP, SOL_TLS/TLS_TX, SOL_TLS/TLS_RX and
 * TLSHD_EARLY and TLSHD_DONE act on the application's connection, always without waiting, until the handshake has ended; then
 * all of them are EPIPE and poll says EPOLLIN|EPOLLOUT|EPOLLERR|EPOLLHUP.
 */
#ifndef _UAPI_TLSHD_GENL_H
#define _UAPI_TLSHD_GENL_H

#include <linux/types.h>
#include "tlshd.h"

#define TLSHD_GENL_NAME		"tlshd"
#define TLSHD_GENL_VERSION	1	/* of the family header */

/* Versions of this contract that this header describes; REGISTER picks the highest that both sides know. */
#define TLSHD_PROTO_MIN		1
#define TLSHD_PROTO_MAX		1

/**
 * enum tlshd_cmd - commands
 * @TLSHD_CMD_REGISTER: daemon to module, with an ack reply: this netlink socket may ACCEPT from now on. Needs CAP_NET_ADMIN in
 *	the initial user namespace. In: PROTO_MIN, PROTO_MAX, INSTANCE. Reply: PROTO (the version in force).
 *	Sockets registered by one thread group with one INSTANCE serve together. Another thread group or INSTANCE takes over:
 *	requests accepted by the former end with ECONNABORTED, its handshake sockets are revoked, its netlink sockets forgotten;
 *	requests not yet accepted stay for the newcomer.
 *	The socket may be handed to another process, which then ACCEPTs; it is forgotten when its last descriptor is closed, and
 *	requests that were accepted through it live on with their handshake sockets. When the last registered socket of a
 *	netns is closed, requests not yet accepted end with ECONNABORTED.
 *	Errors: EPERM; EPROTONOSUPPORT no common version; EINVAL an attribute is missing
 * @TLSHD_CMD_READY: module to one registered socket (unicast): there are requests. Sent once to a socket until an ACCEPT on it
 *	comes back short of what it asked for, so a reader calls ACCEPT until then. No attributes. Tickets send it, too
 * @TLSHD_CMD_ACCEPT: registered socket to module. In: MAX. Reply: up to MAX nested REQUEST attributes, possibly none, with the
 *	descriptors already installed in the calling process, close-on-exec. Taken round-robin over the callers' uids.
 *	With TICKETS set there are tickets to be taken.
 *	Errors: EPERM the socket is not registered; EINVAL; EMFILE no descriptor could be installed, nothing was taken
 * @TLSHD_CMD_TICKETS: registered socket to module. In: MAX. Reply: up to MAX nested TICKET attributes, possibly none, the oldest
 *	first: NewSessionTicket messages that clients' connections received, each with the blob of its connection's DONE. A
 *	connection without a blob hands on none. They are kept for this daemon (thread group and INSTANCE) only, few for a user,
 *	and the oldest are lost first. A ticket is of no use without the secret in the blob, which the daemon sealed: neither
 *	is a secret to who sees this socket.
 *	Errors: EPERM the socket is not registered; EINVAL; ENOMEM, and those taken are lost
 */
enum tlshd_cmd {
	TLSHD_CMD_UNSPEC,
	TLSHD_CMD_REGISTER,
	TLSHD_CMD_READY,
	TLSHD_CMD_ACCEPT,
	TLSHD_CMD_TICKETS,
	__TLSHD_CMD_MAX
};
#define TLSHD_CMD_MAX (__TLSHD_CMD_MAX - 1)

enum tlshd_attr {
	TLSHD_A_UNSPEC,
	TLSHD_A_PROTO_MIN,	/* u32 */
	TLSHD_A_PROTO_MAX,	/* u32 */
	TLSHD_A_PROTO,		/* u32 */
	TLSHD_A_INSTANCE,	/* u64, chosen at random by the daemon at its start */
	TLSHD_A_MAX,		/* u32, 1 to TLSHD_ACCEPT_MAX */
	TLSHD_A_REQUEST,	/* nested: enum tlshd_req_attr; one for each request */
	TLSHD_A_TICKETS,	/* flag */
	TLSHD_A_TICKET,		/* nested: enum tlshd_ticket_attr; one for each ticket */
	TLSHD_A_PAD,
	__TLSHD_A_MAX
};
#define TLSHD_A_MAX_ATTR (__TLSHD_A_MAX - 1)

#define TLSHD_ACCEPT_MAX	16	/* bounds the reply: 16 requests of under 3 KiB */
#define TLSHD_GROUPS_MAX	256	/* supplementary groups reported; further ones are left out, so they grant nothing */

enum tlshd_req_attr {
	TLSHD_R_UNSPEC,
	TLSHD_R_FD,		/* s32: the handshake socket, in the process that called ACCEPT */
	TLSHD_R_ROLE,		/* u32: enum tlshd_role */
	TLSHD_R_FLAGS,		/* u32: enum tlshd_start_flags */
	TLSHD_R_TIMEOUT_MS,	/* u32: as in START, 0: the profile's */
	TLSHD_R_AGE_MS,		/* u32: how long the request has waited since START */
	TLSHD_R_PROFILE,	/* string */
	TLSHD_R_SERVER_NAME,	/* string, absent if empty */
	TLSHD_R_ALPN,		/* string, absent if empty */
	TLSHD_R_SCOPE,		/* TLSHD_SCOPE_LEN bytes */
	TLSHD_R_UID,		/* u32: effective uid of START's caller in the daemon's user namespace */
	TLSHD_R_GID,		/* u32: effective gid, likewise */
	TLSHD_R_GROUPS,		/* u32[]: supplementary groups, likewise; unmapped ones are left out */
	TLSHD_R_PID,		/* u32: thread group id in the daemon's pid namespace; 0 outside it. For logs, never for decisions */
	TLSHD_R_NETNS,		/* u64: cookie of the network namespace (SO_NETNS_COOKIE) */
	TLSHD_R_CGROUP,		/* u64: id of the caller's cgroup (v2), 0 without one */
	TLSHD_R_PEER,		/* struct sockaddr_in or sockaddr_in6 */
	TLSHD_R_LOCAL,		/* likewise */
	TLSHD_R_EARLY_LEN,	/* u32: bytes of early data that a client's START came with; absent if none */
	TLSHD_R_PAD,
	__TLSHD_R_MAX
};
#define TLSHD_R_MAX (__TLSHD_R_MAX - 1)

enum tlshd_ticket_attr {
	TLSHD_T_UNSPEC,
	TLSHD_T_BLOB,		/* up to TLSHD_BLOB_MAX bytes */
	TLSHD_T_MESSAGE,	/* up to TLSHD_TICKET_MAX bytes: a whole handshake message with its header */
	__TLSHD_T_MAX
};
#define TLSHD_T_MAX (__TLSHD_T_MAX - 1)

/* Options on a handshake socket, level IPPROTO_IP; on any other socket ENOPROTOOPT. */
#define TLSHD_EARLY		0x5410	/* set: struct tlshd_early and what follows it. get: a client's early data, once */
#define TLSHD_DONE		0x5411	/* set: struct tlshd_done and what follows it */

#define TLSHD_SECRET_MAX	48	/* SHA-384 */
#define TLSHD_POST_MAX		4096	/* handshake messages that the module sends for the daemon */
#define TLSHD_BLOB_MAX		512
#define TLSHD_TICKET_MAX	2560	/* of a NewSessionTicket that is handed on: a ticket of 2 KiB and what is around it */
#define TLSHD_CHAIN_MAX		16384

#define TLSHD_EARLY_QUEUE	65536	/* bytes of early data that a server's connection may bring, in all */

/**
 * struct tlshd_early - TLSHD_EARLY: a server has accepted early data
 * @size: sizeof(struct tlshd_early) as the daemon knows it
 * @hash_len: 32 or 48 in the first call, which comes when our Finished and tickets are sent and TLS_TX is set: the connection
 *	is then EARLY, START returns, and the application may read early data and write. 0 later
 * @info_len: first call: bytes of struct tlshd_info behind this struct, which say what is known by now; replay_token is taken
 *	from it, too
 * @data_len: bytes of early data behind the info, TLSHD_EARLY_MAX at most, possibly none
 * @reserved: zero
 * @tx_seq: first call: sequence number that TLS_TX was given
 * @tx_secret: first call: our application traffic secret, @hash_len bytes
 *
 * The lengths must add up to optlen. DONE ends the state; if it names an alert, the module sends it.
 *
 * Errors: EPIPE the handshake has ended; EOPNOTSUPP START did not set TLSHD_F_ACCEPT_EARLY; EMSGSIZE more than TLSHD_EARLY_QUEUE
 * in all; EINVAL a length or field is wrong, or a first call comes second; EPROTO kTLS does not send with these keys, which ends
 * the handshake; EFAULT; ENOMEM.
 *
 * getsockopt(): what the application gave START to send, once. Errors: ENODATA none (left); EMSGSIZE not enough room; EPIPE;
 * EFAULT, after which it is lost.
 */
struct tlshd_early {
	__u32 size;
	__u16 hash_len;
	__u16 info_len;
	__u32 data_len;
	__u32 reserved;
	__u64 tx_seq;
	__u8 tx_secret[TLSHD_SECRET_MAX];
};

/**
 * struct tlshd_done - TLSHD_DONE: the daemon's verdict; ends the handshake whatever it says
 * @size: sizeof(struct tlshd_done) as the daemon knows it
 * @error: 0 opens the socket; else the errno (positive) that START returns
 * @hash_len: 32 or 48: length of each secret; 0 with an @error
 * @send_alert: alert for the module to send after TLS_TX was set, or TLSHD_ALERT_NONE; before it the daemon sends its own
 * @info_len: bytes of struct tlshd_info behind this struct; the module takes suite, group, sigscheme, auth, alert_sent,
 *	alert_received, full_handshake_time, peer_leaf_sha256, reason, peer_subject, alpn, server_name, the flags RESUMED, CONFIRMED
 *	and those of early data, and of a client early_bytes from it and keeps the rest itself
 * @post_len: bytes of handshake messages (NewSessionTicket) to send first under the traffic keys, behind the info; not sent
 *	after TLSHD_EARLY, before which they go out
 * @blob_len: client: bytes, sealed by the daemon, to come back with each NewSessionTicket; behind the messages
 * @chain_len: with TLSHD_F_KEEP_CHAIN, DER certificates each behind a 3-byte length; behind the blob
 * @tx_seq: sequence number that TLS_TX was given; after TLSHD_EARLY, which checked it, it says nothing
 * @rx_seq: sequence number that TLS_RX was given
 * @tx_secret: our application traffic secret, RFC 8446 7.1; @hash_len bytes, as the following
 * @rx_secret: the peer's application traffic secret
 * @exporter_secret: exporter_master_secret
 * @reserved: zero
 *
 * The lengths must add up to optlen. The socket opens only if kTLS holds, in both directions, TLS_SW, version 1.3, the suite of
 * the info and the key and IV that follow from the secrets; else the handshake fails with EPROTO. The daemon wipes its copy;
 * the module, which keeps none in this version, wipes its own before DONE returns.
 *
 * Errors: EPIPE the handshake has ended already; EINVAL a length or field is wrong (the handshake then fails too); EPROTO kTLS
 * does not hold these keys; EFAULT; ENOMEM.
 */
struct tlshd_done {
	__u32 size;
	__u32 error;
	__u16 hash_len;
	__u16 send_alert;
	__u16 info_len;
	__u16 post_len;
	__u16 blob_len;
	__u16 chain_len;
	__u32 reserved;
	__u64 tx_seq;
	__u64 rx_seq;
	__u8 tx_secret[TLSHD_SECRET_MAX];
	__u8 rx_secret[TLSHD_SECRET_MAX];
	__u8 exporter_secret[TLSHD_SECRET_MAX];
};

#endif /* _UAPI_TLSHD_GENL_H */
