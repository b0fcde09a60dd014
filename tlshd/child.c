// SPDX-License-Identifier: MIT
#include "child.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ctl.h"
#include "log.h"

static void protect_memory(void)
{
	/* Also what is mapped later, but only pages that were touched: the pools are larger than what is in use. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		log_warn("memory is not locked, secrets may reach swap: %s; raise the memlock limit", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		log_warn("memory may be dumped: %s", strerror(errno));
}

/* What ends us comes from the supervisor; a terminal's Ctrl-C, which reaches the whole group, is for it alone. */
static void ignore_signals(void)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGPIPE, SIGQUIT };

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
}

int child_begin(const char *role, const struct image **im, uint32_t *arg)
{
	int fds[CTL_FDS_MAX];
	struct ctl_msg msg;
	int rc;

	log_open(role);
	ignore_signals();
	rc = ctl_recv(CTL_FD_CTL, &msg, fds);
	if (rc || msg.type != CTL_START) {
		log_err("this role is started by the supervisor only; run tlshd without --role");
		return -EINVAL;
	}
	*arg = msg.arg;
	rc = image_map(im, CTL_FD_IMAGE);
	close(CTL_FD_IMAGE);
	if (rc) {
		log_err("the configuration cannot be mapped: %s", strerror(-rc));
		return rc;
	}
	log_set_level((enum log_level)(*im)->log_level);
	protect_memory();
	if (crypto_init()) {
		log_err("libcrypto or libsodium lacks something that TLS 1.3 needs");
		return -EIO;
	}
	return 0;
}
