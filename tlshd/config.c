// SPDX-License-Identifier: MIT
#include "config.h"

#include <confuse.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account.h"
#include "tickets.h"

/*
 * libconfuse calls back after each option, while it knows the line, but hands no context through: the file being read
 * stands here. Only one is read at a time, by the one thread of the supervisor.
 */
static struct reading {
	struct report *r;
	struct config *c;
	struct config_profile cur;	/* the profile whose section is being read */
	struct config_identity ident;
	struct config_role role;
	const cfg_opt_t *list;		/* the list being read, see new_value() */
	unsigned list_num;
	char list_last[256];
	int interval_line;		/* of ticket-key-interval */
	bool oom;
} rd;

struct id_name { const char *name; uint16_t id; };

static const struct id_name suite_names[] = {
	{ "TLS_AES_128_GCM_SHA256", TLS_AES_128_GCM_SHA256 },
	{ "TLS_AES_256_GCM_SHA384", TLS_AES_256_GCM_SHA384 },
	{ "TLS_CHACHA20_POLY1305_SHA256", TLS_CHACHA20_POLY1305_SHA256 },
};

static const struct id_name group_names[] = {
	{ "X25519", 0x001d }, { "secp256r1", 0x0017 }, { "secp384r1", 0x0018 },
};

static const struct id_name level_names[] = {
	{ "error", LOG_LEVEL_ERR }, { "warning", LOG_LEVEL_WARN }, { "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG },
};

#define NUM(a) (sizeof(a) / sizeof((a)[0]))

static void __attribute__((format(printf, 2, 0))) confuse_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	report_verror(rd.r, cfg ? cfg->line : 0, fmt, ap);
}

#define complain(cfg, ...) report_error(rd.r, (cfg)->line, __VA_ARGS__)

/* Return: the row of @name, or NULL after a complaint that lists what was expected. */
static const struct id_name *name_find(cfg_t *cfg, cfg_opt_t *opt, const char *name, const struct id_name *table,
				       size_t num)
{
	char expected[256] = "";

	for (size_t i = 0; i < num; i++) {
		if (!strcmp(table[i].name, name))
			return &table[i];
		strcat(strcat(expected, i ? ", " : ""), table[i].name);	/* the tables are ours and short */
	}
	complain(cfg, "%s: '%s' is not known; expected one of %s", cfg_opt_name(opt), name, expected);
	return NULL;
}

static char *copy(const char *s)
{
	char *p = strdup(s);

	rd.oom |= !p;
	return p;
}

/*
 * libconfuse calls after each value of a list, where its line is known, and once more at the end of the list.
 * Return: the value that the call is about, or NULL; @first: it begins the list, what was read of an earlier one is
 * void.
 */
static const char *new_value(cfg_opt_t *opt, bool *first)
{
	unsigned num = cfg_opt_size(opt);
	const char *value = num ? cfg_opt_getnstr(opt, num - 1) : NULL;

	if (!value || (rd.list == opt && rd.list_num == num && !strncmp(rd.list_last, value, sizeof(rd.list_last) - 1)))
		return NULL;
	rd.list = opt;
	rd.list_num = num;
	snprintf(rd.list_last, sizeof(rd.list_last), "%s", value);
	*first = num == 1;
	return value;
}

/* An ordered list of names becomes an array of ids, each at most once, so the array has room for the table. */
static void add_name(cfg_t *cfg, cfg_opt_t *opt, uint16_t *ids, size_t *num_ids, const struct id_name *table,
		     size_t num)
{
	bool first;
	const char *name = new_value(opt, &first);
	const struct id_name *row = name ? name_find(cfg, opt, name, table, num) : NULL;

	if (name && first)
		*num_ids = 0;
	if (!row)
		return;
	for (size_t i = 0; i < *num_ids; i++)
		if (ids[i] == row->id) {
			complain(cfg, "%s: '%s' is listed twice", cfg_opt_name(opt), name);
			return;
		}
	ids[(*num_ids)++] = row->id;
}

