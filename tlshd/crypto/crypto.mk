# SPDX-License-Identifier: MIT
CRYPTO_SRC := $(addprefix tlshd/crypto/,crypto.c sodium.c openssl.c key.c x509_load.c x509_facts.c x509_words.c x509_ocsp.c x509_cache.c x509.c x509_name.c)
CRYPTO_LIBS := -lsodium -lcrypto
