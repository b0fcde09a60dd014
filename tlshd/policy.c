// SPDX-License-Identifier: MIT
#include "policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct profile {
	const struct image_profile *image;
	struct tls_config configs[2];	/* by enum tls_role */
	struct tickets_use tickets;
	struct tls_identity identities[CONFIG_IDENTITIES_MAX];
	struct x509_anchors *anchors;
	uint8_t verification[32];	/* digest of all that a client of it goes by when it judges a server */
};

struct policy {
	const struct image *image;
	struct profile *profiles;
};

/* A session is of no use once this has changed: who is trusted, and which hash and cipher are. */
static void digest_verification(struct profile *p, const struct image_profile *ip)
{
	struct hash h;

	hash_init(&h, HASH_SHA256);
	hash_update(&h, ip->suites, sizeof(ip->suites));
	if (p->anchors)
		hash_update(&h, x509_anchors_digest(p->anchors), 32);
	hash_final(&h, p->verification);
}

static struct tls_identity open_identity(const struct image *im, const struct image_identity *ii, uint32_t key_id)
{
	struct tls_identity out = {
		.chain = image_at(im, ii->chain.off), .chain_len = ii->chain.num, .type = ii->type, .key_id = key_id,
		.num_cert_schemes = (uint8_t)ii->num_cert_schemes,
		.issuers = image_at(im, ii->issuers.off), .issuers_len = ii->issuers.num,
	};

	memcpy(out.cert_schemes, ii->cert_schemes, sizeof(ii->cert_schemes));
	return out;
}

static void digest(uint8_t *out, const char *what, const struct iov *parts, size_t num)
{
	struct hash h;

	hash_init(&h, HASH_SHA256);
	hash_update(&h, what, strlen(what) + 1);
	for (size_t i = 0; i < num; i++)
		hash_update(&h, parts[i].p, parts[i].len);
	hash_final(&h, out);
}

/* A ticket resumes only where it was made: in a profile of this name, which judges clients now as it did then. */
static void allow_tickets(struct tls_config *c, const struct image_profile *ip)
{
	const uint8_t mode = (uint8_t)c->client_auth;
	const struct iov name = { ip->name, strlen(ip->name) }, judges[] = {
		{ &mode, sizeof(mode) }, { c->anchors ? x509_anchors_digest(c->anchors) : NULL, c->anchors ? 32 : 0 },
	};

	c->psk_modes = TLS_PSK_DHE_KE;
	c->num_tickets = (uint8_t)ip->num_tickets;
	c->ticket_lifetime_s = ip->ticket_lifetime_s;
	c->ticket_early_data = ip->early_data;
	digest(c->scope, "tlshd ticket scope", &name, 1);
	digest(c->policy, "tlshd client authentication", judges, 2);
}

static int open_profile(struct profile *p, const struct image *im, const struct image_profile *ip,
			const struct tickets *tickets, struct replay *replay)
{
	struct tls_config *c = &p->configs[TLS_CLIENT], *s = &p->configs[TLS_SERVER];
	const struct image_identity *ids = image_identities(im) + ip->first_identity;
	char why[TLSHD_REASON_LEN];

	p->image = ip;
	for (uint32_t i = 0; i < ip->num_identities; i++)
		p->identities[i] = open_identity(im, &ids[i], ip->first_identity + i);
	c->identities = p->identities;
	c->num_identities = (uint8_t)ip->num_identities;
	memcpy(c->suites, ip->suites, sizeof(ip->suites));
	memcpy(c->groups, ip->groups, sizeof(ip->groups));
	c->num_suites = ip->num_suites;
	c->num_groups = ip->num_groups;
	if (ip->trust.num &&
	    x509_anchors_load(&p->anchors, image_at(im, ip->trust.off), ip->trust.num, why, sizeof(why)))
		return -EINVAL;
	c->anchors = p->anchors;
	*s = *c;
	if (ip->num_tickets) {
		c->psk_modes = TLS_PSK_DHE_KE;
		allow_tickets(s, ip);
	}
	digest_verification(p, ip);
	p->tickets = (struct tickets_use){ .keys = tickets, .scope = s->scope, .replay = replay };
	return 0;
}

