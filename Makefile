# SPDX-License-Identifier: MIT
# make            the daemon, its tools and tests
# make demo       serve files over kernel TLS and fetch them with curl (boots a VM where this host has no kTLS)
# make check      every daily test; installs what it needs
# make help       all targets

SHELL := /bin/bash
B ?= build
CC ?= gcc
CSTD := -std=gnu11
WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wno-missing-field-initializers
HARDEN := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
CFLAGS ?= -O2 -g
SAN :=
ALL_CFLAGS = $(CSTD) $(WARN) $(CFLAGS) $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer,$(HARDEN)) \
	-D_GNU_SOURCE -DOPENSSL_API_COMPAT=0x10100000L -I. -MMD -MP
ALL_LDFLAGS = $(LDFLAGS) $(if $(SAN),-fsanitize=$(SAN),-pie -Wl,-z,relro,-z,now)

.PHONY: all
all:

# objs: sources -> objects of this build folder
objs = $(patsubst %.c,$(B)/%.o,$(1))

# Each folder lists its own files, in reading order, and adds its programs to PROGS, its tests to HOST_TESTS (run here, with
# sanitizers) or VM_TESTS (run in the guest), and what make install puts where to INSTALL_FILES (mode:source:folder).
include tlshd/crypto/crypto.mk tlshd/tls/tls.mk tlshd/tlshd.mk tools/tools.mk tests/tests.mk kmod/kmod.mk

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

all: $(PROGS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

PREFIX ?= /usr
DESTDIR ?=
INSTALL_FILES += 644:uapi/tlshd.h:/usr/include

# Folders below /usr are installed below PREFIX.
.PHONY: install
install: all
	@for entry in $(INSTALL_FILES); do \
		IFS=: read -r mode source folder <<<"$$entry"; \
		target=$(DESTDIR)$${folder/#\/usr/$(PREFIX)}/$${source##*/}; \
		[ "$$folder" != /etc/tlshd ] || [ ! -e "$$target" ] || { echo "keeping $$target"; continue; }; \
		echo "$$target"; \
		install -D -m $$mode $$source "$$target" || exit 1; \
	done

.PHONY: clean
clean:
	rm -rf build

.PHONY: help
help:
	@echo 'make               the daemon and its tools, in build/'
	@echo 'make demo          serve real files over kernel TLS, fetch and compare them (in a VM where this host has no kTLS)'
	@echo 'make check         everything below: packages, builds, static checks, host tests, VM tests on 6.1 and 6.12'
	@echo 'make check-host    static checks and the tests that need no kernel module (ASan and UBSan)'
	@echo 'make check-vm      module, daemon and tools in a VM; KVER=6.1 (default), 6.12 or debug'
	@echo 'make check-debug   the same on a kernel with KASAN and lockdep; builds it first (about 10 minutes, once)'
	@echo 'make fuzz-short    a minute of fuzzing for each parser and for whole engines'
	@echo 'make bogo          BoringSSL'"'"'s test runner against the engine; RUNNER=FOLDER for another one than Debian'"'"'s'
	@echo 'make interop       the engine against OpenSSL, GnuTLS, NSS, Go, wolfSSL, Mbed TLS, curl, Python, Node.js, as a table;'
	@echo '                   fetches OpenSSL 3.5 and Mbed TLS once, the others are part of check-host'
	@echo 'make bench         handshakes in memory beside OpenSSL and GnuTLS, memory, primitives; BENCH_ARGS=--help'
	@echo 'make check-ct      the engine under valgrind: no branch and no address depends on a secret'
	@echo 'make timing        t-values of compares and ECDSA signatures; judges nothing'
	@echo 'make coverage      lines and branches of the engine that tests and fuzzers'"'"' inputs run'
	@echo 'make module        the kernel module for KDIR= (default: the running kernel)'
	@echo 'make install       DESTDIR=, PREFIX=/usr: daemon, tools, man pages, unit, configuration, header'
	@echo 'make deps          install the Debian packages that all of this needs, where they are missing'
	@echo 'make clean         remove build/ (fetched kernels stay in the cache, ~/.cache/tlshd)'
