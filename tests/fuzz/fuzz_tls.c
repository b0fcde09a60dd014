// SPDX-License-Identifier: MIT
/*
 * Whole engines with every check on. The first byte chooses the role under test and how; either the input is the peer's
 * bytes, or it is a list of changes to what an honest peer would have sent.
 */
#include "engine.h"
#include "target.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	engine_load(CERTS);
	return 0;
}

/* Changes: three bytes each: where (16 bits, modulo the length), and what is added to that byte. */
static void change(uint8_t *p, size_t len, const uint8_t *data, size_t data_len)
{
	for (; len && data_len >= 3; data += 3, data_len -= 3)
		p[(data[0] << 8 | data[1]) % len] += data[2];
}

/* The peer answers what it is sent until neither goes on; one byte is changed on the way if @data says so. */
static void run_both(struct engine_end *e, struct engine_end *peer, const uint8_t *data, size_t len)
{
	size_t changed = 0;

	for (int turns = 0; turns < 4; turns++) {
		engine_run(peer, e->sent, e->sent_len);
		change(peer->sent + changed, peer->sent_len - changed, data, len);
		changed = peer->sent_len;
		engine_run(e, peer->sent, peer->sent_len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum tls_role role = len && data[0] & 1 ? TLS_SERVER : TLS_CLIENT;
	struct engine_end *e = &engine_ends[role], *peer = &engine_ends[!role];
	struct engine_case how, peer_how;

	if (len < 1 + ENGINE_HEADER_LEN)
		return 0;
	if (data[0] & 2) {
		engine_fuzz(role, data + 1, len - 1);
		return 0;
	}
	how = (struct engine_case){ .conf = (uint16_t)(data[1] << 8 | data[2]), .env = data[3], .chunk = data[4] };
	peer_how = (struct engine_case){ .conf = how.conf };
	engine_begin(e, role, &how);
	engine_begin(peer, !role, &peer_how);
	run_both(e, peer, data + 1 + ENGINE_HEADER_LEN, len - 1 - ENGINE_HEADER_LEN);
	engine_judge(peer);
	engine_judge(e);
	return 0;
}
