// SPDX-License-Identifier: GPL-2.0-only
#include <linux/mm.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "ctx.h"
#include "done.h"
#include "kdf.h"
#include "ktls.h"
#include "overlay.h"
#include "record.h"
#include "tx.h"

/* A daemon of a later version may send longer structs. */
#define MAX_GROWTH 1024
#define MAX_LEN (sizeof(struct tlshd_done) + sizeof(struct tlshd_info) + 2 * MAX_GROWTH + \
		 TLSHD_POST_MAX + TLSHD_BLOB_MAX + TLSHD_CHAIN_MAX)

/* A verdict's parts, inside one buffer. */
struct parts {
	struct tlshd_done *done;
	struct tlshd_info info;
	const u8 *post, *blob;
	struct tlshd_kdf_keys tx, rx;	/* what the secrets come to; derived before any lock is taken */
};

/*
 * Behind @size the struct goes on for a caller of a later version: we know nothing of it but that it must say nothing.
 */
static bool split(struct parts *p, u8 *buf, u32 optlen)
{
	struct tlshd_done *done = (struct tlshd_done *)buf;
	const u8 *info;

	p->done = done;
	if (done->size < sizeof(*done) || done->size > sizeof(*done) + MAX_GROWTH || done->size > optlen)
		return false;
	if (memchr_inv(buf + sizeof(*done), 0, done->size - sizeof(*done)))
		return false;
	if (done->post_len > TLSHD_POST_MAX || done->blob_len > TLSHD_BLOB_MAX || done->chain_len > TLSHD_CHAIN_MAX ||
	    done->info_len > sizeof(p->info) + MAX_GROWTH)
		return false;
	if (optlen - done->size != (u32)done->info_len + done->post_len + done->blob_len + done->chain_len)
		return false;
	info = buf + done->size;
	p->info.alert_sent = TLSHD_ALERT_NONE;	/* a verdict without info says nothing of alerts */
	p->info.alert_received = TLSHD_ALERT_NONE;
	memcpy(&p->info, info, min_t(size_t, done->info_len, sizeof(p->info)));
	p->info.reason[sizeof(p->info.reason) - 1] = 0;
	p->post = info + done->info_len;
	p->blob = p->post + done->post_len;
	return true;
}

/* Of fields alone; whether kTLS agrees is net/tls's to say. */
static bool plausible(const struct tlshd_ctx *ctx, const struct parts *p)
{
	const struct tlshd_done *done = p->done;

	if (done->reserved || done->error > MAX_ERRNO)
		return false;
	if (done->send_alert > 255 && done->send_alert != TLSHD_ALERT_NONE)
		return false;
	if (done->error)
		return !done->hash_len && !done->post_len && !done->blob_len && !done->chain_len;
	/* KEEP_CHAIN is not supported in this version, so nobody asked for one. */
	if (done->chain_len || done->send_alert != TLSHD_ALERT_NONE)
		return false;
	if (done->blob_len && ctx->req.start.role != TLSHD_CLIENT)
		return false;
	return done->info_len == sizeof(p->info) && done->hash_len &&
	       done->hash_len == tlshd_ktls_hash_len(p->info.suite);
}

static int derive(struct parts *p)
{
	const struct tlshd_done *done = p->done;
	int key_len = tlshd_ktls_key_len(p->info.suite);
	int err = tlshd_kdf_keys(&p->tx, done->tx_secret, done->hash_len, key_len);

	return err ?: tlshd_kdf_keys(&p->rx, done->rx_secret, done->hash_len, key_len);
}

/*
 * ctx->mutex held, the handshake running. What makes the daemon's word enough: net/tls holds the keys that follow
 * from the secrets that it names, so what is read was written by who knows them, and nothing leaves in the clear.
 */
static int open_keys(struct tlshd_ctx *ctx, const struct parts *p)
{
	const struct tlshd_done *done = p->done;

	bool early = tlshd_ctx_state(ctx) == TLSHD_S_EARLY;	/* the application may have sent something already */

	if (!test_bit(TLSHD_CTX_TX_KEYS, &ctx->flags) || !test_bit(TLSHD_CTX_RX_KEYS, &ctx->flags) ||
	    !tlshd_ktls_sends(ctx->sk, p->info.suite, &p->tx, early ? NULL : &done->tx_seq) ||
	    !tlshd_ktls_receives(ctx->sk, p->info.suite, &p->rx, done->rx_seq))
		return -EPROTO;
	/*
	 * Tickets. No sender exists before OPEN, so tx_mutex is not needed. A peer that has no room for them gets none;
	 * with early data they went out before it.
	 */
	if (done->post_len && !early)
		tlshd_tx_record(ctx, ctx->sock, TLSHD_RECORD_HANDSHAKE, p->post, done->post_len);
	return 0;
}