static int on_suites(cfg_t *cfg, cfg_opt_t *opt)
{
	add_name(cfg, opt, rd.cur.suites, &rd.cur.num_suites, suite_names, NUM(suite_names));
	return 0;
}

static int on_groups(cfg_t *cfg, cfg_opt_t *opt)
{
	add_name(cfg, opt, rd.cur.groups, &rd.cur.num_groups, group_names, NUM(group_names));
	return 0;
}

static int on_alpn(cfg_t *cfg, cfg_opt_t *opt)
{
	bool first;
	const char *name = new_value(opt, &first);
	size_t len = name ? strlen(name) : 0;

	if (!name)
		return 0;
	if (first)
		rd.cur.alpn_len = 0;
	if (!len || strchr(name, ',')) {
		complain(cfg, "alpn: '%s' is no protocol name; expected text without a comma, like \"http/1.1\"", name);
	} else if (rd.cur.alpn_len + 1 + len > sizeof(rd.cur.alpn)) {
		complain(cfg, "alpn: the list is too long; expected at most %zu bytes, with one for each name",
			 sizeof(rd.cur.alpn));
	} else {
		rd.cur.alpn[rd.cur.alpn_len] = (uint8_t)len;
		memcpy(rd.cur.alpn + rd.cur.alpn_len + 1, name, len);
		rd.cur.alpn_len += 1 + len;
	}
	return 0;
}

static void check_range(cfg_t *cfg, cfg_opt_t *opt, long min, long max)
{
	long v = cfg_opt_getnint(opt, 0);

	if (v < min || v > max)
		complain(cfg, "%s: %ld is out of range; expected %ld to %ld", cfg_opt_name(opt), v, min, max);
}

static int on_timeout(cfg_t *cfg, cfg_opt_t *opt)
{
	check_range(cfg, opt, 1, CONFIG_TIMEOUT_MAX);
	rd.cur.timeout_ms = (uint32_t)cfg_opt_getnint(opt, 0) * 1000;
	return 0;
}

static int on_tickets(cfg_t *cfg, cfg_opt_t *opt)
{
	check_range(cfg, opt, 0, TLS_TICKETS_MAX);
	rd.cur.num_tickets = (uint32_t)cfg_opt_getnint(opt, 0);
	return 0;
}

static int on_ticket_lifetime(cfg_t *cfg, cfg_opt_t *opt)
{
	check_range(cfg, opt, 1, CONFIG_LIFETIME_MAX);
	rd.cur.ticket_lifetime_s = (uint32_t)cfg_opt_getnint(opt, 0);
	return 0;
}

static int on_early_data(cfg_t *cfg, cfg_opt_t *opt)
{
	check_range(cfg, opt, 0, CONFIG_EARLY_MAX);
	rd.cur.early_data = (uint32_t)cfg_opt_getnint(opt, 0);
	rd.cur.early_data_line = cfg->line;
	return 0;
}

static int on_early_data_window(cfg_t *cfg, cfg_opt_t *opt)
{
	check_range(cfg, opt, 1, CONFIG_WINDOW_MAX);
	return 0;
}

static int on_ticket_key_interval(cfg_t *cfg, cfg_opt_t *opt)
{
	check_range(cfg, opt, 1, CONFIG_LIFETIME_MAX);
	rd.interval_line = cfg->line;
	return 0;
}

static int on_threads(cfg_t *cfg, cfg_opt_t *opt)
{
	check_range(cfg, opt, 0, CONFIG_THREADS_MAX);
	return 0;
}

static int on_max_handshakes(cfg_t *cfg, cfg_opt_t *opt)
{
	check_range(cfg, opt, 1, CONFIG_HANDSHAKES_MAX);
	return 0;
}

static int on_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct id_name *row = name_find(cfg, opt, cfg_opt_getnstr(opt, 0), level_names, NUM(level_names));

	if (row)
		rd.c->log_level = row->id;
	return 0;
}

