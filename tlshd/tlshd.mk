# SPDX-License-Identifier: MIT
# The daemon without its main(), in reading order: tests link it too.
TLSHD_SRC := $(addprefix tlshd/,supervisor.c config.c account.c identity.c image.c report.c spawn.c ctl.c notify.c log.c \
	child.c worker.c thread.c loop.c upcall.c policy.c tickets.c replay.c sessions.c conn.c ktls.c pool.c signer_client.c signer.c)
TLSHD_LIBS := $(shell pkg-config --libs libnl-genl-3.0) -luring -lconfuse $(CRYPTO_LIBS) -lpthread

TLSHD := $(B)/tlshd/tlshd
PROGS += $(TLSHD)
INSTALL_FILES += 755:$(TLSHD):/usr/sbin 644:tlshd/tlshd.service:/usr/lib/systemd/system 600:tlshd/tlshd.conf:/etc/tlshd \
	644:tlshd/tlshd.8:/usr/share/man/man8 644:tlshd/tlshd.conf.5:/usr/share/man/man5

$(B)/tlshd/upcall.o: private CFLAGS += $(shell pkg-config --cflags libnl-genl-3.0)

$(TLSHD): $(call objs,tlshd/main.c $(TLSHD_SRC) $(TLS_SRC) $(CRYPTO_SRC))
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(TLSHD_LIBS)
