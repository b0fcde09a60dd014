// SPDX-License-Identifier: MIT
#include "conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ktls.h"
#include "log.h"
#include "tls/tls_conn.h"

#define TICK_MS			100	/* how late a deadline may be noticed */
#define READS_MAX		32	/* in one go; then the others have their turn */
#define ALERT_USER_CANCELED	90

/**
 * struct conn - a slot
 * @generation: counts its lives; a signature for a former one is dropped
 * @rx: lent to the engine, or NULL
 * @tx: what the socket did not take yet, @tx_at to @tx_len, or NULL
 * @want: what the engine wanted last
 * @peeked: the last bytes given to the engine are still in the socket
 * @early: the application's socket is in state EARLY: TLS_TX is set, we write no more
 * @early_data: client: @early_len bytes to be sent, malloc'd; or NULL
 * @over: ended; only the ring still knows the slot
 */
struct conn {
	struct loop_poll poll;		/* first: on_ready() finds the slot by it */
	struct conn_set *set;
	struct conn *prev, *next;
	int fd;
	uint32_t generation;
	int64_t deadline_ms;
	uint8_t *rx, *tx;
	size_t tx_at, tx_len;
	enum tls_want want;
	bool peeked, early, over;
	uint8_t *early_data;
	size_t early_len;
	uint32_t uid, pid;
	char profile[TLSHD_PROFILE_LEN];
	char peer[INET6_ADDRSTRLEN + 8];
	struct policy_grant grant;
	const struct tls_session *session;	/* offered, out of the store */
	struct tls_conn tls;
};

static void run(struct conn *c);

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static int64_t wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void count(_Atomic uint64_t *n)
{
	atomic_fetch_add_explicit(n, 1, memory_order_relaxed);
}

/* ---- the end ---- */

static void unlink_active(struct conn *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		c->set->active = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		c->set->last = c->prev;
}

static void give_back_rx(struct conn *c)
{
	if (!c->rx)
		return;
	tls_take_rx(&c->tls);
	pool_put(&c->set->rx, c->rx);
	c->rx = NULL;
}

static void drop_early(struct conn *c)
{
	if (c->early_data)
		wipe(c->early_data, c->early_len);
	free(c->early_data);
	c->early_data = NULL;
}

/* Everything of the handshake goes; the slot itself waits for the ring if it has to. */
static void end(struct conn *c)
{
	give_back_rx(c);
	if (c->tx)
		pool_put(&c->set->tx, c->tx);
	c->tx = NULL;
	tls_wipe(&c->tls);
	if (c->grant.tickets.offered)
		count(&c->set->stats.early[c->grant.tickets.verdict]);
	sessions_drop(c->set->sessions, c->session);
	drop_early(c);
	close(c->fd);
	unlink_active(c);
	c->over = true;
	if (c->poll.armed)
		loop_cancel(c->set->loop, &c->poll);
	else
		pool_put(&c->set->slots, c);
}

static void gone(struct conn *c)
{
	count(&c->set->stats.gone);
	log_debug("gone profile=\"%s\" uid=%u pid=%u peer=%s: the application or the module ended the handshake",
		  c->profile, c->uid, c->pid, c->peer);
	end(c);
}

static const uint32_t early_flags[] = {
	[TLS_EARLY_OFFERED] = TLSHD_I_EARLY_OFFERED,
	[TLS_EARLY_ACCEPTED] = TLSHD_I_EARLY_OFFERED | TLSHD_I_EARLY_ACCEPTED,
	[TLS_EARLY_REJECTED] = TLSHD_I_EARLY_OFFERED | TLSHD_I_EARLY_REJECTED,
};

