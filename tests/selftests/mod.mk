# SPDX-License-Identifier: MIT
# Tests of the module that need no daemon: they are one themselves.
MOD_TESTS := $(patsubst %,$(B)/tests/selftests/%,mod_start mod_data mod_early mod_ticket mod_race mod_uring mod_nomem)
VM_TESTS += $(MOD_TESTS)

$(B)/tests/selftests/mod_%.o: ALL_CFLAGS += -Wno-missing-prototypes -isystem $(shell tests/vm/kselftest)
$(MOD_TESTS): %: %.o $(B)/tests/selftests/mod_peer.o
	$(CC) -o $@ $^ $(ALL_LDFLAGS) -lcrypto -lpthread -luring
