# SPDX-License-Identifier: MIT
HOST_TESTS += tests/bogo/bogo

BOGO_SRC := $(addprefix tests/bogo/,shim.c options.c policy.c sessions.c expect.c channel.c tokens.c trust.c)

host-tests: $(B)/tests/bogo/shim

# The shim puts its own trust in front of the engine's: trust.h.
$(B)/tests/bogo/shim: $(call objs,$(BOGO_SRC) $(TLS_SRC) $(CRYPTO_SRC))
	$(CC) $(ALL_LDFLAGS) -Wl,--wrap=x509_verify -o $@ $^ $(CRYPTO_LIBS)

.PHONY: bogo
bogo: deps
	@$(MAKE) --no-print-directory -s -j$(shell nproc) B=$(ASAN_B) SAN=address,undefined $(ASAN_B)/tests/bogo/shim
	@B=$(ASAN_B) RUNNER='$(RUNNER)' tests/bogo/bogo
