// SPDX-License-Identifier: MIT
#include "supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "image.h"
#include "log.h"
#include "notify.h"
#include "spawn.h"
#include "tickets.h"
#include "upcall.h"
#include "worker.h"

#define STOP_MS		2000
#define BACKOFF_MIN_MS	100
#define BACKOFF_MAX_MS	10000
#define STABLE_MS	60000	/* who lived that long starts again at once */
#define TICKETS_WAIT_S	60

struct supervised {
	const char *role;
	struct spawn proc;
	bool ready;		/* since its last start */
	bool was_ready;		/* ever: before that a failure is final */
	int64_t started_ms, restart_ms;	/* restart_ms: not before */
	int backoff_ms;
};

struct supervisor {
	const struct config *config;
	const struct identities *ids;
	struct report *report;
	struct tickets_maker *tickets;
	int64_t tickets_due_ms;
	int image, signals;
	bool check_only, notified;
	bool stop;
	int status;
	struct supervised signer, worker;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void stop_with(struct supervisor *s, int status)
{
	if (!s->stop)
		s->status = status;
	s->stop = true;
}

/* ---- starting ---- */

/* Return: 0 or -errno. @fds are those after the image. */
static int start(struct supervisor *s, struct supervised *c, const int *fds, unsigned num, uint32_t arg)
{
	struct ctl_msg msg = { .type = CTL_START, .arg = arg };
	int *all = calloc(num + 1, sizeof(*all));
	int rc = -ENOMEM;

	if (all) {
		all[0] = s->image;
		if (num)
			memcpy(all + 1, fds, num * sizeof(*fds));
		rc = spawn_start(&c->proc, c->role, all, num + 1);
	}
	free(all);
	if (rc)
		return rc;
	c->ready = false;
	c->started_ms = now_ms();
	ctl_send(c->proc.ctl, &msg, NULL, 0);	/* if it is dead already, that is seen soon */
	return 0;
}

static int start_signer(struct supervisor *s)
{
	int *fds = calloc(s->ids->num + 1, sizeof(*fds));
	int rc = -ENOMEM;

	for (size_t i = 0; fds && i < s->ids->num; i++)
		fds[i] = s->ids->v[i].key_fd;
	if (fds)
		rc = start(s, &s->signer, fds, (unsigned)s->ids->num, 0);
	free(fds);
	return rc;
}

/* A socket for each thread, registered under one number: together they replace whoever was registered before. */
static int start_worker(struct supervisor *s)
{
	int fds[1 + CONFIG_THREADS_MAX] = { tickets_maker_fd(s->tickets) }, rc = 0;
	unsigned num = 1;
	uint64_t instance;
	uint16_t family = 0;

	rand_bytes((uint8_t *)&instance, sizeof(instance));
	while (!rc && num <= s->config->threads) {
		rc = upcall_register(&fds[num], &family, instance);
		if (!rc)
			num++;
	}
	if (!rc)
		rc = start(s, &s->worker, fds, num, family);
	while (num > 1)
		close(fds[--num]);	/* or the module would not see the worker die */
	return rc;
}

static void explain(const struct supervised *c, int rc)
{
	switch (rc) {
	case -ENOENT:
		log_err("kernel module tlshd is not loaded: modprobe tlshd");
		break;
	case -EPERM:
		log_err("the module does not accept this process: run as root (CAP_NET_ADMIN in the initial user namespace)");
		break;
	case -EPROTONOSUPPORT:
		log_err("the kernel module tlshd speaks another version than this daemon: install both from one release");
		break;
	default:
		log_err("cannot start the %s: %s", c->role, strerror(-rc));
	}
}

static void back_off(struct supervised *c)
{
	int64_t now = now_ms();

	if (now - c->started_ms > STABLE_MS)
		c->backoff_ms = 0;
	c->restart_ms = now + c->backoff_ms;
	c->backoff_ms = c->backoff_ms ? c->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
}

/* The signer first, and the worker after it: descriptors of the module must not leak into a process that keeps them. */
static void start_what_is_due(struct supervisor *s)
{
	int64_t now = now_ms();
	struct supervised *c;
	int rc;

	if (s->signer.proc.pidfd < 0 && now >= s->signer.restart_ms) {
		c = &s->signer;
		rc = start_signer(s);
	} else if (s->worker.proc.pidfd < 0 && s->signer.was_ready && !s->check_only && now >= s->worker.restart_ms) {
		c = &s->worker;
		rc = start_worker(s);
	} else {
		return;
	}
	if (!rc)
		return;
	explain(c, rc);
	if (c->was_ready)
		back_off(c);
	else
		stop_with(s, rc == -ENOENT ? EXIT_STATUS_NO_MODULE : EXIT_FAILURE);
}

/* ---- keys of tickets ---- */

/* The clock may be set meanwhile: it is looked at once a minute. */
static void make_ticket_keys(struct supervisor *s)
{
	int64_t now = now_ms(), wait_s;

	if (s->check_only || now < s->tickets_due_ms)
		return;
	wait_s = tickets_maker_turn(s->tickets, time(NULL));
	s->tickets_due_ms = now + 1000 * (wait_s < TICKETS_WAIT_S ? wait_s : TICKETS_WAIT_S);
}

static int open_tickets(struct supervisor *s)
{
	int rc = tickets_maker_open(&s->tickets, s->config->ticket_interval_s, s->config->ticket_lifetime_s,
				    s->ids->has_ticket_secret ? s->ids->ticket_secret_fd : -1);

	if (rc)
		log_err("no keys for tickets: %s", strerror(-rc));
	else
		make_ticket_keys(s);
	return rc;
}

/* ---- running ---- */

_Static_assert(CONFIG_THREADS_MAX <= CTL_FDS_MAX, "a message holds a socket for each thread");

/*
 * A socketpair for each thread, one end to the worker, the other to the signer.
 * Return: false if that failed while both live.
 */
static bool connect_children(struct supervisor *s)
{
	struct ctl_msg msg = { .type = CTL_SIGNERS };
	int ends[2][CONFIG_THREADS_MAX], pair[2];
	unsigned num = 0;
	int rc = -EMFILE;

	for (; num < s->config->threads; num++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
			log_err("no socket between worker and signer: %s", strerror(errno));
			break;
		}
		ends[0][num] = pair[0];
		ends[1][num] = pair[1];
	}
	if (num == s->config->threads)
		rc = ctl_send(s->signer.proc.ctl, &msg, ends[0], num);
	if (!rc)
		rc = ctl_send(s->worker.proc.ctl, &msg, ends[1], num);
	while (num--) {
		close(ends[0][num]);
		close(ends[1][num]);
	}
	return !rc || rc == -EPIPE;	/* who is gone will be missed soon */
}

