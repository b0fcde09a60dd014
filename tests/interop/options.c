// SPDX-License-Identifier: MIT
#include "tests/interop/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "peer: %s: %s\n", what, why);
	exit(2);
}

uint8_t options_numbers(uint16_t *out, size_t max, const char *list)
{
	size_t num = 0;

	for (const char *s = list; num < max && *s; s += strcspn(s, ","), s += *s == ',')
		out[num++] = (uint16_t)strtoul(s, NULL, 16);
	return (uint8_t)num;
}

size_t options_alpn(uint8_t *out, const char *list)
{
	size_t len = 0;

	for (const char *s = list; *s; s += *s == ',') {
		size_t n = strcspn(s, ",");

		if (len + 1 + n > TLS_ALPN_MAX)
			die("--alpn", "too long");
		out[len++] = (uint8_t)n;
		memcpy(out + len, s, n);
		len += n;
		s += n;
	}
	return len;
}

void options_parse(struct options *opt, int argc, char **argv)
{
	const struct {
		const char *name;
		bool *flag;
		size_t *number;
		const char **text;
	} rows[] = {
		{ "--server", .flag = &opt->server },
		{ "--http", .flag = &opt->http },
		{ "--no-ccs", .flag = &opt->no_ccs },
		{ "--any-name", .flag = &opt->any_name },
		{ "--key-update", .flag = &opt->key_update },
		{ "--early", .flag = &opt->early },
		{ "--early-once", .flag = &opt->early_once },
		{ "--await-early", .flag = &opt->await_early },
		{ "--stale", .flag = &opt->stale },
		{ "--any-end", .flag = &opt->any_end },
		{ "--until-accepted", .flag = &opt->until_accepted },
		{ "--port", .number = &opt->port },
		{ "--bytes", .number = &opt->bytes },
		{ "--lines", .number = &opt->lines },
		{ "--connections", .number = &opt->num_connections },
		{ "--shares", .number = &opt->num_shares },
		{ "--ca", .text = &opt->ca },
		{ "--client-ca", .text = &opt->client_ca },
		{ "--cert", .text = &opt->cert },
		{ "--key", .text = &opt->key },
		{ "--name", .text = &opt->name },
		{ "--alpn", .text = &opt->alpn },
		{ "--suites", .text = &opt->suites },
		{ "--groups", .text = &opt->groups },
		{ "--get", .text = &opt->get },
		{ "--out", .text = &opt->out },
	};

	*opt = (struct options){
		.suites = "1301,1302,1303", .groups = "1d,17,18", .alpn = "", .name = "localhost", .num_shares = 1,
		.num_connections = 1,
	};
	for (int i = 1; i < argc; i++) {
		size_t row = 0;

		while (row < sizeof(rows) / sizeof(*rows) && strcmp(rows[row].name, argv[i]))
			row++;
		if (row == sizeof(rows) / sizeof(*rows))
			die(argv[i], "unknown option");
		if (rows[row].flag) {
			*rows[row].flag = true;
			continue;
		}
		if (!argv[++i])
			die(argv[i - 1], "needs a value");
		if (rows[row].text)
			*rows[row].text = argv[i];
		else
			*rows[row].number = strtoul(argv[i], NULL, 10);
	}
	if (!opt->ca && !opt->server)
		die("--ca", "a client needs one");
	if (opt->server && (!opt->cert || !opt->key))
		die("--cert, --key", "a server needs them");
}
