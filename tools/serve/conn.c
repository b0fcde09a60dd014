// SPDX-License-Identifier: MIT
#include "conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../sockopt.h"
#include "access.h"
#include "http.h"
#include "reply.h"

#define IN_MAX		4096
#define TURN_BYTES	(1024 * 1024)	/* of a file in one step, so that one fast client does not starve the others */
#define TURN_STEPS	64		/* likewise, of a client that sends its next request before it has the answer */
#define LINGER_READS	16		/* likewise, of what is thrown away */

#define CONN_NEXT	((enum conn_want)-1)	/* a step's: the next one may follow at once */

/**
 * struct conn - see conn.h
 * @step: what comes next
 * @in: received and not yet parsed: @in_len bytes at @in_pos. Filled only while a request is read, so a client that
 *	sends many requests at once waits in its socket
 * @stopping: conn_stop() was called
 */
struct conn {
	const struct conn_server *server;
	enum conn_want (*step)(struct conn *c);
	int fd;
	enum limit limit;
	bool renewed, stopping;
	size_t in_pos, in_len;
	char in[IN_MAX];
	struct http_request request;
	struct reply reply;
};

static enum conn_want step_start(struct conn *c);
static enum conn_want step_handshake(struct conn *c);
static enum conn_want step_read(struct conn *c);
static enum conn_want step_send(struct conn *c);
static enum conn_want step_linger(struct conn *c);

static bool verbose(const struct conn *c)
{
	return c->server->options->verbose;
}

static void enter(struct conn *c, enum conn_want (*step)(struct conn *c), enum limit limit)
{
	c->step = step;
	c->limit = limit;
	c->renewed = true;
}

struct conn *conn_new(const struct conn_server *server, int fd)
{
	struct conn *c = calloc(1, sizeof *c);
	const int one = 1;

	if (!c) {
		close(fd);
		return NULL;
	}
	c->server = server;
	c->fd = fd;
	c->reply.file.fd = -1;
	http_request_init(&c->request);
	/* We say ourselves where more follows (MSG_MORE); the last bytes of an answer shall not wait for an ACK. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	enter(c, server->options->plain ? step_read : step_start, LIMIT_HEADER);
	return c;
}

void conn_free(struct conn *c)
{
	reply_end(&c->reply);
	close(c->fd);
	free(c);
}

int conn_fd(const struct conn *c)
{
	return c->fd;
}

enum limit conn_limit(const struct conn *c)
{
	return c->limit;
}

bool conn_limit_renewed(struct conn *c)
{
	bool renewed = c->renewed;

	c->renewed = false;
	return renewed;
}

enum conn_want conn_step(struct conn *c)
{
	for (int i = 0; i < TURN_STEPS; i++) {
		enum conn_want want = c->step(c);

		if (want != CONN_NEXT)
			return want;
	}
	return CONN_WRITE;	/* requests that are in c->in would not wake us as readable */
}

/* The daemon or its configuration, not the client. */
static bool is_trouble(int err)
{
	return err == -ESRCH || err == -ENOENT || err == -EACCES || err == -EINVAL || err == -ENOPROTOOPT;
}

static enum conn_want handshake_failed(struct conn *c, int err)
{
	struct tlshd_info info;

	if (is_trouble(err))
		access_trouble(err);
	if (!verbose(c))
		return CONN_END;
	if (sockopt_info(c->fd, &info))
		info.reason[0] = 0;
	access_failed(c->fd, sockopt_reason(&info, err));
	return CONN_END;
}

static enum conn_want step_start(struct conn *c)
{
	struct tlshd_start s;
	int err;

	/* Cannot fail: options_parse() has measured the profile's name. */
	sockopt_request(&s, TLSHD_SERVER, c->server->options->profile, NULL, c->server->alpn);
	s.flags = TLSHD_F_NOWAIT | (c->server->options->early ? TLSHD_F_ACCEPT_EARLY : 0);
	s.timeout_ms = c->server->options->limit_ms[LIMIT_HEADER];
	err = sockopt_start(c->fd, &s);
	if (err && err != -EINPROGRESS)
		return handshake_failed(c, err);
	enter(c, step_handshake, LIMIT_HEADER);
	return err ? CONN_WRITE : CONN_NEXT;
}

/* Success shows as EPOLLOUT, but so does failure: INFO tells them apart. */
static enum conn_want step_handshake(struct conn *c)
{
	struct tlshd_info info;
	int err = sockopt_info(c->fd, &info);