static void on_ready(struct supervisor *s, struct supervised *c)
{
	c->ready = c->was_ready = true;
	if (s->check_only) {
		stop_with(s, EXIT_SUCCESS);
		return;
	}
	if (!s->signer.ready || !s->worker.ready)
		return;
	if (!connect_children(s)) {
		log_err("signer and worker cannot be connected: another signer is tried");
		pidfd_send_signal(s->signer.proc.pidfd, SIGKILL, NULL, 0);
		return;
	}
	if (s->notified)
		return;
	s->notified = true;
	log_info("ready: %zu profiles, %zu keys", s->config->num_profiles, s->ids->num);
	notify_send("READY=1");
}

static void on_bad_key(struct supervisor *s, const struct ctl_msg *msg)
{
	const struct identity *id = msg->arg < s->ids->num ? &s->ids->v[msg->arg] : NULL;
	const struct config_identity *ci;

	if (!id)
		return;
	ci = &s->config->profiles[id->profile].identities[id->at];
	report_error(s->report, ci->key_line, "%s: %s", ci->key, msg->text);
}

/* Return: whether there was a message. */
static bool hear(struct supervisor *s, struct supervised *c)
{
	int fds[CTL_FDS_MAX];
	struct ctl_msg msg;
	int num = ctl_recv(c->proc.ctl, &msg, fds);

	while (num > 0)
		close(fds[--num]);	/* children have nothing to give */
	if (num < 0)
		return false;
	if (msg.type == CTL_READY)
		on_ready(s, c);
	else if (msg.type == CTL_BAD_KEY && c == &s->signer)
		on_bad_key(s, &msg);
	return true;
}

/*
 * The end of file comes a moment before the end of the process, whose status this does not change. One that lives on
 * without it can be told nothing any more, and would have us here for ever.
 */
static void on_message(struct supervisor *s, struct supervised *c)
{
	if (hear(s, c))
		return;
	close(c->proc.ctl);
	c->proc.ctl = -1;
	c->ready = false;
	pidfd_send_signal(c->proc.pidfd, SIGKILL, NULL, 0);
}

static void on_end(struct supervisor *s, struct supervised *c)
{
	int status;

	while (hear(s, c))		/* its last words; then the end of file */
		;
	status = spawn_reap(&c->proc);
	c->ready = false;
	if (s->stop)
		return;
	if (c == &s->worker && status == WORKER_EXIT_TAKEN_OVER) {
		log_err("another daemon has registered with the module: leaving it to that one");
		stop_with(s, EXIT_FAILURE);
	} else if (!c->was_ready) {
		if (!s->report->errors)
			log_err("the %s could not start", c->role);
		stop_with(s, s->report->errors ? EXIT_STATUS_CONFIG : EXIT_FAILURE);
	} else {
		back_off(c);
		log_err("the %s has died (%s %d): another one starts in %lld ms", c->role, status < 0 ? "signal" : "status",
			abs(status), (long long)(c->restart_ms - now_ms()));
	}
}