static void fill_info(struct conn *c, struct tlshd_info *info, int err, const char *reason)
{
	struct tls_result r;

	tls_result(&c->tls, &r);
	memset(info, 0, sizeof(*info));
	info->error = (uint32_t)-err;
	info->suite = r.suite;
	info->group = r.group;
	info->sigscheme = r.sigscheme;
	info->auth = err ? TLSHD_AUTH_NONE : (uint16_t)r.auth;	/* before the peer's Finished nothing is proven */
	info->alert_sent = r.alert_sent;
	info->alert_received = r.alert_received;
	if (!err) {
		info->flags = TLSHD_I_CONFIRMED | (r.resumed ? TLSHD_I_RESUMED : 0);
		info->full_handshake_time = r.authenticated;
	}
	info->flags |= early_flags[r.early];
	info->early_bytes = r.early_bytes;
	if (r.peer_leaf_sha256)
		memcpy(info->peer_leaf_sha256, r.peer_leaf_sha256, sizeof(info->peer_leaf_sha256));
	snprintf(info->reason, sizeof(info->reason), "%s", reason ? reason : r.reason ? r.reason : "");
	snprintf(info->peer_subject, sizeof(info->peer_subject), "%s", r.peer_subject ? r.peer_subject : "");
	snprintf(info->alpn, sizeof(info->alpn), "%.*s", (int)r.alpn_len, r.alpn_len ? r.alpn : "");
	/* SNI, sent or received; an address is verified, not sent. */
	if (c->grant.params.server_name && !c->grant.params.server_name_is_ip)
		r.server_name = c->grant.params.server_name;
	snprintf(info->server_name, sizeof(info->server_name), "%s", r.server_name ? r.server_name : "");
}

/* @err: negative; @reason NULL: the engine's */
static void fail(struct conn *c, int err, const char *reason)
{
	char text[4 * TLSHD_REASON_LEN];
	struct tlshd_info info;

	fill_info(c, &info, err, reason);
	if (ktls_fail(c->fd, &info, c->early ? info.alert_sent : TLSHD_ALERT_NONE) == -EPIPE) {
		gone(c);
		return;
	}
	count(&c->set->stats.failed);
	log_debug("failed profile=\"%s\" uid=%u pid=%u peer=%s error=%d alert_sent=%d alert_received=%d reason=\"%s\"",
		  c->profile, c->uid, c->pid, c->peer, -err, info.alert_sent, info.alert_received,
		  log_escape(text, sizeof(text), info.reason));
	end(c);
}

/* Errors of the kernel's that would mean something else to START's caller: ENOENT is "no such profile". */
static int kernel_error(int err)
{
	return err == -ENOMEM ? err : -EPROTO;
}

/* A connection's errors are its end, as in receive(). */
static int connection_error(int err)
{
	return err == -ENOMEM || err == -ENOBUFS ? -ENOMEM : -ECONNRESET;
}

/* What must come back with a client's tickets. Returns its length. */
static size_t seal_blob(struct conn *c, uint8_t *blob)
{
	struct tls_resumption r;

	if (!c->grant.resume)
		return 0;
	tls_resumption(&c->tls, &r);
	sessions_seal(c->set->sessions, blob, &c->grant.session, &r);
	wipe(&r, sizeof(r));
	return SESSIONS_BLOB_LEN;
}

/* The engine is done and its last byte is in the socket. */
static void open_socket(struct conn *c)
{
	char reason[TLSHD_REASON_LEN];
	uint8_t blob[SESSIONS_BLOB_LEN];
	struct tls_traffic t;
	struct tlshd_info info;
	int rc;

	tls_traffic(&c->tls, &t);
	fill_info(c, &info, 0, "");
	rc = c->early ? ktls_install_rx(c->fd, &t) : ktls_install(c->fd, &t);
	if (!rc)
		rc = ktls_open(c->fd, &t, &info, blob, seal_blob(c, blob));
	wipe(&t, sizeof(t));
	if (rc) {
		snprintf(reason, sizeof(reason), "the kernel did not take the keys: %s", strerror(-rc));
		fail(c, kernel_error(rc), reason);
		return;
	}
	count(&c->set->stats.opened);
	if (info.flags & TLSHD_I_RESUMED)
		count(&c->set->stats.resumed);
	log_debug("open profile=\"%s\" uid=%u pid=%u peer=%s suite=0x%04x group=0x%04x resumed=%d alpn=\"%s\"", c->profile,
		  c->uid, c->pid, c->peer, info.suite, info.group, !!(info.flags & TLSHD_I_RESUMED), info.alpn);
	end(c);
}