/* ctx->mutex held, the handshake running: open it. */
static int open_ctx(struct tlshd_ctx *ctx, const struct parts *p, u8 *blob)
{
	struct tlshd_verdict verdict = { .info = &p->info };
	int err = open_keys(ctx, p);

	if (err) {
		tlshd_ctx_fail(ctx, EPROTO, "the keys in the kernel are not those of the handshake");
		return err;
	}
	/* In place before the state is: readers come when they see OPEN. */
	ctx->blob = blob;
	ctx->blob_len = p->done->blob_len;
	WRITE_ONCE(ctx->sk->sk_rcvlowat, ctx->rcvlowat);
	if (!tlshd_ctx_complete(ctx, &verdict))
		return -EPIPE;
	tlshd_overlay_unrelay(ctx);
	smp_mb();	/* against overlay_shutdown(): one of us sees what the other has set */
	if (test_bit(TLSHD_CTX_SHUT_RD, &ctx->flags))
		tlshd_base(ctx)->shutdown(ctx->sock, SHUT_RD);
	return 0;
}

/* ctx->mutex held, the handshake running: end it. */
static void fail_ctx(struct tlshd_ctx *ctx, const struct parts *p)
{
	struct tlshd_verdict verdict = { .error = p->done->error, .info = &p->info };

	if (p->done->send_alert != TLSHD_ALERT_NONE && test_bit(TLSHD_CTX_TX_KEYS, &ctx->flags))
		tlshd_tx_alert(ctx, ctx->sock, p->done->send_alert);
	tlshd_ctx_complete(ctx, &verdict);
}

static int decide(struct tlshd_ctx *ctx, const struct parts *p)
{
	u8 *blob = NULL;
	int err;

	if (p->done->blob_len) {
		blob = kmemdup(p->blob, p->done->blob_len, GFP_KERNEL_ACCOUNT);
		if (!blob)
			return -ENOMEM;
	}
	mutex_lock(&ctx->mutex);
	if (!tlshd_ctx_running(ctx) || !ctx->sock) {
		err = -EPIPE;
	} else if (p->done->error) {
		fail_ctx(ctx, p);
		err = 0;
	} else {
		err = open_ctx(ctx, p, blob);
	}
	/* The ctx has it, or nobody. */
	if (ctx->blob != blob)
		kfree(blob);
	mutex_unlock(&ctx->mutex);
	return err;
}

/**
 * tlshd_done() - take the daemon's verdict
 * @ctx: of the handshake socket
 * @optval: struct tlshd_done and what follows it; read once, before any lock
 * @optlen: of all
 *
 * Return: 0; -EPIPE the handshake has ended already; -EINVAL a wrong length or field, which ends it; -EPROTO kTLS
 * does not hold these keys, which ends it too; -EFAULT, -ENOMEM.
 */
int tlshd_done(struct tlshd_ctx *ctx, sockptr_t optval, unsigned int optlen)
{
	struct parts *p;
	u8 *buf;
	int err = -EFAULT;

	if (!tlshd_ctx_running(ctx))
		return -EPIPE;
	if (optlen < sizeof(struct tlshd_done) || optlen > MAX_LEN) {
		tlshd_ctx_fail(ctx, EPROTO, "the daemon's verdict has a wrong length");
		return -EINVAL;
	}
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	buf = kvmalloc(optlen, GFP_KERNEL);
	if (!p || !buf) {
		err = -ENOMEM;
		goto out;
	}
	if (copy_from_sockptr(buf, optval, optlen))
		goto out;
	err = -EINVAL;
	if (!split(p, buf, optlen) || !plausible(ctx, p)) {
		tlshd_ctx_fail(ctx, EPROTO, "the daemon's verdict has a wrong length or field");
		goto out;
	}
	err = p->done->error ? 0 : derive(p);
	if (!err)
		err = decide(ctx, p);
out:
	kvfree_sensitive(buf, optlen);
	kfree_sensitive(p);
	return err;
}
