/* SPDX-License-Identifier: MIT */
/*
 * secret: memcheck's undefined memory as a mark for what is secret. It follows the mark through every computation and reports
 * a branch or an address that depends on it.
 */
#ifndef SECRET_H
#define SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include <valgrind/memcheck.h>

static inline void make_secret(void *p, size_t len)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

static inline void make_public(void *p, size_t len)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(p, len);
}

/* A verdict: what a caller may branch on, since the peer learns it anyway. */
static inline int publish(int verdict)
{
	make_public(&verdict, sizeof(verdict));
	return verdict;
}

/**
 * enum leak - what a deliberate fault in the program under test does, to prove that one is seen
 * @LEAK_BRANCH: a compare that stops at the first difference
 * @LEAK_INDEX: a table read at a place that a secret tells
 */
enum leak { LEAK_NONE, LEAK_BRANCH, LEAK_INDEX };
extern enum leak leak;

void must_be_secret(const char *what, const void *p, size_t len);	/* 1 to 64 bytes, each of which carries the mark */

/* Fails the test unless keys of each stage have been seen, all of them secret; those of full handshakes, or of others: */
void secret_hook_must_run(void);
enum psk_kind { PSK_TICKET, PSK_EARLY, PSK_EXTERNAL };
void secret_hook_must_run_psk(enum psk_kind kind);

#endif
