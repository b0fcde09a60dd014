// SPDX-License-Identifier: MIT
/*
 * counted DIR: full handshakes (P-256 certificate from DIR, X25519, AES-128-GCM) for callgrind, which counts what runs inside
 * counted_server(): the last handshake's server. The ones before it let the libraries do what they do once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "tlshd/crypto/crypto.h"

#define HANDSHAKES	3
#define TURNS		10

enum turn { OPEN, STEP, CLOSE };

struct server {
	void *conn;
	struct wire *in, *out;
	int done;
};

void __wrap_rand_bytes(uint8_t *out, size_t len);
void counted_server(struct server *s, enum turn turn);

/* Not random: the same handshake each time. */
void __wrap_rand_bytes(uint8_t *out, size_t len)
{
	static uint8_t next;

	for (size_t i = 0; i < len; i++)
		out[i] = next++;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s failed\n", what);
	exit(1);
}

static void serve(struct server *s, enum turn turn)
{
	if (turn == OPEN)
		s->conn = bench_peer.open(BENCH_SERVER);
	else if (turn == STEP)
		s->done = bench_peer.step(s->conn, s->in, s->out);
	else
		bench_peer.close(s->conn);
}

__attribute__((noinline)) void counted_server(struct server *s, enum turn turn)
{
	serve(s, turn);
}

static void handshake(void (*server)(struct server *s, enum turn turn))
{
	static struct wire to_server, to_client;
	struct server s = { .in = &to_server, .out = &to_client };
	void *client = bench_peer.open(BENCH_CLIENT);
	int done = bench_peer.step(client, &to_client, &to_server);

	server(&s, OPEN);
	must(client && s.conn, "opening");
	for (int i = 0; i < TURNS && !(done && s.done); i++) {
		server(&s, STEP);
		must(s.done >= 0, "the server");
		if (!done)
			done = bench_peer.step(client, &to_client, &to_server);
		must(done >= 0, "the client");
	}
	must(done && s.done, "finishing");
	server(&s, CLOSE);
	bench_peer.close(client);
}

int main(int argc, char **argv)
{
	struct bench_case what = { "p256", "x25519", "aes128", argv[1] };

	must(argc == 2 && bench_peer.setup(&what), "setting up");
	for (int i = 1; i < HANDSHAKES; i++)
		handshake(serve);
	handshake(counted_server);
	return 0;
}
