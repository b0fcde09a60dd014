# SPDX-License-Identifier: MIT
TLS_SRC := $(addprefix tlshd/tls/,tls.c client.c server.c client_hello.c server_hello.c offer.c schemes.c auth.c staple.c ext.c limit.c hs.c rx.c tx.c record.c keylog.c keys.c psk.c psk_server.c ticket.c session.c post.c)
