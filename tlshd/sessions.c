// SPDX-License-Identifier: MIT
#include "sessions.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/queue.h>

/* Of one key: a server sends two or so, and each connection uses one up. */
#define NUM_KEY_MAX	4

#define NONCE_LEN	24
#define TAG_LEN		16

/**
 * struct entry - a place
 * @session: first: the caller of sessions_take() has its address
 * @chain: of those in one bucket, the newest first; of those that are free
 * @age: of all in use, the oldest first
 * @owned: of one user's, likewise
 */
struct entry {
	struct tls_session session;
	struct sessions_key key;
	LIST_ENTRY(entry) chain;
	TAILQ_ENTRY(entry) age, owned;
	struct owner *owner;
};

LIST_HEAD(chain, entry);
TAILQ_HEAD(by_age, entry);

/* A user with a session, so never more of them than of those. */
struct owner {
	LIST_ENTRY(owner) chain;
	struct by_age entries;
	uint32_t uid, num;
};

LIST_HEAD(owners, owner);

/*
 * One lock: a client takes it twice a handshake, to look into one bucket and to give a place back, and once a ticket.
 * Servers never do.
 */
struct sessions {
	pthread_mutex_t lock;
	uint8_t seal_key[32];
	uint32_t num, num_user, num_buckets;
	uint32_t num_entries, num_owners;	/* that were ever in use; the places behind are not touched yet */
	struct entry *entries;
	struct owner *owners;
	struct chain *buckets;
	struct owners *owner_buckets;
	struct chain free;
	struct owners free_owners;
	struct by_age by_age;
};

/* ---- memory ---- */

/* A power of two, about as many as there are sessions. */
static uint32_t num_buckets(uint32_t num)
{
	uint32_t n = 16;

	while (n < num)
		n *= 2;
	return n;
}

static size_t mapped(uint32_t num)
{
	return num * (sizeof(struct entry) + sizeof(struct owner)) +
	       num_buckets(num) * (sizeof(struct chain) + sizeof(struct owners));
}

size_t sessions_bound(uint32_t num)
{
	return sizeof(struct sessions) + mapped(num);
}

/* Zero pages are empty lists, and come with first use. */
int sessions_open(struct sessions **out, uint32_t num, uint32_t num_user)
{
	struct sessions *s = calloc(1, sizeof(*s));
	void *p = mmap(NULL, mapped(num), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!s || p == MAP_FAILED) {
		if (p != MAP_FAILED)
			munmap(p, mapped(num));
		free(s);
		return -ENOMEM;
	}
	pthread_mutex_init(&s->lock, NULL);
	rand_bytes(s->seal_key, sizeof(s->seal_key));
	s->num = num;
	s->num_user = num_user;
	s->num_buckets = num_buckets(num);
	s->entries = p;
	s->owners = (struct owner *)(s->entries + num);
	s->buckets = (struct chain *)(s->owners + num);
	s->owner_buckets = (struct owners *)(s->buckets + s->num_buckets);
	TAILQ_INIT(&s->by_age);
	*out = s;
	return 0;
}

void sessions_close(struct sessions *s)
{
	if (!s)
		return;
	for (struct entry *e = TAILQ_FIRST(&s->by_age); e; e = TAILQ_NEXT(e, age))
		wipe(&e->session, sizeof(e->session));
	munmap(s->entries, mapped(s->num));
	pthread_mutex_destroy(&s->lock);
	wipe(s, sizeof(*s));
	free(s);
}

/* ---- lists; the lock is held ---- */

static struct chain *bucket(struct sessions *s, const struct sessions_key *key)
{
	uint32_t n;

	memcpy(&n, key->digest, sizeof(n));	/* a digest's bits are as good as a hash's */
	return &s->buckets[n & (s->num_buckets - 1)];
}

static bool same(const struct sessions_key *a, const struct sessions_key *b)
{
	return a->uid == b->uid && !memcmp(a->digest, b->digest, sizeof(a->digest));
}

/* Out of every list but those of free places. */
static void unlink_entry(struct sessions *s, struct entry *e)
{
	struct owner *o = e->owner;

	LIST_REMOVE(e, chain);
	TAILQ_REMOVE(&s->by_age, e, age);
	TAILQ_REMOVE(&o->entries, e, owned);
	if (--o->num)
		return;
	LIST_REMOVE(o, chain);
	LIST_INSERT_HEAD(&s->free_owners, o, chain);
}

static struct owner *find_owner(struct sessions *s, uint32_t uid)
{
	struct owner *o;

	LIST_FOREACH(o, &s->owner_buckets[uid & (s->num_buckets - 1)], chain)
		if (o->uid == uid)
			return o;
	return NULL;
}

static struct owner *get_owner(struct sessions *s, uint32_t uid)
{
	struct owner *o = find_owner(s, uid);

	if (o)
		return o;
	o = LIST_FIRST(&s->free_owners);
	if (o)
		LIST_REMOVE(o, chain);
	else
		o = &s->owners[s->num_owners++];
	o->uid = uid;
	o->num = 0;
	TAILQ_INIT(&o->entries);
	LIST_INSERT_HEAD(&s->owner_buckets[uid & (s->num_buckets - 1)], o, chain);
	return o;
}