struct policy *policy_open(const struct image *im, const struct tickets *tickets, struct replay *replay)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->image = im;
	p->profiles = calloc(im->num_profiles, sizeof(*p->profiles));
	for (uint32_t i = 0; p->profiles && i < im->num_profiles; i++)
		if (open_profile(&p->profiles[i], im, image_profiles(im) + i, tickets, replay)) {
			policy_close(p);
			return NULL;
		}
	if (!p->profiles) {
		free(p);
		return NULL;
	}
	return p;
}

void policy_close(struct policy *p)
{
	for (uint32_t i = 0; i < p->image->num_profiles; i++)
		x509_anchors_free(p->profiles[i].anchors);
	free(p->profiles);
	free(p);
}

uint32_t policy_generation(const struct policy *p)
{
	return p->image->generation;
}

static const struct profile *find_profile(const struct policy *p, const char *name)
{
	for (uint32_t i = 0; i < p->image->num_profiles; i++)
		if (!strcmp(p->profiles[i].image->name, name))
			return &p->profiles[i];
	return NULL;
}

static bool span_has(const struct image *im, struct image_span s, uint32_t id)
{
	const uint32_t *v = image_at(im, s.off);
	uint32_t lo = 0, hi = s.num;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (v[mid] == id)
			return true;
		if (v[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static bool may_use(const struct image *im, const struct image_role *r, const struct upcall_request *req)
{
	if (!r->present)
		return false;
	if (r->any_user || r->any_group || span_has(im, r->users, req->uid) || span_has(im, r->groups, req->gid))
		return true;
	for (size_t i = 0; i < req->num_groups; i++)
		if (span_has(im, r->groups, req->groups[i]))
			return true;
	return false;
}

/* A name that a client gives is verified, also with TLSHD_F_ANY_NAME: the flag only permits to leave it out. */
static int admit_name(struct policy_grant *out, const struct image_role *role, const struct upcall_request *req,
		      char *reason)
{
	bool client = req->role == TLSHD_CLIENT;

	if (!req->server_name[0]) {
		if (!client)
			return 0;
		if (!(req->flags & TLSHD_F_ANY_NAME)) {
			snprintf(reason, TLSHD_REASON_LEN, "a client needs the name of its server");
			return -EINVAL;
		}
		if (role->any_name)
			return 0;
		snprintf(reason, TLSHD_REASON_LEN, "the profile does not permit clients without a server name");
		return -EACCES;
	}
	if (!client) {
		snprintf(reason, TLSHD_REASON_LEN, "a server has no server name to give");
		return -EINVAL;
	}
	memcpy(out->server_name, req->server_name, sizeof(out->server_name));
	if (x509_name_ok(out->server_name, &out->params.server_name_is_ip)) {
		snprintf(reason, TLSHD_REASON_LEN, "the server name is neither a DNS name in A-labels nor an IP address");
		return -EINVAL;
	}
	out->params.server_name = out->server_name;
	return 0;
}

static bool alpn_has(const struct image_profile *ip, const char *name, size_t len)
{
	for (size_t at = 0; at < ip->alpn_len; at += 1 + ip->alpn[at])
		if (ip->alpn[at] == len && !memcmp(ip->alpn + at + 1, name, len))
			return true;
	return false;
}

/* "h2,http/1.1" to wire form; each one that the profile knows. */
static int admit_alpn(struct policy_grant *out, const struct image_profile *ip, const char *list, char *reason)
{
	size_t at = 0;

	out->params.alpn = out->alpn;
	out->params.alpn_len = ip->alpn_len;
	memcpy(out->alpn, ip->alpn, ip->alpn_len);
	if (!*list)
		return 0;
	for (;;) {
		size_t len = strcspn(list, ",");

		if (!len || at + 1 + len > sizeof(out->alpn) || !alpn_has(ip, list, len)) {
			snprintf(reason, TLSHD_REASON_LEN, "an ALPN protocol is not among those of the profile");
			return -EINVAL;
		}
		out->alpn[at++] = (uint8_t)len;
		memcpy(out->alpn + at, list, len);
		at += len;
		if (!list[len])
			break;
		list += len + 1;
	}
	out->params.alpn_len = at;
	return 0;
}

/* ---- whose session a client may use ---- */

/* Each part with its length, so that no two lists of parts give the same bytes. */
static void add_part(struct hash *h, const void *p, size_t len)
{
	uint64_t n = len;

	hash_update(h, &n, sizeof(n));
	if (len)
		hash_update(h, p, len);
}

/* Where no name is verified the peer's address stands for it. */
static void name_session(struct policy_grant *out, const struct profile *profile, const struct upcall_request *req)
{
	bool v6 = req->peer.sa.sa_family == AF_INET6;
	struct hash h;

	out->session.uid = req->uid;
	hash_init(&h, HASH_SHA256);
	add_part(&h, profile->image->name, strlen(profile->image->name));
	add_part(&h, profile->verification, sizeof(profile->verification));
	add_part(&h, req->scope, sizeof(req->scope));
	add_part(&h, &req->netns, sizeof(req->netns));
	add_part(&h, out->server_name, strlen(out->server_name));
	add_part(&h, v6 ? &req->peer.in6.sin6_port : &req->peer.in.sin_port, sizeof(in_port_t));
	if (!out->server_name[0] && v6)
		add_part(&h, &req->peer.in6.sin6_addr, sizeof(req->peer.in6.sin6_addr));
	else if (!out->server_name[0])
		add_part(&h, &req->peer.in.sin_addr, sizeof(req->peer.in.sin_addr));
	hash_final(&h, out->session.digest);
}

int policy_admit(struct policy_grant *out, const struct policy *p, const struct upcall_request *req,
		 char reason[TLSHD_REASON_LEN])
{
	enum tls_role role = req->role == TLSHD_CLIENT ? TLS_CLIENT : TLS_SERVER;
	const struct profile *profile = find_profile(p, req->profile);
	int rc;

	memset(out, 0, sizeof(*out));
	if (!profile) {
		snprintf(reason, TLSHD_REASON_LEN, "there is no profile of this name");
		return -ENOENT;
	}
	if (!may_use(p->image, &profile->image->roles[role], req)) {
		snprintf(reason, TLSHD_REASON_LEN, "uid %u may not use this profile as a %s", req->uid,
			 role == TLS_CLIENT ? "client" : "server");
		return -EACCES;
	}
	rc = admit_name(out, &profile->image->roles[role], req, reason);
	if (!rc)
		rc = admit_alpn(out, profile->image, req->alpn, reason);
	if (rc)
		return rc;
	out->params.role = role;
	out->params.config = &profile->configs[role];
	if (role == TLS_SERVER && profile->image->num_tickets && !(req->flags & TLSHD_F_NO_RESUME)) {
		out->params.tickets = &tickets_ops;
		out->tickets = profile->tickets;
		out->params.tickets_arg = &out->tickets;
		out->params.accept_early = req->flags & TLSHD_F_ACCEPT_EARLY;
	}
	out->resume = role == TLS_CLIENT && profile->image->num_tickets && !(req->flags & TLSHD_F_NO_RESUME);
	if (out->resume)
		name_session(out, profile, req);
	out->timeout_ms = profile->image->timeout_ms;
	if (req->timeout_ms && req->timeout_ms < out->timeout_ms)
		out->timeout_ms = req->timeout_ms;
	return 0;
}
