# SPDX-License-Identifier: MIT
RFC8448_TESTS := $(B)/tests/unit/tls_rfc8448 $(addprefix $(B)/tests/unit/tls_rfc8448_,resume retry client_auth compat)
TLS_TESTS := $(addprefix $(B)/tests/unit/,tls_parse tls_retry tls_record tls_psk_server tls_session tls_offer tls_answer \
	tls_external tls_schemes tls_later tls_misuse)
HOST_TESTS += $(RFC8448_TESTS) $(TLS_TESTS)

$(call objs,$(wildcard tests/unit/tls_*.c)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

$(TLS_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(call objs,$(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lpthread

# In front of the engine's own: the traces' random numbers, messages and certificates.
RFC8448_WRAPPED := BN_priv_rand_range hs_send hs_send_post x509_verify

$(RFC8448_TESTS): $(B)/tests/unit/%: $(B)/tests/unit/%.o $(call objs,tests/unit/tls_rfc8448_trace.c $(TLS_SRC) $(CRYPTO_SRC))
	$(CC) $(ALL_LDFLAGS) $(addprefix -Xlinker --wrap=,$(RFC8448_WRAPPED)) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lpthread
