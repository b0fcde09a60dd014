# SPDX-License-Identifier: MIT
PAIR_TESTS := $(addprefix $(B)/tests/pair/,pair_test pair_retry pair_order pair_auth pair_keylog pair_matrix pair_session pair_psk)
PAIR_LIB := $(B)/tests/pair/pair.a
HOST_TESTS += $(PAIR_TESTS)

$(call objs,$(wildcard tests/pair/*.c)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

# A library: a test links what it uses of it.
$(PAIR_LIB): $(call objs,tests/pair/pair.c tests/pair/tickets.c tests/pair/flight.c tests/pair/kind.c)
	rm -f $@ && ar rcs $@ $^

$(B)/tests/pair/pair_keylog: PAIR_LIBS := -lssl

$(PAIR_TESTS): $(B)/tests/pair/%: $(B)/tests/pair/%.o $(PAIR_LIB) $(call objs,$(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lpthread $(PAIR_LIBS)
