# SPDX-License-Identifier: MIT
# interop is a list of cases by hand, cells the matrix of rows and peers that make interop prints as tables.
HOST_TESTS += tests/interop/interop tests/interop/cells

INTEROP := $(B)/tests/interop
INTEROP_SRC := $(addprefix tests/interop/,peer.c options.c sessions.c talk.c) tests/bogo/channel.c

# Other implementations that are no program but a library; the matrix does without those that are not here.
INTEROP_OTHERS := $(if $(shell command -v go),peer_go) $(if $(wildcard /usr/include/wolfssl/ssl.h),peer_wolfssl) \
	$(if $(NEWER),peer_mbedtls)
INTEROP_FOREIGN := tests/interop/foreign.c tests/interop/foreign.h
INTEROP_CC = $(CC) $(CSTD) $(WARN) -O2 -D_GNU_SOURCE -I.

.PHONY: interop-peers
host-tests interop-peers: $(INTEROP)/peer $(addprefix $(INTEROP)/,$(INTEROP_OTHERS))

$(INTEROP)/peer: $(call objs,$(INTEROP_SRC) $(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS)

$(INTEROP)/peer_go: tests/interop/peer_go.go
	@mkdir -p $(@D)
	GO111MODULE=off GOCACHE=$(abspath $(INTEROP))/go-cache go build -o $@ $<

$(INTEROP)/peer_wolfssl: tests/interop/peer_wolfssl.c $(INTEROP_FOREIGN)
	@mkdir -p $(@D)
	$(INTEROP_CC) -o $@ $(filter %.c,$^) -lwolfssl

$(INTEROP)/peer_mbedtls: tests/interop/peer_mbedtls.c $(INTEROP_FOREIGN)
	@mkdir -p $(@D)
	$(INTEROP_CC) -DMBEDTLS_SSL_EARLY_DATA -isystem $(NEWER)/include -o $@ $(filter %.c,$^) \
		$(addprefix $(NEWER)/lib/libmbed,tls.a x509.a crypto.a)

.PHONY: interop
interop: deps
	@newer=$$(tests/interop/fetch) || newer=; \
	$(MAKE) --no-print-directory -s -j$(shell nproc) B=$(ASAN_B) SAN=address,undefined NEWER="$$newer" interop-peers && \
	B=$(ASAN_B) NEWER="$$newer" tests/interop/matrix
