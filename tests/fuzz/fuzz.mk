# SPDX-License-Identifier: MIT
# make fuzz-short   a minute for each fuzzer; FUZZ_SECONDS=, FUZZ_TARGETS='server client'. Part of make check
# make fuzz-merge   the committed inputs anew: the fewest of them and of those found since that reach as much
# A fuzzer is fuzz_NAME.c; it starts from corpus/NAME, with dict/NAME.dict. What it finds is in build/fuzz.
FUZZ_TARGETS := server client tls x509 parse config
FUZZ_SECONDS := 60
FUZZ_B := build/fuzz
FUZZ_REPLAYS := $(addprefix $(B)/tests/fuzz/replay_,$(FUZZ_TARGETS))
fuzz_progs = $(addprefix $(B)/tests/fuzz/fuzz_,$(1)) $(addprefix $(B)/tests/fuzz/replay_,$(1))

# What unsafe.h says: these are linked with it, and the linker puts it in front of the engine's checks.
FUZZ_UNSAFE := server client
FUZZ_UNSAFE_WRAPPED := equal_ct sig_verify x509_verify x509_take record_seal record_open crypto_scalarmult crypto_scalarmult_base
FUZZ_UNSAFE_OBJS := $(addprefix $(B)/tests/fuzz/,engine_unsafe.o unsafe.o)

$(call objs,$(wildcard tests/fuzz/*.c)): ALL_CFLAGS += -DCERTS='"$(TEST_CERTS)"'
$(FUZZ_UNSAFE_OBJS): ALL_CFLAGS += -DTLSHD_FUZZ_UNSAFE

$(B)/tests/fuzz/engine_unsafe.o: tests/fuzz/engine.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

FUZZ_ENGINE := $(call objs,$(TLS_SRC) $(CRYPTO_SRC))
$(call fuzz_progs,$(FUZZ_UNSAFE)): $(FUZZ_UNSAFE_OBJS) $(FUZZ_ENGINE)
$(call fuzz_progs,$(FUZZ_UNSAFE)): FUZZ_FLAGS := $(addprefix -Xlinker --wrap=,$(FUZZ_UNSAFE_WRAPPED))
$(call fuzz_progs,tls): $(B)/tests/fuzz/engine.o $(FUZZ_ENGINE) | $(TEST_CERTS)/made
$(call fuzz_progs,x509 parse): $(FUZZ_ENGINE)
$(call fuzz_progs,config): $(call objs,$(addprefix tlshd/,config.c account.c report.c log.c))
$(call fuzz_progs,config): FUZZ_FLAGS := -Xlinker --wrap=getpwnam -Xlinker --wrap=getgrnam
$(call fuzz_progs,config): FUZZ_LIBS := -lconfuse

$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o
	$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer $(FUZZ_FLAGS) -o $@ $^ $(CRYPTO_LIBS) $(FUZZ_LIBS)

$(B)/tests/fuzz/replay_%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o
	$(CC) $(ALL_LDFLAGS) $(FUZZ_FLAGS) -o $@ $^ $(CRYPTO_LIBS) $(FUZZ_LIBS)

$(B)/tests/fuzz/seeds: $(B)/tests/fuzz/seeds.o $(FUZZ_UNSAFE_OBJS) $(FUZZ_ENGINE)
	$(CC) $(ALL_LDFLAGS) $(addprefix -Xlinker --wrap=,$(FUZZ_UNSAFE_WRAPPED)) -o $@ $^ $(CRYPTO_LIBS)

.SECONDARY: $(call objs,$(wildcard tests/fuzz/*.c))
HOST_TESTS += tests/fuzz/replays
host-tests: $(FUZZ_REPLAYS)

.PHONY: fuzz-programs build-fuzz fuzz-short fuzz-merge
fuzz-programs: $(addprefix $(B)/tests/fuzz/fuzz_,$(FUZZ_TARGETS))

# Where clang is missing, tests/fuzz/fuzz says so.
build-fuzz:
	@! command -v clang-14 >/dev/null || $(MAKE) --no-print-directory -s -j$(shell nproc) B=$(FUZZ_B) CC=clang-14 CFLAGS='-O1 -g' \
		SAN=fuzzer-no-link,address,undefined fuzz-programs

FUZZ_SHORT = 'fuzz=B=$(FUZZ_B) tests/fuzz/fuzz $(FUZZ_SECONDS) $(FUZZ_TARGETS)'
fuzz-short: build-fuzz
	@tests/run -t 1200 $(FUZZ_SHORT)

fuzz-merge: build-fuzz
	@B=$(FUZZ_B) tests/fuzz/merge $(FUZZ_TARGETS)
