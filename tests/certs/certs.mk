# SPDX-License-Identifier: MIT
TEST_CERTS := $(B)/tests/certs

$(TEST_CERTS)/made: tests/certs/make
	@rm -rf $(@D) && tests/certs/make $(@D) && touch $@
