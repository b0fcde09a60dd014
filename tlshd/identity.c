// SPDX-License-Identifier: MIT
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tickets.h"

#define CERTIFICATE_FILE_MAX	(256 * 1024)
#define TRUST_FILE_MAX		(16 * 1024 * 1024)
#define KEY_FILE_MAX		(64 * 1024)
#define EXPIRY_WARNING		(14 * 24 * 3600)	/* seconds before the end */
#define WHY_LEN			256

/* Return: a descriptor of a regular file of @min to @max bytes, or -1 after a complaint. */
static int open_file(struct report *r, int line, const char *path, size_t min, size_t max, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || fstat(fd, st)) {
		report_error(r, line, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st->st_mode)) {
		report_error(r, line, "%s: not a regular file", path);
	} else if ((size_t)st->st_size < min || (size_t)st->st_size > max) {
		report_error(r, line, "%s: %lld bytes; expected %zu to %zu", path, (long long)st->st_size, min, max);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Return: the contents, malloc'd, or NULL after a complaint. */
static char *read_file(struct report *r, int line, const char *path, size_t max, size_t *len)
{
	struct stat st;
	int fd = open_file(r, line, path, 1, max, &st);
	char *p = NULL;
	ssize_t n = -1;

	if (fd < 0)
		return NULL;
	p = malloc((size_t)st.st_size);
	if (p)
		n = pread(fd, p, (size_t)st.st_size, 0);
	if (n != st.st_size) {
		report_error(r, line, "%s: cannot be read whole: %s", path, n < 0 ? strerror(errno) : "it shrank");
		free(p);
		p = NULL;
	}
	close(fd);
	*len = (size_t)st.st_size;
	return p;
}

static void check_times(struct report *r, int line, const char *path, struct der leaf, int64_t now)
{
	struct x509_times t;
	char when[32] = "";
	struct tm tm;
	time_t end;

	if (x509_leaf_times(&t, leaf)) {
		report_error(r, line, "%s: the validity of the first certificate cannot be read", path);
		return;
	}
	end = t.not_after;
	if (gmtime_r(&end, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", &tm);
	if (t.not_after < now)
		report_warning(r, line, "%s: expired on %s", path, when);
	else if (t.not_after < now + EXPIRY_WARNING)
		report_warning(r, line, "%s: expires soon, on %s", path, when);
	else if (t.not_before > now)
		report_warning(r, line, "%s: not valid yet", path);
}

static void load_chain(struct identity *id, const struct config_identity *ci, struct report *r, int64_t now)
{
	char why[WHY_LEN] = "";
	size_t len;
	char *pem = read_file(r, ci->certificate_line, ci->certificate, CERTIFICATE_FILE_MAX, &len);
	int rc;

	if (!pem)
		return;
	rc = x509_chain_load(&id->chain, &id->chain_len, &id->leaf, &id->type, pem, len, why, sizeof(why));
	free(pem);
	if (!rc)
		rc = x509_chain_facts(&id->facts, id->chain, id->chain_len);
	if (rc == -E2BIG)
		report_error(r, ci->certificate_line, "%s: the chain is too long; expected at most 15 KiB", ci->certificate);
	else if (rc)
		report_error(r, ci->certificate_line, "%s: %s", ci->certificate, *why ? why : strerror(-rc));
	else
		check_times(r, ci->certificate_line, ci->certificate, id->leaf, now);
}

/* As open_file(), of a file that others should not see. */
static int open_secret(struct report *r, int line, const char *path, size_t min, size_t max)
{
	struct stat st;
	int fd = open_file(r, line, path, min, max, &st);

	if (fd >= 0 && st.st_mode & (S_IRWXO | S_IWGRP))
		report_warning(r, line, "%s: others may read or change this key (mode %04o); expected 0600 or 0640", path,
			       st.st_mode & 07777);
	return fd;
}

static void load_trust(struct identities *ids, size_t i, const struct config_profile *p, struct report *r)
{
	struct x509_anchors *anchors = NULL;
	char why[WHY_LEN] = "";
	int rc;

	ids->trust[i] = read_file(r, p->trust_line, p->trust, TRUST_FILE_MAX, &ids->trust_len[i]);
	if (!ids->trust[i])
		return;
	rc = x509_anchors_load(&anchors, ids->trust[i], ids->trust_len[i], why, sizeof(why));
	if (rc)
		report_error(r, p->trust_line, "%s: %s", p->trust, *why ? why : strerror(-rc));
	else
		x509_anchors_free(anchors);
}

static int allocate(struct identities *ids, const struct config *c)
{
	size_t num = 0;

	for (size_t i = 0; i < c->num_profiles; i++)
		num += c->profiles[i].num_identities;
	ids->v = calloc(num + 1, sizeof(*ids->v));
	ids->trust = calloc(c->num_profiles, sizeof(*ids->trust));
	ids->trust_len = calloc(c->num_profiles, sizeof(*ids->trust_len));
	ids->num_profiles = c->num_profiles;
	return ids->v && ids->trust && ids->trust_len ? 0 : -ENOMEM;
}

int identities_load(struct identities *out, const struct config *c, struct report *r, int64_t now)
{
	unsigned before = r->errors;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = allocate(out, c);
	for (size_t i = 0; !rc && i < c->num_profiles; i++) {
		const struct config_profile *p = &c->profiles[i];

		for (size_t k = 0; k < p->num_identities; k++) {
			struct identity *id = &out->v[out->num++];

			id->profile = i;
			id->at = k;
			load_chain(id, &p->identities[k], r, now);
			id->key_fd = open_secret(r, p->identities[k].key_line, p->identities[k].key, 1, KEY_FILE_MAX);
		}
		if (p->trust)
			load_trust(out, i, p, r);
	}
	if (!rc && c->ticket_keys) {
		out->ticket_secret_fd = open_secret(r, c->ticket_keys_line, c->ticket_keys, TICKETS_SECRET_MIN,
						    TICKETS_SECRET_MAX);
		out->has_ticket_secret = out->ticket_secret_fd >= 0;
	}
	if (!rc && r->errors != before)
		rc = -EINVAL;
	if (rc)
		identities_free(out);
	return rc;
}

void identities_free(struct identities *ids)
{
	for (size_t i = 0; i < ids->num; i++) {
		free(ids->v[i].chain);
		x509_facts_free(&ids->v[i].facts);
		if (ids->v[i].key_fd >= 0)
			close(ids->v[i].key_fd);
	}
	for (size_t i = 0; ids->trust && i < ids->num_profiles; i++)
		free(ids->trust[i]);
	if (ids->has_ticket_secret)
		close(ids->ticket_secret_fd);
	free(ids->v);
	free(ids->trust);
	free(ids->trust_len);
	memset(ids, 0, sizeof(*ids));
}
