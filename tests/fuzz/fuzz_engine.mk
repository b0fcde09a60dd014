# SPDX-License-Identifier: MIT
# make fuzz-server, fuzz-client [FUZZ_SECONDS=120]: whole engines, with record protection, signatures and Finished not checked.
ENGINE_FUZZERS := $(addprefix $(B)/fuzz/,fuzz_server fuzz_client)
ENGINE_FUZZ_CC = clang-14 $(CSTD) $(WARN) $(FUZZ_FLAGS) -D_GNU_SOURCE -DOPENSSL_API_COMPAT=0x10100000L -DCERTS='"$(TEST_CERTS)"' -I.

$(B)/fuzz/auth_unchecked.o: tlshd/tls/auth.c $(wildcard tlshd/tls/*.h) tlshd/crypto/crypto.h
	@mkdir -p $(@D)
	$(ENGINE_FUZZ_CC) -Dequal_ct=fuzz_equal -Dsig_verify=fuzz_verify -c -o $@ $<

$(ENGINE_FUZZERS): $(B)/fuzz/%: tests/fuzz/%.c $(filter-out %/auth.c %/record.c,$(TLS_SRC)) $(CRYPTO_SRC) $(B)/fuzz/auth_unchecked.o \
		tests/fuzz/engine.h $(wildcard tlshd/tls/*.h) tlshd/crypto/crypto.h | $(TEST_CERTS)/made
	$(ENGINE_FUZZ_CC) -o $@ $(filter %.c %.o,$^) $(CRYPTO_LIBS)

.PHONY: fuzz-server fuzz-client
fuzz-server fuzz-client: fuzz-%: $(B)/fuzz/fuzz_%
	@mkdir -p $(B)/fuzz/$*-corpus
	$< -max_total_time=$(FUZZ_SECONDS) -max_len=4096 -dict=tests/fuzz/tls.dict $(B)/fuzz/$*-corpus
