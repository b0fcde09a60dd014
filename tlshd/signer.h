/* SPDX-License-Identifier: MIT */
/*
 * signer: the process that holds the private keys. Its key files come as descriptors; it reads them, closes them, and
 * from then on touches nothing but its socketpairs. It signs the RFC 8446 section 4.4.3 input with the context string
 * of the key's configured role, which it builds itself, and nothing else: whoever takes a worker over can act as the
 * server while he holds it, but gets no key, no TLS 1.2 signature, no CSR, no token.
 */
#ifndef TLSHD_SIGNER_H
#define TLSHD_SIGNER_H

/**
 * signer_main() - run until the supervisor goes
 *
 * Descriptors: ctl.h. Tells the supervisor of each key that cannot be used (CTL_BAD_KEY), then that it is ready if
 * there was none.
 * Return: the exit status.
 */
int signer_main(void);

#endif