/* The worker has no working directory worth the name, so a path means the same from everywhere. */
static void read_path(cfg_t *cfg, cfg_opt_t *opt, char **path, int *line)
{
	const char *s = cfg_opt_getnstr(opt, 0);

	if (s[0] != '/')
		complain(cfg, "%s: '%s' is no absolute path; expected one that starts with /", cfg_opt_name(opt), s);
	free(*path);
	*path = copy(s);
	*line = cfg->line;
}

static int on_ticket_keys(cfg_t *cfg, cfg_opt_t *opt)
{
	read_path(cfg, opt, &rd.c->ticket_keys, &rd.c->ticket_keys_line);
	return 0;
}

static int on_trust(cfg_t *cfg, cfg_opt_t *opt)
{
	read_path(cfg, opt, &rd.cur.trust, &rd.cur.trust_line);
	return 0;
}

static int on_certificate(cfg_t *cfg, cfg_opt_t *opt)
{
	read_path(cfg, opt, &rd.ident.certificate, &rd.ident.certificate_line);
	return 0;
}

static int on_key(cfg_t *cfg, cfg_opt_t *opt)
{
	read_path(cfg, opt, &rd.ident.key, &rd.ident.key_line);
	return 0;
}

static void identity_free(struct config_identity *i)
{
	free(i->certificate);
	free(i->key);
	memset(i, 0, sizeof(*i));
}

static int on_identity(cfg_t *cfg, cfg_opt_t *opt)
{
	(void)opt;
	if (!rd.ident.certificate)
		complain(cfg, "identity: no certificate; expected certificate = \"/path/to/chain.pem\"");
	if (!rd.ident.key)
		complain(cfg, "identity: no key; expected key = \"/path/to/key.pem\"");
	if (rd.cur.num_identities == CONFIG_IDENTITIES_MAX) {
		complain(cfg, "identity: too many; expected at most %d in a profile", CONFIG_IDENTITIES_MAX);
		identity_free(&rd.ident);
		return 0;
	}
	rd.cur.identities[rd.cur.num_identities++] = rd.ident;
	memset(&rd.ident, 0, sizeof(rd.ident));
	return 0;
}

static void add_id(cfg_t *cfg, cfg_opt_t *opt, struct config_ids *out, const char *kind,
		   bool (*find)(const char *, uint32_t *))
{
	bool first;
	const char *name = new_value(opt, &first);
	uint32_t id, *grown;

	if (!name)
		return;
	if (first) {
		out->num = 0;
		out->any = false;
	}
	if (!strcmp(name, "*")) {
		out->any = true;
		return;
	}
	if (!find(name, &id)) {
		complain(cfg, "%s: there is no %s '%s'; expected a name, a number or \"*\"", cfg_opt_name(opt), kind, name);
		return;
	}
	grown = reallocarray(out->ids, out->num + 1, sizeof(*grown));
	if (!grown) {
		rd.oom = true;
		return;
	}
	out->ids = grown;
	out->ids[out->num++] = id;
}

static int on_allow_users(cfg_t *cfg, cfg_opt_t *opt)
{
	add_id(cfg, opt, &rd.role.users, "user", account_user);
	return 0;
}

static int on_allow_groups(cfg_t *cfg, cfg_opt_t *opt)
{
	add_id(cfg, opt, &rd.role.groups, "group", account_group);
	return 0;
}

static int on_any_name(cfg_t *cfg, cfg_opt_t *opt)
{
	(void)cfg;
	rd.role.any_name = cfg_opt_getnbool(opt, 0);
	return 0;
}

static void role_free(struct config_role *role)
{
	free(role->users.ids);
	free(role->groups.ids);
	memset(role, 0, sizeof(*role));
}

/* The section that has just ended. */
static cfg_t *section(cfg_opt_t *opt)
{
	return cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
}

/* Of an empty list libconfuse says nothing: one that followed another shows only now, and is the last word. */
static void drop_emptied(cfg_opt_t *opt, const char *list, struct config_ids *ids)
{
	if (cfg_size(section(opt), list))
		return;
	ids->any = false;
	ids->num = 0;
}

