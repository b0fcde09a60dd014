// SPDX-License-Identifier: MIT
/*
 * seeds FOLDER ROLE: inputs for the fuzzer of that role: what an honest peer sends, in each configuration that departs from the
 * plain one in at most two ways and in which both come to an end, and each of these cut behind each record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static size_t num_written;

static void write_input(const char *dir, uint16_t conf, const uint8_t *p, size_t len)
{
	const uint8_t header[ENGINE_HEADER_LEN] = { (uint8_t)(conf >> 8), (uint8_t)conf };
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%04x-%zu", dir, conf, num_written++);
	f = fopen(path, "w");
	engine_require(f && fwrite(header, 1, sizeof(header), f) == sizeof(header) && fwrite(p, 1, len, f) == len);
	engine_require(fclose(f) == 0);
}

static void write_inputs(const char *dir, uint16_t conf, const struct engine_end *from)
{
	for (size_t at = 0; at + 5 <= from->sent_len;) {
		at += 5 + ((size_t)from->sent[at + 3] << 8 | from->sent[at + 4]);
		write_input(dir, conf, from->sent, at);
	}
}

int main(int argc, char **argv)
{
	struct engine_end *client = &engine_ends[TLS_CLIENT], *server = &engine_ends[TLS_SERVER];
	enum tls_role role;

	if (argc != 3) {
		fprintf(stderr, "usage: seeds FOLDER client|server\n");
		return 2;
	}
	role = strcmp(argv[2], "server") ? TLS_CLIENT : TLS_SERVER;
	engine_load(NULL);
	for (unsigned conf = 0; conf < 1 << ENGINE_CONF_BITS; conf++) {
		struct engine_case how = { .conf = (uint16_t)conf };
		bool open;

		if (__builtin_popcount(conf) > 2)
			continue;

		engine_begin(client, TLS_CLIENT, &how);
		engine_begin(server, TLS_SERVER, &how);
		for (int turns = 0; turns < 4; turns++) {
			engine_run(server, client->sent, client->sent_len);
			engine_run(client, server->sent, server->sent_len);
		}
		open = client->want == TLS_DONE && server->want == TLS_DONE;
		if (open)
			write_inputs(argv[1], (uint16_t)conf, &engine_ends[!role]);
		engine_judge(client);
		engine_judge(server);
	}
	printf("%zu inputs\n", num_written);
	return !num_written;
}