	if (!err && info.state == TLSHD_S_HANDSHAKING)
		return CONN_WRITE;
	if (err || info.state == TLSHD_S_FAILED)
		return handshake_failed(c, err ? err : -(int)info.error);
	access_trouble(0);
	enter(c, step_read, LIMIT_IDLE);
	return CONN_NEXT;
}

/* RFC 8470 5.1: a request that is here before the client's Finished may be a replay; one that is still here then is none. */
static bool too_early(const struct conn *c)
{
	struct tlshd_info info;

	return c->server->options->early == EARLY_STRICT && !sockopt_info(c->fd, &info) && info.state == TLSHD_S_EARLY;
}

static enum conn_want answer(struct conn *c)
{
	if (c->request.status == 200 && too_early(c))
		c->request.status = 425;
	reply_make(&c->reply, &c->request, c->server->root, c->stopping);
	if (verbose(c))
		access_request(c->fd, &c->request, &c->reply);
	enter(c, step_send, LIMIT_WRITE);
	return CONN_NEXT;
}

static void parse(struct conn *c)
{
	bool started = c->request.started;
	size_t used = http_parse(&c->request, c->in + c->in_pos, c->in_len);

	c->in_pos += used;
	c->in_len -= used;
	if (!started && c->request.started)
		enter(c, step_read, LIMIT_HEADER);
}

static enum conn_want step_read(struct conn *c)
{
	while (c->in_len) {
		parse(c);
		if (c->request.status)
			return answer(c);
	}
	c->in_pos = 0;
	for (;;) {
		ssize_t n = recv(c->fd, c->in, sizeof c->in, MSG_DONTWAIT);

		if (n > 0) {
			c->in_len = n;
			return CONN_NEXT;
		}
		if (n < 0 && errno == EINTR)
			continue;
		return n < 0 && errno == EAGAIN ? CONN_READ : CONN_END;
	}
}

/* What a send of ours that did not go through means. */
static enum conn_want stopped(void)
{
	if (errno == EINTR)
		return CONN_NEXT;
	return errno == EAGAIN ? CONN_WRITE : CONN_END;
}

/* With MSG_MORE the head shares the first record (and segment) with the file's first bytes. */
static enum conn_want send_head(struct conn *c)
{
	struct reply *r = &c->reply;
	ssize_t n = send(c->fd, r->head + r->head_sent, r->head_len - r->head_sent,
			 MSG_DONTWAIT | MSG_NOSIGNAL | (r->left ? MSG_MORE : 0));

	if (n < 0)
		return stopped();
	r->head_sent += n;
	c->renewed = true;
	return CONN_NEXT;
}

static enum conn_want send_body(struct conn *c)
{
	struct reply *r = &c->reply;
	ssize_t n = sendfile(c->fd, r->file.fd, &r->off, r->left < TURN_BYTES ? r->left : TURN_BYTES);

	if (n < 0)
		return stopped();
	if (!n)		/* the file has shrunk: what we promised does not exist, and the client sees that it is short */
		return CONN_END;
	r->left -= n;
	c->renewed = true;
	return r->left ? CONN_WRITE : CONN_NEXT;
}

static enum conn_want step_send(struct conn *c)
{
	if (c->reply.head_sent < c->reply.head_len)
		return send_head(c);
	if (c->reply.left)
		return send_body(c);
	reply_end(&c->reply);
	if (!c->reply.keep_alive || c->stopping) {
		shutdown(c->fd, SHUT_WR);
		enter(c, step_linger, LIMIT_LINGER);
		return CONN_NEXT;
	}
	http_request_init(&c->request);
	enter(c, step_read, LIMIT_IDLE);
	return CONN_NEXT;
}

/* close() with unread bytes would reset the connection, and the client could lose our answer to it. */
static enum conn_want step_linger(struct conn *c)
{
	for (int i = 0; i < LINGER_READS; i++) {
		ssize_t n = recv(c->fd, c->in, sizeof c->in, MSG_DONTWAIT);

		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return CONN_END;
		if (n < 0)
			break;
	}
	return CONN_READ;
}

enum conn_want conn_expire(struct conn *c)
{
	if (c->step != step_read || !c->request.started)
		return CONN_END;
	c->request.status = 408;
	return answer(c) == CONN_NEXT ? CONN_WRITE : CONN_END;
}

enum conn_want conn_stop(struct conn *c)
{
	c->stopping = true;
	if (c->step == step_read)
		return c->request.started ? CONN_READ : CONN_END;
	if (c->step == step_send)
		return CONN_WRITE;
	return c->step == step_linger ? CONN_READ : CONN_END;
}