/* ---- early data ---- */

/*
 * A server that accepts early data has sent all that it will send before the client's Finished: the application's turn.
 * Return: 0 or -errno.
 */
static int begin_early(struct conn *c)
{
	struct tls_traffic t;
	struct tlshd_info info;
	int rc = 0;

	if (c->early || !tls_early_traffic(&c->tls, &t))
		return 0;
	fill_info(c, &info, 0, "");
	info.flags &= ~(uint32_t)TLSHD_I_CONFIRMED;
	memcpy(info.replay_token, c->grant.tickets.token, sizeof(info.replay_token));
	rc = ktls_install_tx(c->fd, &t);
	if (!rc)
		rc = ktls_begin_early(c->fd, &t, &info);
	wipe(&t, sizeof(t));
	c->early = !rc;
	return rc;
}

static int give_early(struct conn *c)
{
	const uint8_t *p;
	size_t len = tls_early_data(&c->tls, &p), at = 0;
	int rc = 0;

	for (; at < len && !rc; at += TLSHD_EARLY_MAX)
		rc = ktls_give_early(c->fd, p + at, len - at < TLSHD_EARLY_MAX ? len - at : TLSHD_EARLY_MAX);
	return rc;
}

/* Return: whether the handshake goes on. */
static bool early_ok(struct conn *c, int rc)
{
	char reason[TLSHD_REASON_LEN];

	if (!rc)
		return true;
	if (rc == -EPIPE) {
		gone(c);
		return false;
	}
	snprintf(reason, sizeof(reason), "the kernel did not take early data: %s", strerror(-rc));
	fail(c, kernel_error(rc), reason);
	return false;
}

/* What a client's application gave START to send first. Without memory, or a session to send it under, it is not sent. */
static void take_early(struct conn *c, const struct upcall_request *req)
{
	ssize_t n;

	if (!req->early_len || !c->session)
		return;
	c->early_data = malloc(req->early_len);
	n = c->early_data ? ktls_take_early(c->fd, c->early_data, req->early_len) : -ENOMEM;
	if (n <= 0) {
		drop_early(c);
		return;
	}
	c->early_len = (size_t)n;
	c->grant.params.early = c->early_data;
	c->grant.params.early_len = c->early_len;
}

/* ---- bytes in and out ---- */

static void wait_for(struct conn *c, short events)
{
	if (!c->poll.armed)
		loop_poll(c->set->loop, &c->poll, c->fd, events);
}

