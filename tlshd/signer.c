// SPDX-License-Identifier: MIT
#include "signer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "ctl.h"
#include "log.h"
#include "sign_wire.h"

#define BAD_PACKETS_LOGGED	10	/* of a worker gone mad; then it is quiet */

struct signer {
	const struct image *image;
	struct sig_key **keys;			/* by key id */
	struct pollfd polls[1 + CTL_FDS_MAX];	/* the supervisor, then a socket for each worker thread */
	unsigned num_polls;
	unsigned bad_packets;
};

/* Return: 0, or -errno with @why filled. The text of a key is wiped. */
static int load_key(struct sig_key **key, int fd, char *why, size_t why_len)
{
	struct stat st;
	char *pem;
	ssize_t n;
	int rc;

	if (fstat(fd, &st) || st.st_size <= 0) {
		snprintf(why, why_len, "cannot be read");
		return -EINVAL;
	}
	pem = malloc((size_t)st.st_size);
	if (!pem)
		return -ENOMEM;
	n = pread(fd, pem, (size_t)st.st_size, 0);
	if (n == st.st_size) {
		rc = sig_key_load(key, pem, (size_t)n, why, why_len);
	} else {
		snprintf(why, why_len, "cannot be read whole");
		rc = -EINVAL;
	}
	wipe(pem, (size_t)st.st_size);
	free(pem);
	return rc;
}

static bool report_bad(uint32_t key_id, const char *why)
{
	struct ctl_msg msg = { .type = CTL_BAD_KEY, .arg = key_id };

	snprintf(msg.text, sizeof(msg.text), "%s", why);
	ctl_send(CTL_FD_CTL, &msg, NULL, 0);
	return false;
}

/* Return: whether every key can be used. */
static bool load_keys(struct signer *s)
{
	const struct image_identity *ids = image_identities(s->image);
	bool ok = true;

	s->keys = calloc(s->image->num_identities + 1, sizeof(*s->keys));
	if (!s->keys)
		return false;
	for (uint32_t i = 0; i < s->image->num_identities; i++) {
		char why[CTL_TEXT_LEN] = "out of memory";
		int fd = CTL_FD_KEYS + (int)i;

		if (load_key(&s->keys[i], fd, why, sizeof(why)))
			ok = report_bad(i, why);
		else if (!sig_key_matches(s->keys[i], image_at(s->image, ids[i].leaf.off), ids[i].leaf.num))
			ok = report_bad(i, "is not the key of its certificate");
		close(fd);
	}
	return ok;
}

static bool is_sound(const struct signer *s, const struct sign_ask *q)
{
	return q->config == s->image->generation && q->key_id < s->image->num_identities &&
	       (q->hash_len == hash_len(HASH_SHA256) || q->hash_len == hash_len(HASH_SHA384));
}

static void answer(struct signer *s, const struct sign_ask *q, struct sign_answer *a)
{
	uint8_t input[TLS_SIGN_INPUT_MAX];
	size_t len, sig_len = 0;

	memset(a, 0, sizeof(*a));
	a->slot = q->slot;
	a->slot_generation = q->slot_generation;
	if (!is_sound(s, q))
		return;
	len = tls_sign_input(input, image_identities(s->image)[q->key_id].role, q->hash, q->hash_len);
	/* sig_sign() refuses a scheme that is none of TLS 1.3's or does not fit the key. */
	if (!sig_sign(s->keys[q->key_id], q->scheme, a->sig, &sig_len, input, len))
		a->len = (uint16_t)sig_len;
	else
		memset(a->sig, 0, sizeof(a->sig));
}

static void close_socket(struct signer *s, unsigned i)
{
	close(s->polls[i].fd);
	s->polls[i].fd = -1;
}

/* Return: false if answers are lost, which their thread would wait for. */
static bool serve(struct signer *s, unsigned i)
{
	struct sign_ask asks[SIGN_BATCH + 1];
	struct sign_answer answers[SIGN_BATCH];
	ssize_t n = recv(s->polls[i].fd, asks, sizeof(asks), MSG_DONTWAIT | MSG_TRUNC);
	size_t num = n > 0 ? (size_t)n / sizeof(asks[0]) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0) {
		close_socket(s, i);
		return true;
	}
	if ((size_t)n % sizeof(asks[0]) || num > SIGN_BATCH) {
		if (s->bad_packets++ < BAD_PACKETS_LOGGED)
			log_err("a worker sent a malformed packet of %zd bytes: dropped", n);
		return true;
	}
	for (size_t k = 0; k < num; k++)
		answer(s, &asks[k], &answers[k]);
	/* A worker asks no more at once than its socket can take back. */
	if (send(s->polls[i].fd, answers, num * sizeof(answers[0]), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno == EPIPE || errno == ECONNRESET) {
		close_socket(s, i);
		return true;
	}
	log_err("answers to a worker are lost: %s", strerror(errno));
	return false;
}

/* Return: whether the supervisor is still there. */
static bool hear_supervisor(struct signer *s)
{
	int fds[CTL_FDS_MAX];
	struct ctl_msg msg;
	int num = ctl_recv(CTL_FD_CTL, &msg, fds);

	if (num < 0)
		return false;
	for (unsigned i = 1; i < s->num_polls; i++)
		if (s->polls[i].fd >= 0)
			close_socket(s, i);
	for (int i = 0; i < num; i++)
		s->polls[1 + i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	s->num_polls = 1 + (unsigned)num;
	return true;
}

/*
 * Return: true when the supervisor has gone. False: we have failed; the supervisor starts another signer and gives every
 * thread a new socket, which is more than we could do for the one that was let down.
 */
static bool run(struct signer *s)
{
	s->polls[0] = (struct pollfd){ .fd = CTL_FD_CTL, .events = POLLIN };
	s->num_polls = 1;
	for (;;) {
		if (poll(s->polls, s->num_polls, -1) < 0) {
			if (errno == EINTR)
				continue;
			log_err("poll: %s", strerror(errno));
			return false;
		}
		/* Threads first: their sockets may be replaced by what the supervisor says. */
		for (unsigned i = 1; i < s->num_polls; i++)
			if (s->polls[i].fd >= 0 && s->polls[i].revents && !serve(s, i))
				return false;
		if (s->polls[0].revents && !hear_supervisor(s))
			return true;
	}
}

int signer_main(void)
{
	struct ctl_msg ready = { .type = CTL_READY };
	struct signer s = { 0 };
	uint32_t arg;
	int status = EXIT_FAILURE;

	if (child_begin("signer", &s.image, &arg))
		return EXIT_FAILURE;
	if (!crypto_thread_init() && load_keys(&s) && !ctl_send(CTL_FD_CTL, &ready, NULL, 0) && run(&s))
		status = EXIT_SUCCESS;
	for (uint32_t i = 0; s.keys && i < s.image->num_identities; i++)
		sig_key_free(s.keys[i]);
	free(s.keys);
	crypto_thread_exit();
	return status;
}
