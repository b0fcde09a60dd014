# SPDX-License-Identifier: MIT
# make fuzz-short: a minute for each fuzzer. A fuzzer is tests/fuzz/fuzz_NAME.c with a target fuzz-NAME that takes FUZZ_SECONDS.
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,fuzz-%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))

.PHONY: fuzz-short
fuzz-short:
	@for fuzzer in $(FUZZERS); do \
		echo "$$fuzzer: 60 s"; \
		$(MAKE) --no-print-directory -s B=build/fuzz FUZZ_SECONDS=60 $$fuzzer >build/$$fuzzer.log 2>&1 || { tail -n 30 build/$$fuzzer.log; exit 1; }; \
		tail -n 1 build/$$fuzzer.log; \
	done