/* Return: how many bytes of @p the socket took (0: none now), or -errno. */
static ssize_t try_send(int fd, const uint8_t *p, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = send(fd, p + at, len - at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

/* Return: 0 all is sent, -EAGAIN the rest waits in c->tx, or another -errno. */
static int send_new(struct conn *c, const struct tls_out *out)
{
	ssize_t n = try_send(c->fd, out->p, out->len);

	if (n < 0 || (size_t)n == out->len)
		return n < 0 ? (int)n : 0;
	c->tx = pool_get(&c->set->tx);		/* as many as slots */
	c->tx_at = 0;
	c->tx_len = out->len - (size_t)n;
	memcpy(c->tx, out->p + n, c->tx_len);
	return -EAGAIN;
}

static int send_rest(struct conn *c)
{
	ssize_t n = try_send(c->fd, c->tx + c->tx_at, c->tx_len - c->tx_at);

	if (n >= 0)
		c->tx_at += (size_t)n;
	if (n >= 0 && c->tx_at < c->tx_len)
		return -EAGAIN;
	pool_put(&c->set->tx, c->tx);
	c->tx = NULL;
	return n < 0 ? (int)n : 0;
}

/*
 * Give the engine what is there. Return: 0, -EAGAIN nothing is, or -EPIPE the handshake has ended. Another error of the
 * connection is its end, as an EOF.
 */
static int receive(struct conn *c)
{
	struct tls_window w;
	ssize_t n;

	if (!c->rx) {
		c->rx = pool_get(&c->set->rx);	/* as many as slots */
		tls_lend_rx(&c->tls, c->rx);
	}
	tls_rx_window(&c->tls, &w);
	do
		n = recv(c->fd, w.p, w.room, MSG_DONTWAIT | (w.greedy ? 0 : MSG_PEEK));
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EPIPE))
		return -errno;
	if (n <= 0) {
		tls_rx_eof(&c->tls);
		return 0;
	}
	c->peeked = !w.greedy;
	if (c->grant.params.accept_early)	/* a ClientHello's freshness goes by it; a connection may be older */
		tls_set_now(&c->tls, wall_ms());
	tls_rx_filled(&c->tls, (size_t)n);
	return 0;
}

/* What was peeked at and is the engine's leaves the socket; what follows is the kernel's. */
static int discard_taken(struct conn *c)
{
	size_t len = tls_rx_taken(&c->tls);
	ssize_t n;

	if (!c->peeked || (c->want != TLS_WANT_RX && c->want != TLS_DONE && c->want != TLS_FAILED))
		return 0;
	c->peeked = false;
	/* Nothing taken and more wanted would have us here for ever. */
	if (!len)
		return c->want == TLS_WANT_RX ? -EIO : 0;
	do
		n = recv(c->fd, NULL, len, MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
}

static void ask_signer(struct conn *c)
{
	struct tls_sign_req req;

	tls_sign_request(&c->tls, &req);
	signer_client_ask(c->set->signer, pool_index(&c->set->slots, c), c->generation, &req);
	wipe(&req, sizeof(req));
}

/* Wait for more; a buffer with nothing in it is not kept from others meanwhile. */
static void wait_to_receive(struct conn *c)
{
	if (tls_rx_idle(&c->tls))
		give_back_rx(c);
	wait_for(c, POLLIN);
}

/*
 * One step of the engine with what it sent.
 * Return: 0, -EAGAIN there is something left to send, or another -errno after which the handshake cannot go on.
 */
static int advance(struct conn *c)
{
	struct tls_out out = { .p = c->set->scratch, .cap = TLS_TX_CAP };
	int rc;

	c->want = tls_advance(&c->tls, &out);
	rc = discard_taken(c);
	if (rc)
		return rc;
	rc = out.len ? send_new(c, &out) : 0;
	/* A peer that no longer listens may have said why: where we would read next, do. A failure has its reason already. */
	if (rc && rc != -EAGAIN && (c->want == TLS_WANT_RX || c->want == TLS_FAILED))
		rc = 0;
	return rc;
}

/* Return: whether to go on at once. */
static bool follow(struct conn *c, unsigned *reads)
{
	struct tls_result r;
	int rc;

	switch (c->want) {
	case TLS_WANT_RX:
		if (!early_ok(c, begin_early(c)))
			return false;
		rc = ++*reads > READS_MAX ? -EAGAIN : receive(c);
		if (rc == -EPIPE)
			gone(c);
		else if (rc == -EAGAIN)
			wait_to_receive(c);
		return !rc;
	case TLS_WANT_TX:
		return true;
	case TLS_WANT_SIGN:
		ask_signer(c);
		return false;
	case TLS_EARLY_DATA:
		rc = begin_early(c);
		return early_ok(c, rc ? rc : give_early(c));
	case TLS_DONE:
		open_socket(c);
		return false;
	case TLS_FAILED:
		tls_result(&c->tls, &r);
		/* EIO: our own trouble, of the signer or the engine; START's list has no other word for it. */
		fail(c, r.err == -EIO ? -EPROTO : r.err, NULL);
		return false;
	}
	return false;
}

static void run(struct conn *c)
{
	unsigned reads = 0;
	int rc;

	do {
		rc = c->tx ? send_rest(c) : advance(c);
		/* An alert that does not fit is not waited for. */
		if (rc == -EAGAIN && c->want != TLS_FAILED) {
			wait_for(c, POLLOUT);
			return;
		}
		if (rc && rc != -EAGAIN) {
			fail(c, connection_error(rc), "the connection broke during the handshake");
			return;
		}
	} while (follow(c, &reads));
}

static void on_ready(struct loop_poll *p, int events)
{
	struct conn *c = (struct conn *)p;

	if (c->over) {
		pool_put(&c->set->slots, c);
		return;
	}
	if (events < 0) {
		fail(c, -ENOMEM, "the event loop could not watch the connection");
		return;
	}
	if (!c->tx && c->want == TLS_WANT_RX) {
		unsigned reads = 0;

		if (!follow(c, &reads))
			return;
	}
	run(c);
}

static void on_signature(void *ctx, uint32_t slot, uint32_t generation, const uint8_t *sig, size_t len)
{
	struct conn_set *s = ctx;
	struct conn *c = pool_at(&s->slots, slot);

	if (c->over || c->generation != generation || c->want != TLS_WANT_SIGN)
		return;
	tls_sign_answer(&c->tls, sig, len);
	run(c);
}

/* ---- the beginning ---- */

static void name_peer(char *out, size_t len, const struct upcall_request *req)
{
	char ip[INET6_ADDRSTRLEN] = "?";

	if (req->peer.sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &req->peer.in.sin_addr, ip, sizeof(ip));
		snprintf(out, len, "%s:%u", ip, ntohs(req->peer.in.sin_port));
	} else if (req->peer.sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &req->peer.in6.sin6_addr, ip, sizeof(ip));
		snprintf(out, len, "[%s]:%u", ip, ntohs(req->peer.in6.sin6_port));
	} else {
		snprintf(out, len, "%s", ip);
	}
}

