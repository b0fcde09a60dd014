// SPDX-License-Identifier: MIT
#include "replay.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "crypto/crypto.h"

#define NUM_SETS	3	/* of this span of time, of the one before, and the one that is emptied for the next */
#define PROBES		32	/* places that are looked at for a binder; none free among them is "full" */
#define JUMP_MS		1000	/* of a clock against another, beyond which time has not just passed */

/**
 * struct replay - spans follow each other, each with a set: of twice the window, and of what a clock may be moved in it
 * @state: number of the span, from the table's beginning on
 * @domain: 0 while it changes
 * @lock: who begins a span or a domain
 * @real, @mono: CLOCK_BOOTTIME less these, when the domain began; under @lock, read without
 */
struct replay {
	uint32_t num;		/* places of a set, a power of two */
	uint32_t window_ms;
	pthread_mutex_t lock;
	_Atomic uint64_t span, domain;
	_Atomic int64_t real, mono;
	_Atomic uint64_t *places;	/* NUM_SETS * @num */
};

/* Half empty when it holds what was promised. */
static uint32_t num_places(uint32_t num)
{
	uint32_t n = 64;

	while (n < 2 * num)
		n *= 2;
	return n;
}

static size_t mapped(uint32_t places)
{
	return NUM_SETS * (size_t)places * sizeof(uint64_t);
}

size_t replay_bound(uint32_t num)
{
	return sizeof(struct replay) + mapped(num_places(num));
}

void replay_clocks(struct replay_clocks *out)
{
	static const clockid_t ids[] = { CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_MONOTONIC };
	int64_t *ms[] = { &out->real, &out->boot, &out->mono };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct timespec ts;

		clock_gettime(ids[i], &ts);
		*ms[i] = ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
	}
}

/* ---- spans and domains ---- */

static _Atomic uint64_t *set_of(struct replay *r, uint64_t span)
{
	return r->places + span % NUM_SETS * r->num;
}

static void empty(struct replay *r, uint64_t span)
{
	_Atomic uint64_t *set = set_of(r, span);

	for (uint32_t i = 0; i < r->num; i++)
		if (atomic_load_explicit(&set[i], memory_order_relaxed))
			atomic_store_explicit(&set[i], 0, memory_order_relaxed);
}

static uint64_t span_at(const struct replay *r, const struct replay_clocks *now)
{
	return (uint64_t)now->boot / (2 * ((uint64_t)r->window_ms + JUMP_MS));
}

static bool jumped(int64_t a, int64_t b)
{
	return a - b > JUMP_MS || b - a > JUMP_MS;
}

/* Has something other than time passed since the domain began? A suspend stops CLOCK_MONOTONIC alone. */
static bool in_doubt(struct replay *r, const struct replay_clocks *now)
{
	return jumped(now->boot - now->real, atomic_load(&r->real)) || jumped(now->boot - now->mono, atomic_load(&r->mono));
}

/* lock held. All that was taken is forgotten, so nothing of before may be taken again. */
static void begin_domain(struct replay *r, const struct replay_clocks *now)
{
	uint64_t domain = 0;

	atomic_store(&r->domain, 0);
	while (!domain)
		rand_bytes((uint8_t *)&domain, sizeof(domain));
	atomic_store(&r->real, now->boot - now->real);
	atomic_store(&r->mono, now->boot - now->mono);
	for (uint64_t i = 0; i < NUM_SETS; i++)
		empty(r, i);
	atomic_store(&r->span, span_at(r, now));
	atomic_store(&r->domain, domain);
}

/* lock held. The set of the new span is the one that was emptied before the last one began. */
static void begin_span(struct replay *r, uint64_t span)
{
	uint64_t last = atomic_load(&r->span);

	if (span <= last)
		return;
	if (span > last + 1)
		empty(r, span - 1);	/* nothing was taken in the meantime */
	empty(r, span);
	atomic_store(&r->span, span);
	empty(r, span + 1);
}

