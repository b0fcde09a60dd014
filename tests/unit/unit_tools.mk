# SPDX-License-Identifier: MIT
HOST_TESTS += $(B)/tests/unit/tools_http $(B)/tests/unit/tools_pump tests/tools/serve_plain
VM_TESTS += $(addprefix tests/selftests/e2e_,server resume client sessions early files daemon tools)

$(B)/tests/unit/tools_http: $(call objs,tests/unit/tools_http.c tools/serve/http.c)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lhttp_parser -lcmocka

$(B)/tests/unit/tools_pump: $(call objs,tests/unit/tools_pump.c tools/connect/pump.c)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka
