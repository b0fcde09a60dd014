// SPDX-License-Identifier: MIT
/* A worker's thread against a module that does not call: upcall_*() are the functions below. */
#include "daemon_util.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "tlshd/thread.h"
#include "tlshd/worker.h"

#define PATIENCE_MS	20000

struct upcall {
	int fd;
};

static struct upcall silent;	/* never readable: no READY comes */
static unsigned num_asked;

int upcall_register(int *fd, uint16_t *family, uint64_t instance)
{
	(void)fd;
	(void)family;
	(void)instance;
	return -ENOENT;
}

struct upcall *upcall_open(int fd, uint16_t family)
{
	(void)family;
	silent.fd = fd;
	return &silent;
}

void upcall_close(struct upcall *u)
{
	(void)u;
}

int upcall_fd(const struct upcall *u)
{
	return u->fd;
}

/* Nothing at first; then another daemon has registered. */
int upcall_accept(struct upcall *u, struct upcall_request *out, unsigned max, unsigned *dropped, bool *tickets,
		  bool *more)
{
	(void)u;
	(void)out;
	(void)max;
	*dropped = 0;
	*tickets = false;
	*more = false;
	return num_asked++ ? -EPERM : 0;
}

int upcall_tickets(struct upcall *u, upcall_ticket *take, void *arg, bool *told)
{
	(void)u;
	(void)take;
	(void)arg;
	*told = false;
	return 0;
}

static const struct policy *open_policy(void)
{
	char *text = util_expand("profile \"out\" { trust = \"%C/root.crt\" client { allow-users = \"*\" } }\n");
	const struct image *im;
	struct util_setup s;
	int fd;

	util_load(&s, text);
	free(text);
	fd = s.rc ? -1 : image_build(s.config, &s.ids, 1);
	return fd < 0 || image_map(&im, fd) ? NULL : policy_open(im, NULL, NULL);
}

static _Noreturn void be_a_worker(void)
{
	struct thread t = { .upcall_fd = eventfd(0, 0), .policy = open_policy(), .num_slots = 4 };
	sem_t started;

	sem_init(&started, 0, 0);
	t.started = &started;
	if (!t.policy || thread_start(&t))
		_exit(EXIT_FAILURE);
	for (;;)
		pause();	/* the thread ends the process */
}

/* Else the old daemon lived on unheard, and took the place back when its worker was started again. */
static void learns_of_another_daemon_though_nobody_calls(void **state)
{
	struct pollfd p = { .events = POLLIN };
	pid_t pid = fork();
	int status, n;

	(void)state;
	if (!pid)
		be_a_worker();
	p.fd = pidfd_open(pid, 0);
	assert_true(p.fd >= 0);
	n = poll(&p, 1, PATIENCE_MS);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(p.fd);
	assert_int_equal(n, 1);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), WORKER_EXIT_TAKEN_OVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(learns_of_another_daemon_though_nobody_calls),
	};
	int failed;

	cmocka_set_message_output(CM_OUTPUT_TAP);
	util_enter();
	if (crypto_init())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	util_leave();
	return failed;
}
