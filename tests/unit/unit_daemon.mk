# SPDX-License-Identifier: MIT
DAEMON_TESTS := $(addprefix $(B)/tests/unit/,daemon_config daemon_upcall daemon_policy daemon_pool \
	daemon_signer daemon_conn daemon_openssl daemon_thread daemon_tickets daemon_sessions daemon_replay)

HOST_TESTS += $(DAEMON_TESTS) tests/unit/daemon_cli

$(addsuffix .o,$(DAEMON_TESTS)): ALL_CFLAGS += -DCERTS='"$(B)/tests/certs"' -DEXAMPLE='"$(CURDIR)/tlshd/tlshd.conf"'

DAEMON_CONFIG_SRC := $(addprefix tlshd/,config.c account.c identity.c image.c report.c log.c)

$(B)/tests/unit/daemon_upcall: $(call objs,tests/unit/daemon_upcall.c tlshd/upcall.c)
$(B)/tests/unit/daemon_pool: $(call objs,tests/unit/daemon_pool.c tlshd/pool.c)
$(B)/tests/unit/daemon_tickets: $(call objs,tests/unit/daemon_tickets.c tlshd/tickets.c tlshd/replay.c tlshd/log.c $(CRYPTO_SRC))
$(B)/tests/unit/daemon_policy: $(call objs,tests/unit/daemon_policy.c tlshd/policy.c tlshd/tickets.c tlshd/replay.c $(DAEMON_CONFIG_SRC) $(CRYPTO_SRC))
$(B)/tests/unit/daemon_replay: $(call objs,tests/unit/daemon_replay.c tlshd/replay.c $(CRYPTO_SRC))
$(B)/tests/unit/daemon_sessions: $(call objs,tests/unit/daemon_sessions.c tlshd/sessions.c $(TLS_SRC) $(CRYPTO_SRC))
$(B)/tests/unit/daemon_signer: $(call objs,tests/unit/daemon_signer.c $(TLSHD_SRC) $(TLS_SRC) $(CRYPTO_SRC))
# ktls.c is left out: these two are the kernel's side themselves.
$(addprefix $(B)/tests/unit/,daemon_conn daemon_openssl): $(B)/tests/unit/%: $(B)/tests/unit/%.o \
		$(call objs,$(filter-out tlshd/ktls.c,$(TLSHD_SRC)) $(TLS_SRC) $(CRYPTO_SRC))
# And this one is the module.
$(B)/tests/unit/daemon_thread: $(B)/tests/unit/daemon_thread.o \
		$(call objs,$(filter-out tlshd/upcall.c,$(TLSHD_SRC)) $(TLS_SRC) $(CRYPTO_SRC))
$(B)/tests/unit/daemon_config: $(call objs,tests/unit/daemon_config.c $(DAEMON_CONFIG_SRC) $(CRYPTO_SRC))

$(DAEMON_TESTS): | $(B)/tests/certs/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TLSHD_LIBS) -lcmocka
