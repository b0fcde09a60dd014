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

# Each folder lists its own files, in reading order, and adds its programs to PROGS and its tests to HOST_TESTS.
include tlshd/crypto/crypto.mk tlshd/tls/tls.mk tlshd/tlshd.mk tools/tools.mk tests/tests.mk kmod/kmod.mk

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

all: $(PROGS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

.PHONY: clean
clean:
	rm -rf $(B)