static void keep_up(struct replay *r, const struct replay_clocks *now)
{
	if (!in_doubt(r, now) && span_at(r, now) <= atomic_load(&r->span))
		return;
	pthread_mutex_lock(&r->lock);
	if (in_doubt(r, now))
		begin_domain(r, now);
	else
		begin_span(r, span_at(r, now));
	pthread_mutex_unlock(&r->lock);
}

int replay_open(struct replay **out, uint32_t num, uint32_t window_ms)
{
	struct replay *r = calloc(1, sizeof(*r));
	struct replay_clocks now;
	void *p = MAP_FAILED;

	if (r) {
		r->num = num_places(num);
		p = mmap(NULL, mapped(r->num), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	}
	if (p == MAP_FAILED) {
		free(r);
		return -ENOMEM;
	}
	r->window_ms = window_ms;
	r->places = p;
	pthread_mutex_init(&r->lock, NULL);
	replay_clocks(&now);
	begin_domain(r, &now);
	*out = r;
	return 0;
}

void replay_close(struct replay *r)
{
	if (!r)
		return;
	munmap((void *)r->places, mapped(r->num));
	pthread_mutex_destroy(&r->lock);
	free(r);
}

uint64_t replay_domain(struct replay *r, const struct replay_clocks *now)
{
	keep_up(r, now);
	return atomic_load(&r->domain);
}

/* ---- binders ---- */

/*
 * A binder is a MAC: 64 bits of it are random to all but who has its key, who could find two alike at the cost of 2^32
 * of his own, and gains a rejection of his own early data by it.
 */
static uint64_t mark_of(const uint8_t *binder, uint64_t *start)
{
	uint64_t mark;

	memcpy(&mark, binder, sizeof(mark));
	memcpy(start, binder + sizeof(mark), sizeof(*start));
	return mark ? mark : 1;		/* 0 is a free place */
}

/* Places are taken and never given back while a set is in use, so two threads with one binder meet at one place. */
static enum replay_verdict insert(_Atomic uint64_t *set, uint32_t num, uint64_t mark, uint64_t start)
{
	for (uint64_t i = 0; i < PROBES; i++) {
		_Atomic uint64_t *place = &set[(start + i) & (num - 1)];
		uint64_t seen = atomic_load(place);

		if (!seen && atomic_compare_exchange_strong(place, &seen, mark))
			return REPLAY_FRESH;
		if (seen == mark)
			return REPLAY_SEEN;
	}
	return REPLAY_FULL;
}

static bool has(_Atomic uint64_t *set, uint32_t num, uint64_t mark, uint64_t start)
{
	for (uint64_t i = 0; i < PROBES; i++) {
		uint64_t seen = atomic_load(&set[(start + i) & (num - 1)]);

		if (seen == mark)
			return true;
		if (!seen)
			return false;
	}
	return false;
}

/*
 * A thread may be late: it puts its binder into a set while another has begun the next span. Each first puts its own in
 * and only then looks at what the other did: the late one at the span, which has changed; the other at the set before
 * its own. All of it in one order (seq_cst), so at least one of two with the same binder sees the other.
 */
enum replay_verdict replay_check(struct replay *r, const struct replay_clocks *now, const uint8_t *binder,
				 int64_t skew_ms, uint64_t domain)
{
	uint64_t start, mark = mark_of(binder, &start), span;
	enum replay_verdict verdict;

	keep_up(r, now);
	span = atomic_load(&r->span);
	if (!domain || domain != atomic_load(&r->domain))
		return REPLAY_FOREIGN;
	if (skew_ms > r->window_ms || skew_ms < -(int64_t)r->window_ms)
		return REPLAY_STALE;
	verdict = insert(set_of(r, span), r->num, mark, start);
	if (verdict != REPLAY_FRESH)
		return verdict;
	if (has(set_of(r, span - 1), r->num, mark, start))
		return REPLAY_SEEN;
	if (atomic_load(&r->span) != span || atomic_load(&r->domain) != domain)
		return REPLAY_FULL;
	return REPLAY_FRESH;
}
