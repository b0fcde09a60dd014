# SPDX-License-Identifier: MIT
CRYPTO_TEST_NAMES := crypto_test crypto_sig_test x509_test x509_files_test x509_staple_test x509_cache_test x509_nomem_test
CRYPTO_TESTS := $(addprefix $(B)/tests/unit/,$(CRYPTO_TEST_NAMES))

HOST_TESTS += $(CRYPTO_TESTS)

$(addsuffix .o,$(CRYPTO_TESTS)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

# Its allocations fail, and not libcrypto's alone.
$(B)/tests/unit/x509_nomem_test: WRAP := -Wl,--wrap=realloc -Wl,--wrap=calloc

$(CRYPTO_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(call objs,$(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) $(WRAP) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lpthread
