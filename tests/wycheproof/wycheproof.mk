# SPDX-License-Identifier: MIT
HOST_TESTS += tests/wycheproof/wycheproof

host-tests: $(B)/tests/wycheproof/vectors

$(B)/tests/wycheproof/vectors: $(call objs,tests/wycheproof/vectors.c $(CRYPTO_SRC))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS)
