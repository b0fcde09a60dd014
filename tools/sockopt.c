// SPDX-License-Identifier: MIT
#include "sockopt.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "names.h"

static int put(char *field, size_t cap, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len >= cap)
		return -ENAMETOOLONG;
	memcpy(field, text ? text : "", len + 1);
	return 0;
}

int sockopt_request(struct tlshd_start *s, enum tlshd_role role, const char *profile, const char *server_name,
		    const char *alpn)
{
	*s = (struct tlshd_start){ .size = sizeof *s, .role = role };
	if (put(s->profile, sizeof s->profile, profile) || put(s->server_name, sizeof s->server_name, server_name) ||
	    put(s->alpn, sizeof s->alpn, alpn))
		return -ENAMETOOLONG;
	return 0;
}

int sockopt_start(int fd, const struct tlshd_start *s)
{
	return setsockopt(fd, IPPROTO_IP, TLSHD_START, s, s->size) ? -errno : 0;
}

int sockopt_start_early(int fd, const struct tlshd_start *s, const void *early, size_t len)
{
	struct {
		struct tlshd_start s;
		char early[TLSHD_EARLY_MAX];
	} v = { .s = *s };

	if (len > sizeof v.early)
		return -EMSGSIZE;
	memcpy(v.early, early, len);
	return setsockopt(fd, IPPROTO_IP, TLSHD_START, &v, sizeof v.s + len) ? -errno : 0;
}

int sockopt_info(int fd, struct tlshd_info *info)
{
	socklen_t len = sizeof *info;

	*info = (struct tlshd_info){ .alert_sent = TLSHD_ALERT_NONE, .alert_received = TLSHD_ALERT_NONE };
	return getsockopt(fd, IPPROTO_IP, TLSHD_INFO, info, &len) ? -errno : 0;
}

int sockopt_available(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), err;
	struct tlshd_info info;

	if (fd < 0)
		return -errno;
	err = sockopt_info(fd, &info);
	close(fd);
	/* On a fresh socket "START was never called" is the module's voice; without it nobody knows the option. */
	return err == -ENOTCONN ? 0 : err;
}

const char *sockopt_strerror(int err)
{
	static const struct { int err; const char *text; } texts[] = {
		{ ENOPROTOOPT, "the kernel module tlshd is not loaded (modprobe tlshd), or this is an MPTCP socket" },
		{ ESRCH, "no daemon (tlshd) serves this process" },
		{ ENOENT, "the daemon's configuration has no such profile" },
		{ EACCES, "the profile does not allow this user and group in this role" },
		{ EKEYREJECTED, "the certificate was refused" },
		{ EKEYEXPIRED, "the certificate has expired" },
		{ EPROTO, "the peer does not speak TLS 1.3 as it should, or refused us" },
		{ ECONNABORTED, "the daemon died during the handshake" },
		{ ECONNRESET, "the peer left during the handshake" },
		{ ETIMEDOUT, "the handshake took too long" },
	};

	if (err < 0)
		err = -err;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].err == err)
			return texts[i].text;
	return strerror(err);
}

const char *sockopt_reason(const struct tlshd_info *info, int err)
{
	return info->reason[0] ? info->reason : sockopt_strerror(err);
}

static void print_text(FILE *out, const char *name, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "%s: ", name);
	for (; *text; text++)	/* a peer chose some of it: nothing that a terminal would obey */
		fputc(*text < ' ' || *text == 0x7f ? '?' : *text, out);
	fputc('\n', out);
}

static void print_code(FILE *out, const char *name, const char *text, unsigned int code)
{
	if (text)
		fprintf(out, "%s: %s\n", name, text);
	else
		fprintf(out, "%s: 0x%04x\n", name, code);
}

static void print_flags(FILE *out, const struct tlshd_info *info)
{
	static const struct { uint32_t bit; const char *name; } flags[] = {
		{ TLSHD_I_RESUMED, "resumed" }, { TLSHD_I_EARLY_OFFERED, "early-offered" },
		{ TLSHD_I_EARLY_ACCEPTED, "early-accepted" }, { TLSHD_I_EARLY_REJECTED, "early-rejected" },
		{ TLSHD_I_CONFIRMED, "confirmed" }, { TLSHD_I_CLEAN_CLOSE, "clean-close" },
		{ TLSHD_I_TX_OFFLOAD, "tx-offload" }, { TLSHD_I_RX_OFFLOAD, "rx-offload" },
	};

	if (!info->flags)
		return;
	fputs("flags:", out);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (info->flags & flags[i].bit)
			fprintf(out, " %s", flags[i].name);
	fputc('\n', out);
}

static void print_counts(FILE *out, const struct tlshd_info *info)
{
	const struct { const char *name; uint64_t value; } counts[] = {
		{ "early-bytes", info->early_bytes }, { "tx-records", info->tx_records },
		{ "tx-key-updates", info->tx_key_updates }, { "rx-key-updates", info->rx_key_updates },
		{ "tickets", info->tickets },
	};

	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		if (counts[i].value)
			fprintf(out, "%s: %llu\n", counts[i].name, (unsigned long long)counts[i].value);
}

static void print_peer(FILE *out, const struct tlshd_info *info)
{
	static const uint8_t none[TLSHD_SHA256_LEN];
	time_t at = info->full_handshake_time;
	char date[32];
	struct tm tm;

	fprintf(out, "auth: %s\n", names_auth(info->auth));
	print_text(out, "peer-subject", info->peer_subject);
	if (memcmp(info->peer_leaf_sha256, none, sizeof none)) {
		fputs("peer-leaf-sha256: ", out);
		for (size_t i = 0; i < sizeof none; i++)
			fprintf(out, "%02x", info->peer_leaf_sha256[i]);
		fputc('\n', out);
	}
	if (at && gmtime_r(&at, &tm) && strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &tm))
		print_text(out, "full-handshake-time", date);
}

void sockopt_print_info(FILE *out, const struct tlshd_info *info)
{
	print_code(out, "state", names_state(info->state), info->state);
	if (info->error)
		fprintf(out, "error: %s\n", strerror(info->error));
	print_text(out, "reason", info->reason);
	if (info->suite)
		print_code(out, "suite", names_suite(info->suite), info->suite);
	if (info->group)
		print_code(out, "group", names_group(info->group), info->group);
	if (info->sigscheme)
		print_code(out, "signature-scheme", names_sigscheme(info->sigscheme), info->sigscheme);
	print_peer(out, info);
	print_text(out, "server-name", info->server_name);
	print_text(out, "alpn", info->alpn);
	print_flags(out, info);
	if (info->alert_sent != TLSHD_ALERT_NONE)
		print_code(out, "alert-sent", names_alert(info->alert_sent), info->alert_sent);
	if (info->alert_received != TLSHD_ALERT_NONE)
		print_code(out, "alert-received", names_alert(info->alert_received), info->alert_received);
	print_counts(out, info);
}
