# SPDX-License-Identifier: MIT
CRYPTO_TESTS := $(addprefix $(B)/tests/unit/,crypto_test x509_test x509_nomem_test)

HOST_TESTS += $(CRYPTO_TESTS)

$(call objs,$(addprefix tests/unit/,crypto_test.c x509_test.c x509_nomem_test.c)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

$(CRYPTO_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(call objs,$(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lpthread
