// SPDX-License-Identifier: MIT
/*
 * Client and server of one library, in memory and in one thread. Prints one line of tab-separated figures, for the script:
 *
 *	time: NAME VERSION SERVER-US CLIENT-US
 *	memory: NAME VERSION IN-FLIGHT PEAK ESTABLISHED DETAIL
 *
 * The time of a side is what passed in its calls in a handshake, the median over all: a preemption moves a few, not the
 * median. Exit status 3: the library cannot do this case.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP	30
#define TURNS	10
#define HELD	100	/* connections open at once to measure memory */

struct pair {
	void *conn[2];
	bool done[2];
};

static struct wire wires[2];	/* by who reads it */
static uint64_t spent[2];
static bool with_client;	/* in front of a @once */

/* Without heap.o, which costs each allocation some time, nothing is counted. */
__attribute__((weak)) size_t heap_live(void)
{
	return 0;
}

__attribute__((weak)) size_t heap_peak(void)
{
	return 0;
}

__attribute__((weak)) void heap_mark(void)
{
}

static void die(const char *what)
{
	fprintf(stderr, "%s: %s failed\n", bench_peer.name, what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void open_side(struct pair *p, enum bench_role role)
{
	uint64_t from = now_ns();

	p->conn[role] = bench_peer.open(role);
	spent[role] += now_ns() - from;
	if (!p->conn[role])
		die("opening a connection");
	p->done[role] = false;
}

static void step_side(struct pair *p, enum bench_role role)
{
	uint64_t from = now_ns();
	int ret = bench_peer.step(p->conn[role], &wires[role], &wires[!role]);

	spent[role] += now_ns() - from;
	if (ret < 0)
		die(role == BENCH_SERVER ? "the server" : "the client");
	p->done[role] = ret;
}

static void close_side(struct pair *p, enum bench_role role)
{
	uint64_t from = now_ns();

	bench_peer.close(p->conn[role]);
	spent[role] += now_ns() - from;
}

static void finish(struct pair *p)
{
	for (int i = 0; i < TURNS && !(p->done[BENCH_CLIENT] && p->done[BENCH_SERVER]); i++) {
		if (wires[BENCH_CLIENT].len)
			step_side(p, BENCH_CLIENT);
		if (wires[BENCH_SERVER].len)
			step_side(p, BENCH_SERVER);
	}
	if (!p->done[BENCH_CLIENT] || !p->done[BENCH_SERVER])
		die("finishing a handshake");
}

static void clear_wires(void)
{
	for (int role = 0; role < 2; role++)
		wires[role].at = wires[role].len = 0;
}

static void run_once(void)
{
	uint64_t from;

	if (with_client && !bench_peer.between())
		die("the work of a client");
	from = now_ns();
	if (!bench_peer.once())
		die("the work");
	spent[BENCH_SERVER] = now_ns() - from;
}

static void handshake(void)
{
	struct pair p;

	spent[BENCH_CLIENT] = spent[BENCH_SERVER] = 0;
	if (bench_peer.once) {
		run_once();
		return;
	}
	clear_wires();
	open_side(&p, BENCH_CLIENT);
	open_side(&p, BENCH_SERVER);
	step_side(&p, BENCH_CLIENT);
	finish(&p);
	close_side(&p, BENCH_SERVER);
	close_side(&p, BENCH_CLIENT);
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double median_us(uint64_t *ns, size_t num)
{
	qsort(ns, num, sizeof(*ns), by_value);
	return (double)ns[num / 2] / 1000;
}

static void print_time(size_t num)
{
	uint64_t *ns[2] = { calloc(num, sizeof(uint64_t)), calloc(num, sizeof(uint64_t)) };

	if (!ns[0] || !ns[1])
		die("calloc");
	for (size_t i = 0; i < num + WARM_UP; i++) {
		handshake();
		for (int role = 0; role < 2 && i >= WARM_UP; role++)
			ns[role][i - WARM_UP] = spent[role];
	}
	printf("%s\t%s\t%.2f\t%.2f\n", bench_peer.name, bench_peer.version(), median_us(ns[BENCH_SERVER], num),
	       median_us(ns[BENCH_CLIENT], num));
	free(ns[0]);
	free(ns[1]);
}

/* What servers hold: all their first flights are out before any of them gets its client's Finished. */
static void print_memory(void)
{
	static struct wire flights[HELD];
	static struct pair p[HELD];
	size_t in_flight = 0, established = 0, peak = 0, had;

	handshake();	/* what a library makes once is no connection's */
	if (!heap_live())
		die("counting the heap, which this program does not");
	for (int i = 0; i < HELD; i++) {
		clear_wires();
		open_side(&p[i], BENCH_CLIENT);
		step_side(&p[i], BENCH_CLIENT);
		had = heap_live();
		heap_mark();
		open_side(&p[i], BENCH_SERVER);
		step_side(&p[i], BENCH_SERVER);
		in_flight += heap_live() - had;
		peak = heap_peak() - had > peak ? heap_peak() - had : peak;
		flights[i] = wires[BENCH_CLIENT];
	}
	established = in_flight;
	for (int i = 0; i < HELD; i++) {
		clear_wires();
		wires[BENCH_CLIENT] = flights[i];
		step_side(&p[i], BENCH_CLIENT);
		had = heap_live();
		step_side(&p[i], BENCH_SERVER);
		established += heap_live() - had;
		if (!p[i].done[BENCH_SERVER])
			die("finishing a handshake");
	}
	for (int i = 0; i < HELD; i++) {
		close_side(&p[i], BENCH_SERVER);
		close_side(&p[i], BENCH_CLIENT);
	}
	printf("%s\t%s\t%zu\t%zu\t%zu\t%s\n", bench_peer.name, bench_peer.version(), in_flight / HELD, peak, established / HELD,
	       bench_peer.detail ? bench_peer.detail() : "");
}

int main(int argc, char **argv)
{
	struct bench_case what = { "p256", "x25519", "aes128", ".", false };
	bool memory = false;
	long num = 300;
	int opt;

	while ((opt = getopt(argc, argv, "k:g:s:c:n:mbr")) != -1) {
		switch (opt) {
		case 'k': what.key = optarg; break;
		case 'g': what.group = optarg; break;
		case 's': what.suite = optarg; break;
		case 'c': what.certs = optarg; break;
		case 'n': num = strtol(optarg, NULL, 10); break;
		case 'b': with_client = bench_peer.between; break;
		case 'r': what.remember = true; break;
		case 'm': memory = true; break;
		default: return 2;
		}
	}
	if (num < 1 || num > 1000000 || optind != argc)
		return 2;
	if (!bench_peer.setup(&what))
		return 3;
	if (memory)
		print_memory();
	else
		print_time((size_t)num);
	return 0;
}
