/* SPDX-License-Identifier: MIT */
/*
 * upcall: the generic netlink conversation with the module (uapi/tlshd_genl.h). The supervisor registers sockets, which
 * needs a capability; each worker thread inherits one and accepts requests through it. The only file that includes
 * libnl is upcall.c.
 */
#ifndef TLSHD_UPCALL_H
#define TLSHD_UPCALL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uapi/tlshd_genl.h"

/**
 * struct upcall_request - one application's wish, checked for shape only
 * @fd: the handshake socket; whoever holds the struct closes it
 * @role: TLSHD_CLIENT or TLSHD_SERVER
 * @early_len: client: TLSHD_EARLY_MAX bytes of early data at most that ktls_take_early() gives
 * @profile, @server_name, @alpn: terminated; the last two empty if absent
 * @peer, @local: sa_family 0 if absent
 */
struct upcall_request {
	int fd;
	uint32_t role, flags, timeout_ms, age_ms, early_len;
	uint32_t uid, gid, pid;
	uint64_t netns, cgroup;
	char profile[TLSHD_PROFILE_LEN];
	char server_name[TLSHD_NAME_LEN];
	char alpn[TLSHD_ALPN_LEN];
	uint8_t scope[TLSHD_SCOPE_LEN];
	uint32_t groups[TLSHD_GROUPS_MAX];
	size_t num_groups;
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} peer, local;
};

/**
 * upcall_register() - open a netlink socket and register it
 * @fd: out: the socket, non-blocking and close-on-exec
 * @family: out: the number of the family, for upcall_open()
 * @instance: the same for all sockets that serve together
 *
 * Return: 0; -ENOENT the module is not loaded; -EPERM no CAP_NET_ADMIN; -EPROTONOSUPPORT the module speaks another
 * version of the contract; -EBADMSG its answer makes no sense; or another errno of the socket.
 */
int upcall_register(int *fd, uint16_t *family, uint64_t instance) __attribute__((warn_unused_result));

struct upcall;

/**
 * upcall_open() - use a registered socket that was inherited
 * @fd: belongs to the upcall from now on
 *
 * Return: NULL if there is no memory or @fd is no netlink socket.
 */
struct upcall *upcall_open(int fd, uint16_t family);
void upcall_close(struct upcall *u);
int upcall_fd(const struct upcall *u);		/* readable: time to upcall_accept() */

/**
 * upcall_accept() - take waiting requests
 * @out: out: up to @max of them; each with a descriptor that is the caller's
 * @max: 1 to TLSHD_ACCEPT_MAX
 * @dropped: out: how many made no sense; their descriptors are closed, which ends them with ECONNABORTED
 * @tickets: out, on success: upcall_tickets() has some to give
 * @more: out, on success: whether to call again; else wait for the socket to be readable
 *
 * Return: how many the module handed over; those that were dropped are missing in @out. -EMFILE no descriptor free,
 * nothing was taken; -ENOMEM; -EPERM another daemon has taken over; -EBADMSG; another errno of the socket.
 */
int upcall_accept(struct upcall *u, struct upcall_request *out, unsigned max, unsigned *dropped, bool *tickets,
		  bool *more) __attribute__((warn_unused_result));

/* What a client's connection received: the blob of its DONE, and a NewSessionTicket message. Both borrowed. */
typedef void upcall_ticket(void *arg, const uint8_t *blob, size_t blob_len, const uint8_t *msg, size_t len);

/**
 * upcall_tickets() - take clients' tickets, up to TLSHD_ACCEPT_MAX of them
 * @take: called for each with @arg
 * @told: out: a READY was read meanwhile, so upcall_accept() is due
 *
 * Return: how many there were: TLSHD_ACCEPT_MAX may not have been all; or -errno as of upcall_accept().
 */
int upcall_tickets(struct upcall *u, upcall_ticket *take, void *arg, bool *told) __attribute__((warn_unused_result));

/**
 * upcall_parse() - one REQUEST attribute
 * @out: out: on failure only @fd is valid, and -1 if there was none
 * @attrs: the payload of TLSHD_A_REQUEST, @len bytes
 *
 * Return: 0, or -EBADMSG if an attribute is missing, of a wrong size, not terminated or out of range.
 */
int upcall_parse(struct upcall_request *out, void *attrs, int len) __attribute__((warn_unused_result));

/**
 * upcall_parse_ticket() - one TICKET attribute
 * @attrs: the payload of TLSHD_A_TICKET, @len bytes
 *
 * Return: whether it made sense, and so whether @take was called.
 */
bool upcall_parse_ticket(void *attrs, int len, upcall_ticket *take, void *arg);

#endif
