// SPDX-License-Identifier: MIT
/*
 * What a peer's chain and an operator's file can do to x509_verify(), x509_chain_load() and
 * x509_anchors_load(). The first byte chooses; for a peer's chain each certificate is behind two bytes of length, as
 * x509_seeds makes them.
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

static void verify_chain(const uint8_t *p, size_t len)
{
	enum x509_purpose purpose = len & 1 ? X509_PURPOSE_TLS_CLIENT : X509_PURPOSE_TLS_SERVER;
	static const char *const names[] = { NULL, "localhost", "127.0.0.1", "a.example.org" };
	struct der chain[X509_CHAIN_MAX];
	struct x509_peer peer;
	struct x509_fail fail;
	size_t num = 0, n;
	int ret;

	for (; num < X509_CHAIN_MAX && len >= 2; num++) {
		n = (size_t)p[0] << 8 | p[1];
		p += 2, len -= 2;
		n = n < len ? n : len;
		chain[num] = (struct der){ p, n };
		p += n, len -= n;
	}
	if (!num)
		return;
	ret = x509_verify(&peer, &fail, &(struct x509_ask){ anchors, chain, num, purpose, names[chain[0].len % 4], NOW });
	require_line(ret ? fail.reason : peer.subject, ret ? sizeof(fail.reason) : sizeof(peer.subject));
	require(ret == 0 || (ret == fail.err && fail.alert >= 42 && fail.alert <= 48 && fail.reason[0] && !peer.pub.pkey));
	x509_peer_free(&peer);
}

static void load_chain(const uint8_t *p, size_t len)
{
	char err[256] = "";
	enum sig_type type;
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
