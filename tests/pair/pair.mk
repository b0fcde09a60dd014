# SPDX-License-Identifier: MIT
PAIR_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/pair/pair_*.c))
PAIR_LIB := $(B)/tests/pair/pair.a
HOST_TESTS += $(PAIR_TESTS)

$(call objs,$(wildcard tests/pair/*.c)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'

# A library: a test links what it uses of it.
$(PAIR_LIB): $(call objs,tests/pair/pair.c tests/pair/tickets.c tests/pair/flight.c tests/pair/kind.c)
	rm -f $@ && ar rcs $@ $^

PAIR_TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/pair/pair_*.c))
