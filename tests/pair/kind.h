/* SPDX-License-Identifier: MIT */
/* kind: the kinds of handshake that there are, for tests that go through all of them. */
#ifndef KIND_H
#define KIND_H

#include "pair.h"

enum {
	KIND_RETRY = 1 << 0,		/* through HelloRetryRequest */
	KIND_PSK = 1 << 1,		/* a ticket's session is resumed */
	KIND_EXTERNAL = 1 << 2,		/* with an external key */
	KIND_EARLY = 1 << 3,		/* early data is offered */
	KIND_REJECTED = 1 << 4,		/* and not accepted; not so through a retry either */
	KIND_LOST = 1 << 5,		/* the ticket does not open: a full handshake */
	KIND_ASKED = 1 << 6,		/* the client is asked for a certificate */
	KIND_CERT = 1 << 7,		/* and has one */
	KIND_ALONE = 1 << 8,		/* without a key exchange, psk_ke */
};

struct kind {
	const char *name;
	unsigned int flags;
};

extern const struct kind kinds[];
extern const size_t num_kinds;

#define KIND_EARLY_DATA "GET / HTTP/1.1\r\n\r\n"

/* What the handshake is by the flags: */
static inline bool kind_has_cert(const struct kind *k)		/* the server's certificate is sent */
{
	return !(k->flags & (KIND_PSK | KIND_EXTERNAL)) || k->flags & KIND_LOST;
}

static inline bool kind_takes_early(const struct kind *k)	/* early data is accepted */
{
	return k->flags & KIND_EARLY && !(k->flags & (KIND_REJECTED | KIND_LOST | KIND_RETRY));
}

/**
 * kind_init() - pair_init() and all that is needed before: to be followed by pair_run() and assert_kind()
 * @suite, @group: that it ends with; 0: TLS_AES_128_GCM_SHA256, X25519
 *
 * Of a session that is resumed, the full handshake is over. pair_resume() does it once more, with the same session.
 */
void kind_init(struct pair *p, const struct kind *k, uint16_t suite, uint16_t group);
void assert_kind(struct pair *p, const struct kind *k, uint16_t suite, uint16_t group);

#endif
