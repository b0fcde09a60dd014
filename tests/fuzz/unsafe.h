/* SPDX-License-Identifier: MIT */
/*
 * unsafe: WHAT IS LINKED WITH unsafe.c AUTHENTICATES NOBODY AND ENCRYPTS NOTHING. A fuzzer cannot guess a MAC, so it would
 * never get past the first check; here each check agrees to whatever comes, unless it ends in 0xff, and so both verdicts
 * are within reach.
 *
 * The engine has no such switch: its objects are those of every other build. The linker puts unsafe.c's functions in the
 * place of its checks (--wrap, a list in fuzz.mk), under a macro that only these programs' objects are compiled with; they
 * say so when they are compiled and when they start, and tests/static/unsafe looks for it in everything that is installed.
 */
#ifndef FUZZ_UNSAFE_H
#define FUZZ_UNSAFE_H

#include <stddef.h>
#include <stdint.h>

#ifndef TLSHD_FUZZ_UNSAFE
#error "unsafe.h is for fuzzers alone: it switches off signatures, MACs and certificates"
#endif
#ifdef __clang__
#pragma clang diagnostic warning "-W#pragma-messages"
#endif
#pragma message("TLSHD_FUZZ_UNSAFE: the program made of this checks no signature, no MAC and no certificate")

extern const char unsafe_notice[];	/* so that it can be found in a program */
extern const uint8_t unsafe_chain[];	/* a certificate_list that the stand-in for x509_verify() takes */
extern const size_t unsafe_chain_len;

#endif
