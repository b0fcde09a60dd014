// SPDX-License-Identifier: MIT
#include "ktls.h"

#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/* kTLS splits the 12-byte IV of RFC 8446 5.3 into salt and iv, and has a layout of its own for each cipher. */
struct layout {
	uint16_t suite, cipher;
	uint8_t key_len, salt_len, iv_len;
	uint8_t size;
	uint8_t iv, key, salt, rec_seq;		/* offsets */
};

#define LAYOUT(s, c, t, salt_size) { \
	.suite = (s), .cipher = (c), .size = sizeof(struct t), \
	.key_len = sizeof(((struct t *)0)->key), .iv_len = sizeof(((struct t *)0)->iv), .salt_len = (salt_size), \
	.iv = offsetof(struct t, iv), .key = offsetof(struct t, key), .salt = offsetof(struct t, salt), \
	.rec_seq = offsetof(struct t, rec_seq) }

static const struct layout layouts[] = {
	LAYOUT(TLS_AES_128_GCM_SHA256, TLS_CIPHER_AES_GCM_128, tls12_crypto_info_aes_gcm_128,
	       TLS_CIPHER_AES_GCM_128_SALT_SIZE),
	LAYOUT(TLS_AES_256_GCM_SHA384, TLS_CIPHER_AES_GCM_256, tls12_crypto_info_aes_gcm_256,
	       TLS_CIPHER_AES_GCM_256_SALT_SIZE),
	LAYOUT(TLS_CHACHA20_POLY1305_SHA256, TLS_CIPHER_CHACHA20_POLY1305, tls12_crypto_info_chacha20_poly1305,
	       TLS_CIPHER_CHACHA20_POLY1305_SALT_SIZE),
};

union crypto_info {
	struct tls_crypto_info head;
	struct tls12_crypto_info_aes_gcm_128 gcm128;
	struct tls12_crypto_info_aes_gcm_256 gcm256;
	struct tls12_crypto_info_chacha20_poly1305 chacha;
	uint8_t bytes[sizeof(struct tls12_crypto_info_aes_gcm_256)];
};

static const struct layout *find_layout(uint16_t suite)
{
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
		if (layouts[i].suite == suite)
			return &layouts[i];
	return NULL;
}

static int install(int fd, int direction, const struct layout *l, const struct tls_keys *k)
{
	union crypto_info ci;
	int rc;

	memset(&ci, 0, sizeof(ci));
	ci.head.version = TLS_1_3_VERSION;
	ci.head.cipher_type = l->cipher;
	memcpy(ci.bytes + l->salt, k->iv, l->salt_len);
	memcpy(ci.bytes + l->iv, k->iv + l->salt_len, l->iv_len);
	memcpy(ci.bytes + l->key, k->key, l->key_len);
	for (int i = 0; i < 8; i++)
		ci.bytes[l->rec_seq + i] = (uint8_t)(k->seq >> (56 - 8 * i));
	rc = setsockopt(fd, SOL_TLS, direction, &ci, l->size) ? -errno : 0;
	wipe(&ci, sizeof(ci));
	return rc;
}

static int install_one(int fd, int direction, const struct tls_traffic *t)
{
	const struct layout *l = find_layout(t->suite);

	if (!l || l->salt_len + l->iv_len != AEAD_NONCE_LEN || l->key_len != t->key_len)
		return -EOPNOTSUPP;
	return install(fd, direction, l, direction == TLS_TX ? &t->tx : &t->rx);
}

int ktls_install_tx(int fd, const struct tls_traffic *t)
{
	return install_one(fd, TLS_TX, t);
}

int ktls_install_rx(int fd, const struct tls_traffic *t)
{
	return install_one(fd, TLS_RX, t);
}

int ktls_install(int fd, const struct tls_traffic *t)
{
	int rc = ktls_install_tx(fd, t);

	return rc ? rc : ktls_install_rx(fd, t);
}

/* ---- early data ---- */

int ktls_begin_early(int fd, const struct tls_traffic *t, const struct tlshd_info *info)
{
	struct {
		struct tlshd_early early;
		struct tlshd_info info;
	} v = {
		.early = { .size = sizeof(v.early), .hash_len = t->hash_len, .info_len = sizeof(v.info), .tx_seq = t->tx.seq },
		.info = *info,
	};
	int rc;

	v.info.size = sizeof(v.info);
	memcpy(v.early.tx_secret, t->tx.secret, t->hash_len);
	rc = setsockopt(fd, IPPROTO_IP, TLSHD_EARLY, &v, sizeof(v)) ? -errno : 0;
	wipe(&v, sizeof(v));
	return rc;
}

int ktls_give_early(int fd, const uint8_t *p, size_t len)
{
	struct {
		struct tlshd_early early;
		uint8_t data[TLSHD_EARLY_MAX];
	} v;
	int rc;

	if (len > sizeof(v.data))
		return -EMSGSIZE;
	v.early = (struct tlshd_early){ .size = sizeof(v.early), .data_len = (uint32_t)len };
	memcpy(v.data, p, len);
	rc = setsockopt(fd, IPPROTO_IP, TLSHD_EARLY, &v, (socklen_t)(sizeof(v.early) + len)) ? -errno : 0;
	wipe(v.data, len);
	return rc;
}

ssize_t ktls_take_early(int fd, uint8_t *p, size_t len)
{
	socklen_t n = (socklen_t)len;

	return getsockopt(fd, IPPROTO_IP, TLSHD_EARLY, p, &n) ? -errno : (ssize_t)n;
}

/* ---- the verdict ---- */

struct verdict {
	struct tlshd_done done;
	struct tlshd_info info;
	uint8_t blob[TLSHD_BLOB_MAX];
};

static int send_verdict(int fd, const struct verdict *v)
{
	socklen_t len = (socklen_t)(offsetof(struct verdict, blob) + v->done.blob_len);

	return setsockopt(fd, IPPROTO_IP, TLSHD_DONE, v, len) ? -errno : 0;
}

static void set_head(struct verdict *v, const struct tlshd_info *info)
{
	memset(v, 0, offsetof(struct verdict, blob));
	v->done.size = sizeof(v->done);
	v->done.error = info->error;
	v->done.send_alert = TLSHD_ALERT_NONE;
	v->done.info_len = sizeof(v->info);
	v->info = *info;
	v->info.size = sizeof(v->info);
}

int ktls_open(int fd, const struct tls_traffic *t, const struct tlshd_info *info, const uint8_t *blob, size_t blob_len)
{
	struct verdict v;
	int rc;

	set_head(&v, info);
	v.done.hash_len = t->hash_len;
	v.done.tx_seq = t->tx.seq;
	v.done.rx_seq = t->rx.seq;
	memcpy(v.done.tx_secret, t->tx.secret, t->hash_len);
	memcpy(v.done.rx_secret, t->rx.secret, t->hash_len);
	memcpy(v.done.exporter_secret, t->exporter_secret, t->hash_len);
	v.done.blob_len = (uint16_t)blob_len;
	if (blob_len)
		memcpy(v.blob, blob, blob_len);
	rc = send_verdict(fd, &v);
	wipe(&v, sizeof(v));
	return rc;
}

int ktls_fail(int fd, const struct tlshd_info *info, uint16_t alert)
{
	struct verdict v;

	set_head(&v, info);
	v.done.send_alert = alert;
	return send_verdict(fd, &v);
}