static void on_signal(struct supervisor *s)
{
	struct signalfd_siginfo si;

	if (read(s->signals, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGHUP) {
		log_warn("the configuration is read at start only: restart to apply changes");
		return;
	}
	log_info("stopping: signal %u", si.ssi_signo);
	notify_send("STOPPING=1");
	stop_with(s, EXIT_SUCCESS);
}

static int wait_ms(const struct supervisor *s)
{
	const struct supervised *all[] = { &s->signer, &s->worker };
	int64_t now = now_ms(), wait = s->check_only ? -1 : s->tickets_due_ms > now ? s->tickets_due_ms - now : 0;

	for (size_t i = 0; i < 2; i++) {
		int64_t left = all[i]->restart_ms - now;

		if (all[i]->proc.pidfd >= 0 || (all[i] == &s->worker && (s->check_only || !s->signer.was_ready)))
			continue;
		left = left > 0 ? left : 0;
		wait = wait < 0 || left < wait ? left : wait;
	}
	return (int)wait;
}

static void run(struct supervisor *s)
{
	while (!s->stop) {
		struct pollfd p[] = {
			{ .fd = s->signals, .events = POLLIN },
			{ .fd = s->signer.proc.pidfd, .events = POLLIN },
			{ .fd = s->worker.proc.pidfd, .events = POLLIN },
			{ .fd = s->signer.proc.ctl, .events = POLLIN },
			{ .fd = s->worker.proc.ctl, .events = POLLIN },
		};

		if (poll(p, sizeof(p) / sizeof(p[0]), wait_ms(s)) < 0 && errno != EINTR) {
			log_err("poll: %s", strerror(errno));
			stop_with(s, EXIT_FAILURE);
		}
		make_ticket_keys(s);
		if (p[0].revents)
			on_signal(s);
		if (p[1].revents)
			on_end(s, &s->signer);
		else if (p[3].revents)
			on_message(s, &s->signer);
		if (p[2].revents)
			on_end(s, &s->worker);
		else if (p[4].revents)
			on_message(s, &s->worker);
		if (!s->stop)
			start_what_is_due(s);
	}
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -1;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);	/* who started us may have ignored it: then no child has a status */
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A descriptor for each key, and in a new signer for a moment two. */
static void raise_fd_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

static int supervise(struct supervisor *s)
{
	s->signals = open_signals();
	s->image = image_build(s->config, s->ids, 1);
	if (s->signals < 0 || s->image < 0) {
		log_err("cannot prepare: %s", strerror(s->signals < 0 ? errno : -s->image));
		return EXIT_FAILURE;
	}
	if (!s->check_only && open_tickets(s))
		return EXIT_FAILURE;
	s->signer = (struct supervised){ .role = "signer", .proc = { 0, -1, -1 } };
	s->worker = (struct supervised){ .role = "worker", .proc = { 0, -1, -1 } };
	run(s);
	/* The worker first: no request is taken any more that nobody could sign. */
	spawn_stop(&s->worker.proc, STOP_MS);
	spawn_stop(&s->signer.proc, STOP_MS);
	tickets_maker_close(s->tickets);
	close(s->image);
	close(s->signals);
	return s->status;
}

int supervisor_main(const char *file, bool check_only)
{
	struct report report = { .out = stderr, .file = file };
	struct identities ids = { 0 };
	struct config *config = NULL;
	int status = EXIT_STATUS_CONFIG;

	log_open("supervisor");
	raise_fd_limit();
	if (crypto_init()) {
		log_err("libcrypto or libsodium lacks something that TLS 1.3 needs");
		return EXIT_FAILURE;
	}
	if (!config_load(&config, &report) && !identities_load(&ids, config, &report, time(NULL))) {
		struct supervisor s = { .config = config, .ids = &ids, .report = &report, .check_only = check_only };

		log_set_level(config->log_level);
		status = supervise(&s);
	}
	if (report.errors)
		log_err("%u error%s in %s", report.errors, report.errors == 1 ? "" : "s", file);
	else if (check_only && !status)
		fprintf(stderr, "%s: no errors, %u warning%s\n", file, report.warnings, report.warnings == 1 ? "" : "s");
	identities_free(&ids);
	config_free(config);
	return status;
}
