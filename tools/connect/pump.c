// SPDX-License-Identifier: MIT
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUF_LEN 65536

/**
 * struct flow - one direction
 * @max: the longest write to @to: a pipe that polls as writable takes PIPE_BUF bytes without waiting, and no more is
 *	sure
 * @ended: @from has given its last byte
 */
struct flow {
	int from, to;
	size_t max, pos, len;
	bool ended;
	char buf[BUF_LEN];
};

static int err_unless_again(void)
{
	return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static int fill(struct flow *f)
{
	ssize_t n = read(f->from, f->buf, sizeof f->buf);

	if (n < 0)
		return err_unless_again();
	f->pos = 0;
	f->len = n;
	f->ended = !n;
	return 0;
}

static int drain(struct flow *f)
{
	ssize_t n = write(f->to, f->buf + f->pos, f->len < f->max ? f->len : f->max);

	if (n < 0 && errno == EPIPE && f->to != STDOUT_FILENO) {
		/* The peer takes nothing more. What it has sent is still to be read, and its end tells how it ended. */
		f->len = 0;
		f->ended = true;
		return 0;
	}
	if (n < 0)
		return err_unless_again();
	f->pos += n;
	f->len -= n;
	return 0;
}

/* What a flow waits for now: one of its two ends, or nothing once it has ended. */
static void arm(struct pollfd p[2], const struct flow *f)
{
	p[0] = (struct pollfd){ .fd = f->ended || f->len ? -1 : f->from, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = f->len ? f->to : -1, .events = POLLOUT };
}

static int move(struct flow *f, const struct pollfd p[2])
{
	if (p[0].revents)
		return fill(f);
	return p[1].revents ? drain(f) : 0;
}

static size_t longest_write(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode) ? BUF_LEN : PIPE_BUF;
}

int pump(int fd)
{
	static struct flow up, down;	/* too large for a stack; one pump a process */
	struct pollfd p[4];
	bool half_closed = false;
	int err = 0;

	up = (struct flow){ .from = STDIN_FILENO, .to = fd, .max = BUF_LEN };
	down = (struct flow){ .from = fd, .to = STDOUT_FILENO, .max = longest_write(STDOUT_FILENO) };
	signal(SIGPIPE, SIG_IGN);
	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		return -errno;
	while (!err && !(down.ended && !down.len)) {
		arm(p, &up);
		arm(p + 2, &down);
		if (poll(p, 4, -1) < 0) {
			err = err_unless_again();
			continue;
		}
		err = move(&down, p + 2);
		if (!err)
			err = move(&up, p);
		if (!err && up.ended && !half_closed) {
			half_closed = true;
			shutdown(fd, SHUT_WR);
		}
	}
	return err;
}
