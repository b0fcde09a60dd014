// SPDX-License-Identifier: MIT
/* connect/pump: run in a child with pipes as its stdin and stdout, this side being the peer. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tools/connect/pump.h"

#define LARGE (1024 * 1024)	/* more than a pipe and a socket hold */
#define LIMIT 60		/* seconds; only a hang takes them */

struct run {
	pid_t child;
	int in, out, peer;	/* our ends of its stdin, stdout and socket */
};

static void begin(struct run *r)
{
	int in[2], out[2], sock[2];

	alarm(LIMIT);
	signal(SIGPIPE, SIG_IGN);
	assert_false(pipe(in) || pipe(out) || socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	/* Smaller than a buffer, so that a write of more than poll() has promised would wait. */
	assert_true(fcntl(out[1], F_SETPIPE_SZ, 2 * PIPE_BUF) > 0);
	r->child = fork();
	if (!r->child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		close(sock[0]);
		_exit(-pump(sock[1]));
	}
	close(in[0]);
	close(out[1]);
	close(sock[1]);
	r->in = in[1];
	r->out = out[0];
	r->peer = sock[0];
}

/* What pump() returned, as a positive errno. */
static int end(const struct run *r)
{
	int status;

	assert_int_equal(waitpid(r->child, &status, 0), r->child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(int fd, const char *text)
{
	char buf[64];
	size_t len = 0;
	ssize_t n;

	while (len < strlen(text) && (n = read(fd, buf + len, strlen(text) - len)) > 0)
		len += n;
	assert_int_equal(len, strlen(text));
	assert_memory_equal(buf, text, len);
}

static void say(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void expect_end(int fd)
{
	char c;

	assert_int_equal(read(fd, &c, 1), 0);
}

static void the_end_of_stdin_closes_one_direction_only(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	say(r.in, "question");
	close(r.in);
	expect(r.peer, "question");
	expect_end(r.peer);
	say(r.peer, "answer");
	expect(r.out, "answer");
	close(r.peer);
	expect_end(r.out);
	assert_int_equal(end(&r), 0);
}

static void the_peers_end_is_the_end(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	say(r.peer, "all");
	shutdown(r.peer, SHUT_WR);
	expect(r.out, "all");
	expect_end(r.out);
	assert_int_equal(end(&r), 0);
}

static void write_all_from_a_child(int fd, size_t len)
{
	static const char block[4096];

	if (fork())
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (len && write(fd, block, sizeof block) > 0)
		len -= sizeof block;
	_exit(0);
}

static void a_slow_reader_of_stdout_does_not_stop_stdin(void **state)
{
	char buf[4096];
	size_t got = 0;
	struct run r;
	ssize_t n;

	(void)state;
	begin(&r);
	write_all_from_a_child(r.peer, LARGE);	/* nobody reads stdout: this gets stuck */
	write_all_from_a_child(r.in, LARGE);
	close(r.in);
	while (got < LARGE && (n = read(r.peer, buf, sizeof buf)) > 0)
		got += n;
	assert_int_equal(got, LARGE);
	for (got = 0; got < LARGE && (n = read(r.out, buf, sizeof buf)) > 0; got += n)
		;
	assert_int_equal(got, LARGE);
	close(r.peer);
	assert_int_equal(end(&r), 0);
}

static void a_peer_that_stops_reading_is_still_read(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	shutdown(r.peer, SHUT_RD);
	say(r.in, "nobody takes this");
	say(r.in, "nor this");
	say(r.peer, "last words");
	expect(r.out, "last words");
	close(r.peer);
	assert_int_equal(end(&r), 0);
}

static void a_reader_of_stdout_that_leaves_is_epipe(void **state)
{
	struct run r;

	(void)state;
	begin(&r);
	close(r.out);
	say(r.peer, "for nobody");
	assert_int_equal(end(&r), EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_stdin_closes_one_direction_only),
		cmocka_unit_test(the_peers_end_is_the_end),
		cmocka_unit_test(a_slow_reader_of_stdout_does_not_stop_stdin),
		cmocka_unit_test(a_peer_that_stops_reading_is_still_read),
		cmocka_unit_test(a_reader_of_stdout_that_leaves_is_epipe),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
