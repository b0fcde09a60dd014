// SPDX-License-Identifier: MIT
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_MAGIC	0x31676d6964686c74ULL	/* "tlhdimg1": also tells a foreign byte order */
#define IMAGE_MAX	(1u << 30)
#define SEALS		(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Grows by appending; the first failure sticks. */
struct writer {
	char *p;
	size_t len, cap;
	int err;
};

/* Return: the offset of @len bytes, zeroed or copied from @from. The buffer may move: keep offsets, not pointers. */
static uint32_t append(struct writer *w, const void *from, size_t len)
{
	size_t off = (w->len + 7) & ~(size_t)7;

	if (w->err)
		return 0;
	if (len > IMAGE_MAX || off + len > IMAGE_MAX) {
		w->err = -E2BIG;
		return 0;
	}
	if (off + len > w->cap) {
		size_t cap = (off + len) * 2;
		char *p = realloc(w->p, cap);

		if (!p) {
			w->err = -ENOMEM;
			return 0;
		}
		memset(p + w->cap, 0, cap - w->cap);
		w->p = p;
		w->cap = cap;
	}
	if (from && len)
		memcpy(w->p + off, from, len);
	w->len = off + len;
	return (uint32_t)off;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static struct image_span append_ids(struct writer *w, const struct config_ids *ids)
{
	struct image_span s = { append(w, ids->ids, ids->num * sizeof(*ids->ids)), (uint32_t)ids->num };

	if (!w->err && ids->num)
		qsort(w->p + s.off, ids->num, sizeof(*ids->ids), compare_ids);
	return s;
}

static struct image_role make_role(struct writer *w, const struct config_role *r)
{
	struct image_role out = { .present = r->present, .any_user = r->users.any, .any_group = r->groups.any,
				  .any_name = r->any_name };

	out.users = append_ids(w, &r->users);
	out.groups = append_ids(w, &r->groups);
	return out;
}

static struct image_profile make_profile(struct writer *w, const struct config_profile *p, const char *trust,
					 size_t trust_len)
{
	struct image_profile out = { .timeout_ms = p->timeout_ms, .num_tickets = p->num_tickets,
				     .ticket_lifetime_s = p->ticket_lifetime_s, .early_data = p->early_data,
				     .num_identities = (uint32_t)p->num_identities,
				     .num_suites = (uint8_t)p->num_suites, .num_groups = (uint8_t)p->num_groups,
				     .alpn_len = (uint8_t)p->alpn_len };

	memcpy(out.name, p->name, sizeof(out.name));
	memcpy(out.suites, p->suites, sizeof(out.suites));
	memcpy(out.groups, p->groups, sizeof(out.groups));
	memcpy(out.alpn, p->alpn, p->alpn_len);
	if (trust)
		out.trust = (struct image_span){ append(w, trust, trust_len), (uint32_t)trust_len };
	for (int i = 0; i < 2; i++)
		out.roles[i] = make_role(w, &p->roles[i]);
	return out;
}

static struct image_identity make_identity(struct writer *w, const struct identity *id)
{
	struct image_identity out = { .type = id->type, .role = TLS_SERVER };

	out.chain = (struct image_span){ append(w, id->chain, id->chain_len), (uint32_t)id->chain_len };
	out.leaf.off = out.chain.off + (uint32_t)(id->leaf.p - id->chain);
	out.leaf.num = (uint32_t)id->leaf.len;
	memcpy(out.cert_schemes, id->facts.schemes, sizeof(out.cert_schemes));
	out.num_cert_schemes = id->facts.num_schemes;
	out.issuers = (struct image_span){ append(w, id->facts.issuers, id->facts.issuers_len),
					   (uint32_t)id->facts.issuers_len };
	return out;
}

static void write_tables(struct writer *w, struct image *head, const struct config *c, const struct identities *ids)
{
	uint32_t identity = 0;

	head->profiles = append(w, NULL, c->num_profiles * sizeof(struct image_profile));
	head->identities = append(w, NULL, ids->num * sizeof(struct image_identity));
	for (size_t i = 0; i < c->num_profiles && !w->err; i++) {
		struct image_profile p = make_profile(w, &c->profiles[i], ids->trust[i], ids->trust_len[i]);

		p.first_identity = identity;
		identity += p.num_identities;
		if (!w->err)
			memcpy(w->p + head->profiles + i * sizeof(p), &p, sizeof(p));
	}
	for (size_t i = 0; i < ids->num && !w->err; i++) {
		struct image_identity id = make_identity(w, &ids->v[i]);

		if (!w->err)
			memcpy(w->p + head->identities + i * sizeof(id), &id, sizeof(id));
	}
}

static int to_memfd(const struct writer *w)
{
	int fd = memfd_create("tlshd.conf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, w->p, w->len);
	if (n >= 0 && (size_t)n == w->len && !fcntl(fd, F_ADD_SEALS, SEALS))
		return fd;
	n = n >= 0 && (size_t)n != w->len ? -ENOSPC : -errno;
	close(fd);
	return (int)n;
}

int image_build(const struct config *c, const struct identities *ids, uint32_t generation)
{
	struct image head = { .magic = IMAGE_MAGIC, .generation = generation, .threads = c->threads,
			      .max_handshakes = c->max_handshakes, .log_level = c->log_level,
			      .early_window_ms = c->early_window_ms,
			      .num_profiles = (uint32_t)c->num_profiles, .num_identities = (uint32_t)ids->num };
	struct writer w = { 0 };
	int rc;

	append(&w, NULL, sizeof(head));
	write_tables(&w, &head, c, ids);
	rc = w.err;
	if (!rc) {
		head.size = (uint32_t)w.len;
		memcpy(w.p, &head, sizeof(head));
		rc = to_memfd(&w);
	}
	free(w.p);
	return rc;
}

int image_map(const struct image **out, int fd)
{
	struct stat st;
	const struct image *im;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &st) || (size_t)st.st_size < sizeof(*im))
		return -EINVAL;
	im = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (im == MAP_FAILED)
		return -errno;
	if (im->magic != IMAGE_MAGIC || im->size != (size_t)st.st_size) {
		munmap((void *)im, (size_t)st.st_size);
		return -EINVAL;
	}
	*out = im;
	return 0;
}
