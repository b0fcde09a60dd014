// SPDX-License-Identifier: GPL-2.0-only
#include <crypto/aead.h>
#include <crypto/algapi.h>
#include <linux/err.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/tls.h>
#include "compat.h"
#include "ktls.h"

/* Loads tls.ko before us and keeps it: the tables that it made of plain sockets must not be made again of ours. */
static void *const pin_tls __used = tls_validate_xmit_skb;

struct suite {
	u16 suite;		/* RFC 8446 B.4 */
	u16 cipher_type;	/* of linux/tls.h */
	u8 hash_len;
	u8 key_len;
	u8 key_at;		/* in union tls_crypto_context */
	bool wears;		/* limited in records for one key, section 5.5 */
	const char *aead;
};

#define KEY_AT(cipher) offsetof(struct tls12_crypto_info_##cipher, key)

static const struct suite suites[] = {
	{ 0x1301, TLS_CIPHER_AES_GCM_128, 32, 16, KEY_AT(aes_gcm_128), true, "gcm(aes)" },
	{ 0x1302, TLS_CIPHER_AES_GCM_256, 48, 32, KEY_AT(aes_gcm_256), true, "gcm(aes)" },
	{ 0x1303, TLS_CIPHER_CHACHA20_POLY1305, 32, 32, KEY_AT(chacha20_poly1305), false,
	  "rfc7539(chacha20,poly1305)" },
};

static struct crypto_aead *aeads[ARRAY_SIZE(suites)];

static const struct suite *find(u16 suite)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		if (suites[i].suite == suite)
			return &suites[i];
	return NULL;
}

/**
 * tlshd_ktls_init() - have the ciphers loaded
 *
 * net/tls allocates them under the socket lock. Held here, no modprobe runs there. One that a kernel lacks is left
 * out; the daemon's TLS_TX says so.
 *
 * Return: 0.
 */
int __init tlshd_ktls_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		aeads[i] = crypto_alloc_aead(suites[i].aead, 0, 0);
	return 0;
}

/**
 * tlshd_ktls_exit() - let the ciphers go
 */
void tlshd_ktls_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(suites); i++)
		if (!IS_ERR(aeads[i]))
			crypto_free_aead(aeads[i]);
}

/**
 * tlshd_ktls_set_ulp() - TCP_ULP "tls"
 * @sk: not locked
 *
 * Return: 0; -ENOTCONN not established, or the peer has sent FIN; -EEXIST another ULP; -ENOMEM.
 */
int tlshd_ktls_set_ulp(struct sock *sk)
{
	return READ_ONCE(sk->sk_prot)->setsockopt(sk, SOL_TCP, TCP_ULP, KERNEL_SOCKPTR("tls"), sizeof("tls"));
}

/**
 * tlshd_ktls_hash_len() - length of a suite's hash
 * @suite: of RFC 8446 B.4
 *
 * Return: bytes, or 0 if the suite is not known.
 */
int tlshd_ktls_hash_len(u16 suite)
{
	const struct suite *s = find(suite);

	return s ? s->hash_len : 0;
}

/**
 * tlshd_ktls_key_len() - length of a suite's key
 * @suite: known
 *
 * Return: bytes.
 */
int tlshd_ktls_key_len(u16 suite)
{
	return find(suite)->key_len;
}

/**
 * tlshd_ktls_wears() - whether a suite's key may protect a limited number of records only
 * @suite: any
 *
 * Return: true for AES-GCM.
 */
bool tlshd_ktls_wears(u16 suite)
{
	const struct suite *s = find(suite);

	return s && s->wears;
}

static u64 seq_of(const struct cipher_context *cipher)
{
	__be64 seq;

	memcpy(&seq, cipher->rec_seq, sizeof(seq));
	return be64_to_cpu(seq);
}

/* The structs may have changed since this was compiled (CONFIG_MODVERSIONS does not cover them): then nothing matches. */
static bool holds(const struct suite *s, const union tls_crypto_context *crypto, const struct cipher_context *cipher,
		  const struct tlshd_kdf_keys *keys)
{
	return crypto->info.version == TLS_1_3_VERSION && crypto->info.cipher_type == s->cipher_type &&
	       !crypto_memneq((const u8 *)crypto + s->key_at, keys->key, s->key_len) &&
	       !crypto_memneq(cipher->iv, keys->iv, sizeof(keys->iv));
}

/**
 * tlshd_ktls_sends() - whether net/tls encrypts with exactly this key
 * @sk: not locked
 * @suite: RFC 8446 B.4
 * @keys: key and IV
 * @seq: next sequence number; NULL: the application may have sent something already
 *
 * Return: true if it is done in software, as TLS 1.3, with these values.
 */
bool tlshd_ktls_sends(struct sock *sk, u16 suite, const struct tlshd_kdf_keys *keys, const u64 *seq)
{
	const struct suite *s = find(suite);
	struct tls_context *tls;
	bool yes = false;

	lock_sock(sk);
	tls = tls_get_ctx(sk);
	if (s && tls && tls->tx_conf == TLS_SW && tls->prot_info.version == TLS_1_3_VERSION)
		yes = holds(s, &tls->crypto_send, &tls->tx, keys) && (!seq || seq_of(&tls->tx) == *seq);
	release_sock(sk);
	return yes;
}

/**
 * tlshd_ktls_receives() - whether net/tls decrypts with exactly this key
 * @sk: not locked
 * @suite: RFC 8446 B.4
 * @keys: key and IV
 * @seq: next sequence number
 *
 * Return: as tlshd_ktls_sends().
 */
bool tlshd_ktls_receives(struct sock *sk, u16 suite, const struct tlshd_kdf_keys *keys, u64 seq)
{
	const struct suite *s = find(suite);
	struct tls_context *tls;
	bool yes = false;

	lock_sock(sk);
	tls = tls_get_ctx(sk);
	if (s && tls && tls->rx_conf == TLS_SW && tls->prot_info.version == TLS_1_3_VERSION)
		yes = holds(s, &tls->crypto_recv, &tls->rx, keys) && seq_of(&tls->rx) == seq;
	release_sock(sk);
	return yes;
}

/**
 * tlshd_ktls_tx_seq() - records sent under the current key
 * @sk: of an open connection; exact for who holds tx_mutex
 *
 * Return: the sequence number of the next one.
 */
u64 tlshd_ktls_tx_seq(struct sock *sk)
{
	return seq_of(&tls_get_ctx(sk)->tx);
}
