// SPDX-License-Identifier: MIT
#include "account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

static bool parse_id(const char *s, uint32_t *id)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno || *end || v >= UINT32_MAX)	/* -1 means "no id" to the kernel */
		return false;
	*id = (uint32_t)v;
	return true;
}

bool account_user(const char *name, uint32_t *id)
{
	struct passwd *pw = parse_id(name, id) ? NULL : getpwnam(name);

	if (pw)
		*id = pw->pw_uid;
	return pw || parse_id(name, id);
}

bool account_group(const char *name, uint32_t *id)
{
	struct group *gr = parse_id(name, id) ? NULL : getgrnam(name);

	if (gr)
		*id = gr->gr_gid;
	return gr || parse_id(name, id);
}
