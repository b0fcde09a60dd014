// SPDX-License-Identifier: MIT
/*
 * seeds FOLDER ROLE: inputs for the fuzzer of that role: what an honest peer sends, in each configuration that departs from the
 * plain one in at most three ways and in which both come to an end, and each of these cut behind each record.
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

/* Both ends until neither has anything to say. */
static void run(const struct engine_case *how)
{
	struct engine_end *client = &engine_ends[TLS_CLIENT], *server = &engine_ends[TLS_SERVER];

	engine_begin(client, TLS_CLIENT, how);
	engine_begin(server, TLS_SERVER, how);
	for (int turns = 0; turns < 4; turns++) {
		engine_run(server, client->sent, client->sent_len);
		engine_run(client, server->sent, server->sent_len);
	}
}

static bool is_open(void)
{
	return engine_ends[TLS_CLIENT].want == TLS_DONE && engine_ends[TLS_SERVER].want == TLS_DONE;
}

/* The first ticket behind the server's Finished becomes a session of the client. */
static bool take_session(void)
{
	const struct engine_end *client = &engine_ends[TLS_CLIENT], *server = &engine_ends[TLS_SERVER];
	const uint8_t *rec = server->sent + client->read_at;
	struct tls_resumption r;

	if (!is_open() || client->read_at == server->sent_len)
		return false;
	tls_resumption(&client->c, &r);
	return tls_session_take(&engine_sessions[0], &r, rec + 5, ((size_t)rec[3] << 8 | rec[4]) - 1, client->c.params.now_ms) == 0;
}

static void end(void)
{
	engine_judge(&engine_ends[TLS_CLIENT]);
	engine_judge(&engine_ends[TLS_SERVER]);
}

int main(int argc, char **argv)
{
	const struct tls_session session = engine_sessions[0];
	struct engine_end *peer;

	if (argc != 3) {
		fprintf(stderr, "usage: seeds FOLDER client|server\n");
		return 2;
	}
	peer = &engine_ends[strcmp(argv[2], "server") ? TLS_SERVER : TLS_CLIENT];
	engine_load(NULL);
	for (unsigned conf = 0; conf < 1 << ENGINE_CONF_BITS; conf++) {
		struct engine_case how = { .conf = (uint16_t)conf };

		if (__builtin_popcount(conf) > 3)
			continue;
		engine_sessions[0] = session;
		for (int times = 0; times < 2; times++) {	/* the second resumes what the first began */
			bool again;

			run(&how);
			if (is_open())
				write_inputs(argv[1], (uint16_t)conf, peer);
			again = take_session();
			end();
			if (!again)
				break;
		}
	}
	printf("%zu inputs\n", num_written);
	return !num_written;
}
