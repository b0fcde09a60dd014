// SPDX-License-Identifier: GPL-2.0-only
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "pad.h"

static struct workqueue_struct *pad_wq;

/**
 * tlshd_pad_init() - get ready to free pads
 *
 * Return: 0 or -ENOMEM.
 */
int tlshd_pad_init(void)
{
	pad_wq = alloc_workqueue("tlshd_pad", WQ_UNBOUND, 0);
	return pad_wq ? 0 : -ENOMEM;
}

/**
 * tlshd_pad_exit() - free the last pads; no connection is left
 */
void tlshd_pad_exit(void)
{
	rcu_barrier();		/* every queue_rcu_work() has become work */
	destroy_workqueue(pad_wq);
}

static void free_work(struct work_struct *work)
{
	struct tlshd_pad *pad = container_of(to_rcu_work(work), struct tlshd_pad, work);

	/* A socket of its own again, as sock_alloc() made it: without ops and file, sock_release() only frees it. */
	pad->sock->ops = NULL;
	pad->sock->sk = NULL;
	pad->sock->file = NULL;
	SOCK_INODE(pad->sock)->i_private = NULL;
	sock_release(pad->sock);
	kfree(pad);
}

/**
 * tlshd_pad_new() - a stand-in for an application's socket
 * @ctx: borrowed; the pad is freed before it
 * @app: its type, state, flags, table, file, inode number and owner are copied: firewall owner matches and ss find
 *	them there
 *
 * Return: the pad, not yet in sk_socket, or NULL without memory.
 */
struct tlshd_pad *tlshd_pad_new(struct tlshd_ctx *ctx, struct socket *app)
{
	struct tlshd_pad *pad = kzalloc(sizeof(*pad), GFP_KERNEL_ACCOUNT);
	struct inode *inode, *from = SOCK_INODE(app);
	struct socket *sock;

	if (!pad)
		return NULL;
	sock = sock_alloc();
	if (!sock) {
		kfree(pad);
		return NULL;
	}
	INIT_RCU_WORK(&pad->work, free_work);
	pad->sock = sock;
	sock->type = app->type;
	sock->state = app->state;
	sock->flags = READ_ONCE(app->flags);
	sock->ops = READ_ONCE(app->ops);
	sock->sk = app->sk;
	/*
	 * No reference: the pad leaves sk_socket in the release of this very file, and what readers under RCU saw of
	 * it stays.
	 */
	sock->file = app->file;
	inode = SOCK_INODE(sock);
	inode->i_ino = from->i_ino;
	inode->i_uid = from->i_uid;
	inode->i_gid = from->i_gid;
	inode->i_private = ctx;
	return pad;
}

/**
 * tlshd_pad_free() - free a pad that is no longer in sk_socket
 * @pad: freed after a grace period: nft_meta, xt_owner, diag and sk_stream_write_space() follow sk_socket under RCU
 *	or BH only
 *
 * A grace period is enough only because one pad serves one connection: sk_getsockopt() keeps sk->sk_socket across a
 * page fault of the application. It holds the file while it does, so a pad that is freed by the file's release has no
 * such reader, whereas one passed on earlier would show it another connection's addresses.
 */
void tlshd_pad_free(struct tlshd_pad *pad)
{
	queue_rcu_work(pad_wq, &pad->work);
}

/**
 * tlshd_pad_ctx() - whose pad this is
 * @sock: what sk_socket pointed to, under RCU; may be NULL
 *
 * A socket's file points back at it, a pad's at the application's socket.
 *
 * Return: the connection, borrowed under RCU, or NULL if @sock is no pad.
 */
struct tlshd_ctx *tlshd_pad_ctx(struct socket *sock)
{
	if (!sock || !sock->file || sock->file->private_data == sock)
		return NULL;
	return SOCK_INODE(sock)->i_private;
}
