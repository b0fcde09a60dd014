# SPDX-License-Identifier: MIT
# make fuzz-tls [FUZZ_SECONDS=120]
FUZZ_SECONDS ?= 120

$(B)/fuzz/fuzz_tls: tests/fuzz/fuzz_tls.c $(TLS_SRC) $(CRYPTO_SRC) $(wildcard tlshd/tls/*.h) tlshd/crypto/crypto.h | $(TEST_CERTS)/made
	@mkdir -p $(@D)
	clang-14 $(CSTD) $(WARN) $(FUZZ_FLAGS) -D_GNU_SOURCE -DOPENSSL_API_COMPAT=0x10100000L -DCERTS='"$(TEST_CERTS)"' -I. \
		-o $@ $(filter %.c,$^) $(CRYPTO_LIBS)

.PHONY: fuzz-tls
fuzz-tls: $(B)/fuzz/fuzz_tls
	@mkdir -p $(B)/fuzz/tls-corpus
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 $(B)/fuzz/tls-corpus