/* Before the engine is there: a slot whose request was not admitted. */
static void refuse(struct conn *c, int err, const char *reason)
{
	struct tlshd_info info = { .error = (uint32_t)-err, .alert_sent = TLSHD_ALERT_NONE,
				   .alert_received = TLSHD_ALERT_NONE };

	snprintf(info.reason, sizeof(info.reason), "%s", reason);
	ktls_fail(c->fd, &info, TLSHD_ALERT_NONE);
	count(&c->set->stats.refused);
	log_debug("refused profile=\"%s\" uid=%u pid=%u peer=%s error=%d reason=\"%s\"", c->profile, c->uid, c->pid,
		  c->peer, -err, reason);
	close(c->fd);
	unlink_active(c);
	c->over = true;
	pool_put(&c->set->slots, c);
}

static struct conn *take_slot(struct conn_set *s, const struct upcall_request *req)
{
	struct conn *c = pool_get(&s->slots);
	uint32_t generation = c->generation + 1;

	memset(c, 0, sizeof(*c));
	c->poll.ready = on_ready;
	c->set = s;
	c->fd = req->fd;
	c->generation = generation;
	c->uid = req->uid;
	c->pid = req->pid;
	log_escape(c->profile, sizeof(c->profile), req->profile);
	name_peer(c->peer, sizeof(c->peer), req);
	c->prev = s->last;
	if (s->last)
		s->last->next = c;
	else
		s->active = c;
	s->last = c;
	return c;
}

