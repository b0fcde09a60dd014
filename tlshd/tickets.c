// SPDX-License-Identifier: MIT
#include "tickets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define NAME_LEN	16
#define SCOPE_LEN	32
#define HEAD_LEN	(NAME_LEN + XCHACHA_NONCE_LEN)
#define DOMAIN_LEN	sizeof(uint64_t)
#define NO_SLOT		UINT32_MAX
#define SEALS		(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)

_Static_assert(HEAD_LEN + DOMAIN_LEN + XCHACHA_TAG_LEN <= TLS_SEAL_MAX, "a ticket is longer than the engine has room for");

/* A key as it is copied out of its slot; holds a secret. Words, because they are what is copied whole. */
union key {
	struct {
		uint64_t number;		/* of its interval, and 1; 0: no key */
		uint8_t name[NAME_LEN];
		uint8_t secret[PRF_LEN];
	};
	uint64_t words[7];
};

_Static_assert(sizeof(union key) == 7 * sizeof(uint64_t), "a key has holes");

/**
 * struct slot - where a key stands, written by one process while any number of threads read
 * @changes: odd while it is being written. Who read the same even number before and after has read one key whole; who
 *	did not does without it, for a slot that changes held a key that is over
 */
struct slot {
	_Alignas(64) _Atomic uint32_t changes;
	_Atomic uint64_t words[7];
};

struct tickets {
	_Atomic uint32_t current;	/* the slot of the key that seals, or NO_SLOT */
	struct slot slots[TICKETS_KEYS_MAX];
};

/* ---- slots ---- */

/*
 * The words are released one by one and acquired likewise: who has seen one of a new key sees @changes odd or further
 * on, too, and so need no fence, which thread sanitizers do not know.
 */
static void write_slot(struct slot *s, const union key *key)
{
	uint32_t changes = atomic_load_explicit(&s->changes, memory_order_relaxed);

	atomic_store_explicit(&s->changes, changes + 1, memory_order_relaxed);
	for (size_t i = 0; i < 7; i++)
		atomic_store_explicit(&s->words[i], key->words[i], memory_order_release);
	atomic_store_explicit(&s->changes, changes + 2, memory_order_release);
}

/* Return: whether there was a key. */
static bool read_slot(union key *out, const struct slot *s)
{
	uint32_t changes = atomic_load_explicit(&s->changes, memory_order_acquire);

	for (size_t i = 0; i < 7; i++)
		out->words[i] = atomic_load_explicit(&s->words[i], memory_order_acquire);
	return !(changes & 1) && atomic_load_explicit(&s->changes, memory_order_relaxed) == changes && out->number;
}

static uint64_t slot_number(const struct slot *s)
{
	return atomic_load_explicit(&s->words[0], memory_order_relaxed);
}

/* ---- making keys ---- */

/**
 * struct tickets_maker - in a page of its own
 * @keep: how many intervals before the current one still have valid tickets
 * @derives: keys follow from @root
 */
struct tickets_maker {
	struct tickets *shared;
	int fd;
	uint32_t interval_s, keep;
	bool derives;
	uint8_t root[PRF_LEN];
};

static struct iov text(const char *s)
{
	return (struct iov){ s, strlen(s) };
}

static void put_be64(uint8_t *out, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (56 - 8 * i));
}

static void derive(uint8_t *out, const struct tickets_maker *m, const char *label, uint64_t number)
{
	uint8_t which[16];
	const struct iov parts[] = { text(label), { which, sizeof(which) } };

	put_be64(which, m->interval_s);
	put_be64(which + 8, number);
	prf(out, m->root, sizeof(m->root), parts, 2);
}

static void make_key(struct tickets_maker *m, uint64_t number)
{
	union key key = { .number = number + 1 };
	uint8_t name[PRF_LEN];

	if (m->derives) {
		derive(name, m, "tlshd ticket key name", number);
		memcpy(key.name, name, NAME_LEN);
		derive(key.secret, m, "tlshd ticket key", number);
	} else {
		rand_bytes(key.name, NAME_LEN);
		rand_bytes(key.secret, PRF_LEN);
	}
	write_slot(&m->shared->slots[number % TICKETS_KEYS_MAX], &key);
	wipe(&key, sizeof(key));
}

