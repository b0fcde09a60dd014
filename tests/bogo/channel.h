/* SPDX-License-Identifier: MIT */
/*
 * channel: a connection after the handshake, where the kernel's TLS and the module would be: records, KeyUpdate,
 * NewSessionTicket and alerts (RFC 8446 4.6, 5 and 6). It reuses the engine's record protection and key schedule.
 */
#ifndef BOGO_CHANNEL_H
#define BOGO_CHANNEL_H

#include "tlshd/tls/hs.h"
#include "tlshd/tls/record.h"

/**
 * struct channel - one connection's socket, and what protects it once its keys are known
 * @bytewise: read the socket a byte at a time
 * @data, @data_len: of the current record, not read yet
 * @msg, @msg_len: handshake bytes that are no whole message yet
 * @num_empty, @num_updates, @num_warnings: since the last application data
 * @num_updates_total: KeyUpdates of the peer
 * @update_wanted: the peer asked for new keys of ours
 * @ticket: called with each NewSessionTicket message; NULL: they are only counted
 * @error: why it failed, with BoringSSL's token; NULL: by @alert
 */
struct channel {
	int fd;
	enum tls_role role;
	bool bytewise, closed, update_wanted;
	const struct suite *suite;
	struct tls_keys rx, tx;
	uint8_t *data;
	size_t data_len, msg_len;
	unsigned num_empty, num_updates, num_warnings, num_tickets, num_updates_total;
	void (*ticket)(const uint8_t *msg, size_t len);
	const char *error;
	uint8_t alert;
	uint8_t msg[TLS_MSG_MAX], in[TLS_RECORD_MAX], out[TLS_RECORD_MAX];
};

void channel_open(struct channel *ch, const struct tls_traffic *t, enum tls_role role);
void channel_wipe(struct channel *ch);

bool channel_send_raw(struct channel *ch, const void *p, size_t len);
ssize_t channel_recv_raw(struct channel *ch, void *p, size_t len, int flags);	/* as recv(); a byte if @bytewise */

/* Application data: > 0; 0 at close_notify; -1 on any other end, with @error; the alert has been sent. */
ssize_t channel_read(struct channel *ch, uint8_t *out, size_t max);
ssize_t channel_peek(struct channel *ch, uint8_t *out, size_t max);	/* likewise, and it stays to be read */
bool channel_write(struct channel *ch, const uint8_t *p, size_t len);
bool channel_update_keys(struct channel *ch, bool request);	/* send a KeyUpdate; whether it asks for one */
bool channel_alert(struct channel *ch, uint8_t alert);

#endif
