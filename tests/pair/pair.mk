# SPDX-License-Identifier: MIT
PAIR_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/pair/pair_*.c))
PAIR_LIB := $(B)/tests/pair/pair.a
HOST_TESTS += $(PAIR_TESTS)

$(call objs,$(wildcard tests/pair/*.c)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

# A library: a test links what it uses of it.
$(PAIR_LIB): $(call objs,tests/pair/pair.c tests/pair/tickets.c tests/pair/flight.c tests/pair/kind.c)
	rm -f $@ && ar rcs $@ $^

# In front of what makes secrets.
$(B)/tests/pair/pair_secrets: PAIR_WRAPPED := kem_find tls_sign_answer keys_early_init keys_binder keys_early_traffic \
	keys_handshake_given keys_handshake_from keys_master_from keys_resumption keys_ticket_psk keys_traffic

$(B)/tests/pair/pair_openssl: PAIR_LIBS := -lssl

$(PAIR_TESTS): $(B)/tests/pair/%: $(B)/tests/pair/%.o $(PAIR_LIB) $(call objs,$(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) $(addprefix -Xlinker --wrap=,$(PAIR_WRAPPED)) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lpthread $(PAIR_LIBS)