/* Return: 0, or a negative errno with @reason filled. */
static int admit(struct conn *c, const struct upcall_request *req, char *reason)
{
	int rc = policy_admit(&c->grant, c->set->policy, req, reason);

	if (rc)
		return rc;
	if (req->age_ms >= c->grant.timeout_ms) {
		snprintf(reason, TLSHD_REASON_LEN, "timed out: the request waited too long for the daemon");
		return -ETIMEDOUT;
	}
	c->deadline_ms = now_ms() + c->grant.timeout_ms - req->age_ms;
	c->grant.params.now_ms = wall_ms();
	c->grant.params.chains = c->set->chains;
	return 0;
}

/* A session leaves the store now: whatever becomes of this handshake, nobody offers it again (RFC 8446 C.4). */
static void offer_session(struct conn *c)
{
	struct tls_params *p = &c->grant.params;

	if (!c->grant.resume)
		return;
	c->session = sessions_take(c->set->sessions, &c->grant.session, p->now_ms, p->alpn, p->alpn_len);
	p->sessions = &c->session;
	p->num_sessions = c->session ? 1 : 0;
}

void conn_start(struct conn_set *s, const struct upcall_request *req)
{
	struct conn *c = take_slot(s, req);
	char reason[TLSHD_REASON_LEN];
	int rc = admit(c, req, reason);

	if (rc) {
		refuse(c, rc, reason);
		return;
	}
	offer_session(c);
	take_early(c, req);
	tls_init(&c->tls, &c->grant.params);
	run(c);
}

static void expire(struct conn *c)
{
	struct tls_out out = { .p = c->set->scratch, .cap = TLS_TX_CAP };
	const char *reason = c->tx ? "timed out: the peer does not read" :
			     c->want == TLS_WANT_SIGN ? "timed out: no signature from the signer" :
			     "timed out: the peer did not finish the handshake";

	tls_abort(&c->tls, -ETIMEDOUT, ALERT_USER_CANCELED, reason, &out);
	if (!c->tx)
		try_send(c->fd, out.p, out.len);
	fail(c, -ETIMEDOUT, reason);
}

int conn_set_tick(struct conn_set *s)
{
	int64_t now;

	if (!s->active)
		return -1;
	now = now_ms();
	/* Not at each turn: among thousands of silent peers the walk would cost more than the handshakes of the others. */
	if (now < s->tick_ms)
		return (int)(s->tick_ms - now);
	s->tick_ms = now + TICK_MS;
	for (struct conn *c = s->active, *next; c; c = next) {
		next = c->next;
		if (now >= c->deadline_ms)
			expire(c);
	}
	return s->active ? TICK_MS : -1;
}

/* ---- the set ---- */

size_t conn_set_bound(uint32_t num)
{
	return pool_bound(num, sizeof(struct conn)) + pool_bound(num, TLS_RX_CAP) + pool_bound(num, TLS_TX_CAP) +
	       signer_client_bound(num) + TLS_TX_CAP + num * (size_t)TLSHD_EARLY_MAX;
}

int conn_set_init(struct conn_set *s, struct loop *loop, const struct policy *policy, struct sessions *sessions,
		  uint32_t num)
{
	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->policy = policy;
	s->sessions = sessions;
	s->scratch = malloc(TLS_TX_CAP);
	s->chains = x509_cache_new();
	s->signer = signer_client_open(loop, num, policy_generation(policy), on_signature, s);
	if (s->scratch && s->chains && s->signer && !pool_init(&s->slots, num, sizeof(struct conn)) &&
	    !pool_init(&s->rx, num, TLS_RX_CAP) && !pool_init(&s->tx, num, TLS_TX_CAP))
		return 0;
	conn_set_exit(s);
	return -ENOMEM;
}

void conn_set_exit(struct conn_set *s)
{
	while (s->active) {
		struct conn *c = s->active;

		c->poll.armed = false;
		end(c);
	}
	if (s->signer)
		signer_client_close(s->signer);
	pool_exit(&s->slots);
	pool_exit(&s->rx);
	pool_exit(&s->tx);
	x509_cache_free(s->chains);
	free(s->scratch);
	memset(s, 0, sizeof(*s));
}