static void free_entry(struct sessions *s, struct entry *e)
{
	wipe(&e->session, sizeof(e->session));
	LIST_INSERT_HEAD(&s->free, e, chain);
}

static void evict(struct sessions *s, struct entry *e)
{
	unlink_entry(s, e);
	free_entry(s, e);
}

/* The oldest of a key that has enough, NULL if it has not. */
static struct entry *surplus(struct sessions *s, const struct sessions_key *key)
{
	struct entry *e, *oldest = NULL;
	int num = 0;

	LIST_FOREACH(e, bucket(s, key), chain)
		if (same(&e->key, key)) {
			oldest = e;
			num++;
		}
	return num >= NUM_KEY_MAX ? oldest : NULL;
}

/* A place, at the cost of the oldest that has to go for it. NULL: all have been taken out. */
static struct entry *get_place(struct sessions *s, const struct sessions_key *key)
{
	struct owner *o = find_owner(s, key->uid);
	struct entry *e = surplus(s, key);

	if (!e && o && o->num >= s->num_user)
		e = TAILQ_FIRST(&o->entries);
	if (!e && LIST_EMPTY(&s->free) && s->num_entries == s->num)
		e = TAILQ_FIRST(&s->by_age);
	if (e)
		evict(s, e);
	e = LIST_FIRST(&s->free);
	if (e)
		LIST_REMOVE(e, chain);
	else if (s->num_entries < s->num)
		e = &s->entries[s->num_entries++];
	return e;
}

/* ---- tickets ---- */

_Static_assert(SESSIONS_BLOB_LEN == NONCE_LEN + sizeof(struct sessions_blob) + TAG_LEN, "as it is sealed");

void sessions_seal(const struct sessions *s, uint8_t *blob, const struct sessions_key *key,
		   const struct tls_resumption *r)
{
	struct sessions_blob b = { *key, *r };

	rand_bytes(blob, NONCE_LEN);
	xchacha_seal(blob + NONCE_LEN, (const uint8_t *)&b, sizeof(b), NULL, 0, s->seal_key, blob);
	wipe(&b, sizeof(b));
}

static int open_blob(const struct sessions *s, struct sessions_blob *out, const uint8_t *blob, size_t len)
{
	if (len != SESSIONS_BLOB_LEN)
		return -EBADMSG;
	return xchacha_open((uint8_t *)out, blob + NONCE_LEN, len - NONCE_LEN, NULL, 0, s->seal_key, blob);
}

static void insert(struct sessions *s, const struct sessions_key *key, const struct tls_session *session)
{
	struct entry *e;

	pthread_mutex_lock(&s->lock);
	e = get_place(s, key);
	if (e) {
		e->session = *session;
		e->key = *key;
		e->owner = get_owner(s, key->uid);
		e->owner->num++;
		LIST_INSERT_HEAD(bucket(s, key), e, chain);
		TAILQ_INSERT_TAIL(&s->by_age, e, age);
		TAILQ_INSERT_TAIL(&e->owner->entries, e, owned);
	}
	pthread_mutex_unlock(&s->lock);
}

int sessions_add(struct sessions *s, const uint8_t *blob, size_t blob_len, const uint8_t *msg, size_t len,
		 int64_t now_ms)
{
	struct tls_session session;
	struct sessions_blob b;
	int rc = open_blob(s, &b, blob, blob_len);

	if (!rc)
		rc = tls_session_take(&session, &b.resumption, msg, len, now_ms);
	if (!rc)
		insert(s, &b.key, &session);
	wipe(&session, sizeof(session));
	wipe(&b, sizeof(b));
	return rc;
}

/* ---- use ---- */

static bool over(const struct tls_session *session, int64_t now_ms)
{
	return now_ms - session->received_ms >= session->lifetime_s * 1000LL || now_ms / 1000 > session->not_after;
}

/* Is @name in a list in wire form? A server that chose none then may do so again. */
static bool offers(const uint8_t *alpn, size_t alpn_len, const uint8_t *name, size_t len)
{
	if (!len)
		return true;
	for (size_t at = 0; at < alpn_len; at += 1 + alpn[at])
		if (alpn[at] == len && !memcmp(alpn + at + 1, name, len))
			return true;
	return false;
}

const struct tls_session *sessions_take(struct sessions *s, const struct sessions_key *key, int64_t now_ms,
					const uint8_t *alpn, size_t alpn_len)
{
	struct entry *e, *next;

	pthread_mutex_lock(&s->lock);
	for (e = LIST_FIRST(bucket(s, key)); e; e = next) {
		next = LIST_NEXT(e, chain);
		if (over(&e->session, now_ms))
			evict(s, e);
		else if (same(&e->key, key) && offers(alpn, alpn_len, e->session.alpn, e->session.alpn_len))
			break;
	}
	if (e)
		unlink_entry(s, e);
	pthread_mutex_unlock(&s->lock);
	return e ? &e->session : NULL;
}

void sessions_drop(struct sessions *s, const struct tls_session *session)
{
	struct entry *e = (struct entry *)(uintptr_t)session;

	if (!e)
		return;
	pthread_mutex_lock(&s->lock);
	free_entry(s, e);
	pthread_mutex_unlock(&s->lock);
}