int64_t tickets_maker_turn(struct tickets_maker *m, int64_t now_s)
{
	uint64_t s = now_s > 0 ? (uint64_t)now_s : 0, now = s / m->interval_s;
	uint64_t oldest = now > m->keep ? now - m->keep : 0;
	static const union key none;

	/* What nobody has sealed under needs no key. */
	for (uint64_t n = m->derives ? oldest : now; n <= now + 1; n++)
		if (slot_number(&m->shared->slots[n % TICKETS_KEYS_MAX]) != n + 1)
			make_key(m, n);
	atomic_store_explicit(&m->shared->current, now % TICKETS_KEYS_MAX, memory_order_release);
	for (size_t i = 0; i < TICKETS_KEYS_MAX; i++) {
		uint64_t number = slot_number(&m->shared->slots[i]);

		if (number && (number - 1 < oldest || number - 1 > now + 1))
			write_slot(&m->shared->slots[i], &none);
	}
	return (int64_t)((now + 1) * m->interval_s - s);
}

/* ---- the memory ---- */

static bool keep_to_ourselves(void *p, size_t len)
{
	return !mlock(p, len) && !madvise(p, len, MADV_DONTDUMP);
}

/* Whoever gets the descriptor after this can read only. */
static int share(struct tickets_maker *m)
{
	m->fd = memfd_create("tlshd.tickets", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (m->fd < 0 || ftruncate(m->fd, sizeof(*m->shared)))
		return -errno;
	m->shared = mmap(NULL, sizeof(*m->shared), PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	if (m->shared == MAP_FAILED) {
		m->shared = NULL;
		return -errno;
	}
	if (fcntl(m->fd, F_ADD_SEALS, SEALS))
		return -errno;
	if (!keep_to_ourselves(m->shared, sizeof(*m->shared)) || !keep_to_ourselves(m, sizeof(*m)))
		log_warn("the memory of ticket keys is not locked: %s; raise the memlock limit", strerror(errno));
	atomic_store(&m->shared->current, NO_SLOT);
	return 0;
}

static int read_secret(struct tickets_maker *m, int fd)
{
	static const char label[] = "tlshd ticket secret of a file";
	uint8_t bytes[TICKETS_SECRET_MAX + 1];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
	struct iov part = { bytes, n > 0 ? (size_t)n : 0 };
	int rc = n < 0 ? -errno : n < TICKETS_SECRET_MIN || n > TICKETS_SECRET_MAX ? -EINVAL : 0;

	if (!rc)
		prf(m->root, (const uint8_t *)label, sizeof(label) - 1, &part, 1);
	m->derives = true;
	wipe(bytes, sizeof(bytes));
	return rc;
}

int tickets_maker_open(struct tickets_maker **out, uint32_t interval_s, uint32_t lifetime_s, int secret_fd)
{
	struct tickets_maker *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	*out = NULL;
	if (m == MAP_FAILED)
		return -errno;
	m->interval_s = interval_s;
	m->keep = (lifetime_s + interval_s - 1) / interval_s;
	if (m->keep > TICKETS_KEEP_MAX)
		abort();
	rc = share(m);
	if (!rc && secret_fd >= 0)
		rc = read_secret(m, secret_fd);
	if (rc)
		tickets_maker_close(m);
	else
		*out = m;
	return rc;
}

void tickets_maker_close(struct tickets_maker *m)
{
	static const union key none;

	if (!m)
		return;
	if (m->shared) {
		atomic_store(&m->shared->current, NO_SLOT);
		for (size_t i = 0; i < TICKETS_KEYS_MAX; i++)
			write_slot(&m->shared->slots[i], &none);
		munmap(m->shared, sizeof(*m->shared));
	}
	if (m->fd >= 0)
		close(m->fd);
	wipe(m, sizeof(*m));
	munmap(m, sizeof(*m));
}

int tickets_maker_fd(const struct tickets_maker *m)
{
	return m->fd;
}

int tickets_map(const struct tickets **out, int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	const struct tickets *t;
	struct stat st;

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) || st.st_size != sizeof(*t))
		return -EINVAL;
	t = mmap(NULL, sizeof(*t), PROT_READ, MAP_SHARED, fd, 0);
	if (t == MAP_FAILED)
		return -errno;
	*out = t;
	return 0;
}

void tickets_unmap(const struct tickets *t)
{
	munmap((void *)t, sizeof(*t));
}

size_t tickets_bound(void)
{
	return sizeof(struct tickets);
}

