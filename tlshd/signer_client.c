// SPDX-License-Identifier: MIT
#include "signer_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"

/* Answers of 536 bytes, each perhaps in a packet of its own, in a socket buffer of 208 KiB: the kernel's default */
#define UNDERWAY_MAX	64

struct slot {
	struct sign_ask ask;		/* the last one */
	bool queued, underway;
};

struct signer_client {
	struct loop_poll poll;		/* first: ready() finds the client by it */
	struct loop *loop;
	int fd, next_fd;		/* next_fd waits for the poll on fd to end */
	uint32_t num_slots, config;
	signer_client_answer answer;
	void *ctx;
	struct slot *slots;
	uint32_t *queue;		/* a ring of num_slots numbers of slots: each is in it once at most */
	uint32_t head, num_queued;
	uint32_t num_underway;		/* questions sent and not answered, those of former lives of a slot included */
};

static void use_next(struct signer_client *c);

/* What was asked dies with the signer; what was not goes to the next one. */
static void lose(struct signer_client *c)
{
	static const uint8_t none[1];

	close(c->fd);
	c->fd = -1;
	c->num_underway = 0;
	for (uint32_t i = 0; i < c->num_slots; i++) {
		if (!c->slots[i].underway)
			continue;
		c->slots[i].underway = false;
		c->answer(c->ctx, i, c->slots[i].ask.slot_generation, none, 0);
	}
}

static void take(struct signer_client *c, const struct sign_answer *a)
{
	struct slot *s = a->slot < c->num_slots ? &c->slots[a->slot] : NULL;

	if (c->num_underway)
		c->num_underway--;
	if (!s || !s->underway || s->ask.slot_generation != a->slot_generation || a->len > sizeof(a->sig))
		return;		/* late, of a former life of the slot */
	s->underway = false;
	c->answer(c->ctx, a->slot, a->slot_generation, a->sig, a->len);
}

/* Return: false at the end of the signer. */
static bool receive(struct signer_client *c)
{
	struct sign_answer answers[SIGN_BATCH];

	for (;;) {
		ssize_t n = recv(c->fd, answers, sizeof(answers), MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0 || (size_t)n > sizeof(answers) || (size_t)n % sizeof(answers[0]))
			return false;
		for (size_t i = 0; i < (size_t)n / sizeof(answers[0]); i++)
			take(c, &answers[i]);
	}
}

static void ready(struct loop_poll *p, int events)
{
	struct signer_client *c = (struct signer_client *)p;

	/* Also when another one has come: it has answered what it could. */
	(void)events;
	if (!receive(c)) {
		log_warn("the signer is gone: %u signatures lost, %u wait for the next one", c->num_underway, c->num_queued);
		lose(c);
	}
	use_next(c);
	if (c->fd >= 0)
		loop_poll(c->loop, &c->poll, c->fd, POLLIN);
}

static void use_next(struct signer_client *c)
{
	if (c->next_fd < 0)
		return;
	if (c->fd >= 0)
		lose(c);
	c->fd = c->next_fd;
	c->next_fd = -1;
}

struct signer_client *signer_client_open(struct loop *l, uint32_t num_slots, uint32_t config,
					 signer_client_answer answer, void *ctx)
{
	struct signer_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct signer_client){ .poll.ready = ready, .loop = l, .fd = -1, .next_fd = -1, .num_slots = num_slots,
				     .config = config, .answer = answer, .ctx = ctx };
	c->slots = calloc(num_slots, sizeof(*c->slots));
	c->queue = calloc(num_slots, sizeof(*c->queue));
	if (!c->slots || !c->queue) {
		signer_client_close(c);
		return NULL;
	}
	return c;
}

void signer_client_close(struct signer_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->next_fd >= 0)
		close(c->next_fd);
	free(c->slots);
	free(c->queue);
	free(c);
}

size_t signer_client_bound(uint32_t num_slots)
{
	return sizeof(struct signer_client) + num_slots * (sizeof(struct slot) + sizeof(uint32_t));
}

void signer_client_attach(struct signer_client *c, int fd)
{
	if (c->next_fd >= 0)
		close(c->next_fd);
	c->next_fd = fd;
	if (c->poll.armed) {
		loop_cancel(c->loop, &c->poll);
		return;
	}
	use_next(c);
	loop_poll(c->loop, &c->poll, c->fd, POLLIN);
}

void signer_client_ask(struct signer_client *c, uint32_t slot, uint32_t slot_generation, const struct tls_sign_req *req)
{
	struct slot *s = &c->slots[slot];

	s->ask = (struct sign_ask){ .slot = slot, .slot_generation = slot_generation, .config = c->config,
				    .key_id = req->identity->key_id, .scheme = req->scheme, .hash_len = req->hash_len };
	memcpy(s->ask.hash, req->hash, req->hash_len);
	s->underway = false;		/* an answer still to come would be for a former life of the slot */
	if (s->queued)
		return;			/* so was that one's question, which nobody waits for any more */
	s->queued = true;
	c->queue[(c->head + c->num_queued++) % c->num_slots] = slot;
}

/* Return: how many questions were put into @batch; they stay queued. */
static uint32_t fill_batch(const struct signer_client *c, struct sign_ask *batch)
{
	uint32_t room = UNDERWAY_MAX - c->num_underway, num = c->num_queued < SIGN_BATCH ? c->num_queued : SIGN_BATCH;

	num = num < room ? num : room;
	for (uint32_t i = 0; i < num; i++)
		batch[i] = c->slots[c->queue[(c->head + i) % c->num_slots]].ask;
	return num;
}

void signer_client_flush(struct signer_client *c)
{
	struct sign_ask batch[SIGN_BATCH];
	uint32_t num;

	while (c->fd >= 0 && c->next_fd < 0 && (num = fill_batch(c, batch))) {
		/* A full or broken socket: the answers, or the end of file, that follow will bring us here again. */
		if (send(c->fd, batch, num * sizeof(batch[0]), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			return;
		for (uint32_t i = 0; i < num; i++) {
			c->slots[batch[i].slot].queued = false;
			c->slots[batch[i].slot].underway = true;
		}
		c->head = (c->head + num) % c->num_slots;
		c->num_queued -= num;
		c->num_underway += num;
	}
}
