# SPDX-License-Identifier: MIT
# make check-ct: no branch and no address of ours depends on a secret: handshakes under valgrind; hooks.c says how.
# make timing: t-values of the compares and of ECDSA signatures, about two minutes; prints, judges nothing.
CT_WRAPPED := randombytes_buf rand_bytes BN_priv_rand_range crypto_scalarmult kem_find keys_handshake_from keys_master_from \
	keys_traffic keys_finished equal_ct EVP_CipherFinal_ex crypto_aead_chacha20poly1305_ietf_decrypt aead_seal aead_open \
	EVP_PKEY_get_raw_private_key ed25519_sign keys_binder keys_early_traffic keys_handshake_given ticket_decode offer_bind sig_verify

# As it is shipped: optimised, no sanitizers.
$(call objs,$(wildcard tests/ct/*.c)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

$(B)/tests/ct/ct: $(call objs,tests/ct/ct.c tests/ct/hooks.c tests/pair/pair.c tests/pair/tickets.c $(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) $(addprefix -Xlinker --wrap=,$(CT_WRAPPED)) -o $@ $^ $(CRYPTO_LIBS) -lcmocka

$(B)/tests/ct/timing: $(call objs,tests/ct/timing.c $(TLS_SRC) $(CRYPTO_SRC)) | $(TEST_CERTS)/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CRYPTO_LIBS) -lcmocka -lm

.PHONY: check-ct
check-ct: deps
	@$(MAKE) --no-print-directory -s -j$(shell nproc) B=build build/tests/ct/ct
	@B=build tests/run -t 600 'ct=valgrind -q --error-exitcode=9 --suppressions=tests/ct/ct.supp build/tests/ct/ct' tests/ct/faults

.PHONY: timing
timing:
	@$(MAKE) --no-print-directory -s -j$(shell nproc) B=build build/tests/ct/timing
	@build/tests/ct/timing