/* ---- sealing and opening ---- */

static void profile_key(uint8_t *out, const union key *key, const struct tickets_use *use)
{
	const struct iov parts[] = { text("tlshd ticket seal"), { use->scope, SCOPE_LEN } };

	prf(out, key->secret, sizeof(key->secret), parts, 2);
}

static bool current_key(union key *out, const struct tickets *t)
{
	uint32_t i = atomic_load_explicit(&t->current, memory_order_acquire);

	return i < TICKETS_KEYS_MAX && read_slot(out, &t->slots[i]);
}

/* Names are public: who sees tickets sees them. */
static bool find_key(union key *out, const struct tickets *t, const uint8_t *name)
{
	for (size_t i = 0; i < TICKETS_KEYS_MAX; i++)
		if (read_slot(out, &t->slots[i]) && !memcmp(out->name, name, NAME_LEN))
			return true;
	return false;
}

/* What is sealed: the replay table's domain, then the engine's state. */
static void make_content(uint8_t *out, const struct tickets_use *use, const uint8_t *state, size_t len)
{
	struct replay_clocks now;
	uint64_t domain = 0;

	if (use->replay) {
		replay_clocks(&now);
		domain = replay_domain(use->replay, &now);
	}
	memcpy(out, &domain, DOMAIN_LEN);
	memcpy(out + DOMAIN_LEN, state, len);
}

static size_t seal(void *arg, uint8_t *out, const uint8_t *state, size_t len)
{
	const struct tickets_use *use = arg;
	uint8_t derived[PRF_LEN];
	union key key;

	if (len > TLS_STATE_MAX)
		abort();
	if (current_key(&key, use->keys)) {
		memcpy(out, key.name, NAME_LEN);
		rand_bytes(out + NAME_LEN, XCHACHA_NONCE_LEN);
		profile_key(derived, &key, use);
		make_content(out + HEAD_LEN, use, state, len);
		len += DOMAIN_LEN;
		xchacha_seal(out + HEAD_LEN, out + HEAD_LEN, len, out, NAME_LEN, derived, out + NAME_LEN);
		len += HEAD_LEN + XCHACHA_TAG_LEN;
	} else {
		len = 0;
	}
	wipe(derived, sizeof(derived));
	wipe(&key, sizeof(key));
	return len;
}

static size_t open_ticket(void *arg, uint8_t *state, uint64_t *domain, const uint8_t *ticket, size_t len)
{
	const struct tickets_use *use = arg;
	uint8_t derived[PRF_LEN], content[DOMAIN_LEN + TLS_STATE_MAX];
	union key key;

	*domain = 0;
	if (len <= HEAD_LEN + DOMAIN_LEN + XCHACHA_TAG_LEN || len > HEAD_LEN + sizeof(content) + XCHACHA_TAG_LEN)
		return 0;
	len -= HEAD_LEN;
	if (!find_key(&key, use->keys, ticket))
		return 0;
	profile_key(derived, &key, use);
	if (xchacha_open(content, ticket + HEAD_LEN, len, ticket, NAME_LEN, derived, ticket + NAME_LEN)) {
		len = 0;
	} else {
		len -= XCHACHA_TAG_LEN + DOMAIN_LEN;
		memcpy(domain, content, DOMAIN_LEN);
		memcpy(state, content + DOMAIN_LEN, len);
	}
	wipe(content, sizeof(content));
	wipe(derived, sizeof(derived));
	wipe(&key, sizeof(key));
	return len;
}

/* The token is no secret, and says nothing of the binder. */
static bool may_be_early(void *arg, const struct tls_early_offer *offer)
{
	const struct iov parts[] = { text("tlshd replay token"), { offer->binder, offer->binder_len } };
	struct tickets_use *use = arg;
	struct replay_clocks now;
	struct hash h;

	if (!use->replay)
		return false;
	replay_clocks(&now);
	use->offered = true;
	use->verdict = replay_check(use->replay, &now, offer->binder, offer->skew_ms, offer->domain);
	hash_init(&h, HASH_SHA256);
	for (size_t i = 0; i < 2; i++)
		hash_update(&h, parts[i].p, parts[i].len);
	hash_final(&h, use->token);
	return use->verdict == REPLAY_FRESH;
}

const struct tls_ticket_ops tickets_ops = { .seal = seal, .open = open_ticket, .early = may_be_early };
