// SPDX-License-Identifier: MIT
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "mod_peer.h"

#ifndef SOL_TLS
#define SOL_TLS 282
#endif

/* ---- netlink ---- */

struct message {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[512];
};

static void begin(struct message *m, uint16_t type, uint8_t cmd)
{
	memset(m, 0, sizeof(*m));
	m->nl.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	m->nl.nlmsg_type = type;
	m->nl.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	m->genl.cmd = cmd;
	m->genl.version = 1;
}

static void put(struct message *m, uint16_t type, const void *data, uint16_t len)
{
	struct nlattr *a = (struct nlattr *)((char *)m + NLMSG_ALIGN(m->nl.nlmsg_len));

	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy((char *)a + NLA_HDRLEN, data, len);
	m->nl.nlmsg_len = NLMSG_ALIGN(m->nl.nlmsg_len) + NLA_ALIGN(a->nla_len);
}

static const struct nlattr *find(const char *attrs, size_t len, uint16_t type)
{
	while (len >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)attrs;
		size_t step = NLA_ALIGN(a->nla_len);

		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if (step > len || !step)
			break;
		attrs += step;
		len -= step;
	}
	return NULL;
}

static const void *value(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

static uint32_t get_u32(const char *attrs, size_t len, uint16_t type)
{
	const struct nlattr *a = find(attrs, len, type);
	uint32_t v = 0;

	if (a)
		memcpy(&v, value(a), sizeof(v));
	return v;
}

static void get_string(char *to, size_t size, const char *attrs, size_t len, uint16_t type)
{
	const struct nlattr *a = find(attrs, len, type);

	snprintf(to, size, "%s", a ? (const char *)value(a) : "");
}

/* One reply to a command: its attributes in @buf. Reads on to the ack. Return: their length. */
static ssize_t talk(struct daemon *d, struct message *m, char *buf, size_t size)
{
	static __thread char in[65536] __attribute__((aligned(8)));
	ssize_t len = 0;

	m->nl.nlmsg_seq = ++d->seq;
	if (send(d->fd, m, m->nl.nlmsg_len, 0) < 0)
		return -1;
	for (;;) {
		ssize_t n = recv(d->fd, in, sizeof(in), 0);
		struct nlmsghdr *h = (void *)in;

		if (n < 0)
			return -1;
		for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_ERROR) {
				const struct nlmsgerr *e = NLMSG_DATA(h);

				if (h->nlmsg_seq != d->seq)
					continue;
				errno = -e->error;
				return e->error ? -1 : len;
			}
			if (h->nlmsg_seq != d->seq) {
				d->ready |= ((struct genlmsghdr *)NLMSG_DATA(h))->cmd == TLSHD_CMD_READY;
				continue;
			}
			len = h->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN);
			if ((size_t)len > size)
				abort();
			memcpy(buf, (char *)NLMSG_DATA(h) + GENL_HDRLEN, len);
		}
	}
}

