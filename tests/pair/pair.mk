# SPDX-License-Identifier: MIT
PAIR_TESTS := $(addprefix $(B)/tests/pair/,pair_test pair_retry pair_order)
HOST_TESTS += $(PAIR_TESTS)

$(call objs,$(wildcard tests/pair/*.c)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

$(PAIR_TESTS): $(B)/tests/pair/%: $(B)/tests/pair/%.o $(B)/tests/pair/pair.o $(call objs,$(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lpthread
