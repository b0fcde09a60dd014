# SPDX-License-Identifier: MIT
# Adding a test: a program that prints TAP goes to HOST_TESTS (or VM_TESTS, if it needs the module) in a fragment of its folder.
# A VM test in C includes <kselftest_harness.h>: compile it with $(KSELFTEST_CFLAGS), behind an order-only $(KSELFTEST).
KSELFTEST := $(or $(TLSHD_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tlshd)/kselftest/kselftest_harness.h
KSELFTEST_CFLAGS := -isystem $(dir $(KSELFTEST))

$(KSELFTEST):
	@tests/vm/kselftest >/dev/null

include $(sort $(wildcard tests/*/*.mk))

STATIC_TESTS := $(sort $(filter-out %.mk %.md %.sh,$(wildcard tests/static/*)))
CELLS := 6.1 6.12
KVER ?= 6.1

# Host tests are built and run with sanitizers, in a build folder of their own.
ASAN_B := build/asan
asan_tests = $(patsubst $(B)/%,$(ASAN_B)/%,$(HOST_TESTS))
cell = "vm $(1)=B=build tests/vm/cell $(1) $(VM_TESTS)"

.PHONY: deps
deps:
	@tests/vm/deps

.PHONY: host-tests vm-tests
host-tests: $(PROGS) $(filter $(B)/%,$(HOST_TESTS))
vm-tests: $(PROGS) $(B)/tests/certs/made $(filter $(B)/%,$(VM_TESTS))

.PHONY: build-host-tests
build-host-tests:
	@echo 'building with ASan and UBSan in $(ASAN_B)'
	@$(MAKE) --no-print-directory -s -j$(shell nproc) B=$(ASAN_B) SAN=address,undefined host-tests

.PHONY: build-vm-tests
build-vm-tests:
	@echo 'building daemon, tools and tests in build'
	@$(MAKE) --no-print-directory -s -j$(shell nproc) B=build all vm-tests

.PHONY: check
check: deps
	@$(MAKE) --no-print-directory build-vm-tests build-host-tests build-fuzz
	@B=$(ASAN_B) tests/run $(STATIC_TESTS) $(asan_tests) -t 1200 $(FUZZ_SHORT) -t 4000 $(foreach k,$(CELLS),$(call cell,$(k)))

.PHONY: check-host
check-host: build-host-tests
	@B=$(ASAN_B) tests/run $(STATIC_TESTS) $(asan_tests)

.PHONY: check-vm
check-vm: build-vm-tests
	@tests/run -t 4000 $(call cell,$(KVER))

.PHONY: check-debug
check-debug: build-vm-tests
	@tests/vm/debug-kernel
	@tests/run -t 5000 $(call cell,debug)

.PHONY: demo
demo: deps
	@echo 'building daemon and tools in build'
	@$(MAKE) --no-print-directory -s -j$(shell nproc) B=build all
	@tests/vm/demo
