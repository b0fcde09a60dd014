// SPDX-License-Identifier: MIT
/*
 * seeds FOLDER ROLE: inputs for the fuzzer of that role: what an honest peer sends, in each configuration that departs from the
 * plain one in at most three ways and in which both come to an end, and each of these cut behind each record. With "parse" for
 * ROLE what fuzz_parse takes: tickets, and what servers sealed into them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static size_t num_written;

static void write_input(const char *dir, const uint8_t *header, size_t header_len, const uint8_t *p, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/seed-%zu", dir, num_written++);
	f = fopen(path, "w");
	engine_require(f && fwrite(header, 1, header_len, f) == header_len && fwrite(p, 1, len, f) == len);
	engine_require(fclose(f) == 0);
}

static void write_inputs(const char *dir, uint16_t conf, const struct engine_end *from)
{
	const uint8_t header[ENGINE_HEADER_LEN] = { (uint8_t)(conf >> 8), (uint8_t)conf };

	for (size_t at = 0; at + 5 <= from->sent_len;) {
		at += 5 + ((size_t)from->sent[at + 3] << 8 | from->sent[at + 4]);
		write_input(dir, header, sizeof(header), from->sent, at);
	}
}

/* Both ends until neither has anything to say. */
static void run(const struct engine_case *client_how, const struct engine_case *server_how)
{
	struct engine_end *client = &engine_ends[TLS_CLIENT], *server = &engine_ends[TLS_SERVER];

	engine_begin(client, TLS_CLIENT, client_how);
	engine_begin(server, TLS_SERVER, server_how);
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
static bool take_session(const char *dir)
{
	const struct engine_end *client = &engine_ends[TLS_CLIENT], *server = &engine_ends[TLS_SERVER];
	const uint8_t *rec = server->sent + client->read_at;
	struct tls_session *s = &engine_sessions[0];
	struct tls_resumption r;
	size_t len;

	if (!is_open() || client->read_at == server->sent_len)
		return false;
	len = ((size_t)rec[3] << 8 | rec[4]) - 1;
	tls_resumption(&client->c, &r);
	if (tls_session_take(s, &r, rec + 5, len, client->c.params.now_ms))
		return false;
	if (dir) {	/* the numbers are places in fuzz_parse.c's table, the ticket is its content behind a mark */
		write_input(dir, (const uint8_t *)"\x00", 1, rec + 5, len);
		write_input(dir, (const uint8_t *)"\x03", 1, rec + 5, len);
		write_input(dir, (const uint8_t *)"\x04", 1, s->ticket + 1, s->ticket_len - 1u);
	}
	return true;
}

static void end(void)
{
	engine_judge(&engine_ends[TLS_CLIENT]);
	engine_judge(&engine_ends[TLS_SERVER]);
}

/* A handshake, and another that resumes it. */
static void write_all(const char *dir, const char *role, uint16_t conf)
{
	/* Early data comes with a ticket of this server's: its other records would not be dropped, since they "decrypt". */
	const struct engine_case how = { .conf = conf }, at_first = { .conf = conf & ~CONF_EARLY };
	bool parse = !strcmp(role, "parse"), again = true;

	for (int times = 0; again && times < 2; times++) {
		run(times ? &how : &at_first, &how);
		if (is_open() && !parse)
			write_inputs(dir, conf, &engine_ends[strcmp(role, "server") ? TLS_SERVER : TLS_CLIENT]);
		again = take_session(parse ? dir : NULL);
		end();
	}
}

int main(int argc, char **argv)
{
	const struct tls_session session = engine_sessions[0];

	if (argc != 3) {
		fprintf(stderr, "usage: seeds FOLDER client|server|parse\n");
		return 2;
	}
	engine_load(NULL);
	for (unsigned conf = 0; conf < 1 << ENGINE_CONF_BITS; conf++) {
		engine_sessions[0] = session;
		if (__builtin_popcount(conf) <= 3)
			write_all(argv[1], argv[2], (uint16_t)conf);
	}
	printf("%zu inputs\n", num_written);
	return !num_written;
}
