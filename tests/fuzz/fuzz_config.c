// SPDX-License-Identifier: MIT
/* The operator's file: no peer writes it, but whoever does gets a sentence for each error and no crash. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tlshd/config.h"

#include "target.h"

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* The machine's users are not asked: an input means the same everywhere. */
struct passwd *__wrap_getpwnam(const char *name);
struct passwd *__wrap_getpwnam(const char *name)
{
	static struct passwd pw = { .pw_uid = 33 };

	return strncmp(name, "www", 3) ? NULL : &pw;
}

struct group *__wrap_getgrnam(const char *name);
struct group *__wrap_getgrnam(const char *name)
{
	static struct group gr = { .gr_gid = 33 };

	return strncmp(name, "www", 3) ? NULL : &gr;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	return 0;
}

static void judge(const struct config *c)
{
	require(c->threads && c->num_profiles && c->num_profiles <= CONFIG_PROFILES_MAX);
	require(c->max_handshakes && c->max_handshakes <= CONFIG_HANDSHAKES_MAX);
	for (size_t i = 0; i < c->num_profiles; i++) {
		const struct config_profile *p = &c->profiles[i];

		require(p->name[0] && strnlen(p->name, sizeof(p->name)) < sizeof(p->name));
		require(p->num_identities <= CONFIG_IDENTITIES_MAX && p->alpn_len <= sizeof(p->alpn));
		require(p->num_suites && p->num_suites <= TLS_SUITES_MAX && p->num_groups && p->num_groups <= TLS_GROUPS_MAX);
		require(p->timeout_ms && p->timeout_ms <= CONFIG_TIMEOUT_MAX * 1000);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char path[32], complaints[1 << 20];
	FILE *out = fmemopen(complaints, sizeof(complaints), "w");
	struct report r = { .out = out, .file = path };
	int fd = memfd_create("config", MFD_CLOEXEC), ret;
	struct config *c;

	require(out && fd >= 0 && write(fd, data, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ret = config_load(&c, &r);
	require(ret == 0 || ret == -EINVAL);
	require(ret == 0 ? c != NULL && !r.errors : !c && r.errors);
	if (c)
		judge(c);
	config_free(c);
	fclose(out);
	close(fd);
	return 0;
}
