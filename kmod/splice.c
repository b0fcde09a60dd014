// SPDX-License-Identifier: GPL-2.0-only
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched/signal.h>
#include <linux/splice.h>
#include "record.h"
#include "splice.h"

/* Pages a call, a pipe's default size: a larger length is answered in parts. */
#define MAX_PAGES 16

static int alloc_pages_for(struct bio_vec *vec, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		struct page *page = alloc_page(GFP_KERNEL_ACCOUNT);

		if (!page)
			break;
		vec[i].bv_page = page;
		vec[i].bv_offset = 0;
		vec[i].bv_len = PAGE_SIZE;
	}
	return i;
}

/**
 * tlshd_splice_read() - read application data into a pipe
 * @ctx: in any state
 * @sock: the application's
 * @pipe: locked by the caller, so its room does not shrink
 * @len: bytes wanted
 * @dontwait: SPLICE_F_NONBLOCK, or O_NONBLOCK on the socket, which net/tls does not look at
 *
 * Data is copied once, through recvmsg: net/tls's own splice_read loses bytes on 6.12 when the pipe is short of room,
 * and says EINVAL at control records on every kernel.
 *
 * Return: bytes, 0 at EOF, or an errno of tlshd_record_recv(); -EPIPE without a reader; -EAGAIN if the pipe is full;
 * -ENOMEM.
 */
ssize_t tlshd_splice_read(struct tlshd_ctx *ctx, struct socket *sock, struct pipe_inode_info *pipe, size_t len,
			  bool dontwait)
{
	unsigned int used = pipe_occupancy(pipe->head, pipe->tail);
	unsigned int room = used < pipe->max_usage ? pipe->max_usage - used : 0;
	struct bio_vec vec[MAX_PAGES];
	struct msghdr msg = {};
	ssize_t left;
	int i, n, ret;

	if (!pipe->readers) {
		send_sig(SIGPIPE, current, 0);
		return -EPIPE;
	}
	if (!room)
		return -EAGAIN;
	n = alloc_pages_for(vec, min3(DIV_ROUND_UP(len, PAGE_SIZE), (size_t)room, (size_t)MAX_PAGES));
	if (!n)
		return len ? -ENOMEM : 0;
	len = min_t(size_t, len, n * PAGE_SIZE);
	iov_iter_bvec(&msg.msg_iter, ITER_DEST, vec, n, len);
	ret = tlshd_record_recv(ctx, sock, &msg, len, dontwait ? MSG_DONTWAIT : 0);

	for (i = 0, left = ret; i < n; i++, left -= PAGE_SIZE) {
		struct pipe_buffer buf = { .page = vec[i].bv_page, .ops = &nosteal_pipe_buf_ops };

		buf.len = clamp_t(ssize_t, left, 0, PAGE_SIZE);
		if (buf.len)
			add_to_pipe(pipe, &buf);	/* there is room: it takes the page */
		else
			put_page(buf.page);
	}
	return ret;
}
