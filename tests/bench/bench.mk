# SPDX-License-Identifier: MIT
# make bench [BENCH_ARGS='--rounds 9 --case full:p256:x25519:aes128 ...']: handshakes in memory, this engine beside others.
BENCH_B := build/bench
BENCH_CERTS := $(B)/tests/bench/certs
BENCH_PEERS := tlshd openssl gnutls floor
BENCH_PROGS := $(addprefix $(B)/tests/bench/,$(addprefix bench_,$(BENCH_PEERS)) $(addprefix heap_,tlshd openssl gnutls) prims)

$(BENCH_CERTS)/made: tests/bench/certs
	@rm -rf $(@D) && tests/bench/certs $(@D) && touch $@

$(B)/tests/bench/heap.o: ALL_CFLAGS += -fno-builtin

# bench_PEER measures time, heap_PEER memory: counting costs most where most is allocated.
define bench_peer
$(B)/tests/bench/bench_$(1) $(B)/tests/bench/heap_$(1): $(call objs,$(addprefix tests/bench/,bench.c wire.c peer_$(1).c) $(2))
$(B)/tests/bench/heap_$(1): $(B)/tests/bench/heap.o
$(B)/tests/bench/bench_$(1) $(B)/tests/bench/heap_$(1):
	$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $(3)
endef
$(eval $(call bench_peer,tlshd,$(TLS_SRC) $(CRYPTO_SRC),$(CRYPTO_LIBS)))
$(eval $(call bench_peer,openssl,,-lssl -lcrypto))
$(eval $(call bench_peer,gnutls,,-lgnutls))
$(eval $(call bench_peer,floor,$(CRYPTO_SRC),$(CRYPTO_LIBS)))
$(B)/tests/bench/prims: $(call objs,tests/bench/prims.c $(CRYPTO_SRC))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS)

.PHONY: bench
bench: deps
	@$(MAKE) --no-print-directory -s B=$(BENCH_B) SAN= CFLAGS='-O2 -g' $(addprefix $(BENCH_B)/tests/bench/,$(notdir $(BENCH_PROGS)) certs/made)
	@tests/bench/bench --build $(BENCH_B)/tests/bench $(BENCH_ARGS)

# The budget counts an optimised build, so it has one of its own, whatever build the other host tests are.
HOST_TESTS += tests/bench/budget

$(B)/tests/bench/counted: $(call objs,tests/bench/counted.c tests/bench/wire.c tests/bench/peer_tlshd.c $(TLS_SRC) $(CRYPTO_SRC))
	$(CC) $(ALL_LDFLAGS) -Wl,--wrap=rand_bytes -o $@ $^ $(CRYPTO_LIBS)

.PHONY: budget-program
budget-program:
	@$(MAKE) --no-print-directory -s B=$(BENCH_B) SAN= CFLAGS='-O2 -g' $(addprefix $(BENCH_B)/tests/bench/,counted certs/made)
host-tests: budget-program
