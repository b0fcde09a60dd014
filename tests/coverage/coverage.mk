# SPDX-License-Identifier: MIT
# make coverage: lines and branches of the engine that its unit and pair tests and the fuzzers' inputs run. Optimised code has other branches than its
# source, so this build has none; FORTIFY wants optimisation, so it goes too.
COVERAGE_B := build/coverage
COVERAGE_EDGES := $(B)/tests/coverage/edges
COVERAGE_TESTS = $(patsubst $(B)/%,$(COVERAGE_B)/%,$(CRYPTO_TESTS) $(RFC8448_TESTS) $(TLS_TESTS) $(PAIR_TESTS) $(COVERAGE_EDGES))
HOST_TESTS += $(COVERAGE_EDGES)

$(COVERAGE_EDGES).o: ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

$(COVERAGE_EDGES): $(call objs,$(addprefix tests/,coverage/edges.c pair/pair.c pair/tickets.c pair/kind.c) $(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lpthread

.PHONY: coverage
coverage:
	@find $(COVERAGE_B) -name '*.gcda' -delete 2>/dev/null || true
	@$(MAKE) --no-print-directory -s -j$(shell nproc) B=$(COVERAGE_B) CFLAGS='-O0 -g --coverage' HARDEN=-fPIE \
		LDFLAGS=--coverage $(COVERAGE_TESTS) $(patsubst $(B)/%,$(COVERAGE_B)/%,$(FUZZ_REPLAYS))
	@B=$(COVERAGE_B) tests/run $(COVERAGE_TESTS) tests/fuzz/replays
	@tests/coverage/report $(COVERAGE_B) $(TLS_SRC) $(CRYPTO_SRC)
