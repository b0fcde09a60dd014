// SPDX-License-Identifier: MIT
/*
 * What a peer's chain and an operator's file can do to x509_verify(), x509_chain_load() and
 * x509_anchors_load(). The first byte chooses. x509_seeds makes such inputs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlshd/crypto/crypto.h"

#include "target.h"

#define NOW 1800000000	/* inputs were made in 2026 */

static struct x509_anchors *anchors;

/* A result must be whole: text in one printable line, an alert about certificates, and nothing on failure. */
static void require(bool ok)
{
	if (!ok)
		abort();
}

static void require_line(const char *s, size_t size)
{
	size_t len = strnlen(s, size);

	require(len < size);
	for (size_t i = 0; i < len; i++)
		require(s[i] >= 0x20 && s[i] < 0x7f);
}

/* Behind two bytes of length each: certificates, leaf first, and, where the top bit of these is set, a stapled response. */
static void read_ask(struct x509_ask *ask, struct der *chain, const uint8_t *p, size_t len)
{
	while (len >= 2 && ask->num < X509_CHAIN_MAX) {
		size_t n = (size_t)(p[0] & 0x7f) << 8 | p[1];
		bool staple = p[0] & 0x80;

		p += 2, len -= 2;
		n = n < len ? n : len;
		if (staple)
			ask->staple = (struct der){ p, n };
		else
			chain[ask->num++] = (struct der){ p, n };
		p += n, len -= n;
	}
}

static void judge(int ret, const struct x509_peer *peer, const struct x509_fail *fail)
{
	require_line(ret ? fail->reason : peer->subject, ret ? sizeof(fail->reason) : sizeof(peer->subject));
	require(ret == 0 || (ret == fail->err && fail->reason[0] && !peer->pub.pkey));
	require(ret == 0 || (fail->alert >= 42 && fail->alert <= 48) || fail->alert == 113);
}

static void verify_chain(const uint8_t *p, size_t len)
{
	static const char *const names[] = { NULL, "localhost", "127.0.0.1", "a.example.org" };
	struct der chain[X509_CHAIN_MAX];
	struct x509_ask ask = { .anchors = anchors, .chain = chain, .now = NOW };
	struct x509_peer peer;
	struct x509_fail fail;
	int ret;

	ask.purpose = len & 1 ? X509_PURPOSE_TLS_CLIENT : X509_PURPOSE_TLS_SERVER;
	ask.staple_asked = len & 2;
	ask.staple_due = len & 4;
	read_ask(&ask, chain, p, len);
	if (!ask.num)
		return;
	ask.name = names[chain[0].len % 4];
	ret = x509_verify(&peer, &fail, &ask);
	judge(ret, &peer, &fail);
	x509_peer_free(&peer);

	/* With a memory, which is asked twice, the verdict is the same. */
	ask.cache = x509_cache_new();
	require(ask.cache != NULL);
	for (int times = 0; times < 2; times++) {
		require(x509_verify(&peer, &fail, &ask) == ret);
		x509_peer_free(&peer);
	}
	x509_cache_free(ask.cache);
	ret = x509_take(&peer, &fail, chain[0]);
	judge(ret, &peer, &fail);
	x509_peer_free(&peer);
}

static void load_chain(const uint8_t *p, size_t len)
{
	char err[256] = "";
	enum sig_type type;
	struct x509_facts facts;
	struct x509_times times;
	struct der leaf;
	uint8_t *list;
	size_t list_len;
	int ret = x509_chain_load(&list, &list_len, &leaf, &type, (const char *)p, len, err, sizeof(err));

	if (ret) {
		require(!list && err[0]);
		require_line(err, sizeof(err));
	} else {
		require(x509_leaf_times(&times, leaf) <= 0);
		if (x509_chain_facts(&facts, list, list_len) == 0) {
			require(facts.num_schemes <= X509_CHAIN_MAX);
			x509_facts_free(&facts);
		}
	}
	free(list);
}

static void load_anchors(const uint8_t *p, size_t len)
{
	struct x509_anchors *a;
	char err[256] = "";
	int ret = x509_anchors_load(&a, (const char *)p, len, err, sizeof(err));

	require(ret ? !a && err[0] : a != NULL);
	require_line(err, sizeof(err));
	require(ret || x509_anchors_names(a).len <= X509_NAMES_MAX);
	x509_anchors_free(a);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char pem[65536];
	char err[256];
	FILE *f = fopen("tests/fuzz/root.pem", "r");

	(void)argc, (void)argv;
	require(f != NULL);
	size_t len = fread(pem, 1, sizeof(pem), f);

	fclose(f);
	require(crypto_init() == 0 && x509_anchors_load(&anchors, pem, len, err, sizeof(err)) == 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const targets[])(const uint8_t *p, size_t len) = {
		verify_chain, load_chain, verify_chain, load_anchors,
	};

	if (len > 0)
		targets[data[0] % 4](data + 1, len - 1);
	return 0;
}
