# SPDX-License-Identifier: MIT
# make bench [BENCH_ARGS='--rounds 9 --case full:p256:x25519:aes128 ...']: handshakes in memory, this engine beside others.
BENCH_B := build/bench
BENCH_CERTS := $(B)/tests/bench/certs
BENCH_PROGS := $(addprefix $(B)/tests/bench/,bench_tlshd bench_openssl bench_gnutls bench_floor prims)
BENCH_DRIVER := $(call objs,tests/bench/bench.c tests/bench/wire.c tests/bench/heap.c)

$(BENCH_CERTS)/made: tests/bench/certs
	@rm -rf $(@D) && tests/bench/certs $(@D) && touch $@

$(B)/tests/bench/heap.o: ALL_CFLAGS += -fno-builtin

$(B)/tests/bench/bench_tlshd: $(BENCH_DRIVER) $(call objs,tests/bench/peer_tlshd.c $(TLS_SRC) $(CRYPTO_SRC))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS)
$(B)/tests/bench/bench_openssl: $(BENCH_DRIVER) $(call objs,tests/bench/peer_openssl.c)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lssl -lcrypto
$(B)/tests/bench/bench_gnutls: $(BENCH_DRIVER) $(call objs,tests/bench/peer_gnutls.c)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lgnutls
$(B)/tests/bench/bench_floor: $(BENCH_DRIVER) $(call objs,tests/bench/peer_floor.c $(CRYPTO_SRC))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS)
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
