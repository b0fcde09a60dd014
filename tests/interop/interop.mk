# SPDX-License-Identifier: MIT
HOST_TESTS += tests/interop/interop

host-tests: $(B)/tests/interop/peer

$(B)/tests/interop/peer: $(call objs,tests/interop/peer.c tests/interop/options.c tests/bogo/channel.c $(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS)
