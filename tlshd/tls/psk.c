// SPDX-License-Identifier: MIT
/* psk: what of a pre-shared key's cryptography the signer shares with the engine. */
#include "keys.h"

#include <stdlib.h>

static void check_len(size_t psk_len)
{
	if (psk_len < TLS_EXTERNAL_KEY_MIN)
		abort();
}

void tls_psk_binder(uint8_t *out, enum hash_id hash, const uint8_t *psk, size_t psk_len, const uint8_t *transcript)
{
	struct keys_early early;

	check_len(psk_len);
	keys_early_init(&early, hash, psk, psk_len);
	keys_binder(out, &early, true, transcript);
	wipe(&early, sizeof(early));
}

void tls_psk_handshake_secret(uint8_t *out, enum hash_id hash, const uint8_t *psk, size_t psk_len, const uint8_t *dhe,
			      size_t dhe_len)
{
	struct keys_early early;

	check_len(psk_len);
	keys_early_init(&early, hash, psk, psk_len);
	keys_handshake_secret(out, &early, dhe, dhe_len);
}
