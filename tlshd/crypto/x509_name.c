// SPDX-License-Identifier: MIT
/* Reference identities: which names may be asked for. Names no crypto library. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "crypto.h"

#define DNS_NAME_MAX	253	/* RFC 1035 2.3.4, in text form without the last dot */
#define DNS_LABEL_MAX	63

static bool is_ip_literal(const char *name)
{
	uint8_t addr[16];

	return inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1;
}

/* Letters, digits, hyphen; no hyphen first or last: RFC 5890 2.3.1. U-labels fall out here, A-labels do not. */
static bool is_label(const char *p, size_t len)
{
	if (len < 1 || len > DNS_LABEL_MAX || p[0] == '-' || p[len - 1] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)p[i] > 0x7f || !(isalnum((unsigned char)p[i]) || p[i] == '-'))
			return false;
	return true;
}

static bool is_dns_name(const char *name, size_t len)
{
	const char *last = name, *end = name + len;

	if (len > DNS_NAME_MAX)
		return false;
	for (const char *p = name;;) {
		const char *dot = memchr(p, '.', (size_t)(end - p));

		last = p;
		if (!is_label(p, (size_t)((dot ? dot : end) - p)))
			return false;
		if (!dot)
			break;
		p = dot + 1;
	}
	/* A last label of digits is a broken IPv4 address ("127.1"), which some resolvers would read as one. */
	return strspn(last, "0123456789") != (size_t)(end - last);
}

int x509_name_ok(char *name, bool *is_ip)
{
	size_t len = strlen(name);

	*is_ip = is_ip_literal(name);
	if (*is_ip)
		return 0;
	if (len > 0 && name[len - 1] == '.')
		len--;
	if (!is_dns_name(name, len))
		return -EINVAL;
	name[len] = 0;
	return 0;
}
