# SPDX-License-Identifier: MIT
TOOLS_COMMON := tools/names.c tools/sockopt.c
SERVE_SRC := tools/serve/serve.c tools/serve/options.c tools/serve/listen.c tools/serve/loop.c tools/serve/conn.c \
	tools/serve/http.c tools/serve/reply.c tools/serve/access.c tools/serve/file.c tools/serve/mime.c
CONNECT_SRC := tools/connect/connect.c tools/connect/dial.c tools/connect/pump.c

PROGS += $(B)/tlshd-serve $(B)/tlshd-connect $(B)/hello

$(B)/tlshd-serve: $(call objs,$(SERVE_SRC) $(TOOLS_COMMON))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lhttp_parser -lpthread

$(B)/tlshd-connect: $(call objs,$(CONNECT_SRC) $(TOOLS_COMMON))
	$(CC) $(ALL_LDFLAGS) -o $@ $^

$(B)/hello: $(call objs,tools/examples/hello.c)
	$(CC) $(ALL_LDFLAGS) -o $@ $^

INSTALL_FILES += 755:$(B)/tlshd-serve:/usr/bin 755:$(B)/tlshd-connect:/usr/bin \
	644:tools/man/tlshd-serve.1:/usr/share/man/man1 644:tools/man/tlshd-connect.1:/usr/share/man/man1 \
	644:tools/man/tlshd.7:/usr/share/man/man7
