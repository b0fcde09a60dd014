// SPDX-License-Identifier: MIT
/*
 * The cryptography of one full server handshake and nothing else, by the calls that the engine makes: what an engine adds
 * (parsing, state, buffers) is its own cost. Nothing here is a protocol: the inputs have the right lengths only.
 */
#include <stdlib.h>
#include <time.h>

#include "engine.h"

/* Bytes of the messages of a handshake with one small certificate */
enum { HELLO_LEN = 242, SERVER_HELLO_LEN = 90, EXTENSIONS_LEN = 10, CERTIFICATE_LEN = 470, VERIFY_LEN = 80, FLIGHT_LEN = 600 };

static const struct kem *kem;
static struct sig_key *key;
static uint16_t scheme;
static enum hash_id hash;
static enum aead_id aead;
static struct x509_anchors *anchors;
static struct der leaf;
static uint8_t client_share[KEM_SHARE_MAX], bytes[1024], zero[HASH_MAX];

static const char *version(void)
{
	return "the same calls";
}

/* The certificate for between(): both stay, @leaf points into the chain. */
static bool load_chain(const struct bench_case *what)
{
	char err[256], *crt, *ca;
	size_t len, chain_len;
	enum sig_type type;
	uint8_t *chain;
	bool ok;

	crt = bench_read(what, ".crt", &len);
	ok = crt && !x509_chain_load(&chain, &chain_len, &leaf, &type, crt, len, err, sizeof(err));
	ca = bench_read(what, "-ca.crt", &len);
	ok = ok && ca && !x509_anchors_load(&anchors, ca, len, err, sizeof(err));
	free(crt);
	free(ca);
	return ok;
}

static bool setup(const struct bench_case *what)
{
	uint16_t suite = case_suite(what);
	uint8_t priv[KEM_PRIV_MAX];
	char err[256], *pem;
	size_t len;
	bool ok;

	if (crypto_init() || crypto_thread_init())
		return false;
	hash = suite == TLS_AES_256_GCM_SHA384 ? HASH_SHA384 : HASH_SHA256;
	aead = suite == TLS_AES_256_GCM_SHA384 ? AEAD_AES_256_GCM : AEAD_AES_128_GCM;
	if (suite == TLS_CHACHA20_POLY1305_SHA256)
		aead = AEAD_CHACHA20_POLY1305;
	scheme = !strcmp(what->key, "p256") ? SIG_ECDSA_P256_SHA256 : SIG_ED25519;
	if (!strcmp(what->key, "rsa2048"))
		scheme = SIG_RSA_PSS_RSAE_SHA256;
	kem = kem_find(case_group(what));
	kem->keygen(priv, client_share);
	pem = bench_read(what, ".key", &len);
	ok = pem && !sig_key_load(&key, pem, len, err, sizeof(err));
	free(pem);
	return ok && load_chain(what);
}

static bool between(void)
{
	static uint8_t sig[SIG_MAX];
	static size_t len;
	struct x509_ask ask = { anchors, &leaf, 1, X509_PURPOSE_TLS_SERVER, "localhost", time(NULL) };
	struct x509_peer peer;
	struct x509_fail fail;
	bool ok;

	if (!len && sig_sign(key, scheme, sig, &len, zero, sizeof(zero)))
		return false;
	if (x509_verify(&peer, &fail, &ask))
		return false;
	ok = !sig_verify(&peer.pub, scheme, sig, len, zero, sizeof(zero));
	x509_peer_free(&peer);
	return ok;
}

static void label(const struct hmac_key *secret, uint8_t *out, const char *name, const uint8_t *context, size_t len)
{
	struct iov parts[] = { { "\0\x20\x12tls13 ", 9 }, { name, strlen(name) }, { context, len }, { "\x01", 1 } };

	hmac_with(secret, out, parts, 4);
}

static void mix(struct hmac_key *out, const uint8_t *salt, const uint8_t *secret, size_t len)
{
	struct iov part = { secret, len };
	uint8_t prk[HASH_MAX];

	hmac(hash, prk, salt, hash_len(hash), &part, 1);
	hmac_key_init(out, hash, prk, hash_len(hash));
}

static void traffic(const uint8_t *secret, uint8_t *aead_key, uint8_t *iv)
{
	struct hmac_key k;

	hmac_key_init(&k, hash, secret, hash_len(hash));
	label(&k, aead_key, "key", NULL, 0);
	label(&k, iv, "iv", NULL, 0);
}

static void finished(const uint8_t *secret, const struct hash *transcript)
{
	uint8_t digest[HASH_MAX], mac[HASH_MAX];
	struct iov part = { digest, hash_len(hash) };
	struct hmac_key k;

	hash_final(transcript, digest);
	hmac_key_init(&k, hash, secret, hash_len(hash));
	label(&k, mac, "finished", NULL, 0);
	hmac(hash, mac, mac, hash_len(hash), &part, 1);
}

static bool certificate(struct hash *transcript)
{
	uint8_t sig[SIG_MAX];
	size_t len;

	hash_update(transcript, bytes, CERTIFICATE_LEN);
	hash_final(transcript, bytes + 98);
	if (sig_sign(key, scheme, sig, &len, bytes, 98 + hash_len(hash)))
		return false;
	hash_update(transcript, bytes, VERIFY_LEN);
	return true;
}

static bool once(void)
{
	uint8_t rand[32], share[KEM_SHARE_MAX], dhe[KEM_SECRET_MAX], digest[HASH_MAX], salt[HASH_MAX], client[HASH_MAX], server[HASH_MAX],
		app[HASH_MAX], aead_key[HASH_MAX], iv[HASH_MAX], record[1024];
	const size_t size = hash_len(hash);
	struct hash transcript;
	struct hmac_key secret;

	rand_bytes(rand, sizeof(rand));
	hash_init(&transcript, hash);
	hash_update(&transcript, bytes, HELLO_LEN);
	if (kem->encaps(share, dhe, client_share))
		return false;
	hash_update(&transcript, bytes, SERVER_HELLO_LEN);
	mix(&secret, zero, dhe, kem->secret_len);	/* "derived" of no PSK is a constant */
	hash_final(&transcript, digest);
	label(&secret, client, "c hs traffic", digest, size);
	label(&secret, server, "s hs traffic", digest, size);
	label(&secret, salt, "derived", zero, size);
	mix(&secret, salt, zero, size);
	hash_update(&transcript, bytes, EXTENSIONS_LEN);
	if (!certificate(&transcript))
		return false;
	finished(server, &transcript);
	hash_update(&transcript, bytes, 4 + size);
	traffic(server, aead_key, iv);
	aead_seal(aead, record, bytes, FLIGHT_LEN, bytes, 5, aead_key, iv);
	hash_final(&transcript, digest);
	label(&secret, app, "c ap traffic", digest, size);
	traffic(app, aead_key, iv);
	label(&secret, app, "s ap traffic", digest, size);
	traffic(app, aead_key, iv);
	label(&secret, app, "exp master", digest, size);
	traffic(client, aead_key, iv);
	aead_seal(aead, record, bytes, 4 + size + 1, bytes, 5, aead_key, iv);	/* opening costs the same */
	finished(client, &transcript);
	wipe(dhe, sizeof(dhe));
	return true;
}

const struct bench_peer bench_peer = { .name = "floor", .version = version, .setup = setup, .once = once, .between = between };
