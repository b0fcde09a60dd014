# SPDX-License-Identifier: MIT
CRYPTO_SRC :=
CRYPTO_LIBS := -lsodium -lcrypto
