# SPDX-License-Identifier: MIT
# make fuzz-x509 [FUZZ_SECONDS=120]
FUZZ_SECONDS ?= 120
FUZZ_FLAGS := -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined

$(B)/fuzz/fuzz_x509: tests/fuzz/fuzz_x509.c $(CRYPTO_SRC) tlshd/crypto/crypto.h | $(TEST_CERTS)/made
	@mkdir -p $(@D)
	clang-14 $(CSTD) $(WARN) $(FUZZ_FLAGS) -D_GNU_SOURCE -DOPENSSL_API_COMPAT=0x10100000L -DCERTS='"$(TEST_CERTS)"' -I. \
		-o $@ $(filter %.c,$^) $(CRYPTO_LIBS)

.PHONY: fuzz-x509
fuzz-x509: $(B)/fuzz/fuzz_x509
	tests/fuzz/fuzz_x509_seeds $(TEST_CERTS) $(B)/fuzz/x509-seeds
	@mkdir -p $(B)/fuzz/x509-corpus
	$< -artifact_prefix=$(B)/fuzz/ -max_total_time=$(FUZZ_SECONDS) -max_len=8192 $(B)/fuzz/x509-corpus $(B)/fuzz/x509-seeds
