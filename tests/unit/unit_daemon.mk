# SPDX-License-Identifier: MIT
DAEMON_TESTS := $(addprefix $(B)/tests/unit/,daemon_config daemon_upcall daemon_policy daemon_pool)

HOST_TESTS += $(DAEMON_TESTS)

$(addsuffix .o,$(DAEMON_TESTS)): ALL_CFLAGS += -DCERTS='"$(B)/tests/certs"' -DEXAMPLE='"$(CURDIR)/tlshd/tlshd.conf"'

DAEMON_CONFIG_SRC := $(addprefix tlshd/,config.c identity.c image.c report.c log.c)

$(B)/tests/unit/daemon_upcall: $(call objs,tests/unit/daemon_upcall.c tlshd/upcall.c)
$(B)/tests/unit/daemon_pool: $(call objs,tests/unit/daemon_pool.c tlshd/pool.c)
$(B)/tests/unit/daemon_policy: $(call objs,tests/unit/daemon_policy.c tlshd/policy.c $(DAEMON_CONFIG_SRC) $(CRYPTO_SRC))
$(B)/tests/unit/daemon_config: $(call objs,tests/unit/daemon_config.c $(DAEMON_CONFIG_SRC) $(CRYPTO_SRC))

$(DAEMON_TESTS): | $(B)/tests/certs/made
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TLSHD_LIBS) -lcmocka