static int end_role(cfg_t *cfg, cfg_opt_t *opt, enum tls_role role)
{
	struct config_ids *u = &rd.role.users, *g = &rd.role.groups;

	drop_emptied(opt, "allow-users", u);
	drop_emptied(opt, "allow-groups", g);
	if (rd.cur.roles[role].present)
		complain(cfg, "%s: a second section; expected one in a profile", cfg_opt_name(opt));
	if (!u->any && !u->num && !g->any && !g->num)
		complain(cfg, "%s: nobody may use it; expected users in allow-users or groups in allow-groups", cfg_opt_name(opt));
	role_free(&rd.cur.roles[role]);
	rd.cur.roles[role] = rd.role;
	rd.cur.roles[role].present = true;
	memset(&rd.role, 0, sizeof(rd.role));
	return 0;
}

static int on_server(cfg_t *cfg, cfg_opt_t *opt)
{
	return end_role(cfg, opt, TLS_SERVER);
}

static int on_client(cfg_t *cfg, cfg_opt_t *opt)
{
	return end_role(cfg, opt, TLS_CLIENT);
}

static void profile_reset(struct config_profile *p)
{
	memset(p, 0, sizeof(*p));
	p->timeout_ms = 10000;
	p->num_tickets = CONFIG_TICKETS_DEFAULT;
	p->ticket_lifetime_s = CONFIG_LIFETIME_DEFAULT;
	for (size_t i = 0; i < NUM(suite_names); i++)
		p->suites[i] = suite_names[i].id;
	p->num_suites = NUM(suite_names);
	for (size_t i = 0; i < NUM(group_names); i++)
		p->groups[i] = group_names[i].id;
	p->num_groups = NUM(group_names);
}

static void profile_free(struct config_profile *p)
{
	for (size_t i = 0; i < p->num_identities; i++)
		identity_free(&p->identities[i]);
	free(p->trust);
	role_free(&p->roles[TLS_CLIENT]);
	role_free(&p->roles[TLS_SERVER]);
}

static void check_profile(cfg_t *cfg, const struct config_profile *p, const char *title)
{
	if (!*title || strlen(title) >= sizeof(p->name))
		complain(cfg, "profile: '%s' is no name; expected 1 to %zu bytes", title, sizeof(p->name) - 1);
	if (p->roles[TLS_SERVER].present && !p->num_identities)
		complain(cfg, "profile '%s': its server section has no certificate to show; expected an identity section", title);
	if (p->roles[TLS_CLIENT].present && !p->trust)
		complain(cfg, "profile '%s': its client section trusts nobody; expected trust = \"/path/to/anchors.pem\"", title);
	if (!p->roles[TLS_SERVER].present && !p->roles[TLS_CLIENT].present)
		complain(cfg, "profile '%s': nobody may use it; expected a server or a client section", title);
}

static int on_profile(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *title = cfg_title(section(opt));
	struct config_profile *grown;

	if (!cfg_size(section(opt), "alpn"))	/* see drop_emptied() */
		rd.cur.alpn_len = 0;
	check_profile(cfg, &rd.cur, title);
	rd.cur.line = cfg->line;
	strncpy(rd.cur.name, title, sizeof(rd.cur.name) - 1);
	if (rd.c->num_profiles == CONFIG_PROFILES_MAX) {
		complain(cfg, "profile '%s': too many profiles; expected at most %d", title, CONFIG_PROFILES_MAX);
		return 0;
	}
	grown = reallocarray(rd.c->profiles, rd.c->num_profiles + 1, sizeof(*grown));
	if (!grown) {
		rd.oom = true;
		return -1;
	}
	rd.c->profiles = grown;
	grown[rd.c->num_profiles++] = rd.cur;
	profile_reset(&rd.cur);
	return 0;
}