int daemon_open(struct daemon *d)
{
	struct timeval limit = { WAIT_MS / 1000, 0 };
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct message m;
	char buf[4096];
	ssize_t n;

	memset(d, 0, sizeof(*d));
	d->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (d->fd < 0 || bind(d->fd, (void *)&addr, sizeof(addr)) ||
	    setsockopt(d->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return -1;
	begin(&m, GENL_ID_CTRL, CTRL_CMD_GETFAMILY);
	put(&m, CTRL_ATTR_FAMILY_NAME, TLSHD_GENL_NAME, sizeof(TLSHD_GENL_NAME));
	n = talk(d, &m, buf, sizeof(buf));
	if (n < 0)
		return -1;
	memcpy(&d->family, value(find(buf, n, CTRL_ATTR_FAMILY_ID)), sizeof(d->family));
	return 0;
}

int daemon_register(struct daemon *d, uint64_t instance)
{
	uint32_t min = TLSHD_PROTO_MIN, max = TLSHD_PROTO_MAX;
	struct message m;
	char buf[256];
	ssize_t n;

	begin(&m, d->family, TLSHD_CMD_REGISTER);
	put(&m, TLSHD_A_PROTO_MIN, &min, sizeof(min));
	put(&m, TLSHD_A_PROTO_MAX, &max, sizeof(max));
	put(&m, TLSHD_A_INSTANCE, &instance, sizeof(instance));
	n = talk(d, &m, buf, sizeof(buf));
	if (n < 0)
		return -1;
	return get_u32(buf, n, TLSHD_A_PROTO) == TLSHD_PROTO_MAX ? 0 : (errno = EPROTO, -1);
}

static void parse(struct request *r, const char *attrs, size_t len)
{
	const struct nlattr *peer = find(attrs, len, TLSHD_R_PEER);

	memset(r, 0, sizeof(*r));
	r->fd = (int)get_u32(attrs, len, TLSHD_R_FD);
	r->role = get_u32(attrs, len, TLSHD_R_ROLE);
	r->flags = get_u32(attrs, len, TLSHD_R_FLAGS);
	r->uid = get_u32(attrs, len, TLSHD_R_UID);
	r->pid = get_u32(attrs, len, TLSHD_R_PID);
	r->early_len = get_u32(attrs, len, TLSHD_R_EARLY_LEN);
	get_string(r->profile, sizeof(r->profile), attrs, len, TLSHD_R_PROFILE);
	get_string(r->server_name, sizeof(r->server_name), attrs, len, TLSHD_R_SERVER_NAME);
	if (peer)
		memcpy(&r->peer, value(peer), peer->nla_len - NLA_HDRLEN);
}

int daemon_accept(struct daemon *d, struct request *reqs, int max)
{
	static __thread char buf[65536] __attribute__((aligned(8)));
	const char *at = buf;
	uint32_t want = max;
	struct message m;
	int num = 0;
	ssize_t n;

	begin(&m, d->family, TLSHD_CMD_ACCEPT);
	put(&m, TLSHD_A_MAX, &want, sizeof(want));
	n = talk(d, &m, buf, sizeof(buf));
	if (n < 0)
		return -1;
	d->tickets = find(buf, n, TLSHD_A_TICKETS) != NULL;
	while (n >= NLA_HDRLEN && num < max) {
		const struct nlattr *a = (const void *)at;

		if ((a->nla_type & NLA_TYPE_MASK) == TLSHD_A_REQUEST)
			parse(&reqs[num++], value(a), a->nla_len - NLA_HDRLEN);
		at += NLA_ALIGN(a->nla_len);
		n -= NLA_ALIGN(a->nla_len);
	}
	return num;
}

/* Wait for READY if there is none yet. */
int daemon_accept_one(struct daemon *d, struct request *req)
{
	char buf[256];
	int n;

	for (;;) {
		n = daemon_accept(d, req, 1);
		if (n)
			return n < 0 ? -1 : 0;
		if (!d->ready && recv(d->fd, buf, sizeof(buf), 0) < 0)
			return -1;
		d->ready = false;
	}
}

static size_t get_bytes(uint8_t *to, size_t size, const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a = find(value(nest), nest->nla_len - NLA_HDRLEN, type);
	size_t len = a ? a->nla_len - NLA_HDRLEN : 0;

	if (len > size)
		abort();
	if (a)
		memcpy(to, value(a), len);
	return len;
}

int daemon_tickets(struct daemon *d, struct ticket *tickets, int max)
{
	static __thread char buf[65536] __attribute__((aligned(8)));
	const char *at = buf;
	uint32_t want = max;
	struct message m;
	int num = 0;
	ssize_t n;

	begin(&m, d->family, TLSHD_CMD_TICKETS);
	put(&m, TLSHD_A_MAX, &want, sizeof(want));
	n = talk(d, &m, buf, sizeof(buf));
	if (n < 0)
		return -1;
	for (; n >= NLA_HDRLEN && num < max; num++) {
		const struct nlattr *a = (const void *)at;
		struct ticket *t = &tickets[num];

		t->blob_len = get_bytes(t->blob, sizeof(t->blob), a, TLSHD_T_BLOB);
		t->len = get_bytes(t->message, sizeof(t->message), a, TLSHD_T_MESSAGE);
		at += NLA_ALIGN(a->nla_len);
		n -= NLA_ALIGN(a->nla_len);
	}
	return num;
}

/* ---- sockets ---- */

int listen_open(int family, struct sockaddr_storage *addr, socklen_t *len)
{
	struct sockaddr_in6 *v6 = (void *)addr;
	struct sockaddr_in *v4 = (void *)addr;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memset(addr, 0, sizeof(*addr));
	addr->ss_family = family;
	if (family == AF_INET) {
		v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		*len = sizeof(*v4);
	} else {
		v6->sin6_addr = in6addr_loopback;
		*len = sizeof(*v6);
	}
	if (fd < 0 || bind(fd, (void *)addr, *len) || listen(fd, 64) || getsockname(fd, (void *)addr, len))
		return -1;
	return fd;
}

int pair_open(struct pair *p, int family)
{
	struct timeval limit = { WAIT_MS / 1000, 0 };
	struct sockaddr_storage addr;
	socklen_t len;
	int l = listen_open(family, &addr, &len);

	if (l < 0)
		return -1;
	p->peer = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->peer < 0 || connect(p->peer, (void *)&addr, len))
		return -1;
	p->app = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	close(l);
	/* A test that waits for what does not come fails instead of hanging. */
	setsockopt(p->peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(p->app, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return p->app < 0 ? -1 : 0;
}

void pair_close(struct pair *p)
{
	close(p->app);
	close(p->peer);
}

int wait_for(int fd, short events)
{
	struct pollfd pf = { .fd = fd, .events = events };
	int n = poll(&pf, 1, WAIT_MS);

	return n == 1 ? pf.revents : n ? -1 : 0;
}

/* ---- keys ---- */

void keys_set(struct keys *k, uint16_t suite, uint8_t fill)
{
	memset(k, 0, sizeof(*k));
	k->suite = suite;
	k->secret_len = suite == 0x1302 ? 48 : 32;
	memset(k->secret, fill, k->secret_len);
}

static void expand(const struct keys *k, uint8_t *out, int len, const char *label)
{
	uint8_t info[64], block[EVP_MAX_MD_SIZE];
	int n = sprintf((char *)info + 3, "tls13 %s", label);

	info[0] = 0;
	info[1] = len;
	info[2] = n;
	info[3 + n] = 0;
	info[4 + n] = 1;
	if (!HMAC(k->secret_len == 48 ? EVP_sha384() : EVP_sha256(), k->secret, k->secret_len, info, 5 + n, block,
		  NULL))
		abort();
	memcpy(out, block, len);
}

int keys_install(int fd, int direction, const struct keys *k, uint64_t seq)
{
	union {
		struct tls_crypto_info info;
		struct tls12_crypto_info_aes_gcm_128 gcm128;
		struct tls12_crypto_info_aes_gcm_256 gcm256;
		struct tls12_crypto_info_chacha20_poly1305 chacha;
	} c;
	uint64_t be = htobe64(seq);
	uint8_t iv[12];

	memset(&c, 0, sizeof(c));
	expand(k, iv, sizeof(iv), "iv");
	c.info.version = TLS_1_3_VERSION;
	if (k->suite == 0x1301) {
		c.info.cipher_type = TLS_CIPHER_AES_GCM_128;
		expand(k, c.gcm128.key, sizeof(c.gcm128.key), "key");
		memcpy(c.gcm128.salt, iv, 4);
		memcpy(c.gcm128.iv, iv + 4, 8);
		memcpy(c.gcm128.rec_seq, &be, sizeof(be));
		return setsockopt(fd, SOL_TLS, direction, &c, sizeof(c.gcm128));
	}
	if (k->suite == 0x1302) {
		c.info.cipher_type = TLS_CIPHER_AES_GCM_256;
		expand(k, c.gcm256.key, sizeof(c.gcm256.key), "key");
		memcpy(c.gcm256.salt, iv, 4);
		memcpy(c.gcm256.iv, iv + 4, 8);
		memcpy(c.gcm256.rec_seq, &be, sizeof(be));
		return setsockopt(fd, SOL_TLS, direction, &c, sizeof(c.gcm256));
	}
	c.info.cipher_type = TLS_CIPHER_CHACHA20_POLY1305;
	expand(k, c.chacha.key, sizeof(c.chacha.key), "key");
	memcpy(c.chacha.iv, iv, 12);
	memcpy(c.chacha.rec_seq, &be, sizeof(be));
	return setsockopt(fd, SOL_TLS, direction, &c, sizeof(c.chacha));
}

/* ---- the contract ---- */

void start_init(struct tlshd_start *s, uint32_t role)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->role = role;
	strcpy(s->profile, "test");
	if (role == TLSHD_CLIENT)
		strcpy(s->server_name, "localhost");
}

int start(int fd, uint32_t role, uint32_t flags)
{
	struct tlshd_start s;

	start_init(&s, role);
	s.flags = flags;
	return setsockopt(fd, IPPROTO_IP, TLSHD_START, &s, sizeof(s));
}

int info_get(int fd, struct tlshd_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return getsockopt(fd, IPPROTO_IP, TLSHD_INFO, info, &len);
}

void done_init(struct tlshd_done *d, struct tlshd_info *info, const struct keys *tx, const struct keys *rx)
{
	memset(d, 0, sizeof(*d));
	memset(info, 0, sizeof(*info));
	d->size = sizeof(*d);
	d->hash_len = tx->secret_len;
	d->send_alert = TLSHD_ALERT_NONE;
	d->info_len = sizeof(*info);
	memcpy(d->tx_secret, tx->secret, tx->secret_len);
	memcpy(d->rx_secret, rx->secret, rx->secret_len);
	info->size = sizeof(*info);
	info->suite = tx->suite;
	info->group = 29;
	info->alert_sent = TLSHD_ALERT_NONE;
	info->alert_received = TLSHD_ALERT_NONE;
	strcpy(info->alpn, "test/1");
}

int done_send(int fd, const struct tlshd_done *d, const struct tlshd_info *info, const void *rest, size_t rest_len)
{
	size_t len = sizeof(*d) + d->info_len + rest_len;
	char *buf = malloc(len);
	int ret;

	memcpy(buf, d, sizeof(*d));
	if (d->info_len)
		memcpy(buf + sizeof(*d), info, d->info_len);
	if (rest_len)
		memcpy(buf + sizeof(*d) + d->info_len, rest, rest_len);
	ret = setsockopt(fd, IPPROTO_IP, TLSHD_DONE, buf, len);
	free(buf);
	return ret;
}

int hs_open(int hs, const struct keys *tx, const struct keys *rx)
{
	return hs_open_blob(hs, tx, rx, NULL, 0);
}

int hs_open_blob(int hs, const struct keys *tx, const struct keys *rx, const void *blob, size_t blob_len)
{
	struct tlshd_done d;
	struct tlshd_info info;

	if (keys_install(hs, TLS_TX, tx, 0) || keys_install(hs, TLS_RX, rx, 0))
		return -1;
	done_init(&d, &info, tx, rx);
	d.blob_len = blob_len;
	return done_send(hs, &d, &info, blob, blob_len);
}

int hs_fail(int hs, int error)
{
	struct tlshd_done d = { .size = sizeof(d), .error = error, .send_alert = TLSHD_ALERT_NONE };
	struct tlshd_info info = { .size = sizeof(info), .alert_sent = TLSHD_ALERT_NONE,
				   .alert_received = TLSHD_ALERT_NONE };

	d.info_len = sizeof(info);
	strcpy(info.reason, "the test says so");
	return done_send(hs, &d, &info, NULL, 0);
}

int open_pair(struct daemon *d, struct pair *p, int family, uint16_t suite, uint32_t role)
{
	return open_pair_blob(d, p, family, suite, role, NULL, 0);
}

int open_pair_blob(struct daemon *d, struct pair *p, int family, uint16_t suite, uint32_t role, const void *blob,
		   size_t blob_len)
{
	struct keys tx, rx;
	struct request req;

	keys_set(&tx, suite, 0x11);
	keys_set(&rx, suite, 0x22);
	if (pair_open(p, family) || start(p->app, role, TLSHD_F_NOWAIT) != -1 || errno != EINPROGRESS ||
	    daemon_accept_one(d, &req) || setsockopt(p->peer, SOL_TCP, TCP_ULP, "tls", sizeof("tls")) ||
	    keys_install(p->peer, TLS_TX, &rx, 0) || keys_install(p->peer, TLS_RX, &tx, 0) ||
	    hs_open_blob(req.fd, &tx, &rx, blob, blob_len))
		return -1;
	return close(req.fd);
}

/* ---- records ---- */

int record_send(int fd, uint8_t type, const void *data, size_t len)
{
	char control[CMSG_SPACE(1)] __attribute__((aligned(8))) = { 0 };
	struct iovec vec = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1,
			      .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_TLS;
	c->cmsg_type = TLS_SET_RECORD_TYPE;
	c->cmsg_len = CMSG_LEN(1);
	*CMSG_DATA(c) = type;
	return sendmsg(fd, &msg, MSG_NOSIGNAL);
}

int record_recv(int fd, uint8_t *type, void *data, size_t len)
{
	char control[CMSG_SPACE(1)] __attribute__((aligned(8))) = { 0 };
	struct iovec vec = { .iov_base = data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &vec, .msg_iovlen = 1,
			      .msg_control = control, .msg_controllen = sizeof(control) };
	int n = recvmsg(fd, &msg, 0);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	*type = n >= 0 && c && c->cmsg_level == SOL_TLS ? *CMSG_DATA(c) : 0;
	return n;
}
