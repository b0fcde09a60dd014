/* SPDX-License-Identifier: MIT */
/*
 * The other ends of a module test: a daemon of a few calls (no TLS: both ends know the secrets) and a peer that uses
 * kTLS bare, so that it can send any record. Every function that can fail returns -1 with errno, like a system call.
 */
#ifndef TLSHD_MOD_PEER_H
#define TLSHD_MOD_PEER_H

#include <linux/tls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "uapi/tlshd_genl.h"

#define WAIT_MS 20000	/* longest wait for something that must happen */

struct daemon {
	int fd;
	uint16_t family;
	uint32_t seq;
	bool ready;	/* a READY came */
	bool tickets;	/* the last ACCEPT said that there are tickets */
};

struct ticket {
	uint8_t blob[TLSHD_BLOB_MAX], message[TLSHD_TICKET_MAX];
	size_t blob_len, len;
};

struct request {
	int fd;
	uint32_t role, flags, uid, pid, early_len;
	char profile[TLSHD_PROFILE_LEN], server_name[TLSHD_NAME_LEN];
	struct sockaddr_storage peer;
};

struct keys {
	uint16_t suite;
	int secret_len;
	uint8_t secret[TLSHD_SECRET_MAX];
};

/* A connection on loopback: app is where START goes, peer its other end. */
struct pair {
	int app, peer;
};

int daemon_open(struct daemon *d);
int daemon_register(struct daemon *d, uint64_t instance);
int daemon_accept(struct daemon *d, struct request *reqs, int max);
int daemon_accept_one(struct daemon *d, struct request *req);
int daemon_tickets(struct daemon *d, struct ticket *tickets, int max);

int pair_open(struct pair *p, int family);
void pair_close(struct pair *p);
int listen_open(int family, struct sockaddr_storage *addr, socklen_t *len);

void keys_set(struct keys *k, uint16_t suite, uint8_t fill);
int keys_install(int fd, int direction, const struct keys *k, uint64_t seq);

void start_init(struct tlshd_start *s, uint32_t role);
int start(int fd, uint32_t role, uint32_t flags);
int info_get(int fd, struct tlshd_info *info);
void done_init(struct tlshd_done *d, struct tlshd_info *info, const struct keys *tx, const struct keys *rx);
int done_send(int fd, const struct tlshd_done *d, const struct tlshd_info *info, const void *rest, size_t rest_len);
int hs_open(int hs, const struct keys *tx, const struct keys *rx);
int hs_open_blob(int hs, const struct keys *tx, const struct keys *rx, const void *blob, size_t blob_len);
int hs_fail(int hs, int error);

/* Everything: a pair, START with NOWAIT, the daemon's part with keys for @suite, the peer's keys. */
int open_pair(struct daemon *d, struct pair *p, int family, uint16_t suite, uint32_t role);
int open_pair_blob(struct daemon *d, struct pair *p, int family, uint16_t suite, uint32_t role, const void *blob,
		   size_t blob_len);

int record_send(int fd, uint8_t type, const void *data, size_t len);
int record_recv(int fd, uint8_t *type, void *data, size_t len);
int wait_for(int fd, short events);

#endif