static const struct { const char *path; cfg_validate_callback_t on; } handlers[] = {
	{ "threads", on_threads },
	{ "max-handshakes", on_max_handshakes },
	{ "log-level", on_log_level },
	{ "ticket-keys", on_ticket_keys },
	{ "ticket-key-interval", on_ticket_key_interval },
	{ "early-data-window", on_early_data_window },
	{ "profile", on_profile },
	{ "profile|trust", on_trust },
	{ "profile|alpn", on_alpn },
	{ "profile|timeout", on_timeout },
	{ "profile|tickets", on_tickets },
	{ "profile|ticket-lifetime", on_ticket_lifetime },
	{ "profile|early-data", on_early_data },
	{ "profile|suites", on_suites },
	{ "profile|groups", on_groups },
	{ "profile|identity", on_identity },
	{ "profile|identity|certificate", on_certificate },
	{ "profile|identity|key", on_key },
	{ "profile|server", on_server },
	{ "profile|server|allow-users", on_allow_users },
	{ "profile|server|allow-groups", on_allow_groups },
	{ "profile|client", on_client },
	{ "profile|client|allow-users", on_allow_users },
	{ "profile|client|allow-groups", on_allow_groups },
	{ "profile|client|any-name", on_any_name },
};

static cfg_t *make_parser(void)
{
	cfg_opt_t identity[] = {
		CFG_STR("certificate", NULL, CFGF_NODEFAULT), CFG_STR("key", NULL, CFGF_NODEFAULT), CFG_END(),
	};
	cfg_opt_t server[] = {
		CFG_STR_LIST("allow-users", NULL, CFGF_NONE), CFG_STR_LIST("allow-groups", NULL, CFGF_NONE), CFG_END(),
	};
	cfg_opt_t client[] = {
		CFG_STR_LIST("allow-users", NULL, CFGF_NONE), CFG_STR_LIST("allow-groups", NULL, CFGF_NONE),
		CFG_BOOL("any-name", cfg_false, CFGF_NONE), CFG_END(),
	};
	cfg_opt_t profile[] = {
		CFG_SEC("identity", identity, CFGF_MULTI),
		CFG_SEC("server", server, CFGF_MULTI),
		CFG_SEC("client", client, CFGF_MULTI),
		CFG_STR("trust", NULL, CFGF_NODEFAULT),
		CFG_STR_LIST("alpn", NULL, CFGF_NONE),
		CFG_INT("timeout", 10, CFGF_NONE),
		CFG_INT("tickets", CONFIG_TICKETS_DEFAULT, CFGF_NONE),
		CFG_INT("ticket-lifetime", CONFIG_LIFETIME_DEFAULT, CFGF_NONE),
		CFG_INT("early-data", 0, CFGF_NONE),
		CFG_STR_LIST("suites", NULL, CFGF_NONE),
		CFG_STR_LIST("groups", NULL, CFGF_NONE),
		CFG_END(),
	};
	cfg_opt_t top[] = {
		CFG_INT("threads", 0, CFGF_NONE),
		CFG_INT("max-handshakes", CONFIG_HANDSHAKES_DEFAULT, CFGF_NONE),
		CFG_STR("log-level", "info", CFGF_NONE),
		CFG_STR("ticket-keys", NULL, CFGF_NODEFAULT),
		CFG_INT("ticket-key-interval", 0, CFGF_NODEFAULT),
		CFG_INT("early-data-window", CONFIG_WINDOW_DEFAULT, CFGF_NONE),
		CFG_SEC("profile", profile, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		CFG_END(),
	};
	cfg_t *cfg = cfg_init(top, CFGF_NONE);

	if (!cfg)
		return NULL;
	cfg_set_error_function(cfg, confuse_error);
	for (size_t i = 0; i < NUM(handlers); i++)
		cfg_set_validate_func(cfg, handlers[i].path, handlers[i].on);
	return cfg;
}

static uint32_t count_cores(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > CONFIG_THREADS_MAX ? CONFIG_THREADS_MAX : (uint32_t)n;
}

/* Early data needs tickets that allow it, and a table of what was taken. */
static void finish_early_data(cfg_t *cfg)
{
	struct config *c = rd.c;

	for (size_t i = 0; i < c->num_profiles; i++) {
		const struct config_profile *p = &c->profiles[i];

		if (!p->early_data)
			continue;
		c->early_window_ms = 1000 * (uint32_t)cfg_getint(cfg, "early-data-window");
		if (!p->num_tickets)
			report_error(rd.r, p->early_data_line, "early-data: profile '%s' gives no tickets; expected tickets of at "
				     "least 1, or early-data of 0", p->name);
	}
}

/* A quarter of the longest lifetime, unless told: then five keys open tickets, and the oldest is little older than needed. */
static void finish_tickets(cfg_t *cfg)
{
	struct config *c = rd.c;

	for (size_t i = 0; i < c->num_profiles; i++) {
		const struct config_profile *p = &c->profiles[i];

		if (p->roles[TLS_SERVER].present && p->num_tickets && p->ticket_lifetime_s > c->ticket_lifetime_s)
			c->ticket_lifetime_s = p->ticket_lifetime_s;
	}
	if (!c->ticket_lifetime_s)
		c->ticket_lifetime_s = CONFIG_LIFETIME_DEFAULT;
	c->ticket_interval_s = (c->ticket_lifetime_s + 3) / 4;
	if (!rd.interval_line)
		return;
	c->ticket_interval_s = (uint32_t)cfg_getint(cfg, "ticket-key-interval");
	if (c->ticket_interval_s && c->ticket_lifetime_s > c->ticket_interval_s * TICKETS_KEEP_MAX)
		report_error(rd.r, rd.interval_line, "ticket-key-interval: too short for a ticket-lifetime of %u; expected at "
			     "least %u, for %d keys", c->ticket_lifetime_s,
			     (c->ticket_lifetime_s + TICKETS_KEEP_MAX - 1) / TICKETS_KEEP_MAX, TICKETS_KEEP_MAX);
}

static void finish(cfg_t *cfg, int rc)
{
	if (rc == CFG_FILE_ERROR)
		report_error(rd.r, 0, "cannot be read: %s", strerror(errno));
	/* Of a zero byte libconfuse says nothing, and of its line only the section's. */
	if (rc == CFG_PARSE_ERROR && !rd.r->errors)
		report_error(rd.r, 0, "not understood; has it a zero byte?");
	if (rc != CFG_SUCCESS)
		return;
	rd.c->threads = (uint32_t)cfg_getint(cfg, "threads");
	if (!rd.c->threads)
		rd.c->threads = count_cores();
	rd.c->max_handshakes = (uint32_t)cfg_getint(cfg, "max-handshakes");
	finish_tickets(cfg);
	finish_early_data(cfg);
	if (!rd.c->num_profiles)
		report_error(rd.r, 0, "no profile; expected at least one section profile \"NAME\" { ... }");
}

int config_load(struct config **out, struct report *r)
{
	cfg_t *cfg = make_parser();
	struct stat st;
	int rc;

	*out = NULL;
	memset(&rd, 0, sizeof(rd));
	rd.r = r;
	rd.c = calloc(1, sizeof(*rd.c));
	if (!cfg || !rd.c) {
		if (cfg)
			cfg_free(cfg);
		free(rd.c);
		return -ENOMEM;
	}
	rd.c->log_level = LOG_LEVEL_INFO;
	profile_reset(&rd.cur);
	/* libconfuse's scanner ends the process at a read that fails, and a folder opens like a file. */
	errno = !stat(r->file, &st) && S_ISDIR(st.st_mode) ? EISDIR : 0;
	rc = errno ? CFG_FILE_ERROR : cfg_parse(cfg, r->file);
	finish(cfg, rc);
	cfg_free(cfg);
	identity_free(&rd.ident);
	role_free(&rd.role);
	profile_free(&rd.cur);
	if (rd.oom || rc != CFG_SUCCESS || r->errors) {
		config_free(rd.c);
		return rd.oom ? -ENOMEM : -EINVAL;
	}
	*out = rd.c;
	return 0;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->num_profiles; i++)
		profile_free(&c->profiles[i]);
	free(c->profiles);
	free(c->ticket_keys);
	free(c);
}
