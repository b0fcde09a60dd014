# SPDX-License-Identifier: MIT
TLS_TESTS := $(addprefix $(B)/tests/unit/,tls_rfc8448 tls_rfc8448_retry tls_parse tls_retry tls_record)
HOST_TESTS += $(TLS_TESTS)

$(call objs,$(wildcard tests/unit/tls_*.c)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

$(TLS_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(call objs,$(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lpthread
